//! `[keys]`: the keys of commands, by their names.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::DeValue;

use super::build::{Placed, Reader};

impl Reader<'_> {
    /// `command = "key"` or `command = ["key", "key"]`; an empty list takes a command's keys away.
    pub(super) fn keys(&mut self, value: &Spanned<DeValue>) -> Vec<Placed<(String, Vec<String>)>> {
        const EXPECTED: &str = "a key or a list of keys";
        let DeValue::Table(entries) = value.get_ref() else {
            self.bad("keys", "a table of commands and their keys", value);
            return Vec::new();
        };
        let mut bound = Vec::new();
        for (command, value) in entries {
            let name: &Cow<str> = command.get_ref();
            let key = format!("keys.{name}");
            let keys = match value.get_ref() {
                DeValue::Array(_) => self
                    .list(&key, EXPECTED, value)
                    .map(|keys| keys.into_iter().map(|key| key.value).collect()),
                _ => self.text(&key, EXPECTED, value).map(|key| vec![key.value]),
            };
            if let Some(keys) = keys {
                bound.push(Placed {
                    place: self.place(command.span().start),
                    value: (name.to_string(), keys),
                });
            }
        }
        bound
    }
}
