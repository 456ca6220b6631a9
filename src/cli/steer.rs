//! `traintop steer RUN`: what may change while a run trains.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use color_eyre::eyre::Result;

use super::roots;
use traintop_launch as launch;
use traintop_launch::Steering;

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub struct Arguments {
    /// A run's folder, or the name of a run or its beginning
    run: String,
    /// Save a checkpoint after this step
    #[arg(long, group = "what")]
    save: bool,
    /// End after the epoch that it is in, or after this one; it can be resumed from there
    #[arg(long, value_name = "EPOCH", num_args = 0..=1, default_missing_value = "0", group = "what")]
    end_after_epoch: Option<u32>,
    /// Train to the last epoch after all
    #[arg(long, conflicts_with = "end_after_epoch", group = "what")]
    to_the_end: bool,
    /// Multiply the schedule's learning rate by this from the next epoch on; 1 is the schedule's
    /// own again
    #[arg(long, value_name = "FACTOR", group = "what")]
    lr_factor: Option<f64>,
    /// Pause after this step
    #[arg(long, group = "what")]
    pause: bool,
    /// Resume after a pause
    #[arg(long = "continue", conflicts_with = "pause", group = "what")]
    resumes: bool,
    /// For a job of Slurm: save, and requeue
    #[arg(long, group = "what")]
    requeue: bool,
    /// Folder to search for the name [default: runs]
    #[arg(long = "root", value_name = "ROOT")]
    roots: Vec<PathBuf>,
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let found = roots::run_named(&arguments.run, &arguments.roots)?;
    let epoch = arguments
        .end_after_epoch
        .map(|epoch| Steering::EndAfter(Some(epoch).filter(|epoch| *epoch > 0)));
    let asked = [
        arguments.save.then_some(Steering::Save),
        epoch,
        arguments.to_the_end.then_some(Steering::EndNever),
        arguments.lr_factor.map(Steering::LearningRate),
        arguments.pause.then_some(Steering::Pause),
        arguments.resumes.then_some(Steering::Continue),
        arguments.requeue.then_some(Steering::Requeue),
    ];
    for steering in asked.into_iter().flatten() {
        writeln!(out, "{}", launch::steer(&found.dir, steering)?)?;
    }
    Ok(ExitCode::SUCCESS)
}
