//! The numbers of a metrics file: each column a series of its own, so that sparse rows need no filling.

/// Complaints beyond these are counted only, so that a damaged file of any size stays small in memory.
const KEPT_PROBLEMS: usize = 100;

/// The points of one column, in the order of x.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Column {
    /// As the header spells it, cleaned for a terminal.
    pub name: String,
    /// Where each point stands: epochs or steps, strictly rising.
    pub x: Vec<f64>,
    /// The values; NaN and infinities as the file has them. As long as `x`.
    pub y: Vec<f64>,
}

impl Column {
    /// The last point.
    pub fn last(&self) -> Option<(f64, f64)> {
        Some((*self.x.last()?, *self.y.last()?))
    }

    /// Drops the points at `x` and beyond.
    fn truncate_from(&mut self, x: f64) {
        while self.x.last().is_some_and(|last| *last >= x) {
            self.x.pop();
            self.y.pop();
        }
    }
}

/// A line that could not be read as a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
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
    /// Names of the columns that hold text.
    pub text_columns: Vec<String>,
    /// Where x went back (a resumed run): the x at which the later part begins.
    pub seams: Vec<f64>,
    /// Lines that could not be read, the first hundred.
    pub problems: Vec<Problem>,
    /// How many lines could not be read.
    pub problem_count: usize,
    /// Rows that were read.
    pub rows: usize,
}

impl Metrics {
    /// A column by its name.
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

    pub(super) fn complain(&mut self, line: u64, what: String) {
        self.problem_count += 1;
        if self.problems.len() < KEPT_PROBLEMS {
            self.problems.push(Problem { line, what });
        }
    }

    /// What a later part of the run replaces is dropped, and the seam remembered.
    pub(super) fn go_back_to(&mut self, x: f64) {
        for column in &mut self.columns {
            column.truncate_from(x);
        }
        self.seams.retain(|seam| *seam < x);
        self.seams.push(x);
    }
}
