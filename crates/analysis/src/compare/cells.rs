//! The table of a comparison as texts: the same on the screen, on the command line and in Markdown.

use std::cmp::Ordering;

use super::aggregate::Aggregate;
use super::metric::Metric;
use super::table::{Comparison, Row};
use crate::scale::Scale;
use traintop_run::metric_names::Direction;

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// Runs that count, and of how many.
    Runs,
    /// The best value.
    Best,
    BestEpoch,
    /// The best value less the baseline's.
    Difference,
    /// The last value.
    Last,
    /// The value at the comparison's epoch.
    At,
    /// That less the baseline's.
    DifferenceAt,
    /// When the threshold was reached.
    Reached,
    EpochCost,
    /// Epochs trained.
    Epochs,
    /// How long it took.
    Took,
}

/// The text of an unknown value.
const ABSENT: &str = "-";

impl Cell {
    /// All, in the table's order.
    pub const ALL: [Self; 11] = [
        Self::Runs,
        Self::Best,
        Self::BestEpoch,
        Self::Difference,
        Self::Last,
        Self::At,
        Self::DifferenceAt,
        Self::Reached,
        Self::EpochCost,
        Self::Epochs,
        Self::Took,
    ];

    pub fn heading(self, of: &Comparison) -> String {
        let epoch = of
            .at_epoch
            .map_or_else(String::new, |epoch| format!(" {epoch}"));
        match self {
            Self::Runs => "N".to_owned(),
            Self::Best => "BEST".to_owned(),
            Self::BestEpoch => "EPOCH".to_owned(),
            Self::Difference => "DIFF".to_owned(),
            Self::DifferenceAt => format!("DIFF AT{epoch}"),
            Self::Last => "LAST".to_owned(),
            Self::At => format!("AT{epoch}"),
            Self::Reached => of.threshold.map_or_else(
                || "REACHED".to_owned(),
                |threshold| format!("TO {}", of.metric.reading(threshold)),
            ),
            Self::EpochCost => "TIME/EPOCH".to_owned(),
            Self::Epochs => "EPOCHS".to_owned(),
            Self::Took => "TOOK".to_owned(),
        }
    }

    /// Its text.
    pub fn text(self, row: &Row, of: &Comparison) -> String {
        let metric = &of.metric;
        let aggregate = |value: Option<Aggregate>| value.map(|value| spread(&value, metric));
        let difference = |verdict: Option<super::Verdict>, of: Option<Aggregate>| {
            let base = of.map_or(0.0, |of| of.mean);
            verdict.map(|verdict| metric.difference(verdict.difference, base))
        };
        let text = match self {
            Self::Runs if row.counted == row.members.len() => Some(row.counted.to_string()),
            Self::Runs => Some(format!("{} of {}", row.counted, row.members.len())),
            Self::Best => aggregate(row.best),
            Self::BestEpoch => row.best_epoch.map(whole),
            Self::Difference => difference(row.difference, row.best),
            Self::Last => aggregate(row.last),
            Self::At => aggregate(row.at),
            Self::DifferenceAt => difference(row.difference_at, row.at),
            Self::Reached => row.reached.map(|reached| {
                let epoch = reached.epoch.map(|epoch| format!("@{}", whole(epoch)));
                let time = reached.elapsed_s.map(|time| Scale::Seconds.reading(time));
                let how_many = (row.counted > 1).then(|| format!("{}/{}", reached.n, row.counted));
                let parts: Vec<String> = [epoch, time, how_many].into_iter().flatten().collect();
                parts.join(" ")
            }),
            Self::EpochCost => row
                .seconds_per_epoch
                .map(|time| Scale::Seconds.reading(time)),
            Self::Epochs => row.epochs.map(whole),
            Self::Took => row.elapsed_s.map(|time| Scale::Seconds.reading(time)),
        };
        text.unwrap_or_else(|| ABSENT.to_owned())
    }

    /// Which of two rows comes first when the table is sorted by it: the better, the sooner, the
    /// cheaper. What is unknown comes last.
    pub fn order(self, a: &Row, b: &Row, of: &Comparison) -> Ordering {
        let key = |row: &Row| -> Option<f64> {
            let mean = |value: Option<Aggregate>| value.map(|value| value.mean);
            match self {
                Self::Runs => Some(-(row.counted as f64)),
                Self::Best | Self::Difference => mean(row.best).map(|value| ranked(value, of)),
                Self::BestEpoch => row.best_epoch,
                Self::Last => mean(row.last).map(|value| ranked(value, of)),
                Self::At | Self::DifferenceAt => mean(row.at).map(|value| ranked(value, of)),
                Self::Reached => {
                    let reached = row.reached?;
                    reached.elapsed_s.or(reached.epoch)
                }
                Self::EpochCost => row.seconds_per_epoch,
                Self::Epochs => row.epochs.map(|epochs| -epochs),
                Self::Took => row.elapsed_s,
            }
        };
        match (key(a), key(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }
}

/// The better, the smaller.
fn ranked(value: f64, of: &Comparison) -> f64 {
    match of.metric.better {
        Direction::Higher => -value,
        Direction::Lower => value,
    }
}

fn whole(number: f64) -> String {
    if number.fract() == 0.0 {
        format!("{number:.0}")
    } else {
        format!("{number:.1}")
    }
}

/// A mean with its deviation, where there is one.
fn spread(value: &Aggregate, metric: &Metric) -> String {
    let mean = metric.reading(value.mean);
    match value.deviation {
        Some(deviation) => {
            let deviation = metric.difference(deviation, value.mean);
            format!("{mean} ±{}", deviation.trim_start_matches('+'))
        }
        None => mean,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::configured;
    use super::super::{Question, compare};
    use super::*;

    #[test]
    fn a_row_is_read_with_units_deviations_and_counts() {
        let run = |name: &str, lr: &str, seed: &str, values: &[f64]| {
            configured(name, &[("lr", lr), ("seed", seed)], values)
        };
        let runs = [
            run("a", "0.1", "1", &[50.0, 90.0]),
            run("b", "0.2", "1", &[60.0, 91.0]),
            run("c", "0.2", "2", &[61.0, 92.0]),
            run("d", "0.2", "3", &[61.0]),
        ];
        let runs: Vec<_> = runs.iter().collect();
        let metric = Metric::all(runs.iter().copied()).remove(0);
        let found = compare(&runs, &[], &Question::by(metric));
        let texts = |row: &Row| Cell::ALL.map(|cell| cell.text(row, &found));
        assert_eq!(
            texts(&found.rows[0]),
            [
                "1", "90.00", "2", "-", "90.00", "50.00", "-", "@2 20.0s", "10.0s", "2", "20.0s"
            ]
        );
        assert_eq!(
            texts(&found.rows[1])[..5],
            ["2 of 3", "91.50 ±0.71", "2", "+1.50", "91.50 ±0.71"]
        );
        assert_eq!(texts(&found.rows[1])[7], "@2 20.0s 2/2");
        assert_eq!(Cell::At.heading(&found), "AT 1");
        assert_eq!(Cell::Reached.heading(&found), "TO 89.20");
        let [a, b] = [&found.rows[0], &found.rows[1]];
        assert_eq!(Cell::Best.order(b, a, &found), Ordering::Less);
        let mut unknown = a.clone();
        unknown.best = None;
        assert_eq!(Cell::Best.order(&unknown, a, &found), Ordering::Greater);
    }
}
