//! Ends a run that is a job: by `scancel`, from any machine, never by a process id, which belongs
//! to another machine.

use jiff::Timestamp;

use super::super::run_lock::hold;
use super::super::stop::{StopError, Stopping};
use super::command::{CommandError, call};
use traintop_run::record::Exit;
use traintop_run::slurm::{Job, SchedulerReport};
use traintop_run::{Record, RunDir, State};
use traintop_text::clean;

/// Without it `scancel` does not say of each job why it does nothing.
const VERBOSE: &str = "--verbose";
/// The reason of a run whose job was cancelled before it began.
pub(super) const TAKEN_OUT: &str = "taken out of Slurm's queue before it began";

/// Asks the job of a run to stop: its script passes that on to the worker, which saves. One that
/// waits is cancelled.
///
/// # Errors
/// If the job has no id yet, is stopping or over already, or Slurm refuses.
pub fn stop(dir: &RunDir, record: &Record, job: &Job) -> Result<Stopping, StopError> {
    let name = clean(&record.name).into_owned();
    let is_asked = SchedulerReport::load(dir, job).stop_asked;
    match record.state {
        State::Queued => {
            let id = id_of(&name, job)?;
            remember_asked(dir, job, true);
            if let Err(error) = call("scancel", &[VERBOSE, &id]) {
                // After a timeout the job may be cancelled; after a refusal it is not.
                if !error.timed_out() {
                    remember_asked(dir, job, false);
                }
                return Err(refused(&name, &error));
            }
            taken_out(dir, job)?;
            Ok(Stopping::TakenOut(name))
        }
        State::Stopping => Err(StopError::AlreadyStopping { name }),
        _ if is_asked => Err(StopError::AlreadyStopping { name }),
        _ => {
            let id = id_of(&name, job)?;
            scancel(&name, &["--batch", "--signal=TERM", &id])?;
            remember_asked(dir, job, true);
            Ok(Stopping::Requested(name))
        }
    }
}

/// Ends the job of a run at once that was asked to stop before.
///
/// # Errors
/// As [`stop`], and if it was not asked to stop before.
pub fn kill(dir: &RunDir, record: &Record, job: &Job) -> Result<Stopping, StopError> {
    let name = clean(&record.name).into_owned();
    let is_asked = record.state == State::Stopping || SchedulerReport::load(dir, job).stop_asked;
    if !is_asked {
        let state = record.state;
        return Err(StopError::NotAsked { name, state });
    }
    scancel(&name, &[&id_of(&name, job)?])?;
    Ok(Stopping::Killed(name))
}

/// Asks the job of a run that trains to save and to be requeued, regardless of `requeue` in its
/// recipe.
///
/// # Errors
/// If the job has no id yet, or Slurm refuses.
pub fn requeue(name: &str, job: &Job) -> Result<(), StopError> {
    let id = id_of(name, job)?;
    scancel(name, &["--batch", "--signal=USR2", &id])
}

fn id_of(name: &str, job: &Job) -> Result<String, StopError> {
    job.name().ok_or_else(|| StopError::NotYet {
        name: name.to_owned(),
    })
}

fn scancel(name: &str, arguments: &[&str]) -> Result<(), StopError> {
    let done = call("scancel", &[&[VERBOSE], arguments].concat());
    done.map(drop).map_err(|error| refused(name, &error))
}

fn refused(name: &str, error: &CommandError) -> StopError {
    StopError::Scheduler {
        name: name.to_owned(),
        reason: error.to_string(),
    }
}

/// Notes whether its end was requested here. If it cannot be written, only that fact is lost.
fn remember_asked(dir: &RunDir, job: &Job, is_asked: bool) {
    let _held = hold(dir);
    let report = SchedulerReport {
        stop_asked: is_asked,
        ..SchedulerReport::load(dir, job)
    };
    if let Err(error) = report.save(dir) {
        log::warn!("{}: {error}", dir.path().display());
    }
}

/// Says in the record that it does not wait any more, unless it has begun meanwhile: then it is
/// ended by the same `scancel`, and says so.
fn taken_out(dir: &RunDir, job: &Job) -> Result<(), StopError> {
    let _held = hold(dir);
    let record = Record::load(dir)?;
    let is_waiting = |record: &Record| {
        record.state == State::Queued
            && record.process.is_none()
            && record.slurm.as_ref() == Some(job)
    };
    if let Some(mut record) = record.filter(is_waiting) {
        record.state = State::Stopped;
        record.ended_at = Some(Timestamp::now());
        record.exit = Some(Exit {
            reason: Some(TAKEN_OUT.to_owned()),
            ..Exit::default()
        });
        record.save(dir)?;
    }
    Ok(())
}
