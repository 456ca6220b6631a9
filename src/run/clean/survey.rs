//! Reads from the disk what a plan needs to know of each run: one walk through its folder, its summary, its notes.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::optimiser;
use crate::disk::write::is_temporary;
use crate::disk::{Kind, Look};
use crate::run::discover::Found;
use crate::run::evaluation::{self, Results, evaluates};
use crate::run::headline;
use crate::run::layout::RunDir;
use crate::run::metrics::{Metrics, Tail};
use crate::run::notes::Notes;
use crate::run::size::Taken;
use crate::run::state::{SILENCE, State};
use crate::run::summary::Summary;

/// A temporary file that has not changed for so long belongs to nobody.
const STALE: Duration = Duration::from_secs(3600);
/// Login nodes are shared: no more threads than these.
const THREADS: usize = 4;

/// Which part a file of weights plays in its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The best.
    Best,
    /// The last, from which a run goes on.
    Last,
    /// Of an epoch.
    Epoch(u32),
    /// Nobody knows: never removed but as an exact duplicate.
    Other,
}

/// A file of weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// The file.
    pub path: PathBuf,
    /// Its part.
    pub role: Role,
    /// What it takes on the disk.
    pub taken: Taken,
    /// As it was when it was surveyed.
    pub look: Look,
    /// Validation accuracy of its epoch, percent, where the metrics say.
    pub val_acc: Option<f64>,
    /// Bytes of optimiser state in it that could be dropped.
    pub optimiser_bytes: u64,
}

/// What is known of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Surveyed {
    /// The run.
    pub dir: RunDir,
    /// What lists call it.
    pub name: String,
    /// What it is doing.
    pub state: State,
    /// Epochs in its metrics.
    pub epochs_done: u32,
    /// And planned, where that is known.
    pub epochs_planned: Option<u32>,
    /// The best of them.
    pub best_epoch: Option<u32>,
    /// Seconds that an epoch took, on average.
    pub epoch_s: Option<f64>,
    /// When its files last changed.
    pub modified_at: Timestamp,
    /// What people added to it.
    pub notes: Notes,
    /// Whether an evaluation names it.
    pub is_evaluated: bool,
    /// Whether it is packed: what it had is in its archive.
    pub is_archived: bool,
    /// Its files of weights.
    pub weights: Vec<Weights>,
    /// Temporary files that nobody renamed.
    pub temporary: Vec<(PathBuf, Taken, Look)>,
    /// Everything in it, itself included.
    pub taken: Vec<Taken>,
    /// Another file with the very content of its best model, outside of it.
    pub copy_of_best: Option<(PathBuf, Look)>,
    /// As [`Found::modified`], to see whether it has changed.
    pub modified: SystemTime,
}

/// All runs, and what else a plan needs.
#[derive(Clone, Default, PartialEq)]
pub struct Survey {
    /// The runs.
    pub runs: Vec<Surveyed>,
}

/// Short: logs write down what was ordered.
impl fmt::Debug for Survey {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Survey of {} runs", self.runs.len())
    }
}

/// Surveys these runs, on a few threads. `each` hears how many are done.
pub fn survey(found: &[Found], now: SystemTime, each: impl Fn(usize) + Sync) -> Survey {
    let mut trees: HashMap<&Path, Tree> = HashMap::new();
    for tree in found.iter().filter_map(|found| found.dir.output_tree()) {
        trees.entry(tree).or_insert_with(|| Tree::read(tree));
    }
    let cores = thread::available_parallelism().map_or(2, usize::from);
    let part = found.len().div_ceil(cores.min(THREADS)).max(1);
    let done = AtomicUsize::new(0);
    let survey_part = |part: &[Found]| -> Vec<Surveyed> {
        let survey_one = |found: &Found| {
            let tree = found.dir.output_tree().and_then(|tree| trees.get(tree));
            let surveyed = one(found, now, tree);
            each(1 + done.fetch_add(1, Ordering::Relaxed));
            surveyed
        };
        part.iter().map(survey_one).collect()
    };
    let runs = thread::scope(|scope| {
        let parts: Vec<_> = found
            .chunks(part)
            .map(|part| scope.spawn(|| survey_part(part)))
            .collect();
        let ended = parts.into_iter().map(thread::ScopedJoinHandle::join);
        // A part that panicked is left out of the plan, and so left alone.
        ended.flat_map(Result::unwrap_or_default).collect()
    });
    Survey { runs }
}

fn one(found: &Found, now: SystemTime, tree: Option<&Tree>) -> Surveyed {
    let dir = found.dir.clone();
    let mut walked = Walked::default();
    walked.folder(dir.path(), dir.path(), now);
    let of_epochs = |weights: &Weights| matches!(weights.role, Role::Epoch(_));
    let summary = if walked.weights.iter().any(of_epochs) {
        let mut tail = Tail::open(dir.metrics_csv());
        // Without metrics there are no accuracies.
        let _ = tail.poll();
        if now.duration_since(found.modified).unwrap_or_default() > SILENCE {
            let _ = tail.settle();
        }
        score(tail.metrics(), &mut walked.weights);
        Summary::of(found, tail.metrics(), now)
    } else {
        Summary::load(found, now)
    };
    walked
        .weights
        .sort_by(|a, b| (a.role, &a.path).cmp(&(b.role, &b.path)));
    look_into_epochs(&mut walked.weights);
    let best = walked
        .weights
        .iter()
        .find(|weights| weights.role == Role::Best);
    let copy_of_best = best.and_then(|best| tree?.copy_of(best));
    let is_evaluated = |tree: &Tree| {
        let mut evaluations = tree.evaluations.iter();
        evaluations.any(|results| evaluates(&results.checkpoints, &summary.id, &dir))
    };
    let seconds = summary.duration.map(|duration| duration.as_secs_f64());
    Surveyed {
        epoch_s: seconds
            .filter(|_| summary.epochs_done > 0)
            .map(|seconds| seconds / f64::from(summary.epochs_done)),
        is_evaluated: tree.is_some_and(is_evaluated),
        is_archived: summary.archived.is_some(),
        copy_of_best,
        weights: walked.weights,
        temporary: walked.temporary,
        taken: walked.taken.compact(),
        name: summary.name,
        state: summary.observed.state,
        epochs_done: summary.epochs_done,
        epochs_planned: summary.epochs_planned,
        best_epoch: summary.best_epoch,
        modified_at: summary.modified_at,
        notes: summary.notes,
        modified: found.modified,
        dir,
    }
}

/// Gives each epoch's checkpoint its epoch's validation accuracy.
fn score(metrics: &Metrics, weights: &mut [Weights]) {
    let Some(column) = headline::accuracy(metrics) else {
        return;
    };
    let by_epoch: HashMap<u32, f64> = column
        .x
        .iter()
        .zip(&column.y)
        .filter(|(_, value)| value.is_finite())
        .map(|(epoch, value)| (*epoch as u32, *value))
        .collect();
    for weights in weights {
        if let Role::Epoch(epoch) = weights.role {
            weights.val_acc = by_epoch.get(&epoch).copied();
        }
    }
}

/// Sizes, those of files with one name taken together.
#[derive(Debug, Default)]
struct Sizes {
    plain: u64,
    linked: Vec<Taken>,
}

impl Sizes {
    fn add(&mut self, taken: Taken) {
        if taken.linked.is_none() {
            self.plain += taken.bytes;
        } else {
            self.linked.push(taken);
        }
    }

    fn compact(self) -> Vec<Taken> {
        let mut taken = vec![Taken::plain(self.plain)];
        taken.extend(self.linked);
        taken
    }
}

#[derive(Default)]
struct Walked {
    weights: Vec<Weights>,
    temporary: Vec<(PathBuf, Taken, Look)>,
    taken: Sizes,
}

impl Walked {
    /// Walks through a folder of a run; links are not followed.
    fn folder(&mut self, folder: &Path, run: &Path, now: SystemTime) {
        if let Ok(metadata) = fs::symlink_metadata(folder) {
            self.taken.add(Taken::of(&metadata));
        }
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                self.folder(&entry.path(), run, now);
                continue;
            }
            let taken = Taken::of(&metadata);
            self.taken.add(taken);
            if !metadata.is_file() {
                continue;
            }
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_at_home = folder == run || folder.parent() == Some(run);
            if is_temporary(&name) {
                let age = metadata
                    .modified()
                    .ok()
                    .and_then(|modified| now.duration_since(modified).ok());
                if age.is_some_and(|age| age > STALE) {
                    let path = entry.path();
                    let look = Look::of(&metadata);
                    self.temporary.push((path, taken, look));
                }
            } else if let Some(role) = role(&name).filter(|_| is_at_home) {
                let path = entry.path();
                let optimiser_bytes = match role {
                    // There may be hundreds: see `look_into_epochs`.
                    Role::Epoch(_) => 0,
                    _ => optimiser::bytes_in(&path),
                };
                self.weights.push(Weights {
                    look: Look::of(&metadata),
                    path,
                    role,
                    taken,
                    val_acc: None,
                    optimiser_bytes,
                });
            }
        }
    }
}

/// Epochs' checkpoints of one run are alike: only if the last has an optimiser's state, the others are opened as well.
fn look_into_epochs(weights: &mut [Weights]) {
    let epochs = weights
        .iter_mut()
        .filter(|weights| matches!(weights.role, Role::Epoch(_)));
    for weights in epochs.rev() {
        weights.optimiser_bytes = optimiser::bytes_in(&weights.path);
        if weights.optimiser_bytes == 0 {
            return;
        }
    }
}

/// The part that a file plays, by its name; `None` if it holds no weights.
fn role(name: &str) -> Option<Role> {
    let (stem, extension) = name.rsplit_once('.')?;
    if !["safetensors", "pth", "pt", "ckpt"].contains(&extension) {
        return None;
    }
    let stem = stem.to_ascii_lowercase();
    if stem.contains("best") {
        return Some(Role::Best);
    }
    if ["last", "latest", "final"]
        .iter()
        .any(|word| stem.contains(word))
    {
        return Some(Role::Last);
    }
    let epoch = stem.split("epoch").nth(1).and_then(|rest| {
        let rest = rest.trim_start_matches(['_', '=', '-']);
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..digits].parse().ok()
    });
    Some(epoch.map_or(Role::Other, Role::Epoch))
}

/// What lies beside the runs of an output tree.
struct Tree {
    /// Copies of models, by length.
    models: HashMap<u64, Vec<(PathBuf, Look)>>,
    /// What was evaluated.
    evaluations: Vec<Results>,
}

impl Tree {
    fn read(tree: &Path) -> Self {
        let mut models: HashMap<u64, Vec<(PathBuf, Look)>> = HashMap::new();
        for folder in ["best_models", "final_models"] {
            for path in files_in(&tree.join(folder)) {
                if let Ok(look) = Look::at(&path)
                    && look.kind == Kind::File
                {
                    models.entry(look.length).or_default().push((path, look));
                }
            }
        }
        Self {
            models,
            evaluations: evaluations(tree),
        }
    }

    /// A file with the same content as a run's best model.
    fn copy_of(&self, best: &Weights) -> Option<(PathBuf, Look)> {
        let alike = self.models.get(&best.look.length)?;
        let same = |(path, _): &&(PathBuf, Look)| super::twins::is_same_content(path, &best.path);
        alike.iter().find(same).cloned()
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Whether an evaluation beside a run is of one of its checkpoints, looked at now.
pub(super) fn is_evaluated(dir: &RunDir, id: &str) -> bool {
    let evaluations = dir.output_tree().map(evaluations).unwrap_or_default();
    evaluations
        .iter()
        .any(|results| evaluates(&results.checkpoints, id, dir))
}

fn evaluations(tree: &Path) -> Vec<Results> {
    let all = evaluation::list(tree);
    let loaded = all.iter().filter_map(|dir| Results::load(dir).ok());
    loaded.flatten().collect()
}
