//! Archiving and bringing back, with the trash for what leaves its place.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::unpack::{Unpacked, set_folder_times, unpack};
use super::{ArchiveError, Plan, pack};
use crate::run::layout::RunDir;
use crate::run::rename::{held, state_now};
use crate::run::trash::{self, Removal, Thing, Ticket};
use crate::text::clean;

/// A run that is archived now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// The archive's length.
    pub bytes: u64,
    /// Where in the trash what was packed is.
    pub tickets: Vec<Ticket>,
}

/// Packs a run, and moves what was packed to the trash. Cut off in between, both are there, and bringing the run back ends it: nothing
/// is missing, and the archive goes.
///
/// # Errors
/// If it cannot be packed, or anything cannot be moved; then everything is as it was.
pub fn archive(roots: &[PathBuf], plan: &Plan) -> Result<Archived, ArchiveError> {
    let bytes = pack(plan)?;
    let path = plan.dir.archive();
    let mut check = |_: &Path| held(state_now(&plan.dir)).map_or(Ok(()), Err);
    let removed = if plan.removed.is_empty() {
        Ok((Vec::new(), Vec::new()))
    } else {
        let removal = removal(plan.removed.clone(), "archive", &plan.dir);
        trash::remove_below(&roots_of(roots, &plan.dir), &removal, &mut check)
    };
    let problem = match removed {
        Ok((tickets, removed)) => match removed.iter().flat_map(|removed| &removed.left).next() {
            None => return Ok(Archived { bytes, tickets }),
            Some((path, why)) => {
                let problem = format!("{}: {why}", path.display());
                match trash::restore_all(&tickets) {
                    Ok(_) => problem,
                    Err(error) => format!("{problem}; {error}"),
                }
            }
        },
        Err(error) => error.to_string(),
    };
    // What it holds is all in its place.
    let _ = fs::remove_file(&path);
    Err(ArchiveError::Refused {
        name: clean(&plan.dir.name()).into_owned(),
        problem: clean(&problem).into_owned(),
    })
}

/// Takes an archiving back: what went to the trash is in its place again, and the archive is gone.
///
/// # Errors
/// If the trash cannot give it back; then the run stays archived.
pub fn take_back(dir: &RunDir, archived: &Archived) -> Result<(), ArchiveError> {
    trash::restore_all(&archived.tickets).map_err(|error| ArchiveError::Refused {
        name: clean(&dir.name()).into_owned(),
        problem: clean(&error.to_string()).into_owned(),
    })?;
    let path = dir.archive();
    fs::remove_file(&path).map_err(ArchiveError::io(&path, "cannot be removed"))
}

/// Brings an archived run back whole; the archive goes to the trash.
///
/// # Errors
/// As [`unpack`]; the run is archived then as before.
pub fn unarchive(roots: &[PathBuf], dir: &RunDir) -> Result<Unpacked, ArchiveError> {
    let unpacked = unpack(dir)?;
    let removal = removal(vec![dir.archive()], "unarchive", dir);
    trash::remove_below(&roots_of(roots, dir), &removal, &mut |_| Ok(())).map_err(|error| {
        ArchiveError::Refused {
            name: clean(&dir.name()).into_owned(),
            problem: format!(
                "it is back, but its archive stays: {}",
                clean(&error.to_string())
            ),
        }
    })?;
    set_folder_times(dir, &unpacked);
    Ok(unpacked)
}

fn removal(paths: Vec<PathBuf>, by: &str, dir: &RunDir) -> Removal {
    Removal {
        things: paths.into_iter().map(Thing::from).collect(),
        by: by.to_owned(),
        why: format!("{by} of {}", clean(&dir.name())),
        now: Timestamp::now(),
    }
}

/// The roots whose trashes may take it; of a run that lies below none of them, the folder that it is in.
fn roots_of(roots: &[PathBuf], dir: &RunDir) -> Vec<PathBuf> {
    let is_below = |root: &PathBuf| {
        root.canonicalize()
            .is_ok_and(|root| dir.path() != root && dir.path().starts_with(root))
    };
    if roots.iter().any(is_below) {
        return roots.to_vec();
    }
    let tree = dir.output_tree().or_else(|| dir.path().parent());
    tree.into_iter().map(Path::to_owned).collect()
}
