//! The short life between the launcher and the worker: a process that leaves the terminal's session, signs the run's record
//! with its own process id, and then becomes the worker by `exec`, which keeps that id.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use jiff::Timestamp;

use crate::run::process::Process;
use crate::run::{Record, RunDir};

/// The hidden command that calls [`become_worker`].
pub const DETACHED: &str = "__detached";

/// Leaves the session, signs the record of the run in `dir`, becomes `command`. Returns only if that failed.
pub fn become_worker(dir: &RunDir, command: &[String]) -> io::Error {
    let Some((program, arguments)) = command.split_first() else {
        return io::Error::other("no command to become");
    };
    if let Err(error) = rustix::process::setsid() {
        return error.into();
    }
    let signed = Record::load(dir).and_then(|record| {
        let Some(mut record) = record else {
            return Ok(());
        };
        record.process = Some(Process::current());
        record.heartbeat_at = Some(Timestamp::now());
        record.save(dir)
    });
    match signed {
        Ok(()) => Command::new(program).args(arguments).exec(),
        Err(error) => io::Error::other(error),
    }
}
