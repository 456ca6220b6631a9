//! The form that starts runs, as a person uses it: sweeps, launchers, recipes of one's own, and
//! what was started before.

use std::fs;

use serde_json::Value;

use crate::fake_worker::{COUNTED, Workplace, wait_for};
use crate::pty::Dashboard;

/// The dashboard with the form's values open, on the row of the seed.
fn at_the_seed(place: &Workplace, rows: u16) -> Dashboard {
    let mut dashboard = Dashboard::open(place, &[], 100, rows);
    dashboard.wait_for_no_runs();
    dashboard.open_recipes();
    dashboard.press("\r");
    dashboard.wait("the values", |screen| screen.contains("experiment_name"));
    dashboard.press("jj");
    dashboard
}

/// Types a value into the row under the cursor, in place of what is there.
fn type_value(dashboard: &mut Dashboard, key: &str, text: &str) {
    dashboard.press("e");
    dashboard.wait("the cursor", |screen| screen.contains('▏'));
    dashboard.press(&format!("\x15{text}\r"));
    dashboard.wait("the value", |screen| {
        let row = screen.lines().find(|line| line.contains(key));
        row.is_some_and(|row| row.contains(text) && !row.contains('▏'))
    });
}

#[test]
fn a_sweep_is_shown_queued_trained_and_known_the_next_time() {
    let place = Workplace::new(COUNTED);
    let mut dashboard = at_the_seed(&place, 24);
    type_value(&mut dashboard, "seed ", "1..3");
    dashboard.wait("the points", |screen| {
        screen.contains("sweep of 3 points") && screen.contains("seed=3")
    });
    dashboard.press("s");
    dashboard.wait("the question", |screen| screen.contains("Queue 3 runs?"));
    dashboard.press("y");
    dashboard.wait("the runs", |screen| {
        // The part below the table says it of one of them once more.
        let rows = screen.lines().filter(|line| line.contains("seed="));
        rows.filter(|row| row.contains("✓ finished")).count() == 3
    });
    let runs = place.json(&["list", "--json"]);
    let sweeps = runs.as_array().unwrap().iter();
    let sweeps: Vec<&Value> = sweeps.map(|run| &run["sweep"]).collect();
    assert!(
        sweeps
            .iter()
            .all(|sweep| **sweep == *sweeps[0] && sweep.is_string()),
        "{sweeps:?}"
    );

    dashboard.open_recipes();
    dashboard.press("\r");
    dashboard.wait("what is done", |screen| {
        screen.contains("3 finished already (x leaves them out)")
            && screen.contains("of training by earlier runs like them")
    });
    dashboard.press("xs");
    dashboard.wait("that nothing is left", |screen| {
        screen.contains("3 finished already, left out")
    });
    // What was started is offered again, also after the values were taken back.
    dashboard.press("dv");
    dashboard.wait("what was started", |screen| {
        screen.contains("Started lately") && screen.contains("seed=1..3")
    });
    dashboard.press("\r");
    dashboard.wait("the sweep again", |screen| {
        screen.contains("sweep of 3 points")
    });
}

#[test]
fn a_launcher_is_chosen_completed_and_started() {
    let place = Workplace::new("exit 1");
    let script =
        "mkdir -p \"$1/logs\"; printf 'epoch,val_acc\\n1,%s\\n' \"$2\" > \"$1/logs/metrics.csv\"\n";
    fs::write(place.path().join("train.sh"), script).unwrap();
    let folder = place.path().join("config/traintop");
    fs::create_dir_all(&folder).unwrap();
    let config = "[launcher.mine]\ncommand = ['sh', 'train.sh', '{run_dir}']\n";
    fs::write(folder.join("config.toml"), config).unwrap();

    place.stdout(&[
        "train",
        "--launcher",
        "mine",
        "--detach",
        "--",
        "50.5",
        "a b",
    ]);
    let mut dashboard = Dashboard::open(&place, &[], 100, 40);
    dashboard.wait("the first run", |screen| screen.contains("50.50 @1"));
    dashboard.open_recipes();
    dashboard.press("G");
    dashboard.wait("the launcher", |screen| screen.contains("▌ launcher mine"));
    dashboard.press("\r");
    dashboard.wait("its command", |screen| {
        screen.contains("starts sh train.sh {run_dir}")
    });
    // What the command line has started is known here too.
    dashboard.press("v");
    dashboard.wait("what was started", |screen| {
        screen.contains("Started lately") && screen.contains("arguments=50.5 'a b'")
    });
    dashboard.press("\r");
    dashboard.wait("it filled in", |screen| {
        screen.contains("50.5 'a b'") && !screen.contains("Started lately")
    });
    type_value(&mut dashboard, "arguments ", "61.25");
    dashboard.press("s");
    dashboard.wait("the summary", |screen| screen.contains("Start this run?"));
    dashboard.press("y");
    dashboard.wait("its end", |screen| {
        screen.contains("✓ finished") && screen.contains("61.25 @1")
    });
    let runs = place.json(&["list", "--json"]);
    let mut runs = runs.as_array().unwrap().iter();
    let run = runs.find(|run| run["best_val_acc"] == 61.25).unwrap();
    let run = run["path"].as_str().unwrap();
    let record = fs::read_to_string(format!("{run}/run.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["launcher"], "mine");
    assert_eq!(record["command"][3], "61.25");
    // The same again, with changes.
    dashboard.press("N");
    dashboard.wait("what it was started with", |screen| {
        let row = screen.lines().find(|line| line.contains("arguments "));
        screen.contains("New run  launcher mine") && row.is_some_and(|row| row.contains("61.25"))
    });
}

#[test]
fn a_recipe_of_ones_own_is_kept_offered_and_not_replaced_unasked() {
    let place = Workplace::new(COUNTED);
    let mut dashboard = at_the_seed(&place, 40);
    type_value(&mut dashboard, "seed ", "7");
    dashboard.press("S");
    dashboard.wait("the question", |screen| {
        screen.contains("Save this as a recipe")
    });
    dashboard.press("mine\r");
    dashboard.wait("that it is kept", |screen| {
        screen.contains("configs/mine.toml is saved")
    });
    let file = place.path().join("configs/mine.toml");
    let kept = "# quick with seed=7\nextends = \"quick\"\nseed = 7\n";
    assert_eq!(fs::read_to_string(&file).unwrap(), kept);

    type_value(&mut dashboard, "seed ", "8");
    dashboard.press("S");
    dashboard.wait("the question", |screen| {
        screen.contains("Save this as a recipe")
    });
    dashboard.press("mine\r");
    dashboard.wait("the warning", |screen| {
        screen.contains("There is configs/mine.toml already.")
    });
    assert_eq!(fs::read_to_string(&file).unwrap(), kept);
    dashboard.press("y");
    wait_for("the new text", || {
        fs::read_to_string(&file).is_ok_and(|text| text.ends_with("seed = 8\n"))
    });
    dashboard.press("\x1b");
    dashboard.wait("the recipes", |screen| {
        screen.contains("choose a recipe") && screen.contains('▌')
    });
    dashboard.press("G");
    dashboard.wait("it among the recipes", |screen| {
        screen.contains("▌ configs/mine.toml")
    });
    assert_eq!(
        place.json(&["recipe", "configs/mine.toml", "--json"])["recipe"]["seed"],
        8
    );
}
