//! `run.json`: a run's identity and state, replaced atomically by the process that owns the run at
//! that time: first the launcher, then the worker.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::layout::RunDir;
use super::process::Process;
use super::slurm::Job;
use super::state::State;
use traintop_disk::read;
use traintop_disk::write::replace_file;

/// The version of `run.json` that this program writes.
pub const SCHEMA_VERSION: u32 = 1;

/// The best validation accuracy so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Its epoch, 1-based.
    pub epoch: u32,
    /// In percent.
    pub val_acc: f64,
}

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code, where it ended by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The signal, where one ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Why, as a sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One resume of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resume {
    /// The first epoch that it trained on, 1-based.
    pub epoch: u32,
    pub at: Timestamp,
    /// The keys of its configuration that changed since the checkpoint that it resumed from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<Changed>,
}

/// A key of the configuration with the value it had, and the one it got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    pub key: String,
    /// Its value before.
    pub was: String,
    /// Its value since.
    pub is: String,
}

/// A GPU that a run was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenGpu {
    /// Its number on the machine.
    pub index: u32,
    /// Its name for CUDA, which no reboot changes.
    pub uuid: String,
}

/// The data that a run trains on, as its worker read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    /// Their fingerprint, see `recipe::fingerprint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Images that it learns from, in all an epoch.
    pub train_images: u64,
    pub classes: u64,
}

/// The content of `run.json`. Fields that a newer version may add are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of the file's form.
    pub schema_version: u32,
    /// Identity: stays through renames.
    pub id: String,
    /// The name that lists show.
    pub name: String,
    /// The state that its owner last wrote.
    pub state: State,
    /// The process that owns it.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// The worker's command line.
    #[serde(default)]
    pub command: Vec<String>,
    /// When the folder was made.
    pub created_at: Timestamp,
    /// When training began for the first time.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When its owner last gave a sign of life.
    #[serde(default)]
    pub heartbeat_at: Option<Timestamp>,
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// Epochs trained.
    #[serde(default)]
    pub epochs_done: u32,
    /// Epochs that the recipe asks for.
    #[serde(default)]
    pub epochs_planned: u32,
    /// The best epoch so far.
    #[serde(default)]
    pub best: Option<Best>,
    /// How it ended, if it has.
    #[serde(default)]
    pub exit: Option<Exit>,
    /// When it was resumed, the earliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumes: Vec<Resume>,
    /// Its position in the queue of its tree, now or before it started: the lowest is the next.
    /// Microseconds since 1970 when it was queued, until a user changes the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_position: Option<i64>,
    /// The launcher of the user's configuration whose command it is; absent where it is our own
    /// worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launcher: Option<String>,
    /// The sweep that it is a point of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<String>,
    /// The data that it trains on, once they were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slurm: Option<Job>,
    /// When a scheduler, or a limit of its own, will end the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// How long it may train each time that it begins, in seconds: its supervisor then asks it to
    /// stop in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_s: Option<u64>,
    /// How many GPUs its command gets; one by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_count: Option<u32>,
    /// The GPUs that it was given when it last began, on a machine that has some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<GivenGpu>,
    /// What of the environment of the user who queued it is its own: where programs and libraries
    /// are found.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// What the relative paths of the command and of the recipe start from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// What other versions write.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Why a `run.json` could not be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// There is none, or it cannot be read or written.
    #[error("{path}: {cause}")]
    Io { path: PathBuf, cause: io::Error },
    /// It is no record.
    #[error("{path}: is damaged ({cause}); the run's state is deduced from its other files")]
    Damaged {
        path: PathBuf,
        cause: serde_json::Error,
    },
}

impl Record {
    /// The record of a new run in `dir`, owned by `process`.
    pub fn new(
        dir: &RunDir,
        name: String,
        process: Process,
        command: Vec<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            // The folder's name is unique below its root; the host and the time make it so
            // everywhere.
            id: format!("{}-{}-{}", dir.name(), process.host, now.as_millisecond()),
            name,
            state: State::Starting,
            process: Some(process),
            command,
            created_at: now,
            started_at: None,
            heartbeat_at: Some(now),
            ended_at: None,
            epochs_done: 0,
            epochs_planned: 0,
            best: None,
            exit: None,
            resumes: Vec::new(),
            queue_position: None,
            launcher: None,
            sweep: None,
            data: None,
            slurm: None,
            deadline: None,
            time_limit_s: None,
            gpu_count: None,
            gpus: Vec::new(),
            environment: BTreeMap::new(),
            working_dir: None,
            other: Map::new(),
        }
    }

    /// Reads a run's record; `None` if it has none.
    ///
    /// # Errors
    /// If it cannot be read or is damaged.
    pub fn load(dir: &RunDir) -> Result<Option<Self>, RecordError> {
        let path = dir.run_json();
        match read::bytes(&path, read::RECORD_LIMIT) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|cause| RecordError::Damaged { path, cause }),
            // A run in a database is no folder.
            Err(cause)
                if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(cause) => Err(RecordError::Io { path, cause }),
        }
    }

    /// Replaces the run's record by this one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, dir: &RunDir) -> Result<(), RecordError> {
        let path = dir.run_json();
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|cause| RecordError::Damaged {
            path: path.clone(),
            cause,
        })?;
        bytes.push(b'\n');
        replace_file(&path, &bytes).map_err(|cause| RecordError::Io { path, cause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn record_reads_back_and_keeps_what_it_does_not_know() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        let mut record = Record::new(
            &dir,
            "quick".to_owned(),
            Process::current(),
            vec!["worker".to_owned()],
            now,
        );
        record
            .other
            .insert("from_the_future".to_owned(), Value::from(7));
        record.best = Some(Best {
            epoch: 3,
            val_acc: 91.25,
        });
        record.save(&dir).unwrap();
        assert_eq!(Record::load(&dir).unwrap(), Some(record));
    }

    #[test]
    fn missing_record_is_none_and_a_damaged_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        assert_eq!(Record::load(&dir).unwrap(), None);
        fs::write(dir.run_json(), b"{\"schema_version\": 1,").unwrap();
        let error = Record::load(&dir).unwrap_err().to_string();
        assert!(error.contains("run.json: is damaged"), "{error}");
    }
}
