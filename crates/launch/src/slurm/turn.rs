//! Coordinates polling of the scheduler: of all programs of a user one at a time, at most every 30
//! seconds, and less often if it is slow or refuses. A small file in the state folder says when the
//! next may poll.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use traintop_disk::read;
use traintop_disk::write::{make_folders, open_lock, try_lock};

/// The shortest interval between two polls.
pub const EVERY: Duration = Duration::from_secs(30);
/// The longest, after failures.
const MAX_WAIT: Duration = Duration::from_secs(15 * 60);
/// An answer that takes longer is one of a scheduler that has enough to do.
const SLOW: Duration = Duration::from_secs(3);

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Turns {
    /// No program polls before this time.
    next: Timestamp,
    /// How long after the question that is.
    wait_s: u64,
    /// Why the last question had no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// The file in the state folder.
const FILE: &str = "slurm.json";

/// The right to poll now, exclusive until this is dropped.
#[derive(Debug)]
pub struct Turn {
    file: File,
    wait: Duration,
}

impl Turn {
    /// Takes the right; `None` if it is too early, or another process is polling.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn take(folder: &Path, now: Timestamp) -> io::Result<Option<Self>> {
        make_folders(folder)?;
        let mut file = open_lock(&folder.join(FILE))?;
        if !try_lock(&file) {
            return Ok(None);
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let turns: Option<Turns> = serde_json::from_str(&text).ok();
        let wait = turns
            .as_ref()
            .map_or(EVERY, |turns| Duration::from_secs(turns.wait_s));
        // A clock that was put back must not mean silence for years.
        let is_early = turns.is_some_and(|turns| {
            let left = Duration::try_from(turns.next - now).unwrap_or_default();
            !left.is_zero() && left <= MAX_WAIT
        });
        Ok((!is_early).then_some(Self { file, wait }))
    }

    /// Why the last poll had no answer; `None` if there was one.
    pub fn problem(folder: &Path) -> Option<String> {
        let text = read::text(&folder.join(FILE), read::RECORD_LIMIT).ok()?;
        serde_json::from_str::<Turns>(&text).ok()?.problem
    }

    /// Writes when the next may poll: after this wait, which depends on whether there was an
    /// answer.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn done(mut self, now: Timestamp, went: Result<Duration, String>) -> io::Result<()> {
        let wait = next_wait(self.wait, went.as_ref().ok().copied());
        let turns = Turns {
            next: now.checked_add(wait).unwrap_or(now),
            wait_s: wait.as_secs(),
            problem: went.err(),
        };
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&serde_json::to_vec(&turns)?)
    }
}

fn next_wait(wait: Duration, took: Option<Duration>) -> Duration {
    match took {
        Some(took) if took <= SLOW => EVERY,
        _ => (2 * wait.max(EVERY)).min(MAX_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_asks_at_a_time_and_not_before_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let at = |second: i64| Timestamp::from_second(1_000_000 + second).unwrap();
        let take = |second| Turn::take(folder.path(), at(second)).unwrap();
        let turn = take(0).unwrap();
        assert!(take(0).is_none());
        turn.done(at(0), Ok(Duration::from_millis(20))).unwrap();
        assert!(take(29).is_none());
        let turn = take(31).unwrap();
        turn.done(at(31), Err("no route".to_owned())).unwrap();
        let problem = || Turn::problem(folder.path());
        assert_eq!(problem().as_deref(), Some("no route"));
        assert!(take(31 + 59).is_none());
        let turn = take(31 + 61).unwrap();
        turn.done(at(92), Ok(Duration::from_secs(10))).unwrap();
        assert_eq!(problem(), None);
        assert!(take(92 + 119).is_none());
        // The clock was put back by a day.
        assert!(take(92 - 86_400).is_some());
    }

    #[test]
    fn the_wait_grows_up_to_a_limit_and_shrinks_at_once() {
        let mut wait = EVERY;
        for _ in 0..20 {
            wait = next_wait(wait, None);
        }
        assert_eq!(wait, MAX_WAIT);
        assert_eq!(next_wait(wait, Some(Duration::ZERO)), EVERY);
    }
}
