//! Runs Slurm's programs: without the terminal, with a timeout, and with one sentence where they
//! refuse.

use std::env;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use traintop_run::subprocess::{self, SubprocessError};
use traintop_text::clean;

/// Timeout: a controller that takes longer is overloaded.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Why a program failed.
#[derive(Debug)]
pub enum CommandError {
    /// It refused: its own sentence.
    Refused(String),
    /// It could not be called, or did not answer.
    Failed(&'static str, SubprocessError),
}

impl CommandError {
    /// Whether it timed out: it may have done its work.
    pub fn timed_out(&self) -> bool {
        matches!(self, Self::Failed(_, SubprocessError::TimedOut(_)))
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Refused(reason) => f.write_str(reason),
            Self::Failed(program, error) => write!(f, "{program}: {error}"),
        }
    }
}

/// Whether jobs can be submitted to Slurm from this machine.
pub fn is_here() -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|folder| {
        let metadata = folder.join("sbatch").metadata();
        metadata.is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    })
}

/// What a program of Slurm's prints.
///
/// # Errors
/// If it refuses, or times out.
pub fn call(program: &'static str, arguments: &[&str]) -> Result<String, CommandError> {
    let mut command = Command::new(program);
    // Times come in the form that is read here.
    command.args(arguments).env_remove("SLURM_TIME_FORMAT");
    let called = subprocess::run(&mut command, "", TIMEOUT);
    let called = called.map_err(|error| CommandError::Failed(program, error))?;
    if called.is_well {
        return Ok(called.output);
    }
    let reason = called
        .stderr
        .lines()
        .chain(called.output.lines())
        .filter(|line| !line.trim().is_empty())
        // What follows is what was given up because of it.
        .find(|line| line.contains("error:"))
        .or_else(|| called.stderr.lines().last());
    Err(CommandError::Refused(reason.map_or_else(
        || format!("{program} failed"),
        |line| clean(line.trim()).into_owned(),
    )))
}
