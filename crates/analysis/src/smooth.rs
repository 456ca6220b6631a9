//! Exponential smoothing with bias correction: what a curve tends to, without its beginning being
//! drawn towards zero.

/// The running mean of `values` in which each older value counts `weight` times as much as the
/// next: s = w s + (1 - w) y, divided by 1 - w^n, the sum of all weights so far (the correction of
/// Kingma and Ba, 2015; the slider of `TensorBoard` means the same number). A value that is not
/// finite stays what it is and is passed over by the mean. `weight` is in [0, 1); 0 gives the
/// values back.
pub fn exponential(values: &[f64], weight: f64) -> Vec<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    let step = |value: &f64| {
        if !value.is_finite() {
            return *value;
        }
        sum = weight * sum + (1.0 - weight) * value;
        weights = weight * weights + (1.0 - weight);
        sum / weights
    };
    values.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_value_is_itself_and_a_constant_stays() {
        assert_eq!(exponential(&[4.0, 4.0, 4.0], 0.9)[0], 4.0);
        assert!(
            exponential(&[4.0; 50], 0.9)
                .iter()
                .all(|value| (value - 4.0).abs() < 1e-12)
        );
        assert_eq!(exponential(&[1.0, 2.0], 0.0), [1.0, 2.0]);
    }

    #[test]
    fn what_is_not_finite_is_kept_and_passed_over() {
        let smooth = exponential(&[1.0, f64::NAN, f64::INFINITY, 1.0], 0.5);
        assert!(smooth[1].is_nan() && smooth[2] == f64::INFINITY && smooth[3] == 1.0);
    }

    proptest! {
        #[test]
        fn it_is_the_weighted_mean_of_all_values_so_far(values in proptest::collection::vec(-1e3..1e3f64, 1..60), weight in 0.0..0.99f64) {
            let smooth = exponential(&values, weight);
            for (last, smooth) in smooth.iter().enumerate() {
                let weights: Vec<f64> = (0..=last).map(|at| weight.powi((last - at) as i32)).collect();
                let sum: f64 = weights.iter().zip(&values).map(|(weight, value)| weight * value).sum();
                let mean = sum / weights.iter().sum::<f64>();
                prop_assert!((smooth - mean).abs() < 1e-8, "{smooth} {mean}");
            }
        }
    }
}
