//! Files of text that say which checkpoint is the last or the best: `last_checkpoint` of
//! detectron2 and mmengine, `checkpoint` of TensorFlow, `latest` of `DeepSpeed`,
//! `latest_checkpointed_iteration.txt` of Megatron, `trainer_state.json` of Hugging Face. What is
//! named there stays. Names are only compared with what the walk has found: nothing is opened
//! because a file says so, and names that leave the run are ignored.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use traintop_disk::read;

/// Larger files are no pointers.
const LARGEST: u64 = 16 << 10;
/// Hugging Face keeps a whole course beside the name.
const LARGEST_STATE: u64 = 16 << 20;
const STATE: &str = "trainer_state.json";

/// Of a long path, this many parts may lead to a file of the run.
const LONGEST_END: usize = 8;

/// Of a name without its ending, words that make a file a pointer.
const WORDS: [&str; 8] = [
    "best",
    "last",
    "latest",
    "final",
    "checkpoint",
    "checkpoints",
    "ckpt",
    "resume",
];
/// What names of pointers end in, if in anything.
const ENDINGS: [&str; 6] = ["txt", "json", "yaml", "yml", "link", "info"];

/// Whether a file may be a pointer, by its name.
pub fn is_pointer(name: &str) -> bool {
    if name == STATE {
        return true;
    }
    let name = name.to_ascii_lowercase();
    let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
    let mut words = stem.split(|char: char| !char.is_ascii_alphanumeric());
    (ending.is_empty() || ENDINGS.contains(&ending))
        && words.any(|word| WORDS.contains(&word) || word.starts_with("checkpoint"))
}

/// What a pointer says of one checkpoint.
#[derive(Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The folder of the file that says it, below the run's.
    folder: PathBuf,
    says: String,
}

/// What the file `below` a run's folder says; nothing if it cannot be read or is too large.
pub fn read(run: &Path, below: &Path) -> Vec<Pointer> {
    let path = run.join(below);
    let said = if below.ends_with(STATE) {
        #[derive(Deserialize)]
        struct TrainerState {
            best_model_checkpoint: Option<String>,
        }
        let bytes = read::bytes(&path, LARGEST_STATE).unwrap_or_default();
        let state = serde_json::from_slice::<TrainerState>(&bytes).ok();
        state
            .and_then(|state| state.best_model_checkpoint)
            .into_iter()
            .collect()
    } else {
        said(&read::text(&path, LARGEST).unwrap_or_default())
    };
    let folder = below.parent().unwrap_or(Path::new(""));
    let pointer = |says| Pointer {
        folder: folder.to_owned(),
        says,
    };
    said.into_iter().map(pointer).collect()
}

/// All that may be a name of a checkpoint in a text: whole lines, and what stands in quotation
/// marks or behind a key.
fn said(text: &str) -> Vec<String> {
    let mut said = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        said.push(line);
        said.extend(line.split('"').skip(1).step_by(2));
        said.extend(line.split_once(": ").map(|(_, value)| value.trim()));
        said.extend(line.split_once('=').map(|(_, value)| value.trim()));
        said.extend(line.split_whitespace());
    }
    let mut said: Vec<String> = said
        .into_iter()
        .map(|name| name.trim_matches(['"', '\'', ',']).to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    said.sort();
    said.dedup();
    said
}

impl Pointer {
    /// Whether it names a file of weights of the run, or a folder that it is in, with or without an
    /// ending. Paths may begin in the pointer's folder, in the one above, in the run's, or where
    /// the trainer was started, and the run may have been moved since: so any end of one counts.
    pub fn names(&self, run: &Path, weights: &Path) -> bool {
        let Ok(below) = weights.strip_prefix(run) else {
            return false;
        };
        if let Some(number) = self.number() {
            return below.components().any(|part| is_of_iteration(part, number));
        }
        let said = Path::new(&self.says);
        let around = self.folder.parent().unwrap_or(Path::new(""));
        if said.components().any(|part| part == Component::ParentDir) {
            let named = joined(&self.folder, said);
            return named.is_some_and(|named| leads_to(&named, below));
        }
        let parts: Vec<_> = said
            .components()
            .filter(|part| matches!(part, Component::Normal(_)))
            .collect();
        let first = parts.len().saturating_sub(LONGEST_END);
        (first..parts.len()).any(|first| {
            let end: PathBuf = parts[first..].iter().collect();
            [self.folder.as_path(), around, Path::new("")]
                .iter()
                .any(|folder| leads_to(&folder.join(&end), below))
        })
    }

    /// The number of an iteration, where nothing else is said.
    fn number(&self) -> Option<u64> {
        self.says.parse().ok()
    }
}

/// A path without `..`; `None` if it leaves the run.
fn joined(folder: &Path, said: &Path) -> Option<PathBuf> {
    let mut joined = folder.to_owned();
    for part in said.components() {
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

/// Whether a file is what is named, lies in it, or is called so without its ending.
fn leads_to(named: &Path, below: &Path) -> bool {
    if named.as_os_str().is_empty() {
        return false;
    }
    below.starts_with(named)
        || (below.parent() == named.parent() && below.file_stem() == named.file_name())
}

/// Whether a part of a path is of this iteration, as `iter_0005000` and `epoch_5000.pt` are.
fn is_of_iteration(part: Component, number: u64) -> bool {
    let part = part.as_os_str().to_string_lossy();
    let mut numbers = part.split(|char: char| !char.is_ascii_digit());
    numbers.any(|digits| digits.parse() == Ok(number))
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
            let pointer = Pointer {
                folder: folder.into(),
                says: says.to_owned(),
            };
            pointer.names(Path::new("/r/run"), &Path::new("/r/run").join(weights))
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
            std::fs::write(folder.path().join(name), text).unwrap();
            let read = read(folder.path(), Path::new(name)).into_iter();
            read.map(|pointer| pointer.says).collect::<Vec<_>>()
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
            assert!(says.iter().any(|said| said == expected), "{name}: {says:?}");
        }
        assert_eq!(says("latest", &"x ".repeat(40_000)), [""; 0]);
    }
}
