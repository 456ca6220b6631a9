//! Large blocks of plain numbers through polars. Whatever is unusual about a block (quotes, ragged lines, text, x that does
//! not rise) is left to the row parser, so that nobody can tell which of the two read it.

use std::io::Cursor;

use polars::prelude::{DataType, Field, Schema};
use polars_io::SerReader;
use polars_io::csv::read::{CsvParseOptions, CsvReadOptions};

/// The values of a column over the rows of a block.
pub enum Values {
    /// One in each row.
    Dense(Vec<f64>),
    /// Missing in some rows.
    Sparse(Vec<Option<f64>>),
}

/// The numbers of a block.
pub struct Block {
    /// x of each row, strictly rising.
    pub x: Vec<f64>,
    /// Each column, the one of x too.
    pub columns: Vec<Values>,
}

/// Whether every line has `columns` cells of nothing but numbers, and how many cells are empty.
fn empty_cells(bytes: &[u8], columns: usize) -> Option<usize> {
    let (mut empty, mut commas, mut cell_length) = (0, 0, 0_usize);
    for byte in bytes {
        match byte {
            b',' | b'\n' => {
                empty += usize::from(cell_length == 0);
                cell_length = 0;
                if *byte == b',' {
                    commas += 1;
                } else {
                    if commas + 1 != columns {
                        return None;
                    }
                    commas = 0;
                }
            }
            b'\r' => {}
            b'0'..=b'9'
            | b'.'
            | b'+'
            | b'-'
            | b'a'
            | b'e'
            | b'E'
            | b'f'
            | b'i'
            | b'I'
            | b'n'
            | b'N' => cell_length += 1,
            _ => return None,
        }
    }
    Some(empty)
}

/// Parses a block of complete lines with `columns` cells each, of which number `x` places the row. `None` if anything about
/// it is unusual, or if x does not rise strictly from `last_x` on.
pub fn parse(bytes: &[u8], columns: usize, x: usize, last_x: Option<f64>) -> Option<Block> {
    let empty = empty_cells(bytes, columns)?;
    let schema: Schema = (0..columns)
        .map(|at| Field::new(at.to_string().into(), DataType::Float64))
        .collect();
    let options = CsvReadOptions::default()
        .with_has_header(false)
        .with_schema(Some(schema.into()))
        .with_ignore_errors(true)
        .with_rechunk(true)
        .with_parse_options(CsvParseOptions::default().with_missing_is_null(true));
    let frame = options
        .into_reader_with_file_handle(Cursor::new(bytes))
        .finish()
        .ok()?;
    if frame.height() != memchr::memchr_iter(b'\n', bytes).count() {
        return None;
    }
    let mut nulls = 0;
    let mut values = Vec::with_capacity(columns);
    for column in frame.columns() {
        let numbers = column.f64().ok()?;
        nulls += numbers.null_count();
        values.push(if numbers.null_count() == 0 {
            Values::Dense(numbers.into_no_null_iter().collect())
        } else {
            Values::Sparse(numbers.iter().collect())
        });
    }
    // A null that was not an empty cell is a cell that polars could not read.
    if nulls != empty {
        return None;
    }
    let Values::Dense(x) = &values[x] else {
        return None;
    };
    let mut last = last_x.unwrap_or(f64::NEG_INFINITY);
    for value in x {
        if !value.is_finite() || *value <= last {
            return None;
        }
        last = *value;
    }
    Some(Block {
        x: x.clone(),
        columns: values,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_blocks_are_read_and_unusual_ones_are_left() {
        let taken = |text: &str| parse(text.as_bytes(), 2, 0, Some(1.0)).map(|block| block.x);
        assert_eq!(taken("2,0.5\n3,nan\r\n"), Some(vec![2.0, 3.0]));
        assert_eq!(taken("2,\n3,1\n"), Some(vec![2.0, 3.0]));
        for unusual in [
            "2,1,3\n",
            "2\n",
            "1,1\n",
            "3,1\n2,1\n",
            "2,\"1\"\n",
            "2,e\n",
            ",1\n",
            "inf,1\n",
        ] {
            assert_eq!(taken(unusual), None, "{unusual:?}");
        }
    }
}
