//! Tables as people write them: what `list`, `show` and `export` say of each kind.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::fake_worker::{UNTIL_STOPPED, Workplace};

/// A table, and what `list --json` says of it.
const TABLES: &[(&str, &str, u64)] = &[
    (
        "semicolons",
        "epoch;loss;val_acc\n1;0,5;50\n2;0,4;59,5\n",
        0,
    ),
    (
        "blanks",
        "epoch  loss  val_acc\n1  0.5  50\n2  0.4  59.5\n",
        0,
    ),
    (
        "comments",
        "# lr 0.1\nepoch,val_acc\n===== begin =====\n1,50\n2,59.5\n",
        0,
    ),
    ("percent", "epoch,val_acc\n1,50.0%\n2,59.5 %\n", 0),
    ("placeholders", "epoch,val_acc\n1,-\n2,59.5\n", 0),
    (
        "parts",
        "epoch,phase,acc\n1,train,80\n1,val,50\n2,train,90\n2,val,59.5\n",
        0,
    ),
    ("comma too many", "epoch,val_acc,\n1,50\n2,59.5\n", 0),
    ("index", ",val_acc\n1,50\n2,59.5\n", 0),
    ("text among numbers", "epoch,val_acc\n1,oops\n2,59.5\n", 1),
    ("no last line end", "epoch,val_acc\n1,50\n2,59.5", 0),
    ("carriage returns", "epoch,val_acc\r1,50\r2,59.5\r", 0),
];

fn workplace() -> Workplace {
    let place = Workplace::new(UNTIL_STOPPED);
    for (name, text, _) in TABLES {
        let folder = place.path().join("runs").join(name);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("metrics.csv");
        fs::write(&path, text).unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(3600);
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    place
}

#[test]
fn each_kind_of_table_has_its_best_epoch_and_what_was_not_understood() {
    let place = workplace();
    let all = place.json(&["list", "runs", "--json"]);
    for (name, _, unread) in TABLES {
        let run = all.as_array().unwrap().iter().find(|run| {
            let path = run["path"].as_str().unwrap();
            path.ends_with(&format!("/{name}"))
        });
        let run = run.unwrap_or_else(|| panic!("{name}"));
        assert_eq!(run["epochs_done"], 2, "{name}");
        assert_eq!(run["best_epoch"], 2, "{name}: {run}");
        let cells = run["unread"].as_object().unwrap().values();
        let cells: u64 = cells.map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(cells, *unread, "{name}");
        let shown = place.json(&["show", &format!("runs/{name}"), "--json"]);
        let column = &shown["metrics"]["columns"]["val_acc"];
        assert_eq!(
            column["y"].as_array().unwrap().last(),
            Some(&json!(59.5)),
            "{name}"
        );
        let exported = place.stdout(&["export", "curves", &format!("runs/{name}")]);
        assert!(exported.contains("59.5"), "{name}: {exported}");
    }
}

#[test]
fn a_step_that_begins_anew_with_each_epoch_keeps_all_rows() {
    let place = Workplace::new(UNTIL_STOPPED);
    let folder = place.path().join("runs/steps");
    fs::create_dir_all(&folder).unwrap();
    let mut text = "epoch,step,loss,val_acc\n".to_owned();
    for row in 0..30 {
        let acc = if row % 10 == 9 {
            format!("{}", 60 + row)
        } else {
            String::new()
        };
        writeln!(text, "{},{},0.5,{acc}", row / 10, row % 10).unwrap();
    }
    fs::write(folder.join("metrics.csv"), text).unwrap();
    let run: Value = place.json(&["show", "runs/steps", "--json"]);
    assert_eq!(run["epochs_done"], 3);
    assert_eq!(run["best_epoch"], 2);
    assert_eq!(run["metrics"]["x"], "running step");
    let loss = &run["metrics"]["columns"]["loss"]["x"];
    let expected: Vec<f64> = (0..30).map(f64::from).collect();
    assert_eq!(*loss, json!(expected));
}

#[test]
fn what_is_not_understood_is_named_by_list_and_show() {
    let place = workplace();
    let listed = place.stdout(&["list", "runs", "--where", "text"]);
    assert!(
        listed.contains("UNREAD") && listed.contains("1 cell"),
        "{listed}"
    );
    let shown = place.stdout(&["show", "runs/text among numbers"]);
    assert!(shown.contains("not understood"), "{shown}");
    assert!(shown.contains("val_acc  1 cell"), "{shown}");
}
