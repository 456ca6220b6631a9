//! Fewer points of a column that keep its shape: what a chart or a comparison of many runs holds of
//! a very long one.

use super::series::Column;

/// Points that are kept of a stretch: its first, lowest, highest and last.
const EACH: usize = 4;

impl Column {
    /// The column in at most `most` points (at least four): of each of equally long stretches the
    /// first, the lowest, the highest and the last, and one that is not finite where there is any.
    /// No extreme is lost, and the first and the last point stay. A column that is short enough is
    /// as it was.
    #[must_use]
    pub fn thinned(&self, most: usize) -> Self {
        let length = self.x.len().min(self.y.len());
        if length <= most.max(EACH + 1) {
            return self.clone();
        }
        let stretches = (most / (EACH + 1)).max(1);
        let mut thin = Self {
            name: self.name.clone(),
            x: Vec::with_capacity(stretches * (EACH + 1)),
            y: Vec::with_capacity(stretches * (EACH + 1)),
        };
        for stretch in 0..stretches {
            let from = length * stretch / stretches;
            let to = length * (stretch + 1) / stretches;
            for at in kept(&self.y[from..to]) {
                thin.x.push(self.x[from + at]);
                thin.y.push(self.y[from + at]);
            }
        }
        thin
    }

    /// The points from `low` to `high` along x, and the one before and the one after, so that a
    /// line enters and leaves.
    #[must_use]
    pub fn part(&self, low: f64, high: f64) -> Self {
        let from = self.x.partition_point(|x| *x < low).saturating_sub(1);
        let to = (self.x.partition_point(|x| *x <= high) + 1).min(self.x.len());
        let to = to.max(from);
        Self {
            name: self.name.clone(),
            x: self.x[from..to].to_vec(),
            y: self.y[from..to].to_vec(),
        }
    }
}

/// The places, ascending, of what stays of a stretch that is not empty.
fn kept(values: &[f64]) -> Vec<usize> {
    let finite = || values.iter().enumerate().filter(|(_, y)| y.is_finite());
    let lowest = finite().min_by(|a, b| a.1.total_cmp(b.1));
    let highest = finite().max_by(|a, b| a.1.total_cmp(b.1));
    let odd = values.iter().position(|y| !y.is_finite());
    let mut kept: Vec<usize> = [Some(0), values.len().checked_sub(1), odd]
        .into_iter()
        .chain([lowest, highest].map(|found| found.map(|(at, _)| at)))
        .flatten()
        .collect();
    kept.sort_unstable();
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn column(y: Vec<f64>) -> Column {
        Column {
            name: "loss".to_owned(),
            x: (0..y.len()).map(|x| x as f64).collect(),
            y,
        }
    }

    proptest! {
        #[test]
        fn few_points_keep_ends_extremes_and_order(y in proptest::collection::vec(-1e3..1e3f64, 1..3000), most in 5usize..400) {
            let whole = column(y);
            let thin = whole.thinned(most);
            prop_assert!(thin.x.len() <= most.max(5) && thin.x.len() == thin.y.len());
            prop_assert!(thin.x.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!(thin.x[0], 0.0);
            prop_assert_eq!(thin.last(), whole.last());
            for extreme in [f64::min, f64::max] {
                prop_assert_eq!(thin.y.iter().copied().reduce(extreme), whole.y.iter().copied().reduce(extreme));
            }
        }
    }

    #[test]
    fn one_nan_among_many_is_not_lost() {
        let mut y = vec![1.0; 10_000];
        y[4321] = f64::NAN;
        assert!(column(y).thinned(100).y.iter().any(|y| y.is_nan()));
    }

    #[test]
    fn a_part_has_its_neighbours() {
        let part = column(vec![0.0; 10]).part(2.5, 4.0);
        assert_eq!(part.x, [2.0, 3.0, 4.0, 5.0]);
        assert_eq!(column(vec![0.0; 10]).part(20.0, 30.0).x, [9.0]);
        assert_eq!(column(Vec::new()).part(1.0, 2.0).x, [0.0; 0]);
    }
}
