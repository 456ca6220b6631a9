//! Data sets and checkpoints from elsewhere, by the worker's own commands.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::{Bench, TINY, lines, refusal, succeed, tensors};
use crate::schemas;

const PTH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/checkpoint/se.pth"
);

/// A binary CIFAR-100 with one image of each class in `train.bin`, four times over, and one in
/// `test.bin`.
fn cifar_100(folder: &Path) {
    let image = |class: u8, copy: u8| {
        let pixels = (0..3072_usize).map(move |at| (at % 251) as u8 ^ class ^ copy << 7);
        [0, class].into_iter().chain(pixels)
    };
    let images = |copies: u8| -> Vec<u8> {
        (0..copies)
            .flat_map(|copy| (0..100).flat_map(move |class| image(class, copy)))
            .collect()
    };
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("train.bin"), images(4)).unwrap();
    fs::write(folder.join("test.bin"), images(1)).unwrap();
}

#[test]
fn a_hundred_classes_are_trained_and_their_damage_is_reported() {
    let bench = Bench::new(TINY);
    let folder = bench.folder.path().join("cifar-100-binary");
    cifar_100(&folder);
    let run = bench.trained(&[
        "data_dir=.",
        "num_epochs=1",
        "val_fraction=0.25",
        "max_train_images=0",
    ]);
    let log = lines(&run.training_log()).join("\n");
    assert!(log.contains("300 (3 of each class) training"), "{log}");
    assert!(log.contains("images of 100 classes"), "{log}");
    let best = tensors(&run.best()).unwrap();
    assert_eq!(best["fc.bias"].len(), 4 * 100);

    let output = succeed(bench.command().args(["data", "check", ".", "--json"]));
    let report = schemas::json("data-check", &output.stdout);
    assert_eq!(report["form"], "CIFAR-100, binary");
    assert_eq!(report["splits"][0]["images"], 400);
    assert_eq!(report["splits"][1]["also_trained"], 100);
    fs::write(folder.join("test.bin"), [0; 5000]).unwrap();
    let sentence = refusal(bench.command().args(["data", "check", "."]));
    assert!(sentence.contains("this data set is damaged"), "{sentence}");
}

#[test]
fn a_run_starts_from_the_weights_of_a_pth() {
    let bench = Bench::new(TINY);
    let same = [
        "width=2",
        "num_epochs=1",
        "lr_schedule=constant",
        "learning_rate=0",
    ];
    let from = format!("resume_from={PTH}");
    let run = bench.trained(&[&same[..], &[from.as_str()]].concat());
    let expected = tensors(Path::new(&PTH.replace(".pth", ".safetensors"))).unwrap();
    let best = tensors(&run.best()).unwrap();
    for name in ["conv1.weight", "layer4.0.se.fc.2.weight", "fc.bias"] {
        assert_eq!(best[name], expected[&format!("weights.{name}")], "{name}");
    }
    let sentence = refusal(&mut bench.train(&[from.as_str()]));
    assert!(
        sentence.contains("resume_from: ") && sentence.contains("`conv1.weight` has the shape"),
        "{sentence}"
    );
}

#[test]
fn a_checkpoint_says_what_it_is() {
    let bench = Bench::new(TINY);
    let run = bench.trained(&["num_epochs=1"]);
    let printed = |path: &Path| -> Json {
        let arguments = ["inspect", path.to_str().unwrap(), "--json"];
        schemas::json("inspect", &succeed(bench.command().args(arguments)).stdout)
    };
    let (best, last) = (printed(&run.best()), printed(&run.last()));
    assert_eq!((&best["epoch"], &last["epoch"]), (&1.into(), &1.into()));
    assert_eq!(best["best_acc"], last["best_acc"]);
    assert_eq!(best["parameters"], last["parameters"]);
    assert_eq!(best["settings"]["batch_size"], 16);
    assert_eq!(printed(Path::new(PTH))["best_acc"], 43.21);
    let recipe = bench.folder.path().join("recipe.toml");
    let sentence = refusal(bench.command().arg("inspect").arg(&recipe));
    assert!(
        sentence.contains("recipe.toml: not a whole safetensors file"),
        "{sentence}"
    );
}
