//! Starting a worker on a run folder of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use jiff::{Timestamp, Zoned};

use super::end::mark_ended;
use super::gpus;
use super::limit;
use super::run_lock::RunLock;
use super::trust::{must_be_trusted, trust};
use super::worker_binary;
use traintop_disk::write::remove_tree;
use traintop_recipe as recipe;
use traintop_recipe::{DeviceChoice, Recipe, RecipeError};
use traintop_run::layout;
use traintop_run::process::Process;
use traintop_run::record::{Exit, RecordError};
use traintop_run::{Record, RunDir, State};

/// A worker writes its process id within milliseconds; a busy machine needs longer.
const SIGNED_WITHIN: Duration = Duration::from_secs(5);

/// What to train.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub recipe: PathBuf,
    /// Values that replace the recipe's, as `--set` takes them.
    pub overrides: Vec<(String, String)>,
    /// How long it may train, in seconds.
    pub time_limit_s: Option<u64>,
}

/// A run that was started.
#[derive(Debug)]
pub struct Started {
    pub dir: RunDir,
    /// Its supervisor, unless Slurm starts it; both keep running when this is dropped.
    pub child: Option<Child>,
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
        cause: io::Error,
    },
    /// A file that runs are started or queued with cannot be read or written.
    #[error("{path}: cannot be read or written ({cause})")]
    Unusable { path: PathBuf, cause: io::Error },
    /// Its record cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The worker cannot be started.
    #[error("{program}: cannot be started ({cause})")]
    Spawn { program: PathBuf, cause: io::Error },
    /// A process is at work on it.
    #[error("{name} is being worked on already")]
    Taken { name: String },
    /// Its command is in a record that this user did not write.
    #[error(
        "{name} was {}, so its command is not executed; `traintop trust {name}` shows it and lets it run as you",
        by(owner.as_deref())
    )]
    Untrusted {
        name: String,
        /// The other user whose record it is.
        owner: Option<String>,
    },
    /// It cannot be begun from the state that it is in: a sentence.
    #[error("{0}")]
    Refused(String),
}

/// Who started a run that this user did not start.
fn by(owner: Option<&str>) -> String {
    owner.map_or_else(
        || "not started by you from here".to_owned(),
        |owner| format!("started by {owner}"),
    )
}

/// When the user asked for the command of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Requested {
    /// With the action that is being carried out.
    Now,
    /// Before: the user's state folder must say so.
    Earlier,
}

/// The recipe that a request resolves to.
///
/// # Errors
/// If it is wrong.
pub fn resolve(request: &Request) -> Result<Recipe, RecipeError> {
    recipe::load(&request.recipe)?.with_overrides(&request.overrides)
}

/// Makes a run folder and starts a worker on it, in a session of its own, so that it outlives this
/// program, the terminal and the connection. Its output goes to the run's `worker.out`.
///
/// # Errors
/// If the recipe is wrong, or the folder or the process cannot be made; a folder made in vain says
/// `failed`.
pub fn start(request: &Request) -> Result<Started, LaunchError> {
    let recipe = resolve(request)?;
    let worker = worker_binary::find().ok_or(LaunchError::NoWorker)?;
    let output_dir = PathBuf::from(&recipe.output_dir);
    let no_folder = |cause| LaunchError::NoFolder {
        path: output_dir.clone(),
        cause,
    };
    let dir = layout::create(&output_dir, &Zoned::now()).map_err(no_folder)?;
    let mut record = new_record(&dir, &recipe);
    record.command = command_line(&worker, request, &dir);
    record.time_limit_s = request.time_limit_s;
    gpus::give_now(&dir, &mut record);
    let child = begin_new(&dir, &record)?;
    Ok(Started {
        dir,
        child: Some(child),
    })
}

/// The record of a run that is about to begin. It names no process until the worker writes its id:
/// an earlier stop must not signal this program.
pub(super) fn new_record(dir: &RunDir, recipe: &Recipe) -> Record {
    let name = layout::display_name(&recipe.experiment_name, dir);
    let mut record = Record::new(dir, name, Process::current(), Vec::new(), Timestamp::now());
    record.process = None;
    record.epochs_planned = recipe.num_epochs;
    record.gpu_count = (recipe.device == DeviceChoice::Cpu).then_some(0);
    record.working_dir = std::env::current_dir()
        .ok()
        .map(|folder| folder.display().to_string());
    record
}

/// Makes this the run's record, which says `starting`, and starts its command. From before the
/// record is written until the command has ended the run is claimed: a run that says `starting` and
/// is neither signed nor claimed was never begun.
///
/// # Errors
/// If the user did not ask for the command, a process is at work on the run, or the command cannot
/// be started, which the record then says.
pub(super) fn begin(dir: &RunDir, record: &Record, asked: Requested) -> Result<Child, LaunchError> {
    match asked {
        Requested::Earlier => must_be_trusted(dir, record)?,
        // Without the note only a later resume needs trust.
        Requested::Now => {
            if let Err(error) = trust(dir, record) {
                log::warn!("{error}");
            }
        }
    }
    let program = record
        .command
        .first()
        .map(PathBuf::from)
        .unwrap_or_default();
    let failed = |cause| LaunchError::Spawn { program, cause };
    let run_lock = match RunLock::take(dir) {
        Ok(Some(run_lock)) => run_lock,
        Ok(None) => {
            return Err(LaunchError::Taken {
                name: record.name.clone(),
            });
        }
        Err(cause) => return Err(failed(cause)),
    };
    let record = &Record {
        deadline: limit::deadline(record, Timestamp::now()),
        ..record.clone()
    };
    record.save(dir)?;
    run_lock.begin(dir, record).or_else(|cause| {
        let error = failed(cause);
        let exit = Exit {
            reason: Some(error.to_string()),
            ..Exit::default()
        };
        mark_ended(dir, State::Failed, exit)?;
        Err(error)
    })
}

/// As [`begin`], of a folder that was just made: it goes again if not even its record could be
/// written.
pub(super) fn begin_new(dir: &RunDir, record: &Record) -> Result<Child, LaunchError> {
    begin(dir, record, Requested::Now).inspect_err(|_| {
        if !dir.run_json().exists() {
            let _ = remove_tree(dir.path());
        }
    })
}

fn command_line(worker: &Path, request: &Request, dir: &RunDir) -> Vec<String> {
    let text = |path: &Path| path.display().to_string();
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

impl Started {
    /// Waits for the run's end: see [`super::watch_exit`].
    ///
    /// # Errors
    /// If the record cannot be read or written.
    pub fn wait(&mut self) -> Result<(), RecordError> {
        match &mut self.child {
            Some(child) => super::watch_exit(&self.dir, child),
            None => Ok(()),
        }
    }
}

/// The process that works on a run which has just been begun, once it has signed the record; `None`
/// if the run ended before, or it takes longer than some seconds.
///
/// # Errors
/// If the record cannot be read.
pub fn signed(dir: &RunDir) -> Result<Option<Process>, RecordError> {
    let deadline = Instant::now() + SIGNED_WITHIN;
    loop {
        let record = Record::load(dir)?;
        let is_over = record
            .as_ref()
            .is_none_or(|record| !record.state.is_active());
        let process = record.and_then(|record| record.process);
        if process.is_some() || is_over || Instant::now() > deadline {
            return Ok(process);
        }
        thread::sleep(Duration::from_millis(2));
    }
}
