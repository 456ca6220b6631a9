//! The end of a run: what its last and its best weights do on the test images, both kept under the
//! run's name, its figures, and a line that sums it up.

use std::path::Path;

use traintop_analysis::figures::{self, Format};
use traintop_run::metrics::Tail;
use traintop_text as text;

use super::checkpoint::{self, WeightsMetadata};
use super::error::WorkerError;
use super::loss::Sums;
use super::train::{End, Training};

impl Training {
    /// Ends a run whose epochs are all done. A stop on the way leaves everything to be done again
    /// by a resume.
    pub fn finish(&mut self) -> Result<End, WorkerError> {
        let Some(best) = self.progress.best else {
            return Ok(End::Finished);
        };
        let last_epoch = self.progress.epochs_done;
        let sum_up = format!(
            "summary: {} epochs in {}, best validation {:.2}% at epoch {}",
            last_epoch,
            text::duration(std::time::Duration::from_secs_f64(
                self.output.clock.elapsed_s().max(0.0)
            )),
            best.val_acc,
            best.epoch
        );

        // What is validated is what is kept.
        self.swap_average();
        let last = if best.epoch == last_epoch {
            Tested::default()
        } else {
            self.test()
        };
        let val_acc = Some(best.val_acc).filter(|_| best.epoch == last_epoch);
        if !last.was_stopped && best.epoch != last_epoch {
            self.keep("final", last_epoch, val_acc, &last)?;
        }
        self.swap_average();
        if last.was_stopped {
            return Ok(End::Stopped);
        }

        checkpoint::load_weights(&self.output.dir.best(), &self.state_dict)?;
        let chosen = self.test();
        if chosen.was_stopped {
            return Ok(End::Stopped);
        }
        self.keep("best", best.epoch, Some(best.val_acc), &chosen)?;
        if best.epoch == last_epoch {
            self.keep("final", last_epoch, val_acc, &chosen)?;
        }
        if let Some(sums) = chosen.sums {
            let (loss, accuracy) = (sums.mean_loss(), sums.accuracy_percent());
            self.output.say(&format!(
                "test loss {loss:.4} acc {accuracy:.2}% with the weights of epoch {}",
                best.epoch
            ))?;
        }
        let of_test = |sums: Option<Sums>, what: &str| {
            let accuracy = sums.map(|sums| format!(", {what} {:.2}%", sums.accuracy_percent()));
            accuracy.unwrap_or_default()
        };
        self.draw_figures()?;
        self.output.say(&format!(
            "{sum_up}{}{}",
            of_test(chosen.sums, "test"),
            of_test(last.sums, "test of the last epoch")
        ))?;
        Ok(End::Finished)
    }

    /// Loss and accuracy on the test images, if there are any, of the network as it is.
    fn test(&self) -> Tested {
        let Some(images) = &self.data.test else {
            return Tested::default();
        };
        let sums = self.evaluate(images);
        Tested {
            was_stopped: sums.is_none(),
            sums,
        }
    }

    /// Keeps the network as it is in `best_models/` or `final_models/` of the output tree, under
    /// the names of experiment and run, so that no run takes another's place.
    fn keep(
        &self,
        what: &str,
        epoch: u32,
        val_acc: Option<f64>,
        tested: &Tested,
    ) -> Result<(), WorkerError> {
        let dir = &self.output.dir;
        let Some(tree) = dir.output_tree() else {
            return Ok(());
        };
        let experiment = match self.recipe.experiment_name.as_str() {
            "" => "run",
            name => name,
        };
        let file = format!("{experiment}_{}_{what}.safetensors", dir.name()).replace('/', "_");
        let folder = tree.join(format!("{what}_models"));
        make(&folder)?;
        let test = tested
            .sums
            .map(|sums| (sums.mean_loss(), sums.accuracy_percent()));
        let about = WeightsMetadata {
            epoch,
            val_acc,
            test,
            recipe: &self.recipe,
            trained_on: &self.data.trained_on,
        };
        Ok(checkpoint::save_weights(
            &folder.join(file),
            &self.state_dict,
            about,
        )?)
    }

    /// Draws what metrics.csv holds. A run does not fail for want of a picture.
    fn draw_figures(&mut self) -> Result<(), WorkerError> {
        let dir = self.output.dir.clone();
        let mut tail = Tail::open(dir.metrics_csv());
        let drawn = match tail.poll() {
            Ok(_) => figures::draw(tail.metrics(), &dir.name(), &dir.figures(), &[Format::Png])
                .map(drop)
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(problem) = drawn {
            self.output
                .say(&format!("the figures were not drawn: {problem}"))?;
        }
        Ok(())
    }
}

/// How a network did on the test images.
#[derive(Debug, Clone, Copy, Default)]
struct Tested {
    /// `None` if there are no test images.
    sums: Option<Sums>,
    was_stopped: bool,
}

fn make(folder: &Path) -> Result<(), WorkerError> {
    traintop_disk::write::make_folders(folder).map_err(|source| WorkerError::Io {
        what: folder.display().to_string(),
        source,
    })
}
