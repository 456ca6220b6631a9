//! Health of a run that trains: pace, last sign of life, last checkpoint, and deadline.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rustix::fs::statvfs;

use super::best_and_trend::is_placed_by_epoch;
use super::checkpoints;
use super::control::Control;
use super::finding::Finding;
use super::layout::RunDir;
use super::metrics::{Column, Metrics};
use super::record::Record;
use super::steps::Progress;

/// How many of the last epochs give the pace: enough for one slow one not to count, few enough to
/// follow a busier machine.
const RECENT: usize = 9;

/// How a run that trains is doing, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// How fast it goes, once that is known.
    pub pace: Option<Pace>,
    /// The longest that usually passes between two of its rows, once an epoch is done.
    pub row_gap: Option<Duration>,
    /// When it last wrote a row, was resumed, or got a control request.
    pub sign_at: Timestamp,
    /// Its last checkpoint from which it could be resumed, where that is ours or called `last`.
    pub saved: Option<Saved>,
    /// When a scheduler, or a limit, will end it.
    pub deadline: Option<Timestamp>,
    /// The room on its disk, once it was read.
    pub disk: Option<Disk>,
    /// What its curves warn of, once they were checked: for alerts.
    pub signs: Vec<Finding>,
    pub read_at: Timestamp,
}

/// How fast a run goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Seconds of an epoch: the median of the last ones, or before the first one's end by its
    /// steps.
    pub epoch_s: f64,
    /// How many epochs that rests on; 0 in the first.
    pub epochs: usize,
    /// Epochs done when its last row was written, with what was done of the one that runs.
    pub done: f64,
    pub at: Timestamp,
    /// The epoch after which it ends.
    pub until: u32,
}

/// A checkpoint that was saved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Saved {
    /// The complete epochs in it.
    pub epoch: u32,
    pub at: Timestamp,
}

/// A disk with its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    pub id: u64,
    /// What may still be written, in bytes.
    pub free: u64,
    /// All there is, in bytes.
    pub total: u64,
}

impl Disk {
    /// The one that a folder is on.
    pub fn of(folder: &Path) -> Option<Self> {
        let stat = statvfs(folder).ok()?;
        Some(Self {
            id: stat.f_fsid,
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
        })
    }
}

/// What is known of a run that trains, from which its vitals follow.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub record: Option<&'a Record>,
    /// Its rows.
    pub metrics: &'a Metrics,
    /// The rows of its steps.
    pub steps: &'a Metrics,
    /// Epochs trained.
    pub epochs_done: u32,
    pub epochs_planned: Option<u32>,
}

impl<'a> Known<'a> {
    /// A run with these epochs: those that are done, and those planned.
    pub fn of(
        record: Option<&'a Record>,
        metrics: &'a Metrics,
        steps: &'a Metrics,
        (epochs_done, epochs_planned): (u32, Option<u32>),
    ) -> Self {
        Self {
            record,
            metrics,
            steps,
            epochs_done,
            epochs_planned,
        }
    }
}

impl Health {
    /// Reads sizes and times of the files of a run that trains.
    pub fn read(dir: &RunDir, known: Known, now: SystemTime) -> Self {
        let changed = |path: &Path| {
            let changed = fs::metadata(path).and_then(|file| file.modified());
            changed.ok().and_then(|at| Timestamp::try_from(at).ok())
        };
        let read_at = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
        let (row_at, step_at) = (changed(&dir.metrics_csv()), changed(&dir.steps_csv()));
        let asked_at = changed(&Control::path(dir));
        let end_epoch = asked_at
            .and_then(|_| Control::load(dir).ok())
            .and_then(|control| control.end_after_epoch);
        let resumed_at = known
            .record
            .and_then(|record| Some(record.resumes.last()?.at));
        let begun_at = known.record.and_then(|record| record.started_at);
        let signs = [row_at, step_at, asked_at, resumed_at, begun_at];
        let pace = Pace::of(known, end_epoch, (row_at, step_at));
        let saved_at = checkpoints::named(dir, "last").and_then(|last| changed(&last));
        Self {
            row_gap: row_gap(known),
            sign_at: signs.into_iter().flatten().max().unwrap_or(read_at),
            saved: saved_at.map(|at| Saved {
                epoch: known.epochs_done - epochs_since(at, row_at, pace).min(known.epochs_done),
                at,
            }),
            deadline: known.record.and_then(|record| record.deadline),
            pace,
            disk: None,
            signs: Vec::new(),
            read_at,
        }
    }
}

/// Epochs whose rows were written after a moment. A row and the checkpoint after it are written in
/// one go.
fn epochs_since(moment: Timestamp, row_at: Option<Timestamp>, pace: Option<Pace>) -> u32 {
    let (Some(row_at), Some(pace)) = (row_at, pace) else {
        return 0;
    };
    let behind = row_at.duration_since(moment).as_secs_f64();
    if behind <= 0.0 || pace.epoch_s <= 0.0 {
        return 0;
    }
    // A float that is too large becomes the largest number.
    (behind / pace.epoch_s).ceil() as u32
}

impl Pace {
    fn of(
        known: Known,
        end_epoch: Option<u32>,
        (row_at, step_at): (Option<Timestamp>, Option<Timestamp>),
    ) -> Option<Self> {
        let done = f64::from(known.epochs_done);
        let within = Progress::of(known.steps).filter(|within| within.epoch > known.epochs_done);
        let (done, at) = match (within, step_at) {
            (Some(within), Some(at)) => (f64::from(within.epoch - 1) + within.part(), at),
            _ => (done, row_at?),
        };
        let gaps = epoch_times(known.metrics);
        let first = || {
            let elapsed = within.map(|within| within.elapsed_s)?;
            (done > 0.0).then(|| elapsed / done)
        };
        let until = known.epochs_planned?;
        Some(Self {
            epoch_s: median(&gaps)
                .or_else(first)
                .filter(|seconds| seconds.is_finite() && *seconds > 0.0)?,
            epochs: gaps.len(),
            done,
            at,
            until: end_epoch
                .filter(|end_epoch| f64::from(*end_epoch) > done)
                .map_or(until, |end_epoch| end_epoch.min(until)),
        })
    }
}

/// How long the last epochs took, in seconds. The first counts from the begin: its row is all that
/// there is of it.
fn epoch_times(metrics: &Metrics) -> Vec<f64> {
    let of_epochs = is_placed_by_epoch(metrics);
    let Some(clock) = metrics.column("time_elapsed").filter(|_| of_epochs) else {
        return Vec::new();
    };
    let mut times = gaps(clock, metrics);
    if let ([1.0], [first], true) = (&clock.x[..], &clock.y[..], times.is_empty()) {
        times.push(*first);
    }
    times
}

/// Seconds between the last rows of a clock, for each step of x.
fn gaps(clock: &Column, metrics: &Metrics) -> Vec<f64> {
    let rows = clock.x.windows(2).zip(clock.y.windows(2)).rev();
    // The clock may stop or go back at a resume.
    let whole = rows.filter(|(x, y)| y[1] > y[0] && !metrics.seams.contains(&x[1]));
    whole
        .take(RECENT)
        .map(|(x, y)| (y[1] - y[0]) / (x[1] - x[0]))
        .collect()
}

/// The longest that passes between two rows, seen over the last two epochs: between two steps where
/// these are written, which is between the last of an epoch and the first of the next, else between
/// two epochs.
fn row_gap(known: Known) -> Option<Duration> {
    let epoch_s = median(&epoch_times(known.metrics))?;
    let steps = known
        .steps
        .column("time_elapsed")
        .zip(known.steps.column("epoch"));
    let of_steps = steps.and_then(|(clock, epochs)| {
        let last = epochs.last()?.1;
        let begin = epochs.y.iter().position(|epoch| *epoch >= last - 1.0)?;
        // Without the end of an epoch among them they do not show how long a validation takes.
        if *epochs.y.get(begin)? >= last || clock.y.len() != epochs.y.len() {
            return None;
        }
        let gaps = clock.y[begin..].windows(2).map(|pair| pair[1] - pair[0]);
        gaps.reduce(f64::max)
    });
    let seconds = of_steps.map_or(epoch_s, |gap| gap.min(epoch_s));
    Duration::try_from_secs_f64(seconds).ok()
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let high = *sorted.get(middle)?;
    Some(if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], high)
    } else {
        high
    })
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
