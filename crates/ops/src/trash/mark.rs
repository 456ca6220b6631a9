//! What this user has begun in which trash, in the user's own state folder. A journal in a tree
//! says what to do, and anybody may have written it; that it was this user who began it, only a
//! mark says. Without one nothing is finished at a start, and the list says how to finish it by
//! hand.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_with::{FromInto, serde_as};

use super::entry::Written;
use super::{Finished, PURGING, Trash, TrashError};
use crate::journal::{self, Journal};
use traintop_run::process::Process;
use traintop_run::state_dir::Storage;

/// The folder of marks in the user's state folder.
const FOLDER: &str = "trash";

/// An entry on which work has begun.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// Without links.
    #[serde_as(as = "FromInto<Written>")]
    root: PathBuf,
    id: String,
}

impl Trash {
    /// Notes in the user's state folder that work on an entry begins. If it cannot be written, the
    /// work continues without: a full home must not keep a user from making room.
    pub(super) fn mark(&self, id: &str) -> Option<Journal> {
        let mark = Mark {
            root: self.root.clone(),
            id: id.to_owned(),
        };
        Journal::begin(&self.storage, FOLDER, &mark)
            .map_err(|(path, cause)| log::warn!("{}: cannot be written: {cause}", path.display()))
            .ok()
    }

    /// The work is done. A mark that stays is ended by the next start, which finds nothing to do.
    pub(super) fn unmark(&self, mark: Option<Journal>) {
        let ended = mark.map_or(Ok(()), |mark| mark.end(&self.storage));
        if let Err((path, cause)) = ended {
            log::warn!("{}: is left behind: {cause}", path.display());
        }
    }

    /// A sentence for each of these folders, with and without a journal, on which work has begun,
    /// but not by this user from here.
    pub(super) fn unmarked(&self, names: &[(String, bool)]) -> Vec<String> {
        if names.is_empty() {
            return Vec::new();
        }
        let marked = RefCell::new(Vec::new());
        let note = |_: &Process, _| true;
        journal::recover(&self.storage, FOLDER, note, |_, mark: Mark, _| {
            marked.borrow_mut().push(mark);
            None
        });
        let marked = marked.into_inner();
        let is_marked = |id: &str| {
            let mut marked = marked.iter();
            marked.any(|mark| mark.root == self.root && mark.id == id)
        };
        let sentences = names.iter().filter_map(|(name, has_journal)| {
            let (what, id) = match name.strip_prefix(PURGING) {
                Some(id) => ("purge", id),
                None => ("restore", &name[..]),
            };
            let folder = self.entry_folder(name);
            let folder = folder.display();
            (!is_marked(id)).then(|| match has_journal {
                true => format!("{folder}: was left unfinished, and not by this user from here; `traintop trash {what} {id}` finishes it"),
                false => format!("{folder}: holds no journal and is left as it is; remove it by hand"),
            })
        });
        sentences.collect()
    }
}

/// Finishes what this user has begun in these trashes, one after another: what was done, and what
/// cannot be.
pub(super) fn recover(
    storage: &Storage,
    trashes: &[Trash],
    is_over: impl Fn(&Process, Duration) -> bool,
) -> (Vec<Finished>, Vec<TrashError>) {
    let (finished, errors) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let each = |journal: &Journal, mark: Mark, _: &Path| {
        // One of a root that is not open here waits for its turn.
        let trash = trashes.iter().find(|trash| trash.root == mark.root)?;
        match trash.finish(&mark.id) {
            Ok(sentence) => {
                finished
                    .borrow_mut()
                    .extend(sentence.map(|sentence| Finished {
                        root: mark.root,
                        id: mark.id,
                        sentence,
                    }));
                trash.unmark(Some(journal.clone()));
            }
            Err(error) => errors.borrow_mut().push(error),
        }
        None
    };
    let problems = journal::recover(storage, FOLDER, is_over, each).into_iter();
    let mut errors = errors.into_inner();
    errors.extend(problems.map(TrashError::Mark));
    (finished.into_inner(), errors)
}
