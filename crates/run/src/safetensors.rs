//! What safetensors files say before their numbers, read without trusting it: a header may claim
//! any length and hold any JSON.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, ErrorKind, Read};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// The longest header that is read, in bytes. The format allows 100 MB, of which a parser makes
/// gigabytes; networks of a hundred thousand tensors have a tenth of it.
const MAX_HEADER: u64 = 8 << 20;
/// The format allows no longer header.
const FORMAT_MAX_HEADER: u64 = 100_000_000;
/// Texts of a header that are kept.
const MAX_TEXTS: usize = 10_000;

/// The header of a file, as JSON.
///
/// # Errors
/// If the file ends before it does, or claims a header that is too long.
pub fn header(mut file: impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = header_length(&length)?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

/// Whether a file that begins so may be one, also one whose header is too long to be read here.
pub fn is_beginning(bytes: &[u8]) -> bool {
    bytes
        .split_first_chunk::<8>()
        .is_some_and(|(length, header)| {
            let length = u64::from_le_bytes(*length);
            (2..FORMAT_MAX_HEADER).contains(&length) && header.starts_with(b"{")
        })
}

/// How long the header of a file is that begins with these bytes.
///
/// # Errors
/// If there are no eight of them, or they claim a header that is too long.
pub fn header_length(bytes: &[u8]) -> io::Result<u64> {
    let length = bytes.first_chunk().copied().map(u64::from_le_bytes);
    let length = length.ok_or(ErrorKind::UnexpectedEof)?;
    if length > MAX_HEADER {
        let what = format!("its header claims {length} bytes, and at most {MAX_HEADER} are read");
        return Err(io::Error::new(ErrorKind::InvalidData, what));
    }
    Ok(length)
}

/// The texts in a file's header.
///
/// # Errors
/// As [`header`], and if it is not JSON of this form.
pub fn texts(file: impl Read) -> io::Result<HashMap<String, String>> {
    let header: Header = serde_json::from_slice(&header(file)?)?;
    Ok(header.texts.0)
}

/// All else in a header is passed over without being kept.
#[derive(Deserialize)]
struct Header {
    #[serde(rename = "__metadata__", default)]
    texts: Texts,
}

#[derive(Default)]
struct Texts(HashMap<String, String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Texts::default())
    }
}

impl<'de> Visitor<'de> for Texts {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("texts by name")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Self, A::Error> {
        while let Some((key, text)) = entries.next_entry()? {
            if self.0.len() < MAX_TEXTS {
                self.0.insert(key, text);
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes
    }

    #[test]
    fn only_texts_are_kept_and_no_more_than_is_reasonable() {
        let tensors = "\"t\":[[],[{}],1.5,null],";
        let two = file(&format!(
            "{{{tensors}\"__metadata__\":{{\"a\":\"b\",\"c\":\"\"}}}}"
        ));
        let texts_of_two = texts(two.as_slice()).unwrap();
        assert_eq!((texts_of_two.len(), texts_of_two["a"].as_str()), (2, "b"));
        assert!(texts(file("{}").as_slice()).unwrap().is_empty());
        let many: Vec<String> = (0..20_000).map(|at| format!("\"{at}\":\"\"")).collect();
        let many = file(&format!("{{\"__metadata__\":{{{}}}}}", many.join(",")));
        assert_eq!(texts(many.as_slice()).unwrap().len(), MAX_TEXTS);
    }

    #[test]
    fn claims_and_nesting_are_refused() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        for bytes in [
            u64::MAX.to_le_bytes().to_vec(),
            (MAX_HEADER + 1).to_le_bytes().to_vec(),
            100_u64.to_le_bytes().to_vec(),
            vec![1, 0],
            file("{\"__metadata__\":{\"a\":1}}"),
            file(&deep),
        ] {
            assert!(texts(bytes.as_slice()).is_err());
        }
    }
}
