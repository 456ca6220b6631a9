//! What `squeue` and `sacct` print, made sense of.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The output format of `squeue`, in this order. The comment comes last: it alone could hold the
/// mark between them.
pub const FORMAT: &str = "%i|%T|%r|%S|%e|%k";

/// A line about a job, or about several tasks of an array that wait together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The id; of an array, the array's.
    pub id: u64,
    pub tasks: Tasks,
    pub phase: Phase,
    /// The state by Slurm's name.
    pub state: String,
    /// Why it waits.
    pub reason: Option<String>,
    /// When it has begun, or is expected to.
    pub start: Option<Timestamp>,
    /// When it has ended, or will be ended.
    pub end: Option<Timestamp>,
    /// The comment it was given.
    pub comment: String,
}

/// The tasks of an array that a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tasks {
    /// It is no array.
    None,
    Some(Vec<u32>),
    /// All that no other line names: the list was cut.
    Rest,
}

/// The phase of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It waits for its turn.
    Waiting,
    /// Its processes run, or are being ended.
    Working,
    Over(End),
}

/// How a job ended, by the scheduler's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Completed,
    Failed,
    TimeLimit,
    OutOfMemory,
    Preempted,
    NodeFailure,
    /// By this user, where Slurm says by whom.
    Cancelled(Option<u32>),
}

/// The job of a line of `squeue` in [`FORMAT`]; `None` if it is none.
pub fn squeue_row(line: &str) -> Option<Row> {
    let mut cells = line.splitn(6, '|').map(str::trim);
    let (id, tasks) = job_id(cells.next()?)?;
    let state = cells.next()?;
    let phase = phase(state)?;
    let reason = cells.next().filter(|reason| is_said(reason));
    let (start, end) = (time(cells.next()?), time(cells.next()?));
    Some(Row {
        id,
        tasks,
        phase,
        state: state.to_owned(),
        reason: reason.map(str::to_owned),
        start,
        end,
        comment: cells.next().unwrap_or_default().to_owned(),
    })
}

/// The job of a line of `sacct --parsable2 --noheader --format=JobID,State,End`; `None` if it is
/// none, or a step of one.
pub fn sacct_row(line: &str) -> Option<Row> {
    let mut cells = line.split('|').map(str::trim);
    let (id, tasks) = job_id(cells.next()?)?;
    let state = cells.next()?;
    Some(Row {
        id,
        tasks,
        phase: phase(state)?,
        state: state.to_owned(),
        reason: None,
        start: None,
        end: cells.next().and_then(time),
        comment: String::new(),
    })
}

impl Row {
    /// Whether it is about this job, or task of an array, by id or by its comment.
    pub fn is_about(&self, id: Option<u64>, token: &str, task: Option<u32>) -> bool {
        let is_job = match id {
            Some(id) => self.id == id,
            None => self.comment == token,
        };
        is_job
            && match (&self.tasks, task) {
                (Tasks::None, None) | (Tasks::Rest, Some(_)) => true,
                (Tasks::Some(tasks), Some(task)) => tasks.contains(&task),
                _ => false,
            }
    }
}

fn is_said(cell: &str) -> bool {
    !matches!(cell, "" | "None" | "N/A" | "(null)" | "Unknown" | "NONE")
}

/// `12`, `12_3`, `12_[1-5%2]`, `12_[0,2-8:2]`, or with the end cut `12_[1,3,...]`.
fn job_id(text: &str) -> Option<(u64, Tasks)> {
    // A part of a heterogeneous job counts as the job.
    let Some((id, tasks)) = text.split_once('_') else {
        let id = text.split('+').next()?;
        return Some((id.parse().ok()?, Tasks::None));
    };
    let id = id.parse().ok()?;
    let Some(listed) = tasks.strip_prefix('[') else {
        return Some((id, Tasks::Some(vec![tasks.parse().ok()?])));
    };
    let listed = listed.split([']', '%']).next()?;
    if listed.contains("...") {
        return Some((id, Tasks::Rest));
    }
    let mut all = Vec::new();
    for part in listed.split(',') {
        let (range, step) = part.split_once(':').unwrap_or((part, "1"));
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        all.extend((first..=last).step_by(step.parse::<usize>().ok()?.max(1)));
    }
    Some((id, Tasks::Some(all)))
}

/// A state by its name; `None` for an unknown one.
fn phase(state: &str) -> Option<Phase> {
    let mut words = state.split_whitespace();
    let name = words.next()?.trim_end_matches('+');
    Some(match name {
        "PENDING" | "CONFIGURING" | "REQUEUED" | "REQUEUE_FED" | "REQUEUE_HOLD"
        | "RESV_DEL_HOLD" | "SPECIAL_EXIT" => Phase::Waiting,
        "RUNNING" | "COMPLETING" | "SUSPENDED" | "STOPPED" | "SIGNALING" | "STAGE_OUT"
        | "RESIZING" => Phase::Working,
        "COMPLETED" => Phase::Over(End::Completed),
        "FAILED" | "BOOT_FAIL" | "REVOKED" | "LAUNCH_FAILED" => Phase::Over(End::Failed),
        "TIMEOUT" | "DEADLINE" => Phase::Over(End::TimeLimit),
        "OUT_OF_MEMORY" | "OUT_OF_ME" => Phase::Over(End::OutOfMemory),
        "PREEMPTED" => Phase::Over(End::Preempted),
        "NODE_FAIL" => Phase::Over(End::NodeFailure),
        "CANCELLED" => {
            let by = words.nth(1).and_then(|user| user.parse().ok());
            Phase::Over(End::Cancelled(by))
        }
        _ => return None,
    })
}

/// A time of this machine's zone: `2026-11-26T14:05:00`; `N/A`, `Unknown` and `NONE` are none.
fn time(cell: &str) -> Option<Timestamp> {
    let time: DateTime = cell.parse().ok()?;
    Some(time.to_zoned(TimeZone::system()).ok()?.timestamp())
}

/// The job's id and cluster that `sbatch --parsable` prints: `12` or `12;cluster`, perhaps behind
/// lines of a site's own.
pub fn submitted(output: &str) -> Option<(u64, Option<String>)> {
    output.lines().rev().find_map(|line| {
        let (id, cluster) = match line.trim().split_once(';') {
            Some((id, cluster)) => (id, Some(cluster.to_owned())),
            None => (line.trim(), None),
        };
        Some((id.parse().ok()?, cluster))
    })
}

impl End {
    /// The reason of a run whose job ended so.
    pub fn sentence(self, job: &str) -> String {
        match self {
            Self::Completed => {
                format!("Slurm reports that job {job} ended, and the run did not record how")
            }
            Self::Failed => format!("Slurm reports that job {job} failed"),
            Self::TimeLimit => format!("Slurm ended job {job} at its time limit"),
            Self::OutOfMemory => format!("Slurm ended job {job}, since its memory ran out"),
            Self::Preempted => format!("job {job} was preempted by another"),
            Self::NodeFailure => format!("the node of job {job} failed"),
            Self::Cancelled(Some(user)) => {
                format!("job {job} was cancelled in Slurm by user {user}")
            }
            Self::Cancelled(None) => format!("job {job} was cancelled in Slurm"),
        }
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
