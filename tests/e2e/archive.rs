//! Archiving and rebuilding, as scripts and people order them.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::fake_worker::{ONE_EPOCH, Workplace, wait_for};
use crate::pty::Dashboard;

/// A finished run with weights, and its folder.
fn finished() -> (Workplace, PathBuf) {
    let place = Workplace::new(ONE_EPOCH);
    let run = place.start_detached();
    run.wait_for_state("finished");
    for file in [
        "best.safetensors",
        "last.safetensors",
        "checkpoints/epoch_1.safetensors",
    ] {
        fs::write(run.0.join(file), vec![7; 50_000]).unwrap();
    }
    let dir = run.0.clone();
    (place, dir)
}

/// Every path below a folder, with mode, time and content.
fn whole(folder: &Path) -> Vec<(PathBuf, u64, i64, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // What is being moved may be gone again.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        let bytes = fs::read(&path).unwrap_or_default();
        found.push((
            path.clone(),
            metadata.mode().into(),
            metadata.mtime_nsec(),
            bytes,
        ));
        if metadata.is_dir() {
            found.extend(whole(&path));
        }
    }
    found.sort();
    found
}

/// A run of the reference's trainer of which only the log is left.
fn remains(place: &Workplace, name: &str) -> PathBuf {
    let dir = place.path().join("runs/training_runs").join(name);
    fs::create_dir_all(dir.join("logs")).unwrap();
    let rule = "=".repeat(40);
    let epoch = |number: u32| {
        format!(
            "[2025-03-10 14:30:0{number}] \n{rule} Epoch {number}/2 {rule}\nTime: 0m 1s\nTrain Loss: 1.{number} Train Acc: 4{number}.5%\n\
             Val Loss: 1.2 Val Acc: 5{number}.25%\nBest Val Acc: 0.0%\nLearning Rate: 0.01\n{rule}{rule}\n\n"
        )
    };
    let text = format!(
        "[2025-03-10 14:29:45] TRAINING CONFIGURATION\n[2025-03-10 14:29:45] {rule}\n[2025-03-10 14:29:45] model_name: resnet_small\n\
         [2025-03-10 14:29:45] num_epochs: 2\n[2025-03-10 14:29:45] \n{rule}\n[2025-03-10 14:29:45] Starting training from epoch 1/2\n{}{}",
        epoch(1),
        epoch(2)
    );
    let log = dir.join("logs/training.log");
    fs::write(&log, text).unwrap();
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_741_617_000);
    fs::File::options()
        .write(true)
        .open(&log)
        .unwrap()
        .set_modified(old)
        .unwrap();
    dir
}

#[test]
fn runs_are_archived_after_a_dry_run_stay_listed_and_come_back_whole() {
    let (place, dir) = finished();
    let name = dir.file_name().unwrap().to_str().unwrap();
    let before = whole(&dir);
    let dry = place.json(&["archive", name, "--json"]);
    assert_eq!(
        (
            &dry["done"],
            dry["runs"][0]["moved_to_trash"].as_array().unwrap().len()
        ),
        (&Value::Bool(false), 3)
    );
    assert_eq!(whole(&dir), before);
    let printed = place.stdout(&["archive", name, "--yes"]);
    assert!(printed.contains("packed into"), "{printed}");
    assert!(!dir.join("best.safetensors").exists() && dir.join("archive.tar.zst").exists());
    let listed = place.json(&["list", "--json"]);
    assert_eq!(
        (&listed[0]["state"], &listed[0]["best_val_acc"]),
        (&"finished".into(), &61.25.into())
    );
    assert!(listed[0]["archive_bytes"].as_u64().unwrap() > 0);
    let again = place.refusal(&["archive", name, "--yes"], 1);
    assert!(again.contains("it is archived already"), "{again}");
    let back = place.json(&["unarchive", name, "--yes", "--json"]);
    assert_eq!(back["runs"][0]["files"], 3);
    assert_eq!(whole(&dir), before);
    let refused = place.refusal(&["unarchive", name, "--yes"], 1);
    assert!(refused.contains("it is not archived"), "{refused}");
}

#[test]
fn an_archived_run_is_shown_opened_and_taken_back_by_keys() {
    let (place, dir) = finished();
    let before = whole(&dir);
    let mut dashboard = Dashboard::open(&place, &[], 100, 24);
    dashboard.wait("the run", |screen| screen.contains("61.25 @1"));
    dashboard.press("z");
    dashboard.wait("the question", |screen| screen.contains("Archive 1 run?"));
    dashboard.press("y");
    dashboard.wait("the sign", |screen| {
        screen.contains("▣") && screen.contains("1 run archived")
    });
    assert!(!dir.join("last.safetensors").exists());
    dashboard.press("\r");
    dashboard.wait("its curves", |screen| {
        screen.contains("1 Charts") && screen.contains("archived")
    });
    dashboard.press("q");
    dashboard.wait("the list", |screen| screen.contains("61.25 @1"));
    dashboard.press("u");
    dashboard.wait("no sign", |screen| {
        !screen.contains("▣") && screen.contains("as before")
    });
    assert_eq!(whole(&dir), before);
    dashboard.press("z");
    dashboard.wait("the question", |screen| screen.contains("Archive 1 run?"));
    dashboard.press("y");
    // The sign alone may show while the files are still being moved.
    dashboard.wait("the sign", |screen| {
        screen.contains("▣") && screen.contains("1 run archived")
    });
    dashboard.press("z");
    dashboard.wait("the question", |screen| screen.contains("Unarchive 1 run?"));
    dashboard.press("y");
    dashboard.wait("the files", |screen| screen.contains("1 run restored"));
    assert_eq!(whole(&dir), before);
    // That is undone as well, and once more.
    dashboard.press("u");
    dashboard.wait("the sign", |screen| {
        screen.contains("▣") && screen.contains("as before")
    });
    assert!(!dir.join("last.safetensors").exists());
    dashboard.press("u");
    dashboard.wait("no sign", |screen| {
        !screen.contains("▣") && screen.contains("as before")
    });
    assert_eq!(whole(&dir), before);
}

#[test]
fn what_is_left_of_an_old_run_becomes_a_run_after_a_dry_run() {
    let place = Workplace::new(ONE_EPOCH);
    let dir = remains(&place, "2025_03_10_14_29");
    let dry = place.stdout(&["organize", "runs"]);
    assert!(
        dry.contains("2 epochs") && dry.contains("--yes does it"),
        "{dry}"
    );
    assert!(!dir.join("run.json").exists());
    let done = place.json(&["organize", "runs", "--yes", "--json"]);
    assert_eq!(done["runs"][0]["files"].as_array().unwrap().len(), 3);
    let run = place.json(&["show", "2025_03_10_14_29", "--json"]);
    assert_eq!(
        (&run["state"], &run["best_val_acc"], &run["epochs_planned"]),
        (&"finished".into(), &52.25.into(), &2.into())
    );
    assert!(
        run["rebuilt"]
            .as_str()
            .unwrap()
            .contains("metrics.csv from training.log")
    );
    assert_eq!(run["config"]["model_name"], "resnet_small");
    let again = place.stdout(&["organize", "runs", "--yes"]);
    assert_eq!(again, "nothing is missing that could be made again\n");
}

#[test]
fn a_run_that_lost_its_record_is_adopted_from_the_palette() {
    let place = Workplace::new(ONE_EPOCH);
    let dir = remains(&place, "2025_03_10_14_29");
    place.stdout(&["organize", "runs", "--yes"]);
    fs::remove_file(dir.join("run.json")).unwrap();
    let mut dashboard = Dashboard::open(&place, &[], 100, 24);
    dashboard.wait("the run", |screen| {
        screen.contains("52.25 @2") && screen.contains("finished?")
    });
    dashboard.press(":organize\r");
    dashboard.wait("the question", |screen| {
        screen.contains("Rebuild logs of 1 run?")
    });
    dashboard.press("y");
    dashboard.wait("the record", |screen| {
        screen.contains("1 file was rebuilt") && !screen.contains("finished?")
    });
    wait_for("the record", || dir.join("run.json").exists());
    dashboard.press("u");
    dashboard.wait("no record", |screen| screen.contains("finished?"));
    assert!(!dir.join("run.json").exists());
    dashboard.press(":organize\r");
    dashboard.wait("the question", |screen| {
        screen.contains("Rebuild logs of 1 run?")
    });
    dashboard.press("y");
    dashboard.wait("the record", |screen| !screen.contains("finished?"));
    dashboard.press("\r");
    dashboard.wait("what was rebuilt", |screen| screen.contains("rebuilt: "));
}

#[test]
fn two_dashboards_and_a_script_on_one_tree_do_each_other_no_harm() {
    let place = Workplace::new(ONE_EPOCH);
    let runs = [place.start_detached(), place.start_detached()];
    for run in &runs {
        run.wait_for_state("finished");
        for file in ["best.safetensors", "last.safetensors"] {
            fs::write(run.0.join(file), file).unwrap();
        }
    }
    let mut one = Dashboard::open(&place, &[], 100, 24);
    let mut two = Dashboard::open(&place, &[], 100, 24);
    for dashboard in [&mut one, &mut two] {
        dashboard.wait("the runs", |screen| screen.contains("2 runs"));
    }
    // A mark stays with its run through any renaming.
    two.press("A");
    two.wait("the marks", |screen| screen.contains("2 marked"));
    let name = runs[0].name();
    // And a run that is shown alone is so under its new name.
    one.press("G\r");
    one.wait("the run", |screen| screen.contains("1 Charts"));
    place.stdout(&["rename", &name, "--to", "by-a-script", "--yes"]);
    one.wait("the run's new name", |screen| {
        screen.contains("1 Charts") && screen.contains("it is called by-a-script now")
    });
    one.press("\x1b");
    one.wait("the table", |screen| {
        screen.contains("2 runs") && screen.contains("by-a-script")
    });
    two.wait("the name and both marks", |screen| {
        screen.contains("by-a-script") && screen.contains("2 marked")
    });
    let tree = runs[0].0.parent().unwrap();
    let before = whole(tree);
    // Both archive both at once: each run is archived by one of them.
    one.press("A");
    one.wait("the marks", |screen| screen.contains("2 marked"));
    for dashboard in [&mut one, &mut two] {
        dashboard.press("z");
        dashboard.wait("the question", |screen| screen.contains("Archive 2 runs?"));
    }
    one.press("y");
    two.press("y");
    let dirs = [tree.join("by-a-script"), runs[1].0.clone()];
    wait_for("both archived", || {
        let is_archived = |dir: &PathBuf| {
            dir.join("archive.tar.zst").exists() && !dir.join("best.safetensors").exists()
        };
        dirs.iter().all(is_archived)
    });
    for dashboard in [&mut one, &mut two] {
        dashboard.wait("the signs", |screen| screen.matches('▣').count() >= 2);
        dashboard.press("q");
        assert!(dashboard.end().success());
    }
    for dir in &dirs {
        place.stdout(&["unarchive", dir.to_str().unwrap(), "--yes"]);
    }
    let seen = |whole: Vec<(PathBuf, u64, i64, Vec<u8>)>| {
        let seen = whole
            .into_iter()
            .map(|(path, mode, _, bytes)| (path, mode, bytes));
        seen.collect::<Vec<_>>()
    };
    assert_eq!(seen(whole(tree)), seen(before));
}

/// What a command comes to that is run by a user who may not write to the runs.
fn by_another_user(place: &Workplace, arguments: &[&str]) -> Output {
    let plain = place.traintop(arguments);
    if !rustix::process::geteuid().is_root() {
        return place.output(arguments);
    }
    // The superuser may write everywhere, and no other user may enter the folder of the build.
    let program = place.path().join("traintop");
    fs::copy(plain.get_program(), &program).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(place.path()).uid(65534);
    for (name, value) in plain.get_envs() {
        command.env(name, value.unwrap());
    }
    loop {
        match command.output() {
            // A process that another test has just started still holds the copy open for writing.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {
                std::thread::yield_now();
            }
            output => return output.unwrap(),
        }
    }
}

#[test]
fn a_run_that_may_not_be_changed_is_refused_before_anything_is_written() {
    let (place, dir) = finished();
    let state = place.path().join("state");
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for path in [
        place.path(),
        &place.path().join("runs"),
        &place.path().join("runs/training_runs"),
    ] {
        open(path, 0o755);
    }
    let _ = fs::remove_dir_all(&state);
    fs::create_dir(&state).unwrap();
    open(&state, 0o777);
    open(&dir, 0o555);
    let before = whole(&dir);
    let refused = by_another_user(&place, &["archive", dir.to_str().unwrap(), "--yes"]);
    let printed = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{printed}");
    assert!(
        printed.contains("cannot be archived (you may not change"),
        "{printed}"
    );
    assert!(!printed.contains("undone"), "{printed}");
    assert_eq!(whole(&dir), before);
    let listed = by_another_user(&place, &["trash", "list"]);
    assert!(
        listed.status.success() && listed.stderr.is_empty(),
        "{listed:?}"
    );
    // A journal that an earlier version has left there is dropped, since nothing was done.
    let journals = state.join("traintop/archives");
    fs::create_dir_all(&journals).unwrap();
    open(&state.join("traintop"), 0o777);
    open(&journals, 0o777);
    let journal = json!({
        "process": {
            "host": fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim(),
            "boot_id": "an earlier one", "pid": 1, "pid_started": 1,
        },
        "what": "archive", "dir": dir, "roots": [place.path().join("runs")],
        "removed": [dir.join("best.safetensors")],
        "temporary": dir.join(".archive.tar.zst.1-1.tmp"), "modified_ns": 1,
    });
    fs::write(journals.join("1-1.json"), journal.to_string()).unwrap();
    let next = by_another_user(&place, &["trash", "list"]);
    let printed = String::from_utf8(next.stderr).unwrap();
    assert!(printed.contains("it is as it was before"), "{printed}");
    let last = by_another_user(&place, &["trash", "list"]);
    assert!(last.status.success() && last.stderr.is_empty(), "{last:?}");
    assert_eq!(whole(&dir), before);
    open(&dir, 0o755);
}
