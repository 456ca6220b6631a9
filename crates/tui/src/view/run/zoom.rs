//! Looking closer at a part of the charts' horizontal axis.

use traintop_analysis::axis::Axis;
use traintop_analysis::range::Range;

/// A change of what part is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Zoom {
    /// Half as much, around the place that is looked at.
    In,
    /// Twice as much.
    Out,
    /// Everything.
    Whole,
    /// This part of what is shown on, to the right or (negative) to the left.
    Pan(f64),
}

/// Fewer rows than these are not looked closer at.
const FEWEST_ROWS: usize = 4;

/// What is shown after a change of `shown`, a part of `whole` (`None` for all of it), around `at`;
/// `places` are those of the rows.
pub fn zoomed(
    whole: Axis,
    shown: Option<Range>,
    change: Zoom,
    at: Option<f64>,
    places: &[f64],
) -> Option<Range> {
    let axis = shown.map_or(whole, |shown| Axis::new(shown, whole.is_log()));
    let centre = at
        .map(|at| axis.fraction(at))
        .filter(|part| (0.0..=1.0).contains(part))
        .unwrap_or(0.5);
    let scaled =
        |factor: f64| axis.part(centre - centre * factor, centre + (1.0 - centre) * factor);
    let wanted = match change {
        Zoom::Whole => return None,
        Zoom::In => {
            let closer = scaled(0.5)?;
            let rows = |range: Range| {
                places.partition_point(|x| *x <= range.max())
                    - places.partition_point(|x| *x < range.min())
            };
            if rows(closer) < FEWEST_ROWS {
                return shown;
            }
            closer
        }
        Zoom::Out => scaled(2.0)?,
        Zoom::Pan(by) => axis.part(by, 1.0 + by)?,
    };
    within(whole, wanted, !matches!(change, Zoom::Out))
}

/// The part moved so that `at` is in it, if it is not.
pub fn with(whole: Axis, shown: Range, at: f64) -> Option<Range> {
    if shown.contains(at) {
        return Some(shown);
    }
    let axis = Axis::new(shown, whole.is_log());
    let part = axis.fraction(at);
    let by = if part < 0.0 { part - 0.1 } else { part - 0.9 };
    within(whole, axis.part(by, 1.0 + by)?, true)
}

/// Nothing beyond the ends of `whole`: moved back as a whole if it `keeps` its length, else cut.
/// `None` if that is all of it.
fn within(whole: Axis, part: Range, keeps: bool) -> Option<Range> {
    let (from, to) = (whole.fraction(part.min()), whole.fraction(part.max()));
    let back = if !keeps {
        0.0
    } else if from < 0.0 {
        -from
    } else {
        (1.0 - to).min(0.0)
    };
    let (from, to) = ((from + back).max(0.0), (to + back).min(1.0));
    if from <= 1e-9 && to >= 1.0 - 1e-9 {
        return None;
    }
    whole.part(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(min: f64, max: f64) -> Range {
        Range::new(min, max).unwrap()
    }

    #[test]
    fn in_and_out_around_the_place_that_is_looked_at() {
        let whole = range(0.0, 100.0).into();
        let places: Vec<f64> = (0..=100).map(f64::from).collect();
        let is = |shown: Option<Range>, min: f64, max: f64| {
            let shown = shown.unwrap();
            assert!(
                (shown.min() - min).abs() + (shown.max() - max).abs() < 1e-9,
                "{shown:?}"
            );
        };
        let closer = zoomed(whole, None, Zoom::In, Some(20.0), &places);
        is(closer, 10.0, 60.0);
        let on = zoomed(whole, closer, Zoom::Pan(0.5), None, &places);
        is(on, 35.0, 85.0);
        let end = zoomed(whole, on, Zoom::Pan(0.5), None, &places);
        is(end, 50.0, 100.0);
        is(zoomed(whole, end, Zoom::Out, None, &places), 25.0, 100.0);
        assert_eq!(zoomed(whole, end, Zoom::Whole, None, &places), None);
        is(with(whole, range(50.0, 60.0), 40.0), 39.0, 49.0);
    }

    #[test]
    fn a_few_rows_are_close_enough() {
        let places: Vec<f64> = (0..=100).map(f64::from).collect();
        let mut shown = None;
        for _ in 0..50 {
            shown = zoomed(range(0.0, 100.0).into(), shown, Zoom::In, None, &places);
        }
        let shown = shown.unwrap();
        let rows = places.iter().filter(|x| shown.contains(**x)).count();
        assert!(
            (FEWEST_ROWS..=2 * FEWEST_ROWS + 1).contains(&rows),
            "{shown:?}"
        );
    }

    proptest! {
        #[test]
        fn never_beyond_the_whole(log in any::<bool>(), min in 1e-3..1e3f64, factor in 1.1..1e6f64,
            changes in proptest::collection::vec((0usize..3, -1.0..1.0f64, proptest::option::of(0.0..1.0f64)), 0..30)) {
            let whole = range(min, min * factor);
            let axis = Axis::new(whole, log);
            let places: Vec<f64> = (0..1000).map(|place| axis.of_place(place, 1000)).collect();
            let mut shown = None;
            for (change, by, at) in changes {
                let change = [Zoom::In, Zoom::Out, Zoom::Pan(by)][change];
                shown = zoomed(axis, shown, change, at.map(|at| whole.at(at)), &places);
                if let Some(shown) = shown {
                    let slack = whole.max() * 1e-6;
                    prop_assert!(shown.min() >= whole.min() - slack && shown.max() <= whole.max() + slack && shown.min() < shown.max());
                }
            }
        }
    }
}
