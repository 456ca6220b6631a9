//! Facts of a run of Ultralytics beside its table: what `best.pt` is chosen by, and whether the
//! training stopped early because its patience ran out.

use std::path::Path;

use serde_json::{Map, Value};

use super::{json, settings, table};
use crate::judging::TrainerMetric;
use crate::metrics::{self, Column, Metrics};
use crate::state::State;
use traintop_disk::read;

/// A table is not larger.
const MAX_BYTES: u64 = 16 << 20;

/// The parts of what an epoch is worth, with what they count: one of these, depending on version
/// and task; of segments and poses there are two parts of each.
const WORTH: [&[(&str, f64)]; 4] = [
    &[
        ("metrics/accuracy_top1", 0.5),
        ("metrics/accuracy_top5", 0.5),
    ],
    &[("metrics/mAP50", 0.1), ("metrics/mAP50-95", 0.9)],
    &[("metrics/mAP50-95", 1.0)],
    &[("metrics/mIoU", 1.0)],
];

/// What may follow a metric's name.
const OF: [&str; 4] = ["", "(B)", "(M)", "(P)"];

/// By what `best.pt` is chosen where that is one metric: segments and poses have a sum of two.
pub fn metric(dir: &Path) -> Option<TrainerMetric> {
    let settings = settings::beside(dir);
    let task = settings.get("task")?.as_str()?;
    matches!(task, "detect" | "obb").then(|| table::higher("metrics/mAP50-95(B)"))
}

/// Whether the training was ended because nothing became better for as many epochs as its
/// settings allow.
pub fn state(settings: &Map<String, Value>, table: &Path) -> Option<(State, Option<String>)> {
    let patience = json::number(settings.get("patience")?)?;
    let bytes = read::bytes(table, MAX_BYTES)
        .ok()
        .filter(|_| patience >= 1.0)?;
    let end = memchr::memrchr(b'\n', &bytes)? + 1;
    let metrics = metrics::of_text(&bytes[..end]);
    let last = metrics.last_x()?;
    // Of equals some versions keep the first, some the last.
    let worths = WORTH.iter().filter_map(|parts| worth(&metrics, parts));
    let mut bests = worths.flat_map(|worth| {
        let best = worth.iter().map(|(_, worth)| *worth).fold(0.0, f64::max);
        let best = worth.into_iter().filter(move |it| it.1 == best);
        let epochs: Vec<f64> = best.map(|(epoch, _)| epoch).collect();
        [epochs.first().copied(), epochs.last().copied()]
    });
    let best = bests.find_map(|best| best.filter(|best| last - best == patience))?;
    let reason = format!("ended early: nothing better for {patience} epochs after epoch {best}");
    Some((State::Finished, Some(reason)))
}

/// What each epoch is worth, where all parts are there.
fn worth(metrics: &Metrics, parts: &[(&str, f64)]) -> Option<Vec<(f64, f64)>> {
    let mut columns: Vec<(&Column, f64)> = Vec::new();
    for (name, counts) in parts {
        let before = columns.len();
        for of in OF {
            let column = metrics.column(&format!("{name}{of}"));
            columns.extend(column.map(|column| (column, *counts)));
        }
        if columns.len() == before {
            return None;
        }
    }
    let epochs = &columns[0].0.x;
    let worth = epochs.iter().map(|epoch| {
        let parts = columns.iter().filter_map(|(column, counts)| {
            let at = column.x.binary_search_by(|x| x.total_cmp(epoch)).ok()?;
            Some(column.y[at] * counts)
        });
        (*epoch, parts.sum())
    });
    Some(worth.collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::Tree;
    use crate::state::State;

    fn state(columns: &str, values: &[&str], settings: &str) -> (State, String) {
        let rows = values.iter().zip(1..);
        let rows = rows.map(|(values, epoch)| format!("{epoch},{epoch},{values}\n"));
        let table = format!("epoch,time,{columns}\n{}", rows.collect::<String>());
        let tree = Tree::new(&[("results.csv", &table), ("args.yaml", settings)]);
        let observed = tree.summary().observed;
        (observed.state, observed.reason.unwrap_or_default())
    }

    #[test]
    fn a_training_that_ended_early_is_finished_with_the_reason() {
        let classified = "metrics/accuracy_top1,metrics/accuracy_top5";
        let settings = "task: classify\nepochs: 50\npatience: 3\n";
        let values = [".5,1", ".9,1", ".5,1", ".5,1", ".5,1"];
        let (of_all, why) = state(classified, &values, settings);
        assert_eq!(of_all, State::Finished);
        assert!(why.contains("3 epochs after epoch 2"), "{why}");
        assert_eq!(state(classified, &values[..4], settings).0, State::Stopped);
        let endless = "task: classify\nepochs: 50\npatience: 0\n";
        assert_eq!(state(classified, &values, endless).0, State::Stopped);
        let boxes = "metrics/mAP50(B),metrics/mAP50-95(B),metrics/mAP50(M),metrics/mAP50-95(M)";
        let settings = "task: segment\nepochs: 50\npatience: 2\n";
        let values = [".5,.5,.5,.1", ".4,.4,.5,.4", ".6,.5,.5,.1", ".5,.5,.5,.2"];
        assert_eq!(state(boxes, &values, settings).0, State::Finished);
    }
}
