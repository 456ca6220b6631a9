//! Runs that end in time, and those that do not.

use super::*;
use proptest::prelude::*;
use std::time::SystemTime;
use traintop_run::RunDir;
use traintop_run::found::Found;
use traintop_run::health::Health;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A run of 20 epochs of 60 s that had done this many at 10,000 s and is looked at 30 s later.
fn run(done: f64, deadline: Option<i64>) -> Summary {
    let found = Found::look(RunDir::new("/nowhere"));
    let mut summary = Summary::load(&found, SystemTime::UNIX_EPOCH);
    summary.observed.state = State::Running;
    summary.health = Some(Box::new(Health {
        pace: Some(Pace {
            epoch_s: 60.0,
            epochs: 9,
            done,
            at: at(10_000),
            until: 20,
        }),
        row_gap: None,
        sign_at: at(10_000),
        saved: Some(Saved {
            epoch: 9,
            at: at(9_970),
        }),
        deadline: deadline.map(at),
        disk: None,
        signs: Vec::new(),
        read_at: at(10_030),
    }));
    summary
}

#[test]
fn a_run_that_would_be_cut_off_says_by_how_much_and_where() {
    let run = run(10.5, Some(10_210));
    let expected = outlook(&run).unwrap();
    assert_eq!(
        (expected.ends_at, expected.left),
        (at(10_570), Duration::from_secs(540))
    );
    // 210 s after its last row it has done 3.5 epochs more.
    assert_eq!(
        expected.limit,
        Some(Margin::Late(Duration::from_secs(360), 15))
    );
    assert_eq!(
        expected.sentence(20).unwrap(),
        "ends 6 min after its limit, which comes in epoch 15 of 20; last checkpoint: epoch 9, 1 min unsaved"
    );
    assert_eq!(late(&run), Some(Duration::from_secs(360)));
}

#[test]
fn a_run_in_time_says_how_much_is_left_and_without_a_limit_nothing() {
    let early = run(10.5, Some(20_000));
    let expected = outlook(&early).unwrap();
    assert_eq!(
        expected.sentence(20).unwrap(),
        "ends 2h 37m before its limit; last checkpoint: epoch 9, 1 min unsaved"
    );
    assert_eq!(late(&early), None);
    assert_eq!(outlook(&run(10.5, None)).unwrap().sentence(20), None);
}

#[test]
fn a_run_that_waits_has_its_rest_before_it_and_one_that_is_overdue_ends_now() {
    let mut paused = run(10.0, None);
    paused.observed.state = State::Paused;
    assert_eq!(outlook(&paused).unwrap().ends_at, at(10_630));
    assert_eq!(outlook(&run(19.9, None)).unwrap().ends_at, at(10_030));
}

#[test]
fn one_epoch_is_not_enough_to_call_a_run_late() {
    let mut run = run(0.5, Some(10_100));
    run.health.as_mut().unwrap().pace.as_mut().unwrap().epochs = 1;
    assert!(matches!(
        outlook(&run).unwrap().limit,
        Some(Margin::Late(..))
    ));
    assert_eq!(late(&run), None);
    run.health = None;
    assert_eq!(outlook(&run), None);
}

proptest! {
    #[test]
    fn the_end_is_that_of_epochs_counted_one_by_one(done in 0u32..30, epoch_s in 1u32..5000, deadline in 0i64..200_000) {
        let mut run = run(f64::from(done), Some(deadline));
        run.health.as_mut().unwrap().pace.as_mut().unwrap().epoch_s = f64::from(epoch_s);
        let (mut second, mut epoch, mut cut) = (10_000, done, None);
        while epoch < 20 {
            if second + i64::from(epoch_s) > deadline && cut.is_none() {
                cut = Some(epoch + 1);
            }
            (second, epoch) = (second + i64::from(epoch_s), epoch + 1);
        }
        let ends = second.max(10_030);
        let expected = outlook(&run).unwrap();
        prop_assert_eq!(expected.ends_at, at(ends));
        match expected.limit.unwrap() {
            Margin::Early(early) => prop_assert_eq!(early.as_secs() as i64, deadline - ends),
            Margin::Late(late, epoch) => {
                prop_assert_eq!(late.as_secs() as i64, ends - deadline);
                prop_assert_eq!(epoch, cut.unwrap_or(20));
            }
        }
    }

    #[test]
    fn nothing_that_files_may_say_breaks_it(done in any::<f64>(), epoch_s in any::<f64>(), deadline in -1_000_000_000i64..1_000_000_000) {
        let mut run = run(done, Some(deadline));
        run.health.as_mut().unwrap().pace.as_mut().unwrap().epoch_s = epoch_s.abs();
        if done.is_finite() && epoch_s.is_finite() {
            let _ = outlook(&run).unwrap().sentence(20);
        }
    }
}
