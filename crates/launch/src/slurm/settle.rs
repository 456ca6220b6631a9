//! Combines the scheduler's report on a job with the run's own record. The run is believed while it
//! reports; if it was ended from outside, the scheduler's report counts.

use std::time::Duration;

use jiff::Timestamp;
use signal_hook::consts::SIGKILL;

use super::super::end::{last_words, mark_ended};
use super::super::run_lock::hold;
use super::super::spawn::LaunchError;
use super::parse::{End, Phase, Row};
use super::submit::note;
use traintop_run::record::Exit;
use traintop_run::slurm::{Job, SchedulerReport};
use traintop_run::state::SILENCE;
use traintop_run::{Record, RunDir, State};

/// A record of another machine is seen as late as this.
const LATE: Duration = Duration::from_secs(30);

/// Applies the scheduler's row of a run's job, `None` if it does not know the job any more; returns
/// whether anything is new.
///
/// # Errors
/// If the run's files cannot be read or written.
pub fn settle(
    dir: &RunDir,
    job: &Job,
    row: Option<&Row>,
    now: Timestamp,
) -> Result<bool, LaunchError> {
    if let (Some(row), None) = (row, job.id) {
        note(dir, &job.token, row.id, None)?;
    }
    let _held = hold(dir);
    let Some(record) = Record::load(dir)?.filter(|record| {
        let current = record.slurm.as_ref();
        current.is_some_and(|current| current.token == job.token)
    }) else {
        return Ok(false);
    };
    let before = SchedulerReport::load(dir, job);
    let mut report = before.clone();
    report.at = Some(now);
    let is_waiting = row.is_some_and(|row| row.phase == Phase::Waiting);
    if let Some(row) = row {
        report.state.clone_from(&row.state);
        report.reason = row.reason.clone().filter(|_| is_waiting);
        report.start = row.start;
    }
    let heard = heard_of(&record, now);
    let verdict = verdict(&record, row.map(|row| row.phase), heard, report.stop_asked);
    report.is_over = matches!(verdict, Verdict::Over | Verdict::Ended(..));
    report.save(dir).map_err(|cause| LaunchError::Unusable {
        path: dir.path().to_owned(),
        cause,
    })?;
    let name = job.name().or_else(|| row.map(|row| row.id.to_string()));
    match verdict {
        Verdict::Open | Verdict::Over => {}
        Verdict::Waits => {
            let waiting = Record {
                state: State::Queued,
                process: None,
                ended_at: None,
                exit: None,
                deadline: None,
                ..record
            };
            waiting.save(dir)?;
        }
        Verdict::Ended(state, why) => {
            let name = name.unwrap_or_else(|| "without an id".to_owned());
            let reason = match why {
                // Its script or Slurm has written the cause to the output.
                EndCause::Reported(End::Failed) => {
                    let words = last_words(dir).map(|words| format!(": {words}"));
                    End::Failed.sentence(&name) + &words.unwrap_or_default()
                }
                EndCause::Reported(end) => end.sentence(&name),
                EndCause::Forgotten => format!(
                    "Slurm no longer knows job {name}, and the run did not record how it ended"
                ),
                EndCause::NeverTaken => {
                    "it was not submitted to Slurm: the program was killed meanwhile; a resume submits it again".to_owned()
                }
            };
            let exit = Exit {
                reason: Some(reason),
                ..record.exit.unwrap_or_default()
            };
            mark_ended(dir, state, exit)?;
        }
    }
    Ok(report.state != before.state
        || report.reason != before.reason
        || report.start != before.start
        || report.is_over != before.is_over)
}

/// How long ago the run gave a sign of life, or was submitted.
fn heard_of(record: &Record, now: Timestamp) -> Duration {
    let submitted = record.slurm.as_ref().map(|job| job.submitted_at);
    let last = record.heartbeat_at.max(record.ended_at).max(submitted);
    let ago = last.map(|last| Duration::try_from(now - last).unwrap_or_default());
    ago.unwrap_or(Duration::MAX)
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The job continues.
    Open,
    /// It is over, and the run has recorded its end.
    Over,
    /// It waits again: Slurm has put it back into its queue.
    Waits,
    /// It is over, and this is recorded.
    Ended(State, EndCause),
}

/// How it is known that a run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EndCause {
    Reported(End),
    Forgotten,
    NeverTaken,
}

/// `heard` is how long ago the run last gave a sign of life.
fn verdict(record: &Record, phase: Option<Phase>, heard: Duration, stop_asked: bool) -> Verdict {
    let has_ended = !record.state.may_act();
    let says_nothing = record
        .exit
        .as_ref()
        .is_none_or(|exit| exit.reason.is_none() || exit.signal == Some(SIGKILL));
    match phase {
        Some(Phase::Working) => Verdict::Open,
        Some(Phase::Waiting) if record.state == State::Queued => Verdict::Open,
        // The run's last record may be younger than the answer. A run that was asked to stop does
        // not wait again.
        Some(Phase::Waiting) if heard < LATE || record.state == State::Finished || stop_asked => {
            Verdict::Open
        }
        Some(Phase::Waiting) => Verdict::Waits,
        Some(Phase::Over(End::Completed)) | None if has_ended => Verdict::Over,
        Some(Phase::Over(End::Completed)) if heard < LATE => Verdict::Open,
        Some(Phase::Over(end)) if has_ended => {
            // The run did what it was asked to; by whom, only the scheduler knows. A command of the
            // user's that saves and ends well when it is signalled has not finished.
            let state = match record.state {
                State::Finished if record.launcher.is_some() => State::Stopped,
                state => state,
            };
            let is_reported = match end {
                End::Failed | End::Completed => false,
                End::Cancelled(_) => !stop_asked && state == State::Stopped,
                _ => matches!(state, State::Stopped | State::Failed),
            };
            if is_reported && says_nothing {
                Verdict::Ended(state, EndCause::Reported(end))
            } else {
                Verdict::Over
            }
        }
        Some(Phase::Over(end @ End::Cancelled(_))) => {
            Verdict::Ended(State::Stopped, EndCause::Reported(end))
        }
        Some(Phase::Over(end @ End::Completed)) => {
            Verdict::Ended(State::Lost, EndCause::Reported(end))
        }
        Some(Phase::Over(end)) => Verdict::Ended(State::Failed, EndCause::Reported(end)),
        None if heard < SILENCE => Verdict::Open,
        None if record.slurm.as_ref().is_some_and(|job| job.id.is_none()) => {
            Verdict::Ended(State::Failed, EndCause::NeverTaken)
        }
        None => Verdict::Ended(State::Lost, EndCause::Forgotten),
    }
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
