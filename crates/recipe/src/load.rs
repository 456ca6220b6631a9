//! Reads recipes from TOML and JSON text and applies `--set` overrides; every problem names file,
//! line and key.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::epoch::SYNTHETIC;
use super::field::{BadValue, Field, Value};
use super::schema::{FIELDS, Recipe, field};
use super::shipped::{SHIPPED, Shipped};
use traintop_disk::read;
use traintop_text::nearest;
use traintop_text::toml::{Source, line_at};

/// Why a recipe was refused: one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// The file cannot be read at all.
    #[error(
        "{file}: cannot be read ({cause}); name a recipe file, or one that comes with the program: {}",
        shipped_names()
    )]
    Unreadable { file: String, cause: String },
    /// Something in it is wrong; the first such problem is reported in full.
    #[error("{place}: {problem}{}", and_more(*.more))]
    Wrong {
        /// `file:line`, the file alone, or `--set key=value`.
        place: String,
        /// What is wrong, what was expected.
        problem: String,
        /// How many other things are wrong beside it.
        more: usize,
    },
}

fn shipped_names() -> String {
    SHIPPED
        .iter()
        .map(|shipped| shipped.name)
        .collect::<Vec<_>>()
        .join(", ")
}

fn and_more(more: usize) -> String {
    match more {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    }
}

/// The problems so far, in the order of the text, so that all are reported at once.
#[derive(Default)]
struct Problems(Vec<(String, String)>);

impl Problems {
    fn add(&mut self, place: String, problem: impl fmt::Display) {
        self.0.push((place, problem.to_string()));
    }

    /// The recipe, if nothing is wrong with it. Whether its values fit together is checked last,
    /// and only if each is valid by itself; `place_of` says where a key was set.
    fn judge(
        mut self,
        recipe: Recipe,
        place_of: impl Fn(&str) -> String,
    ) -> Result<Recipe, RecipeError> {
        if self.0.is_empty()
            && let Err(error) = recipe.check_together()
        {
            self.add(place_of(error.key), error);
        }
        let more = self.0.len().saturating_sub(1);
        match self.0.into_iter().next() {
            Some((place, problem)) => Err(RecipeError::Wrong {
                place,
                problem,
                more,
            }),
            None => Ok(recipe),
        }
    }
}

/// Reads a recipe file: `.json` as `config.json` holds it, anything else as TOML. Keys that it
/// leaves out have their defaults. If there is no such file, the bare name of a recipe that comes
/// with the program (`quick`) is looked up.
///
/// # Errors
/// If it cannot be read, or holds an unknown key or a bad value.
pub fn load(path: &Path) -> Result<Recipe, RecipeError> {
    let file = path.display().to_string();
    let text = match read::text(path, read::RECORD_LIMIT) {
        Ok(text) => text,
        Err(error) => {
            let shipped = SHIPPED.iter().find(|shipped| shipped.name == file);
            return match shipped {
                Some(shipped) if error.kind() == io::ErrorKind::NotFound => parse_shipped(shipped),
                _ => Err(RecipeError::Unreadable {
                    file,
                    cause: error.to_string(),
                }),
            };
        }
    };
    if path
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        parse_json(&text, &file)
    } else {
        parse_toml(&text, &file)
    }
}

/// The key of a recipe that names another one, on which it builds.
const EXTENDS: &str = "extends";

/// The folder of a user's own recipes, below the working folder.
pub const OWN: &str = "configs";

/// Recipes that build on each other, at the most.
const MAX_CHAIN_LENGTH: usize = 8;

/// Reads TOML text; `file` is what problems call it, and its folder is where a recipe that it
/// `extends` is searched.
///
/// # Errors
/// As [`load`].
pub fn parse_toml(text: &str, file: &str) -> Result<Recipe, RecipeError> {
    parse_chain(text, file, Origin::File, 1)
}

/// Reads a recipe that comes with the program.
///
/// # Errors
/// As [`load`]; a test holds that none of them has any.
pub fn parse_shipped(shipped: &Shipped) -> Result<Recipe, RecipeError> {
    parse_chain(shipped.text, shipped.name, Origin::Program, 1)
}

/// Where a recipe's text is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// A file, beside which others may lie.
    File,
    /// The program itself.
    Program,
}

fn parse_chain(text: &str, file: &str, of: Origin, length: usize) -> Result<Recipe, RecipeError> {
    let source = Source { name: file, text };
    let place = |offset: usize| source.place(offset);
    let mut problems = Problems::default();
    let (table, errors) = source.parse();
    for error in errors {
        problems.add(place(error.offset), error.sentence);
    }
    let mut recipe = Recipe::default();
    let mut places = HashMap::new();
    // What the parser made of a broken text would only bring problems that mend themselves with
    // the first.
    let readable = if problems.0.is_empty() {
        Some(table.get_ref())
    } else {
        None
    };
    let is_base = |key: &Spanned<_>| key.get_ref() == EXTENDS;
    let base = readable.and_then(|table| table.iter().find(|(key, _)| is_base(key)));
    if let Some((key, value)) = base {
        recipe = match value.get_ref() {
            DeValue::String(_) if length == MAX_CHAIN_LENGTH => {
                let problem = format!(
                    "recipes extend each other {MAX_CHAIN_LENGTH} times and more; end the chain, or the circle"
                );
                return Err(RecipeError::Wrong {
                    place: place(key.span().start),
                    problem,
                    more: 0,
                });
            }
            // What is wrong with the other recipe is reported in its own place.
            DeValue::String(base) => load_base(base, file, of, length + 1)?,
            _ => {
                let got = &text[value.span()];
                let problem = format!("{EXTENDS} must be the name of a recipe, got {got}");
                problems.add(place(key.span().start), problem);
                recipe
            }
        };
    }
    for Setting {
        key,
        written,
        value,
    } in readable.into_iter().flat_map(flattened)
    {
        if key == EXTENDS {
            continue;
        }
        let place = place(written.span().start);
        let set = known(&key).and_then(|field| {
            places.insert(field.key, place.clone());
            let value = toml_value(field, value, text)?;
            Ok(recipe.set(field, value)?)
        });
        if let Err(problem) = set {
            problems.add(place, problem);
        }
    }
    problems.judge(recipe, |key| {
        places.get(key).cloned().unwrap_or_else(|| file.to_owned())
    })
}

/// A value with its whole key.
struct Setting<'a, 'text> {
    key: String,
    /// The key as it is written.
    written: &'a Spanned<DeString<'text>>,
    value: &'a Spanned<DeValue<'text>>,
}

/// Every value of a table: a table `color_jitter` holds the keys that begin with `color_jitter_`.
fn flattened<'a, 'text>(table: &'a DeTable<'text>) -> Vec<Setting<'a, 'text>> {
    let begins = |name: &str| FIELDS.iter().any(|field| field.key.starts_with(name));
    let mut settings = Vec::new();
    for (key, value) in table {
        let name = key.get_ref();
        match value.get_ref() {
            DeValue::Table(inner) if begins(&format!("{name}_")) => {
                settings.extend(inner.iter().map(|(written, value)| Setting {
                    key: format!("{name}_{}", written.get_ref()),
                    written,
                    value,
                }));
            }
            _ => settings.push(Setting {
                key: name.to_string(),
                written: key,
                value,
            }),
        }
    }
    settings
}

/// The recipe that another builds on: for a file's recipe one beside it, then one of the working
/// folder's [`OWN`], then one that comes with the program; for one that comes with the program only
/// another such, never a file of the working folder.
fn load_base(base: &str, file: &str, of: Origin, length: usize) -> Result<Recipe, RecipeError> {
    let name = base.strip_suffix(".toml").unwrap_or(base);
    let shipped = SHIPPED.iter().find(|shipped| shipped.name == name);
    let beside = Path::new(file).with_file_name(base);
    let places = [beside.clone(), Path::new(OWN).join(base)];
    let named = |path: PathBuf| [path.with_added_extension("toml"), path];
    let files = places.into_iter().flat_map(named);
    // A file called `quick.toml` may build on the `quick` that comes with the program.
    let itself = Path::new(file).canonicalize().ok();
    let is_itself = |path: &PathBuf| shipped.is_some() && path.canonicalize().ok() == itself;
    let mut files = files.filter(|path| path.is_file() && !is_itself(path));
    if let (Origin::File, Some(found)) = (of, files.next()) {
        let name = found.display().to_string();
        return match read::text(&found, read::RECORD_LIMIT) {
            Ok(text) => parse_chain(&text, &name, Origin::File, length),
            Err(error) => Err(RecipeError::Unreadable {
                file: name,
                cause: error.to_string(),
            }),
        };
    }
    match shipped {
        Some(shipped) => parse_chain(shipped.text, shipped.name, Origin::Program, length),
        None => Err(RecipeError::Unreadable {
            file: beside.display().to_string(),
            cause: "there is no such file".to_owned(),
        }),
    }
}

/// Reads the text of a `config.json`.
///
/// # Errors
/// As [`load`].
pub fn parse_json(text: &str, file: &str) -> Result<Recipe, RecipeError> {
    let json: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| RecipeError::Wrong {
            place: format!("{file}:{}", error.line()),
            problem: format!("is not valid JSON: {error}"),
            more: 0,
        })?;
    // serde_json keeps no positions: the line is that of the key's first mention.
    let place_of = |key: &str| match text.find(&format!("\"{key}\"")) {
        Some(offset) => format!("{file}:{}", line_at(text, offset)),
        None => file.to_owned(),
    };
    let mut recipe = Recipe::default();
    let mut problems = Problems::default();
    // The reference writes what is not set as null, and some settings as a table of their own.
    let flat = json.iter().flat_map(|(key, value)| match value {
        serde_json::Value::Object(inner) => {
            let inner = inner.iter();
            inner
                .map(|(name, value)| (format!("{key}_{name}"), key, value))
                .collect()
        }
        value => vec![(key.clone(), key, value)],
    });
    for (key, mentioned, value) in flat.filter(|(_, _, value)| !value.is_null()) {
        let set = known(&key).and_then(|field| Ok(recipe.set(field, field.from_json(value)?)?));
        if let Err(problem) = set {
            problems.add(place_of(mentioned), problem);
        }
    }
    problems.judge(recipe, place_of)
}

impl Recipe {
    /// The recipe with `--set key=value` overrides applied, in order.
    ///
    /// # Errors
    /// If a key is unknown or a value bad; the place is then the override itself.
    pub fn with_overrides(mut self, overrides: &[(String, String)]) -> Result<Self, RecipeError> {
        let place = |(key, text): &(String, String)| format!("--set {key}={text}");
        let mut problems = Problems::default();
        for given in overrides {
            let set = known(&given.0).and_then(|field| Ok(self.set_text(field, &given.1)?));
            if let Err(problem) = set {
                problems.add(place(given), problem);
            }
        }
        let last_of = |key: &str| overrides.iter().rev().find(|(given, _)| given == key);
        problems.judge(self, |key| last_of(key).map_or("--set".to_owned(), place))
    }
}

impl Recipe {
    /// The recipe with its relative paths to data and weights made absolute: a run may be started
    /// or resumed from another folder.
    #[must_use]
    pub fn with_absolute_paths(mut self) -> Self {
        let absolute = |path: &mut String| {
            if let Ok(found) = Path::new(path).canonicalize() {
                *path = found.to_string_lossy().into_owned();
            }
        };
        if self.data_dir != SYNTHETIC {
            absolute(&mut self.data_dir);
        }
        if !self.resume_from.is_empty() {
            absolute(&mut self.resume_from);
        }
        self
    }
}

/// Splits `key=value` as `--set` takes it.
///
/// # Errors
/// A sentence, if there is no `=`.
pub fn parse_override(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!("expected key=value, got {text:?}")),
    }
}

/// One thing that is wrong, as a sentence without its place.
struct Problem(String);

impl From<BadValue> for Problem {
    fn from(bad: BadValue) -> Self {
        Self(bad.to_string())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn known(key: &str) -> Result<&'static Field, Problem> {
    field(key).ok_or_else(|| Problem(unknown(key)))
}

/// The message for an unknown key.
pub(super) fn unknown(key: &str) -> String {
    let keys = || FIELDS.iter().map(|field| field.key);
    let near = nearest(key, keys(), 1 + key.len() / 4)
        .or_else(|| keys().find(|known| known.contains(key)));
    let advice = near.map_or_else(
        || "`traintop recipe FILE` lists the keys".to_owned(),
        |near| format!("did you mean {near}?"),
    );
    format!("unknown key {key:?}; {advice}")
}

fn toml_value(
    field: &'static Field,
    value: &Spanned<DeValue>,
    text: &str,
) -> Result<Value, BadValue> {
    let written = &text[value.span()];
    let bad = || BadValue {
        key: field.key,
        expected: field.kind.to_string(),
        got: written.to_owned(),
    };
    let read = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => Value::Int(
            i64::from_str_radix(&number.as_str().replace('_', ""), number.radix())
                .map_err(|_| bad())?,
        ),
        DeValue::Float(number) => Value::Float(
            number
                .as_str()
                .replace('_', "")
                .parse()
                .map_err(|_| bad())?,
        ),
        DeValue::Boolean(value) => Value::Bool(*value),
        _ => return Err(bad()),
    };
    Ok(read)
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
