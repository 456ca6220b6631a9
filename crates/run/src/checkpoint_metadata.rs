//! What a checkpoint holds about its run beside the tensors: settings, epoch, accuracy, and the
//! reference's history of metrics. Reads no tensor and executes nothing.

use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use serde_json::Value as Json;

use super::pth::{self, PthFile};
use super::safetensors;
use traintop_disk::read;
use traintop_pickle as pickle;
use traintop_pickle::Value;

/// A pickle beside its tensors that is longer holds more than settings and histories.
const MAX_PICKLE: u64 = 64 << 20;
/// Settings that are longer are none.
const MAX_CONFIG: usize = 1 << 20;

/// What a checkpoint holds about its run; unknown values are absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CheckpointMetadata {
    /// Epochs that were trained.
    pub epoch: Option<u32>,
    /// The validation accuracy of these weights, percent.
    pub val_acc: Option<f64>,
    /// The best so far: its epoch, where that is known, and its accuracy in percent.
    pub best: Option<(Option<u32>, f64)>,
    /// Seconds trained.
    pub elapsed_s: Option<f64>,
    /// The settings.
    pub config: Option<Json>,
    /// A list of numbers for each metric.
    pub metrics_history: Option<Json>,
}

/// What the reference's trainer keeps beside the tensors, as far as it is there.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Extras {
    /// Counted from 0.
    pub epoch: Option<i64>,
    /// In percent.
    pub best_acc: Option<f64>,
    /// The settings' fields.
    pub config: Option<Json>,
    /// A list of numbers for each metric.
    pub metrics_history: Option<Json>,
}

impl Extras {
    /// Takes them out of a `.pth`'s pickle.
    pub fn of(value: Value<'_>) -> Self {
        Self {
            epoch: value.get("epoch").and_then(Value::as_int),
            best_acc: value.get("best_acc").and_then(Value::as_float),
            config: value.get("config").map(Value::to_json),
            metrics_history: value.get("metrics_history").map(Value::to_json),
        }
    }
}

impl CheckpointMetadata {
    /// Reads the metadata of a `.safetensors` or a `.pth`.
    ///
    /// # Errors
    /// If it is neither, or damaged.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut file = BufReader::new(read::open(path)?);
        let mut start = [0; 4];
        file.read_exact(&mut start)?;
        file.rewind()?;
        if pth::is_zip(&start) {
            Self::of_pth(file)
        } else {
            Self::of_safetensors(file)
        }
    }

    fn of_safetensors(file: impl Read) -> io::Result<Self> {
        let entries = safetensors::texts(file)?;
        let number = |key: &str| entries.get(key).and_then(|text| text.parse::<f64>().ok());
        let epoch = number("epoch").or_else(|| number("epochs_done"));
        let best = number("best_val_acc");
        Ok(Self {
            epoch: epoch.map(|epoch| epoch as u32),
            val_acc: number("val_acc"),
            best: best.map(|best| (number("best_epoch").map(|epoch| epoch as u32), best)),
            elapsed_s: number("elapsed_s"),
            config: entries
                .get("config")
                .filter(|text| text.len() <= MAX_CONFIG)
                .and_then(|text| serde_json::from_str(text).ok()),
            metrics_history: None,
        })
    }

    fn of_pth(file: impl Read + Seek) -> io::Result<Self> {
        let bytes = PthFile::open(file)?.pickle(MAX_PICKLE)?;
        let pickle = pickle::parse(&bytes).map_err(io::Error::other)?;
        let extras = Extras::of(pickle.value());
        Ok(Self {
            epoch: extras
                .epoch
                .and_then(|epoch| u32::try_from(epoch.checked_add(1)?).ok()),
            val_acc: None,
            best: extras.best_acc.map(|best| (None, best)),
            elapsed_s: None,
            config: extras.config,
            metrics_history: extras.metrics_history,
        })
    }
}
