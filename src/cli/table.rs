//! Columns of text, aligned by what a terminal shows.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

/// The alignment of a column's cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Prints `rows` below their headings, two spaces between columns. Each row has a cell for each
/// heading.
pub fn print(
    out: &mut dyn Write,
    headings: &[(&str, Side)],
    rows: &[Vec<String>],
) -> io::Result<()> {
    let widths: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(at, (heading, _))| {
            rows.iter()
                .map(|row| row[at].width())
                .chain([heading.width()])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let titles: Vec<String> = headings
        .iter()
        .map(|(heading, _)| (*heading).to_owned())
        .collect();
    for row in std::iter::once(&titles).chain(rows) {
        let mut line = String::new();
        for ((cell, width), (_, side)) in row.iter().zip(&widths).zip(headings) {
            let space = " ".repeat(width.saturating_sub(cell.width()));
            match side {
                Side::Left => line.extend([cell, space.as_str(), "  "]),
                Side::Right => line.extend([space.as_str(), cell, "  "]),
            }
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_align_by_their_width_on_a_terminal() {
        let mut out = Vec::new();
        let rows = [
            vec!["猫".to_owned(), "1".to_owned()],
            vec!["abcde".to_owned(), "20".to_owned()],
        ];
        print(&mut out, &[("name", Side::Left), ("n", Side::Right)], &rows).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "name    n\n猫      1\nabcde  20\n"
        );
    }
}
