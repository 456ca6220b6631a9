//! Asking a worker to stop: it finishes its step, saves, and ends. Never another process that happens to have its id.

use std::io;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::run::process::host;
use crate::run::record::RecordError;
use crate::run::{Record, RunDir, State};

/// Why a run was not asked to stop.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// It does not run.
    #[error("{name} is not running: it is {state}")]
    NotRunning {
        /// The run.
        name: String,
        /// What it is instead.
        state: State,
    },
    /// It has no record, so its process is unknown.
    #[error(
        "{name} was not started by traintop, so its process is unknown; stop it where it was started"
    )]
    Unknown {
        /// The run.
        name: String,
    },
    /// It runs on another machine.
    #[error("{name} runs on {host}; stop it from there")]
    Elsewhere {
        /// The run.
        name: String,
        /// The machine.
        host: String,
    },
    /// Its process is gone.
    #[error("{name} is not running: its process {pid} is gone")]
    Gone {
        /// The run.
        name: String,
        /// The process id that its record states.
        pid: u32,
    },
    /// The system refused.
    #[error("{name} could not be asked to stop ({cause})")]
    Refused {
        /// The run.
        name: String,
        /// What the system said.
        cause: io::Error,
    },
    /// Its record cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Sends the worker of a run SIGTERM. Returns the run's name once the signal is on its way; the worker then finishes its step,
/// saves and marks the run stopped.
///
/// # Errors
/// If the run has no living worker on this machine, or the system refuses.
pub fn stop(dir: &RunDir) -> Result<String, StopError> {
    let record = Record::load(dir)?.ok_or_else(|| StopError::Unknown { name: dir.name() })?;
    let name = crate::text::clean(&record.name).into_owned();
    if !record.state.is_active() {
        return Err(StopError::NotRunning {
            name,
            state: record.state,
        });
    }
    let Some(process) = record.process else {
        return Err(StopError::Unknown { name });
    };
    if process.host != host() {
        return Err(StopError::Elsewhere {
            name,
            host: process.host,
        });
    }
    let gone = || StopError::Gone {
        name: name.clone(),
        pid: process.pid,
    };
    let pid = i32::try_from(process.pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(gone)?;
    // The handle holds on to one process; only then is its start compared, so that a reused id cannot slip in between.
    let handle = pidfd_open(pid, PidfdFlags::empty()).map_err(|_| gone())?;
    if !process.is_alive() {
        return Err(gone());
    }
    pidfd_send_signal(&handle, Signal::TERM).map_err(|cause| StopError::Refused {
        name: name.clone(),
        cause: cause.into(),
    })?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::process::{Process, started};
    use jiff::Timestamp;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command, Stdio};

    /// A process that waits for ever, and the record of a run that it owns.
    fn running(dir: &RunDir) -> (Child, Record) {
        let child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let process = Process {
            pid: child.id(),
            pid_started: started(child.id()).unwrap(),
            ..Process::current()
        };
        let mut record = Record::new(
            dir,
            "mine".to_owned(),
            process,
            Vec::new(),
            Timestamp::now(),
        );
        record.state = State::Running;
        record.save(dir).unwrap();
        (child, record)
    }

    #[test]
    fn the_runs_own_process_gets_sigterm() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        let (mut child, _) = running(&dir);
        assert_eq!(stop(&dir).unwrap(), "mine");
        assert_eq!(child.wait().unwrap().signal(), Some(15));
    }

    #[test]
    fn process_with_the_same_id_but_another_start_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        let (mut child, mut record) = running(&dir);
        record.process.as_mut().unwrap().pid_started += 1;
        record.save(&dir).unwrap();
        let said = stop(&dir).unwrap_err().to_string();
        assert_eq!(
            said,
            format!("mine is not running: its process {} is gone", child.id())
        );
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn runs_that_cannot_be_stopped_say_why() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        assert!(
            stop(&dir)
                .unwrap_err()
                .to_string()
                .contains("was not started by traintop")
        );
        let (mut child, mut record) = running(&dir);
        child.kill().unwrap();
        child.wait().unwrap();
        record.process.as_mut().unwrap().host = "node7".to_owned();
        record.save(&dir).unwrap();
        assert_eq!(
            stop(&dir).unwrap_err().to_string(),
            "mine runs on node7; stop it from there"
        );
        record.state = State::Finished;
        record.save(&dir).unwrap();
        assert_eq!(
            stop(&dir).unwrap_err().to_string(),
            "mine is not running: it is finished"
        );
    }
}
