//! Where randomness comes from: the recipe's seed alone. libtorch's generator is seeded for every
//! step from the seed, the epoch and the step, so that no generator state needs saving and a
//! resumed run draws what it would have drawn.

use tch::{Device, Kind, Tensor};

/// What is drawn. Each has seeds of its own, so that a change in one leaves the others as they
/// were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// The initial weights.
    Weights,
    /// The order of the training images in an epoch (counted from 1).
    Order { epoch: u32 },
    /// Augmentation and dropout of a step (counted from 0 in its epoch).
    Step { epoch: u32, step: u32 },
    /// Augmentation of a block of steps (counted from 0 in its epoch) that have it together.
    Block { epoch: u32, block: u32 },
}

/// Seeds libtorch's generators, of every device, for what is drawn next.
pub fn seed_for(seed: u64, draw: Draw) {
    let (kind, epoch, step) = match draw {
        Draw::Weights => (0, 0, 0),
        Draw::Order { epoch } => (1, epoch, 0),
        Draw::Step { epoch, step } => (2, epoch, step),
        Draw::Block { epoch, block } => (3, epoch, block),
    };
    let mixed = [kind, u64::from(epoch), u64::from(step)]
        .iter()
        .fold(scramble(seed), |state, part| scramble(state ^ part));
    tch::manual_seed(mixed.cast_signed());
}

/// The order in which an epoch visits `count` images, on `device`. Drawn on the CPU: the same on
/// every device.
pub fn epoch_order(seed: u64, epoch: u32, count: i64, device: Device) -> Tensor {
    seed_for(seed, Draw::Order { epoch });
    Tensor::randperm(count, (Kind::Int64, Device::Cpu)).to_device(device)
}

/// The output function of `SplitMix64` (Steele, Lea and Flood 2014): neighbouring inputs give
/// unrelated outputs.
pub fn scramble(input: u64) -> u64 {
    let mut z = input.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// libtorch's generator is one for the process: tests that draw, or make networks, hold this while
/// they do.
#[cfg(test)]
pub fn one_at_a_time() -> std::sync::MutexGuard<'static, ()> {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    TURN.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_draws(seed: u64, draw: Draw) -> Vec<i64> {
        seed_for(seed, draw);
        Vec::try_from(Tensor::randint(1 << 40, [4], (Kind::Int64, Device::Cpu))).unwrap()
    }

    #[test]
    fn a_step_draws_the_same_whatever_was_drawn_before_it() {
        let _guard = one_at_a_time();
        let step = Draw::Step { epoch: 3, step: 7 };
        let draws = first_draws(5, step);
        let _ = first_draws(5, Draw::Weights);
        assert_eq!(first_draws(5, step), draws);
    }

    #[test]
    fn neighbouring_steps_epochs_and_seeds_draw_differently() {
        let _guard = one_at_a_time();
        let mut all: Vec<Vec<i64>> = Vec::new();
        for seed in 0..3 {
            for epoch in 1..4 {
                all.push(first_draws(seed, Draw::Order { epoch }));
                all.extend((0..4).map(|step| first_draws(seed, Draw::Step { epoch, step })));
            }
        }
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn an_epochs_order_visits_every_image_once() {
        let _guard = one_at_a_time();
        let mut order: Vec<i64> = Vec::try_from(epoch_order(1, 2, 100, Device::Cpu)).unwrap();
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
