//! Runs and folders that hold something, one kind each, and a policy under which they would go if
//! they did not.

use super::*;
use traintop_disk::{Disk, System};

const HEADER: &str = "epoch,train_loss,val_acc\n";

/// A tree with one folder `run` of these files, untouched for three days, and a policy that wants
/// as much as it can.
fn planned(files: &[(&str, &[u8])]) -> (Tree, Plan) {
    let tree = Tree::new();
    for (name, bytes) in files {
        let path = tree.root().join("run").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    settle(&tree.root());
    let plan = tree.plan(&greedy());
    (tree, plan)
}

/// Everything below was changed three days ago.
pub fn settle(root: &Path) {
    let now = Timestamp::now() - jiff::SignedDuration::from_hours(72);
    let modified_ns = i64::try_from(now.as_nanosecond()).unwrap();
    let mut folders = vec![root.to_owned()];
    let mut all = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
            all.push(entry.path());
        }
    }
    for path in all.iter().rev() {
        System.set_modified(path, modified_ns).unwrap();
    }
}

fn greedy() -> Policy {
    Policy {
        keep_best: 0,
        keep_last: 0,
        min_epochs: 1,
        protect: Vec::new(),
        ..Policy::default()
    }
}

#[test]
fn a_run_of_nothing_but_a_header_and_settings_may_go() {
    let empty: [&[(&str, &[u8])]; 4] = [
        &[("metrics.csv", HEADER.as_bytes())],
        &[("metrics.csv", b"")],
        &[
            ("logs/metrics.csv", HEADER.as_bytes()),
            ("logs/config.json", b"{\"seed\": 1}"),
            ("logs/steps.csv", b"step,epoch,loss\n"),
            (
                "logs/worker.out",
                b"seed: 3\nTraceback (most recent call last):\n  File \"a.py\", line 3, in f\n    g(2)\nKeyError: 'x'\n",
            ),
        ],
        &[
            ("metrics.csv", HEADER.as_bytes()),
            ("hparams.yaml", b"{}\n"),
            (".hydra/overrides.yaml", b"- lr=0.1\n"),
        ],
    ];
    for files in empty {
        let (tree, plan) = planned(files);
        assert_eq!(candidates(&plan).len(), 1, "{files:?}: {:?}", plan.doubts);
        assert!(!plan.candidates[0].is_in && plan.candidates[0].cost_s.is_none());
        let done = tree.carry_out(&select_all(plan));
        assert!(!tree.root().join("run").exists());
        trash::restore_all(&done.tickets).unwrap();
        assert!(tree.root().join("run").exists());
    }
}

#[test]
fn what_is_left_of_our_own_writes_keeps_no_run() {
    for (name, length) in [
        (".notes.toml.71-0.tmp", 900_000),
        ("logs/.metrics.csv.71-0.tmp", 900_000),
        (".last.safetensors.71-0.tmp", 4000),
    ] {
        let half = vec![b' '; length];
        let (_tree, plan) = planned(&[("metrics.csv", HEADER.as_bytes()), (name, &half)]);
        let whole = plan.candidates.iter().filter(|one| one.is_whole).count();
        assert_eq!(whole, 1, "{name}: {:?}", plan.doubts);
    }
}

/// A file of each kind of weights, and other work, that makes an empty run one that holds
/// something.
fn holdings() -> Vec<(&'static str, Vec<u8>)> {
    let mut safetensors = 64_u64.to_le_bytes().to_vec();
    safetensors.extend(b"{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}");
    let zip = b"PK\x03\x04\x14\x00archive/data.pkl".to_vec();
    let pickle = b"\x80\x02}q\x00.".to_vec();
    let hdf5 = b"\x89HDF\r\n\x1a\n\x00".to_vec();
    let floats = vec![0, 0, 128, 63, 0, 0, 0, 64];
    vec![
        // Weights of all trainers, in any sub-folder.
        ("weights/last.pt", zip.clone()),
        ("policy.zip", zip.clone()),
        ("model.h5", hdf5.clone()),
        ("model.keras", zip.clone()),
        ("checkpoint-500/pytorch_model.bin", zip.clone()),
        ("checkpoint-500/model.safetensors", safetensors.clone()),
        ("last.pth.tar", zip.clone()),
        ("a/b/c/d/net.onnx", b"\x08\x07\x12\x07pytorch".to_vec()),
        ("saved_model/saved_model.pb", b"\x08\x01".to_vec()),
        ("ckpt/model.ckpt-3.data-00000-of-00001", floats.clone()),
        ("export.pkl", pickle.clone()),
        ("evaluations.npz", zip.clone()),
        ("model.cbm", b"CBM1".to_vec()),
        ("archive.tar.zst", b"\x28\xb5\x2f\xfd".to_vec()),
        // Weights under the names of other files.
        ("hparams.yaml", safetensors),
        ("logs/worker.out", pickle),
        ("config.json", hdf5),
        ("params.json", floats),
        // Results that traintop does not read.
        ("results.csv", b"epoch,mAP\n1,0.5\n".to_vec()),
        (
            "events.out.tfevents.1700000000.host",
            b"\x18\0\0\0".to_vec(),
        ),
        ("trainer_state.json", b"{\"log_history\": []}".to_vec()),
        (
            "catboost_info/learn_error.tsv",
            b"iter\tLogloss\n0\t0.6\n".to_vec(),
        ),
        ("mlruns/0/meta.yaml", b"name: x\n".to_vec()),
        ("wandb/run-1/run-1.wandb", b":W&B".to_vec()),
        ("dvclive/plots/metrics/loss.tsv", b"step\tloss\n".to_vec()),
        ("logs/steps.csv", b"step,loss\n50,0.5\n".to_vec()),
        (
            "logs/worker.out",
            b"iter 250: loss 2.1234, time 56.78ms\n".to_vec(),
        ),
        ("training.log", b"[12:00] Epoch [3/10]\n".to_vec()),
        (
            "logs/worker.out",
            b"|    total_timesteps | 163000 |\n".to_vec(),
        ),
        ("training.log", b"Loss/train --> -0.33\n".to_vec()),
        ("training.log", b"0.25\n".to_vec()),
        // A user's work.
        ("thesis.txt", b"chapter 1\n".to_vec()),
        ("README.md", b"# results\n".to_vec()),
        ("data/train.csv", b"a,b\n1,2\n".to_vec()),
        ("confusion.png", b"\x89PNG\r\n\x1a\n".to_vec()),
        ("analysis/plot.ipynb", b"{}".to_vec()),
        ("code/train.py", b"import torch\n".to_vec()),
        (".secret", b"x".to_vec()),
        // Results beside settings.
        ("hparams.yaml", b"lr: 0.1\nbest_val_acc: 0.93\n".to_vec()),
        (
            "config.json",
            format!("{{\"curve\": {:?}}}", [0.5; 2000]).into_bytes(),
        ),
        ("params.json", b"{\"history\": [{\"loss\": 1.0}]}".to_vec()),
        // More than 1 MB of anything.
        ("logs/worker.out", vec![b'\n'; 1_000_001]),
        (".last.safetensors.71-0.tmp", vec![0; 1_000_001]),
        // Half of weights, or of anything.
        (".last.safetensors.71-0.tmp", vec![0; 900_000]),
        (".thesis.txt.71-0.tmp", vec![b'x'; 900_000]),
        // Another program's record, such as Sacred's, or a damaged one.
        (
            "run.json",
            b"{\"status\": \"COMPLETED\", \"result\": 0.93}".to_vec(),
        ),
        ("run.json", b"{".to_vec()),
    ]
}

#[test]
fn a_run_without_rows_stays_if_it_holds_anything() {
    let holdings = holdings();
    assert!(holdings.len() >= 38);
    for (name, bytes) in &holdings {
        let (tree, plan) = planned(&[("metrics.csv", HEADER.as_bytes()), (name, bytes)]);
        let whole = plan.candidates.iter().filter(|one| one.is_whole).count();
        assert_eq!(whole, 0, "{name}");
        tree.carry_out(&select_all(plan));
        let path = tree.root().join("run").join(name);
        let is_temporary = traintop_disk::write::is_temporary(name);
        assert!(is_temporary || path.exists(), "{name}");
    }
}

#[test]
fn a_run_stays_if_its_metrics_hold_anything_at_all() {
    let rows: Vec<String> = (1..40).map(|row| format!("{},0.5\n", row * 50)).collect();
    let by_step = format!("step,train_loss\n{}", rows.concat());
    for text in [
        by_step.as_str(),
        "time/total_timesteps,rollout/ep_rew_mean\n163000,21.5\n",
        "epoch;loss\n1;0.5\n",
        "1,0.5,0.4\n2,0.4,0.5\n",
        "0.5,0.4\n",
        "Model,Activation,Accuracy\nresnet,relu,high\n",
        "metric,value\nacc,high\n",
        "# made by hand\n",
        "epoch,loss\n1,0.5,0.4\n",
        "epoch,loss\n1,0.5",
        "epoch,loss=0.3\n",
        "epoch,loss: 0.3\n",
        "epoch 3,loss 0.3\n",
        "Traceback (most recent call last):\n",
        "\u{0}\u{0}\u{0}\u{0}",
    ] {
        let (_tree, plan) = planned(&[("metrics.csv", text.as_bytes())]);
        assert_eq!(candidates(&plan), [], "{text:?}");
    }
    let (_tree, plan) = planned(&[("metrics.csv", b"epoch,loss\n\xff\xfe\n")]);
    assert_eq!(candidates(&plan), []);
}

#[test]
fn nothing_of_a_project_is_offered_though_its_root_holds_metrics() {
    let weights: (&str, &[u8]) = ("checkpoints/epoch_1.pt", b"1");
    let metrics: (&str, &[u8]) = ("metrics.csv", b"epoch,val_acc\n1,50\n2,60\n3,40\n");
    let course: [(&str, &[u8]); 6] = [
        metrics,
        weights,
        ("checkpoints/epoch_2.pt", b"2"),
        ("checkpoints/epoch_3.pt", b"3"),
        ("best.pt", b"2"),
        ("last.pt", b"3"),
    ];
    let (_tree, plan) = planned(&course);
    assert_eq!(
        candidates(&plan).len(),
        3,
        "as a run it has checkpoints to offer"
    );
    for sign in [
        ".git/HEAD",
        ".git",
        "vendor/lib/.git/HEAD",
        ".hg/store",
        "train.py",
        "Makefile",
        "notebook.ipynb",
        "old/metrics.csv",
        "old/deeper/run.json",
        "runs/a/logs/config.json",
        "logs/version_0/metrics.csv",
    ] {
        let mut files = course.to_vec();
        files.push((sign, b"x"));
        files.push((".x.71-0.tmp", b"half"));
        let (_tree, plan) = planned(&files);
        assert_eq!(candidates(&plan), [], "{sign}");
        // A run below it is one of its own, and in doubt too.
        assert!(!plan.doubts.is_empty(), "{sign}");
    }
}

#[test]
fn links_and_folders_that_cannot_be_read_keep_a_run() {
    let tree = Tree::new();
    let run = tree.root().join("run");
    fs::create_dir(&run).unwrap();
    fs::write(run.join("metrics.csv"), HEADER).unwrap();
    std::os::unix::fs::symlink("/nowhere", run.join("checkpoints")).unwrap();
    settle(&tree.root());
    let plan = tree.plan(&greedy());
    assert_eq!(candidates(&plan), []);
    assert!(plan.doubts[0].1.contains("link"), "{:?}", plan.doubts);
}

#[test]
fn what_may_be_at_work_or_has_finished_stays() {
    // No record, and changed within a day: it may be in its first epoch on another machine.
    let tree = Tree::new();
    fs::create_dir(tree.root().join("run")).unwrap();
    let metrics = tree.root().join("run/metrics.csv");
    fs::write(&metrics, HEADER).unwrap();
    age(&metrics, 2);
    let plan = tree.plan(&greedy());
    assert_eq!(candidates(&plan), []);
    assert!(
        plan.doubts[0].1.contains("within a day"),
        "{:?}",
        plan.doubts
    );
    // A process that still writes to it.
    settle(&tree.root());
    assert_eq!(candidates(&tree.plan(&greedy())).len(), 1);
    let plan = select_all(tree.plan(&greedy()));
    let log = fs::File::options().append(true).open(&metrics).unwrap();
    let mut writer = std::process::Command::new("cat");
    writer.stdin(std::process::Stdio::piped()).stdout(log);
    let mut writer = writer.spawn().unwrap();
    let while_open = tree.plan(&greedy());
    let done = tree.carry_out(&plan);
    drop(writer.stdin.take());
    writer.wait().unwrap();
    assert_eq!(candidates(&while_open), []);
    assert!(
        done.count == 0 && done.left[0].1.contains("open"),
        "{done:?}"
    );
    // A launcher's run that finished, of which nothing is known but that.
    let tree = Tree::new();
    tree.run("finished", State::Finished, 0, 0);
    let plan = tree.plan(&greedy());
    assert_eq!(candidates(&plan), []);
    assert!(plan.doubts[0].1.contains("finished"), "{:?}", plan.doubts);
}

#[test]
fn what_comes_into_an_empty_run_after_the_plan_was_made_keeps_it() {
    let (tree, plan) = planned(&[("metrics.csv", HEADER.as_bytes())]);
    let plan = select_all(plan);
    let late = tree.root().join("run/deep/thesis.txt");
    fs::create_dir_all(late.parent().unwrap()).unwrap();
    fs::write(&late, "chapter 1").unwrap();
    let done = tree.carry_out(&plan);
    assert_eq!(done.count, 0);
    assert!(done.left[0].1.contains("changed since"), "{done:?}");
    assert!(late.exists());
}

#[test]
fn metrics_that_cannot_be_read_keep_everything_and_are_reported() {
    use std::os::unix::fs::PermissionsExt;
    let files: [(&str, &[u8]); 4] = [
        ("metrics.csv", b"epoch,val_acc\n1,50\n"),
        ("best.pt", b"b"),
        ("last.pt", b"l"),
        ("epoch_1.pt", b"1"),
    ];
    let tree = Tree::new();
    for (name, bytes) in files {
        fs::create_dir_all(tree.root().join("run")).unwrap();
        fs::write(tree.root().join("run").join(name), bytes).unwrap();
    }
    // A folder in the place of the file cannot be read by anybody, root included.
    let metrics = tree.root().join("run/metrics.csv");
    fs::set_permissions(&metrics, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&metrics).is_ok() {
        fs::remove_file(&metrics).unwrap();
        fs::create_dir(&metrics).unwrap();
    }
    settle(&tree.root());
    let old = Policy {
        max_age: 1,
        ..greedy()
    };
    assert_eq!(candidates(&tree.plan(&old)), []);
    let found = traintop_run::found::Found::look(RunDir::new(tree.root().join("run")));
    let summary = traintop_run::summary::Summary::load(&found, SystemTime::now());
    let reason = summary.observed.reason.unwrap();
    assert!(reason.contains("its metrics cannot be read"), "{reason}");
}

#[test]
fn a_record_that_tells_of_results_keeps_its_run() {
    type Edit = fn(&mut Record);
    let edits: [(Edit, usize); 4] = [
        (|_| {}, 1),
        (
            |record| drop(record.other.insert("from_the_future".to_owned(), json!(7))),
            1,
        ),
        (
            |record| drop(record.other.insert("best_val_acc".to_owned(), json!(0.93))),
            0,
        ),
        (
            |record| {
                let (epoch, val_acc) = (3, 91.0);
                record.best = Some(traintop_run::record::Best { epoch, val_acc });
            },
            0,
        ),
    ];
    for (number, (edit, offered)) in edits.into_iter().enumerate() {
        let tree = Tree::new();
        let dir = tree.run("a", State::Stopped, 0, 0);
        let mut record = Record::load(&dir).unwrap().unwrap();
        edit(&mut record);
        record.save(&dir).unwrap();
        let plan = tree.plan(&greedy());
        assert_eq!(
            candidates(&plan).len(),
            offered,
            "{number}: {:?}",
            plan.doubts
        );
    }
}
