//! Where and in what precision the arithmetic is done: the recipe's wishes and what this machine
//! has, made into one choice.

use std::path::Path;
use tch::{Device, Kind, Tensor};

use traintop_disk::read;
use traintop_recipe::{ChannelsLast, DeviceChoice, Precision, Recipe};

use super::cuda::{self, Cuda};

/// How tensors are computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compute {
    pub device: Device,
    /// Of images and features; weights, loss and gradients are float32.
    pub kind: Kind,
    /// Whether images are stored as N x H x W x C.
    pub channels_last: bool,
    /// Of libtorch's arithmetic on the CPU.
    pub threads: u32,
}

/// The requested device is missing.
#[derive(Debug, thiserror::Error)]
#[error(
    "device = \"cuda\" cannot be used: {reason}; set device = \"cpu\" or \"auto\" to train without"
)]
pub struct NoCuda {
    reason: String,
}

impl Compute {
    /// Decides what the recipe leaves to this machine, loads CUDA if it is wanted, and sets
    /// libtorch's number of threads. A run that began with `threads_before` threads resumes with as
    /// many, so that its sums end in the same digits.
    pub fn choose(recipe: &Recipe, threads_before: Option<u32>) -> Result<Self, NoCuda> {
        let device = match recipe.device {
            DeviceChoice::Cpu => Device::Cpu,
            choice @ (DeviceChoice::Auto | DeviceChoice::Cuda) => match cuda::load() {
                Cuda::Ready => Device::Cuda(0),
                Cuda::Absent(reason) if choice == DeviceChoice::Cuda => {
                    return Err(NoCuda { reason });
                }
                Cuda::Absent(_) => Device::Cpu,
            },
        };
        let available = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
        let threads = match recipe.num_threads {
            0 => threads_before.unwrap_or(available),
            choice => choice,
        };
        tch::set_num_threads(threads.cast_signed());
        let fast_bfloat16 = if device.is_cuda() {
            convolves_bfloat16(device)
        } else {
            multiplies_bfloat16(&cpu_flags())
        };
        let kind = match recipe.precision {
            Precision::Bfloat16 => Kind::BFloat16,
            Precision::Auto if fast_bfloat16 => Kind::BFloat16,
            Precision::Auto | Precision::Float32 => Kind::Float,
        };
        Ok(Self {
            device,
            kind,
            channels_last: recipe.channels_last != ChannelsLast::Never,
            threads,
        })
    }

    /// Float32 images in the precision and memory order of this choice.
    pub fn arrange(&self, images: &Tensor) -> Tensor {
        let images = images.to_kind(self.kind);
        if self.channels_last {
            images
                .permute([0, 2, 3, 1])
                .contiguous()
                .permute([0, 3, 1, 2])
        } else {
            images
        }
    }
}

impl std::fmt::Display for Compute {
    /// `cpu, bfloat16, channels-last, 2 threads`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.device.is_cuda() { "cuda" } else { "cpu" })?;
        f.write_str(if self.kind == Kind::BFloat16 {
            ", bfloat16"
        } else {
            ", float32"
        })?;
        f.write_str(if self.channels_last {
            ", channels-last"
        } else {
            ""
        })?;
        let plural = if self.threads == 1 { "" } else { "s" };
        write!(f, ", {} thread{plural}", self.threads)
    }
}

/// Whether a GPU has a bfloat16 convolution at all; those before Ampere may not.
fn convolves_bfloat16(device: Device) -> bool {
    let [images, weight] =
        [[1, 8, 8, 8], [8, 8, 3, 3]].map(|size| Tensor::zeros(size, (Kind::BFloat16, device)));
    images
        .f_conv2d(&weight, None::<Tensor>, [1], [1], [1], 1)
        .is_ok()
}

/// Whether the processor multiplies bfloat16 in hardware; without it, casts only cost time.
fn multiplies_bfloat16(flags: &str) -> bool {
    flags
        .split_whitespace()
        .any(|flag| matches!(flag, "amx_bf16" | "avx512_bf16"))
}

fn cpu_flags() -> String {
    let cpuinfo = read::text(Path::new("/proc/cpuinfo"), read::RECORD_LIMIT).unwrap_or_default();
    cpuinfo
        .lines()
        .find(|line| line.starts_with("flags"))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
impl Compute {
    /// The plainest choice.
    pub fn float32_cpu() -> Self {
        Self {
            device: Device::Cpu,
            kind: Kind::Float,
            channels_last: false,
            threads: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bfloat16_is_chosen_where_the_processor_multiplies_it() {
        assert!(multiplies_bfloat16(
            "flags\t\t: fpu avx512f avx512_bf16 sha_ni"
        ));
        assert!(multiplies_bfloat16("flags : amx_bf16 amx_tile"));
        assert!(!multiplies_bfloat16("flags : fpu avx2 avx512f avx512bw"));
        assert!(!multiplies_bfloat16(""));
    }

    #[test]
    fn channels_last_changes_the_order_in_memory_and_not_the_values() {
        let images = Tensor::arange(24, (Kind::Float, Device::Cpu)).view([1, 3, 2, 4]);
        let arranged = Compute {
            channels_last: true,
            ..Compute::float32_cpu()
        }
        .arrange(&images);
        assert_eq!(arranged.size(), images.size());
        assert_eq!(arranged.stride(), [24, 1, 12, 3]);
        assert_eq!(arranged, images);
    }
}
