//! Columns of numbers with what charts and tables of them need: kept ready, and grown as rows
//! arrive.

use traintop_analysis::best::{Best, best_since};
use traintop_analysis::decimate::Blocks;
use traintop_analysis::grouping::{Group, groups_by};
use traintop_analysis::range::Range;
use traintop_analysis::scale::Scale;
use traintop_run::metrics::{Column, Metrics};

/// Everything a file of metrics says, ready to be drawn.
#[derive(Clone, Debug, Default)]
pub struct Curves {
    metrics: Metrics,
    /// Of each column of `metrics`.
    blocks: Vec<Blocks>,
    groups: Vec<Group>,
    best: Option<Best>,
}

impl Curves {
    /// Curves of everything that was read. It takes time that grows with the rows: not for the
    /// thread that draws.
    pub fn of(read: Metrics) -> Self {
        let mut curves = Self::default();
        curves.take(read);
        curves
    }

    /// Takes in what is new since the last time.
    pub fn take(&mut self, read: Metrics) {
        let kept = self.metrics.absorb(read);
        self.blocks.resize_with(kept.len(), Blocks::default);
        let columns = self.blocks.iter_mut().zip(&self.metrics.columns);
        for ((blocks, column), kept) in columns.zip(&kept) {
            blocks.truncate(*kept);
            blocks.extend(&column.y);
        }
        self.groups = groups_by(&self.metrics, &|column| {
            let span = self.blocks[column].whole(&self.metrics.columns[column].y);
            span.finite.and_then(|span| Range::new(span.min, span.max))
        });
        self.best = best_since(&self.metrics, self.best, &kept);
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows().is_empty()
    }

    /// All points.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The charts to draw, in order.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// A column with the blocks that make drawing it fast.
    pub fn column(&self, index: usize) -> (&Column, &Blocks) {
        (&self.metrics.columns[index], &self.blocks[index])
    }

    /// The best row so far.
    pub fn best(&self) -> Option<Best> {
        self.best
    }

    /// The x of each row, ascending.
    pub fn rows(&self) -> &[f64] {
        let column = self.column_of_rows();
        column.map_or(&[], |column| &self.metrics.columns[column].x)
    }

    /// The column that has a value in each row: the one of x, else the longest.
    pub fn column_of_rows(&self) -> Option<usize> {
        let columns = self.metrics.columns.iter().enumerate();
        let of_x = columns
            .clone()
            .find(|(_, column)| column.name == self.metrics.x_name);
        let longest = || columns.max_by_key(|(_, column)| column.x.len());
        of_x.or_else(longest).map(|(at, _)| at)
    }

    /// What x counts: whole epochs or steps, unless it is seen to be in parts of them.
    pub fn x_scale(&self) -> Scale {
        let ends = [self.rows().first(), self.rows().last()];
        if ends.into_iter().flatten().all(|x| x.fract() == 0.0) {
            Scale::Whole
        } else {
            Scale::Number
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::detail::tests::trained;
    use super::*;

    #[test]
    fn growing_is_the_same_as_reading_at_once() {
        let mut grown = Curves::of(trained(200));
        let mut later = trained(300);
        for column in &mut later.columns {
            column.x.drain(..199);
            column.y.drain(..199);
        }
        grown.take(later);
        let expected = {
            let mut all = trained(200);
            for (column, new) in all.columns.iter_mut().zip(trained(300).columns) {
                column.x.truncate(199);
                column.y.truncate(199);
                column.x.extend_from_slice(&new.x[199..]);
                column.y.extend_from_slice(&new.y[199..]);
            }
            Metrics { rows: 300, ..all }
        };
        let whole = Curves::of(expected);
        assert_eq!(grown.metrics, whole.metrics);
        assert_eq!(grown.blocks, whole.blocks);
        assert_eq!(grown.best, whole.best);
    }

    #[test]
    fn rows_of_a_file_without_x_are_those_of_its_longest_column() {
        let column = |name: &str, x: &[f64]| Column {
            name: name.to_owned(),
            x: x.to_vec(),
            y: x.to_vec(),
        };
        let columns = vec![column("a", &[1.0]), column("b", &[1.0, 2.0])];
        let curves = Curves::of(Metrics {
            x_name: "row".to_owned(),
            columns,
            ..Metrics::default()
        });
        assert_eq!(curves.rows(), [1.0, 2.0]);
        assert_eq!(Curves::default().rows(), [0.0; 0]);
    }
}
