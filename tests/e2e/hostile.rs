//! Trees that another user has written: opening, listing and restoring them writes and deletes
//! nothing outside of them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;

use crate::fake_worker::{ONE_EPOCH, Workplace, wait_for};
use crate::pty::Dashboard;
use crate::queue::keepers;

/// Everything below a folder but locks, with its bytes.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(tree(&path));
        }
        if !path.ends_with("lock") {
            let target =
                fs::read_link(&path).map(|link| link.into_os_string().into_encoded_bytes());
            let bytes = target.unwrap_or_else(|_| fs::read(&path).unwrap_or_default());
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

/// A tree with a run, and beside it a folder that is none of the tree's.
fn place() -> (Workplace, PathBuf) {
    let place = Workplace::new(ONE_EPOCH);
    let run = place.path().join("runs/training_runs/a");
    fs::create_dir_all(run.join("logs")).unwrap();
    fs::write(run.join("logs/metrics.csv"), "epoch,val_acc\n1,50\n").unwrap();
    let outside = place.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("victim"), "theirs").unwrap();
    (place, outside)
}

fn plant(place: &Workplace, id: &str, stage: &str, path: &str) {
    let folder = place.path().join("runs/.trash").join(id);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("0"), "planted").unwrap();
    let journal = json!({
        "id": id, "removed_at": "2026-11-20T00:00:00Z", "by": "clean", "why": "x", "stage": stage, "bytes": 5,
        "items": [{ "path": path, "kind": "file", "slot": 0 }],
        "folders": [{ "path": path, "before_ns": 1, "gives_back": true }],
    });
    fs::write(folder.join("entry.json"), journal.to_string()).unwrap();
}

#[test]
fn a_stranger_s_trash_is_listed_and_never_carried_out() {
    let (place, outside) = place();
    let new = outside.join("new");
    let new = new.to_str().unwrap();
    plant(&place, "20261120-000001", "moving", new);
    plant(&place, "20261120-000002", "restoring", "../outside/new");
    plant(&place, "20261120-000003", "moving", "planted");
    plant(&place, "20261120-000004", "kept", new);
    let before = tree(place.path());
    let opened = |place: &Workplace| {
        let mut dashboard = Dashboard::open(place, &["runs"], 100, 30);
        dashboard.wait("the run", |screen| {
            screen.contains("training_runs") || screen.contains("50")
        });
        dashboard.press("q");
        dashboard.end();
    };
    opened(&place);
    for arguments in [
        &["list", "runs"][..],
        &["clean", "runs"],
        &["trash", "list"],
        &["trash", "restore", "20261120-000004"],
        &["trash", "purge", "20261120-000001", "--yes"],
    ] {
        place.output(arguments);
    }
    let printed = place.output(&["trash", "list"]).stderr;
    let printed = String::from_utf8(printed).unwrap();
    assert_eq!(printed.matches("is damaged").count(), 3, "{printed}");
    assert!(
        printed.contains("`traintop trash restore 20261120-000003`"),
        "{printed}"
    );
    let ours = |tree: Vec<(PathBuf, Vec<u8>)>| -> Vec<_> {
        let roots = [place.path().join("runs"), outside.clone()];
        let keep = |path: &Path| roots.iter().any(|root| path.starts_with(root));
        let is_queue = |path: &Path| path.starts_with(place.path().join("runs/.queue"));
        tree.into_iter()
            .filter(|(path, _)| keep(path) && !is_queue(path))
            .collect()
    };
    assert_eq!(ours(tree(place.path())), ours(before));
    // What is asked for is done.
    let restored = place.output(&["trash", "restore", "20261120-000003"]);
    assert!(place.path().join("runs/planted").exists(), "{restored:?}");
}

#[test]
fn a_trash_that_is_a_link_is_not_looked_into() {
    let (place, outside) = place();
    let purging = outside.join("purging-20261120-000001");
    fs::create_dir(&purging).unwrap();
    fs::write(purging.join("precious"), "theirs").unwrap();
    symlink(&outside, place.path().join("runs/.trash")).unwrap();
    let before = tree(&outside);
    let listed = place.output(&["trash", "list"]);
    let printed = String::from_utf8(listed.stderr).unwrap();
    assert!(
        printed.contains("must be a folder, and is not"),
        "{printed}"
    );
    place.output(&["trash", "purge", "--yes"]);
    place.output(&["clean", "runs", "--yes"]);
    place.output(&["archive", "a", "--yes"]);
    assert_eq!(tree(&outside), before);
}

#[test]
fn a_queue_of_links_makes_locks_and_truncates_nothing_elsewhere() {
    let user = rustix::process::geteuid().as_raw();
    let (keeper, log, wake) = (
        format!("keeper-{user}"),
        format!("keeper-{user}.log"),
        format!("wake/wake-{user}"),
    );
    for link in ["", "lock", "keeper", &keeper, &log, "wake", &wake, "waits"] {
        let (place, outside) = place();
        let queue = place.path().join("runs/.queue");
        let at = queue.join(link);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        let is_folder = ["", "wake", "waits"].contains(&link);
        let target = if is_folder {
            outside.clone()
        } else {
            outside.join("victim")
        };
        // Spelled without a slash behind it, as a name of its own.
        let at = if link.is_empty() { queue.clone() } else { at };
        let _ = fs::remove_dir(&at);
        symlink(target, &at).unwrap();
        let before = tree(&outside);
        let queued = place.output(&["train", "--config", "quick", "--queue"]);
        if link.is_empty() {
            let printed = String::from_utf8(queued.stderr).unwrap();
            assert!(
                printed.contains("/.queue: cannot be read or written"),
                "{printed}"
            );
        }
        place.output(&["queue", "runs"]);
        place.output(&["list", "runs"]);
        wait_for("the keeper's end", || keepers(&place).is_empty());
        assert_eq!(tree(&outside), before, "{link:?}");
    }
}

#[test]
fn a_run_that_cannot_be_resumed_makes_no_queue() {
    let (place, _) = place();
    let resumed = place.output(&["resume", "--queue", "runs/training_runs/a"]);
    assert!(!resumed.status.success(), "{resumed:?}");
    assert!(!place.path().join("runs/.queue").exists(), "{resumed:?}");
}

/// Runs a command with every file limited to nothing, as on a full disk.
fn on_a_full_disk(place: &Workplace, arguments: &[&str]) -> Output {
    let plain = place.traintop(arguments);
    let mut command = Command::new("sh");
    let limited = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
    command
        .args(["-c", limited])
        .arg(plain.get_program())
        .args(arguments);
    command.current_dir(place.path());
    for (name, value) in plain.get_envs() {
        command.env(name, value.unwrap());
    }
    command.output().unwrap()
}

#[test]
fn a_full_disk_leaves_nothing_behind() {
    let (place, _) = place();
    let runs = place.path().join("runs/training_runs");
    let before = tree(&runs);
    let run = runs.join("a");
    for arguments in [
        &["train", "--config", "quick", "--queue"][..],
        &[
            "train",
            "--config",
            "quick",
            "--sweep",
            "seed=1..3",
            "--queue",
        ],
        &["train", "--config", "quick", "--detach"],
        &["tag", run.to_str().unwrap(), "seen"],
        &["figures", run.to_str().unwrap()],
    ] {
        let output = on_a_full_disk(&place, arguments);
        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        assert_eq!(tree(&runs), before, "{arguments:?}");
    }
    let names = || -> Vec<_> {
        let entries = fs::read_dir(place.path()).unwrap().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    let export = ["export", "table", "--root", "runs", "--out", "table.csv"];
    let output = on_a_full_disk(&place, &export);
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(names(), before, "{output:?}");
}

#[test]
fn links_in_the_place_of_folders_lead_no_rebuilding_and_no_renaming_out() {
    let place = Workplace::new(ONE_EPOCH);
    let outside = place.path().join("outside");
    fs::create_dir_all(outside.join("e")).unwrap();
    let run = place.path().join("runs/training_runs/old");
    fs::create_dir_all(&run).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoint/plain.pth");
    fs::copy(fixture, run.join("best.pth")).unwrap();
    fs::write(outside.join("metrics.csv"), "epoch,val_acc\n1,50\n").unwrap();
    symlink(&outside, run.join("logs")).unwrap();
    symlink(&outside, place.path().join("runs/evaluations")).unwrap();
    symlink(&outside, place.path().join("runs/best_models")).unwrap();
    let named = run.canonicalize().unwrap();
    fs::write(
        outside.join("e/summary.json"),
        format!("{{\"run\": \"{}\"}}", named.display()),
    )
    .unwrap();
    fs::write(outside.join("quick_old_best.pth"), "weights").unwrap();
    let all = |folder: &Path| {
        let listed = Command::new("find")
            .arg(folder)
            .args(["-type", "f", "-exec", "md5sum", "{}", "+"])
            .output();
        String::from_utf8(listed.unwrap().stdout).unwrap()
    };
    let aged = Command::new("find")
        .arg(place.path())
        .args(["-exec", "touch", "-h", "-d", "1 hour ago", "{}", "+"])
        .status();
    assert!(aged.unwrap().success());
    let before = all(&outside);
    for arguments in [
        &["organize", "--yes", "runs"][..],
        &["tag", "+x", "old"],
        &["note", "old", "a note"],
        &["rename", "--yes", "--to", "new", "old"],
        &["clean", "--yes", "runs"],
    ] {
        let output = place.output(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
        assert_eq!(all(&outside), before, "{arguments:?}: {output:?}");
    }
    assert!(
        run.with_file_name("new").is_dir(),
        "it was renamed all the same"
    );
}

#[test]
fn links_in_the_place_of_a_run_s_folders_lead_nothing_out() {
    let place = Workplace::new(ONE_EPOCH);
    let outside = place.path().join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("loss_plot.png"), "precious").unwrap();
    fs::write(outside.join("training.log"), "theirs\n").unwrap();
    let before = tree(&outside);
    for link in ["logs", "logs/figures", "checkpoints"] {
        let run = place
            .path()
            .join("runs/training_runs")
            .join(format!("of_{}", link.replace('/', "_")));
        fs::create_dir_all(run.join("logs")).unwrap();
        let metrics = "epoch,train_loss,val_acc\n1,1,1\n2,2,2\n3,1,3\n";
        fs::write(run.join("metrics.csv"), metrics).unwrap();
        fs::write(run.join("logs/metrics.csv"), metrics).unwrap();
        if link == "logs" {
            fs::remove_dir_all(run.join("logs")).unwrap();
        }
        symlink(&outside, run.join(link)).unwrap();
        let record = r#"{"id": "a", "name": "a", "state": "failed", "command": ["true"]}"#;
        fs::write(run.join("run.json"), record).unwrap();
        let path = run.to_str().unwrap();
        for arguments in [["figures", path], ["resume", path]] {
            let output = place.output(&arguments);
            assert!(!output.status.success(), "{arguments:?}: {output:?}");
        }
        let figures = place.output(&["figures", path]);
        let printed = String::from_utf8_lossy(&figures.stderr);
        assert!(
            printed.contains("is a link, which is not followed"),
            "{printed}"
        );
        assert!(tree(&outside) == before, "{link}: {:?}", tree(&outside));
    }
}
