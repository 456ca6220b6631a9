//! Which columns of a metrics file are looked at together, in which order, and what kind of numbers
//! they hold.

use super::range::Range;
use super::scale::Scale;
use traintop_run::metrics::Metrics;

/// The part of the data that a column was measured on, as its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Split {
    /// What the network learns from.
    Train,
    /// What decides which epoch is best.
    Validation,
    /// What is kept for the end.
    Test,
}

impl Split {
    /// The letter that stands for it.
    pub fn letter(self) -> char {
        match self {
            Self::Train => 't',
            Self::Validation => 'v',
            Self::Test => 'e',
        }
    }
}

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
/// The column of x is left out.
pub fn groups(metrics: &Metrics) -> Vec<Group> {
    groups_by(metrics, &|column| {
        Range::of(metrics.columns[column].y.iter().copied())
    })
}

/// As [`groups`], where the range of a column (by its index) is known from elsewhere.
pub fn groups_by(metrics: &Metrics, range: &dyn Fn(usize) -> Option<Range>) -> Vec<Group> {
    let mut by_stem: Vec<(&str, Vec<Member>)> = Vec::new();
    for (index, column) in metrics.columns.iter().enumerate() {
        if column.name == metrics.x_name {
            continue;
        }
        let (split, stem) = split_of(&column.name);
        let member = Member {
            column: index,
            split,
        };
        // A stem alone ("loss" beside "val_loss", as Keras writes it) joins its splits.
        match by_stem.iter_mut().find(|(other, members)| {
            *other == stem && members.iter().all(|other| other.split != split)
        }) {
            Some((_, members)) => members.push(member),
            None => by_stem.push((stem, vec![member])),
        }
    }
    by_stem.sort_by_key(|(stem, _)| rank(stem));
    by_stem
        .into_iter()
        .map(|(stem, members)| group(metrics, stem, members, range))
        .collect()
}

fn group(
    metrics: &Metrics,
    stem: &str,
    mut members: Vec<Member>,
    range: &dyn Fn(usize) -> Option<Range>,
) -> Group {
    members.sort_by_key(|member| member.split);
    let ranges = members.iter().filter_map(|member| range(member.column));
    let scale = scale(stem, ranges);
    // A lone `val_f1` must not be taken for the training's.
    let named = match members.as_slice() {
        [only] if only.split.is_some() && rank(stem) > 1 => &metrics.columns[only.column].name,
        _ => stem,
    };
    Group {
        title: title(named),
        scale,
        members,
    }
}

/// What [`identity`] calls a loss.
pub const LOSS: &str = "Loss";
/// What [`identity`] calls an accuracy.
pub const ACCURACY: &str = "Accuracy";

/// What a column measures, and on what: the same for the names that different trainers give it
/// (`val_acc`, `validation/accuracy`).
pub fn identity(name: &str) -> (Option<Split>, String) {
    let (split, stem) = split_of(name);
    (split, title(stem))
}

/// How the values of a column of this name are written, of which `highest` is the largest.
pub fn scale_of(name: &str, highest: Option<f64>) -> Scale {
    let range = Range::of(highest);
    scale(split_of(name).1, range.into_iter())
}

const SPLITS: [(&str, Split); 9] = [
    ("train", Split::Train),
    ("training", Split::Train),
    ("val", Split::Validation),
    ("valid", Split::Validation),
    ("validation", Split::Validation),
    ("dev", Split::Validation),
    ("eval", Split::Validation),
    ("test", Split::Test),
    ("testing", Split::Test),
];

/// `train_loss`, `val/loss` and `loss.test` alike: the split, and the rest of the name.
fn split_of(name: &str) -> (Option<Split>, &str) {
    let is_separator = |letter: char| "_/.- ".contains(letter);
    let named = |word: &str| {
        SPLITS
            .iter()
            .find(|(split, _)| split.eq_ignore_ascii_case(word))
            .map(|(_, split)| *split)
    };
    if let Some((first, rest)) = name.split_once(is_separator)
        && let Some(split) = named(first)
        && !rest.is_empty()
    {
        return (Some(split), rest);
    }
    if let Some((rest, last)) = name.rsplit_once(is_separator)
        && let Some(split) = named(last)
        && !rest.is_empty()
    {
        return (Some(split), rest);
    }
    (None, name)
}

fn rank(stem: &str) -> u8 {
    if is_loss(stem) {
        0
    } else if is_accuracy(stem) {
        1
    } else if is_learning_rate(stem) {
        2
    } else {
        3
    }
}

fn is_loss(stem: &str) -> bool {
    stem.eq_ignore_ascii_case("loss")
}

fn is_accuracy(stem: &str) -> bool {
    ["acc", "accuracy", "top1", "top1_acc", "acc1"]
        .iter()
        .any(|name| stem.eq_ignore_ascii_case(name))
}

fn is_learning_rate(stem: &str) -> bool {
    ["learning_rate", "lr"]
        .iter()
        .any(|name| stem.eq_ignore_ascii_case(name))
        || stem.starts_with("lr-")
        || stem.starts_with("lr/")
}

fn scale(stem: &str, ranges: impl Iterator<Item = Range>) -> Scale {
    if is_accuracy(stem) {
        // Some trainers write a fraction: nothing above 1 then.
        let range = ranges.reduce(Range::union);
        return if range.is_some_and(|range| range.max() <= 1.0) {
            Scale::Number
        } else {
            Scale::Percent
        };
    }
    if ends_with_unit(stem, &["percent", "pct"]) {
        Scale::Percent
    } else if stem == "time_elapsed"
        || ends_with_unit(stem, &["s", "sec", "secs", "seconds"]) && !stem.contains("per_s")
    {
        Scale::Seconds
    } else {
        Scale::Number
    }
}

fn ends_with_unit(stem: &str, units: &[&str]) -> bool {
    stem.rsplit_once('_')
        .is_some_and(|(_, last)| units.contains(&last))
}

/// What people call it: the known columns in words, others by their own name.
fn title(stem: &str) -> String {
    let known = match stem {
        _ if is_loss(stem) => LOSS,
        _ if is_accuracy(stem) => ACCURACY,
        "learning_rate" | "lr" => "Learning rate",
        "time_elapsed" => "Time elapsed",
        "memory_used_mb" => "Memory used, MB",
        "batch_time_ms" => "Batch time, ms",
        "eta_hours" => "Time left, hours",
        "images_per_s" => "Images per second",
        _ => stem,
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
