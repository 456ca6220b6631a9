//! Points as they are read, in the form of [`Metrics`].

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::Facts;
use crate::judging::TrainerMetric;
use crate::metrics::{Column, Metrics};
use traintop_text::clean;

/// More names are damage, or no metrics at all.
const MAX_COLUMNS: usize = 10_000;

/// Collects points; what is new since the last time can be taken.
#[derive(Debug, Clone, Default)]
pub struct Points {
    metrics: Metrics,
    /// Where each name as the file spells it has its column; `None` where there were too many.
    columns: HashMap<String, Option<usize>, RandomState>,
    last_x: Option<f64>,
    /// Whether the next row is the first of another start of the run.
    is_start: bool,
    /// What the files say beside the points, where that was read with them.
    facts: Option<Facts>,
}

impl Points {
    /// For rows that are placed by a column of this name.
    pub fn new(x_name: &str) -> Self {
        Self {
            metrics: Metrics {
                x_name: clean(x_name).into_owned(),
                ..Metrics::default()
            },
            ..Self::default()
        }
    }

    pub fn say(&mut self, facts: Facts) {
        self.facts = Some(facts);
    }

    pub fn facts(&self) -> Option<&Facts> {
        self.facts.as_ref()
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub fn take(&mut self) -> Metrics {
        self.metrics.take()
    }

    /// Places the rows to come by another column, which the first of them names.
    pub fn place_by(&mut self, x_name: &str) {
        self.metrics.x_name = clean(x_name).into_owned();
    }

    /// The rows to come are of another start of the run.
    pub fn begin_start(&mut self) {
        self.is_start = true;
    }

    /// Points at `x` and beyond are replaced by those that follow: the run was resumed there.
    pub fn go_back_to(&mut self, x: f64) {
        self.metrics.go_back_to(x);
    }

    /// Begins a row at `x`. Rows that go back are a run that was resumed: what they replace is
    /// dropped.
    pub fn begin_row(&mut self, x: f64) {
        let is_start = self.is_start;
        if self
            .last_x
            .is_some_and(|last| x < last || x > last && is_start)
        {
            self.metrics.go_back_to(x);
        }
        if self.last_x != Some(x) {
            self.metrics.rows += 1;
            self.is_start = false;
        }
        self.last_x = Some(x);
    }

    /// The x of the last row.
    pub fn last_x(&self) -> Option<f64> {
        self.last_x
    }

    /// Whether a column has a point at or beyond `x`.
    pub fn has_beyond(&self, name: &str, x: f64) -> bool {
        let column = self.columns.get(name).copied().flatten();
        let last = column.and_then(|column| self.metrics.columns[column].x.last());
        last.is_some_and(|last| *last >= x)
    }

    /// Puts a value at `x`. A column that goes back loses its later points.
    pub fn put(&mut self, name: &str, x: f64, y: f64) {
        let Some(column) = self.column(name) else {
            return;
        };
        let points = &mut self.metrics.columns[column];
        match points.x.last().copied() {
            Some(last) if last == x => {
                let value = points.y.last_mut().expect("y is as long as x");
                let before = std::mem::replace(value, y);
                if before != y && !(before.is_nan() && y.is_nan()) {
                    self.metrics.repeat(x);
                }
            }
            Some(last) if last > x => {
                points.truncate_from(x);
                points.x.push(x);
                points.y.push(y);
            }
            _ => {
                points.x.push(x);
                points.y.push(y);
            }
        }
    }

    /// The trainer says that this metric counts.
    pub fn judge_by(&mut self, trainer_metric: TrainerMetric) {
        self.metrics.judging.trainer = Some(Arc::new(trainer_metric));
    }

    /// A record that could not be read; `number` counts from 1.
    pub fn add_problem(&mut self, number: u64, what: String) {
        self.metrics.add_problem(number, what);
    }

    /// A column whose values are text.
    pub fn note_text(&mut self, name: &str) {
        let name = clean(name);
        let texts = &mut self.metrics.text_columns;
        if texts.len() < MAX_COLUMNS && !texts.iter().any(|text| *text == name) {
            texts.push(name.into_owned());
        }
    }

    fn column(&mut self, name: &str) -> Option<usize> {
        if let Some(column) = self.columns.get(name) {
            return *column;
        }
        let is_room = self.metrics.columns.len() < MAX_COLUMNS;
        if !is_room {
            let what = format!("more than {MAX_COLUMNS} metrics; the others are not read");
            self.metrics.add_problem(0, what);
            return None;
        }
        let shown = clean(name).into_owned();
        let known = self
            .metrics
            .columns
            .iter()
            .position(|column| column.name == shown);
        let column = known.unwrap_or_else(|| {
            self.metrics.columns.push(Column {
                name: shown,
                ..Column::default()
            });
            self.metrics.columns.len() - 1
        });
        self.columns.insert(name.to_owned(), Some(column));
        Some(column)
    }

    /// Counts rows by another measure than those that were begun.
    pub fn count_rows(&mut self, rows: usize) {
        self.metrics.rows = rows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_goes_back_drops_what_it_replaces() {
        let mut points = Points::new("step");
        for (x, loss) in [(1.0, 3.0), (2.0, 2.0), (3.0, 1.0), (2.0, 2.5), (2.0, 2.25)] {
            points.begin_row(x);
            points.put("loss", x, loss);
        }
        let metrics = points.metrics();
        assert_eq!(metrics.columns[0].x, [1.0, 2.0]);
        assert_eq!(metrics.columns[0].y, [3.0, 2.25]);
        assert_eq!(metrics.seams, [2.0]);
    }

    #[test]
    fn what_is_taken_in_parts_is_what_is_read_at_once() {
        let rows = [(1.0, 3.0), (2.0, 2.0), (2.0, 1.5), (1.0, 9.0), (5.0, 1.0)];
        let (mut whole, mut parts) = (Points::new("step"), Points::new("step"));
        let mut absorbed = Metrics::default();
        for (x, y) in rows {
            for points in [&mut whole, &mut parts] {
                points.begin_row(x);
                points.put("a", x, y);
                points.put("b", x * 2.0, y);
            }
            absorbed.absorb(parts.take());
        }
        for (absorbed, whole) in absorbed.columns.iter().zip(&whole.metrics().columns) {
            assert_eq!((&absorbed.x, &absorbed.y), (&whole.x, &whole.y));
        }
    }
}
