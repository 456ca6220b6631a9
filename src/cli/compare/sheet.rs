//! Tables and sentences, as text or as Markdown.

use std::io::{self, Write};

use crate::cli::table::{self, Side};
use traintop_text::markdown;

/// A table.
pub struct Sheet {
    pub headings: Vec<(String, Side)>,
    /// Each with a cell for each heading.
    pub rows: Vec<Vec<String>>,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Markdown,
}

impl Form {
    pub fn heading(self, out: &mut dyn Write, text: &str) -> io::Result<()> {
        match self {
            Self::Text => writeln!(out, "\n{text}"),
            Self::Markdown => writeln!(out, "\n### {}\n", markdown(text)),
        }
    }

    pub fn item(self, out: &mut dyn Write, text: &str) -> io::Result<()> {
        match self {
            Self::Text => writeln!(out, "{text}"),
            Self::Markdown => writeln!(out, "- {}", markdown(text)),
        }
    }

    pub fn table(self, out: &mut dyn Write, sheet: &Sheet) -> io::Result<()> {
        if self == Self::Text {
            let headings: Vec<(&str, Side)> = sheet
                .headings
                .iter()
                .map(|(heading, side)| (heading.as_str(), *side))
                .collect();
            return table::print(out, &headings, &sheet.rows);
        }
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let headings = sheet.headings.iter();
        writeln!(
            out,
            "{}",
            line(headings.clone().map(|(text, _)| markdown(text)).collect())
        )?;
        let rule = headings.map(|(_, side)| match side {
            Side::Left => ":--".to_owned(),
            Side::Right => "--:".to_owned(),
        });
        writeln!(out, "{}", line(rule.collect()))?;
        for row in &sheet.rows {
            writeln!(
                out,
                "{}",
                line(row.iter().map(|cell| markdown(cell)).collect())
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_a_markdown_table() {
        let sheet = Sheet {
            headings: vec![
                ("RUN".to_owned(), Side::Left),
                ("N".to_owned(), Side::Right),
            ],
            rows: vec![vec!["a|b_c".to_owned(), "1".to_owned()]],
        };
        let mut out = Vec::new();
        Form::Markdown.table(&mut out, &sheet).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "| RUN | N |\n| :-- | --: |\n| a\\|b\\_c | 1 |\n"
        );
    }
}
