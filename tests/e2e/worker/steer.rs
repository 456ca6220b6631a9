//! Steering the real worker: what may change while it trains, and that a resume knows it.

use crate::programs::{self, TRAINTOP};
use std::path::Path;
use std::process::Command;

use traintop_launch::{Steering, steer};
use traintop_run::{RunDir, State};

use super::{Bench, TINY, assert_same_rows, lines, record, succeed, tensors, until};

/// Long enough to be steered, with a learning rate that shows every change.
const LONGER: [&str; 5] = [
    "num_epochs=5",
    "max_train_images=1200",
    "lr_schedule=constant",
    "learning_rate=0.08",
    "max_val_images=40",
];

fn wait_for_state(run: &RunDir, state: State) {
    until(state.name(), || record(run).state == state);
}

fn says(run: &RunDir, what: &str) -> bool {
    let log = lines(&run.training_log());
    log.iter().any(|line| line.contains(what))
}

/// The learning rate of each row of `metrics.csv`.
fn rates(run: &RunDir) -> Vec<f64> {
    let rows = lines(&run.metrics_csv());
    let rates = rows
        .iter()
        .skip(1)
        .map(|row| row.split(',').nth(5).unwrap());
    rates.map(|rate| rate.parse().unwrap()).collect()
}

#[test]
fn waiting_and_saving_change_nothing_that_is_trained() {
    let bench = Bench::new(TINY);
    let reference = bench.trained(&LONGER);
    let (mut worker, run) = bench.start(&LONGER);
    wait_for_state(&run, State::Running);
    let printed = steer(&run, Steering::Pause).unwrap();
    assert!(printed.ends_with("waits after this step"), "{printed}");
    wait_for_state(&run, State::Paused);
    steer(&run, Steering::Save).unwrap();
    until("the checkpoint", || says(&run, "of its steps, as asked"));
    assert!(tensors(&run.last()).is_some());
    steer(&run, Steering::Continue).unwrap();
    until("the end of the wait", || {
        says(&run, "continues after a wait of")
    });
    assert!(worker.exit().success());
    assert_eq!(record(&run).state, State::Finished);
    assert_same_rows(&run, &reference);
}

#[test]
fn a_run_ends_after_its_epoch_and_a_resume_knows_the_learning_rate() {
    let bench = Bench::new(TINY);
    let (mut worker, run) = bench.start(&LONGER);
    wait_for_state(&run, State::Running);
    steer(&run, Steering::Pause).unwrap();
    wait_for_state(&run, State::Paused);
    steer(&run, Steering::EndAfter(None)).unwrap();
    steer(&run, Steering::LearningRate(0.5)).unwrap();
    let refused = steer(&run, Steering::LearningRate(-1.0)).unwrap_err();
    assert!(refused.to_string().contains("above 0"), "{refused}");
    steer(&run, Steering::Continue).unwrap();
    assert!(worker.exit().success());
    let ended = record(&run);
    let done = ended.epochs_done as usize;
    assert_eq!(ended.state, State::Stopped);
    let reason = ended.exit.unwrap().reason.unwrap();
    assert_eq!(reason, format!("ended after epoch {done}, as asked"));
    assert!(done < 5 && rates(&run) == vec![0.08; done], "{done}");
    let refused = steer(&run, Steering::Save).unwrap_err().to_string();
    assert!(
        refused.ends_with("is not running: it is stopped"),
        "{refused}"
    );

    // From here on by the command line, as people do it.
    let mut resume = Command::new(TRAINTOP);
    let home = bench.folder.path();
    resume
        .args([Path::new("resume"), run.path()])
        .current_dir(home)
        .env("HOME", home)
        .env("TRAINTOP_WORKER", programs::worker());
    succeed(&mut resume);
    wait_for_state(&run, State::Finished);
    assert_eq!(rates(&run)[done..], vec![0.04; 5 - done]);
    assert!(says(&run, "learning rate times 0.5 from epoch"));
}
