//! Removing entries for good. One rename decides; then the bytes go, and may take their time: nobody has to wait for them.

use std::io::ErrorKind;
use std::path::Path;

use super::{PURGING, Trash, TrashError};

impl Trash {
    /// Removes an entry for good, and returns the bytes that the disk got back.
    ///
    /// # Errors
    /// If there is no such entry, or the system refuses; what is left of it then is tried again at the next start.
    pub fn purge(&self, id: &str) -> Result<u64, TrashError> {
        self.entry(id)?;
        let (entry, purging) = {
            let _lock = self.lock()?;
            let entry = self.entry(id)?;
            let purging = self.folder().join(format!("{PURGING}{id}"));
            let failed = |cause| TrashError::io(self.entry_folder(id), "purged")(cause);
            self.disk
                .relocate(&self.entry_folder(id), &purging)
                .and_then(|()| self.disk.sync_folder(&self.folder()))
                .map_err(failed)?;
            (entry, purging)
        };
        self.delete(&purging)?;
        Ok(entry.bytes)
    }

    /// The names of entries that are being removed for good.
    pub(super) fn being_purged(&self) -> Result<Vec<String>, TrashError> {
        let names = match self.disk.names(&self.folder()) {
            Ok(names) => names,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(cause) => return Err(TrashError::io(self.folder(), "read")(cause)),
        };
        let names = names.into_iter().filter_map(|name| name.into_string().ok());
        Ok(names.filter(|name| name.starts_with(PURGING)).collect())
    }

    /// Removes a folder of the trash and all below it.
    pub(super) fn delete(&self, path: &Path) -> Result<(), TrashError> {
        let removed = self.disk.remove_tree(path);
        removed.map_err(TrashError::io(path, "purged"))
    }
}
