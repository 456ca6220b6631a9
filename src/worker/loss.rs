//! What training minimises and what is counted along the way.

use std::time::Instant;

use tch::{Device, Kind, Reduction, Tensor, no_grad};

/// libtorch's mark for labels that do not count; no label of ours is negative.
const NO_LABEL: i64 = -100;

/// The mean cross-entropy of a batch, where each target gives `smoothing` of its weight evenly to all classes
/// (Szegedy et al. 2015, arXiv:1512.00567). The reference uses it in validation too, and so do we.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor, smoothing: f64) -> Tensor {
    logits.cross_entropy_loss(labels, None::<Tensor>, Reduction::Mean, NO_LABEL, smoothing)
}

/// Sums over images, as plain numbers, and the time they took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    pub loss: f64,
    pub correct: i64,
    pub images: i64,
    pub seconds: f64,
    /// Images that were left out because their loss was no number.
    pub skipped: i64,
}

impl Sums {
    /// Mean loss of an image; NaN of none.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.images as f64
    }

    /// Right answers in percent; NaN of none.
    pub fn accuracy_percent(&self) -> f64 {
        100.0 * self.correct as f64 / self.images as f64
    }

    /// Images a second; 0 of none.
    pub fn images_per_s(&self) -> f64 {
        if self.seconds > 0.0 {
            self.images as f64 / self.seconds
        } else {
            0.0
        }
    }
}

impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.loss += other.loss;
        self.correct += other.correct;
        self.images += other.images;
        self.seconds += other.seconds;
        self.skipped += other.skipped;
    }
}

/// Sums that stay on the device while batches are added, so that a step waits for nothing.
#[derive(Debug)]
pub struct Tally {
    loss: Tensor,
    correct: Tensor,
    images: i64,
    skipped: Tensor,
    seconds_before: f64,
    since: Instant,
}

impl Tally {
    /// Goes on from `sums`; the clock runs from now.
    pub fn from(sums: &Sums, device: Device) -> Self {
        Self {
            loss: Tensor::from(sums.loss).to_device(device),
            correct: Tensor::from(sums.correct).to_device(device),
            images: sums.images,
            skipped: Tensor::from(sums.skipped).to_device(device),
            seconds_before: sums.seconds,
            since: Instant::now(),
        }
    }

    /// Adds a batch with the mean loss `loss`.
    pub fn add(&mut self, loss: &Tensor, logits: &Tensor, labels: &Tensor) {
        let count = labels.size()[0];
        no_grad(|| {
            self.loss += loss.detach().to_kind(Kind::Double) * count as f64;
            self.correct += logits.argmax(1, false).eq_tensor(labels).sum(Kind::Int64);
        });
        self.images += count;
    }

    /// Adds a batch whose loss may be no number: then it counts as skipped only. Waits for nothing either.
    pub fn add_unless_skipped(&mut self, loss: &Tensor, logits: &Tensor, labels: &Tensor) {
        let count = labels.size()[0];
        no_grad(|| {
            let is_number = loss.isfinite();
            let summed = loss.detach().to_kind(Kind::Double) * count as f64;
            self.loss += summed.where_self(&is_number, &summed.zeros_like());
            let correct = logits.argmax(1, false).eq_tensor(labels).sum(Kind::Int64);
            self.correct += correct * &is_number;
            self.skipped += is_number.logical_not().to_kind(Kind::Int64) * count;
        });
        self.images += count;
    }

    /// Images a second since the sums were begun, without waiting for the device.
    pub fn images_per_s(&self) -> f64 {
        self.images as f64 / self.seconds()
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.since.elapsed().as_secs_f64()
    }

    /// Waits for the device and reads the sums.
    pub fn read(&self) -> Sums {
        let skipped = self.skipped.int64_value(&[]);
        Sums {
            loss: self.loss.double_value(&[]),
            correct: self.correct.int64_value(&[]),
            images: self.images - skipped,
            skipped,
            // Last: reading the others waits for the device.
            seconds: self.seconds(),
        }
    }

    /// Reads the sums and begins anew.
    pub fn take(&mut self) -> Sums {
        let sums = self.read();
        *self = Self::from(&Sums::default(), self.loss.device());
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_gives_every_class_its_share_of_the_target() {
        let scores = [[2.0_f64, -1.0, 0.5], [0.1, 0.2, 0.3]];
        let labels = [0_usize, 2];
        for smoothing in [0.0, 0.1, 0.3] {
            let mut expected = 0.0;
            for (row, label) in scores.iter().zip(labels) {
                let normaliser = row.iter().map(|score| score.exp()).sum::<f64>().ln();
                for (class, score) in row.iter().enumerate() {
                    let target =
                        smoothing / 3.0 + if class == label { 1.0 - smoothing } else { 0.0 };
                    expected -= target * (score - normaliser) / 2.0;
                }
            }
            let logits = Tensor::from_slice2(&scores);
            let loss = cross_entropy(&logits, &Tensor::from_slice(&[0_i64, 2]), smoothing)
                .double_value(&[]);
            assert!(
                (loss - expected).abs() < 1e-12,
                "at {smoothing}: {loss} is not {expected}"
            );
        }
    }

    #[test]
    fn a_tally_weights_batches_by_their_size() {
        let mut tally = Tally::from(&Sums::default(), Device::Cpu);
        let logits = Tensor::from_slice2(&[[1.0_f32, 0.0], [0.0, 1.0], [1.0, 0.0]]);
        tally.add(
            &Tensor::from(2.0_f32),
            &logits,
            &Tensor::from_slice(&[0_i64, 0, 0]),
        );
        tally.add(
            &Tensor::from(6.0_f32),
            &logits.narrow(0, 0, 1),
            &Tensor::from_slice(&[0_i64]),
        );
        let sums = tally.take();
        assert_eq!(
            Sums {
                seconds: 0.0,
                ..sums
            },
            Sums {
                loss: 12.0,
                correct: 3,
                images: 4,
                ..Sums::default()
            }
        );
        assert!(
            (sums.mean_loss() - 3.0).abs() < 1e-12
                && (sums.accuracy_percent() - 75.0).abs() < 1e-12
        );
        assert_eq!(tally.read().images, 0);
    }

    #[test]
    fn a_batch_whose_loss_is_no_number_counts_as_skipped_only() {
        let mut tally = Tally::from(&Sums::default(), Device::Cpu);
        let logits = Tensor::from_slice2(&[[1.0_f32, 0.0], [0.0, 1.0]]);
        let labels = Tensor::from_slice(&[0_i64, 0]);
        for loss in [2.0_f32, f32::NAN, f32::INFINITY] {
            tally.add_unless_skipped(&Tensor::from(loss), &logits, &labels);
        }
        let sums = tally.read();
        assert_eq!((sums.loss, sums.correct), (4.0, 1));
        assert_eq!((sums.images, sums.skipped), (2, 4));
    }

    #[test]
    fn a_tally_that_was_read_and_resumed_ends_the_same_bit_for_bit() {
        let logits = Tensor::from_slice2(&[[1.0_f32, 0.0]]);
        let label = Tensor::from_slice(&[0_i64]);
        let mut whole = Tally::from(&Sums::default(), Device::Cpu);
        let mut resumed = Tally::from(&Sums::default(), Device::Cpu);
        for step in 0..50 {
            let loss = Tensor::from((f64::from(step) + 0.1).sqrt() as f32);
            whole.add(&loss, &logits, &label);
            resumed.add(&loss, &logits, &label);
            resumed = Tally::from(&resumed.read(), Device::Cpu);
        }
        assert_eq!(whole.read().loss.to_bits(), resumed.read().loss.to_bits());
    }
}
