//! One image file, whole or not at all: the decoders forgive what must not reach a training.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, RgbImage};

use super::{DataError, check_growth, read};

/// An image file's pixels, recognised by its content, since endings may be wrong. One that is not
/// of the expected size is refused before it is decoded.
pub fn decoded(path: &Path, expected: Option<(u32, u32)>) -> Result<RgbImage, DataError> {
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
    let bytes = read(path)?;
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
        _ => {
            let pixels = u64::from(found.0) * u64::from(found.1);
            check_growth(
                path,
                bytes.len() as u64,
                decoder.total_bytes().max(3 * pixels),
            )?;
            let image = DynamicImage::from_decoder(decoder).map_err(failed)?;
            Ok(image.into_rgb8())
        }
    }
}

/// Whether a JPEG file lacks its end, which the decoder forgives and fills up with grey. The end
/// marker cannot occur within a picture's data, but may within a preview before them.
fn is_cut_jpeg(bytes: &[u8]) -> bool {
    let last = |marker: [u8; 2]| memchr::memmem::rfind(bytes, &marker);
    bytes.starts_with(&[0xff, 0xd8]) && last([0xff, 0xd9]) < last([0xff, 0xda])
}
