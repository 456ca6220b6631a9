//! All that a training writes to, and the clock that its times are read from.

use std::time::Instant;

use traintop_run::RunDir;

use super::console::Console;
use super::run_files::{FilesError, RunFiles};
use super::status::Status;

/// Where a training writes.
#[derive(Debug)]
pub struct Output {
    pub dir: RunDir,
    pub files: RunFiles,
    pub status: Status,
    pub console: Console,
    pub clock: Clock,
}

impl Output {
    /// Says something to people: in the log and on standard output.
    pub fn say(&mut self, line: &str) -> Result<(), FilesError> {
        self.console.line(line);
        self.files.log(line)
    }
}

/// The time a run has taken, without the time between a stop and a resume.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    before_s: f64,
    since: Instant,
}

impl Clock {
    /// Continues from `before_s` seconds, from now.
    pub fn from(before_s: f64) -> Self {
        Self {
            before_s,
            since: Instant::now(),
        }
    }

    /// Seconds that the run has taken so far.
    pub fn elapsed_s(&self) -> f64 {
        self.before_s + self.since.elapsed().as_secs_f64()
    }
}
