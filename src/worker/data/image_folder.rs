//! Image folders: `train/<class>/*` and `test/<class>/*`, JPEG or PNG, decoded in parallel once and then kept.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, RgbImage};
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
    let mut all = split(&train, &classes, cache)?;
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
    let val = all.pick(&held);
    all.keep(&kept);
    Ok(Dataset {
        train: all,
        val,
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
    // What a file says of its size is not yet true: the first image is read whole before there is room made for all.
    let size = decoded(&first.path, None)?.dimensions();
    let (width, height) = size;
    let (rows, columns) = (height as usize, width as usize);
    let image_len = 3 * rows * columns;
    let mut images = vec![0; entries.len() * image_len];
    images
        .par_chunks_exact_mut(image_len)
        .zip(entries)
        .try_for_each(|(planes, entry)| {
            // Grey images get three equal planes here.
            for (at, pixel) in decoded(&entry.path, Some(size))?.pixels().enumerate() {
                for (plane, byte) in pixel.0.into_iter().enumerate() {
                    planes[plane * rows * columns + at] = byte;
                }
            }
            Ok(())
        })?;
    Ok(Split {
        images,
        labels: entries.iter().map(|entry| entry.label as i64).collect(),
        height: rows,
        width: columns,
    })
}

/// An image file's pixels, read by what is in it, since endings lie. One that is not of the expected size is refused before it is decoded.
fn decoded(path: &Path, expected: Option<(u32, u32)>) -> Result<RgbImage, DataError> {
    let damaged = |cause: &str| {
        // Decoders' messages may have line ends.
        let cause: Vec<&str> = cause.split_whitespace().collect();
        let what = format!(
            "is no whole image ({}); replace or remove it",
            cause.join(" ")
        );
        DataError::wrong(path, what)
    };
    let failed = |error: ImageError| damaged(&error.to_string());
    let bytes = super::read(path)?;
    if is_cut_jpeg(&bytes) {
        return Err(damaged("it ends before the end of the picture"));
    }
    let decoder = ImageReader::new(Cursor::new(&bytes))
        .with_guessed_format()
        .map_err(|error| failed(error.into()))?
        .into_decoder()
        .map_err(failed)?;
    let found = decoder.dimensions();
    match expected {
        Some(expected) if expected != found => {
            let what = format!(
                "is {} x {} pixels where the first image is {} x {}; all must be of one size",
                found.0, found.1, expected.0, expected.1
            );
            Err(DataError::wrong(path, what))
        }
        _ => Ok(DynamicImage::from_decoder(decoder)
            .map_err(failed)?
            .to_rgb8()),
    }
}

/// Whether a JPEG file lacks its end, which the decoder forgives and fills up with grey. The end marker cannot occur within
/// a picture's data, but may within a preview before them.
fn is_cut_jpeg(bytes: &[u8]) -> bool {
    let last = |marker: [u8; 2]| memchr::memmem::rfind(bytes, &marker);
    bytes.starts_with(&[0xff, 0xd8]) && last([0xff, 0xd9]) < last([0xff, 0xda])
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
            said.contains("dog/03.png: is 5 x 5 pixels where the first image is 4 x 3"),
            "{said}"
        );
        let said = refusal(&|folder| fs::write(folder.join("train/dog/readme.txt"), "").unwrap());
        assert!(
            said.contains("readme.txt: is neither a JPEG nor a PNG"),
            "{said}"
        );
        let said = refusal(&|folder| {
            fs::rename(folder.join("train/dog/01.png"), folder.join("train/01.PNG")).unwrap();
        });
        assert!(
            said.contains("train/01.PNG: lies beside the class folders"),
            "{said}"
        );
        let said = refusal(&|folder| {
            let path = folder.join("train/cat/04.jpg");
            image::RgbImage::new(4, 3).save(&path).unwrap();
            let whole = fs::read(&path).unwrap();
            fs::write(&path, &whole[..whole.len() - 2]).unwrap();
        });
        assert!(
            said.contains("04.jpg: is no whole image (it ends before"),
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
