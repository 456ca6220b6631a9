//! The network: what its tensors are called, the layers it is made of, and the `ResNet` itself.

mod deduce;
pub mod layers;
pub mod resnet;
pub mod state_dict;

pub use resnet::{ResNet, Shape};
#[cfg(test)]
pub use state_dict::Entry;
pub use state_dict::{Role, StateDict};

/// Whether a forward pass is part of training: batch statistics and dropout, or running statistics
/// and none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Train,
    Evaluate,
}
