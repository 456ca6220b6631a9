//! Asking a worker to stop: it finishes its step, saves, and ends. Never another process that
//! happens to have its id.

use std::fmt;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use super::end::BEFORE_FIRST_STEP;
use super::queue::Queue;
use super::run_lock::hold;
use super::slurm;
use super::spawn::LaunchError;
use super::trust::must_be_trusted;
use traintop_run::process::{Process, host, works_in};
use traintop_run::record::{Exit, RecordError};
use traintop_run::{Record, RunDir, State};
use traintop_text::clean;

/// How long a worker that is still loading may take to end or to catch the signal.
const START_GRACE: Duration = Duration::from_secs(2);

/// Why a run was not asked to stop.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// It does not run.
    #[error("{name} is not running: it is {state}")]
    NotRunning {
        name: String,
        /// What it is instead.
        state: State,
    },
    /// It has no record, so its process is unknown.
    #[error(
        "{name} was not started by traintop, so its process is unknown; stop it where it was started"
    )]
    Unknown { name: String },
    /// It was asked before. Another signal would end it at once, without saving.
    #[error("{name} is stopping already: it finishes its step and saves")]
    AlreadyStopping { name: String },
    /// Its worker has not signed the record yet.
    #[error("{name} is only just starting; try again in a second")]
    NotYet { name: String },
    /// It runs on another machine.
    #[error("{name} runs on {host}; stop it from there")]
    Elsewhere {
        name: String,
        /// The machine.
        host: String,
    },
    /// Its process is gone.
    #[error("{name} is not running: its process {pid} is gone")]
    Gone {
        name: String,
        /// The process id that its record states.
        pid: u32,
    },
    /// Its record names a process of something else.
    #[error(
        "{name}: its record names process {pid}, which does not work in its folder; it is left alone"
    )]
    NotItsProcess {
        name: String,
        /// The process id that its record states.
        pid: u32,
    },
    /// The system refused.
    #[error("{name} could not be asked to stop ({cause})")]
    Refused { name: String, cause: io::Error },
    /// Slurm, whose job it is, refused.
    #[error("{name} could not be asked to stop by Slurm: {reason}")]
    Scheduler {
        name: String,
        /// Slurm's message.
        reason: String,
    },
    /// It cannot be ended at once before it was asked to stop.
    #[error("{name} is {state}; ask it to stop first, so that it can save")]
    NotAsked {
        name: String,
        /// What it does.
        state: State,
    },
    /// It waits, and cannot be taken out of the queue.
    #[error(transparent)]
    Queue(#[from] LaunchError),
    /// Its record cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// The result of a stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopping {
    /// Requested: it finishes its step and saves.
    Requested(String),
    /// It waited for its turn, and does not any more.
    TakenOut(String),
    /// It was ended at once.
    Killed(String),
}

impl fmt::Display for Stopping {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Requested(name) => {
                write!(f, "{name}: asked to stop; it finishes its step and saves")
            }
            Self::TakenOut(name) => write!(f, "{name}: taken out of the queue"),
            Self::Killed(name) => write!(f, "{name}: ended at once"),
        }
    }
}

/// Sends the worker of a run SIGTERM; it then finishes its step, saves and marks the run stopped.
/// One that is still loading just ends; waiting for that takes up to two seconds. A run that waits
/// is taken out of the queue.
///
/// # Errors
/// If the run neither waits nor has a living worker on this machine, or the system refuses.
pub fn stop(dir: &RunDir) -> Result<Stopping, StopError> {
    let record = load(dir)?;
    if let Some(job) = record.slurm.as_ref().filter(|_| record.state.may_act()) {
        // The record may name any job of this user's.
        must_be_trusted(dir, &record)?;
        return slurm::stop(dir, &record, job);
    }
    if record.state == State::Queued {
        let name = Queue::around(dir)?.take_out(dir)?;
        return Ok(Stopping::TakenOut(clean(&name).into_owned()));
    }
    let (name, process) = worker_of(dir, &record)?;
    if record.state == State::Stopping {
        return Err(StopError::AlreadyStopping { name });
    }
    if record.launcher.is_some() {
        return stop_command(dir, &name, &process);
    }
    send(&name, &process, Signal::TERM)?;
    if record.state == State::Starting {
        settle(dir, &process)?;
    }
    Ok(Stopping::Requested(name))
}

/// Asks a user's command to stop. The request is recorded here, before the signal, since the
/// command writes no record: a process that sees its end then knows of the request.
fn stop_command(dir: &RunDir, name: &str, process: &Process) -> Result<Stopping, StopError> {
    let _held = hold(dir);
    let mut record = load(dir)?;
    if !process.is_alive() || !record.state.is_active() {
        return Err(StopError::Gone {
            name: name.to_owned(),
            pid: process.pid,
        });
    }
    record.state = State::Stopping;
    record.save(dir)?;
    send(name, process, Signal::TERM)?;
    Ok(Stopping::Requested(name.to_owned()))
}

/// Ends the worker of a run at once that was asked to stop before. What it has not saved is lost.
///
/// # Errors
/// As [`stop`], and if it was not asked to stop before.
pub fn kill(dir: &RunDir) -> Result<Stopping, StopError> {
    let record = load(dir)?;
    if let Some(job) = record.slurm.as_ref().filter(|_| record.state.is_active()) {
        must_be_trusted(dir, &record)?;
        return slurm::kill(dir, &record, job);
    }
    let (name, process) = worker_of(dir, &record)?;
    if record.state != State::Stopping {
        let state = record.state;
        return Err(StopError::NotAsked { name, state });
    }
    send(&name, &process, Signal::KILL)?;
    Ok(Stopping::Killed(name))
}

fn load(dir: &RunDir) -> Result<Record, StopError> {
    Record::load(dir)?.ok_or_else(|| StopError::Unknown { name: dir.name() })
}

/// The name and the living process of a run that is at work on this machine.
fn worker_of(dir: &RunDir, record: &Record) -> Result<(String, Process), StopError> {
    let name = clean(&record.name).into_owned();
    if !record.state.is_active() {
        return Err(StopError::NotRunning {
            name,
            state: record.state,
        });
    }
    let Some(process) = record.process.clone() else {
        return Err(if record.state == State::Starting {
            StopError::NotYet { name }
        } else {
            StopError::Unknown { name }
        });
    };
    if process.host != host() {
        return Err(StopError::Elsewhere {
            name,
            host: process.host,
        });
    }
    let pid = process.pid;
    if !process.is_alive() {
        return Err(StopError::Gone { name, pid });
    }
    if !works_in(pid, dir.path()) {
        return Err(StopError::NotItsProcess { name, pid });
    }
    Ok((name, process))
}

fn send(name: &str, process: &Process, signal: Signal) -> Result<(), StopError> {
    signal_to(process, signal).map_err(|errno| match errno {
        Errno::SRCH => StopError::Gone {
            name: name.to_owned(),
            pid: process.pid,
        },
        errno => StopError::Refused {
            name: name.to_owned(),
            cause: errno.into(),
        },
    })
}

/// Sends a signal to this very process; `SRCH` if it is gone.
pub(super) fn signal_to(process: &Process, signal: Signal) -> Result<(), Errno> {
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(Errno::SRCH)?;
    // The handle holds on to one process; only then is its start compared, so that a reused id
    // cannot slip in between.
    let handle = pidfd_open(pid, PidfdFlags::empty());
    if !process.is_alive() {
        return Err(Errno::SRCH);
    }
    match handle {
        Ok(handle) => pidfd_send_signal(handle, signal),
        // Kernels before 5.3 have no such handles: there a signal directly after the comparison
        // must do.
        Err(Errno::NOSYS) => kill_process(pid, signal),
        Err(errno) => Err(errno),
    }
}

/// A worker that is still loading may end by the signal before it can say so: then this says it.
fn settle(dir: &RunDir, process: &Process) -> Result<(), RecordError> {
    let deadline = Instant::now() + START_GRACE;
    while process.is_alive() {
        let state = Record::load(dir)?.map(|record| record.state);
        if state != Some(State::Starting) || Instant::now() > deadline {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(10));
    }
    match Record::load(dir)? {
        Some(mut record)
            if record.state == State::Starting && record.process.as_ref() == Some(process) =>
        {
            record.state = State::Stopped;
            record.ended_at = Some(Timestamp::now());
            record.exit = Some(Exit {
                code: None,
                signal: Some(Signal::TERM.as_raw()),
                reason: Some(BEFORE_FIRST_STEP.to_owned()),
            });
            record.save(dir)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command, Stdio};
    use traintop_run::process::{RUN_DIR, started};

    /// A process that waits for ever, and the record of a run that it owns.
    fn running(dir: &RunDir) -> (Child, Record) {
        let child = Command::new("cat")
            .stdin(Stdio::piped())
            .env(RUN_DIR, dir.path())
            .spawn()
            .unwrap();
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
        assert_eq!(stop(&dir).unwrap(), Stopping::Requested("mine".to_owned()));
        assert_eq!(child.wait().unwrap().signal(), Some(15));
    }

    #[test]
    fn a_process_of_something_else_is_left_alone_though_the_record_names_it() {
        let [folder, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let dir = RunDir::new(folder.path());
        let (mut child, record) = running(&RunDir::new(other.path()));
        for state in [State::Running, State::Stopping] {
            let record = Record {
                state,
                ..record.clone()
            };
            record.save(&dir).unwrap();
            let stopped = if state == State::Running {
                stop(&dir)
            } else {
                kill(&dir)
            };
            assert!(
                matches!(stopped, Err(StopError::NotItsProcess { .. })),
                "{stopped:?}"
            );
        }
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn process_with_the_same_id_but_another_start_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        let (mut child, mut record) = running(&dir);
        record.process.as_mut().unwrap().pid_started += 1;
        record.save(&dir).unwrap();
        let reason = stop(&dir).unwrap_err().to_string();
        assert_eq!(
            reason,
            format!("mine is not running: its process {} is gone", child.id())
        );
        // Also if the id passed the first check and was reused by another process just then.
        let process = record.process.unwrap();
        assert_eq!(signal_to(&process, Signal::TERM), Err(Errno::SRCH));
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn run_that_is_saving_is_not_signalled_again() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        let (mut child, mut record) = running(&dir);
        record.state = State::Stopping;
        record.save(&dir).unwrap();
        assert!(matches!(stop(&dir), Err(StopError::AlreadyStopping { .. })));
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn only_a_run_that_was_asked_before_is_ended_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        let (mut child, mut record) = running(&dir);
        let problem = kill(&dir).unwrap_err().to_string();
        assert_eq!(
            problem,
            "mine is running; ask it to stop first, so that it can save"
        );
        assert!(child.try_wait().unwrap().is_none());
        record.state = State::Stopping;
        record.save(&dir).unwrap();
        kill(&dir).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }

    #[test]
    fn run_that_is_stopped_while_it_loads_is_marked_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        let (mut child, mut record) = running(&dir);
        record.state = State::Starting;
        record.save(&dir).unwrap();
        stop(&dir).unwrap();
        let record = Record::load(&dir).unwrap().unwrap();
        assert_eq!(record.state, State::Stopped);
        assert!(record.ended_at.is_some());
        child.wait().unwrap();
    }

    #[test]
    fn run_that_nobody_has_signed_yet_is_distinguished_from_a_foreign_one() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        let (mut child, mut record) = running(&dir);
        child.kill().unwrap();
        child.wait().unwrap();
        record.process = None;
        record.state = State::Starting;
        record.save(&dir).unwrap();
        assert!(matches!(stop(&dir), Err(StopError::NotYet { .. })));
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
