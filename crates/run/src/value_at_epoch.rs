//! A run's metrics at one epoch that need not be the last or the best.

use super::best_and_trend;
use super::layout::RunDir;
use super::metrics::Tail;

/// The columns with their values at the end of an epoch, as the file counts them; empty if it has
/// no such epoch or cannot be read.
pub fn values_at_epoch(dir: &RunDir, epoch: u32) -> Vec<(String, f64)> {
    let mut tail = Tail::open(dir.metrics_csv());
    match tail.poll().and_then(|_| tail.settle()) {
        Ok(()) => best_and_trend::at_epoch(tail.metrics(), epoch),
        Err(_) => Vec::new(),
    }
}
