//! From the text of `config.toml` to settings. Only the dashboard knows the names of commands,
//! columns and themes: here they are kept with their place, so that it can report them.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeValue;

use super::alerts::Alerts;
use super::files::Files;
use super::launcher::Launcher;
use super::slurm::{Place, Slurm};
use traintop_ops::clean::Policy;
use traintop_run::discover::Limits;
use traintop_run::judging::UserSettings;
use traintop_text::nearest;
use traintop_text::toml::Source;

/// A value from the file, with its `file:line`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// `file:line`.
    pub place: String,
    pub value: T,
}

/// The user's settings; what a file leaves out is `None`, or empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// Folders to search for runs.
    pub roots: Vec<PathBuf>,
    /// The theme's name.
    pub theme: Option<Placed<String>>,
    /// The table's columns, by name.
    pub columns: Option<Vec<Placed<String>>>,
    /// Threads that load runs.
    pub threads: Option<usize>,
    /// Runs of a queue that may be at work at once.
    pub slots: Option<usize>,
    /// What a queued run needs free of a GPU's memory, in GiB.
    pub gpu_memory: Option<u64>,
    /// How pictures are drawn, by name.
    pub images: Option<Placed<String>>,
    /// What charts are drawn with, by name.
    pub markers: Option<Placed<String>>,
    /// Whether charts listen to the mouse.
    pub mouse: Option<bool>,
    /// Commands by name, each with its keys.
    pub keys: Vec<Placed<(String, Vec<String>)>>,
    /// Commands that train, by name, each with its words.
    pub launchers: Vec<Launcher>,
    /// What a clean-up keeps.
    pub retention: Policy,
    /// What is notified while runs train, and how.
    pub alerts: Alerts,
    /// How runs are judged.
    pub metrics: UserSettings,
    /// How far roots are searched.
    pub search: Limits,
    /// Where runs train unless a command says otherwise.
    pub place: Place,
    /// What jobs ask Slurm for.
    pub slurm: Slurm,
    /// Theme files: name and text.
    pub themes: Vec<(String, String)>,
}

/// More threads do not help: runs are read from one disk.
const MAX_THREADS: i64 = 64;
/// More runs do not train at once on one machine.
const MAX_SLOTS: i64 = 256;
/// No GPU has more memory, in GiB.
const MAX_GPU_MEMORY_GIB: i64 = 4096;

impl Config {
    /// The settings in the files, and a sentence for each problem.
    pub fn build(files: &Files) -> (Self, Vec<String>) {
        let mut reader = Reader {
            source: Source {
                name: &files.name,
                text: &files.config,
            },
            home: files.home.as_deref(),
            problems: Vec::new(),
        };
        let mut config = Self {
            themes: files.themes.clone(),
            ..Self::default()
        };
        let (table, errors) = reader.source.parse();
        for error in &errors {
            reader.add_problem(error.offset, &error.sentence);
        }
        for (key, value) in table.get_ref() {
            // A value that the parser made up where it found none: the problem is noted already.
            if value.span().is_empty() && !errors.is_empty() {
                continue;
            }
            match key.get_ref().as_ref() {
                "roots" => config.roots = reader.roots(value),
                "theme" => config.theme = reader.text("theme", "the name of a theme", value),
                "columns" => {
                    config.columns = reader.list("columns", "a list of columns", value);
                }
                "images" => {
                    config.images =
                        reader.text("images", "the name of a way to draw images", value);
                }
                "markers" => {
                    config.markers =
                        reader.text("markers", "the name of a set of characters", value);
                }
                "mouse" => config.mouse = reader.yes_or_no("mouse", value),
                "threads" => config.threads = reader.threads(value),
                "slots" => config.slots = reader.slots(value),
                "gpu_memory" => {
                    let gib = reader.whole("gpu_memory", 0..=MAX_GPU_MEMORY_GIB, value);
                    config.gpu_memory = gib.map(i64::cast_unsigned);
                }
                "keys" => config.keys = reader.keys(value),
                "launcher" => config.launchers = reader.launchers(value),
                "alerts" => config.alerts = reader.alerts(value),
                "metrics" => config.metrics = reader.metrics(value),
                "search" => config.search = reader.search(value),
                "launch" => config.place = reader.launch(value),
                "slurm" => config.slurm = reader.slurm(value),
                "retention" => config.retention = reader.retention(value),
                other => reader.unknown(other, key.span().start),
            }
        }
        (config, reader.problems)
    }
}

const KEYS: [&str; 17] = [
    "roots",
    "theme",
    "columns",
    "threads",
    "slots",
    "gpu_memory",
    "images",
    "markers",
    "mouse",
    "keys",
    "retention",
    "launcher",
    "alerts",
    "metrics",
    "search",
    "launch",
    "slurm",
];

/// A folder, in which `~` is the user's home.
pub(super) fn expanded(folder: &str, home: Option<&Path>) -> PathBuf {
    let below_home = match folder {
        "~" => Some(""),
        text => text.strip_prefix("~/"),
    };
    match (below_home, home) {
        (Some(""), Some(home)) => home.to_owned(),
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(folder),
    }
}

/// Reads values and keeps the problems.
pub(super) struct Reader<'a> {
    pub(super) source: Source<'a>,
    home: Option<&'a Path>,
    pub(super) problems: Vec<String>,
}

impl Reader<'_> {
    pub(super) fn place(&self, offset: usize) -> String {
        self.source.place(offset)
    }

    pub(super) fn add_problem(&mut self, offset: usize, sentence: &str) {
        let place = self.place(offset);
        self.problems.push(format!("{place}: {sentence}"));
    }

    pub(super) fn bad(&mut self, key: &str, expected: &str, value: &Spanned<DeValue>) {
        let got = self.source.written(value.span());
        self.add_problem(
            value.span().start,
            &format!("{key} must be {expected}, got {got}"),
        );
    }

    fn unknown(&mut self, key: &str, at: usize) {
        self.unknown_among(&KEYS, key, at);
    }

    pub(super) fn unknown_among(&mut self, keys: &[&str], key: &str, at: usize) {
        let near = nearest(key, keys.iter().copied(), 2);
        let advice = near.map_or_else(
            || format!("the keys are {}", keys.join(", ")),
            |near| format!("did you mean {near}?"),
        );
        self.add_problem(at, &format!("unknown key {key:?}; {advice}"));
    }

    pub(super) fn text(
        &mut self,
        key: &str,
        expected: &str,
        value: &Spanned<DeValue>,
    ) -> Option<Placed<String>> {
        if let DeValue::String(text) = value.get_ref() {
            return Some(Placed {
                place: self.place(value.span().start),
                value: text.to_string(),
            });
        }
        self.bad(key, expected, value);
        None
    }

    pub(super) fn yes_or_no(&mut self, key: &str, value: &Spanned<DeValue>) -> Option<bool> {
        if let DeValue::Boolean(answer) = value.get_ref() {
            return Some(*answer);
        }
        self.bad(key, "true or false", value);
        None
    }

    /// The texts of a list; other entries are reported and skipped.
    pub(super) fn list(
        &mut self,
        key: &str,
        expected: &str,
        value: &Spanned<DeValue>,
    ) -> Option<Vec<Placed<String>>> {
        let DeValue::Array(items) = value.get_ref() else {
            self.bad(key, expected, value);
            return None;
        };
        let mut texts = Vec::new();
        for item in items {
            texts.extend(self.text(key, expected, item));
        }
        Some(texts)
    }

    fn roots(&mut self, value: &Spanned<DeValue>) -> Vec<PathBuf> {
        let listed = self.list("roots", "a list of folders", value);
        let listed = listed.into_iter().flatten();
        listed.map(|root| self.expanded(&root.value)).collect()
    }

    pub(super) fn expanded(&self, folder: &str) -> PathBuf {
        expanded(folder, self.home)
    }

    fn threads(&mut self, value: &Spanned<DeValue>) -> Option<usize> {
        let threads = self.whole("threads", 1..=MAX_THREADS, value);
        threads.and_then(|threads| usize::try_from(threads).ok())
    }

    fn slots(&mut self, value: &Spanned<DeValue>) -> Option<usize> {
        let slots = self.whole("slots", 1..=MAX_SLOTS, value);
        slots.and_then(|slots| usize::try_from(slots).ok())
    }

    /// A whole number in a range.
    pub(super) fn whole(
        &mut self,
        key: &str,
        range: RangeInclusive<i64>,
        value: &Spanned<DeValue>,
    ) -> Option<i64> {
        let number = match value.get_ref() {
            DeValue::Integer(number) => {
                i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
            }
            _ => None,
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (first, last) = (range.start(), range.end());
            self.bad(
                key,
                &format!("a whole number from {first} to {last}"),
                value,
            );
        }
        number
    }
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
