//! The supervisor of a run: a small process that starts the run's command in a session of its own
//! and waits for its end, so that its end is recorded even if no other program is running.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::Arc;

use signal_hook::consts::{SIGKILL, SIGTERM};

use super::detached::DETACHED;
use super::end::{judge, judge_command, last_words, mark_ended};
use super::limit::Limit;
use super::queue::Queue;
use super::run_lock::{RunLock, hold, myself};
use traintop_disk::read;
use traintop_run::record::RecordError;
use traintop_run::{Record, RunDir, State};

/// The hidden command that calls [`supervise`].
pub const SUPERVISE: &str = "__supervise";

/// Starts `command` on the run in `dir`, waits for it, and says in the record how it ended if it
/// did not say so itself.
///
/// # Errors
/// If it cannot be started, or the record not be written.
pub fn supervise(dir: &RunDir, command: &[String]) -> io::Result<()> {
    // Away from the terminal and from the signals that end the process that started this.
    rustix::process::setsid()?;
    let is_job = Record::load(dir).is_ok_and(|record| record.is_some_and(|it| it.slurm.is_some()));
    if is_job {
        // Slurm signals all processes of a job; this one stays until the worker has saved.
        signal_hook::flag::register(SIGTERM, Arc::default())?;
    }
    let kills = kills_for_memory();
    let mut worker = myself(DETACHED)
        .arg(dir.path())
        .arg("--")
        .args(command)
        .spawn()?;
    let limit = Limit::watch(dir);
    let status = worker.wait()?;
    let out_of_memory = kills_for_memory() > kills;
    write_end(dir, worker.id(), status, out_of_memory).map_err(io::Error::other)?;
    limit
        .map_or(Ok(()), |limit| limit.write_reason(dir))
        .map_err(io::Error::other)?;
    // A keeper that was killed has left the queue to itself: the end of each run looks after it.
    // A job's machine is not for runs of the queue.
    if let Some(tree) = dir.output_tree().filter(|_| !is_job) {
        Queue::of(tree).tend();
    }
    Ok(())
}

/// The reason of a run that was asked to stop and then ended at once.
const ENDED_AT_ONCE: &str =
    "ended at once while it was stopping; resume continues from its last checkpoint";

/// How often the system has killed a process for lack of memory since it started; 0 where it does
/// not say.
fn kills_for_memory() -> u64 {
    let counts = read::text(Path::new("/proc/vmstat"), read::RECORD_LIMIT).unwrap_or_default();
    let count = counts
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok());
    count.unwrap_or(0)
}

/// If the process left its run as if it still worked on it, says in the record how it ended, and
/// why.
fn write_end(
    dir: &RunDir,
    pid: u32,
    status: ExitStatus,
    out_of_memory: bool,
) -> Result<(), RecordError> {
    // A stop of a command of the user's is written by the process that stops it.
    let _held = hold(dir);
    let Some(record) = Record::load(dir)? else {
        return Ok(());
    };
    let owner = record.process.map(|process| process.pid);
    // Another process may have resumed the run in the meantime: it is that one's then.
    if record.state.is_active() && owner.is_none_or(|owner| owner == pid) {
        if record.launcher.is_some() {
            let is_asked = record.state == State::Stopping;
            let (state, exit) = judge_command(status, last_words(dir), is_asked, out_of_memory);
            return mark_ended(dir, state, exit);
        }
        let (mut state, mut exit) = judge(status, last_words(dir), out_of_memory);
        if record.state == State::Stopping && status.signal() == Some(SIGKILL) && !out_of_memory {
            state = State::Stopped;
            exit.reason = Some(ENDED_AT_ONCE.to_owned());
        }
        mark_ended(dir, state, exit)?;
    }
    Ok(())
}

/// Waits until the supervisor of a run has ended. If it could not even start the run's command,
/// says in the record why.
///
/// # Errors
/// If the record cannot be read or written.
pub fn watch_exit(dir: &RunDir, supervisor: &mut Child) -> Result<(), RecordError> {
    let Ok(status) = supervisor.wait() else {
        return Ok(());
    };
    // The command may have outlived its supervisor and be about to sign: as long as it lives, the
    // claim is its.
    let Ok(Some(_claim)) = RunLock::take(dir) else {
        return Ok(());
    };
    let unsigned = Record::load(dir)?
        .is_some_and(|record| record.state == State::Starting && record.process.is_none());
    if unsigned {
        let (state, exit) = judge(status, last_words(dir), false);
        mark_ended(dir, state, exit)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use std::fs;
    use traintop_run::process::Process;

    fn run(state: State) -> (tempfile::TempDir, RunDir) {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        fs::create_dir(dir.logs()).unwrap();
        let process = Process::current();
        let record = Record {
            state,
            ..Record::new(&dir, "a".to_owned(), process, Vec::new(), Timestamp::now())
        };
        record.save(&dir).unwrap();
        (folder, dir)
    }

    #[test]
    fn only_a_run_that_was_left_open_gets_an_end() {
        let killed = ExitStatus::from_raw(9);
        let pid = std::process::id();
        for (state, pid, ended) in [
            (State::Running, pid, State::Failed),
            (State::Running, pid + 1, State::Running),
            (State::Stopping, pid, State::Stopped),
            (State::Finished, pid, State::Finished),
        ] {
            let (_folder, dir) = run(state);
            write_end(&dir, pid, killed, false).unwrap();
            assert_eq!(Record::load(&dir).unwrap().unwrap().state, ended);
        }
    }

    #[test]
    fn a_run_whose_command_outlived_its_supervisor_is_left_to_it() {
        let (_folder, dir) = run(State::Starting);
        let mut record = Record::load(&dir).unwrap().unwrap();
        record.process = None;
        record.save(&dir).unwrap();
        let watch = || {
            let mut supervisor = std::process::Command::new("true").spawn().unwrap();
            watch_exit(&dir, &mut supervisor).unwrap();
            Record::load(&dir).unwrap().unwrap().state
        };
        let run_lock = RunLock::take(&dir).unwrap().unwrap();
        assert_eq!(watch(), State::Starting);
        drop(run_lock);
        assert_eq!(watch(), State::Failed);
    }

    #[test]
    fn a_kill_by_the_system_is_distinguished_from_one_by_a_person() {
        let (_folder, dir) = run(State::Running);
        write_end(&dir, std::process::id(), ExitStatus::from_raw(9), true).unwrap();
        let exit = Record::load(&dir).unwrap().unwrap().exit.unwrap();
        assert_eq!(
            (exit.signal, exit.reason.as_deref()),
            (
                Some(9),
                Some("the system killed the worker, because memory ran out")
            )
        );
    }
}
