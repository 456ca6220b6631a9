//! What a run leaves in its folder, and says on its standard output.

use crate::programs::worker;
use std::fs;
use std::io::Read;
use std::process::Command;

use traintop_run::{RunDir, State};

use super::{
    Bench, TINY, Worker, assert_same_rows, lines, record, refusal, succeed, tensors, values,
};
use crate::schemas;

#[test]
fn a_small_network_overfits_one_batch() {
    let bench = Bench::new(TINY);
    let run = bench.trained(&[
        "max_train_images=20",
        "max_val_images=10",
        "batch_size=20",
        "num_epochs=40",
        "width=8",
        "dropout_rate=0",
        "label_smoothing=0",
        "random_crop_padding=0",
        "random_horizontal_flip=false",
        "lr_schedule=constant",
        "learning_rate=0.05",
        "save_interval=0",
    ]);
    let rows = values(&run.metrics_csv());
    let last: f64 = rows.last().unwrap()[2].parse().unwrap();
    assert!(
        last >= 95.0,
        "a batch of 20 images was learned to {last} % only"
    );
}

#[test]
fn a_finished_run_has_all_its_files() {
    let bench = Bench::new(TINY);
    let run = bench.trained(&[]);

    let metrics = lines(&run.metrics_csv());
    assert_eq!(
        metrics[0],
        "epoch,train_loss,train_acc,val_loss,val_acc,learning_rate,time_elapsed,memory_used_mb,batch_time_ms,eta_hours,\
         images_per_s"
    );
    assert_eq!(metrics.len(), 4);
    // 120 images in batches of 16 are 8 steps: a row after 3, 6 and 8 of them.
    let steps: Vec<_> = values(&run.steps_csv())[1..]
        .iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let expected = [
        (1, 3),
        (1, 6),
        (1, 8),
        (2, 11),
        (2, 14),
        (2, 16),
        (3, 19),
        (3, 22),
        (3, 24),
    ];
    assert_eq!(
        steps,
        expected.map(|(epoch, step)| (epoch.to_string(), step.to_string()))
    );

    let record = record(&run);
    let best = record.best.expect("a finished run has a best epoch");
    assert_eq!(
        (record.state, record.epochs_done, record.epochs_planned),
        (State::Finished, 3, 3)
    );
    assert!(
        record.exit.unwrap().code == Some(0)
            && record.ended_at.is_some()
            && record.started_at.is_some()
    );
    let data = record.data.expect("a run says what it was trained on");
    assert_eq!(
        (data.fingerprint.as_deref(), data.train_images, data.classes),
        (Some("synthetic"), 120, 10)
    );
    let val_acc: f64 = values(&run.metrics_csv())[best.epoch as usize][4]
        .parse()
        .unwrap();
    assert!((val_acc - best.val_acc).abs() < 1e-12);

    let weights = tensors(&run.best()).unwrap();
    assert!(weights.contains_key("layer2.0.downsample.0.weight"));
    assert!(!weights.keys().any(|name| name.starts_with("momentum.")));
    assert!(
        tensors(&run.last())
            .unwrap()
            .contains_key("momentum.layer2.0.downsample.0.weight")
    );
    let periodic: Vec<_> = fs::read_dir(run.checkpoints())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(periodic, ["epoch_2.safetensors"]);

    let recipe = traintop_recipe::load(&run.config_json()).unwrap();
    assert_eq!((recipe.width, recipe.batch_size), (4, 16));
    let log = lines(&run.training_log());
    assert!(
        log.iter()
            .all(|line| line.starts_with('[') && &line[20..22] == "] "),
        "{log:?}"
    );
    for part in [
        "model resnet_se",
        "parameters",
        "training,",
        "device cpu",
        "batch_size = 16",
        "epoch 3/3",
        "test loss",
    ] {
        assert!(
            log.iter().any(|line| line.contains(part)),
            "no {part:?} in {log:#?}"
        );
    }
}

#[test]
fn without_a_terminal_an_epoch_is_one_line() {
    let bench = Bench::new(TINY);
    let output = succeed(&mut bench.train(&["num_epochs=2"]));
    let text = String::from_utf8(output.stdout).unwrap();
    let epochs: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("epoch "))
        .collect();
    assert_eq!(epochs.len(), 2, "{text}");
    assert!(!text.contains('\r') && !text.contains('\x1b'), "{text:?}");
}

#[test]
fn two_runs_at_once_get_two_folders() {
    let bench = Bench::new(TINY);
    let mut workers = [(); 2].map(|()| {
        Worker(
            bench
                .train(&["num_epochs=1", "num_threads=1"])
                .spawn()
                .unwrap(),
        )
    });
    assert!(workers.iter_mut().all(|worker| worker.exit().success()));
    let runs = bench.runs();
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().all(|run| record(run).state == State::Finished && lines(&run.metrics_csv()).len() == 2));
    assert_same_rows(&runs[0], &runs[1]);
}

#[test]
fn a_folder_made_by_the_launcher_is_used_and_its_failure_reported_there() {
    let bench = Bench::new(TINY);
    let folder = bench.folder.path().join("made");
    fs::create_dir(&folder).unwrap();
    let mut train = bench.train(&["num_epochs=1"]);
    succeed(train.arg("--run-dir").arg(&folder));
    let run = RunDir::new(folder.canonicalize().unwrap());
    assert_eq!(record(&run).state, State::Finished);
    let sentence = refusal(bench.train(&[]).arg("--run-dir").arg(&folder));
    assert!(
        sentence.contains("this folder holds a run that is finished"),
        "{sentence}"
    );

    let other = bench.folder.path().join("other");
    fs::create_dir(&other).unwrap();
    let sentence = refusal(bench.train(&["momentum=2"]).arg("--run-dir").arg(&other));
    let failed = record(&RunDir::new(other));
    assert_eq!(failed.state, State::Failed);
    assert_eq!(failed.exit.unwrap().reason.unwrap(), sentence.trim_end());
}

#[test]
fn on_a_terminal_a_bar_shows_the_epoch_and_is_gone_at_the_end() {
    let bench = Bench::new(TINY);
    let terminal = portable_pty::native_pty_system()
        .openpty(portable_pty::PtySize::default())
        .unwrap();
    let mut command = portable_pty::CommandBuilder::new(worker());
    command.args(["train", "--config", "recipe.toml", "--set", "num_epochs=2"]);
    command.cwd(bench.folder.path());
    let mut child = terminal.slave.spawn_command(command).unwrap();
    drop(terminal.slave);
    let mut output = Vec::new();
    let mut reader = terminal.master.try_clone_reader().unwrap();
    let mut block = [0; 4096];
    // The end of a terminal's other side shows as an error.
    while let Ok(length @ 1..) = reader.read(&mut block) {
        output.extend_from_slice(&block[..length]);
    }
    assert!(child.wait().unwrap().success());
    let text = String::from_utf8_lossy(&output);
    assert!(
        text.contains("epoch 1/2 ━━━─") && text.contains("images/s"),
        "{text}"
    );
    let mut screen = vt100::Parser::new(24, 200, 0);
    screen.process(&output);
    let left: Vec<String> = screen
        .screen()
        .contents()
        .lines()
        .map(str::to_owned)
        .collect();
    assert!(
        left.len() == 5
            && left[0].starts_with("run folder ")
            && left[3].starts_with("test loss")
            && left[4].starts_with("summary: "),
        "{left:#?}"
    );
}

#[test]
fn a_finished_run_leaves_its_models_with_their_test_accuracy_its_figures_and_a_summary() {
    let bench = Bench::new(TINY);
    let run = bench.trained(&["experiment_name=a/b", "ema_decay=0.5"]);
    let log = lines(&run.training_log());
    let line_of = |beginning: &str| {
        let line = log.iter().find(|line| line.contains(beginning));
        line.unwrap_or_else(|| panic!("no {beginning:?} in {log:#?}"))
            .clone()
    };
    let tested = line_of("test loss");
    let accuracy = tested
        .split("acc ")
        .nth(1)
        .unwrap()
        .split('%')
        .next()
        .unwrap();
    assert!(line_of("summary: 3 epochs in").contains(&format!("test {accuracy}%")));
    for figure in [
        "loss_plot",
        "validation_plot",
        "learning_rate_plot",
        "combined_plot",
    ] {
        assert!(
            run.figures().join(format!("{figure}.png")).exists(),
            "{figure}"
        );
    }
    let tree = run.output_tree().unwrap();
    let best = tree.join(format!("best_models/a_b_{}_best.safetensors", run.name()));
    let last = tree.join(format!("final_models/a_b_{}_final.safetensors", run.name()));
    assert_eq!(tensors(&best), tensors(&run.best()));
    assert!(tensors(&last).is_some());
    let printed = Command::new(worker())
        .arg("inspect")
        .arg(&best)
        .arg("--json")
        .output()
        .unwrap();
    let json = schemas::json("inspect", &printed.stdout);
    let test_acc = json["test_acc"].as_f64().unwrap();
    assert_eq!(format!("{test_acc:.2}"), accuracy);
    assert_eq!(json["settings"]["experiment_name"], "a/b");
    assert!(json["best_acc"].as_f64().is_some());
}
