//! A run's metrics at one epoch that need not be the last or the best.

use super::best_and_trend;
use super::formats;
use super::layout::RunDir;

/// The columns with their values at the end of an epoch, as the file counts them; empty if it has
/// no such epoch or cannot be read.
pub fn values_at_epoch(dir: &RunDir, epoch: u32) -> Vec<(String, f64)> {
    let mut tail = formats::open(dir);
    match tail.poll().and_then(|_| tail.settle()) {
        Ok(()) => best_and_trend::at_epoch(tail.metrics(), epoch),
        Err(_) => Vec::new(),
    }
}
