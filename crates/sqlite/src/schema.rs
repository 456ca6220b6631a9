//! What is in a database: its tables and indexes, with the columns that their definitions name.

use super::pages::Pages;
use super::record::{Record, Value};
use super::{Error, btree};

/// Of what comes after these nothing is known.
const MOST: usize = 1000;

/// A table of rows.
#[derive(Debug)]
pub struct Table {
    name: String,
    pub(crate) root: u32,
    columns: Vec<String>,
}

impl Table {
    /// The place of a column in its rows.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|column| column.eq_ignore_ascii_case(name))
    }
}

/// An index of all rows of a table.
#[derive(Debug)]
pub struct Index {
    table: String,
    pub(crate) root: u32,
    columns: Vec<String>,
}

#[derive(Debug, Default)]
pub struct Schema {
    tables: Vec<Table>,
    indexes: Vec<Index>,
}

impl Schema {
    pub fn read(pages: &Pages) -> Result<Self, Error> {
        let mut schema = Self::default();
        let mut count = 0;
        btree::rows(pages, 1, i64::MIN, &mut |_, record| {
            schema.add(record);
            count += 1;
            count < MOST
        })?;
        Ok(schema)
    }

    fn add(&mut self, record: Record) -> Option<()> {
        let text = |column| record.value(column).and_then(Value::text);
        let root = record.value(3)?.integer()?.try_into().ok()?;
        let definition = text(4)?;
        let (columns, after) = columns(definition)?;
        let after = after.to_ascii_lowercase();
        match text(0)? {
            // The rows of others are in an index.
            "table" if !after.contains("without") => self.tables.push(Table {
                name: text(1)?.to_owned(),
                root,
                columns,
            }),
            // Others have only some of the rows.
            "index" if !after.contains("where") => self.indexes.push(Index {
                table: text(2)?.to_owned(),
                root,
                columns,
            }),
            _ => {}
        }
        Some(())
    }

    pub fn table(&self, name: &str) -> Option<&Table> {
        let mut tables = self.tables.iter();
        tables.find(|table| table.name.eq_ignore_ascii_case(name))
    }

    pub fn index(&self, table: &str, columns: &[&str]) -> Option<&Index> {
        self.indexes.iter().find(|index| {
            let names = index.columns.iter().zip(columns);
            index.table.eq_ignore_ascii_case(table)
                && index.columns.len() >= columns.len()
                && names.into_iter().all(|(a, b)| a.eq_ignore_ascii_case(b))
        })
    }
}

/// The names of columns in the brackets of a definition, and what follows these. What `SQLite`
/// would read otherwise, as comments, only leads to names that nobody asks for.
fn columns(definition: &str) -> Option<(Vec<String>, &str)> {
    let (_, inner) = definition.split_once('(')?;
    let (mut depth, mut quote, mut begin) = (1, None, 0);
    let mut columns = Vec::new();
    for (at, char) in inner.char_indices() {
        match (quote, char) {
            (Some(end), char) if end == char => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(char),
            (None, '[') => quote = Some(']'),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            _ => {}
        }
        let is_end = depth == 0;
        if quote.is_none() && (is_end || depth == 1 && char == ',') {
            columns.extend(column(&inner[begin..at]));
            begin = at + 1;
        }
        if is_end {
            return Some((columns, &inner[at..]));
        }
    }
    None
}

/// The name of a column; `None` of what is said of the whole table.
fn column(definition: &str) -> Option<String> {
    const OF_TABLE: [&str; 5] = ["constraint", "primary", "unique", "check", "foreign"];
    let definition = definition.trim_start();
    let quote = definition.chars().next()?;
    if let Some(end) = match quote {
        '"' | '\'' | '`' => Some(quote),
        '[' => Some(']'),
        _ => None,
    } {
        return Some(definition[1..].split(end).next()?.to_owned());
    }
    let word = definition.split(|char: char| char.is_whitespace() || char == '(');
    let word = word.into_iter().next()?;
    let is_of_table = OF_TABLE.iter().any(|of| word.eq_ignore_ascii_case(of));
    (!is_of_table).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_by_their_definition() {
        for (definition, expected, after) in [
            ("CREATE TABLE a (b, c INT)", &["b", "c"][..], ")"),
            (
                "CREATE TABLE \"a\" (\n\"b x\" TEXT,\n [c,] NUMERIC(1, 2) DEFAULT ',', UNIQUE(b), d)",
                &["b x", "c,", "d"],
                ")",
            ),
            (
                "CREATE INDEX i ON a(b, c) WHERE b",
                &["b", "c"],
                ") WHERE b",
            ),
            ("CREATE TABLE a (b TEXT DEFAULT '[]')", &["b"], ")"),
        ] {
            let (columns, rest) = columns(definition).unwrap();
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            assert_eq!((&columns[..], rest), (expected, after));
        }
        assert_eq!(columns("CREATE TABLE a (b"), None);
    }
}
