//! Turns complete lines into [`Metrics`], however they arrive: the state between two parts of a
//! file is here.

use std::borrow::Cow;

use super::block::{self, Block, Values};
use super::cells::{is_missing, number, split};
use super::header::{Header, Known, MAX_COLUMNS, Target};
use super::limits::Limits;
use super::series::Metrics;
use traintop_text::{clean, fitted};

/// How much of a cell a problem quotes, in letters.
const QUOTED: usize = 60;

/// Reads lines and remembers what the next ones need.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    limits: Limits,
    metrics: Metrics,
    header: Option<Header>,
    known: Known,
    /// Lines read, the header's too.
    lines: u64,
    /// Those of them that are not empty.
    filled_lines: u64,
    last_x: Option<f64>,
}

/// A cell as a problem quotes it: it may be as long as a line, and a hundred problems are kept.
fn short(cell: &str) -> String {
    let end = cell
        .char_indices()
        .nth(QUOTED + 1)
        .map_or(cell.len(), |(at, _)| at);
    fitted(&clean(&cell[..end]), QUOTED).into_owned()
}

impl Reader {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Hands over what has been read since the last time.
    pub fn take(&mut self) -> Metrics {
        self.metrics.take()
    }

    /// Reads complete lines: `bytes` is empty or ends in a line end.
    pub fn push(&mut self, mut bytes: &[u8]) {
        if bytes.len() >= self.limits.block {
            // The header, and a row that tells whether there is text among the columns.
            for _ in 0..2 {
                if self.metrics.rows == 0 && !bytes.is_empty() {
                    let (line, rest) = first_line(bytes);
                    self.push_line(line);
                    bytes = rest;
                }
            }
            self.push_blocks(bytes);
        } else {
            self.push_lines(bytes);
        }
    }

    fn push_lines(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.push_line(line);
        }
    }

    /// Reads what polars can, and the rest line by line.
    fn push_blocks(&mut self, bytes: &[u8]) {
        let Some(columns) = self.plain_columns() else {
            return self.push_lines(bytes);
        };
        let pieces = pieces(bytes, self.limits.piece);
        let blocks = block::parse(&pieces, columns);
        for (piece, block) in pieces.into_iter().zip(blocks) {
            self.push_parsed(piece, block, columns);
        }
    }

    /// How many cells the rows to come have, if no column is known to hold text.
    pub fn plain_columns(&self) -> Option<usize> {
        let header = self.header.as_ref()?;
        (!header.has_text()).then(|| header.names().len())
    }

    /// Reads complete lines of which `block` is what polars makes, taken for rows of `columns`
    /// cells; line by line where it cannot be.
    pub fn push_parsed(&mut self, lines: &[u8], block: Option<Block>, columns: usize) {
        // A header within lines that went one by one may have changed what the next ones mean.
        let taken = self.plain_columns() == Some(columns)
            && lines.len() <= self.limits.line
            && block.is_some_and(|block| self.take_block(&block));
        if !taken {
            self.push_lines(lines);
        }
    }

    /// Whether nothing but a header was read, or nothing at all. Anything that is not surely a
    /// header counts as content: a row in a file without one, a comment, a sentence.
    pub fn is_blank(&self) -> bool {
        self.metrics.rows == 0 && self.filled_lines <= 1 && self.is_understood()
    }

    /// Whether every line that was read is a header, or a row of numbers below one.
    pub fn is_understood(&self) -> bool {
        self.metrics.problem_count == 0
            && self.metrics.text_columns.is_empty()
            && match &self.header {
                None => self.filled_lines == 0,
                Some(header) => header.is_certain(),
            }
    }

    /// A line that is too long to be one, of which nobody has kept the bytes.
    pub fn skip_line(&mut self) {
        self.lines += 1;
        self.filled_lines += 1;
        let what = "is far too long to be a row".to_owned();
        self.metrics.complain(self.lines, what);
    }

    /// Whether a line without a line end has all the cells that a row has.
    pub fn is_whole_row(&self, line: &[u8]) -> bool {
        let text = String::from_utf8_lossy(line);
        let cells = split(text.trim_end());
        self.header
            .as_ref()
            .is_some_and(|header| cells.len() == header.names().len())
            && cells.last().is_some_and(|cell| !cell.is_empty())
    }

    fn push_line(&mut self, line: &[u8]) {
        if line.len() > self.limits.line {
            return self.skip_line();
        }
        self.lines += 1;
        let Ok(text) = std::str::from_utf8(line) else {
            self.filled_lines += 1;
            self.metrics
                .complain(self.lines, "is not UTF-8 text".to_owned());
            return;
        };
        let text = text.trim_matches(['\n', '\r', '\u{feff}']);
        if text.trim().is_empty() {
            return;
        }
        self.filled_lines += 1;
        let cells = split(text);
        match &self.header {
            Some(header) if !header.is_repeated_by(&cells) => self.take_row(&cells),
            _ => self.take_header(&cells),
        }
    }

    fn take_header(&mut self, cells: &[Cow<str>]) {
        let header = (cells.len() <= MAX_COLUMNS)
            .then(|| Header::new(cells, &self.metrics, &self.known, self.header.is_none()))
            .filter(|header| self.known.len() + header.new_columns() <= MAX_COLUMNS);
        let Some(header) = header else {
            let what = format!(
                "is a header of {} columns; {MAX_COLUMNS} are read at most, over all headers",
                cells.len()
            );
            return self.metrics.complain(self.lines, what);
        };
        if self.header.is_none() {
            header.x_name().clone_into(&mut self.metrics.x_name);
        }
        self.header = Some(header);
    }

    fn take_row(&mut self, cells: &[Cow<str>]) {
        let Some(mut header) = self.header.take() else {
            return;
        };
        self.take_row_below(&mut header, cells);
        self.header = Some(header);
    }

    fn take_row_below(&mut self, header: &mut Header, cells: &[Cow<str>]) {
        let names = header.names();
        if cells.len() != names.len() {
            let (has, wanted) = (cells.len(), names.len());
            let what = format!("has {has} cells where the header has {wanted}");
            self.metrics.complain(self.lines, what);
            return;
        }
        let x = match header.x() {
            None => None,
            Some(x) if is_missing(&cells[x]) => self.last_x.or(Some(0.0)),
            Some(x) => match number(&cells[x]) {
                Some(value) if value.is_finite() => Some(value),
                _ => {
                    let what = format!("has {:?} as its {}", short(&cells[x]), short(&names[x]));
                    self.metrics.complain(self.lines, what);
                    return;
                }
            },
        };
        let x = self.begin_row(x);
        for (at, cell) in cells.iter().enumerate() {
            if is_missing(cell) {
                continue;
            }
            let value = number(cell);
            match (
                header.target(at, value.is_some(), &mut self.metrics, &mut self.known),
                value,
            ) {
                (Target::Numbers(column), Some(value)) => {
                    put(&mut self.metrics, column, x, value);
                }
                (Target::Numbers(_), None) => {
                    let what = format!(
                        "has {:?} as its {}",
                        short(cell),
                        short(&header.names()[at])
                    );
                    self.metrics.complain(self.lines, what);
                }
                _ => {}
            }
        }
    }

    /// Starts a row at `x`, or at its own number where the file has no x; returns where it is.
    fn begin_row(&mut self, x: Option<f64>) -> f64 {
        let x = x.unwrap_or(self.metrics.rows as f64 + 1.0);
        if self.last_x.is_some_and(|last| x < last) {
            self.metrics.go_back_to(x);
        }
        self.last_x = Some(x);
        self.metrics.rows += 1;
        x
    }

    /// Takes in what polars read; says whether it could: an x that is no place (NaN, infinite) is
    /// for the row parser to name.
    fn take_block(&mut self, block: &Block) -> bool {
        let Some(mut header) = self.header.take() else {
            return false;
        };
        let columns = block.columns();
        let is_place = match header.x().map(|x| &columns[x]) {
            None => true,
            Some(Values::Dense(x)) => x.iter().all(|x| x.is_finite()),
            Some(Values::Sparse(x)) => x.iter().flatten().all(|x| x.is_finite()),
        };
        if is_place {
            header.name_columns(&columns, &mut self.metrics, &mut self.known);
            match header.x().map(|x| &columns[x]) {
                Some(Values::Dense(x)) if self.only_rises(x) => {
                    self.extend(&header, x, &columns);
                }
                _ => self.push_rows(&header, block.rows(), &columns),
            }
            self.lines += block.rows() as u64;
            self.filled_lines += block.rows() as u64;
        }
        self.header = Some(header);
        is_place
    }

    fn only_rises(&self, x: &[f64]) -> bool {
        x.first()
            .is_some_and(|first| self.last_x.is_none_or(|last| *first > last))
            && x.windows(2).all(|pair| pair[1] > pair[0])
    }

    /// Rows in their order after all before them, which most are: column by column.
    fn extend(&mut self, header: &Header, x: &[f64], columns: &[Values]) {
        for (at, values) in columns.iter().enumerate() {
            let Some(column) = header.numbers(at) else {
                continue;
            };
            let column = &mut self.metrics.columns[column];
            match values {
                Values::Dense(values) => {
                    column.x.extend_from_slice(x);
                    column.y.extend_from_slice(values);
                }
                Values::Sparse(values) => {
                    for (x, value) in x.iter().zip(values) {
                        if let Some(value) = value {
                            column.x.push(*x);
                            column.y.push(*value);
                        }
                    }
                }
            }
        }
        self.last_x = x.last().copied().or(self.last_x);
        self.metrics.rows += x.len();
    }

    /// Rows that share their x with others, go back, or have none: one by one.
    fn push_rows(&mut self, header: &Header, rows: usize, columns: &[Values]) {
        let value = |at: usize, row: usize| match &columns[at] {
            Values::Dense(values) => Some(values[row]),
            Values::Sparse(values) => values[row],
        };
        for row in 0..rows {
            let x = header
                .x()
                .map(|x| value(x, row).or(self.last_x).unwrap_or(0.0));
            let x = self.begin_row(x);
            for at in 0..columns.len() {
                if let (Some(column), Some(value)) = (header.numbers(at), value(at, row)) {
                    put(&mut self.metrics, column, x, value);
                }
            }
        }
    }
}

fn put(metrics: &mut Metrics, column: usize, x: f64, value: f64) {
    let column = &mut metrics.columns[column];
    if column.x.last() == Some(&x) {
        // The same x again: the later row is the one to believe.
        let last = column.y.last_mut().expect("y is as long as x");
        let before = std::mem::replace(last, value);
        if before != value && !(before.is_nan() && value.is_nan()) {
            metrics.repeat(x);
        }
    } else {
        column.x.push(x);
        column.y.push(value);
    }
}

fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1))
}

/// Cuts complete lines into pieces of at most `most` bytes, or of one line that is longer.
fn pieces(mut bytes: &[u8], most: usize) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let end = memchr::memrchr(b'\n', &bytes[..bytes.len().min(most)]);
        let (piece, rest) = end.map_or_else(|| first_line(bytes), |end| bytes.split_at(end + 1));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}
