//! The worker's side of `run.json`: who it is, a sign of life every ten seconds, and how it ended.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use traintop_run::process::Process;
use traintop_run::record::{Exit, RecordError};
use traintop_run::{Record, RunDir, State};

const HEARTBEAT: Duration = Duration::from_secs(10);

/// The record of the run that this process owns. Clones share it.
#[derive(Debug, Clone)]
pub struct Status {
    dir: RunDir,
    record: Arc<Mutex<Record>>,
}

impl Status {
    /// Takes the run over: this process is its owner from now on, and it is on its way to the first
    /// step.
    pub fn take_over(dir: &RunDir, mut record: Record) -> Result<Self, RecordError> {
        record.state = State::Starting;
        record.process = Some(Process::current());
        record.command = std::env::args().collect();
        record.heartbeat_at = Some(Timestamp::now());
        record.ended_at = None;
        record.exit = None;
        record.save(dir)?;
        Ok(Self {
            dir: dir.clone(),
            record: Arc::new(Mutex::new(record)),
        })
    }

    /// Changes the record, on disk too.
    pub fn update(&self, change: impl FnOnce(&mut Record)) -> Result<(), RecordError> {
        self.save(self.lock(), change)
    }

    /// Says that the run was asked to stop and is saving; nothing if it has ended.
    pub fn stopping(&self) -> Result<(), RecordError> {
        let record = self.lock();
        if record.state.is_active() {
            self.save(record, |record| record.state = State::Stopping)
        } else {
            Ok(())
        }
    }

    /// Says how the run ended; the first end counts.
    pub fn end(&self, state: State, code: i32, reason: Option<String>) -> Result<(), RecordError> {
        let record = self.lock();
        if record.state.is_active() {
            self.save(record, |record| end(record, state, code, reason))
        } else {
            Ok(())
        }
    }

    /// As [`Status::end`], but gives up if the record is being written at this moment: for an exit
    /// that must not wait.
    pub fn end_at_once(&self, state: State, code: i32, reason: String) {
        if let Ok(record) = self.record.try_lock() {
            let _ = self.save(record, |record| end(record, state, code, Some(reason)));
        }
    }

    /// Renews the heartbeat until the result is dropped. A beat that cannot be written (a full
    /// disk) is left out: the training itself will fail on it, or outlast it.
    pub fn beat(&self) -> Heartbeat {
        let (sender, ended) = mpsc::channel::<()>();
        let status = self.clone();
        thread::spawn(move || {
            while ended.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
                let record = status.lock();
                if record.state.is_active() {
                    let _ = status.save(record, |_| ());
                }
            }
        });
        Heartbeat { _alive: sender }
    }

    fn save(
        &self,
        mut record: MutexGuard<Record>,
        change: impl FnOnce(&mut Record),
    ) -> Result<(), RecordError> {
        change(&mut record);
        record.heartbeat_at = Some(Timestamp::now());
        record.save(&self.dir)
    }

    /// The record is whole after every change, also where a thread panicked between two.
    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Beats while it lives.
#[derive(Debug)]
pub struct Heartbeat {
    _alive: mpsc::Sender<()>,
}

fn end(record: &mut Record, state: State, code: i32, reason: Option<String>) {
    record.state = state;
    record.ended_at = Some(Timestamp::now());
    record.exit = Some(Exit {
        code: Some(code),
        signal: None,
        reason,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> (tempfile::TempDir, RunDir, Status) {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        let record = Record::new(
            &dir,
            "a".to_owned(),
            Process::current(),
            Vec::new(),
            Timestamp::now(),
        );
        let status = Status::take_over(&dir, record).unwrap();
        (folder, dir, status)
    }

    fn state(dir: &RunDir) -> State {
        Record::load(dir).unwrap().unwrap().state
    }

    #[test]
    fn a_stop_that_comes_too_late_does_not_undo_the_end() {
        let (_folder, dir, status) = run();
        status.end(State::Finished, 0, None).unwrap();
        status.stopping().unwrap();
        status
            .end(State::Failed, 1, Some("late".to_owned()))
            .unwrap();
        assert_eq!(state(&dir), State::Finished);
    }

    #[test]
    fn taking_over_an_ended_run_makes_it_live_again_and_keeps_its_identity() {
        let (_folder, dir, status) = run();
        status
            .end(State::Failed, 1, Some("no space".to_owned()))
            .unwrap();
        let ended = Record::load(&dir).unwrap().unwrap();
        assert_eq!(
            ended.exit.as_ref().unwrap().reason.as_deref(),
            Some("no space")
        );
        Status::take_over(&dir, ended.clone()).unwrap();
        let resumed = Record::load(&dir).unwrap().unwrap();
        assert_eq!(
            (resumed.state, &resumed.exit, resumed.ended_at),
            (State::Starting, &None, None)
        );
        assert_eq!(
            (resumed.id, resumed.created_at),
            (ended.id, ended.created_at)
        );
    }
}
