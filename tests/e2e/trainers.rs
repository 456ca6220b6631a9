//! Runs of other trainers, as the writers' own packages made them, through the programs.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::fake_worker::{ONE_EPOCH, Workplace};
use crate::pty::Dashboard;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/trainers")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

#[test]
fn scripts_learn_of_every_trainers_runs_what_they_learn_of_ours() {
    let place = Workplace::new(ONE_EPOCH);
    copy(&fixtures(), &place.path().join("runs"));
    let listed = place.json(&["list", "--json", "runs"]);
    let mut found: Vec<(String, String, Value, Value)> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|run| {
            let text = |key: &str| run[key].as_str().unwrap().to_owned();
            let best = &run["best"];
            (
                text("trainer"),
                text("x"),
                best["metric"].clone(),
                best["step"].clone(),
            )
        })
        .collect();
    let order = |found: &(String, String, Value, Value)| {
        (found.0.clone(), found.2.to_string(), found.3.as_u64())
    };
    found.sort_by_key(order);
    let expected = [
        ("CSV", "epoch", "accuracy", None),
        ("CSV", "epoch", "val_accuracy", None),
        ("CatBoost", "iter", "test/Logloss", Some(4)),
        ("DVCLive", "step", "val/acc", Some(3)),
        ("Hugging Face", "step", "eval_accuracy", Some(10)),
        ("Hugging Face", "step", "eval_loss", Some(10)),
        ("Lightning", "step", "val_loss", Some(15)),
        ("Lightning", "step", "val_loss", Some(31)),
        ("MLflow", "step", "val_acc", Some(3)),
        ("Monitor", "timesteps", "r", Some(166)),
        ("Sacred", "step", "val.acc", Some(3)),
        (
            "Stable-Baselines3",
            "time/total_timesteps",
            "rollout/ep_rew_mean",
            Some(256),
        ),
        ("TensorBoard", "step", "accuracy/val", Some(3)),
        ("TensorBoard", "step", "val_loss", Some(31)),
        ("Ultralytics", "epoch", "metrics/mAP50-95(B)", None),
        ("timm", "epoch", "eval_top1", None),
        // Two of an earlier version and four of a later one, the last of these in the log only.
        ("trackio", "step", "val/acc", Some(3)),
        ("trackio", "step", "val/acc", Some(3)),
        ("trackio", "step", "val/acc", Some(3)),
        ("trackio", "step", "val/acc", Some(3)),
        ("trackio", "step", "val/acc", Some(3)),
        ("trackio", "step", "val/acc", Some(3)),
    ];
    let expected = expected.map(|(trainer, x, metric, step)| {
        (trainer.to_owned(), x.to_owned(), metric.into(), step.into())
    });
    assert_eq!(found, expected);
    let shown = place.json(&["show", "--json", "bold-otter-1"]);
    assert_eq!(shown["config"]["lr"], "0.1");
    assert_eq!(shown["state"], "finished");
    assert_eq!(shown["metrics"]["columns"]["val_acc"]["y"][3], 0.66);
    // Of what was trained by their own packages, what these say beside the metrics.
    let whole = place.json(&["show", "--json", "whole"]);
    assert_eq!(whole["config"]["learning_rate"], 0.02);
    assert_eq!(whole["model"], "bert");
    assert_eq!(whole["best"]["guessed"], false);
    let bytes = |checkpoint: &Value| checkpoint["bytes"].as_u64().unwrap();
    let checkpoints = whole["checkpoints"].as_array().unwrap();
    assert_eq!(checkpoints.len(), 3);
    // The cut weights and the arguments.
    assert!(checkpoints.iter().all(|it| bytes(it) == 64 + 5265));
    let killed = place.json(&["show", "--json", "killed"]);
    assert_eq!(
        (&killed["steps_done"], &killed["steps_planned"]),
        (&15.into(), &30.into())
    );
    // Nothing is changed by looking, and nothing of them is offered but the checkpoints of single
    // epochs that Ultralytics and timm keep beside the best and the last.
    let offered = place.stdout(&["clean", "runs"]);
    assert!(
        offered.contains("in all: 5,") && offered.contains("train: 3,"),
        "{offered}"
    );
    assert!(
        place
            .stdout(&["best", "runs/mlflow", "--metric", "val_acc"])
            .contains("66")
    );
}

#[test]
fn an_event_file_is_followed_while_it_grows() {
    let place = Workplace::new(ONE_EPOCH);
    let run = place.path().join("runs/tb");
    fs::create_dir_all(&run).unwrap();
    let from = fs::read_dir(fixtures().join("tensorboardx/run_a")).unwrap();
    let from = from.flatten().next().unwrap().path();
    let bytes = fs::read(&from).unwrap();
    let to = run.join(from.file_name().unwrap());
    // In the middle of a record, as a reader may find it.
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    fs::write(&to, first).unwrap();
    let mut dashboard = Dashboard::open(&place, &["runs"], 100, 30);
    dashboard.wait("the run", |screen| screen.contains("tb"));
    dashboard.press("\r");
    dashboard.wait("its curves", |screen| {
        screen.contains("Accuracy") && !screen.contains("0.6400")
    });
    let mut file = fs::File::options().append(true).open(&to).unwrap();
    file.write_all(rest).unwrap();
    dashboard.wait("the last value", |screen| screen.contains("0.6400"));
    dashboard.press("q");
    dashboard.wait("the table", |screen| screen.contains("STATE"));
    dashboard.press("q");
    assert!(dashboard.end().success());
}

#[test]
fn notes_and_names_of_other_trainers_runs_leave_their_files_alone() {
    let place = Workplace::new(ONE_EPOCH);
    let run = place.path().join("runs/1");
    copy(&fixtures().join("sacred/1"), &run);
    let before = fs::read(run.join("run.json")).unwrap();
    place.stdout(&["tag", "1", "good"]);
    place.stdout(&["list", "runs"]);
    let refused = place.output(&["resume", "1"]);
    assert!(!refused.status.success(), "{refused:?}");
    assert_eq!(fs::read(run.join("run.json")).unwrap(), before);
    let listed = place.json(&["list", "--json", "runs"]);
    assert_eq!(listed[0]["tags"][0], "good");
}

/// Where the log of the database of the fixture ends after a first part of the run `live`.
const FIRST_PART: usize = 22544;

#[test]
fn a_run_in_a_database_of_many_is_followed_while_that_grows() {
    let place = Workplace::new(ONE_EPOCH);
    let folder = place.path().join("runs/of_trackio");
    fs::create_dir_all(&folder).unwrap();
    let from = fixtures().join("trackio");
    fs::copy(from.join("digits.db"), folder.join("digits.db")).unwrap();
    let log = fs::read(from.join("digits.db-wal")).unwrap();
    let mut dashboard = Dashboard::open(&place, &["runs"], 120, 30);
    dashboard.wait("the first runs", |screen| {
        screen.contains("bold/otter 2") && !screen.contains("live")
    });
    // A run begins.
    fs::write(folder.join("digits.db-wal"), &log[..FIRST_PART]).unwrap();
    dashboard.wait("a new run", |screen| {
        screen.contains("live") && screen.contains("60.5") && !screen.contains("72.6")
    });
    dashboard.press("/live\r\r");
    dashboard.wait("its curves", |screen| {
        screen.contains("0.6050") && !screen.contains("0.7040")
    });
    let log_path = folder.join("digits.db-wal");
    let mut file = fs::File::options().append(true).open(log_path).unwrap();
    // In the middle of what is written, as a reader may find it.
    let (first, rest) = log[FIRST_PART..].split_at(7000);
    file.write_all(first).unwrap();
    file.write_all(rest).unwrap();
    dashboard.wait("the last value", |screen| screen.contains("0.7040"));
    dashboard.press("q");
    dashboard.wait("the table", |screen| screen.contains("STATE"));
    dashboard.press("q");
    assert!(dashboard.end().success());
    let names = fs::read_dir(&folder).unwrap().flatten();
    assert_eq!(names.count(), 2, "nothing is made beside the files");
}

#[test]
fn a_run_in_a_database_is_only_read_and_noted() {
    let place = Workplace::new(ONE_EPOCH);
    let root = place.path().join("runs");
    copy(&fixtures().join("trackio"), &root);
    let files = || {
        let names = fs::read_dir(&root).unwrap().flatten();
        let mut files: Vec<_> = names
            .map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = files();
    let run = "runs/digits.db/live";
    let shown = place.json(&["show", "--json", run]);
    assert_eq!(shown["name"], "live");
    assert_eq!(shown["model"], Value::String(String::new()));
    assert_eq!(shown["recipe"], "digits");
    assert_eq!(shown["config"]["net"]["width"], 64);
    assert_eq!(shown["size_bytes"], Value::Null);
    let loss = &shown["metrics"]["columns"]["train/loss"];
    assert_eq!(loss["y"][4], 0.935);
    // By its own name too, and the one that began later by the end of its path.
    assert_eq!(place.json(&["show", "--json", "live"])["id"], shown["id"]);
    let refused = |arguments: &[&str]| {
        let output = place.output(arguments);
        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        let said = [output.stdout, output.stderr].concat();
        String::from_utf8(said).unwrap()
    };
    for arguments in [
        &["rename", "--yes", "--to", "other", run][..],
        &["archive", "--yes", run],
        &["figures", run],
    ] {
        let said = refused(arguments);
        let why = "one of the runs in the database digits.db, which traintop only reads";
        let plain = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(plain.contains(why), "{arguments:?}: {said}");
    }
    for arguments in [
        &["resume", run][..],
        &["stop", run],
        &["evaluate", run],
        &["unarchive", "--yes", run],
    ] {
        let said = refused(arguments);
        assert!(
            !said.contains("os error") && !said.contains("panicked"),
            "{said}"
        );
    }
    place.stdout(&["tag", run, "good"]);
    place.stdout(&["rename", "--yes", "--display", "--to", "mine", run]);
    let listed = place.json(&["list", "--json", "--where", "tag:good", "runs"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["name"], "mine");
    let offered = place.stdout(&["clean", "runs"]);
    assert!(offered.contains("nothing"), "{offered}");
    place.stdout(&["compare", run, "runs/digits.db/calm-lake-1"]);
    let drawn = place.output(&["figures", run, "--out", "drawn"]);
    assert!(drawn.status.success(), "{drawn:?}");
    let table = place.stdout(&["export", "curves", "--root", "runs"]);
    assert!(table.contains("val/acc"), "{table}");
    place.stdout(&["organize", "--yes", "runs"]);
    assert_eq!(files(), before);
}
