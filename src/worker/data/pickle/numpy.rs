//! numpy's arrays and numbers in a pickle: objects to be reconstructed, recognised and read as the data that they hold.

use std::borrow::Cow;

use super::Value;

/// An array in a pickle, its elements in C order.
#[derive(Debug, Clone, PartialEq)]
pub struct Array<'p> {
    /// The length of each dimension.
    pub shape: Vec<usize>,
    kind: Kind,
    bytes: Cow<'p, [u8]>,
}

/// What an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    is_signed: bool,
    size: usize,
    is_big_endian: bool,
}

impl<'p> Array<'p> {
    /// The array of whole numbers that a value stands for; `None` for any other value, for one in Fortran's order, and where bytes and
    /// shape disagree.
    pub fn of(value: Value<'p>) -> Option<Self> {
        let made = value.as_made()?;
        if !made.by.starts_with("numpy.") {
            return None;
        }
        let (shape, kind, bytes) = if made.by.ends_with("._reconstruct") {
            let [_, shape, kind, is_fortran, bytes] = made.state?.as_tuple()?;
            if is_fortran.as_bool()? {
                return None;
            }
            (shape, kind, bytes)
        } else if made.by.ends_with("._frombuffer") {
            // Protocol 5.
            let [bytes, kind, shape, order] = made.arguments.as_tuple()?;
            if order.as_text()? != "C" {
                return None;
            }
            (shape, kind, bytes)
        } else {
            return None;
        };
        let kind = Kind::of(kind)?;
        let bytes = bytes.as_bytes()?;
        let shape: Vec<usize> = shape
            .as_sequence()?
            .map(|side| usize::try_from(side.as_int()?).ok())
            .collect::<Option<_>>()?;
        let expected = shape
            .iter()
            .try_fold(kind.size, |count, side| count.checked_mul(*side))?;
        (expected == bytes.len()).then_some(Self { shape, kind, bytes })
    }

    /// The elements of an array of `uint8`.
    pub fn into_u8(self) -> Option<Vec<u8>> {
        (self.kind.size == 1 && !self.kind.is_signed).then(|| self.bytes.into_owned())
    }

    /// The elements of an array of one dimension.
    pub fn ints(&self) -> Option<Vec<i64>> {
        if self.shape.len() != 1 {
            return None;
        }
        let elements = self.bytes.chunks_exact(self.kind.size);
        elements.map(|element| self.kind.int(element)).collect()
    }
}

/// `numpy...scalar(dtype, bytes)`: one number.
pub fn scalar(value: Value<'_>) -> Option<i64> {
    let made = value.as_made()?;
    if !made.by.starts_with("numpy.") || !made.by.ends_with(".scalar") {
        return None;
    }
    let [kind, bytes] = made.arguments.as_tuple()?;
    let (kind, bytes) = (Kind::of(kind)?, bytes.as_bytes()?);
    (bytes.len() == kind.size).then(|| kind.int(&bytes))?
}

impl Kind {
    /// Of a `numpy.dtype("u1", False, True)` with the state `(3, "|", ...)`, whose second entry is the order of bytes.
    fn of(value: Value<'_>) -> Option<Self> {
        let made = value.as_made()?;
        if !made.by.starts_with("numpy") || !made.by.ends_with("dtype") {
            return None;
        }
        let name = made.arguments.as_sequence()?.next()?.as_text()?;
        let order = made
            .state
            .and_then(|state| state.as_sequence()?.nth(1)?.as_text());
        let (name, is_big_endian) = match name.strip_prefix(['|', '<', '=', '>']) {
            Some(rest) => (rest, name.starts_with('>')),
            None => (name, order == Some(">")),
        };
        let is_signed = match name.get(..1)? {
            "u" => false,
            "i" => true,
            _ => return None,
        };
        let size = name.get(1..)?.parse().ok()?;
        [1, 2, 4, 8].contains(&size).then_some(Self {
            is_signed,
            size,
            is_big_endian,
        })
    }

    /// The number that `size` bytes are; `None` if it does not fit 64 bits with a sign.
    fn int(self, bytes: &[u8]) -> Option<i64> {
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        let number = if self.is_big_endian {
            bytes.iter().fold(0, join)
        } else {
            bytes.iter().rev().fold(0, join)
        };
        if self.is_signed {
            let unused = 64 - 8 * self.size as u32;
            Some((number << unused).cast_signed() >> unused)
        } else {
            i64::try_from(number).ok()
        }
    }
}
