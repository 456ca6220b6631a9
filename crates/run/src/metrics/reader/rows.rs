//! Rows below a header, one by one or as blocks that were parsed at once.

use std::borrow::Cow;

use super::super::BY_ROW;
use super::super::block::{Block, Values};
use super::super::header::{Header, MAX_COLUMNS};
use super::super::names::{self, Kind, RUNNING};
use super::super::place::StatedPlace;
use super::super::series::Metrics;
use super::super::value::Value;
use super::{Reader, short};
use crate::metric_names::Split;

impl Reader {
    pub(super) fn take_row(&mut self, cells: &[Cow<str>], values: &[Value]) {
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
            self.metrics.add_problem(self.line, what);
            return;
        }
        if cells.len() > wanted && cells[wanted..].iter().any(|cell| !cell.is_empty()) {
            let what = format!("has {} cells where the header has {wanted}", cells.len());
            self.metrics.add_problem(self.line, what);
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
        let number = |at: usize| match values[at] {
            Value::Number(number, _) => Some(number),
            Value::Missing | Value::Text => None,
        };
        let epoch = header.epoch().filter(|_| x.is_some()).and_then(number);
        let key = header.key().and_then(number);
        self.look_within_epochs(header, values, part);
        let x = self.begin_row(
            x,
            StatedPlace {
                epoch,
                part,
                key,
                ..StatedPlace::default()
            },
        );
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
                        self.metrics.add_problem(self.line, what);
                    }
                }
            }
        }
    }

    /// The x of a row, if the file has one; an error, already reported, if it is not a valid x.
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
            Value::Missing => Ok(Some(self.places.last_stated().unwrap_or(0.0))),
            Value::Number(x, _) if x.is_finite() => Ok(Some(x)),
            _ => {
                let name = &header.names()[at];
                let what = format!("has {:?} as its {}", short(&cells[at]), short(name));
                self.metrics.add_problem(self.line, what);
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
    ) -> Option<Split> {
        let at = header.part().filter(|_| self.has_parts != Some(false))?;
        if values[at] == Value::Missing {
            return None;
        }
        let part = names::part(&cells[at]);
        self.has_parts.get_or_insert(part.is_some());
        part
    }

    /// Looks in the first rows whether several of them, each with values of its own, say the same
    /// epoch, or whether the newest come first: then something else places them.
    fn look_within_epochs(&mut self, header: &Header, values: &[Value], part: Option<Split>) {
        let Some(x) = header.x() else {
            return;
        };
        if !self.looks_at_places() {
            return;
        }
        let mut last = std::mem::take(&mut self.last_row);
        self.note_rows_within((header, x), &last, (values, part));
        last.0.clear();
        last.0.extend_from_slice(values);
        last.1 = part;
        self.last_row = last;
    }

    fn note_rows_within(
        &mut self,
        (header, x): (&Header, usize),
        last: &(Vec<Value>, Option<Split>),
        (values, part): (&[Value], Option<Split>),
    ) {
        let numbers = |at: usize| match (last.0.get(at), values[at]) {
            (Some(Value::Number(last, _)), Value::Number(now, _)) => Some((*last, now)),
            _ => None,
        };
        if numbers(x).is_some_and(|(last, now)| now < last) {
            self.rows_falling += 1;
            // One that falls may be a resume.
            if self.rows_falling == self.metrics.rows && self.rows_falling >= 2 {
                self.wished = Some(BY_ROW.to_owned());
            }
        }
        let is_same_epoch = numbers(x).is_some_and(|(last, now)| last == now) && last.1 == part;
        let names = header.names();
        let is_measured = |at: &usize| names::place(&names[*at]).is_none();
        let differs = |at: usize| numbers(at).is_some_and(|(last, now)| last != now);
        if header.kind() != Kind::Epoch
            || !is_same_epoch
            || !(0..values.len().min(names.len()))
                .filter(is_measured)
                .any(differs)
        {
            return;
        }
        self.rows_within += 1;
        // One that was written twice is replaced.
        if self.rows_within < 2 || self.rows_within * 3 < self.metrics.rows {
            return;
        }
        let counts = |at: &usize| {
            names::may_count_within_epochs(&names[*at])
                && numbers(*at).is_some_and(|(last, now)| now > last)
        };
        let count = (0..values.len().min(names.len())).find(counts);
        let name = count.map_or(BY_ROW, |at| &names[at]);
        self.wished = Some(name.to_owned());
    }

    /// Starts a row at `x`, or at its own number where the file has no x; returns where it is.
    fn begin_row(&mut self, x: Option<f64>, stated: StatedPlace) -> f64 {
        let x = x.unwrap_or(self.metrics.rows as f64 + 1.0);
        let was_running = self.places.is_running();
        let placed = self.places.place(StatedPlace { x, ..stated });
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
    pub(super) fn take_block(&mut self, block: &Block) -> bool {
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
        let last = self.places.last_stated();
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
            let last_of = |at: usize| match &columns[at] {
                Values::Dense(values) => values.iter().copied().rfind(finite),
                Values::Sparse(values) => values.iter().rev().copied().flatten().find(finite),
            };
            let stated = StatedPlace {
                x: *last,
                epoch: header.epoch().and_then(last_of),
                part: None,
                key: header.key().and_then(last_of),
            };
            self.places.pass_to(stated, before.last().copied());
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
            let stated = self.places.last_stated();
            let x = header.x().map(|x| value(x, row).or(stated).unwrap_or(0.0));
            let epoch = header.epoch().filter(|_| x.is_some());
            let stated = StatedPlace {
                epoch: epoch.and_then(|at| value(at, row)),
                key: header.key().and_then(|at| value(at, row)),
                ..StatedPlace::default()
            };
            let x = self.begin_row(x, stated);
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
