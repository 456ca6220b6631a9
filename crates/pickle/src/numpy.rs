//! numpy's arrays and numbers in a pickle: objects to be reconstructed, recognised and read as the
//! data that they hold.

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
    /// The array of whole numbers in a value; `None` for any other value, and where bytes and shape
    /// disagree.
    pub fn of(value: Value<'p>) -> Option<Self> {
        let Parts {
            shape,
            axes,
            kind,
            elements,
        } = Parts::of(value)?;
        let kind = Kind::of(kind)?;
        let bytes = elements.as_bytes()?;
        let expected = shape
            .iter()
            .try_fold(kind.size, |count, side| count.checked_mul(*side))?;
        if expected != bytes.len() {
            return None;
        }
        let Some(axes) = axes else {
            return Some(Self { shape, kind, bytes });
        };
        Some(Self {
            bytes: Cow::Owned(transposed(&bytes, kind.size, &shape, &axes)),
            shape: axes.iter().map(|axis| shape[*axis]).collect(),
            kind,
        })
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

/// What an array would be made of.
struct Parts<'p> {
    /// As the elements lie, the last dimension the fastest.
    shape: Vec<usize>,
    /// Which of those dimensions each of the array's own is, where they are not the same: a
    /// permutation.
    axes: Option<Vec<usize>>,
    kind: Value<'p>,
    elements: Value<'p>,
}

impl<'p> Parts<'p> {
    fn of(value: Value<'p>) -> Option<Self> {
        let made = value.as_made()?;
        if !made.by.starts_with("numpy.") {
            return None;
        }
        let (shape, kind, elements, order, axes);
        if made.by.ends_with("._reconstruct") {
            let is_fortran;
            [_, shape, kind, is_fortran, elements] = made.state?.as_tuple()?;
            order = if is_fortran.as_bool()? { "F" } else { "C" };
            axes = None;
        } else if made.by.ends_with("._frombuffer") {
            // Protocol 5; the fifth argument is there since numpy 2.3.
            let mut arguments = made.arguments.as_sequence()?;
            elements = arguments.next()?;
            kind = arguments.next()?;
            shape = arguments.next()?;
            order = arguments.next()?.as_text()?;
            axes = arguments.next();
        } else {
            return None;
        }
        let lengths = |value: Value<'p>| -> Option<Vec<usize>> {
            value
                .as_sequence()?
                .map(|length| usize::try_from(length.as_int()?).ok())
                .collect()
        };
        let mut shape = lengths(shape)?;
        let axes = match order {
            "C" => None,
            // The first dimension is the fastest.
            "F" => {
                shape.reverse();
                Some((0..shape.len()).rev().collect())
            }
            "K" => {
                let axes = lengths(axes?)?;
                let mut sorted = axes.clone();
                sorted.sort_unstable();
                if !sorted.into_iter().eq(0..shape.len()) {
                    return None;
                }
                Some(axes)
            }
            _ => return None,
        };
        Some(Self {
            shape,
            axes,
            kind,
            elements,
        })
    }
}

/// Elements of `size` bytes that lie as `shape` says, in the order of the dimensions `axes`.
fn transposed(bytes: &[u8], size: usize, shape: &[usize], axes: &[usize]) -> Vec<u8> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        // Of an array without elements, lengths may be anything.
        strides[axis - 1] = usize::wrapping_mul(strides[axis], shape[axis]);
    }
    let mut ordered = Vec::with_capacity(bytes.len());
    let mut place = vec![0; axes.len()];
    while ordered.len() < bytes.len() {
        let at: usize = axes
            .iter()
            .zip(&place)
            .map(|(axis, place)| strides[*axis] * place)
            .sum();
        ordered.extend_from_slice(&bytes[at * size..(at + 1) * size]);
        for (axis, place) in axes.iter().zip(&mut place).rev() {
            *place += 1;
            if *place < shape[*axis] {
                break;
            }
            *place = 0;
        }
    }
    ordered
}

/// The texts in an array of one dimension: fixed-length ones (`U`, four bytes a character), or
/// Python's own in an array of objects.
pub fn texts(value: Value<'_>) -> Option<Vec<Cow<'_, str>>> {
    let Parts {
        shape,
        kind,
        elements,
        ..
    } = Parts::of(value)?;
    let [count] = shape[..] else {
        return None;
    };
    if let Some(objects) = elements.as_sequence() {
        let texts = objects.map(|object| match object.as_int() {
            Some(number) => Some(Cow::Owned(number.to_string())),
            // One text may be all of them.
            None => object.as_text().map(Cow::Borrowed),
        });
        return texts.collect();
    }
    let (name, _) = Kind::name_of(kind)?;
    let length: usize = name.strip_prefix('U')?.parse().ok()?;
    let bytes = elements.as_bytes()?;
    let size = length.checked_mul(4).filter(|size| *size > 0)?;
    if size.checked_mul(count)? != bytes.len() {
        return None;
    }
    let text = |element: &[u8]| -> Option<Cow<str>> {
        let (characters, _) = element.as_chunks::<4>();
        let codes = characters.iter().map(|code| u32::from_le_bytes(*code));
        codes
            .take_while(|code| *code != 0)
            .map(char::from_u32)
            .collect::<Option<String>>()
            .map(Cow::Owned)
    };
    bytes.chunks_exact(size).map(text).collect()
}

/// `numpy...scalar(dtype, bytes)`: one whole number.
pub fn scalar(value: Value<'_>) -> Option<i64> {
    let (kind, bytes) = parts_of_scalar(value)?;
    let kind = Kind::of(kind)?;
    (bytes.len() == kind.size).then(|| kind.int(&bytes))?
}

/// The same of a number with a fraction.
pub fn float(value: Value<'_>) -> Option<f64> {
    let (kind, bytes) = parts_of_scalar(value)?;
    let name = kind.as_made()?.arguments.as_sequence()?.next()?.as_text()?;
    // As every machine of today writes them.
    match name.trim_start_matches(['<', '=']) {
        "f8" => Some(f64::from_le_bytes((*bytes).try_into().ok()?)),
        "f4" => Some(f32::from_le_bytes((*bytes).try_into().ok()?).into()),
        _ => None,
    }
}

fn parts_of_scalar(value: Value<'_>) -> Option<(Value<'_>, Cow<'_, [u8]>)> {
    let made = value.as_made()?;
    if !made.by.starts_with("numpy.") || !made.by.ends_with(".scalar") {
        return None;
    }
    let [kind, bytes] = made.arguments.as_tuple()?;
    let written = bytes
        .as_made()
        .and_then(|made| made.arguments.as_sequence()?.next()?.as_text());
    // No number has more bytes; a longer text may be shared by many and would be converted for
    // each.
    if written.is_some_and(|text| text.len() > 64) {
        return None;
    }
    Some((kind, bytes.as_bytes()?))
}

impl Kind {
    /// Of a `numpy.dtype("u1", False, True)` with the state `(3, "|", ...)`, whose second entry is
    /// the order of bytes.
    fn of(value: Value<'_>) -> Option<Self> {
        let (name, is_big_endian) = Self::name_of(value)?;
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

    /// A dtype's name without its order of bytes, and whether that is the big-endian one.
    fn name_of(value: Value<'_>) -> Option<(&str, bool)> {
        let made = value.as_made()?;
        if !made.by.starts_with("numpy") || !made.by.ends_with("dtype") {
            return None;
        }
        let name = made.arguments.as_sequence()?.next()?.as_text()?;
        let order = made
            .state
            .and_then(|state| state.as_sequence()?.nth(1)?.as_text());
        Some(match name.strip_prefix(['|', '<', '=', '>']) {
            Some(rest) => (rest, name.starts_with('>')),
            None => (name, order == Some(">")),
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
