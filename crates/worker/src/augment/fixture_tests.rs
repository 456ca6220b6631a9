//! Every operation against torchvision's own on the same images and parameters:
//! `tests/fixtures/augment/make.py` says how those were made.

use safetensors::SafeTensors;
use tch::{Device, Kind, Tensor};

use super::colour;
use super::draw::each_image;
use super::geometry::{Map, Sampling, transform};
use super::rand_augment::{Operation, apply_each};

const FIXTURE: &[u8] = include_bytes!("../../../../tests/fixtures/augment/torchvision.safetensors");
const SIZE: (i64, i64) = (32, 32);

/// At least this part of the pixels must be within one grey level.
const EQUAL: f64 = 0.99;

fn tensor(file: &SafeTensors, name: &str) -> Tensor {
    let view = file.tensor(name).unwrap();
    let size: Vec<i64> = view.shape().iter().map(|&length| length as i64).collect();
    Tensor::from_data_size(view.data(), &size, Kind::Uint8).to_kind(Kind::Float)
}

/// What we make of the images by the name of a fixture, `operation/parameter`.
fn ours(images: &Tensor, operation: &str, parameter: &str) -> Tensor {
    let count = images.size()[0];
    let number: f64 = parameter.parse().unwrap();
    let factors = each_image(&vec![number; count as usize], Device::Cpu);
    let moved = |map: Map, sampling| transform(images, &vec![map; count as usize], sampling);
    match operation {
        "brightness" => colour::brightness(images, &factors),
        "contrast" => colour::contrast(images, &factors),
        "saturation" => colour::saturation(images, &factors),
        "hue" => colour::hue(images, &factors),
        "rotation" => moved(Map::rotation(number, SIZE), Sampling::Nearest),
        "perspective" => {
            let from = [(0.0, 0.0), (31.0, 0.0), (31.0, 31.0), (0.0, 31.0)];
            let to = if number == 0.0 {
                [(2.0, 1.0), (29.0, 3.0), (30.0, 28.0), (0.0, 31.0)]
            } else {
                [(3.0, 3.0), (31.0, 0.0), (28.0, 31.0), (1.0, 29.0)]
            };
            moved(Map::perspective(from, to).unwrap(), Sampling::Bilinear)
        }
        _ => {
            let known = |candidate: &Operation| format!("{candidate:?}") == operation;
            let operation = Operation::ALL.into_iter().find(known).unwrap();
            let amount = operation.amount(number.abs() as u32, SIZE).copysign(number);
            apply_each(images.copy(), &vec![(operation, amount); count as usize])
        }
    }
}

#[test]
fn every_operation_equals_torchvisions() {
    let file = SafeTensors::deserialize(FIXTURE).unwrap();
    let images = tensor(&file, "images");
    let mut wrong = Vec::new();
    let mut operations = std::collections::HashSet::new();
    for name in file.names().into_iter().filter(|name| *name != "images") {
        let (operation, parameter) = name.split_once('/').unwrap();
        operations.insert(operation);
        let difference = (ours(&images, operation, parameter) - tensor(&file, name)).abs();
        for image in 0..images.size()[0] {
            let close = difference.get(image).le(1.0).to_kind(Kind::Double);
            let equal = close.mean(Kind::Double).double_value(&[]);
            if equal < EQUAL {
                wrong.push(format!(
                    "{name}, image {image}: {:.1} % equal",
                    100.0 * equal
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(operations.len(), 6 + Operation::ALL.len());
}
