//! `traintop figures RUN...`: a run's curves as PNG pictures in its own folder.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use color_eyre::eyre::{Result, WrapErr, bail};

use super::roots;
use crate::figures;
use crate::run::RunDir;
use crate::run::metrics::Tail;
use crate::text::clean;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Runs: folders, or names or their beginnings
    #[arg(required_unless_present = "all")]
    runs: Vec<String>,
    /// Every run below the roots
    #[arg(long, conflicts_with = "runs")]
    all: bool,
    /// Folder to search for runs [default: runs]
    #[arg(long = "root", value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// Put them into a folder per run below this one [default: logs/figures of each run]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let mut dirs = Vec::new();
    for name in &arguments.runs {
        dirs.push(roots::run_named(name, &arguments.roots)?.dir);
    }
    if arguments.all {
        let found = roots::runs_below(&arguments.roots)?;
        dirs.extend(found.into_iter().map(|found| found.dir));
        if dirs.is_empty() {
            bail!("there are no runs to draw; name their folder with --root");
        }
    }
    let mut code = ExitCode::SUCCESS;
    for dir in &dirs {
        // One run that cannot be drawn does not keep the others from it.
        let folder = match &arguments.out {
            Some(folder) => folder.join(dir.name()),
            None => dir.figures(),
        };
        if let Err(error) = draw(dir, &folder, out) {
            eprintln!("{}", clean(&format!("{error:#}")));
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

fn draw(dir: &RunDir, folder: &Path, out: &mut dyn Write) -> Result<()> {
    let path = dir.metrics_csv();
    let mut tail = Tail::open(path.clone());
    tail.poll()
        .wrap_err_with(|| format!("{} cannot be read", path.display()))?;
    tail.settle()?;
    let drawn = figures::draw(tail.metrics(), &clean(&dir.name()), folder)?;
    for file in &drawn.files {
        writeln!(out, "{}", clean(&file.to_string_lossy()))?;
    }
    if !drawn.left_out.is_empty() {
        let left_out = drawn.left_out.join(", ");
        eprintln!(
            "{}: has no numbers for {left_out}",
            clean(&path.to_string_lossy())
        );
    }
    Ok(())
}
