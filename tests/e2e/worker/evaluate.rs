//! Evaluations: what is measured, what is left in the folder, and what is refused without leaving
//! anything.

mod refuse;

use crate::programs::{TRAINTOP, worker};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value as Json;
use traintop_run::RunDir;
use traintop_run::evaluation::{
    EVALUATIONS, EvaluationDir, Images, Logits, Results, evaluates, list, unfinished,
};

use super::{Bench, TINY, Worker, lines, record, refusal, succeed, tensors, until};
use crate::schemas;

const PTH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/checkpoint/se.pth"
);

/// The built-in test images: this many, their classes in turn.
const TEST_IMAGES: usize = 2000;
const CLASSES: usize = 10;

impl Bench {
    fn evaluate(&self, arguments: &[&str]) -> Command {
        let mut command = self.command();
        command.arg("evaluate").args(arguments);
        command
    }

    /// Evaluates, and gives the folder and what was printed.
    fn evaluated(&self, arguments: &[&str]) -> (EvaluationDir, Json) {
        let output = succeed(self.evaluate(arguments).arg("--json"));
        let json = schemas::json("evaluate", &output.stdout);
        (EvaluationDir::new(json["path"].as_str().unwrap()), json)
    }

    fn tree(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    /// All entries of `evaluations/`, hidden ones too.
    fn left(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.tree().join(EVALUATIONS))
            .into_iter()
            .flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn logits(dir: &EvaluationDir) -> Logits {
    Logits::load(dir).unwrap()
}

/// Right answers in a `predictions.csv` of the built-in images, counted without anything of the
/// program's: an image's class is the last digit of its number.
fn count_right(csv: &Path) -> (usize, usize) {
    let text = fs::read_to_string(csv).unwrap();
    let mut rows = text.lines();
    assert_eq!(rows.next(), Some("ID,Labels"));
    let (mut right, mut total) = (0, 0);
    for row in rows {
        let (id, label) = row.split_once(',').unwrap();
        assert_eq!(id.parse::<usize>().unwrap(), total);
        right += usize::from(id.ends_with(label));
        total += 1;
    }
    (right, total)
}

/// Whether a copy of `original` is a link or a reflink, where the file system of `folder` has them.
fn assert_shares_its_bytes(copy: &Path, original: &Path, folder: &Path) {
    let mut reflink = Command::new("cp");
    let to = folder.join("reflink");
    reflink.arg("--reflink=always").arg(original).arg(to);
    let has_reflinks = reflink.output().unwrap().status.success();
    let is_link = fs::metadata(copy).unwrap().nlink() > 1;
    assert!(
        has_reflinks || is_link,
        "a second copy was made where links are possible"
    );
}

#[test]
fn the_test_accuracy_is_the_same_at_a_runs_end_by_evaluate_and_counted_by_hand() {
    let bench = Bench::new(TINY);
    let run = bench.trained(&[
        "experiment_name=tiny",
        "label_smoothing=0.1",
        "width=8",
        "max_train_images=2500",
        "max_val_images=300",
        "num_epochs=4",
        "batch_size=32",
        "dropout_rate=0",
        "grad_clip=0",
        "nesterov=true",
        "random_crop_padding=2",
    ]);
    let log = lines(&run.training_log());
    let tested = log.iter().find(|line| line.contains("test loss")).unwrap();
    let (_, printed) = tested.split_once("test loss ").unwrap();

    let (dir, json) = bench.evaluated(&[text(run.path())]);
    let (right, total) = count_right(&dir.predictions_csv());
    assert_eq!(total, TEST_IMAGES);
    let percent = 100.0 * right as f64 / total as f64;
    assert_eq!(json["accuracy"]["correct"], right);
    assert_eq!(json["accuracy"]["percent"], percent);
    assert!(
        printed.contains(&format!("acc {percent:.2}%")),
        "{printed}, {percent}"
    );
    let loss = json["loss"].as_f64().unwrap();
    assert!(
        printed.starts_with(&format!("{loss:.4}")),
        "{printed}, {loss}"
    );
    assert!(
        right > 2 * TEST_IMAGES / CLASSES,
        "the network learned nothing: {right}"
    );

    let results = Results::load(&dir).unwrap().unwrap();
    let accuracy = results.accuracy.as_ref().unwrap();
    assert!(accuracy.low < percent && percent < accuracy.high);
    for (class, row) in results.per_class.iter().zip(&results.confusion) {
        assert_eq!(
            (row.iter().sum::<u64>(), class.images),
            (200, 200),
            "{}",
            class.name
        );
    }
    let predicted: u64 = results.per_class.iter().map(|class| class.predicted).sum();
    let binned: u64 = results.calibration.iter().map(|bin| bin.images).sum();
    assert_eq!(
        (predicted, binned),
        (TEST_IMAGES as u64, TEST_IMAGES as u64)
    );
    assert!(results.top_5 > results.top_3 && results.top_3 > Some(percent));
    assert_eq!(
        (results.classes[3].as_str(), results.data.split.as_str()),
        ("triangle", "test")
    );

    let owner = record(&run);
    assert!(evaluates(&results.checkpoints, &owner.id, &run));
    let best = owner.best.unwrap();
    let evaluated = &results.checkpoints[0];
    assert_eq!(
        (evaluated.epoch, evaluated.val_acc),
        (Some(best.epoch.into()), Some(best.val_acc))
    );
    let name = dir.name();
    assert!(
        name.starts_with(&format!("tiny_val_acc_{:.2}_20", best.val_acc)),
        "{name}"
    );
    assert!(name.ends_with("_model_best"), "{name}");
    let copy = dir.path().join(&evaluated.copy);
    assert_eq!(tensors(&copy), tensors(&run.best()));
    assert_shares_its_bytes(&copy, &run.best(), bench.folder.path());
    assert!(
        fs::read(dir.predictions_png())
            .unwrap()
            .starts_with(b"\x89PNG")
    );

    let images = Images::load(&dir).unwrap();
    let mistakes = images
        .ids
        .iter()
        .take_while(|id| !is_right(&dir, **id))
        .count();
    assert_eq!(mistakes, TEST_IMAGES - right);
    assert!(images.ids[mistakes..].iter().all(|id| is_right(&dir, *id)));
    assert_eq!(
        (images.height, images.width, images.ids.len() > mistakes),
        (32, 32, true)
    );
    assert_eq!(list(&bench.tree()), [dir]);
    assert_eq!(bench.left().len(), 1, "{:?}", bench.left());
}

fn is_right(dir: &EvaluationDir, id: i64) -> bool {
    let csv = fs::read_to_string(dir.predictions_csv()).unwrap();
    let row = csv.lines().nth(1 + id as usize).unwrap();
    row.ends_with(&(id % 10).to_string())
}

#[test]
fn views_are_seeded_and_one_view_is_the_image_alone() {
    let bench = Bench::new(TINY);
    let run = bench.trained(&["num_epochs=1"]);
    let ask = |arguments: &[&str]| {
        let (dir, json) = bench.evaluated(&[&[text(run.path())], arguments].concat());
        assert_eq!(json["data"]["images"], TEST_IMAGES);
        logits(&dir)
    };
    let plain = ask(&[]);
    assert_eq!(ask(&["--views=1", "--seed=9"]), plain);
    let four = ask(&["--views=4", "--seed=9"]);
    assert_ne!(four, plain);
    assert_eq!(ask(&["--views=4", "--seed=9"]), four);
    assert_ne!(ask(&["--views=4", "--seed=8"]), four);
    // What an image's views are does not depend on its batch, though a convolution's last digits
    // may.
    let other = ask(&["--views=4", "--seed=9", "--batch-size=77"]);
    for (left, right) in other.logits.iter().zip(&four.logits) {
        assert!((left - right).abs() < 1e-3, "{left} is not {right}");
    }
    assert_eq!(
        plain.labels.unwrap()[..12],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    );
    let sentence = refusal(&mut bench.evaluate(&[text(run.path()), "--data=nowhere"]));
    assert!(
        sentence.contains("nowhere: there is no such folder of data"),
        "{sentence}"
    );
}

#[test]
fn an_ensemble_averages_logits_by_its_weights() {
    let bench = Bench::new(TINY);
    let runs = [0, 1].map(|_| bench.trained(&["num_epochs=1"]));
    let others = bench.trained(&["num_epochs=2", "width=6"]);
    let (first, second) = (text(runs[0].path()), text(others.path()));
    let of = |arguments: &[&str]| logits(&bench.evaluated(arguments).0).logits;
    let (one, two) = (of(&[first]), of(&[second]));
    assert_eq!(of(&[first, second, "--weights=2,0"]), one);
    let (dir, json) = bench.evaluated(&[first, second, "--weights=3,1"]);
    for ((both, one), two) in logits(&dir).logits.iter().zip(&one).zip(&two) {
        let expected = 0.75 * one + 0.25 * two;
        assert!((both - expected).abs() < 1e-3, "{both} is not {expected}");
    }
    assert_eq!(json["checkpoints"][1]["weight"], 1.0);
    assert!(dir.path().join("model_2.safetensors").exists());
    let sentence = refusal(&mut bench.evaluate(&[first, second, "--weights=1"]));
    assert!(
        sentence.contains("1 numbers for 2 checkpoints"),
        "{sentence}"
    );
    let sentence = refusal(&mut bench.evaluate(&[first, second, "--weights=0,0"]));
    assert!(sentence.contains("not all 0"), "{sentence}");
}

#[test]
fn any_of_a_runs_checkpoints_is_evaluated_also_its_averaged_weights() {
    let bench = Bench::new(TINY);
    let run = bench.trained(&["ema_decay=0.9", "save_interval=1"]);
    let of = |which: &str| {
        let (dir, json) = bench.evaluated(&[text(run.path()), "--checkpoint", which]);
        (logits(&dir).logits, json["checkpoints"][0]["epoch"].clone())
    };
    let (averaged, last, kept) = (of("averaged"), of("last"), of("epoch_3.safetensors"));
    // What is kept of an epoch is its average.
    assert_eq!(averaged.0, kept.0);
    assert_ne!(averaged.0, last.0);
    assert_eq!((&last.1, &kept.1), (&3.into(), &3.into()));
    let sentence = refusal(&mut bench.evaluate(&[text(run.path()), "--checkpoint=epoch_9.pth"]));
    assert!(
        sentence.contains("has no checkpoint epoch_9.pth"),
        "{sentence}"
    );
    let plain = bench.trained(&["num_epochs=1"]);
    let sentence = refusal(&mut bench.evaluate(&[text(plain.path()), "--checkpoint=averaged"]));
    assert!(sentence.contains("holds no averaged weights"), "{sentence}");
    let validated = bench.evaluated(&[text(plain.path()), "--split=val"]).1;
    let best = record(&plain).best.unwrap().val_acc;
    assert_eq!(validated["accuracy"]["percent"], best);
}

#[test]
fn a_checkpoint_without_its_optimisers_state_is_evaluated_as_before_and_comes_back() {
    let bench = Bench::new(TINY);
    let run = bench.trained(&[]);
    let traintop = |arguments: &[&str]| {
        let mut command = Command::new(TRAINTOP);
        command
            .args(arguments)
            .current_dir(bench.folder.path())
            .env("HOME", bench.folder.path());
        succeed(&mut command)
    };
    let last = || bench.evaluated(&[text(run.path()), "--checkpoint=last"]);
    let (before, bytes) = (logits(&last().0).logits, fs::read(run.last()).unwrap());
    // The evaluation would protect the run.
    let gentle = [
        "clean",
        "runs",
        "--drop-optimiser-state",
        "--only=optimiser_state",
        "--protect=",
    ];
    traintop(&[&gentle[..], &["--yes"]].concat());
    let slim = fs::metadata(run.last()).unwrap().len();
    assert!(
        slim < bytes.len() as u64 * 3 / 4,
        "{slim} of {}",
        bytes.len()
    );
    let (dir, json) = last();
    assert_eq!(logits(&dir).logits, before);
    assert_eq!(json["checkpoints"][0]["epoch"], 3);
    traintop(&["trash", "restore", "--all"]);
    assert_eq!(fs::read(run.last()).unwrap(), bytes);
}

/// A pickle of protocol 2: two images of 32 x 32 under `data`, numbered 7 and 3.
fn unlabelled() -> Vec<u8> {
    let mut bytes = b"\x80\x02}(U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01(K\x02M\x00\x0c\
        tcnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
        .to_vec();
    let pixels: Vec<u8> = (0..2 * 3072_u32).map(|at| (at % 251) as u8).collect();
    bytes.extend((pixels.len() as u32).to_le_bytes());
    bytes.extend(pixels);
    bytes.extend(b"tbU\x03ids](K\x07K\x03eu.");
    bytes
}

#[test]
fn unlabelled_images_are_predicted_by_their_own_numbers() {
    let bench = Bench::new(TINY);
    let run = bench.trained(&["num_epochs=1"]);
    let file = bench.folder.path().join("cifar_test_nolabel.pkl");
    fs::write(&file, unlabelled()).unwrap();
    let data = format!("--data={}", file.display());
    let (dir, json) = bench.evaluated(&[text(run.path()), &data, "--views=3"]);
    assert_eq!(
        (&json["accuracy"], &json["confusion"]),
        (&Json::Null, &serde_json::json!([]))
    );
    assert_eq!(
        (&json["data"]["split"], &json["classes"][0]),
        (&"unlabelled".into(), &"disc".into())
    );
    let rows = lines(&dir.predictions_csv());
    assert!(
        rows[1].starts_with("3,") && rows[2].starts_with("7,") && rows.len() == 3,
        "{rows:?}"
    );
    let answers = logits(&dir);
    assert_eq!((answers.ids, answers.labels), (vec![3, 7], None));
    assert_eq!(Images::load(&dir).unwrap().ids, [3, 7]);
    assert!(dir.predictions_png().exists());
    let sentence = refusal(&mut bench.evaluate(&[text(run.path()), &data, "--split=test"]));
    assert!(
        sentence.contains("holds images without labels"),
        "{sentence}"
    );
}

#[test]
fn a_pth_of_the_reference_is_evaluated_on_the_data_that_are_named() {
    let bench = Bench::new(TINY);
    let (dir, json) = bench.evaluated(&[PTH, "--data=synthetic", "--views=2", "--output=out"]);
    assert!(
        dir.path().starts_with(
            bench
                .folder
                .path()
                .canonicalize()
                .unwrap()
                .join("out/evaluations")
        )
    );
    assert!(
        dir.name().starts_with("fixture_val_acc_43.21_"),
        "{}",
        dir.name()
    );
    let (right, _) = count_right(&dir.predictions_csv());
    assert_eq!(json["accuracy"]["correct"], right);
    let checkpoint = &json["checkpoints"][0];
    assert_eq!(
        (&checkpoint["run"], &checkpoint["copy"]),
        (&Json::Null, &"model.pth".into())
    );
    assert_eq!(
        fs::read(dir.path().join("model.pth")).unwrap(),
        fs::read(PTH).unwrap()
    );
    let foreign = bench.folder.path().join("plain.pth");
    fs::copy(PTH.replace("se.pth", "plain.pth"), &foreign).unwrap();
    let sentence = refusal(&mut bench.evaluate(&[text(&foreign)]));
    assert!(
        sentence.contains("plain.pth: does not say what data it was trained on"),
        "{sentence}"
    );
}

/// A zip as `torch.save` writes it, with this pickle.
#[test]
fn a_signal_leaves_nothing_and_what_a_kill_leaves_is_known_for_that() {
    let bench = Bench::new(TINY);
    let run = bench.trained(&["num_epochs=1"]);
    let start = || {
        let mut command = bench.evaluate(&[text(run.path()), "--views=1000", "--batch-size=50"]);
        let worker = Worker(command.stderr(Stdio::piped()).spawn().unwrap());
        until("an evaluation that is under way", || {
            let open = unfinished(&bench.tree());
            open.iter().any(|open| {
                open.progress
                    .as_ref()
                    .is_some_and(|progress| progress.images_done > 0)
            })
        });
        worker
    };
    for signal in [Signal::INT, Signal::TERM] {
        let mut worker = start();
        let open = unfinished(&bench.tree()).remove(0);
        let progress = open.progress.as_ref().unwrap();
        assert_eq!(progress.images_total, 1000 * TEST_IMAGES as u64);
        assert!(!open.is_abandoned() && progress.name.contains("_val_acc_"));
        assert_eq!(progress.checkpoints[0].which, "best");
        worker.signal(signal);
        assert_eq!(worker.exit().code(), Some(1));
        assert_eq!(bench.left(), Vec::<PathBuf>::new());
    }
    let mut worker = start();
    worker.signal(Signal::KILL);
    worker.exit();
    assert!(unfinished(&bench.tree()).remove(0).is_abandoned());
    assert_eq!(list(&bench.tree()), []);
    let (dir, _) = bench.evaluated(&[text(run.path())]);
    assert_eq!(bench.left(), [dir.path().to_owned()]);
}

#[test]
fn traintop_evaluates_by_name_several_at_once_and_as_one_ensemble() {
    let bench = Bench::new(TINY);
    let runs = [0, 1].map(|seed| bench.trained(&["num_epochs=1", &format!("seed={seed}")]));
    let names = runs.each_ref().map(RunDir::name);
    let traintop = |arguments: &[&str]| {
        let mut command = Command::new(TRAINTOP);
        command
            .arg("evaluate")
            .args(arguments)
            .current_dir(bench.folder.path())
            .env("TRAINTOP_WORKER", worker())
            .env("HOME", bench.folder.path());
        command
    };
    let printed = |arguments: &[&str]| -> Json {
        schemas::json(
            "evaluate",
            &succeed(traintop(arguments).arg("--json")).stdout,
        )
    };
    let [first, second] = [0, 1].map(|at| names[at].as_str());
    assert_eq!(printed(&[first])["accuracy"]["total"], TEST_IMAGES);
    let several = printed(&[first, text(&runs[1].best()), "--split=val", "--views=2"]);
    let several = several.as_array().unwrap();
    assert_eq!(several.len(), 2);
    assert_eq!(
        (&several[1]["data"]["images"], &several[1]["views"]),
        (&40.into(), &2.into())
    );
    let ensemble = printed(&[
        first,
        second,
        "--ensemble",
        "--weights=1,2",
        "--data=synthetic",
    ]);
    assert_eq!(ensemble["checkpoints"].as_array().unwrap().len(), 2);
    let output = succeed(&mut traintop(&[first]));
    let sentence = String::from_utf8(output.stdout).unwrap();
    assert!(
        sentence.starts_with("test accuracy ") && sentence.lines().count() == 1,
        "{sentence}"
    );
    let sentence = refusal(&mut traintop(&["absent.pth"]));
    assert!(sentence.contains("absent.pth: No such file"), "{sentence}");
    let by_name: BTreeMap<_, _> = list(&bench.tree())
        .into_iter()
        .map(|dir| (dir.name(), dir))
        .collect();
    assert_eq!(by_name.len(), 5);
}
