//! What was started lately and with which changes, so that it can be chosen again: a small file in the user's state folder. Of two programs
//! that start runs at the same moment one entry may be lost, and nothing else.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use traintop_disk::read;
use traintop_disk::write::{make_folders, replace_file};
use traintop_run::state_dir;

/// The file in the state folder.
const FILE: &str = "recent.json";
/// Older ones are let go.
const MOST: usize = 100;

/// Rows of the form with their texts.
pub type Values = Vec<(String, String)>;

/// Something that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// A recipe's file or name.
    pub recipe: Option<PathBuf>,
    /// The launcher's name, where it was one.
    pub launcher: Option<String>,
    /// What was changed. A sweep's rows have several values.
    pub values: Values,
    /// When it was last started.
    pub at: Timestamp,
}

impl Recent {
    /// The changes in one line.
    pub fn label(&self) -> String {
        let each = self
            .values
            .iter()
            .map(|(key, text)| format!("{key}={text}"));
        let label = each.collect::<Vec<_>>().join(" ");
        if label.is_empty() {
            "as it is".to_owned()
        } else {
            label
        }
    }
}

/// What was started lately, the last first; paths below the working folder as they are typed there.
pub fn load() -> Vec<Recent> {
    let mut all = state_dir::state_dir().map_or_else(Vec::new, |folder| load_in(&folder));
    let here = std::env::current_dir().ok();
    for recent in &mut all {
        if let (Some(path), Some(here)) = (&mut recent.recipe, &here)
            && let Ok(below) = path.strip_prefix(here)
        {
            *path = below.to_owned();
        }
    }
    all
}

/// Remembers what was started. It is only there for ease: what cannot be written is told in the log.
pub fn note(mut recent: Recent) {
    let Some(folder) = state_dir::state_dir() else {
        return;
    };
    if let Some(path) = recent.recipe.as_mut().filter(|path| path.exists())
        && let Ok(whole) = std::path::absolute(&*path)
    {
        *path = whole;
    }
    if let Err(error) = note_in(&folder, recent) {
        log::warn!("what was started is not remembered: {error}");
    }
}

fn load_in(folder: &Path) -> Vec<Recent> {
    let text = read::bytes(&folder.join(FILE), read::RECORD_LIMIT).unwrap_or_default();
    // Damage, or another version's form, is a fresh start.
    serde_json::from_slice(&text).unwrap_or_default()
}

fn note_in(folder: &Path, recent: Recent) -> io::Result<()> {
    let mut all = load_in(folder);
    let is_same = |other: &Recent| {
        (&other.recipe, &other.launcher, &other.values)
            == (&recent.recipe, &recent.launcher, &recent.values)
    };
    all.retain(|other| !is_same(other));
    all.insert(0, recent);
    all.truncate(MOST);
    make_folders(folder)?;
    replace_file(&folder.join(FILE), serde_json::to_string(&all)?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_last_comes_first_and_once_and_damage_is_a_fresh_start() {
        let folder = tempfile::tempdir().unwrap();
        let recent = |seed: usize| Recent {
            recipe: Some("quick".into()),
            launcher: None,
            values: vec![("seed".to_owned(), seed.to_string())],
            at: Timestamp::UNIX_EPOCH,
        };
        for seed in [1, 2, 1] {
            note_in(folder.path(), recent(seed)).unwrap();
        }
        assert_eq!(load_in(folder.path()), [recent(1), recent(2)]);
        assert_eq!(recent(1).label(), "seed=1");
        for seed in 0..2 * MOST {
            note_in(folder.path(), recent(seed)).unwrap();
        }
        assert_eq!(load_in(folder.path()).len(), MOST);
        fs::write(folder.path().join(FILE), "{").unwrap();
        assert_eq!(load_in(folder.path()), []);
    }
}
