//! When a run began and ended, as its record, its trainer or its metrics say.

use std::time::Duration;

use jiff::Timestamp;

use super::formats::Facts;
use super::metrics::{Column, Metrics};
use super::record::Record;

/// When a run began and ended, as far as that is known.
pub struct Times {
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub duration: Option<Duration>,
}

impl Times {
    pub fn of(
        record: Option<&Record>,
        facts: &Facts,
        metrics: &Metrics,
        modified_at: Timestamp,
        is_active: bool,
    ) -> Self {
        let logged = facts.elapsed.and_then(|name| metrics.column(name));
        let elapsed = logged
            .or_else(|| elapsed(metrics))
            .and_then(Column::last)
            .map(|(_, seconds)| seconds);
        let duration = elapsed.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let recorded = record.and_then(|record| {
            let end = record.ended_at.or(record.heartbeat_at)?;
            Duration::try_from(end - record.started_at?).ok()
        });
        let duration = facts.duration.or(duration).or(recorded);
        let begun = duration.and_then(|duration| modified_at.checked_sub(duration).ok());
        let ended = record.and_then(|record| record.ended_at).or(facts.ended_at);
        Self {
            started_at: record
                .map(|record| record.started_at.unwrap_or(record.created_at))
                .or(facts.started_at)
                .or(begun),
            ended_at: (!is_active).then(|| ended.unwrap_or(modified_at)),
            duration,
        }
    }
}

/// Names of columns that count the seconds since a run began.
const ELAPSED: [&str; 6] = [
    "time_elapsed",
    "time/time_elapsed",
    "_runtime",
    "elapsed_time",
    "time_total_s",
    "elapsed",
];

/// The column that counts the seconds since the run began. A plain `time` may be that of each row:
/// it counts only where it rises by more than it began with, as Ultralytics' does.
fn elapsed(metrics: &Metrics) -> Option<&Column> {
    let named = ELAPSED.iter().find_map(|name| metrics.column(name));
    named.or_else(|| {
        let column = metrics
            .columns
            .iter()
            .find(|it| it.name.eq_ignore_ascii_case("time"))?;
        let rises = column.y.windows(2).all(|pair| pair[1] > pair[0]);
        let (first, last) = (*column.y.first()?, *column.y.last()?);
        let parts = column.y.len() as f64;
        // As a sum it ends near the number of rows times the first.
        let is_sum = column.y.len() > 1 && rises && last > first * parts / 2.0;
        is_sum.then_some(column)
    })
}
