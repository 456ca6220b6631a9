//! The network's tensors under `PyTorch`'s state-dict names, in `PyTorch`'s order. The names are
//! the contract for checkpoints: a file written here loads into the Python network of the same
//! shape, and the other way round.

use tch::{Device, Kind, Tensor, no_grad};

/// The role of a tensor of the state dict in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Changed by the optimiser.
    Parameter,
    /// Changed by the forward pass (the statistics of a batch norm).
    Buffer,
}

/// One named tensor; it shares its memory with the layer that uses it.
#[derive(Debug)]
pub struct Entry {
    pub name: String,
    pub tensor: Tensor,
    pub role: Role,
}

/// A copy of the batch norms' statistics.
#[derive(Debug)]
pub struct Statistics(Vec<(Tensor, Tensor)>);

impl Statistics {
    /// Takes the network's statistics back to this copy where `is_good`, one boolean on the device,
    /// is false.
    pub fn restore_unless(self, is_good: &Tensor) {
        no_grad(|| {
            for (mut live, copy) in self.0 {
                live.copy_(&live.where_self(is_good, &copy));
            }
        });
    }
}

/// The named tensors of a network, filled while its layers are made.
#[derive(Debug)]
pub struct StateDict {
    device: Device,
    entries: Vec<Entry>,
}

impl StateDict {
    /// An empty state dict for a network that will live on `device`.
    pub fn new(device: Device) -> Self {
        Self {
            device,
            entries: Vec::new(),
        }
    }

    /// The batch norms' statistics as they are now, each beside the tensor it is of.
    pub fn copy_statistics(&self) -> Statistics {
        let buffers = self
            .entries
            .iter()
            .filter(|entry| entry.role == Role::Buffer && entry.tensor.is_floating_point());
        Statistics(
            buffers
                .map(|entry| (entry.tensor.shallow_clone(), entry.tensor.copy()))
                .collect(),
        )
    }

    /// Adds a tensor that is trained: a copy of `initial` on the device.
    pub fn parameter(&mut self, name: String, initial: &Tensor) -> Tensor {
        let tensor = initial
            .detach()
            .copy()
            .to_device(self.device)
            .set_requires_grad(true);
        self.add(name, tensor, Role::Parameter)
    }

    /// Adds a tensor that the forward pass keeps: a copy of `initial` on the device.
    pub fn buffer(&mut self, name: String, initial: &Tensor) -> Tensor {
        let tensor = initial.detach().copy().to_device(self.device);
        self.add(name, tensor, Role::Buffer)
    }

    /// Adds a count that starts at 0. It stays in host memory on every device: no kernel reads it.
    pub fn counter(&mut self, name: String) -> Tensor {
        self.add(
            name,
            Tensor::zeros([0; 0], (Kind::Int64, Device::Cpu)),
            Role::Buffer,
        )
    }

    fn add(&mut self, name: String, tensor: Tensor, role: Role) -> Tensor {
        let shared = tensor.shallow_clone();
        self.entries.push(Entry { name, tensor, role });
        shared
    }

    /// Every tensor in `PyTorch`'s order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Name and tensor of all that is trained.
    pub fn parameters(&self) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.role == Role::Parameter)
    }

    /// The number of trained values.
    pub fn parameter_count(&self) -> u64 {
        self.parameters()
            .map(|entry| entry.tensor.numel() as u64)
            .sum()
    }
}
