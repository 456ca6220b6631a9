//! Follows a growing metrics file: only new bytes are read and parsed, and the result is the same
//! as a full read at any moment.

use std::fs::{File, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::Shape;
use super::decoded::Decoded;
use super::limits::Limits;
use super::parallel_read;
use super::reader::Reader;
use super::series::Metrics;
use crate::judging::TrainerMetric;
use traintop_disk::read;

const SMALLEST_READ: usize = 4096;
/// How many bytes at the start (the header) and before the offset must be what they were for the
/// file to count as the same, only longer.
const REMEMBERED: [u64; 2] = [4096, 256];

/// What is done with each part that was read; `true` at the start of a file that is read again.
type OnPart<'a> = &'a mut dyn FnMut(&mut Reader, bool);

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
    limits: Limits,
    reader: Reader,
    /// Bytes of complete lines that were read.
    offset: u64,
    /// The file at the last poll.
    seen: Stamp,
    /// Hash of the file's beginning and of the bytes before `offset`.
    fingerprint: u64,
    /// Whether the last row had no line end and was taken on trust.
    provisional: bool,
    /// How the file's bytes become lines, if they are not.
    decoded: Option<Decoded>,
    /// Whether `offset` is within a line that is too long to be a row: the rest of it is passed
    /// over.
    in_long_line: bool,
    /// Finds out what the trainer says that counts, and in which folder, as long as nothing does.
    judge: Option<(Judge, PathBuf)>,
}

/// Which metric the trainer of the run in a folder says that counts.
type Judge = fn(&Path) -> Option<TrainerMetric>;

/// By this a file that has changed is recognised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified_ns: i128,
    inode: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            modified_ns: i128::from(metadata.mtime()) * 1_000_000_000
                + i128::from(metadata.mtime_nsec()),
            inode: metadata.ino(),
        }
    }
}

impl Tail {
    /// A tail that has read nothing yet: the first [`Tail::poll`] reads the whole file.
    pub fn open(path: impl Into<PathBuf>) -> Self {
        Self::with_limits(path, Limits::default())
    }

    fn with_limits(path: impl Into<PathBuf>, limits: Limits) -> Self {
        Self {
            path: path.into(),
            limits,
            reader: Reader::new(limits),
            offset: 0,
            seen: Stamp::default(),
            fingerprint: 0,
            provisional: false,
            decoded: None,
            in_long_line: false,
            judge: None,
        }
    }

    /// The metric that the trainer of the run in `dir` judges by is looked up with each change
    /// until it is found: the files that state it may come later than the first rows.
    pub fn judge_by(&mut self, judge: Judge, dir: &Path) {
        self.judge = Some((judge, dir.to_owned()));
        self.look_up_judge();
    }

    fn look_up_judge(&mut self) {
        if let Some((judge, dir)) = &self.judge
            && self.reader.metrics().judging.trainer.is_none()
        {
            self.reader.judge_by(judge(dir).map(Arc::new));
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What has been read so far, and not taken.
    pub fn metrics(&self) -> &Metrics {
        self.reader.metrics()
    }

    /// Whether the file was read to its end and holds nothing but a header, or nothing at all. A
    /// line that is not finished, and one that was not understood, is something.
    pub fn is_blank(&self) -> bool {
        self.is_at_end() && self.reader.is_blank()
    }

    /// Whether the file was read to its end, and every line is a header or a row of numbers.
    pub fn is_understood(&self) -> bool {
        self.is_at_end() && self.reader.is_understood()
    }

    fn is_at_end(&self) -> bool {
        // A file that had to be unpacked or decoded first does not count as understood.
        self.offset == self.seen.length && !self.in_long_line && self.decoded.is_none()
    }

    /// Hands over what has been read, so that it is held once: after the first time only what is
    /// new since the last, for [`Metrics::absorb`]. After [`Change::Reread`] it is everything.
    pub fn take(&mut self) -> Metrics {
        self.reader.take()
    }

    /// Reads what is new. The file is opened again each time, which makes network file systems show
    /// changes.
    ///
    /// # Errors
    /// If the file cannot be opened or read; what was read before stays.
    pub fn poll(&mut self) -> io::Result<Change> {
        self.poll_then(&mut |_, _| {})
    }

    /// As [`Tail::poll`], and hands over what is new in parts of a few megabytes, each for
    /// [`Metrics::absorb`], so that a large file is never in memory as a whole. `true` means that
    /// the file is read again and earlier parts are void.
    ///
    /// # Errors
    /// As [`Tail::poll`]; the parts until then are no whole.
    pub fn poll_in_parts(&mut self, mut part: impl FnMut(Metrics, bool)) -> io::Result<Change> {
        self.poll_then(&mut |reader, anew| part(reader.take(), anew))
    }

    fn poll_then(&mut self, part: OnPart) -> io::Result<Change> {
        let file = read::open(&self.path)?;
        let metadata = file.metadata()?;
        let seen = Stamp::of(&metadata);
        if seen == self.seen && self.offset > 0 {
            return Ok(Change::Unchanged);
        }
        self.look_up_judge();
        let same = self.offset > 0
            && !self.provisional
            && seen.inode == self.seen.inode
            && seen.length >= self.offset
            && fingerprint(&file, self.offset)? == self.fingerprint;
        if same || self.offset == 0 {
            let (rows, before) = (self.metrics().rows, self.offset);
            self.read_on(&file, seen, part)?;
            if self.correct(&file, seen, part)? {
                return Ok(Change::Reread);
            }
            let grown = self.metrics().rows - rows;
            return Ok(if self.offset == before {
                Change::Unchanged
            } else {
                Change::Grew(grown)
            });
        }
        let mut anew = Self::with_limits(&self.path, self.limits);
        anew.reader.judge_by(self.metrics().judging.trainer.clone());
        anew.judge.clone_from(&self.judge);
        part(&mut anew.reader, true);
        anew.read_on(&file, seen, part)?;
        *self = anew;
        self.correct(&file, seen, part)?;
        Ok(Change::Reread)
    }

    /// Reads all again if the first lines showed that another column places the rows, or that the
    /// header is another line; returns whether it did.
    fn correct(&mut self, file: &File, seen: Stamp, part: OnPart) -> io::Result<bool> {
        let mut is_corrected = false;
        // Where the header was found, rows may show in turn that something else places them.
        while let Some(reader) = self.reader.corrected() {
            let mut anew = Self::with_limits(&self.path, self.limits);
            anew.reader = reader;
            anew.judge.clone_from(&self.judge);
            part(&mut anew.reader, true);
            anew.read_on(file, seen, part)?;
            *self = anew;
            is_corrected = true;
        }
        Ok(is_corrected)
    }

    fn read_on(&mut self, file: &File, seen: Stamp, part: OnPart) -> io::Result<()> {
        let before = self.offset;
        if self.offset == 0 && self.decoded.is_none() {
            self.decoded = Decoded::needed(&self.path, file, self.limits)?;
        }
        if let Some(decoded) = &mut self.decoded {
            let range = (self.offset, seen.length);
            let after = &mut |reader: &mut Reader| part(reader, false);
            decoded.read(file, range, self.limits, &mut self.reader, after)?;
            self.offset = seen.length;
        } else {
            self.read_lines(file, seen.length, part)?;
        }
        if self.offset != before {
            self.fingerprint = fingerprint(file, self.offset)?;
        }
        self.seen = seen;
        Ok(())
    }

    /// Takes a last row that has no line end, for a file that nothing writes any more. It is taken
    /// back if the file grows after all.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn settle(&mut self) -> io::Result<()> {
        if self.provisional || self.in_long_line {
            return Ok(());
        }
        let rest = match &self.decoded {
            Some(decoded) => decoded.held().to_vec(),
            None => self.unfinished()?,
        };
        self.provisional = self.reader.settle();
        if self.reader.is_whole_row(&rest) {
            self.reader.push(&rest);
            self.provisional = true;
        }
        Ok(())
    }

    /// What follows the last line end.
    fn unfinished(&self) -> io::Result<Vec<u8>> {
        let file = read::open(&self.path)?;
        let length = file
            .metadata()?
            .len()
            .saturating_sub(self.offset)
            .min(self.limits.line as u64);
        let mut rest = vec![0; length as usize];
        let read = file.read_at(&mut rest, self.offset)?;
        rest.truncate(read);
        Ok(rest)
    }

    /// Reads the complete lines from the offset to the file's end; `length` is what the file had a
    /// moment ago. A chunk is not larger than what is left: clearing megabytes for each of a
    /// thousand small files took longer than reading them.
    fn read_lines(&mut self, file: &File, length: u64, part: OnPart) -> io::Result<()> {
        let mut chunk = Vec::new();
        let mut may_read_ahead = true;
        loop {
            let held = chunk.len();
            let is_large =
                may_read_ahead && length.saturating_sub(self.offset) >= self.limits.parallel;
            if is_large
                && !self.in_long_line
                && !self.reader.looks_at_rows()
                && let Some(shape) = self.reader.plain_shape()
            {
                chunk.clear();
                self.read_ahead(file, length, shape, part)?;
                may_read_ahead = false;
                continue;
            }
            let left = length.saturating_sub(self.offset + held as u64) as usize;
            let most = if is_large && self.reader.looks_at_rows() {
                self.limits.first
            } else {
                self.limits.chunk
            };
            chunk.resize(held + left.clamp(SMALLEST_READ, most), 0);
            let read = file.read_at(&mut chunk[held..], self.offset + held as u64)?;
            chunk.truncate(held + read);
            if read == 0 {
                return Ok(());
            }
            if self.in_long_line {
                let end = memchr::memchr(b'\n', &chunk).map_or(chunk.len(), |at| at + 1);
                self.in_long_line = chunk[end - 1] != b'\n';
                self.offset += end as u64;
                chunk.drain(..end);
            }
            if let Some(last) = memchr::memrchr(b'\n', &chunk) {
                self.reader.push(&chunk[..=last]);
                self.offset += last as u64 + 1;
                chunk.drain(..=last);
                part(&mut self.reader, false);
            }
            if chunk.len() > self.limits.line {
                self.reader.skip_line();
                self.in_long_line = true;
                self.offset += chunk.len() as u64;
                chunk.clear();
            }
        }
    }

    /// Reads complete lines from the offset on as far as it goes, in pieces that threads have read
    /// and parsed ahead.
    fn read_ahead(
        &mut self,
        file: &File,
        length: u64,
        shape: Shape,
        part: OnPart,
    ) -> io::Result<()> {
        let limits = self.limits;
        let (reader, offset) = (&mut self.reader, &mut self.offset);
        let mut since_part = 0;
        let range = (*offset, length);
        parallel_read::read(file, range, shape, limits, &mut |lines, block| {
            reader.push_parsed(lines, block, shape);
            // With each piece, so that an error leaves what was read and where it ends in step.
            *offset += lines.len() as u64;
            since_part += lines.len();
            if since_part >= limits.chunk {
                part(reader, false);
                since_part = 0;
            }
        })?;
        if since_part > 0 {
            part(&mut self.reader, false);
        }
        Ok(())
    }
}

/// A hash of the file's beginning (where its header is) and of the bytes before `offset`.
fn fingerprint(file: &File, offset: u64) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    let [head, end] = REMEMBERED.map(|length| length.min(offset));
    for (start, length) in [(0, head), (offset - end, end)] {
        let mut bytes = vec![0; length as usize];
        let read = file.read_at(&mut bytes, start)?;
        bytes[..read].hash(&mut hasher);
    }
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests;
