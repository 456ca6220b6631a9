//! Programs that are killed at each of their disk calls while they queue, launch, steer and stop
//! runs: afterwards each run is what it says it is, none was begun twice, none is forgotten, and
//! none works without an owner. Only builds with debug assertions can be killed so
//! (`disk/fail_point.rs`).

use std::os::unix::process::ExitStatusExt;

use serde_json::Value;

use crate::fake_worker::{COUNTED, Run, Workplace, wait_for};
use crate::pty::Dashboard;
use crate::queue::{begun, keepers, kill, processes, with_slots};

/// Trains until it is asked to stop, takes a while to save, and says each time that it is begun.
const SAVES_SLOWLY: &str = r#"
trap 'state stopping; sleep 0.1; state stopped; exit 0' TERM
echo begun >> "$dir/begun"
state running
printf 'epoch,train_loss,val_acc\n1,0.5,61.25\n' > "$dir/logs/metrics.csv"
while keeps_running; do sleep 0.01; done
"#;

/// A command of the user's that says nothing of itself, as [`SAVES_SLOWLY`] otherwise.
const COMMAND: &str = r#"
trap 'sleep 0.1; exit 0' TERM
echo begun >> "$dir/begun"
while keeps_running; do sleep 0.01; done
"#;

fn listed(place: &Workplace) -> Vec<Value> {
    place.json(&["list", "--json"]).as_array().unwrap().clone()
}

fn run_of(listed: &Value) -> Run {
    Run(listed["path"].as_str().unwrap().into())
}

/// Processes of this place whose command line has this word; their worker's path identifies the
/// place.
fn of_place(place: &Workplace, word: &str) -> Vec<u32> {
    processes(&[place.path().to_str().unwrap(), word])
}

/// Those that train in it, also before they have signed.
fn workers(place: &Workplace) -> Vec<u32> {
    let supervisors = of_place(place, "__supervise");
    let mut workers = of_place(place, "worker.sh");
    workers.retain(|pid| !supervisors.contains(pid));
    workers
}

/// Whether a process works on a run; where there is more than one, they are distinguished by name.
fn is_worked_on(place: &Workplace, run: &Run) -> bool {
    let named = processes(&[place.path().to_str().unwrap(), &run.name()]);
    workers(place).iter().any(|pid| named.contains(pid))
}

/// Every run's state is true: a process that is shown to be at work is, and no other is.
fn assert_true(place: &Workplace, when: &str) {
    // A record is written a moment after what it says has happened.
    wait_for(&format!("the truth about every run, {when}"), || {
        listed(place).iter().all(|listed| {
            let at_work = ["starting", "running", "paused", "stopping"]
                .contains(&listed["state"].as_str().unwrap());
            let run = run_of(listed);
            let never_begun = listed["state"] == "starting" && begun(&run) == 0;
            (at_work == is_worked_on(place, &run) || never_begun) && begun(&run) <= 1
        })
    });
}

#[test]
fn a_queueing_that_is_killed_leaves_whole_runs_that_are_begun_once() {
    let sweep = [
        "train",
        "--config",
        "quick",
        "--set",
        "num_epochs=1",
        "--sweep",
        "seed=1..3",
        "--queue",
    ];
    let mut killed = 0;
    for call in 0.. {
        let place = Workplace::new(COUNTED);
        with_slots(&place, 3);
        std::fs::create_dir(place.path().join("runs")).unwrap();
        let queued = place.killed_at(call, &sweep).output().unwrap();
        let is_whole = queued.status.success();
        assert!(is_whole || queued.status.signal() == Some(9), "{queued:?}");
        // The next dashboard starts what is queued.
        place.stdout(&["queue", "runs"]);
        wait_for("every turn", || {
            listed(&place).iter().all(|run| run["state"] == "finished")
        });
        let runs = listed(&place);
        assert!(
            runs.len() <= 3 && (!is_whole || runs.len() == 3),
            "{runs:?}"
        );
        for run in &runs {
            assert_eq!(begun(&run_of(run)), 1, "{run}");
        }
        // What was cut off before it was a run is none.
        let folders = std::fs::read_dir(place.path().join("runs/training_runs"));
        let begun_folders = folders
            .into_iter()
            .flatten()
            .flatten()
            .filter(|folder| folder.path().join("begun").exists());
        assert_eq!(begun_folders.count(), runs.len());
        wait_for("the keeper's end", || keepers(&place).is_empty());
        if is_whole {
            break;
        }
        killed += 1;
    }
    println!("train --queue: killed {killed} times");
    assert!(killed > 15, "only {killed} calls");
}

/// A place with a launcher whose command is its worker.
fn with_launcher(what: &str) -> Workplace {
    let place = Workplace::new(what);
    let worker = place.path().join("worker.sh");
    let folder = place.path().join("config/traintop");
    std::fs::create_dir_all(&folder).unwrap();
    let config = format!(
        "slots = 3\n[launcher.mine]\ncommand = ['{}', '--run-dir', '{{run_dir}}']\n",
        worker.display()
    );
    std::fs::write(folder.join("config.toml"), config).unwrap();
    place
}

/// A run of the launcher or of a recipe that trains; of the processes that come of it, `victim` is
/// killed later.
fn training(place: &Workplace, is_command: bool, victim: &str, call: u32) -> Run {
    let what: &[&str] = if is_command {
        &["--launcher", "mine"]
    } else {
        &["--config", "quick"]
    };
    let arguments = [&["train", "--detach"], what].concat();
    let started = place.killed_later(victim, call, &arguments).output();
    let path = String::from_utf8(started.unwrap().stdout).unwrap();
    let run = Run(path.trim_end().into());
    run.wait_for_state("running");
    wait_for("its trap", || begun(&run) == 1);
    run
}

/// Asks a run to stop unless it has done so, waits for its end, and compares it with its recorded
/// end.
fn assert_ends(place: &Workplace, run: &Run) {
    if is_worked_on(place, run) {
        // The signal had not been sent yet, or it is still saving.
        place.output(&["stop", run.0.to_str().unwrap()]);
    }
    wait_for("its end", || !is_worked_on(place, run));
    assert_true(place, "in the end");
    let ended = &listed(place)[0];
    let ended = ended["state"].as_str().unwrap();
    assert!(["stopped", "failed", "lost"].contains(&ended), "{ended}");
    // Nothing is left that looks after a run which is over.
    wait_for("the supervisor's end", || {
        of_place(place, "__supervise").is_empty()
    });
}

#[test]
fn a_stop_that_is_killed_leaves_a_run_whose_state_is_true() {
    let mut killed = 0;
    for call in 0.. {
        let place = with_launcher(COMMAND);
        let run = training(&place, true, "nobody", 0);
        let mut stop = place.killed_at(call, &["stop", run.0.to_str().unwrap()]);
        let stopped = stop.output().unwrap();
        let is_whole = stopped.status.success();
        assert!(
            is_whole || stopped.status.signal() == Some(9),
            "{stopped:?}"
        );
        assert_true(&place, "after the kill");
        assert_ends(&place, &run);
        if is_whole {
            break;
        }
        killed += 1;
    }
    println!("stop: killed {killed} times");
    assert!(killed >= 3, "only {killed} calls");
}

#[test]
fn a_supervisor_that_is_killed_while_its_run_stops_leaves_a_state_that_is_true() {
    let mut killed = 0;
    for is_command in [true, false] {
        for call in 0.. {
            let place = with_launcher(if is_command { COMMAND } else { SAVES_SLOWLY });
            let run = training(&place, is_command, "__supervise", call);
            place.count_calls();
            place.stdout(&["stop", run.0.to_str().unwrap()]);
            wait_for("the supervisor's end", || {
                of_place(&place, "__supervise").is_empty()
            });
            assert_true(&place, "after the kill");
            assert_ends(&place, &run);
            if !place.has_killed() {
                break;
            }
            killed += 1;
        }
    }
    println!("__supervise: killed {killed} times");
    assert!(killed >= 4, "only {killed} calls");
}

#[test]
fn a_worker_that_is_killed_while_it_saves_leaves_a_state_that_is_true() {
    let saves_for_ever =
        SAVES_SLOWLY.replace("sleep 0.1;", "while keeps_running; do sleep 0.01; done;");
    for with_supervisor in [false, true] {
        let place = Workplace::new(&saves_for_ever);
        let run = place.start_detached();
        run.wait_for_state("running");
        place.stdout(&["stop", "quick"]);
        run.wait_for_state("stopping");
        // The supervisor first: it would write down the worker's end.
        if with_supervisor {
            of_place(&place, "__supervise").into_iter().for_each(kill);
        }
        workers(&place).into_iter().for_each(kill);
        assert_true(&place, "after the kill");
        assert_ends(&place, &run);
    }
}

#[test]
fn a_dashboard_that_is_killed_while_it_launches_leaves_a_run_with_an_owner_or_none() {
    // Started at once, or by the queue.
    for (key, fewest) in [("s", 8), ("w", 12)] {
        let (mut killed, mut begun_some) = (0, 0);
        for call in 0.. {
            let place = Workplace::new(SAVES_SLOWLY);
            let command = place.killed_later("dashboard", call, &[]);
            let mut dashboard = Dashboard::open_as(&command, 100, 30);
            dashboard.wait_for_no_runs();
            dashboard.open_recipes();
            place.count_calls();
            dashboard.press(&format!("{key}y"));
            if dashboard.shows("the run", |screen| screen.contains("● running")) {
                dashboard.press("q");
            }
            let is_whole = dashboard.end().success();
            assert_eq!(is_whole, !place.has_killed());
            place.output(&["queue", "runs"]);
            wait_for("the begin of what is queued", || {
                listed(&place).iter().all(|run| {
                    run["state"] != "queued" && (run["state"] != "starting" || key == "s")
                })
            });
            assert_true(&place, "after the launch");
            let runs = listed(&place);
            assert!(
                runs.len() <= 1 && (!is_whole || runs.len() == 1),
                "{runs:?}"
            );
            begun_some += runs.len();
            for run in runs.iter().filter(|run| run["state"] == "running") {
                place.stdout(&["stop", run["path"].as_str().unwrap()]);
                run_of(run).wait_for_state("stopped");
            }
            if is_whole {
                break;
            }
            killed += 1;
        }
        println!("dashboard, {key}: killed {killed} times, {begun_some} runs");
        assert!(killed >= fewest, "only {killed} calls");
        assert!(begun_some > 1, "a killed launch never began anything");
    }
}

#[test]
fn a_dashboard_that_is_killed_while_it_steers_leaves_the_run_as_it_says_it_is() {
    let cases = [
        ("\x13", false, "saves a checkpoint"),
        ("p", false, "waits after this step"),
        ("Ky", true, "asked to stop"),
    ];
    for (keys, is_command, expected) in cases {
        let mut killed = 0;
        for call in 0.. {
            let place = with_launcher(if is_command { COMMAND } else { SAVES_SLOWLY });
            let run = training(&place, is_command, "nobody", 0);
            let command = place.killed_later("dashboard", call, &[]);
            let mut dashboard = Dashboard::open_as(&command, 100, 30);
            dashboard.wait("the run", |screen| screen.contains("● running"));
            place.count_calls();
            dashboard.press(keys);
            if dashboard.shows("what it does", |screen| screen.contains(expected)) {
                dashboard.press("q");
            }
            let is_whole = dashboard.end().success();
            assert_eq!(is_whole, !place.has_killed());
            assert_true(&place, "after the steering");
            let wished = run.text("control.json");
            assert!(
                wished.is_empty() || serde_json::from_str::<Value>(&wished).is_ok(),
                "{wished}"
            );
            let mut next = Dashboard::open(&place, &[], 100, 30);
            next.wait("the run as it is", |screen| {
                ["● running", "stopping", "■ stopped"]
                    .iter()
                    .any(|state| screen.contains(state))
            });
            next.press("q");
            assert!(next.end().success());
            assert_ends(&place, &run);
            assert_eq!(begun(&run), 1);
            if is_whole {
                break;
            }
            killed += 1;
        }
        println!("dashboard, {keys:?}: killed {killed} times");
        assert!(killed >= 3, "{keys:?}: only {killed} calls");
    }
}

#[test]
fn a_launchers_sweep_that_is_killed_leaves_whole_runs_or_none() {
    let sweep = [
        "train",
        "--launcher",
        "mine",
        "--sweep",
        "seed=1..2",
        "--queue",
        "--",
        "--seed={seed}",
    ];
    let mut killed = 0;
    for call in 0.. {
        let place = with_launcher("echo begun >> \"$dir/begun\"");
        std::fs::create_dir(place.path().join("runs")).unwrap();
        let queued = place.killed_at(call, &sweep).output().unwrap();
        let is_whole = queued.status.success();
        assert!(is_whole || queued.status.signal() == Some(9), "{queued:?}");
        let runs = listed(&place);
        assert!(
            runs.len() <= 2 && (!is_whole || runs.len() == 2),
            "{runs:?}"
        );
        for run in &runs {
            let run = run_of(run);
            assert!(run.0.join("run.json").exists(), "call {call}: {runs:?}");
            let config: Value = serde_json::from_str(&run.text("logs/config.json")).unwrap();
            assert!(config["seed"].is_u64(), "{config}");
        }
        place.stdout(&["queue", "runs"]);
        wait_for("every turn", || {
            listed(&place).iter().all(|run| run["state"] == "finished")
        });
        assert_eq!(listed(&place).len(), runs.len());
        assert!(runs.iter().all(|run| begun(&run_of(run)) == 1));
        wait_for("the keeper's end", || keepers(&place).is_empty());
        if is_whole {
            break;
        }
        killed += 1;
    }
    println!("train --launcher --sweep --queue: killed {killed} times");
    assert!(killed > 15, "only {killed} calls");
}
