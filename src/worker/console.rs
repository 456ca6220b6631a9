//! What the worker says on its standard output: a line an epoch; on a terminal also a progress bar below them.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use traintop::text;

/// The bar is redrawn no more often than this.
const REDRAW: Duration = Duration::from_millis(100);
const BAR_CELLS: usize = 24;

/// Where an epoch stands, for the bar.
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

/// Standard output. A reader that has gone away is no reason to stop training, so nothing here fails.
#[derive(Debug)]
pub struct Console {
    has_bar: bool,
    drawn_at: Option<Instant>,
}

impl Console {
    /// With a bar if standard output is a terminal.
    pub fn new() -> Self {
        Self {
            has_bar: io::stdout().is_terminal(),
            drawn_at: None,
        }
    }

    /// Prints a line above the bar.
    pub fn line(&mut self, line: &str) {
        self.clear();
        let _ = writeln!(io::stdout(), "{line}");
    }

    /// Draws the bar, if it is due.
    pub fn step(&mut self, step: &Step) {
        if self.has_bar && self.drawn_at.is_none_or(|at| at.elapsed() >= REDRAW) {
            let width = rustix::termios::tcgetwinsize(io::stdout())
                .map_or(80, |size| usize::from(size.ws_col));
            let bar: String = bar(step).chars().take(width.saturating_sub(1)).collect();
            let _ = write!(io::stdout(), "\r\x1b[K{bar}").and_then(|()| io::stdout().flush());
            self.drawn_at = Some(Instant::now());
        }
    }

    /// Removes the bar.
    pub fn clear(&mut self) {
        if self.drawn_at.take().is_some() {
            let _ = write!(io::stdout(), "\r\x1b[K").and_then(|()| io::stdout().flush());
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.clear();
    }
}

/// `epoch 3/10 ━━━━━━━━────── 12/40  1,234 images/s  2m 05s left`
fn bar(step: &Step) -> String {
    let filled = BAR_CELLS * step.done as usize / step.of.max(1) as usize;
    format!(
        "epoch {}/{} {}{} {}/{}  {} images/s  {} left",
        step.epoch,
        step.epochs,
        "━".repeat(filled),
        "─".repeat(BAR_CELLS - filled),
        step.done,
        step.of,
        text::count(step.images_per_s as u64),
        text::duration(Duration::try_from_secs_f64(step.seconds_left).unwrap_or_default()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_filled_as_far_as_the_epoch_has_come() {
        let at = |done| {
            bar(&Step {
                epoch: 3,
                epochs: 10,
                done,
                of: 40,
                images_per_s: 1234.5,
                seconds_left: 125.0,
            })
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
    }
}
