//! What an axis shows: a range of numbers, in equal steps or by powers of ten.

use super::range::Range;
use super::scale::Scale;

/// A range along an axis, linear or logarithmic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    shown: Range,
    /// The decimal logarithms of `shown`, where steps are factors.
    powers: Option<Range>,
}

impl From<Range> for Axis {
    fn from(shown: Range) -> Self {
        Self {
            shown,
            powers: None,
        }
    }
}

impl Axis {
    /// Equal steps, or equal factors if `log`; a range that reaches to zero or below has no
    /// logarithms and stays linear.
    pub fn new(shown: Range, log: bool) -> Self {
        let powers = (log && shown.min() > 0.0)
            .then(|| Range::new(shown.min().log10(), shown.max().log10()))
            .flatten();
        Self { shown, powers }
    }

    /// Whether equal distances are equal factors.
    pub fn is_log(self) -> bool {
        self.powers.is_some()
    }

    /// What it shows.
    pub fn range(self) -> Range {
        self.shown
    }

    /// Which of `count` equal places `value` falls on, as [`Range::place`] says; on a logarithmic
    /// axis nothing is where zero and what lies below it would be.
    pub fn place(self, value: f64, count: usize) -> Option<usize> {
        match self.powers {
            None => self.shown.place(value, count),
            Some(powers) => {
                if !self.shown.contains(value) {
                    return None;
                }
                // Rounding must not push the ends out.
                let power = value.log10().clamp(powers.min(), powers.max());
                powers.place(power, count)
            }
        }
    }

    /// The value in the middle of place `place` of `count`.
    pub fn of_place(self, place: usize, count: usize) -> f64 {
        match self.powers {
            None => self.shown.of_place(place, count),
            Some(powers) => 10f64.powf(powers.of_place(place, count)),
        }
    }

    /// The part from `from` to `to` of the way along it (0 is its lower end, 1 its upper; beyond
    /// them too).
    #[must_use]
    pub fn part(self, from: f64, to: f64) -> Option<Range> {
        match self.powers {
            None => Range::new(self.shown.at(from), self.shown.at(to)),
            Some(powers) => Range::new(10f64.powf(powers.at(from)), 10f64.powf(powers.at(to))),
        }
    }

    /// Where `value` lies along it: 0 at the lower end, 1 at the upper.
    pub fn fraction(self, value: f64) -> f64 {
        match self.powers {
            None => self.shown.fraction(value),
            Some(powers) => powers.fraction(value.log10()),
        }
    }

    /// The axis widened to round numbers, as [`Range::rounded_out`]; by factors, to the next 1, 2
    /// or 5 times a power of ten.
    #[must_use]
    pub fn rounded_out(self, scale: Scale) -> Self {
        if self.powers.is_none() {
            return self.shown.rounded_out(scale).into();
        }
        let (min, max) = (self.shown.min(), self.shown.max());
        let below = ROUND.iter().rev().map(|round| at_power(min, *round));
        let above = ROUND.iter().map(|round| at_power(max, *round));
        let near = 1e-9;
        let low = below
            .chain([min])
            .find(|round| *round <= min * (1.0 + near));
        let high = above
            .chain([10.0 * at_power(max, 1.0)])
            .find(|round| *round >= max * (1.0 - near));
        let (low, high) = (low.unwrap_or(min).min(min), high.unwrap_or(max).max(max));
        let (low, high) = if low < high {
            (low, high)
        } else {
            (low / 2.0, high * 2.0)
        };
        match Range::new(low, high) {
            Some(shown) if low > 0.0 => Self::new(shown, true),
            _ => self,
        }
    }
}

const ROUND: [f64; 3] = [1.0, 2.0, 5.0];

/// `round` times the power of ten at or below a positive `value`.
fn at_power(value: f64, round: f64) -> f64 {
    round * 10f64.powf((value.log10() + 1e-9).floor())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn axis(min: f64, max: f64) -> Axis {
        Axis::new(Range::new(min, max).unwrap(), true)
    }

    #[test]
    fn equal_factors_are_equal_distances() {
        let places = [1.0, 10.0, 100.0, 1000.0].map(|value| axis(1.0, 1000.0).place(value, 31));
        assert_eq!(places, [Some(0), Some(10), Some(20), Some(30)]);
        assert_eq!(axis(1.0, 1000.0).place(0.0, 31), None);
        assert_eq!(axis(1.0, 1000.0).place(f64::NAN, 31), None);
        assert!((axis(1.0, 100.0).of_place(5, 11) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn zero_has_no_logarithm() {
        assert!(!axis(0.0, 5.0).is_log() && !axis(-1.0, 5.0).is_log());
    }

    #[test]
    fn ends_go_out_to_round_factors() {
        let out = axis(0.03, 4.1).rounded_out(Scale::Number).range();
        assert!(
            (out.min() - 0.02).abs() < 1e-12 && out.max() == 5.0,
            "{out:?}"
        );
        let out = axis(1.0, 100.0).rounded_out(Scale::Number).range();
        assert_eq!((out.min(), out.max()), (1.0, 100.0));
        let flat = axis(3.0, 3.0).rounded_out(Scale::Number).range();
        assert!(flat.min() < 3.0 && flat.max() > 3.0);
    }

    proptest! {
        #[test]
        fn what_is_shown_has_a_place(min in 1e-12..1e3f64, factor in 1.0..1e9f64, part in 0.0..=1.0f64, count in 1usize..500) {
            let axis = axis(min, min * factor);
            let value = (min + (min * factor - min) * part).clamp(min, min * factor);
            prop_assert!(axis.place(value, count).is_some_and(|place| place < count));
            let out = axis.rounded_out(Scale::Number).range();
            prop_assert!(out.min() <= min && out.max() >= min * factor && out.min() > 0.0);
        }
    }
}
