//! What the loop asks of the pool: everything that touches the disk, a process or the terminal.

use std::collections::HashSet;
use std::path::PathBuf;

use super::remembered::Remembered;
use super::widget::chart::Options;
use crate::jobs::edits::EditJob;
use crate::jobs::{self, compare};
use traintop_launch::Request;
use traintop_run::RunDir;

/// A job for the pool; messages bring the result.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Search the roots for runs.
    Discover,
    /// Look which runs are in the databases of this folder.
    LookIntoDatabases(PathBuf),
    /// Sum up these runs, in this order.
    Summarise(Vec<RunDir>),
    /// Read what is new of an opened run; the first time all.
    Read(RunDir),
    /// Forget what was read of an opened run.
    Close(RunDir),
    /// Watch these folders and no others.
    Watch(HashSet<PathBuf>),
    /// Watch these folders and no others, and only then look at what is in them: nothing that
    /// happened before goes unseen.
    WatchThen(HashSet<PathBuf>, Box<Effect>),
    /// Tell when the process of this run ends.
    AwaitEnd(RunDir),
    /// Measure what these runs take on the disk.
    Measure(Vec<RunDir>),
    /// Tell in which time zone the reader is.
    FindZone,
    /// List what can be started: recipes, and launchers of the configuration.
    ListRecipes,
    /// Read the recipe of a run, for another like it.
    ReadRecipe(RunDir),
    /// Start a run.
    Launch(Request),
    /// Run a job for the form that starts runs.
    Form(jobs::form::FormJob),
    /// Ask a run to stop.
    Stop(RunDir),
    /// Ask some runs to stop.
    StopAll(Vec<RunDir>),
    /// Run a job on runs that wait or train.
    Steer(jobs::steering::SteeringJob),
    /// Tell which runs are marked.
    LoadMarks,
    /// Keep these as the marked runs for the next start.
    SaveMarks(Vec<RunDir>),
    /// Keep how the table is left for the next start.
    Remember(Box<Remembered>),
    /// Read what these runs' columns have at these epochs.
    ValuesAtEpoch(Vec<u32>, Vec<RunDir>),
    /// Run a job on evaluations.
    Evaluate(jobs::evaluations::EvaluationJob),
    /// Run a job for a comparison.
    Compare(compare::CompareJob),
    /// From now on sample what the machine and these runs use; `None` stops that.
    SampleUsage(Option<Vec<RunDir>>),
    /// Run a job for alerts.
    Alert(jobs::alerts::AlertJob),
    /// Let the terminal ring.
    Ring(jobs::ring::Ring),
    /// Change runs: notes, names, archives, logs.
    Edit(EditJob),
    /// Clean up, or look after the trash.
    Clean(jobs::cleanup::CleanupJob),
    /// Make what an opened run's charts need beyond the measured numbers.
    TransformCharts(jobs::charts::TransformJob),
    /// Tell how charts were drawn last time.
    LoadCharts,
    /// Keep how charts are drawn for the next start.
    SaveCharts(Options),
    /// Write a file, or draw pictures.
    Export(jobs::export::ExportJob),
    /// Ask all long jobs to stop.
    CancelJobs,
    /// Put a text into the clipboard.
    Copy(String),
    /// Judge the runs of this run's tree by a metric from now on, or no longer if they are.
    JudgeBy { run: RunDir, metric: String },
    /// Remember a theme by its name.
    SaveTheme(String),
    /// Keep the summaries for the next start.
    FlushCache,
    /// Give the terminal back to the shell until the program is continued.
    Suspend,
    /// Take the terminal over again, whatever was done to it while the program was stopped.
    TakeTerminal,
    /// End the program.
    Quit,
}
