//! `inspect`: what a checkpoint is, read without running anything in it.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use serde_json::{Value as Json, json};
use traintop_disk::read;
use traintop_run::{Record, RunDir};
use traintop_text as text;

use super::stored::{Stored, TensorInfo};
use super::{AVERAGE, CheckpointError, TrainedOn, is_beside_weights, read};
use crate::model::Shape;

/// What the names of tensors end in that no optimiser changes.
const BUFFERS: [&str; 3] = ["running_mean", "running_var", "num_batches_tracked"];

/// What is known of a checkpoint.
#[derive(Debug)]
pub struct Inspection {
    kind: &'static str,
    bytes: usize,
    /// Counted from 1.
    pub epoch: Option<i64>,
    /// In percent.
    pub best_acc: Option<f64>,
    test_acc: Option<f64>,
    /// `None` if it is not one that is made here.
    pub network: Option<Shape>,
    /// Trained values.
    pub parameters: u64,
    /// All that is in the file.
    pub tensors: Vec<TensorInfo>,
    /// What it was trained by, as it says itself or its run does.
    pub settings: Option<Json>,
    /// What it was trained on, where it says so.
    pub trained_on: Option<TrainedOn>,
    metrics_history: Option<Json>,
}

/// Metadata of the file and of its run, beside the tensors.
#[derive(Debug, Default)]
struct Metadata {
    epoch: Option<i64>,
    best_acc: Option<f64>,
    test_acc: Option<f64>,
    settings: Option<Json>,
    metrics_history: Option<Json>,
}

/// Reads a checkpoint's table of contents and all that is known about it.
///
/// # Errors
/// If it is no checkpoint, or a damaged one.
pub fn inspect(path: &Path) -> Result<Inspection, CheckpointError> {
    inspect_bytes(path, &read(path)?)
}

/// As [`inspect`], of the bytes of the file at `path`.
///
/// # Errors
/// If it is no checkpoint, or a damaged one.
pub fn inspect_bytes(path: &Path, bytes: &[u8]) -> Result<Inspection, CheckpointError> {
    let stored = Stored::parse(path, bytes)?;
    let tensors = stored.tensors();
    let is_resumable = tensors.iter().any(|tensor| is_beside_weights(&tensor.name));
    let (kind, metadata) = match stored.as_pth() {
        Some(file) => {
            let extras = file.extras.clone();
            let metadata = Metadata {
                epoch: extras.epoch.map(|epoch| epoch.saturating_add(1)),
                best_acc: extras.best_acc,
                test_acc: None,
                settings: extras.config,
                metrics_history: extras.metrics_history,
            };
            ("PyTorch's .pth", metadata)
        }
        None => {
            let kind = if is_resumable {
                "safetensors, weights and what a resume needs"
            } else {
                "safetensors, weights"
            };
            (kind, metadata_of_run(path, &stored.header()))
        }
    };
    let size_of = |name: &str| {
        let tensor = tensors.iter().find(|tensor| tensor.name == name)?;
        Some(tensor.shape.iter().map(|&length| length as i64).collect())
    };
    Ok(Inspection {
        kind,
        bytes: bytes.len(),
        epoch: metadata.epoch,
        best_acc: metadata.best_acc,
        test_acc: metadata.test_acc,
        network: Shape::deduce(size_of),
        parameters: tensors
            .iter()
            .filter_map(parameters)
            .fold(0, u64::saturating_add),
        tensors,
        settings: metadata.settings,
        trained_on: TrainedOn::from_header(&stored.header()),
        metrics_history: metadata.metrics_history,
    })
}

/// The trained values of a tensor of the network.
fn parameters(tensor: &TensorInfo) -> Option<u64> {
    let is_buffer = BUFFERS.iter().any(|buffer| tensor.name.ends_with(buffer));
    let lengths = tensor.shape.iter().map(|&length| length as u64);
    let count = lengths.fold(1, u64::saturating_mul);
    (!is_buffer && !is_beside_weights(&tensor.name)).then_some(count)
}

/// What the header says, and what the run folder around the file says of this epoch.
fn metadata_of_run(path: &Path, header: &HashMap<String, String>) -> Metadata {
    let number = |key: &str| header.get(key).and_then(|text| text.parse::<f64>().ok());
    let epoch = number("epoch")
        .or_else(|| number("epochs_done"))
        .map(|epoch| epoch as i64);
    let run = path
        .ancestors()
        .skip(1)
        .take(2)
        .map(RunDir::new)
        .find(|run| run.config_json().exists());
    let record = run
        .as_ref()
        .and_then(|run| Record::load(run).ok().flatten());
    let best = record
        .and_then(|record| record.best)
        .filter(|best| epoch == Some(best.epoch.into()));
    let of_run = || run.and_then(|run| read::bytes(&run.config_json(), read::RECORD_LIMIT).ok());
    let own = header.get("config").map(|text| text.clone().into_bytes());
    let settings = own.or_else(of_run);
    Metadata {
        epoch,
        best_acc: number("best_val_acc")
            .or_else(|| number("val_acc"))
            .or_else(|| best.map(|best| best.val_acc)),
        test_acc: number("test_acc"),
        settings: settings.and_then(|text| serde_json::from_slice(&text).ok()),
        metrics_history: None,
    }
}

impl Inspection {
    /// Whether it has averaged weights beside the trained ones.
    pub fn has_average(&self) -> bool {
        let mut tensors = self.tensors.iter();
        tensors.any(|tensor| tensor.name.starts_with(AVERAGE))
    }

    /// For scripts.
    pub fn to_json(&self) -> Json {
        let tensors = self.tensors.iter().map(
            |tensor| json!({ "name": tensor.name, "dtype": tensor.number, "shape": tensor.shape }),
        );
        let network = self.network.map(|shape| {
            json!({
                "width": shape.width,
                "blocks": shape.blocks,
                "se_reduction": shape.se_reduction,
                "classes": shape.classes,
            })
        });
        json!({
            "kind": self.kind,
            "bytes": self.bytes,
            "epoch": self.epoch,
            "best_acc": self.best_acc,
            "test_acc": self.test_acc,
            "network": network,
            "classes": self.trained_on.as_ref().map(|data| &data.classes),
            "image_size": self.trained_on.as_ref().map(|data| [data.size.0, data.size.1]),
            "parameters": self.parameters,
            "settings": self.settings,
            "metrics_history": self.metrics_history,
            "tensors": tensors.collect::<Vec<_>>(),
        })
    }

    /// The network, in words.
    pub fn network_sentence(&self) -> String {
        let Some(shape) = self.network else {
            return "not one that is made here".to_owned();
        };
        let se = match shape.se_reduction {
            Some(reduction) => format!("squeeze-and-excitation by {reduction}"),
            None => "no squeeze-and-excitation".to_owned(),
        };
        format!(
            "ResNet, width {}, blocks {}, {se}, {} classes",
            shape.width, shape.blocks, shape.classes
        )
    }
}

impl fmt::Display for Inspection {
    /// For people: nothing in it can steer a terminal.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line =
            |key: &str, value: &str| writeln!(formatter, "{key:<14} {}", text::clean(value));
        let unknown = || "unknown".to_owned();
        line("kind", self.kind)?;
        line("size", &text::bytes(self.bytes as u64))?;
        line(
            "epoch",
            &self.epoch.map_or_else(unknown, |epoch| epoch.to_string()),
        )?;
        let best = self.best_acc.map(|best| format!("{best:.2} %"));
        line("best accuracy", &best.unwrap_or_else(unknown))?;
        if let Some(test) = self.test_acc {
            line("test accuracy", &format!("{test:.2} %"))?;
        }
        let model = self
            .settings
            .as_ref()
            .and_then(|settings| settings.get("model_name"));
        if let Some(model) = model.and_then(Json::as_str) {
            line("model", model)?;
        }
        line("network", &self.network_sentence())?;
        if let Some(TrainedOn { classes, size }) = &self.trained_on {
            line("trained on", &format!("images of {} x {}", size.1, size.0))?;
            line("classes", &classes.join(", "))?;
        }
        line("parameters", &text::count(self.parameters))?;
        line("tensors", &text::count(self.tensors.len() as u64))?;
        if let Some(history) = self.metrics_history.as_ref().and_then(Json::as_object) {
            let kept: Vec<&str> = history.keys().map(String::as_str).collect();
            line("history", &kept.join(", "))?;
        }
        match &self.settings {
            Some(Json::Object(settings)) => {
                line("settings", "")?;
                for (key, value) in settings {
                    line("", &format!("{key} = {value}"))?;
                }
                Ok(())
            }
            Some(other) => line("settings", &other.to_string()),
            None => line("settings", &unknown()),
        }
    }
}
