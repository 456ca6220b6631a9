//! CIFAR's Python form: pickled dicts with `data` (uint8, N x 3072, plane after plane) and labels.

use std::path::Path;

use super::cifar::{Cifar, IMAGE, SIDE};
use super::{DataError, Split, parse_pickle, read};
use traintop_pickle::{Array, Value};

/// Class names are not longer, in bytes.
const MAX_NAME_BYTES: usize = 1000;

/// Reads one pickled batch.
///
/// # Errors
/// If it is cut short, is no batch, or a label is of no class.
pub fn batch(path: &Path, cifar: &Cifar) -> Result<Split, DataError> {
    let bytes = read(path)?;
    let pickle = parse_pickle(path, &bytes)?;
    let expected = || format!("a {} batch is expected", cifar.name);
    let wrong = |what: String| DataError::wrong(path, what);
    let entry = |key: &str| {
        pickle
            .value()
            .get(key)
            .ok_or_else(|| wrong(format!("has no {key:?}; {}", expected())))
    };
    let images = entry("data")?
        .as_array()
        .and_then(Array::into_u8)
        .ok_or_else(|| {
            wrong(format!(
                "its \"data\" is no numpy array of uint8; {}",
                expected()
            ))
        })?;
    let labels = entry(cifar.labels)?.as_ints().ok_or_else(|| {
        wrong(format!(
            "its {:?} are no list of numbers; {}",
            cifar.labels,
            expected()
        ))
    })?;
    if labels.is_empty() || images.len() != labels.len() * IMAGE {
        return Err(wrong(format!(
            "has {} labels but {} bytes of images ({IMAGE} each expected); fetch it again",
            labels.len(),
            images.len()
        )));
    }
    for (image, label) in labels.iter().enumerate() {
        cifar.check_label(path, image, *label)?;
    }
    Ok(Split {
        images,
        labels,
        height: SIDE,
        width: SIDE,
    })
}

/// The names in the pickle beside the batches; `None` where there is none.
///
/// # Errors
/// If it is damaged or has not as many names as there are classes.
pub fn names(folder: &Path, cifar: &Cifar) -> Result<Option<Vec<String>>, DataError> {
    let (file, key) = cifar.meta;
    let path = folder.join(file);
    if !path.exists() {
        return Ok(None);
    }
    let bytes = read(&path)?;
    let pickle = parse_pickle(&path, &bytes)?;
    let names: Option<Vec<String>> = pickle
        .value()
        .get(key)
        .and_then(Value::as_sequence)
        .filter(|names| names.len() == cifar.classes)
        .and_then(|names| {
            // One long text may be all of them.
            let name = |name: Value<'_>| {
                let text = name.as_text().filter(|text| text.len() <= MAX_NAME_BYTES);
                text.map(str::to_owned)
            };
            names.map(name).collect()
        });
    names.map(Some).ok_or_else(|| {
        let what = format!(
            "has no {key:?} with {} names; fetch it again, or remove it to number the classes",
            cifar.classes
        );
        DataError::wrong(&path, what)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Found;
    use super::super::cifar::{CIFAR_10, CIFAR_100, Encoding};
    use super::super::damage::Damage;
    use super::*;

    fn load_as(cifar: &Cifar, folder: &Path) -> Result<Found, DataError> {
        let mut damage = Damage::default();
        let found = cifar.read(folder, Encoding::Pickle, &mut damage);
        damage.or(found)
    }

    fn load(folder: &Path) -> Result<Found, DataError> {
        load_as(&CIFAR_10, folder)
    }

    /// A batch as Python 2's pickle wrote the original files: protocol 2, strings of bytes, numpy's
    /// reconstruction.
    fn batch_of(key: &str, labels: &[u8]) -> Vec<u8> {
        let text = |text: &str| [b"U", &[text.len() as u8][..], text.as_bytes()].concat();
        let mut bytes = b"\x80\x02}q\x01(".to_vec();
        bytes.extend(text("data"));
        bytes.extend(b"cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85q\x04U\x01bq\x05\x87q\x06Rq\x07(K\x01K");
        bytes.push(labels.len() as u8);
        bytes.extend(b"M\x00\x0c\x86q\x08cnumpy\ndtype\nq\x09U\x02u1q\x0aK\x00K\x01\x87q\x0bRq\x0c(K\x03U\x01|q\x0dNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0eb\x89T");
        bytes.extend(((labels.len() * IMAGE) as u32).to_le_bytes());
        bytes.extend(labels.iter().flat_map(|label| [*label * 10; IMAGE]));
        bytes.extend(b"q\x0ftq\x10b");
        bytes.extend(text(key));
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
                batch_of("labels", &[number, 9]),
            )
            .unwrap();
        }
        let data = load(folder.path()).unwrap();
        assert_eq!(data.train.labels, [1, 9, 2, 9, 3, 9, 4, 9]);
        let val = data.val.unwrap();
        assert_eq!((val.labels.as_slice(), val.images[0]), (&[5, 9][..], 50));
        assert_eq!(data.classes[3], "3");
    }

    #[test]
    fn damage_names_the_file_and_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data_batch_1");
        let whole = batch_of("labels", &[1, 2]);
        for (bytes, what) in [
            (whole[..whole.len() / 2].to_vec(), "is no whole pickle"),
            (batch_of("labels", &[12]), "image 0 has the label 12"),
            (b"\x80\x02}.".to_vec(), "has no \"data\""),
            (batch_of("labels", &[]), "has 0 labels"),
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
                batch_of("labels", &[number]),
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

    #[test]
    fn of_cifar_100_the_fine_labels_are_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("train"),
            batch_of("fine_labels", &[1, 12]),
        )
        .unwrap();
        fs::write(folder.path().join("test"), batch_of("fine_labels", &[25])).unwrap();
        let found = load_as(&CIFAR_100, folder.path()).unwrap();
        assert_eq!(
            (found.train.labels.as_slice(), found.val),
            (&[1, 12][..], None)
        );
        assert_eq!(
            (found.test.unwrap().labels[0], found.classes.len()),
            (25, 100)
        );
        fs::write(folder.path().join("train"), batch_of("labels", &[1])).unwrap();
        let message = load_as(&CIFAR_100, folder.path()).unwrap_err().to_string();
        assert!(
            message.contains("train: has no \"fine_labels\"; a CIFAR-100 batch"),
            "{message}"
        );
    }
}
