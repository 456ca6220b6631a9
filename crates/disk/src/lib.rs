//! Every call that writes, locks, renames or removes. Operations on runs go through the trait
//! [`Disk`], so that tests can make each single call fail, or make it the last one before a power
//! cut. All else uses the functions in [`mod@read`] and [`mod@write`].

#![cfg_attr(test, allow(clippy::disallowed_macros, reason = "tests may print"))]
#![allow(
    clippy::disallowed_methods,
    reason = "everything else in the program does by way of this module what these methods do"
)]

mod beneath;
mod fail_point;
#[cfg(any(test, feature = "testing"))]
pub mod faulty;
pub mod read;
mod watched;
pub mod write;

pub use beneath::RootedDir;
pub use watched::{Progress, Watched};

use std::ffi::OsString;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{
    AtFlags, CWD, RenameFlags, Timespec, Timestamps, UTIME_OMIT, renameat_with, utimensat,
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use write::beside;

/// A temporary file older than this is abandoned: one hour.
const ABANDONED_NS: i64 = 3600 * 1_000_000_000;

/// Depth up to which a tree is removed through one descriptor.
const NEAR: usize = 15;

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A file with content.
    File,
    /// A folder, with all that is in it.
    Folder,
    /// A symbolic link: itself, not what it leads to.
    Link,
    /// A socket, pipe or device.
    Other,
}

/// What the file system says of a path, without following a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStat {
    pub kind: Kind,
    /// Its number on its file system.
    pub inode: u64,
    /// Its length in bytes.
    pub length: u64,
    /// When its content last changed, in nanoseconds since 1970.
    pub modified_ns: i64,
}

impl FileStat {
    /// What is at `path`.
    ///
    /// # Errors
    /// If there is nothing, or it cannot be seen.
    pub fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&fs::symlink_metadata(path)?))
    }

    /// Whether it is the same file, or a rewritten file with the same contents, as undoing a
    /// renaming makes.
    pub fn is_like(&self, other: &Self) -> bool {
        let inode = self.inode;
        *self == Self { inode, ..*other }
    }

    /// The stat in metadata that was read already.
    pub fn of(metadata: &Metadata) -> Self {
        let file_type = metadata.file_type();
        let kind = if file_type.is_dir() {
            Kind::Folder
        } else if file_type.is_symlink() {
            Kind::Link
        } else if file_type.is_file() {
            Kind::File
        } else {
            Kind::Other
        };
        let seconds_ns = metadata.mtime().saturating_mul(1_000_000_000);
        Self {
            kind,
            inode: metadata.ino(),
            length: metadata.len(),
            modified_ns: seconds_ns.saturating_add(metadata.mtime_nsec()),
        }
    }
}

/// A lock that ends when it is dropped, and with its process.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held for its end")] Option<File>);

/// What writes a new file's content.
pub type Fill<'a> = &'a mut dyn FnMut(&mut File) -> io::Result<()>;

/// The calls.
pub trait Disk: Send + Sync {
    /// The same disk confined to a folder: paths begin with `root`, no link below it is followed,
    /// and nothing outside is reached.
    fn beneath(&self, root: &Path) -> io::Result<Arc<dyn Disk>>;
    fn stat(&self, path: &Path) -> io::Result<FileStat>;
    /// All that the file system says of a path, without following a link.
    fn metadata(&self, path: &Path) -> io::Result<Metadata>;
    /// The path without links.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;
    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>>;
    /// A regular file's bytes, of which there are at most [`read::JOURNAL_LIMIT`].
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Waits for the lock on a file, which is made if need be.
    fn lock(&self, path: &Path) -> io::Result<Lock>;
    /// Waits for the lock on a folder.
    fn lock_folder(&self, path: &Path) -> io::Result<Lock>;
    /// Makes a folder that is not there.
    fn make_folder(&self, path: &Path) -> io::Result<()>;
    /// A file, to be read piece by piece.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>>;
    /// Where a symbolic link leads.
    fn read_link(&self, path: &Path) -> io::Result<PathBuf>;
    /// Writes a file of the program's own, and waits until it is on the disk.
    fn write(&self, path: &Path, fill: Fill) -> io::Result<()>;
    /// Makes a symbolic link that leads to `target`.
    fn make_link(&self, target: &Path, path: &Path) -> io::Result<()>;
    /// Gives a file another name.
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Renames over a file of the program's own.
    fn replace(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Renames; never over anything.
    fn relocate(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Waits until a folder's names are on the disk.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
    /// Sets when a file or folder last changed.
    fn set_modified(&self, path: &Path, modified_ns: i64) -> io::Result<()>;
    /// Sets who may read, write and enter a file or folder.
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()>;
    /// Removes anything but a folder, for good.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty folder.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;
}

/// What several calls together do.
impl dyn Disk + '_ {
    /// What is at a path; `None` if nothing is.
    pub fn stat_if_exists(&self, path: &Path) -> io::Result<Option<FileStat>> {
        absent_as_none(self.stat(path))
    }

    /// The text of a file; `None` if there is none.
    pub fn text(&self, path: &Path) -> io::Result<Option<String>> {
        let bytes = absent_as_none(self.read(path))?;
        let text = bytes.map(String::from_utf8).transpose();
        text.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
    }

    /// Makes a folder and those above it that are not there.
    pub fn make_folders(&self, path: &Path) -> io::Result<()> {
        if path.as_os_str().is_empty() || self.stat_if_exists(path)?.is_some() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.make_folders(parent)?;
        }
        match self.make_folder(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            done => done,
        }
    }

    /// Replaces a file by these bytes, dated so if a time is given: beside it first, onto the disk,
    /// then renamed over it. If that fails, the old file is untouched and nothing is left beside
    /// it.
    pub fn replace_file(&self, path: &Path, bytes: &[u8], dated: Option<i64>) -> io::Result<()> {
        let temporary = beside(path);
        let old = absent_as_none(self.metadata(path))?.filter(Metadata::is_file);
        let fill: Fill = &mut |file| {
            if let Some(old) = &old {
                write::keep_access(file, old, path)?;
            }
            file.write_all(bytes)
        };
        self.write(&temporary, fill)
            .and_then(|()| dated.map_or(Ok(()), |dated| self.set_modified(&temporary, dated)))
            .and_then(|()| self.replace(&temporary, path))
            .inspect_err(|_| drop(self.remove_file(&temporary)))?;
        if let Some(folder) = path.parent() {
            self.sweep(folder);
        }
        Ok(())
    }

    /// Removes what programs that were killed were writing in a folder. What cannot be removed is
    /// only untidy.
    pub fn sweep(&self, folder: &Path) {
        let names = self.names(folder).unwrap_or_default();
        let mut names: Vec<_> = names
            .iter()
            .filter_map(|name| name.to_str())
            .filter(|name| write::is_temporary(name))
            .collect();
        // An archive's are in its journal, and may be on their way to their name.
        names.retain(|name| !name.starts_with(".archive.tar.zst."));
        if names.is_empty() {
            return;
        }
        // The folder has just changed: its time is what the file system takes for now.
        let now_ns = self.stat(folder).map_or(0, |stat| stat.modified_ns);
        for name in names {
            let path = folder.join(name);
            let is_old = |stat: &FileStat| now_ns.saturating_sub(stat.modified_ns) > ABANDONED_NS;
            let is_left = self.stat(&path).is_ok_and(|stat| {
                stat.kind == Kind::File && (write::is_abandoned(name) || is_old(&stat))
            });
            if is_left {
                let _ = self.remove_file(&path);
            }
        }
    }

    /// Removes a file, or a folder and all below it, for good; what another process removes
    /// meanwhile is removed as well. Links are removed, not followed.
    ///
    /// A confined disk walks to each path from its folder, so deep in a tree the calls go through
    /// another disk, which is confined to a folder not far above: the work is proportional to what
    /// is removed. The nesting may be arbitrarily deep, so nothing here recurses.
    pub fn remove_tree(&self, path: &Path) -> io::Result<()> {
        let Some(stat) = self.stat_if_exists(path)? else {
            return Ok(());
        };
        if stat.kind != Kind::Folder {
            return self.remove_if_there(path);
        }
        let mut open = vec![Removing::inside(self, None, path.to_owned(), 0)?];
        while let Some(folder) = open.last_mut() {
            let disk = folder.disk.as_deref().unwrap_or(self);
            let Some(name) = folder.names.pop() else {
                let path = std::mem::take(&mut folder.path);
                open.pop();
                // Its name belongs to the folder above.
                let disk = open.last().and_then(|folder| folder.disk.as_deref());
                absent_as_none(disk.unwrap_or(self).remove_folder(&path))?;
                continue;
            };
            let path = folder.path.join(name);
            match disk.stat_if_exists(&path)? {
                None => {}
                Some(stat) if stat.kind == Kind::Folder => {
                    let (next, above) = if folder.above == NEAR {
                        (absent_as_none(disk.beneath(&path))?, 0)
                    } else {
                        (folder.disk.clone(), folder.above + 1)
                    };
                    open.push(Removing::inside(self, next, path, above)?);
                }
                Some(_) => disk.remove_if_there(&path)?,
            }
        }
        Ok(())
    }

    /// Removes a file, if it is there.
    pub fn remove_if_there(&self, path: &Path) -> io::Result<()> {
        absent_as_none(self.remove_file(path)).map(drop)
    }
}

/// A folder that is being removed.
struct Removing {
    /// What reaches it; `None` for the disk itself.
    disk: Option<Arc<dyn Disk>>,
    path: PathBuf,
    /// What is left in it.
    names: Vec<OsString>,
    /// How many folders are between it and the one to which its disk is confined.
    above: usize,
}

impl Removing {
    fn inside(
        asked: &dyn Disk,
        disk: Option<Arc<dyn Disk>>,
        path: PathBuf,
        above: usize,
    ) -> io::Result<Self> {
        let names = disk.as_deref().unwrap_or(asked).names(&path);
        Ok(Self {
            names: absent_as_none(names)?.unwrap_or_default(),
            disk,
            path,
            above,
        })
    }
}

fn absent_as_none<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The system's reason, with advice where it is not plain.
pub fn io_reason(cause: &io::Error) -> String {
    match cause.kind() {
        ErrorKind::StorageFull => "the disk is full".to_owned(),
        ErrorKind::QuotaExceeded => "your quota is used up".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        ErrorKind::PermissionDenied => "you may not change the folder it is in".to_owned(),
        ErrorKind::ResourceBusy => "something is mounted there, or it is in use".to_owned(),
        _ => cause.to_string(),
    }
}

/// The real one.
#[derive(Debug, Clone, Copy)]
pub struct System;

impl Disk for System {
    fn beneath(&self, root: &Path) -> io::Result<Arc<dyn Disk>> {
        Ok(Arc::new(beneath::RootedDir::new(root)?))
    }

    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        FileStat::at(path)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        fs::symlink_metadata(path)
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        path.canonicalize()
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let entries = fs::read_dir(folder)?;
        entries.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        read::bytes(path, read::JOURNAL_LIMIT)
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        locked(write::open_lock(path)?)
    }

    fn lock_folder(&self, path: &Path) -> io::Result<Lock> {
        fail_point::pass();
        locked(File::open(path)?)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        fail_point::pass();
        fs::create_dir(path)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(read::open(path)?))
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(path)
    }

    fn write(&self, path: &Path, fill: Fill) -> io::Result<()> {
        let mut out = write::create_new(path)?;
        fill(&mut out)?;
        out.sync_all()
    }

    fn make_link(&self, target: &Path, path: &Path) -> io::Result<()> {
        fail_point::pass();
        std::os::unix::fs::symlink(target, path)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fail_point::pass();
        fs::hard_link(from, to)
    }

    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        fail_point::pass();
        fs::rename(from, to)
    }

    fn relocate(&self, from: &Path, to: &Path) -> io::Result<()> {
        fail_point::pass();
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Some network file systems do not support this: then a check before must do.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                if fs::symlink_metadata(to).is_ok() {
                    return Err(Errno::EXIST.into());
                }
                fs::rename(from, to)
            }
            done => Ok(done?),
        }
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        fail_point::pass();
        synced(&File::open(path)?)
    }

    fn set_modified(&self, path: &Path, modified_ns: i64) -> io::Result<()> {
        fail_point::pass();
        let times = modified_at(modified_ns);
        Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        fail_point::pass();
        fs::set_permissions(path, Permissions::from_mode(mode))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fail_point::pass();
        fs::remove_file(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fail_point::pass();
        fs::remove_dir(path)
    }
}

/// For `utimensat`: the time of the last access stays.
fn modified_at(modified_ns: i64) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: modified_ns.div_euclid(1_000_000_000),
            tv_nsec: modified_ns.rem_euclid(1_000_000_000) as _,
        },
    }
}

fn synced(folder: &File) -> io::Result<()> {
    match folder.sync_all() {
        // Some file systems cannot sync folders, and say so in this way.
        Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
        done => done,
    }
}

fn locked(file: File) -> io::Result<Lock> {
    Ok(Lock(write::wait_for_lock(&file)?.then_some(file)))
}
