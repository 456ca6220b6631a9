//! From keys to actions: the defaults of the command table, with the user's own in their place.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::command::{Action, COMMANDS, Command, OLD_NAMES, Scope, hints};

/// A key as configurations write it: `j`, `K`, `ctrl-r`, `alt-x`, `enter`, `pagedown`, `f5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Always leaves the dashboard, whatever the configuration says.
const WAY_OUT: Key = Key {
    code: KeyCode::Char('c'),
    modifiers: KeyModifiers::CONTROL,
};

const ESC: Key = Key {
    code: KeyCode::Esc,
    modifiers: KeyModifiers::NONE,
};

/// Whether this is the key that always leaves.
pub fn is_way_out(event: KeyEvent) -> bool {
    Key::of(event) == WAY_OUT
}

/// The names of keys that are not one character.
const NAMED: [(&str, KeyCode); 15] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("space", KeyCode::Char(' ')),
];

impl Key {
    /// Whether it is a character that would be typed where text is.
    fn is_text(&self) -> bool {
        let is_held = self
            .modifiers
            .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        matches!(self.code, KeyCode::Char(_)) && !is_held
    }

    /// Whether it moves in a text or deletes from it.
    fn edits_text(&self) -> bool {
        let edits = matches!(
            self.code,
            KeyCode::Backspace
                | KeyCode::Delete
                | KeyCode::Left
                | KeyCode::Right
                | KeyCode::Home
                | KeyCode::End
        );
        edits && self.modifiers.is_empty()
    }

    /// The key that was pressed. Shift is part of a character already.
    pub fn of(event: KeyEvent) -> Self {
        let kept = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
        Self {
            code: event.code,
            modifiers: kept,
        }
    }
}

#[cfg(test)]
impl Key {
    /// What the terminal sends for it.
    pub fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        loop {
            let (next, modifier) = if let Some(next) = rest.strip_prefix("ctrl-") {
                (next, KeyModifiers::CONTROL)
            } else if let Some(next) = rest.strip_prefix("alt-") {
                (next, KeyModifiers::ALT)
            } else {
                break;
            };
            modifiers |= modifier;
            rest = next;
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(char), None) => Some(KeyCode::Char(char)),
            _ => NAMED
                .iter()
                .find(|(name, _)| *name == rest)
                .map(|(_, code)| *code)
                .or_else(|| {
                    rest.strip_prefix('f')
                        .and_then(|number| number.parse().ok())
                        .filter(|number| (1..=12).contains(number))
                        .map(KeyCode::F)
                }),
        };
        let code = code.ok_or_else(|| {
            format!("{text:?} is no key; write keys as j, K, ctrl-r, enter, pagedown or f5")
        })?;
        Ok(Self { code, modifiers })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("Ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("Alt-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(char) => write!(f, "{char}"),
            KeyCode::F(number) => write!(f, "F{number}"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            other => write!(f, "{other}"),
        }
    }
}

/// A command's keys in one scope.
#[derive(Debug, Clone)]
struct Binding {
    command: &'static Command,
    scope: Scope,
    keys: Vec<Key>,
    /// Whether the user chose the keys: they come before defaults of other commands.
    is_own: bool,
}

impl Binding {
    /// Puts the user's keys in the place of the defaults. Where text is typed, keys that edit it
    /// are passed over, and the defaults stay if nothing else is left. Esc always leaves a dialog.
    fn rebind(&mut self, keys: &[Key]) {
        let takes_text = self.scope.takes_text();
        let is_usable = |key: &&Key| !(takes_text && (key.is_text() || key.edits_text()));
        let usable: Vec<Key> = keys.iter().filter(is_usable).copied().collect();
        if usable.is_empty() && takes_text {
            return;
        }
        (self.keys, self.is_own) = (usable, true);
        let is_way_back = self.command.action == Action::Back && self.scope.is_dialog();
        if is_way_back && !self.keys.contains(&ESC) {
            self.keys.push(ESC);
        }
    }
}

/// Which key does what.
#[derive(Debug, Clone)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

impl Default for Keymap {
    fn default() -> Self {
        let places = COMMANDS
            .iter()
            .flat_map(|command| command.places.iter().map(move |place| (command, place)));
        let bindings = places.flat_map(|(command, place)| {
            let keys: Vec<Key> = place
                .keys
                .iter()
                .filter_map(|key| key.parse().ok())
                .collect();
            place.scopes.iter().map(move |scope| Binding {
                command,
                scope: *scope,
                keys: keys.clone(),
                is_own: false,
            })
        });
        Self {
            bindings: bindings.collect(),
        }
    }
}

/// Whether a key that means something everywhere does so in a scope: a character is text where text
/// is typed, and over a dialog no letter ends the program.
fn reaches(action: Action, key: &Key, scope: Scope) -> bool {
    let is_meant_for_dialog = scope.is_dialog() && action == Action::Quit;
    !(key.is_text() && (scope.takes_text() || is_meant_for_dialog))
}

/// Whether a binding belongs to what a configuration calls `name`.
fn is_named(binding: &Binding, name: &str) -> bool {
    let old = || {
        let mut names = OLD_NAMES
            .iter()
            .filter(|(scope, _)| *scope == binding.scope)
            .flat_map(|(_, names)| names.iter());
        names.any(|(old, action)| *old == name && *action == binding.command.action)
    };
    binding.command.name == name || old()
}

impl Keymap {
    /// The default keys with those of `own` (command name, its keys) in their place; and a sentence
    /// for each mistake. A name applies in every scope of its command.
    pub fn with(own: &[(String, Vec<String>)]) -> (Self, Vec<String>) {
        let mut keymap = Self::default();
        let mut problems = Vec::new();
        let mut chosen: Vec<(&str, Vec<Key>)> = Vec::new();
        for (name, keys) in own {
            let mut bindings = keymap.bindings.iter();
            let Some(first) = bindings.find(|binding| is_named(binding, name)) else {
                problems.push(format!("keys.{name} is no command; `:` lists them"));
                continue;
            };
            let is_quit = first.command.action == Action::Quit;
            let mut bound = Vec::new();
            for key in keys {
                match key.parse() {
                    Ok(WAY_OUT) if !is_quit => problems.push(format!(
                        "keys.{name}: {WAY_OUT} always leaves the dashboard; choose another key"
                    )),
                    Ok(key) => bound.push(key),
                    Err(problem) => problems.push(format!("keys.{name}: {problem}")),
                }
            }
            if is_quit && bound.is_empty() {
                problems.push(format!(
                    "keys.{name}: no key is left for it; {WAY_OUT} always leaves the dashboard"
                ));
            }
            if is_quit && !bound.contains(&WAY_OUT) {
                bound.push(WAY_OUT);
            }
            chosen.push((name, bound));
        }
        // The names of one screen hold against those of all, whatever their order.
        let is_general = |name: &str| COMMANDS.iter().any(|command| command.name == name);
        chosen.sort_by_key(|(name, _)| !is_general(name));
        for (name, keys) in chosen {
            let bindings = keymap.bindings.iter_mut();
            for binding in bindings.filter(|binding| is_named(binding, name)) {
                binding.rebind(&keys);
            }
        }
        (keymap, problems)
    }

    fn of(&self, scope: Scope) -> impl Iterator<Item = &Binding> {
        let bindings = self.bindings.iter();
        bindings.filter(move |binding| binding.scope == scope)
    }

    /// What a key does in a scope; what applies there comes before what applies everywhere.
    pub fn action(&self, scope: Scope, event: KeyEvent) -> Option<Action> {
        let key = Key::of(event);
        let bound = |scope| {
            let bindings = self.of(scope).filter(|binding| binding.keys.contains(&key));
            let bindings: Vec<&Binding> = bindings.collect();
            let own = bindings.iter().find(|binding| binding.is_own);
            let binding = own.or(bindings.first())?;
            Some(binding.command.action)
        };
        let everywhere = || bound(Scope::Everywhere).filter(|action| reaches(*action, &key, scope));
        bound(scope).or_else(everywhere)
    }

    /// The first key that leads to an action there, if one does.
    pub fn key_of(&self, scope: Scope, action: Action) -> Option<String> {
        let mut commands = self.reachable(scope);
        let (_, _, keys) = commands.find(|(_, command, _)| command.action == action)?;
        keys.into_iter().next()
    }

    /// The commands of a scope and then those of everywhere, each with its scope and with the keys
    /// that lead to it there: a key that means something in the scope does not reach what it means
    /// elsewhere.
    pub fn reachable(
        &self,
        scope: Scope,
    ) -> impl Iterator<Item = (Scope, &'static Command, Vec<String>)> + '_ {
        let is_taken = move |key: &Key| self.of(scope).any(|binding| binding.keys.contains(key));
        let is_taken_here = move |binding: &Binding, key: &Key| {
            let mut own = self.of(scope).filter(|other| other.is_own);
            !binding.is_own && own.any(|other| other.keys.contains(key))
        };
        let here = self.of(scope).map(move |binding| {
            let keys = binding.keys.iter();
            let keys = keys.filter(|key| !is_taken_here(binding, key)).copied();
            (binding, keys.collect::<Vec<Key>>())
        });
        let everywhere = self.of(Scope::Everywhere).map(move |binding| {
            let keys = binding.keys.iter();
            let reaches = |key: &&Key| reaches(binding.command.action, key, scope);
            let free = keys.filter(reaches).filter(|key| !is_taken(key)).copied();
            let free: Vec<Key> = free.collect();
            (binding, free)
        });
        // What no key leads to while text is typed does not apply there.
        let everywhere = everywhere.filter(move |(_, free)| {
            scope != Scope::Everywhere && !(scope.takes_text() && free.is_empty())
        });
        here.chain(everywhere)
            .map(|(binding, keys): (&Binding, Vec<Key>)| {
                let keys = keys.iter().map(Key::to_string).collect();
                (binding.scope, binding.command, keys)
            })
    }

    /// The hint line of a scope: for each hint its first action, the keys, and the word. Hints
    /// without a key are left out.
    pub fn hints(&self, scope: Scope) -> impl Iterator<Item = (Action, String, &'static str)> + '_ {
        hints(scope).iter().filter_map(move |hint| {
            let keys = hint.actions.iter();
            let keys: Vec<String> = keys
                .filter_map(|action| self.key_of(scope, *action))
                .collect();
            let action = hint.actions.first()?;
            (!keys.is_empty()).then(|| (*action, keys.join(" "), hint.word))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(text: &str) -> KeyEvent {
        let key: Key = text.parse().unwrap();
        KeyEvent::new(key.code, key.modifiers)
    }

    #[test]
    fn every_default_key_can_be_pressed() {
        let keymap = Keymap::default();
        for command in COMMANDS {
            for place in command.places {
                for (scope, key) in place
                    .scopes
                    .iter()
                    .flat_map(|scope| place.keys.iter().map(move |key| (*scope, key)))
                {
                    assert_eq!(
                        keymap.action(scope, press(key)),
                        Some(command.action),
                        "{key} in {scope:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn own_keys_replace_the_defaults_and_mistakes_are_told() {
        let own = |name: &str, keys: &[&str]| {
            (
                name.to_owned(),
                keys.iter().map(|key| (*key).to_owned()).collect(),
            )
        };
        let (keymap, problems) = Keymap::with(&[
            own("quit", &["Q"]),
            own("fly", &["f"]),
            own("help", &["hyper-x"]),
        ]);
        assert_eq!(keymap.action(Scope::Runs, press("Q")), Some(Action::Quit));
        assert_eq!(keymap.action(Scope::Runs, press("q")), None);
        assert_eq!(problems.len(), 2, "{problems:?}");
    }

    #[test]
    fn ctrl_c_leaves_whatever_the_configuration_says() {
        let own = |name: &str, keys: &[&str]| {
            let keys = keys.iter().map(|key| (*key).to_owned());
            (name.to_owned(), keys.collect())
        };
        for (name, keys, mistakes) in [
            ("quit", &[][..], 1),
            ("quit", &["hyper-x", ""], 3),
            ("quit", &["Q"], 0),
            ("star", &["ctrl-c"], 1),
            ("quit", &["ctrl-c"], 0),
        ] {
            let (keymap, problems) = Keymap::with(&[own(name, keys)]);
            assert_eq!(problems.len(), mistakes, "{name} {keys:?}: {problems:?}");
            let quit = Some(Action::Quit);
            for scope in Scope::ALL {
                assert_eq!(
                    keymap.action(scope, press("ctrl-c")),
                    quit,
                    "{name} {keys:?}"
                );
            }
            let shown = keymap.key_of(Scope::Runs, Action::Quit);
            assert!(shown.is_some(), "{name} {keys:?}");
        }
    }

    #[test]
    fn a_key_that_means_something_here_is_not_told_for_what_it_means_elsewhere() {
        let keymap = Keymap::default();
        let keys_of = |scope, action| {
            let mut commands = keymap.reachable(scope);
            commands
                .find(|(_, command, _)| command.action == action)
                .unwrap()
                .2
        };
        assert_eq!(keys_of(Scope::Runs, Action::Quit), ["q", "Ctrl-c"]);
        assert_eq!(keys_of(Scope::Run, Action::Quit), ["Ctrl-c"]);
    }

    #[test]
    fn keys_read_as_they_are_written() {
        for (text, shown) in [
            ("ctrl-r", "Ctrl-r"),
            ("pagedown", "PgDn"),
            ("backtab", "Shift-Tab"),
            ("ctrl-left", "Ctrl-←"),
            ("space", "Space"),
            ("K", "K"),
            ("f5", "F5"),
            ("alt-enter", "Alt-Enter"),
        ] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn a_name_applies_on_every_screen_and_an_old_one_on_its_own() {
        let own = |name: &str, key: &str| (name.to_owned(), vec![key.to_owned()]);
        let (keymap, problems) = Keymap::with(&[own("star", "Z"), own("compare-down", "n")]);
        assert_eq!(problems, [""; 0]);
        for scope in [Scope::Runs, Scope::Run] {
            assert_eq!(keymap.action(scope, press("Z")), Some(Action::Star));
            assert_eq!(keymap.action(scope, press("*")), None);
        }
        assert_eq!(
            keymap.action(Scope::Compare, press("n")),
            Some(Action::Down)
        );
        assert_eq!(keymap.action(Scope::Compare, press("j")), None);
        assert_eq!(keymap.action(Scope::Trash, press("j")), Some(Action::Down));
    }

    #[test]
    fn where_text_is_typed_a_character_of_the_user_stays_text() {
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        let (keymap, _) = Keymap::with(&[
            ("down".to_owned(), keys(&["n"])),
            ("confirm".to_owned(), keys(&["o", "f2"])),
        ]);
        assert_eq!(keymap.action(Scope::Picker, press("n")), None);
        assert_eq!(
            keymap.action(Scope::Picker, press("down")),
            Some(Action::Down)
        );
        assert_eq!(keymap.action(Scope::Line, press("o")), None);
        assert_eq!(
            keymap.action(Scope::Line, press("f2")),
            Some(Action::Confirm)
        );
        assert_eq!(
            keymap.action(Scope::Question, press("o")),
            Some(Action::Confirm)
        );
        // Nor does what applies everywhere take characters from a text.
        assert_eq!(keymap.action(Scope::Line, press("?")), None);
        assert_eq!(keymap.action(Scope::Line, press("f1")), Some(Action::Help));
    }

    #[test]
    fn esc_leaves_a_dialog_and_editing_keys_edit_whatever_the_configuration_says() {
        let (keymap, _) = Keymap::with(&[("back".to_owned(), vec!["backspace".to_owned()])]);
        for scope in [Scope::Line, Scope::Question, Scope::Picker, Scope::Query] {
            let action = keymap.action(scope, press("esc"));
            assert_eq!(action, Some(Action::Back), "{scope:?}");
        }
        assert_eq!(keymap.action(Scope::Line, press("backspace")), None);
        assert_eq!(
            keymap.action(Scope::Run, press("backspace")),
            Some(Action::Back)
        );
    }

    #[test]
    fn a_key_of_the_users_comes_before_defaults_and_one_screens_name_before_the_general() {
        let own = |name: &str, key: &str| (name.to_owned(), vec![key.to_owned()]);
        let names = [
            own("cursor-down", "n"),
            own("down", "e"),
            own("sort-next", "tab"),
        ];
        let (keymap, _) = Keymap::with(&names);
        assert_eq!(keymap.action(Scope::Runs, press("n")), Some(Action::Down));
        assert_eq!(keymap.action(Scope::Run, press("e")), Some(Action::Down));
        assert_eq!(
            keymap.action(Scope::Compare, press("tab")),
            Some(Action::SortNext)
        );
        assert_eq!(keymap.key_of(Scope::Compare, Action::NextPane), None);
    }
}
