//! Whether other programs keep this one from the processor. libtorch splits each operation over its
//! threads and waits for the last of them: on a machine of two cores with other work, two threads
//! trained five times slower than one.

use std::path::Path;
use std::time::{Duration, Instant};

use traintop_disk::read;

/// Waiting less than this part of the time is no harm.
const HARMLESS: f64 = 0.1;

/// How long the training thread has been ready to run without running.
#[derive(Debug)]
pub struct Contention {
    since: Instant,
    waited_before: Option<Duration>,
}

impl Contention {
    /// Begins to watch the thread that calls this.
    pub fn watch() -> Self {
        Self {
            since: Instant::now(),
            waited_before: waited(),
        }
    }

    /// Advice, if the same thread has been kept waiting for much of the time since.
    pub fn advice(&self, threads: u32) -> Option<String> {
        let waited = waited()?.saturating_sub(self.waited_before?);
        advice(
            waited.as_secs_f64() / self.since.elapsed().as_secs_f64(),
            threads,
        )
    }
}

fn advice(part: f64, threads: u32) -> Option<String> {
    (threads > 1 && part > HARMLESS).then(|| {
        format!(
            "note: other programs kept this one waiting for a processor {:.0} % of the time; a new run with fewer than its \
             {threads} threads (num_threads) loses less",
            100.0 * part
        )
    })
}

/// The time that this thread has spent waiting for a processor; `None` if the kernel does not
/// report it.
fn waited() -> Option<Duration> {
    parse(&read::text(Path::new("/proc/thread-self/schedstat"), read::RECORD_LIMIT).ok()?)
}

/// The second of the three numbers, in nanoseconds.
fn parse(schedstat: &str) -> Option<Duration> {
    let nanoseconds = schedstat.split_whitespace().nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_the_second_number() {
        assert_eq!(parse("8700 2500000 4\n"), Some(Duration::from_micros(2500)));
        assert_eq!(parse(""), None);
    }

    #[test]
    fn advice_is_given_only_where_it_helps() {
        assert!(advice(0.34, 2).unwrap().contains("34 % of the time"));
        assert_eq!(advice(0.34, 1), None);
        assert_eq!(advice(0.05, 8), None);
    }
}
