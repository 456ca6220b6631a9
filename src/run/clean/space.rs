//! How much room a disk has. A user's quota is not told: the system call for it wants the device, which network file systems,
//! where quotas matter most, do not have.

use std::io;
use std::path::Path;

use rustix::fs::statvfs;

/// A file system's room, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What the user may still write.
    pub free: u64,
    /// All there is.
    pub total: u64,
}

impl Space {
    /// Of the file system that a folder lies on.
    ///
    /// # Errors
    /// If the folder is not there, or its file system does not say.
    pub fn around(folder: &Path) -> io::Result<Self> {
        let said = statvfs(folder)?;
        Ok(Self {
            free: said.f_bavail.saturating_mul(said.f_frsize),
            total: said.f_blocks.saturating_mul(said.f_frsize),
        })
    }
}
