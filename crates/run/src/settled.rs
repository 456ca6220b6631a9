//! When a last row without a line end counts: the same for every list, screen and export.

use std::io;
use std::time::SystemTime;

use super::discover::Found;
use super::formats::Source;
use super::state::SILENCE;

/// Takes the last row of metrics that were read if it has no line end and nothing of the run has
/// changed for a while, so that it is not half of a row that is being written.
///
/// # Errors
/// If the file cannot be read.
pub fn settle(source: &mut dyn Source, found: &Found, now: SystemTime) -> io::Result<()> {
    if found.silent_for(now) > SILENCE {
        source.settle()?;
    }
    Ok(())
}

/// Reads a run's metrics whole. What was read before an error is there all the same.
pub fn read(found: &Found, now: SystemTime) -> (Box<dyn Source>, io::Result<()>) {
    let mut source = found.open_metrics();
    let read = source
        .poll()
        .and_then(|_| settle(source.as_mut(), found, now));
    (source, read)
}
