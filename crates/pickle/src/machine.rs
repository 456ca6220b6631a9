//! Pickle's stack machine: one instruction makes at most one value.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{Id, Node, Object, Pickle, PickleError};

/// Reads a pickle from the start of `bytes`; what follows its end is ignored.
///
/// # Errors
/// If it is cut short, damaged, or holds what data do not need.
pub fn parse(bytes: &[u8]) -> Result<Pickle<'_>, PickleError> {
    let mut machine = Machine {
        bytes,
        at: 0,
        nodes: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        most_values: FREE_VALUES + bytes.len() / BYTES_A_VALUE,
        names_left: FREE_NAMES + bytes.len(),
    };
    loop {
        let at = machine.at;
        machine.check_size()?;
        let code = machine.take(1)?[0];
        if code == b'.' {
            let root = machine.pop()?;
            return Ok(Pickle {
                nodes: machine.nodes,
                root,
            });
        }
        if !machine.scalar(code)?
            && !machine.container(code)?
            && !machine.object(code)?
            && !machine.memo(code)?
        {
            return Err(PickleError::Unknown { at, code });
        }
    }
}

/// A pickle of any length may have this many values, and one more for each `BYTES_A_VALUE` bytes. A
/// list of a million numbers has a million; data for training have more bytes to a value.
const FREE_VALUES: usize = 1 << 20;
const BYTES_A_VALUE: usize = 16;
/// Bytes of names that are put together of two texts, beyond the pickle's own length. A pickler
/// writes each name once.
const FREE_NAMES: usize = 1 << 16;

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack; nothing below the last one may be taken.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    /// How many values there may be, and of each of the other things that are remembered.
    most_values: usize,
    /// How long names may still become.
    names_left: usize,
}

/// Each group of instructions says whether the instruction was one of its own.
impl<'a> Machine<'a> {
    /// Instructions that push a value without parts.
    fn scalar(&mut self, code: u8) -> Result<bool, PickleError> {
        let node = match code {
            b'N' => Node::None,
            0x88 => Node::Bool(true),
            0x89 => Node::Bool(false),
            b'J' => Node::Int(i64::from((self.number(4)? as u32).cast_signed())),
            b'K' => Node::Int(i64::from(self.take(1)?[0])),
            b'M' => Node::Int(self.number(2)?.cast_signed()),
            b'I' => match self.line()? {
                b"00" => Node::Bool(false),
                b"01" => Node::Bool(true),
                digits => Node::Int(self.parsed(digits)?),
            },
            b'L' => {
                let digits = self.line()?;
                Node::Int(self.parsed(digits.strip_suffix(b"L").unwrap_or(digits))?)
            }
            0x8a => long(self.sized(1)?),
            0x8b => long(self.sized(4)?),
            b'G' => Node::Float(f64::from_bits(self.number(8)?.swap_bytes())),
            b'F' => {
                let digits = self.line()?;
                Node::Float(self.parsed(digits)?)
            }
            b'U' | b'C' => Node::Bytes(self.sized(1)?.into()),
            b'T' | b'B' => Node::Bytes(self.sized(4)?.into()),
            0x8e | 0x96 => Node::Bytes(self.sized(8)?.into()),
            b'S' => {
                let quoted = self.line()?.trim_ascii();
                Node::Bytes(self.unquoted(quoted)?.into())
            }
            0x8c => self.text(1)?,
            b'X' => self.text(4)?,
            0x8d => self.text(8)?,
            b'V' => {
                let escaped = self.line()?;
                Node::Text(Cow::Owned(self.unescaped_unicode(escaped)?))
            }
            _ => return Ok(false),
        };
        self.push(node)
    }

    /// Instructions that make, fill and take apart lists, tuples, sets and dicts.
    fn container(&mut self, code: u8) -> Result<bool, PickleError> {
        let node = match code {
            b'(' => {
                self.marks.push(self.stack.len());
                return Ok(true);
            }
            b'0' => {
                // A mark is what lies on top if nothing lies above it.
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
                return Ok(true);
            }
            b'1' => {
                self.pop_mark()?;
                return Ok(true);
            }
            b']' => Node::List(Vec::new()),
            b'}' => Node::Dict(Vec::new()),
            b')' => Node::Tuple(Vec::new()),
            0x8f => Node::Set(Vec::new()),
            b'l' => Node::List(self.pop_mark()?),
            b't' => Node::Tuple(self.pop_mark()?),
            0x91 => Node::Set(self.pop_mark()?),
            b'd' => {
                let items = self.pop_mark()?;
                Node::Dict(self.pairs(&items)?)
            }
            0x85..=0x87 => Node::Tuple(self.pop_many(usize::from(code - 0x84))?),
            b'a' => {
                let value = self.pop()?;
                return self.append(&[value]);
            }
            b'e' | 0x90 => {
                let values = self.pop_mark()?;
                return self.append(&values);
            }
            b's' => {
                let item = self.pop_many(2)?;
                return self.set_items(&item);
            }
            b'u' => {
                let items = self.pop_mark()?;
                return self.set_items(&items);
            }
            _ => return Ok(false),
        };
        self.push(node)
    }

    /// Instructions that would import, call and build: they are written down.
    fn object(&mut self, code: u8) -> Result<bool, PickleError> {
        let node = match code {
            b'c' => Node::Global(self.global_of_lines()?),
            0x93 => {
                let names = self.pop_many(2)?;
                let at = self.at;
                let text = |id: Id| match &self.nodes[id as usize] {
                    Node::Text(text) => Ok(text.as_ref()),
                    _ => Err(PickleError::Nonsense(at)),
                };
                let (module, name) = (text(names[0])?, text(names[1])?);
                let left = self.names_left.checked_sub(module.len() + name.len());
                let left = left.ok_or(PickleError::TooMuch)?;
                let joined = format!("{module}.{name}");
                self.names_left = left;
                Node::Global(joined)
            }
            b'R' | 0x81 => {
                let made = self.pop_many(2)?;
                object(made[0], made[1], None)
            }
            0x92 => {
                let made = self.pop_many(3)?;
                object(made[0], made[1], Some(made[2]))
            }
            b'o' => {
                let mut parts = self.pop_mark()?;
                if parts.is_empty() {
                    return Err(PickleError::Nonsense(self.at));
                }
                let call = parts.remove(0);
                let arguments = self.add(Node::Tuple(parts))?;
                object(call, arguments, None)
            }
            b'i' => {
                let name = self.global_of_lines()?;
                let parts = self.pop_mark()?;
                let call = self.add(Node::Global(name))?;
                let arguments = self.add(Node::Tuple(parts))?;
                object(call, arguments, None)
            }
            b'b' => {
                let given = self.pop()?;
                let at = self.at;
                match self.top()? {
                    Node::Object(object) => object.state = Some(given),
                    _ => return Err(PickleError::Nonsense(at)),
                }
                return Ok(true);
            }
            b'P' => {
                let line = self.line()?;
                let name = self.add(Node::Bytes(line.into()))?;
                Node::Persistent(name)
            }
            b'Q' => Node::Persistent(self.pop()?),
            _ => return Ok(false),
        };
        self.push(node)
    }

    /// Instructions that remember and recall, and those that say nothing about the data.
    fn memo(&mut self, code: u8) -> Result<bool, PickleError> {
        match code {
            // Protocol and frame.
            0x80 => {
                self.take(1)?;
            }
            0x95 => {
                self.take(8)?;
            }
            b'2' => {
                let top = self.top_id()?;
                self.stack.push(top);
            }
            b'q' | b'r' | b'p' | 0x94 => {
                let key = match code {
                    b'q' => self.number(1)?,
                    b'r' => self.number(4)?,
                    b'p' => self.line_number()?,
                    _ => self.memo.len() as u64,
                };
                let top = self.top_id()?;
                self.memo.insert(key, top);
            }
            b'h' | b'j' | b'g' => {
                let key = match code {
                    b'h' => self.number(1)?,
                    b'j' => self.number(4)?,
                    _ => self.line_number()?,
                };
                let id = self.memo.get(&key).ok_or(PickleError::Nonsense(self.at))?;
                self.stack.push(*id);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// An instruction of one byte may make a value of many: memory must not grow much faster than
    /// the pickle.
    fn check_size(&self) -> Result<(), PickleError> {
        let largest = [
            self.nodes.len(),
            self.stack.len(),
            self.marks.len(),
            self.memo.len(),
        ];
        if largest.into_iter().any(|count| count > self.most_values) {
            return Err(PickleError::TooMuch);
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], PickleError> {
        let short = PickleError::Short(self.bytes.len());
        let end = self.at.checked_add(count).ok_or(short.clone())?;
        let taken = self.bytes.get(self.at..end).ok_or(short)?;
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

    /// Bytes after their length, which is a number of `count` bytes.
    fn sized(&mut self, count: usize) -> Result<&'a [u8], PickleError> {
        let length = self.number(count)?;
        self.take(usize::try_from(length).map_err(|_| PickleError::Short(self.bytes.len()))?)
    }

    fn text(&mut self, count: usize) -> Result<Node<'a>, PickleError> {
        let bytes = self.sized(count)?;
        let text = std::str::from_utf8(bytes).map_err(|_| PickleError::Nonsense(self.at))?;
        Ok(Node::Text(text.into()))
    }

    fn line(&mut self) -> Result<&'a [u8], PickleError> {
        let rest = &self.bytes[self.at..];
        let length = memchr::memchr(b'\n', rest).ok_or(PickleError::Short(self.bytes.len()))?;
        self.at += length + 1;
        Ok(&rest[..length])
    }

    fn parsed<T: std::str::FromStr>(&self, digits: &[u8]) -> Result<T, PickleError> {
        std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.trim().parse().ok())
            .ok_or(PickleError::Nonsense(self.at))
    }

    fn line_number(&mut self) -> Result<u64, PickleError> {
        let line = self.line()?;
        self.parsed(line)
    }

    fn global_of_lines(&mut self) -> Result<String, PickleError> {
        let module = String::from_utf8_lossy(self.line()?);
        Ok(format!(
            "{module}.{}",
            String::from_utf8_lossy(self.line()?)
        ))
    }

    /// The bytes of a string as Python's `repr` writes one.
    fn unquoted(&self, quoted: &[u8]) -> Result<Vec<u8>, PickleError> {
        let nonsense = || PickleError::Nonsense(self.at);
        let ([b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"']) = quoted else {
            return Err(nonsense());
        };
        let mut bytes = Vec::new();
        let mut rest = inner.iter().copied();
        while let Some(byte) = rest.next() {
            if byte != b'\\' {
                bytes.push(byte);
                continue;
            }
            bytes.push(match rest.next().ok_or_else(nonsense)? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'x' => {
                    let digits = [
                        rest.next().ok_or_else(nonsense)?,
                        rest.next().ok_or_else(nonsense)?,
                    ];
                    hexadecimal(&digits).ok_or_else(nonsense)? as u8
                }
                literal @ (b'\\' | b'\'' | b'"') => literal,
                _ => return Err(nonsense()),
            });
        }
        Ok(bytes)
    }

    /// Text of protocol 0: Latin-1, anything else as `\uXXXX` or `\UXXXXXXXX`.
    fn unescaped_unicode(&self, escaped: &[u8]) -> Result<String, PickleError> {
        let mut text = String::new();
        let mut rest = escaped;
        while let [byte, after @ ..] = rest {
            let digits = match (byte, after.first()) {
                (b'\\', Some(b'u')) => 4,
                (b'\\', Some(b'U')) => 8,
                _ => {
                    text.push(char::from(*byte));
                    rest = after;
                    continue;
                }
            };
            let character = after
                .get(1..=digits)
                .and_then(hexadecimal)
                .and_then(char::from_u32)
                .ok_or(PickleError::Nonsense(self.at))?;
            text.push(character);
            rest = &after[1 + digits..];
        }
        Ok(text)
    }

    fn add(&mut self, node: Node<'a>) -> Result<Id, PickleError> {
        let id = Id::try_from(self.nodes.len()).map_err(|_| PickleError::Nonsense(self.at))?;
        self.nodes.push(node);
        Ok(id)
    }

    fn push(&mut self, node: Node<'a>) -> Result<bool, PickleError> {
        let id = self.add(node)?;
        self.stack.push(id);
        Ok(true)
    }

    fn top_id(&self) -> Result<Id, PickleError> {
        let lowest = self.marks.last().copied().unwrap_or(0);
        match self.stack.last() {
            Some(top) if self.stack.len() > lowest => Ok(*top),
            _ => Err(PickleError::Nonsense(self.at)),
        }
    }

    fn top(&mut self) -> Result<&mut Node<'a>, PickleError> {
        let id = self.top_id()?;
        Ok(&mut self.nodes[id as usize])
    }

    fn pop(&mut self) -> Result<Id, PickleError> {
        let top = self.top_id()?;
        self.stack.pop();
        Ok(top)
    }

    /// The topmost values, the deepest first.
    fn pop_many(&mut self, count: usize) -> Result<Vec<Id>, PickleError> {
        let mut ids = (0..count)
            .map(|_| self.pop())
            .collect::<Result<Vec<_>, _>>()?;
        ids.reverse();
        Ok(ids)
    }

    /// The values above the last mark.
    fn pop_mark(&mut self) -> Result<Vec<Id>, PickleError> {
        let mark = self.marks.pop().ok_or(PickleError::Nonsense(self.at))?;
        Ok(self.stack.split_off(mark))
    }

    fn append(&mut self, new: &[Id]) -> Result<bool, PickleError> {
        let at = self.at;
        match self.top()? {
            Node::List(values) | Node::Set(values) => values.extend(new),
            Node::Object(object) => object.appended.extend(new),
            _ => return Err(PickleError::Nonsense(at)),
        }
        Ok(true)
    }

    fn set_items(&mut self, new: &[Id]) -> Result<bool, PickleError> {
        let (at, new) = (self.at, self.pairs(new)?);
        match self.top()? {
            Node::Dict(entries) => entries.extend(new),
            // An ordered dict is made by a call; what is put into it is no more than data.
            Node::Object(object) => object.items.extend(new),
            _ => return Err(PickleError::Nonsense(at)),
        }
        Ok(true)
    }

    fn pairs(&self, ids: &[Id]) -> Result<Vec<(Id, Id)>, PickleError> {
        let (pairs, []) = ids.as_chunks::<2>() else {
            return Err(PickleError::Nonsense(self.at));
        };
        Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
    }
}

fn object<'a>(call: Id, arguments: Id, keywords: Option<Id>) -> Node<'a> {
    Node::Object(Box::new(Object {
        call,
        arguments,
        keywords,
        state: None,
        appended: Vec::new(),
        items: Vec::new(),
    }))
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number: u32, digit| {
        Some(number << 4 | char::from(*digit).to_digit(16)?)
    })
}

/// A whole number in two's complement, the lowest byte first.
fn long(bytes: &[u8]) -> Node<'_> {
    if bytes.len() > 8 {
        return Node::LongInt(bytes);
    }
    let is_negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let start = if is_negative { -1_i64 } else { 0 };
    Node::Int(
        bytes
            .iter()
            .rev()
            .fold(start, |number, byte| number << 8 | i64::from(*byte)),
    )
}
