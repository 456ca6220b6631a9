//! Starting a worker on a run folder of its own.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use jiff::{Timestamp, Zoned};
use signal_hook::consts::{SIGINT, SIGKILL, SIGTERM};

use super::detached::DETACHED;
use super::worker_binary;
use crate::recipe::{self, Recipe, RecipeError};
use crate::run::layout;
use crate::run::log_tail::LogTail;
use crate::run::process::Process;
use crate::run::record::{Exit, RecordError};
use crate::run::{Record, RunDir, State};

/// Longer last words of a worker are cut.
const LONGEST_WORDS: usize = 400;

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
    let name = layout::display_name(&recipe.experiment_name, &dir);
    let mut record = Record::new(
        &dir,
        name,
        Process::current(),
        command.clone(),
        Timestamp::now(),
    );
    // Nobody's until the worker has signed it: a stop that comes before must not signal this program.
    record.process = None;
    record.epochs_planned = recipe.num_epochs;
    if let Ok(folder) = std::env::current_dir() {
        // What the relative paths of the command and of the recipe start from.
        let folder = folder.display().to_string();
        record.other.insert("working_dir".to_owned(), folder.into());
    }
    record.save(&dir)?;
    match spawn(&dir, &command) {
        Ok(child) => Ok(Started { dir, child }),
        Err(cause) => {
            let error = LaunchError::Spawn {
                program: worker,
                cause,
            };
            mark_ended(
                &dir,
                State::Failed,
                Exit {
                    reason: Some(error.to_string()),
                    ..Exit::default()
                },
            )?;
            Err(error)
        }
    }
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

fn spawn(dir: &RunDir, command: &[String]) -> io::Result<Child> {
    let output = OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.worker_out())?;
    let command: Vec<_> = command.iter().map(OsStr::new).collect();
    spawn_detached(dir.path(), &command, output.try_clone()?, output)
}

/// Starts a command in a session of its own, by way of [`super::become_worker`] on `folder`.
pub(super) fn spawn_detached(
    folder: &Path,
    command: &[&OsStr],
    stdout: File,
    stderr: File,
) -> io::Result<Child> {
    // This very program, also where a rebuild has put another file in its place.
    Command::new("/proc/self/exe")
        .arg0("traintop")
        .arg(DETACHED)
        .arg(folder)
        .arg("--")
        .args(command)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
}

/// Waits until the worker has ended. If it left its run as if it still worked on it, says in the record how it ended, and
/// why.
///
/// # Errors
/// If the record cannot be read or written.
pub fn watch_exit(started: &mut Started) -> Result<(), RecordError> {
    let Ok(status) = started.child.wait() else {
        return Ok(());
    };
    let left_open = Record::load(&started.dir)?.is_some_and(|record| {
        let owner = record.process.map(|process| process.pid);
        // Another process may have resumed the run in the meantime: it is that one's then.
        record.state.is_active() && owner.is_none_or(|pid| pid == started.child.id())
    });
    if left_open {
        let (state, exit) = judge(status, last_words(&started.dir));
        mark_ended(&started.dir, state, exit)?;
    }
    Ok(())
}

/// What is said of a run whose worker was still loading when it was asked to stop.
pub(super) const BEFORE_FIRST_STEP: &str = "stopped before its first step";

/// The end of a worker that did not say itself how it ended.
fn judge(status: ExitStatus, words: Option<String>) -> (State, Exit) {
    let ended = match (status.code(), status.signal()) {
        (Some(code), _) => format!("the worker ended with exit code {code}"),
        (None, Some(signal)) => {
            let name = signal_hook::low_level::signal_name(signal)
                .map_or_else(|| format!("signal {signal}"), str::to_owned);
            format!("{name} ended the worker")
        }
        (None, None) => "the worker ended".to_owned(),
    };
    let words = words.map_or_else(String::new, |words| format!(": {words}"));
    let (state, reason) = match (status.code(), status.signal()) {
        // A shell's and a loader's code for a program or library that is not there.
        (Some(127), _) => (
            State::Failed,
            format!("{ended}{words}; run `make setup` to make its libraries"),
        ),
        (_, Some(SIGTERM | SIGINT)) => (State::Stopped, BEFORE_FIRST_STEP.to_owned()),
        // What it last printed has nothing to do with it.
        (_, Some(SIGKILL)) => (
            State::Failed,
            format!("{ended}: somebody's, or the system's because memory ran out"),
        ),
        _ => (State::Failed, format!("{ended}{words}")),
    };
    let exit = Exit {
        code: status.code(),
        signal: status.signal(),
        reason: Some(reason),
    };
    (state, exit)
}

/// The last line of the worker's output that says something.
fn last_words(dir: &RunDir) -> Option<String> {
    let mut output = LogTail::open(dir.worker_out(), 200);
    output.poll().ok()?;
    last_meaningful(&output.lines())
}

/// The line that says `error:`, as a program does that was called wrongly, before it goes on about its usage; else the last that is
/// neither empty nor an advice or a stack frame printed behind the message.
pub(super) fn last_meaningful(lines: &[String]) -> Option<String> {
    let is_trailer =
        |line: &str| line.is_empty() || line.starts_with("note: ") || line.starts_with("frame #");
    let mut lines = lines.iter().map(|line| line.trim());
    let said = lines.clone().rfind(|line| line.starts_with("error: "));
    let line = said.or_else(|| lines.rfind(|line| !is_trailer(line)))?;
    Some(line.chars().take(LONGEST_WORDS).collect())
}

/// Marks a run ended and adds the reason to its log.
pub(super) fn mark_ended(dir: &RunDir, state: State, exit: Exit) -> Result<(), RecordError> {
    let Some(mut record) = Record::load(dir)? else {
        return Ok(());
    };
    let now = Timestamp::now();
    record.state = state;
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
        let (state, exit) = judge(ExitStatus::from_raw(127 << 8), last_words(&dir));
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
        mark_ended(&dir, state, exit).unwrap();
        let record = Record::load(&dir).unwrap().unwrap();
        assert_eq!(
            (record.state, record.exit.unwrap().code),
            (State::Failed, Some(127))
        );
    }

    #[test]
    fn every_kind_of_end_has_its_state_and_sentence() {
        let cases = [
            (
                1 << 8,
                "boom",
                State::Failed,
                "the worker ended with exit code 1: boom",
            ),
            (0, "", State::Failed, "the worker ended with exit code 0"),
            (
                15,
                "loading",
                State::Stopped,
                "stopped before its first step",
            ),
            (
                9,
                "epoch 3",
                State::Failed,
                "SIGKILL ended the worker: somebody's, or the system's because memory ran out",
            ),
            (
                11,
                "epoch 3",
                State::Failed,
                "SIGSEGV ended the worker: epoch 3",
            ),
        ];
        for (raw, words, state, reason) in cases {
            let words = Some(words.to_owned()).filter(|words| !words.is_empty());
            let (judged, exit) = judge(ExitStatus::from_raw(raw), words);
            assert_eq!((judged, exit.reason.as_deref()), (state, Some(reason)));
        }
    }

    #[test]
    fn last_words_are_the_message_and_not_what_trails_behind_it() {
        let cases: [(&[&str], Option<&str>); 5] = [
            (&[], None),
            (&["epoch 1", "no space left", " "], Some("no space left")),
            (
                &[
                    "thread 'main' panicked at src/x.rs:1:2:",
                    "labels are wrong",
                    "note: run with `RUST_BACKTRACE=1`",
                ],
                Some("labels are wrong"),
            ),
            (
                &["shapes differ", "frame #0: a", "frame #1: b"],
                Some("shapes differ"),
            ),
            (
                &[
                    "error: unrecognized subcommand 'evaluate'",
                    "",
                    "For more information, try '--help'.",
                ],
                Some("error: unrecognized subcommand 'evaluate'"),
            ),
        ];
        for (lines, words) in cases {
            let lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(last_meaningful(&lines).as_deref(), words);
        }
    }
}
