//! The checkpoints in a run folder, of any trainer.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::layout::RunDir;

/// What the names of an optimiser's momentum buffers begin with.
pub const MOMENTUM: &str = "momentum.";

/// What the names of files with weights end in; ours first.
const EXTENSIONS: [&str; 4] = ["safetensors", "pth", "pt", "ckpt"];

/// As [`EXTENSIONS`], of other trainers' files: longer endings before those that they end in.
const OTHERS: [&str; 6] = [".weights.h5", ".pth.tar", ".keras", ".h5", ".tar", ".zip"];

/// Folders right below a run's in which trainers put checkpoints.
const FOLDERS: [&str; 16] = [
    "checkpoints",
    "checkpoint",
    "weights",
    "ckpt",
    "ckpts",
    "models",
    "model",
    "saved_models",
    "best_model",
    "best_models",
    "final_models",
    "save",
    "saved",
    "snapshots",
    // Spinning Up
    "pyt_save",
    // BasicSR
    "training_states",
];

/// What comes before the step in the name of a folder that is one checkpoint.
const FOLDER_NAMES: [&str; 3] = ["checkpoint-", "checkpoint_", "global_step"];

/// Words before an epoch and before a step in a name.
const EPOCHS: [&str; 2] = ["epoch", "ep"];
const STEPS: [&str; 5] = ["step", "iter", "iteration", "it", "timesteps"];

/// Weights as a trainer saved them: a file, or a folder of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub path: PathBuf,
    /// `best`, `last`, `epoch 40` or `step 500`; else as it is called.
    pub what: String,
    /// The epoch of a periodic one.
    pub epoch: Option<u32>,
    /// The step, where the name says it.
    pub step: Option<u64>,
    /// Its size, of a folder that of all its files but texts.
    pub bytes: u64,
}

/// A run's checkpoints: best, last, then the periodic ones by epoch and step.
pub fn list(dir: &RunDir) -> Vec<Checkpoint> {
    let mut found = folders(dir);
    // Beside folders of checkpoints, weights at the top are what came out at the end.
    if found.is_empty() {
        found = files_in(dir, &FOLDERS, true);
    }
    sort(&mut found);
    found
}

/// The files that our own trainer, or one on `PyTorch` with our layout, leaves: at the run's top
/// and in `checkpoints`.
pub fn files(dir: &RunDir) -> Vec<Checkpoint> {
    let mut found = files_in(dir, &FOLDERS[..1], false);
    sort(&mut found);
    found
}

fn sort(found: &mut [Checkpoint]) {
    found.sort_by(|a, b| (a.epoch, a.step, &a.path).cmp(&(b.epoch, b.step, &b.path)));
}

fn files_in(dir: &RunDir, below: &[&str], others: bool) -> Vec<Checkpoint> {
    let below = below.iter().map(|name| dir.path().join(name));
    let all = std::iter::once(dir.path().to_owned()).chain(below);
    let entries = all
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .flatten();
    entries
        .filter_map(|entry| checkpoint(&entry.path(), others))
        .collect()
}

/// Folders that are one checkpoint each.
fn folders(dir: &RunDir) -> Vec<Checkpoint> {
    let places = [dir.path().to_owned(), dir.checkpoints()];
    let entries = places
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .flatten();
    let folders = entries.filter_map(|entry| {
        let (step, _) = step_of_folder(entry.file_name().to_str()?)?;
        let path = entry.path();
        // Without weights it is what is left of one.
        let bytes = size_below(&path, 3);
        (bytes > 0).then(|| Checkpoint {
            what: format!("step {step}"),
            epoch: None,
            step: Some(step),
            bytes,
            path,
        })
    });
    folders.collect()
}

/// What a trainer writes into the folder of a checkpoint beside what takes room.
const TEXTS: [&str; 4] = ["json", "jsonl", "txt", "md"];

/// The sizes of the files of weights and state in a folder and in those below it, to a depth.
fn size_below(folder: &Path, depth: u32) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_file() && !is_text(&entry.path()) => metadata.len(),
        Ok(metadata) if metadata.is_dir() && depth > 0 => size_below(&entry.path(), depth - 1),
        _ => 0,
    });
    sizes.sum()
}

/// The checkpoint of this name (`best`, `last`) at the run's top: ours, or that of a trainer on
/// `PyTorch`.
pub fn named(dir: &RunDir, name: &str) -> Option<PathBuf> {
    let endings = EXTENSIONS.iter();
    let mut places = endings.map(|ending| dir.path().join(format!("{name}.{ending}")));
    places.find(|path| path.is_file())
}

fn is_text(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| TEXTS.contains(&ending))
}

fn checkpoint(path: &Path, others: bool) -> Option<Checkpoint> {
    let file = path.file_name()?.to_str()?;
    let own = EXTENSIONS
        .iter()
        .find_map(|ending| file.strip_suffix(ending)?.strip_suffix('.'));
    let name = own.or_else(|| without_ending(file).filter(|_| others))?;
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let epoch = epoch_in(name).map(|(epoch, _)| epoch);
    let is_periodic = name.starts_with("epoch") || plain_number(name).is_some();
    let what = match epoch.filter(|_| is_periodic) {
        Some(epoch) => format!("epoch {epoch}"),
        None => traintop_text::clean(name).into_owned(),
    };
    Some(Checkpoint {
        path: path.to_owned(),
        what,
        epoch,
        step: step_in(name).map(|(step, _)| step),
        bytes: metadata.len(),
    })
}

/// The name of a file without its ending, if that is one of files with weights.
pub fn without_ending(file: &str) -> Option<&str> {
    let own = EXTENSIONS
        .iter()
        .find_map(|ending| file.strip_suffix(ending)?.strip_suffix('.'));
    own.or_else(|| OTHERS.iter().find_map(|ending| file.strip_suffix(ending)))
}

/// The epoch in a file's name, and the position of its number.
pub fn epoch_in(name: &str) -> Option<(u32, Range<usize>)> {
    let (epoch, at) = number_after(name, &EPOCHS).or_else(|| plain_number(name))?;
    Some((epoch.try_into().ok()?, at))
}

/// The step in a file's name, and the position of its number.
pub fn step_in(name: &str) -> Option<(u64, Range<usize>)> {
    number_after(name, &STEPS).or_else(|| {
        let before = name.strip_suffix("_steps")?;
        let start = before.rfind('_')? + 1;
        Some((before[start..].parse().ok()?, start..before.len()))
    })
}

/// The step of a folder that is one checkpoint, and the position of the number in its name.
pub fn step_of_folder(name: &str) -> Option<(u64, Range<usize>)> {
    let mut begins = FOLDER_NAMES.iter();
    let digits = begins.find_map(|begin| name.strip_prefix(begin))?;
    let start = name.len() - digits.len();
    Some((digits.parse().ok()?, start..name.len()))
}

/// The number of a file `checkpoint-12`: an epoch, while a folder of this name is that of a step.
fn plain_number(name: &str) -> Option<(u64, Range<usize>)> {
    let rest = name.strip_prefix("checkpoint")?;
    let digits = rest.trim_start_matches(['-', '_']);
    Some((digits.parse().ok()?, name.len() - digits.len()..name.len()))
}

/// The number behind one of these words, which begins the name or a part of it: `epoch=01`,
/// `best_epoch_2`, `epoch2`; and its position.
fn number_after(name: &str, words: &[&str]) -> Option<(u64, Range<usize>)> {
    let lower = name.to_ascii_lowercase();
    words.iter().find_map(|word| {
        lower.match_indices(word).find_map(|(at, _)| {
            let before = lower[..at].chars().next_back();
            let begins = before.is_none_or(|before| !before.is_alphabetic());
            let rest = &lower[at + word.len()..];
            let digits = rest.trim_start_matches(['=', '_', '-']);
            let start = lower.len() - digits.len();
            let count = digits.bytes().take_while(u8::is_ascii_digit).count();
            let number = digits[..count].parse().ok().filter(|_| begins)?;
            Some((number, start..start + count))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn best_and_last_come_first_then_epochs_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        fs::create_dir(dir.checkpoints()).unwrap();
        for path in [
            dir.last(),
            dir.best(),
            dir.checkpoint(10),
            dir.checkpoint(5),
            dir.checkpoints().join("notes.txt"),
        ] {
            fs::write(path, "12345").unwrap();
        }
        let what: Vec<_> = list(&dir)
            .into_iter()
            .map(|checkpoint| (checkpoint.what, checkpoint.bytes))
            .collect();
        let expected = ["best", "last", "epoch 5", "epoch 10"].map(|what| (what.to_owned(), 5));
        assert_eq!(what, expected);
    }

    #[test]
    fn names_of_other_trainers_tell_their_epochs_and_steps() {
        for (file, what, epoch, step) in [
            (
                "best-epoch=01-val_acc=0.80.ckpt",
                "best-epoch=01-val_acc=0.80",
                Some(1),
                None,
            ),
            ("epoch=2-step=29.ckpt", "epoch 2", Some(2), Some(29)),
            ("epoch2.pt", "epoch 2", Some(2), None),
            ("checkpoint-12.pth.tar", "epoch 12", Some(12), None),
            ("checkpoint0009.pth", "epoch 9", Some(9), None),
            ("model_best.pth.tar", "model_best", None, None),
            (
                "best_coco_bbox_mAP_epoch_2.pth",
                "best_coco_bbox_mAP_epoch_2",
                Some(2),
                None,
            ),
            ("iter_4000.pth", "iter_4000", None, Some(4000)),
            (
                "rl_model_1000_steps.zip",
                "rl_model_1000_steps",
                None,
                Some(1000),
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(file), "12345").unwrap();
            let found = list(&RunDir::new(folder.path()));
            let found: Vec<_> = found
                .iter()
                .map(|it| (it.what.as_str(), it.epoch, it.step))
                .collect();
            assert_eq!(found, [(what, epoch, step)]);
        }
    }

    #[test]
    fn weights_in_the_folders_that_trainers_make_for_them_are_found() {
        for file in [
            "pyt_save/model.pt",
            "best_model/best_model.zip",
            "saved_models/a.pth",
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "12345").unwrap();
            let found = list(&RunDir::new(folder.path()));
            assert_eq!(found.len(), 1, "{file}");
            assert_eq!(found[0].path, path);
        }
    }

    #[test]
    fn a_folder_is_one_checkpoint_with_all_that_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        for file in [
            "checkpoint-20/model.safetensors",
            "checkpoint-10/optimizer.pt",
            "model.safetensors",
        ] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "12345").unwrap();
        }
        let found = list(&RunDir::new(folder.path()));
        let found: Vec<_> = found.iter().map(|it| (it.step, it.bytes)).collect();
        assert_eq!(found, [(Some(10), 5), (Some(20), 5)]);
    }
}
