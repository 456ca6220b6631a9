//! Restoring things of a run that was renamed meanwhile.

use super::*;

/// A root with a run that has this id, or no record, and a checkpoint of it that is in the trash.
fn with_removed_checkpoint(id: Option<&str>) -> (Root, Trash, String) {
    let root = Root::new();
    make_run(&root.path().join("training_runs/a"), id);
    let trash = trash_of(root.path());
    let checkpoint = trash.root().join("training_runs/a/checkpoints/epoch_1.pth");
    let removal = Removal {
        things: vec![checkpoint.into()],
        by: "clean".to_owned(),
        why: String::new(),
        now: now(),
    };
    let removed = trash.remove(&removal, &mut |_| Ok(())).unwrap();
    let id = removed.entry.unwrap().id;
    (root, trash, id)
}

fn make_run(path: &Path, id: Option<&str>) {
    fs::create_dir_all(path.join("checkpoints")).unwrap();
    fs::write(path.join("metrics.csv"), "epoch,val_acc\n1,50\n").unwrap();
    fs::write(path.join("checkpoints/epoch_1.pth"), "weights").unwrap();
    if let Some(id) = id {
        fs::write(path.join("run.json"), format!("{{\"id\": \"{id}\"}}")).unwrap();
    }
}

#[test]
fn things_of_a_renamed_run_are_restored_into_the_run() {
    for id in [Some("a-1"), None] {
        let (_folder, trash, entry) = with_removed_checkpoint(id);
        let runs = trash.root().join("training_runs");
        // Others in the same folder are not mistaken for it.
        make_run(&runs.join("other"), id.map(|_| "other-1"));
        fs::rename(runs.join("a"), runs.join("b")).unwrap();
        let places = trash.restore(&entry).unwrap();
        assert_eq!(places, [runs.join("b/checkpoints/epoch_1.pth")]);
        assert!(places[0].exists() && !runs.join("a").exists());
        assert!(trash.list().unwrap().0.is_empty());
    }
}

#[test]
fn a_failure_at_any_call_loses_nothing_of_a_renamed_run() {
    let mut failures = 0;
    for at in 0.. {
        let (_folder, trash, entry) = with_removed_checkpoint(Some("a-1"));
        let runs = trash.root().join("training_runs");
        fs::rename(runs.join("a"), runs.join("b")).unwrap();
        let faulty = Faulty::new(at, NEVER);
        let calls = Arc::clone(&faulty.calls);
        let failing = Trash::on(&storage(trash.root(), faulty), trash.root());
        let done = failing.and_then(|failing| failing.restore(&entry));
        recover(&trash);
        if trash.list().unwrap().0.len() == 1 {
            failures += 1;
            trash.restore(&entry).unwrap();
        }
        assert!(runs.join("b/checkpoints/epoch_1.pth").exists(), "call {at}");
        assert!(!runs.join("a").exists(), "call {at}");
        if done.is_ok() && calls.load(Ordering::Relaxed) <= at {
            break;
        }
    }
    assert!(failures > 5, "{failures}");
}

#[test]
fn another_run_of_the_old_name_gets_nothing() {
    let (_folder, trash, entry) = with_removed_checkpoint(Some("a-1"));
    let runs = trash.root().join("training_runs");
    fs::remove_dir_all(runs.join("a")).unwrap();
    make_run(&runs.join("a"), Some("a-2"));
    fs::remove_file(runs.join("a/checkpoints/epoch_1.pth")).unwrap();
    let error = trash.restore(&entry).unwrap_err().to_string();
    assert!(
        error.contains("there is something of this name again"),
        "{error}"
    );
    assert!(!runs.join("a/checkpoints/epoch_1.pth").exists());
}

#[test]
fn of_several_copies_none_is_guessed() {
    let (_folder, trash, entry) = with_removed_checkpoint(Some("a-1"));
    let runs = trash.root().join("training_runs");
    make_run(&runs.join("copy"), Some("a-1"));
    // The folder itself is known by its number.
    fs::rename(runs.join("a"), runs.join("b")).unwrap();
    let places = trash.restore(&entry).unwrap();
    assert_eq!(places, [runs.join("b/checkpoints/epoch_1.pth")]);
    let (_folder, trash, entry) = with_removed_checkpoint(Some("a-1"));
    let runs = trash.root().join("training_runs");
    for name in ["copy_1", "copy_2"] {
        make_run(&runs.join(name), Some("a-1"));
    }
    fs::rename(runs.join("a"), trash.root().join("elsewhere")).unwrap();
    let error = trash.restore(&entry).unwrap_err().to_string();
    assert!(
        error.contains("both") && error.contains("copy_2"),
        "{error}"
    );
}
