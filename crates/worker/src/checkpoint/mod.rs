//! Checkpoints as safetensors: the network under `PyTorch`'s names, readable from Python in one
//! line, and in `last` also what a resumed run needs: momentum buffers as tensors, and counters and
//! sums as text in the file's header.

#[cfg(test)]
mod foreign_tests;
pub mod inspect;
mod progress;
mod pth;
mod stored;
mod torch;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, View};
use serde_json::{Map, Value};
use tch::{Device, Kind, Tensor};
use traintop_disk::read::open;
use traintop_disk::write::replace_file;
use traintop_recipe::Recipe;
use traintop_run::checkpoints::MOMENTUM;
use traintop_run::safetensors as safetensors_header;
use traintop_text as text;

use super::average::Average;
use super::memory;
use super::model::StateDict;
use super::optimiser::Sgd;

pub use inspect::Inspection;
pub use progress::{Best, Progress};
pub use stored::LoadError;
use stored::Stored;

/// What the names of averaged weights begin with.
const AVERAGE: &str = "average.";

/// The header's entry that holds the recipe.
const RECIPE: &str = "recipe";

/// Whether a tensor's name is not one of the network's own, but of what a resume needs beside it.
fn is_beside_weights(name: &str) -> bool {
    name.starts_with(MOMENTUM) || name.starts_with(AVERAGE)
}

/// All that a training changes, and a resumed one needs again.
#[derive(Debug, Clone, Copy)]
pub struct Live<'a> {
    pub state: &'a StateDict,
    pub optimiser: &'a Sgd,
    pub average: Option<&'a Average>,
}

impl Live<'_> {
    /// Every tensor with its name in the file.
    fn tensors(self) -> impl Iterator<Item = (String, Tensor)> {
        let entries = self.state.entries().iter();
        let weights = entries.map(|entry| (entry.name.clone(), entry.tensor.shallow_clone()));
        let momentum = self.optimiser.velocities();
        let average = self.average.into_iter().flat_map(Average::entries);
        weights
            .chain(momentum.map(|(name, tensor)| (format!("{MOMENTUM}{name}"), tensor)))
            .chain(average.map(|(name, tensor)| (format!("{AVERAGE}{name}"), tensor)))
    }
}

/// A checkpoint that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("{}: {source}", path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "{}: has {}, which is more than the memory that is free; it is most likely no checkpoint",
        path.display(),
        text::bytes(*bytes)
    )]
    TooLarge { path: PathBuf, bytes: u64 },
    #[error("{}: not a whole safetensors file: {what}", path.display())]
    Damaged { path: PathBuf, what: String },
    #[error(
        "{}: is a .pth of PyTorch before 1.6, which is not read; load it in Python and write it again by torch.save",
        path.display()
    )]
    Legacy { path: PathBuf },
    #[error("{}: not a .pth that can be read: {what}", path.display())]
    Pth { path: PathBuf, what: String },
    #[error("{}: {source}", path.display())]
    Load { path: PathBuf, source: LoadError },
}

/// The metadata in a file of weights.
#[derive(Debug, Clone, Copy)]
pub struct WeightsMetadata<'a> {
    /// Of these weights, counted from 1.
    pub epoch: u32,
    /// Their validation accuracy in percent, where it is known.
    pub val_acc: Option<f64>,
    /// Their loss and their accuracy in percent on test images.
    pub test: Option<(f64, f64)>,
    /// What they were trained by.
    pub recipe: &'a Recipe,
    pub trained_on: &'a TrainedOn,
}

/// The images that a network was trained on, as far as a caller needs them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrainedOn {
    /// The classes' names, by label.
    pub classes: Vec<String>,
    /// Rows and columns of an image.
    pub size: (i64, i64),
}

impl TrainedOn {
    fn to_header(&self) -> [(&'static str, String); 3] {
        [
            ("classes", serde_json::json!(self.classes).to_string()),
            ("image_height", self.size.0.to_string()),
            ("image_width", self.size.1.to_string()),
        ]
    }

    /// What a file says; `None` if it does not, as none did before this was written.
    fn from_header(header: &HashMap<String, String>) -> Option<Self> {
        let length = |key: &str| header.get(key)?.parse().ok();
        Some(Self {
            classes: serde_json::from_str(header.get("classes")?).ok()?,
            size: (length("image_height")?, length("image_width")?),
        })
    }
}

impl WeightsMetadata<'_> {
    fn to_header(self) -> HashMap<String, String> {
        let recipe = serde_json::Value::from(self.recipe.to_json()).to_string();
        let entries = [
            ("epoch", Some(self.epoch.to_string())),
            ("val_acc", self.val_acc.map(|acc| acc.to_string())),
            ("test_loss", self.test.map(|(loss, _)| loss.to_string())),
            ("test_acc", self.test.map(|(_, acc)| acc.to_string())),
            ("experiment_name", Some(self.recipe.experiment_name.clone())),
            ("config", Some(recipe)),
        ];
        let entries = entries.into_iter();
        entries
            .chain(
                self.trained_on
                    .to_header()
                    .map(|(key, value)| (key, Some(value))),
            )
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect()
    }
}

/// Writes the network alone, with what is known of it in the header. The file is whole or absent.
pub fn save_weights(
    path: &Path,
    state: &StateDict,
    about: WeightsMetadata,
) -> Result<(), CheckpointError> {
    write(path, weights(state), about.to_header())
}

/// Reads the network from any file that holds it and nothing else: one of [`save_weights`] or
/// [`save_last`], another trainer's safetensors, or `PyTorch`'s `.pth`. Nothing in a file is
/// executed.
pub fn load_weights(path: &Path, state: &StateDict) -> Result<(), CheckpointError> {
    load_weights_of(path, &read(path)?, state, Weights::Trained)
}

/// Which of the weights in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weights {
    /// Those under the network's own names.
    Trained,
    /// The moving average that `last` holds beside them, if the recipe asks for one.
    Averaged,
}

/// As [`load_weights`], out of the bytes of the file at `path`.
pub fn load_weights_of(
    path: &Path,
    bytes: &[u8],
    state: &StateDict,
    weights: Weights,
) -> Result<(), CheckpointError> {
    let mut stored = Stored::parse(path, bytes)?;
    stored.refuse_others(state)?;
    let averaged: HashSet<String> = stored
        .tensors()
        .into_iter()
        .filter(|_| weights == Weights::Averaged)
        .filter_map(|tensor| tensor.name.strip_prefix(AVERAGE).map(str::to_owned))
        .collect();
    stored.load(state.entries().iter().map(|entry| {
        // Counts of batches are not averaged.
        let is_averaged = averaged.contains(&entry.name);
        let prefix = if is_averaged { AVERAGE } else { "" };
        (format!("{prefix}{}", entry.name), &entry.tensor)
    }))
}

/// What a file of [`save_weights`] says of the images that its network was trained on.
pub fn trained_on(path: &Path) -> Option<TrainedOn> {
    TrainedOn::from_header(&header_of(path).ok()?)
}

/// The epoch that a file of [`save_weights`] is of; `None` if there is no such file, or it does not
/// say.
pub fn epoch_of(path: &Path) -> Option<u32> {
    header_of(path).ok()?.get("epoch")?.parse().ok()
}

/// The number of threads with which a file of [`save_last`] was trained; `None` if there is no such
/// file.
pub fn threads_of(path: &Path) -> Option<u32> {
    header_of(path).ok()?.get("threads")?.parse().ok()
}

/// The recipe by which a file of [`save_last`] was trained, by key; `None` if there is no such
/// file, or an older version wrote it.
pub fn recipe_of(path: &Path) -> Option<Map<String, Value>> {
    serde_json::from_str(header_of(path).ok()?.get(RECIPE)?).ok()
}

/// Writes all that a resumed run needs, and the recipe, so that a resume sees what of it has
/// changed. The file is whole or absent.
pub fn save_last(
    path: &Path,
    live: Live,
    progress: Progress,
    recipe: &Recipe,
) -> Result<(), CheckpointError> {
    let tensors = live
        .tensors()
        .map(|(name, tensor)| (name, Bytes::of(&tensor)));
    let mut header = progress.to_header();
    header.insert(
        RECIPE.to_owned(),
        Value::Object(recipe.to_json()).to_string(),
    );
    write(path, tensors, header)
}

/// Reads a file of [`save_last`] into a network, an optimiser and an average of the same shape.
pub fn load_last(path: &Path, live: Live) -> Result<Progress, CheckpointError> {
    let bytes = read(path)?;
    let mut stored = Stored::parse(path, &bytes)?;
    let progress =
        Progress::from_header(&stored.header()).map_err(|key| CheckpointError::Damaged {
            path: path.to_owned(),
            what: format!("its header lacks `{key}`"),
        })?;
    let targets: Vec<_> = live.tensors().collect();
    stored.load(targets.iter().map(|(name, tensor)| (name.clone(), tensor)))?;
    Ok(progress)
}

fn read(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    let file = open(path).map_err(|source| CheckpointError::Io {
        path: path.to_owned(),
        source,
    });
    read_all(path, &mut file?)
}

/// Reads a file that was opened at `path`, from its beginning; not one that the memory has no room
/// for, as a sparse file may claim.
pub fn read_all(path: &Path, file: &mut File) -> Result<Vec<u8>, CheckpointError> {
    let failed = |source| CheckpointError::Io {
        path: path.to_owned(),
        source,
    };
    let bytes = file.metadata().map_err(failed)?.len();
    if memory::available().is_some_and(|available| bytes > available) {
        return Err(CheckpointError::TooLarge {
            path: path.to_owned(),
            bytes,
        });
    }
    let mut content = Vec::new();
    file.rewind()
        .and_then(|()| file.read_to_end(&mut content))
        .map_err(failed)?;
    Ok(content)
}

fn weights(state: &StateDict) -> impl Iterator<Item = (String, Bytes)> {
    state
        .entries()
        .iter()
        .map(|entry| (entry.name.clone(), Bytes::of(&entry.tensor)))
}

fn write(
    path: &Path,
    tensors: impl Iterator<Item = (String, Bytes)>,
    mut header: HashMap<String, String>,
) -> Result<(), CheckpointError> {
    // Some Python readers refuse a file that does not say which framework's layout it holds.
    header.insert("format".to_owned(), "pt".to_owned());
    let bytes = safetensors::serialize(tensors, Some(header)).map_err(|error| {
        CheckpointError::Damaged {
            path: path.to_owned(),
            what: error.to_string(),
        }
    })?;
    replace_file(path, &bytes).map_err(|source| CheckpointError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Reads no more of the file than its header.
fn header_of(path: &Path) -> std::io::Result<HashMap<String, String>> {
    safetensors_header::texts(open(path)?)
}

/// A tensor's values as they are in a file: contiguous, in host memory.
struct Bytes {
    dtype: Dtype,
    shape: Vec<usize>,
    data: Vec<u8>,
}

impl Bytes {
    fn of(tensor: &Tensor) -> Self {
        let kind = tensor.kind();
        let host = tensor.detach().to_device(Device::Cpu).contiguous();
        let mut data = vec![0; host.numel() * kind.elt_size_in_bytes()];
        host.copy_data_u8(&mut data, host.numel());
        let dtype = if kind == Kind::Int64 {
            Dtype::I64
        } else {
            Dtype::F32
        };
        Self {
            dtype,
            shape: host.size().iter().map(|&length| length as usize).collect(),
            data,
        }
    }
}

impl View for Bytes {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.data)
    }
    fn data_len(&self) -> usize {
        self.data.len()
    }
}

#[cfg(test)]
static TRAINED_ON: std::sync::OnceLock<TrainedOn> = std::sync::OnceLock::new();

#[cfg(test)]
impl<'a> WeightsMetadata<'a> {
    pub fn example(epoch: u32, recipe: &'a Recipe) -> Self {
        Self {
            epoch,
            val_acc: Some(91.25),
            test: Some((0.5, 90.5)),
            recipe,
            trained_on: TRAINED_ON.get_or_init(|| TrainedOn {
                classes: vec!["cat".to_owned(), "dog".to_owned()],
                size: (32, 32),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use tch::no_grad;

    use super::*;
    use crate::model::{ResNet, Shape};
    use crate::optimiser::Settings;

    fn network(classes: i64) -> (StateDict, Sgd) {
        let mut state = StateDict::new(Device::Cpu);
        let shape = Shape {
            width: 4,
            blocks: 1,
            se_reduction: Some(2),
            dropout_rate: 0.0,
            stochastic_depth_rate: 0.0,
            zero_init_residual: false,
            classes,
        };
        let _ = ResNet::new(&mut state, &shape);
        let optimiser = Sgd::new(
            &state,
            Settings {
                weight_decay: 0.0,
                decay_norm_and_bias: true,
                nesterov: false,
                grad_clip: None,
                skip_nonfinite: false,
            },
        );
        (state, optimiser)
    }

    #[test]
    fn last_brings_back_every_bit() {
        let _turn = crate::random::one_at_a_time();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        let (state, optimiser) = network(10);
        for (number, (_, mut velocity)) in optimiser.velocities().enumerate() {
            let _ = velocity.fill_(number as f64 / 7.0);
        }
        let average = Average::new(0.9, &state, optimiser.flat());
        no_grad(|| {
            for entry in state.parameters() {
                let _ = entry.tensor.shallow_clone().g_add_scalar_(1);
            }
        });
        let live = Live {
            state: &state,
            optimiser: &optimiser,
            average: Some(&average),
        };
        save_last(&path, live, Progress::example(), &Recipe::default()).unwrap();
        assert_eq!(recipe_of(&path), Some(Recipe::default().to_json()));
        let (other, other_optimiser) = network(10);
        let other_average = Average::new(0.9, &other, other_optimiser.flat());
        let other_live = Live {
            state: &other,
            optimiser: &other_optimiser,
            average: Some(&other_average),
        };
        assert_eq!(threads_of(&path), Some(Progress::example().threads));
        assert_eq!(load_last(&path, other_live).unwrap(), Progress::example());
        for (left, right) in state.entries().iter().zip(other.entries()) {
            assert_eq!(left.tensor, right.tensor, "{}", left.name);
        }
        for (left, right) in optimiser.velocities().zip(other_optimiser.velocities()) {
            assert_eq!(left, right);
        }
        for (left, right) in average.entries().zip(other_average.entries()) {
            assert_eq!(left, right);
        }
    }

    #[test]
    fn weights_say_their_epoch_and_hold_the_network_alone() {
        let _turn = crate::random::one_at_a_time();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("best.safetensors");
        assert_eq!(epoch_of(&path), None);
        let (state, _) = network(10);
        save_weights(
            &path,
            &state,
            WeightsMetadata::example(7, &Recipe::default()),
        )
        .unwrap();
        assert_eq!(epoch_of(&path), Some(7));
        assert_eq!(trained_on(&path).as_ref(), TRAINED_ON.get());
        let (other, _) = network(10);
        load_weights(&path, &other).unwrap();
        let bytes = read(&path).unwrap();
        let stored = Stored::parse(&path, &bytes).unwrap();
        assert_eq!(stored.tensors().len(), state.entries().len());
        for (left, right) in state.entries().iter().zip(other.entries()) {
            assert_eq!(left.tensor, right.tensor, "{}", left.name);
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let _turn = crate::random::one_at_a_time();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("best.safetensors");
        let (state, optimiser) = network(10);
        save_weights(
            &path,
            &state,
            WeightsMetadata::example(1, &Recipe::default()),
        )
        .unwrap();
        let live = Live {
            state: &state,
            optimiser: &optimiser,
            average: None,
        };
        let sentence = load_last(&path, live).unwrap_err().to_string();
        assert!(
            sentence.contains("its header lacks `epochs_done`"),
            "{sentence}"
        );
        let sentence = load_weights(&path, &network(5).0).unwrap_err().to_string();
        assert!(
            sentence.contains("`fc.weight` has the shape [10, 32]"),
            "{sentence}"
        );
        std::fs::write(&path, b"half a fi").unwrap();
        let sentence = load_weights(&path, &state).unwrap_err().to_string();
        assert!(
            sentence.contains("best.safetensors: not a whole safetensors file"),
            "{sentence}"
        );
    }
}
