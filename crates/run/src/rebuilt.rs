//! What of a run's files was made again from other files.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use traintop_disk::read;
use traintop_text::clean;

use crate::layout::RunDir;

/// The file that says what was rebuilt, beside the logs: a list of [`Mark`]s.
pub const FILE: &str = "rebuilt.json";

/// One rebuilt file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The file, below the run's folder.
    pub file: PathBuf,
    /// What it was made from.
    pub from: String,
    pub what: String,
    pub at: Timestamp,
    /// Where the broken file went. As long as that is not there, the broken one is still in its
    /// place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<PathBuf>,
}

/// What was rebuilt of a run, in a sentence; `None` if all of it is as its trainer wrote it.
pub fn description(dir: &RunDir) -> Option<String> {
    let bytes = read::bytes(&dir.logs().join(FILE), read::RECORD_LIMIT).ok()?;
    let marks: Vec<Mark> = serde_json::from_slice(&bytes).ok()?;
    let is_there = |below: &PathBuf| dir.path().join(below).exists();
    let parts: Vec<String> = marks
        .iter()
        .filter(|mark| is_there(&mark.file) && mark.aside.as_ref().is_none_or(is_there))
        .map(|mark| {
            let name = mark.file.file_name().unwrap_or_default().to_string_lossy();
            clean(&format!("{name} from {}", mark.from)).into_owned()
        })
        .collect();
    (!parts.is_empty()).then(|| format!("rebuilt: {}", parts.join(", ")))
}
