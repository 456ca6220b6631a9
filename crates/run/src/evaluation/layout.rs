//! Where everything is in an evaluation's folder, and what a new one is called.

use std::path::{Path, PathBuf};

use jiff::Zoned;

use traintop_text::clean;

/// Where an output tree keeps its evaluations.
pub const EVALUATIONS: &str = "evaluations";

/// Longer parts of a folder's name are cut: file systems allow 255 bytes, and a temporary name has
/// some more around it.
const MAX_PART_BYTES: usize = 80;

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EvaluationDir(PathBuf);

impl EvaluationDir {
    /// Takes a folder for an evaluation; whether it is one, [`EvaluationDir::is_one`] says.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder's own name.
    pub fn name(&self) -> String {
        self.0
            .file_name()
            .unwrap_or(self.0.as_os_str())
            .to_string_lossy()
            .into_owned()
    }

    /// Whether the folder holds what an evaluation leaves: ours, or the reference's, which has
    /// predictions alone.
    pub fn is_one(&self) -> bool {
        self.summary_json().is_file() || self.predictions_csv().is_file()
    }

    /// What was measured: see [`super::Results`].
    pub fn summary_json(&self) -> PathBuf {
        self.0.join("summary.json")
    }

    /// `ID,Labels`: the predicted class of each image, by its number.
    pub fn predictions_csv(&self) -> PathBuf {
        self.0.join("predictions.csv")
    }

    /// A gallery of images with what was predicted.
    pub fn predictions_png(&self) -> PathBuf {
        self.0.join("predictions.png")
    }

    /// Every answer in full: see [`super::Logits`].
    pub fn logits(&self) -> PathBuf {
        self.0.join("logits.safetensors")
    }

    /// The images that are shown: see [`super::Images`].
    pub fn images(&self) -> PathBuf {
        self.0.join("images.safetensors")
    }

    /// How far an evaluation is that still runs: see [`super::Progress`].
    pub fn progress_json(&self) -> PathBuf {
        self.0.join("progress.json")
    }

    /// The copy of the `number`-th checkpoint (from 0) of `of`, with the extension of its original:
    /// `model.pth`, or `model_2.safetensors` of an ensemble.
    pub fn model(&self, number: usize, of: usize, original: &Path) -> PathBuf {
        let stem = if of == 1 {
            "model".to_owned()
        } else {
            format!("model_{}", number + 1)
        };
        let extension = original
            .extension()
            .map(|extension| extension.to_string_lossy());
        self.0.join(match extension {
            Some(extension) => format!("{stem}.{extension}"),
            None => stem,
        })
    }
}

/// What an evaluation's folder is named after.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The experiment of the run that the checkpoint is of; empty if that is not known.
    pub experiment: &'a str,
    /// The checkpoint's validation accuracy in percent, where it is known.
    pub val_acc: Option<f64>,
    pub began: &'a Zoned,
    /// The checkpoint's file.
    pub model_file: &'a Path,
}

/// `{experiment_name}_val_acc_{val_acc:.2f}_{timestamp}_model_{model_file}`, the reference's form:
/// `model_file` without its extension, `unknown` where the checkpoint does not say how good it is.
/// Not yet free of a folder of the same name.
pub fn folder_name(named: Named) -> String {
    let experiment = match named.experiment {
        "" => "checkpoint",
        name => name,
    };
    let accuracy = named
        .val_acc
        .map_or_else(|| "unknown".to_owned(), |accuracy| format!("{accuracy:.2}"));
    let stem = named.model_file.file_stem().unwrap_or_default();
    format!(
        "{}_val_acc_{accuracy}_{}_model_{}",
        part(experiment),
        named.began.strftime("%Y_%m_%d_%H_%M_%S"),
        part(&stem.to_string_lossy())
    )
}

/// Text as a part of a file's name.
fn part(text: &str) -> String {
    let cleaned = clean(text).replace('/', "_");
    let visible = cleaned.trim_start_matches('.');
    let mut end = visible.len().min(MAX_PART_BYTES);
    while !visible.is_char_boundary(end) {
        end -= 1;
    }
    visible[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(experiment: &str, val_acc: Option<f64>, file: &str) -> String {
        folder_name(Named {
            experiment,
            val_acc,
            began: &"2026-03-10T14:29:05[UTC]".parse().unwrap(),
            model_file: Path::new(file),
        })
    }

    #[test]
    fn folders_are_named_as_the_references_are() {
        assert_eq!(
            name("quick", Some(97.304), "runs/a/best.safetensors"),
            "quick_val_acc_97.30_2026_03_10_14_29_05_model_best"
        );
        assert_eq!(
            name("", None, "epoch_10.pth"),
            "checkpoint_val_acc_unknown_2026_03_10_14_29_05_model_epoch_10"
        );
    }

    #[test]
    fn no_name_leaves_its_folder_hides_or_is_too_long() {
        let hostile = name(
            &format!("../{}\u{1b}[2J", "ä".repeat(300)),
            Some(1.0),
            "a/b.pth",
        );
        assert!(!hostile.contains('/') && !hostile.contains('\u{1b}') && !hostile.starts_with('.'));
        assert!(hostile.len() < 200, "{hostile}");
    }

    #[test]
    fn copies_keep_their_extension_and_are_numbered_in_an_ensemble() {
        let dir = EvaluationDir::new("/e");
        assert_eq!(
            dir.model(0, 1, Path::new("a.pth")),
            Path::new("/e/model.pth")
        );
        assert_eq!(
            dir.model(1, 2, Path::new("a.safetensors")),
            Path::new("/e/model_2.safetensors")
        );
        assert_eq!(dir.model(0, 1, Path::new("a")), Path::new("/e/model"));
    }
}
