//! Control requests to a run that trains: a small file in its folder, which the worker checks
//! before each step. It holds the desired state, not events, and stays, so that a resume applies it
//! too.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::found::Stamp;
use super::layout::RunDir;
use traintop_disk::write::lock_folder;
use traintop_disk::{Disk, System, read};

/// What is wanted of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Control {
    /// Counts up: each time the worker saves a checkpoint.
    pub save: u32,
    /// The epoch after which the run ends; one that is over already does not count.
    pub end_after_epoch: Option<u32>,
    /// What the schedule's learning rate is multiplied by from the next epoch on.
    pub learning_rate_factor: f64,
    /// Whether it pauses.
    pub paused: bool,
    /// What other versions write.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Default for Control {
    fn default() -> Self {
        Self {
            save: 0,
            end_after_epoch: None,
            learning_rate_factor: 1.0,
            paused: false,
            other: Map::new(),
        }
    }
}

/// A change of what is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// Save a checkpoint now.
    Save,
    /// End after this epoch; `None`: train to the last.
    EndAfterEpoch(Option<u32>),
    /// Multiply the schedule's learning rate by this from the next epoch on.
    LearningRateFactor(f64),
    /// Pause, or resume.
    Pause(bool),
}

/// Why a run's control file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// It cannot be read or written.
    #[error("{path}: {cause}")]
    Io { path: PathBuf, cause: io::Error },
    /// It is no such file.
    #[error("{path}: is damaged ({cause}); remove it, and the run follows its recipe again")]
    Damaged {
        path: PathBuf,
        cause: serde_json::Error,
    },
    /// A change makes no sense.
    #[error("the learning rate's factor must be above 0 and at most 10, got {0}")]
    Factor(f64),
}

impl Control {
    pub(super) fn path(dir: &RunDir) -> PathBuf {
        dir.path().join("control.json")
    }

    /// The control requests to the run in `dir`; the default if there are none.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn load(dir: &RunDir) -> Result<Self, ControlError> {
        let path = Self::path(dir);
        let control: Self = match read::bytes(&path, read::RECORD_LIMIT) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|cause| ControlError::Damaged { path, cause })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::default(),
            Err(cause) => return Err(ControlError::Io { path, cause }),
        };
        valid(control.learning_rate_factor)?;
        Ok(control)
    }

    /// Changes the control requests. Concurrent changes do not undo each other.
    ///
    /// # Errors
    /// If the file cannot be read or written, or the change makes no sense.
    pub fn change(dir: &RunDir, change: Change) -> Result<Self, ControlError> {
        let path = Self::path(dir);
        let io = |cause| ControlError::Io {
            path: path.clone(),
            cause,
        };
        // The folder itself is locked: a lock file would only be clutter.
        let _lock = lock_folder(dir.path()).map_err(io)?;
        let mut control = Self::load(dir)?;
        match change {
            Change::Save => control.save = control.save.wrapping_add(1),
            Change::EndAfterEpoch(epoch) => control.end_after_epoch = epoch,
            Change::LearningRateFactor(factor) => {
                valid(factor)?;
                control.learning_rate_factor = factor;
            }
            Change::Pause(paused) => control.paused = paused,
        }
        let text =
            serde_json::to_string_pretty(&control).map_err(|cause| ControlError::Damaged {
                path: path.clone(),
                cause,
            })?;
        let disk: &dyn Disk = &System;
        disk.replace_file(&path, format!("{text}\n").as_bytes(), None)
            .map_err(io)?;
        Ok(control)
    }
}

fn valid(factor: f64) -> Result<(), ControlError> {
    if factor > 0.0 && factor <= 10.0 {
        Ok(())
    } else {
        Err(ControlError::Factor(factor))
    }
}

/// Follows a run's control file at the cost of one `stat`.
#[derive(Debug)]
pub struct Follower {
    dir: RunDir,
    stamp: Stamp,
}

impl Follower {
    /// Nothing is read yet.
    pub fn of(dir: &RunDir) -> Self {
        Self {
            dir: dir.clone(),
            stamp: Stamp::default(),
        }
    }

    /// The requests, if the file has changed since the last poll.
    pub fn poll(&mut self) -> Option<Result<Control, ControlError>> {
        let stamp = Stamp::of(&Control::path(&self.dir));
        if stamp == self.stamp {
            return None;
        }
        self.stamp = stamp;
        Some(Control::load(&self.dir))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn changes_add_up_and_are_seen_once() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        let mut follower = Follower::of(&dir);
        assert!(follower.poll().is_none());
        Control::change(&dir, Change::Save).unwrap();
        Control::change(&dir, Change::LearningRateFactor(0.5)).unwrap();
        Control::change(&dir, Change::EndAfterEpoch(Some(7))).unwrap();
        let control = Control::change(&dir, Change::Save).unwrap();
        assert_eq!(
            (control.save, control.end_after_epoch, control.paused),
            (2, Some(7), false)
        );
        assert_eq!(follower.poll().unwrap().unwrap(), control);
        assert!(follower.poll().is_none());
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        for factor in [0.0, -1.0, f64::NAN, f64::INFINITY, 11.0] {
            assert!(Control::change(&dir, Change::LearningRateFactor(factor)).is_err());
        }
        assert_eq!(Control::load(&dir).unwrap(), Control::default());
        fs::write(Control::path(&dir), "{").unwrap();
        assert!(
            Control::load(&dir)
                .unwrap_err()
                .to_string()
                .contains("is damaged")
        );
        assert!(Control::change(&dir, Change::Save).is_err());
        assert_eq!(fs::read(Control::path(&dir)).unwrap(), b"{");
    }

    #[test]
    fn what_a_newer_version_says_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        fs::write(Control::path(&dir), "{\"from_the_future\": 7}").unwrap();
        let control = Control::change(&dir, Change::Pause(true)).unwrap();
        assert!(control.paused && control.other["from_the_future"] == 7);
    }
}
