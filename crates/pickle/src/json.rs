//! Plain data of a pickle as JSON: settings and histories. What is neither data nor an object with
//! named fields is only named.

use serde_json::{Map, Value as Json};

use super::{Node, Value};

/// Limit of nesting: a value may contain itself.
const MAX_DEPTH: usize = 16;
/// Limits of values and bytes of text: shared ones, written out, may be far more than the file has.
const MAX_VALUES: usize = 200_000;
const MAX_TEXT: usize = 4 << 20;

/// What is left of the limits.
struct Remaining {
    values: usize,
    text: usize,
}

impl Remaining {
    /// The text, or a placeholder if it is too long.
    fn text(&mut self, text: &str) -> String {
        match self.text.checked_sub(text.len()) {
            Some(fewer) => {
                self.text = fewer;
                text.to_owned()
            }
            None => TOO_MUCH.to_owned(),
        }
    }
}

const TOO_MUCH: &str = "<too much>";

impl Value<'_> {
    /// The value as JSON. An object becomes its fields, as an instance of a dataclass has them;
    /// anything else that is not data becomes a text in angle brackets that names it.
    pub fn to_json(self) -> Json {
        let mut remaining = Remaining {
            values: MAX_VALUES,
            text: MAX_TEXT,
        };
        self.to_json_within(MAX_DEPTH, &mut remaining)
    }

    fn to_json_within(self, depth: usize, remaining: &mut Remaining) -> Json {
        let (Some(depth), Some(fewer)) = (depth.checked_sub(1), remaining.values.checked_sub(1))
        else {
            return TOO_MUCH.into();
        };
        remaining.values = fewer;
        match self.node() {
            Node::None => Json::Null,
            Node::Bool(value) => (*value).into(),
            Node::Int(value) => (*value).into(),
            // JSON has no infinities; as text they can still be distinguished from nothing.
            Node::Float(value) => serde_json::Number::from_f64(*value)
                .map_or_else(|| value.to_string().into(), Json::Number),
            Node::LongInt(_) => "<a whole number beyond 64 bits>".into(),
            Node::Text(text) => remaining.text(text).into(),
            Node::Bytes(bytes) if bytes.len() > remaining.text => TOO_MUCH.into(),
            Node::Bytes(bytes) => remaining.text(&String::from_utf8_lossy(bytes)).into(),
            Node::Global(name) => format!("<{}>", remaining.text(name)).into(),
            Node::Persistent(_) => "<a storage>".into(),
            Node::List(_) | Node::Tuple(_) | Node::Set(_) => {
                let values = self.as_sequence().into_iter().flatten();
                values
                    .take(remaining.values + 1)
                    .map(|value| value.to_json_within(depth, remaining))
                    .collect()
            }
            Node::Dict(_) => self.entries_to_json(depth, remaining),
            Node::Object(object) => {
                if let Some(number) = self.as_int() {
                    return number.into();
                }
                if let Some(number) = self.as_float() {
                    return number.into();
                }
                let fields = object.state.map(|state| self.at(state));
                match fields.filter(|fields| matches!(fields.node(), Node::Dict(_))) {
                    _ if !object.items.is_empty() => self.entries_to_json(depth, remaining),
                    Some(fields) => fields.entries_to_json(depth, remaining),
                    None => self.made_to_json(depth, remaining),
                }
            }
        }
    }

    fn entries_to_json(self, depth: usize, remaining: &mut Remaining) -> Json {
        let entries = self.as_dict().into_iter().flatten();
        let mut map = Map::new();
        for (key, value) in entries.take(remaining.values + 1) {
            let key = match key.to_json_within(1, remaining) {
                Json::String(text) => text,
                other => other.to_string(),
            };
            map.insert(key, value.to_json_within(depth, remaining));
        }
        Json::Object(map)
    }

    /// A path as its text; of anything else the name, with the value by which an enum's member is
    /// made.
    fn made_to_json(self, depth: usize, remaining: &mut Remaining) -> Json {
        let Some(made) = self.as_made() else {
            return "<an object>".into();
        };
        let arguments = made.arguments.as_sequence().into_iter().flatten();
        if made.by.starts_with("pathlib.") {
            let parts = arguments.take(remaining.values).filter_map(Value::as_text);
            let parts: Vec<String> = parts.map(|part| remaining.text(part)).collect();
            return parts.join("/").replacen("//", "/", 1).into();
        }
        match made.arguments.as_tuple() {
            Some([value]) if made.state.is_none() && !matches!(value.node(), Node::Object(_)) => {
                let value = value.to_json_within(depth, remaining);
                format!("<{} {value}>", remaining.text(made.by)).into()
            }
            _ => format!("<{}>", remaining.text(made.by)).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parse;
    use super::*;

    #[test]
    fn an_instance_becomes_its_fields_and_what_would_be_called_a_name() {
        // An instance of __main__.C with fields, as protocol 2 writes one.
        let bytes = b"\x80\x02c__main__\nC\n)\x81}(U\x01aK\x01U\x01bG?\xf8\x00\x00\x00\x00\x00\x00U\x01c]NaU\x01d\x88\x85ub.";
        let json = parse(bytes).unwrap().value().to_json();
        assert_eq!(json, json!({"a": 1, "b": 1.5, "c": [null], "d": [true]}));
        let call = b"cos\nsystem\n(S'echo owned'\nI1\ntR.";
        assert_eq!(parse(call).unwrap().value().to_json(), "<os.system>");
        let one = parse(b"cm\nColour\n(I2\ntR.").unwrap();
        assert_eq!(one.value().to_json(), "<m.Colour 2>");
        let path = b"cpathlib\nPosixPath\n(S'/'\nS'tmp'\nS'x'\ntR.";
        assert_eq!(parse(path).unwrap().value().to_json(), "/tmp/x");
    }

    #[test]
    fn a_text_that_is_shared_many_times_is_not_copied_as_often() {
        let long = "x".repeat(1 << 20);
        let mut bytes = b"](X\x00\x00\x10\x00".to_vec();
        bytes.extend(long.as_bytes());
        bytes.extend(b"q\x00");
        bytes.extend(b"h\x00".repeat(1000));
        bytes.extend(b"e.");
        let json = parse(&bytes).unwrap().value().to_json();
        assert!(json.to_string().len() < 2 * MAX_TEXT);
        let values = json.as_array().unwrap();
        assert_eq!((values.len(), &values[0]), (1001, &json!(long)));
        assert_eq!(values[1000], TOO_MUCH);
    }

    #[test]
    fn what_contains_itself_or_doubles_ends() {
        let own = parse(b"]q\x00h\x00a.").unwrap();
        assert!(own.value().to_json().to_string().contains("too much"));
        let doubling = [
            b"K\x01q\x00".to_vec(),
            b"h\x00h\x00\x86q\x00".repeat(60),
            b".".to_vec(),
        ]
        .concat();
        assert!(parse(&doubling).unwrap().value().to_json().is_array());
    }
}
