//! Images for the steps that come. A GPU is done with a batch of small images sooner than the next
//! operation on them can be started: there the images of several steps are augmented together,
//! which takes hardly longer than those of one. On a CPU, where the work itself takes the time,
//! each step has its own.

use tch::{Device, Tensor};

use super::random::{self, Draw};

/// Steps whose images are made together on a GPU.
const STEPS_ON_GPU: u32 = 8;

/// Makes images for this many steps at a time, and keeps those of the steps to come.
#[derive(Debug)]
pub struct AugmentedBlocks {
    steps: u32,
    ready: Option<Block>,
}

/// A step of a run.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The run's seed.
    pub seed: u64,
    /// Its epoch, counted from 1.
    pub epoch: u32,
    /// Its number in the epoch, counted from 0.
    pub step: u32,
    /// Images of a step; the epoch's last may have fewer.
    pub batch_size: i64,
}

/// Images and labels of some steps in a row.
#[derive(Debug)]
struct Block {
    epoch: u32,
    number: u32,
    images: Tensor,
    labels: Tensor,
}

impl AugmentedBlocks {
    /// As suits the device.
    pub fn on(device: Device) -> Self {
        let steps = if device.is_cuda() { STEPS_ON_GPU } else { 1 };
        Self { steps, ready: None }
    }

    /// Images and labels of a step. `make` is called for those of a batch, by its number and size,
    /// if they are missing. What is drawn after that has a seed of its own, so that all follows
    /// from the place: a run that resumes in the middle of a block draws the same as one that was
    /// never stopped.
    pub fn images(
        &mut self,
        place: Place,
        make: impl FnOnce(u32, i64) -> (Tensor, Tensor),
    ) -> (Tensor, Tensor) {
        let Place {
            seed,
            epoch,
            step,
            batch_size,
        } = place;
        let own = Draw::Step { epoch, step };
        if self.steps == 1 {
            random::seed_for(seed, own);
            return make(step, batch_size);
        }
        let number = step / self.steps;
        let is_it = |block: &Block| (block.epoch, block.number) == (epoch, number);
        let block = self.ready.take().filter(is_it).unwrap_or_else(|| {
            let block = number;
            random::seed_for(seed, Draw::Block { epoch, block });
            let (images, labels) = make(number, batch_size * i64::from(self.steps));
            Block {
                epoch,
                number,
                images,
                labels,
            }
        });
        random::seed_for(seed, own);
        let start = i64::from(step % self.steps) * batch_size;
        let length = batch_size.min(block.labels.size()[0] - start);
        let [images, labels] =
            [&block.images, &block.labels].map(|all| all.narrow(0, start, length));
        self.ready = Some(block);
        (images, labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::one_at_a_time;
    use tch::Kind;

    const CPU: (Kind, Device) = (Kind::Float, Device::Cpu);

    /// What steps of an epoch of 23 images get, and the first number that each draws after that.
    fn epoch(
        augmented: &mut AugmentedBlocks,
        steps: std::ops::Range<u32>,
    ) -> Vec<(Vec<f32>, Vec<i64>, f64)> {
        let step = |step| {
            let place = Place {
                seed: 7,
                epoch: 3,
                step,
                batch_size: 2,
            };
            let (images, labels) = augmented.images(place, |number, size| {
                let start = i64::from(number) * size;
                let labels = Tensor::arange(23, (Kind::Int64, Device::Cpu));
                let labels = labels.narrow(0, start, size.min(23 - start));
                (Tensor::rand([labels.size()[0]], CPU), labels)
            });
            let after = Tensor::rand([1], CPU).double_value(&[0]);
            let [images, labels] = [images, labels].map(|tensor| tensor.contiguous());
            (
                Vec::try_from(images).unwrap(),
                Vec::try_from(labels).unwrap(),
                after,
            )
        };
        steps.map(step).collect()
    }

    #[test]
    fn a_run_that_continues_within_a_block_gets_the_same_images() {
        let _turn = one_at_a_time();
        let fresh = |steps| AugmentedBlocks { steps, ready: None };
        for together in [1, 5, 8] {
            let whole = epoch(&mut fresh(together), 0..12);
            for first in 0..12 {
                let rest = epoch(&mut fresh(together), first..12);
                assert_eq!(rest, whole[first as usize..], "{together} {first}");
            }
            let labels: Vec<i64> = whole
                .iter()
                .flat_map(|(_, labels, _)| labels.clone())
                .collect();
            assert_eq!(labels, (0..23).collect::<Vec<i64>>());
        }
    }

    #[test]
    fn steps_have_draws_of_their_own_however_many_are_made_together() {
        let _turn = one_at_a_time();
        let [one, five] =
            [1, 5].map(|steps| epoch(&mut AugmentedBlocks { steps, ready: None }, 0..12));
        // One by one, what comes after is drawn on with the seed that made the images.
        for (number, (images, ..)) in one.iter().enumerate() {
            random::seed_for(
                7,
                Draw::Step {
                    epoch: 3,
                    step: number as u32,
                },
            );
            let drawn: Vec<f32> = Vec::try_from(Tensor::rand([images.len() as i64], CPU)).unwrap();
            assert_eq!(*images, drawn);
        }
        let mut all: Vec<u32> = five
            .iter()
            .flat_map(|(images, ..)| images.iter().map(|value| value.to_bits()))
            .collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 23);
    }
}
