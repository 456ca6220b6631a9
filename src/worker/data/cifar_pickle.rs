//! CIFAR-10's Python form: pickled dicts with `data` (uint8, N x 3072, plane after plane) and `labels`.

use std::path::Path;

use super::cifar_binary::{CLASSES, IMAGE, SIDE, assemble, numbered_names};
use super::pickle::{self, Array, Pickle, Value};
use super::{DataError, Dataset, Split, read};

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
    let classes = names(folder)?;
    assemble(folder, "", batches, test, classes)
}

fn batch(path: &Path) -> Result<Split, DataError> {
    let bytes = read(path)?;
    let pickle = parse(path, &bytes)?;
    let wrong = |what: String| DataError::wrong(path, what);
    let entry = |key: &str| {
        pickle
            .value()
            .get(key)
            .ok_or_else(|| wrong(format!("has no {key:?}; a CIFAR-10 batch is expected")))
    };
    let images = entry("data")?
        .as_array()
        .and_then(Array::into_u8)
        .ok_or_else(|| {
            wrong(
                "its \"data\" is no numpy array of uint8; a CIFAR-10 batch is expected".to_owned(),
            )
        })?;
    let labels = entry("labels")?.as_ints().ok_or_else(|| {
        wrong("its \"labels\" are no list of numbers; a CIFAR-10 batch is expected".to_owned())
    })?;
    if labels.is_empty() || images.len() != labels.len() * IMAGE {
        return Err(wrong(format!(
            "has {} labels but {} bytes of images ({IMAGE} each expected); fetch it again",
            labels.len(),
            images.len()
        )));
    }
    if let Some(at) = labels
        .iter()
        .position(|label| !(0..CLASSES as i64).contains(label))
    {
        return Err(wrong(format!(
            "image {at} has the label {}, beyond the {CLASSES} classes; fetch the file again",
            labels[at]
        )));
    }
    Ok(Split {
        images,
        labels,
        height: SIDE,
        width: SIDE,
    })
}

fn parse<'a>(path: &Path, bytes: &'a [u8]) -> Result<Pickle<'a>, DataError> {
    pickle::parse(bytes).map_err(|error| {
        DataError::wrong(
            path,
            format!("is no whole pickle ({error}); fetch it again"),
        )
    })
}

/// `label_names` of `batches.meta`; numbers where there is no such file.
fn names(folder: &Path) -> Result<Vec<String>, DataError> {
    let path = folder.join("batches.meta");
    if !path.exists() {
        return Ok(numbered_names());
    }
    let bytes = read(&path)?;
    let pickle = parse(&path, &bytes)?;
    let names: Option<Vec<String>> = pickle
        .value()
        .get("label_names")
        .and_then(Value::as_sequence)
        .and_then(|names| {
            names
                .map(|name| name.as_text().map(str::to_owned))
                .collect()
        });
    names
        .filter(|names| names.len() == CLASSES)
        .ok_or_else(|| {
            let what = format!(
                "has no \"label_names\" with {CLASSES} names; fetch it again, or remove it to number the classes"
            );
            DataError::wrong(&path, what)
        })
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
            (batch_of(&[]), "has 0 labels"),
        ] {
            fs::write(&path, bytes).unwrap();
            let error = load(folder.path()).unwrap_err().to_string();
            assert!(
                error.contains("data_batch_1: ") && error.contains(what),
                "{error}"
            );
        }
    }

    #[test]
    fn names_come_from_the_meta_file_and_a_damaged_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=5 {
            fs::write(
                folder.path().join(format!("data_batch_{number}")),
                batch_of(&[number]),
            )
            .unwrap();
        }
        let meta = folder.path().join("batches.meta");
        let mut bytes = b"\x80\x02}U\x0blabel_names](".to_vec();
        bytes.extend((b'a'..=b'j').flat_map(|letter| [b'U', 1, letter]));
        bytes.extend(b"es.");
        fs::write(&meta, &bytes).unwrap();
        assert_eq!(load(folder.path()).unwrap().classes[3], "d");
        for damaged in [&bytes[..20], b"\x80\x02}.".as_slice()] {
            fs::write(&meta, damaged).unwrap();
            let error = load(folder.path()).unwrap_err().to_string();
            assert!(error.contains("batches.meta: "), "{error}");
        }
    }
}
