//! What chance does: Student's t distribution, and the best of several draws.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Intervals of the integral over a normal distribution.
const INTERVALS: usize = 4000;

/// How likely a value of Student's t distribution is as far from 0 as `t`, or farther, on either
/// side. NaN for NaN, or without degrees of freedom.
pub fn student_two_sided(t: f64, degrees: usize) -> f64 {
    match StudentsT::new(0.0, 1.0, degrees as f64) {
        Ok(student) if !t.is_nan() => 2.0 * student.sf(t.abs()),
        _ => f64::NAN,
    }
}

/// By how many deviations the largest of `n` draws from a normal distribution exceeds the mean, on
/// average: E = integral of (1 - F(x)^n - F(-x)^n) over x > 0 (Tippett 1925). 0.56 for 2, 1.54 for
/// 10, 2.51 for 100.
pub fn expected_maximum(n: usize) -> f64 {
    if n < 2 {
        return 0.0;
    }
    // Beyond this, nothing of a normal distribution is left for any n.
    let (edge, exponent) = (9.0, n as f64);
    let (step, normal) = (edge / INTERVALS as f64, Normal::standard());
    let mut sum = 0.0;
    let mut integrand = 1.0 - 2.0 * 0.5f64.powf(exponent);
    for place in 1..=INTERVALS {
        let below = normal.cdf(place as f64 * step);
        let next = 1.0 - below.powf(exponent) - (1.0 - below).powf(exponent);
        sum += step * (integrand + next) / 2.0;
        integrand = next;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantiles_of_printed_tables_leave_what_they_say() {
        for (t, degrees, part) in [
            (12.706_204_736, 1, 0.05),
            (2.776_445_105, 4, 0.05),
            (2.228_138_852, 10, 0.05),
            (3.169_272_673, 10, 0.01),
            (1.962_339_081, 1000, 0.05),
            (0.0, 3, 1.0),
        ] {
            let found = student_two_sided(t, degrees);
            assert!((found - part).abs() < 1e-6, "t {t}, {degrees}: {found}");
        }
        assert_eq!(student_two_sided(-2.0, 5), student_two_sided(2.0, 5));
        assert_eq!(student_two_sided(f64::INFINITY, 5), 0.0);
        assert!(student_two_sided(f64::NAN, 5).is_nan() && student_two_sided(1.0, 0).is_nan());
    }

    #[test]
    fn expected_maxima_are_those_of_tippetts_table() {
        for (n, expected) in [
            (1, 0.0),
            (2, 0.564_19),
            (3, 0.846_28),
            (5, 1.162_96),
            (10, 1.538_75),
            (100, 2.507_59),
            (1000, 3.241_44),
        ] {
            let found = expected_maximum(n);
            assert!((found - expected).abs() < 1e-4, "{n}: {found}");
        }
    }

    proptest! {
        #[test]
        fn more_draws_flatter_more(n in 1usize..2000) {
            prop_assert!(expected_maximum(n + 1) > expected_maximum(n));
        }

        #[test]
        fn farther_is_less_likely(t in 0.0..20.0f64, degrees in 1usize..200) {
            let (near, far) = (student_two_sided(t, degrees), student_two_sided(t + 0.1, degrees));
            prop_assert!(far < near || near < 1e-12);
            prop_assert!((0.0..=1.0).contains(&near));
        }
    }
}
