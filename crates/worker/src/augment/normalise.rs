//! From bytes to what the network takes.

use tch::{Kind, Tensor};

use crate::device::Compute;

/// Mean and standard deviation of CIFAR-10's channels, on pixels in 0 to 1.
const MEAN: [f32; 3] = [0.4914, 0.4822, 0.4465];
const STD: [f32; 3] = [0.2023, 0.1994, 0.2010];

/// Turns bytes into what the network takes: each channel with mean 0 and deviation 1, in the
/// precision and memory order of its `compute`.
#[derive(Debug)]
pub struct Normaliser {
    compute: Compute,
    /// 1 x 3 x 1 x 1, on the scale of bytes. Made once: a copy to a GPU would make every step wait
    /// for the one before.
    mean: Tensor,
    std: Tensor,
}

impl Normaliser {
    /// For images on the device of `compute`.
    pub fn new(compute: Compute) -> Self {
        let channels = |values: [f32; 3]| {
            (Tensor::from_slice(&values) * 255.0)
                .view([1, 3, 1, 1])
                .to_device(compute.device)
        };
        Self {
            compute,
            mean: channels(MEAN),
            std: channels(STD),
        }
    }

    /// N x 3 x H x W bytes, or floats on their scale, to as many numbers.
    pub fn normalise(&self, images: &Tensor) -> Tensor {
        self.compute
            .arrange(&((images.to_kind(Kind::Float) - &self.mean) / &self.std))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn normalised_pixels_follow_the_published_constants() {
        let images = Tensor::full([1, 3, 2, 2], 255, (Kind::Uint8, Device::Cpu));
        let normalised = Normaliser::new(Compute::float32_cpu()).normalise(&images);
        assert_eq!(normalised.kind(), Kind::Float);
        for channel in 0..3 {
            let expected = (1.0 - f64::from(MEAN[channel])) / f64::from(STD[channel]);
            let found = normalised.double_value(&[0, channel as i64, 1, 1]);
            assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
        }
    }
}
