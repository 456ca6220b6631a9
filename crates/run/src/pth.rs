//! `PyTorch`'s `.pth` as a file: a zip with a pickle and one file for each storage. Read without
//! trusting it: nothing is unpacked that could grow, and what a pickle calls is never called.

use std::io::{self, Read, Seek, SeekFrom};

use zip::{CompressionMethod, ZipArchive};

/// Files of a `.pth`: one for each tensor, and a few more.
const MAX_FILES: u64 = 100_000;

/// Opens a zip as `PyTorch` writes one: its table of contents at the very end, for which the reader
/// makes room before it looks at it.
///
/// # Errors
/// If it is none, or claims more files than there can be.
fn open_zip<R: Read + Seek>(mut file: R) -> io::Result<ZipArchive<R>> {
    // The end, and before it the locator and the end of the large form, which has room for any
    // number.
    const END: usize = 22;
    const LOCATOR: usize = 20;
    const LARGE_END: usize = 56;
    let refused = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let length = file.seek(SeekFrom::End(0))?;
    let mut tail = Vec::new();
    let from = length.saturating_sub((LARGE_END + LOCATOR + END) as u64);
    file.seek(SeekFrom::Start(from))?;
    (&mut file).take(length - from).read_to_end(&mut tail)?;
    let (rest, _) = tail
        .split_last_chunk::<END>()
        .filter(|(_, end)| end.starts_with(b"PK\x05\x06") && end.ends_with(&[0, 0]))
        .ok_or_else(|| refused("its table of contents is not at its end"))?;
    if let Some((rest, locator)) = rest.split_last_chunk::<LOCATOR>()
        && locator.starts_with(b"PK\x06\x07")
    {
        let number = |bytes: &[u8], at: usize| {
            let number = bytes.get(at..at + 8)?.first_chunk().copied();
            number.map(u64::from_le_bytes)
        };
        let is_here = rest.starts_with(b"PK\x06\x06") && number(locator, 8) == Some(from);
        let files = number(rest, 32).filter(|_| is_here);
        let files = files.ok_or_else(|| refused("its table of contents is not at its end"))?;
        if files > MAX_FILES {
            return Err(refused("it claims more files than a checkpoint has"));
        }
    }
    file.rewind()?;
    ZipArchive::new(file).map_err(io::Error::other)
}

/// Whether a file begins like a `.pth` of `PyTorch` 1.6 or later.
pub fn is_zip(beginning: &[u8]) -> bool {
    beginning.starts_with(b"PK\x03\x04")
}

/// A `.pth` whose table of contents has been read.
#[derive(Debug)]
pub struct PthFile<R> {
    archive: ZipArchive<R>,
    /// What all names in the zip begin with.
    root: String,
}

impl<R: Read + Seek> PthFile<R> {
    /// # Errors
    /// If it is no zip, or has no pickle; the rest of a sentence about the file.
    pub fn open(file: R) -> io::Result<Self> {
        let archive = open_zip(file)?;
        let root = archive
            .file_names()
            .filter_map(|name| name.strip_suffix("data.pkl"))
            .find(|root| root.is_empty() || root.ends_with('/'))
            .ok_or_else(|| io::Error::other("it is a zip without PyTorch's data.pkl"))?
            .to_owned();
        Ok(Self { archive, root })
    }

    /// The pickle, which says what the storages are.
    ///
    /// # Errors
    /// As [`Self::stored`].
    pub fn pickle(&mut self, limit: u64) -> io::Result<Vec<u8>> {
        self.stored("data.pkl", limit)
    }

    /// A file of the zip, of at most `limit` bytes.
    ///
    /// # Errors
    /// If there is none, it is longer, or it is compressed; the rest of a sentence about the
    /// `.pth`.
    pub fn stored(&mut self, name: &str, limit: u64) -> io::Result<Vec<u8>> {
        let name = format!("{}{name}", self.root);
        let failed = |error: &dyn std::fmt::Display| {
            io::Error::other(format!("its {name} cannot be read ({error})"))
        };
        let file = self
            .archive
            .by_name(&name)
            .map_err(|error| failed(&error))?;
        if file.compression() != CompressionMethod::Stored {
            return Err(failed(&"it is compressed, which PyTorch never does"));
        }
        if file.size() > limit {
            let size = file.size();
            return Err(failed(&format_args!(
                "it claims {size} bytes, and at most {limit} are read"
            )));
        }
        let mut bytes = Vec::new();
        file.take(limit)
            .read_to_end(&mut bytes)
            .map_err(|error| failed(&error))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    fn number(bytes: u64) -> [u8; 8] {
        bytes.to_le_bytes()
    }

    /// An archive with the large form of the end, as `PyTorch` writes one, that claims this many
    /// files.
    fn large(files: u64) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("archive/data.pkl", zip::write::FileOptions::default())
            .unwrap();
        zip.write_all(b"N.").unwrap();
        let whole = zip.finish().unwrap().into_inner();
        let (before, end) = whole.split_at(whole.len() - 22);
        let of = |range: std::ops::Range<usize>| {
            u64::from(u32::from_le_bytes(end[range].try_into().unwrap()))
        };
        let (size, start) = (of(12..16), of(16..20));
        let mut bytes = before.to_vec();
        let at = bytes.len() as u64;
        bytes.extend(b"PK\x06\x06");
        bytes.extend(number(44));
        bytes.extend([45, 0, 45, 0]);
        bytes.extend([0; 8]);
        for field in [files, files, size, start] {
            bytes.extend(number(field));
        }
        bytes.extend(b"PK\x06\x07");
        bytes.extend([0; 4]);
        bytes.extend(number(at));
        bytes.extend([1, 0, 0, 0]);
        bytes.extend(&end[..4]);
        bytes.extend([0; 4]);
        bytes.extend([255; 12]);
        bytes.extend([0, 0]);
        bytes
    }

    #[test]
    fn room_is_made_for_no_more_files_than_there_can_be() {
        let open = |bytes: &[u8]| open_zip(Cursor::new(bytes.to_vec())).map(|zip| zip.len());
        assert_eq!(open(&large(1)).unwrap(), 1);
        for bytes in [large(MAX_FILES + 1), large(u64::MAX)] {
            let error = open(&bytes).unwrap_err().to_string();
            assert!(error.contains("more files"), "{error}");
        }
        let mut moved = large(u64::MAX);
        // The locator names another place, where the reader would find another number.
        let at = moved.len() - 22 - 20 + 8;
        moved[at] ^= 1;
        let commented = [large(1), b"x".to_vec()].concat();
        for bytes in [moved, commented, b"PK\x03\x04".to_vec(), Vec::new()] {
            assert!(open(&bytes).is_err());
        }
    }
}
