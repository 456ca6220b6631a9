//! CIFAR's binary form: records of a label (of CIFAR-100 two: coarse, fine) and 3,072 bytes of
//! planes.

use std::path::Path;

use super::cifar::{Cifar, IMAGE, SIDE};
use super::{DataError, Split, read};

/// Reads one file of records.
///
/// # Errors
/// If it is no whole number of records, or a label is of no class.
pub fn batch(path: &Path, cifar: &Cifar) -> Result<Split, DataError> {
    let bytes = read(path)?;
    let record = cifar.label_bytes + IMAGE;
    if bytes.is_empty() || !bytes.len().is_multiple_of(record) {
        let what = format!(
            "has {} bytes, which is not a multiple of {record} (a label and an image); fetch it again",
            bytes.len(),
        );
        return Err(DataError::wrong(path, what));
    }
    let mut split = Split::empty(SIDE, SIDE);
    split.images.reserve_exact(bytes.len());
    for (number, record) in bytes.chunks(record).enumerate() {
        let (labels, image) = record.split_at(cifar.label_bytes);
        let label = labels.last().copied().unwrap_or_default().into();
        cifar.check_label(path, number, label)?;
        split.labels.push(label);
        split.images.extend_from_slice(image);
    }
    Ok(split)
}

/// The names in the text beside the files; `None` where there is none.
///
/// # Errors
/// If there are not as many as classes.
pub fn names(folder: &Path, cifar: &Cifar) -> Result<Option<Vec<String>>, DataError> {
    let path = folder.join(cifar.meta_text);
    if !path.exists() {
        return Ok(None);
    }
    let names: Vec<String> = String::from_utf8_lossy(&read(&path)?)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    if names.len() == cifar.classes {
        return Ok(Some(names));
    }
    let what = format!(
        "has {} names where {} are expected; fetch it again, or remove it to number the classes",
        names.len(),
        cifar.classes
    );
    Err(DataError::wrong(&path, what))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Found;
    use super::super::cifar::{CIFAR_10, CIFAR_100, Encoding};
    use super::super::damage::Damage;
    use super::*;

    fn load(folder: &Path) -> Result<Found, DataError> {
        let mut damage = Damage::default();
        let found = CIFAR_10.read(folder, Encoding::Binary, &mut damage);
        damage.or(found)
    }

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
        assert_eq!(data.val.as_ref().unwrap().labels, [5, 4]);
        let val = data.val.unwrap();
        assert_eq!((val.images[0], val.images[IMAGE]), (50, 40));
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

    #[test]
    fn of_cifar_100_the_fine_label_counts_and_there_are_a_hundred_names() {
        let folder = tempfile::tempdir().unwrap();
        let record = |fine: u8| [&[3, fine][..], &[fine; IMAGE]].concat();
        let train = [record(99), record(42)].concat();
        fs::write(folder.path().join("train.bin"), train).unwrap();
        fs::write(folder.path().join("test.bin"), record(7)).unwrap();
        let mut damage = Damage::default();
        let found = CIFAR_100.read(folder.path(), Encoding::Binary, &mut damage);
        assert!(damage.all().is_empty(), "{damage:?}");
        assert_eq!(found.train.labels, [99, 42]);
        assert_eq!((found.test.unwrap().images[0], found.val), (7, None));
        assert_eq!(
            (found.classes.len(), found.classes[99].as_str()),
            (100, "99")
        );
    }

    #[test]
    fn every_damaged_batch_is_noted_and_the_others_are_read() {
        let folder = tempfile::tempdir().unwrap();
        for number in [1, 3, 5] {
            write(folder.path(), &format!("data_batch_{number}.bin"), &[1, 2]);
        }
        fs::write(folder.path().join("data_batch_2.bin"), [0; 100]).unwrap();
        let mut damage = Damage::default();
        let found = CIFAR_10.read(folder.path(), Encoding::Binary, &mut damage);
        assert_eq!((damage.all().len(), found.train.labels.len()), (2, 4));
    }
}
