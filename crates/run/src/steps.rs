//! How far a running epoch is: the last row of `steps.csv`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::metrics::Metrics;

/// The columns of `steps.csv`, as the worker writes them.
pub const COLUMNS: [&str; 8] = [
    "epoch",
    "step",
    "steps_per_epoch",
    "train_loss",
    "train_acc",
    "learning_rate",
    "images_per_s",
    "time_elapsed",
];

/// Columns that place a row rather than measure the run.
const PLACES: [&str; 3] = ["epoch", "steps_per_epoch", "time_elapsed"];

/// The points of `steps.csv` that are worth a chart.
pub fn curves(mut steps: Metrics) -> Metrics {
    steps
        .columns
        .retain(|column| !PLACES.contains(&column.name.as_str()));
    steps
}

/// Where a run is inside its epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The epoch that is running, 1-based.
    pub epoch: u32,
    /// Steps done of it.
    pub step: u32,
    pub steps_per_epoch: u32,
    /// Training images a second.
    pub images_per_s: f64,
    /// Seconds since training began.
    pub elapsed_s: f64,
}

impl Progress {
    /// The progress that the last row of `steps.csv` states.
    pub fn of(steps: &Metrics) -> Option<Self> {
        let last = |name: &str| {
            steps
                .column(name)?
                .last()
                .map(|(_, value)| value)
                .filter(|value| value.is_finite())
        };
        let (epoch, steps_per_epoch) = (last("epoch")?, last("steps_per_epoch")?.max(1.0));
        let step = last("step")? - (epoch - 1.0) * steps_per_epoch;
        Some(Self {
            epoch: epoch as u32,
            step: step.clamp(0.0, steps_per_epoch) as u32,
            steps_per_epoch: steps_per_epoch as u32,
            images_per_s: last("images_per_s").unwrap_or(0.0),
            elapsed_s: last("time_elapsed").unwrap_or(0.0),
        })
    }

    /// Part of the epoch that is done, 0 to 1.
    pub fn part(&self) -> f64 {
        f64::from(self.step) / f64::from(self.steps_per_epoch.max(1))
    }

    /// Time until the last epoch's end at the pace so far; `None` before the first step.
    pub fn left(&self, epochs_planned: u32) -> Option<Duration> {
        let done = f64::from(self.epoch.saturating_sub(1)) + self.part();
        let left = f64::from(epochs_planned) - done;
        (done > 0.0 && left >= 0.0)
            .then(|| Duration::from_secs_f64((self.elapsed_s / done * left).clamp(0.0, 1e10)))
    }
}
