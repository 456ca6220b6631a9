//! Event files, made by hand.

use std::time::Duration;

use super::records::masked_crc;
use super::values::shortest;
use super::*;
use proptest::prelude::*;

/// A field of bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2, bytes.len() as u8];
    field.extend(bytes);
    field
}

fn record(event: &[u8]) -> Vec<u8> {
    let length = (event.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked_crc(&length).to_le_bytes());
    record.extend(event);
    record.extend([0; 4]);
    record
}

fn event(step: u8, tag: &str, value: f32) -> Vec<u8> {
    let mut content = field(1, tag.as_bytes());
    content.push(2 << 3 | 5);
    content.extend(value.to_le_bytes());
    let mut event = vec![1 << 3 | 1];
    event.extend(1.5e9_f64.to_le_bytes());
    event.extend([2 << 3, step]);
    event.extend(field(5, &field(1, &content)));
    record(&event)
}

fn tensor_event(step: u8, tag: &str, value: f32) -> Vec<u8> {
    let mut tensor = vec![1 << 3, 1];
    tensor.extend(field(4, &value.to_le_bytes()));
    let metadata = field(1, &field(1, b"scalars"));
    let content = [
        field(1, tag.as_bytes()),
        field(9, &metadata),
        field(8, &tensor),
    ]
    .concat();
    record(&[vec![2 << 3, step], field(5, &field(1, &content))].concat())
}

fn read(bytes: &[u8]) -> (Points, u64) {
    let (mut events, mut points) = (Events::default(), Points::new("step"));
    events.begin_file(&mut points);
    let done = events.push(bytes, false, &mut points);
    (points, done)
}

#[test]
fn scalars_are_read_from_both_forms_and_a_record_that_is_cut_off_is_waited_for() {
    let whole = [
        event(1, "loss", 0.1),
        tensor_event(1, "acc", 0.5),
        event(2, "loss", f32::NAN),
    ]
    .concat();
    let bytes = [&whole[..], &event(3, "loss", 1.0)[..20]].concat();
    let (points, done) = read(&bytes);
    assert_eq!(done as usize, whole.len());
    let loss = points.metrics().column("loss").unwrap();
    assert_eq!((loss.x.as_slice(), loss.y[0]), (&[1.0, 2.0][..], 0.1));
    assert!(loss.y[1].is_nan());
    assert_eq!(points.metrics().column("acc").unwrap().y, [0.5]);
    assert_eq!(points.metrics().rows, 2);
}

#[test]
fn steps_that_begin_anew_in_one_file_are_kept_and_those_of_another_start_replace() {
    let (mut events, mut points) = (Events::default(), Points::new("step"));
    events.begin_file(&mut points);
    let bytes = [
        event(0, "a", 3.0),
        event(1, "a", 2.0),
        event(0, "a", 1.0),
        event(1, "a", 0.5),
    ]
    .concat();
    events.push(&bytes, false, &mut points);
    assert_eq!(
        points.metrics().column("a").unwrap().x,
        [0.0, 1.0, 2.0, 3.0]
    );
    events.begin_file(&mut points);
    events.push(&event(2, "a", 9.0), false, &mut points);
    let column = points.metrics().column("a").unwrap();
    assert_eq!(
        (&column.x[..], &column.y[..]),
        (&[0.0, 1.0, 2.0][..], &[3.0, 2.0, 9.0][..])
    );
}

#[test]
fn another_start_is_a_seam_and_another_writer_is_none() {
    let (mut events, mut points) = (Events::default(), Points::new("step"));
    let mut file = |of: &[Vec<u8>]| {
        events.begin_file(&mut points);
        events.push(&of.concat(), false, &mut points);
        points.metrics().clone()
    };
    file(&[event(1, "a", 3.0), event(2, "a", 2.0), event(2, "b", 2.0)]);
    // Two writers in one folder; then what Hugging Face measures at the end.
    file(&[event(1, "c", 3.0), event(2, "c", 3.0)]);
    let metrics = file(&[event(2, "b", 2.0)]);
    assert!(metrics.seams.is_empty());
    assert_eq!(metrics.column("a").unwrap().x, [1.0, 2.0]);
    let metrics = file(&[event(3, "a", 1.0), event(3, "b", 1.0)]);
    assert_eq!(metrics.seams, [3.0]);
    // What goes back is replaced for its own tags: another program may have written the others.
    let metrics = file(&[event(2, "a", 1.0)]);
    assert_eq!(metrics.seams, [3.0]);
    assert_eq!(metrics.column("a").unwrap().x, [1.0, 2.0]);
    assert_eq!(metrics.column("b").unwrap().x, [2.0, 3.0]);
}

#[test]
fn curves_that_were_added_to_one_tag_are_columns_of_their_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = |below: &str, events: &[Vec<u8>]| {
        let path = folder.path().join(below);
        std::fs::create_dir_all(&path).unwrap();
        let path = path.join("events.out.tfevents.1.host.1.0");
        std::fs::write(path, events.concat()).unwrap();
    };
    file("", &[event(1, "lr", 0.5), event(2, "lr", 0.25)]);
    file("a_Loss_train", &[event(1, "a/Loss", 3.0)]);
    file("a_Loss_val", &[event(2, "a/Loss", 2.0)]);
    file("another_run", &[event(1, "a/Loss", 9.0)]);
    let listing = Listing::read(folder.path()).unwrap();
    let parts = TensorBoard.find(&listing).unwrap();
    assert!(!parts.folders.contains(&"another_run".to_owned()));
    let mut source = TensorBoard.open(folder.path(), &parts);
    source.poll().unwrap();
    let columns = source.metrics().columns.iter();
    let mut columns: Vec<_> = columns.map(|it| (it.name.as_str(), it.x.clone())).collect();
    columns.sort_by_key(|(name, _)| *name);
    let expected = [
        ("a/Loss/train", vec![1.0]),
        ("a/Loss/val", vec![2.0]),
        ("lr", vec![1.0, 2.0]),
    ];
    assert_eq!(columns, expected);
}

#[test]
fn settings_and_times_come_with_the_scalars() {
    let entry = [
        field(1, b"lr"),
        field(2, &[&[2 << 3 | 1][..], &0.5_f64.to_le_bytes()].concat()),
    ]
    .concat();
    let start = field(3, &field(1, &entry));
    let metadata = field(1, &[field(1, b"hparams"), field(2, &start)].concat());
    let value = [
        field(1, b"_hparams_/session_start_info"),
        field(9, &metadata),
    ]
    .concat();
    let mut first = vec![1 << 3 | 1];
    first.extend(1.4e9_f64.to_le_bytes());
    first.extend(field(5, &field(1, &value)));
    let bytes = [record(&first), event(1, "loss", 0.5)].concat();
    let (mut events, mut points) = (Events::default(), Points::new("step"));
    events.begin_file(&mut points);
    events.push(&bytes, false, &mut points);
    let folder = tempfile::tempdir().unwrap();
    let facts = events.facts(folder.path()).unwrap();
    assert_eq!(facts.config["lr"], 0.5);
    assert_eq!(facts.started_at.unwrap().as_second(), 1_400_000_000);
    assert_eq!(facts.duration, Some(Duration::from_secs(100_000_000)));
}

#[test]
fn settings_of_add_hparams_lie_in_a_folder_of_their_own() {
    let entry = [
        field(1, b"lr"),
        field(2, &[&[2 << 3 | 1][..], &0.5_f64.to_le_bytes()].concat()),
    ];
    let start = field(3, &field(1, &entry.concat()));
    let metadata = field(1, &[field(1, b"hparams"), field(2, &start)].concat());
    let value = field(9, &metadata);
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("1790000040.5");
    std::fs::create_dir(&inner).unwrap();
    let file = inner.join("events.out.tfevents.1790000040.host.1.1");
    std::fs::write(file, record(&field(5, &field(1, &value)))).unwrap();
    assert_eq!(facts(folder.path(), &[]).config["lr"], 0.5);
}

#[test]
fn values_without_a_step_are_counted() {
    let bytes: Vec<u8> = [3.0, 2.0, 1.0]
        .iter()
        .flat_map(|value| event(0, "a", *value))
        .collect();
    let (points, _) = read(&bytes);
    assert_eq!(points.metrics().column("a").unwrap().x, [0.0, 1.0, 2.0]);
}

#[test]
fn steps_and_lengths_without_end_end_nothing() {
    let (mut events, mut points) = (Events::default(), Points::new("step"));
    events.begin_file(&mut points);
    assert_eq!(events.place("a", i64::MAX), (i64::MAX, None));
    assert_eq!(events.place("a", 0), (i64::MAX, None));
    let length = u64::MAX.to_le_bytes();
    let bytes = [&length[..], &masked_crc(&length).to_le_bytes()].concat();
    assert_eq!(events.push(&bytes, false, &mut points), u64::MAX);
}

#[test]
fn damage_is_reported_once() {
    let mut bytes = [event(1, "a", 1.0), event(2, "a", 2.0)].concat();
    let second = event(1, "a", 1.0).len();
    bytes[second] ^= 1;
    let (points, done) = read(&bytes);
    assert_eq!(
        (points.metrics().rows, points.metrics().problem_count),
        (1, 1)
    );
    assert_eq!(done as usize, bytes.len());
}

#[test]
fn the_check_of_a_length_is_that_of_the_description() {
    // CRC32-C of "123456789" is 0xe3069283.
    assert_eq!(
        masked_crc(b"123456789"),
        0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8)
    );
}

proptest! {
    #[test]
    fn the_shortest_decimal_reads_back(bits in any::<u32>()) {
        let value = f32::from_bits(bits);
        let text: f64 = value.to_string().parse().unwrap();
        let short = shortest(value);
        prop_assert!(short == text || value.is_nan(), "{value}: {short} and not {text}");
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let whole = [event(1, "loss", 0.1), bytes].concat();
        let (points, _) = read(&whole);
        prop_assert!(points.metrics().rows >= 1);
    }
}
