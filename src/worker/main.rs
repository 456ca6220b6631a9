//! The worker: trains through libtorch, and meets the dashboard only in run folders.

#![allow(
    clippy::cast_possible_wrap,
    reason = "libtorch counts in i64, and no count or length here comes near 2^63"
)]

mod augment;
mod average;
mod checkpoint;
mod console;
mod contention;
mod cuda;
mod data;
mod device;
mod error;
mod images;
mod loss;
mod memory;
mod milestones;
mod model;
mod optimiser;
mod output;
mod prepare;
mod random;
mod run_files;
mod session;
mod signals;
mod status;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use traintop::recipe::parse_override;

use session::{RecipeSource, Request};

/// Trains image classifiers and writes what happens into a run folder.
#[derive(Parser)]
#[command(name = "traintop-worker", version)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Train a recipe, or go on with a run that was stopped or killed
    Train(Train),
}

#[derive(Args)]
struct Train {
    /// The recipe: a file such as configs/quick.toml, or the config.json of a run
    #[arg(long, value_name = "FILE", required_unless_present = "resume")]
    config: Option<PathBuf>,
    /// Changes one value of the recipe; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = parse_override, requires = "config")]
    overrides: Vec<(String, String)>,
    /// Goes on with the run in this folder as if it had never stopped
    #[arg(long, value_name = "RUN", conflicts_with = "run_dir")]
    resume: Option<PathBuf>,
    /// A folder already made for this run, instead of a new one below the recipe's `output_dir`
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,
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
    let Command {
        action: Action::Train(arguments),
    } = Command::parse();
    // The parser has seen to it that there is a recipe or a run.
    let Some(request) = arguments.request() else {
        return ExitCode::from(2);
    };
    match session::train(request) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
