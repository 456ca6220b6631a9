//! The trash of a root, `ROOT/.trash/`: removed things lie there until they are restored or purged. A removal is a rename on the
//! same file system, so a terabyte takes no time and no space elsewhere; a journal that is written first lets a process that was
//! killed between any two steps be finished, or taken back, by the next.
//!
//! ```text
//! ROOT/.trash/lock                    held by whoever changes the trash
//! ROOT/.trash/20261124-140800/        one removal
//!   entry.json                        its journal
//!   0, 1, 2, ...                      the things
//!   new-0                             on its way to, or back from, the place of thing 0
//! ROOT/.trash/purging-20261124-140800/    being removed for good
//! ```

mod below;
mod entry;
mod error;
mod owner;
mod purge;
mod recover;
mod remove;
mod restore;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, Kind, Lock, Look, System};

pub use below::{Ticket, latest_below, list_below, recover_below, remove_below, restore_all};
pub(super) use below::{recover_below_on, remove_below_on, restore_all_on};
pub use entry::{Entry, Item, Stage};
pub use error::TrashError;
pub use recover::Finished;
pub use remove::{Check, Removal, Removed, Rewrite, Thing};

/// The trash's folder in a root. Hidden folders are not searched for runs.
pub const FOLDER: &str = ".trash";
const LOCK: &str = "lock";
/// What the name of an entry that is being removed for good begins with.
const PURGING: &str = "purging-";
/// What the name of something that takes a removed thing's place begins with.
const STAND_IN: &str = "new-";

/// The trash of one root.
pub struct Trash {
    /// Without links.
    root: PathBuf,
    disk: Arc<dyn Disk>,
}

impl fmt::Debug for Trash {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_tuple("Trash").field(&self.root).finish()
    }
}

impl Trash {
    /// The trash of a root; nothing is made yet.
    ///
    /// # Errors
    /// If the root is not there.
    pub fn of(root: &Path) -> Result<Self, TrashError> {
        Self::on(Arc::new(System), root)
    }

    pub(super) fn on(disk: Arc<dyn Disk>, root: &Path) -> Result<Self, TrashError> {
        let root = disk
            .resolve(root)
            .map_err(TrashError::io(root, "searched"))?;
        Ok(Self { root, disk })
    }

    /// The root, without links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is in the trash, the newest first, and a sentence for each entry that cannot be read. Entries that another process is
    /// at work on, or left unfinished, are not listed.
    ///
    /// # Errors
    /// If the folder cannot be read; that there is none is no error.
    pub fn list(&self) -> Result<(Vec<Entry>, Vec<String>), TrashError> {
        let (mut entries, mut problems) = (Vec::new(), Vec::new());
        for name in self.names()? {
            match Entry::read(&*self.disk, &self.folder().join(&name)) {
                Ok(entry) => entries.extend(entry.filter(|entry| entry.stage == Stage::Kept)),
                Err(error) => problems.push(error.to_string()),
            }
        }
        entries.sort_by(|a, b| {
            (b.removed_at, b.id.len(), &b.id).cmp(&(a.removed_at, a.id.len(), &a.id))
        });
        Ok((entries, problems))
    }

    fn folder(&self) -> PathBuf {
        self.root.join(FOLDER)
    }

    fn entry_folder(&self, id: &str) -> PathBuf {
        self.folder().join(id)
    }

    /// The names of the entries' folders, sorted; none if there is no trash.
    fn names(&self) -> Result<Vec<String>, TrashError> {
        let mut names: Vec<String> = match self.disk.names(&self.folder()) {
            Ok(names) => names
                .into_iter()
                .filter_map(|name| name.into_string().ok())
                .filter(|name| name != LOCK && !name.starts_with(PURGING))
                .collect(),
            Err(cause) if cause.kind() == ErrorKind::NotFound => Vec::new(),
            Err(cause) => return Err(TrashError::io(self.folder(), "read")(cause)),
        };
        names.sort();
        Ok(names)
    }

    /// Makes the trash's folder if need be, and waits for its lock.
    fn lock(&self) -> Result<Lock, TrashError> {
        let folder = self.folder();
        let root = self.look(&self.root)?;
        match self.disk.make_folder(&folder) {
            Ok(()) => {
                self.disk
                    .sync_folder(&self.root)
                    .map_err(TrashError::io(&folder, "made"))?;
                // That there is a trash now is no change of the root that anybody should see.
                if let Some(root) = root {
                    self.give_time(Path::new(""), root.modified_ns)?;
                }
            }
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
            Err(cause) => return Err(TrashError::io(&folder, "made")(cause)),
        }
        // A link in its place would carry everything out of the root.
        let look = self.disk.look(&folder);
        if look.map_err(TrashError::io(&folder, "used"))?.kind != Kind::Folder {
            return Err(TrashError::NotOurs {
                path: folder,
                why: "must be a folder, and is not".to_owned(),
            });
        }
        let path = folder.join(LOCK);
        self.disk
            .lock(&path)
            .map_err(TrashError::io(&path, "locked"))
    }

    /// The entry of this id as it is now.
    fn entry(&self, id: &str) -> Result<Entry, TrashError> {
        let unknown = || TrashError::Unknown {
            id: id.to_owned(),
            root: self.root.clone(),
        };
        // An id comes from people: it must not lead anywhere else.
        if id.is_empty() || id.contains('/') || id.starts_with('.') {
            return Err(unknown());
        }
        Entry::read(&*self.disk, &self.entry_folder(id))?.ok_or_else(unknown)
    }

    /// What is at a path; `None` if nothing is.
    fn look(&self, path: &Path) -> Result<Option<Look>, TrashError> {
        let look = self.disk.look_for(path);
        look.map_err(TrashError::io(path, "looked at"))
    }

    /// Removes an entry's folder, in which no removed thing is left: the journal last, since without it nobody knows what lay there.
    fn drop_folder(&self, id: &str) -> Result<(), TrashError> {
        let folder = self.entry_folder(id);
        let failed = |cause| TrashError::io(&folder, "removed")(cause);
        let mut names: Vec<PathBuf> = self
            .disk
            .names(&folder)
            .map_err(failed)?
            .into_iter()
            .map(PathBuf::from)
            .collect();
        // Anything that is not of the trash's own making is left, and the journal with it.
        let is_own = |name: &Path| {
            let name = name.to_string_lossy();
            name.starts_with(STAND_IN)
                || name.starts_with(entry::JOURNAL)
                || crate::disk::write::is_temporary(&name)
        };
        if let Some(other) = names.iter().find(|name| !is_own(name)) {
            return Err(TrashError::NotOurs {
                path: folder.join(other),
                why: "lies in the trash and is in no journal; move it by hand".to_owned(),
            });
        }
        names.sort_by_key(|name| name.as_os_str() == entry::JOURNAL);
        for name in &names {
            self.disk.remove_file(&folder.join(name)).map_err(failed)?;
        }
        self.disk.remove_folder(&folder).map_err(failed)
    }
}
