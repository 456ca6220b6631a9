//! What removing a folder would free.

use std::collections::{HashMap, HashSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::layout::RunDir;

/// Bytes that a run takes on the disk; `None` of one that lies in a database with others.
pub fn of_run(dir: &RunDir) -> Option<u64> {
    dir.database().is_none().then(|| on_disk(dir.path()))
}

/// Bytes that the files below `path` take on the disk: allocated blocks, so that sparse files count
/// what they hold; a file with several names once; links not followed. What cannot be read counts
/// nothing.
pub fn on_disk(path: &Path) -> u64 {
    let mut seen = HashSet::new();
    let mut total = 0;
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.nlink() > 1
                && !metadata.is_dir()
                && !seen.insert((metadata.dev(), metadata.ino()))
            {
                continue;
            }
            total += metadata.blocks() * 512;
            if metadata.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    total
}

/// What one file or folder itself takes on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Allocated blocks, in bytes: holes take nothing.
    pub bytes: u64,
    /// Of a file with several names.
    pub linked: Option<Linked>,
}

/// A file with several names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linked {
    device: u64,
    inode: u64,
    /// How many names it has.
    names: u64,
}

impl Taken {
    /// This many bytes, none of them shared through hard links.
    pub fn plain(bytes: u64) -> Self {
        Self {
            bytes,
            linked: None,
        }
    }

    /// As the file system says.
    pub fn of(metadata: &Metadata) -> Self {
        let several = metadata.nlink() > 1 && !metadata.is_dir();
        Self {
            bytes: metadata.blocks() * 512,
            linked: several.then(|| Linked {
                device: metadata.dev(),
                inode: metadata.ino(),
                names: metadata.nlink(),
            }),
        }
    }
}

/// What removing several files and folders together frees: a file with several names counts only if
/// all of them go.
#[derive(Debug, Default)]
pub struct Freed {
    bytes: u64,
    /// Files with several names: their bytes, and how many of their names have not been added yet.
    linked: HashMap<(u64, u64), (u64, u64)>,
}

impl Freed {
    /// Adds a file, or a folder with all below it. Links are not followed; what cannot be read
    /// counts nothing.
    pub fn add(&mut self, path: &Path) {
        let Ok(metadata) = fs::symlink_metadata(path) else {
            return;
        };
        self.count(Taken::of(&metadata));
        let mut folders = Vec::new();
        if metadata.is_dir() {
            folders.push(path.to_owned());
        }
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
            for entry in entries {
                let Ok(metadata) = entry.metadata() else {
                    continue;
                };
                self.count(Taken::of(&metadata));
                if metadata.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
    }

    /// Adds what is known already.
    pub fn count(&mut self, taken: Taken) {
        let Some(file) = taken.linked else {
            self.bytes += taken.bytes;
            return;
        };
        let linked = self.linked.entry((file.device, file.inode));
        let (_, left) = linked.or_insert((taken.bytes, file.names));
        *left = left.saturating_sub(1);
    }

    pub fn bytes(&self) -> u64 {
        let whole = self.linked.values().filter(|(_, left)| *left == 0);
        self.bytes + whole.map(|(bytes, _)| bytes).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_several_names_is_freed_with_the_last_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&a, vec![1; 100_000]).unwrap();
        fs::hard_link(&a, &b).unwrap();
        let mut freed = Freed::default();
        freed.add(&a);
        assert_eq!(freed.bytes(), 0);
        freed.add(&b);
        assert!(freed.bytes() >= 100_000);
    }

    #[test]
    fn hard_links_count_once_and_holes_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), vec![1; 100_000]).unwrap();
        let once = on_disk(folder.path());
        assert!(once >= 100_000);
        fs::hard_link(folder.path().join("a"), folder.path().join("b")).unwrap();
        fs::File::create(folder.path().join("hole"))
            .unwrap()
            .set_len(1 << 30)
            .unwrap();
        assert!(on_disk(folder.path()) < once + 100_000);
    }
}
