//! Old runs in order: logs that are missing or broken are made again from a checkpoint's metadata
//! or a `training.log`, and runs without a record get one. Dated from the files, marked as rebuilt,
//! never over an existing file: a broken one is set aside.

mod adopt;
mod make;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod training_log;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::rename::{held, state_now};
use source::Sources;
use traintop_disk::read;
use traintop_run::discover::{NOT_RUNS, Unsearched, discover_with_others};
use traintop_run::layout::RunDir;
use traintop_run::metrics::Tail;
use traintop_run::record::Record;
use traintop_run::state::{SILENCE, silence_since};

pub use make::{MakeError, Rebuilt, apply, undo};
#[cfg(test)]
pub(super) use make::{apply_on, undo_on};

/// What a broken file is called once it is set aside.
const ASIDE: &str = "broken";

/// A file that would be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Rebuild {
    pub path: PathBuf,
    /// What it is made from, as words: `training.log`, `3 checkpoints`.
    pub from: String,
    /// What it would hold, as words: `200 epochs`.
    pub what: String,
    /// Where the broken file goes that is in its place, if one is.
    pub aside: Option<PathBuf>,
    /// When its source was last changed: the date it gets.
    modified: SystemTime,
    text: String,
}

/// What would be done to one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub dir: RunDir,
    /// The files that would be made.
    pub rebuilds: Vec<Rebuild>,
    /// Why nothing is done to it though something is missing.
    pub problem: Option<String>,
}

/// Every run below some roots to which something would be done, and folders that could not be
/// searched.
pub fn plan_below(roots: &[PathBuf]) -> (Vec<Plan>, Vec<Unsearched>) {
    let (mut dirs, mut others) = (Vec::new(), Vec::new());
    let unsearched = discover_with_others(
        roots,
        |found| {
            // Runs of other trainers are theirs.
            let is_like_ours = found.located.as_ref().is_none_or(|located| {
                located.is_ours() || located.metrics().contains(&found.dir.metrics_csv())
            });
            dirs.extend(is_like_ours.then_some(found.dir));
        },
        |other| {
            let name = other
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let is_part = name == "logs" || NOT_RUNS.contains(&name);
            others.extend((!is_part).then(|| RunDir::new(other)));
        },
    );
    // What is left of a run may not look like one any more.
    dirs.extend(others.into_iter().filter(source::has_remains));
    dirs.sort();
    let plans = dirs.iter().map(plan).filter(|plan| !plan.is_empty());
    (plans.collect(), unsearched)
}

/// What would be done to a run.
pub fn plan(dir: &RunDir) -> Plan {
    let mut plan = Plan {
        dir: dir.clone(),
        rebuilds: Vec::new(),
        problem: None,
    };
    let lacks = [lacks_metrics(dir), lacks_config(dir), lacks_record(dir)];
    if !lacks.iter().any(|lack| *lack) {
        return plan;
    }
    plan.problem = dir.only_read().or_else(|| busy(dir));
    if plan.problem.is_some() {
        return plan;
    }
    let sources = Sources::read(dir);
    if lacks[0] {
        plan.rebuilds.extend(sources.metrics(dir));
    }
    if lacks[1] {
        plan.rebuilds.extend(sources.config(dir));
    }
    if lacks[2] {
        plan.rebuilds
            .extend(adopt::record(dir, &sources, &plan.rebuilds));
    }
    plan
}

impl Plan {
    /// Whether there is nothing to do and nothing to say.
    pub fn is_empty(&self) -> bool {
        self.rebuilds.is_empty() && self.problem.is_none()
    }
}

/// Why a run may still write what it lacks; `None` if it does not.
fn busy(dir: &RunDir) -> Option<String> {
    if dir.metrics_csv().exists() || dir.run_json().exists() {
        return held(state_now(dir));
    }
    let remains = traintop_run::checkpoints::files(dir)
        .into_iter()
        .map(|checkpoint| checkpoint.path);
    let newest = remains
        .chain([dir.training_log()])
        .map(|path| source::modified(&path))
        .max()?;
    let silent = silence_since(newest, SystemTime::now());
    (silent < SILENCE).then(|| "its files changed a moment ago: it may be running".to_owned())
}

/// Whether there are no epochs to be read.
fn lacks_metrics(dir: &RunDir) -> bool {
    let path = dir.metrics_csv();
    let mut tail = Tail::open(path.clone());
    let read = tail.poll().is_ok() && tail.settle().is_ok();
    let is_broken = tail.metrics().rows == 0 && tail.metrics().problem_count > 0;
    let is_empty = fs::metadata(&path).is_ok_and(|metadata| metadata.len() == 0);
    !read || is_broken || is_empty
}

fn lacks_config(dir: &RunDir) -> bool {
    let read = read::bytes(&dir.config_json(), read::RECORD_LIMIT);
    !read.is_ok_and(|bytes| {
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&bytes).is_ok()
    })
}

/// Whether it has no record that can be read, and is of the reference's layout or ours: others'
/// runs are theirs.
fn lacks_record(dir: &RunDir) -> bool {
    let is_ours = dir.logs().is_dir() || !traintop_run::checkpoints::files(dir).is_empty();
    let is_ours = is_ours && !dir.path().join("metrics.csv").exists();
    is_ours && !matches!(Record::load(dir), Ok(Some(_)))
}

/// Makes a rebuild of a file; what is in its place, if anything, goes aside.
fn rebuild(
    path: PathBuf,
    from: String,
    what: String,
    modified: SystemTime,
    text: String,
) -> Rebuild {
    let aside = path.symlink_metadata().is_ok().then(|| aside(&path));
    Rebuild {
        path,
        from,
        what,
        aside,
        modified,
        text,
    }
}

/// A name beside a broken file that is free.
fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut number = 1_u32;
    loop {
        let end = if number == 1 {
            String::new()
        } else {
            format!("-{number}")
        };
        let free = path.with_file_name(format!("{name}.{ASIDE}{end}"));
        if free.symlink_metadata().is_err() {
            return free;
        }
        number += 1;
    }
}
