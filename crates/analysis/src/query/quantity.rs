//! Amounts as people write them: `2d`, `1h30m`, `10GB`, `94%`, `yesterday`, `2026-11-24`.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A number: `0.1`, `1e-3`, `94%`, `10k`, `3M`, `nan`.
pub fn number(text: &str) -> Option<f64> {
    let (digits, factor) = match text.char_indices().next_back()? {
        (at, '%') => (&text[..at], 1.0),
        (at, 'k') => (&text[..at], 1e3),
        (at, 'M') => (&text[..at], 1e6),
        _ => (text, 1.0),
    };
    digits.parse::<f64>().ok().map(|number| number * factor)
}

/// Number and unit, over and over: `1h30m`.
fn units(text: &str, seconds: impl Fn(&str) -> Option<f64>) -> Option<f64> {
    let mut sum = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let is_digit = |char: char| char.is_ascii_digit() || char == '.';
        let end = rest.find(|char| !is_digit(char))?;
        let (digits, unit) = rest.split_at(end);
        let unit_end = unit.find(is_digit).unwrap_or(unit.len());
        sum += digits.parse::<f64>().ok()? * seconds(&unit[..unit_end])?;
        rest = &unit[unit_end..];
    }
    (!text.is_empty()).then_some(sum)
}

/// A span of time in seconds: `45s`, `30m`, `3h`, `2d`, `1w`, and several of them.
pub fn span_s(text: &str) -> Option<f64> {
    units(text, |unit| {
        Some(match unit {
            "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 7.0 * 86_400.0,
            _ => return None,
        })
    })
}

/// Bytes: `500`, `10MB`, `1.5GiB`, `2G`.
pub fn bytes(text: &str) -> Option<f64> {
    if let Ok(plain) = text.parse::<f64>() {
        return Some(plain);
    }
    units(text, |unit| {
        let unit = unit.to_ascii_lowercase();
        let (letter, binary) = match unit.strip_suffix("ib") {
            Some(letter) => (letter, true),
            None => (unit.strip_suffix('b').unwrap_or(&unit), false),
        };
        let power = ["", "k", "m", "g", "t"]
            .iter()
            .position(|known| *known == letter)?;
        let base: f64 = if binary { 1024.0 } else { 1000.0 };
        Some(base.powi(power as i32))
    })
}

/// From when to when a moment is meant: a day from its first instant to the next day's, a minute,
/// or one instant.
pub type Moments = (Timestamp, Timestamp);

/// A moment: `today`, `yesterday`, `2026-11-24`, `2026-11-24T12:00`, or a span such as `2d`, which
/// is that long before `now`.
pub fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Moments> {
    let day = |date: Date| -> Option<Moments> {
        let start = date.to_zoned(zone.clone()).ok()?.timestamp();
        let next = date.tomorrow().ok()?.to_zoned(zone.clone()).ok()?;
        Some((start, next.timestamp()))
    };
    let today = || now.to_zoned(zone.clone()).date();
    match text {
        "now" => return Some((now, now)),
        "today" => return day(today()),
        "yesterday" => return day(today().yesterday().ok()?),
        _ => {}
    }
    if let Some(ago) = span_s(text) {
        let ago = Duration::try_from_secs_f64(ago).ok()?;
        let then = now.checked_sub(ago).ok()?;
        return Some((then, then));
    }
    if let Ok(exact) = text.parse::<Timestamp>() {
        return Some((exact, exact));
    }
    // A date alone would also read as its midnight.
    if text.len() <= "2026-11-24".len() {
        return day(text.parse().ok()?);
    }
    let start: DateTime = text.parse().ok()?;
    let start = start.to_zoned(zone.clone()).ok()?.timestamp();
    Some((start, start.checked_add(1.minute()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_with_their_units() {
        assert_eq!(number("94%"), Some(94.0));
        assert_eq!((number("1e-3"), number("10k")), (Some(1e-3), Some(1e4)));
        assert_eq!((number("x"), number(""), number("k")), (None, None, None));
        assert_eq!(span_s("1h30m"), Some(5400.0));
        assert_eq!(
            (span_s("2d"), span_s("0.5w")),
            (Some(172_800.0), Some(302_400.0))
        );
        assert_eq!(
            (span_s("2"), span_s("d"), span_s("2y"), span_s("")),
            (None, None, None, None)
        );
        assert_eq!((bytes("10GB"), bytes("1.5KiB")), (Some(1e10), Some(1536.0)));
        assert_eq!(
            (bytes("500"), bytes("2g"), bytes("1x")),
            (Some(500.0), Some(2e9), None)
        );
    }

    #[test]
    fn days_are_meant_whole_and_in_the_zone_of_the_reader() {
        let now: Timestamp = "2026-11-24T00:30:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let times = |text: &str| {
            let (from, to) = moment(text, now, &zone).unwrap();
            format!("{from} {to}")
        };
        assert_eq!(times("today"), "2026-11-23T23:00:00Z 2026-11-24T23:00:00Z");
        assert_eq!(
            times("yesterday"),
            "2026-11-22T23:00:00Z 2026-11-23T23:00:00Z"
        );
        assert_eq!(
            times("2026-03-01"),
            "2026-02-28T23:00:00Z 2026-03-01T23:00:00Z"
        );
        assert_eq!(
            times("2026-03-01T10:00"),
            "2026-03-01T09:00:00Z 2026-03-01T09:01:00Z"
        );
        assert_eq!(times("2d"), "2026-11-22T00:30:00Z 2026-11-22T00:30:00Z");
        assert_eq!(moment("soon", now, &zone), None);
    }

    proptest! {
        #[test]
        fn any_text_is_an_amount_or_none(text in "(?s).{0,12}|[0-9.e]{0,12}[dhmKMGB%]{0,3}") {
            let now = Timestamp::UNIX_EPOCH;
            let _ = (number(&text), span_s(&text), bytes(&text), moment(&text, now, &TimeZone::UTC));
        }
    }
}
