//! `PyTorch`'s `.pth`: a zip with a pickle and one file for each storage. The pickle is read as data, so that a file from
//! anywhere may be opened; what it asks to be called is never called.

use std::io::{Cursor, Read};

use tch::Tensor;
use zip::{CompressionMethod, ZipArchive};

use super::torch::Layout;
use traintop_pickle as pickle;
use traintop_pickle::Value;
use traintop_run::checkpoint_metadata::{Extras, open_zip};

/// What a zip begins with.
const ZIP: &[u8] = b"PK\x03\x04";
/// What `PyTorch` before 1.6 begins its files with: a pickle of its magic number.
const LEGACY: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
/// What wrappers put before the name of every tensor of the network they wrap.
const WRAPPERS: [&str; 2] = ["module.", "_orig_mod."];
/// A file with more tensors is no network. One name or shape, shared by all of them, would be
/// copied for each.
const MAX_TENSORS: usize = 100_000;
const MAX_NAME: usize = 1000;
/// Where trainers keep the network's tensors; if there is none of these, the file may be the state dict itself.
const STATES: [&str; 3] = ["model_state_dict", "state_dict", "model"];

/// Whether a file begins like a `.pth` of today.
pub fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(ZIP)
}

/// Whether a file begins like a `.pth` of before 2020.
pub fn is_legacy(bytes: &[u8]) -> bool {
    bytes.starts_with(LEGACY)
}

/// A `.pth`, its pickle read, its storages still in the zip.
#[derive(Debug)]
pub struct Pth<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// What all names in the zip begin with.
    root: String,
    size: usize,
    /// The tensors of the network, in the file's order.
    pub tensors: Vec<(String, Layout)>,
    /// What the reference's trainer keeps beside them, as far as it is there.
    pub extras: Extras,
}

impl<'a> Pth<'a> {
    /// Reads the pickle in a zip.
    ///
    /// # Errors
    /// What is wrong with the file, as the rest of a sentence.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let mut archive = open_zip(Cursor::new(bytes)).map_err(|error| error.to_string())?;
        let root = archive
            .file_names()
            .find_map(|name| name.strip_suffix("data.pkl"))
            .filter(|root| root.is_empty() || root.ends_with('/'))
            .ok_or("it is a zip without PyTorch's data.pkl")?
            .to_owned();
        let size = bytes.len();
        if let Ok(order) = stored(&mut archive, &format!("{root}byteorder"), size)
            && order != b"little"
        {
            return Err("its numbers are big-endian, which is not read".to_owned());
        }
        let text = stored(&mut archive, &format!("{root}data.pkl"), size)?;
        let pickle = pickle::parse(&text).map_err(|error| format!("in its data.pkl {error}"))?;
        let value = pickle.value();
        let state = STATES.iter().find_map(|key| value.get(key));
        Ok(Self {
            tensors: tensors(state.unwrap_or(value))?,
            extras: state.map(|_| Extras::of(value)).unwrap_or_default(),
            archive,
            root,
            size,
        })
    }

    /// The tensor of a name; `None` if there is none.
    ///
    /// # Errors
    /// If its storage is damaged.
    pub fn tensor(&mut self, name: &str) -> Result<Option<Tensor>, String> {
        let Some((_, layout)) = self.tensors.iter().find(|(known, _)| known == name) else {
            return Ok(None);
        };
        let file = format!("{}data/{}", self.root, layout.storage);
        let bytes = layout
            .gather(&stored(&mut self.archive, &file, self.size)?)
            .ok_or_else(|| format!("its {file} is shorter than `{name}` needs"))?;
        let shape: Vec<i64> = layout.shape.iter().map(|&length| length as i64).collect();
        Tensor::f_from_data_size(&bytes, &shape, layout.number.kind)
            .map(Some)
            .map_err(|_| format!("its `{name}` is no tensor"))
    }
}

/// A file of the zip. `PyTorch` compresses nothing, so nothing is unpacked that could grow, and no file is longer than the whole.
fn stored(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    name: &str,
    most: usize,
) -> Result<Vec<u8>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("its {name} cannot be read ({error})");
    let file = archive.by_name(name).map_err(|error| failed(&error))?;
    if file.compression() != CompressionMethod::Stored || file.size() > most as u64 {
        return Err(failed(&"it is compressed, which PyTorch never does"));
    }
    let mut bytes = Vec::new();
    file.take(most as u64)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    Ok(bytes)
}

/// The tensors of a state dict, without what a wrapper puts before every name.
fn tensors(state: Value<'_>) -> Result<Vec<(String, Layout)>, String> {
    let is_dict = state
        .as_made()
        .is_none_or(|made| made.by == "collections.OrderedDict");
    let entries = state
        .as_dict()
        .filter(|entries| is_dict && entries.len() > 0)
        .ok_or(
            "it holds no state dict with tensors; write one by torch.save(model.state_dict(), ...)",
        )?;
    if entries.len() > MAX_TENSORS {
        return Err(format!(
            "its state dict has {} entries; at most {MAX_TENSORS} are read",
            entries.len()
        ));
    }
    let mut tensors = Vec::new();
    for (key, value) in entries {
        let name = key.as_text().ok_or("a tensor's name is no text")?;
        if name.len() > MAX_NAME {
            return Err(format!(
                "a tensor's name has {} bytes; at most {MAX_NAME} are read",
                name.len()
            ));
        }
        let layout = Layout::of(value)
            .ok_or_else(|| {
                format!(
                    "its {name:?} is no tensor; a state dict is expected, in the file or under {}",
                    STATES.map(|key| format!("{key:?}")).join(", ")
                )
            })?
            .map_err(|why| format!("its tensor `{name}` {why}"))?;
        tensors.push((name.to_owned(), layout));
    }
    for wrapper in WRAPPERS {
        if tensors.iter().all(|(name, _)| name.starts_with(wrapper)) {
            for (name, _) in &mut tensors {
                name.drain(..wrapper.len());
            }
        }
    }
    Ok(tensors)
}
