//! Image folders: `train/<class>/*` and `test/<class>/*`, JPEG or PNG, decoded in parallel once and then kept.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::subset::shuffled_classes;
use super::{DataError, Dataset, Split, folder_cache};

/// Endings of image files, in lower case.
const ENDINGS: [&str; 3] = ["jpg", "jpeg", "png"];

/// One image file and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub path: PathBuf,
    pub label: usize,
}

/// Reads an image folder. There is no validation split of its own, so a seeded part of each training class is held out.
///
/// # Errors
/// If a class has no images, an image is damaged or of another size than the first, or `test/` has other classes than `train/`.
pub fn load(
    folder: &Path,
    val_fraction: f64,
    seed: u64,
    cache: Option<&Path>,
) -> Result<Dataset, DataError> {
    let train = folder.join("train");
    let classes = class_names(&train)?;
    let all = split(&train, &classes, cache)?;
    let (mut kept, mut held) = (Vec::new(), Vec::new());
    for class in shuffled_classes(&all.labels, seed) {
        let count = (class.len() as f64 * val_fraction).round() as usize;
        if count == 0 || count == class.len() {
            let what = format!(
                "a class of {} images cannot be split by val_fraction {val_fraction}; add images or change it",
                class.len()
            );
            return Err(DataError::wrong(&train, what));
        }
        held.extend_from_slice(&class[..count]);
        kept.extend_from_slice(&class[count..]);
    }
    kept.sort_unstable();
    held.sort_unstable();
    let test = folder.join("test");
    let test = if test.is_dir() {
        let found = class_names(&test)?;
        if found != classes {
            let what = format!(
                "has the classes {}, but train/ has {}; both must have the same",
                found.join(", "),
                classes.join(", ")
            );
            return Err(DataError::wrong(&test, what));
        }
        let test_split = split(&test, &classes, cache)?;
        if (test_split.height, test_split.width) != (all.height, all.width) {
            let what = format!(
                "its images are {} x {}, those of train/ {} x {}",
                test_split.width, test_split.height, all.width, all.height
            );
            return Err(DataError::wrong(&test, what));
        }
        Some(test_split)
    } else {
        None
    };
    Ok(Dataset {
        train: all.pick(&kept),
        val: all.pick(&held),
        test,
        classes,
    })
}

/// The names in a folder, sorted, without hidden ones.
fn names(folder: &Path) -> Result<Vec<String>, DataError> {
    let unreadable = |cause| DataError::Unreadable {
        path: folder.to_owned(),
        cause,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry
            .map_err(unreadable)?
            .file_name()
            .to_string_lossy()
            .into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn class_names(folder: &Path) -> Result<Vec<String>, DataError> {
    let mut classes = names(folder)?;
    classes.retain(|name| folder.join(name).is_dir());
    if classes.len() < 2 {
        let what = format!(
            "has {} class folders; at least two are expected, each with the images of one class",
            classes.len()
        );
        return Err(DataError::wrong(folder, what));
    }
    Ok(classes)
}

fn entries(folder: &Path, classes: &[String]) -> Result<Vec<Entry>, DataError> {
    let mut entries = Vec::new();
    for (label, class) in classes.iter().enumerate() {
        let place = folder.join(class);
        let before = entries.len();
        for name in names(&place)? {
            let path = place.join(name);
            let ending = path
                .extension()
                .unwrap_or_default()
                .to_string_lossy()
                .to_lowercase();
            if !ENDINGS.contains(&ending.as_str()) {
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
fn split(folder: &Path, classes: &[String], cache: Option<&Path>) -> Result<Split, DataError> {
    let entries = entries(folder, classes)?;
    let cache = cache.map(|cache| folder_cache::Place::of(cache, folder, &entries));
    if let Some(split) = cache.as_ref().and_then(folder_cache::Place::load) {
        return Ok(split);
    }
    let split = decode(&entries)?;
    if let Some(cache) = cache {
        // Without it the next start decodes again: slower, not wrong.
        let _ = cache.store(&split);
    }
    Ok(split)
}

fn decode(entries: &[Entry]) -> Result<Split, DataError> {
    let Some(first) = entries.first() else {
        return Ok(Split {
            images: Vec::new(),
            labels: Vec::new(),
            height: 0,
            width: 0,
        });
    };
    let (width, height, _) = planes(&first.path)?;
    let images: Vec<Vec<u8>> = entries
        .par_iter()
        .map(|entry| {
            let (found_width, found_height, bytes) = planes(&entry.path)?;
            if (found_width, found_height) == (width, height) {
                return Ok(bytes);
            }
            let what = format!("is {found_width} x {found_height} pixels where the others are {width} x {height}; all must be of one size");
            Err(DataError::wrong(&entry.path, what))
        })
        .collect::<Result<_, _>>()?;
    let labels = entries.iter().map(|entry| entry.label as i64).collect();
    Ok(Split {
        images: images.concat(),
        labels,
        height,
        width,
    })
}

/// Width, height, and the red, green and blue planes of an image file. Grey images have three equal planes.
fn planes(path: &Path) -> Result<(usize, usize, Vec<u8>), DataError> {
    let bytes = super::read(path)?;
    // By what is in it, since endings lie.
    let image = image::load_from_memory(&bytes)
        .map_err(|error| {
            DataError::wrong(
                path,
                format!("is no whole image ({error}); replace or remove it"),
            )
        })?
        .to_rgb8();
    let (width, height) = (image.width() as usize, image.height() as usize);
    let interleaved = image.into_raw();
    let planes = (0..3)
        .flat_map(|plane| interleaved.iter().skip(plane).step_by(3).copied())
        .collect();
    Ok((width, height, planes))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let data = load(folder.path(), 0.2, 1, None).unwrap();
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
        let fresh = load(folder.path(), 0.2, 1, Some(cache.path())).unwrap();
        let kept: Vec<_> = fs::read_dir(cache.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(kept.len(), 2);
        assert_eq!(
            load(folder.path(), 0.2, 1, Some(cache.path())).unwrap(),
            fresh
        );
        for path in kept {
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&path, bytes).unwrap();
        }
        assert_eq!(
            load(folder.path(), 0.2, 1, Some(cache.path())).unwrap(),
            fresh
        );
        image::GrayImage::from_pixel(4, 3, image::Luma([255]))
            .save(folder.path().join("train/dog/new.png"))
            .unwrap();
        let grown = load(folder.path(), 0.2, 1, Some(cache.path())).unwrap();
        assert_eq!(grown.train.labels.len() + grown.val.labels.len(), 11);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_file() {
        let refusal = |spoil: &dyn Fn(&Path)| {
            let folder = folder(5);
            spoil(folder.path());
            load(folder.path(), 0.2, 1, None).unwrap_err().to_string()
        };
        let said =
            refusal(&|folder| fs::write(folder.join("train/cat/03.png"), "no image").unwrap());
        assert!(said.contains("cat/03.png: is no whole image"), "{said}");
        let said = refusal(&|folder| {
            image::GrayImage::new(5, 5)
                .save(folder.join("train/dog/03.png"))
                .unwrap();
        });
        assert!(
            said.contains("dog/03.png: is 5 x 5 pixels where the others are 4 x 3"),
            "{said}"
        );
        let said = refusal(&|folder| fs::write(folder.join("train/dog/readme.txt"), "").unwrap());
        assert!(
            said.contains("readme.txt: is neither a JPEG nor a PNG"),
            "{said}"
        );
        let said = refusal(&|folder| fs::create_dir(folder.join("train/emu")).unwrap());
        assert!(said.contains("emu: holds no images"), "{said}");
        let said = refusal(&|folder| {
            fs::rename(folder.join("test/dog"), folder.join("test/cow")).unwrap();
        });
        assert!(
            said.contains("has the classes cat, cow, but train/ has cat, dog"),
            "{said}"
        );
    }
}
