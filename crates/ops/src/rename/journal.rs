//! What a renaming is about to do, written down first; what a program that was killed has left gets
//! its old names back.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::apply::back;
use super::follow::{self, Follow, Identity, Links};
use crate::journal::{self, Journal};
use traintop_disk::Kind;
use traintop_run::layout::RunDir;
use traintop_run::process::Process;
use traintop_run::state_dir::Storage;

/// The folder of journals in the user's state folder.
const FOLDER: &str = "renames";

/// A folder to rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    pub from: RunDir,
    pub to: RunDir,
    /// By which the folder is known again.
    pub(super) identity: Identity,
    pub follows: Vec<Follow>,
    /// What should follow and cannot be read, as sentences.
    #[serde(default)]
    pub(super) unread: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Moves {
    moves: Vec<Move>,
}

impl Move {
    /// What it takes to give a run's folder a name.
    ///
    /// # Errors
    /// If the folder, or what in it says its name, cannot be read.
    pub fn plan(
        storage: &Storage,
        from: &RunDir,
        name: &str,
        links: &mut Links,
    ) -> io::Result<Self> {
        let stat = storage.disk.stat(from.path())?;
        if stat.kind == Kind::Link {
            let why = "it is a link; rename the folder that it leads to";
            return Err(io::Error::other(why));
        }
        let to = RunDir::new(from.path().with_file_name(name));
        let (follows, unread) = follow::plan(storage, from, &to, links)?;
        Ok(Self {
            identity: stat.inode,
            follows,
            unread,
            from: from.clone(),
            to,
        })
    }
}

/// Writes down what is about to be done.
pub fn begin(storage: &Storage, moves: &[Move]) -> Result<Journal, (PathBuf, io::Error)> {
    // A folder whose name is no text cannot be written as JSON; one such folder alone is renamed
    // whole or not at all anyway.
    if let [only] = moves
        && only.from.path().to_str().is_none()
    {
        let nowhere = Storage {
            state: None,
            ..storage.clone()
        };
        return Journal::begin(&nowhere, FOLDER, &());
    }
    let moves = moves.to_vec();
    Journal::begin(storage, FOLDER, &Moves { moves })
}

/// Undoes the renamings of programs that were killed in the middle, and says so in a sentence
/// for each.
pub fn recover() -> Vec<String> {
    recover_on(&Storage::real(), journal::is_over)
}

/// As [`recover`], with this home.
pub(crate) fn recover_on(
    storage: &Storage,
    is_over: impl Fn(&Process, Duration) -> bool,
) -> Vec<String> {
    journal::recover(storage, FOLDER, is_over, |journal, content: Moves, path| {
        recover_one(storage, journal, &content.moves, path)
    })
}

fn recover_one(
    storage: &Storage,
    journal: &Journal,
    moves: &[Move],
    path: &Path,
) -> Option<String> {
    let count = moves.len();
    for step in moves.iter().rev() {
        match back(storage, step) {
            Ok(problems) => problems
                .iter()
                .for_each(|sentence| log::warn!("{sentence}")),
            Err((place, cause)) => {
                return Some(format!(
                    "a renaming of {count} runs was cut off, and {} keeps its new name ({cause}); rename it by hand and remove {}",
                    place.display(),
                    path.display()
                ));
            }
        }
    }
    if let Err((path, error)) = journal.end(storage) {
        log::warn!("{}: is left behind: {error}", path.display());
    }
    let first = moves.first()?.from.name();
    Some(match count {
        1 => format!("renaming {first} was cut off; it has its old name"),
        _ => format!(
            "renaming {count} runs was cut off; {first} and the others have their old names"
        ),
    })
}
