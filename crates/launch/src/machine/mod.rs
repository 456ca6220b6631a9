//! The machine that this program runs on: what of its processors, memory and GPUs is in use, in all
//! and by some of its processes.

pub mod choose;
mod descendants;
mod gpus;
mod meter;

pub use gpus::{Gpu, Gpus};
pub use meter::{GpuShare, Meter, Reading, Usage};
