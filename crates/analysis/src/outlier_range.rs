//! A range that a few wild values do not stretch.

use super::range::Range;

/// The range of what is no outlier, and how many values are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutlierRange {
    /// From the smallest to the largest value that is none.
    pub range: Range,
    /// How many finite values lie beyond it.
    pub outside: usize,
}

/// Outliers are further from the middle nine tenths of the values than one and a half times these
/// span: a loss that falls from ten to a tenth keeps its beginning, one that explodes once loses
/// the explosion. `None` if no value is finite.
pub fn outlier_range(values: &[f64]) -> Option<OutlierRange> {
    let mut finite: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .collect();
    let last = finite.len().checked_sub(1)?;
    let mut at = |part: f64| {
        let index = (last as f64 * part).round() as usize;
        *finite.select_nth_unstable_by(index, f64::total_cmp).1
    };
    let (low, high) = (at(0.05), at(0.95));
    // Halves, because the span may overflow.
    let reach = 3.0 * (high / 2.0 - low / 2.0);
    let inside = |value: &f64| *value >= low - reach && *value <= high + reach;
    let kept = finite.iter().copied().filter(inside);
    let range = Range::of(kept)?;
    let outside = finite.iter().filter(|value| !inside(value)).count();
    Some(OutlierRange { range, outside })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_explosion_is_left_out_and_a_falling_loss_is_kept() {
        let mut losses: Vec<f64> = (0..200)
            .map(|at| 2.3 * (-f64::from(at) / 40.0).exp())
            .collect();
        let calm = outlier_range(&losses).unwrap();
        assert_eq!((calm.range.max(), calm.outside), (2.3, 0));
        losses[120] = 1e9;
        let wild = outlier_range(&losses).unwrap();
        assert_eq!((wild.range.max(), wild.outside), (2.3, 1));
    }

    #[test]
    fn a_constant_with_one_other_value_shows_the_constant() {
        let mut values = vec![7.0; 100];
        values[3] = 8.0;
        let robust = outlier_range(&values).unwrap();
        assert_eq!(
            (robust.range.min(), robust.range.max(), robust.outside),
            (7.0, 7.0, 1)
        );
        assert_eq!(super::outlier_range(&[f64::NAN]), None);
    }

    proptest! {
        #[test]
        fn nine_tenths_of_the_values_are_inside(values in proptest::collection::vec(any::<f64>(), 0..200)) {
            let finite = values.iter().filter(|value| value.is_finite()).count();
            match outlier_range(&values) {
                None => prop_assert_eq!(finite, 0),
                Some(outliers) => {
                    let inside = values.iter().filter(|value| outliers.range.contains(**value)).count();
                    prop_assert_eq!(inside + outliers.outside, finite);
                    prop_assert!(outliers.outside * 10 <= finite + 10);
                }
            }
        }
    }
}
