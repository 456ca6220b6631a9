//! `PyTorch`'s `.pth`: a zip with a pickle and one file for each storage. The pickle is read as
//! data, so that a file from anywhere may be opened; what it asks to be called is never called.

use std::io::Cursor;

use tch::Tensor;

use super::torch::Layout;
use traintop_pickle as pickle;
use traintop_pickle::Value;
use traintop_run::checkpoint_metadata::Extras;
use traintop_run::pth::PthFile;

/// What `PyTorch` before 1.6 begins its files with: a pickle of its magic number.
const LEGACY: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
/// What wrappers put before the name of every tensor of the network they wrap.
const WRAPPERS: [&str; 2] = ["module.", "_orig_mod."];
/// A file with more tensors is no network. One name or shape, shared by all of them, would be
/// copied for each.
const MAX_TENSORS: usize = 100_000;
const MAX_NAME: usize = 1000;
/// Where trainers keep the network's tensors; if there is none of these, the file may be the state
/// dict itself.
const STATES: [&str; 3] = ["model_state_dict", "state_dict", "model"];

/// Whether a file begins like a `.pth` of before 2020.
pub fn is_legacy(bytes: &[u8]) -> bool {
    bytes.starts_with(LEGACY)
}

/// A `.pth`, its pickle read, its storages still in the zip.
#[derive(Debug)]
pub struct Pth<'a> {
    file: PthFile<Cursor<&'a [u8]>>,
    /// No file in the zip is longer than the whole.
    size: u64,
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
        let mut file = PthFile::open(Cursor::new(bytes)).map_err(|error| error.to_string())?;
        let size = bytes.len() as u64;
        if let Ok(order) = file.stored("byteorder", size)
            && order != b"little"
        {
            return Err("its numbers are big-endian, which is not read".to_owned());
        }
        let text = file.pickle(size).map_err(|error| error.to_string())?;
        let pickle = pickle::parse(&text).map_err(|error| format!("in its data.pkl {error}"))?;
        let value = pickle.value();
        let state = STATES.iter().find_map(|key| value.get(key));
        Ok(Self {
            tensors: tensors(state.unwrap_or(value))?,
            extras: state.map(|_| Extras::of(value)).unwrap_or_default(),
            file,
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
        let storage = format!("data/{}", layout.storage);
        let stored = self.file.stored(&storage, self.size);
        let bytes = layout
            .gather(&stored.map_err(|error| error.to_string())?)
            .ok_or_else(|| format!("its {storage} is shorter than `{name}` needs"))?;
        let shape: Vec<i64> = layout.shape.iter().map(|&length| length as i64).collect();
        Tensor::f_from_data_size(&bytes, &shape, layout.number.kind)
            .map(Some)
            .map_err(|_| format!("its `{name}` is no tensor"))
    }
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
