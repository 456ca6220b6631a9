//! Turns complete lines into [`Metrics`], however they arrive: the state between two parts of a
//! file is here.

use std::borrow::Cow;
use std::sync::Arc;

use super::block::{self, Block, Shape, Values};
use super::cells::{Separator, is_open, split};
use super::dialect;
use super::header::{Columns, Header, MAX_COLUMNS, Start};
use super::limits::Limits;
use super::names::{self, Part, RUNNING};
use super::place::{Places, Said};
use super::series::Metrics;
use super::value::{Value, plain, value};
use crate::judging::TrainerMetric;
use traintop_text::{clean, fitted};

/// How much of a cell a problem quotes, in letters.
const QUOTED: usize = 60;

/// A quoted cell spans no more lines than these; one that does was never closed.
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
    /// The first header, until the row below it says how it is to be read.
    first_header: Option<String>,
    /// The last comment before the first row: numpy writes the header as one.
    last_comment: Option<String>,
    /// Whether there is no header, and columns are numbered.
    is_numbered: bool,
    /// Whether a column says what part of the data a row is about, once that is known.
    has_parts: Option<bool>,
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

    /// What the trainer says that counts.
    pub fn judge_by(&mut self, told: Option<Arc<TrainerMetric>>) {
        self.metrics.judging.trainer = told;
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
            for _ in 0..FIRST_LINES {
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

    /// Reads complete lines of which `block` is what polars makes, taken for rows of `shape`; line
    /// by line where it cannot be.
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

    /// A line that is too long to be one, of which nobody has kept the bytes.
    pub fn skip_line(&mut self) {
        self.give_up_open();
        self.lines += 1;
        self.filled_lines += 1;
        let what = "is far too long to be a row".to_owned();
        self.metrics.complain(self.lines, what);
    }

    /// Says why nothing after the last line is read.
    pub fn stop_at(&mut self, what: &str) {
        self.metrics.complain(self.lines, what.to_owned());
    }

    /// Whether a line without a line end has all the cells that a row has.
    pub fn is_whole_row(&self, line: &[u8]) -> bool {
        let text = text(line);
        let line = text.trim_end_matches(['\n', '\r', ' ']);
        let Some(header) = &self.header else {
            return false;
        };
        // The row may say that the header is to be read otherwise.
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

    /// The first line of a file: its header, or a row of a file without one.
    fn take_first(&mut self, text: &str) {
        self.separator = dialect::separator(text, None);
        if !self.begins_with_row(text) {
            // Blanks separate names too, but a line of numbers is no sentence.
            let by_comma = std::mem::replace(&mut self.separator, Separator::Blanks);
            let cells = split(text, by_comma);
            let is_row = cells.len() == 1 && self.begins_with_row(text);
            if !is_row {
                self.separator = by_comma;
                return self.take_header(text, &cells, None);
            }
        }
        if let Some(names) = self.last_comment.take()
            && self.take_commented_header(&names, text)
        {
            return;
        }
        let cells = split(text, self.separator);
        let values = self.values_of_row(&cells);
        if cells.len() > MAX_COLUMNS {
            let what = format!("has {} cells; {MAX_COLUMNS} are read at most", cells.len());
            return self.metrics.complain(self.line, what);
        }
        let what = "is a row of numbers where the header should be, so columns have no names";
        self.metrics.complain(self.line, what.to_owned());
        let header = Header::numbered(cells.len(), &mut self.columns);
        self.is_numbered = true;
        self.begin(&header);
        self.header = Some(Box::new(header));
        self.take_row(&cells, &values);
    }

    /// Whether a line is rather a row than a header: it begins with a number, and half of its cells
    /// are numbers.
    fn begins_with_row(&self, text: &str) -> bool {
        let values = self.values(&split(text, self.separator));
        let is_number = |value: &&Value| matches!(value, Value::Number(..));
        let numbers = values.iter().filter(is_number).count();
        values.first().as_ref().is_some_and(is_number) && numbers * 2 >= values.len()
    }

    /// Takes a comment as the header of the row below it, if it has a name for each cell.
    fn take_commented_header(&mut self, names: &str, row: &str) -> bool {
        let separator = dialect::separator(names, Some(row));
        let cells = split(names, separator);
        let is_name = |cell: &Cow<str>| {
            !cell.is_empty() && matches!(value(cell, false), Value::Text | Value::Missing)
        };
        if cells.len() < 2
            || cells.len() != split(row, separator).len()
            || !cells.iter().all(is_name)
        {
            return false;
        }
        self.separator = separator;
        self.take_header(names, &cells, None);
        self.take_line(row);
        true
    }

    /// The line below the first header, which says how both are to be read.
    fn take_second(&mut self, names: &str, text: &str) {
        let alone = split(text, dialect::separator(text, None));
        let separator = dialect::separator(names, Some(text));
        let header_cells = split(names, separator);
        let has_numbers = |values: &[Value]| {
            let mut values = values.iter();
            values.any(|value| matches!(value, Value::Number(..)))
        };
        if alone.len() > header_cells.len() && !has_numbers(&self.values(&alone)) {
            // A title stood above the header.
            let what = format!("has {:?} above the header", short(names));
            self.metrics.complain(self.line, what);
            self.separator = dialect::separator(text, None);
            return self.take_header(text, &alone, None);
        }
        self.separator = separator;
        let cells = split(text, separator);
        let values = self.values_of_row(&cells);
        let header = self.header.as_ref();
        if header.is_some_and(|header| header.is_repeated_by(&cells, &values)) {
            return self.take_header(text, &cells, None);
        }
        self.take_header(names, &header_cells, Some(&values));
        self.first_header = None;
        self.take_row(&cells, &values);
    }

    /// Takes a header; the first one until the row below it is known.
    fn take_header(&mut self, text: &str, cells: &[Cow<str>], row: Option<&[Value]>) {
        let is_first = self.metrics.rows == 0;
        if !Header::fits(cells, &self.columns) {
            let what = format!(
                "is a header of {} columns; {MAX_COLUMNS} are read at most, over all headers",
                cells.len()
            );
            return self.metrics.complain(self.line, what);
        }
        let start = Start {
            row,
            x_name: (!is_first).then_some(self.x_column.as_str()),
        };
        let header = Header::new(cells, &start, &mut self.columns);
        if is_first {
            self.begin(&header);
            self.first_header = Some(text.to_owned());
        }
        self.header = Some(Box::new(header));
    }

    fn begin(&mut self, header: &Header) {
        header.x_name().clone_into(&mut self.x_column);
        header.x_name().clone_into(&mut self.metrics.x_name);
        self.places = Places::new(header.kind());
    }

    fn take_row(&mut self, cells: &[Cow<str>], values: &[Value]) {
        let Some(mut header) = self.header.take() else {
            return;
        };
        self.take_row_below(&mut header, cells, values);
        self.header = Some(header);
    }

    fn take_row_below(&mut self, header: &mut Header, cells: &[Cow<str>], values: &[Value]) {
        let wanted = header.names().len();
        if cells.len() < header.named() {
            let what = format!("has {} cells where the header has {wanted}", cells.len());
            self.metrics.complain(self.line, what);
            return;
        }
        if cells.len() > wanted && cells[wanted..].iter().any(|cell| !cell.is_empty()) {
            let what = format!("has {} cells where the header has {wanted}", cells.len());
            self.metrics.complain(self.line, what);
            for (at, value) in values.iter().enumerate().skip(wanted) {
                if *value != Value::Missing && at < MAX_COLUMNS {
                    let name = format!("column {}", at + 1);
                    *self.metrics.unread.entry(name).or_default() += 1;
                }
            }
        }
        let Ok(x) = self.x_of_row(header, cells, values) else {
            return;
        };
        let part = self.part_of_row(header, cells, values);
        let epoch = header.epoch().filter(|_| x.is_some());
        let epoch = epoch.and_then(|at| match values[at] {
            Value::Number(epoch, _) => Some(epoch),
            Value::Missing | Value::Text => None,
        });
        let x = self.begin_row(x, epoch, part);
        for (at, value) in values.iter().enumerate().take(wanted) {
            let names_part = self.has_parts == Some(true) && header.part() == Some(at);
            // The word for the part of the data is in the names of the other columns.
            if *value == Value::Missing || names_part && part.is_some() {
                continue;
            }
            if names_part {
                let name = header.names()[at].clone();
                *self.metrics.unread.entry(name).or_default() += 1;
                continue;
            }
            let target = header.target(at, part, &mut self.columns);
            match *value {
                Value::Number(number, unit) => {
                    let column = self.columns.numbers(target, &mut self.metrics);
                    if let Some(unit) = unit {
                        self.columns.set_unit(target, unit, &mut self.metrics);
                    }
                    put(&mut self.metrics, column, x, number);
                }
                _ => {
                    if self.columns.count_text(target, &mut self.metrics) {
                        let (cell, name) = (short(&cells[at]), short(self.columns.name(target)));
                        let what = format!("has {cell:?} as its {name}");
                        self.metrics.complain(self.line, what);
                    }
                }
            }
        }
    }

    /// What a row says of x, if the file has one; an error, which was told, if that is no place.
    fn x_of_row(
        &mut self,
        header: &Header,
        cells: &[Cow<str>],
        values: &[Value],
    ) -> Result<Option<f64>, ()> {
        let Some(at) = header.x() else {
            return Ok(None);
        };
        match values[at] {
            Value::Missing => Ok(Some(self.places.last_said().unwrap_or(0.0))),
            Value::Number(x, _) if x.is_finite() => Ok(Some(x)),
            _ => {
                let name = &header.names()[at];
                let what = format!("has {:?} as its {}", short(&cells[at]), short(name));
                self.metrics.complain(self.line, what);
                *self.metrics.unread.entry(name.clone()).or_default() += 1;
                Err(())
            }
        }
    }

    /// The part of the data that a row is about. A column says so if the first thing in it does.
    fn part_of_row(
        &mut self,
        header: &Header,
        cells: &[Cow<str>],
        values: &[Value],
    ) -> Option<Part> {
        let at = header.part().filter(|_| self.has_parts != Some(false))?;
        if values[at] == Value::Missing {
            return None;
        }
        let part = names::part(&cells[at]);
        self.has_parts.get_or_insert(part.is_some());
        part
    }

    /// Starts a row at `x`, or at its own number where the file has no x; returns where it is.
    fn begin_row(&mut self, x: Option<f64>, epoch: Option<f64>, part: Option<Part>) -> f64 {
        let x = x.unwrap_or(self.metrics.rows as f64 + 1.0);
        let was_running = self.places.is_running();
        let placed = self.places.place(Said { x, epoch, part });
        if placed.is_seam {
            self.metrics.go_back_to(placed.x);
        }
        if !was_running && self.places.is_running() {
            self.metrics.x_name = format!("{RUNNING}{}", self.x_column);
        }
        self.metrics.rows += 1;
        placed.x
    }

    /// Takes in what polars read; says whether it could: an x that is no place (NaN, infinite) is
    /// for the row parser to name.
    fn take_block(&mut self, block: &Block) -> bool {
        let Some(header) = self.header.take() else {
            return false;
        };
        let columns = block.columns();
        let is_place = match header.x().map(|x| &columns[x]) {
            None => true,
            Some(Values::Dense(x)) => x.iter().all(|x| x.is_finite()),
            Some(Values::Sparse(x)) => x.iter().flatten().all(|x| x.is_finite()),
        };
        if is_place {
            header.name_columns(&columns, &mut self.columns, &mut self.metrics);
            match header.x().map(|x| &columns[x]) {
                Some(Values::Dense(x)) if self.places.is_plain() && self.only_rises(x) => {
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
        let last = self.places.last_said();
        x.first()
            .is_some_and(|first| last.is_none_or(|last| *first > last))
            && x.windows(2).all(|pair| pair[1] > pair[0])
    }

    /// Rows in their order after all before them, which most are: column by column.
    fn extend(&mut self, header: &Header, x: &[f64], columns: &[Values]) {
        for (at, values) in columns.iter().enumerate() {
            let Some(column) = header.numbers(at, &self.columns) else {
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
        if let [before @ .., last] = x {
            let finite = |epoch: &f64| epoch.is_finite();
            let epoch = header.epoch().and_then(|at| match &columns[at] {
                Values::Dense(values) => values.iter().copied().rfind(finite),
                Values::Sparse(values) => values.iter().rev().copied().flatten().find(finite),
            });
            let said = Said {
                x: *last,
                epoch,
                part: None,
            };
            self.places.pass_to(said, before.last().copied());
        }
        self.metrics.rows += x.len();
    }

    /// Rows that share their x with others, go back, or have none: one by one.
    fn push_rows(&mut self, header: &Header, rows: usize, columns: &[Values]) {
        let value = |at: usize, row: usize| match &columns[at] {
            Values::Dense(values) => Some(values[row]),
            Values::Sparse(values) => values[row],
        };
        for row in 0..rows {
            let said = self.places.last_said();
            let x = header.x().map(|x| value(x, row).or(said).unwrap_or(0.0));
            let epoch = header.epoch().filter(|_| x.is_some());
            let epoch = epoch.and_then(|at| value(at, row));
            let x = self.begin_row(x, epoch, None);
            for at in 0..columns.len() {
                let column = header.numbers(at, &self.columns);
                if let (Some(column), Some(value)) = (column, value(at, row)) {
                    put(&mut self.metrics, column, x, value);
                }
            }
        }
    }
}

fn put(metrics: &mut Metrics, column: usize, x: f64, value: f64) {
    let column = &mut metrics.columns[column];
    match column.x.last().copied() {
        // The same x again: the later row is the one to believe.
        Some(last) if last == x => {
            let last = column.y.last_mut().expect("y is as long as x");
            let before = std::mem::replace(last, value);
            if before != value && !(before.is_nan() && value.is_nan()) {
                metrics.repeat(x);
            }
        }
        // Rows about another part of the data come after all others and share their places.
        Some(last) if last > x => {}
        _ => {
            column.x.push(x);
            column.y.push(value);
        }
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
