//! How many steps an epoch has: needed before there is any data, for schedules and for the
//! questions of scripts.

use super::schema::Recipe;

/// The `data_dir` of the images that the worker draws itself.
pub const SYNTHETIC: &str = "synthetic";
/// Training images that the worker draws for [`SYNTHETIC`] before `max_train_images` is applied.
pub const SYNTHETIC_TRAIN_IMAGES: u64 = 8_000;
/// Validation images that the worker draws for [`SYNTHETIC`] before `max_val_images` is applied.
pub const SYNTHETIC_VAL_IMAGES: u64 = 2_000;

impl Recipe {
    /// Training images of the recipe's data set, where the recipe alone determines it.
    pub fn known_train_images(&self) -> Option<u64> {
        (self.data_dir == SYNTHETIC).then_some(SYNTHETIC_TRAIN_IMAGES)
    }

    /// Training images that an epoch goes through, of a data set that has `images`.
    pub fn used_train_images(&self, images: u64) -> u64 {
        match self.max_train_images {
            0 => images,
            most => images.min(u64::from(most)),
        }
    }

    /// Steps of an epoch over `images` training images; the last one may have fewer images than
    /// `batch_size`.
    pub fn steps_per_epoch(&self, images: u64) -> u64 {
        images.div_ceil(u64::from(self.batch_size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_batch_is_not_dropped_and_the_limit_holds() {
        let recipe = Recipe {
            max_train_images: 0,
            batch_size: 128,
            ..Recipe::default()
        };
        // The reference's split: 312 whole batches and half of one.
        assert_eq!(
            recipe.steps_per_epoch(recipe.used_train_images(40_000)),
            313
        );
        let few = Recipe {
            max_train_images: 256,
            ..recipe
        };
        assert_eq!(few.steps_per_epoch(few.used_train_images(40_000)), 2);
        assert_eq!(few.used_train_images(100), 100);
    }
}
