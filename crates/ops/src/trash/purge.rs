//! Removing entries for good. One rename decides; then the bytes are freed in the background.

use super::entry::Entry;
use super::{Trash, TrashError, entry, is_own_name};

impl Trash {
    /// Removes an entry for good, and returns the bytes that the disk got back.
    ///
    /// # Errors
    /// If there is no such entry, or the system refuses; what is left of it then is tried again at
    /// the next start.
    pub fn purge(&self, id: &str) -> Result<u64, TrashError> {
        if !entry::is_id(id) {
            return Err(self.unknown(id));
        }
        let purging = self.purging_folder(id);
        // One that was cut off, and that no start finishes.
        if self.stat(&purging)?.is_some() {
            let _lock = self.lock()?;
            self.delete(id)?;
            return Ok(0);
        }
        self.entry(id)?;
        let (entry, mark) = {
            let _lock = self.lock()?;
            let entry = self.entry(id)?;
            self.holds_nothing_else(&entry)?;
            let mark = self.mark(id);
            let failed = |cause| TrashError::io(self.entry_folder(id), "purged")(cause);
            self.disk
                .relocate(&self.entry_folder(id), &purging)
                .and_then(|()| self.disk.sync_folder(&self.folder()))
                .map_err(failed)?;
            (entry, mark)
        };
        self.delete(id)?;
        self.unmark(mark);
        Ok(entry.bytes)
    }

    /// Refuses to purge an entry whose folder holds things that its journal does not list.
    fn holds_nothing_else(&self, entry: &Entry) -> Result<(), TrashError> {
        let folder = self.entry_folder(&entry.id);
        let names = self.disk.names(&folder);
        let names = names.map_err(TrashError::io(&folder, "read"))?;
        let is_slot = |name: &std::ffi::OsString| {
            let mut items = entry.items.iter();
            items.any(|item| *name == *item.slot.to_string())
        };
        let mut others = names
            .iter()
            .filter(|name| !is_slot(name) && !is_own_name(name, Some(entry)));
        others.next().map_or(Ok(()), |other| {
            Err(TrashError::NotOurs {
                path: folder.join(other),
                why: "lies in the trash and is in no journal; move it by hand".to_owned(),
            })
        })
    }

    /// Removes an entry that is being purged: what its journal lists, and nothing else.
    pub(super) fn delete(&self, id: &str) -> Result<(), TrashError> {
        let folder = self.purging_folder(id);
        let name = folder.file_name().and_then(|name| name.to_str());
        let entry = self.read_entry(name.unwrap_or_default())?;
        for item in entry.iter().flat_map(|entry| &entry.items) {
            let slot = folder.join(item.slot.to_string());
            let removed = self.disk.remove_tree(&slot);
            removed.map_err(TrashError::io(slot, "purged"))?;
        }
        self.drop_folder(&folder, entry.as_ref())
    }
}
