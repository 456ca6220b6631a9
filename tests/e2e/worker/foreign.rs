//! Data sets from elsewhere, by the worker's own commands.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::{Bench, TINY, lines, refusal, succeed, tensors};

/// A binary CIFAR-100 with one image of each class in `train.bin`, four times over, and one in `test.bin`.
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
fn a_hundred_classes_are_trained_and_their_damage_is_told() {
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
    let report: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["form"], "CIFAR-100, binary");
    assert_eq!(report["splits"][0]["images"], 400);
    assert_eq!(report["splits"][1]["also_trained"], 100);
    fs::write(folder.join("test.bin"), [0; 5000]).unwrap();
    let sentence = refusal(bench.command().args(["data", "check", "."]));
    assert!(sentence.contains("this data set is damaged"), "{sentence}");
}
