//! A growing log, line by line, none left out.

use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use traintop_disk::read;
use traintop_text::clean;

/// Limit of one read, in bytes; a longer line is shown in parts.
const MAX_READ: u64 = 8 << 20;

/// Reads what has been added to a file since the last time.
pub struct Lines {
    path: PathBuf,
    offset: u64,
    /// The beginning of a line whose end is not written yet.
    partial: Vec<u8>,
}

impl Lines {
    /// Of a file that need not exist yet, from its beginning.
    pub fn of(path: PathBuf) -> Self {
        Self {
            path,
            offset: 0,
            partial: Vec::new(),
        }
    }

    /// The lines that are whole by now and were not returned before, cleaned for a terminal. What
    /// cannot be read is not there yet.
    pub fn read(&mut self) -> Vec<String> {
        let mut added = Vec::new();
        let read = read::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.offset))?;
            file.take(MAX_READ).read_to_end(&mut added)
        });
        if read.is_err() {
            return Vec::new();
        }
        self.offset += added.len() as u64;
        self.partial.append(&mut added);
        let end = match memchr::memrchr(b'\n', &self.partial) {
            Some(end) => end + 1,
            None if self.partial.len() as u64 >= MAX_READ => self.partial.len(),
            None => return Vec::new(),
        };
        let rest = self.partial.split_off(end);
        let whole = std::mem::replace(&mut self.partial, rest);
        String::from_utf8_lossy(&whole)
            .lines()
            .map(|line| clean(line).into_owned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;

    #[test]
    fn each_line_comes_once_and_only_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("training.log");
        let mut lines = Lines::of(path.clone());
        assert!(lines.read().is_empty());
        let mut file = File::create(path).unwrap();
        file.write_all(b"one\ntwo\nthr").unwrap();
        assert_eq!(lines.read(), ["one", "two"]);
        assert!(lines.read().is_empty());
        file.write_all(b"ee\n\x1b[31mred\n").unwrap();
        assert_eq!(lines.read(), ["three", "red"]);
    }
}
