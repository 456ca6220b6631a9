//! The ways in which trainers leave a run on the disk. A new one is a new file here and a line in
//! [`FORMATS`].
//!
//! A folder is recognised by the names in it; where names say too little, by the first bytes of a
//! file. A run's folder and the folder of its metrics may be two.

mod appended;
mod catboost;
mod dvclive;
mod hugging_face;
mod json;
mod json_lines;
mod mlflow;
mod mmengine;
mod monitored;
mod monitors;
mod ours;
mod points;
mod protobuf;
mod sacred;
mod settings;
mod split_tables;
mod splits;
mod table;
mod tensorboard;
pub mod trackio;
mod ultralytics;
mod wandb;
mod whole;
mod yaml;
mod yolo_text;

use std::fmt::Debug;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::found::Stamp;
use super::layout::{RunDir, is_database};
use super::metrics::{Change, Metrics, Tail};
use super::state::State;

/// Every format, the one that is believed first where a folder holds several first.
const FORMATS: [&dyn Format; 15] = [
    &ours::Ours,
    &hugging_face::HuggingFace,
    &wandb::Wandb,
    &mlflow::Mlflow,
    &sacred::Sacred,
    &catboost::CatBoost,
    &dvclive::DvcLive,
    &mmengine::MmEngine,
    &yolo_text::YoloText,
    &table::Tables,
    &json_lines::JsonLines,
    &monitors::Monitors,
    &tensorboard::TensorBoard,
    &tensorboard::TrainAndValidation,
    &trackio::Trackio,
];

/// Endings of data files, which no format reads.
const DATA: [&str; 14] = [
    "jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp", "gif", "npy", "npz", "wav", "flac", "mp3",
    "mp4",
];

/// The names in a folder.
#[derive(Debug, Default)]
pub struct Listing {
    pub path: PathBuf,
    pub files: Vec<String>,
    pub folders: Vec<String>,
}

impl Listing {
    /// Lists a folder. Links count as what they lead to. There is nothing in a run that lies in a
    /// database.
    ///
    /// # Errors
    /// If it cannot be listed.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut listing = Self {
            path: path.to_owned(),
            ..Self::default()
        };
        let entries = match fs::read_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotADirectory && is_in_database(path) => {
                return Ok(listing);
            }
            entries => entries?,
        };
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let is_folder = entry
                .file_type()
                .is_ok_and(|kind| kind.is_dir() || kind.is_symlink() && entry.path().is_dir());
            listing.add(name, is_folder);
        }
        Ok(listing)
    }

    /// Files that are surely data are left out: a folder may hold a million pictures.
    pub fn add(&mut self, name: String, is_folder: bool) {
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let is_data = DATA.iter().any(|data| data.eq_ignore_ascii_case(ending));
        if is_folder {
            self.folders.push(name);
        } else if !is_data {
            self.files.push(name);
        }
    }

    fn has_file(&self, name: &str) -> bool {
        self.files.iter().any(|file| file == name)
    }

    fn has_folder(&self, name: &str) -> bool {
        self.folders.iter().any(|folder| folder == name)
    }
}

fn is_in_database(path: &Path) -> bool {
    path.parent().is_some_and(is_database)
}

/// The files below a folder by their names, with `/` between the parts, sorted. Links are not
/// followed, and what is nested deeply or without end is left out.
fn files_below(folder: &Path) -> Vec<String> {
    const MAX_DEPTH: usize = 8;
    const MAX_FOLDERS: usize = 10_000;
    let mut names = Vec::new();
    let mut open = vec![String::new()];
    let mut opened = 0;
    while let Some(prefix) = open.pop().filter(|_| opened < MAX_FOLDERS) {
        opened += 1;
        for entry in fs::read_dir(folder.join(&prefix))
            .into_iter()
            .flatten()
            .flatten()
        {
            let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else {
                continue;
            };
            let whole = if prefix.is_empty() {
                name
            } else {
                format!("{prefix}/{name}")
            };
            if kind.is_file() {
                names.push(whole);
            } else if kind.is_dir() && whole.matches('/').count() < MAX_DEPTH {
                open.push(whole);
            }
        }
    }
    names.sort();
    names
}

/// Where the parts of a run are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunParts {
    /// What lists call the trainer or the logger.
    pub trainer: &'static str,
    /// The files that are read as metrics, of which the newest change is the run's.
    pub metrics: Vec<PathBuf>,
    /// Folders right below the run's that are part of it: no runs are searched for in them.
    pub folders: Vec<String>,
    /// When the first event file beside the metrics was begun, in seconds since 1970: tables say
    /// nothing of times.
    pub begun: Option<u64>,
    /// Names of files with metrics of the same run that are not read.
    pub unread: Vec<String>,
    /// What tells whether the run changed, where its files hold others too.
    pub stamp: Option<Stamp>,
}

impl RunParts {
    fn new(trainer: &'static str, metrics: Vec<PathBuf>) -> Self {
        Self {
            trainer,
            metrics,
            folders: Vec::new(),
            begun: None,
            unread: Vec::new(),
            stamp: None,
        }
    }

    /// With these folders as parts of the run.
    fn with_folders<'a>(self, folders: impl IntoIterator<Item = &'a str>) -> Self {
        let folders = folders.into_iter().map(str::to_owned).collect();
        Self { folders, ..self }
    }
}

/// What a trainer says of a run beside its metrics. What is unknown is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The run's own name.
    pub name: Option<String>,
    pub model: Option<String>,
    /// What the run belongs to: an experiment, a project.
    pub experiment: Option<String>,
    pub epochs_planned: Option<u32>,
    pub steps_planned: Option<u64>,
    /// Its state, and why, where the trainer says it.
    pub state: Option<(State, Option<String>)>,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub duration: Option<Duration>,
    /// Whether it counts epochs from 0, also where its metrics begin with a later one.
    pub counts_from_zero: bool,
    /// The column of seconds since the start, where its name alone does not show that.
    pub elapsed: Option<&'static str>,
    /// What it was configured with.
    pub config: Map<String, Value>,
}

/// How one trainer, or a family of them, leaves runs.
trait Format: Sync {
    /// Where a run's parts are, if the folder is such a run.
    fn find(&self, listing: &Listing) -> Option<RunParts>;

    /// Its metrics, to be followed; nothing is read yet.
    fn open(&self, dir: &Path, parts: &RunParts) -> Box<dyn Source>;

    /// What it says beside its metrics. What cannot be read is absent.
    fn facts(&self, dir: &Path, parts: &RunParts) -> Facts;

    /// Whether it is traintop's own.
    fn is_ours(&self) -> bool {
        false
    }

    /// Whether it reads event files, which other formats have beside their own.
    fn reads_events(&self) -> bool {
        false
    }
}

/// A run's metrics, followed as its files grow.
pub trait Source: Debug + Send {
    /// The file that a problem names.
    fn path(&self) -> &Path;

    /// What has been read so far, and not taken.
    fn metrics(&self) -> &Metrics;

    /// Hands over what has been read, as [`Tail::take`] does.
    fn take(&mut self) -> Metrics;

    /// Reads what is new, and keeps it.
    ///
    /// # Errors
    /// If a file cannot be opened or read; what was read before stays.
    fn poll(&mut self) -> io::Result<Change>;

    /// Reads what is new, and passes it on in parts as [`Tail::poll_in_parts`] does.
    ///
    /// # Errors
    /// As [`Source::poll`].
    fn poll_in_parts(&mut self, part: &mut dyn FnMut(Metrics, bool)) -> io::Result<Change> {
        let change = self.poll()?;
        match change {
            Change::Unchanged => {}
            Change::Grew(_) => part(self.take(), false),
            Change::Reread => part(self.take(), true),
        }
        Ok(change)
    }

    /// Takes a last row that is not ended, of files that nothing writes any more.
    ///
    /// # Errors
    /// If a file cannot be read.
    fn settle(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Facts that were read with the metrics, if one file has both; it is not read twice.
    fn facts(&self) -> Option<Facts> {
        None
    }

    /// Whether everything was read and holds nothing, as [`Tail::is_blank`] says. In doubt it is
    /// not.
    fn is_blank(&self) -> bool {
        false
    }

    /// Whether everything was read and understood. In doubt it is not.
    fn is_understood(&self) -> bool {
        false
    }
}

impl Source for Tail {
    fn path(&self) -> &Path {
        self.path()
    }

    fn metrics(&self) -> &Metrics {
        self.metrics()
    }

    fn take(&mut self) -> Metrics {
        self.take()
    }

    fn poll_in_parts(&mut self, part: &mut dyn FnMut(Metrics, bool)) -> io::Result<Change> {
        self.poll_in_parts(part)
    }

    fn poll(&mut self) -> io::Result<Change> {
        self.poll()
    }

    fn settle(&mut self) -> io::Result<()> {
        self.settle()
    }

    fn is_blank(&self) -> bool {
        self.is_blank()
    }

    fn is_understood(&self) -> bool {
        self.is_understood()
    }
}

/// A folder that was recognised as a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Its place in [`FORMATS`].
    format: usize,
    parts: RunParts,
    /// The other formats that would have read it too, and files that this one does not read.
    others: Vec<String>,
}

impl Located {
    /// What lists call the trainer.
    pub fn trainer(&self) -> &'static str {
        self.parts.trainer
    }

    /// Other trainers' or loggers' metrics of the same run, which are not read, and names of other
    /// files of metrics.
    pub fn others(&self) -> &[String] {
        &self.others
    }

    /// The files that are read as metrics.
    pub fn metrics(&self) -> &[PathBuf] {
        &self.parts.metrics
    }

    /// What tells whether its metrics changed, if that is not the state of their files.
    pub fn stamp(&self) -> Option<Stamp> {
        self.parts.stamp
    }

    /// Whether the run is traintop's own, or laid out as one.
    pub fn is_ours(&self) -> bool {
        FORMATS[self.format].is_ours()
    }

    /// The name of the settings at the run's top, of those that `has` says are there.
    pub fn settings_file(&self, has: impl Fn(&str) -> bool) -> &'static str {
        let mut files = settings::FILES.iter();
        files
            .find(|name| has(name))
            .copied()
            .unwrap_or("config.json")
    }

    /// When the run began, from the names of its files.
    pub fn begun(&self) -> Option<Timestamp> {
        let seconds = self.parts.begun?.try_into().ok()?;
        Timestamp::from_second(seconds).ok()
    }

    /// Whether a folder right below the run's is part of it.
    pub fn has_part(&self, folder: &str) -> bool {
        self.parts.folders.iter().any(|part| part == folder)
    }

    pub fn open(&self, dir: &Path) -> Box<dyn Source> {
        FORMATS[self.format].open(dir, &self.parts)
    }

    pub fn facts(&self, dir: &Path) -> Facts {
        FORMATS[self.format].facts(dir, &self.parts)
    }
}

/// What kind of run a folder is, by its names; `None` if it is none.
pub fn recognise(listing: &Listing) -> Option<Located> {
    let formats = FORMATS.iter().enumerate();
    let mut found = formats.filter_map(|(number, format)| Some((number, format.find(listing)?)));
    let (format, mut parts) = found.next()?;
    let others = if FORMATS[format].is_ours() {
        Vec::new()
    } else {
        let others = found.map(|(.., parts)| parts.trainer.to_owned());
        others.chain(std::mem::take(&mut parts.unread)).collect()
    };
    if !FORMATS[format].is_ours() {
        parts.begun = tensorboard::first_begun(listing);
    }
    Some(Located {
        format,
        parts,
        others,
    })
}

/// Whether a folder is a run by other files than event files.
fn is_run_without_events(listing: &Listing) -> bool {
    let mut formats = FORMATS.iter().filter(|format| !format.reads_events());
    formats.any(|format| format.find(listing).is_some())
}

/// Whether a run is still there, also one in a database.
pub fn is_there(dir: &RunDir) -> bool {
    let is_in = |database| trackio::has(database, dir.path());
    dir.path().exists() || dir.database().is_some_and(is_in)
}

/// As [`recognise`], of a folder that is listed for it.
pub fn locate(dir: &RunDir) -> Option<Located> {
    recognise(&Listing::read(dir.path()).ok()?)
}

/// What a run's trainer says beside its metrics.
pub fn facts(dir: &RunDir) -> Facts {
    match locate(dir) {
        Some(located) => located.facts(dir.path()),
        None => ours::Ours.facts(dir.path(), &RunParts::default()),
    }
}

/// A run's metrics. If no format recognises the folder, those that traintop would write.
pub fn open(dir: &RunDir) -> Box<dyn Source> {
    match locate(dir) {
        Some(located) => located.open(dir.path()),
        None => Box::new(Tail::open(dir.metrics_csv())),
    }
}

#[cfg(test)]
mod tests;
