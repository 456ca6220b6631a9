//! The files `trainer_state.json`: one in each checkpoint, of which each has all that was logged
//! until then, and often one at the top.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::super::{Listing, json};
use traintop_disk::read;

pub const STATE: &str = "trainer_state.json";

/// A run of a million log lines is smaller.
const MAX_BYTES: u64 = 256 << 20;

/// What the line that ends a training says of the whole of it, and no row of its own.
pub const LAST_LINE: &str = "train_runtime";

/// A state that was read.
#[derive(Debug, Default)]
pub struct TrainerState {
    pub path: PathBuf,
    pub written: Option<SystemTime>,
    pub map: Map<String, Value>,
    /// States that come after it and are none: the trainer was killed while it wrote.
    pub damaged: Vec<PathBuf>,
}

impl TrainerState {
    fn read(path: &Path) -> Option<Self> {
        let bytes = read::bytes(path, MAX_BYTES).ok()?;
        Some(Self {
            path: path.to_owned(),
            written: written(path),
            map: json::object(&bytes),
            damaged: Vec::new(),
        })
    }

    pub fn number(&self, key: &str) -> Option<f64> {
        json::number(self.map.get(key)?)
    }

    pub fn step(&self) -> Option<f64> {
        self.number("global_step")
    }

    /// The lines of its log, as they came.
    pub fn lines(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let lines = self.map.get("log_history").and_then(Value::as_array);
        lines.into_iter().flatten().filter_map(Value::as_object)
    }

    /// The lines that are rows, without the one that ends a training.
    pub fn rows(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.lines().filter(|line| !line.contains_key(LAST_LINE))
    }

    /// Whether `later` continues this one.
    fn is_continued_by(&self, later: &Self) -> bool {
        let mut others = later.rows();
        self.rows().all(|row| others.next() == Some(row))
    }
}

fn written(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// The folders `checkpoint-STEP`, with their steps.
pub fn checkpoints(listing: &Listing) -> impl Iterator<Item = (u64, &str)> {
    let folders = listing.folders.iter();
    folders.filter_map(|name| Some((checkpoint_step(name)?, name.as_str())))
}

pub fn checkpoint_step(folder: &str) -> Option<u64> {
    folder.strip_prefix("checkpoint-")?.parse().ok()
}

/// The states of a run that may be its last: the one at the top, that of the highest step, and the
/// one that was written last, where it is another.
pub fn states(listing: &Listing) -> Vec<PathBuf> {
    let steps = checkpoints(listing);
    let mut all: Vec<(u64, PathBuf, SystemTime)> = steps
        .filter_map(|(step, name)| {
            let path = listing.path.join(name).join(STATE);
            let written = written(&path)?;
            Some((step, path, written))
        })
        .collect();
    all.sort_unstable();
    let last = all
        .iter()
        .max_by_key(|(step, _, written)| (*written, *step));
    let last = last.map(|(_, path, _)| path.clone());
    let top = listing.path.join(STATE);
    let mut states: Vec<PathBuf> = listing.has_file(STATE).then_some(top).into_iter().collect();
    states.extend(all.pop().map(|(_, path, _)| path));
    states.extend(last.filter(|last| !states.contains(last)));
    states
}

/// The last state that is whole, of the run that this state is of: the trainer may have been killed
/// while it wrote one.
fn whole_before(path: &Path) -> Option<TrainerState> {
    let mut folder = path.parent()?;
    let is_checkpoint = |folder: &Path| {
        let name = folder.file_name().and_then(|name| name.to_str());
        name.and_then(checkpoint_step).is_some()
    };
    if is_checkpoint(folder) {
        folder = folder.parent()?;
    }
    let listing = Listing::read(folder).ok()?;
    let mut all: Vec<(u64, &str)> = checkpoints(&listing).collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    let mut states = all
        .iter()
        .filter_map(|(_, name)| TrainerState::read(&folder.join(name).join(STATE)));
    states.find(|state| !state.map.is_empty())
}

/// The state that a run is in: that of the highest step, of equals the one at the top, which has
/// the last line too. Where another was written later and does not lead to it, the folder was used
/// again for another run, and what that run wrote counts. The order of times alone says little: a
/// tree that was copied has them in any order.
pub fn newest(files: &[PathBuf]) -> Option<TrainerState> {
    let mut read: Vec<TrainerState> = Vec::new();
    for file in files {
        let folder = file.parent().and_then(Path::file_name);
        let of_folder = folder.and_then(|name| checkpoint_step(name.to_str()?));
        let is_behind = |known: &TrainerState| {
            let is_further = known.step().zip(of_folder);
            is_further.is_some_and(|(done, step)| done >= step as f64)
                && known.written >= written(file)
        };
        if !read.iter().any(is_behind) {
            read.extend(TrainerState::read(file));
        }
    }
    if !read.is_empty() && read.iter().all(|state| state.map.is_empty()) {
        read.extend(whole_before(&read[0].path));
    }
    let highest = read.iter().enumerate().reduce(|best, other| {
        if other.1.step() > best.1.step() {
            other
        } else {
            best
        }
    });
    let last = read.iter().enumerate().reduce(|best, other| {
        if other.1.written > best.1.written {
            other
        } else {
            best
        }
    });
    let (highest, last) = (highest?, last?);
    let damaged = read.iter().filter(|state| state.map.is_empty());
    let damaged: Vec<PathBuf> = damaged.map(|state| state.path.clone()).collect();
    let at = if last.1.is_continued_by(highest.1) {
        highest.0
    } else {
        last.0
    };
    let mut newest = read.swap_remove(at);
    newest.damaged = damaged;
    Some(newest)
}
