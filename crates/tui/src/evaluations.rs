//! What is known of evaluations.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use crate::jobs::evaluations::Known;
use crate::jobs::evaluations::card::{Card, Running};
use traintop_run::evaluation::{BestByRun, EvaluationDir};
use traintop_run::summary::Summary;

/// Whether a search is under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Searching {
    #[default]
    No,
    Yes,
    /// Yes, and something has changed since it began.
    Again,
}

/// All that is known of evaluations.
#[derive(Debug, Default)]
pub struct Evaluations {
    pub known: HashMap<EvaluationDir, Known>,
    /// Those that are not done.
    pub running: Vec<Running>,
    pub trees: Vec<PathBuf>,
    pub watch: HashSet<PathBuf>,
    pub best: BestByRun,
    pub searching: Searching,
    /// Whether they have been found once.
    pub is_found: bool,
    /// How many were started here and have not ended.
    pub started: usize,
}

impl Evaluations {
    /// All that are done, in no order.
    pub fn cards(&self) -> impl Iterator<Item = &Card> {
        self.known.values().map(|known| &known.card)
    }

    /// Whether they have been looked for.
    pub fn has_begun(&self) -> bool {
        self.is_found || self.searching != Searching::No
    }

    pub fn card(&self, dir: &EvaluationDir) -> Option<&Card> {
        self.known.get(dir).map(|known| &known.card)
    }

    /// Gives a run its best evaluation; says whether that is another than before.
    pub fn stamp(&self, summary: &mut Summary) -> bool {
        let best = self.best.of(&summary.id, &summary.dir).cloned();
        let is_other = summary.evaluated != best;
        summary.evaluated = best;
        is_other
    }

    /// The evaluation of a run that is under way.
    pub fn running_of(&self, summary: &Summary) -> Option<&Running> {
        self.running
            .iter()
            .find(|running| !running.is_abandoned && running.is_of(&summary.id, &summary.dir))
    }

    /// The folders whose changes matter.
    pub fn watched(&self) -> impl Iterator<Item = PathBuf> {
        self.watch.iter().cloned()
    }
}
