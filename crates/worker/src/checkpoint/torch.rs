//! Tensors as `PyTorch` pickles them: a storage's name and a view into it. Nothing is called; the
//! view is read as data.

use tch::Kind;

use traintop_pickle::Value;

/// What a tensor's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// As `PyTorch` calls it.
    pub name: &'static str,
    pub kind: Kind,
    pub size: usize,
}

/// Storages by the class that a pickle names, all of them that are read.
const NUMBERS: [(&str, Number); 9] = [
    ("FloatStorage", number("float32", Kind::Float, 4)),
    ("HalfStorage", number("float16", Kind::Half, 2)),
    ("BFloat16Storage", number("bfloat16", Kind::BFloat16, 2)),
    ("DoubleStorage", number("float64", Kind::Double, 8)),
    ("LongStorage", number("int64", Kind::Int64, 8)),
    ("IntStorage", number("int32", Kind::Int, 4)),
    ("CharStorage", number("int8", Kind::Int8, 1)),
    ("ByteStorage", number("uint8", Kind::Uint8, 1)),
    ("BoolStorage", number("bool", Kind::Bool, 1)),
];

/// No tensor of `PyTorch`'s has more dimensions, and no storage a longer name.
const MAX_DIMENSIONS: usize = 64;
const MAX_KEY_BYTES: usize = 255;

const fn number(name: &'static str, kind: Kind, size: usize) -> Number {
    Number { name, kind, size }
}

/// A view into a storage; it is within the storage's length as the pickle states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub number: Number,
    /// The storage's file, below `data/`.
    pub storage: String,
    /// Numbers in the storage.
    pub length: usize,
    pub offset: usize,
    pub shape: Vec<usize>,
    stride: Vec<usize>,
}

impl Layout {
    /// The tensor or parameter in a value.
    ///
    /// # Errors
    /// `None` of what is no tensor; `Some(Err)` of a tensor that cannot be read, saying why.
    pub fn of(value: Value<'_>) -> Option<Result<Self, String>> {
        let made = value.as_made()?;
        match made.by {
            "torch._utils._rebuild_parameter" => {
                let inner = made.arguments.as_sequence()?.next()?;
                // A parameter holds a tensor, never another parameter.
                let by = inner.as_made()?.by;
                (by == "torch._utils._rebuild_tensor_v2").then(|| Self::of(inner))?
            }
            "torch._utils._rebuild_tensor_v2" => Some(Self::rebuilt(made.arguments)),
            by if by.starts_with("torch._utils._rebuild_") => {
                Some(Err(format!("is of a kind that is not read ({by})")))
            }
            _ => None,
        }
    }

    /// Of `(storage, offset, size, stride, ...)`.
    fn rebuilt(arguments: Value<'_>) -> Result<Self, String> {
        let parts: Vec<Value<'_>> = arguments.as_sequence().into_iter().flatten().collect();
        let [storage, offset, shape, stride, ..] = parts[..] else {
            return Err("is not described as PyTorch does it".to_owned());
        };
        let described = || {
            let [tag, class, key, _, length] = storage.as_persistent()?.as_tuple()?;
            let key = key.as_text().filter(|key| key.len() <= MAX_KEY_BYTES)?;
            let parts = (class.as_global()?, key, length_of(length)?);
            let view = (length_of(offset)?, lengths(shape)?, lengths(stride)?);
            (tag.as_text()? == "storage").then_some((parts, view))
        };
        let Some(((class, key, length), (offset, shape, stride))) = described() else {
            return Err("is not described as PyTorch does it".to_owned());
        };
        let class = class.strip_prefix("torch.").unwrap_or(class);
        let Some((_, number)) = NUMBERS.iter().find(|(name, _)| *name == class) else {
            return Err(format!("holds numbers that are not read ({class})"));
        };
        let layout = Self {
            number: *number,
            storage: key.to_owned(),
            length,
            offset,
            shape,
            stride,
        };
        if layout.fits() {
            Ok(layout)
        } else {
            Err("reaches beyond its storage".to_owned())
        }
    }

    /// The number of numbers; known to be no more than the storage has.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// A view with a stride of 0 could be as large as it likes, so its size too is held to the
    /// storage's.
    fn fits(&self) -> bool {
        if self.shape.len() != self.stride.len() {
            return false;
        }
        let product = |product: usize, length: &usize| product.checked_mul(*length);
        let Some(count) = self.shape.iter().try_fold(1, product) else {
            return false;
        };
        if count == 0 {
            return true;
        }
        let last = self
            .shape
            .iter()
            .zip(&self.stride)
            .try_fold(self.offset, |last, (length, stride)| {
                last.checked_add((length - 1).checked_mul(*stride)?)
            });
        count <= self.length && last.is_some_and(|last| last < self.length)
    }

    /// The view's numbers in order, out of the storage's bytes; `None` if there are fewer than
    /// stated.
    pub fn gather(&self, storage: &[u8]) -> Option<Vec<u8>> {
        let size = self.number.size;
        if storage.len() < self.length.checked_mul(size)? {
            return None;
        }
        let count = self.count();
        let mut bytes = Vec::with_capacity(count * size);
        let mut place = vec![0; self.shape.len()];
        let mut at = self.offset;
        for _ in 0..count {
            bytes.extend_from_slice(storage.get(at * size..(at + 1) * size)?);
            // The next place, the last dimension the fastest.
            for axis in (0..place.len()).rev() {
                place[axis] += 1;
                // Along a dimension of length 1 any stride is allowed, and means nothing.
                at = at.wrapping_add(self.stride[axis]);
                if place[axis] < self.shape[axis] {
                    break;
                }
                at = at.wrapping_sub(self.stride[axis].wrapping_mul(self.shape[axis]));
                place[axis] = 0;
            }
        }
        Some(bytes)
    }
}

fn lengths(value: Value<'_>) -> Option<Vec<usize>> {
    let lengths = value.as_sequence()?;
    if lengths.len() > MAX_DIMENSIONS {
        return None;
    }
    lengths.map(length_of).collect()
}

fn length_of(value: Value<'_>) -> Option<usize> {
    usize::try_from(value.as_int()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(offset: usize, shape: &[usize], stride: &[usize]) -> Layout {
        Layout {
            number: NUMBERS[7].1,
            storage: "0".to_owned(),
            length: 12,
            offset,
            shape: shape.to_vec(),
            stride: stride.to_vec(),
        }
    }

    #[test]
    fn views_are_gathered_in_order() {
        let storage: Vec<u8> = (0..12).collect();
        let gathered = |layout: Layout| layout.gather(&storage).unwrap();
        assert_eq!(gathered(layout(0, &[12], &[1])), storage);
        assert_eq!(gathered(layout(4, &[4], &[1])), [4, 5, 6, 7]);
        assert_eq!(
            gathered(layout(0, &[4, 3], &[1, 4])),
            [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]
        );
        assert_eq!(gathered(layout(11, &[], &[])), [11]);
        assert_eq!(gathered(layout(0, &[0, 3], &[3, 1])), [0; 0]);
        assert_eq!(layout(0, &[12], &[1]).gather(&storage[1..]), None);
    }

    #[test]
    fn views_beyond_their_storage_do_not_fit() {
        assert!(layout(8, &[2, 2], &[2, 1]).fits());
        for (offset, shape, stride) in [
            (9, [2, 2], [2, 1]),
            (0, [4, 4], [0, 1]),
            (0, [2, 2], [usize::MAX, 1]),
            (usize::MAX, [2, 2], [1, 1]),
            (0, [usize::MAX, 2], [1, 1]),
        ] {
            assert!(
                !layout(offset, &shape, &stride).fits(),
                "{offset} {shape:?} {stride:?}"
            );
        }
        assert!(!layout(0, &[2, 2], &[1]).fits());
    }
}
