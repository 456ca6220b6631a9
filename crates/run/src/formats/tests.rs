//! Trees as trainers leave them, and what is made of them.

use std::fs;
use std::time::{Duration, SystemTime};

use super::*;
use crate::discover::discover;
use crate::found::Found;
use crate::summary::Summary;

/// A tree of files, which were written long ago.
pub struct Tree(pub tempfile::TempDir);

impl Tree {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The runs by their paths, in order.
    pub fn runs(&self) -> Vec<(String, Found)> {
        let root = self.0.path().canonicalize().unwrap();
        let mut found = Vec::new();
        assert!(discover(std::slice::from_ref(&root), |run| found.push(run)).is_empty());
        let below = |run: &Found| {
            let path = run.dir.path().strip_prefix(&root).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let mut runs: Vec<_> = found.into_iter().map(|run| (below(&run), run)).collect();
        runs.sort_by(|a, b| a.0.cmp(&b.0));
        runs
    }

    pub fn paths(&self) -> Vec<String> {
        self.runs().into_iter().map(|(path, _)| path).collect()
    }

    /// The only run.
    pub fn summary(&self) -> Summary {
        let runs = self.runs();
        assert_eq!(runs.len(), 1, "{runs:?}");
        let later = SystemTime::now() + Duration::from_secs(600);
        Summary::load(&runs[0].1, later)
    }
}

const COURSE: &str = "epoch,train_loss,val_acc\n0,1.5,40\n1,1.0,55\n2,0.8,50\n";

#[test]
fn tables_are_found_under_the_names_and_with_the_settings_of_their_trainers() {
    for (files, trainer, planned, setting) in [
        (
            &[
                ("metrics.csv", COURSE),
                ("hparams.yaml", "max_epochs: 3\nlr: 0.1\n"),
            ][..],
            "Lightning",
            Some(3),
            ("lr", "0.1"),
        ),
        (
            &[
                ("results.csv", COURSE),
                ("args.yaml", "epochs: 9\nmodel: n.pt\n"),
            ],
            "Ultralytics",
            Some(9),
            ("model", "n.pt"),
        ),
        (
            &[
                ("results.csv", COURSE),
                ("opt.yaml", "epochs: 4\nhyp:\n  lr0: 0.01\n"),
            ],
            "YOLOv5",
            Some(4),
            ("hyp.lr0", "0.01"),
        ),
        (
            &[
                ("summary.csv", COURSE),
                ("args.yaml", "epochs: 5\nseed: 42\n"),
            ],
            "timm",
            Some(5),
            ("seed", "42"),
        ),
        (
            &[
                ("Training_Log.csv", COURSE),
                ("config.json", "{\"num_epochs\": 3, \"lr\": 1}"),
            ],
            "CSV",
            Some(3),
            ("lr", "1"),
        ),
    ] {
        let tree = Tree::new(files);
        let summary = tree.summary();
        assert_eq!(
            (summary.trainer.as_str(), summary.epochs_done),
            (trainer, 3)
        );
        assert_eq!(summary.epochs_planned, planned, "{trainer}");
        let is_finished = planned == Some(3);
        assert_eq!(
            summary.observed.state == State::Finished,
            is_finished,
            "{trainer}"
        );
        assert!(
            summary.settings.has(setting),
            "{trainer}: {:?}",
            summary.settings
        );
        let best = summary.best.unwrap();
        assert_eq!((best.value, best.epoch), (55.0, Some(1)), "{trainer}");
    }
}

#[test]
fn runs_below_logs_projects_and_other_runs_are_found_and_tables_of_results_are_none() {
    let results = "Model,Accuracy,F1\nresnet,0.91,0.90\nvit,0.93,0.92\n";
    let tree = Tree::new(&[
        ("proj/metrics.csv", results),
        ("proj/config.json", "{}"),
        ("proj/results.csv", results),
        ("proj/summary.csv", "accuracy,f1\n0.9,0.8\n"),
        (
            "proj/log.csv",
            "Traceback (most recent call last):\n  File x, line 3, in y\n",
        ),
        ("proj/logs/my_exp/version_0/metrics.csv", COURSE),
        ("proj/logs/my_exp/version_0/checkpoints/metrics.csv", COURSE),
        ("proj/runs/outer/history.csv", COURSE),
        ("proj/runs/outer/inner/history.csv", COURSE),
    ]);
    let expected = [
        "proj/logs/my_exp/version_0",
        "proj/runs/outer",
        "proj/runs/outer/inner",
    ];
    assert_eq!(tree.paths(), expected);
}

#[test]
fn tables_in_utf_16_and_with_carriage_returns_are_known_for_courses() {
    let tree = Tree::new(&[("old/history.csv", &COURSE.replace('\n', "\r"))]);
    let units = format!("\u{feff}{COURSE}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect::<Vec<_>>();
    fs::create_dir(tree.0.path().join("excel")).unwrap();
    fs::write(tree.0.path().join("excel/history.csv"), units).unwrap();
    assert_eq!(tree.paths(), ["excel", "old"]);
    for (_, found) in tree.runs() {
        let later = SystemTime::now() + Duration::from_secs(600);
        assert_eq!(Summary::load(&found, later).best.unwrap().value, 55.0);
    }
}

#[test]
fn a_run_of_hydra_is_its_dated_folder_with_the_last_starts_metrics() {
    let run = "logs/train/runs/2026-11-01_10-00-00";
    let tree = Tree::new(&[
        (
            &format!("{run}/.hydra/config.yaml"),
            "trainer:\n  max_epochs: 3\nlr: 0.5\n",
        ),
        (
            &format!("{run}/csv/version_0/metrics.csv"),
            "epoch,val_acc\n0,1\n",
        ),
        (&format!("{run}/csv/version_1/metrics.csv"), COURSE),
    ]);
    assert_eq!(tree.paths(), [run]);
    let summary = tree.summary();
    assert_eq!((summary.epochs_planned, summary.epochs_done), (Some(3), 3));
    assert!(summary.settings.has(("trainer.max_epochs", "3")));
}

#[test]
fn one_output_folder_of_hugging_face_is_one_run_also_while_it_grows() {
    let state = |step: u32, lines: &str| {
        format!(
            "{{\"global_step\": {step}, \"max_steps\": 40, \"num_train_epochs\": 2, \"log_history\": [{lines}]}}"
        )
    };
    let first = "{\"loss\": NaN, \"epoch\": 0.5, \"step\": 10}, {\"eval_accuracy\": 0.5, \"epoch\": 0.5, \"step\": 10}";
    let later = format!("{first}, {{\"eval_accuracy\": 0.75, \"epoch\": 1.0, \"step\": 20}}");
    let tree = Tree::new(&[
        ("out/checkpoint-10/trainer_state.json", &state(10, first)),
        ("out/checkpoint-10/model.safetensors", "weights"),
        ("out/runs/Nov01/events.out.tfevents.1.a", "x"),
    ]);
    assert_eq!(tree.paths(), ["out"]);
    let found = tree.runs().remove(0).1;
    let mut source = found.open_metrics();
    assert_eq!(source.poll().unwrap(), Change::Grew(1));
    assert_eq!(source.poll().unwrap(), Change::Unchanged);
    tree.write("out/checkpoint-20/trainer_state.json", &state(20, &later));
    assert_eq!(source.poll().unwrap(), Change::Reread);
    assert_eq!(
        source.metrics().column("eval_accuracy").unwrap().y,
        [0.5, 0.75]
    );
    let summary = tree.summary();
    assert_eq!(
        (summary.steps_done, summary.steps_planned),
        (Some(20), Some(40))
    );
    assert_eq!(summary.observed.state, State::Stopped);
    assert_eq!(summary.best.unwrap().percent(), Some(75.0));
}

#[test]
fn lightning_says_in_the_names_of_checkpoints_what_counts() {
    let metrics = "epoch,step,val_acc,val_loss\n0,7,0.5,1\n1,15,0.75,2\n";
    let tree = Tree::new(&[
        ("version_0/metrics.csv", metrics),
        ("version_0/checkpoints/epoch=0-val_loss=1.00.ckpt", ""),
        ("version_0/checkpoints/last.ckpt", ""),
    ]);
    let best = tree.summary().best.unwrap();
    assert_eq!(
        (best.metric.as_str(), best.step, best.guessed),
        ("val_loss", Some(7), false)
    );
}

#[test]
fn what_a_trainer_keeps_the_best_by_is_no_guess() {
    let yolo = "epoch,metrics/mAP50(B),metrics/mAP50-95(B)\n1,0.9,0.5\n2,0.8,0.6\n";
    let agent = "time/total_timesteps,rollout/ep_rew_mean,eval/mean_reward\n1,9,1\n2,8,2\n";
    for (files, metric) in [
        (
            &[("results.csv", yolo), ("args.yaml", "task: detect\n")][..],
            ("metrics/mAP50-95(B)", false),
        ),
        (
            &[("results.csv", yolo), ("args.yaml", "task: segment\n")],
            ("metrics/mAP50-95(B)", true),
        ),
        (
            &[("progress.csv", agent), ("best_model.zip", "x")],
            ("eval/mean_reward", false),
        ),
        (
            &[
                (
                    "progress.csv",
                    "time/total_timesteps,rollout/ep_rew_mean\n1,9\n",
                ),
                ("best_model.zip", "x"),
            ],
            ("rollout/ep_rew_mean", true),
        ),
    ] {
        let best = Tree::new(files).summary().best.unwrap();
        assert_eq!((best.metric.as_str(), best.guessed), metric);
    }
}

#[test]
fn what_counts_is_known_as_soon_as_a_checkpoint_says_it() {
    let rows = "epoch,step,val_acc,val_loss\n0,7,0.5,1\n";
    let tree = Tree::new(&[("version_0/metrics.csv", rows)]);
    let mut source = tree.runs().remove(0).1.open_metrics();
    source.poll().unwrap();
    assert_eq!(source.take().judging.trainer, None);
    tree.write("version_0/checkpoints/epoch=0-val_loss=1.00.ckpt", "");
    tree.write("version_0/metrics.csv", &format!("{rows}1,15,0.75,2\n"));
    source.poll().unwrap();
    let metrics = source.take();
    assert_eq!(metrics.judging.trainer.unwrap().metric, "val_loss");
}

#[test]
fn a_resumed_run_of_lightning_is_finished_with_its_last_epoch() {
    let rows = "2,19,1.5,\n2,23,1.4,\n2,23,,0.5\n3,27,1.3,\n";
    let begun = format!("epoch,step,train_loss,val_acc\n{rows}");
    for (metrics, epochs) in [(&begun, 3), (&format!("{begun}3,31,1.2,\n3,31,,0.75\n"), 4)] {
        let tree = Tree::new(&[
            ("version_1/metrics.csv", metrics),
            ("version_1/hparams.yaml", "max_epochs: 4\n"),
        ]);
        let summary = tree.summary();
        assert_eq!(summary.epochs_done, epochs);
        let is_finished = summary.observed.state == State::Finished;
        assert_eq!(is_finished, epochs == 4);
    }
}

#[test]
fn the_time_of_ultralytics_counts_from_the_start_whatever_the_first_epoch_took() {
    let metrics = "epoch,time,val/loss\n1,2.5,9\n2,2.9,8\n3,3.25,7\n";
    let tree = Tree::new(&[("results.csv", metrics), ("args.yaml", "epochs: 3\n")]);
    let summary = tree.summary();
    assert_eq!(summary.duration, Some(Duration::from_millis(3250)));
    assert!(summary.started_at.is_some());
}

#[test]
fn event_files_beside_a_table_tell_when_the_run_began() {
    let tree = Tree::new(&[
        ("version_0/metrics.csv", COURSE),
        ("version_0/events.out.tfevents.1790000500.host.1.0", ""),
        ("version_0/events.out.tfevents.1790000000.host.1.0", ""),
    ]);
    let began = jiff::Timestamp::from_second(1_790_000_000).unwrap();
    assert_eq!(tree.summary().started_at, Some(began));
}

#[test]
fn lines_of_json_are_followed_and_a_rewritten_file_is_read_again() {
    let line = |step: u32| {
        format!("{{\"iteration\": {step}, \"total_loss\": 1.5, \"bbox/AP\": {step}}}\n")
    };
    let tree = Tree::new(&[
        ("metrics.json", &line(19)),
        ("config.yaml", "SOLVER:\n  MAX_ITER: 40\n"),
    ]);
    let found = tree.runs().remove(0).1;
    assert_eq!(found.trainer(), "Detectron2");
    let mut source = found.open_metrics();
    assert_eq!(source.poll().unwrap(), Change::Grew(1));
    tree.write(
        "metrics.json",
        &(line(19) + &line(39) + "{\"iteration\": 59"),
    );
    assert_eq!(source.poll().unwrap(), Change::Grew(1));
    assert_eq!(source.poll().unwrap(), Change::Unchanged);
    assert_eq!(source.metrics().column("bbox/AP").unwrap().x, [19.0, 39.0]);
    tree.write("metrics.json", &line(9));
    assert_eq!(source.poll().unwrap(), Change::Reread);
    assert_eq!(source.metrics().column("bbox/AP").unwrap().x, [9.0]);
    assert_eq!(tree.summary().steps_planned, Some(40));
}

#[test]
fn values_at_the_end_of_a_run_are_no_course() {
    let tree = Tree::new(&[
        ("a/metrics.json", "{\n  \"accuracy\": 0.9\n}\n"),
        ("b/log.txt", "Epoch 1: loss 0.5\n"),
        ("c/result.json", "[1, 2]"),
    ]);
    assert_eq!(tree.paths(), [""; 0]);
}

#[test]
fn values_results_and_data_are_no_runs_and_a_resumed_table_stays_one() {
    let numbers = "id,label\n1,3\n2,4\n3,5\n";
    let resumed = "epoch,schedule,loss\n1,cos,0.9\n2,cos,0.8\n2,cos,0.7\n";
    let tree = Tree::new(&[
        ("a/metrics.json", "{\"accuracy\": 0.93, \"f1\": 0.9}\n"),
        ("b/results.csv", numbers),
        ("c/metrics.csv", resumed),
        ("d/train/results.csv", COURSE),
        ("d/train/events.out.tfevents.1.a", ""),
        ("d/test/results.csv", COURSE),
        ("d/test/events.out.tfevents.1.a", ""),
    ]);
    assert_eq!(tree.paths(), ["c", "d/test", "d/train"]);
}

#[test]
fn of_several_tables_the_one_that_says_most_is_read_and_the_others_are_named() {
    let tree = Tree::new(&[
        ("metrics.csv", "epoch,loss,lr\n0,1\n1,.5\n"),
        ("log.csv", "epoch,val_acc\n0,.5\n1,.75\n"),
        ("history.csv", "epoch,loss\n0,1\n1,.5\n"),
        ("results.csv", "model,accuracy\na,.5\nb,.75\n"),
    ]);
    let summary = tree.summary();
    assert_eq!(summary.last("val_acc"), Some(0.75));
    assert_eq!(summary.sources, ["metrics.csv", "history.csv"]);
    let tree = Tree::new(&[
        ("log.csv", "epoch,loss,val_acc\n"),
        ("metrics.csv", "epoch,loss,val_acc\n"),
    ]);
    assert_eq!(tree.summary().sources, ["log.csv"]);
}

#[test]
fn a_record_of_ours_is_not_taken_for_sacreds() {
    let tree = Tree::new(&[
        ("r/run.json", "{\"schema_version\": 1, \"id\": \"x\"}"),
        ("r/config.json", "{}"),
        ("r/metrics.json", "{}"),
    ]);
    assert_eq!(tree.runs()[0].1.trainer(), "traintop");
}

#[test]
fn a_last_measurement_at_step_0_replaces_nothing() {
    let lines = (0..5).map(|step| format!("{{\"step\": {step}, \"loss\": {step}}}\n"));
    let lines = lines.collect::<Vec<_>>().concat();
    let tree = Tree::new(&[("log.jsonl", &(lines + "{\"step\": 0, \"test_acc\": 0.9}\n"))]);
    let found = tree.runs().remove(0).1;
    let mut source = found.open_metrics();
    source.poll().unwrap();
    assert_eq!(source.metrics().column("loss").unwrap().y.len(), 5);
    assert_eq!(source.metrics().column("test_acc").unwrap().y, [0.9]);
}

#[test]
fn a_record_of_sacred_is_none_of_ours() {
    let run = r#"{"status": "FAILED", "start_time": "2026-11-01T10:00:00", "stop_time": "2026-11-01T10:01:00",
        "experiment": {"name": "digits"}, "fail_trace": ["Traceback\n", "ValueError: no\n"]}"#;
    let tree = Tree::new(&[
        ("1/run.json", run),
        ("1/config.json", "{\"lr\": 0.1, \"seed\": 7}"),
        ("1/cout.txt", ""),
        (
            "1/metrics.json",
            r#"{"val.acc": {"steps": [0, 1], "values": [0.5, 0.75], "timestamps": []}}"#,
        ),
    ]);
    let summary = tree.summary();
    assert_eq!(
        (summary.trainer.as_str(), summary.recipe.as_str()),
        ("Sacred", "digits")
    );
    assert_eq!(summary.observed.state, State::Failed);
    assert_eq!(summary.observed.reason.as_deref(), Some("ValueError: no"));
    assert_eq!(summary.duration, Some(Duration::from_secs(60)));
    assert!(summary.settings.has(("seed", "7")));
}

#[test]
fn who_says_that_it_runs_and_is_silent_is_lost() {
    let tree = Tree::new(&[
        (
            "7/ab/meta.yaml",
            "status: 1\nrun_name: otter\nstart_time: 1790000000000\nend_time: null\n",
        ),
        (
            "7/ab/metrics/loss/train",
            "1790000000000 1.5 0\n1790000001000 nan 1\n",
        ),
        ("7/ab/params/lr", "0.1"),
        ("7/ab/tags/x", ""),
    ]);
    let summary = tree.summary();
    assert_eq!(
        (summary.observed.state, summary.name.as_str()),
        (State::Lost, "otter")
    );
    assert!(summary.last("loss/train").unwrap().is_nan());
}

#[test]
fn links_below_a_run_lead_nowhere() {
    let tree = Tree::new(&[
        ("7/ab/meta.yaml", "status: 3\n"),
        (
            "7/ab/metrics/loss",
            "1790000000000 1.5 0\n1790000001000 1.0 1\n",
        ),
        ("7/ab/params/lr", "0.1"),
        ("outside/secret", "1790000000000 9 0\n"),
    ]);
    let metrics = tree.0.path().join("7/ab/metrics");
    for link in ["a", "b", "c"] {
        std::os::unix::fs::symlink(".", metrics.join(link)).unwrap();
    }
    std::os::unix::fs::symlink(tree.0.path().join("outside"), metrics.join("out")).unwrap();
    let summary = tree.summary();
    assert_eq!((summary.last.len(), summary.steps_done), (1, Some(2)));
}

#[test]
fn runs_that_the_writers_own_packages_made_are_read() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/trainers");
    let mut found = Vec::new();
    discover(&[fixtures], |run| found.push(run));
    let later = SystemTime::now() + Duration::from_secs(600);
    let mut read: Vec<_> = found
        .iter()
        .map(|run| {
            let summary = Summary::load(run, later);
            let best = summary.best.clone().unwrap();
            (
                summary.trainer.clone(),
                best.metric.clone(),
                best.percent().map(f64::round),
                summary.observed.state.name(),
            )
        })
        .collect();
    read.sort_by(|a, b| (&a.0, &a.1, a.3).cmp(&(&b.0, &b.1, b.3)));
    let expect = |trainer: &str, metric: &str, percent, state: State| {
        (trainer.to_owned(), metric.to_owned(), percent, state.name())
    };
    assert_eq!(
        read,
        [
            expect("CSV", "accuracy", Some(100.0), State::Stopped),
            expect("CSV", "val_accuracy", Some(40.0), State::Stopped),
            expect("CatBoost", "test/Logloss", None, State::Finished),
            expect("DVCLive", "val/acc", Some(66.0), State::Stopped),
            expect("Hugging Face", "eval_accuracy", Some(63.0), State::Finished),
            expect("Hugging Face", "eval_loss", None, State::Stopped),
            expect("Lightning", "val_loss", None, State::Finished),
            expect("Lightning", "val_loss", None, State::Stopped),
            expect("MLflow", "val_acc", Some(66.0), State::Finished),
            expect("Monitor", "r", None, State::Stopped),
            expect("Sacred", "val.acc", Some(66.0), State::Finished),
            expect(
                "Stable-Baselines3",
                "rollout/ep_rew_mean",
                None,
                State::Stopped
            ),
            expect("TensorBoard", "accuracy/val", Some(66.0), State::Stopped),
            expect("TensorBoard", "val_loss", None, State::Finished),
            expect("Ultralytics", "metrics/mAP50-95(B)", None, State::Finished),
            expect("timm", "eval_top1", Some(66.0), State::Finished),
            expect("trackio", "val/acc", Some(59.0), State::Stopped),
            expect("trackio", "val/acc", Some(66.0), State::Stopped),
            expect("trackio", "val/acc", Some(73.0), State::Stopped),
            expect("trackio", "val/acc", Some(53.0), State::Stopped),
            expect("trackio", "val/acc", Some(59.0), State::Stopped),
            expect("trackio", "val/acc", Some(66.0), State::Stopped),
        ]
    );
}

#[test]
fn tables_are_known_by_their_names_in_any_spelling() {
    let names = [
        "Training-Log.csv",
        "train_history.csv",
        "epoch log.tsv",
        "lossLog.txt",
        "training_metrics.csv",
        "losses.csv",
    ];
    for name in names {
        let tree = Tree::new(&[]);
        tree.write(
            &format!("run/{name}"),
            &COURSE.replace(',', if name.ends_with("tsv") { "\t" } else { "," }),
        );
        assert_eq!(tree.paths(), ["run"], "{name}");
    }
    let tree = Tree::new(&[]);
    tree.write("run/weather.csv", COURSE);
    assert!(tree.paths().is_empty());
}

#[test]
fn settings_beside_the_folders_of_the_parts_are_those_of_the_run() {
    let tree = Tree::new(&[("run/config.yaml", "lr: 0.25\n")]);
    for part in ["train", "validation"] {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/trainers");
        let file = files_below(&fixture)
            .into_iter()
            .find(|it| it.contains(".tfevents."));
        let bytes = fs::read(fixture.join(file.unwrap())).unwrap();
        let folder = tree.0.path().join("run").join(part);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("events.out.tfevents.1.host.1.0"), bytes).unwrap();
    }
    let (_, found) = tree.runs().remove(0);
    let mut source = found.open_metrics();
    source.poll().unwrap();
    let facts = source.facts().unwrap();
    assert_eq!(facts.config["lr"], 0.25);
    assert_eq!(facts.started_at, found.facts().started_at);
}
