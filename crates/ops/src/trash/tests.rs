//! The trash under failures: every call fails once, and after every call the power goes once, in
//! fixed and in random histories.

mod fault_injection;
mod hostile;
mod recovery;
mod refusals;
mod removal;
mod renamed;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use rustix::fs::{Mode, mkfifoat};

use super::*;
use traintop_disk::faulty::{Faulty, NEVER};
use traintop_disk::{Kind, System};

/// A root of its own, with the state folder of its user beside it.
struct Root(
    PathBuf,
    #[expect(dead_code, reason = "removed with it")] tempfile::TempDir,
);

impl Root {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        fs::create_dir(&root).unwrap();
        Self(root, place)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

fn storage(root: &Path, disk: impl Disk + 'static) -> Storage {
    Storage {
        disk: Arc::new(disk),
        state: Some(root.parent().unwrap().join("state")),
    }
}

/// The trash of a root on the real disk.
fn trash_of(root: &Path) -> Trash {
    Trash::on(&storage(root, System), root).unwrap()
}

/// What a next start finishes of what is cut off in this process.
fn recover(trash: &Trash) -> (Vec<Finished>, Vec<TrashError>) {
    mark::recover(&trash.storage, std::slice::from_ref(trash), |_, _| true)
}

/// What a path holds, and when it last changed.
type Seen = (Kind, Vec<u8>, i64);

/// Everything below the root but the trash, with the root itself as the empty path.
fn tree(root: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let stat = FileStat::at(&folder).unwrap();
        let below = folder.strip_prefix(root).unwrap().to_owned();
        found.insert(below, (Kind::Folder, Vec::new(), stat.modified_ns));
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let stat = FileStat::at(&path).unwrap();
            if path == root.join(FOLDER) {
                continue;
            }
            if stat.kind == Kind::Folder {
                folders.push(path);
                continue;
            }
            let content = match stat.kind {
                Kind::File => fs::read(&path).unwrap(),
                _ => Vec::new(),
            };
            let below = path.strip_prefix(root).unwrap().to_owned();
            found.insert(below, (stat.kind, content, stat.modified_ns));
        }
    }
    found
}

/// Names and bytes, and times of all but folders.
fn content(tree: &BTreeMap<PathBuf, Seen>) -> BTreeMap<PathBuf, Seen> {
    let without = |(path, seen): (&PathBuf, &Seen)| {
        let (kind, bytes, time) = seen.clone();
        let time = if kind == Kind::Folder { 0 } else { time };
        (path.clone(), (kind, bytes, time))
    };
    tree.iter().map(without).collect()
}

/// Gives everything below a folder a time of its own, long ago.
fn age(folder: &Path, time_ns: &mut i64) {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if FileStat::at(&path).unwrap().kind == Kind::Folder {
            age(&path, time_ns);
        }
        *time_ns += 1_000_000_001;
        System.set_modified(&path, *time_ns).unwrap();
    }
    System.set_modified(folder, *time_ns).unwrap();
}

/// Two runs with checkpoints and a file of their root.
fn runs() -> Root {
    let root = Root::new();
    for path in [
        "a/run.json",
        "a/last.safetensors",
        "a/checkpoints/epoch_1",
        "a/checkpoints/epoch_2",
        "b/run.json",
        "b/checkpoints/epoch_1",
        "c/run.json",
        "loose",
    ] {
        let whole = root.path().join(path);
        fs::create_dir_all(whole.parent().unwrap()).unwrap();
        fs::write(whole, format!("content of {path}")).unwrap();
    }
    settle(root.path());
    root
}

/// Makes the trash's own folder, and gives everything its time: that there is a trash now is no
/// change of interest.
fn settle(root: &Path) {
    drop(trash_of(root).lock().unwrap());
    age(root, &mut 1_000_000_000_000_000_000);
}

fn now() -> Timestamp {
    "2026-11-24T14:08:00Z".parse().unwrap()
}

fn half(path: &Path, file: &mut File) -> io::Result<()> {
    let bytes = fs::read(path)?;
    file.write_all(&bytes[..bytes.len() / 2])
}

fn removal(root: &Path, paths: &[&str]) -> Removal {
    let thing = |path: &&str| Thing {
        path: root.join(path),
        instead: path
            .ends_with("last.safetensors")
            .then_some(half as Rewrite),
    };
    Removal {
        things: paths.iter().map(thing).collect(),
        by: "clean".to_owned(),
        why: "neither best nor last".to_owned(),
        now: now(),
    }
}

const SOME: [&str; 4] = ["a/checkpoints/epoch_2", "a/last.safetensors", "b", "loose"];

fn remove(trash: &Trash, paths: &[&str]) -> Result<Removed, TrashError> {
    trash.remove(&removal(&trash.root, paths), &mut |_| Ok(()))
}

fn only_id(root: &Path) -> Option<String> {
    let (entries, problems) = trash_of(root).list().unwrap();
    assert_eq!(problems, Vec::<String>::new());
    assert!(entries.len() < 2);
    entries.first().map(|entry| entry.id.clone())
}

const ID: &str = "20261124-140800";

fn leftovers(root: &Path) -> Vec<OsString> {
    let entries = fs::read_dir(root.join(FOLDER)).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name());
    names.filter(|name| name != LOCK).collect()
}

fn recovered(root: &Path, context: &str) -> Trash {
    let trash = trash_of(root);
    let (_, errors) = recover(&trash);
    assert!(errors.is_empty(), "{context}: {errors:?}");
    trash
}
