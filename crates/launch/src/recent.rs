//! What was started lately and with which changes, so that it can be chosen again: a small file in
//! the user's state folder. Of two programs that start runs at the same moment one entry may be
//! lost, and nothing else.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use traintop_run::state_file::StateFile;

/// Older ones are let go.
const MAX_RECENT: usize = 100;

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

fn file() -> StateFile {
    StateFile::of_user("recent.json")
}

/// What was started lately, the last first; paths below the working folder as they are typed there.
pub fn load() -> Vec<Recent> {
    let mut all: Vec<Recent> = file().json();
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

/// Remembers what was started. A failure is only logged: the list is there for ease.
pub fn note(mut recent: Recent) {
    if let Some(path) = recent.recipe.as_mut().filter(|path| path.exists())
        && let Ok(whole) = std::path::absolute(&*path)
    {
        *path = whole;
    }
    let file = file();
    if let Err(error) = file.write_json(&with(file.json(), recent)) {
        log::warn!("what was started is not remembered: {error}");
    }
}

fn with(mut all: Vec<Recent>, recent: Recent) -> Vec<Recent> {
    let is_same = |other: &Recent| {
        (&other.recipe, &other.launcher, &other.values)
            == (&recent.recipe, &recent.launcher, &recent.values)
    };
    all.retain(|other| !is_same(other));
    all.insert(0, recent);
    all.truncate(MAX_RECENT);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_comes_first_and_once() {
        let recent = |seed: usize| Recent {
            recipe: Some("quick".into()),
            launcher: None,
            values: vec![("seed".to_owned(), seed.to_string())],
            at: Timestamp::UNIX_EPOCH,
        };
        let all = [1, 2, 1].map(recent).into_iter().fold(Vec::new(), with);
        assert_eq!(all, [recent(1), recent(2)]);
        assert_eq!(recent(1).label(), "seed=1");
        let all = (0..2 * MAX_RECENT).map(recent).fold(all, with);
        assert_eq!(all.len(), MAX_RECENT);
    }
}
