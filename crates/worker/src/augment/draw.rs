//! Draws for each image, made on the CPU from libtorch's generator: what is drawn decides which
//! operations run, and a step must not wait for a GPU to find out.

use tch::{Device, Kind, Tensor};

const REAL: (Kind, Device) = (Kind::Double, Device::Cpu);

/// `count` numbers, evenly from `low` (inclusive) to `high` (exclusive).
pub fn uniform(count: usize, low: f64, high: f64) -> Vec<f64> {
    let drawn = Tensor::rand([count as i64], REAL) * (high - low) + low;
    Vec::try_from(drawn).unwrap_or_default()
}

/// `count` whole numbers, evenly from `low` (inclusive) to `high` (exclusive).
pub fn whole(count: usize, low: i64, high: i64) -> Vec<i64> {
    let drawn = Tensor::randint_low(low, high, [count as i64], (Kind::Int64, Device::Cpu));
    Vec::try_from(drawn).unwrap_or_default()
}

/// `count` answers, each yes with probability `chance`.
pub fn yes(count: usize, chance: f64) -> Vec<bool> {
    uniform(count, 0.0, 1.0)
        .into_iter()
        .map(|drawn| drawn < chance)
        .collect()
}

/// `count` draws from Beta(`alpha`, `alpha`): the share of one of two gamma draws in their sum.
pub fn beta(count: usize, alpha: f64) -> Vec<f64> {
    let gamma = || Tensor::full([count as i64], alpha, REAL).internal_standard_gamma();
    let (one, other) = (gamma(), gamma());
    // Both may round to 0 where alpha is small.
    let sum = (&one + other).clamp_min(f64::MIN_POSITIVE);
    Vec::try_from(one / sum).unwrap_or_default()
}

/// The numbers below `count` in some order.
pub fn order(count: usize) -> Vec<i64> {
    let drawn = Tensor::randperm(count as i64, (Kind::Int64, Device::Cpu));
    Vec::try_from(drawn).unwrap_or_default()
}

/// A value for each image, as a float32 tensor N x 1 x 1 x 1 that goes with images on `device`.
pub fn each_image(values: &[f64], device: Device) -> Tensor {
    Tensor::from_slice(values)
        .to_kind(Kind::Float)
        .view([-1, 1, 1, 1])
        .to_device(device)
}

/// Replaces the images with the numbers in `chosen` by what `change` makes of them.
pub fn change_some(
    images: Tensor,
    chosen: &[i64],
    change: impl FnOnce(&Tensor) -> Tensor,
) -> Tensor {
    if chosen.is_empty() {
        return images;
    }
    if chosen.len() as i64 == images.size()[0] {
        return change(&images);
    }
    let index = Tensor::from_slice(chosen).to_device(images.device());
    let changed = change(&images.index_select(0, &index));
    images.index_copy(0, &index, &changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::one_at_a_time;

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn draws_have_their_distributions() {
        let _guard = one_at_a_time();
        tch::manual_seed(1);
        let drawn = uniform(4000, -2.0, 6.0);
        assert!(drawn.iter().all(|value| (-2.0..6.0).contains(value)));
        assert!((mean(&drawn) - 2.0).abs() < 0.15, "{}", mean(&drawn));
        let drawn = whole(4000, -1, 3);
        for value in -1..3 {
            let count = drawn.iter().filter(|drawn| **drawn == value).count();
            assert!((850..1150).contains(&count), "{value}: {count}");
        }
        let count = yes(4000, 0.3).into_iter().filter(|yes| *yes).count();
        assert!((1080..1320).contains(&count), "{count}");
        // Beta(a, a) has the variance 1 / (4 (2a + 1)).
        for alpha in [0.2, 1.0, 4.0] {
            let drawn = beta(6000, alpha);
            assert!(drawn.iter().all(|value| (0.0..=1.0).contains(value)));
            let squares: Vec<f64> = drawn.iter().map(|value| (value - 0.5).powi(2)).collect();
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!(
                (mean(&squares) / expected - 1.0).abs() < 0.1,
                "{alpha}: {}",
                mean(&squares)
            );
            assert!(
                (mean(&drawn) - 0.5).abs() < 0.03,
                "{alpha}: {}",
                mean(&drawn)
            );
        }
        let mut drawn = order(50);
        assert_ne!(drawn, (0..50).collect::<Vec<_>>());
        drawn.sort_unstable();
        assert_eq!(drawn, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn only_the_chosen_images_change() {
        let _turn = crate::random::one_at_a_time();
        let images = Tensor::arange(4, (Kind::Float, Device::Cpu)).view([4, 1, 1, 1]);
        let add = |images: &Tensor| images + 10.0;
        let changed = change_some(images.copy(), &[3, 1], add).view(-1);
        assert_eq!(changed, Tensor::from_slice(&[0.0_f32, 11.0, 2.0, 13.0]));
        assert_eq!(change_some(images.copy(), &[], add), images);
        assert_eq!(
            change_some(images.copy(), &[0, 1, 2, 3], add),
            images + 10.0
        );
    }
}
