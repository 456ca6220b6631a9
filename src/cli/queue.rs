//! `traintop queue`: the runs that wait for their turn.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Args, Subcommand, ValueEnum};
use color_eyre::eyre::{Result, bail};
use serde_json::json;

use super::roots;
use super::table::{self, Side};
use traintop_launch as launch;
use traintop_launch::queue::{Place, Queue, Waiting};
use traintop_launch::slurm;
use traintop_run::found::Found;
use traintop_run::queue_reasons::QueueReasons;
use traintop_run::slurm::Seen;
use traintop_run::trust::Commands;
use traintop_run::{Record, RunDir, State};
use traintop_text::{clean, pretty_json, since};

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
                if Record::load(&dir)?.is_some_and(|record| record.state != State::Queued) {
                    bail!("{} does not wait in the queue", clean(&dir.name()));
                }
                writeln!(out, "{}", launch::stop(&dir)?)?;
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
    roots::report_silence(&slurm::learn(&open_jobs(&runs)));
    let mut waiting = Vec::new();
    for tree in trees {
        let queue = Queue::of(&tree);
        waiting.extend(queue.waiting()?);
        queue.tend();
    }
    // Slurm starts these in an order of its own: they are listed last.
    let jobs = waiting_jobs(&runs);
    let here = waiting.len();
    waiting.extend(jobs);
    if arguments.json {
        let runs: Vec<_> = waiting.iter().map(as_json).collect();
        writeln!(out, "{}", pretty_json(&runs)?)?;
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
                if number < here {
                    (number + 1).to_string()
                } else {
                    "-".to_owned()
                },
                clean(&dir.name()).into_owned(),
                clean(&record.name).into_owned(),
                record
                    .sweep
                    .as_deref()
                    .map_or_else(|| "-".to_owned(), |sweep| clean(sweep).into_owned()),
                record.epochs_planned.to_string(),
                since(age).0,
                why(dir, record).unwrap_or_else(|| "-".to_owned()),
            ]
        };
        let rows: Vec<_> = waiting.iter().enumerate().map(row).collect();
        table::print(out, HEADINGS, &rows)?;
    }
    Ok(())
}

/// The runs that Slurm may have something new to say of.
fn open_jobs(runs: &[Found]) -> Vec<RunDir> {
    let is_job = |found: &&Found| {
        let record = Record::load(&found.dir).ok().flatten();
        record.is_some_and(|record| record.slurm.is_some())
    };
    let jobs = runs.iter().filter(is_job);
    jobs.map(|found| found.dir.clone()).collect()
}

/// The runs that wait in Slurm, the oldest first.
fn waiting_jobs(runs: &[Found]) -> Vec<Waiting> {
    let waiting = |found: &Found| {
        let dir = found.dir.clone();
        let record = Record::load(&dir).ok()??;
        let is_waiting = record.state == State::Queued && record.slurm.is_some();
        is_waiting.then_some(Waiting { dir, record })
    };
    let mut jobs: Vec<Waiting> = runs.iter().filter_map(waiting).collect();
    jobs.sort_by(|one, other| {
        let key = |waiting: &Waiting| (waiting.record.created_at, waiting.dir.clone());
        key(one).cmp(&key(other))
    });
    jobs
}

const HEADINGS: &[(&str, Side)] = &[
    ("PLACE", Side::Right),
    ("FOLDER", Side::Left),
    ("NAME", Side::Left),
    ("SWEEP", Side::Left),
    ("EPOCHS", Side::Right),
    ("WAITS", Side::Right),
    ("FOR", Side::Left),
];

/// What a run waits for, if that is known.
fn why(dir: &RunDir, record: &Record) -> Option<String> {
    let seen = Seen::of(dir, record, SystemTime::now());
    seen.and_then(|seen| seen.waits)
        .or_else(|| QueueReasons::of(dir, record, &Commands::of_user()))
}

fn as_json(Waiting { dir, record }: &Waiting) -> serde_json::Value {
    json!({
        "path": path(dir),
        "id": record.id,
        "name": record.name,
        "sweep": record.sweep,
        "epochs_planned": record.epochs_planned,
        "queued_at": record.created_at,
        "slurm_job": record.slurm.as_ref().and_then(traintop_run::slurm::Job::name),
        "waits_for": why(dir, record),
    })
}

/// A folder as JSON has it.
pub fn path(dir: &RunDir) -> String {
    dir.path().to_string_lossy().into_owned()
}
