//! Images without labels, as competitions give them out: a pickled dict with the images under
//! `data` or `images`, and sometimes numbers for them under `ids`.

use std::path::Path;

use super::cifar::{IMAGE, SIDE};
use super::{DataError, Split, parse_pickle, read};
use traintop_pickle::{Array, Value};

/// The possible keys of the images.
const IMAGES: [&str; 2] = ["data", "images"];

/// Images to predict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlabelled {
    /// N x 3 x 32 x 32 bytes: red, green, blue planes of each image in turn.
    pub images: Vec<u8>,
    /// The images' numbers; if the file has none, they count from 0.
    pub ids: Option<Vec<i64>>,
}

impl Unlabelled {
    /// The number of images.
    pub fn count(&self) -> usize {
        self.images.len() / IMAGE
    }

    /// The images as a split of which nothing but the images means anything.
    pub fn into_split(self) -> Split {
        Split {
            labels: vec![0; self.count()],
            images: self.images,
            height: SIDE,
            width: SIDE,
        }
    }
}

/// Reads such a file: N x 3072 (plane after plane), N x 32 x 32 x 3 or N x 3 x 32 x 32 bytes, in
/// one array or a list of them.
///
/// # Errors
/// If it is no whole pickle, or its images are of another form.
pub fn load_unlabelled(path: &Path) -> Result<Unlabelled, DataError> {
    let bytes = read(path)?;
    let pickle = parse_pickle(path, &bytes)?;
    let wrong = |what: String| DataError::wrong(path, what);
    let expected = "a dict with images of uint8 under \"data\" or \"images\" is expected";
    let root = pickle.value();
    let found = IMAGES
        .iter()
        .find_map(|key| root.get(key))
        .ok_or_else(|| wrong(format!("holds no images; {expected}")))?;
    // Read one after the other: all of them may be one array.
    let arrays: Box<dyn Iterator<Item = Option<Array>>> = match found.as_sequence() {
        Some(each) => Box::new(each.map(|image| image.as_array().map(of_one))),
        None => Box::new(std::iter::once(found.as_array())),
    };
    let no_array = || {
        wrong(format!(
            "its images are no numpy array of numbers; {expected}"
        ))
    };
    let mut images = Vec::new();
    for array in arrays {
        let array = array.ok_or_else(no_array)?;
        images.extend(planes(array).map_err(|shape| {
            wrong(format!(
                "its images are an array of the shape {shape:?}; bytes in the shape N x 3072, N x 32 x 32 x 3 or N x 3 x 32 x 32 are expected"
            ))
        })?);
        // One array named again and again in a list could ask for any amount of memory.
        if images.len() > bytes.len() {
            return Err(wrong(format!("has the same image many times; {expected}")));
        }
    }
    if images.is_empty() {
        return Err(no_array());
    }
    let count = images.len() / IMAGE;
    let ids = root.get("ids").map(|ids| {
        ids_of(ids).filter(|ids| ids.len() == count).ok_or_else(|| {
            wrong(format!(
                "its \"ids\" are not {count} whole numbers, one for each image; correct or remove them"
            ))
        })
    });
    Ok(Unlabelled {
        images,
        ids: ids.transpose()?,
    })
}

/// An image by itself as an array of images.
fn of_one(mut image: Array<'_>) -> Array<'_> {
    image.shape.insert(0, 1);
    image
}

/// Planes of 32 x 32 images; the shape of any other array, as `Err`.
fn planes(array: Array<'_>) -> Result<Vec<u8>, Vec<usize>> {
    let shape = array.shape.clone();
    let bytes = array.into_u8().ok_or_else(|| shape.clone())?;
    match shape[..] {
        [count, IMAGE] | [count, 3, SIDE, SIDE] if count > 0 => Ok(bytes),
        [count, SIDE, SIDE, 3] if count > 0 => Ok(bytes
            .chunks_exact(IMAGE)
            .flat_map(|image| {
                (0..3).flat_map(move |channel| image.iter().skip(channel).step_by(3).copied())
            })
            .collect()),
        _ => Err(shape),
    }
}

/// Whole numbers, or texts that are such.
fn ids_of(value: Value<'_>) -> Option<Vec<i64>> {
    let number = |text: &str| text.trim().parse().ok();
    if let Some(ints) = value.as_ints() {
        return Some(ints);
    }
    match value.as_sequence() {
        Some(texts) => texts.map(|text| number(text.as_text()?)).collect(),
        None => {
            let texts = value.as_array_of_texts()?;
            texts.iter().map(|text| number(text)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pickle of protocol 2 with an array of this shape under a key, whose bytes are the pixel's
    /// number within its image, and further entries of the dict.
    fn pickle(key: &[u8], shape: &[u16], pixels: &[u8], more: &[u8]) -> Vec<u8> {
        let mut bytes = [b"\x80\x02}(", key].concat();
        bytes.extend(
            b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01(",
        );
        for length in shape {
            bytes.push(b'M');
            bytes.extend(length.to_le_bytes());
        }
        bytes.extend(b"tcnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T");
        bytes.extend((pixels.len() as u32).to_le_bytes());
        bytes.extend(pixels);
        [&bytes, b"tb".as_slice(), more, b"u."].concat()
    }

    fn load(bytes: &[u8]) -> Result<Unlabelled, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cifar_test_nolabel.pkl");
        std::fs::write(&path, bytes).unwrap();
        load_unlabelled(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn every_variant_gives_the_same_planes() {
        let planes: Vec<u8> = (0..2 * IMAGE).map(|at| (at % 251) as u8).collect();
        let at = |image: usize, pixel: usize, channel: usize| {
            planes[image * IMAGE + channel * 1024 + pixel]
        };
        let interleaved: Vec<u8> = (0..2)
            .flat_map(|image| (0..1024).map(move |pixel| (image, pixel)))
            .flat_map(|(image, pixel)| [0, 1, 2].map(|channel| at(image, pixel, channel)))
            .collect();
        let ids = b"U\x03ids](K\x07K\x03e";
        let text_ids = b"X\x03\x00\x00\x00ids](U\x017X\x01\x00\x00\x003e";
        for (bytes, has_ids) in [
            (pickle(b"U\x04data", &[2, 3072], &planes, b""), false),
            (
                pickle(
                    b"X\x06\x00\x00\x00images",
                    &[2, 32, 32, 3],
                    &interleaved,
                    ids,
                ),
                true,
            ),
            (
                pickle(b"C\x04data", &[2, 32, 32, 3], &interleaved, text_ids),
                true,
            ),
            (pickle(b"U\x06images", &[2, 3, 32, 32], &planes, ids), true),
        ] {
            let found = load(&bytes).unwrap();
            assert!(found.images == planes);
            assert_eq!(found.ids, has_ids.then(|| vec![7, 3]));
            assert_eq!(found.count(), 2);
            for length in (0..bytes.len()).step_by(97) {
                assert!(load(&bytes[..length]).is_err());
            }
        }
    }

    #[test]
    fn what_is_no_such_file_is_reported() {
        let image = [0; IMAGE];
        for (bytes, what) in [
            (b"PK\x03\x04".to_vec(), "is no whole pickle"),
            (b"\x80\x02}.".to_vec(), "holds no images"),
            (
                pickle(b"U\x04data", &[1, 48, 64], &image, b""),
                "the shape [1, 48, 64]",
            ),
            (
                pickle(b"U\x04data", &[1, 3072], &image, b"U\x03ids](K\x01K\x02e"),
                "its \"ids\" are not 1 whole numbers",
            ),
        ] {
            let message = load(&bytes).unwrap_err();
            assert!(
                message.contains("nolabel.pkl: ") && message.contains(what),
                "{message}"
            );
        }
    }
}
