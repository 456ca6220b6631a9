//! What a cell says: a number in any of the spellings that programs and people give it, nothing, or
//! text.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// What the numbers of a column measure, where its cells say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `62.9%` is 62.9.
    Percent,
    /// `34ms`, `12:30` and `1 day, 2:03:04` are seconds.
    Seconds,
    /// `1.2GB` is 1.2e9.
    Bytes,
    /// `2026-11-30 12:00:00` is seconds since 1970, in UTC where the cell names no zone.
    Date,
}

/// A cell, understood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// It says nothing.
    Missing,
    Number(f64, Option<Unit>),
    Text,
}

/// Words for nothing, in any case.
const MISSING: &[&str] = &[
    "",
    "-",
    "--",
    "---",
    "\u{2013}",
    "\u{2014}",
    "?",
    "na",
    "n/a",
    "<na>",
    "#n/a",
    "none",
    "null",
    "nil",
    "undefined",
];

/// Other spellings of what is no number, as C libraries and old Windows write it; in lower case.
const NOT_FINITE: &[(&str, f64)] = &[
    ("1.#qnan", f64::NAN),
    ("1.#ind", f64::NAN),
    ("1.#inf", f64::INFINITY),
];

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

/// Calls that print a single number, their last name in lower case: `np.float32(0.5)`.
const CALLS: &[&str] = &[
    "tensor",
    "array",
    "parameter",
    "scalar",
    "float",
    "float16",
    "float32",
    "float64",
    "bfloat16",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
];

/// Words before a number that only repeat its column's name, in lower case: `Epoch 3/10`.
const LEADING: &[&str] = &["epoch", "ep", "step", "iter", "iteration", "round"];

/// Longer cells are text.
const LONGEST: usize = 200;

/// How deep calls and brackets are opened.
const DEEPEST: usize = 4;

/// Reads a cell. With `decimal_comma`, one comma alone is a decimal comma whatever follows it,
/// which holds for files whose cells are not separated by commas.
pub fn value(cell: &str, decimal_comma: bool) -> Value {
    if let Some(number) = plain(cell) {
        return Value::Number(number, None);
    }
    if MISSING.iter().any(|word| word.eq_ignore_ascii_case(cell)) {
        return Value::Missing;
    }
    match spelled(cell, decimal_comma, DEEPEST) {
        Some((number, unit)) => Value::Number(number, unit),
        None => Value::Text,
    }
}

/// A number as every program writes it: decimal or scientific, NaN and infinities in any case.
pub fn plain(cell: &str) -> Option<f64> {
    cell.parse().ok()
}

type Spelled = Option<(f64, Option<Unit>)>;

fn spelled(cell: &str, decimal_comma: bool, depth: usize) -> Spelled {
    let cell = cell.trim();
    // Most text is told from numbers by this alone.
    if cell.len() > LONGEST || !cell.bytes().any(|byte| byte.is_ascii_digit()) && !has_nan(cell) {
        return None;
    }
    // The minus of typesetters, and the exponent of Fortran.
    if cell.contains('\u{2212}') {
        return value_of(&cell.replace('\u{2212}', "-"), decimal_comma, depth);
    }
    if let Some((mantissa, exponent)) = cell.split_once(['D', 'd'])
        && plain(mantissa).is_some()
        && exponent.parse::<i32>().is_ok()
    {
        return plain(&format!("{mantissa}e{exponent}")).map(|number| (number, None));
    }
    let without = |number: Option<f64>| number.map(|number| (number, None));
    with_units(cell, decimal_comma)
        .or_else(|| without(grouped(cell, decimal_comma)))
        .or_else(|| without(not_finite(cell)))
        .or_else(|| clock(cell).map(|seconds| (seconds, Some(Unit::Seconds))))
        .or_else(|| date(cell).map(|seconds| (seconds, Some(Unit::Date))))
        .or_else(|| without(share(cell)))
        .or_else(|| unwrapped(cell, decimal_comma, depth))
}

/// The cell without what people write behind a number: `0.7 (best)`, `50% (500/1000)`, `0.5↑`,
/// `0.6*`.
fn without_remark(cell: &str) -> Option<&str> {
    const SIGNS: [char; 10] = ['*', '†', '‡', '↑', '↓', '⬆', '⬇', '▲', '▼', '\u{fe0f}'];
    let begins = cell.trim_start_matches(['-', '+', '.']);
    if !begins.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let bare = cell.trim_end_matches(SIGNS);
    if bare.len() < cell.len() {
        return Some(bare);
    }
    let (bare, remark) = cell.strip_suffix(')')?.split_once(" (")?;
    (!remark.contains(['(', ')'])).then_some(bare)
}

fn value_of(cell: &str, decimal_comma: bool, depth: usize) -> Spelled {
    plain(cell)
        .map(|number| (number, None))
        .or_else(|| spelled(cell, decimal_comma, depth))
}

fn has_nan(cell: &str) -> bool {
    let lower = cell.to_ascii_lowercase();
    lower.contains("nan") || lower.contains("inf")
}

/// Calls and brackets around a number, a word before it, and `0.91 ± 0.02`, which is 0.91.
fn unwrapped(cell: &str, decimal_comma: bool, depth: usize) -> Spelled {
    let depth = depth.checked_sub(1)?;
    let inside = |text: &str| value_of(text.trim(), decimal_comma, depth);
    if let Some((mean, _)) = cell.split_once('\u{b1}').or_else(|| cell.split_once("+/-")) {
        return inside(mean);
    }
    for (open, close) in [('[', ']'), ('(', ')'), ('\'', '\''), ('"', '"')] {
        let between = cell
            .strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close));
        if let Some(between) = between {
            return inside(between.trim().trim_end_matches(','));
        }
    }
    if let Some(bare) = without_remark(cell) {
        return inside(bare);
    }
    let word = cell.find(|letter: char| !letter.is_ascii_alphanumeric() && !"._".contains(letter));
    if let Some((call, rest)) = word.map(|at| cell.split_at(at))
        && let Some(rest) = rest.strip_prefix('(')
        && let Some(arguments) = rest.strip_suffix(')')
    {
        let name = call.rsplit('.').next().unwrap_or(call);
        let is_known = CALLS.iter().any(|known| known.eq_ignore_ascii_case(name));
        return inside(first_argument(arguments)).filter(|_| is_known);
    }
    let digit = cell.find(|letter: char| letter.is_ascii_digit())?;
    let word = cell[..digit].trim_end_matches([' ', ':', '#', '=', '_', '[']);
    let is_leading = LEADING.iter().any(|known| known.eq_ignore_ascii_case(word));
    is_leading
        .then(|| inside(cell[digit..].trim_end_matches([']', ':'])))
        .flatten()
}

/// The first of some arguments, with its own brackets and commas.
fn first_argument(arguments: &str) -> &str {
    let mut depth = 0_usize;
    for (at, letter) in arguments.char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return &arguments[..at],
            _ => {}
        }
    }
    arguments
}

/// Digits in groups (`1,234.5`, `1_000`, `1 234,5`), and decimal commas.
fn grouped(cell: &str, decimal_comma: bool) -> Option<f64> {
    let (mantissa, exponent) = match cell.find(['e', 'E']) {
        Some(at) => cell.split_at(at),
        None => (cell, ""),
    };
    let digits = mantissa.trim_start_matches(['+', '-']);
    let is_mark = |letter: char| "._, '\u{a0}\u{202f}".contains(letter);
    if !digits.starts_with(|letter: char| letter.is_ascii_digit() || ".,".contains(letter))
        || !digits
            .chars()
            .all(|letter| letter.is_ascii_digit() || is_mark(letter))
        || mantissa.len() - digits.len() > 1
    {
        return None;
    }
    let last = digits.rfind(['.', ',']);
    let decimal = last.filter(|at| {
        let mark = &digits[*at..=*at];
        if digits.matches(mark).count() > 1 {
            return false;
        }
        let groups = &digits[..*at];
        let is_after_groups = groups.contains(is_mark);
        // Three digits after the only comma: a thousand, unless commas are known to be decimal.
        let is_thousands = mark == ","
            && !decimal_comma
            && !is_after_groups
            && digits.len() - at - 1 == 3
            && (1..=3).contains(&groups.len())
            && !groups.starts_with('0');
        !is_thousands
    });
    let (whole, fraction) = match decimal {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, ""),
    };
    let is_whole = decimal.is_none() || !fraction.is_empty();
    let is_fraction = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !is_whole || !is_fraction || !are_groups(whole, is_mark) {
        return None;
    }
    let mut number: String = mantissa[..mantissa.len() - digits.len()].to_owned();
    number.extend(whole.chars().filter(char::is_ascii_digit));
    if decimal.is_some() {
        number.push('.');
        number.push_str(fraction);
    }
    number.push_str(exponent);
    plain(&number)
}

/// Whether digits are one group, or groups of three behind one kind of mark. Underscores may stand
/// anywhere between digits.
fn are_groups(whole: &str, is_mark: impl Fn(char) -> bool) -> bool {
    let Some(mark) = whole.chars().find(|letter| is_mark(*letter)) else {
        return true;
    };
    let mut groups = whole.split(mark);
    let is_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    if mark == '_' {
        return !first.is_empty()
            && is_digits(first)
            && groups.all(|group| !group.is_empty() && is_digits(group));
    }
    (1..=3).contains(&first.len())
        && is_digits(first)
        && groups.all(|group| group.len() == 3 && is_digits(group))
}

fn not_finite(cell: &str) -> Option<f64> {
    let lower = cell.to_ascii_lowercase();
    let (sign, bare) = match lower.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, lower.strip_prefix('+').unwrap_or(&lower)),
    };
    if bare.starts_with("nan(") && bare.ends_with(')') {
        return Some(f64::NAN);
    }
    // The runtime pads these with zeros to the precision that was asked for.
    let bare = bare.trim_end_matches('0');
    let known = NOT_FINITE.iter().find(|(word, _)| *word == bare);
    known.map(|(_, value)| value * sign)
}

/// `12.1s`, `62.9 %`, `1.2G`, `123 img/s`, `1h 2m 3s`.
fn with_units(cell: &str, decimal_comma: bool) -> Spelled {
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
fn clock(cell: &str) -> Option<f64> {
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
fn date(cell: &str) -> Option<f64> {
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
fn share(cell: &str) -> Option<f64> {
    let (part, whole) = cell.split_once('/')?;
    let is_count = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (part, whole) = (part.trim(), whole.trim());
    plain(part).filter(|_| is_count(part) && is_count(whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(cell: &str) -> Option<(f64, Option<Unit>)> {
        match value(cell, false) {
            Value::Number(number, unit) => Some((number, unit)),
            Value::Missing | Value::Text => None,
        }
    }

    #[test]
    fn words_for_nothing_are_missing_in_any_case() {
        for cell in [
            "", "-", "--", "n/a", "N/A", "NA", "None", "NULL", "nil", "?", "<NA>",
        ] {
            assert_eq!(value(cell, false), Value::Missing, "{cell}");
        }
        for cell in [
            "nothing", "oops", "best.pth", "0x10", "train", "v1.2", "1e", "e5", ".",
        ] {
            assert_eq!(value(cell, false), Value::Text, "{cell}");
        }
    }

    #[test]
    fn numbers_are_understood_as_people_and_programs_spell_them() {
        for (cell, expected) in [
            ("1,234.5", 1234.5),
            ("1,234", 1234.0),
            ("12,345,678", 12_345_678.0),
            ("0,5", 0.5),
            ("0,123", 0.123),
            ("-1,5e-3", -0.0015),
            ("1.234,5", 1234.5),
            ("1_000", 1000.0),
            ("1 234,5", 1234.5),
            ("tensor(0.5, device='cuda:0')", 0.5),
            ("tensor([0.5])", 0.5),
            ("0.70 (best 0.72)", 0.7),
            ("0.5↑", 0.5),
            ("\u{2212}1,5", -1.5),
            ("1.25D+00", 1.25),
            ("0.60*", 0.6),
            ("tensor(0.5000, grad_fn=<NllLossBackward0>)", 0.5),
            ("np.float32(0.5)", 0.5),
            ("array(0.5)", 0.5),
            ("array([0.5], dtype=float32)", 0.5),
            ("[0.5]", 0.5),
            ("(0.5,)", 0.5),
            ("'0.5'", 0.5),
            ("+inf", f64::INFINITY),
            ("-1.#INF", f64::NEG_INFINITY),
            ("3/100", 3.0),
            ("[3/100]", 3.0),
            ("Epoch 3/10", 3.0),
            ("0.91 ± 0.02", 0.91),
            ("1.2G", 1.2e9),
            ("5k", 5000.0),
            ("123.4 img/s", 123.4),
            ("3.2it/s", 3.2),
        ] {
            assert_eq!(number(cell), Some((expected, None)), "{cell}");
        }
        for cell in [
            "-nan(ind)",
            "nan(snan)",
            "1.#QNAN",
            "-1.#IND00",
            "-nan",
            "tensor(nan)",
        ] {
            assert!(
                number(cell).is_some_and(|(value, _)| value.is_nan()),
                "{cell}"
            );
        }
    }

    #[test]
    fn units_are_remembered() {
        use Unit::{Bytes, Date, Percent, Seconds};
        for (cell, expected, unit) in [
            ("62.9%", 62.9, Percent),
            ("62.9 %", 62.9, Percent),
            ("50.0% (5000/10000)", 50.0, Percent),
            ("12.1s", 12.1, Seconds),
            ("34ms", 0.034, Seconds),
            ("1h 2m 3s", 3723.0, Seconds),
            ("2m30s", 150.0, Seconds),
            ("1.5 hours", 5400.0, Seconds),
            ("01:30", 90.0, Seconds),
            ("2:03:04", 7384.0, Seconds),
            ("0:00:01.5", 1.5, Seconds),
            ("1 day, 2:03:04", 93784.0, Seconds),
            ("2 days, 0:00:01", 172_801.0, Seconds),
            ("1.2GB", 1.2e9, Bytes),
            ("2 KiB", 2048.0, Bytes),
            ("1970-01-02", 86400.0, Date),
            ("1970-01-01 00:01:00,500", 60.5, Date),
            ("1970/01/01 00:01:00", 60.0, Date),
            ("1970-01-01T01:01:00+01:00", 60.0, Date),
            ("1970-01-01T00:01:00Z", 60.0, Date),
        ] {
            assert_eq!(number(cell), Some((expected, Some(unit))), "{cell}");
        }
    }

    #[test]
    fn what_is_no_single_number_is_text() {
        for cell in [
            "[1, 2]",
            "tensor([1, 2])",
            "1,23,4",
            "10:75",
            "1:2",
            "1.2.3",
            "12 apples",
            "2026-13-40",
            "192.168.0.1",
            "3/x",
            "a/100",
            "5 m",
            "1s 2GB",
            "float32(x)",
            "image(3)",
            "1__0_",
            "--5",
            "+",
            "((((((1))))))",
        ] {
            assert_eq!(value(cell, false), Value::Text, "{cell}");
        }
    }

    #[test]
    fn one_comma_is_decimal_where_commas_do_not_separate() {
        assert_eq!(value("1,234", true), Value::Number(1.234, None));
        assert_eq!(value("1,234", false), Value::Number(1234.0, None));
        assert_eq!(
            value("62,5%", true),
            Value::Number(62.5, Some(Unit::Percent))
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(cell in "[-+0-9.,:/ a-zµ°%()\\[\\]#'\"_eE\u{a0}]{0,24}") {
            value(&cell, false);
            value(&cell, true);
        }

        #[test]
        fn a_plain_number_is_what_it_is(number in any::<f64>().prop_filter("a number", |number| !number.is_nan())) {
            prop_assert_eq!(value(&number.to_string(), true), Value::Number(number, None));
        }
    }
}
