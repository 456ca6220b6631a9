//! Reads from the disk what a plan needs to know of each run: one walk through its folder, its
//! summary, its notes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::contents;
use super::evaluated::EvaluatedRuns;
use super::in_use::InUse;
use super::obstacle::Obstacle;
use super::optimiser;
use super::walk::{self, TemporaryFile, Walked, WalkedFile};
use traintop_disk::{FileStat, Kind};
use traintop_run::best_and_trend::{self, MetricByEpoch};
use traintop_run::found::Found;
use traintop_run::layout::RunDir;
use traintop_run::metric_names::Direction;
use traintop_run::notes::Notes;
use traintop_run::record::Record;
use traintop_run::run_names;
use traintop_run::size::Taken;
use traintop_run::state::State;
use traintop_run::summary::Summary;
use traintop_run::summing::Summing;
use traintop_text as text;

/// The file of what people add to a run.
pub(super) const MARKS: &str = "notes.toml";
/// Thread limit; login nodes are shared.
const THREADS: usize = 4;
/// A run whose record does not say that it has ended may be at work on another machine until its
/// folder has been unchanged for this long: an epoch may take hours.
const QUIET: Duration = Duration::from_secs(24 * 3600);

/// Which part a file of weights plays in its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    Best,
    /// The last, that a run resumes from.
    Last,
    Epoch(u32),
    Step(u64),
    /// Unknown: only removed as an exact duplicate.
    Other,
}

impl Role {
    /// Whether it is one of many, of an epoch or a step.
    pub fn is_periodic(self) -> bool {
        matches!(self, Self::Epoch(_) | Self::Step(_))
    }
}

/// A file of weights, or a folder that is one checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    pub path: PathBuf,
    /// Its part.
    pub role: Role,
    /// Whether a file or a link of the run names it, as the best or the last.
    pub is_named: bool,
    /// What it takes on the disk; of a folder, what each file takes.
    pub taken: Vec<Taken>,
    /// As it was when it was surveyed; of a folder, that and all that is in it.
    pub stats: Vec<(PathBuf, FileStat)>,
    /// What its place has of the metric that the run is judged by, where the metrics say; negative
    /// where less is better, so that more is better always.
    pub score: Option<f64>,
    /// That of the epochs before and after it, or of the measurements before and after its step.
    pub score_beside: [Option<f64>; 2],
    /// Bytes of optimiser state in it that could be dropped.
    pub optimiser_bytes: u64,
}

impl Weights {
    pub(super) fn new(path: PathBuf, role: Role) -> Self {
        Self {
            path,
            role,
            is_named: false,
            taken: Vec::new(),
            stats: Vec::new(),
            score: None,
            score_beside: [None; 2],
            optimiser_bytes: 0,
        }
    }

    /// The stat of the file, unless it is a folder.
    pub(super) fn file(&self) -> Option<FileStat> {
        let (_, stat) = self.stats.first().filter(|_| self.stats.len() == 1)?;
        (stat.kind == Kind::File).then_some(*stat)
    }

    /// The length of all its files, in bytes.
    pub(super) fn length(&self) -> u64 {
        let files = self.stats.iter().map(|(_, stat)| stat);
        let files = files.filter(|stat| stat.kind == Kind::File);
        files.map(|stat| stat.length).sum()
    }

    /// When anything of it last changed, in nanoseconds since 1970.
    pub(super) fn modified_ns(&self) -> i64 {
        let stats = self.stats.iter().map(|(_, stat)| stat.modified_ns);
        stats.max().unwrap_or_default()
    }

    /// The scores of its place, of the one before and of the one after it.
    pub(super) fn scores(&self) -> [Option<f64>; 3] {
        let [before, after] = self.score_beside;
        [self.score, before, after]
    }
}

/// What was read of a run's metrics, and of its record where there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// They were read to their end, and hold no row and nothing that was not understood.
    Blank,
    /// They hold something.
    Content,
    /// They cannot be read.
    Failed,
}

/// What is known of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Surveyed {
    pub dir: RunDir,
    /// What lists call it.
    pub name: String,
    /// What it is doing.
    pub state: State,
    /// Epochs in its metrics, or in its record if those have none.
    pub epochs_done: u32,
    /// Whether its metrics have one row an epoch, so that few epochs are few rows.
    pub has_row_per_epoch: bool,
    /// And planned, where that is known.
    pub epochs_planned: Option<u32>,
    pub best_epoch: Option<u32>,
    pub best_step: Option<u64>,
    /// Rows in its metrics.
    pub rows: usize,
    /// The last step, where its metrics count steps.
    pub last_step: Option<u64>,
    /// Its best value in words, where there is one.
    pub best_value: Option<String>,
    /// How long it trained, as far as that is known.
    pub trained: Option<Duration>,
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
    /// What was read of its metrics.
    pub reading: Reading,
    /// Why its folder must not go as a whole; `None` if nothing in it would be missed but its rows.
    pub obstacle: Option<Obstacle>,
    /// Its files of weights that a rule may name.
    pub weights: Vec<Weights>,
    /// Temporary files that were never renamed.
    pub temporary: Vec<TemporaryFile>,
    /// Everything in it, itself included.
    pub taken: Vec<Taken>,
    /// As [`Found::modified`], to see whether it has changed.
    pub modified: SystemTime,
    /// Changes if any file or folder in it does.
    pub fingerprint: u64,
}

impl Surveyed {
    /// Whether the names of its weights have steps rather than epochs.
    fn counts_steps(&self) -> bool {
        let mut weights = self.weights.iter();
        weights.any(|weights| matches!(weights.role, Role::Step(_)))
    }

    /// How many epochs are done, or steps where its weights count these; `None` without any.
    pub(super) fn done(&self) -> Option<u64> {
        if self.counts_steps() {
            self.last_step
        } else {
            Some(self.epochs_done.into())
        }
        .filter(|done| *done > 0)
    }

    /// Seconds that one epoch, or one step, took.
    pub(super) fn place_s(&self) -> Option<f64> {
        if self.counts_steps() {
            Some(self.trained?.as_secs_f64() / self.done()? as f64)
        } else {
            self.epoch_s
        }
    }

    /// The epoch, or step, that weights of it are of, where that is known.
    pub(super) fn place_of(&self, weights: &Weights) -> Option<u64> {
        let counts_steps = self.counts_steps();
        match weights.role {
            Role::Best if counts_steps => self.best_step,
            Role::Best => self.best_epoch.map(u64::from),
            Role::Last => self.done(),
            Role::Epoch(epoch) => (!counts_steps).then_some(epoch.into()),
            Role::Step(step) => Some(step),
            Role::Other => None,
        }
    }

    /// How far it came, in words: epochs, or steps or rows where it counts none.
    pub fn extent(&self) -> String {
        let several = |count: u64, noun: &str| {
            let plural = if count == 1 { "" } else { "s" };
            format!("{} {noun}{plural}", text::count(count))
        };
        match (self.epochs_done, self.rows, self.last_step) {
            (0, 0, _) => "no rows".to_owned(),
            (0, _, Some(step)) => several(step, "step"),
            (0, rows, None) => several(rows as u64, "row"),
            (epochs, ..) => several(u64::from(epochs), "epoch"),
        }
    }
}

/// All runs, and what else a plan needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Survey {
    pub runs: Vec<Surveyed>,
}

/// Surveys these runs, on a few threads. `each` gets how many are done, and returns whether to
/// continue; if not, there is no survey.
pub fn survey(
    found: &[Found],
    now: SystemTime,
    each: impl Fn(usize) -> bool + Sync,
) -> Option<Survey> {
    let mut trees: HashMap<&Path, EvaluatedRuns> = HashMap::new();
    for tree in found.iter().filter_map(|found| found.dir.output_tree()) {
        trees
            .entry(tree)
            .or_insert_with(|| EvaluatedRuns::read(tree));
    }
    let in_use = InUse::now();
    let cores = thread::available_parallelism().map_or(2, usize::from);
    let part = found.len().div_ceil(cores.min(THREADS)).max(1);
    let done = AtomicUsize::new(0);
    let is_cancelled = AtomicBool::new(false);
    let survey_part = |part: &[Found]| -> Vec<(Surveyed, Summary)> {
        let survey_one = |found: &Found| {
            let tree = found.dir.output_tree().and_then(|tree| trees.get(tree));
            let surveyed = one(found, now, tree, &in_use);
            if !each(1 + done.fetch_add(1, Ordering::Relaxed)) {
                is_cancelled.store(true, Ordering::Relaxed);
            }
            surveyed
        };
        let keeps_going = |_: &&Found| !is_cancelled.load(Ordering::Relaxed);
        part.iter()
            .take_while(keeps_going)
            .map(survey_one)
            .collect()
    };
    let runs = thread::scope(|scope| {
        let parts: Vec<_> = found
            .chunks(part)
            .map(|part| scope.spawn(|| survey_part(part)))
            .collect();
        let ended = parts.into_iter().map(thread::ScopedJoinHandle::join);
        // A part that panicked is left out of the plan, and so left alone.
        let runs = ended.flat_map(Result::unwrap_or_default);
        let (mut runs, mut summaries): (Vec<_>, Vec<_>) = runs.unzip();
        run_names::tell_apart(&mut summaries);
        for (run, summary) in runs.iter_mut().zip(summaries) {
            run.name = summary.title().into_owned();
        }
        runs
    });
    (!is_cancelled.into_inner()).then_some(Survey { runs })
}

fn one(
    found: &Found,
    now: SystemTime,
    evaluated: Option<&EvaluatedRuns>,
    in_use: &InUse,
) -> (Surveyed, Summary) {
    let dir = found.dir.clone();
    let mut walked = walk::walk(dir.path(), now);
    walked.keep_pointed_at(dir.path());
    let mut summing = Summing::begin(found);
    let summary = summing.summary(found, now);
    let metrics = summing.needed();
    score(&best_and_trend::course(metrics), &mut walked.weights);
    walked
        .weights
        .sort_by(|a, b| (a.role, &a.path).cmp(&(b.role, &b.path)));
    find_optimisers(&mut walked.weights);
    let is_blank = summing.is_blank() && metrics.rows == 0 && summary.epochs_done == 0;
    let obstacle = obstacle(&walked, &summary, &summing, is_blank, now, in_use);
    let seconds = summary.duration.map(|duration| duration.as_secs_f64());
    let surveyed = Surveyed {
        epoch_s: seconds
            .filter(|_| summary.epochs_done > 0)
            .map(|seconds| seconds / f64::from(summary.epochs_done)),
        has_row_per_epoch: best_and_trend::is_placed_by_epoch(metrics),
        rows: metrics.rows,
        last_step: best_and_trend::last_step(metrics),
        best_value: best_value(&summary),
        trained: summary.duration,
        is_evaluated: evaluated.is_some_and(|runs| runs.holds(&summary.id, &dir)),
        is_archived: summary.archived.is_some(),
        reading: match (is_blank, summing.unread()) {
            (true, _) => Reading::Blank,
            (false, None) => Reading::Content,
            (false, Some(_)) => Reading::Failed,
        },
        obstacle,
        weights: walked.weights,
        temporary: walked.temporary,
        taken: walked.sizes.compact(),
        fingerprint: walked.fingerprint,
        state: summary.observed.state,
        epochs_done: summary.epochs_done,
        epochs_planned: summary.epochs_planned,
        best_epoch: summary.best_epoch(),
        best_step: summary.best.as_ref().and_then(|best| best.step),
        name: summary.name.clone(),
        modified_at: newest_file(&walked.files).max(summary.modified_at),
        notes: summary.notes.clone(),
        modified: found.modified,
        dir,
    };
    (surveyed, summary)
}

/// When a file of a run last changed; marks do not make an old run young.
fn newest_file(files: &[WalkedFile]) -> Timestamp {
    let files = files.iter().filter(|file| file.below != Path::new(MARKS));
    let newest = files.map(|file| file.stat.modified_ns).max();
    let newest = newest.and_then(|ns| Timestamp::from_nanosecond(i128::from(ns)).ok());
    newest.unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Why a run's folder must not go as a whole. Files are opened only where nothing else forbids it.
fn obstacle(
    walked: &Walked,
    summary: &Summary,
    summing: &Summing,
    is_blank: bool,
    now: SystemTime,
    in_use: &InUse,
) -> Option<Obstacle> {
    if let Some(why) = summary.dir.only_read() {
        return Some(Obstacle::OnlyRead(why));
    }
    if walked.obstacle.as_ref().is_some_and(Obstacle::is_project) {
        return walked.obstacle.clone();
    }
    if let Some(why) = summing.unread() {
        return Some(Obstacle::Metrics(format!(
            "its metrics cannot be read ({why})"
        )));
    }
    if let Some(process) = in_use.process_in(summary.dir.path()) {
        let why = format!("process {process} has something in it open");
        return Some(Obstacle::MayLive(why));
    }
    if walked.obstacle.is_some() {
        return walked.obstacle.clone();
    }
    let known: Vec<_> = walked
        .known
        .iter()
        .map(|(below, known)| (below.as_path(), *known))
        .collect();
    let record = match contents::read_known_files(&summary.dir, &known, is_blank) {
        Ok(record) => record,
        Err(obstacle) => return Some(obstacle),
    };
    if !summing.is_understood() {
        let why = "not all of its metrics was understood";
        return Some(Obstacle::Metrics(why.to_owned()));
    }
    if is_blank && summary.observed.state == State::Finished {
        return Some(Obstacle::Finished);
    }
    let quiet_for = walked
        .newest
        .and_then(|newest| now.duration_since(newest).ok());
    let is_quiet = quiet_for.is_some_and(|quiet| quiet >= QUIET);
    if !is_quiet && !has_surely_ended(summary, record.as_ref()) {
        let why = "nothing says that it has ended, and its files changed within a day";
        return Some(Obstacle::MayLive(why.to_owned()));
    }
    None
}

/// Whether a run recorded its end, or its process was on this machine and is gone.
fn has_surely_ended(summary: &Summary, record: Option<&Record>) -> bool {
    let Some(record) = record else {
        return false;
    };
    let has_said_so = !summary.observed.deduced && !summary.observed.state.is_active();
    let process = record.process.as_ref();
    has_said_so || process.is_some_and(|process| process.is_here() && !process.is_alive())
}

/// The best value that lists show.
fn best_value(summary: &Summary) -> Option<String> {
    if let Some(best) = &summary.best {
        let metric = if best.accuracy().is_some() {
            String::new()
        } else {
            format!("{} ", best.metric)
        };
        return Some(format!("best {metric}{}", best.text_with_unit()));
    }
    let column = &summary.trend_of;
    let value = summary.at_best(column)?;
    Some(format!("best {column} {value:.4}"))
}

/// Gives each periodic checkpoint the value of its epoch or step, such that more is better.
fn score(course: &MetricByEpoch, weights: &mut [Weights]) {
    let sign = match course.direction {
        Direction::Higher => 1.0,
        Direction::Lower => -1.0,
    };
    let of_epoch = |epoch: Option<u32>| Some(sign * course.by_epoch.get(&epoch?)?);
    for weights in weights {
        match weights.role {
            Role::Epoch(epoch) => {
                weights.score = of_epoch(Some(epoch));
                weights.score_beside = [epoch.checked_sub(1), epoch.checked_add(1)].map(of_epoch);
            }
            Role::Step(step) => {
                // Nothing need have been measured at the very step.
                let before = course.by_step.range(..=step).next_back();
                let after = course.by_step.range(step..).next();
                let [before, after] =
                    [before, after].map(|measured| measured.map(|(_, value)| sign * value));
                weights.score = before.or(after);
                weights.score_beside = [before.or(after), after.or(before)];
            }
            Role::Best | Role::Last | Role::Other => {}
        }
    }
}

/// Periodic checkpoints of one run are alike: only if the last has an optimiser's state, the others
/// are opened as well.
fn find_optimisers(weights: &mut [Weights]) {
    let (periodic, others): (Vec<_>, Vec<_>) = weights
        .iter_mut()
        .filter(|weights| weights.file().is_some())
        .partition(|weights| weights.role.is_periodic());
    for weights in others {
        weights.optimiser_bytes = optimiser::bytes_in(&weights.path);
    }
    for weights in periodic.into_iter().rev() {
        weights.optimiser_bytes = optimiser::bytes_in(&weights.path);
        if weights.optimiser_bytes == 0 {
            return;
        }
    }
}
