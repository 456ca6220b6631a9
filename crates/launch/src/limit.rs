//! The user's time limit, for runs that no scheduler ends: the supervisor of a run asks it to stop
//! in time, and records that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::end::mark_ended;
use super::stop::{StopError, stop};
use traintop_analysis::query::quantity;
use traintop_run::failure::TIME_LIMIT;
use traintop_run::record::{Exit, RecordError};
use traintop_run::{Record, RunDir, State};
use traintop_text::duration;

/// The longest time before its deadline at which a run is asked to stop: it has to finish its step
/// and to save.
const MAX_NOTICE: Duration = Duration::from_secs(60);
/// And this part of the whole where that is shorter.
const NOTICE: u32 = 10;
/// The retry interval for a run that has only just begun.
const AGAIN: Duration = Duration::from_millis(200);

/// A time limit as people write it, in seconds.
///
/// # Errors
/// A sentence, as it follows the name of what was given.
pub fn time_limit(text: &str) -> Result<u64, String> {
    let seconds = quantity::span_s(text).filter(|seconds| (1.0..1e9).contains(seconds));
    let seconds = seconds.map(|seconds| seconds.round() as u64);
    seconds.ok_or_else(|| "must be a length of time such as 90m, 4h or 2d".to_owned())
}

/// When a run that starts now will be ended: by its own limit, else by a deadline in its record
/// that has not passed.
pub(super) fn deadline(record: &Record, now: Timestamp) -> Option<Timestamp> {
    let own = record.time_limit_s.map(Duration::from_secs);
    let own = own.and_then(|limit| now.checked_add(limit).ok());
    own.or(record.deadline.filter(|deadline| *deadline > now))
}

/// A limit that is being watched.
#[derive(Debug)]
pub(super) struct Limit {
    limit: Duration,
    /// Whether the run was asked to stop because of it.
    asked: Arc<AtomicBool>,
}

impl Limit {
    /// Watches the run's own limit, if it has one, on a thread of its own.
    pub fn watch(dir: &RunDir) -> Option<Self> {
        let record = Record::load(dir).ok().flatten()?;
        let (limit, deadline) = (Duration::from_secs(record.time_limit_s?), record.deadline?);
        let notice = (limit / NOTICE).min(MAX_NOTICE);
        let asked = Arc::new(AtomicBool::new(false));
        let (dir, is_asked) = (dir.clone(), Arc::clone(&asked));
        thread::spawn(move || {
            let left = Duration::try_from(deadline - Timestamp::now()).unwrap_or_default();
            thread::sleep(left.saturating_sub(notice));
            while let Err(StopError::NotYet { .. }) = ask(&dir, &is_asked) {
                thread::sleep(AGAIN);
            }
        });
        Some(Self { limit, asked })
    }

    /// Writes the time limit as the reason into the record of a run that ended by it.
    ///
    /// # Errors
    /// If the record cannot be read or written.
    pub fn write_reason(&self, dir: &RunDir) -> Result<(), RecordError> {
        let record = Record::load(dir)?;
        let stopped = record.filter(|record| record.state == State::Stopped);
        let Some(record) = stopped.filter(|_| self.asked.load(Ordering::Relaxed)) else {
            return Ok(());
        };
        let limit = duration(self.limit);
        let reason = format!(
            "stopped in time, since its {TIME_LIMIT} of {limit} is over; resume continues from here"
        );
        let exit = Exit {
            reason: Some(reason),
            ..record.exit.unwrap_or_default()
        };
        mark_ended(dir, State::Stopped, exit)
    }
}

/// The flag is set before the signal: the run may end at once.
fn ask(dir: &RunDir, is_asked: &AtomicBool) -> Result<(), StopError> {
    is_asked.store(true, Ordering::Relaxed);
    let asked = stop(dir);
    // Another process was first, or it has ended.
    is_asked.store(asked.is_ok(), Ordering::Relaxed);
    asked.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use traintop_run::process::Process;

    #[test]
    fn a_limit_counts_from_each_begin_and_an_old_deadline_is_gone() {
        let dir = RunDir::new("/runs/a");
        let at = |second| Timestamp::from_second(second).unwrap();
        let process = Process::current();
        let mut record = Record::new(&dir, "a".to_owned(), process, Vec::new(), at(0));
        assert_eq!(deadline(&record, at(100)), None);
        record.deadline = Some(at(150));
        assert_eq!(deadline(&record, at(100)), Some(at(150)));
        assert_eq!(deadline(&record, at(200)), None);
        record.time_limit_s = Some(60);
        assert_eq!(deadline(&record, at(200)), Some(at(260)));
    }
}
