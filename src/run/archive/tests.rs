//! Bytes, times, modes and links are the same after there and back, whatever was in the run.

use std::fs::{File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;
use crate::run::process::Process;
use crate::run::record::Record;
use crate::run::state::State;

fn run(place: &Path) -> RunDir {
    let dir = RunDir::new(place.join("runs/training_runs/old"));
    fs::create_dir_all(dir.checkpoints()).unwrap();
    fs::create_dir_all(dir.logs()).unwrap();
    let mut record = Record::new(
        &dir,
        "old".to_owned(),
        Process::current(),
        Vec::new(),
        jiff::Timestamp::UNIX_EPOCH,
    );
    record.state = State::Finished;
    record.save(&dir).unwrap();
    fs::write(dir.metrics_csv(), "epoch,val_acc\n1,50\n").unwrap();
    fs::write(dir.best(), vec![7; 3_000]).unwrap();
    fs::write(dir.last(), b"last").unwrap();
    fs::write(dir.checkpoint(5), b"five").unwrap();
    fs::set_permissions(dir.best(), Permissions::from_mode(0o640)).unwrap();
    symlink("../best.safetensors", dir.checkpoints().join("link")).unwrap();
    symlink("/nowhere", dir.path().join("dangling")).unwrap();
    let old = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
    for path in [dir.best(), dir.last(), dir.checkpoint(5), dir.metrics_csv()] {
        File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(old)
            .unwrap();
    }
    let folder = File::open(dir.checkpoints()).unwrap();
    folder.set_modified(old - Duration::from_secs(60)).unwrap();
    dir
}

type Entry = (PathBuf, Vec<u8>, u32, (i64, i64));

/// Everything below a run: path, content or target, mode, time.
fn whole(dir: &RunDir) -> Vec<Entry> {
    let mut found = Vec::new();
    walk(dir.path(), Path::new(""), &mut |item| {
        let path = dir.path().join(&item.below);
        let metadata = fs::symlink_metadata(&path).unwrap();
        let content = if metadata.is_file() {
            fs::read(&path).unwrap()
        } else {
            let target = fs::read_link(&path).unwrap_or_default();
            target.into_os_string().into_encoded_bytes()
        };
        let time = (metadata.mtime(), metadata.mtime_nsec());
        found.push((item.below, content, metadata.permissions().mode(), time));
    })
    .unwrap();
    found
}

fn roots(place: &Path) -> Vec<PathBuf> {
    vec![place.join("runs")]
}

#[test]
fn an_archived_run_keeps_its_curves_and_comes_back_whole() {
    let place = tempfile::tempdir().unwrap();
    let dir = run(place.path());
    let before = whole(&dir);
    let plan = Plan::of(&dir, false).unwrap();
    let archived = archive(&roots(place.path()), &plan).unwrap();
    assert!(archived.bytes > 0 && archived.bytes < 10_000);
    assert!(dir.metrics_csv().exists() && dir.run_json().exists() && dir.archive().exists());
    assert!(!dir.best().exists() && !dir.checkpoints().exists());
    let again = Plan::of(&dir, false).unwrap_err().to_string();
    assert_eq!(again, "old: it is archived already");
    // What was noted meanwhile stays.
    fs::write(dir.path().join("notes.toml"), "star = true\n").unwrap();
    let unpacked = unarchive(&roots(place.path()), &dir).unwrap();
    assert_eq!((unpacked.files.len(), unpacked.kept), (5, 2));
    fs::remove_file(dir.path().join("notes.toml")).unwrap();
    set_root_time(&dir, &before);
    assert_eq!(whole(&dir), before);
    assert_eq!(
        unarchive(&roots(place.path()), &dir)
            .unwrap_err()
            .to_string(),
        "old: it is not archived"
    );
}

/// Removing a file of the test's own changed the folder.
fn set_root_time(dir: &RunDir, before: &[Entry]) {
    let (seconds, nanoseconds) = before[0].3;
    let time = SystemTime::UNIX_EPOCH + Duration::new(seconds as u64, nanoseconds as u32);
    File::open(dir.path()).unwrap().set_modified(time).unwrap();
}

#[test]
fn archiving_is_taken_back_to_the_byte_and_the_time() {
    let place = tempfile::tempdir().unwrap();
    let dir = run(place.path());
    let before = whole(&dir);
    let archived = archive(&roots(place.path()), &Plan::of(&dir, true).unwrap()).unwrap();
    take_back(&dir, &archived).unwrap();
    set_root_time(&dir, &before);
    assert_eq!(whole(&dir), before);
}

#[test]
fn without_checkpoints_the_best_weights_are_packed_all_the_same() {
    let place = tempfile::tempdir().unwrap();
    let dir = run(place.path());
    let plan = Plan::of(&dir, true).unwrap();
    let left: Vec<_> = plan
        .left_out
        .iter()
        .map(|item| item.below.to_str().unwrap())
        .collect();
    assert_eq!(
        left,
        ["checkpoints/epoch_5.safetensors", "last.safetensors"]
    );
    archive(&roots(place.path()), &plan).unwrap();
    unarchive(&roots(place.path()), &dir).unwrap();
    assert!(dir.best().exists() && !dir.last().exists() && !dir.checkpoint(5).exists());
}

#[test]
fn a_run_that_trains_is_not_archived() {
    let place = tempfile::tempdir().unwrap();
    let dir = run(place.path());
    let mut record = Record::load(&dir).unwrap().unwrap();
    record.state = State::Running;
    record.save(&dir).unwrap();
    let error = Plan::of(&dir, false).unwrap_err().to_string();
    assert!(error.contains("it is running"), "{error}");
}

#[test]
fn what_changes_while_it_is_packed_keeps_its_place() {
    let place = tempfile::tempdir().unwrap();
    let dir = run(place.path());
    let plan = Plan::of(&dir, false).unwrap();
    fs::write(dir.path().join("late.txt"), b"late").unwrap();
    fs::remove_file(dir.last()).unwrap();
    fs::write(dir.last(), b"longer than it was").unwrap();
    let late = archive(&roots(place.path()), &plan);
    // The plan's file is packed as it is now; what the plan does not know stays.
    late.unwrap();
    assert!(dir.path().join("late.txt").exists());
    let unpacked = unarchive(&roots(place.path()), &dir).unwrap();
    assert!(unpacked.files.contains(&PathBuf::from("last.safetensors")));
    assert_eq!(fs::read(dir.last()).unwrap(), b"longer than it was");
}

#[test]
fn a_damaged_archive_brings_nothing_back_and_harms_nothing() {
    let place = tempfile::tempdir().unwrap();
    let dir = run(place.path());
    archive(&roots(place.path()), &Plan::of(&dir, false).unwrap()).unwrap();
    let bytes = fs::read(dir.archive()).unwrap();
    let mut flipped = bytes.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    for damaged in [&flipped[..], &bytes[..bytes.len() / 2], b"no archive"] {
        fs::write(dir.archive(), damaged).unwrap();
        let before = whole(&dir);
        let error = unarchive(&roots(place.path()), &dir)
            .unwrap_err()
            .to_string();
        assert!(error.contains("archive.tar.zst"), "{error}");
        assert_eq!(
            whole(&dir).iter().map(|entry| &entry.0).collect::<Vec<_>>(),
            before.iter().map(|entry| &entry.0).collect::<Vec<_>>()
        );
    }
    fs::write(dir.archive(), &bytes).unwrap();
    unarchive(&roots(place.path()), &dir).unwrap();
    assert_eq!(fs::read(dir.best()).unwrap(), vec![7; 3_000]);
}

#[test]
fn cut_off_before_anything_left_its_place_the_run_is_whole_either_way() {
    let place = tempfile::tempdir().unwrap();
    let dir = run(place.path());
    let best = fs::read(dir.best()).unwrap();
    pack(&Plan::of(&dir, false).unwrap()).unwrap();
    let unpacked = unarchive(&roots(place.path()), &dir).unwrap();
    assert_eq!(unpacked.files, Vec::<PathBuf>::new());
    assert!(!dir.archive().exists());
    assert_eq!(fs::read(dir.best()).unwrap(), best);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn any_files_come_back(files in prop::collection::btree_map("[a-z]{1,3}(/[a-z\u{e9}]{1,130}){0,2}", prop::collection::vec(any::<u8>(), 0..300), 1..8)) {
        let place = tempfile::tempdir().unwrap();
        let dir = run(place.path());
        for (below, bytes) in &files {
            let path = dir.path().join("more").join(below);
            if fs::create_dir_all(path.parent().unwrap()).is_ok() {
                let _ = fs::write(path, bytes);
            }
        }
        let before = whole(&dir);
        archive(&roots(place.path()), &Plan::of(&dir, false).unwrap()).unwrap();
        unarchive(&roots(place.path()), &dir).unwrap();
        prop_assert!(whole(&dir) == before);
    }
}
