//! Decoded images kept as bytes in the user's cache folder, so that a folder of sixty thousand
//! files is decoded once.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use traintop_disk::read;
use traintop_disk::write::{make_folders, replace_with};

use super::Split;
use super::image_folder::Entry;

/// Changes with the form of the file.
const MAGIC: &[u8; 8] = b"ttimgs02";
/// Magic, key, sum, height, width, count: eight bytes each. They are at the end, after the images
/// and the labels, so that the buffer becomes the images by truncation.
const TAIL: usize = 48;
/// Bytes that one thread sums at a time.
const BLOCK: usize = 1 << 20;

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

    /// What is kept; `None` if there is nothing, or it is of another condition of the folder, or
    /// damaged.
    pub fn load(&self) -> Option<Split> {
        let mut bytes = read::bytes(&self.path, u64::MAX).ok()?;
        let (body, tail) = bytes.split_last_chunk::<TAIL>()?;
        let field = |at: usize| tail.as_chunks().0.get(at).copied().map(u64::from_le_bytes);
        let size = |at: usize| field(at).and_then(|size| usize::try_from(size).ok());
        let (height, width, count) = (size(3)?, size(4)?, size(5)?);
        let images = [3, height, width, count]
            .into_iter()
            .try_fold(1_usize, usize::checked_mul)?;
        if !tail.starts_with(MAGIC)
            || field(1) != Some(self.key)
            || body.len() != images.checked_add(count.checked_mul(8)?)?
            || field(2) != Some(sum(body))
        {
            return None;
        }
        let labels = body[images..]
            .chunks_exact(8)
            .map(|label| label.try_into().map(i64::from_le_bytes));
        let labels = labels.collect::<Result<_, _>>().ok()?;
        bytes.truncate(images);
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
            make_folders(folder)?;
        }
        let labels = split.labels.iter().flat_map(|label| label.to_le_bytes());
        let mut body = split.images.clone();
        body.extend(labels);
        replace_with(&self.path, |file| {
            file.write_all(&body)?;
            file.write_all(MAGIC)?;
            for field in [
                self.key,
                sum(&body),
                split.height as u64,
                split.width as u64,
                split.labels.len() as u64,
            ] {
                file.write_all(&field.to_le_bytes())?;
            }
            Ok(())
        })
    }
}

fn sum(bytes: &[u8]) -> u64 {
    let sums: Vec<u64> = bytes.par_chunks(BLOCK).map(hash).collect();
    hash(&sums)
}

fn hash<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
