//! CIFAR-10's Python form: pickled dicts with `data` (uint8, N x 3072, plane after plane) and `labels`.

use std::path::Path;

use super::cifar_binary::assemble;
use super::pickle::{self, Value};
use super::{DataError, Dataset, Split, read};

const SIDE: usize = 32;
const IMAGE: usize = 3 * SIDE * SIDE;
const CLASSES: i64 = 10;

/// Reads `data_batch_1` to `data_batch_5`, of which the fifth validates, `test_batch` if it is there, and the names.
///
/// # Errors
/// If a batch is missing or damaged.
pub fn load(folder: &Path) -> Result<Dataset, DataError> {
    let batches: Vec<Split> = (1..=5)
        .map(|number| batch(&folder.join(format!("data_batch_{number}"))))
        .collect::<Result<_, _>>()?;
    let test = folder.join("test_batch");
    let test = if test.exists() {
        Some(batch(&test)?)
    } else {
        None
    };
    Ok(assemble(batches, test, names(folder)))
}

fn batch(path: &Path) -> Result<Split, DataError> {
    let value = pickle::parse(&read(path)?).map_err(|error| {
        DataError::wrong(
            path,
            format!("is no whole pickle ({error}); fetch it again"),
        )
    })?;
    let entry = |key| {
        value.get(key).ok_or_else(|| {
            DataError::wrong(
                path,
                format!("has no {key:?}; a CIFAR-10 batch is expected"),
            )
        })
    };
    let images = entry("data")?.as_u8_array().ok_or_else(|| {
        DataError::wrong(
            path,
            "its \"data\" is no array of bytes; a CIFAR-10 batch is expected",
        )
    })?;
    let labels = entry("labels")?.as_ints().ok_or_else(|| {
        DataError::wrong(
            path,
            "its \"labels\" are no list of numbers; a CIFAR-10 batch is expected",
        )
    })?;
    if images.len() != labels.len() * IMAGE {
        let what = format!(
            "has {} labels but {} bytes of images ({IMAGE} each expected); fetch it again",
            labels.len(),
            images.len()
        );
        return Err(DataError::wrong(path, what));
    }
    if let Some(at) = labels
        .iter()
        .position(|label| !(0..CLASSES).contains(label))
    {
        let what = format!(
            "image {at} has the label {}, beyond the {CLASSES} classes; fetch the file again",
            labels[at]
        );
        return Err(DataError::wrong(path, what));
    }
    Ok(Split {
        images: images.to_vec(),
        labels,
        height: SIDE,
        width: SIDE,
    })
}

/// `label_names` of `batches.meta`; numbers where it is not there.
fn names(folder: &Path) -> Vec<String> {
    let meta = read(&folder.join("batches.meta"))
        .ok()
        .and_then(|bytes| pickle::parse(&bytes).ok());
    let names = meta
        .as_ref()
        .and_then(|meta| meta.get("label_names"))
        .and_then(|names| {
            let Value::List(names) = names else {
                return None;
            };
            names
                .iter()
                .map(super::pickle::Value::as_text)
                .collect::<Option<Vec<_>>>()
        });
    names
        .filter(|names| names.len() == CLASSES as usize)
        .unwrap_or_else(|| (0..CLASSES).map(|class| class.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A batch as Python 2's pickle wrote the original files: protocol 2, strings of bytes, numpy's reconstruction.
    fn batch_of(labels: &[u8]) -> Vec<u8> {
        let text = |text: &str| [b"U", &[text.len() as u8][..], text.as_bytes()].concat();
        let mut bytes = b"\x80\x02}q\x01(".to_vec();
        bytes.extend(text("data"));
        bytes.extend(b"cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85q\x04U\x01bq\x05\x87q\x06Rq\x07(K\x01K");
        bytes.push(labels.len() as u8);
        bytes.extend(b"M\x00\x0c\x86q\x08cnumpy\ndtype\nq\x09U\x02u1q\x0aK\x00K\x01\x87q\x0bRq\x0c(K\x03U\x01|q\x0dNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0eb\x89T");
        bytes.extend(((labels.len() * IMAGE) as u32).to_le_bytes());
        bytes.extend(labels.iter().flat_map(|label| [*label * 10; IMAGE]));
        bytes.extend(b"q\x0ftq\x10b");
        bytes.extend(text("labels"));
        bytes.extend(b"]q\x11(");
        bytes.extend(labels.iter().flat_map(|label| [b'K', *label]));
        bytes.extend(b"eu.");
        bytes
    }

    #[test]
    fn original_batches_are_read_as_the_reference_splits_them() {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=5 {
            fs::write(
                folder.path().join(format!("data_batch_{number}")),
                batch_of(&[number, 9]),
            )
            .unwrap();
        }
        let data = load(folder.path()).unwrap();
        assert_eq!(data.train.labels, [1, 9, 2, 9, 3, 9, 4, 9]);
        assert_eq!(
            (data.val.labels.as_slice(), data.val.images[0]),
            (&[5, 9][..], 50)
        );
        assert_eq!(data.classes[3], "3");
    }

    #[test]
    fn damage_names_the_file_and_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data_batch_1");
        let whole = batch_of(&[1, 2]);
        for (bytes, what) in [
            (whole[..whole.len() / 2].to_vec(), "is no whole pickle"),
            (batch_of(&[12]), "image 0 has the label 12"),
            (b"\x80\x02}.".to_vec(), "has no \"data\""),
        ] {
            fs::write(&path, bytes).unwrap();
            let error = load(folder.path()).unwrap_err().to_string();
            assert!(
                error.contains("data_batch_1: ") && error.contains(what),
                "{error}"
            );
        }
    }
}
