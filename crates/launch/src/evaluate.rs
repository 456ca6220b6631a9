//! Starts an evaluation: a worker that runs one checkpoint, or several as an ensemble, on images,
//! and makes a folder below `evaluations/`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use serde_json::Value;

use super::end::last_meaningful;
use super::run_lock::spawn_detached;
use super::worker_binary;
use traintop_disk::read;
use traintop_disk::write::{beside, create_new, make_folders, remove_file};
use traintop_recipe::{DeviceChoice, Precision};
use traintop_run::evaluation::EvaluationDir;

/// What to evaluate. The default is the worker's: one view of the test images of the checkpoint's
/// run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EvaluateRequest {
    /// Checkpoints, or folders of runs; several are one ensemble.
    pub checkpoints: Vec<PathBuf>,
    /// Of a run's folder, which: `best` (as if absent), `last`, `averaged`, or a file in it.
    pub which: Option<String>,
    /// The shares of an ensemble's checkpoints; none: all the same.
    pub weights: Vec<f64>,
    /// A data set, or a file of unlabelled images; absent: the run's own.
    pub data: Option<PathBuf>,
    /// `val` or `test`; absent: `test` where there is one, else `val`.
    pub split: Option<String>,
    /// Views of each image.
    pub views: Option<u32>,
    /// Seed of the views.
    pub seed: Option<u64>,
    /// Images in a batch.
    pub batch_size: Option<u32>,
    pub device: Option<DeviceChoice>,
    pub precision: Option<Precision>,
    /// The output tree, in whose `evaluations/` the folder is made; absent: the run's own.
    pub output: Option<PathBuf>,
}

impl EvaluateRequest {
    /// The worker's arguments; `as_json` asks for the whole result on its standard output.
    pub fn arguments(&self, as_json: bool) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["evaluate".into()];
        if as_json {
            arguments.push("--json".into());
        }
        let weights: Vec<String> = self.weights.iter().map(f64::to_string).collect();
        let weights = (!weights.is_empty()).then(|| weights.join(","));
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.clone().into_os_string());
        let text = |text: Option<String>| text.map(OsString::from);
        let options = [
            ("--checkpoint", text(self.which.clone())),
            ("--weights", text(weights)),
            ("--data", path(&self.data)),
            ("--split", text(self.split.clone())),
            ("--views", text(self.views.map(|views| views.to_string()))),
            ("--seed", text(self.seed.map(|seed| seed.to_string()))),
            (
                "--batch-size",
                text(self.batch_size.map(|size| size.to_string())),
            ),
            (
                "--device",
                text(self.device.map(|device| device.to_string())),
            ),
            (
                "--precision",
                text(self.precision.map(|precision| precision.to_string())),
            ),
            ("--output", path(&self.output)),
        ];
        for (option, value) in options {
            if let Some(value) = value {
                let mut argument = OsString::from(format!("{option}="));
                argument.push(value);
                arguments.push(argument);
            }
        }
        // A file may be called as an option is.
        arguments.push("--".into());
        arguments.extend(
            self.checkpoints
                .iter()
                .map(|path| path.clone().into_os_string()),
        );
        arguments
    }

    /// The worker with these arguments, in the foreground.
    ///
    /// # Errors
    /// If there is no worker.
    pub fn command(&self, as_json: bool) -> Result<Command, EvaluationError> {
        let worker = worker_binary::find().ok_or(EvaluationError::NoWorker)?;
        let mut command = Command::new(worker);
        command.args(self.arguments(as_json));
        Ok(command)
    }
}

/// Why there is no evaluation.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// There is no worker.
    #[error(
        "traintop-worker is neither beside traintop nor on the PATH; build it with `make build`, or set TRAINTOP_WORKER"
    )]
    NoWorker,
    /// The worker cannot be started.
    #[error("{program}: cannot be started ({cause})")]
    Spawn {
        /// The program, or the file for its output.
        program: PathBuf,
        cause: io::Error,
    },
    /// The worker's last message, a sentence.
    #[error("{0}")]
    Failed(String),
}

/// An evaluation that was started. It continues when this is dropped.
#[derive(Debug)]
pub struct StartedEvaluation {
    /// The worker.
    pub child: Child,
    output: PathBuf,
    errors: PathBuf,
}

/// Starts an evaluation in a session of its own, so that it outlives this program. What it says
/// goes to two files in `logs`, which is made if need be; they are removed by
/// [`StartedEvaluation::wait`].
///
/// # Errors
/// If there is no worker, or it cannot be started.
pub fn evaluate(
    request: &EvaluateRequest,
    logs: &Path,
) -> Result<StartedEvaluation, EvaluationError> {
    let worker = worker_binary::find().ok_or(EvaluationError::NoWorker)?;
    let failed = |program: &Path| {
        let program = program.to_owned();
        move |cause| EvaluationError::Spawn { program, cause }
    };
    make_folders(logs).map_err(failed(logs))?;
    let [output, errors] =
        ["evaluation.json", "evaluation.log"].map(|name| beside(&logs.join(name)));
    let (out, err) = create_new(&output)
        .and_then(|out| Ok((out, create_new(&errors)?)))
        .map_err(failed(&output))?;
    let arguments = request.arguments(true);
    let mut command = vec![worker.as_os_str()];
    command.extend(arguments.iter().map(OsString::as_os_str));
    let child = spawn_detached(logs, &command, out, err).map_err(failed(&worker))?;
    Ok(StartedEvaluation {
        child,
        output,
        errors,
    })
}

impl StartedEvaluation {
    /// Waits for the end: the evaluation's folder, or the worker's sentence.
    ///
    /// # Errors
    /// If the worker failed or was stopped.
    pub fn wait(mut self) -> Result<EvaluationDir, EvaluationError> {
        let ended = self.child.wait();
        let text = |path: &Path| read::text(path, read::RECORD_LIMIT).unwrap_or_default();
        let (output, errors) = (text(&self.output), text(&self.errors));
        for file in [&self.output, &self.errors] {
            // A leftover is only untidy.
            let _ = remove_file(file);
        }
        if ended.as_ref().is_ok_and(|status| status.success())
            && let Some(path) = folder_reported(&output)
        {
            return Ok(EvaluationDir::new(path));
        }
        let lines: Vec<String> = errors.lines().map(str::to_owned).collect();
        let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
        Err(EvaluationError::Failed(
            last_meaningful(&lines)
                .unwrap_or_else(|| format!("the evaluation ended without a message ({how})")),
        ))
    }
}

/// The folder that the worker's JSON names.
fn folder_reported(output: &str) -> Option<PathBuf> {
    let json: Value = serde_json::from_str(output).ok()?;
    Some(PathBuf::from(json.get("path")?.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_said_and_files_are_no_options() {
        let plain = EvaluateRequest {
            checkpoints: vec!["-best.pth".into()],
            ..EvaluateRequest::default()
        };
        assert_eq!(plain.arguments(false), ["evaluate", "--", "-best.pth"]);
        let ensemble = EvaluateRequest {
            checkpoints: vec!["a".into(), "b".into()],
            weights: vec![2.0, 0.5],
            views: Some(8),
            seed: Some(1),
            split: Some("val".to_owned()),
            ..EvaluateRequest::default()
        };
        assert_eq!(
            ensemble.arguments(true),
            [
                "evaluate",
                "--json",
                "--weights=2,0.5",
                "--split=val",
                "--views=8",
                "--seed=1",
                "--",
                "a",
                "b"
            ]
        );
    }

    #[test]
    fn the_folder_is_read_from_the_json_alone() {
        assert_eq!(
            folder_reported("{\"path\": \"/e/a\"}\n"),
            Some("/e/a".into())
        );
        assert_eq!(folder_reported("half a line"), None);
    }
}
