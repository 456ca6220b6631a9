//! Turns complete lines into [`Metrics`], however they arrive: the state between two pieces of a file is here.

use super::block;
use super::cells::{number, split};
use super::series::{Column, Metrics};
use crate::text::clean;

/// Names that place a row, the first present wins. An epoch comes last: where a file has steps too, they are finer.
const X_NAMES: [&str; 4] = ["step", "global_step", "iteration", "epoch"];

/// Blocks from this size on are worth polars' start.
const LARGE: usize = 64 * 1024;

/// So many rows are read one by one in the hope that each column has a cell in one of them.
const FIRST_ROWS: usize = 64;

/// Where the cells of a header's column go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// No cell of it has been seen yet.
    Unknown,
    /// Into this column of numbers.
    Numbers(usize),
    /// Nowhere: its first cell was text.
    Text,
}

/// The columns that a header names.
#[derive(Debug, Clone, Default)]
struct Header {
    names: Vec<String>,
    targets: Vec<Target>,
    /// Which of them is x.
    x: Option<usize>,
}

/// Reads lines and remembers what the next ones need.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    metrics: Metrics,
    header: Option<Header>,
    /// Lines read, the header's too.
    lines: u64,
    last_x: Option<f64>,
}

impl Reader {
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Hands over what has been read since the last time.
    pub fn take(&mut self) -> Metrics {
        self.metrics.take()
    }

    /// Reads complete lines: `bytes` is empty or ends in a line end.
    pub fn push(&mut self, mut bytes: &[u8]) {
        // The header, and as many rows as it takes to know what each column holds.
        let mut first_rows = 0;
        while !bytes.is_empty() && !self.knows_columns() && first_rows < FIRST_ROWS {
            let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
            self.push_line(&bytes[..end]);
            bytes = &bytes[end..];
            first_rows += 1;
        }
        if bytes.len() < LARGE || !self.push_block(bytes) {
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                self.push_line(line);
            }
        }
    }

    fn knows_columns(&self) -> bool {
        self.header
            .as_ref()
            .is_some_and(|header| !header.targets.contains(&Target::Unknown))
    }

    /// Whether a line without a line end has all the cells that a row has.
    pub fn is_whole_row(&self, line: &[u8]) -> bool {
        let text = String::from_utf8_lossy(line);
        let cells = split(text.trim_end());
        self.header
            .as_ref()
            .is_some_and(|header| cells.len() == header.names.len())
            && cells.last().is_some_and(|cell| !cell.is_empty())
    }

    /// Reads a large block through polars if nothing about it is unusual; says whether it did.
    fn push_block(&mut self, bytes: &[u8]) -> bool {
        let Some(header) = &self.header else {
            return false;
        };
        let Some(x) = header.x else { return false };
        let numbers: Option<Vec<usize>> = header
            .targets
            .iter()
            .map(|target| {
                if let Target::Numbers(column) = target {
                    Some(*column)
                } else {
                    None
                }
            })
            .collect();
        let Some(numbers) = numbers else { return false };
        let Some(block) = block::parse(bytes, header.names.len(), x, self.last_x) else {
            return false;
        };
        for (values, column) in block.columns.iter().zip(numbers) {
            let column = &mut self.metrics.columns[column];
            match values {
                block::Values::Dense(values) => {
                    column.x.extend_from_slice(&block.x);
                    column.y.extend_from_slice(values);
                }
                block::Values::Sparse(values) => {
                    for (x, value) in block.x.iter().zip(values) {
                        if let Some(value) = value {
                            column.x.push(*x);
                            column.y.push(*value);
                        }
                    }
                }
            }
        }
        self.last_x = block.x.last().copied().or(self.last_x);
        self.metrics.rows += block.x.len();
        self.lines += block.x.len() as u64;
        true
    }

    fn push_line(&mut self, line: &[u8]) {
        self.lines += 1;
        let Ok(text) = std::str::from_utf8(line) else {
            self.metrics
                .complain(self.lines, "is not UTF-8 text".to_owned());
            return;
        };
        let text = text.trim_matches(['\n', '\r', '\u{feff}']);
        if text.trim().is_empty() {
            return;
        }
        let cells = split(text);
        if self.is_header(&cells) {
            self.take_header(&cells);
        } else {
            self.take_row(&cells);
        }
    }

    /// The first line; later a line that begins as the header did and holds no number.
    fn is_header(&self, cells: &[std::borrow::Cow<str>]) -> bool {
        match &self.header {
            None => true,
            Some(header) => {
                let first = header.names.first().map(String::as_str);
                first == Some(clean(&cells[0]).as_ref())
                    && cells.iter().all(|cell| number(cell).is_none())
            }
        }
    }

    fn take_header(&mut self, cells: &[std::borrow::Cow<str>]) {
        let names: Vec<String> = cells.iter().map(|cell| clean(cell).into_owned()).collect();
        let targets = names
            .iter()
            .map(|name| {
                let numbers = self
                    .metrics
                    .columns
                    .iter()
                    .position(|column| column.name == *name);
                let text = self.metrics.text_columns.contains(name);
                numbers.map_or(
                    if text { Target::Text } else { Target::Unknown },
                    Target::Numbers,
                )
            })
            .collect();
        let x = X_NAMES
            .iter()
            .find_map(|x| names.iter().position(|name| name == x));
        if self.header.is_none() {
            self.metrics.x_name = x.map_or("row".to_owned(), |x| names[x].clone());
        }
        self.header = Some(Header { names, targets, x });
    }

    fn take_row(&mut self, cells: &[std::borrow::Cow<str>]) {
        let Some(header) = &mut self.header else {
            return;
        };
        if cells.len() != header.names.len() {
            let what = format!(
                "has {} cells where the header has {}",
                cells.len(),
                header.names.len()
            );
            self.metrics.complain(self.lines, what);
            return;
        }
        let x = match header.x {
            None => self.metrics.rows as f64 + 1.0,
            // A sparse row may leave x out: it belongs to the row before.
            Some(x) if cells[x].is_empty() => self.last_x.unwrap_or(0.0),
            Some(x) => match number(&cells[x]) {
                Some(value) if value.is_finite() => value,
                _ => {
                    let what = format!("has {:?} as its {}", clean(&cells[x]), header.names[x]);
                    self.metrics.complain(self.lines, what);
                    return;
                }
            },
        };
        if self.last_x.is_some_and(|last| x < last) {
            self.metrics.go_back_to(x);
        }
        self.last_x = Some(x);
        self.metrics.rows += 1;
        for (at, cell) in cells.iter().enumerate() {
            if cell.is_empty() {
                continue;
            }
            let value = number(cell);
            let target = &mut header.targets[at];
            if *target == Target::Unknown {
                *target = if value.is_some() {
                    self.metrics.columns.push(Column {
                        name: header.names[at].clone(),
                        ..Column::default()
                    });
                    Target::Numbers(self.metrics.columns.len() - 1)
                } else {
                    self.metrics.text_columns.push(header.names[at].clone());
                    Target::Text
                };
            }
            match (*target, value) {
                (Target::Numbers(column), Some(value)) => {
                    let column = &mut self.metrics.columns[column];
                    if column.x.last() == Some(&x) {
                        // The same x again: the later row is the one to believe.
                        *column.y.last_mut().expect("y is as long as x") = value;
                    } else {
                        column.x.push(x);
                        column.y.push(value);
                    }
                }
                (Target::Numbers(_), None) => {
                    let what = format!("has {:?} as its {}", clean(cell), header.names[at]);
                    self.metrics.complain(self.lines, what);
                }
                (Target::Text | Target::Unknown, _) => {}
            }
        }
    }
}
