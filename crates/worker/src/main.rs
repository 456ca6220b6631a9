//! The worker: trains and evaluates through libtorch, and meets the dashboard only in the folders
//! of runs and evaluations.

#![allow(
    clippy::cast_possible_wrap,
    reason = "libtorch counts in i64, and no count or length here comes near 2^63"
)]
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "the walls around `disk` and the terminal are for the program; tests set up what they need"
    )
)]

mod augment;
mod augmented_blocks;
mod average;
mod bookkeeping;
mod checkpoint;
mod console;
mod contention;
mod cuda;
mod data;
mod device;
mod error;
mod evaluate;
mod finish;
mod images;
mod loss;
mod memory;
mod model;
mod optimiser;
mod output;
mod predict;
mod prepare;
mod profile;
mod random;
mod run_files;
mod session;
mod signals;
mod status;
mod steering;
mod train;
mod views;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use traintop_recipe::{DeviceChoice, Precision, parse_override};
use traintop_text::escape_json;
use traintop_text::terminal::{self, error_line};

use error::WorkerError;
use session::{RecipeSource, Request};

/// Trains and evaluates image classifiers, and writes what happens into folders.
#[derive(Parser)]
#[command(name = "traintop-worker", version)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Train a recipe, or resume a run that was stopped or killed
    Train(Train),
    /// Check data sets
    #[command(subcommand)]
    Data(Data),
    /// Evaluate a checkpoint, or several as an ensemble, on images, and save all predictions below
    /// `evaluations/`
    Evaluate(Evaluate),
    /// Describe a checkpoint: a .safetensors, or a .pth, of which nothing is executed
    Inspect {
        /// A .safetensors or .pth file
        checkpoint: PathBuf,
        /// As JSON, with every tensor
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum Data {
    /// Say what a data set is and what is damaged in it; exits with 1 if anything is
    Check {
        /// A folder as `data_dir` takes it, or a pickle of unlabelled images
        path: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct Train {
    /// The recipe: a file such as configs/quick.toml, or the config.json of a run
    #[arg(long, value_name = "FILE", required_unless_present = "resume")]
    config: Option<PathBuf>,
    /// Changes one value of the recipe; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = parse_override, requires = "config")]
    overrides: Vec<(String, String)>,
    /// Resume the run in this folder as if it had never stopped
    #[arg(long, value_name = "RUN", conflicts_with = "run_dir")]
    resume: Option<PathBuf>,
    /// A folder already made for this run, instead of a new one below the recipe's `output_dir`
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,
    /// Says after each epoch where the time of a step goes
    #[arg(long)]
    profile: bool,
}

#[derive(Args)]
struct Evaluate {
    /// Checkpoints (.safetensors, or .pth, of which nothing is executed) or folders of runs;
    /// several are one ensemble
    #[arg(required = true, value_name = "CHECKPOINT")]
    checkpoints: Vec<PathBuf>,
    /// Which of a run's checkpoints: best (the default), last, averaged, or a file in it
    #[arg(long, value_name = "WHICH")]
    checkpoint: Option<String>,
    /// How much each checkpoint of an ensemble counts [default: all the same]
    #[arg(long, value_name = "W1,W2,...", value_delimiter = ',')]
    weights: Vec<f64>,
    /// A data set, as `data_dir` takes it, or a pickle of unlabelled images [default: what the
    /// checkpoint was trained on]
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Which of its images [default: test, or val where there are none]
    #[arg(long, value_parser = ["val", "test"])]
    split: Option<String>,
    /// Average the predictions for this many views of each image: itself, its mirror, and random
    /// crops
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    views: u32,
    /// Seed of the crops
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Images in a batch
    #[arg(long, default_value_t = predict::BATCH, value_parser = clap::value_parser!(i64).range(1..=100_000))]
    batch_size: i64,
    /// Where to compute: auto, cpu or cuda [default: as in training]
    #[arg(long, value_parser = PossibleValuesParser::new(DeviceChoice::WORDS).try_map(|word| word.parse::<DeviceChoice>()))]
    device: Option<DeviceChoice>,
    /// Arithmetic of convolutions: auto, float32 or bfloat16 [default: as in training]
    #[arg(long, value_parser = PossibleValuesParser::new(Precision::WORDS).try_map(|word| word.parse::<Precision>()))]
    precision: Option<Precision>,
    /// The output tree, in whose `evaluations/` the folder is made [default: the run's own]
    #[arg(long, value_name = "ROOT")]
    output: Option<PathBuf>,
    /// The whole result as JSON, with the folder under `path`
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    fn request(self) -> evaluate::Request {
        evaluate::Request {
            targets: self.checkpoints,
            which: self.checkpoint,
            weights: self.weights,
            data: self.data,
            split: self.split,
            views: self.views,
            seed: self.seed,
            batch_size: self.batch_size,
            device: self.device,
            precision: self.precision,
            output: self.output,
            as_json: self.json,
        }
    }
}

impl Train {
    fn request(self) -> Option<Request> {
        let recipe = self.config.map(|file| RecipeSource {
            file,
            overrides: self.overrides,
        });
        match self.resume {
            Some(run) => Some(Request::Resume { run, recipe }),
            None => Some(Request::New {
                recipe: recipe?,
                run_dir: self.run_dir,
            }),
        }
    }
}

fn main() -> ExitCode {
    terminal::clean_panics();
    let command = match terminal::parse_arguments::<Command>() {
        Ok(command) => command,
        Err(code) => return code,
    };
    match command.action {
        Action::Train(arguments) => {
            let is_profiled = arguments.profile;
            match arguments.request() {
                Some(request) => done(session::train(request, is_profiled)),
                // The parser has seen to it that there is a recipe or a run.
                None => ExitCode::from(2),
            }
        }
        Action::Evaluate(arguments) => done(evaluate_checkpoints(&arguments.request())),
        Action::Data(Data::Check { path, json }) => done(check_data(&path, json)),
        Action::Inspect { checkpoint, json } => done(inspect(&checkpoint, json)),
    }
}

fn check_data(path: &Path, as_json: bool) -> Result<(), WorkerError> {
    let report = data::check::check(path)?;
    if as_json {
        print_json(&report.to_json())?;
    } else {
        print(&report.to_string())?;
    }
    if report.is_damaged() {
        return Err(WorkerError::Refused(format!(
            "{}: this data set is damaged; mend what is named above",
            path.display()
        )));
    }
    Ok(())
}

fn evaluate_checkpoints(request: &evaluate::Request) -> Result<(), WorkerError> {
    let evaluation = evaluate::evaluate(request)?;
    if request.as_json {
        print_json(&evaluation.to_json())
    } else {
        let sentence = evaluation.sentence();
        print(&format!("{sentence}\n"))
    }
}

fn inspect(path: &Path, as_json: bool) -> Result<(), WorkerError> {
    let inspection = checkpoint::inspect::inspect(path)?;
    if as_json {
        print_json(&inspection.to_json())
    } else {
        print(&inspection.to_string())
    }
}

fn print_json(value: &serde_json::Value) -> Result<(), WorkerError> {
    print(&format!("{}\n", escape_json(format!("{value:#}"))))
}

/// A reader that has gone away, such as `head`, is an error like any other, and no panic.
fn print(text: &str) -> Result<(), WorkerError> {
    let mut output = terminal::output();
    let written = output.write_all(text.as_bytes());
    written
        .and_then(|()| output.flush())
        .map_err(|source| WorkerError::Io {
            what: "standard output".to_owned(),
            source,
        })
}

/// The exit code, after a sentence about what went wrong.
fn done(result: Result<(), WorkerError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error_line(error);
            ExitCode::FAILURE
        }
    }
}
