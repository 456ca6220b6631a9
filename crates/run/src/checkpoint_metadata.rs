//! What a checkpoint tells of its run beside the tensors: settings, epoch, accuracy, and the reference's history of metrics. Reads no
//! tensor and executes nothing.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::Value as Json;
use zip::{CompressionMethod, ZipArchive};

use super::safetensors;
use traintop_disk::read;
use traintop_pickle as pickle;
use traintop_pickle::Value;

/// A pickle beside its tensors that is longer holds more than settings and histories.
const MAX_PICKLE: u64 = 64 << 20;
/// Settings that are longer are none.
const MAX_CONFIG: usize = 1 << 20;

/// Files of a `.pth`: one for each tensor, and a few more.
const MAX_FILES: u64 = 100_000;

/// Opens a zip as `PyTorch` writes one: its table of contents at the very end, for which the reader
/// makes room before it looks at it.
///
/// # Errors
/// If it is none, or claims more files than there can be.
pub fn open_zip<R: Read + Seek>(mut file: R) -> io::Result<ZipArchive<R>> {
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

/// What a checkpoint tells; what is not known is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CheckpointMetadata {
    /// Epochs that were trained.
    pub epoch: Option<u32>,
    /// The validation accuracy of these weights, percent.
    pub val_acc: Option<f64>,
    /// The best so far: its epoch, where that is known, and its accuracy in percent.
    pub best: Option<(Option<u32>, f64)>,
    /// Seconds trained.
    pub elapsed_s: Option<f64>,
    /// The settings.
    pub config: Option<Json>,
    /// A list of numbers for each metric.
    pub metrics_history: Option<Json>,
}

/// What the reference's trainer keeps beside the tensors, as far as it is there.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Extras {
    /// Counted from 0.
    pub epoch: Option<i64>,
    /// In percent.
    pub best_acc: Option<f64>,
    /// The settings' fields.
    pub config: Option<Json>,
    /// A list of numbers for each metric.
    pub metrics_history: Option<Json>,
}

impl Extras {
    /// Takes them out of a `.pth`'s pickle.
    pub fn of(value: Value<'_>) -> Self {
        Self {
            epoch: value.get("epoch").and_then(Value::as_int),
            best_acc: value.get("best_acc").and_then(Value::as_float),
            config: value.get("config").map(Value::to_json),
            metrics_history: value.get("metrics_history").map(Value::to_json),
        }
    }
}

impl CheckpointMetadata {
    /// Reads what a `.safetensors` or a `.pth` tells.
    ///
    /// # Errors
    /// If it is neither, or damaged.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut file = BufReader::new(read::open(path)?);
        let mut start = [0; 4];
        file.read_exact(&mut start)?;
        file.rewind()?;
        if start == *b"PK\x03\x04" {
            Self::of_pth(file)
        } else {
            Self::of_safetensors(file)
        }
    }

    fn of_safetensors(file: impl Read) -> io::Result<Self> {
        let entries = safetensors::texts(file)?;
        let number = |key: &str| entries.get(key).and_then(|text| text.parse::<f64>().ok());
        let epoch = number("epoch").or_else(|| number("epochs_done"));
        let best = number("best_val_acc");
        Ok(Self {
            epoch: epoch.map(|epoch| epoch as u32),
            val_acc: number("val_acc"),
            best: best.map(|best| (number("best_epoch").map(|epoch| epoch as u32), best)),
            elapsed_s: number("elapsed_s"),
            config: entries
                .get("config")
                .filter(|text| text.len() <= MAX_CONFIG)
                .and_then(|text| serde_json::from_str(text).ok()),
            metrics_history: None,
        })
    }

    fn of_pth(file: impl Read + Seek) -> io::Result<Self> {
        let mut archive = open_zip(file)?;
        let name = archive.file_names().find(|name| name.ends_with("data.pkl"));
        let name = name
            .map(str::to_owned)
            .ok_or_else(|| io::Error::other("it is a zip without PyTorch's data.pkl"))?;
        let pickled = archive.by_name(&name).map_err(io::Error::other)?;
        // PyTorch compresses nothing: nothing is unpacked that could grow.
        if pickled.compression() != CompressionMethod::Stored || pickled.size() > MAX_PICKLE {
            return Err(io::Error::other("its data.pkl is not as PyTorch writes it"));
        }
        let mut bytes = Vec::new();
        pickled.take(MAX_PICKLE).read_to_end(&mut bytes)?;
        let pickle = pickle::parse(&bytes).map_err(io::Error::other)?;
        let extras = Extras::of(pickle.value());
        Ok(Self {
            epoch: extras
                .epoch
                .and_then(|epoch| u32::try_from(epoch.checked_add(1)?).ok()),
            val_acc: None,
            best: extras.best_acc.map(|best| (None, best)),
            elapsed_s: None,
            config: extras.config,
            metrics_history: extras.metrics_history,
        })
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
