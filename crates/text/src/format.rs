//! Numbers as people read them, each with its unit.

use std::time::Duration;

/// A size in decimal units, three digits: `1.23 GB`, `45.6 kB`, `312 B`.
pub fn bytes(size: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if size < 1000 {
        return format!("{size} B");
    }
    let mut scaled = size as f64;
    let mut unit = "B";
    for next in UNITS {
        // 999.5 would be shown as 1000.
        if scaled < 999.5 {
            break;
        }
        scaled /= 1000.0;
        unit = next;
    }
    let digits = if scaled < 9.995 {
        2
    } else {
        usize::from(scaled < 99.95)
    };
    format!("{scaled:.digits$} {unit}")
}

/// A number with its noun: `1 row`, `2,000 rows`.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// A whole number with its thousands apart: `2,819,370`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A length of time in its two largest units: `2d 05h`, `1h 23m`, `4m 05s`, `12s`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    if days > 0 {
        format!("{days}d {hours:02}h")
    } else if hours > 0 {
        format!("{hours}h {minutes:02}m")
    } else if minutes > 0 {
        format!("{minutes}m {:02}s", seconds % 60)
    } else {
        format!("{seconds}s")
    }
}

/// An age in one unit, and after how long the text changes: `now` (below a minute), `5m`, `3h`,
/// `12d`, `2y`.
pub fn since(age: Duration) -> (String, Duration) {
    let seconds = age.as_secs();
    let (unit, name) = match seconds {
        0..60 => {
            return (
                "now".to_owned(),
                Duration::from_secs(60).saturating_sub(age),
            );
        }
        60..3600 => (60, "m"),
        3600..86_400 => (3600, "h"),
        86_400..31_536_000 => (86_400, "d"),
        _ => (31_536_000, "y"),
    };
    let next = Duration::from_secs((seconds / unit + 1) * unit).saturating_sub(age);
    (format!("{}{name}", seconds / unit), next)
}

/// A metric's value in about `digits` significant digits, in scientific form only where plain
/// digits would not do.
pub fn number(value: f64, digits: usize) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-3..1e7).contains(&magnitude) {
        return format!("{value:.*e}", digits.saturating_sub(2));
    }
    let before = if magnitude < 1.0 {
        0
    } else {
        magnitude.log10().floor() as usize + 1
    };
    format!("{value:.*}", digits.saturating_sub(before.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (9_994, "9.99 kB"),
            (9_999, "10.0 kB"),
            (45_600_000, "45.6 MB"),
            (999_900, "1.00 MB"),
            (123_000_000_000, "123 GB"),
        ];
        for (size, text) in cases {
            assert_eq!(bytes(size), text);
        }
    }

    #[test]
    fn times_ages_counts_and_numbers_read_well() {
        let seconds = Duration::from_secs;
        assert_eq!(duration(seconds(12)), "12s");
        assert_eq!(duration(seconds(245)), "4m 05s");
        assert_eq!(duration(seconds(4_980)), "1h 23m");
        assert_eq!(duration(seconds(190_800)), "2d 05h");
        assert_eq!(since(seconds(30)), ("now".to_owned(), seconds(30)));
        assert_eq!(since(seconds(3_599)), ("59m".to_owned(), seconds(1)));
        assert_eq!(since(seconds(90_000)), ("1d".to_owned(), seconds(82_800)));
        assert_eq!(count(2_819_370), "2,819,370");
        assert_eq!(count(999), "999");
        assert_eq!(number(94.5612, 4), "94.56");
        assert_eq!(number(0.123_456, 4), "0.123");
        assert_eq!(number(4.1e-7, 4), "4.10e-7");
        assert_eq!(number(-12.5, 4), "-12.50");
    }
}
