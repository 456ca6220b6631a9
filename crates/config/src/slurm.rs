//! `[slurm]` and `[launch]` of the configuration: how jobs are submitted to a cluster's scheduler,
//! and whether they are by default.

use toml::Spanned;
use toml::de::DeValue;

use super::build::{Placed, Reader};

/// How long before its time limit a Slurm job is asked to save, in seconds; the default.
const SIGNAL: u32 = 120;
/// Slurm takes no more.
const MAX_SIGNAL_S: i64 = 65_535;
/// No cluster runs more of a person's jobs at once.
const MAX_JOBS: i64 = 100_000;

/// Where a run trains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Place {
    /// On this machine.
    #[default]
    Local,
    /// As a job of Slurm.
    Slurm,
}

/// What a job asks Slurm for, and what it does before the training.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slurm {
    /// `sbatch`'s options by name, with their values: `("partition", "gpu")`.
    pub options: Vec<(&'static str, String)>,
    /// Modules that are loaded first.
    pub modules: Vec<String>,
    /// Further lines of the script: `#SBATCH` options, or commands of the shell.
    pub lines: Vec<String>,
    /// Whether a job that is near its time limit is put into the queue again once it has saved.
    pub requeue: bool,
    /// How many seconds before its time limit a job is asked to save.
    pub signal_s: u32,
    /// How many jobs of a sweep run at once at most.
    pub at_once: Option<u32>,
}

impl Default for Slurm {
    fn default() -> Self {
        Self {
            options: Vec::new(),
            modules: Vec::new(),
            lines: Vec::new(),
            requeue: false,
            signal_s: SIGNAL,
            at_once: None,
        }
    }
}

/// The keys whose values are passed to `sbatch` unchanged, and their options.
const OPTIONS: [(&str, &str); 7] = [
    ("partition", "partition"),
    ("time", "time"),
    ("gpus", "gpus"),
    ("account", "account"),
    ("qos", "qos"),
    ("cpus", "cpus-per-task"),
    ("memory", "mem"),
];

const KEYS: [&str; 12] = [
    "partition",
    "time",
    "gpus",
    "account",
    "qos",
    "cpus",
    "memory",
    "modules",
    "lines",
    "requeue",
    "signal",
    "at_once",
];

impl Reader<'_> {
    /// `on = "slurm"`, the only key.
    pub(super) fn launch(&mut self, value: &Spanned<DeValue>) -> Place {
        const EXPECTED: &str = "\"local\" or \"slurm\"";
        let DeValue::Table(entries) = value.get_ref() else {
            self.bad("launch", "a table with on", value);
            return Place::default();
        };
        let mut place = Place::default();
        for (key, value) in entries {
            if key.get_ref() != "on" {
                self.unknown_among(&["on"], key.get_ref(), key.span().start);
                continue;
            }
            match value.get_ref() {
                DeValue::String(name) if name == "local" => place = Place::Local,
                DeValue::String(name) if name == "slurm" => place = Place::Slurm,
                _ => self.bad("launch.on", EXPECTED, value),
            }
        }
        place
    }

    /// `partition = "gpu"` and the like.
    pub(super) fn slurm(&mut self, value: &Spanned<DeValue>) -> Slurm {
        let mut slurm = Slurm::default();
        let DeValue::Table(entries) = value.get_ref() else {
            self.bad("slurm", "a table", value);
            return slurm;
        };
        for (key, value) in entries {
            let name: &str = key.get_ref();
            let full = format!("slurm.{name}");
            if let Some((_, option)) = OPTIONS.into_iter().find(|(known, _)| *known == name) {
                let value = self.word(&full, value);
                slurm.options.extend(value.map(|value| (option, value)));
                continue;
            }
            match name {
                "modules" => slurm.modules = self.lines(&full, "a list of modules", value),
                "lines" => slurm.lines = self.lines(&full, "a list of lines", value),
                "requeue" => slurm.requeue = self.yes_or_no(&full, value).unwrap_or(false),
                "signal" => {
                    let seconds = self.whole(&full, 0..=MAX_SIGNAL_S, value);
                    slurm.signal_s = seconds.map_or(SIGNAL, |seconds| seconds as u32);
                }
                "at_once" => {
                    let jobs = self.whole(&full, 1..=MAX_JOBS, value);
                    slurm.at_once = jobs.map(|jobs| jobs as u32);
                }
                other => self.unknown_among(&KEYS, other, key.span().start),
            }
        }
        slurm
    }

    /// The value of an option: a text or a whole number, on one line.
    fn word(&mut self, key: &str, value: &Spanned<DeValue>) -> Option<String> {
        let text = match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => {
                Some(number.as_str().replace('_', ""))
            }
            _ => None,
        };
        // It is quoted in the script.
        let text = text.filter(|text| !text.is_empty() && !text.contains(['\n', '\r', '"']));
        if text.is_none() {
            self.bad(key, "a text as sbatch takes it, or a whole number", value);
        }
        text
    }

    fn lines(&mut self, key: &str, expected: &str, value: &Spanned<DeValue>) -> Vec<String> {
        let listed = self.list(key, expected, value).unwrap_or_default();
        let mut lines = Vec::new();
        for Placed { place, value } in listed {
            if value.contains(['\n', '\r']) {
                self.problems
                    .push(format!("{place}: {key} must be lines without line ends"));
            } else {
                lines.push(value);
            }
        }
        lines
    }
}

#[cfg(test)]
#[path = "slurm_tests.rs"]
mod tests;
