//! Carrying a plan out: all of it or nothing, also if the program is killed in between.

use std::io;
use std::path::PathBuf;

use super::follow;
use super::journal::{Journal, Move};
use super::{Step, held, move_without_replacing, state_now};
use crate::run::layout::RunDir;
use crate::run::marks;
use crate::text::clean;

/// A run whose folder has another name now, with what is needed to take that back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// Its folder before.
    pub from: RunDir,
    /// Its folder now.
    pub to: RunDir,
    /// How it was done, with what followed.
    step: Move,
    /// What should have followed and did not, as sentences.
    pub left: Vec<String>,
}

/// Why nothing was renamed.
#[derive(Debug, thiserror::Error)]
pub enum RenameError {
    /// A row of the plan cannot be done.
    #[error("{name}: {problem}; nothing was renamed")]
    Refused {
        /// The run's folder.
        name: String,
        /// A sentence.
        problem: String,
    },
    /// The system refused.
    #[error("{path}: cannot be renamed to {name:?} ({cause}); nothing was renamed")]
    Io {
        /// The run's folder.
        path: PathBuf,
        /// The name that was wanted.
        name: String,
        /// What the system said.
        cause: io::Error,
    },
    /// What is to be done could not be written down first.
    #[error("{path}: cannot be written ({cause}); nothing was renamed")]
    Journal {
        /// The journal.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The system refused, and also to take back what was done before.
    #[error(
        "{path}: cannot be renamed ({cause}), and {left} could not be given its old name back; rename it by hand"
    )]
    HalfDone {
        /// The run's folder.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
        /// The folder that is left with its new name.
        left: PathBuf,
    },
}

/// Does what the plan says, all of it or nothing. What each run is doing is looked at again first.
///
/// # Errors
/// If any row cannot be done; then every folder has its old name.
pub fn apply(steps: &[Step]) -> Result<Vec<Renamed>, RenameError> {
    let refused = |step: &Step, problem: String| RenameError::Refused {
        name: clean(&step.from.name()).into_owned(),
        problem,
    };
    let mut moves = Vec::new();
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
        moves.push(Move::plan(&step.from, name));
    }
    if moves.is_empty() {
        return Ok(Vec::new());
    }
    let journal =
        Journal::begin(&moves).map_err(|(path, cause)| RenameError::Journal { path, cause })?;
    let done = carry_out(moves, || false);
    // Whatever came of it, nothing is left to be finished, unless something could not be put back.
    if !matches!(done, Err(RenameError::HalfDone { .. })) {
        journal.end();
    }
    done
}

/// Renames one after the other. `is_cut` is asked between any two steps, and says in tests that the program is killed there.
pub(super) fn carry_out(
    moves: Vec<Move>,
    mut is_cut: impl FnMut() -> bool,
) -> Result<Vec<Renamed>, RenameError> {
    let mut done: Vec<Renamed> = Vec::new();
    for step in moves {
        match one(&step, &mut is_cut) {
            Ok(renamed) => done.push(renamed),
            Err(_) if is_cut() => return Ok(done),
            Err(cause) => {
                let path = step.from.path().to_owned();
                let name = step.to.name();
                return Err(match undo_all(&done) {
                    Ok(()) => RenameError::Io { path, name, cause },
                    Err((left, _)) => RenameError::HalfDone { path, cause, left },
                });
            }
        }
    }
    Ok(done)
}

fn one(step: &Move, is_cut: &mut impl FnMut() -> bool) -> io::Result<Renamed> {
    let cut = || Err(io::Error::other("cut off"));
    if is_cut() {
        return cut();
    }
    move_without_replacing(step.from.path(), step.to.path())?;
    let mut renamed = Renamed {
        from: step.from.clone(),
        to: step.to.clone(),
        step: Move {
            follows: Vec::new(),
            ..step.clone()
        },
        left: Vec::new(),
    };
    for follow in &step.follows {
        if is_cut() {
            return cut();
        }
        match follow.forth() {
            Ok(()) => renamed.step.follows.push(follow.clone()),
            // What lies in the folder itself must say its name.
            Err(cause) if follow.path().starts_with(step.to.path()) => {
                return Err(match undo_all(std::slice::from_ref(&renamed)) {
                    Ok(()) => cause,
                    Err((left, _)) => {
                        io::Error::other(format!("{cause}; {} keeps its new name", left.display()))
                    }
                });
            }
            Err(cause) => renamed.left.push(follow::left_behind(follow, &cause)),
        }
    }
    if is_cut() {
        return cut();
    }
    marks::follow(&step.from, &step.to);
    Ok(renamed)
}

/// Gives every folder its old name back, the last first, and with it all that followed.
///
/// # Errors
/// The first folder that keeps its new name, and why; those after it in the list have their old ones.
pub fn undo(renamed: &[Renamed]) -> Result<(), (PathBuf, io::Error)> {
    for renamed in renamed {
        if let Some(problem) = held(state_now(&renamed.to)) {
            return Err((renamed.to.path().to_owned(), io::Error::other(problem)));
        }
    }
    // The journal leads to the old names: cut off here, the next start goes on with it.
    let moves: Vec<Move> = renamed.iter().map(|renamed| renamed.step.clone()).collect();
    let journal = Journal::begin(&moves)?;
    let done = undo_all(renamed);
    journal.end();
    done
}

fn undo_all(renamed: &[Renamed]) -> Result<(), (PathBuf, io::Error)> {
    for renamed in renamed.iter().rev() {
        let (from, to) = (renamed.from.path(), renamed.to.path());
        move_without_replacing(to, from).map_err(|cause| (to.to_owned(), cause))?;
        follow_back(&renamed.step);
    }
    Ok(())
}

/// What followed a folder follows it back; what was not done is passed over.
pub(super) fn follow_back(step: &Move) {
    for follow in step.follows.iter().rev() {
        let follow = follow.seen_from(step.to.path(), step.from.path());
        if let Err(cause) = follow.back() {
            log::warn!("{}", follow::left_behind(&follow, &cause));
        }
    }
    marks::follow(&step.to, &step.from);
}
