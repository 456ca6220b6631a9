//! `traintop trust RUN...`: lets commands run as this user that another wrote into a run's record.
//! Only shows them unless `--yes` is given.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use color_eyre::eyre::Result;

use super::roots;
use traintop_launch::Proposal;
use traintop_text::clean;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Runs' folders, or names of runs or their beginnings
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
    /// Do it; without this, only what would be executed is shown
    #[arg(long)]
    yes: bool,
    /// Folder to search for the names [default: runs]
    #[arg(long = "root", value_name = "ROOT")]
    roots: Vec<PathBuf>,
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let mut is_new = false;
    for run in &arguments.runs {
        let dir = roots::run_named(run, &arguments.roots)?.dir;
        let name = clean(&dir.name()).into_owned();
        let Some(proposal) = Proposal::of(&dir)? else {
            writeln!(out, "{name}: you trust its command already")?;
            continue;
        };
        is_new = true;
        writeln!(out, "{name}: {}", proposal.origin)?;
        for line in proposal.lines() {
            writeln!(out, "  {line}")?;
        }
        if arguments.yes {
            proposal.accept()?;
            writeln!(
                out,
                "  trusted: traintop executes this as you when the run starts or resumes"
            )?;
        }
    }
    if is_new && !arguments.yes {
        writeln!(out, "--yes lets this be executed as you")?;
    }
    Ok(ExitCode::SUCCESS)
}
