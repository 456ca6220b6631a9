//! The summary of an event: scalars, and the settings that plug-ins keep there.

use serde_json::{Map, Value};

use super::super::json;
use super::super::protobuf::{Field, Fields};

/// The values of an event's summary.
pub fn values(event: &[u8]) -> impl Iterator<Item = &[u8]> {
    let summary = Fields::get(event, 5)
        .and_then(Field::bytes)
        .unwrap_or_default();
    values_of(summary)
}

pub fn values_of(summary: &[u8]) -> impl Iterator<Item = &[u8]> {
    let values = Fields::of(summary).filter(|(number, _)| *number == 1);
    values.filter_map(|(_, value)| value.bytes())
}

/// What a value says of a plug-in: its name and content.
fn plugin(value: &[u8]) -> Option<(&str, &[u8])> {
    let metadata = Fields::get(value, 9)?.bytes()?;
    let plugin = Fields::get(metadata, 1)?.bytes()?;
    let name = Fields::get(plugin, 1)?.text()?;
    let content = Fields::get(plugin, 2).and_then(Field::bytes);
    Some((name, content.unwrap_or_default()))
}

/// The settings in a value: hyperparameters, or the text that Hugging Face writes.
pub fn logged_settings(value: &[u8]) -> Option<Map<String, Value>> {
    let (name, content) = plugin(value)?;
    match name {
        "hparams" => {
            let start = Fields::get(content, 3)?.bytes()?;
            let entries = Fields::of(start).filter(|(number, _)| *number == 1);
            let entries = entries.filter_map(|(_, entry)| {
                let entry = entry.bytes()?;
                let key = Fields::get(entry, 1)?.text()?;
                let value = Fields::get(entry, 2)?.bytes()?;
                Some((key.to_owned(), any_value(value)))
            });
            let map: Map<String, Value> = entries.collect();
            (!map.is_empty()).then_some(map)
        }
        "text" => {
            let tag = Fields::get(value, 1)?.text()?;
            let is_settings = tag.starts_with("args") || tag.starts_with("hparams");
            let tensor = Fields::get(value, 8)?.bytes()?;
            let text = Fields::get(tensor, 8)?.text().filter(|_| is_settings)?;
            // In Markdown each line of the JSON is indented.
            let map = json::object(text.as_bytes());
            (!map.is_empty()).then_some(map)
        }
        _ => None,
    }
}

/// A `google.protobuf.Value`.
fn any_value(value: &[u8]) -> Value {
    match Fields::of(value).next() {
        Some((2, field)) => field.double().map_or(Value::Null, Value::from),
        Some((3, field)) => field.text().map_or(Value::Null, Value::from),
        Some((4, field)) => Value::Bool(field.whole() == Some(1)),
        _ => Value::Null,
    }
}

/// The tag and the number of a value, if it is a scalar.
pub fn scalar(value: &[u8]) -> Option<(&str, f64)> {
    let mut tag = None;
    let mut number = None;
    let mut tensor = None;
    let mut metadata = None;
    for (field, content) in Fields::of(value) {
        match field {
            1 => tag = content.text(),
            2 => number = content.float().map(shortest),
            8 => tensor = content.bytes(),
            9 => metadata = content.bytes(),
            _ => {}
        }
    }
    if number.is_none() {
        let is_scalar =
            metadata.is_none() || plugin(value).is_some_and(|(name, _)| name == "scalars");
        number = tensor.filter(|_| is_scalar).and_then(single);
    }
    Some((tag?, number?))
}

/// The number of a tensor that holds one.
fn single(tensor: &[u8]) -> Option<f64> {
    let dtype = Fields::get(tensor, 1)?.whole()?;
    let mut number = None;
    for (field, content) in Fields::of(tensor) {
        let found = match (field, content) {
            (4, Field::Bytes(bytes)) => match (dtype, bytes.len()) {
                (1, 4) => Some(shortest(f32::from_le_bytes(bytes.try_into().ok()?))),
                (2, 8) => Some(f64::from_le_bytes(bytes.try_into().ok()?)),
                (3, 4) => Some(f64::from(i32::from_le_bytes(bytes.try_into().ok()?))),
                (9, 8) => Some(i64::from_le_bytes(bytes.try_into().ok()?) as f64),
                _ => return None,
            },
            (5, Field::Fixed32(bits)) => Some(shortest(f32::from_bits(bits))),
            (5, Field::Bytes(bytes)) if bytes.len() == 4 => {
                Some(shortest(f32::from_le_bytes(bytes.try_into().ok()?)))
            }
            (6, Field::Fixed64(bits)) => Some(f64::from_bits(bits)),
            (6, Field::Bytes(bytes)) if bytes.len() == 8 => {
                Some(f64::from_le_bytes(bytes.try_into().ok()?))
            }
            (7 | 10, Field::Varint(number)) => Some(number as i64 as f64),
            _ => None,
        };
        number = number.or(found);
    }
    number
}

/// Powers of ten that a double has exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// A float as the shortest decimal that reads back as it: 0.1 and not 0.10000000149.
pub fn shortest(value: f32) -> f64 {
    let exact = f64::from(value);
    let size = exact.abs();
    // Within these, a power of ten and the digits as a whole number are exact.
    if !(1e-10..1e10).contains(&size) {
        return if size == 0.0 || !exact.is_finite() {
            exact
        } else {
            value.to_string().parse().unwrap_or(exact)
        };
    }
    let whole_digits = size.log10().floor() as i32 + 1;
    for digits in 6..=9 {
        let scale = TENS[(digits - whole_digits).unsigned_abs() as usize];
        let rounded = if digits >= whole_digits {
            (exact * scale).round() / scale
        } else {
            (exact / scale).round() * scale
        };
        if rounded as f32 == value {
            return rounded;
        }
    }
    exact
}
