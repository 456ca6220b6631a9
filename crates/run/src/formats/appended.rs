//! Files that grow by whole records: only what is new is read.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::points::Points;
use super::{Facts, Source};
use crate::judging::TrainerMetric;
use crate::metrics::{Change, Metrics};
use traintop_disk::read;

/// How much is read at once.
const CHUNK: usize = 4 << 20;

/// A record that is longer is damage: it is not held in memory.
const MAX_RECORD_BYTES: usize = 64 << 20;

/// How many bytes at a file's start must be what they were for it to be the same file.
const REMEMBERED: usize = 512;

/// Turns bytes into points.
pub trait Decoder: Debug + Default + Send {
    /// Another file begins.
    fn begin_file(&mut self, _points: &mut Points) {}

    /// Reads the complete records at the start of `bytes`, and says how many bytes these are. It
    /// may be more than there are: what is passed over need not be read. `is_last` says that
    /// nothing follows, so that a text without a line end may be whole.
    fn push(&mut self, bytes: &[u8], is_last: bool, points: &mut Points) -> u64;

    /// The metric that the trainer of the run in `dir` judges by, if it is stated outside of these
    /// files. It is called with each change until it returns one.
    fn judged_by(_dir: &Path) -> Option<TrainerMetric> {
        None
    }

    /// As [`Source::facts`], of the run in `dir`.
    fn facts(&self, _dir: &Path) -> Option<Facts> {
        None
    }
}

/// Which files there are now, in the order in which they are read.
type Find = fn(&Path) -> Vec<PathBuf>;

/// The files of a run, followed.
#[derive(Debug)]
pub struct Appended<D> {
    dir: PathBuf,
    find: Find,
    x_name: &'static str,
    /// Each file that was begun.
    files: Vec<Followed>,
    decoder: D,
    points: Points,
    /// Whether something was read on trust that it is whole.
    is_settled: bool,
}

#[derive(Debug)]
struct Followed {
    path: PathBuf,
    inode: u64,
    /// Bytes of complete records that were read.
    offset: u64,
    length: u64,
    /// The file's first bytes, as far as they were read.
    head: Vec<u8>,
}

impl<D: Decoder> Appended<D> {
    /// Nothing is read yet.
    pub fn new(dir: &Path, find: Find, x_name: &'static str) -> Self {
        Self {
            dir: dir.to_owned(),
            find,
            x_name,
            files: Vec::new(),
            decoder: D::default(),
            points: Points::new(x_name),
            is_settled: false,
        }
    }

    /// Whether the files that were read are, in this order, what they were, only longer.
    fn is_same(&self, paths: &[PathBuf]) -> io::Result<bool> {
        if self.is_settled && self.has_grown(paths) {
            return Ok(false);
        }
        let last = self.files.len().saturating_sub(1);
        for (at, (known, path)) in self.files.iter().zip(paths).enumerate() {
            let Ok(file) = read::open(path) else {
                return Ok(false);
            };
            let metadata = file.metadata()?;
            let mut head = vec![0; known.head.len()];
            let is_same = known.path == *path
                && metadata.ino() == known.inode
                && metadata.len() >= known.length
                // The decoder is behind the last file: what an earlier one gains is read with all.
                && (at == last || metadata.len() == known.length)
                && file.read_exact_at(&mut head, 0).is_ok()
                && head == known.head;
            if !is_same {
                return Ok(false);
            }
        }
        Ok(paths.len() >= self.files.len())
    }

    fn has_grown(&self, paths: &[PathBuf]) -> bool {
        paths.len() != self.files.len()
            || self.files.iter().any(|file| {
                let length = file.path.metadata().map_or(0, |metadata| metadata.len());
                length != file.length
            })
    }

    fn look_up_judge(&mut self) {
        if self.points.metrics().judging.trainer.is_none()
            && let Some(metric) = D::judged_by(&self.dir)
        {
            self.points.judge_by(metric);
        }
    }

    fn read_on(&mut self, paths: Vec<PathBuf>) -> io::Result<()> {
        for (at, path) in paths.into_iter().enumerate() {
            let file = read::open(&path)?;
            let metadata = file.metadata()?;
            if at == self.files.len() {
                self.decoder.begin_file(&mut self.points);
                self.files.push(Followed {
                    path,
                    inode: metadata.ino(),
                    offset: 0,
                    length: 0,
                    head: Vec::new(),
                });
            }
            self.read_file(at, &file, metadata.len(), false)?;
        }
        Ok(())
    }

    /// Reads a file from where reading ended as far as it goes.
    fn read_file(&mut self, at: usize, file: &File, length: u64, is_last: bool) -> io::Result<()> {
        let followed = &mut self.files[at];
        let mut size = CHUNK;
        let mut chunk = Vec::new();
        while followed.offset < length {
            let left = length - followed.offset;
            chunk.resize(size.min(usize::try_from(left).unwrap_or(size)), 0);
            let read = file.read_at(&mut chunk, followed.offset)?;
            if read == 0 {
                break;
            }
            let bytes = &chunk[..read];
            let held = followed.head.len();
            if held < REMEMBERED && followed.offset <= held as u64 {
                let start = held - followed.offset as usize;
                let new = bytes.get(start..).unwrap_or_default();
                followed.head.extend(new.iter().take(REMEMBERED - held));
            }
            let is_end = read as u64 == left;
            let done = self
                .decoder
                .push(bytes, is_last && is_end, &mut self.points);
            followed.offset = followed.offset.saturating_add(done);
            if done > 0 {
                size = CHUNK;
            } else if is_end {
                break;
            } else if size < MAX_RECORD_BYTES {
                size *= 4;
            } else {
                let what = format!(
                    "{}: a record is longer than {MAX_RECORD_BYTES} bytes; what follows is not read",
                    followed.path.display()
                );
                self.points.add_problem(0, what);
                followed.offset = length;
            }
        }
        // The skipped part may extend beyond the present end.
        followed.length = length;
        Ok(())
    }
}

impl<D: Decoder> Source for Appended<D> {
    fn path(&self) -> &Path {
        self.files.last().map_or(&self.dir, |file| &file.path)
    }

    fn metrics(&self) -> &Metrics {
        self.points.metrics()
    }

    fn take(&mut self) -> Metrics {
        self.points.take()
    }

    fn poll(&mut self) -> io::Result<Change> {
        let paths = (self.find)(&self.dir);
        if paths.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let had = !self.files.is_empty();
        if had && !self.is_same(&paths)? {
            let mut anew = Self::new(&self.dir, self.find, self.x_name);
            anew.read_on(paths)?;
            anew.look_up_judge();
            *self = anew;
            return Ok(Change::Reread);
        }
        let (rows, offset) = (self.points.metrics().rows, self.offset());
        self.read_on(paths)?;
        Ok(if had && self.offset() == offset {
            Change::Unchanged
        } else {
            self.look_up_judge();
            Change::Grew(self.points.metrics().rows.saturating_sub(rows))
        })
    }

    fn facts(&self) -> Option<Facts> {
        self.decoder.facts(&self.dir)
    }

    fn settle(&mut self) -> io::Result<()> {
        for at in 0..self.files.len() {
            let (offset, length) = (self.files[at].offset, self.files[at].length);
            if offset < length {
                let file = read::open(&self.files[at].path)?;
                self.read_file(at, &file, length, true)?;
                self.is_settled |= self.files[at].offset != offset;
            }
        }
        Ok(())
    }
}

impl<D> Appended<D> {
    fn offset(&self) -> u64 {
        let offsets = self.files.iter().map(|file| file.offset);
        offsets.fold(0, u64::saturating_add)
    }
}
