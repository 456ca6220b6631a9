//! Reads theme files. A mistake is told in one sentence, and everything else in the file still holds.

use std::collections::BTreeMap;
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use toml::{Table, Value};

use super::Theme;
use super::role::Role;

/// A mistake in a theme file, as one sentence.
pub type Warning = String;

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        /// The themes in `themes/`, name and text, the default first.
        pub const BUILT_IN: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../themes/", $name, ".toml")))),+];
    };
}

built_in!(
    "dark",
    "light",
    "high-contrast",
    "sixteen",
    "catppuccin-mocha",
    "dracula",
    "gruvbox-dark",
    "nord",
    "rose-pine",
    "solarized-dark",
    "solarized-light",
    "tokyo-night",
);

/// How deep themes may inherit: more is a loop.
const DEPTH: usize = 8;

/// All themes: the built-in ones, then the user's (`files`: name and text), which replace built-in ones of the same name.
pub fn load_all(files: &[(String, String)]) -> (Vec<Theme>, Vec<Warning>) {
    let mut texts: Vec<(String, &str)> = BUILT_IN
        .iter()
        .map(|(name, text)| ((*name).to_owned(), *text))
        .collect();
    for (name, text) in files {
        texts.retain(|(known, _)| known != name);
        texts.push((name.clone(), text));
    }
    let mut warnings = Vec::new();
    let mut tables: Vec<(String, Table)> = Vec::new();
    for (name, text) in &texts {
        match text.parse() {
            Ok(table) => tables.push((name.clone(), table)),
            Err(error) => {
                let cause = error
                    .to_string()
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .to_owned();
                warnings.push(format!(
                    "theme {name}: is not valid TOML ({cause}), so it is left out"
                ));
            }
        }
    }
    let themes = tables
        .iter()
        .map(|(name, _)| build(name, &tables, &mut warnings))
        .collect();
    (themes, warnings)
}

fn build(name: &str, tables: &[(String, Table)], warnings: &mut Vec<Warning>) -> Theme {
    // The theme itself, then what it inherits.
    let mut line: Vec<(&str, &Table)> = Vec::new();
    let mut next = Some(name);
    while let Some(name) = next {
        let Some((name, table)) = tables.iter().find(|(known, _)| known == name) else {
            warnings.push(format!(
                "theme {}: inherits {name:?}, which is no theme",
                line[0].0
            ));
            break;
        };
        if line.len() == DEPTH {
            warnings.push(format!("theme {}: inherits itself", line[0].0));
            break;
        }
        line.push((name, table));
        next = table.get("inherits").and_then(Value::as_str);
    }
    let own = line.first().map_or(name, |(name, _)| name);
    let mut palette = BTreeMap::new();
    let mut styles = BTreeMap::new();
    for (at, (from, table)) in line.iter().enumerate().rev() {
        // Mistakes of an inherited theme are told once, with that theme.
        let mut unheard = Vec::new();
        let warnings = if at == 0 {
            &mut *warnings
        } else {
            &mut unheard
        };
        for (key, value) in table
            .get("palette")
            .and_then(Value::as_table)
            .into_iter()
            .flatten()
        {
            match value.as_str().and_then(color) {
                Some(color) => drop(palette.insert(key.clone(), color)),
                None => warnings.push(format!(
                    "theme {from}: palette.{key} must be a colour such as \"#ff8800\", got {value}"
                )),
            }
        }
        for (key, value) in table
            .get("roles")
            .and_then(Value::as_table)
            .into_iter()
            .flatten()
        {
            let Some(role) = Role::ALL.iter().find(|role| role.name() == key) else {
                warnings.push(format!(
                    "theme {from}: roles.{key} is no role; the roles are those of themes/dark.toml"
                ));
                continue;
            };
            match style(*role, value, &palette) {
                Ok(style) => drop(styles.insert(*role, style)),
                Err(problem) => warnings.push(format!("theme {from}: roles.{key} {problem}")),
            }
        }
        for key in table
            .keys()
            .filter(|key| !["inherits", "palette", "roles"].contains(&key.as_str()))
        {
            warnings.push(format!(
                "theme {from}: {key} is not known; expected inherits, palette or roles"
            ));
        }
    }
    Theme {
        name: own.to_owned(),
        styles,
    }
}

/// A colour: `#rrggbb`, or one of the terminal's own by name.
fn color(text: &str) -> Option<Color> {
    Color::from_str(text)
        .ok()
        .filter(|color| !matches!(color, Color::Indexed(_)))
}

/// A role's style: a colour, or a table with `fg`, `bg` and `modifiers`. `background` is a colour behind.
fn style(role: Role, value: &Value, palette: &BTreeMap<String, Color>) -> Result<Style, String> {
    let named = |value: &Value| {
        let found = value
            .as_str()
            .and_then(|name| palette.get(name).copied().or_else(|| color(name)));
        found.ok_or_else(|| {
            format!("must name a colour of the palette or be one such as \"#ff8800\", got {value}")
        })
    };
    let Some(table) = value.as_table() else {
        let color = named(value)?;
        let plain = Style::default();
        return Ok(if role == Role::Background {
            plain.bg(color)
        } else {
            plain.fg(color)
        });
    };
    let mut style = Style::default();
    for (key, value) in table {
        match key.as_str() {
            "fg" => style = style.fg(named(value)?),
            "bg" => style = style.bg(named(value)?),
            "modifiers" => {
                for word in value.as_array().map(Vec::as_slice).unwrap_or_default() {
                    style = style.add_modifier(match word.as_str() {
                        Some("bold") => Modifier::BOLD,
                        Some("dim") => Modifier::DIM,
                        Some("italic") => Modifier::ITALIC,
                        Some("underlined") => Modifier::UNDERLINED,
                        Some("reversed") => Modifier::REVERSED,
                        _ => return Err(format!("has {word} as a modifier; expected bold, dim, italic, underlined or reversed")),
                    });
                }
            }
            _ => return Err(format!("has the key {key}; expected fg, bg or modifiers")),
        }
    }
    Ok(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_theme_loads_without_a_warning() {
        let (themes, warnings) = load_all(&[]);
        assert_eq!(warnings, Vec::<Warning>::new());
        assert_eq!(themes.len(), BUILT_IN.len());
        for theme in &themes {
            let text = theme.style(Role::Text);
            assert_ne!(
                theme.style(Role::Bad),
                text,
                "{}: bad looks like text",
                theme.name
            );
            assert_ne!(
                theme.style(Role::Series0),
                theme.style(Role::Series1),
                "{}",
                theme.name
            );
        }
    }

    #[test]
    fn every_theme_file_is_built_in() {
        for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/themes")).unwrap() {
            let name = entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned();
            assert!(
                BUILT_IN.iter().any(|(known, _)| *known == name),
                "{name} is not built in"
            );
        }
    }

    /// Contrast of two colours as WCAG 2 defines it.
    fn contrast(a: Color, b: Color) -> Option<f64> {
        let luminance = |color| {
            let Color::Rgb(red, green, blue) = color else {
                return None;
            };
            let linear = |part: u8| {
                let part = f64::from(part) / 255.0;
                if part <= 0.04045 {
                    part / 12.92
                } else {
                    ((part + 0.055) / 1.055).powf(2.4)
                }
            };
            Some(0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) + 0.05)
        };
        let (a, b) = (luminance(a)?, luminance(b)?);
        Some(a.max(b) / a.min(b))
    }

    #[test]
    fn text_is_readable_on_every_background() {
        let (themes, _) = load_all(&[]);
        for theme in themes {
            for (role, least) in [
                (Role::Text, 4.0),
                (Role::Muted, 2.4),
                (Role::Bad, 2.8),
                (Role::Accent, 2.4),
                (Role::Selection, 2.4),
            ] {
                let style = theme.style(role);
                let behind = style.bg.unwrap_or(theme.background());
                if let Some(ratio) = style.fg.and_then(|color| contrast(color, behind)) {
                    assert!(
                        ratio >= least,
                        "{}: {} has contrast {ratio:.2}",
                        theme.name,
                        role.name()
                    );
                }
            }
        }
    }

    #[test]
    fn mistakes_are_told_and_the_rest_holds() {
        let text = "inherits = \"dark\"\n[palette]\npink = \"pinkish\"\n[roles]\ngood = \"#00ff00\"\nbaad = \"#ff0000\"\nwarn = { fg = \"nowhere\" }\n";
        let (themes, warnings) = load_all(&[("mine".to_owned(), text.to_owned())]);
        assert_eq!(
            warnings,
            [
                "theme mine: palette.pink must be a colour such as \"#ff8800\", got \"pinkish\"",
                "theme mine: roles.baad is no role; the roles are those of themes/dark.toml",
                "theme mine: roles.warn must name a colour of the palette or be one such as \"#ff8800\", got \"nowhere\"",
            ]
        );
        let mine = themes.iter().find(|theme| theme.name == "mine").unwrap();
        assert_eq!(mine.style(Role::Good).fg, Some(Color::Rgb(0, 255, 0)));
        assert_eq!(mine.style(Role::Warn), themes[0].style(Role::Warn));
    }

    #[test]
    fn themes_that_inherit_in_a_circle_are_told() {
        let text = |other: &str| format!("inherits = \"{other}\"\n");
        let files = [("a".to_owned(), text("b")), ("b".to_owned(), text("a"))];
        let (_, warnings) = load_all(&files);
        assert_eq!(
            warnings,
            ["theme a: inherits itself", "theme b: inherits itself"]
        );
    }
}
