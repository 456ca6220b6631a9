//! Writing so that a reader, or a power cut, finds a file whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A name beside `path` that no other writer uses, hidden and recognisable as temporary.
pub fn beside(path: &Path) -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".{name}.{}-{number}.tmp", std::process::id()))
}

/// Whether a file was to be renamed once it was whole, by its name: `.NAME.PID-NUMBER.tmp`, as [`beside`] makes them.
pub fn is_temporary(name: &str) -> bool {
    let inner = name
        .strip_prefix('.')
        .and_then(|name| name.strip_suffix(".tmp"));
    let number = inner.and_then(|inner| inner.rsplit('.').next());
    number.is_some_and(|number| {
        let parts: Vec<&str> = number.split('-').collect();
        let is_number =
            |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        parts.len() == 2 && parts.iter().all(is_number)
    })
}

/// Replaces a file by what `fill` writes: beside it first, onto the disk, then renamed over it.
///
/// # Errors
/// Whatever writing or renaming fails with; the old file is then untouched and nothing is left beside it.
pub fn replace_with(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let temporary = beside(path);
    let written = File::create(&temporary).and_then(|mut file| {
        fill(&mut file)?;
        file.sync_all()
    });
    let replaced = written.and_then(|()| fs::rename(&temporary, path));
    if replaced.is_err() {
        // The first error is the one to tell; a leftover is only untidy.
        let _ = fs::remove_file(&temporary);
    }
    replaced
}

/// Replaces a file by these bytes: see [`replace_with`].
///
/// # Errors
/// As [`replace_with`].
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, |file| file.write_all(bytes))
}

/// Appends `row` and a line end in one write, so that no reader sees half of it unless the disk is full.
///
/// # Errors
/// Whatever the write fails with.
pub fn append_row(file: &mut File, row: &str) -> io::Result<()> {
    file.write_all(format!("{row}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_names_are_known_again() {
        for path in ["run.json", "a.b", ".hidden", "-1.tmp", "x.12-3.tmp"] {
            let beside = beside(Path::new(path));
            assert!(is_temporary(beside.to_str().unwrap()), "{beside:?}");
            assert!(!is_temporary(path), "{path}");
        }
        for name in [
            ".a.tmp",
            ".a.1.tmp",
            ".a.1-.tmp",
            ".a.1-2-3.tmp",
            ".a.1-x.tmp",
        ] {
            assert!(!is_temporary(name), "{name}");
        }
    }

    #[test]
    fn failed_replacement_keeps_the_old_file_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        replace_file(&path, b"old").unwrap();
        let failed = replace_with(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
