//! The metric that most runs of a table are judged by, which the heading of their best values names
//! once for all of them.

use std::collections::HashMap;

use super::best_and_trend::Best;
use super::metric_names::{self, Kind};
use super::summary::Summary;

/// The metric that most runs are judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usual {
    /// As most of them spell it.
    pub metric: String,
    /// Whether its values are shares, in percent.
    pub is_share: bool,
}

impl Usual {
    /// That of some runs; `None` if none is judged by anything.
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a Summary>) -> Option<Self> {
        let mut counts: HashMap<&str, (usize, bool)> = HashMap::new();
        for best in runs.into_iter().filter_map(|run| run.best.as_ref()) {
            counts.entry(&best.metric).or_default().0 += 1;
            counts.entry(&best.metric).or_default().1 |= best.share.is_some();
        }
        let most = counts
            .into_iter()
            .map(|(metric, (count, is_share))| (count, std::cmp::Reverse(metric), is_share));
        let (_, metric, is_share) = most.max()?;
        Some(Self {
            metric: metric.0.to_owned(),
            is_share,
        })
    }

    /// Whether a best value is one of this metric.
    pub fn is_of(&self, best: &Best) -> bool {
        self.is_share == best.share.is_some()
            && (self.metric == best.metric || metric_names::are_same(&self.metric, &best.metric))
    }

    /// Whether it is an accuracy, which everybody expects.
    pub fn is_accuracy(&self) -> bool {
        self.is_share && metric_names::read(&self.metric).kind == Kind::Accuracy
    }

    /// `BEST val_acc %`.
    pub fn heading(&self) -> String {
        let unit = if self.is_share && !self.metric.contains('%') {
            " %"
        } else {
            ""
        };
        format!("BEST {}{unit}", self.metric)
    }
}

/// A best value in a table: it names its metric where that is not the usual one, and `~` says that
/// the metric was guessed.
pub fn cell(best: &Best, usual: Option<&Usual>) -> String {
    if usual.is_some_and(|usual| usual.is_of(best)) {
        return best.marked_text();
    }
    let unit = if best.share.is_some() { " %" } else { "" };
    format!("{} {}{unit}", best.metric, best.marked_text())
}

#[cfg(test)]
mod tests {
    use super::super::metric_names::Direction;
    use super::*;

    #[test]
    fn a_cell_names_its_metric_where_it_is_another_one() {
        let usual = Usual {
            metric: "val_acc".to_owned(),
            is_share: true,
        };
        assert_eq!(usual.heading(), "BEST val_acc %");
        let accuracy = Best::of_accuracy(93.216, Some(3));
        assert_eq!(cell(&accuracy, Some(&usual)), "93.22");
        assert_eq!(cell(&accuracy, None), "val_acc 93.22 %");
        let spelled = Best {
            metric: "validation/accuracy".to_owned(),
            ..accuracy.clone()
        };
        assert_eq!(cell(&spelled, Some(&usual)), "93.22");
        let other = Best {
            metric: "val_wer".to_owned(),
            quantity: "wer".to_owned(),
            value: 0.125,
            direction: Direction::Lower,
            guessed: true,
            share: None,
            ..accuracy
        };
        assert_eq!(cell(&other, Some(&usual)), "val_wer ~0.125");
    }
}
