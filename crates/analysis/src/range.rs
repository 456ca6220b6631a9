//! A closed interval of finite numbers: what an axis shows.

use super::scale::Scale;

/// `min <= max`, both finite, by construction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    min: f64,
    max: f64,
}

impl Range {
    /// The interval between two finite numbers, in either order; `None` when one is not finite.
    pub fn new(a: f64, b: f64) -> Option<Self> {
        (a.is_finite() && b.is_finite()).then(|| Self {
            min: a.min(b),
            max: a.max(b),
        })
    }

    /// The smallest interval that holds every finite value; `None` when there is none. NaN and
    /// infinities are passed over.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        values
            .into_iter()
            .filter(|value| value.is_finite())
            .fold(None, |range, value| {
                let point = Self {
                    min: value,
                    max: value,
                };
                Some(range.map_or(point, |range: Self| range.union(point)))
            })
    }

    /// The lower end.
    pub fn min(self) -> f64 {
        self.min
    }

    /// The upper end.
    pub fn max(self) -> f64 {
        self.max
    }

    /// The smallest interval that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// What both hold, if that is anything.
    pub fn common(self, other: Self) -> Option<Self> {
        let (min, max) = (self.min.max(other.min), self.max.min(other.max));
        (min <= max).then_some(Self { min, max })
    }

    /// Both ends included.
    pub fn contains(self, value: f64) -> bool {
        self.min <= value && value <= self.max
    }

    /// Where `value` lies: 0 at the lower end, 1 at the upper, outside of that when it is outside.
    /// A point's own value is at 0.5.
    pub fn fraction(self, value: f64) -> f64 {
        // Halves, because max - min may overflow.
        let span = self.max / 2.0 - self.min / 2.0;
        if span > 0.0 {
            (value / 2.0 - self.min / 2.0) / span
        } else {
            0.5
        }
    }

    /// The value at `fraction` of the way from the lower end to the upper.
    pub fn at(self, fraction: f64) -> f64 {
        self.min * (1.0 - fraction) + self.max * fraction
    }

    /// Which of `count` equal places `value` falls on, the ends being the centres of the first and
    /// the last; `None` outside the interval, for NaN, and when there is no place.
    pub fn place(self, value: f64, count: usize) -> Option<usize> {
        let last = count.checked_sub(1)?;
        // A value in the interval has a fraction in 0..=1, and rounding cannot leave 0..=last.
        self.contains(value)
            .then(|| ((self.fraction(value) * last as f64).round() as usize).min(last))
    }

    /// The value in the middle of place `place` of `count`.
    pub fn of_place(self, place: usize, count: usize) -> f64 {
        if count < 2 {
            self.at(0.5)
        } else {
            self.at(place.min(count - 1) as f64 / (count - 1) as f64)
        }
    }

    /// Itself, or, when both ends are equal, an interval around that value wide enough to draw a
    /// flat line in.
    #[must_use]
    pub fn opened(self) -> Self {
        if self.min < self.max {
            return self;
        }
        let margin = if self.min == 0.0 {
            1.0
        } else {
            self.min.abs() * 0.1
        };
        Self::new(self.min - margin, self.max + margin).unwrap_or(self)
    }

    /// The interval widened to round numbers, so that it stays the same while values join that lie
    /// within: at each end by at most a quarter of its width. Never empty. Percentages within
    /// 0..=100 stay within.
    #[must_use]
    pub fn rounded_out(self, scale: Scale) -> Self {
        let open = self.opened();
        let step = scale.round_step(open.max / 10.0 - open.min / 10.0);
        let out = Self::new(
            (open.min / step).floor() * step,
            (open.max / step).ceil() * step,
        )
        .unwrap_or(open)
        .union(open);
        match Self::new(0.0, 100.0) {
            Some(whole)
                if scale == Scale::Percent
                    && whole.contains(self.min)
                    && whole.contains(self.max) =>
            {
                Self {
                    min: out.min.max(0.0),
                    max: out.max.min(100.0),
                }
            }
            _ => out,
        }
    }

    /// For an axis along which data still arrives: the upper end moved up to a round number, but
    /// not past `planned` (where the data itself has not passed it), so that most arrivals change
    /// the picture only at their own place.
    #[must_use]
    pub fn with_room(self, planned: Option<f64>) -> Self {
        let room = round_up(self.max);
        let max = match planned {
            Some(planned) if planned >= self.max => room.min(planned),
            Some(_) => self.max,
            None => room,
        };
        Self::new(self.min, max).unwrap_or(self)
    }
}

/// The first of 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10 times a power of ten that is not below
/// `value`.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return value;
    }
    let unit = 10f64.powf(value.log10().floor());
    [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0]
        .into_iter()
        .map(|factor| factor * unit)
        .find(|&round| round >= value)
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(a: f64, b: f64) -> Range {
        Range::new(a, b).unwrap()
    }

    #[test]
    fn only_finite_values_count() {
        assert_eq!(
            Range::of([f64::NAN, 2.0, f64::INFINITY, -1.0]),
            Range::new(-1.0, 2.0)
        );
        assert_eq!(Range::of([f64::NAN, f64::NEG_INFINITY]), None);
        assert_eq!(Range::of([]), None);
    }

    #[test]
    fn ends_fall_on_the_outer_places() {
        let epochs = range(1.0, 200.0);
        assert_eq!(epochs.place(1.0, 100), Some(0));
        assert_eq!(epochs.place(200.0, 100), Some(99));
        assert_eq!(epochs.place(201.0, 100), None);
        assert_eq!(epochs.place(f64::NAN, 100), None);
        assert_eq!(epochs.place(5.0, 0), None);
    }

    #[test]
    fn a_constant_is_given_room() {
        assert_eq!(range(0.0, 0.0).opened(), range(-1.0, 1.0));
        assert_eq!(range(5.0, 5.0).opened(), range(4.5, 5.5));
        assert!(range(f64::MAX, f64::MAX).opened().max().is_finite());
    }

    #[test]
    fn rounding_out_gives_the_limits_a_person_would_choose() {
        assert_eq!(
            range(16.2, 94.56).rounded_out(Scale::Percent),
            range(10.0, 100.0)
        );
        assert_eq!(range(4e-7, 0.1).rounded_out(Scale::Number), range(0.0, 0.1));
        assert_eq!(range(99.2, 100.0).rounded_out(Scale::Percent).max(), 100.0);
        assert_eq!(
            range(100.0, 100.0).rounded_out(Scale::Percent),
            range(90.0, 100.0)
        );
    }

    #[test]
    fn growing_data_has_room_up_to_what_is_planned() {
        assert_eq!(range(1.0, 37.0).with_room(Some(200.0)), range(1.0, 40.0));
        assert_eq!(range(1.0, 190.0).with_room(Some(195.0)), range(1.0, 195.0));
        assert_eq!(range(1.0, 201.0).with_room(Some(200.0)), range(1.0, 201.0));
        assert_eq!(range(0.0, 0.0).with_room(None), range(0.0, 0.0));
    }

    proptest! {
        #[test]
        fn wider_ranges_hold_the_narrow_one(a in any::<f64>(), b in any::<f64>()) {
            if let Some(range) = Range::new(a, b) {
                for wide in [range.opened(), range.rounded_out(Scale::Number), range.rounded_out(Scale::Percent), range.with_room(Some(a))] {
                    prop_assert!(wide.min() <= range.min() && range.max() <= wide.max());
                }
            }
        }

        #[test]
        fn a_place_and_its_value_agree(a in -1e9..1e9f64, width in 1e-3..1e9f64, count in 2usize..500, place in 0usize..500) {
            let range = range(a, a + width);
            let place = place % count;
            prop_assert_eq!(range.place(range.of_place(place, count).clamp(range.min(), range.max()), count), Some(place));
        }
    }
}
