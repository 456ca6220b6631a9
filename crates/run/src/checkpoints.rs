//! The checkpoints that a run folder holds, whatever trainer wrote them.

use std::fs;
use std::path::{Path, PathBuf};

use super::layout::RunDir;

/// What the names of an optimiser's momentum buffers begin with.
pub const MOMENTUM: &str = "momentum.";

/// What the names of files with weights end in; ours first.
const EXTENSIONS: [&str; 4] = ["safetensors", "pth", "pt", "ckpt"];

/// As [`EXTENSIONS`], of other trainers' files: longer endings before those that they end in.
const OTHERS: [&str; 6] = [".weights.h5", ".pth.tar", ".keras", ".h5", ".tar", ".zip"];

/// Folders right below a run's in which trainers put checkpoints.
const FOLDERS: [&str; 6] = ["checkpoints", "weights", "ckpt", "ckpts", "models", "model"];

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
        let name = entry.file_name();
        let name = name.to_str()?;
        let digits = FOLDER_NAMES
            .iter()
            .find_map(|begin| name.strip_prefix(begin))?;
        let step = digits.parse().ok()?;
        let path = entry.path();
        path.is_dir().then(|| Checkpoint {
            what: format!("step {step}"),
            epoch: None,
            step: Some(step),
            bytes: size_below(&path, 3),
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
    let other = || OTHERS.iter().find_map(|ending| file.strip_suffix(ending));
    let name = own.or_else(|| other().filter(|_| others))?;
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    // A file `checkpoint-12` is that of an epoch; a step is in the name of a folder.
    let plain = || {
        name.strip_prefix("checkpoint")?
            .trim_start_matches(['-', '_'])
            .parse()
            .ok()
    };
    let epoch = number_after(name, &EPOCHS)
        .and_then(|epoch| epoch.try_into().ok())
        .or_else(plain);
    let step = number_after(name, &STEPS).or_else(|| {
        let digits = name.strip_suffix("_steps")?.rsplit('_').next()?;
        digits.parse().ok()
    });
    let is_periodic = name.starts_with("epoch") || plain().is_some();
    let what = match epoch.filter(|_| is_periodic) {
        Some(epoch) => format!("epoch {epoch}"),
        None => traintop_text::clean(name).into_owned(),
    };
    Some(Checkpoint {
        path: path.to_owned(),
        what,
        epoch,
        step,
        bytes: metadata.len(),
    })
}

/// The number behind one of these words, which begins the name or a part of it: `epoch=01`,
/// `best_epoch_2`, `epoch2`.
fn number_after(name: &str, words: &[&str]) -> Option<u64> {
    let lower = name.to_ascii_lowercase();
    words.iter().find_map(|word| {
        lower.match_indices(word).find_map(|(at, _)| {
            let before = lower[..at].chars().next_back();
            let begins = before.is_none_or(|before| !before.is_alphanumeric());
            let rest = lower[at + word.len()..].trim_start_matches(['=', '_', '-']);
            let end = rest
                .find(|char: char| !char.is_ascii_digit())
                .unwrap_or(rest.len());
            rest[..end].parse().ok().filter(|_| begins)
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
