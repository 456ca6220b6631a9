//! Carrying a plan out: all of it or nothing, also if the program is killed in between.

use std::io;
use std::path::PathBuf;

use super::folders::{self, Folder};
use super::follow::{self, Follow, Links, Undone, identity};
use super::journal::{self, Move};
use super::{Step, held, state_now};
use traintop_disk::io_reason;
use traintop_run::layout::RunDir;
use traintop_run::marks;
use traintop_run::state_dir::Storage;
use traintop_text::clean;

/// A run whose folder has another name now, with what is needed to undo that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// Its folder before.
    pub from: RunDir,
    /// Its folder now.
    pub to: RunDir,
    /// How it was done, with what followed.
    step: Move,
    /// The folders whose times changed with it.
    folders: Vec<Folder>,
    /// What should have followed and did not, as sentences.
    pub left: Vec<String>,
}

/// Why nothing was renamed.
#[derive(Debug, thiserror::Error)]
pub enum RenameError {
    /// A row of the plan cannot be done.
    #[error("{name}: {problem}; nothing was renamed")]
    Refused {
        name: String,
        /// A sentence.
        problem: String,
    },
    /// The system refused.
    #[error(
        "{path}: cannot be renamed to {name:?} ({}); nothing was renamed",
        io_reason(cause)
    )]
    Io {
        path: PathBuf,
        /// The name that was wanted.
        name: String,
        cause: io::Error,
    },
    /// The journal could not be written.
    #[error(
        "{path}: cannot be written ({}); nothing was renamed",
        io_reason(cause)
    )]
    Journal {
        /// The journal.
        path: PathBuf,
        cause: io::Error,
    },
    /// The system refused, and also to undo what was done before.
    #[error(
        "{path}: cannot be renamed ({}), and {left} could not be given its old name back: the next start of traintop tries again",
        io_reason(cause)
    )]
    HalfDone {
        path: PathBuf,
        cause: io::Error,
        /// The folder that is left with its new name.
        left: PathBuf,
    },
}

/// Does what the plan says, all of it or nothing. The state of each run is checked again first.
///
/// # Errors
/// If any row cannot be done; then every folder has its old name.
pub fn apply(steps: &[Step]) -> Result<Vec<Renamed>, RenameError> {
    apply_on(&Storage::real(), steps)
}

/// As [`apply`], with this home.
pub(crate) fn apply_on(storage: &Storage, steps: &[Step]) -> Result<Vec<Renamed>, RenameError> {
    let refused = |step: &Step, problem: String| RenameError::Refused {
        name: clean(&step.from.name()).into_owned(),
        problem,
    };
    let mut moves = Vec::new();
    let mut links = Links::default();
    for step in steps {
        if let Some(problem) = &step.problem {
            return Err(refused(step, problem.clone()));
        }
        let Some(name) = step
            .name
            .as_deref()
            .filter(|name| *name != step.from.name())
        else {
            continue;
        };
        if let Some(problem) = held(state_now(&step.from)) {
            return Err(refused(step, problem));
        }
        let planned = Move::plan(storage, &step.from, name, &mut links);
        moves.push(planned.map_err(|cause| RenameError::Io {
            path: step.from.path().to_owned(),
            name: name.to_owned(),
            cause,
        })?);
    }
    if moves.is_empty() {
        return Ok(Vec::new());
    }
    let unwritten = |(path, cause)| RenameError::Journal { path, cause };
    let journal = journal::begin(storage, &moves).map_err(unwritten)?;
    let mut done = carry_out(storage, &moves);
    for renamed in done.iter_mut().flatten() {
        folders::after(&*storage.disk, &mut renamed.folders, &moves);
    }
    // In every outcome nothing is left to finish, unless something could not be undone.
    match &done {
        Err(RenameError::HalfDone { .. }) => done,
        Ok(renamed) => match journal.end(storage) {
            Ok(()) => done,
            // The next start would see it as interrupted, so everything is undone.
            Err((path, cause)) => Err(match undo_all(storage, renamed) {
                Ok(_) => RenameError::Journal { path, cause },
                Err((left, _)) => RenameError::HalfDone { path, cause, left },
            }),
        },
        Err(_) => {
            if let Err((path, error)) = journal.end(storage) {
                log::warn!("{}: is left behind: {error}", path.display());
            }
            done
        }
    }
}

/// Renames one after the other.
fn carry_out(storage: &Storage, moves: &[Move]) -> Result<Vec<Renamed>, RenameError> {
    let mut done: Vec<Renamed> = Vec::new();
    let before = moves
        .iter()
        .map(|step| folders::before(&*storage.disk, step));
    let before: Vec<Vec<Folder>> = before.collect();
    for (step, folders) in moves.iter().zip(before) {
        let mut renamed = Renamed {
            from: step.from.clone(),
            to: step.to.clone(),
            step: Move {
                follows: Vec::new(),
                ..step.clone()
            },
            folders,
            left: step.unread.clone(),
        };
        if let Err((cause, has_moved)) = one(storage, step, &mut renamed) {
            let path = step.from.path().to_owned();
            let name = step.to.name();
            if has_moved {
                done.push(renamed);
            }
            return Err(match undo_all(storage, &done) {
                Ok(_) => RenameError::Io { path, name, cause },
                Err((left, _)) => RenameError::HalfDone { path, cause, left },
            });
        }
        done.push(renamed);
    }
    Ok(done)
}

/// Renames one; an error comes with whether the folder has its new name.
fn one(storage: &Storage, step: &Move, renamed: &mut Renamed) -> Result<(), (io::Error, bool)> {
    let moved = storage.disk.relocate(step.from.path(), step.to.path());
    moved.map_err(|cause| (cause, false))?;
    for follow in &step.follows {
        match follow.forth(&*storage.disk) {
            Ok(()) => renamed.step.follows.push(follow.clone()),
            // Files in the folder itself must have its name.
            Err(cause) if follow.path().starts_with(step.to.path()) => return Err((cause, true)),
            Err(cause) => renamed.left.push(follow::left_behind(follow, &cause)),
        }
    }
    marks::follow(storage, &step.from, &step.to);
    Ok(())
}

/// Gives every folder its old name back, the last first, and with it all that followed; what was
/// changed since is left as it is, and reported in a sentence.
///
/// # Errors
/// The first folder that keeps its new name, or file that still says it, and why; those after it in
/// the list have their old ones.
pub fn undo(renamed: &[Renamed]) -> Result<Vec<String>, (PathBuf, io::Error)> {
    undo_on(&Storage::real(), renamed)
}

/// As [`undo`], with this home.
pub(crate) fn undo_on(
    storage: &Storage,
    renamed: &[Renamed],
) -> Result<Vec<String>, (PathBuf, io::Error)> {
    for renamed in renamed {
        if let Some(problem) = held(state_now(&renamed.to)) {
            return Err((renamed.to.path().to_owned(), io::Error::other(problem)));
        }
    }
    // The journal leads to the old names: cut off here, or failed, the next start finishes it.
    let moves: Vec<Move> = renamed.iter().map(|renamed| renamed.step.clone()).collect();
    let journal = journal::begin(storage, &moves)?;
    let folders = renamed.iter().flat_map(|renamed| &renamed.folders);
    let untouched = folders::untouched(&*storage.disk, folders, &moves);
    let problems = undo_all(storage, renamed)?;
    folders::give_back(&*storage.disk, &untouched);
    if let Err((path, error)) = journal.end(storage) {
        log::warn!("{}: is left behind: {error}", path.display());
    }
    Ok(problems)
}

fn undo_all(storage: &Storage, renamed: &[Renamed]) -> Result<Vec<String>, (PathBuf, io::Error)> {
    let mut problems = Vec::new();
    for renamed in renamed.iter().rev() {
        problems.extend(back(storage, &renamed.step)?);
    }
    Ok(problems)
}

/// Gives one folder its old name, if it has not got it yet, and with it all that followed.
pub(super) fn back(storage: &Storage, step: &Move) -> Result<Vec<String>, (PathBuf, io::Error)> {
    let failed = |cause| (step.to.path().to_owned(), cause);
    // Only the very same folder is moved back.
    let known = Some(step.identity);
    if identity(&*storage.disk, step.to.path()).map_err(failed)? == known {
        let moved = storage.disk.relocate(step.to.path(), step.from.path());
        moved.map_err(failed)?;
    } else if identity(&*storage.disk, step.from.path()).map_err(failed)? != known {
        return Err(failed(io::Error::other("it was moved since")));
    }
    follow_back(storage, step).map_err(|(follow, cause)| (follow.path().to_owned(), cause))
}

/// What followed a folder follows it back; what was not done is skipped, and what was changed since
/// is reported.
fn follow_back(storage: &Storage, step: &Move) -> Result<Vec<String>, (Follow, io::Error)> {
    let (mut problems, mut failed) = (Vec::new(), None);
    for follow in step.follows.iter().rev() {
        let follow = follow.seen_from(step.to.path(), step.from.path());
        match follow.back(&*storage.disk) {
            Ok(Undone::Done) => {}
            Ok(Undone::Changed) => {
                let cause = io::Error::other("it was changed meanwhile");
                problems.push(follow::left_behind(&follow, &cause));
            }
            // The others come back all the same.
            Err(cause) => failed = failed.or(Some((follow, cause))),
        }
    }
    marks::follow(storage, &step.to, &step.from);
    failed.map_or(Ok(problems), Err)
}
