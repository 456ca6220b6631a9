//! `evaluate`: runs a checkpoint, or several as an ensemble, on images, and saves all predictions
//! in a folder of their own. All checks come before anything is written.

mod folder;
mod gallery;
mod inputs;
mod measure;
mod predictions;
mod subject;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use jiff::Zoned;
use tch::Kind;
use traintop_disk::write::remove_tree;
use traintop_recipe::{DeviceChoice, Precision, Recipe};
use traintop_run::evaluation::{self, EvaluationDir, Named, Results};
use traintop_run::process::Process;
use traintop_text as text;

use super::augment::Normaliser;
use super::checkpoint;
use super::device::Compute;
use super::error::WorkerError;
use super::images::Images;
use super::model::{ResNet, StateDict};
use super::predict::{EnsembleMember, Event, Inference, InferenceEnd};
use super::session::caught;
use super::signals::{self, StopRequest};
use super::views::Views;
use folder::Filling;
use inputs::Inputs;
use predictions::Predictions;
use subject::Subject;

/// The command's request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Checkpoints or folders of runs; several are an ensemble.
    pub targets: Vec<PathBuf>,
    /// Which checkpoint of a run: `best`, `last`, `averaged`, or a file.
    pub which: Option<String>,
    /// Shares of the ensemble; none: all the same.
    pub weights: Vec<f64>,
    pub data: Option<PathBuf>,
    /// `val` or `test`.
    pub split: Option<String>,
    pub views: u32,
    pub seed: u64,
    pub batch_size: i64,
    pub device: Option<DeviceChoice>,
    pub precision: Option<Precision>,
    /// The output tree.
    pub output: Option<PathBuf>,
    /// Whether the result is printed as JSON.
    pub as_json: bool,
}

/// An evaluation that is done.
#[derive(Debug)]
pub struct Evaluation {
    pub dir: EvaluationDir,
    pub results: Results,
}

/// Evaluates. A signal ends it, and then as after any error nothing is left.
pub fn evaluate(request: &Request) -> Result<Evaluation, WorkerError> {
    let filling: Arc<OnceLock<PathBuf>> = Arc::default();
    let again = Arc::clone(&filling);
    let stop = signals::watch(
        || (),
        // The process ends here and now: what it was filling goes with it.
        move |_| drop(again.get().map(|folder| remove_tree(folder))),
    )
    .map_err(|source| WorkerError::Io {
        what: "signals".to_owned(),
        source,
    })?;
    caught(|| run(request, &stop, &filling))
}

fn run(
    request: &Request,
    stop: &StopRequest,
    filling: &OnceLock<PathBuf>,
) -> Result<Evaluation, WorkerError> {
    let shares = shares(request)?;
    let mut subjects = Vec::new();
    for target in &request.targets {
        subjects.push(Subject::open(target, request.which.as_deref())?);
    }
    let recipe = recipe_of(&subjects, request);
    let threads = subjects.iter().find_map(|subject| subject.run.as_ref());
    let compute = Compute::choose(
        &recipe,
        threads.and_then(|run| checkpoint::threads_of(&run.last())),
    )?;
    let mut networks: Vec<(StateDict, ResNet)> = Vec::new();
    for subject in &mut subjects {
        networks.push(subject.network(compute.device)?);
    }
    let questions = Inputs::load(request, &recipe, &subjects)?;
    let views = Views::new(request.views, request.seed);
    questions.check(&subjects, views)?;

    let members: Vec<EnsembleMember> = networks
        .iter()
        .zip(&shares)
        .map(|((_, model), share)| EnsembleMember {
            model,
            share: *share,
        })
        .collect();
    let inference = Inference {
        members: &members,
        normaliser: &Normaliser::new(compute),
        views,
        batch_size: request.batch_size,
        stop,
    };
    let began = Zoned::now();
    let evaluated = subject::describe(&subjects, request);
    let named = evaluation::folder_name(Named {
        experiment: &recipe.experiment_name,
        val_acc: subjects[0].inspection.best_acc,
        began: &began,
        model_file: &subjects[0].path,
    });
    let tree = output_tree(request, &subjects[0]);
    let passes =
        questions.split.labels.len() as u64 * u64::from(views.count()) * members.len() as u64;
    let mut filling = Filling::begin(&tree, &named, evaluated.clone(), passes, filling)?;
    let images = Images::new(&questions.split, compute.device, recipe.pin_memory);
    let predictions = predict(&inference, &images, &mut filling)?;
    predictions.check()?;
    drop(images);

    let mut results = Results {
        schema_version: evaluation::SCHEMA_VERSION,
        id: format!(
            "{named}-{}-{}",
            Process::current().host,
            began.timestamp().as_millisecond()
        ),
        started_at: Some(began.timestamp()),
        data: questions.data.clone(),
        checkpoints: evaluated,
        views: views.count(),
        seed: request.seed,
        batch_size: request.batch_size as u32,
        compute: evaluation::Compute {
            device: if compute.device.is_cuda() {
                "cuda"
            } else {
                "cpu"
            }
            .to_owned(),
            precision: if compute.kind == Kind::BFloat16 {
                "bfloat16"
            } else {
                "float32"
            }
            .to_owned(),
            channels_last: compute.channels_last,
            threads: compute.threads,
        },
        classes: questions.classes.clone(),
        took_s: Some(predictions.seconds),
        images_per_s: Some(predictions.count() as f64 / predictions.seconds.max(1e-9)),
        versions: measure::versions(),
        ..Results::default()
    };
    if let Some(labels) = questions.labels() {
        measure::measure(&mut results, &predictions, labels, recipe.label_smoothing);
    }
    filling.write(&results, &predictions, &questions, &mut subjects)?;
    let dir = filling.finish()?;
    Ok(Evaluation { dir, results })
}

/// Predicts all images, and reports progress.
fn predict(
    inference: &Inference,
    images: &Images,
    filling: &mut Filling,
) -> Result<Predictions, WorkerError> {
    let mut predictions = Predictions::begin();
    let end = inference.predict(images, |event| match event {
        Event::Passed { images } => filling.passed(images),
        Event::Answered { logits, .. } => {
            predictions.add(logits);
            Ok(())
        }
    })?;
    if end == InferenceEnd::Stopped {
        return Err(WorkerError::Refused(
            "stopped; nothing was written".to_owned(),
        ));
    }
    predictions.end();
    Ok(predictions)
}

/// The shares of the checkpoints, 1 all together.
fn shares(request: &Request) -> Result<Vec<f64>, WorkerError> {
    let count = request.targets.len();
    let weights = match request.weights.len() {
        0 => vec![1.0; count],
        given if given == count => request.weights.clone(),
        given => {
            return Err(WorkerError::Refused(format!(
                "--weights has {given} numbers for {count} checkpoints; give one for each"
            )));
        }
    };
    let sum: f64 = weights.iter().sum();
    let is_good = |weight: &f64| weight.is_finite() && *weight >= 0.0;
    if !weights.iter().all(is_good) || !sum.is_finite() || sum <= 0.0 {
        return Err(WorkerError::Refused(
            "--weights must be numbers of at least 0, and not all 0".to_owned(),
        ));
    }
    Ok(weights.into_iter().map(|weight| weight / sum).collect())
}

/// The recipe that the first checkpoint that has one was trained by, with what the command changes;
/// the defaults if none has one.
fn recipe_of(subjects: &[Subject], request: &Request) -> Recipe {
    let known = subjects.iter().find_map(|subject| subject.recipe.clone());
    let mut recipe = known.unwrap_or_else(|| Recipe {
        // No run was trained with the defaults: their smoothing and data folder mean nothing here.
        label_smoothing: 0.0,
        data_dir: String::new(),
        ..Recipe::default()
    });
    recipe.device = request.device.unwrap_or(recipe.device);
    recipe.precision = request.precision.unwrap_or(recipe.precision);
    recipe
}

/// The folder of `evaluations/`: the tree that is named, else that of the run or of the kept model,
/// else `runs`.
fn output_tree(request: &Request, first: &Subject) -> PathBuf {
    if let Some(tree) = &request.output {
        return tree.clone();
    }
    if let Some(run) = &first.run {
        let beside = || run.path().parent();
        if let Some(tree) = run.output_tree().or_else(beside) {
            return tree.to_owned();
        }
    }
    let folder = first.path.parent();
    let is_kept = |folder: &&Path| {
        let name = folder.file_name().unwrap_or_default();
        name == "best_models" || name == "final_models"
    };
    let tree = folder.filter(is_kept).and_then(Path::parent);
    tree.map_or_else(|| PathBuf::from("runs"), Path::to_owned)
}

impl Evaluation {
    /// One line for people.
    pub fn sentence(&self) -> String {
        let results = &self.results;
        let what = match &results.accuracy {
            Some(accuracy) => format!(
                "{} accuracy {:.2} % (95 % interval {:.2} to {:.2})",
                results.data.split, accuracy.percent, accuracy.low, accuracy.high
            ),
            None => "predicted".to_owned(),
        };
        let plural = |count: u64, what: &str| match count {
            1 => format!("1 {what}"),
            count => format!("{} {what}s", text::count(count)),
        };
        let ensemble = match results.checkpoints.len() {
            1 => String::new(),
            count => format!(", {count} checkpoints"),
        };
        format!(
            "{what}: {}, {}{ensemble}, {} images/s; {}",
            plural(results.data.images, "image"),
            plural(results.views.into(), "view"),
            text::count(results.images_per_s.unwrap_or_default() as u64),
            self.dir.path().display()
        )
    }

    /// For scripts: the results, and where they are.
    pub fn to_json(&self) -> serde_json::Value {
        let mut json = serde_json::json!({ "path": self.dir.path().to_string_lossy() });
        if let (Some(all), Ok(serde_json::Value::Object(results))) =
            (json.as_object_mut(), serde_json::to_value(&self.results))
        {
            all.extend(results);
        }
        json
    }
}
