//! The journal of one removal: what was moved, from where, why, when and by what, and how far it
//! has come. It is on the disk before the first thing moves.

use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_with::{FromInto, serde_as};

use super::FOLDER;
use super::error::TrashError;
use super::owner::Owner;
use traintop_disk::{Disk, FileStat, Kind};

/// The journal's name in an entry's folder.
pub(super) const JOURNAL: &str = "entry.json";

/// How far an entry has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Things are being moved into the trash; cut off, they are restored.
    Moving,
    /// All are in the trash.
    Kept,
    /// They are being restored; cut off, the rest follows.
    Restoring,
}

/// One removal, which is restored or purged as a whole.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The folder's name in the trash: the time, and a number where a second has several.
    pub id: String,
    pub removed_at: Timestamp,
    /// By which action: `clean`, `remove`.
    pub by: String,
    /// Why, as a sentence for people.
    pub why: String,
    /// How far it has come.
    pub stage: Stage,
    /// What purging it frees, in bytes.
    pub bytes: u64,
    /// What was removed.
    pub items: Vec<Item>,
    pub(super) folders: Vec<Folder>,
    /// The runs it was in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) owners: Vec<Owner>,
    /// Folders that had to be made to put things back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde_as(as = "Vec<FromInto<Written>>")]
    pub(super) made: Vec<PathBuf>,
}

/// A file or folder that was removed.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Where it was, below the root.
    #[serde_as(as = "FromInto<Written>")]
    pub path: PathBuf,
    pub kind: Kind,
    /// Its name in the entry's folder.
    pub(super) slot: usize,
    /// What was put in its place, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stand_in: Option<FileStat>,
}

/// A folder that things were taken out of.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Folder {
    /// Below the root.
    #[serde_as(as = "FromInto<Written>")]
    pub path: PathBuf,
    /// When it had last changed before, and right after, in nanoseconds since 1970.
    pub before_ns: i64,
    pub after_ns: Option<i64>,
    /// Whether it was unchanged until the restore, so that it gets its time back.
    #[serde(default)]
    pub gives_back: bool,
}

impl Entry {
    /// Reads and checks the journal of this id in an entry's folder; `None` if there is none.
    pub(super) fn read(
        disk: &dyn Disk,
        folder: &Path,
        id: &str,
    ) -> Result<Option<Self>, TrashError> {
        let path = folder.join(JOURNAL);
        let bytes = match disk.read(&path) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(TrashError::io(path, "read")(cause)),
        };
        let read = serde_json::from_slice(&bytes).map_err(|cause| cause.to_string());
        let checked = read.and_then(|entry: Self| entry.checked(id));
        checked
            .map(Some)
            .map_err(|cause| TrashError::Damaged { path, cause })
    }

    /// The entry, if all that it says is about this id and about places in the root, outside of the
    /// trash.
    fn checked(self, id: &str) -> Result<Self, String> {
        if self.id != id {
            return Err(format!("it says that it is of {:?}", self.id));
        }
        let named = |path: &Path| path.display().to_string();
        let (mut slots, mut paths) = (HashSet::new(), HashSet::new());
        for item in &self.items {
            if item.path.as_os_str().is_empty() || !is_place(&item.path) {
                return Err(format!(
                    "{:?} is no place below the root",
                    named(&item.path)
                ));
            }
            if !slots.insert(item.slot) || !paths.insert(&item.path) {
                return Err(format!("{:?} is in it twice", named(&item.path)));
            }
            let stand_in = item.stand_in.as_ref();
            if stand_in.is_some_and(|stat| stat.kind != Kind::File || item.kind != Kind::File) {
                return Err(format!(
                    "only a file may stand in for {:?}",
                    named(&item.path)
                ));
            }
        }
        if let Some(folder) = self.folders.iter().find(|folder| !is_place(&folder.path)) {
            return Err(format!(
                "{:?} is no folder in the root",
                named(&folder.path)
            ));
        }
        let is_owner = |path: &Path| !path.as_os_str().is_empty() && is_place(path);
        if let Some(owner) = self.owners.iter().find(|owner| !is_owner(&owner.path)) {
            let path = named(&owner.path);
            return Err(format!("{path:?} is no run below the root"));
        }
        let is_needed = |made: &PathBuf| {
            let mut items = self.items.iter();
            !made.as_os_str().is_empty()
                && is_place(made)
                && items.any(|item| item.path != *made && item.path.starts_with(made))
        };
        if let Some(made) = self.made.iter().find(|made| !is_needed(made)) {
            return Err(format!(
                "nothing in it belongs into a folder {:?}",
                named(made)
            ));
        }
        Ok(self)
    }

    /// Replaces the journal, and waits until it is on the disk.
    pub(super) fn write(&self, disk: &dyn Disk, folder: &Path) -> Result<(), TrashError> {
        let path = folder.join(JOURNAL);
        let failed = |cause| TrashError::io(path.clone(), "written")(cause);
        let bytes = serde_json::to_vec(self).map_err(|cause| failed(cause.into()))?;
        disk.replace_file(&path, &bytes, None)
            .and_then(|()| disk.sync_folder(folder))
            .map_err(failed)
    }

    /// Whether it was removed at least this many days before `now`.
    pub fn is_older_than(&self, days: u32, now: Timestamp) -> bool {
        now.duration_since(self.removed_at) >= SignedDuration::from_hours(24 * i64::from(days))
    }

    /// The number of things, in words: `3 files`, `1 folder`, `5 things`.
    pub fn count(&self) -> String {
        let count = self.items.len();
        let all = |kind| self.items.iter().all(|item| item.kind == kind);
        let noun = if all(Kind::File) {
            "file"
        } else if all(Kind::Folder) {
            "folder"
        } else {
            "thing"
        };
        let plural = if count == 1 { "" } else { "s" };
        format!("{} {noun}{plural}", traintop_text::count(count as u64))
    }
}

/// Whether a name is one that an entry's folder has: `20261124-140800`, or `20261124-140800-2`.
pub(super) fn is_id(name: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = name.split('-').collect();
    (2..=3).contains(&parts.len()) && parts.into_iter().all(is_number)
}

/// Whether a path leads from the root to a place in it, spelled in the one way in which journals
/// spell it: not out of it, and not into the trash. Empty for the root itself.
fn is_place(path: &Path) -> bool {
    let parts = || path.components();
    parts().all(|part| matches!(part, Component::Normal(_)))
        && parts().next() != Some(Component::Normal(FOLDER.as_ref()))
        && parts().collect::<PathBuf>().as_os_str() == path.as_os_str()
        && !path.as_os_str().as_bytes().contains(&0)
}

/// Paths need not be UTF-8: those that are not, are lists of bytes.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Written {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<PathBuf> for Written {
    fn from(path: PathBuf) -> Self {
        path.into_os_string()
            .into_string()
            .map_or_else(|bytes| Self::Bytes(bytes.into_vec()), Self::Text)
    }
}

impl From<Written> for PathBuf {
    fn from(written: Written) -> Self {
        match written {
            Written::Text(text) => text.into(),
            Written::Bytes(bytes) => OsString::from_vec(bytes).into(),
        }
    }
}
