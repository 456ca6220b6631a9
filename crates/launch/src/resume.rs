//! Resuming a run that has ended, in its folder: from its last checkpoint, or from the
//! beginning where it has none.

use std::path::Path;

use jiff::Timestamp;

use super::gpus;
use super::slurm;
use super::spawn::{LaunchError, Requested, Started, begin};
use super::trust::must_be_trusted;
use super::worker_binary;
use traintop_ops::rename::state_now;
use traintop_run::control::{Change, Control};
use traintop_run::{Record, RunDir, State};

/// Starts a worker again on a run that was stopped, failed or lost; one that Slurm had started it
/// is given again.
///
/// # Errors
/// If the run is none of these or not ours, or the worker cannot be started.
pub fn resume(dir: &RunDir) -> Result<Started, LaunchError> {
    if Record::load(dir)?.is_some_and(|record| record.slurm.is_some()) {
        slurm::again(dir)?;
        return Ok(Started {
            dir: dir.clone(),
            child: None,
        });
    }
    let mut record = resumable(dir)?;
    record.state = State::Starting;
    record.command = command_of(dir, &record)?;
    gpus::give_now(dir, &mut record);
    let child = begin(dir, &record, Requested::Now)?;
    Ok(Started {
        dir: dir.clone(),
        child: Some(child),
    })
}

/// The record of a run that can be resumed, reset for a restart: without a process and without an
/// end.
///
/// # Errors
/// If it cannot.
pub(super) fn resumable(dir: &RunDir) -> Result<Record, LaunchError> {
    let refused = |why: String| LaunchError::Refused(format!("{}: {why}", dir.name()));
    if dir.archive().exists() {
        return Err(refused("is archived; restore it first".to_owned()));
    }
    let record = Record::load(dir)?;
    let record = record.filter(|record| !record.other.contains_key("adopted"));
    let mut record = record.ok_or_else(|| {
        refused("was not started by traintop; resume it by its own trainer".to_owned())
    })?;
    let state = state_now(dir);
    if !matches!(state, State::Stopped | State::Failed | State::Lost) {
        return Err(refused(format!(
            "is {state}; only a run that ended before its last epoch can be resumed"
        )));
    }
    // The command of our own worker is rebuilt each time, and the recipe is only data; but the
    // working folder decides what relative paths mean.
    if record.launcher.is_some() || record.working_dir.is_some() {
        must_be_trusted(dir, &record)?;
    }
    // A user who resumes a run does not want it to wait.
    if Control::load(dir).is_ok_and(|control| control.paused) {
        Control::change(dir, Change::Pause(false)).map_err(|error| refused(error.to_string()))?;
    }
    record.process = None;
    record.heartbeat_at = Some(Timestamp::now());
    record.ended_at = None;
    record.exit = None;
    record.environment.clear();
    Ok(record)
}

/// How a run is started, or resumed where it has a checkpoint; a command of the user's is the same
/// both times.
///
/// # Errors
/// If there is no worker, or no recipe.
pub(super) fn command_of(dir: &RunDir, record: &Record) -> Result<Vec<String>, LaunchError> {
    if record.launcher.is_some() {
        return Ok(record.command.clone());
    }
    let worker = worker_binary::find().ok_or(LaunchError::NoWorker)?;
    let text = |path: &Path| path.display().to_string();
    let (worker, run, config) = (text(&worker), text(dir.path()), dir.config_json());
    if !config.exists() {
        return Err(LaunchError::Refused(format!(
            "{}: there is no recipe, so the run cannot be begun; start a new one",
            text(&config)
        )));
    }
    let arguments = if dir.last().exists() {
        vec!["--resume".to_owned(), run]
    } else {
        let config = text(&config);
        vec!["--config".to_owned(), config, "--run-dir".to_owned(), run]
    };
    Ok([worker, "train".to_owned()]
        .into_iter()
        .chain(arguments)
        .collect())
}
