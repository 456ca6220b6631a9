//! `traintop stop RUN`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use color_eyre::eyre::Result;

use super::roots;
use traintop_launch as launch;

#[derive(Debug, Args)]
pub struct Arguments {
    /// A run's folder, or the name of a run or its beginning
    run: String,
    /// End a run at once that was asked to stop before; what it has not saved is lost
    #[arg(long)]
    kill: bool,
    /// Folder to search for the name [default: runs]
    #[arg(long = "root", value_name = "ROOT")]
    roots: Vec<PathBuf>,
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let found = roots::run_named(&arguments.run, &arguments.roots)?;
    let done = if arguments.kill {
        launch::kill(&found.dir)?
    } else {
        launch::stop(&found.dir)?
    };
    writeln!(out, "{done}")?;
    Ok(ExitCode::SUCCESS)
}
