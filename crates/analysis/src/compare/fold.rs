//! Repetitions as one curve: the mean of several, with a band around it.

use super::aggregate::Aggregate;
use traintop_run::metrics::Column;

/// Places at which curves are read out where they have none in common.
const PLACES: usize = 256;

/// Several curves as one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Folded {
    /// The x of each mean, strictly rising.
    pub x: Vec<f64>,
    /// What the curves amount to there; those that have no finite value there do not count.
    pub at: Vec<Aggregate>,
}

/// The edges of a band.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Band {
    /// The mean less and plus the standard deviation (n - 1).
    #[default]
    Deviation,
    /// The smallest and the largest.
    Extremes,
}

impl Band {
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Deviation => Self::Extremes,
            Self::Extremes => Self::Deviation,
        }
    }

    /// What it shows, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Deviation => "mean and deviation",
            Self::Extremes => "mean, min and max",
        }
    }
}

impl Folded {
    /// Folds curves whose points share their x, as epochs do.
    pub fn of(curves: &[Column]) -> Self {
        let mut points: Vec<(f64, f64)> = curves
            .iter()
            .flat_map(|curve| curve.x.iter().copied().zip(curve.y.iter().copied()))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut folded = Self::default();
        for same in points.chunk_by(|a, b| a.0 == b.0) {
            if let Some(aggregate) = Aggregate::of(same.iter().map(|point| point.1)) {
                folded.x.push(same[0].0);
                folded.at.push(aggregate);
            }
        }
        folded
    }

    /// Folds curves whose points have any x, as times do: each is sampled at even places, by linear
    /// interpolation, and not beyond its ends.
    pub fn between(curves: &[Column]) -> Self {
        let ends = curves.iter().filter_map(|curve| {
            let (last, _) = curve.last()?;
            Some((*curve.x.first()?, last))
        });
        let Some((low, high)) = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
            return Self::default();
        };
        let mut folded = Self::default();
        for place in 0..PLACES {
            let part = place as f64 / (PLACES - 1) as f64;
            let x = low + (high - low) * part;
            let values = curves.iter().filter_map(|curve| value_at(curve, x));
            if let Some(aggregate) = Aggregate::of(values)
                && folded.x.last().is_none_or(|last| *last < x)
            {
                folded.x.push(x);
                folded.at.push(aggregate);
            }
        }
        folded
    }

    /// The means as a curve.
    pub fn mean(&self, name: String) -> Column {
        self.column(name, |at| at.mean)
    }

    /// The lower and the upper edge of a band. Where one curve alone is left there is no deviation:
    /// the edges meet.
    pub fn edges(&self, band: Band) -> [Column; 2] {
        let deviation = |at: &Aggregate| at.deviation.unwrap_or(0.0);
        let edge = |of: &dyn Fn(&Aggregate) -> f64| self.column(String::new(), of);
        match band {
            Band::Deviation => [
                edge(&|at| at.mean - deviation(at)),
                edge(&|at| at.mean + deviation(at)),
            ],
            Band::Extremes => [edge(&|at| at.min), edge(&|at| at.max)],
        }
    }

    /// How many curves there are at most and at the end.
    pub fn counts(&self) -> (usize, usize) {
        let most = self.at.iter().map(|at| at.n).max().unwrap_or(0);
        (most, self.at.last().map_or(0, |at| at.n))
    }

    fn column(&self, name: String, of: impl Fn(&Aggregate) -> f64) -> Column {
        Column {
            name,
            x: self.x.clone(),
            y: self.at.iter().map(of).collect(),
        }
    }
}

/// A curve's value at `x`, on the straight line between its neighbours; `None` beyond its ends.
fn value_at(curve: &Column, x: f64) -> Option<f64> {
    let after = curve.x.partition_point(|at| *at < x);
    let (right, value) = (*curve.x.get(after)?, curve.y[after]);
    if right == x {
        return Some(value);
    }
    let before = after.checked_sub(1)?;
    let (left, start) = (curve.x[before], curve.y[before]);
    Some(start + (value - start) * (x - left) / (right - left))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn curve(points: &[(f64, f64)]) -> Column {
        Column {
            name: String::new(),
            x: points.iter().map(|point| point.0).collect(),
            y: points.iter().map(|point| point.1).collect(),
        }
    }

    #[test]
    fn a_band_says_how_many_are_left() {
        let curves = [
            curve(&[(1.0, 1.0), (2.0, 2.0), (3.0, 9.0)]),
            curve(&[(1.0, 3.0), (2.0, f64::NAN)]),
        ];
        let folded = Folded::of(&curves);
        assert_eq!(folded.mean(String::new()).y, [2.0, 2.0, 9.0]);
        assert_eq!(folded.counts(), (2, 1));
        let [low, high] = folded.edges(Band::Extremes);
        assert_eq!((low.y, high.y), (vec![1.0, 2.0, 9.0], vec![3.0, 2.0, 9.0]));
        let [low, high] = folded.edges(Band::Deviation);
        assert!((high.y[0] - low.y[0] - 2.0 * 2f64.sqrt()).abs() < 1e-12);
        assert_eq!(low.y[1], high.y[1]);
    }

    #[test]
    fn curves_in_time_are_read_out_between_their_points_and_not_beyond() {
        let curves = [
            curve(&[(0.0, 0.0), (10.0, 10.0)]),
            curve(&[(0.0, 2.0), (5.0, 7.0)]),
        ];
        let folded = Folded::between(&curves);
        assert_eq!((folded.x[0], folded.at[0].mean), (0.0, 1.0));
        let (x, at) = (folded.x[100], folded.at[100]);
        assert!((at.mean - (x + 1.0)).abs() < 1e-9 && at.n == 2);
        assert_eq!(folded.counts(), (2, 1));
        assert_eq!(folded.x.last(), Some(&10.0));
        assert_eq!(Folded::between(&[]), Folded::default());
        // One point is a place, too.
        assert_eq!(Folded::between(&[curve(&[(3.0, 4.0)])]).x, [3.0]);
    }

    proptest! {
        #[test]
        fn folding_is_what_a_plain_loop_over_epochs_gives(lengths in proptest::collection::vec(1usize..40, 1..8), seed in 0u64..1000) {
            let value = |run: usize, epoch: usize| ((seed as usize * 31 + run * 17 + epoch * 7) % 101) as f64;
            let curves: Vec<Column> = lengths.iter().enumerate().map(|(run, length)| {
                curve(&(1..=*length).map(|epoch| (epoch as f64, value(run, epoch))).collect::<Vec<_>>())
            }).collect();
            let mut plain: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
            for (run, length) in lengths.iter().enumerate() {
                for epoch in 1..=*length {
                    plain.entry(epoch).or_default().push(value(run, epoch));
                }
            }
            let folded = Folded::of(&curves);
            prop_assert_eq!(folded.x.len(), plain.len());
            for ((x, at), (epoch, values)) in folded.x.iter().zip(&folded.at).zip(plain) {
                let mut sum = 0.0;
                for value in &values {
                    sum += value;
                }
                prop_assert_eq!(*x, epoch as f64);
                prop_assert_eq!(at.n, values.len());
                prop_assert!((at.mean - sum / values.len() as f64).abs() < 1e-9);
            }
        }
    }
}
