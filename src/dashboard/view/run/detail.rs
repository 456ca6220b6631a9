//! What the screens show of one run beyond its summary: loaded when a view opens, grown as its files grow, dropped when the view
//! closes.

use crate::analysis::best::{Best, best};
use crate::analysis::decimate::Blocks;
use crate::analysis::grouping::{Group, groups};
use crate::analysis::range::Range;
use crate::analysis::scale::Scale;
use crate::run::checkpoints::Checkpoint;
use crate::run::metrics::{Column, Metrics};
use crate::run::steps::Progress;

/// Everything read of a run. All text is clean for a terminal.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    metrics: Metrics,
    /// Of each column of `metrics`.
    blocks: Vec<Blocks>,
    groups: Vec<Group>,
    best: Option<Best>,
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
        if anew {
            self.metrics = Metrics::default();
            self.blocks.clear();
        }
        let kept = self.metrics.absorb(read);
        self.blocks.resize_with(kept.len(), Blocks::default);
        for ((blocks, column), kept) in self.blocks.iter_mut().zip(&self.metrics.columns).zip(kept)
        {
            blocks.truncate(kept);
            blocks.extend(&column.y);
        }
        self.groups = groups(&self.metrics);
        self.best = best(&self.metrics, &self.groups);
    }

    /// All points.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The charts to draw, in order.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// A column with the blocks that make drawing it fast.
    pub fn column(&self, index: usize) -> (&Column, &Blocks) {
        (&self.metrics.columns[index], &self.blocks[index])
    }

    /// The best row so far.
    pub fn best(&self) -> Option<Best> {
        self.best
    }

    /// The x of each row, ascending.
    pub fn rows(&self) -> &[f64] {
        let of_x = self.metrics.column(&self.metrics.x_name);
        let longest = || {
            self.metrics
                .columns
                .iter()
                .max_by_key(|column| column.x.len())
        };
        of_x.or_else(longest).map_or(&[], |column| &column.x)
    }

    /// What x counts: whole epochs or steps, unless it is seen to be in parts of them.
    pub fn x_scale(&self) -> Scale {
        let ends = [self.rows().first(), self.rows().last()];
        if ends.into_iter().flatten().all(|x| x.fract() == 0.0) {
            Scale::Whole
        } else {
            Scale::Number
        }
    }

    /// The part of x that charts show: all rows, and while it trains some room up to the `planned` end.
    pub fn x_range(&self, training: bool, planned: Option<u32>) -> Option<Range> {
        let rows = self.rows();
        let range = Range::of([*rows.first()?, *rows.last()?])?;
        let planned = planned
            .filter(|_| self.metrics.x_name == "epoch")
            .map(f64::from);
        Some(if training {
            range.with_room(planned)
        } else {
            range
        })
    }
}

#[cfg(test)]
pub(in crate::dashboard) mod tests {
    use super::*;

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
    fn growing_is_the_same_as_reading_at_once() {
        let mut grown = Detail::default();
        grown.take_metrics(trained(200), true);
        let mut later = trained(300);
        for column in &mut later.columns {
            column.x.drain(..199);
            column.y.drain(..199);
        }
        grown.take_metrics(later, false);
        let mut whole = Detail::default();
        let expected = {
            let mut all = trained(200);
            for (column, new) in all.columns.iter_mut().zip(trained(300).columns) {
                column.x.truncate(199);
                column.y.truncate(199);
                column.x.extend_from_slice(&new.x[199..]);
                column.y.extend_from_slice(&new.y[199..]);
            }
            Metrics { rows: 300, ..all }
        };
        whole.take_metrics(expected, true);
        assert_eq!(grown.metrics, whole.metrics);
        assert_eq!(grown.blocks, whole.blocks);
        assert_eq!(grown.best, whole.best);
    }

    #[test]
    fn rows_of_a_file_without_x_are_those_of_its_longest_column() {
        let column = |name: &str, x: &[f64]| Column {
            name: name.to_owned(),
            x: x.to_vec(),
            y: x.to_vec(),
        };
        let mut detail = Detail::default();
        let columns = vec![column("a", &[1.0]), column("b", &[1.0, 2.0])];
        detail.take_metrics(
            Metrics {
                x_name: "row".to_owned(),
                columns,
                ..Metrics::default()
            },
            true,
        );
        assert_eq!(detail.rows(), [1.0, 2.0]);
        assert_eq!(Detail::default().rows(), [0.0; 0]);
    }
}
