//! A run's configuration, as any trainer writes it.

use serde_json::{Map, Value};

use super::formats;
use super::layout::RunDir;
use traintop_text::clean;

/// A run's configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config(Map<String, Value>);

impl From<Map<String, Value>> for Config {
    fn from(map: Map<String, Value>) -> Self {
        Self(map)
    }
}

impl Config {
    /// Reads it; empty if there is none, or it cannot be understood.
    pub fn load(dir: &RunDir) -> Self {
        Self(formats::facts(dir).config)
    }

    /// All of it, nested as in the file; null if there is none.
    pub fn into_json(self) -> Value {
        if self.0.is_empty() {
            return Value::Null;
        }
        Value::Object(self.0)
    }

    /// A text, cleaned for a terminal; `None` if it is absent or empty.
    pub fn text(&self, key: &str) -> Option<String> {
        self.0
            .get(key)?
            .as_str()
            .filter(|text| !text.is_empty())
            .map(|text| clean(text).into_owned())
    }

    /// A whole number.
    pub fn count(&self, key: &str) -> Option<u32> {
        self.0.get(key)?.as_u64()?.try_into().ok()
    }

    /// Every key with its value on one line, nested keys joined by a dot, all cleaned for a
    /// terminal.
    pub fn lines(&self) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        flatten("", &self.0, &mut lines);
        lines
    }
}

fn flatten(prefix: &str, map: &Map<String, Value>, lines: &mut Vec<(String, String)>) {
    for (key, value) in map {
        let key = clean(&format!("{prefix}{key}")).into_owned();
        match value {
            Value::Object(inner) => flatten(&format!("{key}."), inner, lines),
            Value::String(text) => lines.push((key, clean(text).into_owned())),
            other => lines.push((key, clean(&other.to_string()).into_owned())),
        }
    }
}
