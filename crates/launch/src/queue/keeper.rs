//! The keeper: starts the next queued run of its user whenever a slot is free, sleeps in between,
//! and ends when none of them waits any more. Runs of other users, and what others wrote into the
//! tree, it leaves alone.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::super::end::mark_ended;
use super::super::gpus::Pool;
use super::super::resume::command_of;
use super::super::run_lock::RunLock;
use super::super::spawn::{LaunchError, Requested, begin};
use super::super::supervise::watch_exit;
use super::slots::Slots;
use super::survey::Surveyor;
use super::{Queue, Waiting};
use crate::machine::Gpus;
use traintop_config as config;
use traintop_run::process::Process;
use traintop_run::queue_reasons::QueueReasons;
use traintop_run::record::{Exit, RecordError};
use traintop_run::trust::Commands;
use traintop_run::watch::{Watcher, when_ended};
use traintop_run::{Record, RunDir, State};
use traintop_text::terminal::error_line;

/// The hidden command that calls [`keep`].
pub const KEEP: &str = "__keep-queue";

/// The longest sleep: where another machine changes the queue, nothing wakes it.
const MAX_SLEEP: Duration = Duration::from_secs(30);
/// The sleep while a started run has not yet written its process id.
const UNTIL_SIGNED: Duration = Duration::from_millis(100);

/// Keeps the queue of a tree until nothing waits any more. Ends at once if there is another keeper.
///
/// # Errors
/// If the tree cannot be read or locked.
pub fn keep(tree: &Path) -> io::Result<()> {
    // Away from the terminal that it was started in. A leader of a session stays it.
    let _ = rustix::process::setsid();
    let queue = Queue::of(tree);
    let Some(keeper) = queue.keeper_lock()? else {
        return Ok(());
    };
    let (wake, woken) = channel();
    let on_change = wake.clone();
    let mut watcher = Watcher::new(move |_| {
        let _ = on_change.send(());
    });
    watcher.set(&HashSet::from([queue.wake_folder()]));
    let mut surveyor = Surveyor::default();
    let gpus = Gpus::open();
    let mut awaited: HashSet<(u32, u64)> = HashSet::new();
    let mut saved = None;
    let commands = Commands::of_user();
    loop {
        let lock = queue.lock().map_err(io::Error::other)?;
        let mut survey = surveyor.survey(&queue.tree)?;
        let is_own = |dir: &RunDir, record: &Record| commands.allows(dir, record);
        survey
            .waiting
            .retain(|waiting| is_own(&waiting.dir, &waiting.record));
        let mut work = Work::of(&survey.active);
        work.never_begun.retain(|(dir, record)| is_own(dir, record));
        requeue(&work.never_begun)?;
        if survey.waiting.is_empty() && work.never_begun.is_empty() {
            // No run can be queued between this check and the end of this keeper: that takes the
            // lock that is held here.
            drop(keeper);
            drop(lock);
            return Ok(());
        }
        for process in &work.processes {
            if awaited.insert((process.pid, process.pid_started)) {
                let wake = wake.clone();
                when_ended(process.clone(), move || {
                    let _ = wake.send(());
                });
            }
        }
        let pool = Pool::new(
            gpus.as_ref().map(Gpus::read).unwrap_or_default(),
            work.busy.iter().copied(),
        );
        let mut slots = Slots::new(&config::load().0, pool, work.busy.iter().copied());
        let mut has_begun = false;
        let mut reasons = QueueReasons::default();
        for mut waiting in survey.waiting {
            let place = match slots.find(&waiting.record) {
                Ok(place) => place,
                Err(why) => {
                    reasons.add(&waiting.dir, why);
                    continue;
                }
            };
            waiting.record.gpus.clone_from(&place);
            if begin_waiting(waiting, &wake) {
                slots.take(&place);
                has_begun = true;
            }
        }
        drop(lock);
        if saved.as_ref() != Some(&reasons) {
            match reasons.save(&queue.tree) {
                Ok(()) => saved = Some(reasons),
                // Only lists would show it.
                Err(error) => error_line(format_args!("why runs wait is not written: {error}")),
            }
        }
        let timeout = if work.is_unsigned || has_begun || !work.never_begun.is_empty() {
            UNTIL_SIGNED
        } else {
            MAX_SLEEP
        };
        match woken.recv_timeout(timeout) {
            Ok(()) => while woken.try_recv().is_ok() {},
            Err(RecvTimeoutError::Timeout) => {}
            // This thread holds a sender itself.
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// The slots and processes of the runs in an active state.
#[derive(Default)]
struct Work<'a> {
    /// The runs that take a slot.
    busy: Vec<&'a Record>,
    /// Living processes whose end frees one.
    processes: Vec<Process>,
    /// Whether a run was begun that has not signed its record yet.
    is_unsigned: bool,
    /// Runs whose begin was cut off before there was a process.
    never_begun: Vec<(RunDir, &'a Record)>,
}

impl<'a> Work<'a> {
    fn of(active: &'a [(RunDir, Record)]) -> Self {
        let mut work = Self::default();
        for (dir, record) in active {
            match &record.process {
                Some(process) if process.is_alive() => {
                    work.busy.push(record);
                    work.processes.push(process.clone());
                }
                // Lost, or on another machine, which has slots of its own.
                Some(_) => {}
                // The process that works on it holds the claim, also before it has signed.
                None if record.queue_position.is_none() || RunLock::is_taken(dir) => {
                    work.busy.push(record);
                    work.is_unsigned = true;
                }
                None => work.never_begun.push((dir.clone(), record)),
            }
        }
        work
    }
}

/// Queues runs again that a keeper took and did not begin. A record that was signed just now stays
/// as it is.
fn requeue(runs: &[(RunDir, &Record)]) -> io::Result<()> {
    for (dir, _) in runs {
        let Ok(Some(_claim)) = RunLock::take(dir) else {
            continue;
        };
        let record = Record::load(dir).map_err(io::Error::other)?;
        let unbegun = |record: &Record| record.state == State::Starting && record.process.is_none();
        if let Some(mut record) = record.filter(unbegun) {
            record.state = State::Queued;
            record.save(dir).map_err(io::Error::other)?;
        }
    }
    Ok(())
}

/// Begins a run that waits; whether it takes a slot now. One that cannot be begun says why, and the
/// next gets its turn.
fn begin_waiting(waiting: Waiting, wake: &Sender<()>) -> bool {
    let dir = waiting.dir.clone();
    match try_to_begin(waiting) {
        Ok(mut child) => {
            let wake = wake.clone();
            let seen = thread::Builder::new()
                .stack_size(256 * 1024)
                .spawn(move || {
                    if let Err(error) = watch_exit(&dir, &mut child) {
                        error_line(error);
                    }
                    let _ = wake.send(());
                });
            if let Err(error) = seen {
                error_line(format_args!("the end of a run goes unseen: {error}"));
            }
            true
        }
        // A process is at work on it, and its record will say so.
        Err(LaunchError::Taken { .. }) => true,
        Err(error) => {
            error_line(format_args!("{}: {error}", dir.path().display()));
            let exit = Exit {
                reason: Some(error.to_string()),
                ..Exit::default()
            };
            if let Err(error) = end_unbegun(&dir, exit) {
                error_line(error);
            }
            false
        }
    }
}

fn end_unbegun(dir: &RunDir, exit: Exit) -> Result<(), RecordError> {
    match Record::load(dir)? {
        Some(record) if matches!(record.state, State::Queued | State::Starting) => {
            mark_ended(dir, State::Failed, exit)
        }
        _ => Ok(()),
    }
}

fn try_to_begin(waiting: Waiting) -> Result<Child, LaunchError> {
    let Waiting { dir, mut record } = waiting;
    record.command = command_of(&dir, &record)?;
    record.state = State::Starting;
    record.process = None;
    record.heartbeat_at = Some(Timestamp::now());
    record.ended_at = None;
    record.exit = None;
    begin(&dir, &record, Requested::Earlier)
}
