//! IDX, the form of MNIST and Fashion-MNIST: big-endian lengths, then bytes; plain or gzipped. Grey
//! images get three equal planes, and sides below 32 a black border up to 32, which is what the
//! networks are made for.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::damage::Damage;
use super::{DataError, Found, Split, check_growth, read};

/// The side up to which smaller images get a border.
const SIDE: usize = 32;
/// No data set of this form comes near: what a file claims beyond this is damage, and no reason to
/// allocate memory.
const MAX_BYTES: usize = 1 << 33;

/// Whether a folder holds any of the files.
pub fn is_here(folder: &Path) -> bool {
    ["train", "t10k"]
        .into_iter()
        .any(|purpose| file(folder, purpose, "images", 3).exists())
}

/// Reads training images and, if they are there, test images. Classes are numbered up to the
/// highest label of the training images.
pub fn read_folder(folder: &Path, damage: &mut Damage) -> Found {
    let train = damage.sift(split(folder, "train"));
    let classes = train
        .iter()
        .flat_map(|split| &split.labels)
        .max()
        .map_or(0, |most| *most + 1);
    let has_test = file(folder, "t10k", "images", 3).exists();
    let test = has_test
        .then(|| damage.sift(split(folder, "t10k")))
        .flatten();
    let foreign = |split: &Split| {
        let at = split.labels.iter().position(|label| *label >= classes)?;
        Some(format!(
            "label {at} is {}, a class of which the training images have none; fetch the files again",
            split.labels[at]
        ))
    };
    if let (Some(_), Some(what)) = (&train, test.as_ref().and_then(foreign)) {
        damage.note(DataError::wrong(&file(folder, "t10k", "labels", 1), what));
    }
    Found {
        train: train.unwrap_or_else(|| Split::empty(SIDE, SIDE)),
        val: None,
        test,
        classes: (0..classes).map(|class| class.to_string()).collect(),
    }
}

/// The file of a purpose, under whichever of its usual names it has; the first of them if it is not
/// there.
fn file(folder: &Path, purpose: &str, what: &str, dimensions: usize) -> PathBuf {
    let names = ["-", "."].into_iter().flat_map(|joint| {
        ["", ".gz"].map(|ending| format!("{purpose}-{what}{joint}idx{dimensions}-ubyte{ending}"))
    });
    let mut paths = names.map(|name| folder.join(name));
    let first = folder.join(format!("{purpose}-{what}-idx{dimensions}-ubyte"));
    paths.find(|path| path.is_file()).unwrap_or(first)
}

fn split(folder: &Path, purpose: &str) -> Result<Split, DataError> {
    let path = file(folder, purpose, "images", 3);
    let (shape, pixels) = content(&path, 3)?;
    let [count, rows, columns] = shape[..] else {
        return Err(DataError::wrong(&path, "is no list of grey images"));
    };
    if count == 0 || rows == 0 || columns == 0 {
        let what = format!("has {count} images of {columns} x {rows} pixels; fetch it again");
        return Err(DataError::wrong(&path, what));
    }
    let labels_path = file(folder, purpose, "labels", 1);
    let (_, labels) = content(&labels_path, 1)?;
    if labels.len() != count {
        let what = format!(
            "has {} labels for the {count} images beside it; fetch both again",
            labels.len()
        );
        return Err(DataError::wrong(&labels_path, what));
    }
    Ok(bordered(&pixels, labels, rows, columns))
}

/// Grey images in the middle of black ones, three times over.
fn bordered(pixels: &[u8], labels: Vec<u8>, rows: usize, columns: usize) -> Split {
    let (height, width) = (rows.max(SIDE), columns.max(SIDE));
    let (top, left) = ((height - rows) / 2, (width - columns) / 2);
    let mut images = vec![0; labels.len() * 3 * height * width];
    let grey = pixels.chunks_exact(rows * columns);
    for (image, planes) in grey.zip(images.chunks_exact_mut(3 * height * width)) {
        for plane in planes.chunks_exact_mut(height * width) {
            let lines = plane.chunks_exact_mut(width).skip(top);
            for (from, to) in image.chunks_exact(columns).zip(lines) {
                to[left..left + columns].copy_from_slice(from);
            }
        }
    }
    Split {
        images,
        labels: labels.into_iter().map(i64::from).collect(),
        height,
        width,
    }
}

/// The lengths of a file's dimensions, and its bytes.
fn content(path: &Path, dimensions: usize) -> Result<(Vec<usize>, Vec<u8>), DataError> {
    let bytes = read(path)?;
    let size = bytes.len() as u64;
    // gzip's own two first bytes; no IDX file begins with them.
    if bytes.starts_with(&[0x1f, 0x8b]) {
        parse(
            path,
            size,
            MultiGzDecoder::new(bytes.as_slice()),
            dimensions,
        )
    } else {
        parse(path, size, bytes.as_slice(), dimensions)
    }
}

/// Reads a file of `size` bytes, unpacked by `from`.
fn parse(
    path: &Path,
    size: u64,
    mut from: impl Read,
    dimensions: usize,
) -> Result<(Vec<usize>, Vec<u8>), DataError> {
    let wrong = |what: String| DataError::wrong(path, format!("{what}; fetch it again"));
    let cut = |error: std::io::Error| wrong(format!("is no whole IDX file ({error})"));
    let mut header = vec![0; 4 + 4 * dimensions];
    from.read_exact(&mut header).map_err(cut)?;
    let (magic, lengths) = header.split_at(4);
    // Two zeros, the kind (8: bytes), the number of dimensions.
    if magic != [0, 0, 8, dimensions as u8] {
        return Err(wrong(format!(
            "begins with {magic:02x?}, and an IDX file of bytes in {dimensions} dimensions was expected"
        )));
    }
    let shape: Vec<usize> = lengths
        .as_chunks::<4>()
        .0
        .iter()
        .map(|length| u32::from_be_bytes(*length) as usize)
        .collect();
    let total = shape
        .iter()
        .try_fold(1, |total: usize, length| total.checked_mul(*length))
        .filter(|total| *total <= MAX_BYTES)
        .ok_or_else(|| wrong(format!("claims the impossible shape {shape:?}")))?;
    check_growth(path, size, taken(&shape))?;
    let mut bytes = Vec::new();
    // One more than there should be, to see whether there are more.
    from.take(total as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(cut)?;
    if bytes.len() == total {
        return Ok((shape, bytes));
    }
    let found = if bytes.len() < total { "fewer" } else { "more" };
    Err(wrong(format!(
        "has {found} bytes than the {total} of its shape {shape:?}"
    )))
}

/// Bytes that are taken in the end: three planes with a border of each image, a number of eight
/// bytes for each label.
fn taken(shape: &[usize]) -> u64 {
    let bytes = match *shape {
        [count, rows, columns] => {
            let planes = 3 * rows.max(SIDE) as u64;
            planes
                .saturating_mul(columns.max(SIDE) as u64)
                .saturating_mul(count as u64)
        }
        _ => 8 * shape.iter().product::<usize>() as u64,
    };
    bytes.saturating_add(shape.iter().product::<usize>() as u64)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn idx(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut file = vec![0, 0, 8, shape.len() as u8];
        file.extend(shape.iter().flat_map(|length| length.to_be_bytes()));
        file.extend(bytes);
        file
    }

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        let images: Vec<u8> = [1, 2, 3]
            .into_iter()
            .flat_map(|grey| [grey; 28 * 28])
            .collect();
        put(
            "train-images-idx3-ubyte.gz",
            &zipped(&idx(&[3, 28, 28], &images)),
        );
        put("train-labels.idx1-ubyte", &idx(&[3], &[2, 0, 1]));
        put(
            "t10k-images-idx3-ubyte",
            &idx(&[1, 28, 28], &images[..28 * 28]),
        );
        put("t10k-labels-idx1-ubyte", &idx(&[1], &[2]));
        folder
    }

    fn load(folder: &Path) -> Result<Found, DataError> {
        let mut damage = Damage::default();
        let found = read_folder(folder, &mut damage);
        damage.or(found)
    }

    #[test]
    fn grey_images_stand_in_the_middle_of_three_equal_planes() {
        let folder = folder();
        let found = load(folder.path()).unwrap();
        assert_eq!(found.train.labels, [2, 0, 1]);
        assert_eq!(found.classes, ["0", "1", "2"]);
        assert_eq!((found.train.height, found.train.width), (32, 32));
        let second = &found.train.images[3 * 1024..][..3 * 1024];
        for plane in second.chunks(1024) {
            for (at, byte) in plane.iter().enumerate() {
                let is_inside = [at / 32, at % 32]
                    .iter()
                    .all(|place| (2..30).contains(place));
                assert_eq!(*byte, if is_inside { 2 } else { 0 }, "{at}");
            }
        }
        assert_eq!(found.test.unwrap().labels, [2]);
    }

    #[test]
    fn damage_names_the_file_and_what_is_wrong() {
        let cases: [(&str, Vec<u8>, &str); 9] = [
            // Of these, 3 GB would become.
            (
                "train-images-idx3-ubyte.gz",
                idx(&[1_000_000, 1, 1], &vec![0; 1_000_000]),
                "which is more than any data set",
            ),
            (
                "train-images-idx3-ubyte.gz",
                zipped(&idx(&[1_000_000, 32, 32], &[0; 1000])),
                "which is more than any data set",
            ),
            (
                "t10k-images-idx3-ubyte",
                idx(&[2, 28, 28], &[0; 28]),
                "has fewer bytes than the 1568",
            ),
            (
                "t10k-images-idx3-ubyte",
                idx(&[1, 2, 2], &[0; 5]),
                "has more bytes than the 4",
            ),
            (
                "t10k-images-idx3-ubyte",
                idx(&[u32::MAX; 3], &[]),
                "claims the impossible shape",
            ),
            ("t10k-images-idx3-ubyte", vec![0, 0], "is no whole IDX file"),
            (
                "t10k-labels-idx1-ubyte",
                idx(&[2], &[0, 1]),
                "has 2 labels for the 1 images",
            ),
            (
                "t10k-labels-idx1-ubyte",
                idx(&[1], &[9]),
                "label 0 is 9, a class of which",
            ),
            (
                "train-labels.idx1-ubyte",
                idx(&[1, 3], &[1; 3]),
                "begins with [00, 00, 08, 02]",
            ),
        ];
        for (name, bytes, what) in cases {
            let folder = folder();
            fs::write(folder.path().join(name), bytes).unwrap();
            let message = load(folder.path()).unwrap_err().to_string();
            assert!(
                message.contains(name) && message.contains(what),
                "{message}"
            );
        }
        let folder = folder();
        let path = folder.path().join("train-images-idx3-ubyte.gz");
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(load(folder.path()).is_err(), "{length} bytes");
        }
    }
}
