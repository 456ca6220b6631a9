//! Follows a growing metrics file: only new bytes are read and parsed, and the result is the same as a full read at any
//! moment.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::reader::Reader;
use super::series::Metrics;

/// How much is read at once.
const CHUNK: usize = 8 << 20;
const SMALLEST_READ: usize = 4096;
/// How many bytes before the offset must be what they were for the file to count as the same, only longer.
const REMEMBERED: u64 = 256;

/// What a poll found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing new.
    Unchanged,
    /// This many more rows.
    Grew(usize),
    /// Another file, or the same rewritten: everything was read again.
    Reread,
}

/// A metrics file, followed.
#[derive(Debug, Clone)]
pub struct Tail {
    path: PathBuf,
    reader: Reader,
    /// Bytes of complete lines that were read.
    offset: u64,
    /// Length, modification time (ns) and inode at the last poll.
    seen: (u64, i128, u64),
    /// Hash of the file's first line and of the bytes before `offset`.
    fingerprint: u64,
    /// Whether the last row had no line end and was taken on trust.
    provisional: bool,
}

impl Tail {
    /// A tail that has read nothing yet: the first [`Tail::poll`] reads the whole file.
    pub fn open(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            reader: Reader::default(),
            offset: 0,
            seen: (0, 0, 0),
            fingerprint: 0,
            provisional: false,
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What has been read so far, and not taken.
    pub fn metrics(&self) -> &Metrics {
        self.reader.metrics()
    }

    /// Hands over what has been read, so that it is held once: after the first time only what is new since the last, for
    /// [`Metrics::absorb`]. After [`Change::Reread`] it is everything.
    pub fn take(&mut self) -> Metrics {
        self.reader.take()
    }

    /// Reads what is new. The file is opened anew each time, which is what makes network file systems show changes.
    ///
    /// # Errors
    /// If the file cannot be opened or read; what was read before stays.
    pub fn poll(&mut self) -> io::Result<Change> {
        let file = File::open(&self.path)?;
        let metadata = file.metadata()?;
        let modified =
            i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        let seen = (metadata.len(), modified, metadata.ino());
        if seen == self.seen && self.offset > 0 {
            return Ok(Change::Unchanged);
        }
        let same = self.offset > 0
            && !self.provisional
            && seen.2 == self.seen.2
            && seen.0 >= self.offset
            && fingerprint(&file, self.offset)? == self.fingerprint;
        let reread = self.offset > 0 && !same;
        if !same {
            *self = Self::open(std::mem::take(&mut self.path));
        }
        let rows = self.metrics().rows;
        let before = self.offset;
        self.read_lines(&file, seen.0)?;
        if self.offset != before {
            self.fingerprint = fingerprint(&file, self.offset)?;
        }
        self.seen = seen;
        Ok(match self.metrics().rows.saturating_sub(rows) {
            _ if reread => Change::Reread,
            0 if self.offset == before => Change::Unchanged,
            grown => Change::Grew(grown),
        })
    }

    /// Takes a last row that has no line end, for a file that nothing writes any more. It is taken back if the file grows
    /// after all.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn settle(&mut self) -> io::Result<()> {
        if self.provisional {
            return Ok(());
        }
        let file = File::open(&self.path)?;
        let length = file
            .metadata()?
            .len()
            .saturating_sub(self.offset)
            .min(CHUNK as u64);
        let mut rest = vec![0; length as usize];
        let read = file.read_at(&mut rest, self.offset)?;
        rest.truncate(read);
        if self.reader.is_whole_row(&rest) {
            self.reader.push(&rest);
            self.provisional = true;
        }
        Ok(())
    }

    /// Reads the complete lines from the offset to the file's end; `length` is what the file had a moment ago. A chunk is not
    /// larger than what is left: clearing megabytes for each of a thousand small files took longer than reading them.
    fn read_lines(&mut self, file: &File, length: u64) -> io::Result<()> {
        let mut chunk = Vec::new();
        loop {
            let held = chunk.len();
            let left = length.saturating_sub(self.offset + held as u64) as usize;
            chunk.resize(held + left.clamp(SMALLEST_READ, CHUNK), 0);
            let read = file.read_at(&mut chunk[held..], self.offset + held as u64)?;
            chunk.truncate(held + read);
            if read == 0 {
                return Ok(());
            }
            if let Some(last) = memchr::memrchr(b'\n', &chunk[held..]) {
                let end = held + last + 1;
                self.reader.push(&chunk[..end]);
                self.offset += end as u64;
                chunk.drain(..end);
            }
        }
    }
}

/// A hash of the file's beginning (where its header is) and of the bytes before `offset`.
fn fingerprint(file: &File, offset: u64) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    for start in [0, offset.saturating_sub(REMEMBERED)] {
        let mut bytes = vec![0; REMEMBERED.min(offset) as usize];
        let read = file.read_at(&mut bytes, start)?;
        bytes[..read].hash(&mut hasher);
    }
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests;
