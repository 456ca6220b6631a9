//! What a renaming is about to do, written down first, so that a program that was killed in the middle leaves no half of it: the next
//! start gives every folder its old name back.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::apply::follow_back;
use super::follow::{self, Follow, Identity, identity};
use super::move_without_replacing;
use crate::run::layout::RunDir;
use crate::run::own;
use crate::run::process::{self, Process};
use crate::run::write::{beside, replace_file};
use crate::text::clean;

/// The folder of journals in the user's state folder.
const FOLDER: &str = "renames";
/// After so long a journal of another machine is nobody's any more.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// A folder that is to be renamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The folder.
    pub from: RunDir,
    /// What it is to be.
    pub to: RunDir,
    /// By which the folder is known again.
    pub(super) identity: Option<Identity>,
    /// What is to follow.
    pub follows: Vec<Follow>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    process: Process,
    moves: Vec<Move>,
}

/// A journal that is open.
#[derive(Debug)]
pub struct Journal(Option<PathBuf>);

impl Move {
    /// What it takes to give a run's folder a name.
    pub fn plan(from: &RunDir, name: &str) -> Self {
        let to = RunDir::new(from.path().with_file_name(name));
        Self {
            identity: identity(from.path()),
            follows: follow::plan(from, &to),
            from: from.clone(),
            to,
        }
    }
}

impl Journal {
    /// Writes down what is about to be done. Without a home there is no journal, and the renaming goes on without.
    ///
    /// # Errors
    /// The journal's path and why it cannot be written.
    pub fn begin(moves: &[Move]) -> Result<Self, (PathBuf, io::Error)> {
        match own::state_folder() {
            Some(folder) => Self::begin_in(&folder.join(FOLDER), moves),
            None => Ok(Self(None)),
        }
    }

    pub(super) fn begin_in(folder: &Path, moves: &[Move]) -> Result<Self, (PathBuf, io::Error)> {
        let number = beside(Path::new("rename"));
        let name = number
            .to_string_lossy()
            .trim_matches('.')
            .replace(".tmp", "");
        let path = folder.join(format!("{name}.json"));
        let content = Content {
            process: Process::current(),
            moves: moves.to_vec(),
        };
        // A folder whose name is no text cannot be written as JSON; one such folder alone is renamed whole or not at all anyway.
        let bytes = match serde_json::to_vec(&content) {
            Ok(bytes) => bytes,
            Err(_) if moves.len() == 1 => return Ok(Self(None)),
            Err(error) => return Err((path, io::Error::other(error))),
        };
        let written = fs::create_dir_all(folder).and_then(|()| replace_file(&path, &bytes));
        written.map_err(|cause| (path.clone(), cause))?;
        Ok(Self(Some(path)))
    }

    /// Nothing is left to be finished.
    pub fn end(self) {
        if let Some(Err(error)) = self.0.as_ref().map(fs::remove_file) {
            log::warn!("{:?}: is left behind: {error}", self.0);
        }
    }
}

/// Takes back the renamings of programs that were killed in the middle, and says so in a sentence for each.
pub fn recover() -> Vec<String> {
    let folder = own::state_folder().map(|folder| folder.join(FOLDER));
    folder.map_or_else(Vec::new, |folder| recover_in(&folder, is_over))
}

/// Whether whoever wrote a journal is gone.
fn is_over(process: &Process, age: Duration) -> bool {
    if process.host == process::host() {
        !process.is_alive()
    } else {
        age > ABANDONED
    }
}

pub(super) fn recover_in(
    folder: &Path,
    is_over: impl Fn(&Process, Duration) -> bool,
) -> Vec<String> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        Err(error) => return vec![format!("{}: cannot be read ({error})", folder.display())],
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    paths
        .iter()
        .filter_map(|path| recover_one(path, &is_over))
        .map(|sentence| clean(&sentence).into_owned())
        .collect()
}

fn recover_one(path: &Path, is_over: impl Fn(&Process, Duration) -> bool) -> Option<String> {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    let age = modified.map(|time| SystemTime::now().duration_since(time).unwrap_or_default());
    let content: Content = match fs::read(path).map(|bytes| serde_json::from_slice(&bytes)) {
        Ok(Ok(content)) => content,
        // Another start was quicker.
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => return Some(format!("{}: cannot be read ({error})", path.display())),
        Ok(Err(error)) => {
            return Some(format!(
                "{}: is damaged ({error}); look whether its runs have their names, then remove it",
                path.display()
            ));
        }
    };
    if !is_over(&content.process, age.unwrap_or_default()) {
        return None;
    }
    let count = content.moves.len();
    for step in content.moves.iter().rev() {
        // Only what is known to be the very folder goes back.
        let moved = step.identity.is_some() && identity(step.to.path()) == step.identity;
        let stayed = identity(step.from.path()) == step.identity;
        let done = if moved {
            move_without_replacing(step.to.path(), step.from.path())
        } else if stayed {
            Ok(())
        } else {
            Err(io::Error::other("somebody has moved it since"))
        };
        if let Err(cause) = done {
            return Some(format!(
                "a renaming of {count} runs was cut off, and {} keeps its new name ({cause}); rename it by hand and remove {}",
                step.to.path().display(),
                path.display()
            ));
        }
        follow_back(step);
    }
    if let Err(error) = fs::remove_file(path) {
        log::warn!("{}: is left behind: {error}", path.display());
    }
    let first = content.moves.first()?.from.name();
    Some(match count {
        1 => format!("renaming {first} was cut off; it has its old name"),
        _ => format!(
            "renaming {count} runs was cut off; {first} and the others have their old names"
        ),
    })
}
