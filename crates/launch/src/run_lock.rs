//! Starts a process on a run folder, once: the starter takes a lock first, which the process
//! inherits and keeps to its end. So no other process starts the run meanwhile, and the lock shows
//! whether one works on it.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::detached::DETACHED;
use super::environment;
use super::supervise::SUPERVISE;
use traintop_disk::write::{is_locked, lock_folder, open_append, try_lock};
use traintop_disk::{Lock, read};
use traintop_run::{Record, RunDir};

/// The lock of a run that is about to start: its `worker.out`, locked. The process that gets it as
/// its output holds the lock until it ends.
#[derive(Debug)]
pub struct RunLock(File);

impl RunLock {
    /// Takes the right; `None` if a process is at work on the run. A file system without locks is
    /// taken at its word.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn take(dir: &RunDir) -> io::Result<Option<Self>> {
        dir.refuse_links()?;
        let output = open_append(&dir.worker_out())?;
        Ok(try_lock(&output).then_some(Self(output)))
    }

    /// Whether a process is at work on the run. Makes and changes nothing.
    pub fn is_taken(dir: &RunDir) -> bool {
        read::open(&dir.worker_out()).is_ok_and(|output| is_locked(&output))
    }

    /// Starts the run's command under a supervisor, both away from the terminal, in the folder that
    /// the record's relative paths start from. The child is the supervisor.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn begin(self, dir: &RunDir, record: &Record) -> io::Result<Child> {
        let mut command = myself(SUPERVISE);
        command.arg(dir.path()).arg("--").args(&record.command);
        let folder = record.working_dir.as_ref().map(Path::new);
        if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
            command.current_dir(folder);
        }
        environment::give(record, &mut command);
        command.stdout(self.0.try_clone()?).stderr(self.0).spawn()
    }
}

/// Holds everybody else off who would change the record of a run that cannot change it itself;
/// `None` on a file system without locks.
pub(super) fn hold(dir: &RunDir) -> Option<Lock> {
    lock_folder(dir.path()).ok()
}

/// This very program with one of its hidden commands, also where a rebuild has put another file in
/// its place.
pub(super) fn myself(command: &str) -> Command {
    let mut myself = Command::new("/proc/self/exe");
    myself.arg0("traintop").arg(command).stdin(Stdio::null());
    myself
}

/// Starts a command in a session of its own, through [`super::become_worker`] on `folder`.
pub(super) fn spawn_detached(
    folder: &Path,
    command: &[&OsStr],
    stdout: File,
    stderr: File,
) -> io::Result<Child> {
    myself(DETACHED)
        .arg(folder)
        .arg("--")
        .args(command)
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_begun_once_until_the_claim_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        std::fs::create_dir(dir.logs()).unwrap();
        let run_lock = RunLock::take(&dir).unwrap().unwrap();
        assert!(RunLock::take(&dir).unwrap().is_none());
        // What a process inherits is the same lock.
        let inherited = run_lock.0.try_clone().unwrap();
        drop(run_lock);
        assert!(RunLock::take(&dir).unwrap().is_none());
        drop(inherited);
        assert!(RunLock::take(&dir).unwrap().is_some());
    }
}
