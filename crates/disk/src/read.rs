//! Opening and reading files of a tree that anyone may have written to. A pipe would block for ever
//! and a device has no end, so only regular files are opened, and every read has a limit in bytes.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};

/// The limit for files that a person or a program writes by hand or as a record: JSON, TOML, notes.
pub const RECORD_LIMIT: u64 = 16 << 20;
/// The limit for journals; one of a hundred thousand files takes about 15 MB.
pub const JOURNAL_LIMIT: u64 = 64 << 20;

/// Opens a regular file for reading. Links are followed; what they lead to must be a regular file.
///
/// # Errors
/// Those of `open(2)`, and [`ErrorKind::InvalidInput`] for a folder, pipe, socket or device.
pub fn open(path: &Path) -> io::Result<File> {
    // Without NONBLOCK, opening a pipe waits for its writer. Regular files ignore the flag.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    regular(File::from(openat(CWD, path, flags, Mode::empty())?))
}

/// The file, if it is a regular one.
pub(super) fn regular(file: File) -> io::Result<File> {
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    let what = if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    let message = format!("is {what}, not a regular file");
    Err(io::Error::new(ErrorKind::InvalidInput, message))
}

/// The bytes of a regular file of at most `limit` bytes.
///
/// # Errors
/// As [`open`], and [`ErrorKind::FileTooLarge`] if there are more bytes; the limit counts bytes
/// that were read, since a file may grow, and files such as those of `/proc` say that they are
/// empty.
pub fn bytes(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    limited(open(path)?, limit)
}

/// The first bytes of a regular file, at most `length`.
///
/// # Errors
/// As [`open`], and what reading gives.
pub fn beginning(path: &Path, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a regular file of at most `limit` bytes part by part. `each` is given what follows the
/// bytes that it has used, and says how many of these it uses; it may pass over more than there
/// are.
///
/// # Errors
/// As [`open`], and what reading gives.
pub fn in_chunks(path: &Path, limit: u64, each: &mut dyn FnMut(&[u8]) -> u64) -> io::Result<()> {
    const CHUNK: usize = 1 << 20;
    let file = open(path)?;
    let length = file.metadata()?.len().min(limit);
    let (mut offset, mut size, mut chunk) = (0, CHUNK, Vec::new());
    while offset < length {
        let left = usize::try_from(length - offset).unwrap_or(usize::MAX);
        chunk.resize(size.min(left), 0);
        let read = file.read_at(&mut chunk, offset)?;
        let used = each(&chunk[..read]);
        offset += used;
        match (used, read == left || read == 0) {
            (0, true) => break,
            (0, false) => size *= 2,
            _ => size = CHUNK,
        }
    }
    Ok(())
}

pub(super) fn limited(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len().min(limit);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let message = format!("is larger than {limit} bytes");
        return Err(io::Error::new(ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// The text of a regular file of at most `limit` bytes.
///
/// # Errors
/// As [`bytes`], and [`ErrorKind::InvalidData`] if it is not UTF-8.
pub fn text(path: &Path, limit: u64) -> io::Result<String> {
    let bytes = bytes(path, limit)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for path in [pipe.as_path(), link.as_path(), folder.path()] {
            let error = bytes(path, 10).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{path:?}: {error}");
        }
    }

    #[test]
    fn limit_counts_bytes_that_were_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(text(&path, 5).unwrap(), "12345");
        let error = text(&path, 4).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        // Files of /proc have no length.
        assert!(text(Path::new("/proc/self/status"), 1 << 20).is_ok());
        assert!(text(Path::new("/proc/self/status"), 10).is_err());
    }
}
