//! When a last row without a line end counts: the same for every list, screen and export.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use super::formats::{Facts, Source};
use super::found::Found;
use super::judging;
use super::metrics::Metrics;
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

/// A run's metrics, read to their end.
#[derive(Debug)]
pub struct SettledRun {
    /// They know how the run is judged. What was read before an error is there all the same.
    pub metrics: Metrics,
    /// What the same files say beside the metrics, where they do.
    pub facts: Option<Facts>,
    /// The file that a problem names.
    pub path: PathBuf,
    pub read: io::Result<()>,
}

/// Reads a run's metrics whole.
pub fn read(found: &Found, now: SystemTime) -> SettledRun {
    let mut source = found.open_metrics();
    let read = source
        .poll()
        .and_then(|_| settle(source.as_mut(), found, now));
    let mut metrics = source.take();
    metrics.judging.settings = judging::of(found.dir.path()).settings;
    SettledRun {
        metrics,
        facts: source.facts(),
        path: source.path().to_owned(),
        read,
    }
}

#[cfg(test)]
mod tests {
    use super::super::RunDir;
    use super::*;
    use std::fs;

    #[test]
    fn metrics_that_are_read_whole_know_how_their_run_is_judged() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("metrics.csv", "epoch,val_acc,val_loss\n1,50,2\n");
        write(judging::PROJECT_FILE, "[metrics]\nprimary = 'val_loss'\n");
        let found = Found::look(RunDir::new(folder.path()));
        let whole = read(&found, SystemTime::now());
        let primaries: Vec<_> = whole.metrics.judging.primaries().collect();
        assert_eq!(primaries, ["val_loss"]);
        assert_eq!(whole.metrics.rows, 1);
    }
}
