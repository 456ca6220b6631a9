//! The state a run is in, as far as is known from outside: what its record says is believed only as
//! far as its process or its files bear it out.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::record::Record;

/// How long a run that was seen writing may be silent before it is called lost. Network file
/// systems show changes up to a minute late.
pub const SILENCE: Duration = Duration::from_secs(120);

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Waits for its turn.
    Queued,
    /// Its process is on the way to the first step.
    Starting,
    /// Trains.
    Running,
    /// Paused on request, until resumed.
    Paused,
    /// Was asked to stop and is saving.
    Stopping,
    /// Trained all its epochs.
    Finished,
    /// Was stopped, and can be resumed.
    Stopped,
    /// Ended by an error.
    Failed,
    /// Its process ended without a final state.
    Lost,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Starting,
        Self::Running,
        Self::Paused,
        Self::Stopping,
        Self::Finished,
        Self::Stopped,
        Self::Failed,
        Self::Lost,
    ];

    /// Its name, as files and lists write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }

    /// Whether it changes by itself: a process is at work on it, or will be when its turn comes.
    pub fn may_act(self) -> bool {
        self == Self::Queued || self.is_active()
    }

    /// Whether a process is, or should be, at work on it.
    pub fn is_active(self) -> bool {
        matches!(
            self,
            Self::Starting | Self::Running | Self::Paused | Self::Stopping
        )
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A state, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    pub state: State,
    /// Whether it was deduced from files rather than written by the run.
    pub deduced: bool,
    /// Why it is so, where that needs saying.
    pub reason: Option<String>,
}

/// What was seen of a run, from which its state follows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// Its record, if it has one that can be read.
    pub record: Option<&'a Record>,
    /// Whether its process lives; `None` if that cannot be known from here (another host).
    pub alive: Option<bool>,
    /// How long ago its files last changed.
    pub silent_for: Duration,
    /// Epochs in its metrics.
    pub epochs_done: u32,
    /// Epochs in its configuration.
    pub epochs_planned: Option<u32>,
    /// Steps done, and steps planned, where both are known.
    pub steps: Option<(u64, u64)>,
    /// What its trainer says, and why, where it is another's.
    pub stated: Option<&'a (State, Option<String>)>,
}

/// How long ago something changed at `modified`. Another machine's clock may be ahead of ours by a
/// little; a time further ahead says nothing of when it changed, so it is no sign of life.
pub fn silence_since(modified: SystemTime, now: SystemTime) -> Duration {
    match now.duration_since(modified) {
        Ok(silent_for) => silent_for,
        Err(ahead) if ahead.duration() <= SILENCE => Duration::ZERO,
        Err(_) => Duration::MAX,
    }
}

/// The state that the evidence allows.
pub fn observe(evidence: Evidence) -> Observed {
    let stated = |state, reason| Observed {
        state,
        deduced: false,
        reason,
    };
    let deduced = |state, reason: &str| Observed {
        state,
        deduced: true,
        reason: Some(reason.to_owned()),
    };
    let Some(record) = evidence.record else {
        let is_silent = evidence.silent_for >= SILENCE;
        match evidence.stated {
            // Who writes is at work, and may have been killed.
            Some((state, why)) if state.is_active() && is_silent => {
                let why = why.as_deref().unwrap_or("its trainer says that it runs");
                return deduced(
                    State::Lost,
                    &format!("{why}, and its files no longer change"),
                );
            }
            Some((state, why)) => return stated(*state, why.clone()),
            None => {}
        }
        let done = evidence
            .epochs_planned
            .is_some_and(|planned| evidence.epochs_done >= planned);
        return if done {
            deduced(State::Finished, "all planned epochs are in its metrics")
        } else if evidence
            .steps
            .is_some_and(|(done, planned)| done >= planned)
        {
            deduced(State::Finished, "all planned steps are in its metrics")
        } else if !is_silent {
            deduced(State::Running, "its files are changing")
        } else {
            deduced(State::Stopped, "its files no longer change")
        };
    };
    let reason = record.exit.as_ref().and_then(|exit| exit.reason.clone());
    if !record.state.is_active() {
        return stated(record.state, reason);
    }
    match evidence.alive {
        Some(true) => stated(record.state, reason),
        Some(false) => Observed {
            state: State::Lost,
            deduced: true,
            reason: Some("its process ended without a final state".to_owned()),
        },
        None if evidence.silent_for < SILENCE => stated(record.state, reason),
        None => {
            let host = record
                .process
                .as_ref()
                .map_or("another host", |process| process.host.as_str());
            deduced(
                State::Lost,
                &format!("no sign of life from {host} for over two minutes"),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::RunDir;
    use crate::process::Process;

    fn record(state: State) -> Record {
        let dir = RunDir::new("/runs/a");
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        Record {
            state,
            ..Record::new(&dir, "a".to_owned(), Process::current(), Vec::new(), now)
        }
    }

    #[test]
    fn running_is_believed_only_with_a_living_process_or_changing_files() {
        use State::{Failed, Finished, Lost, Running, Stopping};
        let (fresh, old) = (Duration::from_secs(5), Duration::from_secs(500));
        let cases = [
            (Running, Some(true), old, Running, false),
            (Running, Some(false), fresh, Lost, true),
            (Stopping, Some(true), old, Stopping, false),
            (Running, None, fresh, Running, false),
            (Running, None, old, Lost, true),
            (Finished, Some(false), old, Finished, false),
            (Failed, None, old, Failed, false),
        ];
        for (stated, alive, silent_for, state, deduced) in cases {
            let record = record(stated);
            let evidence = Evidence {
                record: Some(&record),
                alive,
                silent_for,
                epochs_done: 1,
                ..Evidence::default()
            };
            let observed = observe(evidence);
            assert_eq!(
                (observed.state, observed.deduced),
                (state, deduced),
                "{evidence:?}"
            );
        }
    }

    #[test]
    fn runs_without_a_record_are_deduced_from_epochs_and_age() {
        let (fresh, old) = (Duration::from_secs(5), Duration::from_secs(500));
        let cases = [
            (200, Some(200), old, State::Finished),
            (30, Some(200), old, State::Stopped),
            (30, Some(200), fresh, State::Running),
            (30, None, old, State::Stopped),
        ];
        for (epochs_done, epochs_planned, silent_for, state) in cases {
            let observed = observe(Evidence {
                silent_for,
                epochs_done,
                epochs_planned,
                ..Evidence::default()
            });
            assert!(observed.deduced && observed.reason.is_some());
            assert_eq!(observed.state, state);
        }
    }
}
