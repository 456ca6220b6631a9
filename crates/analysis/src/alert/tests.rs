//! Which rules hold for which runs, and above all which do not.

use std::fs;
use std::time::{Duration, SystemTime};

use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;

use super::*;
use crate::lint;
use traintop_run::RunDir;
use traintop_run::failure::Failure;
use traintop_run::found::Found;
use traintop_run::health::Disk;
use traintop_run::metrics::{Column, Metrics};
use traintop_run::process::Process;
use traintop_run::record::Record;

/// A run of ours that trains, with this table of metrics.
fn running(metrics: &str) -> (tempfile::TempDir, Summary) {
    let folder = tempfile::tempdir().unwrap();
    let dir = RunDir::new(folder.path());
    fs::create_dir_all(dir.logs()).unwrap();
    fs::write(dir.metrics_csv(), metrics).unwrap();
    let mut record = Record::new(
        &dir,
        "a".to_owned(),
        Process::current(),
        Vec::new(),
        Timestamp::now(),
    );
    record.state = State::Running;
    record.epochs_planned = 40;
    record.save(&dir).unwrap();
    let run = lint::load(&Found::look(dir), SystemTime::now());
    (folder, run)
}

/// What the default rules raise.
fn alerts_of(run: &Summary, since: Timestamp) -> Vec<Raised> {
    raised(run, &Rules::default(), since, Timestamp::MAX)
}

fn kinds(run: &Summary, since: Timestamp) -> Vec<Kind> {
    let alerts = alerts_of(run, since);
    alerts.iter().map(|raised| raised.kind).collect()
}

fn rows(
    loss: impl Fn(u32) -> f64,
    val_loss: impl Fn(u32) -> f64,
    val_acc: impl Fn(u32) -> f64,
) -> String {
    let row = |epoch: u32| {
        format!(
            "{epoch},{},{},{},{}\n",
            loss(epoch),
            val_loss(epoch),
            val_acc(epoch),
            epoch * 60
        )
    };
    let rows: String = (1..=20).map(row).collect();
    format!("epoch,train_loss,val_loss,val_acc,time_elapsed\n{rows}")
}

fn falling(epoch: u32) -> f64 {
    2.3 * (-f64::from(epoch) / 8.0).exp() + 0.1
}

fn rising(epoch: u32) -> f64 {
    90.0 - 60.0 * (-f64::from(epoch) / 8.0).exp()
}

#[test]
fn a_run_that_goes_well_raises_nothing_until_it_finishes() {
    let (_folder, mut run) = running(&rows(falling, falling, rising));
    assert_eq!(kinds(&run, Timestamp::UNIX_EPOCH), []);
    run.health = None;
    run.observed.state = State::Finished;
    let now = Timestamp::now();
    run.ended_at = Some(now);
    let alerts = raised(&run, &Rules::default(), now, Timestamp::MAX);
    assert_eq!(
        alerts[0].message,
        "finished: 20 epochs, best val_acc 85.07 % in epoch 20"
    );
    // Runs that had ended before the start are in the digest.
    assert_eq!(kinds(&run, now + 1.second()), []);
}

#[test]
fn what_broke_off_says_why_and_what_a_user_stopped_says_nothing() {
    let (_folder, mut run) = running(&rows(falling, falling, rising));
    run.health = None;
    run.ended_at = Some(Timestamp::now());
    run.observed.state = State::Stopped;
    assert_eq!(kinds(&run, Timestamp::UNIX_EPOCH), []);
    run.cause = Some(Failure {
        what: "time limit".to_owned(),
        detail: "its time limit of 1h is over".to_owned(),
    });
    let alerts = alerts_of(&run, Timestamp::UNIX_EPOCH);
    assert_eq!(
        (alerts[0].kind, alerts[0].message.as_str()),
        (Kind::Late, "its time limit of 1h is over")
    );
    run.observed.state = State::Failed;
    run.cause = Some(Failure {
        what: "SIGKILL".to_owned(),
        detail: "a signal of a user".to_owned(),
    });
    let alerts = alerts_of(&run, Timestamp::UNIX_EPOCH);
    assert_eq!(alerts[0].message, "failed: SIGKILL: a signal of a user");
    let quiet = Rules {
        on: vec![Kind::Finished],
        ..Rules::default()
    };
    assert_eq!(
        raised(&run, &quiet, Timestamp::UNIX_EPOCH, Timestamp::MAX),
        []
    );
}

#[test]
fn a_run_is_lost_only_when_its_supervisor_has_had_time_to_say_how_it_ended() {
    let (_folder, mut run) = running(&rows(falling, falling, rising));
    let ended = Timestamp::now();
    (run.health, run.observed.state, run.ended_at) = (None, State::Lost, Some(ended));
    let rules = Rules::default();
    assert_eq!(raised(&run, &rules, ended, ended), []);
    let settled = due(&run, &rules, ended).unwrap();
    assert_eq!(raised(&run, &rules, ended, settled).len(), 1);
    assert_eq!(due(&run, &rules, settled), None);
}

#[test]
fn curves_that_go_wrong_are_distinguished_from_those_that_do_not() {
    let up_again = |epoch: u32| if epoch < 12 { falling(epoch) } else { 1.2 };
    let spike = |epoch: u32| if epoch == 15 { 9.0 } else { falling(epoch) };
    let wave = |epoch: u32| falling(epoch) * (1.0 + 0.2 * f64::from(epoch % 3));
    let nan = |epoch: u32| {
        if epoch == 20 {
            f64::NAN
        } else {
            falling(epoch)
        }
    };
    let overfit = |epoch: u32| {
        if epoch < 10 {
            falling(epoch)
        } else {
            falling(10) + 0.05 * f64::from(epoch - 10)
        }
    };
    let flat = |epoch: u32| 80.0 - f64::from(epoch.abs_diff(11)) / 100.0;
    let cases: [(String, &[Kind]); 8] = [
        (rows(up_again, falling, rising), &[Kind::Diverging]),
        (rows(|_| 2.3, falling, rising), &[]),
        (
            rows(|epoch| 2.3 + 0.2 * f64::from(epoch), falling, rising),
            &[Kind::Diverging],
        ),
        (rows(spike, spike, rising), &[]),
        (rows(wave, wave, rising), &[]),
        (rows(nan, falling, rising), &[Kind::NotANumber]),
        (rows(falling, overfit, flat), &[Kind::Overfitting]),
        // The accuracy still grows: no alarm.
        (rows(falling, overfit, rising), &[]),
    ];
    for (number, (text, expected)) in cases.iter().enumerate() {
        let (_folder, run) = running(text);
        assert_eq!(
            kinds(&run, Timestamp::UNIX_EPOCH),
            *expected,
            "case {number}"
        );
    }
}

#[test]
fn no_progress_is_a_number_of_epochs_or_a_part_of_the_planned_ones() {
    let (_folder, run) = running(&rows(falling, falling, |epoch| {
        if epoch == 8 { 80.0 } else { 70.0 }
    }));
    let alerts = alerts_of(&run, Timestamp::UNIX_EPOCH);
    assert_eq!(
        alerts[0].message,
        "no progress for 12 epochs: the best is epoch 8's"
    );
    for (wanted, count) in [(12, 1), (13, 0), (0, 0)] {
        let rules = Rules {
            no_progress: Some(wanted),
            ..Rules::default()
        };
        assert_eq!(
            raised(&run, &rules, Timestamp::UNIX_EPOCH, Timestamp::MAX).len(),
            count,
            "{wanted}"
        );
    }
}

#[test]
fn a_run_without_rows_for_five_times_the_usual_time_has_stalled() {
    let (_folder, mut run) = running(&rows(falling, falling, rising));
    let health = run.health.as_mut().unwrap();
    assert_eq!(health.row_gap, Some(Duration::from_secs(60)));
    let last = health.sign_at;
    health.read_at = last + 299.seconds();
    assert_eq!(kinds(&run, Timestamp::UNIX_EPOCH), []);
    assert_eq!(
        stalls_at(&run, &Rules::default()),
        Some(last + 300.seconds())
    );
    run.health.as_mut().unwrap().read_at = last + 300.seconds();
    let alerts = alerts_of(&run, Timestamp::UNIX_EPOCH);
    assert_eq!(
        alerts[0].message,
        "stalled: no row for 5 min, usually within 1 min"
    );
    run.observed.state = State::Paused;
    assert_eq!(stalls_at(&run, &Rules::default()), None);
    run.observed.state = State::Running;
    run.health.as_mut().unwrap().row_gap = Some(Duration::from_millis(20));
    assert_eq!(
        stalls_at(&run, &Rules::default()),
        Some(last + 60.seconds()),
        "a fast run is given a minute"
    );
}

#[test]
fn a_full_disk_and_a_limit_are_reported_while_it_trains() {
    let (_folder, mut run) = running(&rows(falling, falling, rising));
    let health = run.health.as_mut().unwrap();
    assert!(health.disk.is_some(), "looked at where its signs are");
    health.disk = Some(Disk {
        id: 1,
        free: 1_500_000_000,
        total: 250_000_000_000,
    });
    health.deadline = Some(health.read_at + 600.seconds());
    let alerts = alerts_of(&run, Timestamp::UNIX_EPOCH);
    assert_eq!(
        alerts[0].message,
        "its disk is nearly full: 1.50 GB are free"
    );
    assert_eq!(
        alerts[1].message,
        "ends 10 min after its limit, which comes in epoch 31 of 40; no checkpoint yet"
    );
}

#[test]
fn every_rule_has_a_name_of_its_own() {
    for kind in Kind::ALL {
        assert_eq!(Kind::named(kind.name()), Some(*kind));
        assert!(!kind.what().is_empty());
    }
    assert_eq!(Kind::named("doom"), None);
}

proptest! {
    /// Against a plain loop over every three rows.
    #[test]
    fn divergence_is_what_a_plain_loop_finds(values in proptest::collection::vec(0.01f64..5.0, 0..12)) {
        let x: Vec<f64> = (1..=values.len()).map(|at| at as f64).collect();
        let metrics = Metrics {
            x_name: "epoch".to_owned(),
            columns: vec![Column { name: "train_loss".to_owned(), x, y: values.clone() }],
            ..Metrics::default()
        };
        let mut middles = Vec::new();
        for at in 2..values.len() {
            let mut three = [values[at - 2], values[at - 1], values[at]];
            three.sort_by(f64::total_cmp);
            middles.push(three[1]);
        }
        let expected = middles.last().is_some_and(|now| {
            let low = middles.iter().copied().fold(f64::INFINITY, f64::min);
            *now >= 1.5 * low && now - low >= 0.25 * (values[0] - low)
        });
        let found = signs(&metrics);
        prop_assert_eq!(found.iter().any(|sign| sign.kind == "diverging"), expected);
    }

    #[test]
    fn no_curve_breaks_it(values in proptest::collection::vec(any::<f64>(), 0..30)) {
        let x: Vec<f64> = (1..=values.len()).map(|at| at as f64).collect();
        let column = |name: &str| Column { name: name.to_owned(), x: x.clone(), y: values.clone() };
        let metrics = Metrics {
            x_name: "epoch".to_owned(),
            columns: vec![column("train_loss"), column("val_loss"), column("val_acc")],
            ..Metrics::default()
        };
        signs(&metrics);
    }
}
