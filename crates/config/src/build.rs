//! From the text of `config.toml` to settings. Names of commands, columns and themes are known to
//! the dashboard only: here they are kept with their place, for it to complain.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeValue;

use super::alerts::Alerts;
use super::files::Files;
use super::launcher::Launcher;
use super::slurm::{Place, Slurm};
use traintop_ops::clean::{Policy, Protection, Rule};
use traintop_run::judging::UserSettings;
use traintop_text::nearest;
use traintop_text::toml::Source;

/// Something from the file, with `file:line` of where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// `file:line`.
    pub place: String,
    /// What stands there.
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
    /// Where runs train unless a command says otherwise.
    pub place: Place,
    /// What jobs ask Slurm for.
    pub slurm: Slurm,
    /// Theme files: name and text.
    pub themes: Vec<(String, String)>,
}

/// More threads than this help nobody: runs are read from one disk.
const MOST_THREADS: i64 = 64;
/// Nobody trains more runs at once on one machine.
const MOST_SLOTS: i64 = 256;
/// No GPU has more memory, in GiB.
const MOST_GPU_MEMORY: i64 = 4096;
/// No rule counts further: a million epochs, or days.
const MOST_OF_A_RULE: i64 = 1_000_000;
/// No run has more GPUs than these.
const MOST_GPUS: i64 = 64;

impl Config {
    /// The settings in the files, and a sentence for each problem.
    pub fn build(files: &Files) -> (Self, Vec<String>) {
        let mut reader = Reader {
            source: Source {
                name: &files.name,
                text: &files.config,
            },
            home: files.home.as_deref(),
            warnings: Vec::new(),
        };
        let mut config = Self {
            themes: files.themes.clone(),
            ..Self::default()
        };
        let (table, errors) = reader.source.parse();
        for error in &errors {
            reader.warn(error.offset, &error.sentence);
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
                    let gib = reader.whole("gpu_memory", 0..=MOST_GPU_MEMORY, value);
                    config.gpu_memory = gib.map(i64::cast_unsigned);
                }
                "keys" => config.keys = reader.keys(value),
                "launcher" => config.launchers = reader.launchers(value),
                "alerts" => config.alerts = reader.alerts(value),
                "metrics" => config.metrics = reader.metrics(value),
                "launch" => config.place = reader.launch(value),
                "slurm" => config.slurm = reader.slurm(value),
                "retention" => config.retention = reader.retention(value),
                other => reader.unknown(other, key.span().start),
            }
        }
        (config, reader.warnings)
    }
}

const KEYS: [&str; 16] = [
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
    "launch",
    "slurm",
];

/// Reads values and keeps the problems.
pub(super) struct Reader<'a> {
    pub(super) source: Source<'a>,
    home: Option<&'a Path>,
    pub(super) warnings: Vec<String>,
}

impl Reader<'_> {
    fn place(&self, offset: usize) -> String {
        self.source.place(offset)
    }

    pub(super) fn warn(&mut self, offset: usize, sentence: &str) {
        let place = self.place(offset);
        self.warnings.push(format!("{place}: {sentence}"));
    }

    pub(super) fn bad(&mut self, key: &str, expected: &str, value: &Spanned<DeValue>) {
        let got = self.source.written(value.span());
        self.warn(
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
        self.warn(at, &format!("unknown key {key:?}; {advice}"));
    }

    fn text(
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

    /// The texts of a list; entries that are no text are complained of and left out.
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

    /// A folder, in which `~` is the user's home.
    pub(super) fn expanded(&self, folder: &str) -> PathBuf {
        let below_home = match folder {
            "~" => Some(""),
            text => text.strip_prefix("~/"),
        };
        match (below_home, self.home) {
            (Some(""), Some(home)) => home.to_owned(),
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(folder),
        }
    }

    fn threads(&mut self, value: &Spanned<DeValue>) -> Option<usize> {
        let threads = self.whole("threads", 1..=MOST_THREADS, value);
        threads.and_then(|threads| usize::try_from(threads).ok())
    }

    fn slots(&mut self, value: &Spanned<DeValue>) -> Option<usize> {
        let slots = self.whole("slots", 1..=MOST_SLOTS, value);
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

    /// `keep_best = 1` and the like, and `protect`, a list.
    fn retention(&mut self, value: &Spanned<DeValue>) -> Policy {
        let mut policy = Policy::default();
        let DeValue::Table(entries) = value.get_ref() else {
            self.bad("retention", "a table of rules", value);
            return policy;
        };
        for (key, value) in entries {
            let name: &str = key.get_ref();
            let full = format!("retention.{name}");
            if let Some(rule) = Rule::ALL.into_iter().find(|rule| rule.name() == name) {
                if let Some(number) = self.whole(&full, 0..=MOST_OF_A_RULE, value) {
                    *rule.of(&mut policy) = number as u32;
                }
            } else if name == "protect" {
                let names = Protection::ALL.map(Protection::name).join(", ");
                let expected = format!("a list of {names}");
                if let Some(listed) = self.list(&full, &expected, value) {
                    policy.protect.clear();
                    let mut is_clear = true;
                    for word in listed {
                        match Protection::named(&word.value) {
                            Ok(protection) => policy.protect.push(protection),
                            Err(problem) => {
                                // What was meant is not known: nothing loses its protection.
                                is_clear = false;
                                let sentence = format!("{}: {full}: {problem}", word.place);
                                self.warnings.push(sentence);
                            }
                        }
                    }
                    if !is_clear {
                        policy.protect = Protection::ALL.to_vec();
                    }
                }
            } else {
                let keys: Vec<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
                let keys: Vec<&str> = keys.into_iter().chain(["protect"]).collect();
                self.unknown_among(&keys, name, key.span().start);
            }
        }
        policy
    }

    /// `[launcher.mine]` with `command = ["python", "train.py"]` and, where it is not one, `gpus`.
    fn launchers(&mut self, value: &Spanned<DeValue>) -> Vec<Launcher> {
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
                        let number = self.whole(&full, 0..=MOST_GPUS, value);
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

    /// `command = "key"` or `command = ["key", "key"]`; an empty list takes a command's keys away.
    fn keys(&mut self, value: &Spanned<DeValue>) -> Vec<Placed<(String, Vec<String>)>> {
        const EXPECTED: &str = "a key or a list of keys";
        let DeValue::Table(entries) = value.get_ref() else {
            self.bad("keys", "a table of commands and their keys", value);
            return Vec::new();
        };
        let mut bound = Vec::new();
        for (command, value) in entries {
            let name: &Cow<str> = command.get_ref();
            let key = format!("keys.{name}");
            let keys = match value.get_ref() {
                DeValue::Array(_) => self
                    .list(&key, EXPECTED, value)
                    .map(|keys| keys.into_iter().map(|key| key.value).collect()),
                _ => self.text(&key, EXPECTED, value).map(|key| vec![key.value]),
            };
            if let Some(keys) = keys {
                bound.push(Placed {
                    place: self.place(command.span().start),
                    value: (name.to_string(), keys),
                });
            }
        }
        bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(text: &str) -> (Config, Vec<String>) {
        Config::build(&Files {
            name: "config.toml".to_owned(),
            config: text.to_owned(),
            home: Some(PathBuf::from("/home/ada")),
            ..Files::default()
        })
    }

    fn placed<T>(line: u32, value: T) -> Placed<T> {
        Placed {
            place: format!("config.toml:{line}"),
            value,
        }
    }

    #[test]
    fn every_setting_is_taken() {
        let text = "roots = ['runs', '~/old', '~']\ntheme = 'nord'\ncolumns = [\n  'state',\n  'name',\n]\nthreads = 2\nslots = 3\ngpu_memory = 8\nimages = 'kitty'\nmarkers = 'ascii'\nmouse = false\n\
                    [keys]\nquit = 'Q'\nhelp = ['f1', 'h']\nrefresh = []\n";
        let (config, warnings) = build(text);
        assert_eq!(warnings, Vec::<String>::new());
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(
            config,
            Config {
                roots: ["runs", "/home/ada/old", "/home/ada"]
                    .map(PathBuf::from)
                    .to_vec(),
                theme: Some(placed(2, "nord".to_owned())),
                columns: Some(vec![
                    placed(4, "state".to_owned()),
                    placed(5, "name".to_owned())
                ]),
                threads: Some(2),
                slots: Some(3),
                gpu_memory: Some(8),
                images: Some(placed(10, "kitty".to_owned())),
                markers: Some(placed(11, "ascii".to_owned())),
                mouse: Some(false),
                keys: vec![
                    placed(14, ("quit".to_owned(), owned(&["Q"]))),
                    placed(15, ("help".to_owned(), owned(&["f1", "h"]))),
                    placed(16, ("refresh".to_owned(), owned(&[]))),
                ],
                launchers: Vec::new(),
                retention: Policy::default(),
                alerts: Alerts::default(),
                metrics: UserSettings::default(),
                place: Place::default(),
                slurm: Slurm::default(),
                themes: Vec::new(),
            }
        );
        assert_eq!(build(""), (Config::default(), Vec::new()));
    }

    #[test]
    fn the_metrics_that_count_are_named() {
        let (config, warnings) = build(
            "[metrics]\nprimary = 'val_dice'\nlower = ['my_score']\nhigher = 'x'\n\
             primary_in = { '~/runs' = 'val_wer', '/b' = 1 }\nprimry = 'y'\n",
        );
        let metrics = config.metrics;
        let always = &metrics.always;
        assert_eq!(always.primary.as_deref(), Some("val_dice"));
        assert_eq!(
            (&always.lower[..], &always.higher[..]),
            (&["my_score".to_owned()][..], &["x".to_owned()][..])
        );
        let below = (PathBuf::from("/home/ada/runs"), "val_wer".to_owned());
        assert_eq!(metrics.below, [below]);
        let expected = [
            "config.toml:6: unknown key \"primry\" in [metrics]; did you mean primary?",
            "config.toml:5: metrics.primary_in must be a table of folders and names of metrics, got 1",
        ];
        assert_eq!(warnings, expected);
    }

    #[test]
    fn what_a_clean_up_keeps_is_a_table_of_rules() {
        let (config, warnings) = build(
            "[retention]\nkeep_best = 3\nkeep_last = 2\nkeep_every = 50\nmin_epochs = 5\nmax_age = 90\n\
             protect = ['starred', 'baseline']\npurge_after = 30\n",
        );
        assert_eq!(warnings, Vec::<String>::new());
        let expected = Policy {
            keep_best: 3,
            keep_last: 2,
            keep_every: 50,
            min_epochs: 5,
            max_age: 90,
            protect: vec![Protection::Starred, Protection::Baseline],
            purge_after: 30,
        };
        assert_eq!(config.retention, expected);
    }

    #[test]
    fn launchers_have_names_and_commands() {
        let (config, warnings) = build(
            "[launcher.mine]\ncommand = ['python', 'train.py', '--out', '{run_dir}']\ngpus = 2\n[launcher.empty]\n[launcher.other]\ncommad = 3\n\
             [launcher.much]\ncommand = ['a']\ngpus = -1\n",
        );
        let words = ["python", "train.py", "--out", "{run_dir}"].map(str::to_owned);
        let launcher = |name: &str, command: &[String], gpus| Launcher {
            name: name.to_owned(),
            command: command.to_vec(),
            gpus,
        };
        let expected = [
            launcher("mine", &words, Some(2)),
            launcher("much", &["a".to_owned()], None),
        ];
        assert_eq!(config.launchers, expected);
        assert_eq!(warnings.len(), 4, "{warnings:?}");
        let expected = "launcher.much.gpus must be a whole number from 0 to 64, got -1";
        assert!(
            warnings.iter().any(|warning| warning.contains(expected)),
            "{warnings:?}"
        );
        assert!(
            warnings[1].contains("did you mean command?"),
            "{warnings:?}"
        );
    }

    #[test]
    fn a_mistake_is_one_sentence_and_the_rest_holds() {
        let cases = [
            (
                "roots = 'runs'",
                "1: roots must be a list of folders, got 'runs'",
            ),
            (
                "roots = ['a', 3]",
                "1: roots must be a list of folders, got 3",
            ),
            ("\ntheme = 3", "2: theme must be the name of a theme, got 3"),
            (
                "columns = { a = 1 }",
                "1: columns must be a list of columns, got { a = 1 }",
            ),
            (
                "threads = 0",
                "1: threads must be a whole number from 1 to 64, got 0",
            ),
            (
                "threads = 'all'",
                "1: threads must be a whole number from 1 to 64, got 'all'",
            ),
            (
                "slots = 0",
                "1: slots must be a whole number from 1 to 256, got 0",
            ),
            ("mouse = 'no'", "1: mouse must be true or false, got 'no'"),
            (
                "keys = 'q'",
                "1: keys must be a table of commands and their keys, got 'q'",
            ),
            (
                "keys.quit = 3",
                "1: keys.quit must be a key or a list of keys, got 3",
            ),
            (
                "keys.quit = ['q', 3]",
                "1: keys.quit must be a key or a list of keys, got 3",
            ),
            (
                "them = 'dark'",
                "1: unknown key \"them\"; did you mean theme?",
            ),
            (
                "editor = 'vi'",
                "1: unknown key \"editor\"; the keys are roots, theme, columns, threads, slots, gpu_memory, images, markers, mouse, keys, retention, launcher, alerts, metrics, launch, slurm",
            ),
            (
                "retention = 3",
                "1: retention must be a table of rules, got 3",
            ),
            (
                "[retention]\nkeep_last = -1",
                "2: retention.keep_last must be a whole number from 0 to 1000000, got -1",
            ),
            (
                "[retention]\nkeep_bets = 1",
                "2: unknown key \"keep_bets\"; did you mean keep_best?",
            ),
            (
                "retention.protect = ['starred', 'sacred']",
                "1: retention.protect: \"sacred\" is none of starred, tagged, noted, evaluated, baseline",
            ),
            ("theme =", "1: is not valid TOML: "),
            (
                "threads = 4\nthreads = 5",
                "2: is not valid TOML: duplicate key",
            ),
        ];
        for (text, sentence) in cases {
            let (_, warnings) = build(text);
            assert_eq!(warnings.len(), 1, "{text}: {warnings:?}");
            let expected = format!("config.toml:{sentence}");
            assert!(warnings[0].starts_with(&expected), "{}", warnings[0]);
        }
        let (config, warnings) =
            build("roots = 3\ntheme = 'nord'\nthreads = 'x'\n[keys]\nquit = 'Q'");
        assert_eq!(warnings.len(), 2);
        assert_eq!(config.theme.unwrap().value, "nord");
        assert_eq!(config.keys.len(), 1);
    }
}
