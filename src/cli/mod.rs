//! The command line: each command parses its arguments, calls one of the modules below, and prints.
//! JSON goes to standard output alone; problems are one sentence on standard error, with exit
//! code 1, or 2 for a wrong command line.

mod alerts;
mod archive;
mod best;
mod clean;
mod compare;
mod digest;
mod evaluate;
mod export;
mod figures;
mod finding;
mod follow;
mod judged_by;
mod list;
mod notes;
mod organize;
mod queue;
mod recipe;
mod rename;
mod resume;
mod roots;
pub mod schema;
mod show;
mod steer;
mod stop;
mod summary_json;
mod sweep;
mod table;
mod train;
mod trash;
mod trust;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use color_eyre::eyre::Result;

use traintop_config as config;
use traintop_launch as launch;
use traintop_run::{RunDir, discover, judging};
use traintop_text::terminal;
use traintop_text::terminal::error_line;
use traintop_tui as dashboard;
use traintop_tui::Options;

/// Start, follow, list and stop training runs; without a command, open the dashboard, or list them
/// where there is no terminal
#[derive(Debug, Parser)]
#[command(name = "traintop", version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: list::Arguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the runs below some folders, newest first
    List(list::Arguments),
    /// Summarise what has happened to the runs since yesterday, or some other time
    Digest(digest::Arguments),
    /// List the alerts of the runs now: failed, stalled, late ...; for cron, also by a
    /// command of yours
    Alerts(alerts::Arguments),
    /// Show one run: its state, last values and configuration
    Show(show::Arguments),
    /// Compare runs: best, last, time to a threshold, what differs, and whether that is more than
    /// noise
    Compare(compare::Arguments),
    /// Print the best run, and by how much being the best of many flatters it
    Best(best::Arguments),
    /// Train by a recipe, in a run folder of its own
    Train(train::Arguments),
    /// Show the runs that wait for their turn, change their order, or take some out
    Queue(queue::Arguments),
    /// Change what may change while a run trains: save now, end early, wait, another learning rate
    Steer(steer::Arguments),
    /// Go on with runs that were stopped, failed or were lost
    Resume(resume::Arguments),
    /// Show the commands of runs that you did not start; with `--yes` let them be executed as you
    Trust(trust::Arguments),
    /// Ask a run to finish its step, save and end
    Stop(stop::Arguments),
    /// Show or change a run's tags: `+tag` or `tag` adds, `-tag` removes
    Tag(notes::TagArguments),
    /// Show or replace a run's note
    Note(notes::NoteArguments),
    /// Rename runs by a template; without `--yes` only shows every old and new name
    Rename(rename::Arguments),
    /// Ask checkpoints about images: accuracy with its interval, predictions, per class,
    /// calibration; kept below `evaluations/`
    Evaluate(evaluate::Arguments),
    /// Rebuild logs that are missing or broken; without `--yes` only shows what would be made
    Organize(organize::Arguments),
    /// Pack runs that are done with, and keep their curves in place; without `--yes` only shows
    /// what would happen
    Archive(archive::ArchiveArguments),
    /// Bring archived runs back whole; without `--yes` only shows what would happen
    Unarchive(archive::UnarchiveArguments),
    /// Show what could be removed and why, and what it would cost to make again; with `--yes` move
    /// it to the trash
    Clean(clean::Arguments),
    /// List what was removed, restore it, or remove it for good
    Trash(trash::Arguments),
    /// Write the table of runs, or their curves, as CSV, JSON, Markdown, LaTeX or Parquet
    Export(export::Arguments),
    /// Draw the curves of runs as PNG and SVG pictures, each run's or several over each other
    Figures(figures::Arguments),
    /// Check a recipe and show every value it resolves to
    Recipe(recipe::Arguments),
    /// Print the JSON Schema of what a command prints with `--json`; without a command list them
    Schema(schema::Arguments),
    /// Leave the session and become the worker
    #[command(name = launch::DETACHED, hide = true)]
    Detached {
        run_dir: PathBuf,
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Start a run's command and say how it ended
    #[command(name = launch::SUPERVISE, hide = true)]
    Supervise {
        run_dir: PathBuf,
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Train a run within a job of Slurm
    #[command(name = launch::slurm::JOB, hide = true)]
    Job {
        run_dir: PathBuf,
        #[arg(long)]
        digest: String,
        #[arg(long)]
        requeue: bool,
    },
    /// Start queued runs until none waits
    #[command(name = launch::queue::KEEP, hide = true)]
    Keep { tree: PathBuf },
}

/// Does what the command line asks for. A closed standard output is no error.
///
/// # Errors
/// If the command fails; the message is one line.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut out = terminal::output();
    let config = config::load().0;
    judging::set_user(config.metrics);
    discover::set_limits(config.search);
    let done = dispatch(arguments, &mut out).and_then(|code| {
        out.flush()?;
        Ok(code)
    });
    match done {
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        done => done,
    }
}

fn dispatch(arguments: Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    match arguments.command {
        None if arguments.list.opens_dashboard() => {
            let (config, mut problems) = config::load();
            let named = arguments.list.roots;
            let roots = if named.is_empty() {
                roots::configured(config.roots.clone())
            } else {
                named
            };
            problems.extend(judging::project_problems(&roots));
            dashboard::run(Options {
                roots,
                config,
                problems,
            })?;
            Ok(ExitCode::SUCCESS)
        }
        None => list::run(&arguments.list, out),
        Some(Command::List(arguments)) => list::run(&arguments, out),
        Some(Command::Digest(arguments)) => digest::run(&arguments, out),
        Some(Command::Alerts(arguments)) => alerts::run(&arguments, out),
        Some(Command::Show(arguments)) => show::run(&arguments, out),
        Some(Command::Compare(arguments)) => compare::run(&arguments, out),
        Some(Command::Best(arguments)) => best::run(&arguments, out),
        Some(Command::Train(arguments)) => train::run(&arguments, out),
        Some(Command::Queue(arguments)) => queue::run(&arguments, out),
        Some(Command::Steer(arguments)) => steer::run(&arguments, out),
        Some(Command::Resume(arguments)) => resume::run(&arguments, out),
        Some(Command::Trust(arguments)) => trust::run(&arguments, out),
        Some(Command::Stop(arguments)) => stop::run(&arguments, out),
        Some(Command::Tag(arguments)) => notes::tag(&arguments, out),
        Some(Command::Note(arguments)) => notes::note(&arguments, out),
        Some(Command::Rename(arguments)) => rename::run(&arguments, out),
        Some(Command::Evaluate(arguments)) => evaluate::run(&arguments, out),
        Some(Command::Organize(arguments)) => organize::run(&arguments, out),
        Some(Command::Archive(arguments)) => archive::archive(&arguments, out),
        Some(Command::Unarchive(arguments)) => archive::unarchive(&arguments, out),
        Some(Command::Clean(arguments)) => clean::run(&arguments, out),
        Some(Command::Trash(arguments)) => trash::run(&arguments, out),
        Some(Command::Export(arguments)) => export::run(&arguments, out),
        Some(Command::Figures(arguments)) => figures::run(&arguments, out),
        Some(Command::Recipe(arguments)) => recipe::run(&arguments, out),
        Some(Command::Schema(arguments)) => schema::run(&arguments, out),
        Some(Command::Detached { run_dir, command }) => {
            let error = launch::become_worker(&RunDir::new(run_dir), &command);
            // What shells and loaders answer when there is no program to run; the message lands in
            // the worker's output.
            error_line(error);
            Ok(ExitCode::from(127))
        }
        Some(Command::Supervise { run_dir, command }) => {
            launch::supervise(&RunDir::new(run_dir), &command)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Job {
            run_dir,
            digest,
            requeue,
        }) => {
            launch::slurm::run_job(&RunDir::new(run_dir), &digest, requeue)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Keep { tree }) => {
            launch::queue::keep(&tree)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn is_broken_pipe(error: &color_eyre::Report) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
