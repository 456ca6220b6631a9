//! Reads recipes from TOML and JSON text and applies `--set` overrides; every complaint names file, line and key.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::field::{BadValue, Field, Value};
use super::schema::{FIELDS, Recipe, field};

/// Why a recipe was refused: one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// The file cannot be read at all.
    #[error("{file}: cannot be read ({cause}); name a recipe file such as configs/quick.toml")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        cause: String,
    },
    /// Something in it is wrong.
    #[error("{place}: {problem}")]
    Wrong {
        /// `file:line`, the file alone, or `--set key=value`.
        place: String,
        /// What is wrong, what was expected.
        problem: String,
    },
}

/// Reads a recipe file: `.json` as `config.json` holds it, anything else as TOML. Keys that it leaves out have their
/// defaults.
///
/// # Errors
/// If it cannot be read, or holds an unknown key or a bad value.
pub fn load(path: &Path) -> Result<Recipe, RecipeError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| RecipeError::Unreadable {
        file: file.clone(),
        cause: error.to_string(),
    })?;
    if path
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        parse_json(&text, &file)
    } else {
        parse_toml(&text, &file)
    }
}

/// Reads TOML text; `file` is what complaints call it.
///
/// # Errors
/// As [`load`].
pub fn parse_toml(text: &str, file: &str) -> Result<Recipe, RecipeError> {
    let place = |offset: usize| format!("{file}:{}", line_at(text, offset));
    let table = DeTable::parse(text).map_err(|error| {
        let problem = format!(
            "is not valid TOML: {}",
            error.message().lines().next().unwrap_or_default()
        );
        RecipeError::Wrong {
            place: place(error.span().map_or(0, |span| span.start)),
            problem,
        }
    })?;
    let mut recipe = Recipe::default();
    let mut keys = Vec::new();
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let wrong = |problem: String| RecipeError::Wrong {
            place: place(key.span().start),
            problem,
        };
        let field = known(key.get_ref()).map_err(&wrong)?;
        let value = toml_value(field, value, text).map_err(|error| wrong(error.to_string()))?;
        recipe
            .set(field, value)
            .map_err(|error| wrong(error.to_string()))?;
        keys.push((field.key, place(key.span().start)));
    }
    recipe.check_together().map_err(|error| {
        let place = keys
            .iter()
            .find(|(key, _)| *key == error.key)
            .map_or(file.to_owned(), |(_, place)| place.clone());
        RecipeError::Wrong {
            place,
            problem: error.to_string(),
        }
    })?;
    Ok(recipe)
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
        })?;
    let mut recipe = Recipe::default();
    for (key, value) in &json {
        // serde_json keeps no positions: the line is that of the key's first mention.
        let place = || match text.find(&format!("\"{key}\"")) {
            Some(offset) => format!("{file}:{}", line_at(text, offset)),
            None => file.to_owned(),
        };
        let wrong = |problem: String| RecipeError::Wrong {
            place: place(),
            problem,
        };
        let field = known(key).map_err(wrong)?;
        let value = field
            .from_json(value)
            .map_err(|error| wrong(error.to_string()))?;
        recipe
            .set(field, value)
            .map_err(|error| wrong(error.to_string()))?;
    }
    recipe
        .check_together()
        .map_err(|error| RecipeError::Wrong {
            place: file.to_owned(),
            problem: error.to_string(),
        })?;
    Ok(recipe)
}

impl Recipe {
    /// The recipe with `--set key=value` overrides applied, in order.
    ///
    /// # Errors
    /// If a key is unknown or a value bad; the place is then the override itself.
    pub fn with_overrides(mut self, overrides: &[(String, String)]) -> Result<Self, RecipeError> {
        for (key, text) in overrides {
            let wrong = |problem: String| RecipeError::Wrong {
                place: format!("--set {key}={text}"),
                problem,
            };
            let field = known(key).map_err(wrong)?;
            self.set_text(field, text)
                .map_err(|error| wrong(error.to_string()))?;
        }
        self.check_together().map_err(|error| {
            let given = overrides.iter().rev().find(|(key, _)| key == error.key);
            let place = given.map_or("--set".to_owned(), |(key, text)| {
                format!("--set {key}={text}")
            });
            RecipeError::Wrong {
                place,
                problem: error.to_string(),
            }
        })?;
        Ok(self)
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

fn known(key: &str) -> Result<&'static Field, String> {
    field(key).ok_or_else(|| {
        let nearest = FIELDS
            .iter()
            .map(|field| (strsim::damerau_levenshtein(key, field.key), field.key))
            .filter(|(distance, _)| *distance <= 1 + key.len() / 4)
            .min();
        let containing = FIELDS
            .iter()
            .map(|field| (0, field.key))
            .find(|(_, known)| known.contains(key));
        let near = nearest.or(containing);
        let advice = near.map_or_else(
            || "`traintop recipe FILE` lists the keys".to_owned(),
            |(_, nearest)| format!("did you mean {nearest}?"),
        );
        format!("unknown key {key:?}; {advice}")
    })
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

/// The 1-based line in which a byte stands.
fn line_at(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse_toml(text, "configs/quick.toml")
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn bad_toml_names_file_line_and_key() {
        let cases = [
            (
                "# a\n\nmomentum = 1.5\n",
                "configs/quick.toml:3: momentum must be in [0, 1), got 1.5",
            ),
            (
                "batch_size = \"many\"",
                "configs/quick.toml:1: batch_size must be a whole number from 1 to 1000000, got \"many\"",
            ),
            (
                "seed = 1\nbatch_sise = 4",
                "configs/quick.toml:2: unknown key \"batch_sise\"; did you mean batch_size?",
            ),
            (
                "colour_scheme = 4",
                "configs/quick.toml:1: unknown key \"colour_scheme\"; `traintop recipe FILE` lists the keys",
            ),
            (
                "seed = [1, 2]",
                "configs/quick.toml:1: seed must be a whole number, at least 0, got [1, 2]",
            ),
            (
                "width = 8\nse_reduction = 16",
                "configs/quick.toml:2: se_reduction must be at most width (8) while use_se is true, got 16",
            ),
        ];
        for (text, sentence) in cases {
            assert_eq!(refusal(text), sentence);
        }
        assert!(
            refusal("seed = 1\nseed 2").starts_with("configs/quick.toml:2: is not valid TOML: ")
        );
        assert!(
            refusal("seed = 1\nseed = 2")
                .starts_with("configs/quick.toml:2: is not valid TOML: duplicate")
        );
    }

    #[test]
    fn overrides_use_the_same_checks() {
        let set = |key: &str, text: &str| {
            Recipe::default().with_overrides(&[(key.to_owned(), text.to_owned())])
        };
        assert_eq!(set("num_epochs", "3").unwrap().num_epochs, 3);
        assert_eq!(
            set("num_epochs", "-3").unwrap_err().to_string(),
            "--set num_epochs=-3: num_epochs must be a whole number from 1 to 1000000, got -3"
        );
        assert_eq!(
            set("epochs", "3").unwrap_err().to_string(),
            "--set epochs=3: unknown key \"epochs\"; did you mean num_epochs?"
        );
    }

    #[test]
    fn config_json_reads_back_as_the_same_recipe() {
        let recipe =
            parse_toml("num_epochs = 7\nlearning_rate = 1\ndata_dir = 'a \"b'", "x").unwrap();
        let text = serde_json::to_string_pretty(&recipe.to_json()).unwrap();
        assert_eq!(parse_json(&text, "config.json").unwrap(), recipe);
        let error = parse_json(&text.replace(": 7", ": 0"), "config.json")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("num_epochs must be a whole number from 1 to 1000000, got 0"),
            "{error}"
        );
    }
}
