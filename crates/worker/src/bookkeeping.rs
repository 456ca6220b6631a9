//! What a training writes, at the ends of rows and epochs and when it stops, and why in that order.

use std::time::Instant;

use traintop_run::record;

use super::checkpoint::{self, Best, Live, Progress, WeightsMetadata};
use super::console::Step;
use super::contention::Contention;
use super::error::WorkerError;
use super::loss::Sums;
use super::memory;
use super::run_files::{EpochRow, StepRow};
use super::train::Training;

impl Training {
    /// Redraws the progress bar, if there is one.
    pub fn show_step(&mut self) {
        let images_per_s = self.tally.images_per_s();
        let steps_left = self.schedule.total_steps() - self.global_step();
        let seconds_left = steps_left as f64 * f64::from(self.recipe.batch_size) / images_per_s;
        self.output.console.step(&Step {
            epoch: self.progress.epochs_done + 1,
            epochs: self.recipe.num_epochs,
            done: self.progress.step,
            of: self.steps_per_epoch(),
            images_per_s,
            seconds_left,
        });
    }

    /// Writes the steps since the last row as a row of steps.csv.
    pub fn finish_row(&mut self) -> Result<(), WorkerError> {
        let sums = self.tally.take();
        self.progress.epoch_sums += sums;
        self.progress.row_sums = Sums::default();
        let step = self.global_step();
        self.output.files.step_row(&StepRow {
            epoch: self.progress.epochs_done + 1,
            step,
            steps_per_epoch: self.steps_per_epoch(),
            train_loss: sums.mean_loss(),
            train_acc: sums.accuracy_percent(),
            learning_rate: self.learning_rate(step),
            images_per_s: sums.images_per_s(),
            time_elapsed_s: self.output.clock.elapsed_s(),
        })?;
        if sums.skipped > 0 {
            self.output.say(&format!(
                "skipped {} images of epoch {} up to step {}: their loss was no number (on_nan = \"skip\")",
                sums.skipped,
                self.progress.epochs_done + 1,
                self.progress.step,
            ))?;
        }
        self.check_finite("training loss", sums.loss)
    }

    /// Makes an epoch's end last. The row comes before `last`, and the other checkpoints after it:
    /// killed in between, a resumed run drops the row, or makes the missing files from `last`.
    pub fn finish_epoch(&mut self, validation: &Sums) -> Result<(), WorkerError> {
        let trained = self.progress.epoch_sums;
        let epoch = self.progress.epochs_done + 1;
        let elapsed_s = self.output.clock.elapsed_s();
        let row = EpochRow {
            epoch,
            train_loss: trained.mean_loss(),
            train_acc: trained.accuracy_percent(),
            val_loss: validation.mean_loss(),
            val_acc: validation.accuracy_percent(),
            learning_rate: self.learning_rate(self.global_step()),
            time_elapsed_s: elapsed_s,
            memory_used_mb: memory::peak_mb(),
            batch_time_ms: 1000.0 * trained.seconds / f64::from(self.progress.step),
            eta_hours: elapsed_s / f64::from(epoch) * f64::from(self.recipe.num_epochs - epoch)
                / 3600.0,
            images_per_s: trained.images_per_s(),
        };
        self.output.files.epoch_row(&row)?;
        self.check_finite("validation loss", validation.loss)?;
        let best = self
            .progress
            .best
            .filter(|best| best.val_acc >= row.val_acc);
        self.progress = Progress {
            epochs_done: epoch,
            step: 0,
            epoch_sums: Sums::default(),
            best: best.or(Some(Best {
                epoch,
                val_acc: row.val_acc,
            })),
            ..self.progress
        };
        self.save()?;
        self.complete_checkpoints()?;
        self.report(&row)
    }

    /// Writes `last`: weights, momentum and progress; not if they are no longer numbers, so that
    /// the last good one stays.
    pub fn save(&mut self) -> Result<(), WorkerError> {
        if self.progress.step > 0 {
            self.progress.row_sums = self.tally.read();
        }
        self.check_finite("training loss", self.progress.row_sums.loss)?;
        self.check_finite("norm of the weights", self.optimiser.weight_norm())?;
        self.progress.elapsed_s = self.output.clock.elapsed_s();
        self.output.files.sync_steps()?;
        checkpoint::save_last(
            &self.output.dir.last(),
            Live {
                state: &self.state_dict,
                optimiser: &self.optimiser,
                average: self.average.as_ref(),
            },
            self.progress,
            &self.recipe,
        )?;
        self.saved_at = Instant::now();
        Ok(())
    }

    /// Writes `best` and the periodic checkpoint, if the epoch just completed calls for them and
    /// they are not there.
    pub fn complete_checkpoints(&mut self) -> Result<(), WorkerError> {
        self.swap_average();
        let completed = self.write_missing_checkpoints();
        self.swap_average();
        completed
    }

    fn write_missing_checkpoints(&self) -> Result<(), WorkerError> {
        let (dir, epoch) = (&self.output.dir, self.progress.epochs_done);
        if epoch == 0 || self.progress.step > 0 {
            return Ok(());
        }
        let is_best = self.progress.best.is_some_and(|best| best.epoch == epoch);
        let is_periodic =
            self.recipe.save_interval > 0 && epoch.is_multiple_of(self.recipe.save_interval);
        for (path, is_due) in [(dir.best(), is_best), (dir.checkpoint(epoch), is_periodic)] {
            if is_due && checkpoint::epoch_of(&path) != Some(epoch) {
                let about = WeightsMetadata {
                    epoch,
                    val_acc: self
                        .progress
                        .best
                        .filter(|_| is_best)
                        .map(|best| best.val_acc),
                    test: None,
                    recipe: &self.recipe,
                    trained_on: &self.data.trained_on,
                };
                checkpoint::save_weights(&path, &self.state_dict, about)?;
            }
        }
        Ok(())
    }

    /// Says for people and for the dashboard that an epoch is done.
    fn report(&mut self, row: &EpochRow) -> Result<(), WorkerError> {
        let best = self.progress.best.map(|best| record::Best {
            epoch: best.epoch,
            val_acc: best.val_acc,
        });
        let mark = if best.is_some_and(|best| best.epoch == row.epoch) {
            "  (best)"
        } else {
            ""
        };
        self.output.say(&format!(
            "epoch {}/{}  train loss {:.4} acc {:.2}%  val loss {:.4} acc {:.2}%  lr {:.6}  {:.0} images/s  {:.1} s{mark}",
            row.epoch,
            self.recipe.num_epochs,
            row.train_loss,
            row.train_acc,
            row.val_loss,
            row.val_acc,
            row.learning_rate,
            row.images_per_s,
            row.time_elapsed_s,
        ))?;
        self.output.status.update(|record| {
            record.epochs_done = row.epoch;
            record.best = best;
        })?;
        Ok(())
    }

    /// Says once if other programs slow the training down, and what helps.
    pub fn advise(&mut self, contention: &Contention) -> Result<(), WorkerError> {
        let advice = contention.advice(self.compute.threads);
        if let Some(advice) = advice.filter(|_| !self.is_advised) {
            self.output.say(&advice)?;
            self.is_advised = true;
        }
        Ok(())
    }

    fn check_finite(&self, what: &'static str, value: f64) -> Result<(), WorkerError> {
        if value.is_finite() {
            return Ok(());
        }
        Err(WorkerError::Diverged {
            what,
            value,
            epoch: self.progress.epochs_done + 1,
            step: self.progress.step,
        })
    }
}
