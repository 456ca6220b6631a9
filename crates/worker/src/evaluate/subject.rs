//! A checkpoint to evaluate: which file, which of its weights, of which run, and what network it
//! holds.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use tch::Device;
use traintop_disk::read;
use traintop_recipe::network::parameters;
use traintop_recipe::{FIELDS, Recipe};
use traintop_run::evaluation::{Evaluated, RunReference};
use traintop_run::{Record, RunDir, checkpoints};

use super::Request;
use crate::checkpoint::inspect::inspect_bytes;
use crate::checkpoint::{self, Inspection, TrainedOn, Weights};
use crate::error::WorkerError;
use crate::model::{ResNet, Shape, StateDict};

/// A checkpoint, opened.
#[derive(Debug)]
pub struct Subject {
    pub path: PathBuf,
    /// Held open, so that what is copied is what was read, also where a training replaces the file
    /// meanwhile.
    pub file: File,
    pub inspection: Inspection,
    /// Its run.
    pub run: Option<RunDir>,
    record: Option<Record>,
    /// What it was trained by, as far as that is known.
    pub recipe: Option<Recipe>,
    /// `best`, `last`, `averaged`, or `file`.
    which: String,
    weights: Weights,
    /// Dropped once the network is made.
    bytes: Vec<u8>,
    sha256: String,
    size: u64,
    shape: Shape,
}

impl Subject {
    /// Opens a file, or the checkpoint `which` of a run's folder, and sees whether it is of a
    /// network that is made here.
    pub fn open(target: &Path, which: Option<&str>) -> Result<Self, WorkerError> {
        let (path, which) = chosen(target, which)?;
        let failed = |source| WorkerError::Io {
            what: path.display().to_string(),
            source,
        };
        let path = path.canonicalize().map_err(failed)?;
        if !path.is_file() {
            // Opening a pipe would wait for its writer.
            return Err(WorkerError::Refused(format!(
                "{}: is no file; name a checkpoint, or the folder of a run",
                path.display()
            )));
        }
        let mut file = read::open(&path).map_err(failed)?;
        let bytes = checkpoint::read_all(&path, &mut file)?;
        let inspection = inspect_bytes(&path, &bytes)?;
        let weights = if which == "averaged" {
            Weights::Averaged
        } else {
            Weights::Trained
        };
        if weights == Weights::Averaged && !inspection.has_average() {
            return Err(WorkerError::Refused(format!(
                "{}: holds no averaged weights, which a recipe with ema_decay keeps; take another --checkpoint",
                path.display()
            )));
        }
        let run = run_around(&path);
        let record = run
            .as_ref()
            .and_then(|run| Record::load(run).ok().flatten());
        let recipe = inspection.settings.as_ref().map(recipe_from);
        let recipe = recipe.or_else(|| {
            let text = read::bytes(&run.as_ref()?.config_json(), read::RECORD_LIMIT).ok()?;
            Some(recipe_from(&serde_json::from_slice(&text).ok()?))
        });
        let shape = shape_of(&inspection, recipe.as_ref()).ok_or_else(|| {
            WorkerError::Refused(format!(
                "{}: its tensors are not those of a network that is made here (a ResNet of four stages for colour images, with or without \
                 squeeze-and-excitation); name a checkpoint of one",
                path.display()
            ))
        })?;
        Ok(Self {
            sha256: hex(&Sha256::digest(&bytes)),
            size: bytes.len() as u64,
            path,
            file,
            inspection,
            run,
            record,
            recipe,
            which,
            weights,
            bytes,
            shape,
        })
    }

    /// The network with its weights; the file's bytes are given back.
    pub fn network(&mut self, device: Device) -> Result<(StateDict, ResNet), WorkerError> {
        let bytes = std::mem::take(&mut self.bytes);
        let mut state = StateDict::new(device);
        let model = ResNet::new(&mut state, &self.shape);
        checkpoint::load_weights_of(&self.path, &bytes, &state, self.weights)?;
        Ok((state, model))
    }

    /// How many classes the network has.
    pub fn classes(&self) -> i64 {
        self.shape.classes
    }

    /// What the checkpoint says of the images that it was trained on, or the best one of its run
    /// does.
    pub fn trained_on(&self) -> Option<TrainedOn> {
        let of_run = || checkpoint::trained_on(&self.run.as_ref()?.best());
        self.inspection.trained_on.clone().or_else(of_run)
    }

    fn evaluated(&self, weight: f64, copy: String) -> Evaluated {
        let run = self.run.as_ref().map(|run| RunReference {
            id: self.record.as_ref().map(|record| record.id.clone()),
            path: Some(run.path().to_owned()),
            name: self.record.as_ref().map(|record| record.name.clone()),
        });
        Evaluated {
            path: Some(self.path.clone()),
            which: self.which.clone(),
            copy,
            sha256: self.sha256.clone(),
            bytes: self.size,
            weight,
            epoch: self.inspection.epoch,
            val_acc: self.inspection.best_acc,
            parameters: self.inspection.parameters,
            network: self.inspection.network_sentence(),
            run,
            ..Evaluated::default()
        }
    }
}

/// What the results say of each checkpoint.
pub fn describe(subjects: &[Subject], request: &Request) -> Vec<Evaluated> {
    let weights = request
        .weights
        .iter()
        .copied()
        .chain(std::iter::repeat(1.0));
    let copies = copies(subjects);
    subjects
        .iter()
        .zip(weights)
        .zip(copies)
        .map(|((subject, weight), copy)| subject.evaluated(weight, copy))
        .collect()
}

/// What the copy of each checkpoint is called: `model.pth`, or `model_2.safetensors` of an
/// ensemble.
pub fn copies(subjects: &[Subject]) -> Vec<String> {
    let here = traintop_run::evaluation::EvaluationDir::new("");
    let count = subjects.len();
    let each = subjects.iter().enumerate();
    each.map(|(number, subject)| {
        let copy = here.model(number, count, &subject.path);
        copy.to_string_lossy().into_owned()
    })
    .collect()
}

/// The file that is meant, and which of a run's that is.
fn chosen(target: &Path, which: Option<&str>) -> Result<(PathBuf, String), WorkerError> {
    if !target.is_dir() {
        return match which {
            // Also a file alone may hold averaged weights beside the others.
            Some("averaged") => Ok((target.to_owned(), "averaged".to_owned())),
            Some(which) => Err(WorkerError::Refused(format!(
                "{}: is no folder of a run, in which --checkpoint {which} could choose; name one, or leave --checkpoint out",
                target.display()
            ))),
            None => Ok((target.to_owned(), which_of(target))),
        };
    }
    let dir = RunDir::new(target);
    let which = which.unwrap_or("best");
    let path = match which {
        "best" => checkpoints::named(&dir, "best"),
        "last" => checkpoints::named(&dir, "last"),
        "averaged" => Some(dir.last()).filter(|path| path.exists()),
        file => {
            let places = [target.join(file), dir.checkpoints().join(file)];
            let place = places.into_iter().find(|path| path.is_file());
            return place.map(|path| (path, "file".to_owned())).ok_or_else(|| {
                WorkerError::Refused(format!("{}: has no checkpoint {file}", target.display()))
            });
        }
    };
    let path = path.ok_or_else(|| {
        WorkerError::Refused(format!(
            "{}: holds no {which} checkpoint; name a run that has one, or a file",
            target.display()
        ))
    })?;
    Ok((path, which.to_owned()))
}

/// Which of a run's weights a file holds, by its name.
fn which_of(path: &Path) -> String {
    match path.file_stem().and_then(|stem| stem.to_str()) {
        Some(stem @ ("best" | "last")) => stem.to_owned(),
        _ => "file".to_owned(),
    }
}

/// The run of a file at its top or in `checkpoints/`.
fn run_around(path: &Path) -> Option<RunDir> {
    let mut folders = path.ancestors().skip(1).take(2).map(RunDir::new);
    folders.find(|run| run.run_json().exists() || run.config_json().exists())
}

/// The settings that can be understood; their writer may have many more.
fn recipe_from(settings: &Json) -> Recipe {
    let mut recipe = Recipe {
        data_dir: String::new(),
        label_smoothing: 0.0,
        ..Recipe::default()
    };
    for field in FIELDS {
        if let Some(Ok(value)) = settings.get(field.key).map(|value| field.from_json(value)) {
            // A value that does not fit is left as it was: only few of them matter here.
            let _ = recipe.set(field, value);
        }
    }
    recipe
}

/// The network whose tensors these are, with what training leaves no trace of in them. A file may
/// claim any width: the network is only made where the file holds as many numbers as it would have.
fn shape_of(inspection: &Inspection, recipe: Option<&Recipe>) -> Option<Shape> {
    let shape = inspection.network?;
    let claimed = Recipe {
        width: u32::try_from(shape.width).ok()?,
        blocks: u32::try_from(shape.blocks).ok()?,
        use_se: shape.se_reduction.is_some(),
        se_reduction: u32::try_from(shape.se_reduction.unwrap_or(1)).ok()?,
        ..Recipe::default()
    };
    let classes = u64::try_from(shape.classes).ok()?;
    (parameters(&claimed, classes) == inspection.parameters).then_some(Shape {
        stochastic_depth_rate: recipe.map_or(0.0, |recipe| recipe.stochastic_depth_rate),
        ..shape
    })
}

/// Bytes as people compare them.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
