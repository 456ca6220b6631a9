//! The size of a recipe's network, known without libtorch.

use super::choice::Precision;
use super::schema::Recipe;

/// Stages of the trunk; stage `s` has `width * 2^s` channels.
pub const STAGES: u32 = 4;

/// Trainable parameters of the recipe's network for `classes` classes and colour images.
pub fn parameters(recipe: &Recipe, classes: u64) -> u64 {
    let convolution = |from: u64, to: u64, kernel: u64| from * to * kernel * kernel;
    let batch_norm = |channels: u64| 2 * channels;
    let width = u64::from(recipe.width);
    let mut total = convolution(3, width, 3) + batch_norm(width);
    let mut from = width;
    for stage in 0..STAGES {
        let to = width << stage;
        for block in 0..recipe.blocks {
            total +=
                convolution(from, to, 3) + batch_norm(to) + convolution(to, to, 3) + batch_norm(to);
            if recipe.use_se {
                total += 2 * to * (to / u64::from(recipe.se_reduction));
            }
            // The first block of a later stage halves the image and changes the channels: a 1x1
            // convolution beside it.
            if block == 0 && stage > 0 {
                total += convolution(from, to, 1) + batch_norm(to);
            }
            from = to;
        }
    }
    total + from * classes + classes
}

/// Pixels along a side of the images that the network takes.
const SIDE: u64 = 32;
/// Maps as large as the first stage's that the backward pass has under way at the same time:
/// gradients of a block's inputs and outputs. Measured.
const UNDER_WAY: u64 = 4;
/// Bytes of a float32.
const WHOLE: u64 = 4;

/// What a training step keeps in memory, in bytes: an estimate from the network's architecture.
/// libtorch itself (about 200 MB) and the images come on top. Against what processes took on a CPU,
/// in batches of 8 to 512 images and in both precisions, it is right to a tenth for `quick` and up
/// to a fifth too low for `resnet_se`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Weights, with their moving average where there is one.
    pub weights: u64,
    /// Gradients, and the optimiser's momentum.
    pub optimiser: u64,
    /// What the forward pass of a batch keeps for the backward pass, and what that has under way.
    pub activations: u64,
}

impl Memory {
    pub fn total(self) -> u64 {
        self.weights + self.optimiser + self.activations
    }
}

/// The memory of a training step of the recipe's network for `classes` classes. A `precision` of
/// `auto` counts as float32, the upper bound.
pub fn memory(recipe: &Recipe, classes: u64) -> Memory {
    let parameters = parameters(recipe, classes);
    let is_averaged = recipe.ema_decay > 0.0;
    let is_half = recipe.precision == Precision::Bfloat16;
    let value = if is_half { 2 } else { WHOLE };
    let images =
        u64::from(recipe.batch_size).div_ceil(u64::from(recipe.gradient_accumulation.max(1)));
    // Weights are cast for each pass where the arithmetic is bfloat16.
    let cast = if is_half { value * parameters } else { 0 };
    let under_way = UNDER_WAY * u64::from(recipe.width) * SIDE * SIDE;
    Memory {
        weights: WHOLE * parameters * if is_averaged { 2 } else { 1 },
        optimiser: 2 * WHOLE * parameters,
        activations: images * value * (kept_values(recipe) + under_way) + cast,
    }
}

/// Numbers that the forward pass of one image keeps for the backward pass: what each operation of
/// the network reads again there. A rectifier works in place, and an addition keeps nothing.
fn kept_values(recipe: &Recipe) -> u64 {
    let width = u64::from(recipe.width);
    let map = |channels: u64, side: u64| channels * side * side;
    // The image, what the first convolution makes of it (its batch norm's input), and what the
    // rectifier leaves.
    let mut kept = map(3, SIDE) + 2 * map(width, SIDE);
    let mut from = width;
    for stage in 0..STAGES {
        let (channels, side) = (width << stage, SIDE >> stage);
        for block in 0..recipe.blocks {
            // Of each convolution the output, which its batch norm reads; of the first what its
            // rectifier leaves, which the second reads; the second's normalised output, which the
            // squeeze and its product read; and the block's output.
            kept += map(channels, side) * if recipe.use_se { 5 } else { 4 };
            if block == 0 && stage > 0 {
                // The 1x1 convolution beside it: the pixels that it takes, and its output.
                kept += map(from, side) + map(channels, side);
            }
            from = channels;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_reference() {
        let resnet_se = Recipe::default();
        assert_eq!(parameters(&resnet_se, 10), 2_819_370);
        assert_eq!(
            parameters(
                &Recipe {
                    se_reduction: 8,
                    ..resnet_se.clone()
                },
                10
            ),
            2_841_130
        );
        assert_eq!(
            parameters(
                &Recipe {
                    use_se: false,
                    ..resnet_se
                },
                10
            ),
            2_797_610
        );
    }

    /// By hand, for a network of one channel and one block a stage without squeezes.
    #[test]
    fn memory_is_counted_map_by_map() {
        let recipe = Recipe {
            width: 1,
            blocks: 1,
            use_se: false,
            batch_size: 6,
            gradient_accumulation: 2,
            precision: Precision::Float32,
            ..Recipe::default()
        };
        let (first, second, third, fourth) = (1024, 512, 256, 128);
        let stem = 3 * 1024 + 2 * first;
        let blocks = 4 * (first + second + third + fourth);
        let beside = second / 2 + second + third / 2 + third + fourth / 2 + fourth;
        let found = memory(&recipe, 10);
        assert_eq!(
            found.activations,
            3 * 4 * (stem + blocks + beside + 4 * first)
        );
        assert_eq!(found.weights, 4 * parameters(&recipe, 10));
        assert_eq!(found.optimiser, 2 * found.weights);
        let averaged = Recipe {
            ema_decay: 0.9,
            precision: Precision::Bfloat16,
            ..recipe.clone()
        };
        let half = memory(&averaged, 10);
        assert_eq!(half.weights, 2 * found.weights);
        let cast = 2 * parameters(&recipe, 10);
        assert_eq!(half.activations, found.activations / 2 + cast);
    }
}
