//! What runs of other trainers cost, each against the same numbers as a plain `metrics.csv`. Both
//! are read in turn, so that other work on the machine slows both.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{in_a_process, in_turn};

/// Runs of 100 rows.
const RUNS: u64 = 1000;
/// Runs of [`POINTS`] points: a hundredth of a gigabyte each way.
const LONG_RUNS: u64 = 100;
const POINTS: u64 = 10_000;
/// The figure to reach, of the time for a plain CSV.
const REACH: f64 = 3.0;

/// Measures all formats below a scratch folder.
pub fn measure(scratch: &Path) {
    let root = scratch.join("formats");
    for (name, write) in [
        ("Lightning", lightning as Write),
        ("Ultralytics", ultralytics),
        ("Hugging Face, 3 checkpoints each", hugging_face),
    ] {
        let (theirs, plain) = (root.join("theirs"), root.join("plain"));
        for number in 0..RUNS {
            let rows = Rows { number, count: 100 };
            write(&theirs.join(format!("{number}")), &rows);
            file(&plain.join(format!("{number}/metrics.csv")), rows.csv());
        }
        against(&format!("{RUNS} runs of {name}"), (&theirs, &plain));
        fs::remove_dir_all(&root).expect("what was written can be removed");
    }
    for (name, write) in [("TensorBoard", tensorboard as Write), ("W&B", wandb)] {
        let (theirs, plain) = (root.join("theirs"), root.join("plain"));
        for number in 0..LONG_RUNS {
            // Two columns.
            let rows = Rows {
                number,
                count: POINTS / 2,
            };
            write(&theirs.join(format!("{number}")), &rows);
            file(&plain.join(format!("{number}/metrics.csv")), rows.csv());
        }
        let what = format!("{LONG_RUNS} runs of {name}, {POINTS} points each");
        against(&what, (&theirs, &plain));
        fs::remove_dir_all(&root).expect("what was written can be removed");
    }
    let rows = Rows {
        number: 0,
        count: 500_000,
    };
    tensorboard(&root, &rows);
    in_a_process("1,000,000 points in one event file", "run", &root, 500.0);
    fs::remove_dir_all(&root).expect("what was written can be removed");
}

type Write = fn(&Path, &Rows);

fn against(what: &str, (theirs, plain): (&Path, &Path)) {
    let [their_time, plain_time] = in_turn("summaries", [theirs, plain]);
    println!(
        "{:<58} {:>12} {:>12} {:>12}",
        what,
        format!("{their_time:.1} ms"),
        format!("{REACH:.2} x"),
        format!("{:.2} x", their_time / plain_time),
    );
}

/// The numbers of a run: a loss and an accuracy at each step.
struct Rows {
    number: u64,
    count: u64,
}

impl Rows {
    fn each(&self) -> impl Iterator<Item = (u64, f64, f64)> {
        (1..=self.count).map(|step| {
            let progress = step as f64 / self.count as f64;
            let wave = ((step * 7 + self.number) % 13) as f64 / 1000.0;
            (
                step,
                2.5 - 2.0 * progress + wave,
                0.1 + 0.8 * progress - wave,
            )
        })
    }

    fn csv(&self) -> String {
        let mut text = "step,train_loss,val_acc\n".to_owned();
        for (step, loss, accuracy) in self.each() {
            writeln!(text, "{step},{loss:.7},{accuracy:.7}").expect("a string takes all");
        }
        text
    }
}

fn file(path: &Path, content: impl AsRef<[u8]>) {
    let folder = path.parent().expect("a file is in a folder");
    fs::create_dir_all(folder).expect("a folder can be made");
    fs::write(path, content).expect("the file can be written");
}

fn lightning(run: &Path, rows: &Rows) {
    let mut text = "epoch,step,train_loss,val_acc\n".to_owned();
    for (step, loss, accuracy) in rows.each() {
        // A row in which training is logged, and one of the validation.
        let epoch = step / 10;
        writeln!(
            text,
            "{epoch},{step},{loss:.7},\n{epoch},{step},,{accuracy:.7}"
        )
        .expect("a string takes all");
    }
    file(&run.join("version_0/metrics.csv"), text);
    file(
        &run.join("version_0/hparams.yaml"),
        "lr: 0.1\nmax_epochs: 10\n",
    );
}

fn ultralytics(run: &Path, rows: &Rows) {
    let mut text = "epoch,time,train/box_loss,metrics/mAP50(B),lr/pg0\n".to_owned();
    for (step, loss, accuracy) in rows.each() {
        writeln!(text, "{step},{},{loss:.5},{accuracy:.5},0.01", step * 9)
            .expect("a string takes all");
    }
    file(&run.join("results.csv"), text);
    file(
        &run.join("args.yaml"),
        "model: yolo11n.pt\nepochs: 100\nlr0: 0.01\n",
    );
}

fn hugging_face(run: &Path, rows: &Rows) {
    for part in 1..=3 {
        let last = rows.count * part / 3;
        let lines = rows.each().take_while(|(step, ..)| *step <= last);
        let lines: Vec<String> = lines
            .map(|(step, loss, accuracy)| {
                format!(
                    "{{\"epoch\": {}, \"step\": {step}, \"loss\": {loss:.7}, \"eval_accuracy\": {accuracy:.7}}}",
                    step as f64 / 10.0
                )
            })
            .collect();
        let state = format!(
            "{{\"global_step\": {last}, \"max_steps\": {}, \"log_history\": [{}]}}",
            rows.count,
            lines.join(", ")
        );
        file(
            &run.join(format!("checkpoint-{last}/trainer_state.json")),
            state,
        );
    }
}

fn tensorboard(run: &Path, rows: &Rows) {
    let mut bytes = Vec::new();
    for (step, loss, accuracy) in rows.each() {
        for (tag, value) in [("loss/train", loss), ("accuracy/val", accuracy)] {
            let mut inner = field(1, tag.as_bytes());
            inner.push(2 << 3 | 5);
            inner.extend((value as f32).to_le_bytes());
            let mut event = vec![1 << 3 | 1];
            event.extend((1.79e9 + step as f64).to_le_bytes());
            event.push(2 << 3);
            event.extend(varint(step));
            event.extend(field(5, &field(1, &inner)));
            let length = (event.len() as u64).to_le_bytes();
            bytes.extend(length);
            bytes.extend(masked_checksum(&length).to_le_bytes());
            bytes.extend(event);
            // The sum of the measured part is not checked.
            bytes.extend([0; 4]);
        }
    }
    file(&run.join("events.out.tfevents.1790000000.host.1.0"), bytes);
}

fn wandb(run: &Path, rows: &Rows) {
    const BLOCK: usize = 32 << 10;
    let mut bytes = b":W&B\xe1\xbe\x00".to_vec();
    for (step, loss, accuracy) in rows.each() {
        let item = |key: &str, value: String| {
            let mut item = field(1, key.as_bytes());
            // Field 16 takes two bytes.
            item.extend(varint(16 << 3 | 2));
            item.extend(varint(value.len() as u64));
            item.extend(value.as_bytes());
            field(1, &item)
        };
        let items = [
            item("_step", step.to_string()),
            item("loss/train", format!("{loss:.7}")),
            item("accuracy/val", format!("{accuracy:.7}")),
        ];
        let record = field(2, &items.concat());
        let left = BLOCK - bytes.len() % BLOCK;
        let piece = |kind: u8, data: &[u8]| {
            let mut piece = vec![0; 4];
            piece.extend((data.len() as u16).to_le_bytes());
            piece.push(kind);
            piece.extend(data);
            piece
        };
        if left < 7 {
            bytes.extend(vec![0; left]);
        } else if left < 7 + record.len() {
            let (first, last) = record.split_at(left - 7);
            bytes.extend(piece(2, first));
            bytes.extend(piece(4, last));
            continue;
        }
        bytes.extend(piece(1, &record));
    }
    file(&run.join("run-1.wandb"), bytes);
}

/// A field of bytes in a protobuf message.
fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut field = varint(number << 3 | 2);
    field.extend(varint(bytes.len() as u64));
    field.extend(bytes);
    field
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// The masked CRC-32C of `TFRecord`.
fn masked_checksum(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
        }
    }
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8)
}
