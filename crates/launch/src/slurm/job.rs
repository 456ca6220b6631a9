//! What a job does where it runs: signs the run as its own, starts the worker under its supervisor,
//! passes on what Slurm signals, and requeues itself where its time is over and the configuration
//! says so.

use std::env;
use std::io;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::Signal;
use signal_hook::consts::{SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

use super::super::end::mark_ended;
use super::super::resume::command_of;
use super::super::run_lock::hold;
use super::super::spawn::{LaunchError, Requested, begin};
use super::super::stop::signal_to;
use super::super::supervise::watch_exit;
use super::cancel::TAKEN_OUT;
use super::command::call;
use super::parse::squeue_row;
use traintop_run::failure::TIME_LIMIT;
use traintop_run::process::{Process, works_in};
use traintop_run::record::Exit;
use traintop_run::slurm::SchedulerReport;
use traintop_run::trust::digest;
use traintop_run::{Record, RunDir, State};

/// The hidden command that calls [`run_job`].
pub const JOB: &str = "__slurm-job";

/// How often a job checks whether it can pass a signal on, and whether a worker has outlived its
/// supervisor.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// A worker that got the same signal from Slurm says so within this time; a second one would end it
/// before it has saved.
const SAME_SIGNAL: Duration = Duration::from_millis(600);

/// Trains the run in `dir` within this job, to its end, if its command has the digest in the job's
/// script. A run that was stopped while it waited is left alone.
///
/// # Errors
/// If the run is not this job's to train, or its record cannot be read or written.
pub fn run_job(dir: &RunDir, command_digest: &str, requeue: bool) -> Result<(), LaunchError> {
    let refused =
        |cause: io::Error| LaunchError::Refused(format!("{}: {cause}", dir.path().display()));
    let mut signals = Signals::new([SIGUSR1, SIGUSR2, SIGTERM]).map_err(refused)?;
    let Some(mut supervisor) = take_over(dir, command_digest)? else {
        return Ok(());
    };
    let (sender, events) = channel();
    let ends = sender.clone();
    thread::spawn(move || {
        for signal in signals.forever() {
            if sender.send(Event::Signal(signal)).is_err() {
                break;
            }
        }
    });
    let run = dir.clone();
    thread::spawn(move || {
        let ended = wait_for(&run, &mut supervisor);
        let _ = ends.send(Event::Ended(ended));
    });
    match watch(dir, &events)? {
        Some(Pause::Limit) => leave(
            dir,
            requeue,
            &format!("since the {TIME_LIMIT} of its job is over"),
        ),
        Some(Pause::Requested) => leave(dir, true, "to wait for another turn"),
        None => Ok(()),
    }
}

/// Why the worker was asked to stop without being given up.
#[derive(Debug, Clone, Copy)]
enum Pause {
    /// Its time is nearly up.
    Limit,
    /// It will be requeued.
    Requested,
}

/// What happens while the worker works.
enum Event {
    Signal(i32),
    Ended(Result<(), LaunchError>),
}

/// Waits until the supervisor and the worker have ended: a signal to the whole job may end the
/// first before the second has saved.
fn wait_for(dir: &RunDir, supervisor: &mut Child) -> Result<(), LaunchError> {
    watch_exit(dir, supervisor)?;
    let process = Record::load(dir)?.and_then(|record| record.process);
    while process.as_ref().is_some_and(Process::is_alive) {
        thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}

/// Signs the run for this job and starts its command; `None` if it must not be trained any more.
fn take_over(dir: &RunDir, command_digest: &str) -> Result<Option<Child>, LaunchError> {
    let refused = |why: &str| Err(LaunchError::Refused(format!("{}: {why}", dir.name())));
    let number = |name: &str| {
        env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let Some(id) = number("SLURM_ARRAY_JOB_ID").or_else(|| number("SLURM_JOB_ID")) else {
        return refused("this is no job of Slurm");
    };
    let is_again = number("SLURM_RESTART_COUNT").is_some_and(|count| count > 0);
    let _held = hold(dir);
    let Some(mut record) = Record::load(dir)? else {
        return refused("has no run.json");
    };
    // Anybody who shares the tree may have changed the record since.
    if digest(&record) != command_digest {
        return refused("its command has changed since it was submitted to Slurm");
    }
    let Some(mut job) = record.slurm.clone() else {
        return refused("is no run of Slurm any more");
    };
    if job.id.is_some_and(|known| known != id) {
        return refused("is a run of another job");
    }
    let report = SchedulerReport::load(dir, &job);
    let is_to_train = record.state == State::Queued || is_again && record.state != State::Finished;
    if report.stop_asked && record.state == State::Queued {
        let exit = Exit {
            reason: Some(TAKEN_OUT.to_owned()),
            ..Exit::default()
        };
        mark_ended(dir, State::Stopped, exit)?;
        return Ok(None);
    }
    if report.stop_asked || !is_to_train {
        return Ok(None);
    }
    job.id = Some(id);
    job.cluster = job.cluster.or_else(|| env::var("SLURM_CLUSTER_NAME").ok());
    record.slurm = Some(job);
    record.gpus.clear();
    record.state = State::Starting;
    record.process = None;
    record.heartbeat_at = Some(Timestamp::now());
    record.ended_at = None;
    record.exit = None;
    record.deadline = end_of_job();
    record.command = match command_of(dir, &record) {
        Ok(command) => command,
        Err(error) => {
            let exit = Exit {
                reason: Some(error.to_string()),
                ..Exit::default()
            };
            mark_ended(dir, State::Failed, exit)?;
            return Err(error);
        }
    };
    begin(dir, &record, Requested::Now).map(Some)
}

/// When Slurm will end this job.
fn end_of_job() -> Option<Timestamp> {
    let end = env::var("SLURM_JOB_END_TIME").ok();
    let end = end.and_then(|text| Timestamp::from_second(text.parse().ok()?).ok());
    end.or_else(|| {
        let id = env::var("SLURM_JOB_ID").ok()?;
        let arguments = ["--noheader", "--jobs", &id, "--format=%i|%T|%r|%S|%e|"];
        let printed = call("squeue", &arguments).ok()?;
        printed.lines().find_map(|line| squeue_row(line)?.end)
    })
}

/// Passes signals on until the worker has ended; whether it was asked to stop to resume later.
fn watch(dir: &RunDir, events: &Receiver<Event>) -> Result<Option<Pause>, LaunchError> {
    let (mut asks, mut pause, mut is_noted) = (false, None, false);
    loop {
        match events.recv_timeout(POLL_INTERVAL) {
            Ok(Event::Ended(ended)) => return ended.map(|()| pause),
            Ok(Event::Signal(SIGUSR1)) => (asks, pause) = (true, pause.or(Some(Pause::Limit))),
            Ok(Event::Signal(SIGUSR2)) => (asks, pause) = (true, Some(Pause::Requested)),
            Ok(Event::Signal(_)) => {
                // Before a command of the user's that got the same signal has ended, as if by
                // itself.
                is_noted |= note_asked(dir)?;
                thread::sleep(SAME_SIGNAL);
                (asks, pause) = (true, None);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(pause),
        }
        if asks {
            is_noted |= note_asked(dir)?;
            asks = !is_asked(dir, is_noted)?;
            is_noted &= asks;
        }
    }
}

/// Records for a user's command, which writes no record, that a stop was requested; returns whether
/// it was.
fn note_asked(dir: &RunDir) -> Result<bool, LaunchError> {
    let _held = hold(dir);
    let runs = |record: &Record| {
        let is_signed = record.process.as_ref().is_some_and(Process::is_alive);
        record.launcher.is_some() && record.state == State::Running && is_signed
    };
    let Some(record) = Record::load(dir)?.filter(runs) else {
        return Ok(false);
    };
    let stopping = Record {
        state: State::Stopping,
        ..record
    };
    stopping.save(dir)?;
    Ok(true)
}

/// Asks the worker to stop, once it has signed the record, unless it is stopping already, by more
/// than a note of this job's; whether that is done.
fn is_asked(dir: &RunDir, is_noted: bool) -> Result<bool, LaunchError> {
    let Some(record) = Record::load(dir)? else {
        return Ok(true);
    };
    let is_stopping = record.state == State::Stopping && !is_noted;
    if is_stopping || !record.state.is_active() {
        return Ok(true);
    }
    let works_here = |process: &Process| process.is_alive() && works_in(process.pid, dir.path());
    let process = record.process.filter(works_here);
    // The end of one that is gone is written by its supervisor.
    Ok(process.is_some_and(|process| signal_to(&process, Signal::TERM).is_ok()))
}

/// After a stop to resume later: puts the job into the queue again, or says why the run has ended.
fn leave(dir: &RunDir, requeue: bool, why: &str) -> Result<(), LaunchError> {
    let held = hold(dir);
    let record = Record::load(dir)?;
    let Some(record) = record.filter(|record| record.state == State::Stopped) else {
        return Ok(());
    };
    let stopped = |more: &str| {
        let reason = format!("stopped in time, {why}; {more}");
        let exit = Exit {
            reason: Some(reason),
            ..record.exit.clone().unwrap_or_default()
        };
        mark_ended(dir, State::Stopped, exit)
    };
    if !requeue {
        return Ok(stopped("resume continues from here")?);
    }
    let waiting = Record {
        state: State::Queued,
        process: None,
        ended_at: None,
        exit: None,
        deadline: None,
        ..record.clone()
    };
    waiting.save(dir)?;
    drop(held);
    let id = env::var("SLURM_JOB_ID").unwrap_or_default();
    if let Err(error) = call("scontrol", &["requeue", &id]) {
        stopped(&format!(
            "Slurm did not take it into its queue again ({error}); resume continues from here"
        ))?;
    }
    Ok(())
}
