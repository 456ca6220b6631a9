//! What is left of a run that its logs can be made from: a training log, and the metadata of its
//! checkpoints.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value as Json;

use super::table::Table;
use super::training_log::{self, TrainingLog};
use super::{Rebuild, rebuild};
use traintop_disk::read;
use traintop_run::checkpoint_metadata::CheckpointMetadata;
use traintop_run::checkpoints;
use traintop_run::layout::RunDir;

/// Larger logs are no logs of epochs.
const MAX_LOG_BYTES: u64 = 256 << 20;

/// What was read.
#[derive(Debug)]
pub struct Sources {
    pub log: TrainingLog,
    log_path: PathBuf,
    /// Each checkpoint with metadata, the most trained last.
    pub checkpoints: Vec<(PathBuf, CheckpointMetadata)>,
}

/// The table of epochs of one source.
#[derive(Debug)]
pub struct EpochTable {
    pub table: Table,
    /// The source, for people.
    from: String,
    /// When that was last changed.
    modified: SystemTime,
}

/// Whether a folder that is no run holds what is left of one.
pub fn has_remains(dir: &RunDir) -> bool {
    dir.training_log().is_file() || !checkpoints::files(dir).is_empty()
}

/// When a file was last changed.
pub fn modified(path: &Path) -> SystemTime {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.unwrap_or(UNIX_EPOCH)
}

impl Sources {
    /// Reads all that is left. Damaged files are ignored.
    pub fn read(dir: &RunDir) -> Self {
        let log_path = dir.training_log();
        let text = read::bytes(&log_path, MAX_LOG_BYTES).unwrap_or_default();
        let mut checkpoints: Vec<(PathBuf, CheckpointMetadata)> = checkpoints::files(dir)
            .into_iter()
            .filter_map(|checkpoint| {
                Some((
                    CheckpointMetadata::read(&checkpoint.path).ok()?,
                    checkpoint.path,
                ))
            })
            .map(|(metadata, path)| (path, metadata))
            .collect();
        checkpoints.sort_by_key(|(path, metadata)| (metadata.epoch, path.clone()));
        Self {
            log: training_log::parse(&String::from_utf8_lossy(&text)),
            log_path,
            checkpoints,
        }
    }

    /// The table of the source with the most epochs; of equals a checkpoint's history, which has
    /// every digit.
    pub fn table(&self) -> Option<EpochTable> {
        let history = self.checkpoints.iter().rev().find_map(|(path, metadata)| {
            Some(EpochTable {
                table: Table::of_history(metadata.metrics_history.as_ref()?),
                from: name_of(path),
                modified: modified(path),
            })
        });
        let log = EpochTable {
            table: self.log.table.clone(),
            from: name_of(&self.log_path),
            modified: modified(&self.log_path),
        };
        let newest = self.checkpoints.iter().map(|(path, _)| modified(path));
        let metadata = self.checkpoints.iter().map(|(_, metadata)| metadata);
        let checkpoints = EpochTable {
            table: Table::of_checkpoints(metadata),
            from: match &self.checkpoints[..] {
                [(path, _)] => name_of(path),
                several => format!("{} checkpoints", several.len()),
            },
            modified: newest.max().unwrap_or(UNIX_EPOCH),
        };
        let all = history.into_iter().chain([log, checkpoints]);
        all.filter(|source| source.table.epochs() > 0)
            .reduce(|best, next| {
                if next.table.epochs() > best.table.epochs() {
                    next
                } else {
                    best
                }
            })
    }

    /// The `metrics.csv` that can be made.
    pub fn metrics(&self, dir: &RunDir) -> Option<Rebuild> {
        let EpochTable {
            table,
            from,
            modified,
        } = self.table()?;
        let epochs = table.epochs();
        let what = format!("{epochs} {}", if epochs == 1 { "epoch" } else { "epochs" });
        Some(rebuild(
            dir.metrics_csv(),
            from,
            what,
            modified,
            table.to_csv(),
        ))
    }

    /// The settings, and the file that they are from.
    pub fn settings(&self) -> Option<(Json, PathBuf)> {
        let of_checkpoint = self.checkpoints.iter().rev().find_map(|(path, metadata)| {
            let config = metadata
                .config
                .clone()
                .filter(|config| config.as_object().is_some_and(|config| !config.is_empty()))?;
            Some((config, path.clone()))
        });
        of_checkpoint.or_else(|| {
            let config = &self.log.config;
            (!config.is_empty()).then(|| (Json::Object(config.clone()), self.log_path.clone()))
        })
    }

    /// The `config.json` that can be made.
    pub fn config(&self, dir: &RunDir) -> Option<Rebuild> {
        let (config, path) = self.settings()?;
        let count = config.as_object().map_or(0, serde_json::Map::len);
        let text = serde_json::to_string_pretty(&config).ok()? + "\n";
        let what = format!("{count} settings");
        Some(rebuild(
            dir.config_json(),
            name_of(&path),
            what,
            modified(&path),
            text,
        ))
    }
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
