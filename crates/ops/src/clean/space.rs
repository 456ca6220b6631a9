//! How much room there is: the file system's, and what of it a user may have.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

use super::quota::{self, Quota};
use traintop_text as text;

/// The room below a folder, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What the user may still write, as far as the file system says.
    pub free: u64,
    pub total: u64,
    /// The user's quota there, if there is one.
    pub quota: Option<Quota>,
}

/// The room below each of these folders that is there. This may wait for a file server, for as long
/// as [`quota::TIMEOUT`].
pub fn spaces(folders: &[PathBuf]) -> Vec<(PathBuf, Space)> {
    let quotas = quota::all();
    let of = |folder: &PathBuf| Some((folder.clone(), Space::around(folder, &quotas).ok()?));
    folders.iter().filter_map(of).collect()
}

impl Space {
    /// In words: `55 GB of 270 GB free, quota 18 GB of 20 GB used`.
    pub fn sentence(&self) -> String {
        let disk = format!(
            "{} of {} free",
            text::bytes(self.free),
            text::bytes(self.total)
        );
        match self.quota {
            Some(Quota { used, limit }) => {
                let (used, limit) = (text::bytes(used), text::bytes(limit));
                format!("{disk}, quota {used} of {limit} used")
            }
            None => disk,
        }
    }

    fn around(folder: &Path, quotas: &[(PathBuf, Quota)]) -> io::Result<Self> {
        let stat = statvfs(folder)?;
        Ok(Self {
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
            quota: quota::around(&folder.canonicalize()?, quotas),
        })
    }
}
