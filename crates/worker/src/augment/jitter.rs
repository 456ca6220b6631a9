//! Colour jitter: brightness, contrast, saturation and hue, each by a factor of its own, in an
//! order of its own for each image (torchvision's `ColorJitter`).

use tch::Tensor;

use super::colour;
use super::draw::{self, change_some, each_image};

/// How far each may go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strength {
    /// Factors are drawn from `max(0, 1 - brightness)` to `1 + brightness`; the next two alike.
    pub brightness: f64,
    pub contrast: f64,
    pub saturation: f64,
    /// Turns of the hue are drawn from `-hue` to `hue`, in whole turns.
    pub hue: f64,
}

/// The changes, in torchvision's order.
type Change = fn(&Tensor, &Tensor) -> Tensor;
const CHANGES: [Change; 4] = [
    colour::brightness,
    colour::contrast,
    colour::saturation,
    colour::hue,
];

/// What was drawn for each image of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// For each image the changes in their order.
    orders: Vec<[usize; 4]>,
    /// For each change the factor of each image; `None` where it never changes anything.
    factors: [Option<Vec<f64>>; 4],
}

impl Strength {
    /// Whether it changes nothing.
    pub fn is_none(&self) -> bool {
        [self.brightness, self.contrast, self.saturation, self.hue] == [0.0; 4]
    }

    /// Draws for `count` images.
    pub fn draw(&self, count: usize) -> Drawn {
        let around_one = |strength: f64| {
            (strength > 0.0)
                .then(|| draw::uniform(count, (1.0 - strength).max(0.0), 1.0 + strength))
        };
        Drawn {
            orders: (0..count).map(|_| order_of_four()).collect(),
            factors: [
                around_one(self.brightness),
                around_one(self.contrast),
                around_one(self.saturation),
                (self.hue > 0.0).then(|| draw::uniform(count, -self.hue, self.hue)),
            ],
        }
    }
}

fn order_of_four() -> [usize; 4] {
    let drawn = draw::order(4);
    std::array::from_fn(|at| drawn.get(at).map_or(at, |&change| change as usize))
}

impl Drawn {
    /// N x 3 x H x W floats on the scale of bytes, in and out.
    pub fn apply(&self, images: Tensor) -> Tensor {
        (0..CHANGES.len()).fold(images, |images, turn| self.apply_turn(turn, images))
    }

    /// The first, second, ... change of every image: images that have the same one now go together.
    fn apply_turn(&self, turn: usize, images: Tensor) -> Tensor {
        CHANGES.iter().zip(&self.factors).enumerate().fold(
            images,
            |images, (number, (change, factors))| {
                let Some(factors) = factors else {
                    return images;
                };
                let has_it_now = |image: &usize| self.orders[*image][turn] == number;
                let chosen: Vec<usize> = (0..self.orders.len()).filter(has_it_now).collect();
                let factors: Vec<f64> = chosen.iter().map(|image| factors[*image]).collect();
                let factors = each_image(&factors, images.device());
                let chosen: Vec<i64> = chosen.iter().map(|image| *image as i64).collect();
                change_some(images, &chosen, |images| change(images, &factors))
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::one_at_a_time;
    use tch::{Device, Kind};

    const REFERENCE: Strength = Strength {
        brightness: 0.3,
        contrast: 0.3,
        saturation: 0.3,
        hue: 0.1,
    };

    #[test]
    fn factors_and_orders_are_drawn_for_each_image() {
        let _guard = one_at_a_time();
        tch::manual_seed(2);
        let drawn = REFERENCE.draw(2400);
        for (number, factors) in drawn.factors.iter().enumerate() {
            let factors = factors.as_ref().unwrap();
            let (middle, reach) = if number == 3 { (0.0, 0.1) } else { (1.0, 0.3) };
            assert!(
                factors
                    .iter()
                    .all(|factor| (factor - middle).abs() <= reach)
            );
            let mean = factors.iter().sum::<f64>() / 2400.0;
            assert!((mean - middle).abs() < 0.1 * reach, "{number}: {mean}");
        }
        // Each of the 24 orders comes about 100 times.
        let mut counts = std::collections::HashMap::new();
        for order in &drawn.orders {
            *counts.entry(*order).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 24);
        assert!(
            counts.values().all(|count| (60..150).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn each_image_changes_as_it_would_alone() {
        let _guard = one_at_a_time();
        tch::manual_seed(3);
        let images =
            Tensor::randint(256, [6, 3, 8, 8], (Kind::Int64, Device::Cpu)).to_kind(Kind::Float);
        let drawn = REFERENCE.draw(6);
        let together = drawn.apply(images.copy());
        for image in 0..6 {
            let mut alone = images.narrow(0, image, 1);
            for change in drawn.orders[image as usize] {
                let factor = drawn.factors[change].as_ref().unwrap()[image as usize];
                alone = CHANGES[change](&alone, &each_image(&[factor], Device::Cpu));
            }
            assert_eq!(alone, together.narrow(0, image, 1));
        }
        assert_ne!(together, images);
    }
}
