//! From a command to a training that runs in its folder, and from its end to the word about it in
//! `run.json`.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::{Timestamp, Zoned};
use traintop_disk::write::{make_folders, replace_file};
use traintop_recipe as recipe;
use traintop_recipe::{OnNan, Recipe, RecipeError};
use traintop_run::process::Process;
use traintop_run::state::{Evidence, observe};
use traintop_run::{Record, RunDir, State, layout};

use super::error::WorkerError;
use super::prepare::{Control, prepare};
use super::run_files::WriterLock;
use super::signals::{self, StopRequest};
use super::status::Status;
use super::train::End;

/// How often a run may be rolled back to its last checkpoint.
const MAX_RESTORES: u32 = 5;

/// The command's request.
#[derive(Debug, Clone)]
pub enum Request {
    /// A new run, in a folder that the launcher has made or in one of its own.
    New {
        recipe: RecipeSource,
        run_dir: Option<PathBuf>,
    },
    /// Resumes a run. A recipe, if given, must equal the run's.
    Resume {
        run: PathBuf,
        recipe: Option<RecipeSource>,
    },
}

/// A recipe file and what the command line changes in it.
#[derive(Debug, Clone)]
pub struct RecipeSource {
    pub file: PathBuf,
    pub overrides: Vec<(String, String)>,
}

impl RecipeSource {
    /// The recipe, with its relative paths made absolute: a resume may be asked for from elsewhere.
    fn load(&self) -> Result<Recipe, RecipeError> {
        let recipe = recipe::load(&self.file)?.with_overrides(&self.overrides)?;
        Ok(recipe.with_absolute_paths())
    }
}

/// Trains until the end or a signal; with `is_profiled` it reports the time of each part.
pub fn train(request: Request, is_profiled: bool) -> Result<(), WorkerError> {
    match request {
        Request::New {
            recipe,
            run_dir: None,
        } => {
            let recipe = recipe.load()?;
            let output = Path::new(&recipe.output_dir);
            let dir =
                layout::create(output, &Zoned::now()).map_err(|source| io_error(output, source))?;
            let name = layout::display_name(&recipe.experiment_name, &dir);
            let record = Record {
                name,
                ..new_record(&dir)
            };
            work_in(&dir, record, is_profiled, |dir| keep_recipe(dir, recipe))
        }
        Request::New {
            recipe,
            run_dir: Some(path),
        } => {
            let (dir, record) = adopt(&path)?;
            work_in(&dir, record, is_profiled, |dir| {
                keep_recipe(dir, recipe.load()?)
            })
        }
        Request::Resume { run, recipe } => {
            let (dir, record) = reopen(&run)?;
            work_in(&dir, record, is_profiled, |dir| {
                own_recipe(dir, recipe.as_ref())
            })
        }
    }
}

/// Takes the run, trains it, and always writes to its record and log how that ended.
fn work_in(
    dir: &RunDir,
    record: Record,
    is_profiled: bool,
    recipe: impl FnOnce(&RunDir) -> Result<Recipe, WorkerError>,
) -> Result<(), WorkerError> {
    let mut lock = WriterLock::take(dir)?;
    let status = Status::take_over(dir, record)?;
    let stop = watch_signals(&status).map_err(|source| io_error(dir.path(), source))?;
    let heartbeat = status.beat();
    let control = Control {
        status: status.clone(),
        stop,
        is_profiled,
    };
    let ended = caught(|| train_through(dir, &mut lock, &recipe(dir)?, &control));
    drop(heartbeat);
    match &ended {
        Ok(End::Finished) => status.end(State::Finished, 0, None)?,
        Ok(End::Stopped) => status.end(State::Stopped, 0, None)?,
        Ok(End::EndedAfter(epoch)) => {
            let reason = format!("ended after epoch {epoch}, as asked");
            status.end(State::Stopped, 0, Some(reason))?;
        }
        // The error itself is what is reported, also where its trace cannot be written.
        Err(error) => drop(status.end(State::Failed, 1, Some(error.to_string()))),
    }
    lock.log(&match &ended {
        Ok(End::Finished) => "finished".to_owned(),
        Ok(End::EndedAfter(epoch)) => {
            format!("ended after epoch {epoch}, as asked; --resume continues from here")
        }
        Ok(End::Stopped) => "stopped; --resume continues from here".to_owned(),
        Err(error) => format!("failed: {error}"),
    });
    ended.map(drop)
}

/// Says in the record that a signal came.
fn watch_signals(status: &Status) -> io::Result<StopRequest> {
    let (asked, again) = (status.clone(), status.clone());
    signals::watch(
        // The training ends and says so itself, whether or not this word of it could be written.
        move || drop(asked.stopping()),
        move |code| {
            let reason = "a second signal ended it before it could save; resume continues from its last checkpoint";
            again.end_at_once(State::Stopped, code, reason.to_owned());
        },
    )
}

/// Trains to the end; where the loss is no number and the recipe says so, again from the last
/// checkpoint with half the learning rate.
fn train_through(
    dir: &RunDir,
    lock: &mut WriterLock,
    recipe: &Recipe,
    control: &Control,
) -> Result<End, WorkerError> {
    let mut restores = 0;
    loop {
        let mut training = prepare(dir, lock, recipe.clone(), control.clone(), restores)?;
        let diverged = match training.run() {
            Err(error @ WorkerError::Diverged { .. }) if recipe.on_nan == OnNan::Restore => error,
            ended => return ended,
        };
        restores = training.progress.restores + 1;
        if restores > MAX_RESTORES {
            return Err(diverged);
        }
        lock.log(&format!(
            "{diverged}; restoring the last checkpoint, with half the learning rate ({restores} of {MAX_RESTORES} times)"
        ));
    }
}

/// Runs a piece of work, and turns a panic into an error.
pub fn caught<T>(work: impl FnOnce() -> Result<T, WorkerError>) -> Result<T, WorkerError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(WorkerError::Panic(first_line_of(panic.as_ref()))))
}

/// A panic's message up to its first line end: libtorch's continue with pages of C++ frames.
fn first_line_of(panic: &(dyn Any + Send)) -> String {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no reason given");
    // A Debug-printed libtorch error holds its line ends as a backslash and an n.
    let line = message
        .split("\\n")
        .next()
        .and_then(|text| text.lines().next());
    line.unwrap_or_default().to_owned()
}

fn new_record(dir: &RunDir) -> Record {
    Record::new(
        dir,
        dir.name(),
        Process::current(),
        Vec::new(),
        Timestamp::now(),
    )
}

/// Writes the resolved recipe into the run: all that is needed to run it again.
fn keep_recipe(dir: &RunDir, recipe: Recipe) -> Result<Recipe, WorkerError> {
    let path = dir.config_json();
    let text = format!("{:#}\n", serde_json::Value::from(recipe.to_json()));
    replace_file(&path, text.as_bytes()).map_err(|source| io_error(&path, source))?;
    Ok(recipe)
}

/// The run's own recipe, and the refusal of any other.
fn own_recipe(dir: &RunDir, named: Option<&RecipeSource>) -> Result<Recipe, WorkerError> {
    let recipe = recipe::load(&dir.config_json())?;
    let other = named.map(RecipeSource::load).transpose()?;
    match other.and_then(|other| recipe.differences(&other).first().copied()) {
        None => Ok(recipe),
        Some(field) => Err(WorkerError::Refused(format!(
            "{}: a run is resumed with its own recipe, and the one named here has another {}; leave --config and --set out, \
             or start a new run",
            dir.path().display(),
            field.key
        ))),
    }
}

/// A folder that the launcher made for this process.
fn adopt(path: &Path) -> Result<(RunDir, Record), WorkerError> {
    let path = path
        .canonicalize()
        .map_err(|source| io_error(path, source))?;
    let dir = RunDir::new(path);
    dir.refuse_links()
        .map_err(|source| io_error(dir.path(), source))?;
    for folder in [dir.logs(), dir.checkpoints()] {
        make_folders(&folder).map_err(|source| io_error(&folder, source))?;
    }
    let record = Record::load(&dir)?.unwrap_or_else(|| new_record(&dir));
    if matches!(record.state, State::Starting | State::Queued) {
        return Ok((dir, record));
    }
    Err(WorkerError::Refused(format!(
        "{}: this folder holds a run that is {}; resume it by --resume, or leave --run-dir out",
        dir.path().display(),
        record.state
    )))
}

/// A run that has ended before its last epoch.
fn reopen(path: &Path) -> Result<(RunDir, Record), WorkerError> {
    let path = path
        .canonicalize()
        .map_err(|source| io_error(path, source))?;
    let dir = RunDir::new(path);
    let refused = |why: String| {
        Err(WorkerError::Refused(format!(
            "{}: {why}",
            dir.path().display()
        )))
    };
    let Some(record) = Record::load(&dir)? else {
        return refused(
            "this folder has no run.json; only runs that this program began can be resumed"
                .to_owned(),
        );
    };
    // The process that started this one to resume the run has signed the record for it.
    if record.state == State::Starting && record.process == Some(Process::current()) {
        return Ok((dir, record));
    }
    let alive = record
        .process
        .as_ref()
        .filter(|process| process.is_here())
        .map(Process::is_alive);
    let observed = observe(Evidence {
        record: Some(&record),
        alive,
        silent_for: silence_of(&dir.run_json()),
        epochs_done: record.epochs_done,
        epochs_planned: Some(record.epochs_planned),
        ..Evidence::default()
    });
    if observed.state.is_active() {
        let owner = record
            .process
            .as_ref()
            .map(|process| format!(" (process {} on {})", process.pid, process.host));
        return refused(format!(
            "this run is still {}{}; stop it first",
            observed.state,
            owner.unwrap_or_default()
        ));
    }
    if observed.state == State::Finished {
        return refused(format!(
            "this run is finished ({} of {} epochs); start a new one with more num_epochs to train longer",
            record.epochs_done, record.epochs_planned
        ));
    }
    Ok((dir, record))
}

/// How long ago a file changed; zero if that is unknown.
fn silence_of(path: &Path) -> Duration {
    let changed = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    changed
        .ok()
        .and_then(|at| SystemTime::now().duration_since(at).ok())
        .unwrap_or_default()
}

fn io_error(path: &Path, source: io::Error) -> WorkerError {
    WorkerError::Io {
        what: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_panic_only_the_first_line_is_reported() {
        let plain: Box<dyn Any + Send> = Box::new("index out of range");
        assert_eq!(first_line_of(plain.as_ref()), "index out of range");
        let torch: Box<dyn Any + Send> =
            Box::new(r#"called `unwrap()`: Torch("out of memory\nframe #0")"#.to_owned());
        assert_eq!(
            first_line_of(torch.as_ref()),
            r#"called `unwrap()`: Torch("out of memory"#
        );
    }
}
