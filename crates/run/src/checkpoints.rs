//! The checkpoints that a run folder holds.

use std::fs;
use std::path::{Path, PathBuf};

use super::layout::RunDir;

/// What the names of an optimiser's momentum buffers begin with.
pub const MOMENTUM: &str = "momentum.";

/// What the names of files with weights end in; ours first.
const EXTENSIONS: [&str; 4] = ["safetensors", "pth", "pt", "ckpt"];

/// A file with a network's weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub path: PathBuf,
    /// `best`, `last` or `epoch 40`.
    pub what: String,
    /// The epoch of a periodic one.
    pub epoch: Option<u32>,
    /// Its size.
    pub bytes: u64,
}

/// A run's checkpoints: best, last, then the periodic ones by epoch.
pub fn list(dir: &RunDir) -> Vec<Checkpoint> {
    let mut found: Vec<_> = [dir.path().to_owned(), dir.checkpoints()]
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(|entries| {
            entries
                .flatten()
                .filter_map(|entry| checkpoint(&entry.path()))
        })
        .collect();
    found.sort_by(|a, b| (a.epoch, &a.path).cmp(&(b.epoch, &b.path)));
    found
}

/// The checkpoint of this name (`best`, `last`) at the run's top: ours, or that of a trainer on
/// `PyTorch`.
pub fn named(dir: &RunDir, name: &str) -> Option<PathBuf> {
    let endings = EXTENSIONS.iter();
    let mut places = endings.map(|ending| dir.path().join(format!("{name}.{ending}")));
    places.find(|path| path.is_file())
}

fn checkpoint(path: &Path) -> Option<Checkpoint> {
    let extension = path.extension()?.to_str()?;
    if !EXTENSIONS.contains(&extension) {
        return None;
    }
    let name = path.file_stem()?.to_string_lossy();
    let epoch = name
        .strip_prefix("epoch_")
        .or_else(|| name.strip_prefix("epoch="))
        .map(|rest| {
            rest.chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
        });
    let epoch = epoch.and_then(|digits| digits.parse().ok());
    let what = epoch.map_or_else(
        || traintop_text::clean(&name).into_owned(),
        |epoch: u32| format!("epoch {epoch}"),
    );
    Some(Checkpoint {
        path: path.to_owned(),
        what,
        epoch,
        bytes: fs::metadata(path).ok()?.len(),
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
}
