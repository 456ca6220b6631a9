//! What one key of a recipe may hold: its kind, its range, and how text and TOML values become
//! checked values.

use std::fmt;

use serde_json::Value as Json;

/// The values a key accepts. Ranges are inclusive unless the name says otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A whole number from `min` to `max`.
    Int {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// A number from `min` to `max`; `max` itself only where `with_max`.
    Float {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
        /// Whether `max` itself is accepted.
        with_max: bool,
    },
    /// `true` or `false`.
    Bool,
    /// Any text on one line.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl fmt::Display for Kind {
    /// What is expected, as it follows "must be".
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            Kind::Int { min, max: i64::MAX } => write!(f, "a whole number, at least {min}"),
            Kind::Int { min, max } => write!(f, "a whole number from {min} to {max}"),
            Kind::Float { min, max, .. } if max.is_infinite() => {
                write!(f, "a number, at least {min}")
            }
            Kind::Float { min, max, with_max } => {
                write!(f, "in [{min}, {max}{}", if with_max { ']' } else { ')' })
            }
            Kind::Bool => write!(f, "true or false"),
            Kind::Text => write!(f, "text on one line"),
            Kind::Choice(words) => write!(f, "one of {}", words.join(", ")),
        }
    }
}

/// A value that was checked against its key's [`Kind`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of [`Kind::Int`].
    Int(i64),
    /// Of [`Kind::Float`].
    Float(f64),
    /// Of [`Kind::Bool`].
    Bool(bool),
    /// Of [`Kind::Text`] and [`Kind::Choice`].
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Value::Int(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value}"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Text(value) => write!(f, "{value}"),
        }
    }
}

/// A value that its key does not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} must be {expected}, got {got}")]
pub struct BadValue {
    pub key: &'static str,
    /// What it accepts.
    pub expected: String,
    /// What was given, as it was written.
    pub got: String,
}

/// One key of a recipe, as the schema declares it.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name in recipes, in `config.json` and in `--set`.
    pub key: &'static str,
    /// What it accepts.
    pub kind: Kind,
    /// Its heading in forms and listings.
    pub group: &'static str,
    /// One line on what it does, with its unit.
    pub description: &'static str,
}

impl Field {
    fn bad(&self, got: impl fmt::Display) -> BadValue {
        BadValue {
            key: self.key,
            expected: self.kind.to_string(),
            got: got.to_string(),
        }
    }

    /// Checks a value that has a type already; whole numbers pass for numbers.
    ///
    /// # Errors
    /// If the type or the range is another than [`Field::kind`] says.
    pub fn check(&self, value: Value) -> Result<Value, BadValue> {
        let accepted = match (self.kind, &value) {
            (Kind::Int { min, max }, Value::Int(number)) => (min..=max).contains(number),
            (Kind::Float { .. }, Value::Int(number)) => {
                return self.check(Value::Float(*number as f64));
            }
            (Kind::Float { min, max, with_max }, Value::Float(number)) => {
                *number >= min && (*number < max || (with_max && *number <= max))
            }
            (Kind::Bool, Value::Bool(_)) => true,
            (Kind::Text, Value::Text(text)) => !text.chars().any(char::is_control),
            (Kind::Choice(words), Value::Text(text)) => words.contains(&text.as_str()),
            _ => false,
        };
        let quoted = match &value {
            Value::Text(text) => format!("{text:?}"),
            other => other.to_string(),
        };
        if accepted {
            Ok(value)
        } else {
            Err(self.bad(quoted))
        }
    }

    /// Reads a value as a person types it on a command line or in a form: without quotes.
    ///
    /// # Errors
    /// If the text is no value of this key.
    pub fn parse(&self, text: &str) -> Result<Value, BadValue> {
        let text = text.trim();
        let value = match self.kind {
            Kind::Int { .. } => text.replace('_', "").parse().ok().map(Value::Int),
            Kind::Float { .. } => text.parse().ok().map(Value::Float),
            Kind::Bool => text.parse().ok().map(Value::Bool),
            Kind::Text | Kind::Choice(_) => Some(Value::Text(text.to_owned())),
        };
        self.check(value.ok_or_else(|| self.bad(format!("{text:?}")))?)
    }

    /// Takes a value from JSON, as `config.json` holds it.
    ///
    /// # Errors
    /// If it is no value of this key.
    pub fn from_json(&self, json: &Json) -> Result<Value, BadValue> {
        let value = match json {
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Value::Int(whole),
                None => Value::Float(number.as_f64().ok_or_else(|| self.bad(number))?),
            },
            Json::String(text) => Value::Text(text.clone()),
            other => return Err(self.bad(other)),
        };
        self.check(value)
    }
}

/// Rust types that a recipe's fields may have, each from and to a checked [`Value`].
pub trait Typed: Sized {
    fn to_value(&self) -> Value;
    /// Back from a value that its field has checked; `None` if the kind and the type disagree.
    fn from_value(value: Value) -> Option<Self>;
}

impl Typed for u32 {
    fn to_value(&self) -> Value {
        Value::Int(i64::from(*self))
    }
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Int(number) = value {
            number.try_into().ok()
        } else {
            None
        }
    }
}

impl Typed for u64 {
    fn to_value(&self) -> Value {
        Value::Int((*self).try_into().unwrap_or(i64::MAX))
    }
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Int(number) = value {
            number.try_into().ok()
        } else {
            None
        }
    }
}

impl Typed for f64 {
    fn to_value(&self) -> Value {
        Value::Float(*self)
    }
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Float(number) = value {
            Some(number)
        } else {
            None
        }
    }
}

impl Typed for bool {
    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Bool(value) = value {
            Some(value)
        } else {
            None
        }
    }
}

impl Typed for String {
    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Text(text) = value {
            Some(text)
        } else {
            None
        }
    }
}
