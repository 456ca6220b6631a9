//! The trash of a root, `ROOT/.trash/`: removed things stay there until they are restored or
//! purged. A removal is a rename on the same file system, so a terabyte takes no time and no space
//! elsewhere; a journal that is written first lets a process that was killed between any two steps
//! be finished or undone by the next.
//!
//! Anyone may have written what is in a tree. So a journal is checked when it is read, every call
//! goes through a descriptor of the root and follows no link, and only folders and journals that
//! belong to this user count. What was interrupted is finished automatically only if this user's
//! own state folder says that it was begun (`mark`).
//!
//! ```text
//! ROOT/.trash/lock                    held by the process that changes the trash
//! ROOT/.trash/20261124-140800/        one removal
//!   entry.json                        its journal
//!   0, 1, 2, ...                      the things
//!   new-0                             on its way to, or back from, the place of thing 0
//! ROOT/.trash/purging-20261124-140800/    being removed for good
//! ```

mod below;
mod entry;
mod error;
mod mark;
mod owner;
mod purge;
mod recover;
mod remove;
mod restore;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use traintop_disk::write::is_temporary;
use traintop_disk::{Disk, FileStat, Lock};
use traintop_run::state_dir::Storage;

pub use below::{
    Ticket, latest_below, list_below, recover_below, remove_below, restore_all, unfinished_below,
};
pub(super) use below::{check_on, recover_below_on, remove_below_on, restore_all_on};
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
    /// Confined to the root.
    disk: Arc<dyn Disk>,
    storage: Storage,
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
        Self::on(&Storage::real(), root)
    }

    pub(super) fn on(storage: &Storage, root: &Path) -> Result<Self, TrashError> {
        let failed = || TrashError::io(root, "searched");
        let root = storage.disk.resolve(root).map_err(failed())?;
        Ok(Self {
            disk: storage.disk.beneath(&root).map_err(failed())?,
            storage: storage.clone(),
            root,
        })
    }

    /// The root, without links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is in the trash, the newest first, and a sentence for each entry that cannot be used.
    /// Entries that another process of this user is at work on, or that the next start finishes,
    /// are not listed.
    ///
    /// # Errors
    /// If the folder cannot be read, or belongs to another user; A missing folder is not an error.
    pub fn list(&self) -> Result<(Vec<Entry>, Vec<String>), TrashError> {
        let (mut entries, mut problems) = (Vec::new(), Vec::new());
        let mut unfinished = Vec::new();
        for name in self.names()? {
            let is_purging = name.starts_with(PURGING);
            match self.read_entry(&name) {
                Ok(Some(entry)) if entry.stage == Stage::Kept && !is_purging => entries.push(entry),
                Ok(entry) => unfinished.push((name, entry.is_some())),
                Err(error) => problems.push(error.to_string()),
            }
        }
        problems.extend(self.unmarked(&unfinished));
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

    fn purging_folder(&self, id: &str) -> PathBuf {
        self.folder().join(format!("{PURGING}{id}"))
    }

    /// The names of the entries' folders, those that are being purged included, sorted; none if
    /// there is no trash. What does not have such a name is not the trash's, and left alone.
    fn names(&self) -> Result<Vec<String>, TrashError> {
        let failed = |cause| TrashError::io(self.folder(), "read")(cause);
        if self.stat(&self.folder())?.is_none() {
            return Ok(Vec::new());
        }
        self.require_own(&self.folder())?;
        let names = self.disk.names(&self.folder()).map_err(failed)?;
        let mut names: Vec<String> = names
            .into_iter()
            .filter_map(|name| name.into_string().ok())
            .filter(|name| entry::is_id(name.strip_prefix(PURGING).unwrap_or(name)))
            .collect();
        names.sort();
        Ok(names)
    }

    /// Refuses what is not a real folder of this user's: a link would carry everything out of the
    /// root, and the content of another user's folder may be exchanged at any time.
    fn require_own(&self, folder: &Path) -> Result<(), TrashError> {
        let metadata = self.disk.metadata(folder);
        let metadata = metadata.map_err(TrashError::io(folder, "used"))?;
        if !metadata.is_dir() {
            return Err(TrashError::NotOurs {
                path: folder.to_owned(),
                why: "must be a folder, and is not".to_owned(),
            });
        }
        require_owner(folder, &metadata)
    }

    /// Makes the trash's folder if need be, and waits for its lock.
    fn lock(&self) -> Result<Lock, TrashError> {
        let folder = self.folder();
        let root = self.stat(&self.root)?;
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
        self.require_own(&folder)?;
        let path = folder.join(LOCK);
        self.disk
            .lock(&path)
            .map_err(TrashError::io(&path, "locked"))
    }

    /// The entry of this id as it is now.
    fn entry(&self, id: &str) -> Result<Entry, TrashError> {
        // An id comes from people: it must not lead anywhere else.
        let known = entry::is_id(id) && self.stat(&self.entry_folder(id))?.is_some();
        let entry = if known { self.read_entry(id)? } else { None };
        entry.ok_or_else(|| self.unknown(id))
    }

    fn unknown(&self, id: &str) -> TrashError {
        TrashError::Unknown {
            id: id.to_owned(),
            root: self.root.clone(),
        }
    }

    /// The entry of this id that was left unfinished, also while it was purged.
    fn unfinished(&self, id: &str) -> Result<Option<Entry>, TrashError> {
        for name in [id.to_owned(), format!("{PURGING}{id}")] {
            if entry::is_id(id) && self.stat(&self.entry_folder(&name))?.is_some() {
                return self.read_entry(&name);
            }
        }
        Ok(None)
    }

    /// The journal in a folder of the trash, which must be this user's; `None` if there is none.
    fn read_entry(&self, name: &str) -> Result<Option<Entry>, TrashError> {
        let folder = self.entry_folder(name);
        self.require_own(&self.folder())?;
        self.require_own(&folder)?;
        let path = folder.join(entry::JOURNAL);
        let metadata = match self.disk.metadata(&path) {
            Ok(metadata) => metadata,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(TrashError::io(path, "read")(cause)),
        };
        require_owner(&path, &metadata)?;
        Entry::read(
            &*self.disk,
            &folder,
            name.strip_prefix(PURGING).unwrap_or(name),
        )
    }

    /// What is at a path; `None` if nothing is.
    fn stat(&self, path: &Path) -> Result<Option<FileStat>, TrashError> {
        let stat = self.disk.stat_if_exists(path);
        stat.map_err(TrashError::io(path, "read"))
    }

    /// Removes a folder of the trash that holds no removed thing any more: the journal last, since
    /// without it the folder's content is unknown.
    fn drop_folder(&self, folder: &Path, entry: Option<&Entry>) -> Result<(), TrashError> {
        let failed = |cause| TrashError::io(folder, "removed")(cause);
        let mut names = self.disk.names(folder).map_err(failed)?;
        // Anything that is not of the trash's own making is left, and the journal with it.
        if let Some(other) = names.iter().find(|name| !is_own_name(name, entry)) {
            return Err(TrashError::NotOurs {
                path: folder.join(other),
                why: "lies in the trash and is in no journal; move it by hand".to_owned(),
            });
        }
        names.sort_by_key(|name| name == entry::JOURNAL);
        for name in &names {
            self.disk.remove_file(&folder.join(name)).map_err(failed)?;
        }
        self.disk.remove_folder(folder).map_err(failed)
    }

    /// Removes what was written to take the place of these items and is of no use any more.
    fn drop_stand_ins<'a>(
        &self,
        id: &str,
        mut items: impl Iterator<Item = &'a Item>,
    ) -> Result<(), TrashError> {
        items
            .by_ref()
            .filter(|item| item.stand_in.is_some())
            .try_for_each(|item| {
                let path = self.stand_in(id, item);
                let removed = self.disk.remove_if_there(&path);
                removed.map_err(TrashError::io(path, "removed"))
            })
    }
}

fn require_owner(path: &Path, metadata: &Metadata) -> Result<(), TrashError> {
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() == user {
        return Ok(());
    }
    Err(TrashError::NotOurs {
        path: path.to_owned(),
        why: format!("belongs to another user (user id {})", metadata.uid()),
    })
}

/// Whether a name in an entry's folder is the journal, or a stand-in of an item in the journal.
/// Where no journal was written yet, stand-ins may be there already.
fn is_own_name(name: &OsString, entry: Option<&Entry>) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let slot = name.strip_prefix(STAND_IN);
    let slot = slot.and_then(|slot| slot.parse::<usize>().ok());
    let is_stand_in = slot.is_some_and(|slot| {
        entry.is_none_or(|entry| {
            let mut items = entry.items.iter();
            items.any(|item| item.slot == slot && item.stand_in.is_some())
        })
    });
    let is_half_a_journal = name.starts_with(".entry.json.") && is_temporary(name);
    name == entry::JOURNAL || is_half_a_journal || is_stand_in
}
