//! Reads Python pickles as data, protocols 0 to 5, and executes nothing: what a pickle asks to be called or built is only written
//! down. Sizes are checked against what is there, so that a hostile file ends in an error.

/// A value of a pickle.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number that fits 64 bits.
    Int(i64),
    /// A number.
    Float(f64),
    /// Bytes, and Python 2's strings.
    Bytes(Vec<u8>),
    /// Text.
    Text(String),
    /// A list or a set.
    List(Vec<Value>),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A dict, in its order.
    Dict(Vec<(Value, Value)>),
    /// A name that the pickle would import: `module.name`.
    Global(String),
    /// What would be built by calling something, and the state that it would be given.
    Object {
        /// What would be called.
        call: Box<Value>,
        /// Its arguments.
        arguments: Box<Value>,
        /// The state set afterwards, `None` if none is.
        state: Box<Value>,
    },
}

/// Why bytes are no pickle that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PickleError {
    /// It ends too soon.
    #[error("it ends at byte {0}, in the middle")]
    Short(usize),
    /// An instruction that no pickle of data has.
    #[error("byte {at} is {code:#04x}, which is no instruction that data need")]
    Unknown {
        /// Where.
        at: usize,
        /// The instruction.
        code: u8,
    },
    /// Instructions that make no sense.
    #[error("byte {0} makes no sense there")]
    Nonsense(usize),
    /// More values than any data set has.
    #[error("it is too large or too deep")]
    TooLarge,
}

/// Values that may be made, so that a small file cannot fill the memory by copying its memo.
const MOST_VALUES: usize = 20_000_000;
/// How deep values may lie in each other.
const DEEPEST: usize = 200;

impl Value {
    /// The value of a dict's key, whether that is text or bytes.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Dict(entries) = self else {
            return None;
        };
        entries
            .iter()
            .find(|(name, _)| name.as_text().as_deref() == Some(key))
            .map(|(_, value)| value)
    }

    /// Text, or bytes that are text.
    pub fn as_text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
            _ => None,
        }
    }

    /// A list or tuple of whole numbers, or a numpy array of such.
    pub fn as_ints(&self) -> Option<Vec<i64>> {
        match self {
            Self::List(values) | Self::Tuple(values) => values
                .iter()
                .map(|value| {
                    if let Self::Int(number) = value {
                        Some(*number)
                    } else {
                        None
                    }
                })
                .collect(),
            other => other
                .as_u8_array()
                .map(|bytes| bytes.iter().map(|byte| i64::from(*byte)).collect()),
        }
    }

    /// The bytes of a numpy array of `uint8`, in C order.
    pub fn as_u8_array(&self) -> Option<&[u8]> {
        let Self::Object { call, state, .. } = self else {
            return None;
        };
        let Self::Global(name) = call.as_ref() else {
            return None;
        };
        if !name.starts_with("numpy") || !name.ends_with("._reconstruct") {
            return None;
        }
        // (version, shape, dtype, is Fortran's order, bytes)
        let Self::Tuple(state) = state.as_ref() else {
            return None;
        };
        let [
            _,
            Self::Tuple(shape),
            dtype,
            Self::Bool(false),
            Self::Bytes(bytes),
        ] = state.as_slice()
        else {
            return None;
        };
        let Self::Object { arguments, .. } = dtype else {
            return None;
        };
        let Self::Tuple(arguments) = arguments.as_ref() else {
            return None;
        };
        let kind = arguments.first()?.as_text()?;
        let count = shape.iter().try_fold(1_usize, |count, side| match side {
            Self::Int(side) => count.checked_mul(usize::try_from(*side).ok()?),
            _ => None,
        })?;
        (["u1", "|u1"].contains(&kind.as_str()) && count == bytes.len()).then_some(bytes)
    }
}

/// Reads a whole pickle.
///
/// # Errors
/// If it is cut short, damaged, or holds what data do not need.
pub fn parse(bytes: &[u8]) -> Result<Value, PickleError> {
    Machine {
        bytes,
        at: 0,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: std::collections::HashMap::new(),
        made: 0,
    }
    .run()
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: std::collections::HashMap<u64, Value>,
    made: usize,
}

impl<'a> Machine<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], PickleError> {
        let end = self
            .at
            .checked_add(count)
            .ok_or(PickleError::Short(self.bytes.len()))?;
        let taken = self
            .bytes
            .get(self.at..end)
            .ok_or(PickleError::Short(self.bytes.len()))?;
        self.at = end;
        Ok(taken)
    }

    /// A number of `count` bytes, the lowest first.
    fn number(&mut self, count: usize) -> Result<u64, PickleError> {
        Ok(self
            .take(count)?
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn sized(&mut self, count: usize) -> Result<&'a [u8], PickleError> {
        let length = self.number(count)?;
        self.take(usize::try_from(length).map_err(|_| PickleError::TooLarge)?)
    }

    fn line(&mut self) -> Result<String, PickleError> {
        let rest = &self.bytes[self.at..];
        let length = memchr::memchr(b'\n', rest).ok_or(PickleError::Short(self.bytes.len()))?;
        self.at += length + 1;
        Ok(String::from_utf8_lossy(&rest[..length]).into_owned())
    }

    fn pop(&mut self) -> Result<Value, PickleError> {
        let lowest = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= lowest {
            return Err(PickleError::Nonsense(self.at));
        }
        self.stack.pop().ok_or(PickleError::Nonsense(self.at))
    }

    /// The values above the last mark.
    fn pop_mark(&mut self) -> Result<Vec<Value>, PickleError> {
        let mark = self.marks.pop().ok_or(PickleError::Nonsense(self.at))?;
        Ok(self.stack.split_off(mark))
    }

    fn top(&mut self) -> Result<&mut Value, PickleError> {
        let at = self.at;
        self.stack.last_mut().ok_or(PickleError::Nonsense(at))
    }

    fn tuple(&mut self, count: usize) -> Result<Value, PickleError> {
        let mut values = (0..count)
            .map(|_| self.pop())
            .collect::<Result<Vec<_>, _>>()?;
        values.reverse();
        Ok(Value::Tuple(values))
    }

    fn text(&self, bytes: &[u8]) -> Result<Value, PickleError> {
        String::from_utf8(bytes.to_vec())
            .map(Value::Text)
            .map_err(|_| PickleError::Nonsense(self.at))
    }

    fn remember(&mut self, key: u64) -> Result<(), PickleError> {
        let value = self.top()?.clone();
        self.count(&value)?;
        self.memo.insert(key, value);
        Ok(())
    }

    /// Counts what copying a value makes.
    fn count(&mut self, value: &Value) -> Result<(), PickleError> {
        self.made = self.made.saturating_add(weight(value, 0)?);
        if self.made > MOST_VALUES.max(64 * self.bytes.len()) {
            Err(PickleError::TooLarge)
        } else {
            Ok(())
        }
    }

    fn recall(&mut self, key: u64) -> Result<Value, PickleError> {
        let value = self
            .memo
            .get(&key)
            .cloned()
            .ok_or(PickleError::Nonsense(self.at))?;
        self.count(&value)?;
        Ok(value)
    }

    fn append(&mut self, new: Vec<Value>) -> Result<(), PickleError> {
        let at = self.at;
        match self.top()? {
            Value::List(values) => values.extend(new),
            _ => return Err(PickleError::Nonsense(at)),
        }
        Ok(())
    }

    fn set_items(&mut self, new: Vec<Value>) -> Result<(), PickleError> {
        let at = self.at;
        let mut new = new.into_iter();
        match self.top()? {
            Value::Dict(entries) => {
                while let Some(key) = new.next() {
                    entries.push((key, new.next().ok_or(PickleError::Nonsense(at))?));
                }
            }
            // An ordered dict is built by a call; what is put into it is no more than data.
            Value::Object { state, .. } => {
                if !matches!(**state, Value::Dict(_)) {
                    **state = Value::Dict(Vec::new());
                }
                if let Value::Dict(entries) = state.as_mut() {
                    while let Some(key) = new.next() {
                        entries.push((key, new.next().ok_or(PickleError::Nonsense(at))?));
                    }
                }
            }
            _ => return Err(PickleError::Nonsense(at)),
        }
        Ok(())
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one instruction after the other, as the protocol lists them"
    )]
    fn run(mut self) -> Result<Value, PickleError> {
        loop {
            let at = self.at;
            let code = self.take(1)?[0];
            let value = match code {
                // Protocol and frame say nothing about the data.
                0x80 => {
                    self.take(1)?;
                    continue;
                }
                0x95 => {
                    self.take(8)?;
                    continue;
                }
                b'.' => return self.pop(),
                b'(' => {
                    self.marks.push(self.stack.len());
                    continue;
                }
                b'0' => {
                    self.pop()?;
                    continue;
                }
                b'1' => {
                    self.pop_mark()?;
                    continue;
                }
                b'2' => self.top()?.clone(),
                b'N' => Value::None,
                0x88 => Value::Bool(true),
                0x89 => Value::Bool(false),
                b'J' => Value::Int(i64::from(self.number(4)? as u32 as i32)),
                b'K' => Value::Int(self.number(1)? as i64),
                b'M' => Value::Int(self.number(2)? as i64),
                b'I' => match self.line()?.as_str() {
                    "00" => Value::Bool(false),
                    "01" => Value::Bool(true),
                    digits => Value::Int(
                        digits
                            .trim()
                            .parse()
                            .map_err(|_| PickleError::Nonsense(at))?,
                    ),
                },
                b'L' => Value::Int(
                    self.line()?
                        .trim_end_matches('L')
                        .parse()
                        .map_err(|_| PickleError::Nonsense(at))?,
                ),
                0x8a => {
                    let digits = self.sized(1)?;
                    if digits.len() > 8 {
                        return Err(PickleError::Nonsense(at));
                    }
                    let negative = digits.last().is_some_and(|byte| byte & 0x80 != 0);
                    let start = if negative { -1_i64 } else { 0 };
                    Value::Int(
                        digits
                            .iter()
                            .rev()
                            .fold(start, |number, byte| number << 8 | i64::from(*byte)),
                    )
                }
                b'G' => Value::Float(f64::from_bits(self.number(8)?.swap_bytes())),
                b'F' => Value::Float(
                    self.line()?
                        .trim()
                        .parse()
                        .map_err(|_| PickleError::Nonsense(at))?,
                ),
                b'U' | b'C' => Value::Bytes(self.sized(1)?.to_vec()),
                b'T' | b'B' => Value::Bytes(self.sized(4)?.to_vec()),
                0x8e | 0x96 => Value::Bytes(self.sized(8)?.to_vec()),
                b'S' => Value::Bytes(self.line()?.trim_matches(['\'', '"']).as_bytes().to_vec()),
                0x8c => {
                    let bytes = self.sized(1)?;
                    self.text(bytes)?
                }
                b'X' => {
                    let bytes = self.sized(4)?;
                    self.text(bytes)?
                }
                0x8d => {
                    let bytes = self.sized(8)?;
                    self.text(bytes)?
                }
                b'V' => Value::Text(self.line()?),
                b']' | 0x8f => Value::List(Vec::new()),
                b'}' => Value::Dict(Vec::new()),
                b')' => Value::Tuple(Vec::new()),
                b'l' | 0x91 => Value::List(self.pop_mark()?),
                b't' => Value::Tuple(self.pop_mark()?),
                b'd' => {
                    let items = self.pop_mark()?;
                    self.stack.push(Value::Dict(Vec::new()));
                    self.set_items(items)?;
                    continue;
                }
                0x85 => self.tuple(1)?,
                0x86 => self.tuple(2)?,
                0x87 => self.tuple(3)?,
                b'a' => {
                    let value = self.pop()?;
                    self.append(vec![value])?;
                    continue;
                }
                b'e' | 0x90 => {
                    let values = self.pop_mark()?;
                    self.append(values)?;
                    continue;
                }
                b's' => {
                    let value = self.pop()?;
                    let key = self.pop()?;
                    self.set_items(vec![key, value])?;
                    continue;
                }
                b'u' => {
                    let items = self.pop_mark()?;
                    self.set_items(items)?;
                    continue;
                }
                b'c' => {
                    let module = self.line()?;
                    Value::Global(format!("{module}.{}", self.line()?))
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    let text = |value: &Value| value.as_text().ok_or(PickleError::Nonsense(at));
                    Value::Global(format!("{}.{}", text(&module)?, text(&name)?))
                }
                // Called: reduced or made anew. Written down, never done.
                b'R' | 0x81 => {
                    let (arguments, call) = (Box::new(self.pop()?), Box::new(self.pop()?));
                    Value::Object {
                        call,
                        arguments,
                        state: Box::new(Value::None),
                    }
                }
                b'b' => {
                    let given = self.pop()?;
                    match self.top()? {
                        Value::Object { state, .. } => **state = given,
                        _ => return Err(PickleError::Nonsense(at)),
                    }
                    continue;
                }
                b'q' => {
                    let key = self.number(1)?;
                    self.remember(key)?;
                    continue;
                }
                b'r' => {
                    let key = self.number(4)?;
                    self.remember(key)?;
                    continue;
                }
                b'p' => {
                    let key = self
                        .line()?
                        .parse()
                        .map_err(|_| PickleError::Nonsense(at))?;
                    self.remember(key)?;
                    continue;
                }
                0x94 => {
                    let key = self.memo.len() as u64;
                    self.remember(key)?;
                    continue;
                }
                b'h' => {
                    let key = self.number(1)?;
                    self.recall(key)?
                }
                b'j' => {
                    let key = self.number(4)?;
                    self.recall(key)?
                }
                b'g' => {
                    let key = self
                        .line()?
                        .parse()
                        .map_err(|_| PickleError::Nonsense(at))?;
                    self.recall(key)?
                }
                code => return Err(PickleError::Unknown { at, code }),
            };
            self.stack.push(value);
        }
    }
}

/// How many values lie in a value, itself included; bytes count as one for each sixteen.
fn weight(value: &Value, depth: usize) -> Result<usize, PickleError> {
    if depth > DEEPEST {
        return Err(PickleError::TooLarge);
    }
    let all = |values: &[Value]| {
        values
            .iter()
            .try_fold(1, |sum, value| Ok(sum + weight(value, depth + 1)?))
    };
    match value {
        Value::List(values) | Value::Tuple(values) => all(values),
        Value::Dict(entries) => entries.iter().try_fold(1, |sum, (key, value)| {
            Ok(sum + weight(key, depth + 1)? + weight(value, depth + 1)?)
        }),
        Value::Object {
            call,
            arguments,
            state,
        } => Ok(1
            + weight(call, depth + 1)?
            + weight(arguments, depth + 1)?
            + weight(state, depth + 1)?),
        Value::Bytes(bytes) => Ok(1 + bytes.len() / 16),
        Value::Text(text) | Value::Global(text) => Ok(1 + text.len() / 16),
        Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) => Ok(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_data_of_old_and_new_protocols_are_read() {
        let protocol_0 = b"(dp0\nS'a'\np1\n(lp2\nI1\naI-2\naL3L\nasS'b'\nF1.5\ns.";
        let value = parse(protocol_0).unwrap();
        assert_eq!(value.get("a").unwrap().as_ints(), Some(vec![1, -2, 3]));
        assert_eq!(value.get("b"), Some(&Value::Float(1.5)));
        // pickle.dumps({"a": (True, None, "ü", 70000, 2**40)}, protocol=4)
        let protocol_4 = b"\x80\x04\x95\x1e\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94(\x88N\x8c\x02\xc3\xbc\x94Jp\x11\x01\x00\x8a\x06\x00\x00\x00\x00\x00\x01t\x94s.";
        let tuple = Value::Tuple(vec![
            Value::Bool(true),
            Value::None,
            Value::Text("ü".to_owned()),
            Value::Int(70000),
            Value::Int(1 << 40),
        ]);
        assert_eq!(parse(protocol_4).unwrap().get("a"), Some(&tuple));
    }

    #[test]
    fn what_a_pickle_would_call_is_only_written_down() {
        let value = parse(b"cos\nsystem\n(S'echo owned'\ntR.").unwrap();
        let Value::Object { call, .. } = value else {
            panic!("{value:?}")
        };
        assert_eq!(*call, Value::Global("os.system".to_owned()));
    }

    #[test]
    fn lies_about_sizes_and_copies_of_copies_end_in_an_error() {
        assert_eq!(
            parse(b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x7f."),
            Err(PickleError::Short(12))
        );
        // Each step puts two copies of all before into a new tuple.
        let mut bomb = b"K\x01q\x00".to_vec();
        for _ in 0..60 {
            bomb.extend(b"h\x00h\x00\x86q\x00");
        }
        bomb.push(b'.');
        assert_eq!(parse(&bomb), Err(PickleError::TooLarge));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }
    }
}
