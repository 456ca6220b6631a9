//! Comparing runs from the dashboard: the jobs, how they run off the drawing
//! thread, and what comes of it.

pub mod analysis;
mod work;

use std::sync::Arc;

use jiff::Timestamp;

pub use work::carry_out;

use crate::jobs::compare::analysis::{Analysis, Job};
use traintop_run::RunDir;
use traintop_run::compared_run::ComparedRun;
use traintop_run::log_line::Line;

/// A job for a comparison, which is identified by the time when it was opened.
#[derive(Debug, Clone, PartialEq)]
pub enum CompareJob {
    /// Read these runs in full, in pieces; then those of the others that teach how far runs of one
    /// recipe lie from each other.
    Read {
        /// Which comparison.
        opened: Timestamp,
        /// What is compared, by place.
        runs: Vec<(usize, RunDir)>,
        /// Runs that are not.
        others: Vec<RunDir>,
    },
    /// Work everything out.
    Analyse(Timestamp, Box<Job>),
    /// Read the ends of these runs' logs.
    Logs(Timestamp, Vec<RunDir>),
}

/// The result of a job.
#[derive(Debug)]
pub enum CompareOutcome {
    /// Runs were read, by place.
    Read(Timestamp, Vec<(usize, Arc<ComparedRun>)>),
    AllRead(Timestamp),
    /// Runs that teach the noise.
    Taught(Timestamp, Vec<Arc<ComparedRun>>),
    /// Everything was worked out.
    Analysed(Timestamp, Box<Analysis>),
    /// The ends of logs.
    Logs(Timestamp, Vec<(RunDir, Vec<Line>)>),
}
