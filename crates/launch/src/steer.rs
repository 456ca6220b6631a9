//! Changing what may change while a run trains, through its control file.

use super::slurm;
use super::stop::StopError;
use super::trust::must_be_trusted;
use traintop_ops::rename::state_now;
use traintop_run::control::{Change, Control, ControlError};
use traintop_run::record::RecordError;
use traintop_run::{Record, RunDir, State};
use traintop_text::clean;

/// Why a run was not steered.
#[derive(Debug, thiserror::Error)]
pub enum SteerError {
    /// It does not train.
    #[error("{name} is not running: it is {state}")]
    NotRunning {
        name: String,
        /// What it is instead.
        state: State,
    },
    /// Its trainer does not read control files.
    #[error("{name} was not started by traintop, so it cannot be steered from here")]
    Unknown { name: String },
    /// A user's command, which does not read control files.
    #[error("{name} is a command of the launcher {launcher}, which can only be stopped")]
    Launcher { name: String, launcher: String },
    /// It is no job of Slurm.
    #[error(
        "{name} is no job of Slurm; K stops it, and `traintop resume --queue` queues it for another turn"
    )]
    NoJob { name: String },
    /// Slurm, whose job it is.
    #[error(transparent)]
    Scheduler(#[from] StopError),
    /// Its control file.
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// A control request to a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Steering {
    /// Save a checkpoint now.
    Save,
    /// End after the epoch that it is in, or after a later one.
    EndAfter(Option<u32>),
    /// Withdraw an earlier `EndAfter`.
    EndNever,
    /// Multiply the schedule's learning rate by this from the next epoch on.
    LearningRate(f64),
    /// Pause after this step.
    Pause,
    /// Resume.
    Continue,
    /// Save, leave the node, and resume when Slurm starts the job again.
    Requeue,
}

/// Sends this request to the run in `dir`; returns what will happen, as a sentence. The run's log
/// says when it has.
///
/// # Errors
/// If it does not train, or its control file cannot be changed.
pub fn steer(dir: &RunDir, steering: Steering) -> Result<String, SteerError> {
    let record = Record::load(dir)?;
    let record = record.ok_or_else(|| SteerError::Unknown { name: dir.name() })?;
    let name = clean(&record.name).into_owned();
    let state = state_now(dir);
    if !state.is_active() {
        return Err(SteerError::NotRunning { name, state });
    }
    let by_file = steering != Steering::Requeue;
    if let Some(launcher) = record.launcher.as_ref().filter(|_| by_file) {
        let launcher = launcher.clone();
        return Err(SteerError::Launcher { name, launcher });
    }
    let this_epoch = record.epochs_done + 1;
    let (change, sentence) = match steering {
        Steering::Save => (
            Change::Save,
            "saves a checkpoint after this step".to_owned(),
        ),
        Steering::EndAfter(epoch) => {
            let epoch = epoch.unwrap_or(this_epoch).max(this_epoch);
            let change = Change::EndAfterEpoch(Some(epoch));
            (
                change,
                format!("ends after epoch {epoch}; it can be resumed from there"),
            )
        }
        Steering::EndNever => (
            Change::EndAfterEpoch(None),
            format!("continues to epoch {}", record.epochs_planned),
        ),
        Steering::LearningRate(factor) => (
            Change::LearningRateFactor(factor),
            format!("learning rate times {factor} from the next epoch on"),
        ),
        Steering::Pause => (Change::Pause(true), "waits after this step".to_owned()),
        Steering::Continue => (Change::Pause(false), "continues".to_owned()),
        Steering::Requeue => {
            let Some(job) = &record.slurm else {
                return Err(SteerError::NoJob { name });
            };
            must_be_trusted(dir, &record).map_err(StopError::from)?;
            slurm::requeue(&name, job)?;
            return Ok(format!(
                "{name}: saves, and waits for another turn in Slurm"
            ));
        }
    };
    Control::change(dir, change)?;
    Ok(format!("{name}: {sentence}"))
}
