//! What a packing or unpacking is about to do, written down first; the next start finishes what a
//! program that was killed has left, or takes it back.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ArchiveError;
use crate::journal::{self, Journal};
use crate::trash;
use traintop_run::layout::RunDir;
use traintop_run::process::Process;
use traintop_run::state_dir::Storage;

/// The folder of journals in the user's state folder.
const FOLDER: &str = "archives";

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArchiveStep {
    /// A run is packed, or packing it is undone.
    Archive,
    /// It is unpacked.
    Unarchive,
}

/// All that is needed to continue it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveEntry {
    pub what: ArchiveStep,
    pub dir: RunDir,
    /// The roots whose trashes take what leaves its place.
    pub roots: Vec<PathBuf>,
    /// What goes to the trash once it is packed.
    pub removed: Vec<PathBuf>,
    /// What is made beside before it gets its name.
    pub temporary: PathBuf,
    /// When the run's folder had last changed before, in nanoseconds since 1970.
    pub modified_ns: i64,
}

/// Writes down what is about to be done.
pub fn begin(storage: &Storage, entry: &ArchiveEntry) -> Result<Journal, ArchiveError> {
    // Paths that are no text cannot be written as JSON: then it continues without, as where there
    // is no home.
    let is_text = serde_json::to_value(entry).is_ok();
    let nowhere = Storage {
        state: None,
        ..storage.clone()
    };
    let storage = if is_text { storage } else { &nowhere };
    Journal::begin(storage, FOLDER, entry)
        .map_err(|(path, cause)| ArchiveError::io(&path, "cannot be written")(cause))
}

/// Nothing is left to be done. A journal that stays is ended by the next start, which finds nothing
/// to do.
pub fn end(storage: &Storage, journal: &Journal) {
    if let Err((path, error)) = journal.end(storage) {
        log::warn!("{}: is left behind: {error}", path.display());
    }
}

/// Finishes what killed programs left, and says so in a sentence for each.
pub fn recover() -> Vec<String> {
    recover_on(&Storage::real(), journal::is_over)
}

/// As [`recover`], with this home.
pub(crate) fn recover_on(
    storage: &Storage,
    is_over: impl Fn(&Process, Duration) -> bool,
) -> Vec<String> {
    journal::recover(
        storage,
        FOLDER,
        &is_over,
        |journal, entry: ArchiveEntry, path| {
            let name = entry.dir.name();
            let what = match entry.what {
                ArchiveStep::Archive => format!("archiving {name} was cut off"),
                ArchiveStep::Unarchive => format!("restoring {name} was cut off"),
            };
            match entry.finish_interrupted(storage, &is_over) {
                Ok(sentence) => {
                    end(storage, journal);
                    sentence.map(|sentence| format!("{what}; {sentence}"))
                }
                Err(problem) => Some(format!(
                    "{what}, and cannot be finished ({problem}); `traintop unarchive` restores what is missing, then remove {}",
                    path.display()
                )),
            }
        },
    )
}

impl ArchiveEntry {
    /// Finishes it or takes it back, and says which; `None` if the run is not there any more.
    fn finish_interrupted(
        &self,
        storage: &Storage,
        is_over: &impl Fn(&Process, Duration) -> bool,
    ) -> Result<Option<String>, String> {
        let there = |path: &std::path::Path| {
            let stat = storage.disk.stat_if_exists(path);
            stat.map_err(|cause| format!("{}: {cause}", path.display()))
        };
        if there(self.dir.path())?.is_none() {
            return Ok(None);
        }
        let (_, problems) = trash::recover_below_on(storage, &self.roots, is_over);
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem);
        }
        let is_archived = there(&self.dir.archive())?.is_some();
        if self.what == ArchiveStep::Unarchive {
            let disk = storage.disk.beneath(self.dir.path());
            let cleared = disk.and_then(|disk| disk.remove_tree(&self.temporary));
            cleared.map_err(|cause| format!("{}: {cause}", self.temporary.display()))?;
            if is_archived {
                self.restore(storage).map_err(|error| error.to_string())?;
            }
            return Ok(Some("it is back whole".to_owned()));
        }
        let mut missing = 0;
        for path in &self.removed {
            missing += usize::from(there(path)?.is_none());
        }
        // The trash takes all or nothing; if there was nothing to move, the archive alone shows
        // that it is done.
        if is_archived && missing == self.removed.len() {
            // Another program may have archived the run while this one was packing it as well.
            let cleared = storage.disk.remove_if_there(&self.temporary);
            cleared.map_err(|cause| format!("{}: {cause}", self.temporary.display()))?;
            return Ok(Some("it is archived".to_owned()));
        }
        self.undo(storage, is_archived)?;
        Ok(Some("it is as it was before".to_owned()))
    }
}
