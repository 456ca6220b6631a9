//! A run that was killed or stopped anywhere resumes as if it never had been.

use crate::programs::TRAINTOP;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rustix::process::Signal;
use traintop_run::{RunDir, State};

use super::{
    Bench, TINY, Worker, assert_every_file_is_whole, assert_same_rows, lines, record, succeed,
    tensors, until,
};

/// Sums over several threads must be the same each time, too.
const TWO_THREADS: [&str; 1] = ["num_threads=2"];

/// Settings that bring memory or draws of their own.
const EVERYTHING: [&str; 8] = [
    "num_threads=2",
    "ema_decay=0.9",
    "stochastic_depth_rate=0.5",
    "zero_init_residual=true",
    "gradient_accumulation=3",
    "decay_norm_and_bias=false",
    "lr_schedule=warmup_cosine",
    "on_nan=skip",
];

#[test]
fn a_run_killed_anywhere_and_resumed_has_the_rows_of_one_that_was_not() {
    let bench = Bench::new(TINY);
    let mut random = ChaCha8Rng::seed_from_u64(20);
    for settings in [&TWO_THREADS[..], &EVERYTHING] {
        let reference = bench.trained(settings);
        let (mut worker, run) = bench.start(settings);
        let mut kills = 0;
        loop {
            // Wait for some progress of this process, then for a moment too short to aim with.
            let written = |run: &RunDir| fs::metadata(run.steps_csv()).map_or(0, |file| file.len());
            let (aim, moment) = (
                random.next_u64() % 200,
                Duration::from_micros(random.next_u64() % 30_000),
            );
            let before = written(&run);
            until("progress", || {
                written(&run) > before + aim || written(&run) < before || worker.has_ended()
            });
            std::thread::park_timeout(moment);
            worker.signal(Signal::KILL);
            let killed = worker.exit().signal().is_some();
            assert_every_file_is_whole(&run);
            if !killed || kills == 6 {
                break;
            }
            kills += 1;
            worker = Worker(bench.resume(&run).spawn().unwrap());
        }
        assert!(kills > 0, "the worker was never killed");
        if record(&run).state != State::Finished {
            succeed(&mut bench.resume(&run));
        }
        assert_eq!(record(&run).state, State::Finished);
        assert_same_rows(&run, &reference);
        for path in [RunDir::best, RunDir::last] {
            let same = tensors(&path(&run)) == tensors(&path(&reference));
            assert!(
                same,
                "{} has other weights than the reference's",
                path(&run).display()
            );
        }
        assert_eq!(record(&run).best, record(&reference).best);
        assert!(run.checkpoint(2).exists());
    }
}

#[test]
fn a_run_stopped_inside_an_epoch_continues_with_the_next_step() {
    let bench = Bench::new(TINY);
    let reference = bench.trained(&[]);
    for signal in [Signal::TERM, Signal::INT] {
        let (mut worker, run) = bench.start(&[]);
        until("a row of steps", || lines(&run.steps_csv()).len() > 1);
        worker.signal(signal);
        assert_eq!(worker.exit().code(), Some(0));
        let stopped = record(&run);
        assert_eq!(stopped.state, State::Stopped);
        assert!(tensors(&run.last()).is_some());

        succeed(&mut bench.resume(&run));
        let log = lines(&run.training_log());
        assert!(log.iter().any(|line| line.contains("stopped")), "{log:#?}");
        let resumed = log
            .iter()
            .find(|line| line.contains("resumed in epoch"))
            .expect("the log tells of the resume");
        assert!(!resumed.contains("after 0 of"), "{resumed}");
        assert_same_rows(&run, &reference);
        assert_eq!(
            (record(&run).state, record(&run).id),
            (State::Finished, stopped.id)
        );
        let times: Vec<f64> = lines(&run.steps_csv())[1..]
            .iter()
            .map(|row| row.rsplit(',').next().unwrap().parse().unwrap())
            .collect();
        assert!(times.is_sorted(), "the time went back: {times:?}");
    }
}

#[test]
fn a_second_signal_ends_the_worker_at_once() {
    // Steps of many seconds: neither could end by itself in time.
    let bench = Bench::new(TINY);
    let slow = [
        "width=96",
        "blocks=2",
        "max_train_images=2000",
        "batch_size=2000",
        "precision=float32",
    ];
    let (mut worker, run) = bench.start(&slow);
    until("the first step", || record(&run).state == State::Running);
    worker.signal(Signal::TERM);
    until("the record to say so", || {
        record(&run).state == State::Stopping
    });
    worker.signal(Signal::TERM);
    assert_eq!(worker.exit().code(), Some(128 + 15));
    let record = record(&run);
    assert_eq!(record.state, State::Stopped);
    assert!(
        record
            .exit
            .unwrap()
            .reason
            .unwrap()
            .contains("second signal")
    );
}

#[test]
fn a_setting_that_was_changed_before_a_resume_is_recorded_and_reported() {
    let bench = Bench::new(TINY);
    let (mut worker, run) = bench.start(&[]);
    until("a row of steps", || lines(&run.steps_csv()).len() > 1);
    worker.signal(Signal::TERM);
    assert_eq!(worker.exit().code(), Some(0));
    let config = fs::read_to_string(run.config_json()).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&config).unwrap();
    config["weight_decay"] = 0.25.into();
    fs::write(run.config_json(), config.to_string()).unwrap();
    succeed(&mut bench.resume(&run));
    let resumes = record(&run).resumes;
    let changed: Vec<_> = resumes.iter().flat_map(|resume| &resume.changed).collect();
    assert_eq!((resumes.len(), changed.len()), (1, 1));
    assert_eq!(
        (&*changed[0].key, &*changed[0].is),
        ("weight_decay", "0.25")
    );
    let mut show = std::process::Command::new(TRAINTOP);
    let shown = show.arg("show").arg(run.path()).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("and is 0.25 since"), "{shown}");
}
