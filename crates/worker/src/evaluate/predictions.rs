//! All predictions of an evaluation, in host memory.

use std::time::Instant;

use tch::{Device, Tensor};

use crate::error::WorkerError;

/// The averaged logits of every image, in order.
#[derive(Debug)]
pub struct Predictions {
    pub classes: usize,
    /// N x classes.
    pub logits: Vec<f32>,
    /// How long they took.
    pub seconds: f64,
    began: Instant,
}

impl Predictions {
    /// None yet; the clock runs from now.
    pub fn begin() -> Self {
        Self {
            classes: 0,
            logits: Vec::new(),
            seconds: 0.0,
            began: Instant::now(),
        }
    }

    /// Adds a batch: N x classes in float32. Waits for the device.
    pub fn add(&mut self, logits: &Tensor) {
        let logits = logits.to_device(Device::Cpu).contiguous();
        self.classes = logits.size()[1] as usize;
        let begin = self.logits.len();
        self.logits.resize(begin + logits.numel(), 0.0);
        let count = logits.numel();
        logits.copy_data(&mut self.logits[begin..], count);
    }

    /// Stops the clock.
    pub fn end(&mut self) {
        self.seconds = self.began.elapsed().as_secs_f64();
    }

    /// The number of images.
    pub fn count(&self) -> usize {
        self.logits.len() / self.classes.max(1)
    }

    /// The logits of each image.
    pub fn each(&self) -> impl Iterator<Item = &[f32]> {
        self.logits.chunks_exact(self.classes.max(1))
    }

    /// Refuses answers that are no numbers: a network that diverged has no opinion.
    pub fn check(&self) -> Result<(), WorkerError> {
        let broken = self
            .each()
            .filter(|logits| !logits.iter().all(|logit| logit.is_finite()));
        match broken.count() {
            0 => Ok(()),
            count => Err(WorkerError::Refused(format!(
                "the network's answers to {count} of {} images are no numbers, so nothing was written; evaluate a checkpoint from before it \
                 diverged",
                self.count()
            ))),
        }
    }
}
