//! JSON Schema, as far as ours use it. Any other keyword is a fault, so that none is passed over.
//!
//! A crate that knows all of it brings two or three dozen others, and by their features would
//! change crates that the programs share with the tests: how they read numbers, for one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// A schema with those among its definitions.
pub struct Schema {
    root: Value,
}

/// A part of a schema, and the schema by whose `$id` its references count.
#[derive(Clone, Copy)]
struct Part<'a> {
    resource: &'a Value,
    schema: &'a Value,
}

/// What a look at a value comes to.
#[derive(Default)]
struct Outcome {
    problems: Vec<String>,
    /// Keys of the value that some keyword has looked at.
    seen: BTreeSet<String>,
}

impl Outcome {
    fn join(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.seen.extend(other.seen);
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

impl<'a> Part<'a> {
    fn at(self, schema: &'a Value) -> Self {
        Self { schema, ..self }
    }

    fn key(self, key: &str) -> Option<Self> {
        Some(self.at(self.schema.get(key)?))
    }
}

impl Schema {
    pub fn new(root: Value) -> Self {
        Self { root }
    }

    fn whole(&self) -> Part<'_> {
        Part {
            resource: &self.root,
            schema: &self.root,
        }
    }

    /// What a value does not keep to; nothing if it is valid.
    pub fn problems(&self, value: &Value) -> Vec<String> {
        self.check(self.whole(), value, "").problems
    }

    /// What a reference leads to.
    fn resolve<'a>(&'a self, from: Part<'a>, reference: &str) -> Option<Part<'a>> {
        let (id, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let resource = if id.is_empty() {
            from.resource
        } else {
            let embedded = members(&self.root["$defs"]).map(|(_, schema)| schema);
            let mut all = embedded.chain([&self.root]);
            all.find(|schema| schema["$id"] == id)?
        };
        let schema = resource.pointer(pointer)?;
        Some(Part { resource, schema })
    }

    fn check(&self, part: Part, value: &Value, at: &str) -> Outcome {
        let mut outcome = Outcome::default();
        let mut wrong = |what: String| outcome.problems.push(format!("{at}: {what}"));
        if let Some(names) = part.schema.get("type") {
            let names = match names {
                Value::Array(names) => &names[..],
                one => std::slice::from_ref(one),
            };
            if !names.iter().any(|name| is_of(value, name)) {
                wrong(format!("{value} is no {names:?}"));
            }
        }
        if let Some(values) = part.schema.get("enum")
            && !items(values).contains(value)
        {
            wrong(format!("{value} is none of {values}"));
        }
        if let Some(only) = part.schema.get("const")
            && only != value
        {
            wrong(format!("{value} is not {only}"));
        }
        if let (Some(least), Some(number)) = (part.schema.get("minimum"), value.as_f64())
            && least.as_f64().is_none_or(|least| number < least)
        {
            wrong(format!("{number} is less than {least}"));
        }
        for key in part.schema.get("required").map_or(&[][..], items) {
            let is_missing = |key| value.is_object() && value.get(key).is_none();
            if key.as_str().is_none_or(is_missing) {
                wrong(format!("{key} is missing"));
            }
        }
        if let Some(reference) = part.schema["$ref"].as_str() {
            match self.resolve(part, reference) {
                Some(target) => outcome.join(self.check(target, value, at)),
                None => outcome.problems.push(format!("{reference} leads nowhere")),
            }
        }
        if let Some(choices) = part.key("anyOf") {
            let choices = items(choices.schema).iter();
            let (fits, fails): (Vec<_>, Vec<_>) = choices
                .map(|choice| self.check(part.at(choice), value, at))
                .partition(|outcome| outcome.problems.is_empty());
            if fits.is_empty() {
                // The choice that was meant is the one that fits best.
                let nearest = fails.into_iter().min_by_key(|fail| fail.problems.len());
                outcome.join(nearest.unwrap_or_default());
            }
            for fit in fits {
                outcome.join(fit);
            }
        }
        if let Some(each) = part.key("items") {
            for (number, item) in items(value).iter().enumerate() {
                let checked = self.check(each, item, &format!("{at}/{number}"));
                outcome.problems.extend(checked.problems);
            }
        }
        outcome.join(self.check_members(part, value, at));
        if part.schema["unevaluatedProperties"] == false {
            for (key, _) in members(value) {
                if !outcome.seen.contains(key) {
                    outcome.problems.push(format!("{at}/{key} is unknown"));
                }
            }
        }
        outcome
    }

    fn check_members(&self, part: Part, value: &Value, at: &str) -> Outcome {
        let mut outcome = Outcome::default();
        let named = part.key("properties");
        for (key, member) in members(value) {
            let at = format!("{at}/{key}");
            let known = named.and_then(|named| named.key(key));
            let known = known.or_else(|| part.key("additionalProperties"));
            if let Some(known) = known {
                outcome.seen.insert(key.clone());
                if known.schema == false {
                    outcome.problems.push(format!("{at} is unknown"));
                }
                let checked = self.check(known, member, &at);
                outcome.problems.extend(checked.problems);
            }
        }
        outcome
    }

    /// What is wrong with the schema itself: as a schema, or by our own rules, that each key has a
    /// description and each object is closed.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        self.look(self.whole(), "", &mut faults);
        let starts = [
            ("$schema", "https://json-schema.org/draft/2020-12/schema"),
            ("$id", "traintop:"),
        ];
        for (key, start) in starts {
            let text = self.root[key].as_str().unwrap_or_default();
            if !text.starts_with(start) {
                faults.push(format!("{key} is {text:?}"));
            }
        }
        faults
    }

    fn look<'a>(&'a self, part: Part<'a>, at: &str, faults: &mut Vec<String>) {
        let mut part = part;
        let mut wrong = |what: &str| faults.push(format!("{at}: {what}"));
        if part.schema.is_boolean() {
            return;
        }
        if part.schema.get("$id").is_some() {
            part.resource = part.schema;
        }
        let Some(keywords) = part.schema.as_object() else {
            return wrong("is no schema");
        };
        let has_texts =
            |value: &Value| !items(value).is_empty() && items(value).iter().all(Value::is_string);
        let mut inner: Vec<(String, &Value)> = Vec::new();
        for (keyword, value) in keywords {
            let is_right = match keyword.as_str() {
                "$schema" | "$id" | "title" | "description" => value.is_string(),
                "format" => value == "date-time",
                "type" => {
                    let names = if value.is_array() {
                        items(value)
                    } else {
                        std::slice::from_ref(value)
                    };
                    names
                        .iter()
                        .all(|name| TYPES.iter().any(|known| name == known))
                }
                "enum" => !items(value).is_empty(),
                "const" => true,
                "minimum" => value.is_number(),
                "required" => {
                    let named = keywords.get("properties");
                    let known =
                        |key: &Value| named.and_then(|named| named.get(key.as_str()?)).is_some();
                    has_texts(value) && items(value).iter().all(known)
                }
                "$ref" => {
                    let target = value.as_str().and_then(|text| self.resolve(part, text));
                    target.is_some()
                }
                "anyOf" => {
                    inner.extend(items(value).iter().map(|one| (keyword.clone(), one)));
                    !items(value).is_empty()
                }
                "items" | "additionalProperties" => {
                    inner.push((keyword.clone(), value));
                    true
                }
                "unevaluatedProperties" => value == false,
                "properties" | "$defs" => {
                    let parts = members(value);
                    inner.extend(parts.map(|(key, one)| (format!("{keyword}/{key}"), one)));
                    value.is_object()
                }
                _ => false,
            };
            if !is_right {
                wrong(&format!("{keyword} cannot be {value}"));
            }
        }
        let has = |key| keywords.contains_key(key);
        if has("properties") && !(has("additionalProperties") || has("unevaluatedProperties")) {
            // The shared one alone is open: others add to it.
            if keywords.get("$id").is_none_or(|id| id != super::SHARED) {
                wrong("any key may be added");
            }
        }
        for (key, schema) in inner {
            if key.starts_with("properties/")
                && schema["description"].as_str().is_none_or(str::is_empty)
            {
                faults.push(format!("{at}/{key}: has no description"));
            }
            self.look(part.at(schema), &format!("{at}/{key}"), faults);
        }
    }

    /// A value as the schema describes it, and where in it no key may be added. Of choices it takes
    /// that of this number, or the last.
    pub fn sample(&self, choice: usize) -> (Value, Vec<String>) {
        let mut closed = Vec::new();
        let value = self.sample_of(self.whole(), choice, "", &mut closed);
        (value, closed)
    }

    fn sample_of(&self, part: Part, choice: usize, at: &str, closed: &mut Vec<String>) -> Value {
        let mut value = None;
        if let Some(reference) = part.schema["$ref"].as_str() {
            let target = self.resolve(part, reference).unwrap();
            value = Some(self.sample_of(target, choice, at, closed));
        }
        let choices = part.schema.get("anyOf").map_or(&[][..], items);
        if let Some(taken) = choices.get(choice).or(choices.last()) {
            value = Some(self.sample_of(part.at(taken), choice, at, closed));
        }
        if let Some(only) = part.schema.get("const") {
            value = Some(only.clone());
        }
        if let Some(values) = part.schema.get("enum") {
            value = Some(items(values)[0].clone());
        }
        let names = &part.schema["type"];
        let name = names[0].as_str().or(names.as_str());
        let mut value = value.unwrap_or_else(|| match name {
            Some("string") => json!("text"),
            Some("integer" | "number") => json!(1),
            Some("boolean") => json!(true),
            Some("array") => json!([]),
            Some("object") => json!({}),
            _ => Value::Null,
        });
        if let (Some(each), Value::Array(values)) = (part.key("items"), &mut value) {
            values.push(self.sample_of(each, choice, &format!("{at}/0"), closed));
        }
        if let (Some(named), Value::Object(all)) = (part.key("properties"), &mut value) {
            for (key, schema) in members(named.schema) {
                let at = format!("{at}/{key}");
                all.insert(
                    key.clone(),
                    self.sample_of(part.at(schema), choice, &at, closed),
                );
            }
        }
        let is_closed = |key| part.schema[key] == false;
        if is_closed("additionalProperties") || is_closed("unevaluatedProperties") {
            closed.push(at.to_owned());
        }
        value
    }
}

const TYPES: [&str; 7] = [
    "string", "integer", "number", "boolean", "array", "object", "null",
];

fn is_of(value: &Value, name: &Value) -> bool {
    match name.as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some("null") => value.is_null(),
        _ => false,
    }
}

/// Whether values keep to small schemas, as the standard has it.
#[test]
fn a_value_keeps_to_a_schema_or_not() {
    let closed = json!({"properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false});
    let open = json!({"properties": {"a": {"type": "integer"}}, "required": ["a"]});
    let extended = json!({
        "$ref": "#/$defs/open", "properties": {"b": {"type": "string"}}, "unevaluatedProperties": false, "$defs": {"open": open},
    });
    let schemas: BTreeMap<&str, Value> = BTreeMap::from([
        (
            "null or 1",
            json!({"type": ["integer", "null"], "minimum": 1}),
        ),
        (
            "choice",
            json!({"anyOf": [{"type": "number"}, {"enum": ["NaN"]}]}),
        ),
        (
            "list",
            json!({"type": "array", "items": {"type": "boolean"}}),
        ),
        (
            "map",
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
        ),
        ("closed", closed),
        ("extended", extended),
    ]);
    let cases = [
        ("null or 1", json!(null), true),
        ("null or 1", json!(2), true),
        ("null or 1", json!(2.0), true),
        ("null or 1", json!(0), false),
        ("null or 1", json!(1.5), false),
        ("null or 1", json!("1"), false),
        ("choice", json!(-1.5), true),
        ("choice", json!("NaN"), true),
        ("choice", json!("nan"), false),
        ("choice", json!(null), false),
        ("list", json!([]), true),
        ("list", json!([true, false]), true),
        ("list", json!([true, 1]), false),
        ("list", json!({}), false),
        ("map", json!({"x": "y"}), true),
        ("map", json!({"x": 1}), false),
        ("closed", json!({"a": 1}), true),
        ("closed", json!({}), false),
        ("closed", json!({"a": 1, "b": 2}), false),
        ("closed", json!({"a": "1"}), false),
        ("extended", json!({"a": 1, "b": "x"}), true),
        ("extended", json!({"a": 1}), true),
        ("extended", json!({"b": "x"}), false),
        ("extended", json!({"a": 1, "c": 1}), false),
        ("extended", json!({"a": "x"}), false),
    ];
    for (name, value, fits) in cases {
        let problems = Schema::new(schemas[name].clone()).problems(&value);
        assert_eq!(problems.is_empty(), fits, "{name}: {value}: {problems:?}");
    }
}

#[test]
fn a_fault_in_a_schema_is_found() {
    let faults = [
        json!({"maximum": 1}),
        json!({"type": "text"}),
        json!({"$ref": "#/$defs/none"}),
        json!({"required": ["a"]}),
        json!({"properties": {"a": {"type": "string"}}, "additionalProperties": false}),
        json!({"properties": {"a": {"description": "An a."}}}),
        json!({"items": {"minimum": "1"}}),
        json!({"anyOf": []}),
    ];
    for fault in faults {
        let mut schema = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "traintop:x:1"});
        assert_eq!(Schema::new(schema.clone()).faults(), [""; 0]);
        schema
            .as_object_mut()
            .unwrap()
            .extend(fault.as_object().unwrap().clone());
        assert_eq!(Schema::new(schema).faults().len(), 1, "{fault}");
    }
}
