//! `summary.json` of an evaluation: what was evaluated, how, and the results. Read tolerantly: what
//! is missing is absent, what is unknown is kept.

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::layout::EvaluationDir;
use traintop_disk::read;
use traintop_disk::write::replace_file;

/// The version of `summary.json` that this program writes.
pub const SCHEMA_VERSION: u32 = 1;

/// What came out of an evaluation. Everything about right answers is there only where the images
/// have labels.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Results {
    /// Version of the file's form.
    pub schema_version: u32,
    /// The folder's first name: identity, also after a rename.
    pub id: String,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// How long it took, in seconds, from the first image to the last.
    pub took_s: Option<f64>,
    /// The images.
    pub data: Data,
    /// The checkpoints that answered, in the order of the command; several are an ensemble.
    pub checkpoints: Vec<Evaluated>,
    /// Views of each image whose logits were averaged; 1 is the image alone.
    pub views: u32,
    /// Seed of the views.
    pub seed: u64,
    /// Images in a batch.
    pub batch_size: u32,
    /// What computed.
    pub compute: Compute,
    /// The classes' names, by label.
    pub classes: Vec<String>,
    /// Right answers.
    pub accuracy: Option<Accuracy>,
    /// Mean cross-entropy of the averaged logits.
    pub loss: Option<f64>,
    /// The smoothing of the targets that the loss was computed with: the recipe's, as in training.
    pub label_smoothing: Option<f64>,
    /// Percent of the images whose class is among the three most probable.
    pub top_3: Option<f64>,
    /// Percent of the images whose class is among the five most probable.
    pub top_5: Option<f64>,
    /// Each class by itself.
    pub per_class: Vec<Class>,
    /// Means over the classes, each counting the same.
    #[serde(rename = "macro")]
    pub averages: Option<Averages>,
    /// Images of each true class (row) by predicted class (column).
    pub confusion: Vec<Vec<u64>>,
    /// How far confidence and accuracy agree, in bins of equal width.
    pub calibration: Vec<CalibrationBin>,
    /// Expected calibration error, 0 to 1: the mean distance of confidence and accuracy over the
    /// bins, by their images.
    pub expected_calibration_error: Option<f64>,
    /// Images a second; each counts once, with any number of views.
    pub images_per_s: Option<f64>,
    /// What made it.
    pub versions: Versions,
    /// What other versions write.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The images of an evaluation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Data {
    /// `synthetic`, a folder, or a file of unlabelled images.
    pub path: String,
    /// `val`, `test`, or `unlabelled`.
    pub split: String,
    /// Of all pixels and labels in order: equal hashes are equal images.
    pub sha256: String,
    pub images: u64,
    /// Rows of an image.
    pub height: u32,
    /// Columns of an image.
    pub width: u32,
    /// What other versions write.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A checkpoint that was evaluated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evaluated {
    pub path: Option<PathBuf>,
    /// Which of a run's weights: `best`, `last`, `averaged`, or `file`.
    pub which: String,
    /// The copy in the evaluation's folder, by its file's name.
    pub copy: String,
    /// Of the file.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Its share in an ensemble, as given; shares need not add up to 1.
    pub weight: f64,
    /// Epoch of the weights, counted from 1.
    pub epoch: Option<i64>,
    /// Validation accuracy in percent, as the checkpoint states it.
    pub val_acc: Option<f64>,
    /// The network's trained values.
    pub parameters: u64,
    /// What the network is, in words.
    pub network: String,
    pub run: Option<RunReference>,
    /// What other versions write.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The run of a checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunReference {
    /// The identity in its `run.json`.
    pub id: Option<String>,
    /// Its folder at that time.
    pub path: Option<PathBuf>,
    /// The name that lists showed then.
    pub name: Option<String>,
}

/// What computed, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Compute {
    /// `cpu` or `cuda`.
    pub device: String,
    /// `float32` or `bfloat16`.
    pub precision: String,
    /// Whether images lay in memory with their channels last.
    pub channels_last: bool,
    /// Of libtorch on the CPU.
    pub threads: u32,
}

/// Right answers, and how far chance may have moved them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Accuracy {
    /// Right answers in percent.
    pub percent: f64,
    /// Right answers.
    pub correct: u64,
    pub total: u64,
    /// Lower end of the 95 % interval (Wilson's), in percent.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Class {
    pub name: String,
    pub images: u64,
    /// Images that were predicted as it.
    pub predicted: u64,
    /// Images of it that were predicted as it.
    pub correct: u64,
    /// Right among those predicted as it, 0 to 1; absent if there are none.
    pub precision: Option<f64>,
    /// Right among those that are of it (the class's accuracy), 0 to 1; absent if none is.
    pub recall: Option<f64>,
    /// Harmonic mean of both; absent if the class has neither images nor predictions.
    pub f1: Option<f64>,
}

/// Means over the classes that have images or predictions, 0 to 1; what a class lacks counts as 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Averages {
    pub precision: f64,
    pub recall: f64,
    /// Of the harmonic means.
    pub f1: f64,
}

/// Images of about the same confidence.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CalibrationBin {
    /// Confidences above this,
    pub low: f64,
    /// up to and with this.
    pub high: f64,
    pub images: u64,
    /// Their mean confidence, 0 to 1; absent of none.
    pub confidence: Option<f64>,
    /// The part of them that is right; absent of none.
    pub accuracy: Option<f64>,
}

/// What made an evaluation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Versions {
    /// This program's.
    pub traintop: String,
    pub libtorch: String,
    /// The machine.
    pub host: String,
}

/// Why a `summary.json` could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read or written.
    #[error("{path}: {cause}")]
    Io { path: PathBuf, cause: io::Error },
    /// It is no summary.
    #[error("{path}: is damaged ({cause}); evaluate the checkpoint again, or remove the folder")]
    Damaged {
        path: PathBuf,
        cause: serde_json::Error,
    },
}

impl Results {
    /// Reads an evaluation's results; `None` if it has none, as the reference's.
    ///
    /// # Errors
    /// If they cannot be read or are damaged.
    pub fn load(dir: &EvaluationDir) -> Result<Option<Self>, LoadError> {
        let path = dir.summary_json();
        match read::bytes(&path, read::RECORD_LIMIT) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|cause| LoadError::Damaged { path, cause }),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(LoadError::Io { path, cause }),
        }
    }

    /// Writes them.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn save(&self, dir: &EvaluationDir) -> Result<(), LoadError> {
        let path = dir.summary_json();
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|cause| LoadError::Damaged {
            path: path.clone(),
            cause,
        })?;
        bytes.push(b'\n');
        replace_file(&path, &bytes).map_err(|cause| LoadError::Io { path, cause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_missing_is_absent_and_what_is_unknown_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let dir = EvaluationDir::new(folder.path());
        assert!(Results::load(&dir).unwrap().is_none());
        fs::write(
            dir.summary_json(),
            r#"{"views": 8, "accuracy": {"percent": 91.5}, "new": [1], "data": {"split": "test", "colour": "sRGB"}}"#,
        )
        .unwrap();
        let results = Results::load(&dir).unwrap().unwrap();
        assert_eq!((results.views, results.seed, results.loss), (8, 0, None));
        assert_eq!(results.accuracy.as_ref().unwrap().percent, 91.5);
        assert_eq!(results.other["new"], serde_json::json!([1]));
        results.save(&dir).unwrap();
        let text = fs::read_to_string(dir.summary_json()).unwrap();
        assert!(
            text.contains("\"colour\": \"sRGB\"") && text.contains("\"macro\": null"),
            "{text}"
        );
        assert_eq!(Results::load(&dir).unwrap().unwrap(), results);
    }

    #[test]
    fn damage_is_reported_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let dir = EvaluationDir::new(folder.path());
        fs::write(dir.summary_json(), r#"{"views": "#).unwrap();
        let message = Results::load(&dir).unwrap_err().to_string();
        assert!(message.contains("summary.json: is damaged ("), "{message}");
    }
}
