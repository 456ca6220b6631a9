//! What the trainer's logger for TensorBoard has beyond the last checkpoint: while a run trains,
//! nothing else is on the disk.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::{Facts, Listing, tensorboard};
use super::states::LAST_LINE;
use crate::metrics::Metrics;

/// Folders of a run in which the logger has one for each start.
pub const FOLDERS: [&str; 2] = ["runs", "logs"];

/// The folders of these that are there.
pub fn folders(listing: &Listing) -> impl Iterator<Item = &'static str> {
    FOLDERS.into_iter().filter(|name| listing.has_folder(name))
}

/// More starts before the first checkpoint are other runs, in the folder of a project.
const MAX_STARTS: usize = 20;

/// Whether folders of starts as the trainer calls them are there: `runs/Nov30_20-04-20_host`.
pub fn may_have_begun(listing: &Listing) -> bool {
    if !listing.has_folder(FOLDERS[0]) {
        return false;
    }
    let starts = Listing::read(&listing.path.join(FOLDERS[0])).unwrap_or_default();
    let is_start = |name: &String| {
        let mut parts = name.splitn(3, '_');
        let day = parts.next().unwrap_or_default();
        let time = parts.next().unwrap_or_default();
        let is_day = day.len() == 5 && day.ends_with(|char: char| char.is_ascii_digit());
        let is_time = time.len() == 8 && time.split('-').all(|part| part.len() == 2);
        is_day && is_time && parts.next().is_some()
    };
    (1..=MAX_STARTS).contains(&starts.folders.len()) && starts.folders.iter().all(is_start)
}

/// Whether the arguments in an event file say that the run's output goes into this folder.
pub fn is_of_output(log: &Path, folder: &Path) -> bool {
    let settings = tensorboard::first_settings(log);
    let output = settings.get("output_dir").and_then(Value::as_str);
    let output = output.and_then(|output| Path::new(output).file_name());
    output.is_some() && output == folder.file_name()
}

/// The event file of the last start, if there is one.
pub fn file(listing: &Listing) -> Option<PathBuf> {
    let mut files = Vec::new();
    for folder in folders(listing) {
        let Ok(inner) = Listing::read(&listing.path.join(folder)) else {
            continue;
        };
        let starts = inner.folders.iter().map(|name| inner.path.join(name));
        files.extend(starts.flat_map(|start| tensorboard::files(&start)));
        files.extend(tensorboard::files(&inner.path));
    }
    files
        .into_iter()
        .max_by_key(|file| tensorboard::begun(file))
}

/// What one start logged.
#[derive(Debug, Default)]
pub struct Log {
    /// When it began, in seconds since 1970.
    begun: Option<u64>,
    metrics: Metrics,
    facts: Facts,
}

impl Log {
    /// `None` if the file is not one of the trainer's, which begins with its arguments.
    pub fn read(path: &Path) -> Option<Self> {
        let (metrics, facts) = tensorboard::read(path);
        let is_of_trainer = !facts.config.is_empty();
        is_of_trainer.then(|| Self {
            begun: tensorboard::begun(path),
            metrics,
            facts,
        })
    }

    /// Whether it began after this time.
    pub fn is_begun_after(&self, time: SystemTime) -> bool {
        let begun = self.begun.map(Duration::from_secs);
        begun.is_some_and(|begun| SystemTime::UNIX_EPOCH + begun > time)
    }

    /// The arguments of the trainer, which it logs as text.
    pub fn arguments(&self) -> &Map<String, Value> {
        &self.facts.config
    }

    pub fn started_at(&self) -> Option<Timestamp> {
        self.facts.started_at
    }

    /// From its first to its last word.
    pub fn duration(&self) -> Option<Duration> {
        self.facts.duration
    }

    /// The first step in it.
    pub fn first_step(&self) -> Option<f64> {
        let columns = self.metrics.columns.iter();
        columns
            .filter_map(|column| column.x.first().copied())
            .reduce(f64::min)
    }

    /// Whether it records the end of the training, at this step or later.
    pub fn is_ended_at(&self, step: f64) -> bool {
        let mut columns = self.metrics.columns.iter();
        columns.any(|column| {
            let is_end = column.name.strip_prefix("train/") == Some(LAST_LINE);
            is_end && column.last().is_some_and(|(at, _)| at >= step)
        })
    }

    /// The values beyond a step, in the order of their steps, under the names that the state's log
    /// has for them.
    pub fn values_beyond(&self, step: f64) -> Vec<(f64, String, f64)> {
        let mut values = Vec::new();
        for column in &self.metrics.columns {
            let Some(name) = own_name(&column.name) else {
                continue;
            };
            let from = column.x.partition_point(|x| *x <= step);
            let points = column.x[from..].iter().zip(&column.y[from..]);
            values.extend(points.map(|(x, y)| (*x, name.clone(), *y)));
        }
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        values
    }
}

/// The name of a tag in the state's log; `None` for totals of the whole training.
fn own_name(tag: &str) -> Option<String> {
    if let Some(name) = tag.strip_prefix("train/") {
        let is_of_all = name.starts_with("train_") || name == "total_flos";
        return (!is_of_all).then(|| name.to_owned());
    }
    let renamed = ["eval", "test"].iter().find_map(|split| {
        let name = tag.strip_prefix(split)?.strip_prefix('/')?;
        Some(format!("{split}_{name}"))
    });
    Some(renamed.unwrap_or_else(|| tag.to_owned()))
}
