//! Archived runs: everything of a run in one packed file in its folder, `archive.tar.zst`. What
//! lists and charts read stays beside it; the rest goes to the trash once the archive was read
//! back. Bringing it back leaves what is still in place as it is.

mod carry;
#[cfg(test)]
mod hostile_tests;
mod links;
mod pack;
mod recover;
mod sparse;
#[cfg(test)]
mod tests;
mod theirs;
#[cfg(test)]
mod theirs_tests;
mod unpack;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::rename::{held, state_now};
use traintop_disk::io_reason;
use traintop_disk::write::{is_temporary, may_change};
use traintop_run::checkpoints;
use traintop_run::found::Found;
use traintop_run::layout::RunDir;

pub use carry::{
    Archived, Unarchived, archive, archive_watched, unarchive, unarchive_watched, undo,
    undo_unarchive,
};
#[cfg(test)]
pub(super) use carry::{archive_on, unarchive_on, undo_on, undo_unarchive_on};
pub use recover::recover;
#[cfg(test)]
pub(super) use recover::recover_on;

/// What of a run of ours stays in place: lists, charts and notes read it.
const STAYS: [&str; 5] = [
    "logs",
    "run.json",
    "notes.toml",
    "metrics.csv",
    "config.json",
];

/// Limit of entries in an archive: reading it takes memory for each.
const MAX_ENTRIES: usize = 1_000_000;

/// A file or folder in a run, by its path below the run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Below the run's folder; empty for the folder itself.
    pub below: PathBuf,
    /// The bytes of a file.
    pub bytes: u64,
}

/// What archiving a run would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub dir: RunDir,
    /// What is packed, folders before what is in them.
    pub packed: Vec<Item>,
    /// What is left out of the archive.
    pub left_out: Vec<Item>,
    /// What goes to the trash afterwards.
    pub removed: Vec<PathBuf>,
}

/// Why a run was not archived or restored; nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is in a state in which it cannot be.
    #[error("{name}: {problem}")]
    Refused {
        name: String,
        /// A sentence.
        problem: String,
    },
    /// A file.
    #[error("{path}: {what} ({})", io_reason(cause))]
    Io {
        path: PathBuf,
        /// What could not be done.
        what: &'static str,
        cause: io::Error,
    },
    /// The system refused, and also to undo what was done before.
    #[error(
        "{first}; and not all of it could be undone ({second}): the next start of traintop tries again"
    )]
    HalfDone {
        /// What went wrong first.
        first: Box<ArchiveError>,
        /// What failed when it was undone, as a sentence.
        second: String,
    },
    /// All is back in place, and the archive beside it.
    #[error(
        "{name}: it is back, but its archive stays ({problem}): the next start of traintop tries again"
    )]
    Stays {
        name: String,
        /// A sentence.
        problem: String,
    },
    /// What was packed is not what is there.
    #[error("{path}: has changed while it was packed; nothing was removed")]
    Changed { path: PathBuf },
    /// Something of an archive cannot be unpacked.
    #[error("{archive}: {what} ({}); {came_back}", io_reason(cause))]
    NotUnpacked {
        archive: PathBuf,
        /// The entry, and what cannot be done with it.
        what: String,
        cause: io::Error,
        /// What is back in place in spite of it, or that nothing is: half a sentence.
        came_back: String,
    },
    /// Restoring was refused before anything was unpacked.
    #[error("{0}; nothing was restored")]
    NothingBack(Box<ArchiveError>),
    /// An archive that is not one of ours.
    #[error("{path}: {what}; nothing was restored")]
    Damaged {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

impl ArchiveError {
    fn io(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { path, what, cause }
    }

    /// As an error of restoring: it says what was restored, if it does not say so yet.
    fn of_restoring(self) -> Self {
        match self {
            Self::NotUnpacked { .. }
            | Self::NothingBack(_)
            | Self::Damaged { .. }
            | Self::Stays { .. } => self,
            other => Self::NothingBack(Box::new(other)),
        }
    }
}

impl Plan {
    /// Looks at what there is. Without checkpoints, of the weights only the best are packed.
    ///
    /// # Errors
    /// If the run is being written, may not be changed, is archived already, or holds what cannot
    /// be packed.
    pub fn of(dir: &RunDir, without_checkpoints: bool) -> Result<Self, ArchiveError> {
        let refused = |problem: String| ArchiveError::Refused {
            name: traintop_text::clean(&dir.name()).into_owned(),
            problem,
        };
        if let Some(why) = dir.only_read() {
            return Err(refused(why));
        }
        if dir.archive().exists() {
            return Err(refused("it is archived already".to_owned()));
        }
        let found = Found::look(dir.clone());
        let of_others = found.located.as_ref().filter(|located| !located.is_ours());
        let has_best = || {
            let mut checkpoints = checkpoints::files(dir).into_iter();
            checkpoints.any(|checkpoint| checkpoint.what == "best")
        };
        if of_others.is_some() && without_checkpoints && !has_best() {
            let problem = format!(
                "which of the checkpoints of {} is the best is not known; archive it with them",
                found.trainer()
            );
            return Err(refused(problem));
        }
        if let Some(problem) = held(state_now(dir)) {
            return Err(refused(problem));
        }
        if let Some(other) = of_others.and_then(|_| theirs::run_below(dir)) {
            return Err(refused(format!(
                "another run lies in it ({}), or may; archive that one alone, or move it out",
                traintop_text::clean(&other.to_string_lossy())
            )));
        }
        may_change(dir.path()).map_err(ArchiveError::io(dir.path(), "cannot be archived"))?;
        let checkpoints = checkpoints::files(dir).into_iter();
        let dropped: BTreeSet<PathBuf> = checkpoints
            .filter(|checkpoint| without_checkpoints && checkpoint.what != "best")
            .map(|checkpoint| checkpoint.path)
            .collect();
        let mut plan = Self {
            dir: dir.clone(),
            packed: Vec::new(),
            left_out: Vec::new(),
            removed: Vec::new(),
        };
        // Links that lead out of the run, which no archive restores.
        let mut outward: Vec<PathBuf> = Vec::new();
        walk(dir.path(), Path::new(""), &is_own, &mut |item| {
            if links::leads_out(dir.path(), &item.below) {
                outward.push(item.below);
            } else if dropped.contains(&dir.path().join(&item.below)) {
                plan.left_out.push(item);
            } else {
                plan.packed.push(item);
            }
        })?;
        let going = match of_others {
            Some(located) => {
                let mut going = theirs::going(dir.path(), located)?;
                going.retain(|below| !outward.contains(below));
                going
            }
            None => {
                let stays = |name: &Path| {
                    STAYS.iter().any(|stays| name.as_os_str() == *stays)
                        || outward.iter().any(|link| link == name)
                };
                let mut going = names(dir.path())?;
                going.retain(|name| !stays(name) && is_own(name));
                going
            }
        };
        for link in &outward {
            if going.iter().any(|below| link.starts_with(below)) {
                return Err(refused(format!(
                    "{} is a link that leads out of the run, and would not come back from an archive; remove it, or move it to the \
                     top of the run's folder, where it stays",
                    traintop_text::clean(&link.to_string_lossy())
                )));
            }
        }
        let going = going.into_iter().map(|below| dir.path().join(below));
        plan.removed = going.collect();
        for path in plan.removed.iter().filter(|path| is_folder(path)) {
            may_change(path).map_err(ArchiveError::io(path, "cannot be archived"))?;
        }
        if plan.packed.len() > MAX_ENTRIES {
            let count = plan.packed.len();
            return Err(refused(format!(
                "it holds {count} files and folders, more than the {MAX_ENTRIES} that an archive takes"
            )));
        }
        Ok(plan)
    }

    /// The bytes of all files that are packed.
    pub fn packed_bytes(&self) -> u64 {
        self.packed.iter().map(|item| item.bytes).sum()
    }

    /// The bytes of all files that are left out.
    pub fn left_out_bytes(&self) -> u64 {
        self.left_out.iter().map(|item| item.bytes).sum()
    }
}

/// Whether there is a folder, and no link to one.
fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<PathBuf>, ArchiveError> {
    let read = || ArchiveError::io(folder, "cannot be read");
    let entries = fs::read_dir(folder).map_err(read())?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(PathBuf::from(entry.map_err(read())?.file_name()));
    }
    names.sort();
    Ok(names)
}

/// Whether a name belongs to the run: not a file that is being written, or was when its writer was
/// killed.
fn is_own(name: &Path) -> bool {
    !is_temporary(&name.to_string_lossy())
}

/// Gives each file, folder and link below `root` whose name is taken, and `below` itself first.
fn walk(
    root: &Path,
    below: &Path,
    takes: &impl Fn(&Path) -> bool,
    each: &mut impl FnMut(Item),
) -> Result<(), ArchiveError> {
    let path = root.join(below);
    let metadata =
        fs::symlink_metadata(&path).map_err(ArchiveError::io(&path, "cannot be read"))?;
    let kind = metadata.file_type();
    if !kind.is_dir() && !kind.is_file() && !kind.is_symlink() {
        let cause = io::Error::other("only files, folders and links can be");
        return Err(ArchiveError::io(&path, "cannot be packed")(cause));
    }
    each(Item {
        below: below.to_owned(),
        bytes: if kind.is_file() { metadata.len() } else { 0 },
    });
    if kind.is_dir() {
        for name in names(&path)?.into_iter().filter(|name| takes(name)) {
            walk(root, &below.join(name), takes, each)?;
        }
    }
    Ok(())
}
