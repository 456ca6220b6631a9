//! Something that may go, why, and what it takes on the disk.

use std::path::PathBuf;
use std::time::Duration;

use traintop_disk::FileStat;
use traintop_run::size::{Freed, Taken};
use traintop_text as text;

/// Why something may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A checkpoint that is neither best nor last nor every-Nth.
    Superseded,
    /// A run that failed before its first row, or a checkpoint of one that failed later.
    Failed,
    /// A run that holds nothing: no row, no weights, nothing that is not understood.
    Empty,
    /// A run with fewer epochs than the policy asks for.
    FewEpochs,
    /// Another has the same content.
    Duplicate,
    /// A file that was never finished.
    Temporary,
    /// Of an old run without a mark.
    Old,
    /// A checkpoint whose optimiser's state can go while its weights stay.
    OptimiserState,
}

impl Reason {
    /// All, in the order of the plan.
    pub const ALL: [Self; 8] = [
        Self::Superseded,
        Self::Failed,
        Self::Empty,
        Self::FewEpochs,
        Self::Old,
        Self::Duplicate,
        Self::Temporary,
        Self::OptimiserState,
    ];

    /// Its name for scripts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::Empty => "empty",
            Self::FewEpochs => "few_epochs",
            Self::Duplicate => "duplicate",
            Self::Temporary => "temporary",
            Self::Old => "old",
            Self::OptimiserState => "optimiser_state",
        }
    }

    /// Its heading for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Superseded => "Checkpoints not best, last or every Nth",
            Self::Failed => "Failed runs",
            Self::Empty => "Runs that hold nothing",
            Self::FewEpochs => "Runs with few epochs",
            Self::Duplicate => "Exact duplicates",
            Self::Temporary => "Stale temporary files",
            Self::Old => "Old runs that nobody has marked",
            Self::OptimiserState => "Optimiser state; the weights stay",
        }
    }
}

/// Something that may go.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its run, as numbered by the survey.
    pub run: usize,
    pub reason: Reason,
    /// What it is: `epoch 40`, `the whole run`.
    pub what: String,
    /// More about why, or what is lost with it; may be empty.
    pub detail: String,
    /// The files, or the run's folder.
    pub paths: Vec<PathBuf>,
    /// Whether it is all of the run.
    pub is_whole: bool,
    /// What it takes on the disk.
    pub taken: Vec<Taken>,
    /// The epochs whose weights go with it, or the steps where its run's weights count these.
    pub places: Vec<u64>,
    /// Seconds of training that it would take to make it again; `None` if that is not known.
    pub cost_s: Option<f64>,
    /// Whether it is selected for removal. At first only checkpoints that a retention rule names
    /// are.
    pub is_in: bool,
    /// Its files as they were.
    pub expected: Vec<(PathBuf, FileStat)>,
    /// What must still be there when it goes.
    pub relies_on: Vec<(PathBuf, FileStat)>,
}

impl Candidate {
    /// What the disk gets back by it alone.
    pub fn bytes(&self) -> u64 {
        let mut freed = Freed::default();
        self.taken.iter().for_each(|taken| freed.count(*taken));
        freed.bytes()
    }

    /// What it would cost to make it again, in words; `?` where that is not known.
    pub fn cost(&self) -> String {
        match self.cost_s {
            None => "?".to_owned(),
            // Another with the same content stays, or it is half of a file.
            Some(0.0) => "-".to_owned(),
            Some(seconds) => {
                text::duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
            }
        }
    }

    /// Bytes for each hour of training that it would cost to make it again; infinite if it would
    /// cost nothing.
    pub fn bytes_per_hour(&self) -> Option<f64> {
        let hours = self.cost_s? / 3600.0;
        Some(if hours > 0.0 {
            self.bytes() as f64 / hours
        } else {
            f64::INFINITY
        })
    }
}

/// How the candidates of a reason are ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortOrder {
    /// The largest first.
    #[default]
    Size,
    /// Those first that free most for the least work.
    BytesPerHour,
}

/// Sums over candidates that are selected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many there are, and how many of them are selected.
    pub count: usize,
    /// Of these, to go.
    pub in_count: usize,
    /// What removing the selected ones frees.
    pub bytes: u64,
}
