//! Files that are packed or encoded otherwise, at once and growing.

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

const TEXT: &str = "epoch,loss\n1,3\n2,2\n3,1\n";

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn utf16(text: &str, is_little: bool) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units
        .flat_map(|unit| {
            if is_little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        })
        .collect()
}

/// The whole file at once, and byte by byte.
fn each_way(name: &str, bytes: &[u8]) -> [Metrics; 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let mut whole = small(&path);
    whole.poll().unwrap();
    fs::write(&path, b"").unwrap();
    let mut growing = OpenOptions::new().append(true).open(&path).unwrap();
    let mut tail = small(&path);
    let mut taken = Metrics::default();
    for byte in bytes {
        growing.write_all(&[*byte]).unwrap();
        if tail.poll().unwrap() == Change::Reread {
            taken = Metrics::default();
        }
        taken.absorb(tail.take());
    }
    [whole.take(), taken]
}

#[test]
fn other_encodings_and_line_ends_say_the_same() {
    let expected = read(TEXT);
    let emoji = TEXT.replace("loss", "loss 🚀");
    for (bytes, expected) in [
        (utf16(TEXT, true), &expected),
        (utf16(TEXT, false), &expected),
        (utf16(&emoji, true), &read(&emoji)),
        (TEXT.replace('\n', "\r").into_bytes(), &expected),
        (TEXT.replace('\n', "\r\n").into_bytes(), &expected),
        (TEXT.replace('\n', "\r\r\n").into_bytes(), &expected),
        (format!("\u{feff}{TEXT}").into_bytes(), &expected),
    ] {
        for metrics in each_way("metrics.csv", &bytes) {
            assert_eq!(metrics, *expected, "{bytes:?}");
        }
    }
}

#[test]
fn gzip_files_are_read_while_they_grow_member_by_member() {
    let expected = read(TEXT);
    let halves = TEXT.split_at(13);
    let members = [packed(halves.0.as_bytes()), packed(halves.1.as_bytes())].concat();
    for bytes in [packed(TEXT.as_bytes()), members, packed(&utf16(TEXT, true))] {
        for name in ["metrics.csv.gz", "metrics.csv"] {
            for metrics in each_way(name, &bytes) {
                assert_eq!(metrics, expected);
            }
        }
    }
}

#[test]
fn a_large_gzip_file_says_what_it_says_unpacked() {
    let mut text = "epoch,loss\n".to_owned();
    for epoch in 0..60_000 {
        writeln!(text, "{epoch},{}", f64::from(epoch).sqrt()).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv.gz");
    fs::write(&path, packed(text.as_bytes())).unwrap();
    let mut tail = Tail::open(&path);
    let mut metrics = Metrics::default();
    tail.poll_in_parts(|part, _| drop(metrics.absorb(part)))
        .unwrap();
    assert_eq!(metrics, read(&text));
    assert!(!tail.is_understood());
}

#[test]
fn damage_and_bombs_end_a_gzip_file_and_are_told() {
    let damaged = [packed(TEXT.as_bytes()), vec![7; 40]].concat();
    let bomb = packed(&[TEXT.as_bytes(), &b"4,1\n".repeat(2 << 20)].concat());
    for (bytes, what) in [(damaged, "damaged gzip data"), (bomb, "far more")] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv.gz");
        fs::write(&path, &bytes).unwrap();
        let mut tail = small(&path);
        tail.poll().unwrap();
        let metrics = tail.take();
        assert!(metrics.rows >= 3 && metrics.problem_count == 1);
        assert!(
            metrics.problems[0].what.contains(what),
            "{:?}",
            metrics.problems
        );
    }
}

#[test]
fn a_last_line_without_a_line_end_counts_once_it_is_settled() {
    for bytes in [
        utf16(TEXT.trim_end(), true),
        packed(TEXT.trim_end().as_bytes()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        fs::write(&path, bytes).unwrap();
        let mut tail = small(&path);
        tail.poll().unwrap();
        assert_eq!(tail.metrics().rows, 2);
        tail.settle().unwrap();
        assert_eq!(tail.metrics().rows, 3);
    }
}

#[test]
fn utf_16_is_known_without_its_mark() {
    let text = "epoch,loss\n1,3\n2,2\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [little, big] {
        assert_eq!(points(&read(bytes), "loss"), [(1.0, 3.0), (2.0, 2.0)]);
    }
}
