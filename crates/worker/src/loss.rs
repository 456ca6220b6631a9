//! What training minimises and what is counted along the way.

use std::time::{Duration, Instant};

use tch::{Device, Kind, Reduction, Tensor, no_grad};

/// libtorch's mark for labels that do not count; no label of ours is negative.
const NO_LABEL: i64 = -100;

/// The mean cross-entropy of a batch, where each target gives `smoothing` of its weight evenly to
/// all classes (Szegedy et al. 2015, arXiv:1512.00567). The reference uses it in validation too,
/// and so do we.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor, smoothing: f64) -> Tensor {
    logits.cross_entropy_loss(labels, None::<Tensor>, Reduction::Mean, NO_LABEL, smoothing)
}

/// The targets of each image of a batch.
#[derive(Debug)]
pub enum Targets {
    /// N classes.
    Plain(Tensor),
    /// Images mixed of two.
    Mixed {
        /// N classes of the images themselves.
        labels: Tensor,
        /// N classes of those that they are mixed with.
        others: Tensor,
        /// N shares of the images themselves, 0 to 1.
        shares: Tensor,
    },
}

impl Targets {
    /// The mean loss of N x classes logits: for mixed images that of both classes, by their shares.
    pub fn loss(&self, logits: &Tensor, smoothing: f64) -> Tensor {
        match self {
            Self::Plain(labels) => cross_entropy(logits, labels, smoothing),
            Self::Mixed {
                labels,
                others,
                shares,
            } => {
                let of_each = |labels: &Tensor| {
                    let none = None::<Tensor>;
                    logits.cross_entropy_loss(labels, none, Reduction::None, NO_LABEL, smoothing)
                };
                let (own, other) = (of_each(labels), of_each(others));
                (&other + (own - &other) * shares).mean(Kind::Float)
            }
        }
    }

    /// Right answers: of mixed images each class counts by its share.
    fn correct(&self, logits: &Tensor) -> Tensor {
        let answers = logits.argmax(1, false);
        let right = |labels: &Tensor| answers.eq_tensor(labels).to_kind(Kind::Double);
        match self {
            Self::Plain(labels) => right(labels).sum(Kind::Double),
            Self::Mixed {
                labels,
                others,
                shares,
            } => {
                let (own, other) = (right(labels), right(others));
                (&other + (own - &other) * shares).sum(Kind::Double)
            }
        }
    }

    /// The number of images.
    pub fn count(&self) -> i64 {
        match self {
            Self::Plain(labels) | Self::Mixed { labels, .. } => labels.size()[0],
        }
    }

    /// The targets of this many images in this many parts, as `Tensor::chunk` divides them.
    pub fn parts(&self, parts: i64) -> Vec<Self> {
        match self {
            Self::Plain(labels) => labels
                .chunk(parts, 0)
                .into_iter()
                .map(Self::Plain)
                .collect(),
            Self::Mixed {
                labels,
                others,
                shares,
            } => {
                let [labels, others, shares] =
                    [labels, others, shares].map(|tensor| tensor.chunk(parts, 0));
                labels
                    .into_iter()
                    .zip(others)
                    .zip(shares)
                    .map(|((labels, others), shares)| Self::Mixed {
                        labels,
                        others,
                        shares,
                    })
                    .collect()
            }
        }
    }
}

/// Sums over images, as plain numbers, and the time they took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    pub loss: f64,
    /// Right answers; of a mixed image each class counts by its share.
    pub correct: f64,
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
        100.0 * self.correct / self.images as f64
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
    /// Continues from `sums`; the clock runs from now.
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
    pub fn add(&mut self, loss: &Tensor, logits: &Tensor, targets: &Targets) {
        let count = targets.count();
        no_grad(|| {
            self.loss += loss.detach().to_kind(Kind::Double) * count as f64;
            self.correct += targets.correct(logits);
        });
        self.images += count;
    }

    /// Adds a batch whose loss may be no number: then it counts as skipped only. Waits for nothing
    /// either.
    pub fn add_unless_skipped(&mut self, loss: &Tensor, logits: &Tensor, targets: &Targets) {
        let count = targets.count();
        no_grad(|| {
            let is_number = loss.isfinite();
            let summed = loss.detach().to_kind(Kind::Double) * count as f64;
            self.loss += summed.where_self(&is_number, &summed.zeros_like());
            self.correct += targets.correct(logits) * &is_number;
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

    /// Takes time back in which nothing was trained.
    pub fn leave_out(&mut self, wait: Duration) {
        self.since += wait;
    }

    /// Waits for the device and reads the sums.
    pub fn read(&self) -> Sums {
        let skipped = self.skipped.int64_value(&[]);
        Sums {
            loss: self.loss.double_value(&[]),
            correct: self.correct.double_value(&[]),
            images: self.images - skipped,
            skipped,
            // Last: reading the others waits for the device.
            seconds: self.seconds(),
        }
    }

    /// Reads and resets the sums.
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
    fn mixed_targets_weigh_both_classes_by_their_shares() {
        let logits = Tensor::from_slice2(&[[2.0_f32, -1.0, 0.5], [0.1, 0.2, 0.3]]);
        let plain = |labels: [i64; 2]| Targets::Plain(Tensor::from_slice(&labels));
        let mixed = |shares: [f32; 2]| Targets::Mixed {
            labels: Tensor::from_slice(&[0_i64, 2]),
            others: Tensor::from_slice(&[1_i64, 0]),
            shares: Tensor::from_slice(&shares),
        };
        let loss = |targets: &Targets| targets.loss(&logits, 0.1).double_value(&[]);
        let (own, other) = (loss(&plain([0, 2])), loss(&plain([1, 0])));
        assert!((loss(&mixed([1.0, 1.0])) - own).abs() < 1e-6);
        assert!((loss(&mixed([0.0, 0.0])) - other).abs() < 1e-6);
        assert!((loss(&mixed([0.25, 0.25])) - (0.25 * own + 0.75 * other)).abs() < 1e-6);
        let right = |targets: &Targets| targets.correct(&logits).double_value(&[]);
        assert_eq!(right(&mixed([0.75, 0.5])), 1.25);
        let parts = mixed([0.75, 0.5]).parts(2);
        assert_eq!(
            parts.iter().map(right_of_row(&logits)).collect::<Vec<_>>(),
            [0.75, 0.5]
        );
    }

    /// Right answers of a part of one image, whose number is counted along.
    fn right_of_row(logits: &Tensor) -> impl FnMut(&Targets) -> f64 {
        let mut row = 0;
        move |targets| {
            row += 1;
            targets
                .correct(&logits.narrow(0, row - 1, 1))
                .double_value(&[])
        }
    }

    #[test]
    fn a_tally_weights_batches_by_their_size() {
        let mut tally = Tally::from(&Sums::default(), Device::Cpu);
        let logits = Tensor::from_slice2(&[[1.0_f32, 0.0], [0.0, 1.0], [1.0, 0.0]]);
        tally.add(
            &Tensor::from(2.0_f32),
            &logits,
            &Targets::Plain(Tensor::from_slice(&[0_i64, 0, 0])),
        );
        tally.add(
            &Tensor::from(6.0_f32),
            &logits.narrow(0, 0, 1),
            &Targets::Plain(Tensor::from_slice(&[0_i64])),
        );
        let sums = tally.take();
        assert_eq!(
            Sums {
                seconds: 0.0,
                ..sums
            },
            Sums {
                loss: 12.0,
                correct: 3.0,
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
        let labels = Targets::Plain(Tensor::from_slice(&[0_i64, 0]));
        for loss in [2.0_f32, f32::NAN, f32::INFINITY] {
            tally.add_unless_skipped(&Tensor::from(loss), &logits, &labels);
        }
        let sums = tally.read();
        assert_eq!((sums.loss, sums.correct), (4.0, 1.0));
        assert_eq!((sums.images, sums.skipped), (2, 4));
    }

    #[test]
    fn a_tally_that_was_read_and_resumed_ends_the_same_bit_for_bit() {
        let logits = Tensor::from_slice2(&[[1.0_f32, 0.0]]);
        let label = Targets::Plain(Tensor::from_slice(&[0_i64]));
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
