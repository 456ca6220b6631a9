//! Evaluations as the dashboard knows them: what is ordered about them, what comes of it, and what that changes. They are read after
//! the first frame, and again when their folders change.

pub mod card;
pub mod compared;
#[cfg(test)]
pub mod fixtures;
pub mod opened;
#[cfg(test)]
mod tests;
mod work;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use self::card::{Card, Running};
use self::compared::Compared;
use self::opened::Opened;
use super::effect::Effect;
use super::message::Notice;
use super::state::State;
use super::view::evaluations as view;
use traintop_launch::EvaluateRequest;
use traintop_run::discover::Stamp;
use traintop_run::evaluation::{BestByRun, EvaluationDir};
use traintop_run::summary::Summary;

pub use work::carry_out;

/// What tells whether an evaluation has changed: the stamps of its results and of its notes.
pub type Stamps = [Stamp; 2];

/// A job on evaluations.
#[derive(Debug, Clone, PartialEq)]
pub enum EvaluationJob {
    /// Find those of these output trees, and read those that are new or have changed since they were known.
    Find {
        /// The folders that may hold `evaluations/`.
        trees: Vec<PathBuf>,
        /// What is known already.
        known: HashMap<EvaluationDir, Stamps>,
    },
    /// See how far those are that run in these output trees.
    Look(Vec<PathBuf>),
    /// Read one in full.
    Open(EvaluationDir),
    /// Read some in full and compare each with the first.
    Compare(Vec<EvaluationDir>),
    /// Start one after the other.
    Start(Vec<EvaluateRequest>),
}

/// An evaluation that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// What lists show of it.
    pub card: Card,
    /// As it was when it was read.
    pub stamps: Stamps,
}

/// The result of a job.
#[derive(Debug)]
pub enum EvaluationOutcome {
    /// The evaluations that there are.
    Found {
        dirs: HashSet<EvaluationDir>,
        /// Those that were read because they are new or have changed.
        read: Vec<Known>,
        /// Those that are not done.
        running: Vec<Running>,
        /// The trees that have a folder of evaluations.
        trees: Vec<PathBuf>,
        /// The folders whose changes matter: those of evaluations, and those in them that are not done.
        watch: HashSet<PathBuf>,
    },
    /// How far those are that run.
    Looked(Vec<Running>),
    /// One was read in full, or a sentence why not.
    Opened(Box<Result<Opened, String>>),
    /// Some were read and compared.
    Compared(Box<Result<Compared, String>>),
    Started,
    /// One has ended: its folder, or the worker's sentence; and how many are still to come.
    Ended(Result<EvaluationDir, String>, usize),
}

/// Whether a search is under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Searching {
    #[default]
    No,
    Yes,
    /// Yes, and something has changed since it began.
    Again,
}

/// All that is known of evaluations.
#[derive(Debug, Default)]
pub struct Evaluations {
    known: HashMap<EvaluationDir, Known>,
    /// Those that are not done.
    pub running: Vec<Running>,
    trees: Vec<PathBuf>,
    watch: HashSet<PathBuf>,
    best: BestByRun,
    searching: Searching,
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

/// Searches for evaluations, unless that is being done.
pub fn find(state: &mut State) -> Vec<Effect> {
    let evaluations = &mut state.evaluations;
    if evaluations.searching != Searching::No {
        evaluations.searching = Searching::Again;
        return Vec::new();
    }
    vec![Effect::Evaluate(find_order(state))]
}

fn find_order(state: &mut State) -> EvaluationJob {
    let evaluations = &mut state.evaluations;
    evaluations.searching = Searching::Yes;
    let known = evaluations.known.iter();
    let known = known.map(|(dir, known)| (dir.clone(), known.stamps));
    EvaluationJob::Find {
        known: known.collect(),
        trees: trees(state),
    }
}

/// The roots, and the output trees of the runs.
fn trees(state: &State) -> Vec<PathBuf> {
    let of_runs = state.runs.all();
    let of_runs = of_runs.filter_map(|row| row.found.dir.output_tree());
    let all: BTreeSet<&Path> = of_runs
        .chain(state.roots.iter().map(PathBuf::as_path))
        .collect();
    all.into_iter().map(Path::to_owned).collect()
}

/// A watched folder changed; `None` if it has nothing to do with evaluations.
pub fn folder_changed(state: &mut State, folder: &Path) -> Option<Vec<Effect>> {
    if !state.evaluations.watch.contains(folder) {
        return None;
    }
    let mut running = state.evaluations.running.iter();
    let is_running = running.any(|running| running.dir.path() == folder);
    if is_running {
        let trees = state.evaluations.trees.clone();
        return Some(vec![Effect::Evaluate(EvaluationJob::Look(trees))]);
    }
    Some(find(state))
}

/// What news change, and what is to be done next.
pub fn update(state: &mut State, news: EvaluationOutcome) -> Vec<Effect> {
    match news {
        EvaluationOutcome::Found {
            dirs,
            read,
            running,
            trees,
            watch,
        } => {
            let evaluations = &mut state.evaluations;
            evaluations.known.retain(|dir, _| dirs.contains(dir));
            let read = read.into_iter();
            evaluations
                .known
                .extend(read.map(|known| (known.card.dir.clone(), known)));
            evaluations.running = running;
            evaluations.trees = trees;
            let is_new = !watch.is_subset(&evaluations.watch);
            evaluations.watch = watch;
            let mut best = BestByRun::default();
            for (key, one) in evaluations.cards().filter_map(|card| card.best.as_ref()) {
                best.add(key, one);
            }
            evaluations.best = best;
            evaluations.is_found = true;
            let again = std::mem::take(&mut evaluations.searching) == Searching::Again;
            state.runs.stamp(&state.evaluations);
            view::refresh(state);
            // What happened before a folder was watched would go unseen: it is looked at once more.
            return if is_new {
                let order = find_order(state);
                vec![Effect::WatchThen(
                    super::update::watched(state),
                    Box::new(Effect::Evaluate(order)),
                )]
            } else if again {
                find(state)
            } else {
                Vec::new()
            };
        }
        EvaluationOutcome::Looked(running) => {
            let ended = state.evaluations.running.len() > running.len();
            state.evaluations.running = running;
            if ended {
                return find(state);
            }
        }
        EvaluationOutcome::Opened(opened) => view::opened(state, *opened),
        EvaluationOutcome::Compared(compared) => view::compared(state, *compared),
        EvaluationOutcome::Started => {
            return find(state);
        }
        EvaluationOutcome::Ended(outcome, left) => {
            state.evaluations.started = left;
            let mut effects = find(state);
            match outcome {
                Ok(dir) => effects.extend(view::ended(state, dir)),
                Err(problem) => {
                    let text = format!("the evaluation failed: {}", traintop_text::clean(&problem));
                    state.notice = Some(Notice::bad(text));
                }
            }
            return effects;
        }
    }
    Vec::new()
}
