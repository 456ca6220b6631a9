//! Summaries kept between starts, so that ten thousand unchanged runs open without parsing one.
//!
//! The file has a line for each run, `[last used, stamps, path]`, a tab and the summary, both JSON (which never holds a bare tab or
//! line end). A start reads only what stands before the tabs; a summary is parsed when it is asked for.

use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::discover::{Found, Stamp};
use super::summary::Summary;
use super::write::replace_file;

/// The first line. Another version's file is not read.
const VERSION: &str = "traintop summaries 5";

/// Runs that nobody has listed for so many days are let go. Asking the disk which ones are gone would take long where it is slow.
const KEPT_DAYS: u32 = 60;

/// What stands before the tab: the day of the last use, the run's stamps and its folder.
type Key = (u32, [Stamp; 5], String);

#[derive(Debug)]
struct Entry {
    used: u32,
    stamps: [Stamp; 5],
    /// The summary as JSON.
    json: Box<str>,
}

/// The cache file, read once.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    /// By the runs' folders, as text: a path is hashed part by part, at some times the cost.
    entries: HashMap<String, Entry>,
    today: u32,
    changed: bool,
}

impl Cache {
    /// Reads the cache in `folder`; a missing, damaged or other version's file is an empty cache.
    pub fn open(folder: &Path) -> Self {
        let path = folder.join("summaries");
        Self {
            entries: read(&path),
            path,
            today: today(),
            changed: false,
        }
    }

    /// The summary of a run that has not changed since it was stored.
    pub fn lookup(&mut self, found: &Found) -> Option<Summary> {
        let entry = self.entries.get_mut(found.dir.path().to_str()?)?;
        if entry.stamps != found.stamps {
            return None;
        }
        let summary = serde_json::from_str(&entry.json);
        self.changed |= entry.used != self.today;
        entry.used = self.today;
        summary
            .inspect_err(|error| log::warn!("{}: {error}", self.path.display()))
            .ok()
    }

    /// Keeps a summary. Those of active runs are not kept: their state is a matter of this moment.
    pub fn store(&mut self, found: &Found, summary: &Summary) {
        if summary.observed.state.is_active() {
            return;
        }
        // A folder whose name is no text cannot be written as JSON; such a run is read each time.
        let (Some(path), Ok(json)) = (found.dir.path().to_str(), serde_json::to_string(summary))
        else {
            return;
        };
        let entry = Entry {
            used: self.today,
            stamps: found.stamps,
            json: json.into(),
        };
        self.entries.insert(path.to_owned(), entry);
        self.changed = true;
    }

    /// Writes the cache if it changed, with what other dashboards have written meanwhile.
    ///
    /// # Errors
    /// If it cannot be written; the cache is then as it was.
    pub fn flush(&mut self) -> io::Result<()> {
        if !self.changed {
            return Ok(());
        }
        for (path, theirs) in read(&self.path) {
            self.entries.entry(path).or_insert(theirs);
        }
        let today = self.today;
        self.entries
            .retain(|_, entry| entry.used.saturating_add(KEPT_DAYS) >= today);
        let mut text = format!("{VERSION}\n");
        for (path, entry) in &self.entries {
            text += &serde_json::to_string(&(entry.used, entry.stamps, path))?;
            text.push('\t');
            text += &entry.json;
            text.push('\n');
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        replace_file(&self.path, text.as_bytes())?;
        self.changed = false;
        Ok(())
    }
}

fn read(path: &Path) -> HashMap<String, Entry> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                log::warn!("{}: starting without it: {error}", path.display());
            }
            return HashMap::new();
        }
    };
    let mut lines = text.lines();
    if lines.next() != Some(VERSION) {
        log::info!("{}: is of another version", path.display());
        return HashMap::new();
    }
    let entries: Option<_> = lines.map(entry).collect();
    entries.unwrap_or_else(|| {
        log::warn!("{}: is damaged, starting without it", path.display());
        HashMap::new()
    })
}

fn entry(line: &str) -> Option<(String, Entry)> {
    let (key, json) = line.split_once('\t')?;
    let (used, stamps, path): Key = serde_json::from_str(key).ok()?;
    let json = json.into();
    Some((path, Entry { used, stamps, json }))
}

/// Days since 1970.
fn today() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| (since.as_secs() / 86_400) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::layout::RunDir;
    use std::time::Duration;

    /// A run that ended long ago, in a folder of this name.
    fn run(below: &Path, name: &str) -> (Found, Summary) {
        let dir = below.join(name);
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("metrics.csv"), "epoch,loss\n1,nan\n2,0.1\n").unwrap();
        let found = Found::look(RunDir::new(dir));
        let summary = Summary::load(&found, SystemTime::now() + Duration::from_secs(600));
        (found, summary)
    }

    #[test]
    fn unchanged_runs_come_from_the_cache_and_changed_ones_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let (found, summary) = run(folder.path(), "a\ttab and a \"quote\"\n");
        let mut cache = Cache::open(folder.path());
        assert!(cache.lookup(&found).is_none());
        cache.store(&found, &summary);
        cache.flush().unwrap();
        let mut cache = Cache::open(folder.path());
        // NaN is not equal to itself: compare what is shown.
        let shown = |summary: Option<Summary>| format!("{summary:?}");
        assert_eq!(shown(cache.lookup(&found)), shown(Some(summary)));
        assert!(!cache.changed);
        fs::write(
            found.dir.path().join("metrics.csv"),
            "epoch,loss\n1,2\n2,1\n",
        )
        .unwrap();
        assert!(cache.lookup(&Found::look(found.dir)).is_none());
    }

    #[test]
    fn damaged_cache_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let (found, summary) = run(folder.path(), "run");
        let mut cache = Cache::open(folder.path());
        cache.store(&found, &summary);
        cache.flush().unwrap();
        let whole = fs::read(&cache.path).unwrap();
        for length in 0..whole.len() - 1 {
            fs::write(&cache.path, &whole[..length]).unwrap();
            assert!(Cache::open(folder.path()).lookup(&found).is_none());
        }
        fs::write(&cache.path, b"\xff\xfe").unwrap();
        let mut cache = Cache::open(folder.path());
        cache.store(&found, &summary);
        cache.flush().unwrap();
        assert!(Cache::open(folder.path()).lookup(&found).is_some());
    }

    #[test]
    fn two_dashboards_keep_what_each_has_read() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (run(folder.path(), "one"), run(folder.path(), "two"));
        let (mut first, mut second) = (Cache::open(folder.path()), Cache::open(folder.path()));
        first.store(&one.0, &one.1);
        second.store(&two.0, &two.1);
        first.flush().unwrap();
        second.flush().unwrap();
        let mut cache = Cache::open(folder.path());
        assert!(cache.lookup(&one.0).is_some() && cache.lookup(&two.0).is_some());
    }

    #[test]
    fn runs_that_nobody_lists_any_more_are_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (run(folder.path(), "old"), run(folder.path(), "new"));
        let mut cache = Cache::open(folder.path());
        cache.store(&old.0, &old.1);
        cache.flush().unwrap();
        let mut cache = Cache::open(folder.path());
        cache.today += KEPT_DAYS + 1;
        cache.store(&new.0, &new.1);
        cache.flush().unwrap();
        let mut cache = Cache::open(folder.path());
        assert!(cache.lookup(&old.0).is_none() && cache.lookup(&new.0).is_some());
    }
}
