//! From keys to actions: the defaults of the command table, with the user's own in their place.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::command::{Action, COMMANDS, Command, Context};

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
        if let Some((name, _)) = NAMED.iter().find(|(_, code)| *code == self.code) {
            let (first, rest) = name.split_at(1);
            return write!(f, "{}{rest}", first.to_uppercase());
        }
        match self.code {
            KeyCode::Char(char) => write!(f, "{char}"),
            KeyCode::F(number) => write!(f, "F{number}"),
            other => write!(f, "{other}"),
        }
    }
}

/// Which key does what.
#[derive(Debug, Clone)]
pub struct Keymap {
    bindings: Vec<(&'static Command, Vec<Key>)>,
}

impl Default for Keymap {
    fn default() -> Self {
        let parse = |command: &'static Command| {
            command
                .keys
                .iter()
                .filter_map(|key| key.parse().ok())
                .collect()
        };
        Self {
            bindings: COMMANDS
                .iter()
                .map(|command| (command, parse(command)))
                .collect(),
        }
    }
}

impl Keymap {
    /// The default keys with those of `own` (command name, its keys) in their place; and a sentence for each mistake.
    pub fn with(own: &[(String, Vec<String>)]) -> (Self, Vec<String>) {
        let mut keymap = Self::default();
        let mut problems = Vec::new();
        for (name, keys) in own {
            let Some((command, bound)) = keymap
                .bindings
                .iter_mut()
                .find(|(command, _)| command.name == name)
            else {
                problems.push(format!("keys.{name} is no command; `:` lists them"));
                continue;
            };
            bound.clear();
            let is_quit = command.action == Action::Quit;
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
        }
        (keymap, problems)
    }

    /// What a key does in a context; what applies there comes before what applies everywhere.
    pub fn action(&self, context: Context, event: KeyEvent) -> Option<Action> {
        let key = Key::of(event);
        let bound = |wanted| {
            let mut here = self
                .bindings
                .iter()
                .filter(move |(command, _)| command.context == wanted);
            here.find(|(_, keys)| keys.contains(&key))
                .map(|(command, _)| command.action)
        };
        bound(context).or_else(|| bound(Context::Everywhere))
    }

    /// The first key that leads to an action there, if one does.
    pub fn key_of(&self, context: Context, action: Action) -> Option<String> {
        let mut commands = self.reachable(context);
        let (_, keys) = commands.find(|(command, _)| command.action == action)?;
        keys.into_iter().next()
    }

    /// The commands of a context and then those of everywhere, each with the keys that lead to it there: a key that means
    /// something in the context does not reach what it means elsewhere.
    pub fn reachable(
        &self,
        context: Context,
    ) -> impl Iterator<Item = (&'static Command, Vec<String>)> + '_ {
        let taken = move |key: &Key| {
            self.bindings
                .iter()
                .any(|(command, keys)| command.context == context && keys.contains(key))
        };
        let of = move |wanted: Context| {
            self.bindings
                .iter()
                .filter(move |(command, _)| command.context == wanted)
        };
        let here = of(context).map(|(command, keys)| (*command, keys.clone()));
        let elsewhere = of(Context::Everywhere).map(move |(command, keys)| {
            let free = keys.iter().filter(|key| !taken(key)).copied().collect();
            (*command, free)
        });
        here.chain(elsewhere).map(|(command, keys): (_, Vec<Key>)| {
            (command, keys.iter().map(Key::to_string).collect())
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
            for key in command.keys {
                assert_eq!(
                    keymap.action(command.context, press(key)),
                    Some(command.action),
                    "{key}"
                );
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
        assert_eq!(keymap.action(Context::Runs, press("Q")), Some(Action::Quit));
        assert_eq!(keymap.action(Context::Runs, press("q")), None);
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
            for context in Context::ALL {
                assert_eq!(
                    keymap.action(context, press("ctrl-c")),
                    quit,
                    "{name} {keys:?}"
                );
            }
            let shown = keymap.key_of(Context::Runs, Action::Quit);
            assert!(shown.is_some(), "{name} {keys:?}");
        }
    }

    #[test]
    fn a_key_that_means_something_here_is_not_told_for_what_it_means_elsewhere() {
        let keymap = Keymap::default();
        let keys_of = |context, action| {
            let mut commands = keymap.reachable(context);
            commands
                .find(|(command, _)| command.action == action)
                .unwrap()
                .1
        };
        assert_eq!(keys_of(Context::Runs, Action::Quit), ["q", "Ctrl-c"]);
        assert_eq!(keys_of(Context::Run, Action::Quit), ["Ctrl-c"]);
    }

    #[test]
    fn keys_read_as_they_are_written() {
        for (text, shown) in [
            ("ctrl-r", "Ctrl-r"),
            ("pagedown", "Pagedown"),
            ("K", "K"),
            ("f5", "F5"),
            ("alt-enter", "Alt-Enter"),
        ] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), shown);
        }
    }
}
