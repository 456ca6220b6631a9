//! Dropping an optimiser's state out of a checkpoint: what is left are the weights, byte by byte as
//! they were. The file is copied in pieces, so that its size does not matter.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use traintop_disk::read;
use traintop_run::checkpoints::MOMENTUM;
use traintop_run::safetensors;

/// What other trainers' names of an optimiser's tensors begin with.
const OPTIMIZER: &str = "optimizer.";

/// A tensor's place among a file's bytes, counted from the header's end.
struct Place {
    name: String,
    about: Value,
    start: u64,
    end: u64,
}

/// Bytes of optimiser state in a file that has weights beside it; 0 if there are none, or the file
/// is no safetensors.
pub fn bytes_in(path: &Path) -> u64 {
    let is_safetensors = path
        .extension()
        .is_some_and(|extension| extension == "safetensors");
    let dropped = || -> io::Result<u64> {
        let places = Header::read(&mut read::open(path)?)?.places;
        let all: u64 = places.iter().map(|place| place.end - place.start).sum();
        let dropped = places.iter().filter(|place| is_state(&place.name));
        let dropped: u64 = dropped.map(|place| place.end - place.start).sum();
        Ok(if dropped < all { dropped } else { 0 })
    };
    if is_safetensors {
        dropped().unwrap_or(0)
    } else {
        0
    }
}

/// Writes the file at `path` without its optimiser's state.
///
/// # Errors
/// If it cannot be read or written, or is no whole safetensors file.
pub fn drop_state(path: &Path, out: &mut File) -> io::Result<()> {
    let mut file = read::open(path)?;
    let Header {
        metadata,
        mut places,
        data_at,
    } = Header::read(&mut file)?;
    places.retain(|place| !is_state(&place.name));
    let mut header = Map::new();
    if let Some(metadata) = metadata {
        header.insert("__metadata__".to_owned(), metadata);
    }
    let mut at = 0;
    for place in &mut places {
        let length = place.end - place.start;
        place.about["data_offsets"] = json!([at, at + length]);
        header.insert(place.name.clone(), place.about.clone());
        at += length;
    }
    let mut text = serde_json::to_vec(&header)?;
    // Tensors begin at multiples of eight bytes.
    text.resize(text.len().next_multiple_of(8), b' ');
    out.write_all(&(text.len() as u64).to_le_bytes())?;
    out.write_all(&text)?;
    for place in &places {
        file.seek(SeekFrom::Start(data_at + place.start))?;
        let length = place.end - place.start;
        if io::copy(&mut (&mut file).take(length), out)? < length {
            return Err(damaged("ends before its last tensor does"));
        }
    }
    Ok(())
}

fn is_state(name: &str) -> bool {
    name.starts_with(MOMENTUM) || name.starts_with(OPTIMIZER)
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(
        ErrorKind::InvalidData,
        format!("not a whole safetensors file: {what}"),
    )
}

/// The header of a safetensors file.
struct Header {
    /// The file's own.
    metadata: Option<Value>,
    places: Vec<Place>,
    /// Where the tensors' bytes begin.
    data_at: u64,
}

impl Header {
    fn read(file: &mut File) -> io::Result<Self> {
        let bytes = safetensors::header(&mut *file)?;
        let data_at = 8 + bytes.len() as u64;
        let data = file.metadata()?.len().saturating_sub(data_at);
        let mut header: Map<String, Value> = serde_json::from_slice(&bytes)?;
        let metadata = header.shift_remove("__metadata__");
        let places = header.into_iter().map(|(name, about)| {
            let offset = |at: usize| about["data_offsets"][at].as_u64();
            match (offset(0), offset(1)) {
                (_, Some(end)) if end > data => Err(damaged("ends before its last tensor does")),
                (Some(start), Some(end)) if start <= end => Ok(Place {
                    name,
                    about,
                    start,
                    end,
                }),
                _ => Err(damaged("a tensor has no place")),
            }
        });
        let mut places: Vec<Place> = places.collect::<io::Result<_>>()?;
        places.sort_by_key(|place| (place.start, place.end));
        // Overlapping tensors, written one after the other, could be far longer than the file.
        if places
            .array_windows()
            .any(|[one, next]| next.start < one.end)
        {
            return Err(damaged("two tensors have the same place"));
        }
        Ok(Self {
            metadata,
            places,
            data_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A safetensors file of these tensors, each filled with bytes that identify it.
    pub fn file(path: &Path, names: &[(&str, u64)]) {
        let mut header = Map::new();
        header.insert("__metadata__".to_owned(), json!({ "epochs_done": "7" }));
        let (mut at, mut data) = (0, Vec::new());
        for (number, (name, length)) in names.iter().enumerate() {
            let about =
                json!({ "dtype": "U8", "shape": [length], "data_offsets": [at, at + length] });
            header.insert((*name).to_owned(), about);
            at += length;
            data.extend(vec![number as u8; *length as usize]);
        }
        let text = serde_json::to_vec(&header).unwrap();
        let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
        bytes.extend(text);
        bytes.extend(data);
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn weights_stay_byte_by_byte_and_the_state_goes() {
        let folder = tempfile::tempdir().unwrap();
        let (path, slim) = (
            folder.path().join("last.safetensors"),
            folder.path().join("slim.safetensors"),
        );
        let names = [
            ("momentum.a", 40),
            ("conv.weight", 16),
            ("momentum.b", 5),
            ("average.conv.weight", 24),
        ];
        file(&path, &names);
        assert_eq!(bytes_in(&path), 45);
        drop_state(&path, &mut File::create(&slim).unwrap()).unwrap();
        let Header {
            metadata,
            places,
            data_at,
        } = Header::read(&mut File::open(&slim).unwrap()).unwrap();
        assert_eq!(metadata.unwrap()["epochs_done"], "7");
        let tensors: Vec<_> = places
            .iter()
            .map(|place| (place.name.as_str(), place.start, place.end))
            .collect();
        assert_eq!(
            tensors,
            [("conv.weight", 0, 16), ("average.conv.weight", 16, 40)]
        );
        let bytes = fs::read(&slim).unwrap();
        let data = &bytes[data_at as usize..];
        assert_eq!(data, [vec![1; 16], vec![3; 24]].concat());
        assert_eq!((data_at % 8, bytes_in(&slim)), (0, 0));
    }

    #[test]
    fn what_is_no_checkpoint_is_refused_and_counts_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        let out = &mut File::create(folder.path().join("out")).unwrap();
        for bytes in [&b""[..], b"half", &[255; 64], b"\x02\0\0\0\0\0\0\0{]"] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(bytes_in(&path), 0);
            assert!(drop_state(&path, out).is_err());
        }
        file(&path, &[("a", 8), ("momentum.a", 8), ("b", 8)]);
        let short = fs::read(&path).unwrap();
        fs::write(&path, &short[..short.len() - 4]).unwrap();
        let error = drop_state(&path, out).unwrap_err().to_string();
        assert!(error.contains("ends before its last tensor"), "{error}");
    }
}
