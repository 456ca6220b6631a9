//! The end of a log, following its growth: only what is new is read.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

use traintop_disk::read;
use traintop_text::clean;

/// How much of an existing log is read at first.
const FIRST: u64 = 1 << 20;

/// The last lines of a log.
#[derive(Debug, Clone)]
pub struct LogTail {
    path: PathBuf,
    keep: usize,
    lines: VecDeque<String>,
    /// Lines that were let go.
    before: u64,
    /// Bytes of a line whose end has not been written yet.
    partial: Vec<u8>,
    offset: u64,
    inode: u64,
    /// Lines that [`LogTail::news`] has given.
    given: u64,
    /// Whether the log was replaced since.
    is_anew: bool,
}

impl LogTail {
    /// A tail that keeps the last `keep` lines.
    pub fn open(path: impl Into<PathBuf>, keep: usize) -> Self {
        Self {
            path: path.into(),
            keep,
            lines: VecDeque::new(),
            before: 0,
            partial: Vec::new(),
            offset: 0,
            inode: 0,
            given: 0,
            is_anew: false,
        }
    }

    /// The lines, oldest first, cleaned for a terminal; a line whose end is not written yet is the
    /// last.
    pub fn lines(&self) -> Vec<String> {
        self.lines
            .iter()
            .cloned()
            .chain(self.unfinished())
            .collect()
    }

    /// The beginning of a line whose end is not written yet.
    pub fn unfinished(&self) -> Option<String> {
        (!self.partial.is_empty()).then(|| shown(&self.partial))
    }

    /// Whether the log was cut or replaced since [`LogTail::news`] last gave lines of it.
    pub fn is_anew(&self) -> bool {
        self.is_anew
    }

    /// Gives all lines again.
    pub fn again(&mut self) {
        self.given = 0;
    }

    /// Whole lines that were read and not given yet, as far as they are still kept.
    pub fn news(&mut self) -> Vec<String> {
        let from = self.given.saturating_sub(self.before) as usize;
        self.given = self.before + self.lines.len() as u64;
        self.is_anew = false;
        self.lines.iter().skip(from).cloned().collect()
    }

    /// Reads what is new; says whether there was any. A log that was cut or replaced is read again.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn poll(&mut self) -> io::Result<bool> {
        let file = read::open(&self.path)?;
        let metadata = file.metadata()?;
        let length = metadata.len();
        if metadata.ino() != self.inode || length < self.offset {
            let was_read = self.inode != 0;
            *self = Self::open(std::mem::take(&mut self.path), self.keep);
            self.is_anew = was_read;
            self.inode = metadata.ino();
            self.offset = length.saturating_sub(FIRST);
            // The first line is likely cut: it is dropped with all before its end.
            let mut bytes = read(&file, self.offset, length)?;
            let skip = if self.offset > 0 {
                memchr::memchr(b'\n', &bytes).map_or(0, |at| at + 1)
            } else {
                0
            };
            self.offset = length;
            self.take(&bytes.split_off(skip));
            return Ok(true);
        }
        if length == self.offset {
            return Ok(false);
        }
        let start = self.offset.max(length.saturating_sub(FIRST));
        let bytes = read(&file, start, length)?;
        self.offset = length;
        self.take(&bytes);
        Ok(true)
    }

    fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            // A line that never ends is shown in parts.
            if piece.ends_with(b"\n") || self.partial.len() as u64 >= FIRST {
                self.lines.push_back(shown(&self.partial));
                self.partial.clear();
            }
        }
        while self.lines.len() > self.keep {
            self.lines.pop_front();
            self.before += 1;
        }
    }
}

fn read(file: &File, start: u64, end: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; (end - start) as usize];
    let read = file.read_at(&mut bytes, start)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// A line as a terminal would leave it: of a progress bar redrawn by carriage returns, the last
/// state.
fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches(['\n', '\r']);
    clean(text.rsplit('\r').next().unwrap_or(text)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    #[test]
    fn follows_growth_keeps_the_end_and_cleans() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("training.log");
        fs::write(&path, "one\ntwo\n10%\r50%\r100%\nhal").unwrap();
        let mut tail = LogTail::open(&path, 2);
        assert!(tail.poll().unwrap());
        assert_eq!(tail.lines(), ["two", "100%", "hal"]);
        assert!(!tail.poll().unwrap());
        fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"f\n\x1b[31mred\n")
            .unwrap();
        assert!(tail.poll().unwrap());
        assert_eq!(tail.lines(), ["half", "red"]);
        fs::write(&path, "new\n").unwrap();
        assert!(tail.poll().unwrap());
        assert_eq!(tail.lines(), ["new"]);
    }
}
