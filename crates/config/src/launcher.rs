//! Commands of the user's own that can be started as runs.

use toml::Spanned;
use toml::de::DeValue;

use super::build::Reader;

/// Limit of GPUs of a run.
const MAX_GPUS: i64 = 64;

/// A launcher: `[launcher.mine]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Launcher {
    /// What it is called.
    pub name: String,
    /// Its command, in words.
    pub command: Vec<String>,
    /// How many GPUs a run of it gets, where there are any; one by default.
    pub gpus: Option<u32>,
}

impl Reader<'_> {
    /// `[launcher.mine]` with `command = ["python", "train.py"]` and, where it is not one, `gpus`.
    pub(super) fn launchers(&mut self, value: &Spanned<DeValue>) -> Vec<Launcher> {
        const EXPECTED: &str = "a table with a command, which is a list of words";
        let DeValue::Table(entries) = value.get_ref() else {
            self.bad("launcher", "a table of launchers", value);
            return Vec::new();
        };
        let mut launchers = Vec::new();
        for (name, value) in entries {
            let key = format!("launcher.{}", name.get_ref());
            let DeValue::Table(settings) = value.get_ref() else {
                self.bad(&key, EXPECTED, value);
                continue;
            };
            let (mut words, mut gpus) = (Vec::new(), None);
            for (setting, value) in settings {
                let full = format!("{key}.{}", setting.get_ref());
                match setting.get_ref().as_ref() {
                    "command" => {
                        let listed = self.list(&full, "a list of words", value);
                        words = listed.unwrap_or_default();
                    }
                    "gpus" => {
                        let number = self.whole(&full, 0..=MAX_GPUS, value);
                        gpus = number.and_then(|number| u32::try_from(number).ok());
                    }
                    other => {
                        self.unknown_among(&["command", "gpus"], other, setting.span().start);
                    }
                }
            }
            let words: Vec<String> = words.into_iter().map(|word| word.value).collect();
            if words.is_empty() {
                self.bad(&key, EXPECTED, value);
            } else {
                launchers.push(Launcher {
                    name: name.get_ref().to_string(),
                    command: words,
                    gpus,
                });
            }
        }
        launchers
    }
}
