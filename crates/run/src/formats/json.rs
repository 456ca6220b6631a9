//! JSON as Python writes it: with bare `NaN`, `Infinity` and `-Infinity`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::points::Points;

/// A value as a number, where it is one or one of the words for none.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        Value::Bool(is) => Some(f64::from(u8::from(*is))),
        _ => None,
    }
}

/// Parses a text in which numbers may be bare words.
///
/// # Errors
/// If it is no JSON beside that.
pub fn parse(bytes: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(&quoted(bytes))
}

/// As [`parse`], of an object; nothing of anything else.
pub fn object(bytes: &[u8]) -> Map<String, Value> {
    match parse(bytes) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// The text with bare words for numbers in quotes.
fn quoted(bytes: &[u8]) -> Cow<'_, [u8]> {
    let words: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    if memchr::memmem::find(bytes, b"NaN").is_none()
        && memchr::memmem::find(bytes, b"Infinity").is_none()
    {
        return Cow::Borrowed(bytes);
    }
    let mut quoted = Vec::with_capacity(bytes.len() + 64);
    let (mut at, mut in_text) = (0, false);
    while at < bytes.len() {
        let byte = bytes[at];
        if in_text {
            // What is escaped ends no text.
            let length = if byte == b'\\' { 2 } else { 1 };
            in_text = byte != b'"';
            let end = (at + length).min(bytes.len());
            quoted.extend_from_slice(&bytes[at..end]);
            at = end;
        } else if let Some(word) = words.iter().find(|word| bytes[at..].starts_with(word)) {
            quoted.push(b'"');
            quoted.extend_from_slice(word);
            quoted.push(b'"');
            at += word.len();
        } else {
            in_text = byte == b'"';
            quoted.push(byte);
            at += 1;
        }
    }
    Cow::Owned(quoted)
}

/// Calls `each` with every number of an object, nested names joined by `/`, and `text` with the
/// names of what is text.
pub fn numbers(map: &Map<String, Value>, each: &mut dyn FnMut(&str, Result<f64, &str>)) {
    fn walk(prefix: &str, map: &Map<String, Value>, each: &mut dyn FnMut(&str, Result<f64, &str>)) {
        for (key, value) in map {
            let name = if prefix.is_empty() {
                Cow::Borrowed(key.as_str())
            } else {
                Cow::Owned(format!("{prefix}/{key}"))
            };
            match value {
                Value::Object(inner) => walk(&name, inner, each),
                Value::Array(values) => {
                    for (number, value) in values.iter().enumerate().take(64) {
                        if let Some(value) = self::number(value) {
                            each(&format!("{name}/{number}"), Ok(value));
                        }
                    }
                }
                Value::Null => {}
                value => match (self::number(value), value.as_str()) {
                    (Some(number), _) => each(&name, Ok(number)),
                    (None, text) => each(&name, Err(text.unwrap_or_default())),
                },
            }
        }
    }
    walk("", map, each);
}

/// A line without the mark of Unicode with which a file may begin.
pub fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// Reads the whole lines at the start of `bytes`, each an object, and says how many bytes these
/// are. Other lines are reported by number; `number` counts all lines.
pub fn lines(
    bytes: &[u8],
    is_last: bool,
    number: &mut u64,
    points: &mut Points,
    each: &mut dyn FnMut(&Map<String, Value>, &mut Points),
) -> u64 {
    let end = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
    let whole = if is_last { bytes.len() } else { end };
    let lines = bytes[..whole]
        .split(|byte| *byte == b'\n')
        .map(|line| without_mark(line).trim_ascii());
    for line in lines.filter(|line| !line.is_empty()) {
        *number += 1;
        match parse(line) {
            Ok(Value::Object(map)) => each(&map, points),
            Ok(_) => points.add_problem(*number, "is no object of JSON".to_owned()),
            Err(error) => points.add_problem(*number, format!("is no JSON ({error})")),
        }
    }
    whole as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_words_are_numbers_and_words_in_texts_are_texts() {
        let text = br#"{"a": NaN, "b": [-Infinity, Infinity], "c": "NaN \" NaN", "NaN": 1}"#;
        let value = parse(text).unwrap();
        assert!(number(&value["a"]).unwrap().is_nan());
        assert_eq!(number(&value["b"][0]), Some(f64::NEG_INFINITY));
        assert_eq!(value["c"], "NaN \" NaN");
        assert_eq!(value["NaN"], 1);
    }
}
