//! A run that Slurm starts: its job, as `run.json` has it, and beside it in `slurm.json` the
//! scheduler's last report on that job. It is a separate file because the record belongs to the
//! worker while it trains.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::layout::RunDir;
use super::record::Record;
use super::state::State;
use traintop_disk::read;
use traintop_disk::write::replace_file;
use traintop_text::clean;

/// An older report says nothing about the present. It is more than a busy or silent scheduler is
/// left alone for (a quarter of an hour): a run that is quiet for minutes must not be called lost
/// only because its scheduler is too.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// The job of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The job's comment, by which it is found again where its id was not noted.
    pub token: String,
    /// When it was submitted to Slurm.
    pub submitted_at: Timestamp,
    /// Its id, once Slurm has given it one; of an array, the array's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// Its place in an array, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<u32>,
    /// The cluster, where Slurm names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
}

impl Job {
    /// The id as Slurm's commands take it: `12`, or `12_3` in an array; `None` before it has one.
    pub fn name(&self) -> Option<String> {
        let id = self.id?;
        Some(match self.task {
            Some(task) => format!("{id}_{task}"),
            None => id.to_string(),
        })
    }
}

/// The scheduler's last report on a run's job, and what was requested of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SchedulerReport {
    /// The job that is meant; of another one nothing is known.
    pub token: String,
    /// When it was reported.
    pub at: Option<Timestamp>,
    /// The state by Slurm's name: `PENDING`.
    pub state: String,
    /// Why it waits: `Priority`.
    pub reason: Option<String>,
    /// When it has begun, or is expected to.
    pub start: Option<Timestamp>,
    /// Whether it is over, so that polling ends.
    pub is_over: bool,
    /// Whether a stop was requested from here.
    pub stop_asked: bool,
}

impl SchedulerReport {
    fn path(dir: &RunDir) -> PathBuf {
        dir.path().join("slurm.json")
    }

    /// The last report on this job; the default if there is none or it cannot be read, since the
    /// scheduler is polled again.
    pub fn load(dir: &RunDir, job: &Job) -> Self {
        let report: Option<Self> = read::bytes(&Self::path(dir), read::RECORD_LIMIT)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        report
            .filter(|report| report.token == job.token)
            .unwrap_or_else(|| Self {
                token: job.token.clone(),
                ..Self::default()
            })
    }

    /// Keeps it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, dir: &RunDir) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        replace_file(&Self::path(dir), format!("{text}\n").as_bytes())
    }

    /// Whether the job was at work at the last poll, not long ago.
    fn is_at_work(&self, now: Timestamp) -> bool {
        let is_fresh = self
            .at
            .is_some_and(|at| Duration::try_from(now - at).unwrap_or_default() < FRESH);
        is_fresh && !self.is_over && self.state != "PENDING" && !self.state.is_empty()
    }
}

/// A run's job, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// `12`, or `12_3` in an array; `None` while it has no id.
    pub name: Option<String>,
    /// Whether the scheduler may have more to say of it.
    pub is_open: bool,
    /// Why it waits and when it is expected to begin, if it waits.
    pub waits: Option<String>,
    /// Whether the job was at work a short while ago, by the scheduler's word.
    pub is_at_work: bool,
}

impl Seen {
    /// The job of a run; `None` if it has none.
    pub fn of(dir: &RunDir, record: &Record, now: SystemTime) -> Option<Self> {
        let job = record.slurm.as_ref()?;
        let report = SchedulerReport::load(dir, job);
        Some(Self {
            name: job.name(),
            is_open: !report.is_over,
            waits: (record.state == State::Queued).then(|| waits(job, &report)),
            is_at_work: Timestamp::try_from(now).is_ok_and(|now| report.is_at_work(now)),
        })
    }
}

/// Why a job waits: `Slurm job 12: Resources; expected to begin 2026-11-26 14:05`.
fn waits(job: &Job, report: &SchedulerReport) -> String {
    let Some(name) = job.name() else {
        return "is being submitted to Slurm".to_owned();
    };
    let reason = report.reason.as_deref().map(|reason| format!(": {reason}"));
    let start = report.start.map(|start| {
        let start = start.to_zoned(jiff::tz::TimeZone::system());
        format!("; expected to begin {}", start.strftime("%Y-%m-%d %H:%M"))
    });
    let (reason, start) = (reason.unwrap_or_default(), start.unwrap_or_default());
    clean(&format!("Slurm job {name}{reason}{start}")).into_owned()
}
