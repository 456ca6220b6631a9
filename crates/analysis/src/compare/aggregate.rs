//! Mean, standard deviation and range of some values. polars' `group_by` is not used: it starts a
//! thread for each core of a machine that may be a shared login node.

/// What some values amount to; NaN and infinities are passed over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aggregate {
    /// How many are finite.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with n - 1 in the denominator; `None` for one alone.
    pub deviation: Option<f64>,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Aggregate {
    /// Of `values`; `None` if none is finite.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        // Welford 1962: one pass, and no difference of large sums.
        let (mut n, mut mean, mut squares) = (0_u32, 0.0, 0.0);
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().filter(|value| value.is_finite()) {
            n += 1;
            let from_mean = value - mean;
            mean += from_mean / f64::from(n);
            squares += from_mean * (value - mean);
            min = value.min(min);
            max = value.max(max);
        }
        (n > 0).then(|| Self {
            n: n as usize,
            mean,
            deviation: (n > 1).then(|| (squares / f64::from(n - 1)).sqrt()),
            min,
            max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same by plain loops.
    fn plain(values: &[f64]) -> Option<Aggregate> {
        let finite: Vec<f64> = values.iter().copied().filter(|y| y.is_finite()).collect();
        let n = finite.len();
        if n == 0 {
            return None;
        }
        let mut sum = 0.0;
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for &value in &finite {
            sum += value;
            min = if value < min { value } else { min };
            max = if value > max { value } else { max };
        }
        let mean = sum / n as f64;
        let mut squares = 0.0;
        for &value in &finite {
            squares += (value - mean) * (value - mean);
        }
        Some(Aggregate {
            n,
            mean,
            deviation: (n > 1).then(|| (squares / (n as f64 - 1.0)).sqrt()),
            min,
            max,
        })
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![8 => -1e3..1e3f64, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)]
    }

    proptest! {
        #[test]
        fn one_pass_and_two_agree(values in proptest::collection::vec(value(), 0..60)) {
            let (one_pass, plain) = (Aggregate::of(values.iter().copied()), plain(&values));
            prop_assert_eq!(one_pass.is_some(), plain.is_some());
            if let (Some(a), Some(b)) = (one_pass, plain) {
                let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + a.abs());
                prop_assert!(a.n == b.n && a.min == b.min && a.max == b.max);
                prop_assert!(near(a.mean, b.mean), "{} {}", a.mean, b.mean);
                match (a.deviation, b.deviation) {
                    (Some(a), Some(b)) => prop_assert!(near(a, b), "{a} {b}"),
                    (a, b) => prop_assert_eq!(a, b),
                }
            }
        }
    }
}
