//! Which columns of a metrics file are looked at together, in which order, and what kind of numbers
//! they hold.

use super::range::Range;
use super::scale::Scale;
use super::x_axis::is_clock;
use traintop_run::metric_names::{self, ACCURACY, Kind, LOSS, MetricName, Split, Unit};
use traintop_run::metrics::{Column, Metrics, Unit as CellUnit, only_places};

/// Columns that share a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they measure, with its unit where the scale does not write it.
    pub title: String,
    /// How their values are written.
    pub scale: Scale,
    /// The columns, train before validation before test.
    pub members: Vec<Member>,
}

/// One column of a [`Group`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its index in [`Metrics::columns`].
    pub column: usize,
    /// What it was measured on; `None` where the name does not say.
    pub split: Option<Split>,
}

/// The charts of a run: losses, accuracies, learning rate, then every other column of numbers in
/// the file's order. Columns that differ only in their split (`train_loss`, `val_loss`) share one.
/// Columns that place the rows are left out: x, other counts beside it, and dates.
pub fn groups(metrics: &Metrics) -> Vec<Group> {
    groups_by(metrics, &|column| {
        Range::of(metrics.columns[column].y.iter().copied())
    })
}

/// Columns of one quantity.
struct SameQuantity {
    /// What the first of them says.
    name: MetricName,
    members: Vec<Member>,
}

/// As [`groups`], where the range of a column (by its index) is known from elsewhere.
pub fn groups_by(metrics: &Metrics, range: &dyn Fn(usize) -> Option<Range>) -> Vec<Group> {
    let mut all: Vec<SameQuantity> = Vec::new();
    for (index, column) in metrics.columns.iter().enumerate() {
        if places_rows(column, metrics) {
            continue;
        }
        let name = metric_names::read(&column.name);
        let split = name.split;
        let member = Member {
            column: index,
            split,
        };
        // A stem alone ("loss" beside "val_loss", as Keras writes it) joins its splits.
        let joins = |alike: &&mut SameQuantity| {
            alike.name.quantity == name.quantity
                && alike.members.iter().all(|other| other.split != split)
        };
        match all.iter_mut().find(joins) {
            Some(alike) => alike.members.push(member),
            None => all.push(SameQuantity {
                name,
                members: vec![member],
            }),
        }
    }
    all.sort_by_key(|alike| rank(&alike.name));
    all.into_iter()
        .map(|alike| group(metrics, alike, range))
        .collect()
}

/// Whether a column is x, or could be.
fn places_rows(column: &Column, metrics: &Metrics) -> bool {
    let is_date = metrics.units.get(&column.name) == Some(&CellUnit::Date);
    column.name == metrics.x_name || only_places(&column.name) || is_date || is_clock(column)
}

fn group(metrics: &Metrics, alike: SameQuantity, range: &dyn Fn(usize) -> Option<Range>) -> Group {
    let SameQuantity { name, mut members } = alike;
    let first = &metrics.columns[members[0].column].name;
    members.sort_by_key(|member| member.split);
    let ranges = members.iter().filter_map(|member| range(member.column));
    let unit = members
        .iter()
        .find_map(|member| metrics.units.get(&metrics.columns[member.column].name));
    let scale = match unit {
        Some(CellUnit::Percent) => Scale::Percent,
        Some(CellUnit::Seconds) => Scale::Seconds,
        Some(CellUnit::Bytes | CellUnit::Date) | None => scale(&name, first, ranges),
    };
    // A lone `val_f1` must not be mistaken for the training's.
    let title = match members.as_slice() {
        [only] if only.split.is_some() && rank(&name) > 1 => {
            metrics.columns[only.column].name.clone()
        }
        _ => title(&name, first),
    };
    Group {
        title,
        scale,
        members,
    }
}

/// What a column measures, and on what: the same for the names that different trainers give it
/// (`val_acc`, `validation/accuracy`).
pub fn identity(name: &str) -> (Option<Split>, String) {
    let read = metric_names::read(name);
    (read.split, read.quantity)
}

/// How the values of a column of this name are written, of which `highest` is the largest.
pub fn scale_of(name: &str, highest: Option<f64>) -> Scale {
    let range = Range::of(highest);
    scale(&metric_names::read(name), name, range.into_iter())
}

fn rank(name: &MetricName) -> u8 {
    match name.kind {
        _ if name.quantity == LOSS => 0,
        _ if name.quantity == ACCURACY => 1,
        Kind::LearningRate => 2,
        _ => 3,
    }
}

fn scale(name: &MetricName, spelled: &str, ranges: impl Iterator<Item = Range>) -> Scale {
    match name.unit {
        Some(Unit::Percent) => return Scale::Percent,
        Some(Unit::Seconds) => return Scale::Seconds,
        None if spelled == "time_elapsed" => return Scale::Seconds,
        None => {}
    }
    // Some trainers write a fraction: nothing above 1 then.
    let range = ranges.reduce(Range::union);
    if name.is_share && range.is_none_or(|range| range.max() > 1.0) {
        Scale::Percent
    } else {
        Scale::Number
    }
}

/// What people call it: the known columns in words, others by their own name without its split.
fn title(name: &MetricName, spelled: &str) -> String {
    let known = match spelled {
        _ if name.quantity == LOSS => "Loss",
        _ if name.quantity == ACCURACY => "Accuracy",
        "learning_rate" | "lr" => "Learning rate",
        "time_elapsed" => "Time elapsed",
        "memory_used_mb" => "Memory used, MB",
        "batch_time_ms" => "Batch time, ms",
        "eta_hours" => "Time left, hours",
        "images_per_s" => "Images per second",
        _ => metric_names::without_split_word(spelled),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use traintop_run::metrics::Column;

    fn metrics(columns: &[(&str, f64)]) -> Metrics {
        let column = |&(name, value): &(&str, f64)| Column {
            name: name.to_owned(),
            x: vec![1.0],
            y: vec![value],
        };
        Metrics {
            x_name: "epoch".to_owned(),
            columns: columns.iter().map(column).collect(),
            ..Metrics::default()
        }
    }

    fn titles(columns: &[(&str, f64)]) -> Vec<(String, usize)> {
        groups(&metrics(columns))
            .into_iter()
            .map(|group| (group.title, group.members.len()))
            .collect()
    }

    #[test]
    fn losses_then_accuracies_then_learning_rate_then_the_rest() {
        let columns = [
            ("epoch", 1.0),
            ("memory_used_mb", 400.0),
            ("learning_rate", 0.1),
            ("val_acc", 50.0),
            ("train_acc", 50.0),
            ("gradient_norm", 2.0),
            ("train_loss", 2.0),
            ("val_loss", 2.0),
        ];
        let expected = [
            ("Loss", 2),
            ("Accuracy", 2),
            ("Learning rate", 1),
            ("Memory used, MB", 1),
            ("gradient_norm", 1),
        ];
        assert_eq!(
            titles(&columns),
            expected.map(|(title, count)| (title.to_owned(), count))
        );
        let groups = groups(&metrics(&columns));
        let splits: Vec<_> = groups[1]
            .members
            .iter()
            .map(|member| member.split)
            .collect();
        assert_eq!(splits, [Some(Split::Train), Some(Split::Validation)]);
    }

    #[test]
    fn other_trainers_names_are_understood() {
        let columns = [
            ("loss", 2.0),
            ("val/loss", 2.0),
            ("accuracy", 0.5),
            ("val_accuracy", 0.6),
            ("lr-SGD", 0.1),
            ("val_f1", 0.3),
        ];
        let expected = [("Loss", 2), ("Accuracy", 2), ("lr-SGD", 1), ("val_f1", 1)];
        assert_eq!(
            titles(&columns),
            expected.map(|(title, count)| (title.to_owned(), count))
        );
        assert_eq!(groups(&metrics(&columns))[1].scale, Scale::Number);
    }

    #[test]
    fn units_decide_how_values_are_written() {
        let scale_of = |name: &str| groups(&metrics(&[(name, 50.0)]))[0].scale;
        assert_eq!(scale_of("val_acc"), Scale::Percent);
        assert_eq!(scale_of("time_elapsed"), Scale::Seconds);
        assert_eq!(scale_of("epoch_time_s"), Scale::Seconds);
        assert_eq!(scale_of("images_per_s"), Scale::Number);
    }
}
