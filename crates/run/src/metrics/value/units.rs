//! Numbers with a unit, and those whose form implies it: times of the clock, dates, shares.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Spelled, Unit, grouped, plain};

/// What follows a number, what the number is multiplied by, and what it is then. A letter alone
/// (`1.2G`, as YOLO writes memory, or `5M` samples) is a power of a thousand and no unit. `m` alone
/// is not here: minutes, metres or millions.
const UNITS: &[(&str, f64, Option<Unit>)] = &[
    ("%", 1.0, Some(Unit::Percent)),
    ("ns", 1e-9, Some(Unit::Seconds)),
    ("us", 1e-6, Some(Unit::Seconds)),
    ("\u{b5}s", 1e-6, Some(Unit::Seconds)),
    ("\u{3bc}s", 1e-6, Some(Unit::Seconds)),
    ("ms", 1e-3, Some(Unit::Seconds)),
    ("ms/step", 1e-3, Some(Unit::Seconds)),
    ("ms/it", 1e-3, Some(Unit::Seconds)),
    ("s", 1.0, Some(Unit::Seconds)),
    ("s/it", 1.0, Some(Unit::Seconds)),
    ("s/step", 1.0, Some(Unit::Seconds)),
    ("s/epoch", 1.0, Some(Unit::Seconds)),
    ("sec", 1.0, Some(Unit::Seconds)),
    ("secs", 1.0, Some(Unit::Seconds)),
    ("second", 1.0, Some(Unit::Seconds)),
    ("seconds", 1.0, Some(Unit::Seconds)),
    ("min", 60.0, Some(Unit::Seconds)),
    ("mins", 60.0, Some(Unit::Seconds)),
    ("minute", 60.0, Some(Unit::Seconds)),
    ("minutes", 60.0, Some(Unit::Seconds)),
    ("h", 3600.0, Some(Unit::Seconds)),
    ("hr", 3600.0, Some(Unit::Seconds)),
    ("hrs", 3600.0, Some(Unit::Seconds)),
    ("hour", 3600.0, Some(Unit::Seconds)),
    ("hours", 3600.0, Some(Unit::Seconds)),
    ("d", 86400.0, Some(Unit::Seconds)),
    ("day", 86400.0, Some(Unit::Seconds)),
    ("days", 86400.0, Some(Unit::Seconds)),
    ("B", 1.0, Some(Unit::Bytes)),
    ("bytes", 1.0, Some(Unit::Bytes)),
    ("kB", 1e3, Some(Unit::Bytes)),
    ("KB", 1e3, Some(Unit::Bytes)),
    ("MB", 1e6, Some(Unit::Bytes)),
    ("GB", 1e9, Some(Unit::Bytes)),
    ("TB", 1e12, Some(Unit::Bytes)),
    ("KiB", 1024.0, Some(Unit::Bytes)),
    ("MiB", 1_048_576.0, Some(Unit::Bytes)),
    ("GiB", 1_073_741_824.0, Some(Unit::Bytes)),
    ("TiB", 1_099_511_627_776.0, Some(Unit::Bytes)),
    ("k", 1e3, None),
    ("K", 1e3, None),
    ("M", 1e6, None),
    ("G", 1e9, None),
    ("T", 1e12, None),
    ("x", 1.0, None),
    ("W", 1.0, None),
    ("C", 1.0, None),
    ("\u{b0}C", 1.0, None),
    ("MHz", 1.0, None),
];

/// Minutes, but only between other times: `1h 2m 3s`.
const MINUTES: &str = "m";

/// What follows a rate: `123.4 img/s` is 123.4.
const RATES: &[&str] = &["/s", "/sec", "/second"];

/// `12.1s`, `62.9 %`, `1.2G`, `123 img/s`, `1h 2m 3s`.
pub fn with_units(cell: &str, decimal_comma: bool) -> Spelled {
    let mut rest = cell;
    let mut total: Spelled = None;
    while !rest.is_empty() {
        let end = number_end(rest);
        let number = plain(&rest[..end]).or_else(|| grouped(&rest[..end], decimal_comma))?;
        let after = rest[end..].trim_start();
        let next = after
            .find(|letter: char| letter.is_ascii_digit())
            .unwrap_or(after.len());
        let unit = after[..next].trim_end_matches([' ', ',']);
        let is_alone = total.is_none() && next == after.len();
        let (factor, unit) = if is_alone && RATES.iter().any(|rate| unit.ends_with(rate)) {
            (1.0, None)
        } else if unit == MINUTES && !is_alone {
            (60.0, Some(Unit::Seconds))
        } else {
            let known = UNITS.iter().find(|(name, ..)| *name == unit)?;
            (known.1, known.2)
        };
        total = match total {
            None => Some((number * factor, unit)),
            Some((sum, Some(Unit::Seconds))) if unit == Some(Unit::Seconds) => {
                Some((sum + number * factor, unit))
            }
            Some(_) => return None,
        };
        rest = &after[next..];
    }
    total
}

/// Where the number at a text's beginning ends; an exponent belongs to it only with digits.
fn number_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_part = |byte: &u8| byte.is_ascii_digit() || b".,_".contains(byte);
    let sign = usize::from(bytes.first().is_some_and(|byte| b"+-".contains(byte)));
    let mut end = sign
        + bytes[sign..]
            .iter()
            .take_while(|byte| is_part(byte))
            .count();
    if bytes.get(end).is_some_and(|byte| b"eE".contains(byte)) {
        let sign = usize::from(bytes.get(end + 1).is_some_and(|byte| b"+-".contains(byte)));
        let from = (end + 1 + sign).min(bytes.len());
        let digits = bytes[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit());
        match digits.count() {
            0 => {}
            digits => end = from + digits,
        }
    }
    end
}

/// `MM:SS`, `H:MM:SS` and `1 day, 2:03:04`, in seconds.
pub fn clock(cell: &str) -> Option<f64> {
    let (days, time) = match cell.split_once("day") {
        Some((days, rest)) => {
            let days: f64 = days.trim().parse().ok()?;
            let rest = rest.strip_prefix('s').unwrap_or(rest);
            (days, rest.trim_start_matches([',', ' ']))
        }
        None => (0.0, cell),
    };
    let (sign, time) = match time.strip_prefix('-') {
        Some(time) => (-1.0, time),
        None => (1.0, time),
    };
    let parts: Vec<&str> = time.split(':').collect();
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    let mut seconds = 0.0;
    for (at, part) in parts.iter().enumerate() {
        let is_last = at + 1 == parts.len();
        let whole = match part.split_once('.') {
            Some((whole, fraction)) if is_last && !fraction.is_empty() => whole,
            Some(_) => return None,
            None => part,
        };
        let is_digits = part
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let number = plain(part).filter(|_| is_digits && !whole.is_empty())?;
        if at > 0 && (whole.len() != 2 || number >= 60.0) {
            return None;
        }
        seconds = seconds * 60.0 + number;
    }
    Some(days * 86400.0 + sign * seconds)
}

/// A date of year, month and day, with or without a time, as seconds since 1970.
pub fn date(cell: &str) -> Option<f64> {
    let bytes = cell.as_bytes();
    let begins = bytes.len() >= 10
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && matches!((bytes[4], bytes[7]), (b'-', b'-') | (b'/', b'/'));
    if !begins {
        return None;
    }
    // Python's logging writes a comma before the milliseconds.
    let text = cell.replace('/', "-").replace(',', ".");
    let stamp = text.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
        Some(zoned.timestamp())
    })?;
    Some(stamp.as_nanosecond() as f64 / 1e9)
}

/// `3/100`, of epochs or steps: 3.
pub fn share(cell: &str) -> Option<f64> {
    let (part, whole) = cell.split_once('/')?;
    let is_count = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (part, whole) = (part.trim(), whole.trim());
    plain(part).filter(|_| is_count(part) && is_count(whole))
}
