//! Reads Python pickles as data, protocols 0 to 5, and executes nothing: what a pickle asks to be
//! imported, called or built is only written down.
//!
//! Values are in one list and refer to each other by number, as pickle's memo does. So what a file
//! shares is shared and never copied, and what it nests is never recursed into. Since an
//! instruction of one byte may make a value of many, the number of values is limited by the file's
//! length, and what is copied out of a pickle (JSON, names, texts) has limits of its own.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "the walls around `disk` and the terminal are for the program; tests set up what they need"
    )
)]

mod json;
mod machine;
mod numpy;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

pub use machine::parse;
pub use numpy::Array;

/// The number of a node.
type Id = u32;

/// A value as the file wrote it, its parts by number.
#[derive(Debug, Clone, PartialEq)]
enum Node<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// A whole number beyond 64 bits, two's complement, the lowest byte first.
    LongInt(&'a [u8]),
    Float(f64),
    Bytes(Cow<'a, [u8]>),
    Text(Cow<'a, str>),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Set(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(String),
    /// Boxed, since it is larger than all others and there are few.
    Object(Box<Object>),
    Persistent(Id),
}

/// What would be built by a call.
#[derive(Debug, Clone, PartialEq)]
struct Object {
    call: Id,
    arguments: Id,
    keywords: Option<Id>,
    state: Option<Id>,
    appended: Vec<Id>,
    items: Vec<(Id, Id)>,
}

/// A pickle's values, and which of them is the result.
#[derive(Debug, Clone, PartialEq)]
pub struct Pickle<'a> {
    nodes: Vec<Node<'a>>,
    root: Id,
}

impl Pickle<'_> {
    /// The pickle's result.
    pub fn value(&self) -> Value<'_> {
        Value {
            nodes: &self.nodes,
            id: self.root,
        }
    }
}

/// A value in a pickle: cheap to copy. It may contain itself, so a walk must bound the depth.
#[derive(Clone, Copy)]
pub struct Value<'p> {
    nodes: &'p [Node<'p>],
    id: Id,
}

/// The class or function that an object would be made by, and what with.
#[derive(Debug, Clone, Copy)]
pub struct Made<'p> {
    /// `module.name` of what would be called.
    pub by: &'p str,
    /// The arguments, a tuple.
    pub arguments: Value<'p>,
    /// The state that would be set afterwards, if any.
    pub state: Option<Value<'p>>,
}

impl<'p> Value<'p> {
    fn at(self, id: Id) -> Self {
        Self { id, ..self }
    }

    fn node(self) -> &'p Node<'p> {
        &self.nodes[self.id as usize]
    }

    fn all(self, ids: &'p [Id]) -> impl ExactSizeIterator<Item = Value<'p>> + use<'p> {
        ids.iter().map(move |id| self.at(*id))
    }

    /// A truth value.
    pub fn as_bool(self) -> Option<bool> {
        match self.node() {
            Node::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// A whole number that fits 64 bits, also one that numpy made.
    pub fn as_int(self) -> Option<i64> {
        match self.node() {
            Node::Int(value) => Some(*value),
            Node::Object(_) => numpy::scalar(self),
            _ => None,
        }
    }

    /// A number, also one that numpy made.
    pub fn as_float(self) -> Option<f64> {
        match self.node() {
            Node::Float(value) => Some(*value),
            Node::Object(_) => numpy::float(self).or_else(|| self.as_int().map(|int| int as f64)),
            _ => self.as_int().map(|int| int as f64),
        }
    }

    /// The name of something that is stored beside the pickle.
    pub fn as_persistent(self) -> Option<Value<'p>> {
        match self.node() {
            Node::Persistent(name) => Some(self.at(*name)),
            _ => None,
        }
    }

    /// Bytes; Python 2's strings are such. Python 3 writes them for old protocols as text to be
    /// encoded: these are allowed for.
    pub fn as_bytes(self) -> Option<Cow<'p, [u8]>> {
        match self.node() {
            Node::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
            Node::Object(_) => encoded_bytes(self),
            _ => None,
        }
    }

    /// Text, or bytes that are text.
    pub fn as_text(self) -> Option<&'p str> {
        match self.node() {
            Node::Text(text) => Some(text),
            Node::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The values of a list, a tuple or a set.
    pub fn as_sequence(self) -> Option<impl ExactSizeIterator<Item = Value<'p>> + use<'p>> {
        match self.node() {
            Node::List(ids) | Node::Tuple(ids) | Node::Set(ids) => Some(self.all(ids)),
            _ => None,
        }
    }

    /// The values of a tuple of exactly `N`.
    pub fn as_tuple<const N: usize>(self) -> Option<[Value<'p>; N]> {
        match self.node() {
            Node::Tuple(ids) => {
                let ids: &[Id; N] = ids.as_slice().try_into().ok()?;
                Some(ids.map(|id| self.at(id)))
            }
            _ => None,
        }
    }

    /// The keys and values of a dict, of an ordered one too, in their order; a key may come twice,
    /// the later one holds.
    pub fn as_dict(
        self,
    ) -> Option<impl ExactSizeIterator<Item = (Value<'p>, Value<'p>)> + use<'p>> {
        let entries = match self.node() {
            Node::Dict(entries) => entries,
            Node::Object(object) => &object.items,
            _ => return None,
        };
        Some(
            entries
                .iter()
                .map(move |(key, value)| (self.at(*key), self.at(*value))),
        )
    }

    /// The value of a dict's key, whether the key is text or bytes.
    pub fn get(self, key: &str) -> Option<Value<'p>> {
        let is_key = |name: Value<'p>| {
            name.as_text() == Some(key)
                || name.as_bytes().is_some_and(|name| *name == *key.as_bytes())
        };
        self.as_dict()?
            .filter(|(name, _)| is_key(*name))
            .map(|(_, value)| value)
            .last()
    }

    /// What would be imported: `module.name`.
    pub fn as_global(self) -> Option<&'p str> {
        match self.node() {
            Node::Global(name) => Some(name),
            _ => None,
        }
    }

    /// What would be built by calling something that is imported.
    pub fn as_made(self) -> Option<Made<'p>> {
        let Node::Object(object) = self.node() else {
            return None;
        };
        Some(Made {
            by: self.at(object.call).as_global()?,
            arguments: self.at(object.arguments),
            state: object.state.map(|state| self.at(state)),
        })
    }

    /// Whole numbers: a list or tuple of them, or a numpy array of one dimension.
    pub fn as_ints(self) -> Option<Vec<i64>> {
        match self.as_sequence() {
            Some(values) => values.map(Value::as_int).collect(),
            None => Array::of(self)?.ints(),
        }
    }

    /// Texts in a numpy array of one dimension; whole numbers among its objects as such texts too.
    pub fn as_array_of_texts(self) -> Option<Vec<Cow<'p, str>>> {
        numpy::texts(self)
    }

    /// A numpy array.
    pub fn as_array(self) -> Option<Array<'p>> {
        Array::of(self)
    }
}

impl fmt::Debug for Value<'_> {
    /// One level only: a value may contain itself.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node().fmt(formatter)
    }
}

/// `_codecs.encode(text, "latin1")`, and `bytes()` of nothing.
fn encoded_bytes(value: Value<'_>) -> Option<Cow<'_, [u8]>> {
    let made = value.as_made()?;
    if ["builtins.bytes", "__builtin__.bytes"].contains(&made.by)
        && made.arguments.as_tuple::<0>().is_some()
    {
        return Some(Cow::Borrowed(&[]));
    }
    if made.by != "_codecs.encode" {
        return None;
    }
    let [text, encoding] = made.arguments.as_tuple()?;
    if !["latin1", "latin-1"].contains(&encoding.as_text()?) {
        return None;
    }
    let bytes: Result<Vec<u8>, _> = text.as_text()?.chars().map(u8::try_from).collect();
    bytes.ok().map(Cow::Owned)
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
        at: usize,
        /// The instruction.
        code: u8,
    },
    /// Far more values than a file of its length has.
    #[error("it makes far more values than data of its length have")]
    TooMuch,
    /// Instructions that make no sense.
    #[error("byte {0} makes no sense there")]
    Nonsense(usize),
}
