//! What data a recipe's `data_dir` holds, in a few characters: two runs are on the same data if
//! these are equal, in any folders.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::epoch::SYNTHETIC;
use traintop_disk::read;

/// Limit of files whose content is sampled; of more, this many at even distances in the order of
/// their names.
const SAMPLED: usize = 256;
/// Pieces of such a file, evenly apart.
const PIECES: u64 = 16;
/// Bytes of a piece.
const PIECE: usize = 4096;
/// No data set that we read has its files deeper.
const MAX_DEPTH: usize = 8;

/// The fingerprint of the data at `data_dir`: of the names of all files, and of the sizes and
/// pieces of the content of at most 256 of them. What is hidden does not count. A change between
/// the pieces of a large file, or in a file that is not among the 256, is not seen: this is a
/// matter of milliseconds, not of reading all. `None` if the folder cannot be read.
pub fn fingerprint(data_dir: &str) -> Option<String> {
    if data_dir == SYNTHETIC {
        return Some(SYNTHETIC.to_owned());
    }
    let folder = from_home(data_dir);
    let mut files = Vec::new();
    if folder.is_file() {
        files.push(PathBuf::new());
    } else {
        list(&folder, Path::new(""), 0, &mut files).ok()?;
    }
    files.sort();
    let mut hash = Hash::default();
    for file in &files {
        hash.take(file.as_os_str().as_encoded_bytes());
        hash.take(b"\n");
    }
    let sampled = files.len().min(SAMPLED);
    for number in 0..sampled {
        let name = &files[number * files.len() / sampled];
        let path = if name.as_os_str().is_empty() {
            folder.clone()
        } else {
            folder.join(name)
        };
        sample(&path, &mut hash).ok()?;
    }
    Some(format!("1-{:016x}", hash.0))
}

/// A folder as people type it: `~/` is their home.
fn from_home(folder: &str) -> PathBuf {
    match (folder.strip_prefix("~/"), directories::BaseDirs::new()) {
        (Some(below), Some(folders)) => folders.home_dir().join(below),
        _ => PathBuf::from(folder),
    }
}

/// The files in `folder` and below, by their paths below it. Links to files are files; links to
/// folders are followed no deeper than folders are.
fn list(folder: &Path, below: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = below.join(name);
        let kind = entry.file_type()?;
        let is_folder = kind.is_dir() || (kind.is_symlink() && folder.join(&path).is_dir());
        if !is_folder {
            files.push(path);
        } else if depth < MAX_DEPTH {
            list(folder, &path, depth + 1, files)?;
        }
    }
    Ok(())
}

fn sample(path: &Path, hash: &mut Hash) -> io::Result<()> {
    let file = read::open(path)?;
    let size = file.metadata()?.len();
    hash.take(&size.to_le_bytes());
    let mut buffer = [0; PIECE];
    let mut end = 0;
    for piece in 0..PIECES {
        // The last piece ends where the file does.
        let at = piece * size.saturating_sub(PIECE as u64) / (PIECES - 1);
        if piece > 0 && at <= end {
            // Of a short file the pieces overlap: it is read on from where the last one ended.
            let read = file.read_at(&mut buffer, end)?;
            hash.take(&buffer[..read]);
            end += read as u64;
            continue;
        }
        let read = file.read_at(&mut buffer, at)?;
        hash.take(&buffer[..read]);
        end = at + read as u64;
    }
    Ok(())
}

/// FNV-1a with 64 bits (Fowler, Noll and Vo): the same on every machine and in every version; it
/// need not resist attacks.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(folder: &Path) -> Option<String> {
        fingerprint(folder.to_str().unwrap())
    }

    #[test]
    fn a_copy_is_the_same_data_and_any_change_of_a_small_file_is_another() {
        let place = tempfile::tempdir().unwrap();
        let folder = |name: &str, files: &[(&str, &[u8])]| {
            let folder = place.path().join(name);
            for (file, bytes) in files {
                let path = folder.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
            of(&folder).unwrap()
        };
        let long: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        let mut other = long.clone();
        *other.last_mut().unwrap() ^= 1;
        let first = folder("a", &[("train/x", b"123"), ("y", &long), (".hidden", b"a")]);
        assert_eq!(first, folder("b", &[("train/x", b"123"), ("y", &long)]));
        for (name, files) in [
            ("c", [("train/x", &b"124"[..]), ("y", &long)]),
            ("d", [("train/z", b"123"), ("y", &long)]),
            ("e", [("train/x", b"123"), ("y", &long[1..])]),
            ("f", [("train/x", b"123"), ("y", &other)]),
        ] {
            assert_ne!(first, folder(name, &files), "{name}");
        }
        let file = place.path().join("a/y");
        assert!(of(&file).is_some() && of(&file) != Some(first));
        assert_eq!(of(&place.path().join("none")), None);
        assert_eq!(fingerprint("synthetic").as_deref(), Some("synthetic"));
    }

    #[test]
    fn every_byte_of_a_short_file_counts() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x");
        // As long as all pieces together at the most.
        for size in [1, 100, PIECE, PIECE + 1, 3 * PIECE, 16 * PIECE] {
            let mut bytes = vec![7; size];
            fs::write(&path, &bytes).unwrap();
            let before = of(&path);
            for at in [0, size / 3, size / 2, size - 1] {
                bytes[at] ^= 1;
                fs::write(&path, &bytes).unwrap();
                assert_ne!(before, of(&path), "byte {at} of {size}");
                bytes[at] ^= 1;
            }
        }
    }
}
