//! CIFAR-10's binary form: records of a label byte and 3,072 bytes of planes.

use std::path::Path;

use super::{DataError, Dataset, Split, read};

/// Rows and columns of a CIFAR image.
pub const SIDE: usize = 32;
/// Bytes of a CIFAR image.
pub const IMAGE: usize = 3 * SIDE * SIDE;
/// Classes of CIFAR-10.
pub const CLASSES: usize = 10;

/// Reads `data_batch_1.bin` to `data_batch_5.bin`, of which the fifth validates, `test_batch.bin` if it is there, and the names.
///
/// # Errors
/// If a batch is missing or damaged.
pub fn load(folder: &Path) -> Result<Dataset, DataError> {
    let batches: Vec<Split> = (1..=5)
        .map(|number| batch(&folder.join(format!("data_batch_{number}.bin"))))
        .collect::<Result<_, _>>()?;
    let test = folder.join("test_batch.bin");
    let test = if test.exists() {
        Some(batch(&test)?)
    } else {
        None
    };
    let classes = names(folder)?;
    assemble(folder, ".bin", batches, test, classes)
}

/// The reference's splits: all batches but the last train, the last validates.
///
/// # Errors
/// If a batch has fewer images than another: a file cut between two images looks whole.
pub fn assemble(
    folder: &Path,
    ending: &str,
    mut batches: Vec<Split>,
    test: Option<Split>,
    classes: Vec<String>,
) -> Result<Dataset, DataError> {
    let most = batches.iter().map(|batch| batch.labels.len()).max();
    for (number, batch) in (1..).zip(&batches) {
        let count = batch.labels.len();
        if Some(count) < most {
            let path = folder.join(format!("data_batch_{number}{ending}"));
            let what = format!(
                "has {count} images where another batch has {}; fetch it again",
                most.unwrap_or(0)
            );
            return Err(DataError::wrong(&path, what));
        }
    }
    let empty = || Split {
        images: Vec::new(),
        labels: Vec::new(),
        height: SIDE,
        width: SIDE,
    };
    let val = batches.pop().unwrap_or_else(empty);
    let mut train = empty();
    for batch in batches {
        train.images.extend(batch.images);
        train.labels.extend(batch.labels);
    }
    Ok(Dataset {
        train,
        val,
        test,
        classes,
    })
}

/// Names for classes that have none.
pub fn numbered_names() -> Vec<String> {
    (0..CLASSES).map(|class| class.to_string()).collect()
}

fn batch(path: &Path) -> Result<Split, DataError> {
    let bytes = read(path)?;
    if bytes.is_empty() || !bytes.len().is_multiple_of(IMAGE + 1) {
        let what = format!(
            "has {} bytes, which is not a multiple of {} (a label and an image); fetch it again",
            bytes.len(),
            IMAGE + 1
        );
        return Err(DataError::wrong(path, what));
    }
    let mut split = Split {
        images: Vec::with_capacity(bytes.len()),
        labels: Vec::new(),
        height: SIDE,
        width: SIDE,
    };
    for (number, record) in bytes.chunks(IMAGE + 1).enumerate() {
        if usize::from(record[0]) >= CLASSES {
            let what = format!(
                "image {number} has the label {}, beyond the {CLASSES} classes; fetch the file again",
                record[0]
            );
            return Err(DataError::wrong(path, what));
        }
        split.labels.push(record[0].into());
        split.images.extend_from_slice(&record[1..]);
    }
    Ok(split)
}

/// The names in `batches.meta.txt`; numbers where there is no such file.
fn names(folder: &Path) -> Result<Vec<String>, DataError> {
    let path = folder.join("batches.meta.txt");
    if !path.exists() {
        return Ok(numbered_names());
    }
    let names: Vec<String> = String::from_utf8_lossy(&read(&path)?)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    if names.len() == CLASSES {
        return Ok(names);
    }
    let what = format!(
        "has {} names where {CLASSES} are expected; fetch it again, or remove it to number the classes",
        names.len()
    );
    Err(DataError::wrong(&path, what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn write(folder: &Path, name: &str, labels: &[u8]) {
        let bytes: Vec<u8> = labels
            .iter()
            .flat_map(|label| std::iter::once(*label).chain([*label * 10; IMAGE]))
            .collect();
        fs::write(folder.join(name), bytes).unwrap();
    }

    #[test]
    fn fifth_batch_validates_and_the_test_batch_is_optional() {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=5 {
            write(
                folder.path(),
                &format!("data_batch_{number}.bin"),
                &[number, 9 - number],
            );
        }
        let data = load(folder.path()).unwrap();
        assert_eq!(data.train.labels, [1, 8, 2, 7, 3, 6, 4, 5]);
        assert_eq!(data.val.labels, [5, 4]);
        assert_eq!((data.val.images[0], data.val.images[IMAGE]), (50, 40));
        assert!(data.test.is_none());
        write(folder.path(), "test_batch.bin", &[0]);
        assert_eq!(load(folder.path()).unwrap().test.unwrap().labels, [0]);
    }

    #[test]
    fn damage_names_the_file_and_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "data_batch_1.bin", &[1]);
        assert!(
            load(folder.path())
                .unwrap_err()
                .to_string()
                .contains("data_batch_2.bin: cannot be read")
        );
        write(folder.path(), "data_batch_1.bin", &[12]);
        assert!(
            load(folder.path())
                .unwrap_err()
                .to_string()
                .contains("data_batch_1.bin: image 0 has the label 12")
        );
        fs::write(folder.path().join("data_batch_1.bin"), [0; 100]).unwrap();
        assert!(
            load(folder.path())
                .unwrap_err()
                .to_string()
                .contains("has 100 bytes, which is not a multiple of 3073")
        );
    }

    #[test]
    fn batch_cut_between_images_and_damaged_names_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=5 {
            let labels: &[u8] = if number == 3 { &[1] } else { &[1, 2] };
            write(folder.path(), &format!("data_batch_{number}.bin"), labels);
        }
        let refusal = || load(folder.path()).unwrap_err().to_string();
        assert!(
            refusal().contains("data_batch_3.bin: has 1 images where another batch has 2"),
            "{}",
            refusal()
        );
        write(folder.path(), "data_batch_3.bin", &[1, 2]);
        fs::write(folder.path().join("batches.meta.txt"), "cat\ndog\n").unwrap();
        assert!(
            refusal().contains("batches.meta.txt: has 2 names where 10"),
            "{}",
            refusal()
        );
    }
}
