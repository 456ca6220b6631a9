//! Image folders: `train/<class>/*` and `test/<class>/*`, JPEG or PNG, decoded in parallel once and
//! then kept.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::damage::Damage;
use super::decode::decoded;
use super::{DataError, Found, Split, check_growth, folder_cache};

/// Endings of image files, in lower case.
const ENDINGS: [&str; 3] = ["jpg", "jpeg", "png"];

/// One image file and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub path: PathBuf,
    pub label: usize,
}

/// Reads an image folder. What is wrong with the folder as a whole ends the reading; damaged images
/// are left out.
pub fn read_folder(folder: &Path, cache: Option<&Path>, damage: &mut Damage) -> Found {
    let train = folder.join("train");
    let classes = damage.sift(class_names(&train)).unwrap_or_default();
    let mut found = Found {
        train: split(&train, &classes, cache, damage),
        val: None,
        test: None,
        classes,
    };
    let test = folder.join("test");
    if test.is_dir()
        && let Some(classes) = damage.sift(class_names(&test))
    {
        if let Err(error) = check_classes(&test, &classes, &found.classes) {
            damage.note(error);
        } else {
            let test_split = split(&test, &classes, cache, damage);
            if let Err(error) = check_size(&test, &test_split, &found.train) {
                damage.note(error);
            }
            found.test = Some(test_split);
        }
    }
    found
}

fn check_classes(test: &Path, found: &[String], of_train: &[String]) -> Result<(), DataError> {
    // If those of train/ could not be read, that is already reported.
    if found == of_train || of_train.is_empty() {
        return Ok(());
    }
    let what = format!(
        "has the classes {}, but train/ has {}; both must have the same",
        found.join(", "),
        of_train.join(", ")
    );
    Err(DataError::wrong(test, what))
}

fn check_size(place: &Path, found: &Split, of_train: &Split) -> Result<(), DataError> {
    if found.labels.is_empty()
        || of_train.labels.is_empty()
        || (found.height, found.width) == (of_train.height, of_train.width)
    {
        return Ok(());
    }
    let what = format!(
        "its images are {} x {}, those of train/ {} x {}",
        found.width, found.height, of_train.width, of_train.height
    );
    Err(DataError::wrong(place, what))
}

/// The names in a folder, sorted, without hidden ones.
fn names(folder: &Path) -> Result<Vec<String>, DataError> {
    let unreadable = |cause| DataError::Unreadable {
        path: folder.to_owned(),
        cause,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let Some(name) = name.to_str() else {
            return Err(DataError::wrong(
                &folder.join(&name),
                "its name is not UTF-8; rename it",
            ));
        };
        if !name.starts_with('.') {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn class_names(folder: &Path) -> Result<Vec<String>, DataError> {
    let mut classes = Vec::new();
    for name in names(folder)? {
        let path = folder.join(&name);
        if path.is_dir() {
            classes.push(name);
        } else if is_image(&path) {
            return Err(DataError::wrong(
                &path,
                "lies beside the class folders; move it into the one of its class",
            ));
        }
    }
    if classes.len() < 2 {
        let what = format!(
            "has {} class folders; at least two are expected, each with the images of one class",
            classes.len()
        );
        return Err(DataError::wrong(folder, what));
    }
    Ok(classes)
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ENDINGS
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known))
}

fn entries(folder: &Path, classes: &[String]) -> Result<Vec<Entry>, DataError> {
    let mut entries = Vec::new();
    for (label, class) in classes.iter().enumerate() {
        let place = folder.join(class);
        let before = entries.len();
        for name in names(&place)? {
            let path = place.join(name);
            if !is_image(&path) {
                return Err(DataError::wrong(
                    &path,
                    "is neither a JPEG nor a PNG file; move it out of the class folder",
                ));
            }
            entries.push(Entry { path, label });
        }
        if entries.len() == before {
            return Err(DataError::wrong(
                &place,
                "holds no images; add some or remove the folder",
            ));
        }
    }
    Ok(entries)
}

/// The images of a folder, from the cache if nothing in it has changed.
fn split(folder: &Path, classes: &[String], cache: Option<&Path>, damage: &mut Damage) -> Split {
    let Some(entries) = damage.sift(entries(folder, classes)) else {
        return Split::empty(0, 0);
    };
    let cache = cache.map(|cache| folder_cache::Place::of(cache, folder, &entries));
    if let Some(split) = cache.as_ref().and_then(folder_cache::Place::load) {
        return split;
    }
    let Some((split, damaged)) = damage.sift(decode(folder, &entries)) else {
        return Split::empty(0, 0);
    };
    if let (Some(cache), []) = (cache, damaged.as_slice()) {
        // Without it the next start decodes again: slower, not wrong.
        let _ = cache.store(&split);
    }
    for error in damaged {
        damage.note(error);
    }
    split
}

/// The whole images, and what is wrong with the others.
///
/// # Errors
/// If they would take far more memory than data sets do.
fn decode(folder: &Path, entries: &[Entry]) -> Result<(Split, Vec<DataError>), DataError> {
    // What a file says of its size is not yet true: the first image is read whole before there is
    // room made for all.
    let mut before = Vec::new();
    let first = entries.iter().find_map(|entry| {
        let image = decoded(&entry.path, None);
        image.map_err(|error| before.push(error)).ok()
    });
    let Some(first) = first else {
        return Ok((Split::empty(0, 0), before));
    };
    let size = first.dimensions();
    let (width, height) = size;
    let (rows, columns) = (height as usize, width as usize);
    let image_len = 3 * rows * columns;
    let sizes = entries
        .iter()
        .map(|entry| fs::metadata(&entry.path).map_or(0, |file| file.len()));
    let taken = (image_len as u64).saturating_mul(entries.len() as u64);
    check_growth(folder, sizes.sum(), taken)?;
    let mut images = vec![0; entries.len() * image_len];
    let results: Vec<Result<(), DataError>> = images
        .par_chunks_exact_mut(image_len.max(1))
        .zip(entries)
        .map(|(planes, entry)| {
            // Grey images get three equal planes here.
            for (at, pixel) in decoded(&entry.path, Some(size))?.pixels().enumerate() {
                for (plane, byte) in pixel.0.into_iter().enumerate() {
                    planes[plane * rows * columns + at] = byte;
                }
            }
            Ok(())
        })
        .collect();
    let mut split = Split {
        images,
        labels: entries.iter().map(|entry| entry.label as i64).collect(),
        height: rows,
        width: columns,
    };
    let (whole, damaged): (Vec<_>, Vec<_>) =
        (0..).zip(results).partition(|(_, result)| result.is_ok());
    if !damaged.is_empty() {
        let whole: Vec<usize> = whole.into_iter().map(|(at, _)| at).collect();
        split.keep(&whole);
    }
    let damaged = damaged.into_iter().filter_map(|(_, result)| result.err());
    Ok((split, damaged.collect()))
}

#[cfg(test)]
mod tests {
    use super::super::Dataset;
    use super::super::subset::{Holding, hold_out};
    use super::*;

    fn load(folder: &Path, cache: Option<&Path>) -> Result<Dataset, DataError> {
        let mut damage = Damage::default();
        let found = read_folder(folder, cache, &mut damage);
        let holding = Holding {
            fraction: 0.2,
            is_forced: false,
            seed: 1,
        };
        hold_out(folder, damage.or(found)?, holding)
    }

    /// A folder with two classes of `count` images, each image of one grey.
    fn folder(count: u8) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (class, offset) in [("cat", 0), ("dog", 100)] {
            for purpose in ["train", "test"] {
                let place = folder.path().join(purpose).join(class);
                fs::create_dir_all(&place).unwrap();
                for number in 0..count {
                    image::GrayImage::from_pixel(4, 3, image::Luma([offset + number]))
                        .save(place.join(format!("{number:02}.png")))
                        .unwrap();
                }
            }
        }
        folder
    }

    #[test]
    fn every_class_gives_its_part_to_validation() {
        let folder = folder(10);
        let data = load(folder.path(), None).unwrap();
        assert_eq!(data.classes, ["cat", "dog"]);
        assert_eq!(
            (data.train.labels.len(), data.train.height, data.train.width),
            (16, 3, 4)
        );
        assert_eq!(data.val.labels, [0, 0, 1, 1]);
        assert_eq!(data.test.unwrap().labels.len(), 20);
        assert!(data.val.images[data.val.images.len() - 1] >= 100);
    }

    #[test]
    fn unchanged_folder_comes_from_the_cache_and_damage_there_is_noticed() {
        let (folder, cache) = (folder(5), tempfile::tempdir().unwrap());
        let fresh = load(folder.path(), Some(cache.path())).unwrap();
        let kept: Vec<_> = fs::read_dir(cache.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(kept.len(), 2);
        assert_eq!(load(folder.path(), Some(cache.path())).unwrap(), fresh);
        for path in kept {
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&path, bytes).unwrap();
        }
        assert_eq!(load(folder.path(), Some(cache.path())).unwrap(), fresh);
        image::GrayImage::from_pixel(4, 3, image::Luma([255]))
            .save(folder.path().join("train/dog/new.png"))
            .unwrap();
        let grown = load(folder.path(), Some(cache.path())).unwrap();
        assert_eq!(grown.train.labels.len() + grown.val.labels.len(), 11);
    }

    #[test]
    fn all_damaged_images_are_noted_and_the_others_kept() {
        let folder = folder(5);
        for name in ["train/cat/00.png", "train/dog/04.png", "test/cat/02.png"] {
            fs::write(folder.path().join(name), "no image").unwrap();
        }
        let mut damage = Damage::default();
        let found = read_folder(folder.path(), None, &mut damage);
        assert_eq!(damage.all().len(), 3, "{damage:?}");
        assert_eq!(found.train.labels, [0, 0, 0, 0, 1, 1, 1, 1]);
        assert_eq!(found.train.images[..36], [1; 36]);
        assert_eq!(found.test.unwrap().labels.len(), 9);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_file() {
        let refusal = |spoil: &dyn Fn(&Path)| {
            let folder = folder(5);
            spoil(folder.path());
            load(folder.path(), None).unwrap_err().to_string()
        };
        let message =
            refusal(&|folder| fs::write(folder.join("train/cat/03.png"), "no image").unwrap());
        assert!(
            message.contains("cat/03.png: is no whole image"),
            "{message}"
        );
        let message = refusal(&|folder| {
            image::GrayImage::new(5, 5)
                .save(folder.join("train/dog/03.png"))
                .unwrap();
        });
        assert!(
            message.contains("dog/03.png: is 5 x 5 pixels where the first image is 4 x 3"),
            "{message}"
        );
        let message =
            refusal(&|folder| fs::write(folder.join("train/dog/readme.txt"), "").unwrap());
        assert!(
            message.contains("readme.txt: is neither a JPEG nor a PNG"),
            "{message}"
        );
        let message = refusal(&|folder| {
            fs::rename(folder.join("train/dog/01.png"), folder.join("train/01.PNG")).unwrap();
        });
        assert!(
            message.contains("train/01.PNG: lies beside the class folders"),
            "{message}"
        );
        let message = refusal(&|folder| {
            let path = folder.join("train/cat/04.jpg");
            image::RgbImage::new(4, 3).save(&path).unwrap();
            let whole = fs::read(&path).unwrap();
            fs::write(&path, &whole[..whole.len() - 2]).unwrap();
        });
        assert!(
            message.contains("04.jpg: is no whole image (it ends before"),
            "{message}"
        );
        let message = refusal(&|folder| fs::create_dir(folder.join("train/emu")).unwrap());
        assert!(message.contains("emu: holds no images"), "{message}");
        let message = refusal(&|folder| {
            fs::rename(folder.join("test/dog"), folder.join("test/cow")).unwrap();
        });
        assert!(
            message.contains("has the classes cat, cow, but train/ has cat, dog"),
            "{message}"
        );
    }
}
