//! Two dashboards on one queue.

use std::path::Path;

use crate::fake_worker::{UNTIL_STOPPED, Workplace, wait_for};
use crate::pty::Dashboard;
use crate::queue::{keepers, queue, state};

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
    for keys in ["{", "}", "j{", "<", ">", "k}", "{", "j>", "}", "{"] {
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
        place.stdout(&["stop", by_seed(seed).0.to_str().unwrap()]);
    }
    place.stdout(&["stop", runs[0].0.to_str().unwrap()]);
    by_seed(&next).wait_for_state("running");
    place.stdout(&["stop", by_seed(&next).0.to_str().unwrap()]);
    by_seed(&next).wait_for_state("stopped");
    wait_for("the keeper's end", || keepers(&place).is_empty());
    assert!(Path::new(&runs[0].0).exists());
}
