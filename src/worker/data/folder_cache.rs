//! Decoded images kept as bytes in the user's cache folder, so that a folder of sixty thousand files is decoded once.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use traintop::run::write::replace_with;

use super::Split;
use super::image_folder::Entry;

/// Changes with the form of the file.
const MAGIC: &[u8; 8] = b"ttimgs01";
/// Magic, key, sum, height, width, count: eight bytes each.
const HEAD: usize = 48;

/// Where the images of one folder, in its present condition, are kept.
pub struct Place {
    path: PathBuf,
    key: u64,
}

impl Place {
    /// The place for a folder; its key is made of every file's name, size and time.
    pub fn of(cache: &Path, folder: &Path, entries: &[Entry]) -> Self {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let stamps: Vec<_> = entries
            .par_iter()
            .map(|entry| {
                let stamp = fs::metadata(&entry.path)
                    .map(|file| (file.len(), file.mtime(), file.mtime_nsec()))
                    .ok();
                (&entry.path, entry.label, stamp)
            })
            .collect();
        Self {
            path: cache.join(format!("{:016x}.bin", hash(&folder))),
            key: hash(&stamps),
        }
    }

    /// What is kept; `None` if there is nothing, or it is of another condition of the folder, or damaged.
    pub fn load(&self) -> Option<Split> {
        let mut bytes = fs::read(&self.path).ok()?;
        let field = |at: usize| {
            Some(u64::from_le_bytes(
                bytes.get(8 * at..8 * at + 8)?.try_into().ok()?,
            ))
        };
        let [key, sum, height, width, count] =
            [field(1)?, field(2)?, field(3)?, field(4)?, field(5)?];
        let (height, width, count) = (
            usize::try_from(height).ok()?,
            usize::try_from(width).ok()?,
            usize::try_from(count).ok()?,
        );
        let image = height.checked_mul(width)?.checked_mul(3)?;
        let expected = image
            .checked_add(8)?
            .checked_mul(count)?
            .checked_add(HEAD)?;
        if !bytes.starts_with(MAGIC)
            || key != self.key
            || bytes.len() != expected
            || sum != hash(&bytes[HEAD..])
        {
            return None;
        }
        let labels = bytes[HEAD..HEAD + 8 * count]
            .chunks_exact(8)
            .map(|label| label.try_into().map(i64::from_le_bytes));
        let labels = labels.collect::<Result<_, _>>().ok()?;
        bytes.drain(..HEAD + 8 * count);
        Some(Split {
            images: bytes,
            labels,
            height,
            width,
        })
    }

    /// Keeps a split in place of what was kept of the folder before.
    pub fn store(&self, split: &Split) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut body: Vec<u8> = split
            .labels
            .iter()
            .flat_map(|label| label.to_le_bytes())
            .collect();
        body.extend_from_slice(&split.images);
        replace_with(&self.path, |file| {
            file.write_all(MAGIC)?;
            for field in [
                self.key,
                hash(&body[..]),
                split.height as u64,
                split.width as u64,
                split.labels.len() as u64,
            ] {
                file.write_all(&field.to_le_bytes())?;
            }
            file.write_all(&body)
        })
    }
}

fn hash<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
