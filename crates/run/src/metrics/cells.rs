//! One line of a table into its cells.

use std::borrow::Cow;

/// What separates two cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Separator {
    Tab,
    Semicolon,
    #[default]
    Comma,
    /// Runs of blanks and tabs.
    Blanks,
}

impl Separator {
    /// In the order in which they are tried: a comma may be part of a number, a blank of anything.
    pub const ALL: [Self; 4] = [Self::Tab, Self::Semicolon, Self::Comma, Self::Blanks];

    /// The one byte that separates cells; `None` for runs of blanks.
    pub fn byte(self) -> Option<u8> {
        match self {
            Self::Tab => Some(b'\t'),
            Self::Semicolon => Some(b';'),
            Self::Comma => Some(b','),
            Self::Blanks => None,
        }
    }

    fn separates(self, letter: char) -> bool {
        self.byte().map_or_else(
            || letter == ' ' || letter == '\t',
            |byte| letter == char::from(byte),
        )
    }
}

/// The cells of a line without its line end. Quotes around a cell are taken off, doubled quotes
/// inside become one. Brackets hold a cell together, as in `tensor(0.5, device='cuda:0')`.
pub fn split(line: &str, separator: Separator) -> Vec<Cow<'_, str>> {
    if memchr::memchr3(b'"', b'(', b'[', line.as_bytes()).is_some() {
        return scan(line, separator, true).0;
    }
    match separator.byte() {
        Some(byte) => {
            let cells = line.split(char::from(byte));
            cells.map(|cell| Cow::Borrowed(cell.trim())).collect()
        }
        None => line.split_whitespace().map(Cow::Borrowed).collect(),
    }
}

/// Whether a line ends within a quoted cell, so that the next line belongs to it.
pub fn is_open(line: &str, separator: Separator) -> bool {
    memchr::memchr(b'"', line.as_bytes()).is_some() && scan(line, separator, true).1
}

/// The cells, and whether the last one's quotes are still open.
fn scan(line: &str, separator: Separator, has_brackets: bool) -> (Vec<Cow<'_, str>>, bool) {
    let line = match separator {
        Separator::Blanks => line.trim(),
        _ => line,
    };
    let mut cells = Vec::new();
    let mut cell = String::new();
    let (mut is_quoted, mut depth) = (false, 0_usize);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        if is_quoted {
            match letter {
                '"' if letters.next_if_eq(&'"').is_some() => cell.push('"'),
                '"' => is_quoted = false,
                letter => cell.push(letter),
            }
            continue;
        }
        match letter {
            // A quote within a cell is a letter like others.
            '"' if cell.trim().is_empty() => is_quoted = true,
            letter if depth == 0 && separator.separates(letter) => {
                if separator == Separator::Blanks {
                    while letters
                        .next_if(|letter| separator.separates(*letter))
                        .is_some()
                    {}
                }
                cells.push(Cow::Owned(std::mem::take(&mut cell).trim().to_owned()));
            }
            letter => {
                match letter {
                    '(' | '[' if has_brackets => depth += 1,
                    ')' | ']' if has_brackets => depth = depth.saturating_sub(1),
                    _ => {}
                }
                cell.push(letter);
            }
        }
    }
    if depth > 0 {
        return scan(line, separator, false);
    }
    cells.push(Cow::Owned(cell.trim().to_owned()));
    (cells, is_quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comma(line: &str) -> Vec<Cow<'_, str>> {
        split(line, Separator::Comma)
    }

    #[test]
    fn quotes_hold_cells_together() {
        assert_eq!(comma("1, 2 ,,x"), ["1", "2", "", "x"]);
        assert_eq!(
            comma("\"a,b\",\"say \"\"hi\"\"\",3"),
            ["a,b", "say \"hi\"", "3"]
        );
        assert_eq!(comma("\"never closed,1"), ["never closed,1"]);
        assert_eq!(comma(""), [""]);
        assert_eq!(comma("5\",1"), ["5\"", "1"]);
    }

    #[test]
    fn brackets_hold_cells_together_and_one_that_never_closes_does_not() {
        assert_eq!(
            comma("1,tensor(0.5, device='cuda:0'),[1, 2]"),
            ["1", "tensor(0.5, device='cuda:0')", "[1, 2]"]
        );
        assert_eq!(comma("a (b,c"), ["a (b", "c"]);
        assert_eq!(comma("a) b,c"), ["a) b", "c"]);
    }

    #[test]
    fn each_separator_has_its_cells() {
        assert_eq!(split("1;0,5; ", Separator::Semicolon), ["1", "0,5", ""]);
        assert_eq!(split("1\t\tx y", Separator::Tab), ["1", "", "x y"]);
        for line in ["  1   0.5\t x ", " \"1\"   0.5\t x "] {
            assert_eq!(split(line, Separator::Blanks), ["1", "0.5", "x"]);
        }
    }

    #[test]
    fn a_quote_that_is_still_open_is_noticed() {
        for (line, expected) in [
            ("1,\"a", true),
            ("1,\"a\"", false),
            ("1,a\"", false),
            ("1,\"a\"\"", true),
        ] {
            assert_eq!(is_open(line, Separator::Comma), expected, "{line}");
        }
    }
}
