//! Taking runs away: figures and exported tables.

use super::*;

#[test]
fn figures_are_drawn_into_the_run_and_what_is_missing_is_named() {
    let place = Workplace::new(ONE_EPOCH);
    let logs = place.path().join("runs/a-run/logs");
    fs::create_dir_all(&logs).unwrap();
    fs::write(
        logs.join("metrics.csv"),
        "epoch,train_loss,val_acc\n1,2.5,40\n2,2.0,55.5\n",
    )
    .unwrap();
    let output = place.output(&["figures", "a-run"]);
    assert!(output.status.success(), "{output:?}");
    let files = String::from_utf8(output.stdout).unwrap();
    assert_eq!(files.lines().count(), 6, "{files}");
    for file in ["loss_plot", "validation_plot", "combined_plot"] {
        let svg = fs::read_to_string(logs.join("figures").join(format!("{file}.svg"))).unwrap();
        assert!(svg.starts_with("<svg "), "{file}");
        let file = format!("{file}.png");
        let bytes = fs::read(logs.join("figures").join(&file)).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"), "{file}");
    }
    let printed = String::from_utf8(output.stderr).unwrap();
    assert!(
        printed.contains("has no numbers for learning_rate_plot, Learning rate in combined_plot"),
        "{printed}"
    );

    let compared = place.output(&["figures", "a-run", "a-run", "--compare", "--format", "svg"]);
    let files = String::from_utf8(compared.stdout).unwrap();
    assert!(files.trim().ends_with("comparison_plot.svg"), "{files}");
    assert!(place.path().join(files.trim()).exists());
    let all = [
        "figures",
        "--all-runs",
        "--out",
        "elsewhere",
        "--root",
        "runs",
    ];
    assert!(place.output(&all).status.success());
    assert!(place.path().join("elsewhere/a-run/loss_plot.png").exists());
    let sentence = place.refusal(&["figures", "--all", "--root", "worker.sh"], 1);
    assert!(sentence.contains("worker.sh"), "{sentence}");
}

#[test]
fn the_table_and_the_curves_are_exported_and_what_is_wrong_is_said() {
    let place = Workplace::new(ONE_EPOCH);
    for (run, rows) in [("one", "1,2.5,40\n2,nan,55.5\n"), ("two", "1,3,\n")] {
        let logs = place.path().join("runs").join(run).join("logs");
        fs::create_dir_all(&logs).unwrap();
        let text = format!("epoch,train_loss,val_acc\n{rows}");
        fs::write(logs.join("metrics.csv"), text).unwrap();
    }
    let curves = place.output(&["export", "curves", "one", "two"]);
    assert!(curves.status.success(), "{curves:?}");
    assert_eq!(
        String::from_utf8(curves.stdout).unwrap(),
        "run,epoch,train_loss,val_acc\none,1,2.5,40\none,2,NaN,55.5\ntwo,1,3,\n"
    );
    let table = [
        "export",
        "table",
        "one",
        "--columns",
        "name,best_val_acc,last.val_acc",
        "--format",
        "markdown",
    ];
    assert_eq!(
        String::from_utf8(place.output(&table).stdout).unwrap(),
        "| name | best\\_val\\_acc | last.val\\_acc |\n| --- | ---: | ---: |\n| one | 55.500 | 55.500 |\n"
    );
    let file = ["export", "table", "--out", "runs.json"];
    assert!(place.output(&file).status.success());
    let text = fs::read_to_string(place.path().join("runs.json")).unwrap();
    let runs: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(runs.len(), 2);
    // Never over a file that is there; a column that is none is named.
    let sentence = place.refusal(&file, 1);
    assert!(
        sentence.contains("runs.json cannot be written"),
        "{sentence}"
    );
    let sentence = place.refusal(&["export", "table", "--columns", "acc"], 1);
    assert!(
        sentence.contains("there is no column \"acc\"; the columns are name, path"),
        "{sentence}"
    );
    assert_eq!(
        place.output(&["export", "everything"]).status.code(),
        Some(2)
    );
}
