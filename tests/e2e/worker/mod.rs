//! The worker as a process, on recipes so small that a run takes a fraction of a second. Tests run
//! one after another, since each worker wants the machine's cores.

mod evaluate;
mod folder;
mod foreign;
mod refuse;
mod resume;
mod steer;

use crate::programs::worker;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use safetensors::SafeTensors;
use tempfile::TempDir;
use traintop_run::{Record, RunDir};

const TIMEOUT: Duration = Duration::from_secs(60);

/// A network and a data set on which a step takes some milliseconds: 3 epochs of 8 steps.
const TINY: &str = "
width = 4
blocks = 1
se_reduction = 2
max_train_images = 120
max_val_images = 40
num_epochs = 3
batch_size = 16
log_interval = 3
save_interval = 2
num_threads = 1
device = \"cpu\"
";

/// A folder for a test's recipe and runs, and the test's turn.
struct Bench {
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Bench {
    fn new(recipe: &str) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("recipe.toml"), recipe).unwrap();
        Self {
            folder,
            _turn: turn,
        }
    }

    fn worker(&self, arguments: &[&str]) -> Command {
        let mut command = self.command();
        command.arg("train").args(arguments);
        command
    }

    fn command(&self) -> Command {
        let mut command = Command::new(worker());
        command
            .current_dir(self.folder.path())
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn train(&self, overrides: &[&str]) -> Command {
        let mut command = self.worker(&["--config", "recipe.toml"]);
        command.args(overrides.iter().flat_map(|change| ["--set", change]));
        command
    }

    fn resume(&self, run: &RunDir) -> Command {
        self.worker(&["--resume", run.path().to_str().unwrap()])
    }

    fn runs(&self) -> Vec<RunDir> {
        let Ok(entries) = fs::read_dir(self.folder.path().join("runs/training_runs")) else {
            return Vec::new();
        };
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.into_iter().map(RunDir::new).collect()
    }

    /// Trains to the end and gives the run's folder.
    fn trained(&self, overrides: &[&str]) -> RunDir {
        let before = self.runs();
        succeed(&mut self.train(overrides));
        self.runs()
            .into_iter()
            .find(|run| !before.contains(run))
            .expect("a run has a folder")
    }

    /// Starts a run and waits for its folder.
    fn start(&self, overrides: &[&str]) -> (Worker, RunDir) {
        let before = self.runs();
        let worker = Worker(self.train(overrides).spawn().unwrap());
        let mut found = None;
        until("a run folder with its record", || {
            found = self
                .runs()
                .into_iter()
                .find(|run| !before.contains(run) && run.run_json().exists());
            found.is_some()
        });
        (worker, found.unwrap())
    }
}

/// A worker that does not outlive its test.
struct Worker(Child);

impl Worker {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    fn exit(&mut self) -> std::process::ExitStatus {
        until("the worker to end", || self.0.try_wait().unwrap().is_some());
        self.0.wait().unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// The one sentence with which a command fails.
fn refusal(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{sentence}");
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
    sentence
}

fn record(run: &RunDir) -> Record {
    Record::load(run).unwrap().expect("a run has a record")
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// A table without its times and memory, which no two runs share.
fn values(path: &Path) -> Vec<Vec<String>> {
    let lines = lines(path);
    let header: Vec<&str> = lines[0].split(',').collect();
    let same = [
        "epoch",
        "step",
        "steps_per_epoch",
        "train_loss",
        "train_acc",
        "val_loss",
        "val_acc",
        "learning_rate",
    ];
    let columns: Vec<usize> = (0..header.len())
        .filter(|&column| same.contains(&header[column]))
        .collect();
    lines
        .iter()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            assert_eq!(cells.len(), header.len(), "{line}");
            columns
                .iter()
                .map(|&column| cells[column].to_owned())
                .collect()
        })
        .collect()
}

fn assert_same_rows(run: &RunDir, reference: &RunDir) {
    assert_eq!(values(&run.metrics_csv()), values(&reference.metrics_csv()));
    assert_eq!(values(&run.steps_csv()), values(&reference.steps_csv()));
}

/// A checkpoint's tensors as bytes, if the file is there; panics if it is not whole.
fn tensors(path: &Path) -> Option<BTreeMap<String, Vec<u8>>> {
    let bytes = fs::read(path).ok()?;
    let file = SafeTensors::deserialize(&bytes)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(
        file.iter()
            .map(|(name, tensor)| (name.to_owned(), tensor.data().to_vec()))
            .collect(),
    )
}

fn assert_every_file_is_whole(run: &RunDir) {
    record(run);
    for path in [run.best(), run.last(), run.checkpoint(2)] {
        tensors(&path);
    }
    for path in [run.metrics_csv(), run.steps_csv(), run.training_log()] {
        let text = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            text.is_empty() || text.ends_with('\n'),
            "{}: {text}",
            path.display()
        );
    }
    if let Ok(text) = fs::read_to_string(run.config_json()) {
        traintop_recipe::parse_json(&text, "config.json").unwrap();
    }
}
