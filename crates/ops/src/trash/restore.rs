//! Putting things back to where they were: all of an entry, or nothing. A place that something else
//! has taken is refused, and never written over.

use std::path::{Path, PathBuf};

use super::entry::{Entry, Item, Stage};
use super::{PURGING, Trash, TrashError};

impl Trash {
    /// Puts everything of an entry back to its place, with the times of the folders it was in;
    /// returns where. Things of a run that was renamed go where the run is now. Folders that are no
    /// longer there are made.
    ///
    /// # Errors
    /// If there is no such entry, something else is at one of the places, or the system refuses;
    /// then all stays in the trash.
    pub fn restore(&self, id: &str) -> Result<Vec<PathBuf>, TrashError> {
        // A missing trash is reported without making one.
        self.entry(id)?;
        let _lock = self.lock()?;
        let mut entry = self.entry(id)?;
        if entry.stage != Stage::Kept {
            let places = self.places(&entry);
            self.finish_entry(entry)?;
            return Ok(places);
        }
        self.follow_owners(&mut entry)?;
        for item in &entry.items {
            self.is_free(item)?;
        }
        entry.made = self.missing_folders(&entry)?;
        let mut times = Vec::new();
        for folder in &mut entry.folders {
            let stat = self.stat(&self.root.join(&folder.path))?;
            times.extend(stat.map(|stat| (folder.path.clone(), stat.modified_ns)));
            folder.gives_back = match stat {
                Some(stat) => Some(stat.modified_ns) == folder.after_ns,
                None => true,
            };
        }
        entry.stage = Stage::Restoring;
        let mark = self.mark(id);
        let own = self.entry_folder(id);
        let mut moved = 0;
        let done = entry
            .write(&*self.disk, &own)
            .and_then(|()| self.move_out(&entry, &mut moved));
        if let Err(first) = done {
            return Err(match self.undo_restore(&mut entry, moved, &times) {
                Ok(()) => {
                    self.unmark(mark);
                    first
                }
                Err(second) => TrashError::HalfDone {
                    first: Box::new(first),
                    second: Box::new(second),
                },
            });
        }
        self.finish_restore(&entry)?;
        self.unmark(mark);
        Ok(self.places(&entry))
    }

    fn places(&self, entry: &Entry) -> Vec<PathBuf> {
        let items = entry.items.iter();
        items.map(|item| self.root.join(&item.path)).collect()
    }

    /// Whether an item's place is free, or holds only its stand-in.
    fn is_free(&self, item: &Item) -> Result<(), TrashError> {
        let path = self.root.join(&item.path);
        match self.stat(&path)? {
            Some(stat) if !Self::is_stand_in(item, &stat) => Err(TrashError::Taken { path }),
            _ => Ok(()),
        }
    }

    /// The folders that have to be made, outermost first. One that is a link by now could lead
    /// anywhere.
    fn missing_folders(&self, entry: &Entry) -> Result<Vec<PathBuf>, TrashError> {
        let mut missing: Vec<PathBuf> = Vec::new();
        for item in &entry.items {
            for folder in item.path.ancestors().skip(1) {
                let path = self.root.join(folder);
                if self.stat(&path)?.is_some() {
                    let failed = TrashError::io(&path, "restored into");
                    if self.disk.resolve(&path).map_err(failed)? != path {
                        return Err(TrashError::Taken { path });
                    }
                    break;
                }
                if !missing.iter().any(|known| known == folder) {
                    missing.push(folder.to_owned());
                }
            }
        }
        missing.sort();
        // A second one would be in its own way.
        let others = if missing.is_empty() {
            Vec::new()
        } else {
            self.others(&entry.id)?
        };
        for other in &others {
            let buries = |item: &&Item| missing.contains(&item.path);
            if let Some(item) = other.items.iter().find(buries) {
                return Err(TrashError::Buried {
                    path: self.root.join(&item.path),
                    id: other.id.clone(),
                });
            }
        }
        Ok(missing)
    }

    /// Every other entry. One that cannot be read now may hold a folder in question; a damaged one
    /// never shows it.
    fn others(&self, id: &str) -> Result<Vec<Entry>, TrashError> {
        let mut others = Vec::new();
        let names = self.names()?;
        let is_other = |name: &&String| *name != id && !name.starts_with(PURGING);
        for name in names.iter().filter(is_other) {
            match self.read_entry(name) {
                Ok(entry) => others.extend(entry),
                Err(TrashError::Damaged { .. } | TrashError::NotOurs { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(others)
    }

    fn make_folders(&self, entry: &Entry) -> Result<(), TrashError> {
        for folder in &entry.made {
            let path = self.root.join(folder);
            if self.stat(&path)?.is_none() {
                self.disk
                    .make_folder(&path)
                    .map_err(TrashError::io(path, "made"))?;
            }
        }
        Ok(())
    }

    fn move_out(&self, entry: &Entry, moved: &mut usize) -> Result<(), TrashError> {
        self.make_folders(entry)?;
        for item in &entry.items {
            // Counted first: what is cut off in the middle is checked when it is undone.
            *moved += 1;
            self.move_one_out(entry, item)?;
        }
        Ok(())
    }

    /// Restores one item and moves what replaced it to the trash.
    pub(super) fn move_one_out(&self, entry: &Entry, item: &Item) -> Result<(), TrashError> {
        let path = self.root.join(&item.path);
        let failed = |cause: std::io::Error| match cause.kind() {
            std::io::ErrorKind::AlreadyExists => TrashError::Taken { path: path.clone() },
            _ => TrashError::io(&path, "restored")(cause),
        };
        if self
            .stat(&path)?
            .is_some_and(|stat| Self::is_stand_in(item, &stat))
        {
            let aside = self.stand_in(&entry.id, item);
            self.disk.relocate(&path, &aside).map_err(failed)?;
        }
        self.disk
            .relocate(&self.slot(&entry.id, item), &path)
            .map_err(failed)
    }

    /// Undoes a restoration that failed: the first `moved` items may be at their places, and
    /// the folders changed at these times.
    fn undo_restore(
        &self,
        entry: &mut Entry,
        moved: usize,
        times: &[(PathBuf, i64)],
    ) -> Result<(), TrashError> {
        for item in entry.items[..moved].iter().rev() {
            let (path, slot) = (self.root.join(&item.path), self.slot(&entry.id, item));
            let failed = |cause| TrashError::io(&path, "moved to the trash again")(cause);
            if self.stat(&slot)?.is_none() {
                self.disk.relocate(&path, &slot).map_err(failed)?;
            }
            let aside = self.stand_in(&entry.id, item);
            if item.stand_in.is_some() && self.stat(&aside)?.is_some() {
                self.disk.relocate(&aside, &path).map_err(failed)?;
            }
        }
        for folder in entry.made.iter().rev() {
            let path = self.root.join(folder);
            // Another process may have put something there meanwhile: then it stays.
            let _ = self.disk.remove_folder(&path);
        }
        for (folder, modified_ns) in times {
            self.give_time(folder, *modified_ns)?;
        }
        entry.made.clear();
        entry.stage = Stage::Kept;
        entry.write(&*self.disk, &self.entry_folder(&entry.id))
    }

    /// Everything is at its place: the folders get their times back, and the entry is dropped.
    pub(super) fn finish_restore(&self, entry: &Entry) -> Result<(), TrashError> {
        self.sync(entry)?;
        for folder in entry.folders.iter().filter(|folder| folder.gives_back) {
            self.give_time(&folder.path, folder.before_ns)?;
        }
        self.drop_folder(&self.entry_folder(&entry.id), Some(entry))
    }

    /// Makes the folders that a cut-off restoration still needs, and puts the rest back. Returns
    /// the items whose place is taken.
    pub(super) fn go_on_restoring(&self, entry: &Entry) -> Result<Vec<Item>, TrashError> {
        self.make_folders(entry)?;
        let mut stuck = Vec::new();
        for item in &entry.items {
            if self.stat(&self.slot(&entry.id, item))?.is_none() {
                continue;
            }
            match self.move_one_out(entry, item) {
                Ok(()) => {}
                Err(TrashError::Taken { .. }) => stuck.push(item.clone()),
                Err(error) => return Err(error),
            }
        }
        Ok(stuck)
    }

    pub(super) fn give_time(&self, folder: &Path, modified_ns: i64) -> Result<(), TrashError> {
        let path = self.root.join(folder);
        match self.disk.set_modified(&path, modified_ns) {
            // It may itself be in the trash, or belong to another user: its time is not worth a
            // failure.
            Err(cause)
                if matches!(
                    cause.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied
                ) =>
            {
                Ok(())
            }
            done => done.map_err(TrashError::io(path, "given its time back")),
        }
    }
}
