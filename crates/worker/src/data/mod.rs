//! The images that are trained on: every form a data set may have becomes the same bytes in memory.
//! Nothing here depends on libtorch.

pub mod check;
mod cifar;
mod cifar_binary;
mod cifar_pickle;
mod damage;
mod decode;
mod folder_cache;
mod form;
mod idx;
mod image_folder;
mod statistics;
mod subset;
mod synthetic;
mod unlabelled;

use std::io;
use std::path::{Path, PathBuf};

use traintop_disk as disk;
use traintop_recipe::{Recipe, SYNTHETIC};
use traintop_text as text;

use damage::Damage;
use subset::Holding;
use traintop_pickle as pickle;
use traintop_pickle::Pickle;

pub use check::is_archive;
pub use statistics::Statistics;
pub use subset::shuffle;
pub use unlabelled::load_unlabelled;

/// Images of one purpose, all of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// N x 3 x height x width bytes: red, green, blue planes of each image in turn.
    pub images: Vec<u8>,
    /// The class of each image.
    pub labels: Vec<i64>,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
}

impl Split {
    /// No images, of a size.
    fn empty(height: usize, width: usize) -> Self {
        Self {
            images: Vec::new(),
            labels: Vec::new(),
            height,
            width,
        }
    }

    /// Adds the images of another split of the same size.
    fn extend(&mut self, other: Self) {
        self.images.extend(other.images);
        self.labels.extend(other.labels);
    }

    /// Bytes of one image.
    pub fn image_len(&self) -> usize {
        3 * self.height * self.width
    }

    /// The images with these numbers, in this order.
    pub fn pick(&self, numbers: &[usize]) -> Self {
        let length = self.image_len();
        let mut images = Vec::with_capacity(numbers.len() * length);
        for at in numbers {
            images.extend_from_slice(&self.images[at * length..(at + 1) * length]);
        }
        Self {
            images,
            labels: numbers.iter().map(|at| self.labels[*at]).collect(),
            ..*self
        }
    }

    /// Keeps only the images with these numbers, which must ascend; in place, since a split may
    /// fill much of the memory.
    fn keep(&mut self, numbers: &[usize]) {
        let length = self.image_len();
        for (to, from) in numbers.iter().enumerate() {
            self.images
                .copy_within(from * length..(from + 1) * length, to * length);
            self.labels[to] = self.labels[*from];
        }
        self.images.truncate(numbers.len() * length);
        self.labels.truncate(numbers.len());
    }
}

/// A data set, resident in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The training images.
    pub train: Split,
    /// What the best epoch is chosen by.
    pub val: Split,
    /// What the end is measured on, if there is any.
    pub test: Option<Split>,
    /// The classes' names, by label.
    pub classes: Vec<String>,
}

/// What the files of a data set hold, before any of it is held out.
#[derive(Debug)]
struct Found {
    train: Split,
    /// Where the data themselves name one.
    val: Option<Split>,
    test: Option<Split>,
    classes: Vec<String>,
}

/// Why a data set cannot be used: which file, what is wrong, what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// There is nothing at `data_dir`.
    #[error(
        "data_dir {0}: there is no such folder; set data_dir to a data set, or to \"synthetic\""
    )]
    Missing(PathBuf),
    /// `data_dir` is a file, most often the archive as it was fetched.
    #[error(
        "data_dir {0}: is a file, and a folder is expected; unpack it if it is an archive, and name the folder that comes out"
    )]
    IsFile(PathBuf),
    /// What is there is no data set of a known form.
    #[error(
        "data_dir {0}: holds no data set of a known form, which are: {known}; set data_dir to a folder that does",
        known = form::known()
    )]
    Unknown(PathBuf),
    /// A file cannot be read.
    #[error("{path}: cannot be read ({cause})")]
    Unreadable { path: PathBuf, cause: io::Error },
    /// A file is not what it should be.
    #[error("{path}: {what}")]
    Wrong {
        path: PathBuf,
        /// What is wrong, what was expected, what to do.
        what: String,
    },
}

impl DataError {
    /// The file or folder that it is about.
    pub fn path(&self) -> &Path {
        match self {
            Self::Missing(path)
            | Self::IsFile(path)
            | Self::Unknown(path)
            | Self::Unreadable { path, .. }
            | Self::Wrong { path, .. } => path,
        }
    }

    fn wrong(path: &Path, what: impl Into<String>) -> Self {
        Self::Wrong {
            path: path.to_owned(),
            what: what.into(),
        }
    }
}

/// Larger files are no data set that memory could hold.
const MAX_FILE_BYTES: u64 = 64 << 30;
/// Images may always take this many bytes, and this many times as much as their files.
const FREE_IMAGE_BYTES: u64 = 256 << 20;
const MAX_GROWTH: u64 = 64;

/// Refuses files of which decoding would make far more than any data set does of its files, such as
/// a picture of a single colour and a billion pixels.
fn check_growth(path: &Path, bytes: u64, becomes: u64) -> Result<(), DataError> {
    let most = FREE_IMAGE_BYTES.saturating_add(bytes.saturating_mul(MAX_GROWTH));
    if becomes <= most {
        return Ok(());
    }
    let what = format!(
        "has {}, and as images it would take {}, which is more than any data set; it is not read",
        text::bytes(bytes),
        text::bytes(becomes)
    );
    Err(DataError::wrong(path, what))
}

/// Reads a whole file.
fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    disk::read::bytes(path, MAX_FILE_BYTES).map_err(|cause| DataError::Unreadable {
        path: path.to_owned(),
        cause,
    })
}

/// The data set of a recipe, cut down to the numbers of images that it allows.
///
/// # Errors
/// If it is missing, damaged or of an unknown form.
pub fn load(recipe: &Recipe) -> Result<Dataset, DataError> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(recipe.num_workers as usize);
    let mut data = match threads.build() {
        Ok(threads) => threads.install(|| load_whole(recipe))?,
        // Where threads are few, those that there are must do.
        Err(_) => load_whole(recipe)?,
    };
    data.train = subset::limited(data.train, recipe.max_train_images as usize, recipe.seed);
    data.val = subset::limited(data.val, recipe.max_val_images as usize, recipe.seed);
    Ok(data)
}

fn load_whole(recipe: &Recipe) -> Result<Dataset, DataError> {
    if recipe.data_dir == SYNTHETIC {
        return Ok(synthetic::draw(recipe));
    }
    let (form, place) = form::find(&from_home(&recipe.data_dir))?;
    let mut damage = Damage::default();
    let found = form.read(&place, cache_dir().as_deref(), &mut damage);
    subset::hold_out(&place, damage.or(found)?, Holding::of(recipe))
}

fn parse_pickle<'a>(path: &Path, bytes: &'a [u8]) -> Result<Pickle<'a>, DataError> {
    pickle::parse(bytes).map_err(|error| {
        DataError::wrong(
            path,
            format!("is no whole pickle ({error}); fetch it again"),
        )
    })
}

/// A folder as people type it: `~/` is their home.
pub fn from_home(folder: &str) -> PathBuf {
    match (folder.strip_prefix("~/"), directories::BaseDirs::new()) {
        (Some(below), Some(folders)) => folders.home_dir().join(below),
        _ => PathBuf::from(folder),
    }
}

/// Where decoded images are kept: the user's cache folder.
fn cache_dir() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "traintop")
        .map(|folders| folders.cache_dir().join("images"))
}

#[cfg(test)]
mod tests {
    use traintop_recipe::ValSplit;

    use super::*;

    #[test]
    fn missing_and_unknown_folders_say_what_to_do() {
        let of = |path: &Path| {
            load(&Recipe {
                data_dir: path.display().to_string(),
                ..Recipe::default()
            })
            .unwrap_err()
            .to_string()
        };
        assert!(
            of(Path::new("/nowhere/data"))
                .contains("/nowhere/data: there is no such folder; set data_dir")
        );
        let folder = tempfile::tempdir().unwrap();
        assert!(
            of(folder.path()).contains("no data set of a known form, which are: CIFAR-10 batches")
        );
        let archive = folder.path().join("cifar-10-python.tar.gz");
        std::fs::write(&archive, "").unwrap();
        assert!(of(&archive).contains("cifar-10-python.tar.gz: is a file"));
        assert!(!of(Path::new("~/no such folder")).contains('~'));
    }

    #[test]
    fn missing_batch_is_named_also_from_the_folder_above() {
        let folder = tempfile::tempdir().unwrap();
        for (inner, batch, missing) in [
            (
                "cifar-10-batches-bin",
                "data_batch_2.bin",
                "data_batch_1.bin",
            ),
            ("cifar-10-batches-py", "data_batch_2", "data_batch_1"),
        ] {
            let inner = folder.path().join(inner);
            std::fs::create_dir(&inner).unwrap();
            std::fs::write(inner.join(batch), "").unwrap();
            let recipe = Recipe {
                data_dir: folder.path().display().to_string(),
                ..Recipe::default()
            };
            let message = load(&recipe).unwrap_err().to_string();
            assert!(
                message.contains(&format!("{missing}: cannot be read")),
                "{message}"
            );
        }
    }

    #[test]
    fn validation_is_the_datas_own_or_a_seeded_part_of_each_class() {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=5_u8 {
            let records = (0..40).flat_map(|image| {
                std::iter::once(image % 2).chain([(number * 50).wrapping_add(image); cifar::IMAGE])
            });
            let path = folder.path().join(format!("data_batch_{number}.bin"));
            std::fs::write(path, records.collect::<Vec<u8>>()).unwrap();
        }
        let load = |val_split: ValSplit, val_fraction: f64, seed: u64| {
            load(&Recipe {
                data_dir: folder.path().display().to_string(),
                val_split,
                val_fraction,
                seed,
                ..Recipe::default()
            })
            .unwrap()
        };
        let own = load(ValSplit::Auto, 0.3, 1);
        assert_eq!((own.train.labels.len(), own.val.labels.len()), (160, 40));
        assert!(own.val.images[0] == 250);
        let seeded = load(ValSplit::Seeded, 0.3, 1);
        assert_eq!(
            (seeded.train.labels.len(), seeded.val.labels.len()),
            (140, 60)
        );
        assert_eq!(seeded.val.labels.iter().sum::<i64>(), 30);
        assert_eq!(seeded, load(ValSplit::Seeded, 0.3, 1));
        assert_ne!(seeded, load(ValSplit::Seeded, 0.3, 2));
    }

    #[test]
    fn kept_images_are_those_that_were_picked() {
        let mut split = Split {
            images: (0..12).collect(),
            labels: vec![0, 1, 2, 3],
            height: 1,
            width: 1,
        };
        let picked = split.pick(&[1, 3]);
        split.keep(&[1, 3]);
        assert_eq!(split, picked);
        assert_eq!(split.images, [3, 4, 5, 9, 10, 11]);
    }
}
