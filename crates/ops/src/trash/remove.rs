//! Moving things into the trash: all of them, or none.

use std::collections::btree_map::Entry::Vacant;
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;

use super::entry::{Entry, Folder, Item, Stage};
use super::{FOLDER, PURGING, STAND_IN, Trash, TrashError};
use crate::journal::Journal;
use traintop_disk::{FileStat, Kind};
use traintop_run::RunDir;
use traintop_run::size::Freed;

/// Writes what takes a removed file's place: the file as it is, and where to write.
pub type Rewrite = fn(&Path, &mut File) -> io::Result<()>;

/// Asked of each thing at the instant before it moves; an error is why it stays.
pub type Check<'a> = &'a mut dyn FnMut(&Path) -> Result<(), String>;

/// A file or folder to remove.
#[derive(Debug, Clone)]
pub struct Thing {
    pub path: PathBuf,
    /// What takes its place, if anything does.
    pub instead: Option<Rewrite>,
}

impl From<PathBuf> for Thing {
    fn from(path: PathBuf) -> Self {
        Self {
            path,
            instead: None,
        }
    }
}

/// What to remove, and what the journal says of it.
#[derive(Debug, Clone)]
pub struct Removal {
    /// The files and folders; things inside one that is named too are removed with it.
    pub things: Vec<Thing>,
    /// By which action: `clean`, `remove`.
    pub by: String,
    /// Why, as a sentence for people.
    pub why: String,
    pub now: Timestamp,
}

/// The result of a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// What is in the trash now; `None` if everything stayed.
    pub entry: Option<Entry>,
    /// What stayed where it is, and why.
    pub left: Vec<(PathBuf, String)>,
}

impl Trash {
    /// Moves things into the trash. Each is checked right before it moves; those that are refused
    /// stay, and are reported. If the system refuses any, all are restored.
    ///
    /// # Errors
    /// If a thing is outside the root or behind a link, or the system refuses to move one; then
    /// none has moved.
    pub fn remove(&self, removal: &Removal, check: Check) -> Result<Removed, TrashError> {
        let mut things: Vec<(PathBuf, Option<Rewrite>)> = Vec::new();
        let mut sorted: Vec<&Thing> = removal.things.iter().collect();
        sorted.sort_by(|a, b| a.path.cmp(&b.path));
        for thing in sorted {
            let below = self.below_root(&thing.path)?;
            let is_covered = things
                .last()
                .is_some_and(|(before, _)| below.starts_with(before));
            if !is_covered {
                things.push((below, thing.instead));
            }
        }
        if things.is_empty() {
            return Ok(Removed {
                entry: None,
                left: Vec::new(),
            });
        }
        let _lock = self.lock()?;
        let (mut entry, mark) = self.begin(removal, things)?;
        let mut left = Vec::new();
        let moved = self
            .move_in(&mut entry, check, &mut left)
            .and_then(|()| self.keep(&mut entry, &left));
        match moved {
            Ok(()) if entry.items.is_empty() => {
                self.drop_folder(&self.entry_folder(&entry.id), Some(&entry))?;
                self.unmark(mark);
                Ok(Removed { entry: None, left })
            }
            Ok(()) => {
                self.unmark(mark);
                Ok(Removed {
                    entry: Some(entry),
                    left,
                })
            }
            Err(first) => Err(match self.undo(entry) {
                Ok(_) => {
                    self.unmark(mark);
                    first
                }
                Err(second) => TrashError::HalfDone {
                    first: Box::new(first),
                    second: Box::new(second),
                },
            }),
        }
    }

    /// Restores what has moved. If the journal may say already that all is done, it first says
    /// otherwise: cut off in between, the next start restores the rest.
    fn undo(&self, mut entry: Entry) -> Result<String, TrashError> {
        if entry.stage == Stage::Kept {
            entry.stage = Stage::Moving;
            entry.write(&*self.disk, &self.entry_folder(&entry.id))?;
        }
        self.put_back(entry)
    }

    /// A path below the root, or why it is outside.
    fn below_root(&self, path: &Path) -> Result<PathBuf, TrashError> {
        let refused = |why: &str| TrashError::NotOurs {
            path: path.to_owned(),
            why: why.to_owned(),
        };
        if let Some(why) = RunDir::new(path).only_read() {
            return Err(refused(&why));
        }
        let parent = path.parent().unwrap_or(path);
        let parent = self
            .disk
            .resolve(parent)
            .map_err(TrashError::io(path, "moved to the trash"))?;
        let Some(name) = path.file_name() else {
            return Err(refused("must be a file or folder below its root"));
        };
        let whole = parent.join(name);
        match whole.strip_prefix(&self.root) {
            Ok(below) if below.starts_with(FOLDER) => Err(refused("is in the trash already")),
            Ok(below)
                if below
                    .components()
                    .all(|part| matches!(part, Component::Normal(_))) =>
            {
                Ok(below.to_owned())
            }
            _ => Err(refused(
                "is not below its root, or behind a link that leads out of it",
            )),
        }
    }

    /// Makes the entry's folder and writes, and syncs, its journal: from here on the next start
    /// knows what to do.
    fn begin(
        &self,
        removal: &Removal,
        things: Vec<(PathBuf, Option<Rewrite>)>,
    ) -> Result<(Entry, Option<Journal>), TrashError> {
        let (id, mark) = self.make_entry_folder(removal.now)?;
        let mut entry = Entry {
            id,
            removed_at: removal.now,
            by: removal.by.clone(),
            why: removal.why.clone(),
            stage: Stage::Moving,
            bytes: 0,
            items: Vec::new(),
            folders: Vec::new(),
            owners: Vec::new(),
            made: Vec::new(),
        };
        self.note_things(&mut entry, things)
            .and_then(|()| entry.write(&*self.disk, &self.entry_folder(&entry.id)))
            .and_then(|()| {
                self.disk
                    .sync_folder(&self.folder())
                    .map_err(TrashError::io(self.folder(), "written"))
            })
            .inspect_err(|_| {
                // Nothing has moved; what cannot be removed now is at the next start.
                let folder = self.entry_folder(&entry.id);
                if self.drop_folder(&folder, None).is_ok() {
                    self.unmark(mark.clone());
                }
            })?;
        Ok((entry, mark))
    }

    /// Makes the entry's folder, after a mark that it is this user's.
    fn make_entry_folder(&self, now: Timestamp) -> Result<(String, Option<Journal>), TrashError> {
        let stamp = now.strftime("%Y%m%d-%H%M%S").to_string();
        // Never a number below one that is there: of two removals in one second the later must be
        // known for it.
        let number_of = |name: &String| match name
            .strip_prefix(PURGING)
            .unwrap_or(name)
            .strip_prefix(&stamp)?
        {
            "" => Some(1),
            more => more.strip_prefix('-')?.parse::<u32>().ok(),
        };
        let last = self.names()?.iter().filter_map(number_of).max();
        for number in last.map_or(1, |last| last.saturating_add(1)).. {
            let id = if number == 1 {
                stamp.clone()
            } else {
                format!("{stamp}-{number}")
            };
            let folder = self.entry_folder(&id);
            let mark = self.mark(&id);
            match self.disk.make_folder(&folder) {
                Ok(()) => return Ok((id, mark)),
                Err(cause) => {
                    self.unmark(mark);
                    if cause.kind() != ErrorKind::AlreadyExists {
                        return Err(TrashError::io(folder, "made")(cause));
                    }
                }
            }
        }
        Err(TrashError::NotOurs {
            path: self.folder(),
            why: "every name of this second is taken".to_owned(),
        })
    }

    /// Records each thing, and writes its stand-in.
    fn note_things(
        &self,
        entry: &mut Entry,
        things: Vec<(PathBuf, Option<Rewrite>)>,
    ) -> Result<(), TrashError> {
        let mut folders = BTreeMap::new();
        let mut freed = Freed::default();
        let mut written = 0;
        for (slot, (below, instead)) in things.into_iter().enumerate() {
            let path = self.root.join(&below);
            let stat = self
                .disk
                .stat(&path)
                .map_err(TrashError::io(&path, "moved to the trash"))?;
            freed.add(&path);
            let mut item = Item {
                path: below,
                kind: stat.kind,
                slot,
                stand_in: None,
            };
            if let Some(rewrite) = instead {
                let new = self.stand_in(&entry.id, &item);
                let failed = |cause| TrashError::io(&path, "rewritten")(cause);
                let mut fill = |file: &mut File| rewrite(&path, file);
                self.disk.write(&new, &mut fill).map_err(failed)?;
                self.disk
                    .set_modified(&new, stat.modified_ns)
                    .map_err(failed)?;
                let stat = self.disk.stat(&new).map_err(failed)?;
                written += stat.length;
                item.stand_in = Some(stat);
            }
            let parent = item.path.parent().unwrap_or(Path::new("")).to_owned();
            if let Vacant(folder) = folders.entry(parent) {
                let whole = self.root.join(folder.key());
                let stat = self
                    .disk
                    .stat(&whole)
                    .map_err(TrashError::io(whole, "read"))?;
                // Things are in order, so those of one run mostly come one after the other.
                if let Some(owner) = self.owner(&item.path)?
                    && entry.owners.last() != Some(&owner)
                {
                    entry.owners.push(owner);
                }
                folder.insert(stat.modified_ns);
            }
            entry.items.push(item);
        }
        entry.bytes = freed.bytes().saturating_sub(written);
        entry.folders = folders
            .into_iter()
            .map(|(path, before_ns)| Folder {
                path,
                before_ns,
                after_ns: None,
                gives_back: false,
            })
            .collect();
        Ok(())
    }

    fn move_in(
        &self,
        entry: &mut Entry,
        check: Check,
        left: &mut Vec<(PathBuf, String)>,
    ) -> Result<(), TrashError> {
        for item in &entry.items {
            let path = self.root.join(&item.path);
            if let Err(why) = check(&path) {
                left.push((item.path.clone(), why));
                continue;
            }
            let failed = |cause| TrashError::io(&path, "moved to the trash")(cause);
            let parent = path.parent().unwrap_or(&self.root);
            // Since the first check, a folder may have been replaced by a link that leads
            // elsewhere.
            if self.disk.resolve(parent).map_err(failed)? != parent {
                return Err(TrashError::NotOurs {
                    path,
                    why: "is behind a link".to_owned(),
                });
            }
            self.disk
                .relocate(&path, &self.slot(&entry.id, item))
                .map_err(failed)?;
            if item.stand_in.is_some() {
                self.disk
                    .relocate(&self.stand_in(&entry.id, item), &path)
                    .map_err(TrashError::io(&path, "rewritten"))?;
            }
        }
        Ok(())
    }

    /// Marks the entry as done, once all names are on the disk.
    fn keep(&self, entry: &mut Entry, left: &[(PathBuf, String)]) -> Result<(), TrashError> {
        let paths: HashSet<&PathBuf> = left.iter().map(|(path, _)| path).collect();
        let is_left = |item: &Item| paths.contains(&item.path);
        if !left.is_empty() {
            let mut freed = Freed::default();
            self.drop_stand_ins(&entry.id, entry.items.iter().filter(|item| is_left(item)))?;
            entry.items.retain(|item| !is_left(item));
            for item in &entry.items {
                freed.add(&self.slot(&entry.id, item));
            }
            entry.bytes = entry.bytes.min(freed.bytes());
        }
        if entry.items.is_empty() {
            return Ok(());
        }
        self.sync(entry)?;
        for folder in &mut entry.folders {
            let path = self.root.join(&folder.path);
            let stat = self.stat(&path)?;
            folder.after_ns = stat.map(|stat| stat.modified_ns);
        }
        entry.stage = Stage::Kept;
        entry.write(&*self.disk, &self.entry_folder(&entry.id))
    }

    /// Waits until the names in the entry's folder, and in those that its things were in, are on
    /// the disk.
    pub(super) fn sync(&self, entry: &Entry) -> Result<(), TrashError> {
        let own = self.entry_folder(&entry.id);
        let others = entry
            .folders
            .iter()
            .map(|folder| self.root.join(&folder.path));
        for folder in std::iter::once(own).chain(others) {
            match self.disk.sync_folder(&folder) {
                // It may itself be in the trash by now.
                Err(cause) if cause.kind() == ErrorKind::NotFound => {}
                done => done.map_err(TrashError::io(folder, "written"))?,
            }
        }
        Ok(())
    }

    pub(super) fn slot(&self, id: &str, item: &Item) -> PathBuf {
        self.entry_folder(id).join(item.slot.to_string())
    }

    pub(super) fn stand_in(&self, id: &str, item: &Item) -> PathBuf {
        self.entry_folder(id)
            .join(format!("{STAND_IN}{}", item.slot))
    }

    /// Whether what is at an item's place is what was put there when it was removed, unchanged.
    pub(super) fn is_stand_in(item: &Item, stat: &FileStat) -> bool {
        stat.kind == Kind::File && item.stand_in.as_ref() == Some(stat)
    }
}
