//! The size of a recipe's network, known without libtorch.

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
            // The first block of a later stage halves the image and changes the channels: a 1x1 convolution beside it.
            if block == 0 && stage > 0 {
                total += convolution(from, to, 1) + batch_norm(to);
            }
            from = to;
        }
    }
    total + from * classes + classes
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
}
