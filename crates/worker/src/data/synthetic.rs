//! The built-in images: ten classes of shapes and textures, drawn from a seed, so that a first run
//! needs no download. Place, size, angle, colours, clutter and noise vary, so that only the form
//! determines the class.

use std::f64::consts::{PI, TAU};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;
use traintop_recipe::{Recipe, SYNTHETIC_TRAIN_IMAGES, SYNTHETIC_VAL_IMAGES};

use super::{Dataset, Split};

const SIDE: usize = 32;
const PIXELS: usize = SIDE * SIDE;
/// Bytes of an image.
const IMAGE: usize = 3 * PIXELS;
const TEST_IMAGES: u64 = 2_000;
/// A pixel is the mean of this many samples squared.
const SAMPLES: usize = 2;

/// Whether a point of the square from -1 to 1 belongs to a form.
type Form = fn(f64, f64) -> bool;

/// No form has a point that lies further out.
const REACH: f64 = 1.2;

/// The classes, by label.
const CLASSES: [(&str, Form); 10] = [
    ("disc", |u, v| u.hypot(v) < 0.85),
    ("ring", |u, v| (0.55..0.95).contains(&u.hypot(v))),
    ("square", |u, v| u.abs().max(v.abs()) < 0.75),
    ("triangle", |u, v| v < 0.7 && v > 1.9 * u.abs() - 0.95),
    ("cross", |u, v| {
        u.abs().min(v.abs()) < 0.26 && u.abs().max(v.abs()) < 0.95
    }),
    ("star", |u, v| {
        let spike = ((v.atan2(u) + PI) / TAU * 5.0).fract();
        u.hypot(v) < 0.36 + 1.2 * (spike - 0.5).abs()
    }),
    ("crescent", |u, v| {
        u.hypot(v) < 0.95 && (u - 0.45).hypot(v) > 0.75
    }),
    ("stripes", |u, v| {
        u.hypot(v) < 1.0 && (v * 2.4).rem_euclid(2.0) < 1.0
    }),
    ("checks", |u, v| {
        u.hypot(v) < 1.0 && ((u * 2.0).floor() + (v * 2.0).floor()).rem_euclid(2.0) < 1.0
    }),
    ("dots", |u, v| {
        let near = |at: f64| (at * 1.8).rem_euclid(1.0) - 0.5;
        u.hypot(v) < 1.0 && near(u).hypot(near(v)) < 0.3
    }),
];

/// The data set of a recipe's seed, as far as the recipe allows: a tiny run must start at once.
/// Each image depends on the seed, its split and its number alone.
pub fn draw(recipe: &Recipe) -> Dataset {
    let limited = |all: u64, limit: u32| {
        if limit == 0 {
            all
        } else {
            all.min(u64::from(limit))
        }
    };
    let train = limited(SYNTHETIC_TRAIN_IMAGES, recipe.max_train_images);
    let val = limited(SYNTHETIC_VAL_IMAGES, recipe.max_val_images);
    Dataset {
        train: split(recipe.seed, 0, train),
        val: split(recipe.seed, 1, val),
        test: Some(split(recipe.seed, 2, TEST_IMAGES)),
        classes: CLASSES.iter().map(|(name, _)| (*name).to_owned()).collect(),
    }
}

fn split(seed: u64, number: u64, count: u64) -> Split {
    let label = |image: u64| image as usize % CLASSES.len();
    let mut images = vec![0; count as usize * IMAGE];
    images
        .par_chunks_exact_mut(IMAGE)
        .enumerate()
        .for_each(|(image, bytes)| {
            let image = image as u64;
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(number << 40 | image);
            Image::new(&mut random, CLASSES[label(image)].1).draw(&mut random, bytes);
        });
    let labels = (0..count).map(|image| label(image) as i64).collect();
    Split {
        images,
        labels,
        height: SIDE,
        width: SIDE,
    }
}

/// A number from `low` to `high`.
fn between(random: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * f64::from(random.next_u32()) / f64::from(u32::MAX)
}

/// Random bytes that one value of noise is made of.
const NOISE: usize = 4;

/// Roughly normal, deviation 1: the sum of four bytes, good enough for noise and fast.
fn noise(bytes: [u8; NOISE]) -> f64 {
    let sum: u16 = bytes.into_iter().map(u16::from).sum();
    // Mean 4 x 127.5; variance 4 x (256^2 - 1) / 12.
    (f64::from(sum) - 510.0) / 147.8
}

type Colour = [f64; 3];

fn colour(random: &mut ChaCha8Rng) -> Colour {
    [0; 3].map(|_| between(random, 20.0, 235.0))
}

/// A form at a place, with a size, an angle and a colour.
struct Figure {
    form: Form,
    x: f64,
    y: f64,
    cos: f64,
    sin: f64,
    /// The square of the distance beyond which nothing of it lies.
    reach: f64,
    colour: Colour,
}

impl Figure {
    fn new(
        random: &mut ChaCha8Rng,
        form: Form,
        radius: (f64, f64),
        margin: f64,
        colour: Colour,
    ) -> Self {
        let angle = between(random, 0.0, TAU);
        let scale = 1.0 / between(random, radius.0, radius.1);
        let side = SIDE as f64;
        let (x, y) = (
            between(random, margin, side - margin),
            between(random, margin, side - margin),
        );
        Self {
            form,
            x,
            y,
            cos: angle.cos() * scale,
            sin: angle.sin() * scale,
            reach: (REACH / scale).powi(2),
            colour,
        }
    }

    fn covers(&self, x: f64, y: f64) -> bool {
        let (x, y) = (x - self.x, y - self.y);
        // Most points are far away, and forms are dear.
        if x * x + y * y > self.reach {
            return false;
        }
        (self.form)(x * self.cos + y * self.sin, y * self.cos - x * self.sin)
    }
}

/// Everything that an image shows, from back to front.
struct Image {
    background: [Colour; 2],
    slope: (f64, f64),
    figures: Vec<Figure>,
    noise: f64,
}

impl Image {
    fn new(random: &mut ChaCha8Rng, form: Form) -> Self {
        let background = [colour(random), colour(random)];
        let middle = |part: usize| f64::midpoint(background[0][part], background[1][part]);
        // An invisible figure would teach nothing.
        let front = loop {
            let front = colour(random);
            if (0..3)
                .map(|part| (front[part] - middle(part)).abs())
                .sum::<f64>()
                > 150.0
            {
                break front;
            }
        };
        let clutter: [Form; 3] = [
            |u, v| u.hypot(v) < 0.9,
            |u, v| u.abs().max(v.abs()) < 0.8,
            |u, v| u.abs() < 0.2 && v.abs() < 1.0,
        ];
        let count = random.next_u32() % 4;
        let mut figures: Vec<Figure> = (0..count)
            .map(|_| {
                let form = clutter[random.next_u32() as usize % clutter.len()];
                let colour = colour(random);
                Figure::new(random, form, (2.0, 4.5), 0.0, colour)
            })
            .collect();
        figures.push(Figure::new(random, form, (7.0, 13.0), 11.0, front));
        let angle = between(random, 0.0, TAU);
        Self {
            background,
            slope: (angle.cos() / SIDE as f64, angle.sin() / SIDE as f64),
            figures,
            noise: between(random, 8.0, 30.0),
        }
    }

    fn at(&self, x: f64, y: f64) -> Colour {
        if let Some(figure) = self.figures.iter().rev().find(|figure| figure.covers(x, y)) {
            return figure.colour;
        }
        let half = SIDE as f64 / 2.0;
        let part = (0.5 + (x - half) * self.slope.0 + (y - half) * self.slope.1).clamp(0.0, 1.0);
        [0, 1, 2].map(|at| self.background[0][at] * (1.0 - part) + self.background[1][at] * part)
    }

    /// Fills an image's bytes, plane after plane.
    fn draw(&self, random: &mut ChaCha8Rng, bytes: &mut [u8]) {
        let mut grain = [0; 3 * NOISE * SIDE];
        for row in 0..SIDE {
            random.fill_bytes(&mut grain);
            let (values, []) = grain.as_chunks::<NOISE>() else {
                unreachable!("whole values of noise make a row");
            };
            for column in 0..SIDE {
                let mut sum = [0.0; 3];
                for sample in 0..SAMPLES * SAMPLES {
                    let offset = |at: usize| (at as f64 + 0.5) / SAMPLES as f64;
                    let colour = self.at(
                        column as f64 + offset(sample % SAMPLES),
                        row as f64 + offset(sample / SAMPLES),
                    );
                    for part in 0..3 {
                        sum[part] += colour[part] / (SAMPLES * SAMPLES) as f64;
                    }
                }
                for (part, value) in sum.into_iter().enumerate() {
                    let grain = self.noise * noise(values[3 * column + part]);
                    bytes[part * PIXELS + row * SIDE + column] =
                        (value + grain).clamp(0.0, 255.0) as u8;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn images_depend_on_the_seed_alone_and_splits_share_none() {
        let data = draw(&Recipe {
            seed: 7,
            ..Recipe::default()
        });
        assert_eq!(split(7, 1, 20), split(7, 1, 20));
        assert_ne!(split(7, 1, 20), split(8, 1, 20));
        let of = |split: &Split| {
            split
                .images
                .chunks(IMAGE)
                .map(<[u8]>::to_vec)
                .collect::<HashSet<_>>()
        };
        let (train, val, test) = (of(&data.train), of(&data.val), of(&data.test.unwrap()));
        assert_eq!(train.len() as u64, SYNTHETIC_TRAIN_IMAGES);
        assert!(train.is_disjoint(&val) && train.is_disjoint(&test) && val.is_disjoint(&test));
    }

    #[test]
    fn fewer_images_are_the_first_of_all() {
        let few = draw(&Recipe {
            seed: 7,
            max_train_images: 30,
            max_val_images: 20,
            ..Recipe::default()
        });
        assert_eq!(few.train, split(7, 0, 30));
        assert_eq!(few.val.labels.len(), 20);
        let more = split(7, 0, 50);
        assert_eq!(few.train.images, more.images[..few.train.images.len()]);
    }

    #[test]
    fn classes_are_equally_frequent_and_colour_does_not_tell_them() {
        let train = split(1, 0, 2000);
        let mean = |class: i64, plane: usize| {
            let images = train
                .images
                .chunks(IMAGE)
                .zip(&train.labels)
                .filter(|(_, label)| **label == class);
            let means: Vec<f64> = images
                .map(|(image, _)| {
                    let plane = &image[plane * PIXELS..(plane + 1) * PIXELS];
                    plane.iter().map(|byte| f64::from(*byte)).sum::<f64>() / plane.len() as f64
                })
                .collect();
            assert_eq!(means.len(), 200);
            means.iter().sum::<f64>() / 200.0
        };
        for plane in 0..3 {
            for class in 0..10 {
                let mean = mean(class, plane);
                assert!(
                    (115.0..140.0).contains(&mean),
                    "class {class} has a colour of its own: {mean}"
                );
            }
        }
    }
}
