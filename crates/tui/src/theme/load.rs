//! From theme files to themes. A mistake costs what it concerns and no more: it becomes one
//! sentence, the rest holds.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use ratatui::style::{Color, Modifier, Style};
use toml::Spanned;
use toml::de::DeValue;

use super::colour::Rgb;
use super::{Depth, Role, Theme};
use traintop_text::nearest;
use traintop_text::toml::Source as Toml;

/// A mistake in a theme file, as one sentence that begins with the file and the line.
pub type Warning = String;

/// A theme file's name, without `.toml`, and its text.
#[derive(Debug, Clone, Copy)]
struct Source<'a> {
    name: &'a str,
    text: &'a str,
}

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        /// The themes in `themes/`, name and text, the default first.
        pub const BUILT_IN: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../../themes/", $name, ".toml")))),+];
    };
}

built_in!(
    "dark",
    "light",
    "high-contrast",
    "ansi",
    "catppuccin-latte",
    "catppuccin-mocha",
    "dracula",
    "gruvbox-dark",
    "gruvbox-light",
    "monokai",
    "nord",
    "one-dark",
    "rose-pine",
    "solarized-dark",
    "solarized-light",
    "tokyo-night",
);

/// All themes: the built-in ones, then the user's (`files`: name and text); one of a built-in's
/// name takes its place. A mistake costs the entry that it is in; the warnings tell each once.
pub fn load_all(files: &[(String, String)]) -> (Vec<Theme>, Vec<Warning>) {
    let mut sources: Vec<Source> = BUILT_IN
        .iter()
        .map(|(name, text)| Source { name, text })
        .collect();
    for (name, text) in files {
        match sources.iter_mut().find(|known| known.name == name) {
            Some(known) => known.text = text,
            None => sources.push(Source { name, text }),
        }
    }
    let mut warnings = Vec::new();
    let themes = sources
        .iter()
        .map(|source| Theme {
            name: source.name.to_owned(),
            styles: sheet(&sources, *source, &mut vec![source.name], &mut warnings)
                .styles(&mut warnings),
            depth: Depth::True,
        })
        .collect();
    // What is wrong with a theme is found again with each that inherits it.
    let mut seen = HashSet::new();
    warnings.retain(|warning| seen.insert(warning.clone()));
    (themes, warnings)
}

/// The default theme, alone.
pub(super) fn default() -> Theme {
    let (name, text) = BUILT_IN[0];
    let (sheet, _) = Sheet::parse(Source { name, text }, &mut Vec::new());
    Theme {
        name: name.to_owned(),
        styles: sheet.styles(&mut Vec::new()),
        depth: Depth::True,
    }
}

/// The file's sheet laid over those that it inherits from. `above` are the names on the way here.
fn sheet<'a>(
    sources: &[Source<'a>],
    source: Source<'a>,
    above: &mut Vec<&'a str>,
    warnings: &mut Vec<Warning>,
) -> Sheet {
    let (sheet_of_file, parent) = Sheet::parse(source, warnings);
    let Some((place, parent)) = parent else {
        return sheet_of_file;
    };
    match sources.iter().find(|known| known.name == parent) {
        Some(parent) if above.contains(&parent.name) => {
            warnings.push(format!(
                "{place}: inherits must not lead back to the theme itself, got {:?}",
                parent.name
            ));
            sheet_of_file
        }
        Some(parent) => {
            above.push(parent.name);
            let mut whole = sheet(sources, *parent, above, warnings);
            whole.palette.extend(sheet_of_file.palette);
            whole.roles.extend(sheet_of_file.roles);
            whole
        }
        None => {
            warnings.push(format!(
                "{place}: inherits must name a theme, got {parent:?}; there are: {}",
                sources
                    .iter()
                    .map(|source| source.name)
                    .collect::<Vec<_>>()
                    .join(", ")
            ));
            sheet_of_file
        }
    }
}

/// A colour as a role names it, with the place to name in a complaint.
#[derive(Debug, Clone)]
struct Wanted {
    place: String,
    text: String,
}

#[derive(Debug, Clone, Default)]
struct RawStyle {
    fg: Option<Wanted>,
    bg: Option<Wanted>,
    modifiers: Modifier,
}

/// What a theme file says, its colours still by name: who inherits it may change the palette.
#[derive(Debug, Default)]
struct Sheet {
    palette: HashMap<String, Color>,
    roles: BTreeMap<Role, RawStyle>,
}

impl Sheet {
    /// Reads a file; also gives the name that it inherits from, with its place.
    fn parse(source: Source, warnings: &mut Vec<Warning>) -> (Self, Option<(String, String)>) {
        let name = format!("themes/{}.toml", source.name);
        let toml = Toml {
            name: &name,
            text: source.text,
        };
        let mut reader = Reader {
            source: toml,
            warnings,
        };
        let mut sheet = Self::default();
        let mut parent = None;
        let (table, errors) = toml.parse();
        for error in errors {
            reader.warn(error.offset, &error.sentence);
        }
        for (key, value) in table.get_ref() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("inherits", DeValue::String(name)) => {
                    parent = Some((reader.place(value.span().start), name.to_string()));
                }
                ("palette", DeValue::Table(entries)) => {
                    for (name, value) in entries {
                        if let Some(colour) = reader.palette_entry(name.get_ref(), value) {
                            sheet.palette.insert(name.get_ref().to_string(), colour);
                        }
                    }
                }
                ("roles", DeValue::Table(entries)) => {
                    for (name, value) in entries {
                        reader.roles(name, value, &mut sheet.roles);
                    }
                }
                ("inherits", _) => {
                    reader.bad(value, "inherits", "the name of a theme");
                }
                ("palette" | "roles", _) => {
                    reader.bad(value, key.get_ref(), "a table");
                }
                (other, _) => reader.warn(
                    key.span().start,
                    &format!("unknown key {other:?}; a theme has inherits, [palette] and [roles]"),
                ),
            }
        }
        (sheet, parent)
    }

    /// The style of every role, its own or its nearest ancestor's.
    fn styles(&self, warnings: &mut Vec<Warning>) -> [Style; Role::ALL.len()] {
        let given: BTreeMap<Role, Style> = self
            .roles
            .iter()
            .map(|(role, raw)| (*role, self.resolve(*role, raw, warnings)))
            .collect();
        let of = |role: Role| {
            let mut line = std::iter::successors(Some(role), |role| role.parent());
            line.find_map(|role| given.get(&role).copied())
                .unwrap_or_default()
        };
        Role::ALL.map(of)
    }

    fn resolve(&self, role: Role, raw: &RawStyle, warnings: &mut Vec<Warning>) -> Style {
        let mut colour = |wanted: &Wanted| {
            let found = self
                .palette
                .get(&wanted.text)
                .copied()
                .or_else(|| colour(&wanted.text));
            if found.is_none() {
                warnings.push(format!(
                    "{}: {} must be {COLOUR} or a name of the palette, got {:?}",
                    wanted.place,
                    role.name(),
                    wanted.text
                ));
            }
            found
        };
        let style = Style {
            fg: raw.fg.as_ref().and_then(&mut colour),
            bg: raw.bg.as_ref().and_then(&mut colour),
            ..Style::new()
        };
        style.add_modifier(raw.modifiers)
    }
}

const COLOUR: &str = "#rrggbb, one of the 16 names (red, bright_red, ...), default";

/// Reads a colour that needs no palette.
fn colour(text: &str) -> Option<Color> {
    if let Some(Rgb(red, green, blue)) = Rgb::parse(text) {
        return Some(Color::Rgb(red, green, blue));
    }
    Some(match text {
        "default" => Color::Reset,
        "black" => Color::Black,
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "white" => Color::Gray,
        "bright_black" => Color::DarkGray,
        "bright_red" => Color::LightRed,
        "bright_green" => Color::LightGreen,
        "bright_yellow" => Color::LightYellow,
        "bright_blue" => Color::LightBlue,
        "bright_magenta" => Color::LightMagenta,
        "bright_cyan" => Color::LightCyan,
        "bright_white" => Color::White,
        _ => return None,
    })
}

fn modifier(text: &str) -> Option<Modifier> {
    Some(match text {
        "bold" => Modifier::BOLD,
        "dim" => Modifier::DIM,
        "italic" => Modifier::ITALIC,
        "underlined" => Modifier::UNDERLINED,
        "reversed" => Modifier::REVERSED,
        _ => return None,
    })
}

/// Reads one file's values and keeps the complaints.
struct Reader<'a> {
    source: Toml<'a>,
    warnings: &'a mut Vec<Warning>,
}

impl Reader<'_> {
    fn place(&self, offset: usize) -> String {
        self.source.place(offset)
    }

    fn warn(&mut self, offset: usize, sentence: &str) {
        let place = self.place(offset);
        self.warnings.push(format!("{place}: {sentence}"));
    }

    fn bad(&mut self, value: &Spanned<DeValue>, key: &str, expected: &str) {
        let got = self.source.written(value.span());
        self.warn(
            value.span().start,
            &format!("{key} must be {expected}, got {got}"),
        );
    }

    fn palette_entry(&mut self, name: &str, value: &Spanned<DeValue>) -> Option<Color> {
        let found = match value.get_ref() {
            DeValue::String(text) => colour(text),
            _ => None,
        };
        if found.is_none() {
            self.bad(value, name, COLOUR);
        }
        found
    }

    /// One entry of `[roles]`: a role, or the first part of the names of several (`series.0 = ...`,
    /// `[roles.state]`).
    fn roles(
        &mut self,
        name: &Spanned<Cow<str>>,
        value: &Spanned<DeValue>,
        roles: &mut BTreeMap<Role, RawStyle>,
    ) {
        // A value that the parser made up where it found none: the complaint is made already.
        if value.span().is_empty() {
            return;
        }
        let whole = name.get_ref().as_ref();
        let is_family = Role::ALL.iter().any(|role| {
            let rest = role.name().strip_prefix(whole);
            rest.is_some_and(|rest| rest.starts_with('.'))
        });
        match value.get_ref() {
            DeValue::Table(members) if is_family => {
                for (member, value) in members {
                    let name = format!("{whole}.{}", member.get_ref());
                    roles.extend(self.role(&name, member.span().start, value));
                }
            }
            _ => roles.extend(self.role(whole, name.span().start, value)),
        }
    }

    /// `role = "colour"` or `role = { fg = "colour", bg = "colour", modifiers = ["bold"] }`.
    fn role(
        &mut self,
        name: &str,
        at: usize,
        value: &Spanned<DeValue>,
    ) -> Option<(Role, RawStyle)> {
        let Some(role) = Role::named(name) else {
            let near = nearest(name, Role::ALL.iter().map(|role| role.name()), 2);
            let advice = near.map_or_else(
                || "themes/dark.toml has them all".to_owned(),
                |near| format!("did you mean {near}?"),
            );
            self.warn(at, &format!("unknown role {name:?}; {advice}"));
            return None;
        };
        let mut style = RawStyle::default();
        match value.get_ref() {
            DeValue::String(_) if role.fills() => style.bg = self.wanted(role, value),
            DeValue::String(_) => style.fg = self.wanted(role, value),
            DeValue::Table(parts) => {
                for (part, value) in parts {
                    match part.get_ref().as_ref() {
                        "fg" => style.fg = self.wanted(role, value),
                        "bg" => style.bg = self.wanted(role, value),
                        "modifiers" => style.modifiers = self.modifiers(role, value),
                        other => self.warn(
                            part.span().start,
                            &format!(
                                "{} must have fg, bg or modifiers, got {other:?}",
                                role.name()
                            ),
                        ),
                    }
                }
            }
            _ => {
                self.bad(value, role.name(), "a colour or { fg, bg, modifiers }");
                return None;
            }
        }
        Some((role, style))
    }

    fn wanted(&mut self, role: Role, value: &Spanned<DeValue>) -> Option<Wanted> {
        let DeValue::String(text) = value.get_ref() else {
            self.bad(value, role.name(), "a colour in quotes");
            return None;
        };
        Some(Wanted {
            place: self.place(value.span().start),
            text: text.to_string(),
        })
    }

    fn modifiers(&mut self, role: Role, value: &Spanned<DeValue>) -> Modifier {
        const EXPECTED: &str = "a list of bold, dim, italic, underlined, reversed";
        let DeValue::Array(items) = value.get_ref() else {
            self.bad(value, &format!("modifiers of {}", role.name()), EXPECTED);
            return Modifier::empty();
        };
        let mut modifiers = Modifier::empty();
        for item in items {
            let known = match item.get_ref() {
                DeValue::String(text) => modifier(text),
                _ => None,
            };
            match known {
                Some(known) => modifiers |= known,
                None => self.bad(item, &format!("modifiers of {}", role.name()), EXPECTED),
            }
        }
        modifiers
    }
}
