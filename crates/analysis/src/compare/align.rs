//! Curves of different runs over one axis: epochs, steps, or time.

use jiff::Timestamp;

use super::super::scale::Scale;
use super::metric::Metric;
use crate::x_axis::{ELAPSED, EPOCHS, STEPS};
use traintop_run::compared_run::ComparedRun;
use traintop_run::metrics::{Column, Metrics};

/// What the shared axis counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CompareAxis {
    /// Epochs, from 1.
    #[default]
    Epoch,
    /// Optimiser steps.
    Step,
    /// Seconds since each run began.
    Elapsed,
    /// Seconds since the first of the runs began.
    Wall,
}

impl CompareAxis {
    /// All, in the order in which a key goes through them.
    pub const ALL: [Self; 4] = [Self::Epoch, Self::Step, Self::Elapsed, Self::Wall];

    /// What the axis is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Epoch => "epoch",
            Self::Step => "step",
            Self::Elapsed => "time",
            Self::Wall => "wall time",
        }
    }

    /// What it means, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Epoch => "by epoch",
            Self::Step => "by step",
            Self::Elapsed => "by the time since each run's start",
            Self::Wall => "by the time since the first run's start",
        }
    }

    /// The kind of its numbers.
    pub fn scale(self) -> Scale {
        match self {
            Self::Epoch | Self::Step => Scale::Whole,
            Self::Elapsed | Self::Wall => Scale::Seconds,
        }
    }

    /// Whether points of different runs share their x, as epochs do and times do not.
    pub fn is_counted(self) -> bool {
        matches!(self, Self::Epoch | Self::Step)
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|along| *along == self);
        Self::ALL[(at.unwrap_or(0) + 1) % Self::ALL.len()]
    }

    /// A run's curve of `metric` over this axis, x strictly rising; `None` where the run has no
    /// such metric or does not place its rows. `first` is when the first of the compared runs
    /// began.
    pub fn curve(
        self,
        run: &ComparedRun,
        metric: &Metric,
        first: Option<Timestamp>,
    ) -> Option<Column> {
        let column = metric.column(run)?;
        let places = self.places(run, first)?;
        let factor = metric.factor(column);
        let mut curve = Column {
            name: run.summary.title().into_owned(),
            ..Column::default()
        };
        for (x, y) in column.x.iter().zip(&column.y) {
            let Some(place) = places.at(*x) else {
                continue;
            };
            match curve.x.last() {
                // Several rows of one epoch: the last one is the value of the epoch.
                Some(last) if *last >= place => {
                    if let Some(value) = curve.y.last_mut() {
                        *value = y * factor;
                    }
                }
                _ => {
                    curve.x.push(place);
                    curve.y.push(y * factor);
                }
            }
        }
        Some(curve)
    }

    /// The places of a run's rows along this axis.
    pub fn places(self, run: &ComparedRun, first: Option<Timestamp>) -> Option<Places> {
        let metrics = &run.metrics;
        match self {
            Self::Epoch => Places::of(metrics, &EPOCHS)
                .map(Places::counted_from_one)
                .or_else(|| {
                    // Without epochs and steps, rows are the best guess at epochs.
                    (metrics.x_name == "row").then_some(Places::Same(0.0))
                }),
            Self::Step => Places::of(metrics, &STEPS),
            Self::Elapsed => Places::of(metrics, &ELAPSED).map(Places::rising),
            Self::Wall => {
                let began = run.summary.started_at?;
                let late = (began - first?).total(jiff::Unit::Second).ok()?;
                let elapsed = Self::Elapsed.places(run, first)?;
                Some(elapsed.shifted(late))
            }
        }
    }
}

/// Maps the x of a run's file to places along the axis.
#[derive(Debug, Clone, PartialEq)]
pub enum Places {
    /// At x, plus this.
    Same(f64),
    /// The value of this column at x or before.
    Stated(Column),
}

impl Places {
    fn of(metrics: &Metrics, names: &[&str]) -> Option<Self> {
        let is_one = |name: &str| names.iter().any(|other| name.eq_ignore_ascii_case(other));
        if is_one(&metrics.x_name) {
            return Some(Self::Same(0.0));
        }
        let column = metrics.columns.iter().find(|column| is_one(&column.name))?;
        Some(Self::Stated(column.clone()))
    }

    /// Epochs that are counted from 0 are counted from 1.
    fn counted_from_one(self) -> Self {
        let begins_at_zero = match &self {
            Self::Same(_) => false,
            Self::Stated(column) => column.y.first() == Some(&0.0),
        };
        if begins_at_zero {
            self.shifted(1.0)
        } else {
            self
        }
    }

    /// A clock that began again, as that of a resumed run does, continues from where it was.
    fn rising(self) -> Self {
        let Self::Stated(mut column) = self else {
            return self;
        };
        let (mut before, mut offset) = (0.0, 0.0);
        for value in &mut column.y {
            if *value < before {
                offset += before;
            }
            before = *value;
            *value += offset;
        }
        Self::Stated(column)
    }

    fn shifted(self, by: f64) -> Self {
        match self {
            Self::Same(shift) => Self::Same(shift + by),
            Self::Stated(mut column) => {
                for value in &mut column.y {
                    *value += by;
                }
                Self::Stated(column)
            }
        }
    }

    /// The place of the row at `x`.
    pub fn at(&self, x: f64) -> Option<f64> {
        match self {
            Self::Same(shift) => Some(x + shift),
            Self::Stated(column) => {
                let after = column.x.partition_point(|at| *at <= x);
                // A row whose place is only in a later row of the same epoch.
                let at = after.saturating_sub(1);
                column.y.get(at).copied().filter(|place| place.is_finite())
            }
        }
    }

    /// The last place.
    pub fn last(&self, run: &ComparedRun) -> Option<f64> {
        self.at(run.metrics.last_x()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::compared_run;
    use super::*;

    fn curve(along: CompareAxis, run: &ComparedRun) -> Option<Column> {
        let metrics = Metric::all([run]);
        along.curve(run, &metrics[0], Some(Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn rows_stand_at_epochs_steps_or_seconds() {
        let columns: [(&str, &[f64]); 3] = [
            ("val_acc", &[50.0, 60.0, 70.0]),
            ("step", &[100.0, 200.0, 300.0]),
            // The clock began again with a resume.
            ("time_elapsed", &[10.0, 20.0, 5.0]),
        ];
        let mut run = compared_run("a", &columns);
        assert_eq!(curve(CompareAxis::Epoch, &run).unwrap().x, [1.0, 2.0, 3.0]);
        assert_eq!(
            curve(CompareAxis::Step, &run).unwrap().x,
            [100.0, 200.0, 300.0]
        );
        assert_eq!(
            curve(CompareAxis::Elapsed, &run).unwrap().x,
            [10.0, 20.0, 25.0]
        );
        run.summary.started_at = None;
        assert_eq!(curve(CompareAxis::Wall, &run), None);
        run.summary.started_at = Some(Timestamp::from_second(7).unwrap());
        assert_eq!(
            curve(CompareAxis::Wall, &run).unwrap().x,
            [17.0, 27.0, 32.0]
        );
    }

    #[test]
    fn rows_of_a_step_file_stand_at_epochs_counted_from_one_and_the_last_of_each_counts() {
        let mut run = compared_run("a", &[("val_acc", &[0.5, 0.6, 0.7, 0.8])]);
        run.metrics.x_name = "step".to_owned();
        run.metrics.columns[0].y = vec![0.0, 0.0, 1.0, 1.0];
        let curve = curve(CompareAxis::Epoch, &run).unwrap();
        assert_eq!((curve.x, curve.y), (vec![1.0, 2.0], vec![0.6, 0.8]));
    }

    #[test]
    fn a_run_without_a_clock_has_no_place_in_time() {
        let run = compared_run("a", &[("val_acc", &[50.0])]);
        assert_eq!(curve(CompareAxis::Elapsed, &run), None);
        assert_eq!(curve(CompareAxis::Step, &run), None);
    }
}
