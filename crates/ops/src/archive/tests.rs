//! Bytes, times, modes and links of any run survive packing and unpacking.

use std::fs::{File, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;
use traintop_disk::faulty::{Faulty, NEVER};
use traintop_disk::{Disk, Progress, System, Watched};
use traintop_run::process::Process;
use traintop_run::record::Record;
use traintop_run::state::State;
use traintop_run::state_dir::Storage;

pub fn run(place: &Path) -> RunDir {
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

pub type Entry = (PathBuf, Vec<u8>, u32, (i64, i64));

/// Everything below a run: path, content or target, mode, time.
pub fn whole(dir: &RunDir) -> Vec<Entry> {
    let mut found = Vec::new();
    walk(dir.path(), Path::new(""), &|_| true, &mut |item| {
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

pub fn roots(place: &Path) -> Vec<PathBuf> {
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
    let unpacked = unarchive(&roots(place.path()), &dir).unwrap().unpacked;
    assert_eq!((unpacked.files.len(), unpacked.kept), (4, 2));
    fs::remove_file(dir.path().join("notes.toml")).unwrap();
    set_root_time(&dir, &before);
    assert_eq!(whole(&dir), before);
    assert_eq!(
        unarchive(&roots(place.path()), &dir)
            .unwrap_err()
            .to_string(),
        "old: it is not archived; nothing was restored"
    );
}

#[test]
fn what_a_second_program_packed_at_the_same_time_is_cleared_away() {
    let (place, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dir = run(place.path());
    let storage = storage(state.path(), System);
    let plan = Plan::of(&dir, false).unwrap();
    let archived = archive_on(&storage, &roots(place.path()), &plan).unwrap();
    let alone = whole(&dir);
    // Killed while it was packing.
    recover::begin(&storage, &archived.entry).unwrap();
    fs::write(&archived.entry.temporary, b"half").unwrap();
    let recovered = recover_on(&storage, |_, _| true);
    assert_eq!(recovered, ["archiving old was cut off; it is archived"]);
    assert!(!archived.entry.temporary.exists());
    set_root_time(&dir, &alone);
    assert_eq!(whole(&dir), alone);
    assert_eq!(recover_on(&storage, |_, _| true), Vec::<String>::new());
}

#[test]
fn what_another_program_is_writing_is_no_part_of_a_run() {
    let place = tempfile::tempdir().unwrap();
    let dir = run(place.path());
    let others = traintop_disk::write::beside(&dir.archive());
    fs::write(&others, b"half").unwrap();
    let plan = Plan::of(&dir, false).unwrap();
    assert!(!plan.removed.contains(&others));
    // The other gives up, or is done.
    fs::remove_file(&others).unwrap();
    archive(&roots(place.path()), &plan).unwrap();
    unarchive(&roots(place.path()), &dir).unwrap();
    assert!(!others.exists() && dir.best().exists());
}

/// Removing a file of the test's own changed the folder.
pub fn set_root_time(dir: &RunDir, before: &[Entry]) {
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
    undo(&archived).unwrap();
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
    let unpacked = unarchive(&roots(place.path()), &dir).unwrap().unpacked;
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
fn a_bringing_back_is_taken_back_unless_something_has_changed_since() {
    let place = tempfile::tempdir().unwrap();
    let dir = run(place.path());
    let before = whole(&dir);
    archive(&roots(place.path()), &Plan::of(&dir, false).unwrap()).unwrap();
    let packed = paths(&dir);
    let back = unarchive(&roots(place.path()), &dir).unwrap();
    undo_unarchive(&dir, &back).unwrap();
    assert_eq!(paths(&dir), packed);
    let back = unarchive(&roots(place.path()), &dir).unwrap();
    assert_eq!(whole(&dir), before);
    fs::write(dir.last(), "trained further").unwrap();
    let error = undo_unarchive(&dir, &back).unwrap_err().to_string();
    assert!(
        error.contains("last.safetensors has changed since"),
        "{error}"
    );
    assert!(dir.best().exists() && !dir.archive().exists());
}

#[test]
fn holes_stay_holes_and_names_of_one_file_stay_its_names() {
    let place = tempfile::tempdir().unwrap();
    let dir = run(place.path());
    let (sparse, same) = (dir.checkpoint(7), dir.checkpoint(8));
    let file = File::create(&sparse).unwrap();
    file.set_len(40_000_000).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"in the middle", 20_000_001).unwrap();
    drop(file);
    fs::hard_link(dir.best(), &same).unwrap();
    let before = whole(&dir);
    archive(&roots(place.path()), &Plan::of(&dir, false).unwrap()).unwrap();
    assert!(dir.archive().metadata().unwrap().len() < 100_000);
    unarchive(&roots(place.path()), &dir).unwrap();
    assert!(whole(&dir) == before);
    let metadata = sparse.metadata().unwrap();
    assert!(metadata.blocks() * 512 < 1_000_000, "{}", metadata.blocks());
    let inode = |path: &Path| path.metadata().unwrap().ino();
    assert_eq!(inode(&same), inode(&dir.best()));
}

fn paths(dir: &RunDir) -> Vec<PathBuf> {
    let found = whole(dir).into_iter().map(|entry| entry.0);
    found.filter(|path| !is_temporary(path)).collect()
}

/// What a program that is killed was writing: a clean-up finds it, and the next start removes an
/// archive's.
fn is_temporary(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "tmp")
}

fn storage(state: &Path, disk: impl Disk + 'static) -> Storage {
    Storage {
        disk: Arc::new(disk),
        state: Some(state.to_owned()),
    }
}

/// What there is before an action: whole, archived, archived and then restored.
fn prepared(
    storage: &Storage,
    place: &Path,
    action: &str,
) -> (RunDir, Option<Archived>, Option<Unarchived>) {
    let dir = run(place);
    if action == "archive" {
        return (dir, None, None);
    }
    let plan = Plan::of(&dir, false).unwrap();
    let archived = archive_on(storage, &roots(place), &plan).unwrap();
    let back =
        (action == "archive again").then(|| unarchive_on(storage, &roots(place), &dir).unwrap());
    (dir, Some(archived), back)
}

#[test]
fn every_call_may_fail_or_be_the_last_and_a_run_is_whole_or_archived() {
    for (action, with) in [
        ("archive", ErrorKind::StorageFull),
        ("undo", ErrorKind::PermissionDenied),
        ("unarchive", ErrorKind::StorageFull),
        ("archive again", ErrorKind::ReadOnlyFilesystem),
    ] {
        for at in 0.. {
            let mut reached = false;
            for (fail_at, kill_at) in [(at, NEVER), (NEVER, at)] {
                let context = format!("{action}, call {at}, killed: {}", fail_at == NEVER);
                let (place, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
                let real = storage(state.path(), System);
                let (dir, archived, back) = prepared(&real, place.path(), action);
                let disk = Faulty {
                    with,
                    ..Faulty::new(fail_at, kill_at)
                };
                let calls = Arc::clone(&disk.calls);
                let faulty = storage(state.path(), disk);
                let all = roots(place.path());
                let done = match (action, &archived, &back) {
                    ("undo", Some(archived), _) => undo_on(&faulty, archived),
                    ("unarchive", ..) => unarchive_on(&faulty, &all, &dir).map(drop),
                    (_, _, Some(back)) => undo_unarchive_on(&faulty, &dir, back),
                    _ => archive_on(&faulty, &all, &Plan::of(&dir, false).unwrap()).map(drop),
                };
                if let Err(error) = &done {
                    assert!(!error.to_string().contains('\n'), "{context}: {error}");
                }
                let context = format!("{context}: {done:?}");
                reached |= calls.load(Ordering::Relaxed) > at;
                crate::trash::recover_below_on(&real, &all, |_, _| true);
                let recovered = recover_on(&real, |_, _| true);
                assert_eq!(
                    recover_on(&real, |_, _| true),
                    Vec::<String>::new(),
                    "{context}"
                );
                is_whole_or_archived(
                    &real,
                    place.path(),
                    &dir,
                    &format!("{context}: {recovered:?}"),
                );
                // A failure that was reported leaves what there was.
                if let Err(error) = &done
                    && fail_at == at
                    && recovered.is_empty()
                    && !matches!(error, ArchiveError::HalfDone { .. })
                {
                    let left: Vec<_> = whole(&dir).into_iter().map(|entry| entry.0).collect();
                    assert!(
                        !left.iter().any(|path| is_temporary(path)),
                        "{context}: {left:?}"
                    );
                }
            }
            if !reached {
                assert!(at > 40, "{action} has only {at} calls");
                break;
            }
        }
    }
}

/// Holds that a run has all it had, or can be restored to have it, with times.
fn is_whole_or_archived(storage: &Storage, place: &Path, dir: &RunDir, context: &str) {
    let fresh = tempfile::tempdir().unwrap();
    let original: Vec<_> = whole(&run(fresh.path()))
        .into_iter()
        .map(|entry| entry.0)
        .collect();
    let is_whole = paths(dir) == original;
    if !is_whole {
        assert!(dir.archive().exists(), "{context}: {:?}", paths(dir));
        assert!(
            // An empty folder may be left of it.
            ![dir.best(), dir.last(), dir.checkpoint(5)]
                .iter()
                .any(|path| path.exists()),
            "{context}: half"
        );
        unarchive_on(storage, &roots(place), dir).unwrap();
        assert_eq!(paths(dir), original, "{context}");
    }
    let at = |path: PathBuf| (path.metadata().unwrap().mtime(), fs::read(path).unwrap());
    assert!(
        at(dir.best()) == (1_700_000_000, vec![7; 3_000]),
        "{context}"
    );
    assert_eq!(
        at(dir.last()),
        (1_700_000_000, b"last".to_vec()),
        "{context}"
    );
    // A folder's time that cannot be set costs nothing else.
    let time = dir.checkpoints().metadata().unwrap().mtime();
    assert!(
        time == 1_700_000_000 - 60 || context.contains("Ok(())"),
        "{context}: {time}"
    );
}

#[test]
fn a_job_that_is_cancelled_at_any_byte_leaves_nothing() {
    for action in ["archive", "unarchive"] {
        let mut cancelled = 0;
        for bytes in (0..).step_by(97) {
            let place = tempfile::tempdir().unwrap();
            let (state, roots) = (place.path().join("state"), roots(place.path()));
            let unwatched = storage(&state, System);
            let dir = run(place.path());
            let plan = Plan::of(&dir, false).unwrap();
            if action == "unarchive" {
                archive_on(&unwatched, &roots, &plan).unwrap();
            }
            let before = whole(&dir);
            let mut progress = Progress::default();
            progress.cancel_after = Some(bytes);
            let progress = Arc::new(progress);
            let watched = storage(&state, Watched::system(&progress));
            let done = if action == "archive" {
                archive_on(&watched, &roots, &plan).map(drop)
            } else {
                unarchive_on(&watched, &roots, &dir).map(drop)
            };
            let Err(error) = done else {
                break;
            };
            assert!(error.to_string().contains("cancelled"), "{error}");
            set_root_time(&dir, &before);
            assert_eq!(whole(&dir), before, "{action}, {bytes}");
            assert!(!paths(&dir).iter().any(|path| is_temporary(path)));
            let journals = fs::read_dir(state.join("archives")).unwrap();
            let left: Vec<_> = journals.flatten().map(|entry| entry.path()).collect();
            let is_journal = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
            assert!(!left.iter().any(is_journal), "{left:?}");
            cancelled += 1;
        }
        assert!(cancelled > 5, "{action}: {cancelled}");
    }
}

#[test]
fn an_archiving_that_was_cut_off_is_reported_by_the_next_start() {
    let mut sentences = std::collections::BTreeSet::new();
    for at in 10..400 {
        let (place, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let real = storage(state.path(), System);
        let dir = run(place.path());
        let before = whole(&dir);
        let plan = Plan::of(&dir, false).unwrap();
        let faulty = storage(state.path(), Faulty::new(NEVER, at));
        if archive_on(&faulty, &roots(place.path()), &plan).is_ok() {
            break;
        }
        let recovered = recover_on(&real, |_, _| true);
        if !dir.archive().exists() {
            assert_eq!(whole(&dir), before, "killed at {at}: {recovered:?}");
            // Archiving works again without restoring anything first.
            archive_on(&real, &roots(place.path()), &Plan::of(&dir, false).unwrap()).unwrap();
        }
        sentences.extend(recovered);
    }
    let sentences: Vec<_> = sentences.into_iter().collect();
    assert_eq!(
        sentences,
        [
            "archiving old was cut off; it is archived",
            "archiving old was cut off; it is as it was before"
        ]
    );
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
