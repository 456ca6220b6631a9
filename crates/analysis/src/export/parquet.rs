//! A table as an Apache Parquet file, through polars: doubles, and text in columns where any cell
//! is text.

use std::collections::HashSet;
use std::io::{self, Write};

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};
use polars_io::parquet::write::ParquetWriter;

use super::{Cell, Table, Texts};
use traintop_text::clean_lines;

/// Writes the table.
///
/// # Errors
/// If `out` cannot be written to.
pub fn write(table: &Table, texts: Texts, out: &mut dyn Write) -> io::Result<()> {
    let safe = |text: &str| match texts {
        Texts::Safe => clean_lines(text).into_owned(),
        Texts::Raw => text.to_owned(),
    };
    let names: Vec<String> = table.columns.iter().map(|name| safe(name)).collect();
    let names = unlike(&names);
    let columns = names.iter().enumerate().map(|(at, name)| {
        let cells = || table.rows.iter().map(|row| &row[at]);
        let is_text = cells().any(|cell| matches!(cell, Cell::Text(_)));
        let series = if is_text {
            let texts: Vec<Option<String>> = cells()
                .map(|cell| text(cell).map(|text| safe(&text)))
                .collect();
            Series::new(name.as_str().into(), texts)
        } else {
            let numbers: Vec<Option<f64>> = cells().map(number).collect();
            Series::new(name.as_str().into(), numbers)
        };
        series.into_column()
    });
    let mut frame =
        DataFrame::new(table.rows.len(), columns.collect()).map_err(io::Error::other)?;
    ParquetWriter::new(out)
        // Its pool would be a thread for each core, and stay.
        .set_parallel(false)
        .finish(&mut frame)
        .map_err(io::Error::other)?;
    Ok(())
}

/// In a column that has words, numbers are words.
fn text(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Missing => None,
        Cell::Text(text) => Some(text.clone()),
        Cell::Number(value) => Some(value.to_string()),
    }
}

fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Number(value) => Some(*value),
        Cell::Missing | Cell::Text(_) => None,
    }
}

/// The names, where one comes again with a number: columns of a file are found by their names.
fn unlike(names: &[String]) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    let each = names.iter().map(|name| {
        let mut again = (2..).map(|number| format!("{name} {number}"));
        let mut own = name.clone();
        while !taken.insert(own.clone()) {
            own = again.next().unwrap_or_default();
        }
        own
    });
    each.collect()
}

#[cfg(test)]
#[path = "parquet_tests.rs"]
mod tests;
