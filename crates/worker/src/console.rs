//! What the worker says while it works: a line an epoch; on a terminal also a progress bar below
//! them.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use traintop_text as text;
use traintop_text::terminal;

/// The bar is redrawn no more often than this.
const REDRAW: Duration = Duration::from_millis(100);
const BAR_CELLS: usize = 24;

/// The progress of an epoch, for the bar.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub epoch: u32,
    pub epochs: u32,
    /// Steps done, of as many in this epoch.
    pub done: u32,
    pub of: u32,
    pub images_per_s: f64,
    /// Of the whole run.
    pub seconds_left: f64,
}

/// Where it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Output,
    /// Where standard output is for a result alone.
    Errors,
}

/// A standard stream. A reader that has gone away is no reason to stop working, so nothing here
/// fails.
#[derive(Debug)]
pub struct Console {
    stream: Stream,
    has_bar: bool,
    drawn_at: Option<Instant>,
}

impl Console {
    /// With a bar if the stream is a terminal.
    pub fn new(stream: Stream) -> Self {
        Self {
            stream,
            has_bar: match stream {
                Stream::Output => terminal::raw_output().is_terminal(),
                Stream::Errors => terminal::raw_errors().is_terminal(),
            },
            drawn_at: None,
        }
    }

    /// Prints a line above the bar.
    pub fn line(&mut self, line: &str) {
        self.clear();
        self.write(&format!("{}\n", text::clean_lines(line)));
    }

    /// Draws the bar, if it is due.
    pub fn step(&mut self, bar: &impl fmt::Display) {
        if self.has_bar && self.drawn_at.is_none_or(|at| at.elapsed() >= REDRAW) {
            let size = match self.stream {
                Stream::Output => rustix::termios::tcgetwinsize(terminal::raw_output()),
                Stream::Errors => rustix::termios::tcgetwinsize(terminal::raw_errors()),
            };
            let width = size.map_or(80, |size| usize::from(size.ws_col));
            let bar = bar.to_string();
            let bar: String = bar.chars().take(width.saturating_sub(1)).collect();
            self.write(&format!("\r\x1b[K{bar}"));
            self.drawn_at = Some(Instant::now());
        }
    }

    /// Removes the bar.
    pub fn clear(&mut self) {
        if self.drawn_at.take().is_some() {
            self.write("\r\x1b[K");
        }
    }

    fn write(&self, text: &str) {
        let write = |stream: &mut dyn Write| {
            let written = stream.write_all(text.as_bytes());
            written.and_then(|()| stream.flush())
        };
        let _ = match self.stream {
            Stream::Output => write(&mut terminal::raw_output()),
            Stream::Errors => write(&mut terminal::raw_errors()),
        };
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Display for Step {
    /// `epoch 3/10 ━━━━━━━━────── 12/40  1,234 images/s  2m 05s left`
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "epoch {}/{} {} {}/{}  {}",
            self.epoch,
            self.epochs,
            cells(self.done.into(), self.of.into()),
            self.done,
            self.of,
            pace(self.images_per_s, self.seconds_left),
        )
    }
}

/// The progress of an evaluation, for the bar.
#[derive(Debug, Clone, Copy)]
pub struct Evaluating {
    /// Passes of an image through a network, of as many.
    pub done: u64,
    pub of: u64,
    pub images_per_s: f64,
}

impl fmt::Display for Evaluating {
    /// `evaluating ━━━━━━━━────── 1,500/4,000  1,234 images/s  2m 05s left`
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds_left = self.of.saturating_sub(self.done) as f64 / self.images_per_s;
        write!(
            formatter,
            "evaluating {} {}/{}  {}",
            cells(self.done, self.of),
            text::count(self.done),
            text::count(self.of),
            pace(self.images_per_s, seconds_left),
        )
    }
}

/// `━━━━━━━━──────`
fn cells(done: u64, of: u64) -> String {
    let filled = (BAR_CELLS as u64 * done / of.max(1)).min(BAR_CELLS as u64) as usize;
    "━".repeat(filled) + &"─".repeat(BAR_CELLS - filled)
}

/// `1,234 images/s  2m 05s left`
fn pace(images_per_s: f64, seconds_left: f64) -> String {
    let left = Duration::try_from_secs_f64(seconds_left).unwrap_or_default();
    format!(
        "{} images/s  {} left",
        text::count(images_per_s as u64),
        text::duration(left)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_filled_as_far_as_the_epoch_has_come() {
        let at = |done| {
            let step = Step {
                epoch: 3,
                epochs: 10,
                done,
                of: 40,
                images_per_s: 1234.5,
                seconds_left: 125.0,
            };
            step.to_string()
        };
        assert_eq!(
            at(20),
            format!(
                "epoch 3/10 {}{} 20/40  1,234 images/s  2m 05s left",
                "━".repeat(12),
                "─".repeat(12)
            )
        );
        assert_eq!(at(0).matches('━').count(), 0);
        assert_eq!(at(40).matches('─').count(), 0);
        let evaluating = Evaluating {
            done: 1500,
            of: 4000,
            images_per_s: 100.0,
        };
        assert_eq!(
            evaluating.to_string(),
            format!(
                "evaluating {}{} 1,500/4,000  100 images/s  25s left",
                "━".repeat(9),
                "─".repeat(15)
            )
        );
    }
}
