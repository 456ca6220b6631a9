//! How deep a text of TOML nests. The parser limits brackets, and the parts of one key, but not
//! their product; what it makes is taken apart by recursion, which would overflow the stack.

/// Deeper texts are written by nobody.
const MAX_DEPTH: usize = 128;

/// What complaints say of such a text.
pub const TOO_DEEP: &str = "nests deeper than anything that is read";

/// Whether tables and arrays lie deeper in each other than is safe to read.
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
