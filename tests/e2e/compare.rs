//! Comparing runs: the commands for scripts, and the screen.

use std::fs;
use std::path::Path;

use crate::fake_worker::{ONE_EPOCH, Workplace};
use crate::pty::Dashboard;

/// A finished run of 20 epochs that ends at about `best`, of a recipe with this learning rate and
/// seed.
fn run(place: &Path, name: &str, best: f64, learning_rate: &str, seed: u32) {
    let logs = place.join("runs/training_runs").join(name).join("logs");
    fs::create_dir_all(&logs).unwrap();
    let row = |epoch: u32| {
        let part = f64::from(epoch) / 20.0;
        let (accuracy, lost) = (10.0 + (best - 10.0) * part, 2.5 - 2.0 * part);
        format!("{epoch},{lost},{},{accuracy},{}\n", lost + 0.1, epoch * 12)
    };
    let header = "epoch,train_loss,val_loss,val_acc,time_elapsed\n".to_owned();
    let text: String = std::iter::once(header).chain((1..=20).map(row)).collect();
    fs::write(logs.join("metrics.csv"), text).unwrap();
    let config = format!(
        r#"{{"experiment_name": "{name}", "model_name": "net", "learning_rate": {learning_rate}, "seed": {seed}}}"#
    );
    fs::write(logs.join("config.json"), config).unwrap();
    fs::write(logs.join("training.log"), format!("the end of {name}\n")).unwrap();
    let before = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    for file in ["metrics.csv", "config.json", "training.log"] {
        let file = fs::File::options()
            .write(true)
            .open(logs.join(file))
            .unwrap();
        file.set_modified(before).unwrap();
    }
}

fn some_runs() -> Workplace {
    let place = Workplace::new(ONE_EPOCH);
    for (name, best, learning_rate, seed) in [
        ("a1", 90.0, "0.1", 1),
        ("a2", 90.4, "0.1", 2),
        ("b1", 90.5, "0.2", 1),
        ("c1", 96.0, "0.4", 1),
    ] {
        run(place.path(), name, best, learning_rate, seed);
    }
    place
}

#[test]
fn runs_are_compared_with_a_baseline_and_against_noise() {
    let place = some_runs();
    let printed = place.stdout(&["compare", "a1", "b1"]);
    // The repetition a2, which is not compared, taught the noise.
    assert!(
        printed.contains("B against A: +0.50 = 1.2 sigma, not distinguishable (n=1 v 1)"),
        "{printed}"
    );
    assert!(
        printed.contains("learnt from 2 runs of 1 recipe"),
        "{printed}"
    );
    let json = place.json(&["compare", "a1", "a2", "c1", "--baseline", "c1", "--json"]);
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{json}");
    assert_eq!(rows[0]["runs"].as_array().unwrap().len(), 2);
    assert!((rows[0]["best"]["mean"].as_f64().unwrap() - 90.2).abs() < 1e-9);
    assert_eq!(rows[1]["is_baseline"], true);
    assert_eq!(rows[0]["difference"]["distinguishable"], true);
    assert_eq!(json["config"]["learning_rate"][1], "0.4");
    assert_eq!(rows[0]["seconds_per_epoch"], 12.0);
    let each = place.json(&[
        "compare", "a1", "a2", "--each", "--metric", "val_loss", "--json",
    ]);
    assert_eq!(each["rows"].as_array().unwrap().len(), 2);
    assert_eq!(each["metric"]["better"], "lower");
    let table = place.stdout(&["compare", "a1", "a2", "b1", "--markdown"]);
    assert!(
        table.contains("| A | a1, a2 | 2 | 90.20 ±0.28 |"),
        "{table}"
    );
}

#[test]
fn what_cannot_be_compared_is_reported_with_a_code() {
    let place = some_runs();
    let refusal = place.refusal(&["compare", "a1"], 1);
    assert!(refusal.contains("nothing to compare a1 with"), "{refusal}");
    let refusal = place.refusal(&["compare", "a1", "b1", "--metric", "f1"], 1);
    assert!(
        refusal.contains("they have val_acc, val_loss, train_loss"),
        "{refusal}"
    );
    place.stdout(&["tag", "--baseline", "yes", "b1"]);
    let printed = place.stdout(&["compare", "a1"]);
    assert!(printed.contains("A against B: -0.50"), "{printed}");
    let odd = place.path().join("runs/training_runs/odd/logs");
    fs::create_dir_all(&odd).unwrap();
    fs::write(odd.join("metrics.csv"), "epoch,reward\n1,5\n").unwrap();
    let output = place.output(&["compare", "a1", "odd"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}

#[test]
fn the_best_run_is_named_with_what_that_flatters() {
    let place = some_runs();
    let printed = place.stdout(&["best"]);
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].ends_with("runs/training_runs/c1"), "{printed}");
    assert_eq!(
        lines[1],
        "c1: val_acc 96.00% at epoch 20 (higher is better)"
    );
    assert!(
        lines[2].starts_with("best of 4 flatters by about 0.29"),
        "{printed}"
    );
    let json = place.json(&["best", "--metric", "train_loss", "--json"]);
    assert_eq!((&json["value"], &json["name"]), (&0.5.into(), &"a1".into()));
    assert_eq!(place.stdout(&["best", "--path"]).lines().count(), 1);
    let refusal = place.refusal(&["best", "--metric", "f1"], 3);
    assert!(
        refusal.contains("none of these runs has \"f1\""),
        "{refusal}"
    );
}

#[test]
fn marked_runs_are_compared_on_the_screen_and_marks_and_baseline_stay() {
    let place = some_runs();
    let mut dashboard = Dashboard::open(&place, &[], 120, 30);
    dashboard.wait("the runs", |screen| {
        screen.contains("96.00") && screen.contains("90.50")
    });
    dashboard.press("c");
    dashboard.wait("the reason", |screen| screen.contains("nothing to compare"));
    dashboard.press("/b1\rb");
    let notes = place.path().join("runs/training_runs/b1/notes.toml");
    crate::fake_worker::wait_for("the baseline", || {
        fs::read_to_string(&notes).is_ok_and(|text| text.contains("baseline = true"))
    });
    dashboard.wait("the one run", |screen| screen.contains("1 of 4 runs"));
    // One at a time: together they would be Alt-A.
    dashboard.press("\x1b");
    dashboard.wait("all runs", |screen| {
        screen.contains("4 runs") && !screen.contains("of 4 runs")
    });
    dashboard.press("A");
    dashboard.wait("the marks", |screen| screen.contains("4 marked"));
    dashboard.press("q");
    assert!(dashboard.end().success());

    let mut dashboard = Dashboard::open(&place, &[], 120, 30);
    dashboard.wait("marks and baseline", |screen| {
        screen.contains("4 marked") && screen.contains('⊥') && screen.contains("96.00")
    });
    dashboard.press("c");
    dashboard.wait("the curves", |screen| {
        screen.contains("4 runs by val_acc") && screen.contains("+1 seed")
    });
    dashboard.press("2");
    dashboard.wait("the noise", |screen| screen.contains("noise: sigma 0.28"));
    dashboard.press("jj");
    dashboard.wait("a verdict", |screen| screen.contains("sigma,"));
    dashboard.press("3");
    dashboard.wait("the settings", |screen| screen.contains("learning_rate"));
    dashboard.press("4");
    dashboard.wait("the logs", |screen| screen.contains("the end of c1"));
    dashboard.press("5");
    dashboard.wait("the limits", |screen| screen.contains("4 runs are few"));
    dashboard.press("\x1b");
    dashboard.wait("the table", |screen| screen.contains("4 marked"));
    dashboard.press("q");
    assert!(dashboard.end().success());
}
