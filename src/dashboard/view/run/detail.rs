//! What the screens show of one run beyond its summary: loaded when a view opens, grown as its files grow, dropped when the view
//! closes.

use super::curves::Curves;
use crate::analysis::range::Range;
use crate::run::checkpoints::Checkpoint;
use crate::run::metrics::Metrics;
use crate::run::steps::Progress;

/// Everything read of a run. All text is clean for a terminal.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    epochs: Curves,
    /// Over steps; empty once an epoch is done.
    first_epoch: Curves,
    /// Where it is in its epoch, if it trains.
    pub progress: Option<Progress>,
    /// The end of its log.
    pub log: Log,
    /// Its configuration, sorted by key.
    pub config: Vec<(String, String)>,
    /// Its files of weights.
    pub checkpoints: Vec<Checkpoint>,
    /// What could not be read, as a sentence.
    pub trouble: Option<String>,
}

/// What was read of a run: everything, or what is new since the last time. `None` is what has not changed.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Rows of its metrics, and whether they are all there are rather than new ones.
    pub metrics: Option<(Metrics, bool)>,
    /// Rows of its steps while no epoch is done, as `metrics`.
    pub steps: Option<(Metrics, bool)>,
    /// Where it is in its epoch.
    pub progress: Option<Progress>,
    /// The end of its log.
    pub log: Option<Log>,
    /// Its configuration.
    pub config: Option<Vec<(String, String)>>,
    /// Its files of weights.
    pub checkpoints: Option<Vec<Checkpoint>>,
    /// What could not be read, as a sentence.
    pub trouble: Option<String>,
}

impl Reading {
    /// Whether nothing has changed.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.metrics.is_none()
            && self.steps.is_none()
            && self.progress.is_none()
            && self.log.is_none()
            && self.config.is_none()
            && self.checkpoints.is_none()
            && self.trouble.is_none()
    }
}

/// The last lines of a log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// How many lines came before the first of `lines`, so that a place in the log keeps its number while old lines are let go.
    pub before: u64,
    /// The lines, oldest first.
    pub lines: Vec<String>,
}

impl Detail {
    /// Takes in what was read.
    pub fn take(&mut self, reading: Reading) {
        if let Some((metrics, anew)) = reading.metrics {
            self.take_metrics(metrics, anew);
        }
        if let Some((steps, anew)) = reading.steps.filter(|_| self.epochs.is_empty()) {
            self.first_epoch.take(steps, anew);
        }
        if let Some(log) = reading.log {
            self.log = log;
        }
        if let Some(config) = reading.config {
            self.config = config;
        }
        if let Some(checkpoints) = reading.checkpoints {
            self.checkpoints = checkpoints;
        }
        self.progress = reading.progress.or(self.progress);
        self.trouble = reading.trouble;
    }

    /// Takes in what was read of the metrics: everything (`anew`), or what is new since the last time.
    pub fn take_metrics(&mut self, read: Metrics, anew: bool) {
        self.epochs.take(read, anew);
        if !self.epochs.is_empty() {
            self.first_epoch = Curves::default();
        }
    }

    /// The curves over epochs.
    pub fn epochs(&self) -> &Curves {
        &self.epochs
    }

    /// The curves to chart: over epochs, and over steps until the first epoch is done.
    pub fn charted(&self) -> &Curves {
        if self.epochs.is_empty() {
            &self.first_epoch
        } else {
            &self.epochs
        }
    }

    /// The part of x that charts show: all rows, and while it trains some room up to the end of the `planned` epochs, or of the
    /// first one.
    pub fn x_range(&self, training: bool, planned: Option<u32>) -> Option<Range> {
        let end = if self.epochs.is_empty() {
            self.progress.map(|progress| progress.steps_per_epoch)
        } else {
            planned.filter(|_| self.epochs.metrics().x_name == "epoch")
        };
        let range = self.charted().x_range()?;
        Some(if training {
            range.with_room(end.map(f64::from))
        } else {
            range
        })
    }
}

#[cfg(test)]
pub(in crate::dashboard) mod tests {
    use super::*;
    use crate::run::metrics::Column;

    /// A run of `epochs` epochs with the reference's most important columns, the same each time.
    pub(in crate::dashboard) fn trained(epochs: u32) -> Metrics {
        let curve = |name: &str, value: &dyn Fn(f64) -> f64| Column {
            name: name.to_owned(),
            x: (1..=epochs).map(f64::from).collect(),
            y: (1..=epochs).map(f64::from).map(value).collect(),
        };
        let wave = |epoch: f64| (epoch * 1.7).sin();
        let columns = vec![
            curve("epoch", &|epoch| epoch),
            curve("train_loss", &|epoch| {
                1.1 + 1.2 * (-epoch / 30.0).exp() + 0.02 * wave(epoch)
            }),
            curve("train_acc", &|epoch| {
                75.0 - 58.0 * (-epoch / 30.0).exp() + wave(epoch)
            }),
            curve("val_loss", &|epoch| {
                0.66 + 1.3 * (-epoch / 40.0).exp() + 0.03 * wave(epoch)
            }),
            curve("val_acc", &|epoch| {
                94.0 - 65.0 * (-epoch / 40.0).exp() + 0.5 * wave(epoch)
            }),
            curve("learning_rate", &|epoch| {
                0.05 * (1.0 + (epoch / f64::from(epochs) * 3.0).cos())
            }),
            curve("time_elapsed", &|epoch| epoch * 15.9),
            curve("memory_used_mb", &|_| 413.6875),
        ];
        Metrics {
            x_name: "epoch".to_owned(),
            columns,
            rows: epochs as usize,
            ..Metrics::default()
        }
    }

    #[test]
    fn steps_are_charted_until_the_first_epoch_is_done() {
        let mut detail = Detail::default();
        let steps = |names: &[&str]| Metrics {
            x_name: "step".to_owned(),
            columns: names
                .iter()
                .map(|name| Column {
                    name: (*name).to_owned(),
                    x: vec![5.0, 11.0],
                    y: vec![2.3, 2.1],
                })
                .collect(),
            rows: 2,
            ..Metrics::default()
        };
        let progress = Progress {
            epoch: 1,
            step: 11,
            steps_per_epoch: 63,
            images_per_s: 1.0,
            elapsed_s: 1.0,
        };
        detail.take(Reading {
            steps: Some((steps(&["step", "train_loss"]), true)),
            progress: Some(progress),
            ..Reading::default()
        });
        assert_eq!(detail.charted().rows(), [5.0, 11.0]);
        assert!(detail.epochs().is_empty());
        let range = detail.x_range(true, Some(200)).unwrap();
        assert!(range.max() > 11.0 && range.max() <= 63.0, "{range:?}");
        detail.take_metrics(trained(1), true);
        assert_eq!(detail.charted().rows(), [1.0]);
        // What comes late of the steps changes nothing.
        detail.take(Reading {
            steps: Some((steps(&["step", "train_loss"]), true)),
            ..Reading::default()
        });
        assert_eq!(detail.charted().rows(), [1.0]);
    }
}
