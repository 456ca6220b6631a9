//! `results.txt` of `YOLOv7` and of `YOLOv5`'s first versions: a line each epoch, without a header.

use std::path::{Path, PathBuf};

use super::appended::{Appended, Decoder};
use super::points::Points;
use super::{Facts, Format, Listing, RunParts, Source, settings, table};
use crate::judging::TrainerMetric;
use traintop_disk::read;

const FILE: &str = "results.txt";

/// Bytes of the file that are read to recognise it.
const PEEKED: u64 = 1024;

/// The columns after the epoch, which is written as `0/99`, and the memory, as `1.2G`; named as the
/// writer names them elsewhere.
const NAMES: [&str; 13] = [
    "train/box_loss",
    "train/obj_loss",
    "train/cls_loss",
    "train/total_loss",
    "labels",
    "img_size",
    "metrics/precision",
    "metrics/recall",
    "metrics/mAP_0.5",
    "metrics/mAP_0.5:0.95",
    "val/box_loss",
    "val/obj_loss",
    "val/cls_loss",
];

pub struct YoloText;

impl Format for YoloText {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        let path = listing.path.join(FILE);
        let is_it = listing.has_file(FILE) && first_row(&path).is_some();
        is_it.then(|| RunParts::new("YOLOv7", vec![path]).with_folders(["weights"]))
    }

    fn open(&self, dir: &Path, _places: &RunParts) -> Box<dyn Source> {
        let find = |dir: &Path| -> Vec<PathBuf> {
            let path = dir.join(FILE);
            path.is_file().then_some(path).into_iter().collect()
        };
        Box::new(Appended::<Lines>::new(dir, find, "epoch"))
    }

    fn facts(&self, dir: &Path, parts: &RunParts) -> Facts {
        let last = parts.metrics.first().and_then(|path| first_row(path));
        let last = last.and_then(|row| u32::try_from(row.last_epoch).ok());
        let planned = last.and_then(|last| last.checked_add(1));
        let facts = settings::facts(settings::beside(dir));
        Facts {
            epochs_planned: facts.epochs_planned.or(planned),
            counts_from_zero: true,
            ..facts
        }
    }
}

fn first_row(path: &Path) -> Option<Row> {
    let bytes = read::beginning(path, PEEKED).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    Row::read(text.lines().next()?)
}

/// A line: its epoch and the last one, counted from 0, and what was measured.
struct Row {
    epoch: u64,
    last_epoch: u64,
    values: Vec<f64>,
}

impl Row {
    fn read(line: &str) -> Option<Self> {
        let mut cells = line.split_whitespace();
        let (epoch, last) = cells.next()?.split_once('/')?;
        let memory = cells.next()?.strip_suffix('G')?;
        memory.parse::<f64>().ok()?;
        let values: Result<Vec<f64>, _> = cells.map(str::parse).collect();
        Some(Self {
            epoch: epoch.parse().ok()?,
            last_epoch: last.parse().ok()?,
            values: values.ok().filter(|values| values.len() == NAMES.len())?,
        })
    }
}

/// Reads lines.
#[derive(Debug, Default)]
struct Lines {
    number: u64,
}

impl Decoder for Lines {
    fn judged_by(_dir: &Path) -> Option<TrainerMetric> {
        Some(table::higher(table::YOLO_METRIC))
    }

    fn push(&mut self, bytes: &[u8], is_last: bool, points: &mut Points) -> u64 {
        let end = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        let whole = if is_last { bytes.len() } else { end };
        let text = String::from_utf8_lossy(&bytes[..whole]);
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            self.number += 1;
            let Some(row) = Row::read(line) else {
                let what = "is no epoch with its losses and results".to_owned();
                points.add_problem(self.number, what);
                continue;
            };
            let x = row.epoch as f64;
            points.begin_row(x);
            points.put("epoch", x, x);
            for (name, value) in NAMES.iter().zip(row.values) {
                points.put(name, x, value);
            }
        }
        whole as u64
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Tree;
    use crate::state::State;

    #[test]
    fn a_table_without_a_header_has_the_names_that_its_writer_gives_them() {
        let line = |epoch: u32, map: f64| {
            format!(
                "       {epoch}/2     1.2G   0.07   0.02   0.01    0.1      14     640    0.5   0.4   {map}   0.2   0.06   0.03   0.01\n"
            )
        };
        let lines = line(0, 0.25) + &line(1, 0.5) + &line(2, 0.375);
        let tree = Tree::new(&[
            ("exp/results.txt", &lines),
            ("exp/opt.yaml", "epochs: 3\nweights: ''\n"),
            ("other/results.txt", "accuracy 0.9\n"),
        ]);
        assert_eq!(tree.paths(), ["exp"]);
        let summary = tree.summary();
        assert_eq!(summary.trainer, "YOLOv7");
        assert_eq!((summary.rows, summary.epochs_done), (3, 3));
        assert_eq!(summary.observed.state, State::Finished);
        assert_eq!(summary.last("metrics/mAP_0.5"), Some(0.375));
        assert_eq!(summary.last("val/cls_loss"), Some(0.01));
        let best = summary.best.unwrap();
        assert_eq!(
            (best.metric.as_str(), best.guessed),
            ("metrics/mAP_0.5:0.95", false)
        );
    }
}
