//! Many points onto few columns of dots without losing one spike: each column keeps the smallest
//! and largest value that falls on it, and the first and last so that lines meet. A stride would
//! jump as rows arrive and hide what happened once.

use super::axis::Axis;

/// What a stretch of consecutive values amounts to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// The finite values: `None` when there is none.
    pub finite: Option<Span>,
    /// How many values are NaN.
    pub nan: u32,
    /// How many are positive infinity.
    pub above: u32,
    /// How many are negative infinity.
    pub below: u32,
    /// A value that is not finite comes before the first finite one: no line may reach it from the
    /// left.
    pub gap_before: bool,
    /// A value that is not finite comes after the last finite one: no line may leave to the right.
    pub gap_after: bool,
}

/// The finite values of an [`Extent`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The first in order.
    pub first: f64,
    /// The last in order.
    pub last: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Extent {
    /// No value at all.
    pub const EMPTY: Self = Self {
        finite: None,
        nan: 0,
        above: 0,
        below: 0,
        gap_before: false,
        gap_after: false,
    };

    /// The extent of one value.
    pub fn of(value: f64) -> Self {
        if value.is_finite() {
            return Self {
                finite: Some(Span {
                    first: value,
                    last: value,
                    min: value,
                    max: value,
                }),
                ..Self::EMPTY
            };
        }
        Self {
            finite: None,
            nan: u32::from(value.is_nan()),
            above: u32::from(value == f64::INFINITY),
            below: u32::from(value == f64::NEG_INFINITY),
            gap_before: true,
            gap_after: true,
        }
    }

    /// The extent of these values followed by `next`'s. Associative, with [`Extent::EMPTY`] as its
    /// neutral element.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        let finite = match (self.finite, next.finite) {
            (Some(a), Some(b)) => Some(Span {
                first: a.first,
                last: b.last,
                min: a.min.min(b.min),
                max: a.max.max(b.max),
            }),
            (a, b) => a.or(b),
        };
        Self {
            finite,
            nan: self.nan.saturating_add(next.nan),
            above: self.above.saturating_add(next.above),
            below: self.below.saturating_add(next.below),
            gap_before: self.gap_before || (self.finite.is_none() && next.gap_before),
            gap_after: next.gap_after || (next.finite.is_none() && self.gap_after),
        }
    }
}

const BLOCK: usize = 64;

/// The extents of each full block of [`BLOCK`] values of a series, and of each full block of as
/// many blocks, kept beside it: with them a series of a million points is decimated to any range
/// and width in time that grows with the width. Extending costs only the new values.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocks {
    full: Vec<Extent>,
    /// Each of [`BLOCK`] of `full`.
    large: Vec<Extent>,
    /// Of all full blocks together.
    together: Extent,
}

impl Default for Blocks {
    fn default() -> Self {
        Self {
            full: Vec::new(),
            large: Vec::new(),
            together: Extent::EMPTY,
        }
    }
}

impl Blocks {
    /// The blocks of a whole series.
    pub fn of(values: &[f64]) -> Self {
        let mut blocks = Self::default();
        blocks.extend(values);
        blocks
    }

    /// Drops the extents of the values from `length` on, which are about to change.
    pub fn truncate(&mut self, length: usize) {
        if length / BLOCK < self.full.len() {
            self.full.truncate(length / BLOCK);
            self.large.truncate(self.full.len() / BLOCK);
            let rest = &self.full[self.large.len() * BLOCK..];
            self.together = together(&self.large).then(together(rest));
        }
    }

    /// Takes in what was appended; `values` is the whole series, of which the part seen before must
    /// be unchanged.
    pub fn extend(&mut self, values: &[f64]) {
        let new = values.get(self.full.len() * BLOCK..).unwrap_or_default();
        for block in new.chunks_exact(BLOCK).map(extent) {
            self.together = self.together.then(block);
            self.full.push(block);
            if self.full.len().is_multiple_of(BLOCK) {
                let whole = &self.full[self.full.len() - BLOCK..];
                self.large.push(together(whole));
            }
        }
    }

    /// The extent of `values[start..end]`, of the series that these blocks were made from.
    pub fn extent(&self, values: &[f64], start: usize, end: usize) -> Extent {
        let end = end.min(values.len());
        let start = start.min(end);
        let first = start.div_ceil(BLOCK);
        let last = (end / BLOCK).min(self.full.len());
        if first >= last {
            return extent(&values[start..end]);
        }
        extent(&values[start..first * BLOCK])
            .then(self.of_blocks(first, last))
            .then(extent(&values[last * BLOCK..end]))
    }

    /// The extent of the full blocks `first..last`.
    fn of_blocks(&self, first: usize, last: usize) -> Extent {
        let first_large = first.div_ceil(BLOCK);
        let last_large = (last / BLOCK).min(self.large.len());
        if first_large >= last_large {
            return together(&self.full[first..last]);
        }
        together(&self.full[first..first_large * BLOCK])
            .then(together(&self.large[first_large..last_large]))
            .then(together(&self.full[last_large * BLOCK..last]))
    }

    /// The extent of the whole series.
    pub fn whole(&self, values: &[f64]) -> Extent {
        let rest = values.get(self.full.len() * BLOCK..).unwrap_or_default();
        self.together.then(extent(rest))
    }
}

fn together(extents: &[Extent]) -> Extent {
    extents.iter().copied().fold(Extent::EMPTY, Extent::then)
}

fn extent(values: &[f64]) -> Extent {
    let (Some(&first), Some(&last)) = (values.first(), values.last()) else {
        return Extent::EMPTY;
    };
    // Nearly all values are finite, and their extremes alone are found several at a time.
    if values.iter().all(|value| value.is_finite()) {
        let smaller = |least: f64, value: &f64| if *value < least { *value } else { least };
        let larger = |most: f64, value: &f64| if *value > most { *value } else { most };
        return Extent {
            finite: Some(Span {
                first,
                last,
                min: values.iter().fold(first, smaller),
                max: values.iter().fold(first, larger),
            }),
            ..Extent::EMPTY
        };
    }
    values
        .iter()
        .map(|&value| Extent::of(value))
        .fold(Extent::EMPTY, Extent::then)
}

/// The values on the visible part of the axis: their first index and the one after their last.
pub fn shown(xs: &[f64], axis: Axis) -> (usize, usize) {
    let start = xs.partition_point(|&x| x < axis.range().min());
    let end = xs.partition_point(|&x| x <= axis.range().max());
    (start, end.max(start))
}

/// `width` extents from left to right over `axis`: the values whose x falls on each column, as
/// [`Axis::place`] says. Points outside of it are left out. `xs` ascends and is as long as `ys`,
/// and `blocks` were made from `ys`.
pub fn columns(xs: &[f64], ys: &[f64], blocks: &Blocks, axis: Axis, width: usize) -> Vec<Extent> {
    let count = xs.len().min(ys.len());
    let (xs, ys) = (&xs[..count], &ys[..count]);
    let (start, end) = shown(xs, axis);
    if end - start <= 8 * width {
        return one_by_one(xs, ys, axis, width, Extent::of);
    }
    let mut columns = vec![Extent::EMPTY; width];
    let mut from = start;
    for (place, column) in columns.iter_mut().enumerate() {
        let length =
            xs[from..end].partition_point(|&x| axis.place(x, width).is_some_and(|at| at <= place));
        *column = blocks.extent(ys, from, from + length);
        from += length;
    }
    columns
}

/// As [`columns`], for values of which only the positive ones have a place, as on a logarithmic
/// axis: zero and what is below it count as negative infinity. Takes time that grows with the
/// points.
pub fn positive_columns(xs: &[f64], ys: &[f64], axis: Axis, width: usize) -> Vec<Extent> {
    one_by_one(xs, ys, axis, width, |y| {
        Extent::of(if y <= 0.0 { f64::NEG_INFINITY } else { y })
    })
}

fn one_by_one(
    xs: &[f64],
    ys: &[f64],
    axis: Axis,
    width: usize,
    of: impl Fn(f64) -> Extent,
) -> Vec<Extent> {
    let mut columns = vec![Extent::EMPTY; width];
    let count = xs.len().min(ys.len());
    let (start, end) = shown(&xs[..count], axis);
    for (&x, &y) in xs[start..end].iter().zip(&ys[start..end]) {
        if let Some(place) = axis.place(x, width) {
            columns[place] = columns[place].then(of(y));
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::range::Range;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![8 => -1e3..1e3f64, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY), 1 => Just(f64::NEG_INFINITY)]
    }

    fn decimated(ys: &[f64], width: usize) -> Vec<Extent> {
        let xs: Vec<f64> = (0..ys.len()).map(|x| x as f64).collect();
        columns(
            &xs,
            ys,
            &Blocks::of(ys),
            Range::new(0.0, (ys.len() - 1) as f64).unwrap().into(),
            width,
        )
    }

    #[test]
    fn one_spike_in_a_million_points_survives() {
        let mut ys = vec![0.0; 1_000_000];
        ys[654_321] = 9.0;
        let spiked: Vec<_> = decimated(&ys, 160)
            .iter()
            .filter(|column| column.finite.unwrap().max == 9.0)
            .copied()
            .collect();
        assert_eq!(spiked.len(), 1);
        assert_eq!(spiked[0].finite.unwrap().min, 0.0);
    }

    #[test]
    fn a_value_that_is_not_finite_breaks_the_line_on_both_sides() {
        let columns = decimated(&[1.0, f64::NAN, 2.0], 3);
        assert_eq!(columns[1].finite, None);
        assert_eq!(columns[1].nan, 1);
        assert!(columns[1].gap_before && columns[1].gap_after);
        let merged = columns[0].then(columns[1]);
        assert!(merged.gap_after && !merged.gap_before);
        let merged = columns[1].then(columns[2]);
        assert!(merged.gap_before && !merged.gap_after);
    }

    #[test]
    fn no_columns_for_no_width() {
        assert_eq!(decimated(&[1.0, 2.0], 0), []);
    }

    proptest! {
        #[test]
        fn columns_are_what_a_plain_pass_gives(ys in proptest::collection::vec(value(), 1..3000), width in 1usize..200, cut in 0.0..0.4f64, log in any::<bool>()) {
            let xs: Vec<f64> = (0..ys.len()).map(|x| (x / 2) as f64).collect();
            let range = Range::new(xs[xs.len() - 1] * cut + 0.5, xs[xs.len() - 1] * (1.0 - cut) + 0.5).unwrap();
            let range = Axis::new(range, log);
            let mut plain = vec![Extent::EMPTY; width];
            for (&x, &y) in xs.iter().zip(&ys) {
                if let Some(place) = range.place(x, width) {
                    plain[place] = plain[place].then(Extent::of(y));
                }
            }
            prop_assert_eq!(columns(&xs, &ys, &Blocks::of(&ys), range, width), plain);
        }

        #[test]
        fn growing_gives_what_reading_at_once_gives(ys in proptest::collection::vec(value(), 0..1000), cut in 0usize..1000) {
            let mut grown = Blocks::of(&ys[..cut.min(ys.len())]);
            grown.extend(&ys);
            prop_assert_eq!(&grown, &Blocks::of(&ys));
            grown.truncate(cut);
            grown.extend(&ys);
            prop_assert_eq!(grown.whole(&ys), extent(&ys));
            prop_assert_eq!(grown, Blocks::of(&ys));
        }

        #[test]
        fn any_part_is_what_its_values_say(ys in proptest::collection::vec(value(), 0..20_000), cuts in (0.0..1.0f64, 0.0..1.0f64)) {
            let [a, b] = [cuts.0, cuts.1].map(|cut| (ys.len() as f64 * cut) as usize);
            let (start, end) = (a.min(b), a.max(b));
            prop_assert_eq!(Blocks::of(&ys).extent(&ys, start, end), extent(&ys[start..end]));
        }

        #[test]
        fn no_extreme_is_lost(ys in proptest::collection::vec(value(), 1..2000), width in 1usize..100) {
            let whole = decimated(&ys, width).into_iter().fold(Extent::EMPTY, Extent::then);
            let expected = extent(&ys);
            prop_assert_eq!(whole, expected);
        }
    }
}
