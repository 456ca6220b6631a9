//! The first lines of a table: which is its header, what separates its cells, or that it has no
//! header at all.

use std::borrow::Cow;

use super::super::cells::{Separator, split};
use super::super::dialect;
use super::super::header::{BY_ROW, Header, MAX_COLUMNS, Start};
use super::super::names;
use super::super::place::Places;
use super::super::value::{Value, value};
use super::{Reader, short};

/// The limit of lines above a header.
const MAX_LINES_ABOVE: u64 = 10;

impl Reader {
    /// Whether the lines to come may show that the header is not the first line.
    pub(super) fn may_find_header(&self) -> bool {
        !self.is_begun && self.header_at.is_none() && self.lines <= MAX_LINES_ABOVE + 1
    }

    /// Looks for a line of several names with a row of as many numbers below it, below lines of
    /// text: of the trainer's start, or of settings.
    pub(super) fn find_header(&mut self, text: &str) {
        let above = self.above.replace((self.line, text.to_owned()));
        let Some((line, names)) = above else {
            self.is_begun = self.is_row(text, dialect::separator(text, None));
            return;
        };
        let separator = dialect::separator(&names, Some(text));
        if !self.is_row(text, separator) {
            return;
        }
        self.is_begun = true;
        let Some(header) = self.header.as_ref().filter(|_| line > self.header_line) else {
            return;
        };
        // Blanks are in sentences too.
        let cells = split(&names, separator);
        let is_it = separator.byte().is_some()
            && cells.len() > 1
            && cells.len() == split(text, separator).len()
            && self.values(&cells).iter().all(|it| *it == Value::Text);
        // Below names that place nothing it may be a row of words.
        let has_place = cells.iter().any(|name| names::only_places(name));
        let is_other =
            header.x_name() == BY_ROW && (has_place || cells.len() != header.names().len());
        if is_it && is_other {
            self.wished_header = Some(line);
        }
    }

    /// Whether a line is rather a row than a header, if this separates its cells.
    fn is_row(&self, text: &str, separator: Separator) -> bool {
        let values = self.values(&split(text, separator));
        let is_number = |value: &&Value| matches!(value, Value::Number(..));
        let numbers = values.iter().filter(is_number).count();
        values.first().as_ref().is_some_and(is_number) && numbers * 2 >= values.len()
    }

    /// The first line of a file: its header, or a row of a file without one.
    pub(super) fn take_first(&mut self, text: &str) {
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
            return self.metrics.add_problem(self.line, what);
        }
        let what = "is a row of numbers where the header should be, so columns have no names";
        self.metrics.add_problem(self.line, what.to_owned());
        let header = Header::numbered(cells.len(), &mut self.columns);
        self.is_numbered = true;
        self.begin(&header);
        self.header = Some(Box::new(header));
        self.take_row(&cells, &values);
    }

    /// Whether a line is rather a row than a header: it begins with a number, and half of its cells
    /// are numbers.
    fn begins_with_row(&self, text: &str) -> bool {
        self.is_row(text, self.separator)
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

    /// The line below the first header, which shows how to read both.
    pub(super) fn take_second(&mut self, names: &str, text: &str) {
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
            self.metrics.add_problem(self.line, what);
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
        let line_of_names = self.header_line;
        self.take_header(names, &header_cells, Some(&values));
        self.header_line = line_of_names;
        self.first_header = None;
        self.take_row(&cells, &values);
    }

    /// Takes a header; the first one until the row below it is known.
    pub(super) fn take_header(&mut self, text: &str, cells: &[Cow<str>], row: Option<&[Value]>) {
        let is_first = self.metrics.rows == 0;
        if !Header::fits(cells, &self.columns) {
            let what = format!(
                "is a header of {} columns; {MAX_COLUMNS} are read at most, over all headers",
                cells.len()
            );
            return self.metrics.add_problem(self.line, what);
        }
        let start = Start {
            row,
            x_name: if is_first {
                self.placed_by.as_deref()
            } else {
                Some(self.x_column.as_str())
            },
        };
        let header = Header::new(cells, &start, &mut self.columns);
        if is_first {
            self.header_line = self.line;
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
}
