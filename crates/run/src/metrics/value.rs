//! What a cell says: a number in any of the spellings that programs and people give it, nothing, or
//! text.

#[cfg(test)]
mod tests;
mod units;

use self::units::{clock, date, share, with_units};

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
const MAX_LENGTH: usize = 200;

/// How deep calls and brackets are opened.
const MAX_DEPTH: usize = 4;

/// Reads a cell. With `decimal_comma`, a single comma is always a decimal comma, which holds for
/// files whose cells are not separated by commas.
pub fn value(cell: &str, decimal_comma: bool) -> Value {
    if let Some(number) = plain(cell) {
        return Value::Number(number, None);
    }
    if MISSING.iter().any(|word| word.eq_ignore_ascii_case(cell)) {
        return Value::Missing;
    }
    match spelled(cell, decimal_comma, MAX_DEPTH) {
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
    // This check alone rejects most text.
    if cell.len() > MAX_LENGTH || !cell.bytes().any(|byte| byte.is_ascii_digit()) && !has_nan(cell)
    {
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

/// Whether digits are one group, or groups of three behind one kind of mark. Underscores may be
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
