//! `traintop queue`: the runs that wait for their turn.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use color_eyre::eyre::Result;
use serde_json::json;

use super::roots;
use super::table::{self, Side};
use crate::launch::queue::{Place, Queue, Waiting};
use crate::run::RunDir;
use crate::text::{clean, since};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Args)]
struct List {
    /// Folders to search for runs [default: runs]
    #[arg(value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// Print an array of runs as JSON, the next first
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the runs that wait, the next first
    List(List),
    /// Give a waiting run another place
    Move {
        /// A run's folder, or the name of a run or its beginning
        run: String,
        /// Where to
        place: To,
        /// Folder to search for the name [default: runs]
        #[arg(long = "root", value_name = "ROOT")]
        roots: Vec<PathBuf>,
    },
    /// Take waiting runs out of the queue; they are then stopped, and can be queued again
    Remove {
        /// Runs' folders, or their names or beginnings
        #[arg(required = true)]
        runs: Vec<String>,
        /// Folder to search for the names [default: runs]
        #[arg(long = "root", value_name = "ROOT")]
        roots: Vec<PathBuf>,
    },
}

/// Where a run goes.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum To {
    Earlier,
    Later,
    First,
    Last,
}

impl From<To> for Place {
    fn from(to: To) -> Self {
        match to {
            To::Earlier => Self::Earlier,
            To::Later => Self::Later,
            To::First => Self::First,
            To::Last => Self::Last,
        }
    }
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    match &arguments.command {
        None => list(&arguments.list, out)?,
        Some(Command::List(arguments)) => list(arguments, out)?,
        Some(Command::Move { run, place, roots }) => {
            let dir = roots::run_named(run, roots)?.dir;
            let queue = Queue::around(&dir)?;
            queue.put(&dir, (*place).into())?;
            queue.tend();
            let waiting = queue.waiting()?;
            let at = waiting.iter().position(|waiting| waiting.dir == dir);
            // It may have been begun just now.
            let place = at.map_or_else(
                || "its turn has come".to_owned(),
                |at| format!("number {} of {} in the queue", at + 1, waiting.len()),
            );
            writeln!(out, "{}: {place}", clean(&dir.name()))?;
        }
        Some(Command::Remove { runs, roots }) => {
            for run in runs {
                let dir = roots::run_named(run, roots)?.dir;
                let name = Queue::around(&dir)?.take_out(&dir)?;
                writeln!(out, "{}: taken out of the queue", clean(&name))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(arguments: &List, out: &mut dyn Write) -> Result<()> {
    let runs = roots::runs_below(&arguments.roots)?;
    let trees: BTreeSet<PathBuf> = runs
        .iter()
        .filter_map(|found| found.dir.output_tree().map(PathBuf::from))
        .collect();
    let mut waiting = Vec::new();
    for tree in trees {
        let queue = Queue::of(&tree);
        waiting.extend(queue.waiting()?);
        queue.tend();
    }
    if arguments.json {
        let runs: Vec<_> = waiting.iter().map(as_json).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&runs)?)?;
    } else if waiting.is_empty() {
        writeln!(
            out,
            "nothing waits; `traintop train --config quick --queue` queues a run"
        )?;
    } else {
        let now = jiff::Timestamp::now();
        let row = |(number, Waiting { dir, record }): (usize, &Waiting)| {
            let age = (now - record.created_at).try_into().unwrap_or_default();
            vec![
                (number + 1).to_string(),
                clean(&dir.name()).into_owned(),
                clean(&record.name).into_owned(),
                record
                    .sweep
                    .as_deref()
                    .map_or_else(|| "-".to_owned(), |sweep| clean(sweep).into_owned()),
                record.epochs_planned.to_string(),
                since(age).0,
            ]
        };
        let rows: Vec<_> = waiting.iter().enumerate().map(row).collect();
        table::print(out, HEADINGS, &rows)?;
    }
    Ok(())
}

const HEADINGS: &[(&str, Side)] = &[
    ("PLACE", Side::Right),
    ("FOLDER", Side::Left),
    ("NAME", Side::Left),
    ("SWEEP", Side::Left),
    ("EPOCHS", Side::Right),
    ("WAITS", Side::Right),
];

fn as_json(Waiting { dir, record }: &Waiting) -> serde_json::Value {
    json!({
        "path": path(dir),
        "id": record.id,
        "name": record.name,
        "sweep": record.sweep,
        "epochs_planned": record.epochs_planned,
        "queued_at": record.created_at,
    })
}

/// A folder as JSON has it.
pub fn path(dir: &RunDir) -> String {
    dir.path().to_string_lossy().into_owned()
}
