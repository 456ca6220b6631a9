//! Checkpoints that Python wrote, held against what `PyTorch` says is in them
//! (tests/fixtures/checkpoint/make.py).

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::json;
use tch::{Device, Kind, Tensor, no_grad};
use traintop_recipe::Recipe;

use super::inspect::inspect;
use super::stored::Stored;
use super::*;
use crate::model::{Mode, ResNet, Shape};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/checkpoint")
        .join(name)
}

fn network(blocks: i64, se_reduction: Option<i64>) -> (StateDict, ResNet) {
    let mut state = StateDict::new(Device::Cpu);
    let shape = Shape {
        width: 2,
        blocks,
        se_reduction,
        dropout_rate: 0.3,
        stochastic_depth_rate: 0.0,
        zero_init_residual: false,
        classes: 10,
    };
    let model = ResNet::new(&mut state, &shape);
    (state, model)
}

const NETWORKS: [(&str, i64, Option<i64>); 2] = [("se", 1, Some(2)), ("plain", 2, None)];

#[test]
fn logits_of_a_pth_are_those_of_pytorch() {
    let _turn = crate::random::one_at_a_time();
    for (name, blocks, se_reduction) in NETWORKS {
        let (state, model) = network(blocks, se_reduction);
        load_weights(&fixture(&format!("{name}.pth")), &state).unwrap();
        let path = fixture(&format!("{name}.safetensors"));
        let bytes = read(&path).unwrap();
        let mut expected = Stored::parse(&path, &bytes).unwrap();
        let images = expected.tensor("images").unwrap();
        let logits = no_grad(|| model.forward(&images, Mode::Evaluate));
        let difference = (logits - expected.tensor("logits").unwrap()).abs().max();
        assert!(
            difference.double_value(&[]) < 1e-4,
            "{name}: {difference:?}"
        );
        for entry in state.entries() {
            let same = expected.tensor(&format!("weights.{}", entry.name)).unwrap();
            assert_eq!(entry.tensor, same, "{}", entry.name);
        }
    }
}

#[test]
fn a_pth_written_again_as_safetensors_gives_the_same_network() {
    let _turn = crate::random::one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("best.safetensors");
    let (state, _) = network(1, Some(2));
    load_weights(&fixture("se.pth"), &state).unwrap();
    save_weights(
        &path,
        &state,
        WeightsMetadata::example(2, &Recipe::default()),
    )
    .unwrap();
    let (again, _) = network(1, Some(2));
    load_weights(&path, &again).unwrap();
    for (left, right) in state.entries().iter().zip(again.entries()) {
        assert_eq!(left.tensor, right.tensor, "{}", left.name);
    }
}

/// What Python's strict loading compares: every name, kind and shape of the reference's network, as
/// `PyTorch` lists them.
#[test]
fn written_tensors_are_those_that_pytorch_expects() {
    let _turn = crate::random::one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("best.safetensors");
    let mut state = StateDict::new(Device::Cpu);
    let _ = ResNet::new(&mut state, &Shape::of(&Recipe::default(), 10));
    save_weights(
        &path,
        &state,
        WeightsMetadata::example(1, &Recipe::default()),
    )
    .unwrap();
    let bytes = read(&path).unwrap();
    let stored = Stored::parse(&path, &bytes).unwrap();
    let mut written: Vec<String> = stored
        .tensors()
        .iter()
        .map(|tensor| format!("{} {} {:?}", tensor.name, tensor.number, tensor.shape))
        .collect();
    let listed = fs::read_to_string(fixture("resnet_se.txt")).unwrap();
    let mut expected: Vec<&str> = listed.lines().collect();
    written.sort();
    expected.sort_unstable();
    assert_eq!(written, expected);
    let inspection = inspect(&path).unwrap().to_json();
    assert_eq!(inspection["parameters"], 2_819_370);
    assert_eq!(inspection["network"]["se_reduction"], 16);
}

#[test]
fn every_kind_of_number_and_view_is_read() {
    let _turn = crate::random::one_at_a_time();
    let path = fixture("kinds.pth");
    let bytes = read(&path).unwrap();
    let mut stored = Stored::parse(&path, &bytes).unwrap();
    let base = Tensor::arange(24, (Kind::Float, Device::Cpu)) / 8.0;
    let six = base.narrow(0, 0, 6);
    for (name, expected) in [
        ("whole", base.shallow_clone()),
        ("row", base.narrow(0, 6, 6)),
        ("transposed", base.view([4, 6]).transpose(0, 1).contiguous()),
        ("half", six.to_kind(Kind::Half)),
        ("bfloat16", six.to_kind(Kind::BFloat16)),
        ("double", six.to_kind(Kind::Double)),
        (
            "int64",
            Tensor::arange_start(-3, 3, (Kind::Int64, Device::Cpu)),
        ),
        ("scalar", Tensor::from(5_i64)),
        ("parameter", base.narrow(0, 0, 2)),
    ] {
        let found = stored.tensor(name).unwrap();
        assert_eq!(
            (found.kind(), found.size()),
            (expected.kind(), expected.size()),
            "{name}"
        );
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn what_the_trainer_keeps_beside_the_weights_is_reported() {
    let _turn = crate::random::one_at_a_time();
    let inspection = inspect(&fixture("se.pth")).unwrap();
    let json = inspection.to_json();
    assert_eq!(json["epoch"], 2);
    assert_eq!(json["best_acc"], 43.21);
    assert_eq!(
        json["network"],
        json!({"width": 2, "blocks": 1, "se_reduction": 2, "classes": 10})
    );
    assert_eq!(json["settings"]["experiment_name"], "fixture");
    assert_eq!(json["settings"]["lr_milestones"], json!([1, 2]));
    assert_eq!(json["settings"]["resume"], json!(null));
    assert_eq!(json["metrics_history"]["val_acc"], json!([11.5, 43.21]));
    let shown = inspection.to_string();
    assert!(shown.contains("best accuracy  43.21 %"), "{shown}");
    assert!(shown.contains("model_name = \"resnet_se\""), "{shown}");
    assert_eq!(
        inspect(&fixture("plain.pth")).unwrap().to_json()["network"]["se_reduction"],
        json!(null)
    );
}

#[test]
fn what_does_not_fit_or_is_too_old_is_refused_with_one_sentence() {
    let _turn = crate::random::one_at_a_time();
    let (se, _) = network(1, Some(2));
    let (plain, _) = network(1, None);
    let message = |name: &str, state: &StateDict| {
        load_weights(&fixture(name), state).unwrap_err().to_string()
    };
    for (sentence, expected) in [
        (
            message("se.pth", &plain),
            "holds a tensor `layer1.0.se.fc.0.weight`, for which",
        ),
        (
            message("plain.pth", &se),
            "holds a tensor `layer1.1.conv1.weight`, for which",
        ),
        (
            message("kinds.pth", &se),
            "holds a tensor `whole`, for which",
        ),
        (
            message("legacy.pth", &se),
            "is a .pth of PyTorch before 1.6",
        ),
        (message("make.py", &se), "not a whole safetensors file"),
    ] {
        assert!(sentence.contains(expected), "{sentence}");
    }
}

#[test]
fn a_cut_pth_is_refused_wherever_it_is_cut() {
    let _turn = crate::random::one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.pth");
    let whole = fs::read(fixture("kinds.pth")).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(inspect(&path).is_err(), "{length} bytes");
    }
}

proptest! {
    #[test]
    fn no_damage_to_a_pth_makes_it_panic(at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 1..4)) {
        let _turn = crate::random::one_at_a_time();
        let path = fixture("kinds.pth");
        let mut whole = fs::read(&path).unwrap();
        let at = at.index(whole.len() - bytes.len());
        whole[at..at + bytes.len()].copy_from_slice(&bytes);
        if let Ok(mut stored) = Stored::parse(&path, &whole) {
            for tensor in stored.tensors() {
                let _ = stored.tensor(&tensor.name);
            }
        }
    }
}
