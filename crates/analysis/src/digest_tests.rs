//! What the digest says of what has happened, and what it leaves out.

use jiff::{Timestamp, ToSpan};

use super::digest::Digest;
use super::run_of_files::run_of_files;
use traintop_run::State;
use traintop_run::failure::Failure;
use traintop_run::summary::Summary;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// A run of three epochs of 1,000 s, the second of which is the best, that ended this many hours
/// ago.
fn run(name: &str, state: State, best: f64, hours: i64) -> Summary {
    let metrics = format!("epoch,val_acc,time_elapsed\n1,20,1000\n2,{best},2000\n3,30,3000\n");
    let mut summary = run_of_files(name, None, &metrics);
    summary.name = name.to_owned();
    summary.observed.state = state;
    summary.ended_at = (!state.is_active()).then(|| now() - hours.hours());
    summary.modified_at = now() - hours.hours();
    summary.started_at = Some(summary.modified_at - 3000.seconds());
    summary
}

fn line(runs: &[Summary], hours: i64) -> String {
    Digest::since(&runs.iter().collect::<Vec<_>>(), now() - hours.hours()).line()
}

#[test]
fn what_ended_since_is_counted_with_reasons_and_the_new_best() {
    let mut failed = [
        run("f1", State::Failed, 40.0, 2),
        run("f2", State::Failed, 40.0, 3),
    ];
    for run in &mut failed {
        run.cause = Some(Failure {
            what: "CUDA out of memory".to_owned(),
            detail: String::new(),
        });
        let batch = ("batch_size".to_owned(), "512".to_owned());
        run.settings = [batch].into_iter().collect();
    }
    let [f1, f2] = failed;
    let runs = [
        run("old", State::Finished, 94.0, 100),
        run("good", State::Finished, 94.7, 4),
        run("fine", State::Finished, 91.0, 5),
        run("halted", State::Stopped, 50.0, 6),
        run("busy", State::Running, 50.0, 0),
        f1,
        f2,
    ];
    assert_eq!(
        line(&runs, 24),
        "2 finished, 2 failed (CUDA out of memory, all batch_size 512), 1 stopped, 1 started, new best 94.70 by good"
    );
    assert_eq!(line(&runs[..1], 24), "");
    assert!(Digest::since(&[&runs[0]], now() - 24.hours()).is_empty());
    let mut runs = runs;
    runs[6].cause = None;
    runs[6].observed.reason = Some("diverged; the loss is NaN".to_owned());
    assert!(line(&runs, 24).contains("2 failed (1 x CUDA out of memory, and others)"));
}

#[test]
fn a_best_that_was_reached_before_is_not_new_though_the_run_continues() {
    // Its best row was written 1,000 s before its last.
    let runs = [run("busy", State::Running, 80.0, 0)];
    let since = |seconds: i64| {
        let since = now() - seconds.seconds();
        Digest::since(&[&runs[0]], since).new_best.is_some()
    };
    assert!(!since(900));
    assert!(since(1100));
}
