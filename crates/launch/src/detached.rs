//! The short life between the launcher and the worker: a process that leaves the terminal's
//! session, signs the run's record with its own process id, and then becomes the worker by `exec`,
//! which keeps that id.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use jiff::Timestamp;

use super::end::mark_ended;
use traintop_run::process::{Process, RUN_DIR};
use traintop_run::record::Exit;
use traintop_run::{Record, RunDir, State};

/// The hidden command that calls [`become_worker`].
pub const DETACHED: &str = "__detached";

/// Lets no program that this one starts have descriptors above standard error: a lock or a pipe of
/// our caller would otherwise be held until the training ends.
pub fn keep_descriptors_to_ourselves() {
    close_fds::set_fds_cloexec(3, &[]);
}

/// Leaves the session, signs the record of the run in `dir`, becomes `command`. Returns only if
/// that failed, and then writes it into the record if possible.
pub fn become_worker(dir: &RunDir, command: &[String]) -> io::Error {
    let Some((program, arguments)) = command.split_first() else {
        return io::Error::other("no command to become");
    };
    // The command must not inherit our descriptors, such as a driver's device.
    keep_descriptors_to_ourselves();
    if let Err(error) = rustix::process::setsid() {
        return error.into();
    }
    let signed = Record::load(dir).and_then(|record| {
        let Some(mut record) = record else {
            return Ok(());
        };
        record.process = Some(Process::current());
        record.heartbeat_at = Some(Timestamp::now());
        if record.launcher.is_some() {
            // A user's command writes no record.
            record.state = State::Running;
            record.started_at.get_or_insert_with(Timestamp::now);
        }
        record.save(dir)
    });
    match signed {
        Ok(()) => {
            let cause = Command::new(program)
                .args(arguments)
                .env(RUN_DIR, dir.path())
                .exec();
            let reason = format!("{program}: cannot be started ({cause})");
            let exit = Exit {
                code: Some(127),
                signal: None,
                reason: Some(reason.clone()),
            };
            // The reason is returned too, and lands in the worker's output.
            let _ = mark_ended(dir, State::Failed, exit);
            io::Error::new(cause.kind(), reason)
        }
        Err(error) => io::Error::other(error),
    }
}
