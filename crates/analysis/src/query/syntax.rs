//! What a query is once it is read, and how it is written.

use std::fmt;
use std::ops::Range;

#[derive(Debug, Clone, PartialEq, Default)]
pub enum Query {
    /// Every run passes.
    #[default]
    Everything,
    /// All of these; two or more.
    All(Vec<Query>),
    /// Any of these; two or more.
    Any(Vec<Query>),
    Not(Box<Query>),
    /// Text that a run holds.
    Words(Text),
    /// A value of a run, compared.
    Compare {
        name: Text,
        op: Op,
        value: Text,
    },
}

/// A word of a query and its position.
#[derive(Debug, Clone, Eq)]
pub struct Text {
    /// Without quotes.
    pub text: String,
    pub is_quoted: bool,
    /// Its bytes in the query.
    pub span: Range<usize>,
}

/// The position of a word does not count.
impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, self.is_quoted) == (&other.text, other.is_quoted)
    }
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `:`
    Has,
    /// `=`
    Is,
    /// `!=`
    IsNot,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

impl Op {
    /// All, those first that begin like others but are longer.
    pub const ALL: [Self; 7] = [
        Self::IsNot,
        Self::AtLeast,
        Self::AtMost,
        Self::Has,
        Self::Is,
        Self::Above,
        Self::Below,
    ];

    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Has => ":",
            Self::Is => "=",
            Self::IsNot => "!=",
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }

    /// Whether it compares by size.
    pub fn is_order(self) -> bool {
        !matches!(self, Self::Has | Self::Is | Self::IsNot)
    }
}

/// What is wrong with a query, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryProblem {
    /// The bytes of the query that are meant; empty at its end where something is missing.
    pub span: Range<usize>,
    /// One sentence.
    pub message: String,
}

impl QueryProblem {
    /// A problem with these bytes.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
        }
    }

    /// The query and below it a mark under the words that are meant, for a terminal.
    pub fn shown_in(&self, query: &str) -> String {
        use unicode_width::UnicodeWidthStr;
        let width = |range: Range<usize>| query.get(range).unwrap_or_default().width();
        let (before, marked) = (width(0..self.span.start), width(self.span.clone()).max(1));
        format!("{query}\n{}{}", " ".repeat(before), "^".repeat(marked))
    }
}

/// Words with a meaning of their own.
pub const KEYWORDS: [&str; 3] = ["or", "and", "not"];

/// A word, quoted where it needs to be.
pub fn quoted(text: &str) -> String {
    let is_special = |char: char| char.is_whitespace() || "\":=<>!()".contains(char);
    let needs_quotes = text.is_empty()
        || text.starts_with('-')
        || text.contains(is_special)
        || KEYWORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    if needs_quotes {
        in_quotes(text)
    } else {
        text.to_owned()
    }
}

fn in_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.is_quoted {
            return f.write_str(&in_quotes(&self.text));
        }
        f.write_str(&self.text)
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let inside = |query: &Self| match query {
            Self::All(_) | Self::Any(_) => format!("({query})"),
            query => query.to_string(),
        };
        let joined = |queries: &[Self], by: &str| {
            let each: Vec<_> = queries.iter().map(inside).collect();
            each.join(by)
        };
        match self {
            Self::Everything => Ok(()),
            Self::All(queries) => f.write_str(&joined(queries, " ")),
            Self::Any(queries) => f.write_str(&joined(queries, " or ")),
            Self::Not(query) => write!(f, "-{}", inside(query)),
            Self::Words(text) => write!(f, "{text}"),
            Self::Compare { name, op, value } => write!(f, "{name}{}{value}", op.sign()),
        }
    }
}
