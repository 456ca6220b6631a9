//! Summaries kept between starts, so that ten thousand unchanged runs open without parsing one.
//!
//! The file has a line for each run, its folder, `[last used, stamps, judging]` and its summary,
//! all JSON (which never holds a bare tab or line end), with tabs between them. A start reads only
//! the first two fields; the summary is parsed on demand.

use std::collections::HashMap;
use std::fmt::Write;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::found::{Found, Stamp};
use super::judging;
use super::summary::Summary;
use traintop_disk::read;
use traintop_disk::write::{make_folders, replace_file};

/// The first line. Another version's file is not read.
const VERSION: &str = "traintop summaries 13";

/// Runs not listed for this many days are dropped. Asking the disk which ones are gone would take
/// long where it is slow.
const KEPT_DAYS: u32 = 60;

/// The second field: the day of the last use, the run's stamps, and a digest of the metric settings
/// of user and project.
type Head = (u32, [Stamp; 5], u64);

/// Where the cache has the summary of a run.
#[derive(Debug)]
struct Entry {
    /// The part of [`Cache::text`] that holds the head, a tab and the summary.
    place: Range<usize>,
    /// Whether it was used since the cache was opened.
    used: bool,
}

/// The cache file, read once.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    /// The file as it was read, and behind it what has been stored since.
    text: String,
    /// By the runs' folders as JSON: a path is hashed part by part, at some times the cost.
    entries: HashMap<String, Entry>,
    today: u32,
    changed: bool,
}

impl Cache {
    /// Reads the cache in `folder`; a missing, damaged or other version's file is an empty cache.
    pub fn open(folder: &Path) -> Self {
        let path = folder.join("summaries");
        let (text, entries) = read(&path);
        Self {
            path,
            text,
            entries,
            today: today(),
            changed: false,
        }
    }

    /// The summary of a run that has not changed since it was stored.
    pub fn lookup(&mut self, found: &Found) -> Option<Summary> {
        let entry = self.entries.get_mut(&key(found)?)?;
        let (head, summary) = self.text[entry.place.clone()].split_once('\t')?;
        let read = || -> serde_json::Result<Option<(u32, Summary)>> {
            let (used, stamps, judging_digest): Head = serde_json::from_str(head)?;
            if stamps != found.stamps || judging_digest != judging::of(found.dir.path()).digest() {
                return Ok(None);
            }
            Ok(Some((used, serde_json::from_str(summary)?)))
        };
        let (used, summary) = read()
            .inspect_err(|error| log::warn!("{}: {error}", self.path.display()))
            .ok()??;
        entry.used = true;
        self.changed |= used != self.today;
        Some(summary)
    }

    /// Keeps a summary. Those of active runs, and of jobs that Slurm may have more to say of, are
    /// not kept: their state is a matter of this moment.
    pub fn store(&mut self, found: &Found, summary: &Summary) {
        let is_open = summary.job.as_ref().is_some_and(|job| job.is_open);
        if summary.observed.state.is_active() || is_open {
            return;
        }
        // A folder whose name is no text cannot be written as JSON; such a run is read each time.
        let (Some(key), Ok(head), Ok(summary)) = (
            key(found),
            serde_json::to_string(&(
                self.today,
                found.stamps,
                judging::of(found.dir.path()).digest(),
            )),
            serde_json::to_string(summary),
        ) else {
            return;
        };
        let begin = self.text.len();
        self.text.extend([&head, "\t", &summary]);
        let place = begin..self.text.len();
        self.entries.insert(key, Entry { place, used: true });
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
        let (theirs, others) = read(&self.path);
        let others = others
            .into_iter()
            .filter(|(key, _)| !self.entries.contains_key(key));
        let mut text = format!("{VERSION}\n");
        let mut put = |key: &str, entry: &Entry, from: &str| -> io::Result<()> {
            let Some((head, summary)) = from[entry.place.clone()].split_once('\t') else {
                return Ok(());
            };
            let (used, stamps, judging_digest): Head = serde_json::from_str(head)?;
            let used = if entry.used { self.today } else { used };
            if used.saturating_add(KEPT_DAYS) >= self.today {
                let head = serde_json::to_string(&(used, stamps, judging_digest))?;
                // A string takes all that is written to it.
                let _ = writeln!(text, "{key}\t{head}\t{summary}");
            }
            Ok(())
        };
        for (key, entry) in &self.entries {
            put(key, entry, &self.text)?;
        }
        for (key, entry) in others {
            put(&key, &entry, &theirs)?;
        }
        if let Some(folder) = self.path.parent() {
            make_folders(folder)?;
        }
        replace_file(&self.path, text.as_bytes())?;
        self.changed = false;
        Ok(())
    }
}

/// A run's folder as JSON, if it is text.
fn key(found: &Found) -> Option<String> {
    serde_json::to_string(found.dir.path().to_str()?).ok()
}

/// The file with the places of its entries; nothing of a missing, damaged or other version's file.
fn read(path: &Path) -> (String, HashMap<String, Entry>) {
    let text = match read::text(path, read::JOURNAL_LIMIT) {
        Ok(text) => text,
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                log::warn!("{}: starting without it: {error}", path.display());
            }
            return <_>::default();
        }
    };
    if text.lines().next() != Some(VERSION) {
        log::info!("{}: is of another version", path.display());
        return <_>::default();
    }
    match places(&text) {
        Some(entries) => (text, entries),
        None => {
            log::warn!("{}: is damaged, starting without it", path.display());
            <_>::default()
        }
    }
}

/// Where each run's line has what it says of it; `None` if a line is not whole.
fn places(text: &str) -> Option<HashMap<String, Entry>> {
    let mut begin = VERSION.len() + 1;
    let mut entries = HashMap::new();
    for end in memchr::memchr_iter(b'\n', text.as_bytes()).skip(1) {
        let (key, rest) = text[begin..end].split_once('\t')?;
        let place = end - rest.len()..end;
        rest.contains('\t').then_some(())?;
        entries.insert(key.to_owned(), Entry { place, used: false });
        begin = end + 1;
    }
    (begin >= text.len()).then_some(entries)
}

/// Days since 1970.
fn today() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| (since.as_secs() / 86_400) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::RunDir;
    use std::fs;
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
