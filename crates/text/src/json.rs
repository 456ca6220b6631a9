//! JSON as it is printed: it says the same as any other, and holds nothing that could steer a
//! terminal or mislead who reads it.

use std::fmt::Write;

use serde::Serialize;

use super::sanitise::is_forbidden;

/// A value as JSON on several lines.
///
/// # Errors
/// If it has no form in JSON.
pub fn pretty_json(value: &(impl Serialize + ?Sized)) -> serde_json::Result<String> {
    Ok(escape_json(serde_json::to_string_pretty(value)?))
}

/// JSON with every control and every invisible or bidirectional character written as `\uXXXX`. The
/// line ends and spaces between its values stay; serde writes no other outside of texts.
pub fn escape_json(json: String) -> String {
    let needs = |char: char| char != '\n' && is_forbidden(char);
    if !json.contains(needs) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + 32);
    for char in json.chars() {
        if needs(char) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(char);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn what_serde_leaves_raw_is_escaped() {
        let value = json!({ "a\u{9b}": "\u{7f}\u{202e}\u{e0041}\u{1b}\n猫" });
        let json = escape_json(value.to_string());
        assert_eq!(json, r#"{"a\u009b":"\u007f\u202e\udb40\udc41\u001b\n猫"}"#);
    }

    proptest! {
        #[test]
        fn it_reads_back_as_the_same(key in ".*", text in any::<String>()) {
            let value = json!({ key: [text] });
            let json = pretty_json(&value).unwrap();
            prop_assert!(!json.chars().any(|char| char != '\n' && is_forbidden(char)));
            prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
        }
    }
}
