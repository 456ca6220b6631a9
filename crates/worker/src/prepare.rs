//! Everything that comes before the first step: data, network, optimiser, and what an earlier
//! process of the same run left.

use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::Value;
use traintop_recipe::{OnNan, Recipe, Schedule, fingerprint};
use traintop_run::record::{self, Changed, Data, Resume};
use traintop_run::{RunDir, State};
use traintop_text as text;

use super::augment::{Augmentation, Normaliser};
use super::augmented_blocks::AugmentedBlocks;
use super::average::Average;
use super::checkpoint::{self, Live, Progress};
use super::console::{Console, Stream};
use super::data;
use super::device::Compute;
use super::error::WorkerError;
use super::images::{DataSet, Images};
use super::loss::Tally;
use super::model::{ResNet, Shape, StateDict};
use super::optimiser::{Settings, Sgd};
use super::output::{Clock, Output};
use super::profile::Profile;
use super::random::{self, Draw};
use super::run_files::{RunFiles, WriterLock};
use super::signals::StopRequest;
use super::status::Status;
use super::steering::Steering;
use super::train::Training;

/// The signals and requests that a training obeys, and whether it is profiled.
#[derive(Debug, Clone)]
pub struct Control {
    pub status: Status,
    pub stop: StopRequest,
    pub is_profiled: bool,
}

/// A training that is ready for its next step: the first, or where the run's last checkpoint left
/// off. `restores` is how often it was restored to that by now.
pub fn prepare(
    dir: &RunDir,
    lock: &WriterLock,
    recipe: Recipe,
    Control {
        status,
        stop,
        is_profiled,
    }: Control,
    restores: u32,
) -> Result<Training, WorkerError> {
    let compute = Compute::choose(&recipe, checkpoint::threads_of(&dir.last()))?;
    let data = DataSet::new(data::load(&recipe)?, compute.device, recipe.pin_memory);

    random::seed_for(recipe.seed, Draw::Weights);
    let mut state_dict = StateDict::new(compute.device);
    let model = ResNet::new(
        &mut state_dict,
        &Shape::of(&recipe, data.trained_on.classes.len()),
    );
    let optimiser = Sgd::new(&state_dict, Settings::of(&recipe));
    if !recipe.resume_from.is_empty() && !dir.last().exists() {
        // Before anything takes a copy of the weights.
        checkpoint::load_weights(Path::new(&recipe.resume_from), &state_dict)
            .map_err(|error| WorkerError::Refused(format!("resume_from: {error}")))?;
    }
    let average = (recipe.ema_decay > 0.0)
        .then(|| Average::new(recipe.ema_decay, &state_dict, optimiser.flat()));
    let schedule = Schedule::new(
        &recipe,
        u64::from(data.train.batches(i64::from(recipe.batch_size))),
    );

    let is_resumed = dir.metrics_csv().exists();
    // A restored checkpoint is not a resumed run.
    let resumed = (is_resumed && restores == 0).then(|| changes(&recipe, &dir.last()));
    let train_images = data.train.count() as u32;
    let mut progress = if dir.last().exists() {
        let live = Live {
            state: &state_dict,
            optimiser: &optimiser,
            average: average.as_ref(),
        };
        checkpoint::load_last(&dir.last(), live)?
    } else {
        Progress {
            train_images,
            threads: compute.threads,
            ..Progress::default()
        }
    };
    progress.restores = progress.restores.max(restores);
    if progress.train_images != train_images {
        return Err(WorkerError::Refused(format!(
            "{}: this run began with {} training images, and {} now gives {train_images}; restore the data, or start a new run",
            dir.path().display(),
            progress.train_images,
            recipe.data_dir
        )));
    }

    let steps_done =
        schedule.steps_per_epoch() * u64::from(progress.epochs_done) + u64::from(progress.step);
    let mut training = Training {
        output: Output {
            dir: dir.clone(),
            files: RunFiles::open(lock, progress.epochs_done, steps_done)?,
            status,
            console: Console::new(Stream::Output),
            clock: Clock::from(progress.elapsed_s),
        },
        tally: Tally::from(&progress.row_sums, compute.device),
        saved_at: Instant::now(),
        is_advised: false,
        augmentation: Augmentation::of(&recipe),
        augmented: AugmentedBlocks::on(compute.device),
        recipe,
        normaliser: Normaliser::new(compute),
        compute,
        data,
        state_dict,
        model,
        optimiser,
        average,
        schedule,
        progress,
        steering: Steering::of(dir),
        stop,
        profile: Profile::new(is_profiled, compute.device),
    };
    training.announce(is_resumed, resumed)?;
    Ok(training)
}

/// What of the recipe is another than when the checkpoint was written; nothing where that is
/// unknown.
fn changes(recipe: &Recipe, last: &Path) -> Vec<Changed> {
    let now = recipe.to_json();
    let before = checkpoint::recipe_of(last).unwrap_or_default();
    let plain = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    before
        .iter()
        .filter_map(|(key, was)| {
            let is = now.get(key).filter(|is| *is != was)?;
            Some(Changed {
                key: key.clone(),
                was: plain(was),
                is: plain(is),
            })
        })
        .collect()
}

impl Settings {
    fn of(recipe: &Recipe) -> Self {
        Self {
            weight_decay: recipe.weight_decay,
            nesterov: recipe.nesterov,
            decay_norm_and_bias: recipe.decay_norm_and_bias,
            grad_clip: (recipe.grad_clip > 0.0).then_some(recipe.grad_clip),
            skip_nonfinite: recipe.on_nan == OnNan::Skip,
        }
    }
}

impl Training {
    /// Says what is about to be trained, in the log and in the record; of a resumed run also what
    /// of its recipe has `changed`.
    fn announce(
        &mut self,
        is_resumed: bool,
        changed: Option<Vec<Changed>>,
    ) -> Result<(), WorkerError> {
        if is_resumed {
            let (epoch, step) = (self.progress.epochs_done + 1, self.progress.step);
            self.output.say(&format!(
                "resumed in epoch {epoch} after {step} of its {} steps",
                self.steps_per_epoch()
            ))?;
            for Changed { key, was, is } in changed.iter().flatten() {
                self.output.say(&format!(
                    "changed since its last checkpoint: {key} was {was} and is {is}"
                ))?;
            }
        } else {
            let header = self.header();
            self.output.files.log(&header)?;
            let folder = format!("run folder {}", self.output.dir.path().display());
            self.output.console.line(&folder);
        }
        let (progress, planned) = (self.progress, self.recipe.num_epochs);
        let data = Data {
            fingerprint: fingerprint(&self.recipe.data_dir),
            train_images: self.data.train.count() as u64,
            classes: self.data.trained_on.classes.len() as u64,
        };
        self.output.status.update(|record| {
            if record.state == State::Starting {
                record.state = State::Running;
            }
            record.started_at.get_or_insert_with(Timestamp::now);
            record.epochs_planned = planned;
            record.data = Some(data);
            record.epochs_done = progress.epochs_done;
            record.resumes.extend(changed.map(|changed| Resume {
                epoch: progress.epochs_done + 1,
                at: Timestamp::now(),
                changed,
            }));
            record.best = progress.best.map(|best| record::Best {
                epoch: best.epoch,
                val_acc: best.val_acc,
            });
        })?;
        Ok(())
    }

    fn header(&self) -> String {
        let Recipe {
            model_name,
            width,
            blocks,
            data_dir,
            ..
        } = &self.recipe;
        let images = |set: &Images| set.statistics.to_string();
        let test = self
            .data
            .test
            .as_ref()
            .map_or_else(|| "no".to_owned(), images);
        let recipe = self.recipe.to_json();
        let settings: Vec<String> = recipe
            .iter()
            .map(|(key, value)| format!("  {key} = {value}"))
            .collect();
        [
            format!("run {}", self.output.dir.name()),
            format!(
                "model {model_name}, width {width}, blocks {blocks}: {} parameters",
                text::count(self.state_dict.parameter_count())
            ),
            format!(
                "data {data_dir}: {} training, {} validation, {test} test images of {} classes",
                images(&self.data.train),
                images(&self.data.val),
                self.data.trained_on.classes.len()
            ),
            format!("device {}", self.compute),
            format!(
                "{} epochs of {} steps; recipe:",
                self.recipe.num_epochs,
                self.steps_per_epoch()
            ),
            settings.join("\n"),
        ]
        .join("\n")
    }
}
