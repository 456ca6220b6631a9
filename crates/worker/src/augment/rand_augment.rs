//! `RandAugment` (Cubuk et al. 2020, arXiv:1909.13719) as torchvision has it: for each image some
//! of fourteen operations, one after another, all of one magnitude.

use tch::Tensor;

use super::colour;
use super::draw::{self, change_some, each_image};
use super::geometry::{Map, Sampling, transform};

/// torchvision's operations, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Color,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
}

impl Operation {
    pub const ALL: [Self; 14] = [
        Self::Identity,
        Self::ShearX,
        Self::ShearY,
        Self::TranslateX,
        Self::TranslateY,
        Self::Rotate,
        Self::Brightness,
        Self::Color,
        Self::Contrast,
        Self::Sharpness,
        Self::Posterize,
        Self::Solarize,
        Self::AutoContrast,
        Self::Equalize,
    ];

    /// torchvision's table: what a magnitude from 0 to 30 means to it, for images of this height
    /// and width.
    pub fn amount(self, magnitude: u32, (height, width): (i64, i64)) -> f64 {
        let part = f64::from(magnitude) / 30.0;
        match self {
            Self::Identity | Self::AutoContrast | Self::Equalize => 0.0,
            Self::ShearX | Self::ShearY => 0.3 * part,
            Self::TranslateX => 150.0 / 331.0 * width as f64 * part,
            Self::TranslateY => 150.0 / 331.0 * height as f64 * part,
            Self::Rotate => 30.0 * part,
            Self::Brightness | Self::Color | Self::Contrast | Self::Sharpness => 0.9 * part,
            // Half a bit goes to the even number, as numpy rounds.
            Self::Posterize => 8.0 - (f64::from(magnitude) / 7.5).round_ties_even(),
            Self::Solarize => 255.0 * (1.0 - part),
        }
    }

    /// Whether the amount is negative for every second image, at random.
    pub fn is_signed(self) -> bool {
        matches!(
            self,
            Self::ShearX
                | Self::ShearY
                | Self::TranslateX
                | Self::TranslateY
                | Self::Rotate
                | Self::Brightness
                | Self::Color
                | Self::Contrast
                | Self::Sharpness
        )
    }

    /// Where pixels come from, if it moves them.
    fn map(self, amount: f64, size: (i64, i64)) -> Option<Map> {
        Some(match self {
            Self::ShearX => Map::shear_x(amount),
            Self::ShearY => Map::shear_y(amount),
            Self::TranslateX => Map::translation(amount.trunc(), 0.0),
            Self::TranslateY => Map::translation(0.0, amount.trunc()),
            Self::Rotate => Map::rotation(amount, size),
            _ => return None,
        })
    }

    /// What it makes of colours: N x 3 x H x W floats on the scale of bytes, amounts N x 1 x 1 x 1.
    fn recolour(self, images: &Tensor, amounts: &Tensor) -> Tensor {
        match self {
            Self::Brightness => colour::brightness(images, &(amounts + 1.0)),
            Self::Color => colour::saturation(images, &(amounts + 1.0)),
            Self::Contrast => colour::contrast(images, &(amounts + 1.0)),
            Self::Sharpness => colour::sharpness(images, &(amounts + 1.0)),
            Self::Posterize => colour::posterize(images, amounts),
            Self::Solarize => colour::solarize(images, amounts),
            Self::AutoContrast => colour::autocontrast(images),
            Self::Equalize => colour::equalize(images),
            _ => images.shallow_clone(),
        }
    }
}

/// How many operations, and how strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RandAugment {
    pub num_ops: u32,
    /// 0 to 30.
    pub magnitude: u32,
}

impl RandAugment {
    /// Changes a batch: N x 3 x H x W floats on the scale of bytes.
    pub fn apply(self, images: Tensor) -> Tensor {
        (0..self.num_ops).fold(images, |images, _| {
            let count = images.size()[0] as usize;
            apply_each(images.shallow_clone(), &self.draw(count, size_of(&images)))
        })
    }

    /// An operation and its amount for each image.
    fn draw(self, count: usize, size: (i64, i64)) -> Vec<(Operation, f64)> {
        let operations = draw::whole(count, 0, Operation::ALL.len() as i64);
        let signs = draw::yes(count, 0.5);
        let each = operations.into_iter().zip(signs);
        each.map(|(number, is_negative)| {
            let operation = Operation::ALL[number as usize];
            let amount = operation.amount(self.magnitude, size);
            let turns = is_negative && operation.is_signed();
            (operation, if turns { -amount } else { amount })
        })
        .collect()
    }
}

fn size_of(images: &Tensor) -> (i64, i64) {
    let size = images.size();
    (size[2], size[3])
}

/// To each image its operation; all that move pixels go together, and of the others those that are
/// the same.
pub fn apply_each(images: Tensor, each: &[(Operation, f64)]) -> Tensor {
    let size = size_of(&images);
    let numbered = || (0_i64..).zip(each);
    let moved: Vec<(i64, Map)> = numbered()
        .filter_map(|(image, (operation, amount))| Some((image, operation.map(*amount, size)?)))
        .collect();
    let (chosen, maps): (Vec<i64>, Vec<Map>) = moved.into_iter().unzip();
    let images = change_some(images, &chosen, |images| {
        transform(images, &maps, Sampling::Nearest)
    });
    let colours = Operation::ALL.into_iter().filter(|operation| {
        *operation != Operation::Identity && operation.map(0.0, size).is_none()
    });
    colours.fold(images, |images, operation| {
        let (chosen, amounts): (Vec<i64>, Vec<f64>) = numbered()
            .filter(|(_, (other, _))| *other == operation)
            .map(|(image, (_, amount))| (image, *amount))
            .unzip();
        let amounts = each_image(&amounts, images.device());
        change_some(images, &chosen, |images| {
            operation.recolour(images, &amounts)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::one_at_a_time;
    use std::collections::HashMap;
    use tch::{Device, Kind};

    #[test]
    fn amounts_are_those_of_torchvisions_table() {
        let _turn = crate::random::one_at_a_time();
        let at = |operation: Operation, magnitude| operation.amount(magnitude, (32, 32));
        let cases = [
            (Operation::ShearX, 9, 0.09),
            (Operation::TranslateY, 30, 150.0 / 331.0 * 32.0),
            (Operation::Rotate, 9, 9.0),
            (Operation::Color, 10, 0.3),
            (Operation::Posterize, 0, 8.0),
            (Operation::Posterize, 9, 7.0),
            (Operation::Posterize, 30, 4.0),
            (Operation::Solarize, 0, 255.0),
            (Operation::Solarize, 9, 178.5),
        ];
        for (operation, magnitude, expected) in cases {
            let found = at(operation, magnitude);
            assert!((found - expected).abs() < 1e-9, "{operation:?}: {found}");
        }
    }

    #[test]
    fn operations_are_equally_frequent_and_signs_fall_evenly() {
        let _guard = one_at_a_time();
        tch::manual_seed(4);
        let augment = RandAugment {
            num_ops: 2,
            magnitude: 9,
        };
        let mut counts: HashMap<Operation, [u32; 2]> = HashMap::new();
        for (operation, amount) in augment.draw(14_000, (32, 32)) {
            counts.entry(operation).or_default()[usize::from(amount < 0.0)] += 1;
        }
        for operation in Operation::ALL {
            let [positive, negative] = counts[&operation];
            assert!(
                (880..1120).contains(&(positive + negative)),
                "{operation:?}"
            );
            if operation.is_signed() {
                assert!((400..600).contains(&negative), "{operation:?}: {negative}");
            } else {
                assert_eq!(negative, 0, "{operation:?}");
            }
        }
    }

    #[test]
    fn each_image_changes_as_it_would_alone() {
        let _guard = one_at_a_time();
        tch::manual_seed(5);
        let images =
            Tensor::randint(256, [28, 3, 9, 7], (Kind::Int64, Device::Cpu)).to_kind(Kind::Float);
        let each: Vec<(Operation, f64)> = (0..28)
            .map(|image| {
                let operation = Operation::ALL[image % 14];
                (operation, operation.amount(11, (9, 7)))
            })
            .collect();
        let together = apply_each(images.copy(), &each);
        for (image, drawn) in (0..).zip(&each) {
            let alone = apply_each(images.narrow(0, image, 1), &[*drawn]);
            assert_eq!(alone, together.narrow(0, image, 1), "{drawn:?}");
        }
    }
}
