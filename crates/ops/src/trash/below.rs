//! The trashes of several roots as one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::remove::{Check, Removal, Removed};
use super::{Entry, Finished, Trash, TrashError, mark};
use crate::journal;
use traintop_run::process::Process;
use traintop_run::state_dir::Storage;

/// Names an entry among several trashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// The root whose trash holds it.
    pub root: PathBuf,
    pub id: String,
}

/// The root above a path, the innermost where there are several.
fn root_of<'a>(roots: &'a [Trash], path: &Path) -> Option<&'a Trash> {
    let parent = path.parent()?.canonicalize().ok()?;
    let holding = roots.iter().filter(|trash| parent.starts_with(&trash.root));
    holding.max_by_key(|trash| trash.root.as_os_str().len())
}

/// The trashes of those roots that are there; each once.
fn trashes(storage: &Storage, roots: &[PathBuf]) -> Vec<Trash> {
    let mut trashes: Vec<Trash> = roots
        .iter()
        .filter_map(|root| Trash::on(storage, root).ok())
        .collect();
    trashes.sort_by(|a, b| a.root.cmp(&b.root));
    trashes.dedup_by(|a, b| a.root == b.root);
    trashes
}

/// Removes things below any of these roots, each into the trash of its own root: see
/// [`Trash::remove`].
///
/// # Errors
/// If one is outside all of them, or cannot be moved; then none has moved.
pub fn remove_below(
    roots: &[PathBuf],
    removal: &Removal,
    check: Check,
) -> Result<(Vec<Ticket>, Vec<Removed>), TrashError> {
    remove_below_on(&Storage::real(), roots, removal, check)
}

/// As [`remove_below`], with this home.
pub(crate) fn remove_below_on(
    storage: &Storage,
    roots: &[PathBuf],
    removal: &Removal,
    check: Check,
) -> Result<(Vec<Ticket>, Vec<Removed>), TrashError> {
    let trashes = trashes(storage, roots);
    let mut parts: Vec<(&Trash, Removal)> = Vec::new();
    for thing in &removal.things {
        let Some(trash) = root_of(&trashes, &thing.path) else {
            return Err(TrashError::NotOurs {
                path: thing.path.clone(),
                why: "is not below any of the roots".to_owned(),
            });
        };
        match parts.iter_mut().find(|(other, _)| other.root == trash.root) {
            Some((_, part)) => part.things.push(thing.clone()),
            None => {
                let part = Removal {
                    things: vec![thing.clone()],
                    ..removal.clone()
                };
                parts.push((trash, part));
            }
        }
    }
    let (mut tickets, mut removed) = (Vec::new(), Vec::new());
    for (trash, part) in parts {
        match trash.remove(&part, check) {
            Ok(done) => {
                tickets.extend(done.entry.as_ref().map(|entry| Ticket {
                    root: trash.root.clone(),
                    id: entry.id.clone(),
                }));
                removed.push(done);
            }
            Err(first) => {
                return Err(match restore_all_on(storage, &tickets) {
                    Ok(_) => first,
                    Err(second) => TrashError::HalfDone {
                        first: Box::new(first),
                        second: Box::new(second),
                    },
                });
            }
        }
    }
    Ok((tickets, removed))
}

/// Whether the trash of the root above a path can be used now.
///
/// # Errors
/// Why not.
pub(crate) fn check_on(
    storage: &Storage,
    roots: &[PathBuf],
    path: &Path,
) -> Result<(), TrashError> {
    let trashes = trashes(storage, roots);
    // A path outside all roots is refused when it is moved.
    root_of(&trashes, path).map_or(Ok(()), |trash| trash.lock().map(drop))
}

/// What is in the trashes of these roots, the newest first, and a sentence for each that cannot be
/// read.
pub fn list_below(roots: &[PathBuf]) -> (Vec<(Ticket, Entry)>, Vec<String>) {
    let (mut listed, mut problems) = (Vec::new(), Vec::new());
    for trash in trashes(&Storage::real(), roots) {
        match trash.list() {
            Ok((entries, mut bad)) => {
                listed.extend(entries.into_iter().map(|entry| {
                    let ticket = Ticket {
                        root: trash.root.clone(),
                        id: entry.id.clone(),
                    };
                    (ticket, entry)
                }));
                problems.append(&mut bad);
            }
            Err(error) => problems.push(error.to_string()),
        }
    }
    listed.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.removed_at));
    (listed, problems)
}

/// What was left unfinished under an id in the trashes of these roots, and no start finishes: see
/// [`Trash::list`].
///
/// # Errors
/// If it cannot be read.
pub fn unfinished_below(
    roots: &[PathBuf],
    id: &str,
) -> Result<Option<(Ticket, Entry)>, TrashError> {
    for trash in trashes(&Storage::real(), roots) {
        if let Some(entry) = trash.unfinished(id)? {
            let (root, id) = (trash.root, id.to_owned());
            return Ok(Some((Ticket { root, id }, entry)));
        }
    }
    Ok(None)
}

/// The last removal below these roots: one for each root whose things went at the same time by the
/// same action.
pub fn latest_below(roots: &[PathBuf]) -> Vec<(Ticket, Entry)> {
    let mut listed = list_below(roots).0.into_iter();
    let Some(first) = listed.next() else {
        return Vec::new();
    };
    let mut latest = vec![first];
    for next in listed {
        let (ticket, entry) = &latest[0];
        let is_same = next.1.removed_at == entry.removed_at && next.1.by == entry.by;
        if is_same && next.0.root != ticket.root {
            latest.push(next);
        }
    }
    latest
}

/// Restores these entries, the last first; returns where the things are.
///
/// # Errors
/// The first that cannot be restored, and why; those after it in the list are.
pub fn restore_all(tickets: &[Ticket]) -> Result<Vec<PathBuf>, TrashError> {
    restore_all_on(&Storage::real(), tickets)
}

/// As [`restore_all`], with this home.
pub(crate) fn restore_all_on(
    storage: &Storage,
    tickets: &[Ticket],
) -> Result<Vec<PathBuf>, TrashError> {
    let mut places = Vec::new();
    for ticket in tickets.iter().rev() {
        let trash = Trash::on(storage, &ticket.root)?;
        places.append(&mut trash.restore(&ticket.id)?);
    }
    Ok(places)
}

/// Finishes what was left unfinished in the trashes of these roots: see [`Trash::recover`].
pub fn recover_below(roots: &[PathBuf]) -> (Vec<Finished>, Vec<String>) {
    recover_below_on(&Storage::real(), roots, journal::is_over)
}

/// As [`recover_below`], with this home.
pub(crate) fn recover_below_on(
    storage: &Storage,
    roots: &[PathBuf],
    is_over: impl Fn(&Process, Duration) -> bool,
) -> (Vec<Finished>, Vec<String>) {
    let (finished, errors) = mark::recover(storage, &trashes(storage, roots), is_over);
    let problems = errors.iter().map(ToString::to_string).collect();
    (finished, problems)
}
