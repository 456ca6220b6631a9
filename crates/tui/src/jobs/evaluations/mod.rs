//! Jobs on evaluations: they are found, read, compared and started.

pub mod card;
pub mod compared;
#[cfg(test)]
pub mod fixtures;
pub mod opened;
#[cfg(test)]
mod tests;
mod work;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

pub use work::carry_out;

use crate::jobs::evaluations::card::{Card, Running};
use crate::jobs::evaluations::compared::Compared;
use crate::jobs::evaluations::opened::Opened;
use traintop_launch::EvaluateRequest;
use traintop_run::evaluation::EvaluationDir;
use traintop_run::found::Stamp;

/// What tells whether an evaluation has changed: the stamps of its results and of its notes.
pub type Stamps = [Stamp; 2];

/// A job on evaluations.
#[derive(Debug, Clone, PartialEq)]
pub enum EvaluationJob {
    /// Find those of these output trees, and read those that are new or have changed since they
    /// were known.
    Find {
        /// The folders that may hold `evaluations/`.
        trees: Vec<PathBuf>,
        /// What is known already.
        known: HashMap<EvaluationDir, Stamps>,
    },
    /// See how far those are that run in these output trees.
    Look(Vec<PathBuf>),
    /// Read one in full.
    Open(EvaluationDir),
    /// Read some in full and compare each with the first.
    Compare(Vec<EvaluationDir>),
    /// Start one after the other.
    Start(Vec<EvaluateRequest>),
}

/// An evaluation that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// What lists show of it.
    pub card: Card,
    /// As it was when it was read.
    pub stamps: Stamps,
}

/// The result of a job.
#[derive(Debug)]
pub enum EvaluationOutcome {
    /// The evaluations that there are.
    Found {
        dirs: HashSet<EvaluationDir>,
        /// Those that were read because they are new or have changed.
        read: Vec<Known>,
        /// Those that are not done.
        running: Vec<Running>,
        /// The trees that have a folder of evaluations.
        trees: Vec<PathBuf>,
        /// The folders whose changes matter: those of evaluations, and those in them that are not
        /// done.
        watch: HashSet<PathBuf>,
    },
    /// How far those are that run.
    Looked(Vec<Running>),
    /// One was read in full, or a sentence why not.
    Opened(Box<Result<Opened, String>>),
    /// Some were read and compared.
    Compared(Box<Result<Compared, String>>),
    Started,
    /// One has ended: its folder, or the worker's sentence; and how many are still to come.
    Ended(Result<EvaluationDir, String>, usize),
}
