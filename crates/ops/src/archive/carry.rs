//! Archiving and restoring, with the trash for what leaves its place, and a journal for what is cut
//! off in between.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::pack::pack;
use super::recover::{self, ArchiveEntry, ArchiveStep};
use super::unpack::{Unpacked, set_folder_times, set_time, unpack};
use super::{ArchiveError, Plan};
use crate::rename::{held, state_now};
use crate::trash::{self, Removal, Thing, Ticket};
use traintop_disk::Progress;
use traintop_disk::write::{beside, may_change};
use traintop_disk::{Disk, FileStat, io_reason};
use traintop_run::layout::RunDir;
use traintop_run::state_dir::Storage;
use traintop_text::clean;

/// A run that is archived now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// The archive's length.
    pub bytes: u64,
    /// Where in the trash what was packed is.
    pub tickets: Vec<Ticket>,
    /// What it was doing until now, as the journal of taking it back needs it.
    pub(super) entry: ArchiveEntry,
}

/// A run that is back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unarchived {
    /// What was restored.
    pub unpacked: Unpacked,
    /// Where in the trash its archive is.
    tickets: Vec<Ticket>,
    roots: Vec<PathBuf>,
    /// The stats of what was restored.
    stats: Vec<(PathBuf, FileStat)>,
}

/// Packs a run, and moves what was packed to the trash.
///
/// # Errors
/// If it cannot be packed, or anything cannot be moved; then everything is as it was.
pub fn archive(roots: &[PathBuf], plan: &Plan) -> Result<Archived, ArchiveError> {
    archive_on(&Storage::real(), roots, plan)
}

/// As [`archive`], as a job that can be cancelled; then everything is as it was, too.
///
/// # Errors
/// Those of [`archive`], and if it is cancelled.
pub fn archive_watched(
    roots: &[PathBuf],
    plan: &Plan,
    progress: &Arc<Progress>,
) -> Result<Archived, ArchiveError> {
    archive_on(&Storage::watched(progress), roots, plan)
}

/// As [`archive`], with this home.
pub(crate) fn archive_on(
    storage: &Storage,
    roots: &[PathBuf],
    plan: &Plan,
) -> Result<Archived, ArchiveError> {
    let stat = storage.disk.stat(plan.dir.path());
    let stat = stat.map_err(ArchiveError::io(plan.dir.path(), "cannot be read"))?;
    let entry = ArchiveEntry {
        what: ArchiveStep::Archive,
        dir: plan.dir.clone(),
        roots: roots_of(roots, &plan.dir),
        removed: plan.removed.clone(),
        temporary: beside(&plan.dir.archive()),
        modified_ns: stat.modified_ns,
    };
    entry.check_trash(storage)?;
    entry.disk(storage)?.sweep(plan.dir.path());
    let journal = recover::begin(storage, &entry)?;
    let mut is_packed = false;
    match carry_out(storage, plan, &entry, &mut is_packed) {
        Ok(archived) => {
            recover::end(storage, &journal);
            Ok(archived)
        }
        Err(first) => Err(match entry.undo(storage, is_packed) {
            Ok(()) => {
                recover::end(storage, &journal);
                first
            }
            Err(second) => ArchiveError::HalfDone {
                first: Box::new(first),
                second,
            },
        }),
    }
}

fn carry_out(
    storage: &Storage,
    plan: &Plan,
    entry: &ArchiveEntry,
    is_packed: &mut bool,
) -> Result<Archived, ArchiveError> {
    let bytes = pack(&*entry.disk(storage)?, plan, &entry.temporary)?;
    *is_packed = true;
    let mut archived = Archived {
        bytes,
        tickets: Vec::new(),
        entry: entry.clone(),
    };
    if plan.removed.is_empty() {
        return Ok(archived);
    }
    let mut check = |_: &Path| held(state_now(&plan.dir)).map_or(Ok(()), Err);
    let removal = removal(plan.removed.clone(), "archive", &plan.dir);
    let removed = trash::remove_below_on(storage, &entry.roots, &removal, &mut check);
    let (tickets, removed) = removed.map_err(|error| refused(&plan.dir, &error.to_string()))?;
    if let Some((path, why)) = removed.iter().flat_map(|removed| &removed.left).next() {
        let mut problem = format!("{}: {why}", path.display());
        if let Err(error) = trash::restore_all_on(storage, &tickets) {
            problem = format!("{problem}; {error}");
        }
        return Err(refused(&plan.dir, &problem));
    }
    archived.tickets = tickets;
    Ok(archived)
}

fn refused(dir: &RunDir, problem: &str) -> ArchiveError {
    ArchiveError::Refused {
        name: clean(&dir.name()).into_owned(),
        problem: clean(problem).into_owned(),
    }
}

/// Takes an archiving back: what went to the trash is in its place again, and the archive is gone.
///
/// # Errors
/// If the trash cannot give it back; then the run stays archived.
pub fn undo(archived: &Archived) -> Result<(), ArchiveError> {
    undo_on(&Storage::real(), archived)
}

/// As [`undo`], with this home.
pub(crate) fn undo_on(storage: &Storage, archived: &Archived) -> Result<(), ArchiveError> {
    let entry = &archived.entry;
    let journal = recover::begin(storage, entry)?;
    if let Err(error) = trash::restore_all_on(storage, &archived.tickets) {
        // Once anything is back, the next start finishes it.
        let is_away = |path: &PathBuf| {
            storage
                .disk
                .stat_if_exists(path)
                .is_ok_and(|stat| stat.is_none())
        };
        if entry.removed.iter().all(is_away) {
            recover::end(storage, &journal);
        }
        return Err(refused(&entry.dir, &error.to_string()));
    }
    // What cannot be removed now, the next start removes.
    entry
        .undo(storage, true)
        .map_err(|problem| refused(&entry.dir, &format!("it is as before, but {problem}")))?;
    recover::end(storage, &journal);
    Ok(())
}

/// Brings an archived run back whole; the archive goes to the trash.
///
/// # Errors
/// If the archive is damaged or something cannot be written; the run is archived then as before.
pub fn unarchive(roots: &[PathBuf], dir: &RunDir) -> Result<Unarchived, ArchiveError> {
    unarchive_on(&Storage::real(), roots, dir)
}

/// As [`unarchive`], as a job that can be cancelled; then the run stays archived.
///
/// # Errors
/// Those of [`unarchive`], and if it is cancelled.
pub fn unarchive_watched(
    roots: &[PathBuf],
    dir: &RunDir,
    progress: &Arc<Progress>,
) -> Result<Unarchived, ArchiveError> {
    unarchive_on(&Storage::watched(progress), roots, dir)
}

/// As [`unarchive`], with this home.
pub(crate) fn unarchive_on(
    storage: &Storage,
    roots: &[PathBuf],
    dir: &RunDir,
) -> Result<Unarchived, ArchiveError> {
    restore(storage, roots, dir).map_err(ArchiveError::of_restoring)
}

fn restore(storage: &Storage, roots: &[PathBuf], dir: &RunDir) -> Result<Unarchived, ArchiveError> {
    let stat = storage.disk.stat(dir.path());
    let stat = stat.map_err(ArchiveError::io(dir.path(), "cannot be read"))?;
    let entry = ArchiveEntry {
        what: ArchiveStep::Unarchive,
        dir: dir.clone(),
        roots: roots_of(roots, dir),
        removed: Vec::new(),
        // Beside its final place, so that moving it takes no time; hidden, and known as temporary.
        temporary: beside(&dir.path().join("unarchived")),
        modified_ns: stat.modified_ns,
    };
    may_change(dir.path()).map_err(ArchiveError::io(dir.path(), "cannot be restored"))?;
    entry.check_trash(storage)?;
    let journal = recover::begin(storage, &entry)?;
    let done = entry.restore(storage);
    // What is left is the next start's: an archive beside what it holds, or what was unpacked
    // beside.
    let left = storage.disk.stat_if_exists(&entry.temporary);
    let is_clear = left.is_ok_and(|left| left.is_none());
    if is_clear && !matches!(done, Err(ArchiveError::Stays { .. })) {
        recover::end(storage, &journal);
    }
    let (unpacked, tickets) = done?;
    let mut stats = Vec::new();
    for below in &unpacked.files {
        let path = dir.path().join(below);
        stats.extend(storage.disk.stat(&path).ok().map(|stat| (path, stat)));
    }
    Ok(Unarchived {
        unpacked,
        tickets,
        roots: entry.roots,
        stats,
    })
}

impl ArchiveEntry {
    /// The disk, confined to the run's folder.
    fn disk(&self, storage: &Storage) -> Result<Arc<dyn Disk>, ArchiveError> {
        let disk = storage.disk.beneath(self.dir.path());
        disk.map_err(ArchiveError::io(self.dir.path(), "cannot be opened"))
    }

    /// Refuses before anything is written what the trash would refuse in the end.
    fn check_trash(&self, storage: &Storage) -> Result<(), ArchiveError> {
        let ready = trash::check_on(storage, &self.roots, &self.dir.archive());
        ready.map_err(|error| refused(&self.dir, &error.to_string()))
    }

    /// Unpacks what is missing, and moves the archive to the trash.
    pub(super) fn restore(
        &self,
        storage: &Storage,
    ) -> Result<(Unpacked, Vec<Ticket>), ArchiveError> {
        let dir = &self.dir;
        let disk = self.disk(storage)?;
        let unpacked = unpack(&*disk, dir, &self.temporary)?;
        let removal = removal(vec![dir.archive()], "unarchive", dir);
        let removed = trash::remove_below_on(storage, &self.roots, &removal, &mut |_| Ok(()));
        let (tickets, _) = removed.map_err(|error| ArchiveError::Stays {
            name: clean(&dir.name()).into_owned(),
            problem: clean(&error.to_string()).into_owned(),
        })?;
        set_folder_times(&*disk, dir, &unpacked);
        Ok((unpacked, tickets))
    }

    /// The archive goes, if it is of this packing and all that was packed is in its place, and the
    /// folder gets its time back.
    pub(super) fn undo(&self, storage: &Storage, is_packed: bool) -> Result<(), String> {
        let failed = |path: &Path, cause| {
            format!(
                "{}: cannot be removed ({})",
                path.display(),
                io_reason(&cause)
            )
        };
        let disk = self.disk(storage).map_err(|error| error.to_string())?;
        let remove = |path: &Path| {
            let removed = disk.remove_if_there(path);
            removed.map_err(|cause| failed(path, cause))
        };
        remove(&self.temporary)?;
        if is_packed {
            for path in &self.removed {
                let is_there = disk
                    .stat_if_exists(path)
                    .map_err(|cause| failed(path, cause))?;
                if is_there.is_none() {
                    return Err(format!("{}: is not in its place", path.display()));
                }
            }
            remove(&self.dir.archive())?;
        }
        set_time(&*disk, self.dir.path(), self.modified_ns);
        Ok(())
    }
}

/// Undoes a restore: the run is archived again, and what was restored is in the trash.
///
/// # Errors
/// If something of it has been changed since, or cannot be moved; then the run stays as it is.
pub fn undo_unarchive(dir: &RunDir, unarchived: &Unarchived) -> Result<(), ArchiveError> {
    undo_unarchive_on(&Storage::real(), dir, unarchived)
}

/// As [`undo_unarchive`], with this home.
pub(crate) fn undo_unarchive_on(
    storage: &Storage,
    dir: &RunDir,
    unarchived: &Unarchived,
) -> Result<(), ArchiveError> {
    if let Some(problem) = held(state_now(dir)) {
        return Err(refused(dir, &problem));
    }
    for (path, stat) in &unarchived.stats {
        if !storage.disk.stat(path).is_ok_and(|now| now == *stat) {
            let problem = format!(
                "{} has changed since it was restored; archive the run again instead",
                path.display()
            );
            return Err(refused(dir, &problem));
        }
    }
    let stat = storage.disk.stat(dir.path());
    let stat = stat.map_err(ArchiveError::io(dir.path(), "cannot be read"))?;
    let files: Vec<PathBuf> = unarchived
        .stats
        .iter()
        .map(|(path, _)| path.clone())
        .collect();
    let entry = ArchiveEntry {
        what: ArchiveStep::Archive,
        dir: dir.clone(),
        roots: unarchived.roots.clone(),
        removed: files.clone(),
        temporary: beside(&dir.archive()),
        modified_ns: stat.modified_ns,
    };
    let disk = entry.disk(storage)?;
    let journal = recover::begin(storage, &entry)?;
    let archived = trash::restore_all_on(storage, &unarchived.tickets)
        .map_err(|error| refused(dir, &error.to_string()))
        .and_then(|_| {
            let removal = removal(files, "archive", dir);
            if removal.things.is_empty() {
                return Ok(());
            }
            let removed = trash::remove_below_on(storage, &entry.roots, &removal, &mut |_| Ok(()));
            removed
                .map(drop)
                .map_err(|error| refused(dir, &error.to_string()))
        });
    match archived {
        Ok(()) => {
            for folder in unarchived.unpacked.made.iter().rev() {
                // Another process may have put something there meanwhile: then it stays.
                let _ = disk.remove_folder(&dir.path().join(folder));
            }
            recover::end(storage, &journal);
            Ok(())
        }
        // The archive stays in place beside what it holds: nothing is missing, and the next start
        // puts that right.
        Err(error) => Err(error),
    }
}

fn removal(paths: Vec<PathBuf>, by: &str, dir: &RunDir) -> Removal {
    Removal {
        things: paths.into_iter().map(Thing::from).collect(),
        by: by.to_owned(),
        why: format!("{by} of {}", clean(&dir.name())),
        now: Timestamp::now(),
    }
}

/// The roots whose trashes may take it; for a run outside all of them, the folder that it is in.
fn roots_of(roots: &[PathBuf], dir: &RunDir) -> Vec<PathBuf> {
    let below = |root: &PathBuf| {
        let root = root.canonicalize().ok()?;
        (dir.path() != root && dir.path().starts_with(&root)).then_some(root)
    };
    let own: Vec<PathBuf> = roots.iter().filter_map(below).collect();
    if !own.is_empty() {
        return own;
    }
    let tree = dir.output_tree().or_else(|| dir.path().parent());
    tree.into_iter().map(Path::to_owned).collect()
}
