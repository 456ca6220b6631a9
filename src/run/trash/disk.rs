//! Every call by which the trash reads or changes the disk, so that tests can let each single one fail, or let it be the last
//! before the power goes.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FlockOperation, Timespec, Timestamps, UTIME_OMIT, flock, utimensat,
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::run::rename::move_without_replacing;

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
pub struct Look {
    /// What it is.
    pub kind: Kind,
    /// Its number on its file system.
    pub inode: u64,
    /// Its length in bytes.
    pub length: u64,
    /// When its content last changed, in nanoseconds since 1970.
    pub modified_ns: i64,
}

impl Look {
    /// What is at `path`.
    ///
    /// # Errors
    /// If there is nothing, or it cannot be seen.
    pub fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&fs::symlink_metadata(path)?))
    }

    /// What the file system has said.
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
    /// What is at a path.
    fn look(&self, path: &Path) -> io::Result<Look>;
    /// The path without links.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;
    /// The names in a folder.
    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>>;
    /// A file's bytes.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Waits for the lock on a file, which is made if need be.
    fn lock(&self, path: &Path) -> io::Result<Lock>;
    /// Makes a folder that is not there.
    fn make_folder(&self, path: &Path) -> io::Result<()>;
    /// Writes a file of the trash's own, and waits until it is on the disk.
    fn write(&self, path: &Path, fill: Fill) -> io::Result<()>;
    /// Renames over a file of the trash's own.
    fn replace(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Renames; never over anything.
    fn relocate(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Waits until a folder's names are on the disk.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
    /// Sets when a file or folder last changed.
    fn set_modified(&self, path: &Path, modified_ns: i64) -> io::Result<()>;
    /// Removes anything but a folder, for good.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty folder.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;
}

/// The real one.
#[derive(Debug, Clone, Copy)]
pub struct System;

impl Disk for System {
    fn look(&self, path: &Path) -> io::Result<Look> {
        Look::at(path)
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        path.canonicalize()
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let entries = fs::read_dir(folder)?;
        entries.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        loop {
            match flock(&file, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(Lock(Some(file))),
                Err(Errno::INTR) => {}
                // Some network file systems know no locks; renames that never replace must do there.
                Err(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                    return Ok(Lock(None));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn write(&self, path: &Path, fill: Fill) -> io::Result<()> {
        let mut out = File::create(path)?;
        fill(&mut out)?;
        out.sync_all()
    }

    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn relocate(&self, from: &Path, to: &Path) -> io::Result<()> {
        move_without_replacing(from, to)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        match File::open(path)?.sync_all() {
            // Some file systems cannot sync folders, and say so in this way.
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
            done => done,
        }
    }

    fn set_modified(&self, path: &Path, modified_ns: i64) -> io::Result<()> {
        let times = Timestamps {
            last_access: Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_OMIT,
            },
            last_modification: Timespec {
                tv_sec: modified_ns.div_euclid(1_000_000_000),
                tv_nsec: modified_ns.rem_euclid(1_000_000_000) as _,
            },
        };
        Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }
}
