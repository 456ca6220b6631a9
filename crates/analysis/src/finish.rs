//! Whether a run will be done in time: at its pace, against the moment at which a scheduler or a
//! limit will end it. Arithmetic alone.

use std::time::Duration;

use jiff::Timestamp;

use traintop_run::State;
use traintop_run::health::{Pace, Saved};
use traintop_run::summary::Summary;
use traintop_text::duration;

/// Epochs that a pace must cover before a run is reported not to finish.
const ENOUGH: usize = 2;
/// Limit of an estimate: some ten thousand years.
const MAX_LEFT_S: f64 = 3e11;

/// When a run will end, and what of it is safe until then.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// How long it will still train, from the moment that its pace was measured.
    pub left: Duration,
    /// When it will have done its last epoch.
    pub ends_at: Timestamp,
    /// Against its limit, if it has one.
    pub limit: Option<Margin>,
    /// The last checkpoint, and how much training is unsaved since.
    pub unsaved: Option<(Saved, Duration)>,
}

/// How a run relates to its limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Margin {
    /// It ends this long before the limit.
    Early(Duration),
    /// It would end this long after the limit; when the limit comes it is in this epoch.
    Late(Duration, u32),
}

/// When a run will end; `None` if its pace is unknown, or it does not train.
pub fn outlook(summary: &Summary) -> Option<Outlook> {
    let health = summary.health.as_ref()?;
    let (pace, now) = (health.pace?, health.read_at);
    // What waits has its whole rest before it.
    let from = if summary.observed.state == State::Paused {
        now
    } else {
        pace.at
    };
    let left_s = ((f64::from(pace.until) - pace.done).max(0.0) * pace.epoch_s).min(MAX_LEFT_S);
    let ends_at = from
        .checked_add(Duration::from_secs_f64(left_s))
        .unwrap_or(Timestamp::MAX)
        .max(now);
    let limit = health
        .deadline
        .map(|deadline| margin(pace, (from, ends_at), deadline));
    let since = |at: Timestamp| Duration::try_from(now - at).unwrap_or_default();
    Some(Outlook {
        left: Duration::try_from(ends_at - now).unwrap_or_default(),
        ends_at,
        limit,
        unsaved: health.saved.map(|saved| (saved, since(saved.at))),
    })
}

fn margin(pace: Pace, (from, ends_at): (Timestamp, Timestamp), deadline: Timestamp) -> Margin {
    match Duration::try_from(deadline - ends_at) {
        Ok(early) => Margin::Early(early),
        Err(_) => {
            let until = deadline.duration_since(from).as_secs_f64();
            let epoch = (pace.done + until.max(0.0) / pace.epoch_s).floor() + 1.0;
            let late = Duration::try_from(ends_at - deadline).unwrap_or_default();
            Margin::Late(late, (epoch as u32).min(pace.until))
        }
    }
}

/// How long after its limit a run would end, once enough of it has been seen.
pub fn late(summary: &Summary) -> Option<Duration> {
    let pace = summary.health.as_ref()?.pace?;
    match outlook(summary)?.limit? {
        Margin::Late(late, _) if pace.epochs >= ENOUGH => Some(late),
        _ => None,
    }
}

impl Outlook {
    /// A sentence for a run with a time limit: `ends 40 min after its limit, which comes in epoch
    /// 183 of 200; last checkpoint: epoch 171, 26 min unsaved`.
    pub fn sentence(&self, epochs: u32) -> Option<String> {
        let end = match self.limit? {
            Margin::Early(early) => format!("ends {} before its limit", roughly(early)),
            Margin::Late(late, epoch) => {
                format!(
                    "ends {} after its limit, which comes in epoch {epoch} of {epochs}",
                    roughly(late)
                )
            }
        };
        let saved = match self.unsaved {
            None => "no checkpoint yet".to_owned(),
            Some((saved, unsaved)) => format!(
                "last checkpoint: epoch {}, {} unsaved",
                saved.epoch,
                roughly(unsaved)
            ),
        };
        Some(format!("{end}; {saved}"))
    }
}

/// A length of time as one says it: whole seconds below a minute, whole minutes below an hour.
pub fn roughly(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", (seconds + 30) / 60),
        _ => duration(time),
    }
}

#[cfg(test)]
#[path = "finish_tests.rs"]
mod tests;
