//! What is made from logs and checkpoints of the reference's form, what is left alone, and that a
//! second look finds nothing to do.

use std::fs::File;
use std::io::ErrorKind;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use traintop_disk::faulty::{Faulty, NEVER};
use traintop_run::config_file::Config;
use traintop_run::found::Found;
use traintop_run::rebuilt::description;
use traintop_run::state::State;
use traintop_run::summary::Summary;

/// An epoch of a run that is made up.
struct Epoch {
    number: u32,
    train: (f64, f64),
    val: (f64, f64),
    rate: f64,
    seconds: u32,
}

fn epochs(count: u32) -> Vec<Epoch> {
    (1..=count)
        .map(|number| {
            let part = f64::from(number);
            Epoch {
                number,
                train: (2.5 / part, 10.0 + part * 3.25),
                val: (2.25 / part, 20.0 + part * 2.5),
                rate: 0.05 / part,
                seconds: 20 + 16 * (number - 1),
            }
        })
        .collect()
}

/// A log in the reference's form: entries may span lines, and only their first has a time.
fn reference_log(epochs: &[Epoch], planned: u32) -> String {
    let rule = "=".repeat(80);
    let at = |seconds: u32| {
        format!(
            "[2025-03-10 14:{:02}:{:02}]",
            30 + seconds / 60,
            seconds % 60
        )
    };
    let begin = at(0);
    let mut text = format!(
        "{begin} {rule}\n{begin} MODEL INFORMATION\n{begin} Model Name: resnet_small\n{begin} ResNet(\n  (conv1): Conv2d(3, 32)\n)\n\
         {begin} \n{rule}\n{begin} TRAINING CONFIGURATION\n{begin} {rule}\n{begin} model_name: resnet_small\n{begin} num_epochs: {planned}\n\
         {begin} learning_rate: 0.05\n{begin} use_randaugment: True\n{begin} color_jitter: {{'brightness': 0.3, 'hue': 0.1}}\n\
         {begin} experiment_name: old\n{begin} resume_from: None\n{begin} \n{rule}\n{begin} TRAINING LOG\n{begin} {rule}\n\
         {begin} Starting training from epoch 1/{planned}\n{begin} Device: cuda\n"
    );
    for epoch in epochs {
        let now = at(epoch.seconds);
        let entry = format!(
            "{now} Epoch: {0} Batch: [100/313] Loss: 9.0 Acc: 1.0% LR: 0.5 Batch time: 23.6ms\n{now} \n{1} Epoch {0}/{planned} {1}\nTime: 0m 16s\n\
             Train Loss: {2:.4} Train Acc: {3:.4}%\nVal Loss: {4:.4} Val Acc: {5:.4}%\nBest Val Acc: 99.0000%\nLearning Rate: {6:.6}\n\
             GPU Memory: 413.69 MB\nAvg Batch Time: 23.5 ms\nETA: 0.86 hours\n{1}{1}\n\n{now} New best validation accuracy: {5:.4}%\n",
            epoch.number,
            "=".repeat(40),
            epoch.train.0,
            epoch.train.1,
            epoch.val.0,
            epoch.val.1,
            epoch.rate
        );
        text.push_str(&entry);
    }
    text + &format!(
        "{} Training completed in 0h 52m 53s. Best validation accuracy: 94.5600%\n",
        at(600)
    )
}

fn run(place: &Path, log: &str) -> RunDir {
    let dir = RunDir::new(place.join("training_runs/2025_03_10_14_30"));
    fs::create_dir_all(dir.logs()).unwrap();
    fs::write(dir.logs().join("training.log"), log).unwrap();
    age(&dir.training_log());
    dir
}

/// Lets a file be of long ago.
fn age(path: &Path) -> SystemTime {
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_741_617_000);
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(old)
        .unwrap();
    old
}

fn column(dir: &RunDir, name: &str) -> Vec<f64> {
    let mut tail = Tail::open(dir.metrics_csv());
    tail.poll().unwrap();
    tail.metrics()
        .column(name)
        .unwrap_or_else(|| panic!("no {name}"))
        .y
        .clone()
}

fn close(found: &[f64], expected: impl Iterator<Item = f64>, within: f64) {
    let expected: Vec<f64> = expected.collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= within, "{found} {expected}");
    }
}

#[test]
fn a_log_of_the_references_form_gives_metrics_settings_and_a_record() {
    let place = tempfile::tempdir().unwrap();
    let epochs = epochs(7);
    let dir = run(place.path(), &reference_log(&epochs, 7));
    let (plans, problems) = plan_below(&[place.path().to_owned()]);
    assert!(
        problems.is_empty() && plans.len() == 1,
        "{problems:?} {plans:?}"
    );
    let rebuilt: Vec<_> = plans[0]
        .rebuilds
        .iter()
        .map(|file| (file.from.as_str(), file.what.as_str()))
        .collect();
    let expected = [
        ("training.log", "7 epochs"),
        ("training.log", "7 settings"),
        ("its other files", "finished, 7 epochs"),
    ];
    assert_eq!(rebuilt, expected);
    assert!(!dir.metrics_csv().exists(), "a plan changes nothing");
    apply(&plans[0], jiff::Timestamp::UNIX_EPOCH).unwrap();
    // The log has four digits, and six of the rate.
    close(
        &column(&dir, "train_loss"),
        epochs.iter().map(|epoch| epoch.train.0),
        5e-5,
    );
    close(
        &column(&dir, "train_acc"),
        epochs.iter().map(|epoch| epoch.train.1),
        5e-5,
    );
    close(
        &column(&dir, "val_loss"),
        epochs.iter().map(|epoch| epoch.val.0),
        5e-5,
    );
    close(
        &column(&dir, "val_acc"),
        epochs.iter().map(|epoch| epoch.val.1),
        5e-5,
    );
    close(
        &column(&dir, "learning_rate"),
        epochs.iter().map(|epoch| epoch.rate),
        5e-7,
    );
    close(
        &column(&dir, "time_elapsed"),
        epochs.iter().map(|epoch| epoch.seconds.into()),
        0.0,
    );
    close(
        &column(&dir, "memory_used_mb"),
        epochs.iter().map(|_| 413.69),
        0.0,
    );
    let config: Value = serde_json::from_slice(&fs::read(dir.config_json()).unwrap()).unwrap();
    assert_eq!(config["use_randaugment"], true);
    assert_eq!(
        config["color_jitter"],
        json!({"brightness": 0.3, "hue": 0.1})
    );
    assert_eq!(config["resume_from"], Value::Null);
    let record = Record::load(&dir).unwrap().unwrap();
    assert_eq!(
        (record.state, record.epochs_done, record.epochs_planned),
        (State::Finished, 7, 7)
    );
    assert_eq!(
        record.best.map(|best| (best.epoch, best.val_acc)),
        Some((7, 37.5))
    );
    let old = age(&dir.training_log());
    assert_eq!(
        fs::metadata(dir.metrics_csv()).unwrap().modified().unwrap(),
        old
    );
    let summary = Summary::load(&Found::look(dir.clone()), SystemTime::now());
    let rebuilt = summary.rebuilt.unwrap();
    assert_eq!(
        rebuilt,
        "rebuilt: metrics.csv from training.log, config.json from training.log, run.json from its other files"
    );
    assert!(plan(&dir).is_empty());
}

#[test]
fn our_own_log_gives_its_epochs_too() {
    let text = "[2026-11-24 10:00:00] 3 epochs of 10 steps\n\
                [2026-11-24 10:00:12] epoch 1/3  train loss 2.5000 acc 10.50%  val loss 2.2500 acc 20.25%  lr 0.050000  500 images/s  12.5 s  (best)\n\
                [2026-11-24 10:00:24] epoch 2/3  train loss 1.5000 acc 30.50%  val loss NaN acc 40.25%  lr 0.010000  600 images/s  24.5 s\n\
                [2026-11-24 10:00:36] epoch 2/3  train loss 1.2500 acc 31.50%  val loss 1.0 acc 41.25%  lr 0.010000  600 images/s  36.5 s\n";
    let log = training_log::parse(text);
    let rows = "epoch,train_loss,train_acc,val_loss,val_acc,learning_rate,time_elapsed,images_per_s\n\
                1,2.5,10.5,2.25,20.25,0.05,12.5,500\n2,1.25,31.5,1,41.25,0.01,36.5,600\n";
    assert_eq!(log.table.to_csv(), rows);
    assert_eq!((log.planned, log.table.best()), (Some(3), Some((2, 41.25))));
}

#[test]
fn a_pth_gives_its_history_and_settings() {
    let place = tempfile::tempdir().unwrap();
    let dir = RunDir::new(place.path().join("training_runs/old"));
    fs::create_dir_all(dir.checkpoints()).unwrap();
    let fixture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/checkpoint/se.pth");
    let checkpoint = dir.checkpoints().join("epoch_2.pth");
    fs::copy(fixture, &checkpoint).unwrap();
    age(&checkpoint);
    let (plans, _) = plan_below(&[place.path().to_owned()]);
    apply(&plans[0], jiff::Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(column(&dir, "train_loss"), [2.5, 2.25]);
    assert_eq!(column(&dir, "val_acc"), [11.5, 43.21]);
    assert_eq!(column(&dir, "learning_rate"), [0.004, 0.05]);
    let config = Config::load(&dir);
    assert_eq!(
        (
            config.text("model_name").as_deref(),
            config.count("num_epochs")
        ),
        (Some("resnet_se"), Some(3))
    );
    let record = Record::load(&dir).unwrap().unwrap();
    assert_eq!(
        (record.state, record.name.as_str()),
        (State::Stopped, "old")
    );
}

#[test]
fn safetensors_give_what_their_headers_say() {
    let place = tempfile::tempdir().unwrap();
    let dir = RunDir::new(place.path().join("training_runs/ours"));
    fs::create_dir_all(dir.checkpoints()).unwrap();
    let write = |path: PathBuf, metadata: Value| {
        let header = json!({ "__metadata__": metadata }).to_string();
        let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
        fs::write(&path, bytes).unwrap();
        age(&path);
    };
    let config = json!({ "experiment_name": "quick", "num_epochs": 4 }).to_string();
    write(
        dir.checkpoint(2),
        json!({ "epoch": "2", "val_acc": "61.5", "config": config }),
    );
    write(
        dir.last(),
        json!({ "epochs_done": "4", "best_epoch": "3", "best_val_acc": "70.25", "elapsed_s": "48" }),
    );
    fs::write(dir.best(), b"damaged").unwrap();
    age(&dir.best());
    apply(&plan(&dir), jiff::Timestamp::UNIX_EPOCH).unwrap();
    let text = fs::read_to_string(dir.metrics_csv()).unwrap();
    assert_eq!(
        text,
        "epoch,val_acc,time_elapsed\n2,61.5,\n3,70.25,\n4,,48\n"
    );
    let record = Record::load(&dir).unwrap().unwrap();
    assert_eq!((record.state, record.epochs_done), (State::Finished, 4));
}

#[test]
fn what_is_there_stays_and_what_is_broken_is_set_aside() {
    let place = tempfile::tempdir().unwrap();
    let dir = run(place.path(), &reference_log(&epochs(3), 9));
    fs::write(dir.logs().join("metrics.csv"), "").unwrap();
    fs::write(dir.logs().join("config.json"), "{\"seed\": 1}").unwrap();
    fs::write(dir.run_json(), "{\"schema_version\": 1,").unwrap();
    for path in [dir.metrics_csv(), dir.config_json(), dir.run_json()] {
        age(&path);
    }
    let plan = plan(&dir);
    let files: Vec<_> = plan
        .rebuilds
        .iter()
        .map(|file| file.path.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(files, ["metrics.csv", "run.json"]);
    apply(&plan, jiff::Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(
        fs::read_to_string(dir.config_json()).unwrap(),
        "{\"seed\": 1}"
    );
    let aside = dir.path().join("run.json.broken");
    assert_eq!(
        fs::read_to_string(aside).unwrap(),
        "{\"schema_version\": 1,"
    );
    assert_eq!(
        fs::read(dir.logs().join("metrics.csv.broken")).unwrap(),
        b""
    );
    assert_eq!(column(&dir, "val_acc").len(), 3);
    assert_eq!(Record::load(&dir).unwrap().unwrap().state, State::Stopped);
    // A file that appeared since the plan is not replaced.
    fs::remove_file(dir.metrics_csv()).unwrap();
    fs::rename(
        dir.logs().join("metrics.csv.broken"),
        dir.logs().join("kept"),
    )
    .unwrap();
    let plan = super::plan(&dir);
    fs::write(dir.metrics_csv(), "epoch,val_acc\n1,5\n").unwrap();
    age(&dir.metrics_csv());
    let error = apply(&plan, jiff::Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(
        matches!(&error, MakeError::Io { path, cause, .. } if *path == dir.metrics_csv() && cause.kind() == ErrorKind::AlreadyExists),
        "{error}"
    );
    assert_eq!(column(&dir, "val_acc"), [5.0]);
}

#[test]
fn runs_that_train_and_runs_of_others_are_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let lightning = place.path().join("lightning_logs/version_0");
    fs::create_dir_all(&lightning).unwrap();
    fs::write(
        lightning.join("metrics.csv"),
        "epoch,step,val_acc\n0,10,0.5\n",
    )
    .unwrap();
    fs::write(lightning.join("config.json"), "{}").unwrap();
    for file in ["metrics.csv", "config.json"] {
        age(&lightning.join(file));
    }
    assert_eq!(plan_below(&[place.path().to_owned()]).0, []);
    let young = run(place.path(), &reference_log(&epochs(1), 9));
    fs::write(young.logs().join("metrics.csv"), "epoch,val_acc\n1,22.5\n").unwrap();
    let plans = plan_below(&[place.path().to_owned()]).0;
    assert!(
        plans[0].problem.as_ref().unwrap().contains("it is running"),
        "{plans:?}"
    );
    assert!(apply(&plans[0], jiff::Timestamp::UNIX_EPOCH).is_err());
    assert!(!young.run_json().exists());
}

/// Every path below a run with its bytes and time, without what a killed program was writing.
fn whole(dir: &RunDir) -> Vec<(PathBuf, Vec<u8>, SystemTime)> {
    let mut found = Vec::new();
    let mut folders = vec![dir.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            if path.extension().is_none_or(|ending| ending != "tmp") {
                let modified = path.metadata().unwrap().modified().unwrap();
                let bytes = fs::read(&path).unwrap_or_default();
                found.push((path, bytes, modified));
            }
        }
    }
    found.sort();
    found
}

/// A run with a broken table, no settings and a damaged record.
fn broken(place: &Path) -> RunDir {
    let dir = run(place, &reference_log(&epochs(3), 9));
    fs::write(dir.logs().join("metrics.csv"), "").unwrap();
    fs::write(dir.run_json(), "{\"schema_version\": 1,").unwrap();
    for path in [dir.metrics_csv(), dir.run_json()] {
        age(&path);
    }
    dir
}

#[test]
fn a_rebuilding_is_taken_back_to_the_byte_and_the_time_unless_a_file_was_changed() {
    let place = tempfile::tempdir().unwrap();
    let dir = broken(place.path());
    let before = whole(&dir);
    let rebuilt = apply(&plan(&dir), jiff::Timestamp::UNIX_EPOCH).unwrap();
    assert!(
        description(&dir)
            .unwrap()
            .contains("metrics.csv from training.log")
    );
    undo(&rebuilt).unwrap();
    assert_eq!(whole(&dir), before);
    let rebuilt = apply(&plan(&dir), jiff::Timestamp::UNIX_EPOCH).unwrap();
    fs::write(dir.config_json(), "{\"seed\": 7}").unwrap();
    let error = undo(&rebuilt).unwrap_err().to_string();
    assert!(error.contains("config.json: has changed since"), "{error}");
    assert_eq!(column(&dir, "val_acc").len(), 3);
}

#[test]
fn every_call_may_fail_or_be_the_last_and_nothing_is_lost_or_untruly_marked() {
    for undoes in [false, true] {
        for at in 0.. {
            let mut reached = false;
            for (fail_at, kill_at) in [(at, NEVER), (NEVER, at)] {
                let context = format!("undo: {undoes}, call {at}, killed: {}", fail_at == NEVER);
                let place = tempfile::tempdir().unwrap();
                let dir = broken(place.path());
                let before = whole(&dir);
                let disk = Faulty::new(fail_at, kill_at);
                let now = jiff::Timestamp::UNIX_EPOCH;
                if undoes {
                    let rebuilt = apply(&plan(&dir), now).unwrap();
                    let done = make::undo_on(&disk, &rebuilt);
                    assert!(done.is_ok() || disk.calls.load(Ordering::Relaxed) > at);
                    // A second try takes the rest back.
                    undo(&rebuilt).unwrap();
                    assert_eq!(whole(&dir), before, "{context}");
                } else {
                    let done = make::apply_on(&disk, &plan(&dir), now);
                    reached |= disk.calls.load(Ordering::Relaxed) > at;
                    // What the plan rebuilds has epochs.
                    let description_text = description(&dir).unwrap_or_default();
                    let is_made = !lacks_metrics(&dir);
                    assert!(
                        is_made || !description_text.contains("metrics.csv"),
                        "{context}: {description_text}"
                    );
                    match done {
                        Ok(rebuilt) => undo(&rebuilt).unwrap(),
                        Err(_) if fail_at == at => {}
                        // A second try makes the rest; what was set aside is still there.
                        Err(_) => {
                            apply(&plan(&dir), now).unwrap();
                            assert!(plan(&dir).is_empty(), "{context}");
                            let aside = fs::read_to_string(dir.path().join("run.json.broken"));
                            assert_eq!(aside.unwrap(), "{\"schema_version\": 1,", "{context}");
                            continue;
                        }
                    }
                    assert_eq!(whole(&dir), before, "{context}");
                }
                reached |= disk.calls.load(Ordering::Relaxed) > at;
            }
            if !reached {
                assert!(at > 15, "there are only {at} calls");
                break;
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_as_a_log(text in "(?s)(\\PC|\n|\\[2025-03-10 14:29:45\\] |Epoch 1/2 |Train Loss: |epoch 1/2  |=){0,40}") {
        let log = training_log::parse(&text);
        proptest::prop_assert!(log.table.to_csv().starts_with("epoch"));
    }
}
