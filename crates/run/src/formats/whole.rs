//! Metrics that are read as a whole whenever one of their files changed: a trainer rewrites them,
//! or they are many small files.

use std::io;
use std::path::{Path, PathBuf};

use super::points::Points;
use super::{Facts, Source};
use crate::found::Stamp;
use crate::metrics::{Change, Metrics};

/// Which files there are now.
type Find = fn(&Path) -> Vec<PathBuf>;

/// Reads the files of a folder.
type Read = fn(&Path, &[PathBuf]) -> io::Result<Points>;

/// The files, followed.
#[derive(Debug)]
pub struct RewrittenFiles {
    dir: PathBuf,
    /// The file that a problem names.
    path: PathBuf,
    find: Find,
    read: Read,
    seen: Vec<(PathBuf, Stamp)>,
    points: Points,
}

impl RewrittenFiles {
    /// Nothing is read yet.
    pub fn new(dir: &Path, find: Find, read: Read) -> Self {
        Self {
            dir: dir.to_owned(),
            path: dir.to_owned(),
            find,
            read,
            seen: Vec::new(),
            points: Points::default(),
        }
    }
}

impl Source for RewrittenFiles {
    fn path(&self) -> &Path {
        &self.path
    }

    fn metrics(&self) -> &Metrics {
        self.points.metrics()
    }

    fn facts(&self) -> Option<Facts> {
        self.points.facts().cloned()
    }

    fn take(&mut self) -> Metrics {
        self.points.take()
    }

    fn poll(&mut self) -> io::Result<Change> {
        let files = (self.find)(&self.dir);
        let Some(first) = files.first() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        self.path.clone_from(first);
        let stamps = files.iter().map(|file| (file.clone(), Stamp::of(file)));
        let stamps: Vec<_> = stamps.collect();
        if stamps == self.seen {
            return Ok(Change::Unchanged);
        }
        self.points = (self.read)(&self.dir, &files)?;
        let is_first = self.seen.is_empty();
        self.seen = stamps;
        Ok(if is_first {
            Change::Grew(self.points.metrics().rows)
        } else {
            Change::Reread
        })
    }
}
