//! The few figures of a run's metrics by which it is judged in lists: how accurate it came to be,
//! when, and on what course.

use std::collections::HashMap;

use super::metrics::{Column, Metrics};
use super::record;

/// Points of a trend.
pub const TREND: usize = 64;

/// Names under which trainers write the accuracy by which a run is judged, the preferred first.
/// Validation comes before test, and both before a name that does not say.
const VAL_ACC: [&str; 20] = [
    "val_acc",
    "val_accuracy",
    "valid_acc",
    "valid_accuracy",
    "validation_accuracy",
    "val/acc",
    "val/accuracy",
    "valid/accuracy",
    "validation/accuracy",
    "val_acc1",
    "val_top1",
    "eval_accuracy",
    "eval_acc",
    "eval/accuracy",
    "eval_top1",
    "metrics/accuracy_top1",
    "test_acc",
    "test_accuracy",
    "accuracy",
    "acc",
];
/// Names of a loss to show the trend of where there is no accuracy.
const LOSS: [&str; 10] = [
    "val_loss",
    "valid_loss",
    "validation_loss",
    "val/loss",
    "eval_loss",
    "eval/loss",
    "test_loss",
    "train_loss",
    "train/loss",
    "loss",
];

/// The best validation accuracy.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Best {
    /// Whether the file writes accuracies as parts of one.
    pub of_fractions: bool,
    /// In percent.
    pub val_acc: Option<f64>,
    /// Its epoch as the file counts them, where that is known.
    pub epoch: Option<u32>,
}

/// The best of the metrics, else the one that the record has.
pub fn best(metrics: &Metrics, recorded: Option<record::Best>) -> Best {
    let Some((x, best)) = accuracy(metrics).and_then(best_of) else {
        return Best {
            of_fractions: false,
            val_acc: recorded.map(|best| best.val_acc),
            epoch: recorded.map(|best| best.epoch),
        };
    };
    // Who writes a best into the record writes percent.
    let percent = recorded.is_some() || !are_fractions(metrics, best);
    Best {
        of_fractions: !percent,
        val_acc: Some(if percent { best } else { best * 100.0 }),
        epoch: epoch_at(metrics, x),
    }
}

pub fn accuracy(metrics: &Metrics) -> Option<&Column> {
    VAL_ACC.iter().find_map(|name| metrics.column(name))
}

/// The column whose course lists show.
pub fn trend_column(metrics: &Metrics) -> Option<&Column> {
    let loss = || LOSS.iter().find_map(|name| metrics.column(name));
    accuracy(metrics).or_else(loss)
}

/// The columns of which all points are needed here; of the others the first and the last do.
pub fn needed_columns(metrics: &Metrics) -> Vec<String> {
    // Another column may come to be the one that counts: all that could are kept.
    let names: &[&str] = if accuracy(metrics).is_some() {
        &VAL_ACC
    } else {
        &LOSS
    };
    let judged = metrics
        .columns
        .iter()
        .filter(|column| names.contains(&column.name.as_str()));
    // Where rows are placed by step, the best one's epoch is to be found.
    let epochs = epochs(metrics).filter(|epochs| epochs.name != metrics.x_name);
    judged
        .chain(epochs)
        .map(|column| column.name.clone())
        .collect()
}

/// The highest value and its x, the first of equals.
fn best_of(column: &Column) -> Option<(f64, f64)> {
    let points = column
        .x
        .iter()
        .copied()
        .zip(column.y.iter().copied())
        .filter(|(_, value)| value.is_finite());
    points.reduce(|best, point| if point.1 > best.1 { point } else { best })
}

/// Where each row stands that was the best until then: by accuracy, and without any by the lowest
/// loss. The last is the best of all.
pub fn records(metrics: &Metrics) -> Vec<f64> {
    let (column, sign) = match (accuracy(metrics), trend_column(metrics)) {
        (Some(accuracy), _) => (accuracy, 1.0),
        (None, Some(loss)) => (loss, -1.0),
        (None, None) => return Vec::new(),
    };
    let mut best = f64::NEG_INFINITY;
    let points = column.x.iter().zip(&column.y);
    let records = points.filter(|(_, value)| {
        let beats = value.is_finite() && sign * **value > best;
        best = if beats { sign * **value } else { best };
        beats
    });
    records.map(|(x, _)| *x).collect()
}

/// What each column has in the best row, or last before it; NaN where it has nothing.
pub fn at_best(metrics: &Metrics) -> Vec<f64> {
    let best = records(metrics).last().copied();
    let columns = metrics.columns.iter().filter(|column| !column.x.is_empty());
    best.map_or_else(Vec::new, |x| {
        columns
            .map(|column| column.at_or_before(x).unwrap_or(f64::NAN))
            .collect()
    })
}

/// What each column has at the end of an epoch, as the file counts them; empty if there is no such
/// epoch.
pub fn at_epoch(metrics: &Metrics, epoch: u32) -> Vec<(String, f64)> {
    let epoch = f64::from(epoch);
    let (columns, is_row) = match epochs(metrics) {
        Some(epochs) if epochs.name != metrics.x_name => {
            let last = epochs.y.iter().rposition(|y| *y == epoch);
            (last.map(|at| epochs.x[at]), false)
        }
        Some(_) => (Some(epoch), true),
        None => (Some(epoch).filter(|_| metrics.x_name == "row"), true),
    };
    let Some(x) = columns else {
        return Vec::new();
    };
    let value = |column: &Column| {
        // A row is what stands at this very x; of an epoch in steps, each column has its last.
        let there = !is_row || column.x.binary_search_by(|at| at.total_cmp(&x)).is_ok();
        Some((
            column.name.clone(),
            column.at_or_before(x).filter(|_| there)?,
        ))
    };
    metrics.columns.iter().filter_map(value).collect()
}

/// Whether accuracies are written as parts of one: neither the best, nor the last of training,
/// passes 1.
fn are_fractions(metrics: &Metrics, best: f64) -> bool {
    let mut accuracies = metrics
        .columns
        .iter()
        .filter(|column| column.name.to_ascii_lowercase().contains("acc"));
    let passes = |column: &Column| column.last().is_some_and(|(_, last)| last > 1.0);
    best <= 1.0 && !accuracies.any(passes)
}

fn is_epoch(name: &str) -> bool {
    name.eq_ignore_ascii_case("epoch")
}

fn epochs(metrics: &Metrics) -> Option<&Column> {
    metrics.columns.iter().find(|column| is_epoch(&column.name))
}

/// The epoch of the row at `x`, which may be a step.
fn epoch_at(metrics: &Metrics, x: f64) -> Option<u32> {
    match epochs(metrics) {
        Some(epochs) if epochs.name == metrics.x_name => Some(x as u32),
        Some(epochs) => {
            let after = epochs.x.partition_point(|at| *at <= x);
            Some(epochs.y[after.checked_sub(1)?] as u32)
        }
        // Without epochs and steps, rows are the best guess at epochs.
        None if metrics.x_name == "row" => Some(x as u32),
        None => None,
    }
}

/// The validation accuracy of each epoch, as the file counts them, where it tells of epochs. Of an
/// epoch with several rows the last counts.
pub fn accuracy_by_epoch(metrics: &Metrics) -> HashMap<u32, f64> {
    let Some(column) = accuracy(metrics) else {
        return HashMap::new();
    };
    let points = column.x.iter().zip(&column.y);
    let finite = points.filter(|(_, value)| value.is_finite());
    finite
        .filter_map(|(x, value)| Some((epoch_at(metrics, *x)?, *value)))
        .collect()
}

/// Whether a row stands for an epoch, and not for a step of one.
pub fn is_placed_by_epoch(metrics: &Metrics) -> bool {
    is_epoch(&metrics.x_name)
}

/// The last step, where the rows are placed by steps.
pub fn last_step(metrics: &Metrics) -> Option<u64> {
    let is_step = metrics.x_name != "row" && !is_placed_by_epoch(metrics);
    let last = metrics.last_x().filter(|_| is_step)?;
    (last >= 0.0).then_some(last as u64)
}

/// How many epochs the metrics speak of.
pub fn epochs_in(metrics: &Metrics) -> u32 {
    let Some((epochs, (_, last))) =
        epochs(metrics).and_then(|epochs| Some((epochs, epochs.last()?)))
    else {
        return 0;
    };
    // Some trainers count from 0.
    let counts_from_zero = epochs.y.first() == Some(&0.0);
    last as u32 + u32::from(counts_from_zero)
}

/// At most [`TREND`] means over equal parts; NaN where a part holds nothing finite. The highest and
/// the lowest value stand for their parts, so that a peak does not drown among its neighbours.
pub fn thin(values: &[f64]) -> Vec<f32> {
    let parts = values.len().min(TREND);
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (lowest, highest) = (finite().reduce(f64::min), finite().reduce(f64::max));
    (0..parts)
        .map(|part| {
            let (start, end) = (
                part * values.len() / parts,
                (part + 1) * values.len() / parts,
            );
            let (mut sum, mut count, mut extreme) = (0.0, 0.0, None);
            for value in values[start..end].iter().filter(|value| value.is_finite()) {
                if Some(*value) == highest || (Some(*value) == lowest && extreme.is_none()) {
                    extreme = Some(*value);
                }
                sum += value;
                count += 1.0;
            }
            // Without a count this is NaN, as it should be.
            extreme.unwrap_or(sum / count) as f32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(x_name: &str, columns: &[(&str, &[f64], &[f64])]) -> Metrics {
        let columns = columns.iter().map(|(name, x, y)| Column {
            name: (*name).to_owned(),
            x: x.to_vec(),
            y: y.to_vec(),
        });
        Metrics {
            x_name: x_name.to_owned(),
            columns: columns.collect(),
            ..Metrics::default()
        }
    }

    #[test]
    fn the_best_row_is_that_of_the_highest_accuracy_else_of_the_lowest_loss() {
        let x = &[1.0, 2.0, 3.0, 4.0];
        let (acc, loss) = (&[50.0, f64::NAN, 70.0, 70.0], &[0.5, 0.4, 0.3, 0.2]);
        let sparse = ("lr", &[2.0][..], &[0.1][..]);
        let judged = metrics(
            "epoch",
            &[("val_acc", x, acc), ("val_loss", x, loss), sparse],
        );
        assert_eq!(records(&judged), [1.0, 3.0]);
        assert_eq!(at_best(&judged), [70.0, 0.3, 0.1]);
        assert_eq!(records(&metrics("epoch", &[("val_loss", x, loss)])), x);
        assert!(at_best(&metrics("epoch", &[("lr", x, loss)])).is_empty());
    }

    #[test]
    fn an_epoch_is_found_by_its_number_also_where_rows_stand_at_steps() {
        let x = &[1.0, 2.0, 3.0];
        let by_epoch = metrics("epoch", &[("epoch", x, x), ("loss", x, &[3.0, 2.0, 1.0])]);
        assert_eq!(at_epoch(&by_epoch, 2)[1], ("loss".to_owned(), 2.0));
        assert!(at_epoch(&by_epoch, 4).is_empty());
        let epochs = ("epoch", &[10.0, 20.0, 30.0][..], &[0.0, 0.0, 1.0][..]);
        let by_step = metrics("step", &[epochs, ("loss", &[10.0, 25.0], &[3.0, 1.0])]);
        assert_eq!(at_epoch(&by_step, 0)[1], ("loss".to_owned(), 3.0));
        assert_eq!(at_epoch(&by_step, 1)[1], ("loss".to_owned(), 1.0));
    }

    #[test]
    fn long_trends_are_thinned_to_their_means_and_keep_their_ends() {
        let values: Vec<f64> = (0..640).map(|at| f64::from((at + 320) % 640)).collect();
        let thinned = thin(&values);
        assert_eq!((thinned.len(), thinned[0], thinned[63]), (64, 324.5, 314.5));
        assert_eq!((thinned[31], thinned[32]), (639.0, 0.0));
        let gaps: Vec<f64> = (0..128)
            .map(|at| if at < 64 { f64::NAN } else { 1.0 })
            .collect();
        assert!(thin(&gaps)[31].is_nan() && thin(&gaps)[32] == 1.0);
        assert!(thin(&[]).is_empty() && thin(&[f64::INFINITY])[0].is_nan());
    }
}
