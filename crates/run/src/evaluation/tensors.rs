//! The two safetensors files of an evaluation: all logits, and the images that are shown.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use super::layout::EvaluationDir;
use crate::safetensors::header_length;
use traintop_disk::read;
use traintop_disk::write::replace_file;

/// Every answer: `logits.safetensors`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Logits {
    /// The images' numbers, ascending: `ids`, i64 `[N]`. Those of `predictions.csv`.
    pub ids: Vec<i64>,
    pub classes: usize,
    /// The averaged logits, image after image: `logits`, f32 `[N, classes]`.
    pub logits: Vec<f32>,
    /// The true classes, where the images have labels: `labels`, i64 `[N]`.
    pub labels: Option<Vec<i64>>,
}

/// Images that the dashboard can show: `images.safetensors`. Of labelled data every mistake, the
/// most confident first, up to 2,000, and then 8 right answers of each class; of unlabelled data
/// the first 64.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Images {
    /// Their numbers: `ids`, i64 `[n]`.
    pub ids: Vec<i64>,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// Red, green, blue of each pixel, row after row, image after image: `images`, u8 `[n, H, W,
    /// 3]`.
    pub pixels: Vec<u8>,
}

/// Why such a file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TensorsError {
    /// It cannot be read or written.
    #[error("{path}: {cause}")]
    Io { path: PathBuf, cause: io::Error },
    /// It is not what it should be.
    #[error("{path}: {what}; evaluate the checkpoint again")]
    Damaged { path: PathBuf, what: String },
}

impl Logits {
    /// The logits of the `number`-th image (from 0).
    pub fn of(&self, number: usize) -> &[f32] {
        &self.logits[number * self.classes..(number + 1) * self.classes]
    }

    /// Reads them.
    ///
    /// # Errors
    /// If the file is missing, damaged, or of another form.
    pub fn load(dir: &EvaluationDir) -> Result<Self, TensorsError> {
        let file = File::read(dir.logits())?;
        let tensors = file.tensors()?;
        let (shape, logits) = file.numbers(&tensors, "logits", Dtype::F32, f32::from_le_bytes)?;
        let (_, ids) = file.numbers(&tensors, "ids", Dtype::I64, i64::from_le_bytes)?;
        let labels = tensors
            .names()
            .contains(&"labels")
            .then(|| file.numbers(&tensors, "labels", Dtype::I64, i64::from_le_bytes));
        let labels = labels.transpose()?.map(|(_, labels)| labels);
        let counts = [Some(ids.len()), labels.as_ref().map(Vec::len)];
        match shape[..] {
            [count, classes] if counts.iter().flatten().all(|len| *len == count) => Ok(Self {
                ids,
                classes,
                logits,
                labels,
            }),
            _ => Err(file.damaged(format!(
                "its `logits` have the shape {shape:?}, and `ids` or `labels` another"
            ))),
        }
    }

    /// Writes them.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, dir: &EvaluationDir) -> Result<(), TensorsError> {
        let count = self.ids.len();
        let logits = to_bytes(&self.logits, |number| number.to_le_bytes());
        let mut tensors = vec![
            (
                "ids",
                Dtype::I64,
                vec![count],
                to_bytes(&self.ids, |id| id.to_le_bytes()),
            ),
            ("logits", Dtype::F32, vec![count, self.classes], logits),
        ];
        if let Some(labels) = &self.labels {
            let labels = to_bytes(labels, |label| label.to_le_bytes());
            tensors.push(("labels", Dtype::I64, vec![count], labels));
        }
        write(&dir.logits(), &tensors)
    }
}

impl Images {
    /// Bytes of one image.
    pub fn image_len(&self) -> usize {
        3 * self.height * self.width
    }

    /// The pixels of the image with this number, if it is among them.
    pub fn of(&self, id: i64) -> Option<&[u8]> {
        let at = self.ids.iter().position(|known| *known == id)?;
        self.pixels
            .get(at * self.image_len()..(at + 1) * self.image_len())
    }

    /// Reads them.
    ///
    /// # Errors
    /// If the file is missing, damaged, or of another form.
    pub fn load(dir: &EvaluationDir) -> Result<Self, TensorsError> {
        let file = File::read(dir.images())?;
        let tensors = file.tensors()?;
        let (shape, pixels) = file.numbers(&tensors, "images", Dtype::U8, u8::from_le_bytes)?;
        let (_, ids) = file.numbers(&tensors, "ids", Dtype::I64, i64::from_le_bytes)?;
        match shape[..] {
            [count, height, width, 3] if count == ids.len() && height.max(width) <= MAX_SIDE => {
                Ok(Self {
                    ids,
                    height,
                    width,
                    pixels,
                })
            }
            _ => Err(file.damaged(format!(
                "its `images` have the shape {shape:?}, not N x H x W x 3 as its `ids`"
            ))),
        }
    }

    /// Writes them.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, dir: &EvaluationDir) -> Result<(), TensorsError> {
        let count = self.ids.len();
        let tensors = [
            (
                "ids",
                Dtype::I64,
                vec![count],
                to_bytes(&self.ids, |id| id.to_le_bytes()),
            ),
            (
                "images",
                Dtype::U8,
                vec![count, self.height, self.width, 3],
                self.pixels.clone(),
            ),
        ];
        write(&dir.images(), &tensors)
    }
}

/// Images have no longer sides. Where there are none at all, a file may claim any.
const MAX_SIDE: usize = 1 << 16;
/// Larger files hold no evaluation: half a million images with a thousand classes take 2 GB.
const MAX_BYTES: u64 = 4 << 30;

/// A file as it was read.
struct File {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl File {
    fn read(path: PathBuf) -> Result<Self, TensorsError> {
        match read::bytes(&path, MAX_BYTES) {
            Ok(bytes) => Ok(Self { path, bytes }),
            Err(cause) => Err(TensorsError::Io { path, cause }),
        }
    }

    fn tensors(&self) -> Result<SafeTensors<'_>, TensorsError> {
        header_length(&self.bytes)
            .map_err(|error| self.damaged(format!("not a whole safetensors file: {error}")))?;
        SafeTensors::deserialize(&self.bytes)
            .map_err(|error| self.damaged(format!("not a whole safetensors file: {error}")))
    }

    fn damaged(&self, what: String) -> TensorsError {
        TensorsError::Damaged {
            path: self.path.clone(),
            what,
        }
    }

    /// Shape and numbers of a tensor, which must be of this kind.
    fn numbers<T, const SIZE: usize>(
        &self,
        tensors: &SafeTensors,
        name: &str,
        dtype: Dtype,
        number: fn([u8; SIZE]) -> T,
    ) -> Result<(Vec<usize>, Vec<T>), TensorsError> {
        let view = tensors
            .tensor(name)
            .map_err(|_| self.damaged(format!("it holds no `{name}`")))?;
        if view.dtype() != dtype {
            let what = format!(
                "its `{name}` are {:?}, and {dtype:?} are expected",
                view.dtype()
            );
            return Err(self.damaged(what));
        }
        let (numbers, _) = view.data().as_chunks::<SIZE>();
        let numbers = numbers.iter().map(|bytes| number(*bytes)).collect();
        Ok((view.shape().to_vec(), numbers))
    }
}

fn to_bytes<T: Copy, const SIZE: usize>(numbers: &[T], bytes: fn(T) -> [u8; SIZE]) -> Vec<u8> {
    numbers.iter().flat_map(|number| bytes(*number)).collect()
}

fn write(path: &Path, tensors: &[(&str, Dtype, Vec<usize>, Vec<u8>)]) -> Result<(), TensorsError> {
    let damaged = |error: safetensors::SafeTensorError| TensorsError::Damaged {
        path: path.to_owned(),
        what: error.to_string(),
    };
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| {
            let view = TensorView::new(*dtype, shape.clone(), bytes).map_err(damaged)?;
            Ok((Cow::Borrowed(*name), view))
        })
        .collect::<Result<Vec<_>, TensorsError>>()?;
    // Some Python readers refuse a file that does not say which framework's layout it holds.
    let header = [("format".to_owned(), "pt".to_owned())].into();
    let bytes = safetensors::serialize(views, Some(header)).map_err(damaged)?;
    replace_file(path, &bytes).map_err(|cause| TensorsError::Io {
        path: path.to_owned(),
        cause,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn logits() -> Logits {
        Logits {
            ids: vec![3, 7],
            classes: 3,
            logits: vec![0.5, -1.0, 2.0, 1.0, 0.0, -0.25],
            labels: Some(vec![2, 1]),
        }
    }

    #[test]
    fn both_files_read_back_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let dir = EvaluationDir::new(folder.path());
        for labels in [Some(vec![2, 1]), None] {
            let logits = Logits { labels, ..logits() };
            logits.save(&dir).unwrap();
            assert_eq!(Logits::load(&dir).unwrap(), logits);
        }
        assert_eq!(logits().of(1), [1.0, 0.0, -0.25]);
        let images = Images {
            ids: vec![9, 4],
            height: 2,
            width: 1,
            pixels: (0..12).collect(),
        };
        images.save(&dir).unwrap();
        assert_eq!(Images::load(&dir).unwrap(), images);
        assert_eq!(images.of(4), Some(&[6, 7, 8, 9, 10, 11][..]));
        assert_eq!(images.of(5), None);
    }

    #[test]
    fn files_of_another_form_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let dir = EvaluationDir::new(folder.path());
        assert!(matches!(Logits::load(&dir), Err(TensorsError::Io { .. })));
        fs::write(dir.logits(), "half").unwrap();
        let message = Logits::load(&dir).unwrap_err().to_string();
        assert!(
            message.contains("logits.safetensors: not a whole safetensors file"),
            "{message}"
        );
        let uneven = Logits {
            ids: vec![1],
            labels: None,
            logits: vec![0.0; 3],
            ..logits()
        };
        uneven.save(&dir).unwrap();
        fs::copy(dir.logits(), dir.images()).unwrap();
        let message = Images::load(&dir).unwrap_err().to_string();
        assert!(message.contains("it holds no `images`"), "{message}");
    }
}
