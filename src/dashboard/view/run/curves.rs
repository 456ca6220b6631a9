//! Columns of numbers with what charts and tables of them need: kept ready, and grown as rows arrive.

use crate::analysis::best::{Best, best};
use crate::analysis::decimate::Blocks;
use crate::analysis::grouping::{Group, groups};
use crate::analysis::range::Range;
use crate::analysis::scale::Scale;
use crate::run::metrics::{Column, Metrics};

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
    /// Takes in everything that was read (`anew`), or what is new since the last time.
    pub fn take(&mut self, read: Metrics, anew: bool) {
        if anew {
            self.metrics = Metrics::default();
            self.blocks.clear();
        }
        let kept = self.metrics.absorb(read);
        self.blocks.resize_with(kept.len(), Blocks::default);
        for ((blocks, column), kept) in self.blocks.iter_mut().zip(&self.metrics.columns).zip(kept)
        {
            blocks.truncate(kept);
            blocks.extend(&column.y);
        }
        self.groups = groups(&self.metrics);
        self.best = best(&self.metrics, &self.groups);
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
        let of_x = self.metrics.column(&self.metrics.x_name);
        let longest = || {
            self.metrics
                .columns
                .iter()
                .max_by_key(|column| column.x.len())
        };
        of_x.or_else(longest).map_or(&[], |column| &column.x)
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

    /// From the first row to the last.
    pub fn x_range(&self) -> Option<Range> {
        let rows = self.rows();
        Range::of([*rows.first()?, *rows.last()?])
    }
}

#[cfg(test)]
mod tests {
    use super::super::detail::tests::trained;
    use super::*;

    #[test]
    fn growing_is_the_same_as_reading_at_once() {
        let mut grown = Curves::default();
        grown.take(trained(200), true);
        let mut later = trained(300);
        for column in &mut later.columns {
            column.x.drain(..199);
            column.y.drain(..199);
        }
        grown.take(later, false);
        let mut whole = Curves::default();
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
        whole.take(expected, true);
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
        let mut curves = Curves::default();
        let columns = vec![column("a", &[1.0]), column("b", &[1.0, 2.0])];
        curves.take(
            Metrics {
                x_name: "row".to_owned(),
                columns,
                ..Metrics::default()
            },
            true,
        );
        assert_eq!(curves.rows(), [1.0, 2.0]);
        assert_eq!(Curves::default().rows(), [0.0; 0]);
    }
}
