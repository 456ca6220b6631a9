//! What happens to a batch of images between the data set's bytes and the network, in the
//! reference's order: crop, mirror, rotation, colour jitter, perspective, `RandAugment`; then, on
//! normalised numbers, random erasing, cutout, `CutMix` and mixup. All of it as batched tensor
//! operations on the device of the images; each image has draws of its own.

mod colour;
pub mod crop;
mod draw;
mod erase;
#[cfg(test)]
mod fixture_tests;
mod geometry;
mod jitter;
mod mix;
mod normalise;
mod rand_augment;

use tch::{Kind, Tensor};
use traintop_recipe::Recipe;

pub use normalise::Normaliser;

use crate::loss::Targets;
use geometry::{Map, Sampling, transform};
use jitter::Strength;
use mix::Mix;
use rand_augment::RandAugment;

/// The augmentations of a recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct Augmentation {
    crop_padding: i64,
    flip: bool,
    /// Degrees to either side.
    rotation: f64,
    jitter: Strength,
    /// How far corners may move, as a part of half the image; and how often they do.
    perspective: (f64, f64),
    rand_augment: Option<RandAugment>,
    erasing_prob: f64,
    /// Squares of this side, this many per image.
    cutout: (i64, u32),
    mix: Mix,
}

impl Augmentation {
    /// The augmentations that a recipe asks for.
    pub fn of(recipe: &Recipe) -> Self {
        Self {
            crop_padding: i64::from(recipe.random_crop_padding),
            flip: recipe.random_horizontal_flip,
            rotation: recipe.random_rotation,
            jitter: Strength {
                brightness: recipe.color_jitter_brightness,
                contrast: recipe.color_jitter_contrast,
                saturation: recipe.color_jitter_saturation,
                hue: recipe.color_jitter_hue,
            },
            perspective: (
                recipe.random_perspective_distortion,
                recipe.random_perspective_prob,
            ),
            rand_augment: recipe.use_randaugment.then_some(RandAugment {
                num_ops: recipe.randaugment_num_ops,
                magnitude: recipe.randaugment_magnitude,
            }),
            erasing_prob: recipe.random_erasing_prob,
            cutout: if recipe.use_cutout {
                (i64::from(recipe.cutout_length), recipe.cutout_holes)
            } else {
                (0, 0)
            },
            mix: Mix {
                cutmix_prob: if recipe.use_cutmix {
                    recipe.cutmix_prob
                } else {
                    0.0
                },
                cutmix_alpha: recipe.cutmix_alpha,
                mixup_alpha: recipe.use_mixup.then_some(recipe.mixup_alpha),
            },
        }
    }

    /// N x 3 x H x W bytes, and out: bytes, or floats on their scale.
    pub fn images(&self, images: Tensor) -> Tensor {
        let size = images.size();
        let (count, size) = (size[0] as usize, (size[2], size[3]));
        let mut images = images;
        if self.crop_padding > 0 {
            images = crop::random_crop(&images, self.crop_padding);
        }
        if self.flip {
            images = crop::random_horizontal_flip(&images);
        }
        if self.rotation == 0.0
            && self.jitter.is_none()
            && self.perspective.0 == 0.0
            && self.rand_augment.is_none()
        {
            return images;
        }
        images = images.to_kind(Kind::Float);
        if self.rotation > 0.0 {
            let angles = draw::uniform(count, -self.rotation, self.rotation);
            let maps: Vec<Map> = angles
                .into_iter()
                .map(|angle| Map::rotation(angle, size))
                .collect();
            images = transform(&images, &maps, Sampling::Nearest);
        }
        if !self.jitter.is_none() {
            images = self.jitter.draw(count).apply(images);
        }
        if self.perspective.0 > 0.0 {
            images = self.random_perspective(images, size);
        }
        match self.rand_augment {
            Some(rand_augment) => rand_augment.apply(images),
            None => images,
        }
    }

    fn random_perspective(&self, images: Tensor, size: (i64, i64)) -> Tensor {
        let (distortion, chance) = self.perspective;
        let moved = draw::yes(images.size()[0] as usize, chance);
        let (chosen, maps): (Vec<i64>, Vec<Map>) = (0_i64..)
            .zip(moved)
            .filter(|(_, is_moved)| *is_moved)
            .filter_map(|(image, _)| Some((image, draw_perspective(distortion, size)?)))
            .unzip();
        draw::change_some(images, &chosen, |images| {
            transform(images, &maps, Sampling::Bilinear)
        })
    }

    /// N x 3 x H x W normalised images and N labels: the network's input and its targets.
    pub fn batch(&self, images: Tensor, labels: Tensor) -> (Tensor, Targets) {
        let size = images.size();
        let (count, size) = (size[0] as usize, (size[2], size[3]));
        let mut images = images;
        if self.erasing_prob > 0.0 {
            let rectangles = erase::draw_erasing(count, self.erasing_prob, size);
            images = erase::erase(&images, &rectangles);
        }
        let (length, holes) = self.cutout;
        for _ in 0..holes {
            images = erase::erase(&images, &erase::draw_cutout(count, length, size));
        }
        if self.mix.is_none() {
            (images, Targets::Plain(labels))
        } else {
            self.mix.apply(&images, &labels)
        }
    }
}

/// Corners as torchvision's `RandomPerspective` draws them: each moves inwards by whole pixels, at
/// most `distortion` times half the image.
fn draw_perspective(distortion: f64, (height, width): (i64, i64)) -> Option<Map> {
    let reach = |length: i64| (distortion * (length / 2) as f64) as i64;
    let (right, bottom) = ((width - 1) as f64, (height - 1) as f64);
    let inwards = |length: i64| {
        let drawn = draw::whole(4, 0, reach(length) + 1);
        std::array::from_fn::<f64, 4, _>(|at| drawn.get(at).copied().unwrap_or_default() as f64)
    };
    let (x, y) = (inwards(width), inwards(height));
    let from = [(0.0, 0.0), (right, 0.0), (right, bottom), (0.0, bottom)];
    let to = [
        (x[0], y[0]),
        (right - x[1], y[1]),
        (right - x[2], bottom - y[2]),
        (x[3], bottom - y[3]),
    ];
    Map::perspective(from, to)
}
