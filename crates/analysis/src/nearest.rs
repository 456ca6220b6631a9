//! Which point of a series a cursor reads.

/// The index of the value in `xs` (ascending) closest to `at`; the earlier of two equally close;
/// `None` when there is none.
pub fn nearest(xs: &[f64], at: f64) -> Option<usize> {
    let above = xs.partition_point(|&x| x < at);
    let before = above.checked_sub(1);
    match (before, xs.get(above)) {
        (Some(before), Some(&after)) if at - xs[before] > after - at => Some(above),
        (Some(before), _) => Some(before),
        (None, Some(_)) => Some(above),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;
    use proptest::prelude::*;

    #[test]
    fn an_empty_series_has_no_nearest_point() {
        assert_eq!(nearest(&[], 3.0), None);
    }

    #[test]
    fn ties_go_to_the_earlier_point() {
        assert_eq!(nearest(&[1.0, 3.0], 2.0), Some(0));
        assert_eq!(nearest(&[1.0, 3.0], 2.1), Some(1));
        assert_eq!(nearest(&[1.0, 3.0], -7.0), Some(0));
        assert_eq!(nearest(&[1.0, 3.0], 99.0), Some(1));
    }

    proptest! {
        #[test]
        fn no_other_point_is_closer(mut xs in proptest::collection::vec(-1e6..1e6f64, 1..50), at in -2e6..2e6f64) {
            xs.sort_by(f64::total_cmp);
            let found = nearest(&xs, at).unwrap();
            prop_assert!(xs.iter().all(|x| (x - at).abs() >= (xs[found] - at).abs()));
        }
    }
}
