use proptest::prelude::*;

use super::*;

#[test]
fn plain_data_of_old_and_new_protocols_are_read() {
    let old =
        parse(b"(dp0\nS'a\\n\\x41'\np1\n(lp2\nI1\naI-2\naL3L\nasS'b'\nF1.5\nsV\\u00fc\nI01\ns.")
            .unwrap();
    let value = old.value();
    assert_eq!(value.get("a\nA").unwrap().as_ints(), Some(vec![1, -2, 3]));
    assert_eq!(value.get("ü").unwrap().as_bool(), Some(true));
    // pickle.dumps({"a": (True, None, "ü", 70000, 2**40, -2**40)}, protocol=4)
    let new = parse(b"\x80\x04\x95\x27\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94(\x88N\x8c\x02\xc3\xbc\x94Jp\x11\x01\x00\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\x06\x00\x00\x00\x00\x00\xfft\x94s.").unwrap();
    let [yes, _, text, int, large, negative] = new.value().get("a").unwrap().as_tuple().unwrap();
    assert_eq!((yes.as_bool(), text.as_text()), (Some(true), Some("ü")));
    let ints = [int, large, negative].map(|value| value.as_int().unwrap());
    assert_eq!(ints, [70_000, 1 << 40, -(1 << 40)]);
}

#[test]
fn what_a_pickle_would_call_is_only_written_down() {
    let pickle = parse(b"cos\nsystem\n(S'echo owned'\ntR.").unwrap();
    let made = pickle.value().as_made().unwrap();
    assert_eq!(made.by, "os.system");
    assert_eq!(
        made.arguments.as_tuple().map(|[one]| one.as_text()),
        Some(Some("echo owned"))
    );
}

#[test]
fn what_is_filled_after_it_was_remembered_is_filled_wherever_it_is_recalled() {
    // x = [1]; pickle.dumps((x, x), protocol=4)
    let pickle = parse(b"\x80\x04]\x94K\x01ah\x00\x86\x94.").unwrap();
    let [first, second] = pickle.value().as_tuple().unwrap();
    assert_eq!(first.as_ints(), Some(vec![1]));
    assert_eq!(second.as_ints(), Some(vec![1]));
}

/// `pickle.dumps({"data": a, "labels": b, "one": numpy.int64(-5)})` of numpy 2.4, a = [[0, 1, 2],
/// [3, 4, 5]] of uint8 and b = [300, -2] of int16 (protocol 3: big-endian int64).
const OF_NUMPY: [&[u8]; 6] = [
    b"(dp0\nVdata\np1\ncnumpy._core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n(I0\ntp4\nc_codecs\nencode\np5\n(Vb\np6\nVlatin1\np7\ntp8\nRp9\ntp10\nRp11\n(I1\n(I2\nI3\ntp12\ncnumpy\ndtype\np13\n(Vu1\np14\nI00\nI01\ntp15\nRp16\n(I3\nV|\np17\nNNNI-1\nI-1\nI0\ntp18\nbI00\ng5\n(V\\u0000\x01\x02\x03\x04\x05\np19\ng7\ntp20\nRp21\ntp22\nbsVlabels\np23\ng2\n(g3\n(I0\ntp24\ng9\ntp25\nRp26\n(I1\n(I2\ntp27\ng13\n(Vi2\np28\nI00\nI01\ntp29\nRp30\n(I3\nV<\np31\nNNNI-1\nI-1\nI0\ntp32\nbI00\ng5\n(V,\x01\xfe\xff\np33\ng7\ntp34\nRp35\ntp36\nbsVone\np37\ncnumpy._core.multiarray\nscalar\np38\n(g13\n(Vi8\np39\nI00\nI01\ntp40\nRp41\n(I3\ng31\nNNNI-1\nI-1\nI0\ntp42\nbg5\n(V\xfb\xff\xff\xff\xff\xff\xff\xff\np43\ng7\ntp44\nRp45\ntp46\nRp47\ns.",
    b"}q\x00(X\x04\x00\x00\x00dataq\x01cnumpy._core.multiarray\n_reconstruct\nq\x02(cnumpy\nndarray\nq\x03(K\x00tq\x04c_codecs\nencode\nq\x05(X\x01\x00\x00\x00bq\x06X\x06\x00\x00\x00latin1q\x07tq\x08Rq\x09tq\nRq\x0b(K\x01(K\x02K\x03tq\x0ccnumpy\ndtype\nq\x0d(X\x02\x00\x00\x00u1q\x0eI00\nI01\ntq\x0fRq\x10(K\x03X\x01\x00\x00\x00|q\x11NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x12bI00\nh\x05(X\x06\x00\x00\x00\x00\x01\x02\x03\x04\x05q\x13h\x07tq\x14Rq\x15tq\x16bX\x06\x00\x00\x00labelsq\x17h\x02(h\x03(K\x00tq\x18h\x09tq\x19Rq\x1a(K\x01(K\x02tq\x1bh\x0d(X\x02\x00\x00\x00i2q\x1cI00\nI01\ntq\x1dRq\x1e(K\x03X\x01\x00\x00\x00<q\x1fNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq bI00\nh\x05(X\x06\x00\x00\x00,\x01\xc3\xbe\xc3\xbfq!h\x07tq\"Rq#tq$bX\x03\x00\x00\x00oneq%cnumpy._core.multiarray\nscalar\nq&(h\x0d(X\x02\x00\x00\x00i8q'I00\nI01\ntq(Rq)(K\x03h\x1fNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq*bh\x05(X\x10\x00\x00\x00\xc3\xbb\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbfq+h\x07tq,Rq-tq.Rq/u.",
    b"\x80\x02}q\x00(X\x04\x00\x00\x00dataq\x01cnumpy._core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85q\x04c_codecs\nencode\nq\x05X\x01\x00\x00\x00bq\x06X\x06\x00\x00\x00latin1q\x07\x86q\x08Rq\x09\x87q\nRq\x0b(K\x01K\x02K\x03\x86q\x0ccnumpy\ndtype\nq\x0dX\x02\x00\x00\x00u1q\x0e\x89\x88\x87q\x0fRq\x10(K\x03X\x01\x00\x00\x00|q\x11NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x12b\x89h\x05X\x06\x00\x00\x00\x00\x01\x02\x03\x04\x05q\x13h\x07\x86q\x14Rq\x15tq\x16bX\x06\x00\x00\x00labelsq\x17h\x02h\x03K\x00\x85q\x18h\x09\x87q\x19Rq\x1a(K\x01K\x02\x85q\x1bh\x0dX\x02\x00\x00\x00i2q\x1c\x89\x88\x87q\x1dRq\x1e(K\x03X\x01\x00\x00\x00<q\x1fNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq b\x89h\x05X\x06\x00\x00\x00,\x01\xc3\xbe\xc3\xbfq!h\x07\x86q\"Rq#tq$bX\x03\x00\x00\x00oneq%cnumpy._core.multiarray\nscalar\nq&h\x0dX\x02\x00\x00\x00i8q'\x89\x88\x87q(Rq)(K\x03h\x1fNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq*bh\x05X\x10\x00\x00\x00\xc3\xbb\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbfq+h\x07\x86q,Rq-\x86q.Rq/u.",
    b"\x80\x03}q\x00(X\x04\x00\x00\x00dataq\x01cnumpy._core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85q\x04C\x01bq\x05\x87q\x06Rq\x07(K\x01K\x02K\x03\x86q\x08cnumpy\ndtype\nq\x09X\x02\x00\x00\x00u1q\n\x89\x88\x87q\x0bRq\x0c(K\x03X\x01\x00\x00\x00|q\x0dNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0eb\x89C\x06\x00\x01\x02\x03\x04\x05q\x0ftq\x10bX\x06\x00\x00\x00labelsq\x11h\x02h\x03K\x00\x85q\x12h\x05\x87q\x13Rq\x14(K\x01K\x02\x85q\x15h\x09X\x02\x00\x00\x00i8q\x16\x89\x88\x87q\x17Rq\x18(K\x03X\x01\x00\x00\x00>q\x19NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x1ab\x89C\x10\x00\x00\x00\x00\x00\x00\x01,\xff\xff\xff\xff\xff\xff\xff\xfeq\x1btq\x1cbX\x03\x00\x00\x00oneq\x1dcnumpy._core.multiarray\nscalar\nq\x1eh\x09X\x02\x00\x00\x00i8q\x1f\x89\x88\x87q Rq!(K\x03X\x01\x00\x00\x00<q\"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq#bC\x08\xfb\xff\xff\xff\xff\xff\xff\xffq$\x86q%Rq&u.",
    b"\x80\x04\x951\x01\x00\x00\x00\x00\x00\x00}\x94(\x8c\x04data\x94\x8c\x16numpy._core.multiarray\x94\x8c\x0c_reconstruct\x94\x93\x94\x8c\x05numpy\x94\x8c\x07ndarray\x94\x93\x94K\x00\x85\x94C\x01b\x94\x87\x94R\x94(K\x01K\x02K\x03\x86\x94h\x05\x8c\x05dtype\x94\x93\x94\x8c\x02u1\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t\x94b\x89C\x06\x00\x01\x02\x03\x04\x05\x94t\x94b\x8c\x06labels\x94h\x04h\x07K\x00\x85\x94h\x09\x87\x94R\x94(K\x01K\x02\x85\x94h\x0e\x8c\x02i2\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01<\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t\x94b\x89C\x04,\x01\xfe\xff\x94t\x94b\x8c\x03one\x94h\x02\x8c\x06scalar\x94\x93\x94h\x0e\x8c\x02i8\x94\x89\x88\x87\x94R\x94(K\x03h\x1eNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t\x94bC\x08\xfb\xff\xff\xff\xff\xff\xff\xff\x94\x86\x94R\x94u.",
    b"\x80\x05\x95.\x01\x00\x00\x00\x00\x00\x00}\x94(\x8c\x04data\x94\x8c\x13numpy._core.numeric\x94\x8c\x0b_frombuffer\x94\x93\x94(\x96\x06\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04\x05\x94\x8c\x05numpy\x94\x8c\x05dtype\x94\x93\x94\x8c\x02u1\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t\x94bK\x02K\x03\x86\x94\x8c\x01C\x94t\x94R\x94\x8c\x06labels\x94h\x04(\x96\x04\x00\x00\x00\x00\x00\x00\x00,\x01\xfe\xff\x94h\x08\x8c\x02i2\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01<\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t\x94bK\x02\x85\x94h\x0ft\x94R\x94\x8c\x03one\x94\x8c\x16numpy._core.multiarray\x94\x8c\x06scalar\x94\x93\x94h\x08\x8c\x02i8\x94\x89\x88\x87\x94R\x94(K\x03h\x17NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t\x94bC\x08\xfb\xff\xff\xff\xff\xff\xff\xff\x94\x86\x94R\x94u.",
];

#[test]
fn numpy_arrays_of_every_protocol_are_read() {
    for (protocol, bytes) in OF_NUMPY.into_iter().enumerate() {
        let pickle = parse(bytes).unwrap();
        let entry = |key| pickle.value().get(key).unwrap();
        let data = entry("data").as_array().unwrap();
        assert_eq!(data.shape, [2, 3], "protocol {protocol}");
        assert_eq!(
            data.into_u8().unwrap(),
            [0, 1, 2, 3, 4, 5],
            "protocol {protocol}"
        );
        assert_eq!(
            entry("labels").as_ints(),
            Some(vec![300, -2]),
            "protocol {protocol}"
        );
        assert_eq!(entry("one").as_int(), Some(-5), "protocol {protocol}");
    }
}

/// numpy 2.4's pickles of [[0, 1, 2], [3, 4, 5]] in Fortran's order (protocols 2 and 5), and of 0
/// to 11 in the shape 2 x 2 x 3 with the last two dimensions swapped (protocol 5).
const REORDERED: [&[u8]; 3] = [
    b"\x80\x02cnumpy._core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00\x85q\x02c_codecs\nencode\nq\x03X\x01\x00\x00\x00bq\x04X\x06\x00\x00\x00latin1q\x05\x86q\x06Rq\x07\x87q\x08Rq\x09(K\x01K\x02K\x03\x86q\ncnumpy\ndtype\nq\x0bX\x02\x00\x00\x00u1q\x0c\x89\x88\x87q\x0dRq\x0e(K\x03X\x01\x00\x00\x00|q\x0fNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x10b\x88h\x03X\x06\x00\x00\x00\x00\x03\x01\x04\x02\x05q\x11h\x05\x86q\x12Rq\x13tq\x14b.",
    b"\x80\x05\x95|\x00\x00\x00\x00\x00\x00\x00\x8c\x13numpy._core.numeric\x94\x8c\x0b_frombuffer\x94\x93\x94(\x96\x06\x00\x00\x00\x00\x00\x00\x00\x00\x03\x01\x04\x02\x05\x94\x8c\x05numpy\x94\x8c\x05dtype\x94\x93\x94\x8c\x02u1\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t\x94bK\x02K\x03\x86\x94\x8c\x01F\x94t\x94R\x94.",
    b"\x80\x05\x95\x8c\x00\x00\x00\x00\x00\x00\x00\x8c\x13numpy._core.numeric\x94\x8c\x0b_frombuffer\x94\x93\x94(\x96\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\n\x0b\x94\x8c\x05numpy\x94\x8c\x05dtype\x94\x93\x94\x8c\x02u1\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t\x94bK\x02K\x02K\x03\x87\x94\x8c\x01K\x94K\x00K\x02K\x01\x87\x94t\x94R\x94.",
];

#[test]
fn arrays_in_another_order_are_put_into_their_own() {
    for (bytes, shape, elements) in [
        (REORDERED[0], &[2, 3][..], (0..6).collect::<Vec<u8>>()),
        (REORDERED[1], &[2, 3], (0..6).collect()),
        (
            REORDERED[2],
            &[2, 3, 2],
            vec![0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11],
        ),
    ] {
        let pickle = parse(bytes).unwrap();
        let array = pickle.value().as_array().unwrap();
        assert_eq!(array.shape, shape);
        assert_eq!(array.into_u8().unwrap(), elements);
    }
}

#[test]
fn texts_in_arrays_are_read() {
    // numpy.array(["7", "13"]), and the same as objects, the first a whole number.
    for bytes in [
        b"\x80\x04\x95\x93\x00\x00\x00\x00\x00\x00\x00\x8c\x16numpy._core.multiarray\x94\x8c\x0c_reconstruct\x94\x93\x94\x8c\x05numpy\x94\x8c\x07ndarray\x94\x93\x94K\x00\x85\x94C\x01b\x94\x87\x94R\x94(K\x01K\x02\x85\x94h\x03\x8c\x05dtype\x94\x93\x94\x8c\x02U2\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01<\x94NNNK\x08K\x04K\x08t\x94b\x89C\x107\x00\x00\x00\x00\x00\x00\x001\x00\x00\x003\x00\x00\x00\x94t\x94b.".as_slice(),
        b"\x80\x04\x95\x91\x00\x00\x00\x00\x00\x00\x00\x8c\x16numpy._core.multiarray\x94\x8c\x0c_reconstruct\x94\x93\x94\x8c\x05numpy\x94\x8c\x07ndarray\x94\x93\x94K\x00\x85\x94C\x01b\x94\x87\x94R\x94(K\x01K\x02\x85\x94h\x03\x8c\x05dtype\x94\x93\x94\x8c\x02O8\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?t\x94b\x89]\x94(K\x07\x8c\x0213\x94et\x94b.",
    ] {
        let pickle = parse(bytes).unwrap();
        assert_eq!(pickle.value().as_array_of_texts().unwrap(), ["7", "13"]);
    }
}

#[test]
fn keys_of_bytes_are_found_as_python_3_writes_them_for_python_2() {
    // pickle.dumps({b"data": 1}, protocol=2)
    let pickle = parse(b"\x80\x02}q\x00c_codecs\nencode\nq\x01X\x04\x00\x00\x00dataq\x02X\x06\x00\x00\x00latin1q\x03\x86q\x04Rq\x05K\x01s.").unwrap();
    assert_eq!(pickle.value().get("data").unwrap().as_int(), Some(1));
}

#[test]
fn arrays_that_lie_about_their_shape_are_none() {
    let mut bytes = OF_NUMPY[3].to_vec();
    let shape = bytes
        .windows(4)
        .position(|four| four == b"K\x02K\x03")
        .unwrap();
    bytes[shape + 1] = 200;
    assert_eq!(
        parse(&bytes)
            .unwrap()
            .value()
            .get("data")
            .unwrap()
            .as_array(),
        None
    );
}

#[test]
fn lies_about_sizes_end_in_an_error() {
    let long = b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x7f.";
    assert_eq!(parse(long), Err(PickleError::Short(12)));
    assert_eq!(parse(b"\x8b\xff\xff\xff\xff."), Err(PickleError::Short(6)));
    assert_eq!(parse(b"(0."), Err(PickleError::Nonsense(3)));
    assert_eq!(parse(b"K\x01(2."), Err(PickleError::Nonsense(4)));
}

#[test]
fn depth_and_copies_cost_no_more_than_the_file() {
    // A million lists in each other: what recursion would not survive.
    let deep = [b"]".repeat(1_000_000), b"a".repeat(999_999), b".".to_vec()].concat();
    let pickle = parse(&deep).unwrap();
    assert_eq!(pickle.value().as_sequence().unwrap().len(), 1);
    // Each step puts two of all before into a new tuple: 2^60 values, if they were copied.
    let doubling = [
        b"K\x01q\x00".to_vec(),
        b"h\x00h\x00\x86q\x00".repeat(60),
        b".".to_vec(),
    ]
    .concat();
    assert!(parse(&doubling).unwrap().nodes.len() < 200);
    // A list that holds itself.
    let pickle = parse(b"]q\x00h\x00a.").unwrap();
    let inner = pickle.value().as_sequence().unwrap().next().unwrap();
    assert_eq!(inner.as_sequence().unwrap().len(), 1);
    assert!(!format!("{inner:?}").is_empty());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn no_damage_to_an_array_makes_it_panic(number in 0..3_usize, at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = REORDERED[number].to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(pickle) = parse(&bytes) {
            let _ = (pickle.value().as_array(), pickle.value().as_array_of_texts(), pickle.value().to_json());
        }
    }

    #[test]
    fn no_damage_to_a_real_file_makes_it_panic(protocol in 0..6_usize, at in any::<prop::sample::Index>(), byte: u8, cut: bool) {
        let mut bytes = OF_NUMPY[protocol].to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        if let Ok(pickle) = parse(&bytes) {
            for (_, value) in pickle.value().as_dict().into_iter().flatten() {
                let _ = (value.as_ints(), value.as_array(), value.as_bytes());
            }
        }
    }
}

#[test]
fn values_and_names_are_limited_by_the_length() {
    // Two texts, named together again and again.
    let name = [b"X\x00\x04\x00\x00".as_slice(), &[b'n'; 1024]].concat();
    let names = [
        &name,
        b"q\x00".as_slice(),
        &b"h\x00h\x00\x93".repeat(1000),
        b".",
    ]
    .concat();
    assert_eq!(parse(&names).err(), Some(PickleError::TooMuch));
    for code in [b"N".as_slice(), b"]", b"(", b"N\x940", b"N2"] {
        let many = [code.repeat(1 << 22), b".".to_vec()].concat();
        let is_refused = matches!(parse(&many), Err(PickleError::TooMuch));
        assert!(is_refused, "{code:?}");
    }
    // A list of a million numbers has as many.
    let million = [b"(".as_slice(), &b"K\x01".repeat(1_000_000), b"l."].concat();
    assert!(parse(&million).is_ok());
}
