//! A run's metrics, followed as far as its summary needs them.

use std::io::ErrorKind;
use std::time::SystemTime;

use super::best_and_trend;
use super::formats::Source;
use super::found::Found;
use super::judging;
use super::metrics::Metrics;
use super::primary::Judged;
use super::settled;
use super::summary::{Summary, cleaned};

/// Of metrics with more rows than this only what a summary needs is kept.
const WHOLE: usize = 20_000;

/// A run's metrics as far as its summary needs them, followed: of a run that trains each new row
/// costs only itself, and of a million rows little is kept.
#[derive(Debug)]
pub struct Summing {
    tail: Box<dyn Source>,
    needed: Metrics,
    is_whole: bool,
    /// Why the metrics could not be read, unless there are none.
    unread: Option<String>,
}

impl Summing {
    /// Nothing is read yet.
    pub fn begin(found: &Found) -> Self {
        Self {
            tail: found.open_metrics(),
            needed: Metrics::default(),
            is_whole: true,
            unread: None,
        }
    }

    /// What a summary needs of the metrics, as read last: every point of the columns that runs are
    /// judged by and of the epochs.
    pub fn needed(&self) -> &Metrics {
        &self.needed
    }

    /// Why the metrics could not be read, as half a sentence; `None` if they were, or if there are
    /// none.
    pub fn unread(&self) -> Option<&str> {
        self.unread.as_deref()
    }

    /// Whether the metrics were read to their end and hold no row, nor anything that was not
    /// understood.
    pub fn is_blank(&self) -> bool {
        self.unread.is_none() && self.tail.is_blank()
    }

    /// Whether the metrics were read to their end, and every line is a header or a row of numbers.
    pub fn is_understood(&self) -> bool {
        self.unread.is_none() && self.tail.is_understood()
    }

    /// All rows that were read, where they are few enough to be kept.
    pub fn whole(&self) -> Option<&Metrics> {
        self.is_whole.then_some(&self.needed)
    }

    /// Reads what is new and sums up. This never fails, as [`Summary::load`] does not.
    pub fn summary(&mut self, found: &Found, now: SystemTime) -> Summary {
        let settings = judging::of(found.dir.path()).settings;
        self.needed.judging.settings.clone_from(&settings);
        let (needed, is_whole, mut begun) = (&mut self.needed, &mut self.is_whole, false);
        let read = self.tail.poll_in_parts(&mut |part, anew| {
            begun = true;
            if anew {
                (*needed, *is_whole) = (Metrics::default(), true);
                needed.judging.settings.clone_from(&settings);
            }
            absorb(needed, is_whole, part);
        });
        // Every run begins without metrics; but half of a file must not pass for the whole.
        if read.is_err() && begun {
            *self = Self::begin(found);
            self.needed.judging.settings.clone_from(&settings);
        }
        self.unread = match read {
            Err(error) if error.kind() != ErrorKind::NotFound => Some(error.to_string()),
            _ => None,
        };
        let _ = settled::settle(self.tail.as_mut(), found, now);
        absorb(&mut self.needed, &mut self.is_whole, self.tail.take());
        let mut summary = Summary::of(found, &self.needed, self.tail.facts(), now);
        if let Some(why) = &self.unread {
            let reason = format!("its metrics cannot be read ({why})");
            summary.observed.reason = cleaned(Some(reason));
        }
        summary
    }
}

fn absorb(needed: &mut Metrics, is_whole: &mut bool, part: Metrics) {
    needed.absorb(part);
    *is_whole &= needed.rows <= WHOLE;
    if *is_whole {
        return;
    }
    let judged = Judged::of(needed);
    let whole = best_and_trend::needed_columns(&judged);
    let records = best_and_trend::records(&judged);
    needed.keep_ends(|name| whole.iter().any(|whole| whole == name), &records);
}
