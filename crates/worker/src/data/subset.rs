//! Fair parts of a split: the same number of images of each class, chosen by a seed.

use std::path::Path;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use traintop_recipe::{Recipe, ValSplit};

use super::{DataError, Dataset, Found, Split};

/// Puts numbers into a random order (Fisher and Yates).
pub fn shuffle(numbers: &mut [usize], random: &mut ChaCha8Rng) {
    for at in (1..numbers.len()).rev() {
        let other = (random.next_u64() % (at as u64 + 1)) as usize;
        numbers.swap(at, other);
    }
}

/// The images of each class, each class in a random order.
pub fn shuffled_classes(labels: &[i64], seed: u64) -> Vec<Vec<usize>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let classes = labels.iter().max().map_or(0, |most| *most as usize + 1);
    let mut by_class = vec![Vec::new(); classes];
    for (number, label) in labels.iter().enumerate() {
        by_class[*label as usize].push(number);
    }
    for class in &mut by_class {
        shuffle(class, &mut random);
    }
    by_class
}

/// Which training images validate.
#[derive(Debug, Clone, Copy)]
pub struct Holding {
    /// The part of each class that is held out.
    pub fraction: f64,
    /// Whether it is also where the data name a validation set.
    pub is_forced: bool,
    pub seed: u64,
}

impl Holding {
    pub fn of(recipe: &Recipe) -> Self {
        Self {
            fraction: recipe.val_fraction,
            is_forced: recipe.val_split == ValSplit::Seeded,
            seed: recipe.seed,
        }
    }
}

/// The data set of what was found in `place`: with the validation images that the data name, or,
/// where they name none or it is demanded, with a part of each class held out, drawn by a seed.
///
/// # Errors
/// If a class has too few images for its part.
pub fn hold_out(place: &Path, found: Found, holding: Holding) -> Result<Dataset, DataError> {
    let Found {
        mut train,
        val,
        test,
        classes,
    } = found;
    if let Some(val) = val {
        if !holding.is_forced {
            return Ok(Dataset {
                train,
                val,
                test,
                classes,
            });
        }
        train.extend(val);
    }
    let fraction = holding.fraction;
    let (mut kept, mut held) = (Vec::new(), Vec::new());
    for class in shuffled_classes(&train.labels, holding.seed) {
        let count = (class.len() as f64 * fraction).round() as usize;
        if !class.is_empty() && (count == 0 || count == class.len()) {
            let what = format!(
                "a class of {} images cannot be split by val_fraction {fraction}; add images or change it",
                class.len()
            );
            return Err(DataError::wrong(place, what));
        }
        held.extend_from_slice(&class[..count]);
        kept.extend_from_slice(&class[count..]);
    }
    kept.sort_unstable();
    held.sort_unstable();
    let val = train.pick(&held);
    train.keep(&kept);
    Ok(Dataset {
        train,
        val,
        test,
        classes,
    })
}

/// At most `most` images (0: all), class by class in turn so that each has its share, in their old
/// order.
pub fn limited(mut split: Split, most: usize, seed: u64) -> Split {
    let total = split.labels.len();
    if most == 0 || most >= total {
        return split;
    }
    let by_class = shuffled_classes(&split.labels, seed);
    let longest = by_class.iter().map(Vec::len).max().unwrap_or(0);
    let in_turn =
        (0..longest).flat_map(|round| by_class.iter().filter_map(move |class| class.get(round)));
    let mut kept: Vec<usize> = in_turn.copied().take(most).collect();
    kept.sort_unstable();
    split.keep(&kept);
    split
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limited_split_has_its_share_of_each_class_and_depends_on_the_seed_alone() {
        let labels: Vec<i64> = (0..100).map(|number| i64::from(number >= 50)).collect();
        let images = (0..100).flat_map(|number| [number; 3]).collect();
        let split = Split {
            images,
            labels,
            height: 1,
            width: 1,
        };
        let few = limited(split.clone(), 10, 1);
        assert_eq!(few.labels.iter().filter(|label| **label == 0).count(), 5);
        assert_eq!(few.images.len(), 30);
        assert_eq!(few, limited(split.clone(), 10, 1));
        assert_ne!(few, limited(split.clone(), 10, 2));
        assert_eq!(limited(split.clone(), 0, 1), split);
    }
}
