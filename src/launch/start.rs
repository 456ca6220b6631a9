//! Starting a worker on a run folder of its own.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use jiff::{Timestamp, Zoned};

use super::detached::DETACHED;
use super::worker_binary;
use crate::recipe::{self, Recipe, RecipeError};
use crate::run::layout;
use crate::run::log_tail::LogTail;
use crate::run::process::Process;
use crate::run::record::{Exit, RecordError};
use crate::run::{Record, RunDir, State};

/// What to train.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The recipe's file.
    pub recipe: PathBuf,
    /// Values that replace the recipe's, as `--set` takes them.
    pub overrides: Vec<(String, String)>,
}

/// A run that was started.
#[derive(Debug)]
pub struct Started {
    /// Its folder.
    pub dir: RunDir,
    /// The worker; it goes on when this is dropped.
    pub child: Child,
}

/// Why a run was not started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The recipe is wrong.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// There is no worker.
    #[error(
        "traintop-worker is neither beside traintop nor on the PATH; build it with `make build`, or set TRAINTOP_WORKER"
    )]
    NoWorker,
    /// The run folder cannot be made.
    #[error("{path}: a run folder cannot be made there ({cause}); change output_dir, or make room")]
    NoFolder {
        /// The recipe's `output_dir`.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Its record cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The worker cannot be started.
    #[error("{program}: cannot be started ({cause})")]
    Spawn {
        /// The program.
        program: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

/// The recipe that a request resolves to.
///
/// # Errors
/// If it is wrong.
pub fn resolve(request: &Request) -> Result<Recipe, RecipeError> {
    recipe::load(&request.recipe)?.with_overrides(&request.overrides)
}

/// Makes a run folder and starts a worker on it, in a session of its own, so that it outlives this program, the terminal and the
/// connection. Its output goes to the run's `worker.out`.
///
/// # Errors
/// If the recipe is wrong, or the folder or the process cannot be made; a folder made in vain says `failed`.
pub fn start(request: &Request) -> Result<Started, LaunchError> {
    let recipe = resolve(request)?;
    let worker = worker_binary::find().ok_or(LaunchError::NoWorker)?;
    let output_dir = PathBuf::from(&recipe.output_dir);
    let no_folder = |cause| LaunchError::NoFolder {
        path: output_dir.clone(),
        cause,
    };
    let dir = layout::create(&output_dir, &Zoned::now()).map_err(no_folder)?;
    let command = command_line(&worker, request, &dir);
    let name = if recipe.experiment_name.is_empty() {
        dir.name()
    } else {
        recipe.experiment_name.clone()
    };
    let mut record = Record::new(
        &dir,
        name,
        Process::current(),
        command.clone(),
        Timestamp::now(),
    );
    record.epochs_planned = recipe.num_epochs;
    record.save(&dir)?;
    match spawn(&dir, &command) {
        Ok(child) => Ok(Started { dir, child }),
        Err(cause) => {
            let error = LaunchError::Spawn {
                program: worker,
                cause,
            };
            fail(
                &dir,
                Exit {
                    reason: Some(error.to_string()),
                    ..Exit::default()
                },
            )?;
            Err(error)
        }
    }
}

fn command_line(worker: &std::path::Path, request: &Request, dir: &RunDir) -> Vec<String> {
    let text = |path: &std::path::Path| path.display().to_string();
    let mut command = vec![
        text(worker),
        "train".to_owned(),
        "--config".to_owned(),
        text(&request.recipe),
    ];
    for (key, value) in &request.overrides {
        command.extend(["--set".to_owned(), format!("{key}={value}")]);
    }
    command.extend(["--run-dir".to_owned(), text(dir.path())]);
    command
}

fn spawn(dir: &RunDir, command: &[String]) -> io::Result<Child> {
    let output = OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.worker_out())?;
    Command::new(std::env::current_exe()?)
        .arg(DETACHED)
        .arg(dir.path())
        .arg("--")
        .args(command)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
}

/// Waits until the worker has ended. If it left its run without a final state, says in the record that it failed, and why.
///
/// # Errors
/// If the record cannot be read or written.
pub fn watch_exit(started: &mut Started) -> Result<(), RecordError> {
    let Ok(status) = started.child.wait() else {
        return Ok(());
    };
    let ended_well = Record::load(&started.dir)?.is_none_or(|record| !record.state.is_active());
    if ended_well {
        Ok(())
    } else {
        fail(&started.dir, exit_of(&started.dir, status))
    }
}

/// How a worker ended, with the reason that its output gives.
fn exit_of(dir: &RunDir, status: ExitStatus) -> Exit {
    let mut output = LogTail::open(dir.worker_out(), 50);
    // No output is no reason.
    let _ = output.poll();
    let lines = output.lines();
    let last = lines
        .iter()
        .rev()
        .map(|line| line.trim())
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let ended = match (status.code(), status.signal()) {
        (Some(code), _) => format!("the worker ended with exit code {code}"),
        (None, Some(signal)) => format!("the worker was ended by signal {signal}"),
        (None, None) => "the worker ended".to_owned(),
    };
    let advice = if status.code() == Some(127) {
        "; run `make setup` to make its libraries"
    } else {
        ""
    };
    let reason = if last.is_empty() {
        ended
    } else {
        format!("{ended}: {last}{advice}")
    };
    Exit {
        code: status.code(),
        signal: status.signal(),
        reason: Some(reason),
    }
}

/// Marks a run failed and adds the reason to its log.
fn fail(dir: &RunDir, exit: Exit) -> Result<(), RecordError> {
    let Some(mut record) = Record::load(dir)? else {
        return Ok(());
    };
    let now = Timestamp::now();
    record.state = State::Failed;
    record.ended_at = Some(now);
    if let Some(reason) = &exit.reason {
        let stamp = now
            .to_zoned(jiff::tz::TimeZone::system())
            .strftime("%Y-%m-%d %H:%M:%S");
        let line = format!("[{stamp}] {reason}\n");
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(dir.training_log());
        // The record says it too; a log that cannot be written must not hide it.
        let _ = log.and_then(|mut log| io::Write::write_all(&mut log, line.as_bytes()));
    }
    record.exit = Some(exit);
    record.save(dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn loader_line_becomes_the_reason_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let dir = layout::create(folder.path(), &Zoned::now()).unwrap();
        let loader = "traintop-worker: error while loading shared libraries: libtorch_cpu.so: cannot open shared object file";
        fs::write(dir.worker_out(), format!("{loader}\n\n")).unwrap();
        let exit = exit_of(&dir, ExitStatus::from_raw(127 << 8));
        let reason = exit.reason.clone().unwrap();
        assert!(
            reason.contains(loader) && reason.contains("make setup"),
            "{reason}"
        );
        Record::new(
            &dir,
            "a".to_owned(),
            Process::current(),
            Vec::new(),
            Timestamp::now(),
        )
        .save(&dir)
        .unwrap();
        fail(&dir, exit).unwrap();
        let record = Record::load(&dir).unwrap().unwrap();
        assert_eq!(
            (record.state, record.exit.unwrap().code),
            (State::Failed, Some(127))
        );
    }
}
