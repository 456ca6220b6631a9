//! Finds runs below a folder: a folder is a run because of what is in it, never because of where it
//! is.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::layout::RunDir;
use super::notes;
use super::state::silence_since;
use traintop_disk::write::is_temporary;

/// How many folders below a root runs may lie.
const DEPTH: usize = 6;

/// Folders that hold no runs, though they may hold files that look like one's.
pub const NOT_RUNS: [&str; 5] = [
    "checkpoints",
    "evaluations",
    "best_models",
    "final_models",
    "figures",
];

/// The files of a run's own folder that tell whether it has changed.
const ASKED_FOR: [&str; 5] = [
    "metrics.csv",
    "run.json",
    "config.json",
    "notes.toml",
    "archive.tar.zst",
];

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

    fn exists(self) -> bool {
        self.1 > 0
    }
}

/// A run that was found, with what tells whether it has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub dir: RunDir,
    /// Of `metrics.csv`, `run.json`, `config.json`, the notes and the archive.
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
        Self::among(dir, notes::own_folder().as_deref(), |_| true)
    }

    /// As [`Found::look`], but asks the disk only for those of the folder's own files that `may` be
    /// there by their names, and for notes of the user's own only where there is an `own` folder of
    /// them: most runs have few of these, and asking takes time.
    fn among(dir: RunDir, own: Option<&Path>, may: impl Fn(&str) -> bool) -> Self {
        let here = |path: PathBuf| match path.file_name().and_then(OsStr::to_str) {
            Some(name) if may(name) => Stamp::of(&path),
            _ => Stamp::default(),
        };
        let logged = |name: &str| {
            let stamp = Stamp::of(&dir.logs().join(name));
            if stamp.exists() {
                stamp
            } else {
                here(dir.path().join(name))
            }
        };
        let own = own.map(|own| Stamp::of(&notes::own_file(own, &dir)));
        let stamps = [
            logged("metrics.csv"),
            here(dir.run_json()),
            logged("config.json"),
            own.filter(|own| own.exists())
                .unwrap_or_else(|| here(notes::file_of(&dir))),
            here(dir.archive()),
        ];
        let newest = stamps[..3].iter().map(|stamp| stamp.1).max().unwrap_or(0);
        Self {
            dir,
            stamps,
            modified: UNIX_EPOCH + Duration::from_nanos(newest),
            seen_changing: None,
        }
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

/// A folder that could not be searched.
#[derive(Debug, thiserror::Error)]
#[error("{path}: cannot be searched for runs ({cause})")]
pub struct Unsearched {
    pub path: PathBuf,
    pub cause: io::Error,
    /// Whether it is one of the roots, and not a folder below.
    pub is_root: bool,
}

/// Calls `each` with every run below `roots` as it is found, last names first, and returns the
/// folders that could not be searched. Runs below two roots come once. Links are followed only
/// where they stay below their root.
pub fn discover(roots: &[PathBuf], each: impl FnMut(Found)) -> Vec<Unsearched> {
    discover_with_others(roots, each, |_| {})
}

/// As [`discover`], and calls `other` with every searched folder that is no run, which it may
/// become or get runs below it.
pub fn discover_with_others(
    roots: &[PathBuf],
    mut each: impl FnMut(Found),
    mut other: impl FnMut(&Path),
) -> Vec<Unsearched> {
    let mut search = Search {
        each: &mut each,
        other: &mut other,
        own: notes::own_folder().filter(|own| own.is_dir()),
        visited: HashSet::new(),
        unsearched: Vec::new(),
        root: PathBuf::new(),
    };
    for root in roots {
        match root.canonicalize() {
            Ok(root) => {
                search.root.clone_from(&root);
                // A run's own `logs` folder stands for the run.
                let is_logs = root.file_name().is_some_and(|name| name == "logs")
                    && root.join("metrics.csv").exists();
                let start = if is_logs {
                    root.parent().unwrap_or(&root).to_owned()
                } else {
                    root
                };
                search.folder(&start, DEPTH);
            }
            Err(cause) => search.unsearched.push(Unsearched {
                path: root.clone(),
                cause,
                is_root: true,
            }),
        }
    }
    search.unsearched
}

struct Search<'a> {
    each: &'a mut dyn FnMut(Found),
    other: &'a mut dyn FnMut(&Path),
    /// The user's own folder of notes, if there is one.
    own: Option<PathBuf>,
    visited: HashSet<PathBuf>,
    unsearched: Vec<Unsearched>,
    root: PathBuf,
}

impl Search<'_> {
    fn folder(&mut self, path: &Path, depth: usize) {
        if !self.visited.insert(path.to_owned()) {
            return;
        }
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(cause) => {
                self.unsearched.push(Unsearched {
                    path: path.to_owned(),
                    cause,
                    is_root: path == self.root,
                });
                return;
            }
        };
        let (mut folders, mut files) = (Vec::new(), Vec::new());
        let (mut is_run, mut has_logs) = (false, false);
        // The record of a run that is being queued, or was when that was killed: the folder is no
        // run before it has its name.
        let mut is_being_made = false;
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if ASKED_FOR.contains(&name.as_ref()) {
                files.push(name.to_string());
            }
            match name.as_ref() {
                "run.json" | "metrics.csv" => is_run = true,
                "logs" => has_logs = true,
                hidden if hidden.starts_with('.') => {
                    is_being_made |= hidden.starts_with(".run.json.") && is_temporary(hidden);
                }
                other if NOT_RUNS.contains(&other) => {}
                _ => folders.extend(self.folder_behind(&entry)),
            }
        }
        if is_run || has_logs {
            let may = |name: &str| files.iter().any(|file| file == name);
            let found = Found::among(RunDir::new(path), self.own.as_deref(), may);
            let has_config = found.stamps[2].exists() && !is_being_made;
            if is_run || found.stamps[0].exists() || has_config {
                (self.each)(found);
                return;
            }
        }
        (self.other)(path);
        if depth > 0 {
            // Folders are most often named by the time at which they were made: the newest come
            // first, as lists show them.
            folders.sort_unstable_by(|a, b| b.cmp(a));
            for folder in folders {
                self.folder(&folder, depth - 1);
            }
        }
    }

    /// The folder that an entry is, or leads to without leaving the root.
    fn folder_behind(&self, entry: &DirEntry) -> Option<PathBuf> {
        let kind = entry.file_type().ok()?;
        if kind.is_dir() {
            return Some(entry.path());
        }
        if !kind.is_symlink() {
            return None;
        }
        let target = entry.path().canonicalize().ok()?;
        (target.is_dir() && target.starts_with(&self.root)).then_some(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(roots: &[PathBuf]) -> Vec<String> {
        let mut names = Vec::new();
        let unsearched = discover(roots, |found| names.push(found.dir.name()));
        assert!(unsearched.is_empty(), "{unsearched:?}");
        names.sort();
        names
    }

    fn file(path: &Path, name: &str) {
        let path = path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "epoch,loss\n").unwrap();
    }

    #[test]
    fn runs_are_known_by_what_is_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        file(root, "training_runs/ours/run.json");
        file(root, "training_runs/reference/logs/metrics.csv");
        file(root, "lightning_logs/version_0/metrics.csv");
        file(root, "training_runs/only_config/logs/config.json");
        file(root, ".trash/removed/run.json");
        file(root, "evaluations/e/metrics.csv");
        file(root, "training_runs/empty/logs/readme.txt");
        assert_eq!(
            names(&[root.to_owned()]),
            ["only_config", "ours", "reference", "version_0"]
        );
    }

    #[test]
    fn run_itself_its_logs_and_nested_roots_name_it_once() {
        let folder = tempfile::tempdir().unwrap();
        file(folder.path(), "a/logs/metrics.csv");
        let run = folder.path().join("a");
        assert_eq!(
            names(&[run.join("logs"), run.clone(), folder.path().to_owned()]),
            ["a"]
        );
    }

    #[test]
    fn links_out_of_the_root_and_loops_are_not_followed() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        file(folder.path(), "deep/a/run.json");
        file(outside.path(), "b/run.json");
        std::os::unix::fs::symlink(outside.path(), folder.path().join("out")).unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("deep/loop")).unwrap();
        assert_eq!(names(&[folder.path().to_owned()]), ["a"]);
    }

    #[test]
    fn a_time_ahead_of_the_clock_is_no_sign_of_life_and_a_seen_change_is() {
        let folder = tempfile::tempdir().unwrap();
        file(folder.path(), "metrics.csv");
        let dir = RunDir::new(folder.path());
        let metrics = fs::File::options()
            .append(true)
            .open(dir.metrics_csv())
            .unwrap();
        let now = SystemTime::now();
        let hours = |hours: u64| Duration::from_secs(3600 * hours);
        let mut looks = Looks::default();
        for (number, changed) in [now + hours(24), now - hours(24)].into_iter().enumerate() {
            metrics.set_modified(changed).unwrap();
            let mut found = Found::look(dir.clone());
            assert!(found.silent_for(now) >= hours(24));
            looks.note(&mut found, now);
            // Of the first look nothing follows; the second sees another time.
            let expected = if number == 0 {
                found.silent_for(now)
            } else {
                Duration::ZERO
            };
            assert_eq!(found.silent_for(now), expected);
        }
        metrics.set_modified(now + Duration::from_secs(30)).unwrap();
        assert_eq!(
            Found::look(dir).silent_for(now),
            Duration::ZERO,
            "a clock that is a little ahead"
        );
    }

    #[test]
    fn missing_root_is_reported() {
        let unsearched = discover(&[PathBuf::from("/nowhere/runs")], |_| {});
        assert!(
            unsearched[0]
                .to_string()
                .starts_with("/nowhere/runs: cannot be searched for runs")
        );
    }
}
