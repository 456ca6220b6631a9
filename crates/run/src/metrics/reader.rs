//! Turns complete lines into [`Metrics`], however they arrive: the state between two parts of a
//! file is here.

mod first_lines;
mod rows;

use std::borrow::Cow;
use std::sync::Arc;

use super::block::{self, Block, Shape};
use super::cells::{Separator, is_open, split};
use super::dialect;
use super::header::{Columns, Header};
use super::limits::Limits;
use super::names::Kind;
use super::place::Places;
use super::series::Metrics;
use super::value::{Value, plain, value};
use crate::judging::TrainerMetric;
use crate::metric_names::Split;
use traintop_text::{clean, fitted};

/// How much of a cell a problem quotes, in letters.
const QUOTED: usize = 60;

/// A quoted cell that spans more lines than this is treated as unclosed.
const OPEN_LINES: usize = 50;

/// Lines that are read one by one, to find a header and a row, before blocks are.
const FIRST_LINES: usize = 64;

/// Reads lines and remembers what the next ones need.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    limits: Limits,
    metrics: Metrics,
    separator: Separator,
    /// Behind a pointer, since each row takes it out and puts it back.
    header: Option<Box<Header>>,
    columns: Columns,
    places: Places,
    /// The column of x, as the first header names it.
    x_column: String,
    /// The first header, until the row below it shows how to read it.
    first_header: Option<String>,
    /// The last comment before the first row: numpy writes the header as one.
    last_comment: Option<String>,
    /// Whether there is no header, and columns are numbered.
    is_numbered: bool,
    /// Whether a column says what part of the data a row is about, once that is known.
    has_parts: Option<bool>,
    /// What places the rows, where it was found that their epoch does not.
    placed_by: Option<String>,
    /// That it should be, for who reads the file again.
    wished: Option<String>,
    /// The line of the header, if there are other lines above it.
    header_at: Option<u64>,
    /// That it should be there, for who reads the file again.
    wished_header: Option<u64>,
    /// The number of the header's line.
    header_line: u64,
    /// A line that may be the header after all, until the one below it is known.
    above: Option<(u64, String)>,
    /// Whether a row of numbers was seen.
    is_begun: bool,
    /// The last of the first rows, and how many of them share an epoch with the row before.
    last_row: (Vec<Value>, Option<Split>),
    rows_within: usize,
    /// How many of them go back before the row above.
    rows_falling: usize,
    /// Whether a number is spelt in another way than programs read numbers.
    has_spelled: bool,
    /// Room for the values of a row.
    row: Vec<Value>,
    /// Lines of a cell whose quotes are still open, with their numbers in the file.
    open: Vec<(u64, String)>,
    open_bytes: usize,
    /// Lines read, the header's too.
    lines: u64,
    /// The line that is taken in.
    line: u64,
    /// Lines that are not empty.
    filled_lines: u64,
    /// Lines that are comments and rulers.
    comments: u64,
}

/// A cell as a problem quotes it: it may be as long as a line, and a hundred problems are kept.
fn short(cell: &str) -> String {
    let end = cell
        .char_indices()
        .nth(QUOTED + 1)
        .map_or(cell.len(), |(at, _)| at);
    fitted(&clean(&cell[..end]), QUOTED).into_owned()
}

/// A line as text: what is not UTF-8 is read as Latin-1, byte by byte.
fn text(line: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(line) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(line.len() + 16);
    for chunk in line.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().copied().map(char::from));
    }
    Cow::Owned(text)
}

impl Reader {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// A reader that must read the same lines again from the first, if they showed that another
    /// column places the rows, or that the header is another line.
    pub fn corrected(&self) -> Option<Self> {
        if !self.is_to_be_corrected() {
            return None;
        }
        let mut corrected = Self::new(self.limits);
        corrected.header_at = self.wished_header.or(self.header_at);
        // Problems of rows below another header are void.
        let placed_by = self.wished.clone().or_else(|| self.placed_by.clone());
        corrected.placed_by = placed_by.filter(|_| self.wished_header.is_none());
        corrected.judge_by(self.metrics.judging.trainer.clone());
        Some(corrected)
    }

    /// What the trainer says that counts.
    pub fn judge_by(&mut self, trainer_metric: Option<Arc<TrainerMetric>>) {
        self.metrics.judging.trainer = trainer_metric;
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
        if self.is_to_be_corrected() {
            // All lines are read again.
            return;
        }
        if bytes.len() >= self.limits.block {
            // The header, and a row that shows whether a column has text.
            for _ in 0..FIRST_LINES {
                if self.looks_at_rows() && !bytes.is_empty() {
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

    /// Whether the next lines must be read one by one, since they show how to read all.
    pub fn looks_at_rows(&self) -> bool {
        self.looks_at_places() || self.may_find_header()
    }

    /// Whether the next rows must be read one by one, since they show what places all of them.
    fn looks_at_places(&self) -> bool {
        let may_fall = matches!(self.places.kind(), Kind::Epoch | Kind::Step);
        let may_be_corrected = may_fall && self.placed_by.is_none();
        self.metrics.rows == 0 || may_be_corrected && self.lines < FIRST_LINES as u64
    }

    fn is_to_be_corrected(&self) -> bool {
        self.wished.is_some() || self.wished_header.is_some()
    }

    fn push_lines(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.push_line(line);
        }
    }

    /// Reads what polars can, and the rest line by line.
    fn push_blocks(&mut self, bytes: &[u8]) {
        let Some(shape) = self.plain_shape() else {
            return self.push_lines(bytes);
        };
        let pieces = pieces(bytes, self.limits.piece);
        let blocks = block::parse(&pieces, shape);
        for (piece, block) in pieces.into_iter().zip(blocks) {
            self.push_parsed(piece, block, shape);
        }
    }

    /// What the rows to come look like, if a byte separates their cells and no column is known to
    /// hold text.
    pub fn plain_shape(&self) -> Option<Shape> {
        let header = self.header.as_ref()?;
        let is_about_parts = header.part().is_some() && self.has_parts != Some(false);
        let is_decided = self.first_header.is_none() && self.open.is_empty() && !is_about_parts;
        let separator = self.separator.byte().filter(|_| is_decided)?;
        (!header.has_text(&self.columns)).then(|| Shape {
            columns: header.names().len(),
            separator,
        })
    }

    /// Reads complete lines; `block` is polars' result for them as rows of `shape`. If it cannot be
    /// used, line by line.
    pub fn push_parsed(&mut self, lines: &[u8], block: Option<Block>, shape: Shape) {
        // A header within lines that went one by one may have changed what the next ones mean.
        let taken = self.plain_shape() == Some(shape)
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

    /// Whether every line that was read is a header, or a row of numbers below one, as plain as
    /// programs write them. Where anything was guessed, the clean-up keeps the run.
    pub fn is_understood(&self) -> bool {
        let is_plain = self.separator == Separator::Comma && !self.has_spelled;
        is_plain
            && self.metrics.problem_count == 0
            && self.metrics.unread.is_empty()
            && self.metrics.text_columns.is_empty()
            && self.comments == 0
            && self.open.is_empty()
            && match &self.header {
                None => self.filled_lines == 0,
                Some(header) => header.is_certain(),
            }
    }

    /// A line that is too long, whose bytes were not kept.
    pub fn skip_line(&mut self) {
        self.give_up_open();
        self.lines += 1;
        self.filled_lines += 1;
        let what = "is far too long to be a row".to_owned();
        self.metrics.add_problem(self.lines, what);
    }

    /// Says why nothing after the last line is read.
    pub fn stop_at(&mut self, what: &str) {
        self.metrics.add_problem(self.lines, what.to_owned());
    }

    /// Whether a line without a line end has all the cells that a row has.
    pub fn is_whole_row(&self, line: &[u8]) -> bool {
        let text = text(line);
        let line = text.trim_end_matches(['\n', '\r', ' ']);
        let Some(header) = &self.header else {
            return false;
        };
        // The row may show that the header must be read otherwise.
        let (separator, needed) = match &self.first_header {
            Some(names) => {
                let separator = dialect::separator(names, Some(line));
                let cells = split(names, separator);
                let last = cells.iter().rposition(|name| !name.is_empty());
                (separator, last.map_or(cells.len(), |last| last + 1))
            }
            None => (self.separator, header.named()),
        };
        let cells = split(line, separator);
        let is_whole = cells.len() > needed
            || cells.len() == needed && cells.last().is_some_and(|cell| !cell.is_empty());
        is_whole && !is_open(line, separator)
    }

    /// Takes in lines that wait for the end of a quoted cell, for a file that nothing writes any
    /// more; says whether there were any.
    pub fn settle(&mut self) -> bool {
        let waits = !self.open.is_empty();
        self.give_up_open();
        waits
    }

    fn push_line(&mut self, line: &[u8]) {
        if line.len() > self.limits.line {
            return self.skip_line();
        }
        self.lines += 1;
        let text = text(line);
        let text = text.trim_matches(['\n', '\r', '\u{feff}']);
        if self.open.is_empty() {
            self.line = self.lines;
            self.filled_lines += u64::from(!self.is_empty_line(text));
            if is_open(text, self.separator) && !dialect::is_comment(text) {
                self.wait_with(text);
            } else {
                self.take_line(text);
            }
        } else {
            self.filled_lines += u64::from(!self.is_empty_line(text));
            self.wait_with(text);
            self.take_closed();
        }
    }

    /// Whether a line says nothing. A row of empty cells is a row, also where tabs separate them.
    fn is_empty_line(&self, text: &str) -> bool {
        let is_row = || {
            let tabs = memchr::memchr_iter(b'\t', text.as_bytes()).count();
            let header = self.header.as_ref();
            header.is_some_and(|header| tabs > 0 && header.names().len() == tabs + 1)
        };
        text.trim().is_empty() && !(self.separator == Separator::Tab && is_row())
    }

    fn wait_with(&mut self, text: &str) {
        self.open_bytes += text.len() + 1;
        self.open.push((self.lines, text.to_owned()));
    }

    /// Takes the lines of a quoted cell as one row once its quotes are closed; one by one if that
    /// makes no row.
    fn take_closed(&mut self) {
        let is_too_long = self.open.len() > OPEN_LINES || self.open_bytes > self.limits.line;
        let texts: Vec<&str> = self.open.iter().map(|(_, text)| text.as_str()).collect();
        let joined = texts.join("\n");
        if !is_too_long && is_open(&joined, self.separator) {
            return;
        }
        let cells = split(&joined, self.separator).len();
        let is_row = self.header.as_ref().is_none_or(|header| {
            (header.named()..=header.names().len()).contains(&cells) || self.first_header.is_some()
        });
        if is_too_long || !is_row {
            return self.give_up_open();
        }
        self.line = self.open[0].0;
        self.open.clear();
        self.open_bytes = 0;
        self.take_line(&joined);
    }

    /// Takes lines that wait one by one: a quote that is never closed costs its own line only.
    fn give_up_open(&mut self) {
        self.open_bytes = 0;
        let mut lines = std::mem::take(&mut self.open).into_iter();
        if let Some((number, text)) = lines.next() {
            self.line = number;
            self.take_line(&text);
        }
        let now = self.lines;
        for (number, text) in lines {
            (self.lines, self.line) = (number, number);
            if !self.open.is_empty() {
                self.wait_with(&text);
                self.take_closed();
            } else if is_open(&text, self.separator) && !dialect::is_comment(&text) {
                self.wait_with(&text);
            } else {
                self.take_line(&text);
            }
        }
        self.lines = now;
    }

    fn take_line(&mut self, text: &str) {
        if self.is_empty_line(text) {
            return;
        }
        if self.header_at.is_some_and(|header| self.line < header) {
            let what = format!("has {:?} above the header", short(text));
            return self.metrics.add_problem(self.line, what);
        }
        if dialect::is_comment(text) {
            self.comments += 1;
            if self.metrics.rows == 0 {
                self.last_comment = Some(dialect::comment(text).to_owned());
            }
            return;
        }
        let is_table = self
            .header
            .as_ref()
            .is_none_or(|header| header.names().len() > 1);
        if is_table && dialect::is_ruler(text) {
            self.comments += 1;
            return;
        }
        if self.may_find_header() {
            self.find_header(text);
        }
        if self.header.is_none() {
            return self.take_first(text);
        }
        if let Some(names) = self.first_header.take() {
            self.take_second(&names, text);
        } else {
            let cells = split(text, self.separator);
            let values = self.values_of_row(&cells);
            let are_names = cells.len() > 1 && values.iter().all(|value| *value == Value::Text);
            let is_header = self.is_numbered && are_names
                || self
                    .header
                    .as_ref()
                    .is_some_and(|header| header.is_repeated_by(&cells, &values));
            if is_header {
                self.is_numbered = false;
                self.take_header(text, &cells, None);
            } else {
                self.take_row(&cells, &values);
            }
            self.row = values;
        }
    }

    fn values(&self, cells: &[Cow<str>]) -> Vec<Value> {
        let decimal_comma = self.separator != Separator::Comma;
        let values = cells.iter().map(|cell| value(cell, decimal_comma));
        values.collect()
    }

    /// What the cells of a row say; it may be a header again.
    fn values_of_row(&mut self, cells: &[Cow<str>]) -> Vec<Value> {
        let decimal_comma = self.separator != Separator::Comma;
        let mut has_spelled = false;
        let mut values = std::mem::take(&mut self.row);
        values.clear();
        values.extend(cells.iter().map(|cell| {
            if let Some(number) = plain(cell) {
                return Value::Number(number, None);
            }
            let value = value(cell, decimal_comma);
            has_spelled |= matches!(value, Value::Number(..));
            value
        }));
        self.has_spelled |= has_spelled;
        values
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
