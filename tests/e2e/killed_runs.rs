//! Programs that are killed at any moment while they queue, launch, steer and stop runs: afterwards each run is what it says it is, none was
//! begun twice, none is forgotten, and none works without an owner.

#[cfg(debug_assertions)]
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::fake_worker::{Run, UNTIL_STOPPED, Workplace, wait_for};
use crate::pty::Dashboard;
use crate::queue::{begun, keepers, kill, processes, queue, state};
#[cfg(debug_assertions)]
use crate::{fake_worker::COUNTED, queue::with_slots};

/// Moments at which something is killed, spread over the time that it takes.
const MOMENTS: u32 = 12;

/// Trains until it is asked to stop, takes a while to save, and says each time that it is begun.
const SAVES_SLOWLY: &str = r#"
trap 'state stopping; sleep 0.1; state stopped; exit 0' TERM
echo begun >> "$dir/begun"
state running
printf 'epoch,train_loss,val_acc\n1,0.5,61.25\n' > "$dir/logs/metrics.csv"
while :; do sleep 0.01; done
"#;

fn listed(place: &Workplace) -> Vec<Value> {
    place.json(&["list", "--json"]).as_array().unwrap().clone()
}

fn run_of(listed: &Value) -> Run {
    Run(listed["path"].as_str().unwrap().into())
}

/// Processes of this place whose command line has this word; their worker's path tells the place.
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

/// Whether a process works on a run; where there is more than one, their names tell them apart.
fn is_worked_on(place: &Workplace, run: &Run) -> bool {
    let named = processes(&[place.path().to_str().unwrap(), &run.name()]);
    workers(place).iter().any(|pid| named.contains(pid))
}

/// Every run says what is so: whoever is said to be at work is, and nobody else is.
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

fn cut_off(mut child: Child, after: Duration) {
    thread::park_timeout(after);
    let _ = child.kill();
    child.wait().unwrap();
}

#[cfg(debug_assertions)]
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
        // Whoever looks next sees to it that what is queued has its turn.
        place.said(&["queue", "runs"]);
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

#[test]
fn whatever_is_killed_while_a_run_stops_its_state_is_true() {
    for moment in 0..MOMENTS {
        let place = Workplace::new(SAVES_SLOWLY);
        let run = place.start_detached();
        run.wait_for_state("running");
        let stopping = place.traintop(&["stop", "quick"]).spawn().unwrap();
        thread::park_timeout(Duration::from_millis(u64::from(moment * 11)));
        let victims = match moment % 4 {
            0 => Vec::new(),
            1 => of_place(&place, "__supervise"),
            2 => workers(&place),
            _ => of_place(&place, "worker.sh"),
        };
        victims
            .into_iter()
            .filter(|pid| *pid != std::process::id())
            .for_each(kill);
        cut_off(stopping, Duration::ZERO);
        assert_true(&place, "after the kill");
        if is_worked_on(&place, &run) {
            // The signal had not been sent yet, or it is still saving.
            place.output(&["stop", "quick"]);
        }
        wait_for("its end", || !is_worked_on(&place, &run));
        assert_true(&place, "in the end");
        let ended = &listed(&place)[0];
        let ended = ended["state"].as_str().unwrap();
        assert!(["stopped", "failed", "lost"].contains(&ended), "{ended}");
        // Nothing is left that looks after a run which is over.
        wait_for("the supervisor's end", || {
            of_place(&place, "__supervise").is_empty()
        });
    }
}

#[test]
fn a_dashboard_that_is_killed_while_it_launches_leaves_a_run_with_an_owner_or_none() {
    let mut begun_some = 0;
    for moment in 0..MOMENTS {
        let place = Workplace::new(SAVES_SLOWLY);
        let mut dashboard = Dashboard::open(&place, &[], 100, 30);
        dashboard.wait("the empty table", |screen| screen.contains("No runs below"));
        dashboard.press("n");
        dashboard.wait("the recipes", |screen| screen.contains("▌ quick"));
        // Started at once, or by the queue.
        dashboard.press(if moment % 2 == 0 { "s" } else { "w" });
        thread::park_timeout(Duration::from_millis(u64::from(moment * 4)));
        kill(dashboard.process_id());
        dashboard.end();
        place.output(&["queue", "runs"]);
        wait_for("the begin of what is queued", || {
            listed(&place).iter().all(|run| {
                run["state"] != "queued" && (run["state"] != "starting" || moment % 2 == 0)
            })
        });
        assert_true(&place, "after the launch");
        let runs = listed(&place);
        assert!(runs.len() <= 1, "{runs:?}");
        begun_some += runs.len();
        for run in runs.iter().filter(|run| run["state"] == "running") {
            place.said(&["stop", run["path"].as_str().unwrap()]);
            run_of(run).wait_for_state("stopped");
        }
    }
    assert!(begun_some > 0, "none was ever begun");
}

#[test]
fn a_dashboard_that_is_killed_while_it_steers_leaves_the_run_as_it_says_it_is() {
    for moment in 0..MOMENTS {
        let place = Workplace::new(SAVES_SLOWLY);
        let run = place.start_detached();
        run.wait_for_state("running");
        let mut dashboard = Dashboard::open(&place, &[], 100, 30);
        dashboard.wait("the run", |screen| screen.contains("● running"));
        dashboard.press(["\x13", "p", "Ky", "\x13p\x13"][moment as usize % 4]);
        thread::park_timeout(Duration::from_millis(u64::from(moment * 3)));
        kill(dashboard.process_id());
        dashboard.end();
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
        place.output(&["stop", "quick"]);
        run.wait_for_state("stopped");
        assert_eq!(begun(&run), 1);
    }
}

/// The names in the order of the queue that a screen shows.
fn shown(screen: &str) -> Vec<String> {
    let seeds = screen
        .lines()
        .filter(|line| line.contains('│') && line.contains("quick seed="));
    seeds
        .filter_map(|line| Some(line.split("seed=").nth(1)?.split(' ').next()?.to_owned()))
        .collect()
}

#[test]
fn two_dashboards_steer_one_queue_and_show_the_same() {
    let place = Workplace::new(UNTIL_STOPPED);
    let runs = queue(&place, 7);
    runs[0].wait_for_state("running");
    let mut both = [0, 1].map(|_| Dashboard::open(&place, &[], 100, 30));
    for dashboard in &mut both {
        dashboard.wait("the queued runs", |screen| {
            screen.matches("… queued").count() == 6
        });
        dashboard.press("w");
        dashboard.wait("the queue", |screen| screen.contains("Queue, 6 waiting"));
    }
    // Both at once, without waiting for each other.
    for keys in ["g", "G", "jg", "<", ">", "kG", "g", "j>", "G", "g"] {
        for dashboard in &mut both {
            dashboard.press(keys);
        }
    }
    both[0].press("K");
    let order = || -> Vec<String> {
        let queued = place.json(&["queue", "--json"]);
        let names = queued
            .as_array()
            .unwrap()
            .iter()
            .map(|run| run["name"].as_str().unwrap().to_owned());
        names.map(|name| name.replace("quick seed=", "")).collect()
    };
    wait_for("one less", || order().len() == 5);
    for dashboard in &mut both {
        dashboard.wait("the same order", |screen| {
            screen.contains("Queue, 5 waiting") && shown(screen) == order()
        });
        dashboard.press("\x1b");
        dashboard.wait("the table", |screen| !screen.contains("Queue,"));
    }
    for dashboard in &mut both {
        dashboard.press("q");
        assert!(dashboard.end().success());
    }
    let mut seeds = order();
    seeds.extend(runs.iter().filter(|run| state(run) != "queued").map(|run| {
        run.record()["name"]
            .as_str()
            .unwrap()
            .replace("quick seed=", "")
    }));
    seeds.sort();
    assert_eq!(
        seeds,
        ["1", "2", "3", "4", "5", "6", "7"],
        "none is doubled or forgotten"
    );
    let next = order()[0].clone();
    let by_seed = |seed: &str| &runs[seed.parse::<usize>().unwrap() - 1];
    for seed in &order()[1..] {
        place.said(&["stop", by_seed(seed).0.to_str().unwrap()]);
    }
    place.said(&["stop", runs[0].0.to_str().unwrap()]);
    by_seed(&next).wait_for_state("running");
    place.said(&["stop", by_seed(&next).0.to_str().unwrap()]);
    by_seed(&next).wait_for_state("stopped");
    wait_for("the keeper's end", || keepers(&place).is_empty());
    assert!(Path::new(&runs[0].0).exists());
}
