//! What is about to be done to runs, written down first in the user's state folder, so that a
//! program that was killed in the middle leaves no half of it: the next start finishes or undoes
//! it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use traintop_disk::write::beside;
use traintop_run::process::{self, Process};
use traintop_run::state_dir::Storage;
use traintop_text::clean;

/// A journal of another machine that is older than this counts as abandoned.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);
/// Held by the process that finishes what others have left.
const LOCK: &str = "lock";

#[derive(Serialize, Deserialize)]
struct Content<T> {
    process: Process,
    #[serde(flatten)]
    what: T,
}

/// A journal that is open; without a home there is none, and what it is about continues without.
#[derive(Debug, Clone)]
pub struct Journal(Option<PathBuf>);

impl Journal {
    /// Writes down what is about to be done, and waits until it is on the disk.
    ///
    /// # Errors
    /// The journal's path and why it cannot be written.
    pub fn begin<T: Serialize>(
        storage: &Storage,
        folder: &str,
        what: &T,
    ) -> Result<Self, (PathBuf, io::Error)> {
        let Some(folder) = storage.folder(folder) else {
            return Ok(Self(None));
        };
        let number = beside(Path::new("journal"));
        let name = number.to_string_lossy();
        let name = name.trim_matches('.').replace(".tmp", "");
        let path = folder.join(format!("{name}.json"));
        let content = Content {
            process: Process::current(),
            what,
        };
        let written = serde_json::to_vec(&content)
            .map_err(io::Error::other)
            .and_then(|bytes| {
                storage.disk.make_folders(&folder)?;
                storage.disk.replace_file(&path, &bytes, None)?;
                storage.disk.sync_folder(&folder)
            });
        match written {
            Ok(()) => Ok(Self(Some(path))),
            Err(cause) => {
                let _ = storage.disk.remove_file(&path);
                Err((path, cause))
            }
        }
    }

    /// Nothing is left to be finished.
    ///
    /// # Errors
    /// The journal's path and why it is still there.
    pub fn end(&self, storage: &Storage) -> Result<(), (PathBuf, io::Error)> {
        let Some(path) = &self.0 else { return Ok(()) };
        storage
            .disk
            .remove_if_there(path)
            .map_err(|cause| (path.clone(), cause))
    }
}

/// Whether the process that wrote a journal is gone.
pub fn is_over(process: &Process, age: Duration) -> bool {
    if process.host == process::host() {
        !process.is_alive()
    } else {
        age > ABANDONED
    }
}

/// Finishes what killed programs left: `each` is given a journal and its content, removes it by
/// [`Journal::end`] once nothing is left to be done, and answers with a sentence. Only one program
/// does so at a time.
pub fn recover<T: DeserializeOwned>(
    storage: &Storage,
    folder: &str,
    is_over: impl Fn(&Process, Duration) -> bool,
    each: impl Fn(&Journal, T, &Path) -> Option<String>,
) -> Vec<String> {
    let Some(folder) = storage.folder(folder) else {
        return Vec::new();
    };
    let names = match storage.disk.names(&folder) {
        Ok(names) => names,
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        Err(error) => return vec![format!("{}: cannot be read ({error})", folder.display())],
    };
    let mut paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    if paths.is_empty() {
        return Vec::new();
    }
    let _lock = match storage.disk.lock(&folder.join(LOCK)) {
        Ok(lock) => lock,
        Err(error) => return vec![format!("{}: cannot be locked ({error})", folder.display())],
    };
    let one = |path: &PathBuf| match read::<T>(storage, path) {
        Ok(Some(content)) if is_over(&content.process, age(storage, path)) => {
            each(&Journal(Some(path.clone())), content.what, path)
        }
        // Another start was quicker, or its writer is still at work.
        Ok(_) => None,
        Err(problem) => Some(problem),
    };
    let sentences = paths.iter().filter_map(one);
    sentences
        .map(|sentence| clean(&sentence).into_owned())
        .collect()
}

fn read<T: DeserializeOwned>(storage: &Storage, path: &Path) -> Result<Option<Content<T>>, String> {
    let bytes = match storage.disk.read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{}: cannot be read ({error})", path.display())),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        format!(
            "{}: is damaged ({error}); look whether its runs are as they should be, then remove it",
            path.display()
        )
    })
}

fn age(storage: &Storage, path: &Path) -> Duration {
    let modified = storage.disk.stat(path).map(|stat| stat.modified_ns);
    let now = Timestamp::now().as_nanosecond();
    let age = modified.map(|then| u64::try_from(now - i128::from(then)).unwrap_or(0));
    Duration::from_nanos(age.unwrap_or(0))
}
