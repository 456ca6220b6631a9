//! What the screens show of one run beyond its summary: loaded when a view opens, grown as its
//! files grow, dropped when the view closes.

use std::sync::Arc;

use super::curves::Curves;
use traintop_analysis::chart_transform::{TransformSettings, Transformed};
use traintop_analysis::range::Range;
use traintop_analysis::scale::Scale;
use traintop_analysis::x_axis::Known;
use traintop_run::checkpoints::Checkpoint;
use traintop_run::log::{self, Log};
use traintop_run::metrics::Metrics;
use traintop_run::steps::Progress;

/// Everything read of a run. All text is clean for a terminal.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    epochs: Arc<Curves>,
    /// Over steps; empty once an epoch is done.
    first_epoch: Arc<Curves>,
    /// How often what is charted has changed.
    revision: u64,
    /// What charts need beyond the rows, as the settings want it, and of which revision.
    derived: Option<(Box<Transformed>, u64)>,
    /// Where it is in its epoch, if it trains.
    pub progress: Option<Progress>,
    /// The end of its log.
    pub log: Log,
    /// Its configuration, sorted by key.
    pub config: Vec<(String, String)>,
    /// Its files of weights.
    pub checkpoints: Vec<Checkpoint>,
    /// What could not be read, as a sentence.
    pub problem: Option<String>,
}

/// Rows that were read.
#[derive(Clone, Debug)]
pub enum Rows {
    /// All there are, ready to be drawn.
    All(Arc<Curves>),
    /// Those that are new since the last time.
    New(Box<Metrics>),
}

/// What was read of a run: everything, or what is new since the last time. `None` is what has not
/// changed.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    pub metrics: Option<Rows>,
    /// Rows of its steps while no epoch is done.
    pub steps: Option<Rows>,
    /// Where it is in its epoch.
    pub progress: Option<Progress>,
    pub log: Option<log::News>,
    /// Its configuration.
    pub config: Option<Vec<(String, String)>>,
    /// Its files of weights.
    pub checkpoints: Option<Vec<Checkpoint>>,
    /// What could not be read, as a sentence.
    pub problem: Option<String>,
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
            && self.problem.is_none()
    }
}

impl Detail {
    /// Takes in what was read.
    pub fn take(&mut self, reading: Reading) {
        if let Some(metrics) = reading.metrics {
            self.take_metrics(metrics);
        }
        if let Some(steps) = reading.steps.filter(|_| self.epochs.is_empty()) {
            take_rows(&mut self.first_epoch, steps);
            self.revision += 1;
        }
        if let Some(log) = reading.log {
            self.log.take(log);
        }
        if let Some(config) = reading.config {
            self.config = config;
        }
        if let Some(checkpoints) = reading.checkpoints {
            self.checkpoints = checkpoints;
        }
        self.progress = reading.progress.or(self.progress);
        self.problem = reading.problem;
    }

    /// Takes in what was read of the metrics.
    pub fn take_metrics(&mut self, read: Rows) {
        let were_steps = self.epochs.is_empty();
        if matches!(read, Rows::All(_)) || were_steps {
            // It was made of other rows.
            self.derived = None;
        }
        take_rows(&mut self.epochs, read);
        self.revision += 1;
        if !self.epochs.is_empty() {
            self.first_epoch = Arc::default();
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

    /// The same, to be handed to another thread.
    pub fn shared_charted(&self) -> Arc<Curves> {
        Arc::clone(if self.epochs.is_empty() {
            &self.first_epoch
        } else {
            &self.epochs
        })
    }

    /// What charts need beyond the rows, if the settings want anything; while it is being made,
    /// what was made before.
    pub fn derived(&self) -> Option<&Transformed> {
        self.derived.as_ref().map(|(derived, _)| &**derived)
    }

    /// Which rows are charted: another number after each change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether what the settings want of the rows is still to be made; what nobody wants any more
    /// is let go.
    pub fn lacks(&mut self, wanted: TransformSettings) -> bool {
        if wanted.is_nothing() {
            self.derived = None;
            return false;
        }
        let is_made = |(derived, of): &(Box<Transformed>, u64)| {
            derived.settings == wanted && *of == self.revision
        };
        !self.charted().is_empty() && !self.derived.as_ref().is_some_and(is_made)
    }

    /// Takes in what was made of the rows of a revision.
    pub fn take_derived(&mut self, derived: Box<Transformed>, of: u64) {
        // Of rows that have been read anew since, nothing fits.
        if derived.columns.len() <= self.charted().metrics().columns.len() {
            self.derived = Some((derived, of));
        }
    }

    /// What is known beside the rows to place them; when the run was started is for the caller to
    /// add.
    pub fn known(&self) -> Known {
        Known {
            steps_per_epoch: self.progress.map(|progress| progress.steps_per_epoch),
            started_s: None,
        }
    }

    /// Where each row stands along the axis that charts have.
    pub fn places(&self) -> &[f64] {
        let charted = self.charted();
        let of_rows = || {
            let column = self.derived()?.columns.get(charted.column_of_rows()?)?;
            column.x.as_deref()
        };
        of_rows().unwrap_or(charted.rows())
    }

    /// Where an x of the rows stands along that axis.
    pub fn place(&self, x: f64) -> f64 {
        self.derived()
            .map_or(x, |derived| derived.x_mapping.place(x))
    }

    /// The part of x that charts show: all rows, and while it trains some room up to the end of the
    /// `planned` epochs, or of the first one.
    pub fn x_range(&self, training: bool, planned: Option<u32>) -> Option<Range> {
        let end = if self.epochs.is_empty() {
            self.progress.map(|progress| progress.steps_per_epoch)
        } else {
            planned.filter(|_| self.epochs.metrics().x_name == "epoch")
        };
        let places = self.places();
        let range = Range::of([*places.first()?, *places.last()?])?;
        let end = end
            .map(|end| self.place(f64::from(end)))
            // Where the end will be is not known of time.
            .filter(|end| *end > range.max() || self.derived().is_none());
        let is_date = self
            .derived()
            .is_some_and(|derived| derived.x_scale() == Scale::Clock);
        Some(if training && !is_date {
            range.with_room(end)
        } else {
            range
        })
    }
}

fn take_rows(curves: &mut Arc<Curves>, read: Rows) {
    match read {
        Rows::All(all) => *curves = all,
        // Copied only while something is being made of them elsewhere.
        Rows::New(new) => Arc::make_mut(curves).take(*new),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use traintop_run::metrics::Column;

    /// A run of `epochs` epochs with the reference's most important columns, the same each time.
    pub(crate) fn trained(epochs: u32) -> Metrics {
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
        let read = |names: &[&str]| Metrics {
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
        let steps = |names: &[&str]| Rows::All(Arc::new(Curves::of(read(names))));
        detail.take(Reading {
            steps: Some(steps(&["step", "train_loss"])),
            progress: Some(progress),
            ..Reading::default()
        });
        assert_eq!(detail.charted().rows(), [5.0, 11.0]);
        assert!(detail.epochs().is_empty());
        let range = detail.x_range(true, Some(200)).unwrap();
        assert!(range.max() > 11.0 && range.max() <= 63.0, "{range:?}");
        detail.take_metrics(Rows::All(Arc::new(Curves::of(trained(1)))));
        assert_eq!(detail.charted().rows(), [1.0]);
        // What comes late of the steps changes nothing.
        let steps = |names: &[&str]| Rows::All(Arc::new(Curves::of(read(names))));
        detail.take(Reading {
            steps: Some(steps(&["step", "train_loss"])),
            ..Reading::default()
        });
        assert_eq!(detail.charted().rows(), [1.0]);
    }
}
