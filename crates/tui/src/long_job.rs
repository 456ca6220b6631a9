//! Long jobs as the bottom line shows them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use traintop_disk::Progress;
use traintop_text::bytes;

/// A shorter job is not worth a line.
const SHOWN_AFTER: SignedDuration = SignedDuration::from_secs(1);

/// How often the line changes.
const EVERY: SignedDuration = SignedDuration::from_secs(1);

/// A long job that is under way.
#[derive(Debug)]
pub struct LongJob {
    pub name: &'static str,
    pub began: Timestamp,
    pub progress: Arc<Progress>,
}

/// What happened to a long job.
#[derive(Debug)]
pub enum LongJobEvent {
    /// It began: its name, and how far it is.
    Began(&'static str, Arc<Progress>),
    Ended(Arc<Progress>),
}

impl LongJob {
    fn is_shown(&self, now: Timestamp) -> bool {
        now.duration_since(self.began) >= SHOWN_AFTER
    }

    /// When its line changes.
    pub fn next_wake(&self, now: Timestamp) -> Timestamp {
        let (from, after) = if self.is_shown(now) {
            (now, EVERY)
        } else {
            (self.began, SHOWN_AFTER)
        };
        from.checked_add(after).unwrap_or(Timestamp::MAX)
    }

    fn text(&self) -> String {
        let (done, of, read) = self.progress.now();
        let mut text = self.name.to_owned();
        if of > 0 {
            text = format!("{text}: {done} of {of} done");
        }
        if read > 0 {
            text = format!("{text}, {} read", bytes(read));
        }
        if self.progress.is_cancelled() {
            text = format!("{text}, is being cancelled");
        }
        text
    }
}

/// What the long jobs do, and the key that cancels them; `None` while none has lasted for a while.
pub fn line(jobs: &[LongJob], now: Timestamp, cancel_key: Option<&str>) -> Option<String> {
    let shown = jobs.iter().filter(|job| job.is_shown(now));
    let texts: Vec<String> = shown.map(LongJob::text).collect();
    if texts.is_empty() {
        return None;
    }
    let cancel = cancel_key.map_or_else(String::new, |key| format!("  {key} cancel"));
    Some(format!("{}{cancel}", texts.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::Effect;
    use crate::message::Message;
    use crate::state::State;
    use crate::update::update;
    use crate::view::test_driver::screen;
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    #[test]
    fn a_job_that_lasts_over_a_second_is_shown_and_can_be_cancelled() {
        let start = Timestamp::UNIX_EPOCH;
        let after = |ms| start + SignedDuration::from_millis(ms);
        let mut state = State::new(vec!["runs".into()], (100, 24), start);
        let progress = Arc::new(Progress::default());
        progress.step(1, 3);
        let began = Message::LongJob(LongJobEvent::Began("archive", Arc::clone(&progress)));
        update(&mut state, start, began);
        assert!(!screen(&state).contains("archive"));
        assert_eq!(state.next_wake(), Some(after(1000)));
        update(&mut state, after(1000), Message::Woke);
        let shown = screen(&state);
        assert!(
            shown.contains("archive: 1 of 3 done  Ctrl-x cancel"),
            "{shown}"
        );
        assert_eq!(state.next_wake(), Some(after(2000)));
        let cancel = KeyEvent::new(KeyCode::Char('x'), KeyModifiers::CONTROL);
        let effects = update(&mut state, after(1500), Message::Key(cancel));
        assert_eq!(effects, [Effect::CancelJobs]);
        progress.cancel();
        assert!(screen(&state).contains("is being cancelled"));
        update(
            &mut state,
            after(1600),
            Message::LongJob(LongJobEvent::Ended(progress)),
        );
        assert!(!screen(&state).contains("archive"));
        assert_eq!(state.next_wake(), None);
    }
}
