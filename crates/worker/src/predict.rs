//! Inference with a network or an ensemble: the one loop that validation, a run's test and
//! `evaluate` share.

use tch::{Tensor, no_grad};

use super::augment::Normaliser;
use super::images::Images;
use super::model::{Mode, ResNet};
use super::signals::StopRequest;
use super::views::Views;

/// The default batch size. A constant, since sums in another grouping differ in the last digits.
pub const BATCH: i64 = 500;

/// A member of an ensemble, with its weight.
#[derive(Debug, Clone, Copy)]
pub struct EnsembleMember<'a> {
    pub model: &'a ResNet,
    /// All shares together are 1.
    pub share: f64,
}

/// How inference is done.
#[derive(Debug, Clone, Copy)]
pub struct Inference<'a> {
    pub members: &'a [EnsembleMember<'a>],
    pub normaliser: &'a Normaliser,
    pub views: Views,
    /// Images in a batch: the limit of images in the networks at once.
    pub batch_size: i64,
    pub stop: &'a StopRequest,
}

/// What happened on the way.
#[derive(Debug)]
pub enum Event<'a> {
    /// Progress: the images that have passed through a network.
    Passed { images: i64 },
    /// A batch is answered: the averaged logits, N x classes in float32, and the true classes.
    Answered {
        logits: &'a Tensor,
        labels: &'a Tensor,
    },
}

/// How it ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InferenceEnd {
    All,
    /// It was asked to stop on the way.
    Stopped,
}

impl Inference<'_> {
    /// Predicts every image, in the data's own order, and reports progress to `each`. Logits are
    /// averaged over the views, and over the voters by their shares.
    pub fn predict<E>(
        &self,
        images: &Images,
        mut each: impl FnMut(Event) -> Result<(), E>,
    ) -> Result<InferenceEnd, E> {
        for batch in 0..images.batches(self.batch_size) {
            let first = i64::from(batch) * self.batch_size;
            let (pixels, labels) = images.batch(batch, self.batch_size);
            let mut logits: Option<Tensor> = None;
            let views = self.views.of(&pixels, first);
            for view in 0..self.views.count() {
                let seen = views.view(view);
                let seen = self.normaliser.normalise(&seen);
                for member in self.members {
                    if self.stop.is_set() {
                        return Ok(InferenceEnd::Stopped);
                    }
                    let answer = no_grad(|| member.model.forward(&seen, Mode::Evaluate));
                    // One plain answer stays as it is, to the bit.
                    let answer = answer * (member.share / f64::from(self.views.count()));
                    logits = Some(match logits {
                        Some(sum) => sum + answer,
                        None => answer,
                    });
                    each(Event::Passed {
                        images: pixels.size()[0],
                    })?;
                }
            }
            if let Some(logits) = logits {
                each(Event::Answered {
                    logits: &logits,
                    labels: &labels,
                })?;
            }
        }
        Ok(InferenceEnd::All)
    }
}
