//! `progress.json`: how far an evaluation is, in the temporary folder that becomes its own when it
//! is done; replaced atomically about twice a second.

use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::layout::EvaluationDir;
use super::results::Evaluated;
use crate::process::Process;
use traintop_disk::read;
use traintop_disk::write::replace_file;

/// How far an evaluation is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What the folder will be called.
    pub name: String,
    /// The process that fills it.
    #[serde(flatten)]
    pub process: Process,
    /// The evaluated checkpoints, as the results will name them.
    #[serde(default)]
    pub checkpoints: Vec<Evaluated>,
    /// When it began.
    pub started_at: Timestamp,
    /// When this was written.
    pub updated_at: Timestamp,
    /// Images that have passed through the network: each counts once for every view and checkpoint.
    pub images_done: u64,
    pub images_total: u64,
    /// The rate per second since the first.
    #[serde(default)]
    pub images_per_s: f64,
}

impl Progress {
    /// Reads it; `None` where there is none, or none that can be understood.
    pub fn load(dir: &EvaluationDir) -> Option<Self> {
        serde_json::from_slice(&read::bytes(&dir.progress_json(), read::RECORD_LIMIT).ok()?).ok()
    }

    /// Replaces it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, dir: &EvaluationDir) -> io::Result<()> {
        replace_file(&dir.progress_json(), &serde_json::to_vec_pretty(self)?)
    }

    /// The part that is done, 0 to 1.
    pub fn fraction(&self) -> f64 {
        if self.images_total == 0 {
            return 0.0;
        }
        (self.images_done as f64 / self.images_total as f64).min(1.0)
    }
}
