//! Runs of the user's own commands: the same life as our own worker's.

use std::fs;

use crate::fake_worker::{Run, Workplace, keeps_running, wait_for};
use crate::pty::Dashboard;

/// A script that knows nothing of traintop: it writes metrics where its arguments say, and ends as
/// its second word says.
const SCRIPT: &str = r#"
dir=$1; how=$2
mkdir -p "$dir/logs"
case $how in
    gently) trap 'exit 0' TERM ;;
    never) trap '' TERM ;;
esac
printf 'epoch,val_acc\n1,61.25\n' > "$dir/logs/metrics.csv"
case $how in
    well) exit 0 ;;
    badly) echo 'loading'; echo 'ValueError: bad' >&2; exit 3 ;;
esac
while keeps_running; do sleep 0.02; done
"#;

fn workplace() -> Workplace {
    let place = Workplace::new("exit 1");
    fs::write(place.path().join("train.sh"), keeps_running() + SCRIPT).unwrap();
    let folder = place.path().join("config/traintop");
    fs::create_dir_all(&folder).unwrap();
    let config = "[launcher.mine]\ncommand = ['sh', 'train.sh', '{run_dir}']\n";
    fs::write(folder.join("config.toml"), config).unwrap();
    place
}

fn start(place: &Workplace, how: &str) -> Run {
    let printed = place.stdout(&["train", "--launcher", "mine", "--detach", "--", how]);
    Run(printed.trim_end().into())
}

#[test]
fn every_end_of_a_users_command_is_recorded() {
    let place = workplace();
    let run = start(&place, "well");
    run.wait_for_state("finished");
    let record = run.record();
    assert_eq!(
        (&record["launcher"], &record["exit"]["code"]),
        (&"mine".into(), &0.into())
    );
    let shown = place.json(&["show", run.0.to_str().unwrap(), "--json"]);
    assert_eq!(shown["best_val_acc"], 61.25);

    let run = start(&place, "badly");
    run.wait_for_state("failed");
    let reason = run.record()["exit"]["reason"].clone();
    assert_eq!(
        reason,
        "the command ended with exit code 3: ValueError: bad"
    );
    // What it printed is not hidden by the line that says how it ended.
    let shown = place.stdout(&["show", run.0.to_str().unwrap()]);
    let expected = "errors in the log, the last first\n  1 x  ValueError: bad\n\nlog\n  loading\n  ValueError: bad\n  [";
    assert!(shown.contains(expected), "{shown}");

    let run = start(&place, "gently");
    run.wait_for_state("running");
    wait_for("its trap", || !run.text("logs/metrics.csv").is_empty());
    place.stdout(&["stop", run.0.to_str().unwrap()]);
    run.wait_for_state("stopped");
    let refused = place.refusal(&["steer", run.0.to_str().unwrap(), "--save"], 1);
    assert!(
        refused.ends_with("is not running: it is stopped"),
        "{refused}"
    );
}

#[test]
fn what_a_command_prints_is_followed_in_the_terminal() {
    let place = workplace();
    let output = place.output(&["train", "--launcher", "mine", "--", "badly"]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.contains("\nloading\nValueError: bad\n"),
        "{printed}"
    );
    // In the dashboard the error comes first, and the log's end below it.
    let mut dashboard = Dashboard::open(&place, &[], 100, 30);
    dashboard.wait("the run", |screen| screen.contains("✗ failed"));
    dashboard.press("\r4");
    dashboard.wait("the error and the log", |screen| {
        let rows: Vec<&str> = screen.lines().map(str::trim_end).collect();
        let at = |row: &str| rows.iter().position(|other| *other == row);
        let error = at("✗ ValueError: bad");
        error.is_some() && error < at("loading") && at("loading") < at("ValueError: bad")
    });
    dashboard.press("hl");
    dashboard.press("q");
    dashboard.wait("the table", |screen| screen.contains("STATE"));
    dashboard.press("q");
    assert!(dashboard.end().success());
}

#[test]
fn a_command_that_does_not_listen_is_ended_by_a_second_stop_and_launchers_must_be_known() {
    let place = workplace();
    let printed = place.stdout(&["train", "--launcher", "mine", "--queue", "--", "never"]);
    let run = Run(printed.trim_end().into());
    run.wait_for_state("running");
    wait_for("its trap", || !run.text("logs/metrics.csv").is_empty());
    let path = run.0.to_str().unwrap();
    place.stdout(&["stop", path]);
    run.wait_for_state("stopping");
    place.stdout(&["stop", "--kill", path]);
    run.wait_for_state("stopped");
    assert_eq!(run.record()["exit"]["signal"], 9);
    let refused = place.refusal(&["train", "--launcher", "yours"], 1);
    assert_eq!(
        refused,
        "there is no launcher \"yours\"; there are mine; [launcher.yours] with a command makes one"
    );
}

#[test]
fn a_queued_command_is_told_as_json() {
    let place = workplace();
    let train = ["train", "--launcher", "mine", "--queue", "--json"];
    let queued = place.json(&[&train[..], &["--", "well"]].concat());
    assert_eq!(queued["pid"], serde_json::Value::Null);
    let run = Run(queued["path"].as_str().unwrap().into());
    run.wait_for_state("finished");
}

#[test]
fn a_launchers_arguments_are_swept_and_what_is_done_is_left_out() {
    let place = workplace();
    let sweep = |more: &[&'static str]| {
        let arguments = [
            "train",
            "--launcher",
            "mine",
            "--sweep",
            "how=well,badly",
            "--sweep",
            "seed=1..2",
        ];
        let words = ["--", "{how}", "--seed={seed}"];
        [&arguments[..], more, &words[..]].concat()
    };
    let shown = place.stdout(&sweep(&[]));
    let expected = "how=well seed=1\nhow=well seed=2\nhow=badly seed=1\nhow=badly seed=2\n\
                    4 runs of launcher mine\nnothing is queued yet; --queue does so\n";
    assert_eq!(shown, expected);
    let queued = place.json(&sweep(&["--queue", "--json", "--sweep-name", "tried"]));
    let runs = queued["queued"].as_array().unwrap().iter();
    let runs: Vec<Run> = runs
        .map(|path| Run(path.as_str().unwrap().into()))
        .collect();
    for (run, state) in runs
        .iter()
        .zip(["finished", "finished", "failed", "failed"])
    {
        run.wait_for_state(state);
    }
    let record = runs[1].record();
    assert_eq!(
        (&record["name"], &record["sweep"]),
        (&"mine how=well seed=2".into(), &"tried".into())
    );
    let command = record["command"].as_array().unwrap();
    assert_eq!(command[3..], ["well", "--seed=2"]);
    // Its values are found and sorted by like a recipe's.
    let found = place.json(&["list", "--where", "seed:2 how:well", "--json"]);
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    // What has finished with the same command is known.
    let again = place.json(&sweep(&["--skip-done", "--json"]));
    let skipped: Vec<bool> = again["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["skipped"] == true)
        .collect();
    assert_eq!(skipped, [true, true, false, false]);
    assert_eq!((&again["runs"], &again["skipped"]), (&2.into(), &2.into()));
    assert_eq!(again["points"][1]["set"]["seed"], "2");
    let finished = again["points"][1]["finished_as"].as_str();
    assert_eq!(finished, runs[1].0.to_str());
    let refused = place.refusal(
        &[
            "train",
            "--launcher",
            "mine",
            "--sweep",
            "lr=0.1,0.2",
            "--",
            "well",
        ],
        2,
    );
    assert_eq!(
        refused,
        "--sweep lr: {lr} stands neither in the command of launcher mine nor in its arguments"
    );
}
