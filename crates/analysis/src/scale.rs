//! What kind of number runs along an axis: it decides which steps are round, and how a value is
//! written.

use jiff::Timestamp;
use jiff::tz::Offset;

/// The kind of a quantity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Any real number.
    #[default]
    Number,
    /// Counted things (epochs, steps): ticks fall on whole numbers only.
    Whole,
    /// Already in percent, 0 to 100; written with `%`.
    Percent,
    /// Seconds; written as seconds, minutes, hours and days.
    Seconds,
    /// The date and time: seconds since 1970 as the clock on the wall counts them.
    Clock,
}

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// Round steps of time from a second to a day.
const TIME_STEPS: [f64; 17] = [
    1.0,
    2.0,
    5.0,
    10.0,
    15.0,
    30.0,
    MINUTE,
    2.0 * MINUTE,
    5.0 * MINUTE,
    10.0 * MINUTE,
    15.0 * MINUTE,
    30.0 * MINUTE,
    HOUR,
    2.0 * HOUR,
    6.0 * HOUR,
    12.0 * HOUR,
    DAY,
];

impl Scale {
    /// The smallest round step that is at least `raw` (positive): 1, 2 or 5 times a power of ten;
    /// for time, what divides the next larger unit.
    pub fn round_step(self, raw: f64) -> f64 {
        match self {
            Self::Number | Self::Percent => one_two_five(raw),
            Self::Whole => one_two_five(raw).max(1.0),
            Self::Seconds | Self::Clock if raw <= 0.5 => one_two_five(raw),
            Self::Seconds | Self::Clock => TIME_STEPS
                .into_iter()
                .find(|&step| step >= raw * (1.0 - 1e-9))
                .unwrap_or_else(|| DAY * one_two_five(raw / DAY)),
        }
    }

    /// A tick's value, written with just the digits that distinguish it from its neighbours `step`
    /// away.
    pub fn label(self, value: f64, step: f64) -> String {
        match self {
            Self::Percent => format!("{}%", with_step(value, step)),
            Self::Seconds if step >= 1.0 => duration(value),
            Self::Seconds => format!("{}s", with_step(value, step)),
            Self::Clock if step >= DAY => clock(value, "%b %-d"),
            Self::Clock if step >= MINUTE => clock(value, "%H:%M"),
            Self::Clock if step >= 1.0 => clock(value, "%H:%M:%S"),
            Self::Clock => clock(value, "%H:%M:%S%.3f"),
            Self::Number | Self::Whole => with_step(value, step),
        }
    }

    /// A value as a person reads it out: four significant digits, two decimals of a percentage,
    /// whole counts in full. `NaN`, `inf` and `-inf` are written as such.
    pub fn reading(self, value: f64) -> String {
        if !value.is_finite() {
            return value.to_string();
        }
        match self {
            Self::Whole if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value:.0}"),
            Self::Number | Self::Whole => significant(value, 4),
            Self::Percent => format!("{value:.2}%"),
            Self::Seconds if value.abs() < MINUTE => format!("{}s", significant(value, 3)),
            Self::Seconds => duration(value.round()),
            Self::Clock => clock(value, "%Y-%m-%d %H:%M:%S"),
        }
    }
}

/// A time of day or a date; beyond the calendar the seconds themselves.
fn clock(value: f64, format: &str) -> String {
    let seconds = (value * 1000.0).round() as i64;
    match Timestamp::from_millisecond(seconds) {
        Ok(time) => Offset::UTC.to_datetime(time).strftime(format).to_string(),
        Err(_) => format!("{value:e}"),
    }
}

fn one_two_five(raw: f64) -> f64 {
    let raw = if raw.is_finite() {
        raw.max(f64::MIN_POSITIVE)
    } else {
        f64::MAX / 10.0
    };
    let unit = 10f64.powf(raw.log10().floor()).max(f64::MIN_POSITIVE);
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * unit)
        // A tenth computed as 0.09999999999999998 must still count as a tenth.
        .find(|&step| step >= raw * (1.0 - 1e-9))
        .unwrap_or(raw)
}

/// The power of ten at or below a positive number.
fn exponent(value: f64) -> i32 {
    // log10 is inexact just below powers of ten (0.001 gives -2.9999999999999996).
    (value.log10() + 1e-9).floor() as i32
}

fn with_step(value: f64, step: f64) -> String {
    if value.abs() < step * 1e-6 {
        return "0".to_owned();
    }
    let step_exponent = exponent(step);
    let value_exponent = exponent(value.abs());
    if value_exponent.max(step_exponent) < -3 || step_exponent < -7 {
        let digits = (value_exponent - step_exponent).clamp(0, 12) as usize;
        return format!("{value:.digits$e}");
    }
    for (power, suffix) in [(12, "T"), (9, "G"), (6, "M"), (3, "k")] {
        // 1500 stays 1500; 15,000 becomes 15k.
        if value_exponent >= power + i32::from(power == 3)
            || (value_exponent >= power && step_exponent >= power)
        {
            let digits = (power - step_exponent).clamp(0, 12) as usize;
            if power == 12 && value_exponent >= 15 {
                let digits = (value_exponent - step_exponent).clamp(0, 12) as usize;
                return format!("{value:.digits$e}");
            }
            return format!("{:.digits$}{suffix}", value / 10f64.powi(power));
        }
    }
    let digits = (-step_exponent).max(0) as usize;
    format!("{value:.digits$}")
}

fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let power = exponent(value.abs());
    if !(-4..=6).contains(&power) {
        let mantissa_digits = (digits - 1).max(0) as usize;
        return format!("{value:.mantissa_digits$e}");
    }
    let decimals = (digits - 1 - power).max(0) as usize;
    format!("{value:.decimals$}")
}

/// At most two units: `45s`, `1m30s`, `2h`, `1h05m`, `3d04h`.
fn duration(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let seconds = seconds.abs();
    let pair = |large: f64, small: f64, large_name: &str, small_name: &str| {
        let whole = (seconds / large + 1e-9).floor();
        let rest = ((seconds - whole * large) / small + 1e-9).floor();
        if rest > 0.0 {
            format!("{sign}{whole}{large_name}{rest:02}{small_name}")
        } else {
            format!("{sign}{whole}{large_name}")
        }
    };
    if seconds < MINUTE && seconds.fract() == 0.0 {
        format!("{sign}{seconds}s")
    } else if seconds < MINUTE {
        format!("{sign}{}s", significant(seconds, 3))
    } else if seconds < HOUR {
        pair(MINUTE, 1.0, "m", "s")
    } else if seconds < DAY {
        pair(HOUR, MINUTE, "h", "m")
    } else if seconds < 1e5 * DAY {
        pair(DAY, HOUR, "d", "h")
    } else {
        format!("{sign}{:.2e}d", seconds / DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        for (raw, round) in [
            (0.013, 0.02),
            (0.1, 0.1),
            (3.0, 5.0),
            (5.1, 10.0),
            (1e-9, 1e-9),
        ] {
            let step = Scale::Number.round_step(raw);
            assert!((step / round - 1.0).abs() < 1e-9, "{raw}: {step}");
        }
        assert_eq!(Scale::Whole.round_step(0.2), 1.0);
        assert_eq!(Scale::Seconds.round_step(7.0), 10.0);
        assert_eq!(Scale::Seconds.round_step(61.0), 120.0);
        assert_eq!(Scale::Seconds.round_step(25.0 * HOUR), 2.0 * DAY);
    }

    #[test]
    fn labels_have_just_enough_digits() {
        for (value, step, text) in [
            (0.0, 0.5, "0"),
            (1.5, 0.5, "1.5"),
            (1.0, 0.5, "1.0"),
            (0.04, 0.02, "0.04"),
            (20.0, 20.0, "20"),
            (1500.0, 500.0, "1500"),
            (20_000.0, 5_000.0, "20k"),
            (1_500_000.0, 500_000.0, "1.5M"),
            (2_000_000.0, 500_000.0, "2.0M"),
            (1e-6, 1e-6, "1e-6"),
            (1.5e-6, 5e-7, "1.5e-6"),
            (-0.4, 0.2, "-0.4"),
            (3e20, 1e20, "3e20"),
        ] {
            assert_eq!(Scale::Number.label(value, step), text);
        }
        assert_eq!(Scale::Percent.label(40.0, 20.0), "40%");
        assert_eq!(Scale::Percent.label(94.5, 0.5), "94.5%");
    }

    #[test]
    fn time_is_written_in_its_units() {
        for (value, step, text) in [
            (0.0, 10.0, "0s"),
            (30.0, 10.0, "30s"),
            (0.5, 0.5, "0.5s"),
            (90.0, 30.0, "1m30s"),
            (120.0, 60.0, "2m"),
            (3600.0, 1800.0, "1h"),
            (5400.0, 1800.0, "1h30m"),
            (3900.0, 300.0, "1h05m"),
            (2.0 * DAY, DAY, "2d"),
        ] {
            assert_eq!(Scale::Seconds.label(value, step), text);
        }
    }

    #[test]
    fn a_clock_says_as_much_as_neighbours_differ_in() {
        // 2026-11-24 10:31:48
        let value = 1_795_516_308.0;
        for (step, text) in [
            (DAY, "Nov 24"),
            (HOUR, "10:31"),
            (10.0, "10:31:48"),
            (0.5, "10:31:48.000"),
        ] {
            assert_eq!(Scale::Clock.label(value, step), text);
        }
        assert_eq!(Scale::Clock.reading(value), "2026-11-24 10:31:48");
        assert_eq!(Scale::Clock.reading(1e300), "1e300");
    }

    #[test]
    fn readings_are_short_and_exact_enough() {
        for (scale, value, text) in [
            (Scale::Number, 1.149_211_6, "1.149"),
            (Scale::Number, 0.004_591_148, "0.004591"),
            (Scale::Number, 4.000_777e-7, "4.001e-7"),
            (Scale::Number, 919.831, "919.8"),
            (Scale::Number, 23.539, "23.54"),
            (Scale::Number, 0.0, "0"),
            (Scale::Number, f64::NAN, "NaN"),
            (Scale::Number, f64::NEG_INFINITY, "-inf"),
            (Scale::Percent, 94.55, "94.55%"),
            (Scale::Whole, 62_600.0, "62600"),
            (Scale::Seconds, 20.916, "20.9s"),
            (Scale::Seconds, 3173.05, "52m53s"),
        ] {
            assert_eq!(scale.reading(value), text);
        }
    }
}
