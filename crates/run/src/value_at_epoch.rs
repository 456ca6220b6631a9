//! A run's metrics at one epoch that need not be the last or the best.

use std::time::SystemTime;

use super::best_and_trend;
use super::found::Found;
use super::layout::RunDir;
use super::settled;

/// The columns with their values at the end of an epoch, as the file counts them; empty if it has
/// no such epoch or cannot be read.
pub fn values_at_epoch(dir: &RunDir, epoch: u32) -> Vec<(String, f64)> {
    let whole = settled::read(&Found::look(dir.clone()), SystemTime::now());
    match whole.read {
        Ok(()) => best_and_trend::at_epoch(&whole.metrics, epoch),
        Err(_) => Vec::new(),
    }
}
