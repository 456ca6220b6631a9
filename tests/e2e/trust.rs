//! A tree may hold anything that anyone wrote: a command in it is executed only for the user who
//! asked for it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::fake_worker::{COUNTED, Run, Workplace, open_to_all};
use crate::pty::Dashboard;
use crate::queue::{begun, queue, state, tree};
use crate::schemas;

/// A run that a stranger wrote into the tree: first in the queue if it waits there. Its command
/// makes the file `executed`.
fn strange_run(place: &Workplace, state: &str) -> Run {
    let run = place.path().join("runs/training_runs/strange");
    fs::create_dir_all(run.join("logs")).unwrap();
    let record = json!({
        "schema_version": 1, "id": "strange", "name": "strange", "state": state, "created_at": "2026-11-20T00:00:00Z",
        "command": ["sh", "-c", "touch \"$TRAINTOP_RUN_DIR/executed\""], "launcher": "mine", "queue_position": 1,
        "environment": {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": "/strange"},
    });
    fs::write(run.join("run.json"), record.to_string()).unwrap();
    fs::write(run.join("logs/config.json"), "{}").unwrap();
    Run(run)
}

fn executed(run: &Run) -> bool {
    run.0.join("executed").exists()
}

#[test]
fn a_queued_command_of_a_stranger_is_shown_and_not_executed() {
    let place = Workplace::new(COUNTED);
    let strange = strange_run(&place, "queued");
    let before = files(&tree(&place));
    let listed = place.json(&["queue", "--json"]);
    let why = listed[0]["waits_for"].as_str().unwrap();
    assert!(why.starts_with("not queued by you from here"), "{why}");
    place.stdout(&["list"]);
    let mut dashboard = Dashboard::open(&place, &[], 100, 30);
    dashboard.press("w");
    dashboard.wait("the queue", |screen| {
        screen.contains("waits: not queued by you")
    });
    assert_eq!(
        files(&tree(&place)),
        before,
        "looking at a tree changes nothing in it"
    );
    // A run of our own that is queued later passes it.
    let own = queue(&place, 1);
    own[0].wait_for_state("finished");
    assert_eq!(
        (state(&strange).as_str(), executed(&strange)),
        ("queued", false)
    );

    dashboard.press("t");
    dashboard.wait("the question", |screen| {
        screen.contains("Trust this command?") && screen.contains("LD_LIBRARY_PATH=/strange")
    });
    dashboard.press("\x1b");
    dashboard.wait("no question", |screen| {
        !screen.contains("Trust this command?")
    });
    assert!(!executed(&strange));
    dashboard.wait("the queue", |screen| {
        screen.contains("waits: not queued by you")
    });
    dashboard.press("t");
    dashboard.wait("the question", |screen| {
        screen.contains("Trust this command?")
    });
    dashboard.press("y");
    strange.wait_for_state("finished");
    assert!(executed(&strange));
}

/// Every path below a folder.
fn files(folder: &Path) -> Vec<String> {
    let find = Command::new("find").arg(folder).output().unwrap();
    let text = String::from_utf8(find.stdout).unwrap();
    let mut paths: Vec<String> = text.lines().map(str::to_owned).collect();
    paths.sort();
    paths
}

#[test]
fn a_copied_tree_without_its_queue_begins_once_it_is_trusted() {
    let place = Workplace::new(COUNTED);
    let strange = strange_run(&place, "queued");
    place.stdout(&["trust", "--yes", "strange"]);
    strange.wait_for_state("finished");
    assert!(executed(&strange));
}

#[test]
fn a_command_of_a_stranger_is_not_resumed_unless_it_is_trusted() {
    let place = Workplace::new(COUNTED);
    let strange = strange_run(&place, "failed");
    for arguments in [
        &["resume", "strange"][..],
        &["resume", "--queue", "strange"],
    ] {
        let refused = place.refusal(arguments, 1);
        assert!(refused.contains("traintop trust strange"), "{refused}");
    }
    let shown = place.stdout(&["trust", "strange"]);
    assert!(shown.contains("command: sh -c 'touch"), "{shown}");
    assert!(
        shown.contains("variable: LD_LIBRARY_PATH=/strange"),
        "{shown}"
    );
    assert!(place.refusal(&["resume", "strange"], 1).contains("trust"));
    place.stdout(&["trust", "--yes", "strange"]);
    // What was trusted is what was shown, and nothing else.
    let mut record = strange.record();
    record["command"][2] = Value::from("touch \"$TRAINTOP_RUN_DIR/other\"");
    fs::write(strange.0.join("run.json"), record.to_string()).unwrap();
    assert!(place.refusal(&["resume", "strange"], 1).contains("trust"));
    place.stdout(&["trust", "--yes", "strange"]);
    place.stdout(&["resume", "strange"]);
    strange.wait_for_state("finished");
    assert!(strange.0.join("other").exists() && !executed(&strange));
}

#[test]
fn a_run_of_our_worker_is_not_resumed_in_a_folder_that_a_stranger_chose() {
    let place = Workplace::new(COUNTED);
    let strange = strange_run(&place, "stopped");
    let mut record = strange.record();
    record.as_object_mut().unwrap().remove("launcher");
    record["working_dir"] = Value::from(place.path().to_str().unwrap());
    fs::write(strange.0.join("run.json"), record.to_string()).unwrap();
    for arguments in [
        &["resume", "strange"][..],
        &["resume", "--queue", "strange"],
    ] {
        let refused = place.refusal(arguments, 1);
        assert!(refused.contains("traintop trust strange"), "{refused}");
    }
    assert!(!strange.0.join("begun").exists());
    let shown = place.stdout(&["trust", "strange"]);
    assert!(shown.contains("in folder: "), "{shown}");
    place.stdout(&["trust", "--yes", "strange"]);
    place.stdout(&["resume", "strange"]);
    strange.wait_for_state("finished");
    assert!(strange.0.join("begun").exists());
}

#[test]
fn a_job_of_slurm_executes_only_the_command_that_was_handed_over() {
    let place = Workplace::new(COUNTED);
    let strange = strange_run(&place, "queued");
    let mut job = place.traintop(&[
        "__slurm-job",
        "--digest",
        "0123",
        strange.0.to_str().unwrap(),
    ]);
    let output = job.env("SLURM_JOB_ID", "1").output().unwrap();
    let printed = String::from_utf8(output.stderr).unwrap();
    assert!(printed.contains("its command has changed"), "{printed}");
    assert_eq!((output.status.code(), executed(&strange)), (Some(1), false));
}

#[test]
fn two_users_share_a_queue_and_each_starts_the_own_runs() {
    let place = Workplace::new(COUNTED);
    let shared = [
        "runs",
        "runs/training_runs",
        "runs/.queue",
        "runs/.queue/wake",
        "runs/.queue/waits",
    ];
    for folder in shared {
        let folder = place.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        open_to_all(&folder);
    }
    let sweep = [
        "train",
        "--config",
        "quick",
        "--set",
        "num_epochs=1",
        "--sweep",
        "seed=7,8",
        "--queue",
        "--json",
    ];
    let Some(mut other) = place.by_another_user(&sweep) else {
        return;
    };
    let own = queue(&place, 2);
    let output = other.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let output = schemas::json("train", &output.stdout);
    let paths = output["queued"].as_array().unwrap().iter();
    let others: Vec<Run> = paths
        .map(|path| Run(path.as_str().unwrap().into()))
        .collect();
    for run in own.iter().chain(&others) {
        run.wait_for_state("finished");
        assert_eq!(begun(run), 1, "{}", run.name());
    }
    let owner = |run: &Run| {
        fs::metadata(run.0.join("begun")).map(|file| std::os::unix::fs::MetadataExt::uid(&file))
    };
    assert!(own.iter().all(|run| owner(run).unwrap() == 0));
    assert!(others.iter().all(|run| owner(run).unwrap() == 65534));
}
