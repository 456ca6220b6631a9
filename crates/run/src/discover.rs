//! Finds runs below a folder: a folder is a run because of what is in it, never because of where it
//! is.

use std::collections::HashSet;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::formats::trackio;
use super::formats::{self, Listing, Located};
use super::found::Found;
use super::layout::{DEFAULT_ROOT, RunDir, is_database};
use super::notes;
use traintop_disk::write::is_temporary;

/// How far a root is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many folders below a root runs may lie.
    pub depth: usize,
    /// How many files and folders are looked at below a root. A root that holds more is no place
    /// of runs, as a whole disk is.
    pub entries: usize,
    /// How long a root is searched.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 24,
            entries: 5_000_000,
            time: Duration::from_secs(600),
        }
    }
}

// Roots are searched from every command, as far as the user's settings say at the start.
static LIMITS: OnceLock<Limits> = OnceLock::new();

/// From now on roots are searched so far. Only the first call counts.
pub fn set_limits(limits: Limits) {
    LIMITS.get_or_init(|| limits);
}

/// Folders of a run, or of the output tree of our own runs, after which no run can be called.
pub const NOT_RUNS: [&str; 5] = [
    "checkpoints",
    "evaluations",
    "best_models",
    "final_models",
    "figures",
];

/// A folder that could not be searched.
#[derive(Debug, thiserror::Error)]
#[error("{path}: cannot be searched for runs ({cause})")]
pub struct Unsearched {
    pub path: PathBuf,
    pub cause: io::Error,
    /// Whether it is one of the roots, and not a folder below.
    pub is_root: bool,
}

impl Unsearched {
    /// Whether it is the default root, which is made by the first run.
    pub fn is_absent_default(&self) -> bool {
        let is_default = self.is_root && self.path == Path::new(DEFAULT_ROOT);
        is_default && self.cause.kind() == io::ErrorKind::NotFound
    }
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
    each: impl FnMut(Found),
    other: impl FnMut(&Path),
) -> Vec<Unsearched> {
    let limits = LIMITS.get().copied().unwrap_or_default();
    discover_within(limits, roots, each, other)
}

/// As [`discover_with_others`], this far, whatever the settings say.
pub fn discover_within(
    limits: Limits,
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
        here: OfRoot::begin(PathBuf::new()),
        limits,
    };
    for root in roots {
        match root.canonicalize() {
            Ok(root) => {
                search.here = OfRoot::begin(root.clone());
                // A run's own `logs` folder stands for the run.
                let is_logs = root.file_name().is_some_and(|name| name == "logs")
                    && root.join("metrics.csv").exists();
                let start = if is_logs {
                    root.parent().unwrap_or(&root).to_owned()
                } else {
                    root
                };
                if is_database(&start) && start.is_file() {
                    search.database(&start);
                } else {
                    search.folder(&start, limits.depth);
                }
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

/// The runs in a database, the newest first.
fn in_database(path: &Path, own: Option<&Path>) -> Result<Vec<Found>, String> {
    let runs = trackio::paths(path)?.into_iter().rev();
    let found = runs.map(|run| {
        let located = formats::recognise(&Listing {
            path: run.clone(),
            ..Listing::default()
        });
        Found::of(RunDir::new(run), located, own, |_| false)
    });
    Ok(found.filter(|found| found.located.is_some()).collect())
}

/// The runs in the databases right in a folder.
pub fn in_databases(folder: &Path) -> Vec<Found> {
    let own = notes::own_folder().filter(|own| own.is_dir());
    let listing = Listing::read(folder).unwrap_or_default();
    let names = listing.files.iter().map(|name| folder.join(name));
    let databases = names.filter(|path| is_database(path));
    databases
        .flat_map(|path| in_database(&path, own.as_deref()).unwrap_or_default())
        .collect()
}

struct Search<'a> {
    each: &'a mut dyn FnMut(Found),
    other: &'a mut dyn FnMut(&Path),
    /// The user's own folder of notes, if there is one.
    own: Option<PathBuf>,
    visited: HashSet<PathBuf>,
    unsearched: Vec<Unsearched>,
    here: OfRoot,
    limits: Limits,
}

/// How far the search of one root has come.
struct OfRoot {
    path: PathBuf,
    /// Files and folders that were seen below it.
    entries: usize,
    begun: Instant,
    /// Whether it was said that some of them lie too deep.
    is_too_deep: bool,
    /// Whether it took longer than it may.
    is_too_long: bool,
}

impl OfRoot {
    fn begin(path: PathBuf) -> Self {
        Self {
            path,
            entries: 0,
            begun: Instant::now(),
            is_too_deep: false,
            is_too_long: false,
        }
    }
}

impl Search<'_> {
    fn folder(&mut self, path: &Path, depth: usize) {
        let is_over = self.here.entries > self.limits.entries || self.here.is_too_long;
        if is_over || !self.visited.insert(path.to_owned()) {
            return;
        }
        if self.here.begun.elapsed() > self.limits.time {
            self.here.is_too_long = true;
            return self.say(format!(
                "it takes longer than {} s; what comes after {} is not searched; name a folder further in, or set \
                 seconds in [search] of the settings higher",
                self.limits.time.as_secs(),
                path.display()
            ));
        }
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(cause) => {
                self.unsearched.push(Unsearched {
                    path: path.to_owned(),
                    cause,
                    is_root: path == self.here.path,
                });
                return;
            }
        };
        let mut listing = Listing {
            path: path.to_owned(),
            ..Listing::default()
        };
        let mut folders = Vec::new();
        // The record of a run that is being queued, or was when that was killed: the folder is no
        // run before it has its name.
        let mut is_being_made = false;
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            is_being_made |= name.starts_with(".run.json.") && is_temporary(&name);
            self.here.entries += 1;
            let folder = self.folder_behind(&entry);
            // A link that is not followed may still stand for a part of a run.
            let is_link = || entry.file_type().is_ok_and(|kind| kind.is_symlink());
            let is_folder = folder.is_some() || is_link() && entry.path().is_dir();
            listing.add(name.clone(), is_folder);
            folders.extend(folder.map(|folder| (name, folder)));
        }
        if self.here.entries > self.limits.entries {
            self.say(format!(
                "it holds more than {} files and folders; what comes after {} is not searched; name a folder \
                 further in, or set entries in [search] of the settings higher",
                self.limits.entries,
                path.display()
            ));
        }
        let recognised = formats::recognise(&listing);
        let is_whole = !is_being_made || listing.files.iter().any(|file| file == "run.json");
        let located = recognised.clone().filter(|_| is_whole);
        let has = |name: &str| listing.files.iter().any(|file| file == name);
        let is_recorded = located.as_ref().is_some_and(Located::is_ours) && has("run.json");
        let is_run = located.is_some();
        // What belongs to the run is searched for no other, and neither are its like beside our own
        // runs.
        folders.retain(|(name, _)| {
            let is_part = recognised
                .as_ref()
                .is_some_and(|located| located.has_part(name));
            let is_of_output = matches!(
                name.as_str(),
                "evaluations" | "best_models" | "final_models"
            );
            !name.starts_with('.') && !is_part && !is_of_output
        });
        if let Some(located) = located {
            let dir = RunDir::new(path);
            (self.each)(Found::of(dir, Some(located), self.own.as_deref(), has));
        }
        if is_recorded {
            return;
        }
        for name in listing
            .files
            .iter()
            .filter(|name| is_database(Path::new(name)))
        {
            self.database(&path.join(name));
        }
        if !is_run {
            (self.other)(path);
        }
        if depth > 0 {
            // Folders are most often named by the time at which they were made: the newest come
            // first, as lists show them.
            folders.sort_unstable_by(|a, b| b.1.cmp(&a.1));
            for (_, folder) in folders {
                self.folder(&folder, depth - 1);
            }
        } else if !folders.is_empty() && !self.here.is_too_deep {
            self.here.is_too_deep = true;
            self.say(format!(
                "what lies more than {} folders deep, as below {}, is not searched; name a folder further in, \
                 or set depth in [search] of the settings higher",
                self.limits.depth,
                path.display()
            ));
        }
    }

    /// The runs in a database, the newest first.
    fn database(&mut self, path: &Path) {
        if !self.visited.insert(path.to_owned()) {
            return;
        }
        match in_database(path, self.own.as_deref()) {
            Ok(runs) => {
                self.here.entries += runs.len();
                runs.into_iter().for_each(&mut self.each);
            }
            Err(cause) => self.unsearched.push(Unsearched {
                path: path.to_owned(),
                cause: io::Error::other(cause),
                is_root: false,
            }),
        }
    }

    /// Says what of this root is not searched.
    fn say(&mut self, what: String) {
        self.unsearched.push(Unsearched {
            path: self.here.path.clone(),
            cause: io::Error::other(what),
            is_root: false,
        });
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
        (target.is_dir() && target.starts_with(&self.here.path)).then_some(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::found::Looks;
    use std::time::SystemTime;

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
    fn a_root_that_holds_too_much_is_searched_in_part_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b/metrics.csv", "a/1", "a/2", "a/3", "a/deeper/metrics.csv"] {
            file(folder.path(), name);
        }
        let (mut found, mut each) = (Vec::new(), Vec::new());
        let limits = Limits {
            entries: 5,
            ..Limits::default()
        };
        let roots = [folder.path().to_owned()];
        let unsearched = discover_within(
            limits,
            &roots,
            |run| found.push(run.dir.name()),
            |other| each.push(other.to_owned()),
        );
        assert_eq!(unsearched.len(), 1);
        assert!(unsearched[0].to_string().contains("more than 5 files"));
        assert_eq!(found, ["b"]);
    }

    #[test]
    fn logs_of_a_run_that_is_being_made_are_none_by_themselves() {
        let folder = tempfile::tempdir().unwrap();
        file(folder.path(), "a/logs/metrics.csv");
        let temporary = traintop_disk::write::beside(&folder.path().join("a/run.json"));
        fs::write(&temporary, "half").unwrap();
        assert!(names(&[folder.path().to_owned()]).is_empty());
        fs::remove_file(temporary).unwrap();
        assert_eq!(names(&[folder.path().to_owned()]), ["a"]);
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
