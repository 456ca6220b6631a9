//! What is shown of a run that trains.

use super::*;
use crate::control::Change;
use crate::metrics::Tail;
use std::fs::File;

fn metrics(text: &str) -> Metrics {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    fs::write(&path, text).unwrap();
    let mut tail = Tail::open(path);
    tail.poll().unwrap();
    tail.metrics().clone()
}

/// A run whose files were written at these seconds after 1970.
fn run(files: &[(&str, u64)]) -> (tempfile::TempDir, RunDir) {
    let folder = tempfile::tempdir().unwrap();
    let dir = RunDir::new(folder.path());
    fs::create_dir(dir.logs()).unwrap();
    for (name, second) in files {
        let path = folder.path().join(name);
        fs::write(&path, "{}").unwrap();
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(*second))
            .unwrap();
    }
    (folder, dir)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

const ROWS: &str =
    "epoch,val_acc,time_elapsed\n1,10,100\n2,20,200\n3,30,900\n4,40,1000\n5,50,1100\n";
const STEPS: &str = "epoch,step,steps_per_epoch,time_elapsed\n5,45,10,1050\n5,50,10,1090\n6,52,10,1120\n6,55,10,1150\n";

fn read(dir: &RunDir, rows: &Metrics, steps: &Metrics) -> Health {
    let known = Known {
        record: None,
        metrics: rows,
        steps,
        epochs_done: 5,
        epochs_planned: Some(20),
    };
    Health::read(
        dir,
        known,
        SystemTime::UNIX_EPOCH + Duration::from_secs(5000),
    )
}

#[test]
fn the_pace_is_that_of_most_epochs_and_steps_tell_where_it_is() {
    let (_folder, dir) = run(&[
        ("logs/metrics.csv", 2000),
        ("logs/steps.csv", 2050),
        ("last.safetensors", 2001),
    ]);
    let health = read(&dir, &metrics(ROWS), &metrics(STEPS));
    let pace = Pace {
        epoch_s: 100.0,
        epochs: 4,
        done: 5.5,
        at: at(2050),
        until: 20,
    };
    assert_eq!(health.pace, Some(pace));
    // Between the last step of an epoch and the first of the next.
    assert_eq!(health.row_gap, Some(Duration::from_secs(40)));
    assert_eq!((health.sign_at, health.read_at), (at(2050), at(5000)));
    assert_eq!(
        health.saved,
        Some(Saved {
            epoch: 5,
            at: at(2001)
        })
    );
    let without = read(&dir, &metrics(ROWS), &Metrics::default());
    assert_eq!(without.row_gap, Some(Duration::from_secs(100)));
    let pace = without.pace.unwrap();
    assert_eq!((pace.done, pace.at), (5.0, at(2000)));
}

#[test]
fn what_is_wanted_and_what_is_not_saved_is_known() {
    let (_folder, dir) = run(&[("logs/metrics.csv", 2000), ("last.safetensors", 1750)]);
    let rows = metrics(ROWS);
    let health = read(&dir, &rows, &Metrics::default());
    assert_eq!(
        health.saved,
        Some(Saved {
            epoch: 2,
            at: at(1750)
        })
    );
    Control::change(&dir, Change::EndAfterEpoch(Some(8))).unwrap();
    let health = read(&dir, &rows, &Metrics::default());
    assert_eq!(health.pace.unwrap().until, 8);
    assert!(health.sign_at > at(2000), "the change is a sign of life");
    // An epoch that is over does not count.
    Control::change(&dir, Change::EndAfterEpoch(Some(3))).unwrap();
    assert_eq!(
        read(&dir, &rows, &Metrics::default()).pace.unwrap().until,
        20
    );
}

#[test]
fn nothing_is_reported_of_what_is_not_known() {
    let (_folder, dir) = run(&[]);
    let none = Metrics::default();
    let known = Known {
        record: None,
        metrics: &none,
        steps: &none,
        epochs_done: 0,
        epochs_planned: Some(20),
    };
    let health = Health::read(&dir, known, SystemTime::UNIX_EPOCH);
    assert_eq!(
        (health.pace, health.row_gap, health.saved),
        (None, None, None)
    );
    let (_folder, dir) = run(&[("logs/steps.csv", 70)]);
    let steps = metrics("epoch,step,steps_per_epoch,time_elapsed\n1,2,10,20\n1,4,10,40\n");
    let known = Known {
        steps: &steps,
        ..known
    };
    let pace = Health::read(&dir, known, SystemTime::UNIX_EPOCH)
        .pace
        .unwrap();
    assert_eq!((pace.epoch_s, pace.epochs, pace.done), (100.0, 0, 0.4));
}
