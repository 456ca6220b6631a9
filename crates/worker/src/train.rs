//! The training loop: what happens to a batch, and in which order an epoch goes.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use tch::Tensor;
use traintop_recipe::{OnNan, Recipe, Schedule};

use super::augment::{Augmentation, Normaliser};
use super::augmented_blocks::{AugmentedBlocks, Place};
use super::average::Average;
use super::checkpoint::Progress;
use super::contention::Contention;
use super::device::Compute;
use super::error::WorkerError;
use super::images::{DataSet, Images};
use super::loss::{Sums, Tally, Targets};
use super::memory;
use super::model::{Mode, ResNet, StateDict};
use super::optimiser::Sgd;
use super::output::Output;
use super::predict::{self, EnsembleMember, Event, Inference, InferenceEnd};
use super::profile::Profile;
use super::random;
use super::signals::StopRequest;
use super::steering::Steering;
use super::views::Views;

/// An epoch that takes longer is saved in between, so that a kill costs no more than this.
const SAVE_EVERY: Duration = Duration::from_secs(300);

/// How a training ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All epochs are done.
    Finished,
    /// It was asked to stop, and is saved.
    Stopped,
    /// It was asked to end after this epoch, and is saved.
    EndedAfter(u32),
}

/// Everything that a training consists of.
#[derive(Debug)]
pub struct Training {
    pub recipe: Recipe,
    pub compute: Compute,
    pub augmentation: Augmentation,
    /// Makes the images of the steps.
    pub augmented: AugmentedBlocks,
    pub normaliser: Normaliser,
    pub data: DataSet,
    pub state_dict: StateDict,
    pub model: ResNet,
    pub optimiser: Sgd,
    /// What is validated and kept instead of the weights themselves, if the recipe says so.
    pub average: Option<Average>,
    pub schedule: Schedule,
    pub progress: Progress,
    /// Sums since the last row of steps.csv.
    pub tally: Tally,
    pub output: Output,
    pub stop: StopRequest,
    pub steering: Steering,
    pub profile: Profile,
    /// When `last` was last written.
    pub saved_at: Instant,
    /// Whether it was logged that the machine is too busy; once is enough.
    pub is_advised: bool,
}

impl Training {
    /// Trains until the last epoch or until asked to stop.
    pub fn run(&mut self) -> Result<End, WorkerError> {
        self.complete_checkpoints()?;
        while self.progress.epochs_done < self.recipe.num_epochs {
            memory::reset_peak();
            let contention = Contention::watch();
            let trained = self.train_epoch()?;
            let validation = if trained { self.validate() } else { None };
            let Some(validation) = validation else {
                self.save()?;
                return Ok(End::Stopped);
            };
            self.finish_epoch(&validation)?;
            self.advise(&contention)?;
            if self.profile.is_wanted() {
                self.output.say(&self.profile.to_string())?;
            }
            if self.is_to_end() && self.progress.epochs_done < self.recipe.num_epochs {
                return Ok(End::EndedAfter(self.progress.epochs_done));
            }
        }
        self.finish()
    }

    /// One pass over the training images, from the epoch's current step; `false` if asked to stop
    /// before its end.
    fn train_epoch(&mut self) -> Result<bool, WorkerError> {
        let (seed, epoch, steps) = (
            self.recipe.seed,
            self.progress.epochs_done + 1,
            self.steps_per_epoch(),
        );
        let order = random::epoch_order(seed, epoch, self.data.train.count(), self.compute.device);
        self.tally = Tally::from(&self.progress.row_sums, self.compute.device);
        self.take_over_learning_rate()?;
        while self.progress.step < steps {
            self.apply_requests()?;
            if self.stop.is_set() {
                return Ok(false);
            }

            self.profile.step();
            let place = Place {
                seed,
                epoch,
                step: self.progress.step,
                batch_size: i64::from(self.recipe.batch_size),
            };
            let (images, labels) = self.augmented.images(place, |number, size| {
                let (images, labels) = self.data.train.batch_of(&order, number, size);
                self.profile.mark("gather");
                let images = self.augmentation.images(images);
                self.profile.mark("augment images");
                let images = self.normaliser.normalise(&images);
                self.profile.mark("normalise");
                (images, labels)
            });
            let (images, targets) = self.augmentation.batch(images, labels);
            self.profile.mark("erase and mix");
            let gradient = self.gradient(&images, &targets);
            let (rate, momentum) = (
                self.learning_rate(self.global_step()),
                self.schedule.momentum(self.global_step()),
            );
            self.optimiser.step(gradient, rate, momentum);
            self.profile.mark("optimiser");

            self.progress.step += 1;
            let steps_done = self.global_step();
            if let Some(average) = &mut self.average {
                average.update(steps_done);
            }
            self.show_step();
            if self.progress.step.is_multiple_of(self.recipe.log_interval)
                || self.progress.step == steps
            {
                self.finish_row()?;
            }
            if self.saved_at.elapsed() > SAVE_EVERY {
                self.save()?;
            }
        }
        Ok(true)
    }

    /// The gradient of a batch's mean loss, part by part where the recipe says so.
    fn gradient(&mut self, images: &Tensor, targets: &Targets) -> Tensor {
        let count = targets.count();
        let parts = i64::from(self.recipe.gradient_accumulation).min(count);
        let (images, targets) = (images.chunk(parts, 0), targets.parts(parts));
        let gradients = images.iter().zip(&targets).map(|(images, targets)| {
            let share = targets.count() as f64 / count as f64;
            self.gradient_of_part(images, targets) * share
        });
        gradients
            .reduce(|sum, gradient| sum + gradient)
            .expect("a batch has images")
    }

    /// The gradient of the mean loss of images that pass through the network together; counts them.
    fn gradient_of_part(&mut self, images: &Tensor, targets: &Targets) -> Tensor {
        let statistics = self.skips().then(|| self.state_dict.copy_statistics());
        let logits = self.model.forward(images, Mode::Train);
        let loss = targets.loss(&logits, self.recipe.label_smoothing);
        self.profile.mark("forward");
        let gradient = self.optimiser.gradient(&loss);
        self.profile.mark("backward");
        match statistics {
            None => self.tally.add(&loss, &logits, targets),
            Some(statistics) => {
                statistics.restore_unless(&loss.isfinite());
                self.tally.add_unless_skipped(&loss, &logits, targets);
            }
        }
        gradient
    }

    /// Whether a step whose loss is no number is left out.
    fn skips(&self) -> bool {
        self.recipe.on_nan == OnNan::Skip
    }

    /// The learning rate of a step of the run: the schedule's, halved each time that a checkpoint
    /// was restored, times the factor that a control request asks for.
    pub fn learning_rate(&self, step: u64) -> f64 {
        let halved = 0.5_f64.powi(self.progress.restores as i32);
        self.schedule.learning_rate(step) * halved * self.progress.rate_factor()
    }

    /// Puts the averaged weights, if there are any, in the place of those that are trained; a
    /// second time undoes it.
    pub fn swap_average(&mut self) {
        if let Some(average) = &mut self.average {
            average.swap();
        }
    }

    /// Loss and accuracy over the validation images of what will be kept; `None` if asked to stop
    /// on the way.
    fn validate(&mut self) -> Option<Sums> {
        self.swap_average();
        let sums = self.evaluate(&self.data.val);
        self.swap_average();
        sums
    }

    /// Loss and accuracy over all of `images`, with the network as it is; `None` if asked to stop
    /// on the way.
    pub fn evaluate(&self, images: &Images) -> Option<Sums> {
        let mut tally = Tally::from(&Sums::default(), self.compute.device);
        let inference = Inference {
            members: &[EnsembleMember {
                model: &self.model,
                share: 1.0,
            }],
            normaliser: &self.normaliser,
            views: Views::PLAIN,
            batch_size: predict::BATCH,
            stop: &self.stop,
        };
        let Ok(end) = inference.predict(images, |event| {
            if let Event::Answered { logits, labels } = event {
                let targets = Targets::Plain(labels.shallow_clone());
                let loss = targets.loss(logits, self.recipe.label_smoothing);
                tally.add(&loss, logits, &targets);
            }
            Ok::<(), Infallible>(())
        });
        (end == InferenceEnd::All).then(|| tally.read())
    }

    /// Optimiser steps in an epoch.
    pub fn steps_per_epoch(&self) -> u32 {
        self.data.train.batches(i64::from(self.recipe.batch_size))
    }

    /// Optimiser steps since the run began.
    pub fn global_step(&self) -> u64 {
        u64::from(self.progress.epochs_done) * u64::from(self.steps_per_epoch())
            + u64::from(self.progress.step)
    }
}
