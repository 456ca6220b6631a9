//! Summaries kept between starts, so that ten thousand unchanged runs open without parsing one.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::discover::{Found, Stamp};
use super::summary::Summary;
use super::write::replace_file;

/// Another version's file is not read.
const VERSION: u32 = 1;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    version: u32,
    runs: HashMap<PathBuf, ([Stamp; 3], Summary)>,
}

/// The cache file, read once.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    content: Content,
    changed: bool,
}

impl Cache {
    /// Reads the cache in `folder`; a missing, damaged or other version's file is an empty cache.
    pub fn open(folder: &Path) -> Self {
        let path = folder.join("summaries.json");
        let content: Content = fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        let content = if content.version == VERSION {
            content
        } else {
            Content::default()
        };
        Self {
            path,
            content,
            changed: false,
        }
    }

    /// The summary of a run that has not changed since it was stored.
    pub fn lookup(&self, found: &Found) -> Option<&Summary> {
        let (stamps, summary) = self.content.runs.get(found.dir.path())?;
        (*stamps == found.stamps).then_some(summary)
    }

    /// Keeps a summary. Those of active runs are not kept: their state is a matter of this moment.
    pub fn store(&mut self, found: &Found, summary: &Summary) {
        if summary.observed.state.is_active() {
            return;
        }
        let kept = (
            found.stamps,
            Summary {
                progress: None,
                ..summary.clone()
            },
        );
        let old = self
            .content
            .runs
            .insert(found.dir.path().to_owned(), kept.clone());
        // NaN in a trend makes equal summaries unequal; one write too many does no harm.
        self.changed |= old != Some(kept);
    }

    /// Writes the cache if it changed, without the runs that are gone.
    ///
    /// # Errors
    /// If it cannot be written; the cache is then as it was.
    pub fn flush(&mut self) -> io::Result<()> {
        if !self.changed {
            return Ok(());
        }
        self.content.version = VERSION;
        self.content.runs.retain(|path, _| path.exists());
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        replace_file(&self.path, &serde_json::to_vec(&self.content)?)?;
        self.changed = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::layout::RunDir;
    use std::time::{Duration, SystemTime};

    #[test]
    fn unchanged_runs_come_from_the_cache_and_changed_ones_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        fs::create_dir(&run).unwrap();
        fs::write(run.join("metrics.csv"), "epoch,loss\n1,nan\n").unwrap();
        let found = Found::look(RunDir::new(&run));
        let summary = Summary::load(&found, SystemTime::now() + Duration::from_secs(600));
        let mut cache = Cache::open(folder.path());
        assert!(cache.lookup(&found).is_none());
        cache.store(&found, &summary);
        cache.flush().unwrap();
        let cache = Cache::open(folder.path());
        assert_eq!(
            cache.lookup(&found).map(|cached| &cached.name),
            Some(&summary.name)
        );
        fs::write(run.join("metrics.csv"), "epoch,loss\n1,2\n2,1\n").unwrap();
        assert!(cache.lookup(&Found::look(RunDir::new(&run))).is_none());
    }

    #[test]
    fn damaged_cache_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("summaries.json"),
            "{\"version\":1,\"runs\":{",
        )
        .unwrap();
        assert!(Cache::open(folder.path()).content.runs.is_empty());
    }
}
