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
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [
        ("CatBoost", "iter", "test/Logloss", 4),
        ("DVCLive", "step", "val/acc", 3),
        ("MLflow", "step", "val_acc", 3),
        ("Sacred", "step", "val.acc", 3),
        ("TensorBoard", "step", "accuracy/val", 3),
    ];
    let expected = expected.map(|(trainer, x, metric, step)| {
        (trainer.to_owned(), x.to_owned(), metric.into(), step.into())
    });
    assert_eq!(found, expected);
    let shown = place.json(&["show", "--json", "bold-otter-1"]);
    assert_eq!(shown["config"]["lr"], "0.1");
    assert_eq!(shown["state"], "finished");
    assert_eq!(shown["metrics"]["columns"]["val_acc"]["y"][3], 0.66);
    // Nothing of them is offered, and nothing is changed by looking.
    assert!(
        place
            .said(&["clean", "runs"])
            .contains("there is nothing to clean up")
    );
    assert!(
        place
            .said(&["best", "runs", "--metric", "val_acc"])
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
    place.said(&["tag", "1", "good"]);
    place.said(&["list", "runs"]);
    let refused = place.output(&["resume", "1"]);
    assert!(!refused.status.success(), "{refused:?}");
    assert_eq!(fs::read(run.join("run.json")).unwrap(), before);
    let listed = place.json(&["list", "--json", "runs"]);
    assert_eq!(listed[0]["tags"][0], "good");
}
