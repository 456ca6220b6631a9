//! One line of CSV into its cells.

use std::borrow::Cow;

/// The cells of a line without its line end; quotes around a cell are taken off, doubled quotes
/// inside become one.
pub fn split(line: &str) -> Vec<Cow<'_, str>> {
    if !line.contains('"') {
        return line
            .split(',')
            .map(|cell| Cow::Borrowed(cell.trim()))
            .collect();
    }
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(Cow::Owned(std::mem::take(&mut cell).trim().to_owned())),
            char => cell.push(char),
        }
    }
    cells.push(Cow::Owned(cell.trim().to_owned()));
    cells
}

/// A cell as a number: decimal or scientific, NaN and infinities in any case.
pub fn number(cell: &str) -> Option<f64> {
    cell.parse().ok()
}

/// Whether a cell says nothing: empty, or one of the words that programs write for that.
pub fn is_missing(cell: &str) -> bool {
    matches!(
        cell,
        "" | "NA" | "N/A" | "<NA>" | "None" | "none" | "null" | "NULL"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_cells_together() {
        assert_eq!(split("1, 2 ,,x"), ["1", "2", "", "x"]);
        assert_eq!(
            split("\"a,b\",\"say \"\"hi\"\"\",3"),
            ["a,b", "say \"hi\"", "3"]
        );
        assert_eq!(split("\"never closed,1"), ["never closed,1"]);
        assert_eq!(split(""), [""]);
    }
}
