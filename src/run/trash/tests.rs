//! The trash under failures: every call fails once, and after every call the power goes once, in fixed and in random histories.

use std::collections::BTreeMap;
mod histories;
mod hostile;
mod renamed;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use rustix::fs::{Mode, mkfifoat};

use super::*;
use crate::disk::faulty::{Faulty, NEVER};
use crate::disk::{Kind, System};

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

fn home(root: &Path, disk: impl Disk + 'static) -> Home {
    Home {
        disk: Arc::new(disk),
        state: Some(root.parent().unwrap().join("state")),
    }
}

/// The trash of a root on the real disk.
fn trash_of(root: &Path) -> Trash {
    Trash::on(&home(root, System), root).unwrap()
}

/// What a next start finishes of what is cut off in this process.
fn recover(trash: &Trash) -> (Vec<Finished>, Vec<TrashError>) {
    mark::recover(&trash.home, std::slice::from_ref(trash), |_, _| true)
}

/// What a path holds, and when it last changed.
type Seen = (Kind, Vec<u8>, i64);

/// Everything below the root but the trash, with the root itself as the empty path.
fn tree(root: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let look = Look::at(&folder).unwrap();
        let below = folder.strip_prefix(root).unwrap().to_owned();
        found.insert(below, (Kind::Folder, Vec::new(), look.modified_ns));
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let look = Look::at(&path).unwrap();
            if path == root.join(FOLDER) {
                continue;
            }
            if look.kind == Kind::Folder {
                folders.push(path);
                continue;
            }
            let content = match look.kind {
                Kind::File => fs::read(&path).unwrap(),
                _ => Vec::new(),
            };
            let below = path.strip_prefix(root).unwrap().to_owned();
            found.insert(below, (look.kind, content, look.modified_ns));
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
        if Look::at(&path).unwrap().kind == Kind::Folder {
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

/// Makes the trash's own folder, and gives everything its time: that there is a trash now is no change of interest.
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

#[test]
fn the_root_keeps_its_time_when_its_trash_is_made() {
    let root = runs();
    fs::remove_dir_all(root.path().join(FOLDER)).unwrap();
    age(root.path(), &mut 1_000_000_000_000_000_000);
    let before = tree(root.path());
    let trash = trash_of(root.path());
    assert_eq!(trash.list().unwrap(), (Vec::new(), Vec::new()));
    assert_eq!(recover(&trash).0, Vec::new());
    assert!(!root.path().join(FOLDER).exists(), "to look makes nothing");
    let id = remove(&trash, &SOME).unwrap().entry.unwrap().id;
    trash.restore(&id).unwrap();
    assert_eq!(tree(root.path()), before);
}

#[test]
fn removed_things_come_back_with_names_bytes_and_times() {
    let root = runs();
    let before = tree(root.path());
    let trash = trash_of(root.path());
    let removed = remove(&trash, &SOME).unwrap();
    let entry = removed.entry.unwrap();
    assert_eq!(
        (removed.left, entry.count()),
        (Vec::new(), "4 things".to_owned())
    );
    assert_eq!(entry.id, "20261124-140800");
    let meanwhile = tree(root.path());
    assert!(!meanwhile.contains_key(Path::new("b")) && !meanwhile.contains_key(Path::new("loose")));
    let original = &before[Path::new("a/last.safetensors")];
    let slim = &meanwhile[Path::new("a/last.safetensors")];
    assert_eq!((slim.1.len(), slim.2), (original.1.len() / 2, original.2));
    let places = trash.restore(&entry.id).unwrap();
    assert_eq!(places.len(), 4);
    assert_eq!(tree(root.path()), before);
    assert_eq!(only_id(root.path()), None);
    let left: Vec<_> = fs::read_dir(root.path().join(FOLDER)).unwrap().collect();
    assert_eq!(left.len(), 1, "the lock alone: {left:?}");
}

/// What is left in a root's trash besides its lock.
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

const ID: &str = "20261124-140800";

/// Does an action on a disk that fails at one call or ends at one; returns whether it got so far.
fn attempt(root: &Path, action: &str, disk: Faulty) -> bool {
    let calls = Arc::clone(&disk.calls);
    let last = disk.fail_at.min(disk.kill_at);
    if let Ok(trash) = Trash::on(&home(root, disk), root) {
        match action {
            "remove" => drop(remove(&trash, &SOME)),
            "restore" => drop(trash.restore(ID)),
            "purge" => drop(trash.purge(ID)),
            _ => drop(recover(&trash)),
        }
    }
    calls.load(Ordering::Relaxed) > last
}

/// Holds that a root is as before the removal of [`SOME`] or as after it, whole, and that it can be undone.
fn is_old_or_new(
    root: &Path,
    old: &BTreeMap<PathBuf, Seen>,
    new: &BTreeMap<PathBuf, Seen>,
    action: &str,
    context: &str,
) {
    let trash = recovered(root, context);
    let (seen, id) = (tree(root), only_id(root));
    if content(&seen) == content(old) {
        assert_eq!(&seen, old, "{context}: times");
        assert_eq!(id, None, "{context}: nothing is in the trash");
    } else {
        assert_eq!(content(&seen), content(new), "{context}: all or nothing");
        if let Some(id) = id {
            trash.restore(&id).unwrap();
            assert_eq!(&tree(root), old, "{context}: undone");
        } else {
            assert_eq!(action, "purge", "{context}: nothing is lost");
        }
    }
    assert_eq!(leftovers(root), Vec::<OsString>::new(), "{context}");
}

fn after_removal() -> BTreeMap<PathBuf, Seen> {
    let root = runs();
    remove(&trash_of(root.path()), &SOME).unwrap();
    tree(root.path())
}

#[test]
fn every_call_may_fail_or_be_the_last_and_nothing_is_half_done() {
    let new = after_removal();
    for action in ["remove", "restore", "purge"] {
        for at in 0.. {
            let mut reached = false;
            for disk in [Faulty::new(at, NEVER), Faulty::new(NEVER, at)] {
                let context = format!("{action}, call {at}, killed: {}", disk.fail_at == NEVER);
                let root = runs();
                let old = tree(root.path());
                if action != "remove" {
                    remove(&trash_of(root.path()), &SOME).unwrap();
                }
                reached |= attempt(root.path(), action, disk);
                is_old_or_new(root.path(), &old, &new, action, &context);
            }
            if !reached {
                assert!(at > 20, "{action} has only {at} calls");
                break;
            }
        }
    }
}

#[test]
fn recovery_may_itself_be_cut_off_at_every_call() {
    let new = after_removal();
    for action in ["remove", "restore", "purge"] {
        for at in (3..).step_by(4) {
            let mut reached = false;
            for again in 0..80 {
                let root = runs();
                let old = tree(root.path());
                if action != "remove" {
                    remove(&trash_of(root.path()), &SOME).unwrap();
                }
                reached |= attempt(root.path(), action, Faulty::new(NEVER, at));
                let further = attempt(root.path(), "recover", Faulty::new(NEVER, again));
                let context = format!("{action}, killed at {at}, and recovery at {again}");
                is_old_or_new(root.path(), &old, &new, action, &context);
                if !further {
                    break;
                }
            }
            if !reached {
                break;
            }
        }
    }
}

/// Where the mark could not be written, the list says what is to be done.
fn finish_by_hand(root: &Path) {
    let trash = trash_of(root);
    recover(&trash);
    for problem in trash.list().unwrap().1 {
        if problem.contains("`traintop trash restore") {
            trash.restore(ID).unwrap();
        } else if problem.contains("holds no journal") {
            fs::remove_dir_all(root.join(FOLDER).join(ID)).unwrap();
        }
    }
}

#[test]
fn failure_and_then_a_kill_while_it_is_taken_back_recovers() {
    let new = after_removal();
    for action in ["remove", "restore"] {
        for fail_at in (5..).step_by(5) {
            let mut reached = false;
            for kill_at in fail_at + 1..fail_at + 40 {
                let root = runs();
                let old = tree(root.path());
                if action != "remove" {
                    remove(&trash_of(root.path()), &SOME).unwrap();
                }
                let disk = Faulty::new(fail_at, kill_at);
                let calls = Arc::clone(&disk.calls);
                attempt(root.path(), action, disk);
                let context = format!("{action}, failed at {fail_at}, killed at {kill_at}");
                finish_by_hand(root.path());
                is_old_or_new(root.path(), &old, &new, action, &context);
                let calls = calls.load(Ordering::Relaxed);
                reached |= calls > fail_at;
                if calls <= kill_at {
                    break;
                }
            }
            if !reached {
                break;
            }
        }
    }
}

#[test]
fn the_system_s_refusals_are_sentences_and_change_nothing() {
    let cases = [
        (ErrorKind::StorageFull, "the disk is full"),
        (ErrorKind::PermissionDenied, "you may not change the folder"),
        (
            ErrorKind::ReadOnlyFilesystem,
            "the file system is read-only",
        ),
        (
            ErrorKind::CrossesDevices,
            "another file system than its root",
        ),
        (ErrorKind::ResourceBusy, "something is mounted there"),
    ];
    for (with, part) in cases {
        let root = runs();
        let before = tree(root.path());
        let mut sentences = Vec::new();
        for at in 2..60 {
            let disk = Faulty {
                with,
                ..Faulty::new(at, NEVER)
            };
            let trash = Trash::on(&home(root.path(), disk), root.path()).unwrap();
            match remove(&trash, &SOME) {
                Err(error) => sentences.push(error.to_string()),
                Ok(removed) => {
                    let entry = removed.entry.unwrap();
                    trash_of(root.path()).restore(&entry.id).unwrap();
                }
            }
            assert_eq!(tree(root.path()), before, "{with:?} at {at}");
        }
        assert!(sentences.len() > 20);
        assert!(
            sentences
                .iter()
                .all(|said| said.contains(part) && !said.contains('\n')),
            "{sentences:?}"
        );
    }
}

#[test]
fn what_is_checked_at_the_last_moment_and_refused_stays_and_is_told() {
    let root = runs();
    let before = tree(root.path());
    let trash = trash_of(root.path());
    let refuse_b = &mut |path: &Path| {
        if path.ends_with("b") {
            Err("it is running".to_owned())
        } else {
            Ok(())
        }
    };
    let removed = trash
        .remove(&removal(root.path(), &SOME), refuse_b)
        .unwrap();
    assert_eq!(removed.left, [("b".into(), "it is running".to_owned())]);
    assert!(root.path().join("b/run.json").exists() && !root.path().join("loose").exists());
    trash.restore(&removed.entry.unwrap().id).unwrap();
    assert_eq!(tree(root.path()), before);
    let removed = trash
        .remove(&removal(root.path(), &["b"]), refuse_b)
        .unwrap();
    assert_eq!((removed.entry, removed.left.len()), (None, 1));
    assert_eq!(tree(root.path()), before);
    assert_eq!(leftovers(root.path()), Vec::<OsString>::new());
}

#[test]
fn nothing_outside_the_root_or_behind_a_link_is_touched() {
    let (root, outside) = (runs(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("theirs"), "theirs").unwrap();
    let link = root.path().join("a/out");
    std::os::unix::fs::symlink(outside.path(), &link).unwrap();
    let trash = trash_of(root.path());
    for path in [
        "a/out/theirs",
        "../escape",
        "",
        ".trash",
        ".trash/lock",
        "a/..",
        "missing",
    ] {
        let before = tree(root.path());
        let error = remove(&trash, &["loose", path]).unwrap_err().to_string();
        assert!(!error.is_empty());
        assert_eq!(content(&tree(root.path())), content(&before), "{path}");
        assert_eq!(leftovers(root.path()), Vec::<OsString>::new(), "{path}");
    }
    // The link itself may go, and what it leads to stays, also when it is purged.
    let id = remove(&trash, &["a"]).unwrap().entry.unwrap().id;
    trash.purge(&id).unwrap();
    assert_eq!(fs::read(outside.path().join("theirs")).unwrap(), b"theirs");
    // A trash that leads out of the root is none.
    fs::remove_dir_all(root.path().join(FOLDER)).unwrap();
    std::os::unix::fs::symlink(outside.path(), root.path().join(FOLDER)).unwrap();
    let error = remove(&trash, &["loose"]).unwrap_err().to_string();
    assert!(error.contains("must be a folder"), "{error}");
}

#[test]
fn a_place_that_is_taken_again_is_refused_and_a_missing_folder_is_made() {
    let root = runs();
    let trash = trash_of(root.path());
    let id = remove(&trash, &SOME).unwrap().entry.unwrap().id;
    fs::write(root.path().join("loose"), "new").unwrap();
    let before = tree(root.path());
    let error = trash.restore(&id).unwrap_err().to_string();
    assert!(
        error.contains("loose: there is something of this name again"),
        "{error}"
    );
    assert_eq!(tree(root.path()), before);
    fs::remove_file(root.path().join("loose")).unwrap();
    // What stands in its place counts as somebody's own as soon as it has been changed.
    let last = root.path().join("a/last.safetensors");
    let slim = fs::read(&last).unwrap();
    fs::write(&last, "resumed").unwrap();
    let error = trash.restore(&id).unwrap_err().to_string();
    assert!(error.contains("last.safetensors"), "{error}");
    fs::write(&last, slim).unwrap();
    fs::remove_file(&last).unwrap();
    fs::remove_dir_all(root.path().join("a")).unwrap();
    trash.restore(&id).unwrap();
    assert_eq!(fs::read(&last).unwrap(), b"content of a/last.safetensors");
    assert!(root.path().join("a/checkpoints/epoch_2").exists());
}

#[test]
fn what_was_in_a_folder_that_was_removed_later_waits_for_it() {
    let root = runs();
    let before = tree(root.path());
    let trash = trash_of(root.path());
    let first = remove(&trash, &["a/checkpoints/epoch_2"])
        .unwrap()
        .entry
        .unwrap()
        .id;
    let second = remove(&trash, &["a"]).unwrap().entry.unwrap().id;
    let error = trash.restore(&first).unwrap_err().to_string();
    assert!(
        error.contains(&format!("restore {second} first")),
        "{error}"
    );
    // Also if a journal that says so cannot be read at the moment.
    let removed = tree(root.path());
    for at in 0..60 {
        let faulty = Trash::on(&home(root.path(), Faulty::new(at, NEVER)), root.path());
        assert!(faulty.and_then(|faulty| faulty.restore(&first)).is_err());
        assert_eq!(tree(root.path()), removed, "call {at} failed");
    }
    trash.restore(&second).unwrap();
    trash.restore(&first).unwrap();
    assert_eq!(tree(root.path()), before);
}

#[test]
fn names_that_are_not_utf_8_and_things_that_are_no_files_come_back() {
    use std::os::unix::ffi::OsStringExt;
    let root = runs();
    let odd = root
        .path()
        .join(OsString::from_vec(b"odd \xff\n\x1b[31m".to_vec()));
    fs::write(&odd, "odd").unwrap();
    let pipe = root.path().join("pipe");
    mkfifoat(rustix::fs::CWD, &pipe, Mode::RUSR).unwrap();
    let before = tree(root.path());
    let trash = trash_of(root.path());
    let things = Removal {
        things: vec![odd.clone().into(), pipe.clone().into()],
        ..removal(root.path(), &[])
    };
    let entry = trash
        .remove(&things, &mut |_| Ok(()))
        .unwrap()
        .entry
        .unwrap();
    assert!(!odd.exists() && !pipe.exists());
    let (listed, _) = trash.list().unwrap();
    assert_eq!(listed.first(), Some(&entry));
    trash.restore(&entry.id).unwrap();
    assert_eq!(tree(root.path()), before);
}

#[test]
fn damaged_journals_and_strange_files_are_told_and_left() {
    let root = runs();
    let trash = trash_of(root.path());
    let id = remove(&trash, &["b"]).unwrap().entry.unwrap().id;
    let folder = root.path().join(FOLDER).join(&id);
    fs::write(folder.join("entry.json"), "{\"id\":").unwrap();
    let stray = root.path().join(FOLDER).join("20200101-000000");
    fs::create_dir(&stray).unwrap();
    fs::write(stray.join("precious"), "mine").unwrap();
    assert!(recover(&trash).1.is_empty());
    let (entries, problems) = trash.list().unwrap();
    assert!(entries.is_empty());
    assert!(
        problems[0].contains("entry.json: is damaged") && problems[1].contains("holds no journal"),
        "{problems:?}"
    );
    assert!(folder.join("0/run.json").exists() && stray.join("precious").exists());
    for id in ["../b", "", ".", "nothing"] {
        let error = trash.purge(id).unwrap_err().to_string();
        assert!(error.contains("is not in the trash"), "{error}");
    }
}

#[test]
fn several_at_once_on_one_tree_do_each_other_no_harm() {
    let root = Root::new();
    let names: Vec<String> = (0..40).map(|number| format!("f{number}")).collect();
    for name in &names {
        fs::write(root.path().join(name), name).unwrap();
    }
    std::thread::scope(|scope| {
        for part in 0..4 {
            let (root, names) = (root.path(), &names);
            scope.spawn(move || {
                let trash = trash_of(root);
                for round in 0..30 {
                    let at = (part * 7 + round * 3) % 36;
                    let things: Vec<&str> = names[at..at + 4].iter().map(String::as_str).collect();
                    // What another has removed a moment ago is missing: then nothing moves.
                    let removed = remove(&trash, &things);
                    if let Ok(Removed {
                        entry: Some(entry), ..
                    }) = removed
                    {
                        let (_, errors) = recover(&trash);
                        assert!(errors.is_empty(), "{errors:?}");
                        trash.restore(&entry.id).unwrap();
                    }
                }
            });
        }
    });
    for name in &names {
        assert_eq!(fs::read_to_string(root.path().join(name)).unwrap(), *name);
    }
    assert_eq!(leftovers(root.path()), Vec::<OsString>::new());
}

#[test]
fn of_two_removals_in_one_second_the_later_is_known_for_it() {
    let root = runs();
    let trash = trash_of(root.path());
    let id = |path| remove(&trash, &[path]).unwrap().entry.unwrap().id;
    let (first, second) = (id("b"), id("a/last.safetensors"));
    trash.restore(&first).unwrap();
    let third = id("b");
    let (entries, _) = trash.list().unwrap();
    let ids: Vec<_> = entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, [third.as_str(), second.as_str()]);
}
