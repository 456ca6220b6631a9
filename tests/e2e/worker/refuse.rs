//! What cannot be done is reported in one sentence, there and in the run.

use crate::programs::worker;
use std::fs;
use std::process::Command;

use rustix::process::Signal;
use traintop_run::State;

use super::{Bench, TINY, assert_same_rows, lines, record, refusal, succeed, until};

#[test]
fn what_cannot_be_trained_is_refused_with_one_sentence() {
    let bench = Bench::new("width = 4\nmomentum = 1.5\n");
    let cases = [
        (
            refusal(&mut bench.train(&[])),
            "recipe.toml:2: momentum must be in [0, 1), got 1.5",
        ),
        (
            refusal(&mut bench.worker(&["--config", "absent.toml"])),
            "absent.toml: cannot be read",
        ),
        (
            refusal(&mut bench.worker(&["--resume", "absent"])),
            "absent: No such file or directory",
        ),
        (
            refusal(&mut bench.worker(&["--resume", "."])),
            "this folder has no run.json",
        ),
    ];
    for (sentence, expected) in cases {
        assert!(sentence.contains(expected), "{sentence}");
    }
    fs::write(bench.folder.path().join("recipe.toml"), TINY).unwrap();
    let sentence = refusal(&mut bench.train(&["widht=8"]));
    assert!(
        sentence.contains("widht") && sentence.contains("width"),
        "{sentence}"
    );
    let sentence = refusal(&mut bench.train(&["data_dir=nowhere"]));
    assert!(sentence.contains("nowhere"), "{sentence}");
    assert_eq!(bench.worker(&[]).output().unwrap().status.code(), Some(2));
}

#[test]
fn a_run_is_resumed_only_if_it_is_over_unfinished_and_its_own_recipe() {
    let bench = Bench::new(TINY);
    let run = bench.trained(&["num_epochs=1"]);
    let sentence = refusal(&mut bench.resume(&run));
    assert!(
        sentence.contains("this run is finished (1 of 1 epochs)"),
        "{sentence}"
    );

    let (mut worker, run) = bench.start(&["num_epochs=1000"]);
    until("the first step", || lines(&run.steps_csv()).len() > 1);
    let sentence = refusal(&mut bench.resume(&run));
    assert!(
        sentence.contains("this run is still running (process"),
        "{sentence}"
    );
    assert!(!worker.has_ended(), "the refusal left the run alone");
    worker.signal(Signal::KILL);
    worker.exit();
    let mut other = bench.resume(&run);
    let sentence = refusal(other.args(["--config", "recipe.toml", "--set", "num_epochs=2"]));
    assert!(
        sentence.contains("the one named here has another num_epochs"),
        "{sentence}"
    );
}

#[test]
fn a_run_that_diverges_fails_with_the_reason_and_keeps_its_last_good_checkpoint() {
    let bench = Bench::new(TINY);
    let steep = ["lr_schedule=constant", "learning_rate=1e30", "grad_clip=0"];
    let sentence = refusal(&mut bench.train(&steep));
    assert!(
        sentence.contains("try a smaller learning rate"),
        "{sentence}"
    );
    let run = bench.runs().remove(0);
    let failed = record(&run);
    assert_eq!(failed.state, State::Failed);
    assert_eq!(failed.exit.unwrap().reason.unwrap(), sentence.trim_end());
    assert!(
        lines(&run.training_log())
            .last()
            .unwrap()
            .contains("failed: the ")
    );
    assert!(
        !run.last().exists() && !run.best().exists(),
        "weights that are no numbers were saved"
    );
}

#[test]
fn a_run_that_diverges_goes_back_as_often_as_it_may_and_no_more() {
    let bench = Bench::new(TINY);
    let steep = [
        "lr_schedule=constant",
        "learning_rate=1e30",
        "grad_clip=0",
        "on_nan=restore",
    ];
    let sentence = refusal(&mut bench.train(&steep));
    assert!(
        sentence.contains("try a smaller learning rate"),
        "{sentence}"
    );
    let run = bench.runs().remove(0);
    let log = lines(&run.training_log());
    let restored: Vec<_> = log
        .iter()
        .filter(|line| line.contains("restoring the last checkpoint"))
        .collect();
    assert_eq!(restored.len(), 5, "{log:#?}");
    assert!(restored[4].contains("(5 of 5 times)"), "{restored:?}");
    let rates: Vec<f64> = lines(&run.steps_csv())[1..]
        .iter()
        .map(|row| row.split(',').nth(5).unwrap().parse().unwrap())
        .collect();
    assert_eq!(rates, [1e30 / 32.0], "the rate was halved each time");
}

#[test]
fn skipped_steps_are_reported_and_counted_as_nothing() {
    let bench = Bench::new(TINY);
    let steep = [
        "lr_schedule=constant",
        "learning_rate=1e30",
        "grad_clip=0",
        "on_nan=skip",
        "num_epochs=1",
    ];
    // The first step ruins the weights, with a loss that still is a number: nothing brings them
    // back.
    refusal(&mut bench.train(&steep));
    let run = bench.runs().remove(0);
    let log = lines(&run.training_log());
    assert!(
        log.iter()
            .any(|line| line.contains("skipped") && line.contains("their loss was no number")),
        "{log:#?}"
    );
}

#[test]
fn a_gpu_that_is_not_there_is_reported_in_one_sentence() {
    let bench = Bench::new(TINY);
    let output = bench
        .train(&["device=cuda", "num_epochs=1"])
        .output()
        .unwrap();
    if output.status.success() {
        return;
    }
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert!(
        sentence.starts_with("device = \"cuda\" cannot be used: "),
        "{sentence}"
    );
    assert!(
        sentence.contains("set device = \"cpu\" or \"auto\""),
        "{sentence}"
    );
}

#[test]
fn a_run_that_cannot_write_fails_with_the_file_and_leaves_no_half_of_it() {
    let bench = Bench::new(TINY);
    let mut limited = Command::new("sh");
    // Files may grow to 100 blocks of 512 bytes; without the trap, the signal of the first write
    // beyond would end the worker.
    let script = format!(
        "trap '' XFSZ; ulimit -f 100; exec {} train --config recipe.toml --set width=8",
        worker()
    );
    let sentence = refusal(
        limited
            .args(["-c", &script])
            .current_dir(bench.folder.path()),
    );
    assert!(
        sentence.contains("last.safetensors: File too large"),
        "{sentence}"
    );
    let run = bench.runs().remove(0);
    assert_eq!(record(&run).state, State::Failed);
    assert_eq!(
        record(&run).exit.unwrap().reason.unwrap(),
        sentence.trim_end()
    );
    let files = fs::read_dir(run.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(
        files
            .into_iter()
            .all(|name| ["run.json", "logs", "checkpoints"].contains(&name.as_str()))
    );
    succeed(&mut bench.resume(&run));
    assert_same_rows(&run, &bench.trained(&["width=8"]));
}
