//! Queued runs: started one after the other by the programs that run, after any kill, and never
//! twice.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::fake_worker::{COUNTED, Run, UNTIL_STOPPED, Workplace, wait_for};
use crate::pty::Dashboard;

/// The processes whose command line has all of these words.
pub fn processes(words: &[&str]) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let has_all = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        words.iter().all(|word| line.contains(word))
    };
    pids.filter(has_all).collect()
}

pub fn kill(pid: u32) {
    // It may have ended by itself.
    let _ = Command::new("kill")
        .args(["-s", "KILL", &pid.to_string()])
        .output();
}

pub fn tree(place: &Workplace) -> PathBuf {
    place.path().join("runs").canonicalize().unwrap()
}

pub fn keepers(place: &Workplace) -> Vec<u32> {
    processes(&["__keep-queue", tree(place).to_str().unwrap()])
}

/// Queues runs with the seeds 1 to `count`; their folders.
pub fn queue(place: &Workplace, count: u32) -> Vec<Run> {
    let seeds = format!("seed=1..{count}");
    let arguments = [
        "train",
        "--config",
        "quick",
        "--set",
        "num_epochs=1",
        "--sweep",
        &seeds,
    ];
    let json = place.json(&[&arguments[..], &["--queue", "--json"]].concat());
    let paths = json["queued"].as_array().unwrap().iter();
    paths
        .map(|path| Run(PathBuf::from(path.as_str().unwrap())))
        .collect()
}

pub fn begun(run: &Run) -> usize {
    run.text("begun").lines().count()
}

pub fn state(run: &Run) -> String {
    run.record()["state"].as_str().unwrap().to_owned()
}

pub fn with_slots(place: &Workplace, slots: u32) {
    let folder = place.path().join("config/traintop");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), format!("slots = {slots}\n")).unwrap();
}

#[test]
fn queued_runs_are_begun_one_after_the_other_and_the_keeper_ends_with_them() {
    let place = Workplace::new(COUNTED);
    let runs = queue(&place, 4);
    for run in &runs {
        run.wait_for_state("finished");
    }
    wait_for("the keeper's end", || keepers(&place).is_empty());
    let times: Vec<(String, String)> = runs
        .iter()
        .map(|run| {
            let time = |key: &str| run.record()[key].as_str().unwrap_or_default().to_owned();
            (time("heartbeat_at"), time("created_at"))
        })
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(runs.iter().all(|run| begun(run) == 1));
    let listed = place.json(&["list", "--json"]);
    let sweeps: Vec<&Value> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["sweep"])
        .collect();
    assert!(
        sweeps
            .iter()
            .all(|sweep| **sweep == *sweeps[0] && sweep.is_string())
    );
    let record = runs[2].record();
    assert_eq!(record["name"], "quick seed=3");
    let config: Value = serde_json::from_str(&runs[2].text("logs/config.json")).unwrap();
    assert_eq!(config["seed"], 3);
    let log = fs::read_to_string(tree(&place).join(format!(
        ".queue/keeper-{}.log",
        rustix::process::geteuid().as_raw()
    )))
    .unwrap();
    assert_eq!(log, "");
}

#[test]
fn why_a_run_waits_is_reported_also_in_a_dashboard_that_is_open() {
    let place = Workplace::new(UNTIL_STOPPED);
    let runs = queue(&place, 3);
    runs[0].wait_for_state("running");
    let is_shown = |why: &str| {
        let queued = place.json(&["queue", "--json"]);
        let queued = queued.as_array().unwrap();
        queued.len() == 2 && queued.iter().all(|run| run["waits_for"] == why)
    };
    wait_for("the reason", || is_shown("the only slot is taken"));
    assert!(place.stdout(&["queue"]).contains("the only slot is taken"));
    let shown = place.stdout(&["show", runs[1].0.to_str().unwrap()]);
    assert!(shown.contains("queued (the only slot is taken)"), "{shown}");
    let mut dashboard = Dashboard::open(&place, &[], 100, 30);
    dashboard.wait("the queued runs", |screen| screen.contains("… queued"));
    dashboard.press("w");
    dashboard.wait("the reason", |screen| {
        screen.contains("waits: the only slot is taken")
    });
    // Another number of slots alone changes the reason.
    with_slots(&place, 2);
    queue(&place, 1);
    runs[1].wait_for_state("running");
    dashboard.wait("the other reason", |screen| {
        screen.contains("waits: all 2 slots are taken")
    });
    dashboard.press("\x1b");
    dashboard.wait("the table", |screen| !screen.contains("Queue,"));
    dashboard.press("q");
    assert!(dashboard.end().success());
    place.stdout(&["queue", "remove", runs[2].0.to_str().unwrap()]);
    let queued = place.json(&["queue", "--json"]);
    for run in queued.as_array().unwrap() {
        place.stdout(&["queue", "remove", run["path"].as_str().unwrap()]);
    }
    for run in &runs[..2] {
        place.stdout(&["stop", run.0.to_str().unwrap()]);
        run.wait_for_state("stopped");
    }
    wait_for("the keeper's end", || keepers(&place).is_empty());
}

#[test]
fn a_sweep_is_shown_with_its_cost_before_it_is_queued_and_leaves_out_what_is_done() {
    let place = Workplace::new(COUNTED);
    let plan = [
        "train",
        "--config",
        "quick",
        "--set",
        "num_epochs=3",
        "--sweep",
        "seed=1..3",
    ];
    let printed = place.stdout(&plan);
    assert_eq!(
        printed,
        "seed=1\nseed=2\nseed=3\n3 runs, 9 epochs; how long is unknown: no earlier run is like these\n\
         nothing is queued yet; --queue does so\n"
    );
    assert!(!place.path().join("runs").exists());
    let first = place.json(&[
        "train",
        "--config",
        "quick",
        "--set",
        "num_epochs=3",
        "--set",
        "seed=2",
        "--queue",
        "--json",
    ]);
    let run = Run(first["queued"][0].as_str().unwrap().into());
    run.wait_for_state("finished");
    let planned = place.json(&[&plan[..], &["--skip-done", "--json"]].concat());
    assert_eq!(
        (
            &planned["runs"],
            &planned["skipped"],
            &planned["estimated_s"]
        ),
        (&json!(2), &json!(1), &json!(12.0))
    );
    let printed = place.stdout(&plan);
    assert!(
        printed.contains(&format!("seed=2  (finished already: {})\n", run.name())),
        "{printed}"
    );
    assert!(
        printed.contains("about 18 s of training by earlier runs like them")
            || printed.contains("about 18s"),
        "{printed}"
    );
    for (wrong, sentence) in [
        (
            "seed=5..1",
            "--sweep seed=5..1: 5..1 is empty; the smaller number comes first",
        ),
        (
            "sed=1",
            "--sweep sed=1: unknown key \"sed\"; did you mean seed?",
        ),
    ] {
        let arguments = ["train", "--config", "quick", "--sweep", wrong];
        assert_eq!(place.refusal(&arguments, 2), sentence);
    }
}

#[test]
fn the_queue_is_listed_reordered_and_left_from_the_command_line() {
    let place = Workplace::new(UNTIL_STOPPED);
    let runs = queue(&place, 4);
    runs[0].wait_for_state("running");
    let names = || -> Vec<String> {
        let listed = place.json(&["queue", "--json"]);
        let names = listed.as_array().unwrap().iter();
        names
            .map(|run| run["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(), ["quick seed=2", "quick seed=3", "quick seed=4"]);
    let printed = place.stdout(&["queue", "move", "quick seed=4", "first"]);
    assert!(
        printed.ends_with("number 1 of 3 in the queue\n"),
        "{printed}"
    );
    assert_eq!(names(), ["quick seed=4", "quick seed=2", "quick seed=3"]);
    assert_eq!(
        place.stdout(&["stop", "quick seed=2"]),
        "quick seed=2: taken out of the queue\n"
    );
    assert_eq!(state(&runs[1]), "stopped");
    place.stdout(&["stop", "quick seed=1"]);
    runs[3].wait_for_state("running");
    assert_eq!(names(), ["quick seed=3"]);
    place.stdout(&["queue", "remove", "quick seed=3"]);
    place.stdout(&["stop", "quick seed=4"]);
    runs[3].wait_for_state("stopped");
    wait_for("the keeper's end", || keepers(&place).is_empty());
    assert_eq!(
        place.stdout(&["queue"]),
        "nothing waits; `traintop train --config quick --queue` queues a run\n"
    );
}

#[test]
fn as_many_runs_are_at_work_as_there_are_slots() {
    let place = Workplace::new(UNTIL_STOPPED);
    with_slots(&place, 2);
    // One that was started past the queue takes a slot too.
    let direct = place.start_detached();
    direct.wait_for_state("running");
    let runs = queue(&place, 3);
    runs[0].wait_for_state("running");
    assert_eq!(state(&runs[1]), "queued");
    place.stdout(&["stop", &direct.name()]);
    runs[1].wait_for_state("running");
    assert_eq!(state(&runs[2]), "queued");
    for run in &runs[..2] {
        place.stdout(&["stop", run.0.to_str().unwrap()]);
    }
    runs[2].wait_for_state("running");
    place.stdout(&["stop", runs[2].0.to_str().unwrap()]);
    wait_for("the keeper's end", || keepers(&place).is_empty());
}

#[test]
fn whatever_is_killed_no_run_is_begun_twice_or_forgotten() {
    let place = Workplace::new(COUNTED);
    with_slots(&place, 2);
    let runs = queue(&place, 16);
    let tree = tree(&place);
    let below = tree.to_str().unwrap();
    let open = |runs: &[Run]| {
        let is_open = |run: &&Run| matches!(state(run).as_str(), "queued" | "starting" | "running");
        runs.iter().filter(is_open).count()
    };
    let mut rounds = 0_u32;
    wait_for("every run's turn", || {
        rounds += 1;
        // Everything of the queue at once, as when a machine goes down, or one kind of it alone.
        let victims = match rounds % 4 {
            0 => processes(&[below]),
            1 => processes(&["__keep-queue", below]),
            2 => processes(&["__supervise", below]),
            _ => processes(&["worker.sh", below]),
        };
        let me = std::process::id();
        victims.into_iter().filter(|pid| *pid != me).for_each(kill);
        std::thread::park_timeout(std::time::Duration::from_millis(u64::from(
            rounds * 37 % 90,
        )));
        // Two who look after the same queue.
        let mut others = [place.traintop(&["queue"]), place.traintop(&["queue"])]
            .map(|mut other| other.spawn().unwrap());
        for other in &mut others {
            other.wait().unwrap();
        }
        let lost = || {
            place
                .json(&["list", "--json"])
                .as_array()
                .unwrap()
                .iter()
                .filter(|run| run["state"] == "lost")
                .count()
        };
        open(&runs) == 0 || open(&runs) == lost()
    });
    for run in &runs {
        let (count, state) = (begun(run), state(run));
        assert!(count <= 1, "{} was begun {count} times", run.name());
        assert!(
            count == 1 || state != "finished",
            "{} never began and is {state}",
            run.name()
        );
    }
    // Those that were cut off say so; the others have done their work.
    let listed = place.json(&["list", "--json"]);
    for run in listed.as_array().unwrap() {
        let state = run["state"].as_str().unwrap();
        assert!(["finished", "failed", "lost"].contains(&state), "{run}");
        assert!(
            state == "finished" || run["state_reason"].is_string(),
            "{run}"
        );
    }
    wait_for("the end of all", || {
        processes(&["__supervise", below]).is_empty()
    });
}

#[test]
fn a_killed_worker_leaves_its_signal_in_the_record_though_nobody_waited() {
    let place = Workplace::new(UNTIL_STOPPED);
    let run = place.start_detached();
    run.wait_for_state("running");
    let pid = run.record()["pid"].as_u64().unwrap();
    kill(u32::try_from(pid).unwrap());
    run.wait_for_state("failed");
    assert_eq!(run.record()["exit"]["signal"], 9);
}

#[test]
fn a_hard_stop_comes_only_after_a_gentle_one() {
    let place = Workplace::new(
        "trap 'state stopping' TERM\nstate running\nwhile keeps_running; do sleep 0.02; done\n",
    );
    let run = place.start_detached();
    run.wait_for_state("running");
    let refused = place.refusal(&["stop", "--kill", "quick"], 1);
    assert!(
        refused.ends_with("is running; ask it to stop first, so that it can save"),
        "{refused}"
    );
    place.stdout(&["stop", "quick"]);
    run.wait_for_state("stopping");
    let printed = place.stdout(&["stop", "--kill", "quick"]);
    assert!(printed.ends_with(": ended at once\n"), "{printed}");
    run.wait_for_state("stopped");
}

#[test]
fn a_run_is_queued_by_the_form_moved_and_taken_out_in_the_dashboard() {
    let place = Workplace::new(UNTIL_STOPPED);
    let runs = queue(&place, 3);
    runs[0].wait_for_state("running");
    let mut dashboard = Dashboard::open(&place, &[], 100, 30);
    dashboard.wait("the queued runs", |screen| {
        screen.matches("… queued").count() == 2
    });
    dashboard.open_recipes();
    dashboard.press("w");
    dashboard.wait("the summary", |screen| screen.contains("Queue this run?"));
    dashboard.press("y");
    // Shown once the cursor is on the new run, or goes there as soon as it is listed.
    dashboard.wait("the new one", |screen| {
        screen.matches("… queued").count() == 3 && screen.contains("; w shows the queue")
    });
    dashboard.press("w");
    dashboard.wait("the queue", |screen| screen.contains("Queue, 3 waiting"));
    dashboard.press("{");
    let listed = |at: usize| place.json(&["queue", "--json"])[at]["name"].clone();
    wait_for("the first place", || {
        !listed(0).as_str().unwrap().contains("seed")
    });
    dashboard.press("K");
    dashboard.wait("one less", |screen| screen.contains("Queue, 2 waiting"));
    dashboard.press("\x1b");
    dashboard.wait("the table", |screen| !screen.contains("Queue,"));
    dashboard.press("q");
    assert!(dashboard.end().success());
    for run in &runs[1..] {
        place.stdout(&["stop", run.0.to_str().unwrap()]);
    }
    place.stdout(&["stop", runs[0].0.to_str().unwrap()]);
    runs[0].wait_for_state("stopped");
    assert!(Path::new(&runs[0].0).exists());
}
