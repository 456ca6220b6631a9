//! Tables as people write them: what each kind must come out as.

use super::*;
use crate::metrics::Unit;

/// A file, the column that is x, and the points of some columns.
type Table<'a> = (&'a str, &'a str, &'a [(&'a str, &'a [(f64, f64)])]);

const TABLES: &[Table] = &[
    (
        "epoch;loss;acc\n1;0,5;50\n2;0,25;1.055,5\n",
        "epoch",
        &[
            ("loss", &[(1.0, 0.5), (2.0, 0.25)]),
            ("acc", &[(1.0, 50.0), (2.0, 1055.5)]),
        ],
    ),
    (
        "Epoch\tTrain Loss\n1\t0.5\n2\t0,25\n",
        "Epoch",
        &[("Train Loss", &[(1.0, 0.5), (2.0, 0.25)])],
    ),
    (
        "  epoch   loss  acc\n      1    0.5   50\n      2   0.25   60\n",
        "epoch",
        &[("acc", &[(1.0, 50.0), (2.0, 60.0)])],
    ),
    // Comments, rulers, a title.
    (
        "# lr 0.1, wd 0\nepoch,loss\n===== begin =====\n1,3\n// resumed, once\n2,1\n",
        "epoch",
        &[("loss", &[(1.0, 3.0), (2.0, 1.0)])],
    ),
    (
        "# epoch loss\n1 3\n2 1\n",
        "epoch",
        &[("loss", &[(1.0, 3.0), (2.0, 1.0)])],
    ),
    (
        "run of today\nepoch,loss\n1,3\n",
        "epoch",
        &[("loss", &[(1.0, 3.0)])],
    ),
    // Lines of the start and of settings above the header.
    (
        "Training started\nDevice: cuda\nepoch,loss,acc\n1,3,.5\n2,1,.6\n",
        "epoch",
        &[("loss", &[(1.0, 3.0), (2.0, 1.0)])],
    ),
    (
        "Model,resnet18\nSeed,42\nepoch,loss,acc\n1,3,.5\n2,1,.6\n",
        "epoch",
        &[("loss", &[(1.0, 3.0), (2.0, 1.0)])],
    ),
    (
        "Started 2026-11-01\nModel: r18, params: 11,000,000\n\nepoch,loss,acc\n1,3,.5\n2,1,.6\n",
        "epoch",
        &[("acc", &[(1.0, 0.5), (2.0, 0.6)])],
    ),
    (
        "Run,mine\nepoch,loss\n1,3\n2,1\n",
        "epoch",
        &[("loss", &[(1.0, 3.0), (2.0, 1.0)])],
    ),
    (
        "a,b\nc,d\n1,3\n2,1\n",
        "row",
        &[("b", &[(2.0, 3.0), (3.0, 1.0)])],
    ),
    // Quoted cells with line ends, and a quote that is never closed.
    (
        "epoch,\"loss\nof all\",note\n1,3,\"a\nb, c\"\n2,1,d\n",
        "epoch",
        &[("loss of all", &[(1.0, 3.0), (2.0, 1.0)])],
    ),
    // A comma too many.
    (
        "epoch,loss,\n1,3\n2,1,\n",
        "epoch",
        &[("loss", &[(1.0, 3.0), (2.0, 1.0)])],
    ),
    (
        "epoch,loss\n1,3,\n2,1,\n",
        "epoch",
        &[("loss", &[(1.0, 3.0), (2.0, 1.0)])],
    ),
    // More cells after a resume.
    (
        "epoch,loss\n1,3\n2,1,60,0.1\n",
        "epoch",
        &[("loss", &[(1.0, 3.0), (2.0, 1.0)])],
    ),
    // No header.
    (
        "1,0.5,51\n2,0.25,52\n",
        "row",
        &[
            ("column 1", &[(1.0, 1.0), (2.0, 2.0)]),
            ("column 3", &[(1.0, 51.0), (2.0, 52.0)]),
        ],
    ),
    (
        "0/99  1.2G  0.5\n1/99  1.2G  0.25\n",
        "row",
        &[
            ("column 1", &[(1.0, 0.0), (2.0, 1.0)]),
            ("column 2", &[(1.0, 1.2e9), (2.0, 1.2e9)]),
        ],
    ),
    // An index.
    (
        ",loss\n0,3\n1,1\n",
        "epoch",
        &[("loss", &[(0.0, 3.0), (1.0, 1.0)])],
    ),
    // What is no number at first, and placeholders.
    (
        "epoch,loss,val_loss\n1,3,-\n2,warmup,n/a\n3,1,0.5\n",
        "epoch",
        &[
            ("loss", &[(1.0, 3.0), (3.0, 1.0)]),
            ("val_loss", &[(3.0, 0.5)]),
        ],
    ),
    (
        "epoch,acc,took\n1,62.9%,1:30\n2,63%,95s\n",
        "epoch",
        &[
            ("acc", &[(1.0, 62.9), (2.0, 63.0)]),
            ("took", &[(1.0, 90.0), (2.0, 95.0)]),
        ],
    ),
    (
        "epoch,loss,acc\n1,tensor(0.5, device='cuda:0'),60\n2,np.float32(0.25),\"1,061.5\"\n",
        "epoch",
        &[
            ("loss", &[(1.0, 0.5), (2.0, 0.25)]),
            ("acc", &[(1.0, 60.0), (2.0, 1061.5)]),
        ],
    ),
    // Places.
    (
        "epoch,step,loss\n0,0,4\n0,1,3\n1,0,2\n1,1,1\n",
        "running step",
        &[
            ("loss", &[(0.0, 4.0), (1.0, 3.0), (2.0, 2.0), (3.0, 1.0)]),
            ("epoch", &[(0.0, 0.0), (1.0, 0.0), (2.0, 1.0), (3.0, 1.0)]),
        ],
    ),
    (
        "batch,loss\n0,4\n1,3\n0,2\n",
        "running batch",
        &[("loss", &[(0.0, 4.0), (1.0, 3.0), (2.0, 2.0)])],
    ),
    (
        "date,loss\n1970-01-01 00:00:10,2\n1970-01-01 00:00:20,1\n",
        "date",
        &[("loss", &[(10.0, 2.0), (20.0, 1.0)])],
    ),
    // Parts of the data.
    (
        "epoch,phase,loss,lr\n1,train,4,0.1\n1,Valid,3,\n2,train,2,0.1\n2,Valid,1,\n",
        "epoch",
        &[
            ("train_loss", &[(1.0, 4.0), (2.0, 2.0)]),
            ("val_loss", &[(1.0, 3.0), (2.0, 1.0)]),
            ("train_lr", &[(1.0, 0.1), (2.0, 0.1)]),
            ("epoch", &[(1.0, 1.0), (2.0, 2.0)]),
        ],
    ),
    (
        "split,epoch,loss\ntrain,1,4\ntrain,2,2\ntest,1,3\ntest,2,1\n",
        "epoch",
        &[
            ("train_loss", &[(1.0, 4.0), (2.0, 2.0)]),
            ("test_loss", &[(1.0, 3.0), (2.0, 1.0)]),
        ],
    ),
    (
        "epoch,mode,loss\n1,fast,4\n2,train,2\n",
        "epoch",
        &[("loss", &[(1.0, 4.0), (2.0, 2.0)])],
    ),
];

#[test]
fn each_kind_of_table_has_its_points() {
    for (text, x, columns) in TABLES {
        let metrics = read(text);
        assert_eq!(metrics.x_name, *x, "{text}");
        for (name, expected) in *columns {
            assert!(metrics.column(name).is_some(), "{name}: {text} {metrics:?}");
            assert_eq!(points(&metrics, name), *expected, "{name}: {text}");
        }
        assert!(metrics.seams.is_empty(), "{text}");
    }
}

#[test]
fn each_kind_of_table_is_the_same_however_it_grows() {
    for (text, ..) in TABLES {
        let whole = shown(&read(text));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let mut growing = fs::File::create(&path).unwrap();
        let mut tail = small(&path);
        let mut taken = Metrics::default();
        for byte in text.bytes() {
            growing.write_all(&[byte]).unwrap();
            if tail.poll().unwrap() == Change::Reread {
                taken = Metrics::default();
            }
            taken.absorb(tail.take());
        }
        assert_eq!(shown(&taken), whole, "{text}");
    }
}

#[test]
fn what_is_not_understood_is_counted_by_column() {
    for (text, expected) in [
        ("epoch,loss\n1,3\n2,oops\n3,what\n", vec![("loss", 2)]),
        ("epoch,loss\n1,first\n2,3\n", vec![("loss", 1)]),
        ("epoch,loss\n1,3\nx,2\n", vec![("epoch", 1)]),
        ("epoch,loss\n1,3,60\n2,2,,\n", vec![("column 3", 1)]),
        (
            "epoch,phase,loss\n1,train,3\n2,finetune,2\n",
            vec![("phase", 1)],
        ),
        ("epoch,note,loss\n1,good,3\n2,-,2\n", vec![]),
        ("epoch,loss\n1,-\n2,n/a\n3,None\n4,nan\n", vec![]),
    ] {
        let unread: Vec<_> = read(text).unread.into_iter().collect();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(name, count)| (name.to_owned(), count))
            .collect();
        assert_eq!(unread, expected, "{text}");
    }
}

#[test]
fn a_file_without_a_header_says_so() {
    assert_eq!(
        problems(&read("1,0.5\n2,0.25\n")),
        ["1: is a row of numbers where the header should be, so columns have no names"]
    );
    let later = read("1,0.5\nepoch,loss\n2,0.25\n");
    assert_eq!(points(&later, "loss"), [(2.0, 0.25)]);
}

#[test]
fn units_are_told_by_column() {
    let metrics = read("epoch,acc,took,loss,at\n1,62%,3s,1,2026-11-30\n");
    let units: Vec<_> = metrics
        .units
        .iter()
        .map(|(name, unit)| (name.as_str(), *unit))
        .collect();
    assert_eq!(
        units,
        [
            ("acc", Unit::Percent),
            ("at", Unit::Date),
            ("took", Unit::Seconds)
        ]
    );
}

#[test]
fn a_quote_that_is_never_closed_costs_its_own_line() {
    let mut text = "epoch,loss\n1,3\n2,\"oops\n".to_owned();
    for epoch in 3..100 {
        writeln!(text, "{epoch},0.5").unwrap();
    }
    let metrics = read(text);
    assert_eq!(metrics.rows, 99);
    assert_eq!(problems(&metrics), ["3: has \"oops\" as its loss"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    fs::write(&path, "epoch,loss\n1,3\n2,\"oops\n3,1\n").unwrap();
    let mut tail = small(&path);
    tail.poll().unwrap();
    assert!(!tail.is_understood());
    tail.settle().unwrap();
    assert_eq!(tail.metrics().rows, 3);
}

#[test]
fn a_byte_that_is_no_text_costs_its_letter_only() {
    let metrics = read(b"epoch,d\xe9bit\n1,3\n2,1\n");
    assert_eq!(points(&metrics, "débit"), [(1.0, 3.0), (2.0, 1.0)]);
    assert!(metrics.problems.is_empty());
}
