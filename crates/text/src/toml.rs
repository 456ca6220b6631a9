//! What every reader of a TOML file needs: values with their places, lines for messages, and a
//! limit on nesting. The parser limits brackets, and the parts of one key, but not their product;
//! what it makes is taken apart by recursion, which would overflow the stack.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;

/// Limit of nesting.
const MAX_DEPTH: usize = 128;

/// What problems say of such a text.
pub const TOO_DEEP: &str = "nests deeper than anything that is read";

/// A text of TOML and what messages call it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

/// Something that is wrong at an offset of a text, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    pub offset: usize,
    pub sentence: String,
}

impl<'a> Source<'a> {
    /// What could be read, and the errors. A value that the parser made up where it found none has
    /// an empty span.
    pub fn parse(self) -> (Spanned<DeTable<'a>>, Vec<SyntaxError>) {
        let is_too_deep = is_too_deep(self.text);
        let (table, errors) = DeTable::parse_recoverable(if is_too_deep { "" } else { self.text });
        let too_deep = is_too_deep.then(|| SyntaxError {
            offset: 0,
            sentence: TOO_DEEP.to_owned(),
        });
        let errors = errors.into_iter().map(|error| {
            let cause = error.message().lines().next().unwrap_or_default();
            SyntaxError {
                offset: error.span().map_or(0, |span| span.start),
                sentence: format!("is not valid TOML: {cause}"),
            }
        });
        (table, too_deep.into_iter().chain(errors).collect())
    }

    /// `name:line` of an offset.
    pub fn place(self, offset: usize) -> String {
        format!("{}:{}", self.name, line_at(self.text, offset))
    }

    /// The first line of what is written in a span.
    pub fn written(self, span: Range<usize>) -> &'a str {
        let written = self.text.get(span).unwrap_or_default();
        written.lines().next().unwrap_or_default()
    }
}

/// The 1-based line of a byte.
pub fn line_at(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    1 + memchr::memchr_iter(b'\n', before).count()
}

/// Whether tables and arrays are nested deeper than is safe to parse.
pub fn is_too_deep(toml: &str) -> bool {
    // What each open bracket adds: itself, and the dots of the key before it.
    let mut open: Vec<usize> = Vec::new();
    let (mut depth, mut dots, mut of_heading) = (0, 0, 0);
    let mut rest = toml.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'"' | b'\'' => rest = after_string(*byte, after),
            b'#' => rest = &after[memchr::memchr(b'\n', after).unwrap_or(after.len())..],
            b'.' => dots += 1,
            b'[' | b'{' => {
                open.push(dots + 1);
                depth += dots + 1;
                dots = 0;
            }
            b']' | b'}' => {
                depth -= open.pop().unwrap_or(0);
                // Of a table's heading the dots count for all that follows.
                if open.is_empty() {
                    of_heading = dots;
                }
                dots = 0;
            }
            b',' => dots = 0,
            b'\n' if open.is_empty() => dots = 0,
            _ => {}
        }
        if depth + dots + of_heading > MAX_DEPTH {
            return true;
        }
    }
    false
}

/// What follows a string whose first quote was just read. One that is not closed ends with its
/// line, or with the text.
fn after_string(quote: u8, text: &[u8]) -> &[u8] {
    let triple = [quote; 3];
    let is_long = text.starts_with(&triple[..2]);
    let mut at = if is_long { 2 } else { 0 };
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if quote == b'"' && text.get(at + 1) != Some(&b'\n') => at += 1,
            b'\n' if !is_long => return &text[at..],
            byte if *byte == quote && !is_long => return &text[at + 1..],
            _ if is_long && text[at..].starts_with(&triple) => return &text[at + 3..],
            _ => {}
        }
        at += 1;
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(parts: usize) -> String {
        vec!["a"; parts].join(".")
    }

    #[test]
    fn brackets_and_dots_add_up() {
        let inline = |levels: usize, parts: usize| {
            let key = key(parts);
            let open = format!("{{{key} = ").repeat(levels);
            format!("{key} = {open}1{}", "}".repeat(levels))
        };
        for (text, is_deep) in [
            (inline(10, 2), false),
            (inline(60, 1), false),
            (inline(3, 79), true),
            (inline(70, 3), true),
            (format!("[{}]\n{} = 1", key(70), key(70)), true),
            (format!("[{}]\n{} = 1", key(50), key(50)), false),
            (format!("a = {}", "[".repeat(200)), true),
            ("a = [1.5, 2.5]\n".repeat(1000), false),
            ("a.b = 1\n".repeat(1000), false),
            (format!("a = \"{}\"", "[.".repeat(200)), false),
            (format!("a = '''\n{}'''", "[.\n".repeat(200)), false),
            (format!("# {}\na = \"\"", "[".repeat(200)), false),
            (format!("a = \"\\\"{}\"", "[".repeat(200)), false),
            (format!("a = \"\"\nb = {}", "[".repeat(200)), true),
            (format!("a = 'x\nb = {}", "[".repeat(200)), true),
        ] {
            assert_eq!(is_too_deep(&text), is_deep, "{text}");
        }
    }

    fn depth(value: &toml::Value) -> usize {
        let parts: Vec<&toml::Value> = match value {
            toml::Value::Table(table) => table.iter().map(|(_, value)| value).collect(),
            toml::Value::Array(values) => values.iter().collect(),
            _ => return 0,
        };
        1 + parts.into_iter().map(depth).max().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn nothing_deep_that_parses_is_called_shallow(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "a.a.a.a.a.a.a.a.b = ", "a.b", " = 1", "{", "}", "[", "]", "\n", "\"", "'", "#", "\\", "x = 1\n",
                ]),
                0..12,
            ),
            levels in 0..8_usize,
        ) {
            let open = format!("{} = {{", key(40)).repeat(levels);
            let text = pieces.concat() + "\n" + &open + &"}".repeat(levels);
            if let Ok(table) = text.parse::<toml::Table>() {
                let depth = depth(&toml::Value::Table(table));
                prop_assert!(depth <= MAX_DEPTH + 2 || is_too_deep(&text), "{} {}", depth, text);
            }
        }
    }
}
