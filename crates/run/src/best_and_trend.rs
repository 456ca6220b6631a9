//! The few figures of a run's metrics by which it is judged in lists: its best value, when it was
//! reached, and its trend.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_with::serde_as;

use super::float_bits::Bits;
use super::metric_names::{self, Direction, Kind, Split};
use super::metrics::{BY_ROW, Column, Metrics, Unit, counts_epochs, is_placed_by_date};
use super::primary::{Judged, Primary};
use super::record;

/// Points of a trend.
pub const TREND: usize = 64;

/// The best value of the metric that a run is judged by, the first of equals.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// As the file spells it.
    pub metric: String,
    /// What it measures, under any trainer's name and on any data.
    pub quantity: String,
    /// As the file has it.
    #[serde_as(as = "Bits")]
    pub value: f64,
    pub direction: Direction,
    /// Whether the metric was guessed rather than configured.
    pub guessed: bool,
    /// How shares are written; `None` for what is no share.
    pub share: Option<Share>,
    /// Its epoch as the file counts them, where that is known.
    pub epoch: Option<u32>,
    /// Its step, where rows are placed by steps.
    pub step: Option<u64>,
}

/// How shares are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Share {
    /// From 0 to 1.
    Part,
    Percent,
}

impl Best {
    /// A validation accuracy in percent, in some epoch.
    pub fn of_accuracy(percent: f64, epoch: Option<u32>) -> Self {
        Self {
            metric: "val_acc".to_owned(),
            quantity: metric_names::ACCURACY.to_owned(),
            value: percent,
            direction: Direction::Higher,
            guessed: false,
            share: Some(Share::Percent),
            epoch,
            step: None,
        }
    }

    /// A share in percent; `None` for what is no share.
    pub fn percent(&self) -> Option<f64> {
        Some(match self.share? {
            Share::Part => self.value * 100.0,
            Share::Percent => self.value,
        })
    }

    /// The value as lists show it: shares in percent, others as they are.
    pub fn shown(&self) -> f64 {
        self.percent().unwrap_or(self.value)
    }

    /// [`Best::shown`] in few digits.
    pub fn text(&self) -> String {
        match self.percent() {
            Some(percent) => format!("{percent:.2}"),
            None => traintop_text::number(self.value, 4),
        }
    }

    /// [`Best::text`], with a sign where the metric is doubtful.
    pub fn marked_text(&self) -> String {
        let mark = if self.is_doubtful() { "~" } else { "" };
        format!("{mark}{}", self.text())
    }

    /// [`Best::text`] with its sign of percent.
    pub fn text_with_unit(&self) -> String {
        let unit = if self.share.is_some() { " %" } else { "" };
        format!("{}{unit}", self.text())
    }

    /// A number that is the higher the better the value is.
    pub fn goodness(&self) -> f64 {
        match self.direction {
            Direction::Higher => self.shown(),
            Direction::Lower => -self.shown(),
        }
    }

    /// Whether it is better than another of the same metric.
    pub fn is_better_than(&self, other: &Self) -> bool {
        self.direction.than(self.shown(), other.shown())
    }

    /// Whether to mark the metric as guessed; accuracies and losses need no mark.
    pub fn is_doubtful(&self) -> bool {
        let kind = || metric_names::read(&self.metric).kind;
        self.guessed && !matches!(kind(), Kind::Accuracy | Kind::Loss)
    }

    /// The accuracy in percent, if it is one.
    pub fn accuracy(&self) -> Option<f64> {
        let kind = metric_names::read(&self.metric).kind;
        self.percent().filter(|_| kind == Kind::Accuracy)
    }
}

/// The best of the metrics, else the one that the record has.
pub fn best(judged: &Judged, recorded: Option<record::Best>) -> Option<Best> {
    let of_record = || {
        let best = recorded?;
        Some(Best::of_accuracy(best.val_acc, Some(best.epoch)))
    };
    let Some(primary) = &judged.primary else {
        return of_record();
    };
    let (column, name) = (judged.column(primary), judged.name(primary));
    let (x, value) = best_of(column, primary.direction)?;
    let metrics = judged.metrics;
    // Who writes a best into the record writes percent.
    let is_percent = || {
        let stated = name.unit == Some(metric_names::Unit::Percent);
        stated || recorded.is_some() || passes_one(judged, column)
    };
    Some(Best {
        metric: column.name.clone(),
        quantity: name.quantity.clone(),
        value,
        direction: primary.direction,
        guessed: primary.guessed && !(recorded.is_some() && column.name == "val_acc"),
        share: name.is_share.then(|| {
            if is_percent() {
                Share::Percent
            } else {
                Share::Part
            }
        }),
        epoch: epoch_at(metrics, x),
        step: is_step(metrics).then_some(x as u64),
    })
}

/// The columns of which all points are needed here; of the others the first and the last do.
pub fn needed_columns(judged: &Judged) -> Vec<String> {
    let shown = judged.trend.iter().map(|trend| judged.column(trend));
    // Where rows are placed by step, the best one's epoch must be found.
    let metrics = judged.metrics;
    let epochs = epochs(metrics).filter(|epochs| epochs.name != metrics.x_name);
    shown
        .chain(epochs)
        .map(|column| column.name.clone())
        .collect()
}

/// The best value and its x, the first of equals.
fn best_of(column: &Column, direction: Direction) -> Option<(f64, f64)> {
    let points = column
        .x
        .iter()
        .copied()
        .zip(column.y.iter().copied())
        .filter(|(_, value)| value.is_finite());
    points.reduce(|best, point| {
        if direction.than(point.1, best.1) {
            point
        } else {
            best
        }
    })
}

/// The x of each row that was the best so far: by the metric that the run is judged by, else by
/// that of its trend. The last is the best of all.
pub fn records(judged: &Judged) -> Vec<f64> {
    let Some(trend) = &judged.trend else {
        return Vec::new();
    };
    let column = judged.column(trend);
    let mut best: Option<f64> = None;
    let points = column.x.iter().zip(&column.y);
    let records = points.filter(|(_, value)| {
        let beats =
            value.is_finite() && best.is_none_or(|best| trend.direction.than(**value, best));
        if beats {
            best = Some(**value);
        }
        beats
    });
    records.map(|(x, _)| *x).collect()
}

/// What each column has in the best row, or last before it; NaN where it has nothing.
pub fn at_best(judged: &Judged) -> Vec<f64> {
    let best = records(judged).last().copied();
    let columns = judged.metrics.columns.iter();
    let columns = columns.filter(|column| !column.x.is_empty());
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
        // A row has the values at exactly this x; of an epoch in steps, each column has its last.
        let there = !is_row || column.x.binary_search_by(|at| at.total_cmp(&x)).is_ok();
        Some((
            column.name.clone(),
            column.at_or_before(x).filter(|_| there)?,
        ))
    };
    metrics.columns.iter().filter_map(value).collect()
}

/// Whether shares are seen to be percent: one of the column's values passes 1, or the last of
/// another accuracy does, or its cells say so.
fn passes_one(judged: &Judged, column: &Column) -> bool {
    let passes = |value: &f64| value.is_finite() && *value > 1.0;
    let has_signs =
        |column: &Column| judged.metrics.units.get(&column.name) == Some(&Unit::Percent);
    let is_percent = has_signs(column);
    // Whose cells have a sign of their own says nothing of those that have none.
    let others = judged.columns().filter(|(_, name)| name.is_share);
    let mut others = others.filter(|(other, _)| is_percent || !has_signs(other));
    is_percent
        || column.y.iter().any(passes)
        || others.any(|(other, _)| other.last().is_some_and(|(_, last)| passes(&last)))
}

fn epochs(metrics: &Metrics) -> Option<&Column> {
    metrics
        .columns
        .iter()
        .find(|column| counts_epochs(&column.name))
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

/// What a run has of the metric that it is judged by, at each place.
#[derive(Debug)]
pub struct MetricByEpoch {
    pub direction: Direction,
    /// By epochs, as the file counts them, if it has epochs. The last row of an epoch counts.
    pub by_epoch: HashMap<u32, f64>,
    /// By steps, where rows are placed by steps.
    pub by_step: BTreeMap<u64, f64>,
}

/// The course of the metric that a run is judged by. Empty where only a weak word of the metric's
/// name gives the direction, since worse checkpoints may be removed.
pub fn course(metrics: &Metrics) -> MetricByEpoch {
    let judged = Judged::of(metrics);
    let mut course = MetricByEpoch {
        direction: Direction::Higher,
        by_epoch: HashMap::new(),
        by_step: BTreeMap::new(),
    };
    let is_sure = |primary: &&Primary| !primary.guessed || !judged.name(primary).is_guess;
    let Some(primary) = judged.primary.as_ref().filter(is_sure) else {
        return course;
    };
    course.direction = primary.direction;
    let column = judged.column(primary);
    let points = column.x.iter().copied().zip(column.y.iter().copied());
    for (x, value) in points.filter(|(_, value)| value.is_finite()) {
        if let Some(epoch) = epoch_at(metrics, x) {
            course.by_epoch.insert(epoch, value);
        }
        if is_step(metrics) && x >= 0.0 {
            course.by_step.insert(x as u64, value);
        }
    }
    course
}

/// Whether a row is an epoch rather than a step.
pub fn is_placed_by_epoch(metrics: &Metrics) -> bool {
    counts_epochs(&metrics.x_name)
}

/// The last step, where the rows are placed by steps.
pub fn last_step(metrics: &Metrics) -> Option<u64> {
    let last = metrics.last_x().filter(|_| is_step(metrics))?;
    (last >= 0.0).then_some(last as u64)
}

/// How many steps were done, where the rows are placed by steps.
pub fn steps_in(metrics: &Metrics) -> Option<u64> {
    let last = last_step(metrics)?;
    // 0, 1, 2: some count from 0. A row at 0 before one at 100 is from before the first step. 19,
    // 39, 59: so do those who write each twentieth step.
    let begins_at_zero = |x: &[f64]| match *x {
        [first, second, ..] => {
            let apart = second - first;
            x.starts_with(&[0.0, 1.0]) || apart > 2.0 && first + 1.0 == apart
        }
        _ => false,
    };
    let mut columns = metrics.columns.iter();
    let counts_from_zero = columns.any(|column| begins_at_zero(&column.x));
    Some(last + u64::from(counts_from_zero))
}

fn is_step(metrics: &Metrics) -> bool {
    let is_other = metrics.x_name == BY_ROW || is_placed_by_date(&metrics.x_name);
    !is_other && !is_placed_by_epoch(metrics)
}

/// The number of epochs in the metrics. Some trainers count from 0; the metrics of a resumed run
/// alone do not show that, so `from_zero` says it.
pub fn epochs_in(metrics: &Metrics, from_zero: bool) -> u32 {
    let Some((epochs, (_, last))) =
        epochs(metrics).and_then(|epochs| Some((epochs, epochs.last()?)))
    else {
        return 0;
    };
    // Parts of epochs, as `0.5`, are counted as they pass.
    let are_whole = epochs.y.iter().all(|epoch| epoch.fract() == 0.0);
    let counts_from_zero = from_zero || epochs.y.first() == Some(&0.0);
    let begun = last as u32 + u32::from(counts_from_zero && are_whole);
    let is_underway =
        is_step(metrics) && are_whole && is_last_underway(metrics, epochs, counts_from_zero);
    begun.saturating_sub(u32::from(is_underway))
}

/// Whether the last epoch of rows that are placed by steps is shorter than the others, and does not
/// end with values of validation.
fn is_last_underway(metrics: &Metrics, epochs: &Column, from_zero: bool) -> bool {
    // Where each epoch ends so far.
    let mut ends: Vec<f64> = Vec::new();
    for (at, epoch) in epochs.y.iter().enumerate() {
        if at > 0 && epochs.y[at - 1] == *epoch {
            ends.pop();
        }
        ends.push(epochs.x[at]);
    }
    let is_row_an_epoch = ends.len() == epochs.x.len();
    let ends_validated = metrics.columns.iter().any(|column| {
        let split = metric_names::read(&column.name).split;
        let is_of_end = matches!(split, Some(Split::Validation | Split::Test));
        is_of_end && column.x.last() == epochs.x.last()
    });
    let lengths: Vec<f64> = ends.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (Some((last, others)), Some(first_epoch)) = (lengths.split_last(), epochs.y.first()) else {
        return !ends_validated && !is_row_an_epoch;
    };
    // All epochs until the end of the first one here: a resumed run begins in the middle.
    let until = first_epoch + f64::from(u8::from(from_zero));
    let mean = ends[0] / until.max(1.0);
    let shortest = others.iter().copied().reduce(f64::min).unwrap_or(mean);
    *last < shortest && !is_row_an_epoch && !ends_validated
}

/// At most [`TREND`] means over equal parts; NaN where a part holds nothing finite. The highest and
/// the lowest value replace the means of their parts, so that peaks stay visible.
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
        assert_eq!(records(&Judged::of(&judged)), [1.0, 3.0]);
        assert_eq!(at_best(&Judged::of(&judged)), [70.0, 0.3, 0.1]);
        let falls = metrics("epoch", &[("val_loss", x, loss)]);
        assert_eq!(records(&Judged::of(&falls)), x);
        let rate = metrics("epoch", &[("lr", x, loss)]);
        assert!(at_best(&Judged::of(&rate)).is_empty());
    }

    #[test]
    fn steps_that_are_written_at_the_end_of_each_twenty_are_counted_from_zero() {
        let y = &[0.5, 0.4, 0.3][..];
        for (x, steps) in [
            (&[19.0, 39.0, 79.0], 80),
            (&[20.0, 40.0, 80.0], 80),
            (&[1.0, 3.0, 5.0], 5),
            (&[1.0, 21.0, 41.0], 41),
            (&[0.0, 20.0, 40.0], 40),
            (&[0.0, 1.0, 2.0], 3),
        ] {
            let read = metrics("iteration", &[("loss", x, y)]);
            assert_eq!(steps_in(&read), Some(steps), "{x:?}");
        }
    }

    #[test]
    fn a_date_is_no_step_and_a_sign_of_percent_is_of_its_own_column() {
        let read = |text: &str| super::super::metrics::of_text(text.as_bytes());
        let dated = read("date,val_loss\n2026-11-01 10:00:00,0.5\n2026-11-01 11:00:00,0.4\n");
        let best = best(&Judged::of(&dated), None).unwrap();
        assert_eq!((best.value, best.step, steps_in(&dated)), (0.4, None, None));
        let signs = read("epoch,train_acc,val_acc\n1,60.1%,0.55\n2,70.1%,0.6\n");
        let best = super::best(&Judged::of(&signs), None).unwrap();
        assert_eq!(best.percent(), Some(60.0));
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
    fn an_epoch_counts_once_it_is_as_long_as_the_others_or_was_validated() {
        let count = |steps: &[f64], epochs: &[f64], validated: &[f64], from_zero| {
            let metrics = metrics(
                "step",
                &[
                    ("epoch", steps, epochs),
                    ("val_loss", validated, &vec![1.0; validated.len()]),
                ],
            );
            epochs_in(&metrics, from_zero)
        };
        for (steps, epochs, validated, from_zero, expected) in [
            // Every 4 steps of 8, from 0.
            (&[3.0, 7.0][..], &[0.0, 0.0][..], &[][..], false, 0),
            (&[3.0, 7.0], &[0.0, 0.0], &[7.0], false, 1),
            (&[3.0, 7.0, 11.0], &[0.0, 0.0, 1.0], &[7.0], false, 1),
            (
                &[3.0, 7.0, 11.0, 15.0],
                &[0.0, 0.0, 1.0, 1.0],
                &[],
                false,
                2,
            ),
            (&[4.0, 8.0, 12.0], &[1.0, 1.0, 2.0], &[], false, 1),
            // Resumed in the third epoch.
            (&[19.0, 23.0, 27.0], &[2.0, 2.0, 3.0], &[23.0], true, 3),
            (&[19.0, 23.0], &[2.0, 2.0], &[23.0], true, 3),
            (
                &[19.0, 23.0, 27.0, 31.0, 35.0],
                &[2.0, 2.0, 3.0, 3.0, 4.0],
                &[],
                true,
                4,
            ),
            // A row for each epoch, of as many steps as it takes.
            (&[10.0, 30.0, 35.0], &[0.0, 1.0, 2.0], &[], false, 3),
            (&[100.0], &[1.0], &[], false, 1),
            // Parts of epochs.
            (&[5.0, 10.0, 15.0], &[0.0, 1.0, 1.5], &[], false, 1),
        ] {
            let found = count(steps, epochs, validated, from_zero);
            assert_eq!(found, expected, "{steps:?} {epochs:?}");
        }
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
