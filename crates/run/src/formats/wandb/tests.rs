//! Files of W&B, made by hand.

use super::log::{BLOCK, MAGIC, PIECE_HEADER};
use super::*;
use proptest::prelude::*;

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn field(number: usize, bytes: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(bytes.len()), bytes.to_vec()].concat()
}

fn row(step: u32, name: &str, json: &str) -> Vec<u8> {
    let item = |name: &str, json: &str| {
        let parts = [field(2, name.as_bytes()), field(16, json.as_bytes())].concat();
        field(1, &parts)
    };
    let history = [item("_step", &step.to_string()), item(name, json)].concat();
    field(HISTORY as usize, &history)
}

/// The file of these records, cut into blocks.
fn file(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = [MAGIC, &[0xee, 0xbe, 0]].concat();
    for record in records {
        let (mut rest, mut is_first) = (&record[..], true);
        loop {
            let mut left = BLOCK as usize - bytes.len() % BLOCK as usize;
            if left < PIECE_HEADER {
                bytes.resize(bytes.len() + left, 0);
                left = BLOCK as usize;
            }
            let (now, later) = rest.split_at(rest.len().min(left - PIECE_HEADER));
            let kind = match (is_first, later.is_empty()) {
                (true, true) => 1,
                (true, false) => 2,
                (false, false) => 3,
                (false, true) => 4,
            };
            bytes.extend([0; 4]);
            bytes.extend((now.len() as u16).to_le_bytes());
            bytes.push(kind);
            bytes.extend(now);
            (rest, is_first) = (later, false);
            if rest.is_empty() {
                break;
            }
        }
    }
    bytes
}

fn read(bytes: &[u8], size: usize) -> Points {
    let (mut history, mut points) = (History::default(), Points::new("_step"));
    history.begin_file(&mut points);
    let (mut from, mut to) = (0, size.min(bytes.len()));
    loop {
        let done = history.push(&bytes[from..to], false, &mut points) as usize;
        if to == bytes.len() {
            return points;
        }
        from += done;
        to = (to + size).min(bytes.len());
    }
}

#[test]
fn records_over_several_blocks_are_read_at_once_and_in_parts() {
    let long = format!("\"{}\"", "x".repeat(70_000));
    let records = [
        row(0, "val/acc", "0.5"),
        row(1, "note", &long),
        row(2, "val/acc", "NaN"),
    ];
    let bytes = file(&records);
    for size in [7, 1000, 40_000, bytes.len()] {
        let points = read(&bytes, size);
        let metrics = points.metrics();
        let acc = metrics.column("val/acc").unwrap();
        assert_eq!((&acc.x[..], acc.y[0]), (&[0.0, 2.0][..], 0.5), "{size}");
        assert!(acc.y[1].is_nan());
        assert_eq!(
            (metrics.rows, &metrics.text_columns[..]),
            (3, &["note".to_owned()][..])
        );
    }
}

#[test]
fn a_metric_that_the_run_defined_as_its_step_places_the_others() {
    let metric = |name: &str, step: &str| {
        field(
            METRIC as usize,
            &[field(1, name.as_bytes()), field(4, step.as_bytes())].concat(),
        )
    };
    let row = |step: u32, at: u32, loss: f64| {
        let item = |name: &str, json: String| {
            let parts = [field(1, name.as_bytes()), field(16, json.as_bytes())].concat();
            field(1, &parts)
        };
        let items = [
            item("_step", step.to_string()),
            item("train/global_step", at.to_string()),
            item("loss", loss.to_string()),
        ];
        field(HISTORY as usize, &items.concat())
    };
    let rows = [row(0, 100, 3.0), row(1, 200, 2.0)];
    let by = |defined: &[Vec<u8>]| {
        let points = read(&file(&[defined, &rows].concat()), 1000);
        let metrics = points.metrics().clone();
        (
            metrics.x_name.clone(),
            metrics.column("loss").unwrap().x.clone(),
        )
    };
    let one = [
        metric("loss", "train/global_step"),
        metric("val", "train/global_step"),
    ];
    assert_eq!(
        by(&one),
        ("train/global_step".to_owned(), vec![100.0, 200.0])
    );
    let another = [metric("val", "train/global_step")];
    assert_eq!(by(&another), ("_step".to_owned(), vec![0.0, 1.0]));
    let several = [metric("loss", "train/global_step"), metric("val", "epoch")];
    assert_eq!(by(&several), ("_step".to_owned(), vec![0.0, 1.0]));
}

#[test]
fn facts_that_come_with_the_history_are_those_that_are_read_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run-a.wandb");
    let setting = [field(1, b"lr"), field(16, b"0.5")].concat();
    let begin = [
        field(RUN as usize, &field(8, b"calm-lake")),
        field(CONFIG as usize, &field(1, &setting)),
        row(0, "loss", "1.5"),
    ];
    std::fs::write(&path, file(&begin)).unwrap();
    let parts = RunParts::new("W&B", vec![path.clone()]);
    let mut source = Wandb.open(folder.path(), &parts);
    source.poll().unwrap();
    let facts = source.facts().unwrap();
    assert_eq!(facts, Wandb.facts(folder.path(), &parts));
    assert_eq!(
        (facts.name.as_deref(), &facts.config["lr"]),
        (Some("calm-lake"), &0.5.into())
    );
    let exit = [vec![1 << 3, 1, 2 << 3, 3]].concat();
    let all = [&begin[..], &[field(EXIT as usize, &exit)]].concat();
    std::fs::write(&path, file(&all)).unwrap();
    assert_eq!(source.poll().unwrap(), crate::metrics::Change::Grew(0));
    let facts = source.facts().unwrap();
    assert_eq!(facts, Wandb.facts(folder.path(), &parts));
    assert_eq!(
        (facts.state.unwrap().0, facts.duration),
        (State::Failed, Some(Duration::from_secs(3)))
    );
}

proptest! {
    #[test]
    fn a_damaged_file_is_read_without_a_panic(at in 7_usize..400, byte in any::<u8>()) {
        let records: Vec<_> = (0..20).map(|step| row(step, "loss", "1.5")).collect();
        let mut bytes = file(&records);
        let at = at.min(bytes.len() - 1);
        bytes[at] = byte;
        let mut records = RunRecords::default();
        Log::default().push(&bytes, &mut |record| records.take(record));
        read(&bytes, 50);
    }
}
