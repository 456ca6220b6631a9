//! A run that was found: where it is, what trainer wrote it, and whether its files change.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::formats::{self, Listing, Located};
use super::layout::RunDir;
use super::notes;
use super::run_names::OURS;
use super::state::silence_since;

/// A file's size and modification time (ns since 1970), or zeros where there is none: a cheap sign
/// of change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stamp(u64, u64);

impl Stamp {
    /// As the file is now.
    pub fn of(path: &Path) -> Self {
        let Ok(metadata) = fs::metadata(path) else {
            return Self::default();
        };
        let modified = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self(
            metadata.len(),
            modified.map_or(0, |age| age.as_nanos() as u64).max(1),
        )
    }

    /// Of a part of a file: what is the same only as long as nothing is added, and when something
    /// last was.
    pub(super) fn of_part(part: u64, changed: SystemTime) -> Self {
        let since = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(part, (since.as_nanos() as u64).max(1))
    }

    fn exists(self) -> bool {
        self.1 > 0
    }

    /// Of several files: another when any of them is.
    fn of_all(paths: &[PathBuf]) -> Self {
        let stamps = paths.iter().map(|path| Self::of(path));
        stamps.fold(Self::default(), |all, one| {
            Self(all.0.wrapping_add(one.0), all.1.max(one.1))
        })
    }
}

/// A run that was found, with what tells whether it has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub dir: RunDir,
    /// Who wrote it, and where its parts are; `None` of a folder that is no run by itself.
    pub located: Option<Located>,
    /// Of the metrics, `run.json`, the settings, the notes and the archive.
    pub stamps: [Stamp; 5],
    /// When any of the first three last changed, by the file system's clock: a note does not make
    /// an old run young.
    pub modified: SystemTime,
    /// When this program saw one of them change, by the clock of this machine.
    pub seen_changing: Option<SystemTime>,
}

impl Found {
    /// Looks at a folder known to be a run.
    pub fn look(dir: RunDir) -> Self {
        let listing = Listing::read(dir.path()).unwrap_or_default();
        let located = formats::recognise(&listing);
        Self::of(dir, located, notes::own_folder().as_deref(), |name| {
            listing.files.iter().any(|file| file == name)
        })
    }

    /// Asks the disk only for those of the folder's own files that `has` names, and for notes of
    /// the user's own only where there is an `own` folder of them: most runs have few of these, and
    /// asking takes time.
    pub(super) fn of(
        dir: RunDir,
        located: Option<Located>,
        own: Option<&Path>,
        has: impl Fn(&str) -> bool,
    ) -> Self {
        let here = |name: &str| {
            let path = dir.path().join(name);
            if has(name) {
                Stamp::of(&path)
            } else {
                Stamp::default()
            }
        };
        let logged = |name: &str| {
            let stamp = Stamp::of(&dir.logs().join(name));
            if stamp.exists() { stamp } else { here(name) }
        };
        let (metrics, settings) = match &located {
            Some(located) if !located.is_ours() => (
                located
                    .stamp()
                    .unwrap_or_else(|| Stamp::of_all(located.metrics())),
                here(located.settings_file(&has)),
            ),
            _ => (logged("metrics.csv"), logged("config.json")),
        };
        let own = own.map(|own| Stamp::of(&notes::own_file(own, &dir)));
        let stamps = [
            metrics,
            here("run.json"),
            settings,
            own.filter(|own| own.exists())
                .unwrap_or_else(|| here(notes::FILE)),
            here("archive.tar.zst"),
        ];
        let newest = stamps[..3].iter().map(|stamp| stamp.1).max().unwrap_or(0);
        Self {
            dir,
            located,
            stamps,
            modified: UNIX_EPOCH + Duration::from_nanos(newest),
            seen_changing: None,
        }
    }

    /// Whether it lies in a database with others.
    pub fn is_in_database(&self) -> bool {
        let located = self.located.as_ref();
        located.is_some_and(|located| located.stamp().is_some())
    }

    /// Its metrics, to be read.
    pub fn open_metrics(&self) -> Box<dyn formats::Source> {
        match &self.located {
            Some(located) => located.open(self.dir.path()),
            None => formats::open(&self.dir),
        }
    }

    /// What its trainer says beside its metrics.
    pub fn facts(&self) -> formats::Facts {
        match &self.located {
            Some(located) => located.facts(self.dir.path()),
            None => formats::facts(&self.dir),
        }
    }

    /// What lists call the trainer or logger.
    pub fn trainer(&self) -> &'static str {
        self.located.as_ref().map_or(OURS, Located::trainer)
    }

    /// Other trainers' or loggers' metrics of the same run, which are not read, and names of other
    /// files of metrics.
    pub fn other_sources(&self) -> Vec<String> {
        let others = self.located.iter().flat_map(Located::others);
        others.cloned().collect()
    }

    /// The folders in which a change is a change of the run.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        let metrics = self.located.iter().flat_map(Located::metrics);
        metrics.filter_map(|path| path.parent())
    }

    /// How long ago its files last changed. What this program saw counts, whatever the file
    /// system's clock says.
    pub fn silent_for(&self, now: SystemTime) -> Duration {
        let seen = self.seen_changing.map(|seen| silence_since(seen, now));
        silence_since(self.modified, now).min(seen.unwrap_or(Duration::MAX))
    }
}

/// What a program that looks again and again saw last of each run, so that it knows which are
/// changing without trusting a clock.
#[derive(Debug, Default)]
pub struct Looks(HashMap<RunDir, ([Stamp; 3], Option<SystemTime>)>);

impl Looks {
    /// Notes a look at a run, and tells in it when the run was seen changing.
    pub fn note(&mut self, found: &mut Found, now: SystemTime) {
        let [metrics, record, config, ..] = found.stamps;
        let stamps = [metrics, record, config];
        let last = self.0.entry(found.dir.clone()).or_insert((stamps, None));
        if last.0 != stamps {
            *last = (stamps, Some(now));
        }
        found.seen_changing = last.1;
    }
}
