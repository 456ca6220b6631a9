//! A recipe written to a file: what differs from another that it builds on, so that a variant that
//! worked can be used again.

use super::field::{Field, Value};
use super::schema::Recipe;

/// The text of a recipe file that `extends` another one with what `recipe` has different from
/// `base`. Without a recipe to build on, every value is written.
pub fn variant(recipe: &Recipe, base: &Recipe, extends: Option<&str>) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let line = |field: &&'static Field| {
        let value = recipe.get(field.key)?;
        let written = match &value {
            Value::Text(text) => quoted(text),
            // TOML distinguishes floats from integers by the point.
            Value::Float(number) => toml::Value::Float(*number).to_string(),
            other => other.to_string(),
        };
        Some(format!("{} = {written}\n", field.key))
    };
    match extends {
        Some(name) => {
            let changed = recipe.differences(base);
            let lines: String = changed.iter().filter_map(line).collect();
            format!("extends = {}\n{lines}", quoted(name))
        }
        None => {
            let fields: Vec<&'static Field> = super::FIELDS.iter().collect();
            fields.iter().filter_map(line).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SHIPPED, parse_shipped, parse_toml};

    #[test]
    fn what_is_written_reads_back_as_the_same_recipe() {
        let quick = parse_shipped(&SHIPPED[0]).unwrap();
        let changed = Recipe {
            max_lr: 1.0,
            seed: 7,
            data_dir: "a \"b\"\\c".to_owned(),
            nesterov: !quick.nesterov,
            ..quick.clone()
        };
        let text = variant(&changed, &quick, Some("quick"));
        assert_eq!(text.lines().count(), 5, "{text}");
        assert_eq!(
            parse_toml(&text, "/nowhere/mine.toml").as_ref(),
            Ok(&changed)
        );
        let whole = variant(&changed, &quick, None);
        assert_eq!(parse_toml(&whole, "/nowhere/mine.toml"), Ok(changed));
    }
}
