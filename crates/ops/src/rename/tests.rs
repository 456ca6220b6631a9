//! The plan, and that all of it is done or nothing, with any interruption.

use std::fs;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::follow::Links;
use super::*;
use proptest::prelude::*;
use traintop_disk::faulty::{Faulty, NEVER};
use traintop_disk::{Disk, System};
use traintop_run::notes::{Change, Notes};
use traintop_run::process::Process;
use traintop_run::record::Record;
use traintop_run::state_dir::Storage;

fn wish(path: &str, name: &str) -> RenameRequest {
    RenameRequest {
        dir: RunDir::new(path),
        state: State::Finished,
        name: Ok(name.to_owned()),
    }
}

fn run(root: &Path, name: &str) -> RunDir {
    let dir = RunDir::new(root.join(name));
    fs::create_dir(dir.path()).unwrap();
    let mut record = Record::new(
        &dir,
        name.to_owned(),
        Process::current(),
        Vec::new(),
        jiff::Timestamp::UNIX_EPOCH,
    );
    record.state = State::Finished;
    record.save(&dir).unwrap();
    dir
}

/// Every path below a folder with its bytes.
fn tree(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            let bytes = fs::read(&path).unwrap_or_default();
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

#[test]
fn every_row_says_what_is_wrong_with_it() {
    let missing = RenameRequest {
        name: Err("it has no seed".to_owned()),
        ..wish("/r/a", "")
    };
    let running = RenameRequest {
        state: State::Running,
        ..wish("/r/b", "new")
    };
    let same = RenameRequest {
        state: State::Running,
        ..wish("/r/k", "k")
    };
    let long = "x".repeat(256);
    let wishes = vec![
        missing,
        running,
        wish("/r/c", "twice"),
        wish("/r/d", "twice"),
        wish("/r/e", "taken"),
        wish("/r/f", "a/b"),
        wish("/r/g", ""),
        wish("/r/h", ".trash"),
        wish("/r/i", &long),
        wish("/r/j", "logs"),
        same,
        wish("/r/l", "good"),
        wish("/r/m", "bell\u{7}"),
    ];
    let steps = plan(wishes, |path| path == Path::new("/r/taken"));
    let problems: Vec<_> = steps
        .iter()
        .map(|step| step.problem.clone().unwrap_or_default())
        .collect();
    let expected = [
        "it has no seed",
        "it is running",
        "same name",
        "same name",
        "already",
        "must not hold /",
        "empty",
        "dot",
        "255 bytes",
        "not searched",
        "",
        "",
        "control",
    ];
    for (problem, part) in problems.iter().zip(expected) {
        assert!(
            problem.contains(part) && problem.is_empty() == part.is_empty(),
            "{problem:?} {part:?}"
        );
    }
}

#[test]
fn record_follows_and_undo_gives_every_byte_and_folders_time_back() {
    let root = tempfile::tempdir().unwrap();
    let dir = run(root.path(), "old");
    Notes::change(&dir, &Change::Name("mine".to_owned())).unwrap();
    let times = |dir: &RunDir| {
        let modified = |path: &Path| path.metadata().unwrap().modified().unwrap();
        [modified(root.path()), modified(dir.path())]
    };
    for (path, seconds) in [(dir.path(), 1000), (root.path(), 2000)] {
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        fs::File::open(path)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
    }
    let (before, dated) = (tree(root.path()), times(&dir));
    let steps = plan(vec![wish(dir.path().to_str().unwrap(), "new")], |path| {
        path.exists()
    });
    let renamed = apply(&steps).unwrap();
    let record = Record::load(&renamed[0].to).unwrap().unwrap();
    assert_eq!(
        (record.name.as_str(), record.id.starts_with("old-")),
        ("new", true)
    );
    assert_eq!(Notes::load(&renamed[0].to).unwrap().name, None);
    undo(&renamed).unwrap();
    assert_eq!((tree(root.path()), times(&dir)), (before, dated));
    // A folder in which another user has changed something meanwhile keeps that time.
    let renamed = apply(&steps).unwrap();
    fs::write(root.path().join("other"), "").unwrap();
    let [changed, _] = times(&renamed[0].to);
    undo(&renamed).unwrap();
    let [now, of_run] = times(&dir);
    assert!(now >= changed && of_run == dated[1]);
}

#[test]
fn running_run_is_refused_at_the_last_moment() {
    let root = tempfile::tempdir().unwrap();
    let dir = run(root.path(), "old");
    let steps = plan(vec![wish(dir.path().to_str().unwrap(), "new")], |path| {
        path.exists()
    });
    let mut record = Record::load(&dir).unwrap().unwrap();
    record.state = State::Running;
    record.save(&dir).unwrap();
    let error = apply(&steps).unwrap_err().to_string();
    assert!(
        error.contains("it is running") && dir.path().exists(),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn all_or_nothing_whatever_is_in_the_way(names in prop::collection::vec("[a-e]{1,2}", 1..5), late in "[a-e]{1,2}") {
        let root = tempfile::tempdir().unwrap();
        for name in ["r1", "r2", "r3", "r4"] {
            run(root.path(), name);
        }
        let wishes = names.iter().zip(1..).map(|(name, number)| {
            wish(root.path().join(format!("r{number}")).to_str().unwrap(), name)
        });
        let steps = plan(wishes.collect(), |path| path.exists());
        // Another process takes a name between the plan and the renaming.
        fs::write(root.path().join(&late), "theirs").unwrap();
        let before = tree(root.path());
        match apply(&steps) {
            Ok(renamed) => {
                prop_assert!(!names.contains(&late));
                prop_assert_eq!(renamed.len(), names.len());
                prop_assert_eq!(fs::read(root.path().join(&late)).unwrap(), b"theirs");
                undo(&renamed).unwrap();
            }
            Err(error) => prop_assert!(error.to_string().contains("nothing was renamed"), "{}", error),
        }
        prop_assert_eq!(tree(root.path()), before);
    }
}

/// An output tree with two runs, what they left beside them, and links to them.
fn output_tree(place: &Path) -> PathBuf {
    let runs = place.join("training_runs");
    fs::create_dir_all(&runs).unwrap();
    let path = |below: &str| place.join(below);
    for name in ["r1", "r2"] {
        let dir = run(&runs, name);
        Notes::change(&dir, &Change::Name(format!("call it {name}"))).unwrap();
        for kind in ["best", "final"] {
            let folder = path(&format!("{kind}_models"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(
                folder.join(format!("quick_{name}_{kind}.safetensors")),
                name,
            )
            .unwrap();
        }
    }
    fs::write(path("best_models/cifar10_best.pth"), "the reference's").unwrap();
    let link = |to: &Path, at: &str| std::os::unix::fs::symlink(to, path(at)).unwrap();
    link(&runs.join("r1/best.safetensors"), "best_models/absolute");
    link(Path::new("../training_runs/r1"), "best_models/relative");
    fs::create_dir_all(path("evaluations/e1")).unwrap();
    link(
        Path::new("../../training_runs/./r2/best.safetensors"),
        "evaluations/e1/model",
    );
    let text = serde_json::json!({
        "run": { "path": runs.join("r1"), "name": "r1" },
        "path": runs.join("r1/best.safetensors"),
        "other": runs.join("r10"),
    });
    fs::write(path("evaluations/e1/summary.json"), text.to_string()).unwrap();
    runs
}

/// Every path below a folder with its bytes, or where it leads, and its time.
fn whole(root: &Path) -> Vec<(PathBuf, Vec<u8>, Option<SystemTime>)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if let Ok(target) = fs::read_link(&path) {
                found.push((path, target.into_os_string().into_encoded_bytes(), None));
            } else if path.is_dir() {
                folders.push(path.clone());
                found.push((path, Vec::new(), None));
            } else {
                let modified = fs::metadata(&path).unwrap().modified().ok();
                let bytes = fs::read(&path).unwrap();
                found.push((path, bytes, modified));
            }
        }
    }
    found.sort();
    found
}

fn wishes(runs: &Path) -> Vec<RenameRequest> {
    let wish = |name: &str| wish(runs.join(name).to_str().unwrap(), &format!("{name}-new"));
    vec![wish("r1"), wish("r2")]
}

#[test]
fn models_links_and_evaluations_follow_and_come_back_to_the_byte() {
    let place = tempfile::tempdir().unwrap();
    let runs = output_tree(place.path());
    let before = whole(place.path());
    let renamed = apply(&plan(wishes(&runs), |path| path.exists())).unwrap();
    let at = |below: &str| place.path().join(below);
    assert!(
        renamed.iter().all(|renamed| renamed.left.is_empty()),
        "{renamed:?}"
    );
    assert_eq!(
        fs::read(at("best_models/quick_r1-new_best.safetensors")).unwrap(),
        b"r1"
    );
    assert_eq!(
        fs::read(at("final_models/quick_r2-new_final.safetensors")).unwrap(),
        b"r2"
    );
    assert!(at("best_models/cifar10_best.pth").exists());
    let link = |below: &str| fs::read_link(at(below)).unwrap();
    assert_eq!(
        link("best_models/absolute"),
        runs.join("r1-new/best.safetensors")
    );
    assert_eq!(
        link("best_models/relative"),
        Path::new("../training_runs/r1-new")
    );
    assert!(link("evaluations/e1/model").ends_with("r2-new/best.safetensors"));
    let text = fs::read(at("evaluations/e1/summary.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let reported =
        [&json["run"]["path"], &json["path"], &json["other"]].map(|path| path.as_str().unwrap());
    let ends = [
        "training_runs/r1-new",
        "r1-new/best.safetensors",
        "training_runs/r10",
    ];
    assert!(
        reported
            .iter()
            .zip(ends)
            .all(|(path, end)| path.ends_with(end)),
        "{reported:?}"
    );
    assert_eq!(json["run"]["name"], "r1");
    undo(&renamed).unwrap();
    assert_eq!(whole(place.path()), before);
}

#[test]
fn a_model_whose_new_name_is_taken_is_reported_and_left() {
    let place = tempfile::tempdir().unwrap();
    let runs = output_tree(place.path());
    let taken = place
        .path()
        .join("best_models/quick_r1-new_best.safetensors");
    fs::write(&taken, "theirs").unwrap();
    let before = whole(place.path());
    let renamed = apply(&plan(wishes(&runs), |path| path.exists())).unwrap();
    assert!(
        renamed[0].left[0].contains("quick_r1_best.safetensors: still says the other name"),
        "{renamed:?}"
    );
    undo(&renamed).unwrap();
    assert_eq!(whole(place.path()), before);
}

fn storage(state: &Path, disk: impl Disk + 'static) -> Storage {
    Storage {
        disk: Arc::new(disk),
        state: Some(state.to_owned()),
    }
}

/// As [`whole`], without what a killed program was writing beside a file: a clean-up finds that.
fn settled(root: &Path) -> Vec<(PathBuf, Vec<u8>, Option<SystemTime>)> {
    let mut found = whole(root);
    found.retain(|(path, ..)| path.extension().is_none_or(|ending| ending != "tmp"));
    found
}

fn recovered(state: &Path) -> Vec<String> {
    recover_on(&storage(state, System), |_, _| true)
}

#[test]
fn every_call_may_fail_or_be_the_last_and_all_names_are_old_or_new() {
    for (with, undoes) in [
        (ErrorKind::StorageFull, false),
        (ErrorKind::PermissionDenied, true),
    ] {
        for at in 0.. {
            let mut reached = false;
            for (fail_at, kill_at) in [(at, NEVER), (NEVER, at)] {
                let context = format!("undo: {undoes}, call {at}, killed: {}", fail_at == NEVER);
                let (place, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
                let runs = output_tree(place.path());
                let before = whole(place.path());
                let steps = plan(wishes(&runs), |path| path.exists());
                let disk = Faulty {
                    with,
                    ..Faulty::new(fail_at, kill_at)
                };
                let calls = Arc::clone(&disk.calls);
                let real = storage(state.path(), System);
                let faulty = storage(state.path(), disk);
                let (renamed, done) = if undoes {
                    let renamed = apply_on(&real, &steps).unwrap();
                    let done = undo_on(&faulty, &renamed).map_err(|(_, cause)| cause.to_string());
                    (Some(renamed), done.map(drop))
                } else {
                    let done = apply_on(&faulty, &steps).map_err(|error| error.to_string());
                    let renamed = done.as_ref().ok().cloned();
                    (renamed, done.map(drop))
                };
                let reported = recovered(state.path());
                reached |= calls.load(Ordering::Relaxed) > at;
                if let Some(renamed) = &renamed
                    && runs.join("r1-new").exists()
                {
                    assert!(runs.join("r2-new").exists(), "{context}: {reported:?}");
                    assert_eq!(done.is_ok(), !undoes, "{context}");
                    assert_eq!(reported, Vec::<String>::new(), "{context}");
                    // What could not follow is reported.
                    let is_whole = ["r1", "r2"].iter().all(|name| {
                        let model = format!("best_models/quick_{name}-new_best.safetensors");
                        place.path().join(model).exists()
                    });
                    let is_reported = renamed.iter().any(|renamed| !renamed.left.is_empty());
                    assert!(is_whole || is_reported, "{context}");
                    undo_on(&real, renamed).unwrap();
                }
                if fail_at == NEVER {
                    assert_eq!(
                        settled(place.path()),
                        settled_of(before),
                        "{context}: {reported:?}"
                    );
                } else {
                    assert_eq!(whole(place.path()), before, "{context}: {reported:?}");
                }
                assert_eq!(recovered(state.path()), Vec::<String>::new(), "{context}");
            }
            if !reached {
                assert!(at > 40, "there are only {at} calls");
                break;
            }
        }
    }
}

fn settled_of(
    mut whole: Vec<(PathBuf, Vec<u8>, Option<SystemTime>)>,
) -> Vec<(PathBuf, Vec<u8>, Option<SystemTime>)> {
    whole.retain(|(path, ..)| path.extension().is_none_or(|ending| ending != "tmp"));
    whole
}

#[test]
fn recovery_may_itself_be_cut_off_at_every_call() {
    for at in (5..).step_by(6) {
        let mut reached = false;
        for again in 0.. {
            let (place, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let runs = output_tree(place.path());
            let before = settled(place.path());
            let steps = plan(wishes(&runs), |path| path.exists());
            let disk = Faulty::new(NEVER, at);
            let calls = Arc::clone(&disk.calls);
            if apply_on(&storage(state.path(), disk), &steps).is_ok() {
                break;
            }
            reached |= calls.load(Ordering::Relaxed) > at;
            let disk = Faulty::new(NEVER, again);
            let calls = Arc::clone(&disk.calls);
            recover_on(&storage(state.path(), disk), |_, _| true);
            recovered(state.path());
            let context = format!("killed at {at}, and recovery at {again}");
            assert_eq!(settled(place.path()), before, "{context}");
            if calls.load(Ordering::Relaxed) <= again {
                break;
            }
        }
        if !reached {
            break;
        }
    }
}

#[test]
fn what_a_program_that_was_killed_has_left_is_reported_once_it_is_gone() {
    let (place, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let runs = output_tree(place.path());
    let before = whole(place.path());
    let real = storage(state.path(), System);
    let moves = ["r1", "r2"].map(|name| {
        let dir = RunDir::new(runs.join(name));
        journal::Move::plan(&real, &dir, &format!("{name}-new"), &mut Links::default()).unwrap()
    });
    journal::begin(&real, &moves).unwrap();
    fs::rename(runs.join("r1"), runs.join("r1-new")).unwrap();
    // The one who wrote it still lives: hands off.
    assert!(recover_on(&real, |process, _| !process.is_alive()).is_empty());
    let reported = recovered(state.path());
    assert_eq!(
        reported,
        ["renaming 2 runs was cut off; r1 and the others have their old names"]
    );
    assert_eq!(whole(place.path()), before);
}

#[test]
fn what_cannot_go_back_is_reported_with_its_journal() {
    let (place, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let runs = output_tree(place.path());
    let real = storage(state.path(), System);
    let dir = RunDir::new(runs.join("r1"));
    let moves = [journal::Move::plan(&real, &dir, "r1-new", &mut Links::default()).unwrap()];
    journal::begin(&real, &moves).unwrap();
    fs::rename(runs.join("r1"), runs.join("r1-new")).unwrap();
    fs::create_dir(runs.join("r1")).unwrap();
    let reported = recovered(state.path());
    assert!(
        reported[0].contains("r1-new keeps its new name") && reported[0].contains(".json"),
        "{reported:?}"
    );
    fs::write(state.path().join("renames/half.json"), "{").unwrap();
    let reported = recovered(state.path());
    assert!(
        reported
            .iter()
            .any(|sentence| sentence.contains("half.json: is damaged")),
        "{reported:?}"
    );
}

#[test]
fn a_folder_that_may_not_be_changed_and_a_full_disk_are_plain_sentences() {
    let cases = [
        (
            ErrorKind::PermissionDenied,
            "you may not change the folder it is in",
        ),
        (
            ErrorKind::ReadOnlyFilesystem,
            "the file system is read-only",
        ),
        (ErrorKind::StorageFull, "the disk is full"),
    ];
    for (with, part) in cases {
        let mut sentences = Vec::new();
        for at in 0..60 {
            let (place, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let runs = output_tree(place.path());
            let steps = plan(wishes(&runs), |path| path.exists());
            let disk = Faulty {
                with,
                ..Faulty::new(at, NEVER)
            };
            let done = apply_on(&storage(state.path(), disk), &steps);
            sentences.extend(done.err().map(|error| error.to_string()));
        }
        assert!(sentences.len() > 5, "{sentences:?}");
        for reported in &sentences {
            assert!(
                reported.contains(part) && reported.contains("nothing was renamed"),
                "{reported}"
            );
        }
    }
}

#[test]
fn links_beside_a_run_follow_it_and_a_link_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let dir = run(&root, "a");
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(target, root.join(name)).unwrap();
        RunDir::new(root.join(name))
    };
    let latest = link("a", "latest");
    let other = link("elsewhere", "other");
    let renamed = apply(&plan(vec![wish(dir.path().to_str().unwrap(), "b")], |_| {
        false
    }))
    .unwrap();
    assert_eq!(fs::read_link(latest.path()).unwrap(), Path::new("b"));
    assert_eq!(fs::read_link(other.path()).unwrap(), Path::new("elsewhere"));
    assert!(latest.run_json().exists());
    undo(&renamed).unwrap();
    assert_eq!(fs::read_link(latest.path()).unwrap(), Path::new("a"));
    let steps = plan(vec![wish(latest.path().to_str().unwrap(), "c")], |_| false);
    let error = apply(&steps).unwrap_err().to_string();
    assert!(error.contains("it is a link"), "{error}");
    assert!(latest.path().is_symlink() && dir.path().exists());
}
