//! The subject of a query: a run's summary, with what was read for this query alone.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use traintop_run::RunDir;
use traintop_run::summary::Summary;

/// The values of columns at chosen epochs, which summaries do not have.
#[derive(Debug, Clone, Default)]
pub struct Samples(HashMap<RunDir, HashMap<u32, Vec<(String, f64)>>>);

impl Samples {
    /// Takes in what a run's columns have at an epoch.
    pub fn insert(&mut self, dir: RunDir, epoch: u32, values: Vec<(String, f64)>) {
        self.0.entry(dir).or_default().insert(epoch, values);
    }

    /// Forgets a run, which has changed.
    pub fn forget(&mut self, dir: &RunDir) {
        self.0.remove(dir);
    }

    /// Whether an epoch of a run was read.
    pub fn has(&self, dir: &RunDir, epoch: u32) -> bool {
        self.0
            .get(dir)
            .is_some_and(|epochs| epochs.contains_key(&epoch))
    }

    /// The value of a column at an epoch.
    pub fn at(&self, dir: &RunDir, epoch: u32, column: &str) -> Option<f64> {
        let values = self.0.get(dir)?.get(&epoch)?;
        values
            .iter()
            .find(|(name, _)| name == column)
            .map(|(_, value)| *value)
    }

    /// Of these runs those of which one of these epochs was not read.
    pub fn missing<'a>(
        &self,
        dirs: impl Iterator<Item = &'a RunDir>,
        epochs: &HashSet<u32>,
    ) -> Vec<RunDir> {
        let lacks = |dir: &&RunDir| epochs.iter().any(|epoch| !self.has(dir, *epoch));
        dirs.filter(lacks).cloned().collect()
    }
}

/// A run to test.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What is known of it; `None` if it was not summed up yet.
    pub summary: Option<&'a Summary>,
    pub dir: &'a RunDir,
    /// The time from which ages are counted.
    pub now: Timestamp,
    /// Values at chosen epochs.
    pub samples: &'a Samples,
}

impl<'a> Subject<'a> {
    /// A run that was summed up.
    pub fn new(summary: &'a Summary, now: Timestamp, samples: &'a Samples) -> Self {
        Self {
            summary: Some(summary),
            dir: &summary.dir,
            now,
            samples,
        }
    }
}
