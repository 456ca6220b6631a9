//! When the dashboard last showed the runs below some roots: the file `looked` in the user's state
//! folder, a JSON object of roots and times.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::state_dir;
use traintop_disk::read;
use traintop_disk::write::{make_folders, replace_file};

/// The file in the state folder.
const FILE: &str = "looked";

/// When these roots were last looked at, all of them; `None` if one never was.
pub fn load(roots: &[PathBuf]) -> Option<Timestamp> {
    load_in(&state_dir::state_dir()?, roots)
}

/// Somebody looks at these roots now.
///
/// # Errors
/// If it cannot be written down.
pub fn save(roots: &[PathBuf], now: Timestamp) -> io::Result<()> {
    match state_dir::state_dir() {
        Some(folder) => save_in(&folder, roots, now),
        None => Err(io::Error::other("there is no home to keep it in")),
    }
}

/// A root as it is without links, as text.
fn key(root: &Path) -> String {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    root.to_string_lossy().into_owned()
}

fn read(folder: &Path) -> BTreeMap<String, Timestamp> {
    let bytes = read::bytes(&folder.join(FILE), read::RECORD_LIMIT).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

fn load_in(folder: &Path, roots: &[PathBuf]) -> Option<Timestamp> {
    let looked = read(folder);
    let times = roots.iter().map(|root| looked.get(&key(root)).copied());
    times.collect::<Option<Vec<_>>>()?.into_iter().min()
}

fn save_in(folder: &Path, roots: &[PathBuf], now: Timestamp) -> io::Result<()> {
    let mut looked = read(folder);
    looked.extend(roots.iter().map(|root| (key(root), now)));
    make_folders(folder)?;
    replace_file(
        &folder.join(FILE),
        serde_json::to_string(&looked)?.as_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_roots_the_one_looked_at_longest_ago_counts() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (PathBuf::from("/nowhere/a"), PathBuf::from("/nowhere/b"));
        let [early, late] = [100, 200].map(|second| Timestamp::from_second(second).unwrap());
        save_in(folder.path(), std::slice::from_ref(&a), early).unwrap();
        assert_eq!(load_in(folder.path(), &[a.clone(), b.clone()]), None);
        save_in(folder.path(), std::slice::from_ref(&b), late).unwrap();
        assert_eq!(load_in(folder.path(), &[a, b]), Some(early));
    }
}
