//! TensorBoard's event files, from PyTorch, tensorboardX, Keras and Lightning: records of the
//! TFRecord framing, each with an `Event` message. Several files in a folder are starts of one run,
//! in the order of the times in their names.

mod events;
mod records;
#[cfg(test)]
mod tests;
mod values;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use self::events::{Beside, Events};
use self::records::Records;
use self::values::{scalar, values};
use super::appended::{Appended, Decoder};
use super::points::Points;
use super::splits::{Splits, of_data};
use super::{Facts, Format, Listing, RunParts, Source, settings};
use crate::metrics::Metrics;
use traintop_disk::read;

const MARK: &str = ".tfevents.";

/// How much of a file is read for settings: they are written first.
const SETTINGS_WITHIN: u64 = 1 << 20;

/// As much is read in a search.
const FIRST_SETTINGS_WITHIN: u64 = 64 << 10;

/// How much of a file is read for its first tag.
const FIRST_TAG_WITHIN: u64 = 16 << 10;

/// Larger files are not read whole.
const MAX_BYTES: u64 = 256 << 20;

/// Folders beside each other that are one run: what was measured on which images.
const SPLITS: [&str; 6] = ["train", "validation", "val", "valid", "eval", "test"];

pub struct TensorBoard;

/// Keras writes two folders for one run.
pub struct TrainAndValidation;

impl Format for TensorBoard {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        if !has_events(listing) {
            return None;
        }
        let folders = listing.folders.iter().map(String::as_str);
        let folders = folders.filter(|name| is_of_hparams(name));
        let added: Vec<&str> = folders_of_tags(listing).collect();
        let mut metrics = files(&listing.path);
        let of_added = added
            .iter()
            .flat_map(|name| files(&listing.path.join(name)));
        metrics.extend(of_added);
        let folders = folders.chain(["checkpoints", "plugins"]).chain(added);
        Some(RunParts::new("TensorBoard", metrics).with_folders(folders))
    }

    fn open(&self, dir: &Path, parts: &RunParts) -> Box<dyn Source> {
        let own = |name: &str| {
            let events = Appended::<Events>::new(&dir.join(name), files, "step");
            Box::new(events) as Box<dyn Source>
        };
        let has_own = |name: &&str| {
            let folder = dir.join(name);
            let mut files = parts.metrics.iter();
            files.any(|file| file.parent() == Some(&folder))
        };
        let added: Vec<&str> = parts
            .folders
            .iter()
            .map(String::as_str)
            .filter(has_own)
            .collect();
        if added.is_empty() {
            return Box::new(Appended::<Events>::new(dir, files, "step"));
        }
        let names = std::iter::once("").chain(added);
        Box::new(Splits::new(dir, names, of_tag, own))
    }

    fn facts(&self, dir: &Path, parts: &RunParts) -> Facts {
        facts(dir, &parts.metrics)
    }

    fn reads_events(&self) -> bool {
        true
    }
}

impl Format for TrainAndValidation {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        let splits = SPLITS.iter().filter(|split| listing.has_folder(split));
        let there = splits.filter(|split| is_split(&listing.path.join(split)));
        let there: Vec<&str> = there.copied().collect();
        (there.len() > 1)
            .then(|| RunParts::new("TensorBoard", split_files(&listing.path)).with_folders(there))
    }

    fn open(&self, dir: &Path, _places: &RunParts) -> Box<dyn Source> {
        Box::new(Splits::new(dir, SPLITS, of_data, |split| {
            let events = Appended::<Events>::new(&dir.join(split), files, "step");
            Box::new(events) as Box<dyn Source>
        }))
    }

    fn facts(&self, dir: &Path, parts: &RunParts) -> Facts {
        facts(dir, &parts.metrics)
    }

    fn reads_events(&self) -> bool {
        true
    }
}

/// Folders right below a run's in which `add_scalars` of `PyTorch` put one curve of a tag each:
/// `Loss_train` of `Loss`.
fn folders_of_tags(listing: &Listing) -> impl Iterator<Item = &str> {
    let may_be = listing.folders.iter().filter(|name| name.contains('_'));
    may_be.map(String::as_str).filter(|name| {
        let folder = listing.path.join(name);
        let Ok(inner) = Listing::read(&folder) else {
            return false;
        };
        let is_plain = inner.folders.is_empty() && inner.files.iter().all(|it| it.contains(MARK));
        let first = files(&folder).into_iter().next().filter(|_| is_plain);
        let tag = first.and_then(|file| first_tag(&file));
        tag.is_some_and(|tag| curve_of(name, &tag).is_some())
    })
}

/// The curve in a folder of this name, if it is one of a tag's.
fn curve_of<'a>(folder: &'a str, tag: &str) -> Option<&'a str> {
    let tag = tag.replace('/', "_");
    folder.strip_prefix(&tag)?.strip_prefix('_')
}

/// What a curve is called in a run: by its tag, and one of several by its own name too.
fn of_tag(folder: &str, tag: &str) -> String {
    match curve_of(folder, tag) {
        Some(curve) => format!("{tag}/{curve}"),
        None if folder.is_empty() => tag.to_owned(),
        None => of_data(folder, tag),
    }
}

/// The tag of the first scalar of a file, near its beginning.
fn first_tag(file: &Path) -> Option<String> {
    let bytes = read::beginning(file, FIRST_TAG_WITHIN).ok()?;
    let mut first = None;
    Records::default().push(&bytes, &mut |event| {
        let mut scalars = values(event).filter_map(scalar);
        if first.is_none() {
            first = scalars.next().map(|(tag, _)| tag.to_owned());
        }
    });
    first
}

/// Whether a folder holds event files and nothing that makes a run of its own of it: runs may be
/// called `train` and `test` too.
fn is_split(folder: &Path) -> bool {
    Listing::read(folder).is_ok_and(|listing| {
        let has_settings = settings::FILES.iter().any(|name| listing.has_file(name));
        has_events(&listing) && !has_settings && !super::is_run_without_events(&listing)
    })
}

pub fn has_events(listing: &Listing) -> bool {
    listing.files.iter().any(|name| name.contains(MARK))
}

/// The event files of a folder, in the order of the times in their names.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(listing) = Listing::read(dir) else {
        return Vec::new();
    };
    let mut names: Vec<&String> = listing
        .files
        .iter()
        .filter(|name| name.contains(MARK))
        .collect();
    names.sort_by_key(|name| (time(name).unwrap_or_default(), *name));
    names.into_iter().map(|name| dir.join(name)).collect()
}

/// The time in the name of an event file, in seconds since 1970.
fn time(name: &str) -> Option<u64> {
    let (_, rest) = name.split_once(MARK)?;
    rest.split('.').next()?.parse().ok()
}

/// When an event file was begun, as its name says, in seconds since 1970.
pub fn begun(path: &Path) -> Option<u64> {
    time(path.file_name()?.to_str()?)
}

/// When the first event file of a folder was begun.
pub fn first_begun(listing: &Listing) -> Option<u64> {
    listing.files.iter().filter_map(|name| time(name)).min()
}

/// The scalars of an event file, and what it says beside them.
pub fn read(path: &Path) -> (Metrics, Facts) {
    let (mut events, mut points) = (Events::default(), Points::new("step"));
    let bytes = read::bytes(path, MAX_BYTES).unwrap_or_default();
    events.push(&bytes, true, &mut points);
    let settings = events.beside.settings.clone();
    (points.take(), events.beside.facts_with(settings))
}

fn split_files(dir: &Path) -> Vec<PathBuf> {
    SPLITS
        .iter()
        .flat_map(|split| files(&dir.join(split)))
        .collect()
}

/// Facts from the beginnings of the files. The time of the last value is at their ends.
fn facts(dir: &Path, files: &[PathBuf]) -> Facts {
    let mut stated = Beside::default();
    for file in files {
        let bytes = read::beginning(file, SETTINGS_WITHIN).unwrap_or_default();
        Records::default().push(&bytes, &mut |event| {
            stated.see_time(event);
            values(event).for_each(|value| stated.see_settings(value));
        });
    }
    Facts {
        duration: None,
        ..stated.facts(dir)
    }
}

/// Whether `add_hparams` made a folder: it is named by the time.
fn is_of_hparams(name: &str) -> bool {
    name.contains('.') && name.parse::<f64>().is_ok()
}

/// What `add_hparams` wrote last into a folder of its own in the run's.
fn of_hparams(dir: &Path) -> Map<String, Value> {
    let listing = Listing::read(dir).unwrap_or_default();
    let mut folders: Vec<&String> = listing
        .folders
        .iter()
        .filter(|name| is_of_hparams(name))
        .collect();
    folders.sort();
    let files = folders
        .into_iter()
        .rev()
        .flat_map(|name| files(&dir.join(name)));
    let mut stated = files.map(|file| first_settings(&file));
    stated
        .find(|settings| !settings.is_empty())
        .unwrap_or_default()
}

/// The settings that the beginning of an event file says.
pub fn first_settings(path: &Path) -> Map<String, Value> {
    let bytes = read::beginning(path, FIRST_SETTINGS_WITHIN).unwrap_or_default();
    let mut stated = Beside::default();
    Records::default().push(&bytes, &mut |event| {
        values(event).for_each(|value| stated.see_settings(value));
    });
    stated.settings
}
