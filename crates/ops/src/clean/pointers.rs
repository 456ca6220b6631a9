//! Files of text that say which checkpoint is the last or the best: `last_checkpoint` of
//! detectron2 and mmengine, `checkpoint` of TensorFlow, `latest` of `DeepSpeed`,
//! `latest_checkpointed_iteration.txt` of Megatron, `trainer_state.json` of Hugging Face. What is
//! named there stays. Names are only compared with what the walk has found: nothing is opened
//! because a file says so, and names that leave the run are ignored.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::weights::LAST;
use traintop_disk::read;

/// Larger files are no pointers.
const MAX_BYTES: u64 = 16 << 10;
/// Hugging Face keeps a whole course beside the name.
const MAX_STATE_BYTES: u64 = 16 << 20;
const STATE: &str = "trainer_state.json";

/// Limit of names read from pointer files; beyond it all checkpoints are kept.
const MAX_NAMES: usize = 5000;
/// Parts at the end of a long path that may lead to a file of the run.
const MAX_PARTS: usize = 8;

/// Of a name without its ending, words that make a file a pointer, beside [`LAST`].
const WORDS: [&str; 3] = ["best", "ckpt", "resume"];
/// What names of pointers end in, if in anything.
const ENDINGS: [&str; 6] = ["txt", "json", "yaml", "yml", "link", "info"];

/// Whether a file is the state of Hugging Face's trainer, which names the best checkpoint.
pub fn is_state(path: &Path) -> bool {
    path.ends_with(STATE)
}

/// Whether a file may be a pointer, by its name.
pub fn is_pointer(name: &str) -> bool {
    if name == STATE {
        return true;
    }
    let name = name.to_ascii_lowercase();
    let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
    let mut words = stem.split(|char: char| !char.is_ascii_alphanumeric());
    (ending.is_empty() || ENDINGS.contains(&ending))
        && words.any(|word| {
            WORDS.contains(&word) || LAST.contains(&word) || word.starts_with("checkpoint")
        })
}

/// What the pointers of a run name.
#[derive(Debug, Default)]
pub struct Named {
    /// Below the run's folder: files, with or without an ending, and folders that they are in.
    paths: HashSet<PathBuf>,
    /// Iterations.
    numbers: HashSet<u64>,
    /// How many names were read.
    count: usize,
}

impl Named {
    /// Reads these pointers, by their paths below the run's folder; one that cannot be read or is
    /// too large names nothing.
    pub fn read<'a>(run: &Path, pointers: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut named = Self::default();
        for below in pointers {
            let folder = below.parent().unwrap_or(Path::new(""));
            for name in names_in(&run.join(below)) {
                if named.is_full() {
                    return named;
                }
                named.add(folder, &name);
            }
        }
        named
    }

    fn is_full(&self) -> bool {
        self.count == MAX_NAMES
    }

    /// Adds what a pointer in `folder` says. Paths may begin in its folder, in the one above, in
    /// the run's, or where the trainer was started, and the run may have been moved since: so any
    /// end of one counts.
    fn add(&mut self, folder: &Path, name: &str) {
        self.count += 1;
        if let Ok(number) = name.parse() {
            self.numbers.insert(number);
            return;
        }
        let name = Path::new(name);
        if name.components().any(|part| part == Component::ParentDir) {
            self.paths.extend(joined(folder, name));
            return;
        }
        let around = folder.parent().unwrap_or(Path::new(""));
        let parts: Vec<_> = name
            .components()
            .filter(|part| matches!(part, Component::Normal(_)))
            .collect();
        for first in parts.len().saturating_sub(MAX_PARTS)..parts.len() {
            let end: PathBuf = parts[first..].iter().collect();
            let folders = [folder, around, Path::new("")];
            self.paths.extend(folders.map(|folder| folder.join(&end)));
        }
    }

    /// Whether a file below the run's folder is named, or a folder that it is in, with or without
    /// an ending.
    pub fn holds(&self, below: &Path) -> bool {
        let ancestors = below.ancestors();
        let mut ancestors = ancestors.filter(|path| !path.as_os_str().is_empty());
        self.is_full()
            || ancestors.any(|path| self.paths.contains(path))
            || self.paths.contains(&below.with_extension(""))
            || below.components().any(|part| self.has_number_in(part))
    }

    /// Whether a part of a path is of a named iteration, as `iter_0005000` and `epoch_5000.pt` are.
    fn has_number_in(&self, part: Component) -> bool {
        let part = part.as_os_str().to_string_lossy();
        let mut numbers = part.split(|char: char| !char.is_ascii_digit());
        numbers.any(|digits| {
            digits
                .parse()
                .is_ok_and(|number| self.numbers.contains(&number))
        })
    }
}

/// The names in one pointer file.
fn names_in(path: &Path) -> Vec<String> {
    #[derive(Deserialize)]
    struct TrainerState {
        best_model_checkpoint: Option<String>,
    }
    if !is_state(path) {
        return names(&read::text(path, MAX_BYTES).unwrap_or_default());
    }
    let bytes = read::bytes(path, MAX_STATE_BYTES).unwrap_or_default();
    let state = serde_json::from_slice::<TrainerState>(&bytes).ok();
    let best = state.and_then(|state| state.best_model_checkpoint);
    best.into_iter().collect()
}

/// All that may be a name of a checkpoint in a text: whole lines, and texts in quotation marks or
/// after a key.
fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        names.push(line);
        names.extend(line.split('"').skip(1).step_by(2));
        names.extend(line.split_once(": ").map(|(_, value)| value.trim()));
        names.extend(line.split_once('=').map(|(_, value)| value.trim()));
        names.extend(line.split_whitespace());
    }
    let mut names: Vec<String> = names
        .into_iter()
        .map(|name| name.trim_matches(['"', '\'', ',']).to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// A path without `..`; `None` if it leaves the run.
fn joined(folder: &Path, name: &Path) -> Option<PathBuf> {
    let mut joined = folder.to_owned();
    for part in name.components() {
        match part {
            Component::Normal(name) => joined.push(name),
            Component::ParentDir => {
                if !joined.pop() {
                    return None;
                }
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_known_by_name() {
        for name in [
            "last_checkpoint",
            "latest_checkpointed_iteration.txt",
            "checkpoint",
            "best_ckpt.txt",
            "latest",
            "latest_checkpoint.txt",
            "trainer_state.json",
            "best.json",
        ] {
            assert!(is_pointer(name), "{name}");
        }
        for name in [
            "best.pt",
            "training.log",
            "metrics.csv",
            "blast.txt",
            "config.json",
        ] {
            assert!(!is_pointer(name), "{name}");
        }
    }

    #[test]
    fn what_is_named_is_found_and_nothing_else() {
        let names = |folder: &str, says: &str, weights: &str| {
            let mut named = Named::default();
            named.add(Path::new(folder), says);
            named.holds(Path::new(weights))
        };
        for (folder, says, weights) in [
            ("", "epoch_3.pth", "epoch_3.pth"),
            ("", "checkpoints/epoch_3.pth", "checkpoints/epoch_3.pth"),
            ("checkpoints", "epoch_3.pth", "checkpoints/epoch_3.pth"),
            (
                "checkpoints",
                "checkpoints/epoch_3.pth",
                "checkpoints/epoch_3.pth",
            ),
            ("checkpoints", "../epoch_3.pth", "epoch_3.pth"),
            ("checkpoints", "epoch_3", "checkpoints/epoch_3.pth"),
            ("", "/r/run/epoch_3.pth", "epoch_3.pth"),
            ("", "/elsewhere/work_dirs/run/epoch_3.pth", "epoch_3.pth"),
            ("", "work_dirs/run/epoch_3.pth", "epoch_3.pth"),
            (
                "",
                "/moved/run/checkpoints/epoch_3.pth",
                "checkpoints/epoch_3.pth",
            ),
            ("", "global_step500", "global_step500/epoch_3.pt"),
            ("", "5000", "iter_0005000/mp_rank_00/model.pt"),
            (
                "checkpoint-900",
                "out/checkpoint-500",
                "checkpoint-500/epoch_3.pt",
            ),
            ("", "out/checkpoint-500", "checkpoint-500/epoch_3.pt"),
        ] {
            assert!(names(folder, says, weights), "{folder} {says} {weights}");
        }
        for (folder, says, weights) in [
            ("", "epoch_3.pth", "epoch_30.pth"),
            ("", "epoch_3.pth", "other/epoch_3.pth"),
            ("", "../epoch_3.pth", "epoch_3.pth"),
            ("", "../../epoch_3.pth", "epoch_3.pth"),
            (
                "checkpoints",
                "../../epoch_3.pth",
                "checkpoints/epoch_3.pth",
            ),
            ("", "", "epoch_3.pth"),
            ("", "/", "epoch_3.pth"),
            ("", ".", "epoch_3.pth"),
            ("", "500", "iter_0005000/model.pt"),
        ] {
            assert!(!names(folder, says, weights), "{folder} {says} {weights}");
        }
    }

    #[test]
    fn names_are_found_in_all_forms() {
        let folder = tempfile::tempdir().unwrap();
        let says = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            names_in(&path)
        };
        let tensorflow =
            "model_checkpoint_path: \"epoch_3\"\nall_model_checkpoint_paths: \"epoch_2\"\n";
        for (name, text, expected) in [
            ("last_checkpoint", "model_0004.pth", "model_0004.pth"),
            ("checkpoint", tensorflow, "epoch_2"),
            ("best.json", "{\"path\": \"a/b.pt\", \"x\": 1}", "a/b.pt"),
            ("best.yaml", "path: a/b.pt\n", "a/b.pt"),
            ("best.txt", "epoch 3: a/b.pt 0.93\n", "a/b.pt"),
            ("best_ckpt.txt", "my run/b c.pt\n", "my run/b c.pt"),
            (
                STATE,
                "{\"log_history\": [], \"best_model_checkpoint\": \"out/c-5\"}",
                "out/c-5",
            ),
        ] {
            let says = says(name, text);
            assert!(says.iter().any(|name| name == expected), "{name}: {says:?}");
        }
        assert_eq!(says("latest", &"x ".repeat(40_000)), [""; 0]);
    }

    #[test]
    fn many_names_and_many_checkpoints_are_no_work_of_their_product() {
        let folder = tempfile::tempdir().unwrap();
        let name = |number: usize| format!("a/b/c/d/e/f/epoch_{number}.pt");
        let mut pointers = Vec::new();
        // Each is small enough to be read.
        for (number, names) in (0..4900).collect::<Vec<_>>().chunks(200).enumerate() {
            let lines: Vec<String> = names.iter().map(|number| name(*number)).collect();
            let pointer = PathBuf::from(format!("best_{number}.txt"));
            std::fs::write(folder.path().join(&pointer), lines.join("\n")).unwrap();
            pointers.push(pointer);
        }
        let named = Named::read(folder.path(), pointers.iter().map(PathBuf::as_path));
        let is_kept = |number: &usize| named.holds(Path::new(&name(*number)));
        // It took minutes where each was compared with all.
        assert_eq!((0..100_000).filter(is_kept).count(), 4900);
        std::fs::write(folder.path().join("last"), "x y z\n".repeat(200)).unwrap();
        let more = (0..MAX_NAMES / 4).map(|_| Path::new("last"));
        assert!(Named::read(folder.path(), more).holds(Path::new("epoch_1.pt")));
    }
}
