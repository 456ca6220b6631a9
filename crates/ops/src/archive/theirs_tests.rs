//! Runs of other trainers are listed as before, and come back whole.

use std::fs::File;
use std::time::{Duration, SystemTime};

use super::tests::{roots, set_root_time, whole};
use super::theirs::{run_below, run_below_within};
use super::*;
use traintop_run::discover::Limits;

#[test]
fn runs_of_other_trainers_are_listed_as_before_and_come_back_whole() {
    const LAYOUTS: [(&[&str], &[&str]); 4] = [
        // Hugging Face: what is read lies in the folder of a checkpoint.
        (
            &[
                "checkpoint-20/trainer_state.json",
                "checkpoint-20/config.json",
            ],
            &["checkpoint-10", "checkpoint-20/model.safetensors"],
        ),
        // Lightning below Hydra's folder.
        (
            &[
                "csv/version_0/metrics.csv",
                "csv/version_0/hparams.yaml",
                ".hydra/config.yaml",
            ],
            &["checkpoints"],
        ),
        // Ultralytics.
        (
            &["results.csv", "args.yaml"],
            &["weights", "train_batch0.jpg"],
        ),
        // OpenMMLab.
        (
            &["20261103_120000/vis_data/scalars.json"],
            &["epoch_1.pth", "20261103_120000/big.log"],
        ),
    ];
    for (stays, goes) in LAYOUTS {
        let place = tempfile::tempdir().unwrap();
        let dir = RunDir::new(place.path().join("runs/theirs"));
        let write = |below: &str, text: &[u8]| {
            let path = dir.path().join(below);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            let old = SystemTime::now() - Duration::from_secs(48 * 3600);
            let file = File::options().write(true).open(path).unwrap();
            file.set_modified(old).unwrap();
        };
        for below in stays {
            let text: &str = match below.rsplit('/').next().unwrap() {
                "trainer_state.json" => {
                    r#"{"global_step": 20, "log_history": [{"step": 10, "eval_loss": 1}, {"step": 20, "eval_loss": 2}]}"#
                }
                "scalars.json" => "{\"iter\": 1, \"step\": 1, \"loss\": 3}\n",
                "results.csv" => "epoch,train/box_loss,metrics/mAP50(B)\n1,2,0.5\n",
                "metrics.csv" => "epoch,step,val_loss\n1,10,2\n",
                "config.json" => "{}",
                _ => "lr: 0.1\n",
            };
            write(below, text.as_bytes());
        }
        for below in goes {
            match *below {
                "checkpoint-10" | "checkpoints" | "weights" => {
                    write(&format!("{below}/model.safetensors"), &[7; 3000]);
                }
                below => write(below, &vec![7; 1_000_001]),
            }
        }
        let summary = || {
            let found = Found::look(dir.clone());
            let summary = traintop_run::summary::Summary::load(&found, SystemTime::now());
            (
                summary.trainer,
                summary.best,
                summary.settings,
                summary.epochs_done,
            )
        };
        let (before, listed) = (whole(&dir), summary());
        let refused = Plan::of(&dir, true).unwrap_err().to_string();
        assert!(refused.contains("archive it with them"), "{refused}");
        let plan = Plan::of(&dir, false).unwrap();
        let archived = archive(&roots(place.path()), &plan).unwrap();
        for below in stays {
            assert!(dir.path().join(below).is_file(), "{below}");
        }
        for below in goes {
            assert!(!dir.path().join(below).exists(), "{below}");
        }
        assert_eq!(summary(), listed);
        undo(&archived).unwrap();
        assert_eq!(whole(&dir), before);
        archive(&roots(place.path()), &Plan::of(&dir, false).unwrap()).unwrap();
        unarchive(&roots(place.path()), &dir).unwrap();
        set_root_time(&dir, &before);
        assert_eq!(whole(&dir), before);
    }
}

#[test]
fn a_run_with_another_in_it_is_not_archived() {
    let place = tempfile::tempdir().unwrap();
    let dir = RunDir::new(place.path().join("runs/outer"));
    for below in ["results.csv", "inner/results.csv"] {
        let path = dir.path().join(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "epoch,train/box_loss,metrics/mAP50(B)\n1,2,0.5\n").unwrap();
        let old = SystemTime::now() - Duration::from_secs(48 * 3600);
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(old).unwrap();
    }
    let refused = Plan::of(&dir, false).unwrap_err().to_string();
    assert!(
        refused.contains("another run lies in it (inner)"),
        "{refused}"
    );
}

#[test]
fn a_run_that_was_not_searched_to_its_end_is_not_archived() {
    let place = tempfile::tempdir().unwrap();
    let dir = RunDir::new(place.path().join("runs/outer"));
    let file = dir.path().join("a/b/results.csv");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "epoch,train/box_loss,metrics/mAP50(B)\n1,2,0.5\n").unwrap();
    let limited = |depth| {
        let limits = Limits {
            depth,
            ..Limits::default()
        };
        run_below_within(&dir, limits)
    };
    assert_eq!(limited(9), Some("a/b".into()));
    assert_eq!(limited(1), Some(".".into()));
    assert_eq!(run_below(&RunDir::new("/nowhere/run")), Some(".".into()));
}
