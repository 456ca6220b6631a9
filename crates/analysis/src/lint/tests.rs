//! What is found and, above all, what is not.

use proptest::prelude::*;

use super::lint;
use traintop_recipe::{Recipe, Schedule};
use traintop_run::metrics::{Column, Metrics};
use traintop_run::record::{Changed, Resume};
use traintop_run::settings::Settings;

fn settings(kind: &str, epochs: u32) -> Settings {
    let epochs = epochs.to_string();
    [
        ("lr_schedule", kind),
        ("num_epochs", epochs.as_str()),
        ("learning_rate", "0.05"),
        ("max_lr", "0.1"),
        ("warmup_epochs", "2"),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

fn resume(epoch: u32, changed: &[(&str, &str, &str)]) -> Resume {
    let changed = changed.iter().map(|(key, was, is)| Changed {
        key: (*key).to_owned(),
        was: (*was).to_owned(),
        is: (*is).to_owned(),
    });
    Resume {
        epoch,
        at: jiff::Timestamp::UNIX_EPOCH,
        changed: changed.collect(),
    }
}

/// Metrics as the worker writes them.
fn trained(kind: &str, epochs: u32, steps: u64) -> Metrics {
    let recipe = Recipe {
        num_epochs: epochs,
        learning_rate: 0.05,
        max_lr: 0.1,
        warmup_epochs: 2,
        lr_schedule: kind.parse().unwrap(),
        ..Recipe::default()
    };
    let x: Vec<f64> = (1..=epochs).map(f64::from).collect();
    let column = |name: &str, value: &dyn Fn(f64) -> f64| Column {
        name: name.to_owned(),
        x: x.clone(),
        y: x.iter().map(|x| value(*x)).collect(),
    };
    let rates = Schedule::new(&recipe, steps).after_each_epoch();
    Metrics {
        x_name: "epoch".to_owned(),
        columns: vec![
            column("epoch", &|x| x),
            column("train_loss", &|x| 2.3 / x + 0.01 * (x * 7.0).sin()),
            column("val_loss", &|x| 2.2 / x + 0.02 * (x * 5.0).sin()),
            column("train_acc", &|x| 95.0 - 85.0 / x),
            column("val_acc", &|x| 93.0 - 83.0 / x),
            column("learning_rate", &|x| rates[x as usize - 1]),
            column("time_elapsed", &|x| 16.0 * x),
        ],
        ..Metrics::default()
    }
}

fn found(metrics: &Metrics) -> String {
    found_with(metrics, &[])
}

fn found_with(metrics: &Metrics, resumes: &[Resume]) -> String {
    let findings = lint(metrics, &settings("onecycle", 20), resumes);
    let texts: Vec<_> = findings.into_iter().map(|finding| finding.text).collect();
    texts.join("; ")
}

fn change(name: &str, change: impl Fn(&mut Column)) -> String {
    let mut metrics = trained("onecycle", 20, 313);
    let column = metrics
        .columns
        .iter_mut()
        .find(|column| column.name == name);
    change(column.unwrap());
    found(&metrics)
}

#[test]
fn each_thing_that_looks_wrong_is_reported_with_its_place() {
    assert_eq!(found(&trained("onecycle", 20, 313)), "");
    let text = change("val_loss", |column| column.y[3..9].fill(0.5));
    assert_eq!(
        text,
        "val_loss is exactly the same from 4 to 9: is it measured on the network that trains?"
    );
    let text = change("val_acc", |column| {
        column.y.iter_mut().for_each(|y| *y /= 100.0)
    });
    assert_eq!(text, "val_acc is in parts of one and train_acc in percent");
    let text = change("val_acc", |column| column.y[10] /= 100.0);
    assert_eq!(
        text,
        "val_acc changes between percent and parts of one at 11"
    );
    let text = change("time_elapsed", |column| {
        column.y[5..].iter_mut().for_each(|y| *y += 7200.0)
    });
    assert_eq!(
        text,
        "2.0 h passed before 6: was the machine asleep, or the clock set?"
    );
    let text = change("time_elapsed", |column| column.y[5] = 1.0);
    assert_eq!(text, "the clock goes back by 79 s at 6");
    let text = change("learning_rate", |column| column.y.fill(0.1));
    assert!(
        text.starts_with("learning_rate is 0.10 at epoch "),
        "{text}"
    );
    let mut metrics = trained("onecycle", 20, 313);
    for column in &mut metrics.columns {
        column.x.drain(6..8);
        column.y.drain(6..8);
    }
    assert_eq!(found(&metrics), "epochs 7 to 8 are missing");
    let mut metrics = trained("onecycle", 20, 313);
    metrics.seams = vec![15.0];
    assert_eq!(found(&metrics), "");
    metrics.columns[1].y[14] = 2.0;
    assert_eq!(
        found(&metrics),
        "train_loss is 2.00 after the resume at 15, and was 0.16 before it"
    );
    // A trainer that drops rows leaves no seam in them, but says in the record that there was one.
    metrics.seams = Vec::new();
    assert_eq!(found(&metrics), "");
    assert!(found_with(&metrics, &[resume(3, &[]), resume(15, &[])]).contains("resume at 15"));
}

#[test]
fn repeated_epochs_are_reported_where_they_are_the_exception() {
    let mut metrics = trained("onecycle", 20, 313);
    for (repeated, which) in [
        (vec![7.0], "epoch 7 is"),
        (vec![7.0, 9.0], "epochs 7 and 9 are"),
        (vec![7.0, 9.0, 10.0], "3 epochs from 7 to 10 are"),
    ] {
        metrics.repeated = repeated;
        let text = found(&metrics);
        assert!(
            text.starts_with(which) && text.contains("more than once"),
            "{text}"
        );
    }
    metrics.repeated = (1..=20).map(f64::from).collect();
    assert_eq!(found(&metrics), "");
}

#[test]
fn settings_that_changed_at_a_resume_are_reported_and_no_others() {
    let metrics = trained("onecycle", 20, 313);
    let quiet = [("output_dir", "a", "b"), ("device", "cpu", "cuda")];
    assert_eq!(found_with(&metrics, &[resume(5, &quiet)]), "");
    let changed = [
        quiet[0],
        ("max_lr", "0.2", "0.1"),
        ("batch_size", "64", "128"),
    ];
    assert_eq!(
        found_with(&metrics, &[resume(4, &quiet), resume(5, &changed)]),
        "max_lr was 0.2 until the resume in epoch 5, and is 0.1 since; another key changed too"
    );
    assert_eq!(found_with(&metrics, &[resume(21, &changed)]), "");
}

#[test]
fn short_runs_are_on_their_schedules() {
    for kind in ["onecycle", "cosine", "warmup_cosine", "constant"] {
        for (epochs, steps) in (1..8).flat_map(|epochs| (1..8).map(move |steps| (epochs, steps))) {
            let findings = lint(&trained(kind, epochs, steps), &settings(kind, epochs), &[]);
            assert_eq!(findings, [], "{kind}, {epochs} epochs of {steps} steps");
        }
    }
}

proptest! {
    #[test]
    fn ordinary_runs_are_clean(kind in 0..4_usize, epochs in 1..60_u32, steps in 1..400_u64, done in 1..60_usize) {
        let kind = ["onecycle", "cosine", "warmup_cosine", "constant"][kind];
        let mut metrics = trained(kind, epochs, steps);
        for column in &mut metrics.columns {
            column.x.truncate(done);
            column.y.truncate(done);
        }
        prop_assert_eq!(lint(&metrics, &settings(kind, epochs), &[]), []);
    }
}
