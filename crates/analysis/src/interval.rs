//! How far chance may have moved a share that was counted.

/// The quantile of the normal distribution that leaves 2.5 % above it.
const Z_95: f64 = 1.959_963_984_540_054;

/// The 95 % interval of a share of `correct` in `total`, 0 to 1, by Wilson's score (1927): unlike
/// the plain normal interval it stays within 0 and 1 and is right for shares near either end. All
/// of 0 to 1 for nothing counted.
pub fn wilson(correct: u64, total: u64) -> (f64, f64) {
    if total == 0 {
        return (0.0, 1.0);
    }
    let (count, share) = (total as f64, correct as f64 / total as f64);
    let z2 = Z_95 * Z_95;
    let middle = (share + z2 / (2.0 * count)) / (1.0 + z2 / count);
    let spread = Z_95 / (1.0 + z2 / count)
        * (share * (1.0 - share) / count + z2 / (4.0 * count * count)).sqrt();
    let low = if correct == 0 { 0.0 } else { middle - spread };
    let high = if correct == total {
        1.0
    } else {
        middle + spread
    };
    (low, high)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_interval_holds_its_share_and_narrows_with_more_images(total in 1_u64..10_000, part in 0.0..=1.0) {
            let correct = (total as f64 * part) as u64;
            let share = correct as f64 / total as f64;
            let (low, high) = wilson(correct, total);
            prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
            let (more_low, more_high) = wilson(correct * 10, total * 10);
            prop_assert!(more_high - more_low < high - low);
        }
    }

    #[test]
    fn nothing_counted_may_be_anything() {
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }
}
