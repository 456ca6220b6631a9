//! The values of a row.

/// A row of a table or an entry of an index: the values of its columns, read when they are asked
/// for.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a>(pub(crate) &'a [u8]);

/// A value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    Null,
    Integer(i64),
    Real(f64),
    /// Of any encoding: `SQLite` does not check it.
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The bytes of a text or a blob.
    pub fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Text(bytes) | Self::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A text that is UTF-8.
    pub fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    pub fn integer(self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// An integer or a real number.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(number as f64),
            Self::Real(number) => Some(number),
            _ => None,
        }
    }
}

impl<'a> Record<'a> {
    /// The value of a column, counted from 0. A column that was added to the table later is not in
    /// older rows.
    pub fn value(self, column: usize) -> Option<Value<'a>> {
        self.values().nth(column)
    }

    /// The values up to the first that is not whole.
    pub fn values(self) -> impl Iterator<Item = Value<'a>> {
        let (length, mut at) = varint(self.0).unwrap_or((0, 0));
        let end = usize::try_from(length).unwrap_or(usize::MAX);
        let end = end.min(self.0.len());
        let mut body = end;
        std::iter::from_fn(move || {
            let (kind, length) = varint(self.0.get(at..end)?)?;
            at += length;
            let size = size_of_kind(kind)?;
            let bytes = self.0.get(body..body.checked_add(size)?)?;
            body += size;
            Some(value(kind, bytes))
        })
    }

    /// The last value.
    pub fn last(self) -> Option<Value<'a>> {
        self.values().last()
    }
}

/// How many bytes a value of this kind has.
fn size_of_kind(kind: u64) -> Option<usize> {
    match kind {
        0 | 8 | 9 => Some(0),
        1..=4 => Some(kind as usize),
        5 => Some(6),
        6 | 7 => Some(8),
        10 | 11 => None,
        kind => usize::try_from((kind - 12) / 2).ok(),
    }
}

fn value(kind: u64, bytes: &[u8]) -> Value<'_> {
    match kind {
        0 => Value::Null,
        7 => Value::Real(f64::from_bits(big_endian(bytes) as u64)),
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        1..=6 => Value::Integer(big_endian(bytes)),
        kind if kind % 2 == 0 => Value::Blob(bytes),
        _ => Value::Text(bytes),
    }
}

/// At most eight bytes as a number with a sign.
fn big_endian(bytes: &[u8]) -> i64 {
    let is_negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let start = if is_negative { -1 } else { 0 };
    let number = bytes.iter();
    number.fold(start, |number, byte| number << 8 | i64::from(*byte))
}

/// A number of one to nine bytes at the start of `bytes`, and how many these are.
pub fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, at + 1));
        }
    }
    Some((number << 8 | u64::from(*bytes.get(8)?), 9))
}
