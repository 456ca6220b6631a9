//! The results of one run by one metric: best, last, at an epoch, and how long it took.

use super::align::{CompareAxis, Places};
use super::metric::Metric;
use traintop_run::compared_run::ComparedRun;
use traintop_run::metrics::Column;

/// A value and its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// In the metric's unit.
    pub value: f64,
    /// Its epoch, where the run counts epochs.
    pub epoch: Option<f64>,
    /// Seconds since the run's start, where it says so.
    pub elapsed_s: Option<f64>,
}

/// One run's curve of one metric, with what places its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured<'a> {
    metric: &'a Metric,
    column: &'a Column,
    factor: f64,
    epochs: Option<Places>,
    elapsed: Option<Places>,
}

impl<'a> Measured<'a> {
    /// Of a run; `None` if it has no such metric.
    pub fn of(run: &'a ComparedRun, metric: &'a Metric) -> Option<Self> {
        let column = metric.column(run)?;
        Some(Self {
            metric,
            column,
            factor: metric.factor(column),
            epochs: CompareAxis::Epoch.places(run, None),
            elapsed: CompareAxis::Elapsed.places(run, None),
        })
    }

    /// The best finite value, the earliest of equals.
    pub fn best(&self) -> Option<Measure> {
        let finite = self.points().filter(|point| point.1.is_finite());
        let best = finite.reduce(|best, next| {
            if self.metric.better.than(next.1, best.1) {
                next
            } else {
                best
            }
        });
        best.map(|point| self.measure(point))
    }

    /// The last value, finite or not.
    pub fn last(&self) -> Option<Measure> {
        self.points().next_back().map(|point| self.measure(point))
    }

    /// The first finite value.
    pub fn first(&self) -> Option<f64> {
        self.points()
            .map(|point| point.1)
            .find(|value| value.is_finite())
    }

    /// The value at an epoch; `None` where that epoch has none.
    pub fn at_epoch(&self, epoch: f64) -> Option<Measure> {
        let epochs = self.epochs.as_ref()?;
        // Of several rows of one epoch the last.
        let at = self.points().rfind(|(x, _)| epochs.at(*x) == Some(epoch));
        at.map(|point| self.measure(point))
    }

    /// Where it first reached a threshold; `None` if never.
    pub fn reached(&self, threshold: f64) -> Option<Measure> {
        let mut points = self.points();
        points
            .find(|point| self.metric.better.reaches(point.1, threshold))
            .map(|point| self.measure(point))
    }

    fn points(&self) -> impl DoubleEndedIterator<Item = (f64, f64)> + '_ {
        let values = self.column.y.iter().map(|y| y * self.factor);
        self.column
            .x
            .iter()
            .copied()
            .zip(values.collect::<Vec<_>>())
    }

    fn measure(&self, (x, value): (f64, f64)) -> Measure {
        let at = |places: &Option<Places>| places.as_ref()?.at(x);
        Measure {
            value,
            epoch: at(&self.epochs),
            elapsed_s: at(&self.elapsed),
        }
    }
}

/// The last epoch of which a run has a row.
pub fn last_epoch(run: &ComparedRun) -> Option<f64> {
    CompareAxis::Epoch.places(run, None)?.last(run)
}

/// Seconds that a run took, by its own clock.
pub fn elapsed_s(run: &ComparedRun) -> Option<f64> {
    CompareAxis::Elapsed.places(run, None)?.last(run)
}

/// Seconds that one epoch takes: the median of those that the run's clock shows, so that a pause
/// does not count.
pub fn seconds_per_epoch(run: &ComparedRun) -> Option<f64> {
    let (epochs, elapsed) = (
        CompareAxis::Epoch.places(run, None)?,
        CompareAxis::Elapsed.places(run, None)?,
    );
    let rows = run.metrics.column(&run.metrics.x_name);
    let xs = match (rows, &elapsed) {
        (Some(column), _) | (None, Places::Stated(column)) => &column.x,
        (None, Places::Same(_)) => return None,
    };
    let places: Vec<(f64, f64)> = xs
        .iter()
        .filter_map(|x| Some((epochs.at(*x)?, elapsed.at(*x)?)))
        .collect();
    let mut costs: Vec<f64> = places
        .windows(2)
        .filter(|pair| pair[1].0 > pair[0].0)
        .map(|pair| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0))
        .filter(|cost| cost.is_finite() && *cost >= 0.0)
        .collect();
    if costs.is_empty() {
        // One epoch alone: its end is all that is known.
        let (epoch, elapsed) = *places.last()?;
        return (epoch > 0.0 && elapsed > 0.0).then(|| elapsed / epoch);
    }
    costs.sort_by(f64::total_cmp);
    let middle = costs.len() / 2;
    Some(if costs.len() % 2 == 1 {
        costs[middle]
    } else {
        f64::midpoint(costs[middle - 1], costs[middle])
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::compared_run;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn best_last_at_an_epoch_and_when_a_threshold_was_reached() {
        let columns: [(&str, &[f64]); 3] = [
            ("val_acc", &[50.0, 70.0, f64::NAN, 70.0, 65.0]),
            ("val_loss", &[2.0, 1.0, 1.5, 0.5, 3.0]),
            ("time_elapsed", &[12.0, 22.0, 132.0, 142.0, 152.0]),
        ];
        let run = compared_run("a", &columns);
        let metrics = Metric::all([&run]);
        let accuracy = Measured::of(&run, &metrics[0]).unwrap();
        let best = accuracy.best().unwrap();
        assert_eq!(
            (best.value, best.epoch, best.elapsed_s),
            (70.0, Some(2.0), Some(22.0))
        );
        assert_eq!(accuracy.last().unwrap().value, 65.0);
        assert!(accuracy.at_epoch(3.0).unwrap().value.is_nan());
        assert_eq!(accuracy.at_epoch(9.0), None);
        assert_eq!(accuracy.reached(60.0).unwrap().epoch, Some(2.0));
        assert_eq!(accuracy.reached(70.5), None);
        let loss = Measured::of(&run, &metrics[1]).unwrap();
        assert_eq!(loss.best().unwrap().epoch, Some(4.0));
        assert_eq!(loss.reached(1.0).unwrap().epoch, Some(2.0));
        // The pause of a hundred seconds does not count.
        assert_eq!(seconds_per_epoch(&run), Some(10.0));
        assert_eq!(
            (last_epoch(&run), elapsed_s(&run)),
            (Some(5.0), Some(152.0))
        );
    }

    #[test]
    fn a_run_without_a_clock_has_no_cost() {
        let run = compared_run("a", &[("val_acc", &[50.0, 60.0])]);
        assert_eq!(seconds_per_epoch(&run), None);
        assert_eq!(elapsed_s(&run), None);
    }

    proptest! {
        #[test]
        fn nothing_before_the_place_reaches_the_threshold(values in proptest::collection::vec(0.0..100.0f64, 1..60), threshold in 0.0..100.0f64) {
            let run = compared_run("a", &[("val_acc", &values)]);
            let metrics = Metric::all([&run]);
            let measured = Measured::of(&run, &metrics[0]).unwrap();
            // Percentages of at most one cannot be told from fractions when they are alone.
            let mut plain = None;
            for (at, value) in values.iter().enumerate() {
                if *value >= threshold {
                    plain = Some((at + 1) as f64);
                    break;
                }
            }
            prop_assert_eq!(measured.reached(threshold).and_then(|at| at.epoch), plain);
            let highest = values.iter().copied().reduce(f64::max);
            prop_assert_eq!(measured.best().map(|best| best.value), highest);
        }
    }
}
