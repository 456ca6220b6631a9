//! `traintop resume RUN...`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use color_eyre::eyre::Result;

use super::roots;
use traintop_launch as launch;
use traintop_launch::queue::Queue;
use traintop_text::clean;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Runs' folders, or their names or beginnings
    #[arg(required = true)]
    runs: Vec<String>,
    /// Let each wait for its turn in the queue
    #[arg(long)]
    queue: bool,
    /// Folder to search for the names [default: runs]
    #[arg(long = "root", value_name = "ROOT")]
    roots: Vec<PathBuf>,
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    for run in &arguments.runs {
        let dir = roots::run_named(run, &arguments.roots)?.dir;
        if arguments.queue {
            let name = Queue::around(&dir)?.add_again(&dir)?;
            writeln!(
                out,
                "{}: queued, to resume from its last checkpoint",
                clean(&name)
            )?;
        } else {
            // It runs on its own.
            launch::resume(&dir)?;
            writeln!(
                out,
                "{}: resumes from its last checkpoint",
                clean(&dir.name())
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
