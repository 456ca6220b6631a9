//! The folders in which a renaming changes names, so that undoing it gives them their times back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::journal::Move;
use traintop_disk::Disk;

/// A folder, by its path before the renaming, and when it had last changed, in nanoseconds since
/// 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
    before_ns: i64,
    /// After the renaming; `None` until that is over.
    after_ns: Option<i64>,
}

/// Those that renaming a run is about to change, as they are now.
pub fn before(disk: &dyn Disk, step: &Move) -> Vec<Folder> {
    let folder = |path: PathBuf| {
        let before_ns = disk.stat(&path).ok()?.modified_ns;
        let after_ns = None;
        Some(Folder {
            path,
            before_ns,
            after_ns,
        })
    };
    let (from, to) = (step.from.path(), step.to.path());
    let follows = step.follows.iter().map(|follow| follow.path());
    let changed: BTreeSet<PathBuf> = follows
        .map(|path| replaced(path, to, from))
        .chain([from.to_owned()])
        .filter_map(|path| path.parent().map(Path::to_owned))
        .collect();
    changed.into_iter().filter_map(folder).collect()
}

/// Takes down what they are after it.
pub fn after(disk: &dyn Disk, folders: &mut [Folder], moves: &[Move]) {
    for folder in folders {
        folder.after_ns = modified_ns(disk, &now_at(&folder.path, moves));
    }
}

/// Those that have not changed since, before it is undone.
pub fn untouched<'a>(
    disk: &dyn Disk,
    folders: impl Iterator<Item = &'a Folder>,
    moves: &[Move],
) -> Vec<&'a Folder> {
    let is_untouched = |folder: &&Folder| {
        folder.after_ns.is_some()
            && folder.after_ns == modified_ns(disk, &now_at(&folder.path, moves))
    };
    folders.filter(is_untouched).collect()
}

/// Gives them the times that they had. A time is not worth a failure.
pub fn give_back(disk: &dyn Disk, folders: &[&Folder]) {
    for folder in folders {
        if let Err(error) = disk.set_modified(&folder.path, folder.before_ns) {
            log::warn!(
                "{}: its time is not given back: {error}",
                folder.path.display()
            );
        }
    }
}

fn modified_ns(disk: &dyn Disk, path: &Path) -> Option<i64> {
    disk.stat(path).ok().map(|stat| stat.modified_ns)
}

/// Where a folder is that a renaming may have moved.
fn now_at(path: &Path, moves: &[Move]) -> PathBuf {
    let step = moves.iter().find(|step| path.starts_with(step.from.path()));
    step.map_or_else(
        || path.to_owned(),
        |step| replaced(path, step.from.path(), step.to.path()),
    )
}

fn replaced(path: &Path, prefix: &Path, by: &Path) -> PathBuf {
    let inside = path.strip_prefix(prefix);
    inside.map_or_else(|_| path.to_owned(), |inside| by.join(inside))
}
