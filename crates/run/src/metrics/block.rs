//! Large pieces of plain numbers through polars. A piece with anything unusual (quotes, ragged
//! lines, text) is left to the row parser, so that both give the same result.
//!
//! `read_chunk` is the part of polars' CSV reader that parses; the rest of it would start a thread
//! for each core, and an environment variable, which only unsafe code can set, is the only way to
//! have fewer. So the threads are ours, and few.

use std::num::NonZero;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use polars::prelude::{DataFrame, DataType, Field, Schema};
use polars_io::csv::read::_csv_read_internal::read_chunk;
use polars_io::csv::read::CsvParseOptions;

/// Limit of parsing threads in the process; login nodes are shared.
const THREADS: usize = 4;

/// Threads that parse now.
static PARSING: AtomicUsize = AtomicUsize::new(0);

/// A column over the rows of a block.
pub enum Values<'a> {
    /// One in each row.
    Dense(&'a [f64]),
    /// Missing in some rows.
    Sparse(Vec<Option<f64>>),
}

/// The numbers of a piece.
pub struct Block(DataFrame);

impl Block {
    /// How many rows it has: one a line.
    pub fn rows(&self) -> usize {
        self.0.height()
    }

    /// Its columns, in the order of the file.
    pub fn columns(&self) -> Vec<Values<'_>> {
        let columns = self.0.columns().iter();
        columns
            .map(|column| {
                let numbers = column.f64().expect("every column was asked for as numbers");
                numbers
                    .cont_slice()
                    .map_or_else(|_| Values::Sparse(numbers.iter().collect()), Values::Dense)
            })
            .collect()
    }
}

/// What rows of numbers look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Cells in each row.
    pub columns: usize,
    /// The byte between them.
    pub separator: u8,
}

/// Parses rows of numbers.
pub struct Parser {
    schema: Schema,
    separator: u8,
}

impl Parser {
    pub fn new(shape: Shape) -> Self {
        let field = |at: usize| Field::new(at.to_string().into(), DataType::Float64);
        Self {
            schema: (0..shape.columns).map(field).collect(),
            separator: shape.separator,
        }
    }

    /// The numbers of complete lines; `None` if anything about them is unusual.
    pub fn parse(&self, lines: &[u8]) -> Option<Block> {
        parse_piece(lines, &self.schema, self.separator)
    }
}

/// Parses pieces, each of complete lines of this shape. `None` for those about which anything is
/// unusual.
pub fn parse(pieces: &[&[u8]], shape: Shape) -> Vec<Option<Block>> {
    let parser = Parser::new(shape);
    let mut blocks: Vec<Option<Block>> = pieces.iter().map(|_| None).collect();
    let threads = Threads::take(pieces.len());
    let each = pieces.len().div_ceil(threads.0).max(1);
    let parser = &parser;
    let work = |pieces: &[&[u8]], blocks: &mut [Option<Block>]| {
        for (piece, block) in pieces.iter().zip(blocks) {
            *block = parser.parse(piece);
        }
    };
    thread::scope(|scope| {
        let mut shares = pieces.chunks(each).zip(blocks.chunks_mut(each));
        let own = shares.next();
        for (pieces, blocks) in shares {
            scope.spawn(move || work(pieces, blocks));
        }
        if let Some((pieces, blocks)) = own {
            work(pieces, blocks);
        }
    });
    blocks
}

fn parse_piece(bytes: &[u8], schema: &Schema, separator: u8) -> Option<Block> {
    let columns = schema.len();
    let lines = memchr::memchr_iter(b'\n', bytes).count();
    let options = CsvParseOptions::default()
        .with_separator(separator)
        .with_quote_char(None)
        .with_missing_is_null(true);
    let every: Vec<usize> = (0..columns).collect();
    let frame = read_chunk(
        bytes,
        &options,
        schema,
        true,
        &every,
        0,
        lines,
        None,
        usize::MAX,
        bytes.len(),
        Some(0),
    )
    .ok()?;
    if frame.height() != lines {
        return None;
    }
    // A line with more cells than columns is an error to polars, one with fewer is filled with
    // nulls. So without any null all is well; with nulls, each of them must be an empty cell of a
    // line that has them all.
    let nulls: usize = frame
        .columns()
        .iter()
        .map(polars::prelude::Column::null_count)
        .sum();
    (nulls == 0 || empty_cells(bytes, columns, separator) == Some(nulls)).then_some(Block(frame))
}

/// How many cells are empty, if every line has `columns` of them.
fn empty_cells(bytes: &[u8], columns: usize, separator: u8) -> Option<usize> {
    let (mut empty, mut separators, mut cell_length) = (0, 0, 0_usize);
    for byte in bytes {
        match byte {
            byte if *byte == separator => {
                empty += usize::from(cell_length == 0);
                cell_length = 0;
                separators += 1;
            }
            b'\n' => {
                // A lone empty cell is an empty line, which is no row.
                if separators + 1 != columns || (separators == 0 && cell_length == 0) {
                    return None;
                }
                empty += usize::from(cell_length == 0);
                (cell_length, separators) = (0, 0);
            }
            b'\r' => {}
            _ => cell_length += 1,
        }
    }
    Some(empty)
}

/// Permission for some threads to parse, the calling one among them; given back when dropped.
pub struct Threads(usize);

impl Threads {
    /// As many as are useful and free, at least one.
    pub fn take(useful: usize) -> Self {
        static CORES: OnceLock<usize> = OnceLock::new();
        let cores = *CORES.get_or_init(|| thread::available_parallelism().map_or(1, NonZero::get));
        let busy = PARSING.fetch_add(1, Ordering::Relaxed) + 1;
        let more = THREADS
            .min(cores)
            .saturating_sub(busy)
            .min(useful.saturating_sub(1));
        PARSING.fetch_add(more, Ordering::Relaxed);
        Self(1 + more)
    }

    pub fn count(&self) -> usize {
        self.0
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        PARSING.fetch_sub(self.0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comma(columns: usize) -> Shape {
        Shape {
            columns,
            separator: b',',
        }
    }

    #[test]
    fn plain_pieces_are_read_and_unusual_ones_are_left() {
        let read = |text: &str| {
            parse(&[text.as_bytes()], comma(2))
                .remove(0)
                .map(|block| block.rows())
        };
        for plain in [
            "2,0.5\n3,nan\r\n",
            "2,\n3,1\n",
            ",1\n",
            "inf, 1\n",
            "3,1\n2,1\n",
            "3,\r\n",
        ] {
            assert!(read(plain).is_some(), "{plain:?}");
        }
        for unusual in [
            "2,1,3\n",
            "2\n",
            "2,1,3\n1\n",
            "2,\"1\"\n",
            "2,e\n",
            "2,1 \n",
            "\n",
            "2,\u{0}\n",
            "2,é\n",
        ] {
            assert!(read(unusual).is_none(), "{unusual:?}");
        }
        assert!(parse(&[b"1\n\n2\n"], comma(1)).remove(0).is_none());
    }

    #[test]
    fn damage_in_one_piece_leaves_the_others_to_polars() {
        let blocks = parse(&[b"1,2\n", b"1,x\n", b"3,4\n5,6\n"], comma(2));
        let rows: Vec<_> = blocks
            .iter()
            .map(|block| block.as_ref().map(Block::rows))
            .collect();
        assert_eq!(rows, [Some(1), None, Some(2)]);
    }
}
