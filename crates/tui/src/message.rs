//! Things that happened, as the loop hears of them.

use std::collections::HashSet;
use std::path::PathBuf;

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::tz::TimeZone;

use super::view::run::detail::Reading;
use super::widget::chart::Options;
use crate::jobs::choice::Choice;
use crate::jobs::edits::EditOutcome;
use crate::jobs::machine::SampledUsage;
use crate::jobs::{self, compare};
use crate::long_job;
use crate::notice::Notice;
use traintop_run::RunDir;
use traintop_run::found::Found;
use traintop_run::summary::Summary;

/// What a run's columns have at an epoch.
#[derive(Debug)]
pub struct ValuesAtEpoch {
    pub dir: RunDir,
    pub epoch: u32,
    /// Each column with its value.
    pub values: Vec<(String, f64)>,
}

/// Something that happened.
#[derive(Debug)]
pub enum Message {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse was pressed, dragged or turned.
    Mouse(MouseEvent),
    /// Text was pasted.
    Pasted(String),
    /// The terminal has another size: columns, rows.
    Resized(u16, u16),
    /// A signal asks the program to end.
    Terminated(i32),
    /// A signal asked to give the terminal back and to stop until the shell continues the program.
    AskedToSuspend,
    /// The program was stopped and continues.
    Continued,
    /// The terminal's input has ended.
    InputEnded,
    /// The wait that the state asked for is over.
    Woke,
    /// Runs were found below the roots, with what the cache knows of them.
    RunsFound(Vec<(Found, Option<Summary>)>),
    /// The roots are about to be searched.
    SearchBegan,
    /// All roots have been searched; what could not be, as sentences.
    SearchEnded {
        /// The folders that are runs, all of them.
        dirs: Vec<RunDir>,
        /// Folders that are no runs and were made or changed of late: one of them may be about to
        /// become a run.
        fresh: HashSet<PathBuf>,
        /// Sentences about folders that could not be searched.
        problems: Vec<String>,
    },
    /// Runs were summed up.
    Summarised(Vec<(Found, Summary)>),
    /// A run that was asked for is no longer there.
    RunGone(RunDir),
    /// Something changed in a watched folder.
    FolderChanged(PathBuf),
    ProcessEnded(RunDir),
    /// Part of an opened run was read.
    RunRead(RunDir, Box<Reading>),
    /// What runs take on the disk, in bytes.
    SizesMeasured(Vec<(RunDir, u64)>),
    /// What can be started.
    RecipesListed(Vec<Choice>),
    /// The recipe of a run, for another like it.
    RecipeRead(Box<Choice>),
    /// The result of a job for the form.
    FormDone(jobs::form::FormOutcome),
    /// A run was started, or why not.
    Launched(Result<RunDir, String>),
    /// A run was asked to stop (its name), or why not.
    StopAsked(Result<String, String>),
    /// The result of queueing or steering runs.
    Steered(jobs::steering::SteeringOutcome),
    /// The runs that were marked before.
    MarksLoaded(Vec<RunDir>),
    /// How charts were drawn last time.
    ChartsLoaded(Options),
    /// What an opened run's charts need beyond the measured numbers was made.
    ChartsTransformed(jobs::charts::TransformOutcome),
    /// What runs' columns have at epochs that were asked for.
    ValuesRead(Vec<ValuesAtEpoch>),
    /// The result of an edit of runs.
    Edited(EditOutcome),
    /// The result of a job for alerts.
    Alert(jobs::alerts::AlertOutcome),
    /// What the machine and some runs use was measured.
    UsageSampled(Box<SampledUsage>),
    /// The outcome of a job on evaluations.
    Evaluation(jobs::evaluations::EvaluationOutcome),
    /// The outcome of a job for a comparison.
    Compared(compare::CompareOutcome),
    /// In which time zone the reader is.
    ZoneFound(TimeZone),
    /// The first frame is on the screen.
    FirstDrawn,
    /// The result of a clean-up, or of a job on the trash.
    Cleaned(jobs::cleanup::CleanupOutcome),
    /// A long job began or ended.
    LongJob(long_job::LongJobEvent),
    /// The runs below a root are judged by something else now; and what is to be told.
    Judged(PathBuf, Notice),
    /// Something to tell that no view waits for.
    Noticed(Notice),
}
