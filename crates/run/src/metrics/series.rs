//! The numbers of a metrics file: each column a series of its own, so that sparse rows need no
//! filling.

use std::collections::BTreeMap;

use super::value::Unit;
use crate::judging::Judging;

/// Problems beyond these are counted only, so that a damaged file of any size stays small in
/// memory.
const KEPT_PROBLEMS: usize = 100;

/// The points of one column, in the order of x.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Column {
    /// As the header spells it, cleaned for a terminal.
    pub name: String,
    /// The x of each point: epochs or steps, strictly rising.
    pub x: Vec<f64>,
    /// The values; NaN and infinities as the file has them. As long as `x`.
    pub y: Vec<f64>,
}

impl Column {
    /// The last point.
    pub fn last(&self) -> Option<(f64, f64)> {
        Some((*self.x.last()?, *self.y.last()?))
    }

    /// The column with its last point only.
    fn end(&self) -> Self {
        let last = self.last();
        Self {
            name: self.name.clone(),
            x: last.iter().map(|point| point.0).collect(),
            y: last.iter().map(|point| point.1).collect(),
        }
    }

    /// The value at `x`, or the last one before it.
    pub fn at_or_before(&self, x: f64) -> Option<f64> {
        let after = self.x.partition_point(|at| *at <= x);
        self.y.get(after.checked_sub(1)?).copied()
    }

    /// Drops the points at `x` and beyond.
    pub(crate) fn truncate_from(&mut self, x: f64) {
        while self.x.last().is_some_and(|last| *last >= x) {
            self.x.pop();
            self.y.pop();
        }
    }
}

/// A line that could not be read as a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// Its number in the file, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
}

/// Everything a metrics file says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics {
    /// The column that places the rows: `epoch`, `step`, ..., or `row` where the file has none.
    pub x_name: String,
    /// The columns of numbers, in the order of their first appearance, the one of x among them.
    pub columns: Vec<Column>,
    /// Names of the columns that hold nothing but text.
    pub text_columns: Vec<String>,
    /// What columns measure, where their cells say so.
    pub units: BTreeMap<String, Unit>,
    /// How many cells of a column were not understood: text among numbers, an invalid x, and cells
    /// beyond the last column.
    pub unread: BTreeMap<String, usize>,
    /// Where x went back (a resumed run): the x at which the later part begins.
    pub seams: Vec<f64>,
    /// Each x where a later row replaced a column's value; rising.
    pub repeated: Vec<f64>,
    /// Lines that could not be read, the first hundred.
    pub problems: Vec<RowProblem>,
    /// How many lines could not be read.
    pub problem_count: usize,
    /// Rows that were read.
    pub rows: usize,
    /// Who says what counts among the columns.
    pub judging: Judging,
}

impl Metrics {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The last x that any row has.
    pub fn last_x(&self) -> Option<f64> {
        self.columns
            .iter()
            .filter_map(|column| column.x.last().copied())
            .reduce(f64::max)
    }

    /// Takes in what a [`super::Tail`] read later: `later` holds only what is new since `self` was
    /// taken from that tail, and afterwards `self` is what a full read gives. Returns, by column,
    /// how many of its points from the start on are what they were; those after them are new.
    pub fn absorb(&mut self, later: Self) -> Vec<usize> {
        if self.columns.is_empty() && self.seams.is_empty() && self.problem_count == 0 {
            let settings = std::mem::take(&mut self.judging.settings);
            *self = later;
            if self.judging.settings.is_empty() {
                self.judging.settings = settings;
            }
            return vec![0; self.columns.len()];
        }
        for &seam in &later.seams {
            self.go_back_to(seam);
        }
        for &x in &later.repeated {
            self.repeat(x);
        }
        if !later.judging.settings.is_empty() {
            self.judging.settings = later.judging.settings;
        }
        if later.judging.trainer.is_some() {
            self.judging.trainer = later.judging.trainer;
        }
        self.x_name = later.x_name;
        self.text_columns = later.text_columns;
        self.units = later.units;
        self.unread = later.unread;
        self.rows = later.rows;
        self.problem_count = later.problem_count;
        let room = KEPT_PROBLEMS.saturating_sub(self.problems.len());
        self.problems.extend(later.problems.into_iter().take(room));
        let mut kept = Vec::with_capacity(later.columns.len());
        for (index, new) in later.columns.into_iter().enumerate() {
            if index == self.columns.len() {
                self.columns.push(Column {
                    name: new.name.clone(),
                    ..Column::default()
                });
            }
            let column = &mut self.columns[index];
            if let Some(first) = new.x.first() {
                column.truncate_from(*first);
            }
            kept.push(column.x.len());
            column.x.extend(new.x);
            column.y.extend(new.y);
        }
        kept
    }

    /// Keeps of each column only its first and last point, and what it has at each of `rows`
    /// (rising x) or last before; all of it where `whole` says so. Which rows were replaced is
    /// forgotten.
    pub fn keep_ends(&mut self, whole: impl Fn(&str) -> bool, rows: &[f64]) {
        self.repeated.clear();
        for column in &mut self.columns {
            if column.x.len() > 2 && !whole(&column.name) {
                let at = rows.iter().filter_map(|row| {
                    let after = column.x.partition_point(|x| x <= row);
                    after.checked_sub(1)
                });
                let mut kept: Vec<usize> = std::iter::once(0).chain(at).collect();
                kept.push(column.x.len() - 1);
                kept.dedup();
                for values in [&mut column.x, &mut column.y] {
                    *values = kept.iter().map(|at| values[*at]).collect();
                }
            }
        }
    }

    /// Hands over everything but the last point of each column, which a later row with the same x
    /// would replace.
    pub(crate) fn take(&mut self) -> Self {
        let rest = Self {
            x_name: self.x_name.clone(),
            columns: self.columns.iter().map(Column::end).collect(),
            text_columns: self.text_columns.clone(),
            units: self.units.clone(),
            unread: self.unread.clone(),
            seams: Vec::new(),
            repeated: Vec::new(),
            problems: Vec::new(),
            problem_count: self.problem_count,
            rows: self.rows,
            judging: self.judging.clone(),
        };
        let mut taken = std::mem::replace(self, rest);
        // Growing doubled the capacity each time, and the result may be kept for long.
        for column in &mut taken.columns {
            column.x.shrink_to_fit();
            column.y.shrink_to_fit();
        }
        taken
    }

    pub(crate) fn add_problem(&mut self, line: u64, what: String) {
        self.problem_count += 1;
        if self.problems.len() < KEPT_PROBLEMS {
            self.problems.push(RowProblem { line, what });
        }
    }

    /// What a later part of the run replaces is dropped, and the seam remembered.
    pub(crate) fn go_back_to(&mut self, x: f64) {
        for column in &mut self.columns {
            column.truncate_from(x);
        }
        self.repeated.retain(|repeated| *repeated < x);
        self.seams.retain(|seam| *seam < x);
        self.seams.push(x);
    }

    /// Remembers that a row at `x`, the last one, was replaced.
    pub(crate) fn repeat(&mut self, x: f64) {
        if self.repeated.last() != Some(&x) {
            self.repeated.push(x);
        }
    }
}
