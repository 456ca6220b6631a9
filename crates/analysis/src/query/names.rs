//! The names of fields: those of every run, and those in the configurations and metrics of the runs
//! at hand.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hasher};

use super::field::{FACTS, SHORT};
use traintop_run::summary::Summary;
use traintop_text::nearest;

/// The configuration's keys and the metrics' columns of some runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Keys, nested ones joined by a dot.
    pub settings: BTreeSet<String>,
    /// Columns.
    pub metrics: BTreeSet<String>,
    /// Runs that were taken in: of none, every name is as good as another.
    pub runs: usize,
    /// Which sets of keys were added: thousands of runs share a few, and looking up each key takes
    /// ten times as long.
    known: HashSet<u64>,
}

impl Names {
    /// Those of some runs.
    pub fn of<'a>(summaries: impl IntoIterator<Item = &'a Summary>) -> Self {
        let mut names = Self::default();
        for summary in summaries {
            names.add(summary);
        }
        names
    }

    /// Takes in a run.
    pub fn add(&mut self, summary: &Summary) {
        self.runs += 1;
        let mut keys = DefaultHasher::new();
        for key in summary.settings.keys() {
            keys.write(key);
            keys.write_u8(b'\n');
        }
        if self.known.insert(keys.finish()) {
            for (key, _) in summary.settings.pairs() {
                if !self.settings.contains(key) {
                    self.settings.insert(key.to_owned());
                }
            }
        }
        for (column, _) in &summary.last {
            if !self.metrics.contains(column) {
                self.metrics.insert(column.clone());
            }
        }
    }

    /// Whether a key has this name, whole or as what follows its last dot.
    pub fn is_setting(&self, name: &str) -> bool {
        let is = |key: &String| {
            key.strip_suffix(name)
                .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        self.settings.contains(name) || self.settings.iter().any(is)
    }

    /// Whether a column has this name.
    pub fn is_metric(&self, name: &str) -> bool {
        self.metrics.contains(name)
    }

    /// Every name, the facts first, then columns, then keys, then short names.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let facts = FACTS.iter().map(|fact| fact.name);
        let known = self.metrics.iter().chain(&self.settings);
        let short = SHORT.iter().map(|(short, _)| *short);
        facts.chain(known.map(String::as_str)).chain(short)
    }

    /// The name that was most likely meant.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.all(), (name.chars().count() / 3).max(1))
    }
}
