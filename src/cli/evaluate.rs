//! `traintop evaluate RUN|CHECKPOINT...`: evaluates checkpoints through the worker, one after
//! another, or all of them as one ensemble.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::thread;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use color_eyre::eyre::{Result, WrapErr};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::roots;
use traintop_launch::EvaluateRequest;
use traintop_recipe::{DeviceChoice, Precision};
use traintop_text::pretty_json;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Runs (folders, or names or their beginnings) or checkpoint files (.safetensors or .pth);
    /// each is evaluated by itself
    #[arg(required = true, value_name = "RUN|CHECKPOINT")]
    targets: Vec<String>,
    /// All of them together: their answers are averaged
    #[arg(long)]
    ensemble: bool,
    /// How much each counts in the ensemble [default: all the same]
    #[arg(
        long,
        value_name = "W1,W2,...",
        value_delimiter = ',',
        requires = "ensemble"
    )]
    weights: Vec<f64>,
    /// Which of a run's checkpoints: best (the default), last, averaged, or a file in it
    #[arg(long, value_name = "WHICH")]
    checkpoint: Option<String>,
    /// A data set, or a pickle of unlabelled images [default: what the checkpoint was trained on]
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Which of its images [default: test, or val where there are none]
    #[arg(long, value_parser = ["val", "test"])]
    split: Option<String>,
    /// Average the predictions for this many views of each image: itself, its mirror, and random
    /// crops [default: 1]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    views: Option<u32>,
    /// Seed of the crops [default: 0]
    #[arg(long)]
    seed: Option<u64>,
    /// Images in a batch [default: 500]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch_size: Option<u32>,
    /// Where to compute: auto, cpu or cuda [default: as in training]
    #[arg(long, value_parser = PossibleValuesParser::new(DeviceChoice::WORDS).try_map(|word| word.parse::<DeviceChoice>()))]
    device: Option<DeviceChoice>,
    /// Arithmetic of convolutions: auto, float32 or bfloat16 [default: as in training]
    #[arg(long, value_parser = PossibleValuesParser::new(Precision::WORDS).try_map(|word| word.parse::<Precision>()))]
    precision: Option<Precision>,
    /// The output tree, in whose `evaluations/` the folder is made [default: the run's own]
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Folder to search for runs [default: runs]
    #[arg(long = "root", value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// The whole result as JSON, with the folder under `path`; of several evaluations a list
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let mut targets = Vec::new();
    for target in &arguments.targets {
        targets.push(resolve(target, &arguments.roots)?);
    }
    let groups: Vec<Vec<PathBuf>> = if arguments.ensemble {
        vec![targets]
    } else {
        targets.into_iter().map(|target| vec![target]).collect()
    };
    let (mut results, mut code) = (Vec::new(), ExitCode::SUCCESS);
    let is_several = groups.len() > 1;
    for checkpoints in groups {
        let ended = evaluate(&request(arguments, checkpoints), arguments.json)?;
        // One that cannot be evaluated does not keep the others from it; stopping one stops all.
        if !ended.status.success() {
            code = ExitCode::FAILURE;
        }
        if arguments.json {
            results.extend(serde_json::from_str::<Value>(&ended.output).ok());
        } else {
            out.write_all(ended.output.as_bytes())?;
            out.flush()?;
        }
        if ended.was_stopped {
            break;
        }
    }
    let json = match results.pop() {
        Some(only) if !is_several => Some(only),
        last => {
            results.extend(last);
            (arguments.json && is_several).then_some(Value::Array(results))
        }
    };
    if let Some(json) = json {
        writeln!(out, "{}", pretty_json(&json)?)?;
    }
    Ok(code)
}

/// The file that is named, else the folder of the run that is.
fn resolve(target: &str, roots: &[PathBuf]) -> Result<PathBuf> {
    let path = PathBuf::from(target);
    // A path to a file that is not there is reported by the worker, as that.
    let is_file = path.is_file()
        || path
            .extension()
            .is_some_and(|ending| ending == "pth" || ending == "safetensors");
    if is_file || (path.is_dir() && path.components().count() > 1) {
        return Ok(path);
    }
    Ok(roots::run_named(target, roots)?.dir.path().to_owned())
}

fn request(arguments: &Arguments, checkpoints: Vec<PathBuf>) -> EvaluateRequest {
    EvaluateRequest {
        checkpoints,
        which: arguments.checkpoint.clone(),
        weights: arguments.weights.clone(),
        data: arguments.data.clone(),
        split: arguments.split.clone(),
        views: arguments.views,
        seed: arguments.seed,
        batch_size: arguments.batch_size,
        device: arguments.device,
        precision: arguments.precision,
        output: arguments.output.clone(),
    }
}

/// How a worker ended.
struct Ended {
    status: ExitStatus,
    output: String,
    was_stopped: bool,
}

/// Runs a worker to its end. It draws its progress on standard error; a signal to this program is
/// passed on to it, so that it leaves nothing half done.
fn evaluate(request: &EvaluateRequest, as_json: bool) -> Result<Ended> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let mut child = spawn(&mut request.command(as_json)?)?;
    let pid = Pid::from_child(&child);
    let handle = signals.handle();
    let output = child.stdout.take();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        let read = output.map_or(Ok(0), |mut output| output.read_to_string(&mut text));
        handle.close();
        read.map(|_| text)
    });
    let mut was_stopped = false;
    for _ in signals.forever() {
        was_stopped = true;
        // It may just have ended.
        let _ = kill_process(pid, Signal::TERM);
    }
    let output = reader.join().unwrap_or_else(|_| Ok(String::new()))?;
    Ok(Ended {
        status: child.wait()?,
        output,
        was_stopped,
    })
}

fn spawn(command: &mut Command) -> Result<Child> {
    let program = command.get_program().to_string_lossy().into_owned();
    command
        // Ctrl-C then reaches this program alone, which passes it on once.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .wrap_err_with(|| format!("{program}: cannot be started"))
}
