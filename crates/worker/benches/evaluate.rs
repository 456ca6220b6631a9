//! `make bench`: how fast an evaluation is beside the training of the same network, and what views
//! cost. What is compared alternates, and medians are printed, since a machine is seldom idle.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "the walls around `disk` and the terminal are for the program; benches set up what they need"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Rounds; of each figure the median is printed.
const ROUNDS: usize = 5;
const VIEWS: u32 = 8;
/// Evaluation has no backward pass, which is two thirds of a training step.
const TRAININGS_TO_REACH: f64 = 2.5;

fn main() {
    let scratch = tempfile::tempdir().expect("a temporary folder can be made");
    println!(
        "{:<58} {:>14} {:>14} {:>10}",
        "figure (medians of alternating rounds)", "images/s", "ratio", "to reach"
    );
    for recipe in ["quick", "resnet_se"] {
        measure(scratch.path(), recipe);
    }
}

fn measure(folder: &Path, recipe: &str) {
    let (mut train, mut plain, mut views) = (Vec::new(), Vec::new(), Vec::new());
    // The large network needs few images to keep a processor busy for seconds.
    let images = if recipe == "quick" { 4000 } else { 512 };
    for _ in 0..ROUNDS {
        let run = trained(folder, recipe, images);
        train.push(trained_per_s(&run));
        plain.push(evaluated_per_s(&run, 1));
        views.push(evaluated_per_s(&run, VIEWS));
    }
    let each = train.iter().zip(&plain).map(|(train, plain)| plain / train);
    let cost = plain.iter().zip(&views).map(|(plain, views)| plain / views);
    let (gain, cost) = (median(each.collect()), median(cost.collect()));
    println!(
        "{:<58} {:>14.0}",
        format!("{recipe}: training"),
        median(train)
    );
    println!(
        "{:<58} {:>14.0} {:>12.2} x {:>8.1} x",
        format!("{recipe}: evaluation, plain, in trainings"),
        median(plain),
        gain,
        TRAININGS_TO_REACH
    );
    println!(
        "{:<58} {:>14.0} {:>12.2} x {:>8.1} x",
        format!("{recipe}: evaluation, {VIEWS} views, cost in plain ones"),
        median(views),
        cost,
        VIEWS
    );
}

fn worker() -> Command {
    Command::new(env!("CARGO_BIN_EXE_traintop-worker"))
}

/// One epoch; the run's folder.
fn trained(folder: &Path, recipe: &str, images: u32) -> PathBuf {
    let output = folder.join(recipe);
    let changes = [
        "data_dir=synthetic".to_owned(),
        "num_epochs=1".to_owned(),
        format!("max_train_images={images}"),
        "max_val_images=100".to_owned(),
        format!("output_dir={}", output.display()),
    ];
    let mut command = worker();
    command.args(["train", "--config", recipe]);
    command.args(changes.iter().flat_map(|change| ["--set", change]));
    let ended = command.output().expect("the worker starts");
    assert!(ended.status.success(), "{ended:?}");
    let runs = fs::read_dir(output.join("training_runs")).expect("there are runs");
    runs.map(|run| run.expect("a run can be read").path())
        .max()
        .expect("there is a run")
}

/// The last column of a run's metrics.
fn trained_per_s(run: &Path) -> f64 {
    let metrics = fs::read_to_string(run.join("logs/metrics.csv")).expect("a run has metrics");
    let row = metrics.lines().last().expect("an epoch has a row");
    let cell = row.rsplit(',').next().expect("a row has cells");
    cell.trim().parse().expect("images a second are a number")
}

/// Over the 2,000 test images that are built in.
fn evaluated_per_s(run: &Path, views: u32) -> f64 {
    let mut command = worker();
    command.arg("evaluate").arg(run);
    command.args(["--json", "--views", &views.to_string()]);
    let ended = command.output().expect("the worker starts");
    assert!(ended.status.success(), "{ended:?}");
    let json: Value = serde_json::from_slice(&ended.stdout).expect("the worker prints JSON");
    json["images_per_s"]
        .as_f64()
        .expect("images a second are a number")
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
