//! The curves of runs as one table: a row for each x of a run, a column for each metric that any of
//! them has.

use super::{Cell, Table};
use traintop_run::metrics::Metrics;

/// The name of the column that says which run a row is of.
const RUN: &str = "run";

/// The rows of each run after the other, in the order of x. A run counts its rows by its own
/// column; if that is not in the file, it has the name that its metrics give it.
pub fn table(runs: &[(String, &Metrics)]) -> Table {
    let mut columns = vec![RUN.to_owned()];
    for (_, metrics) in runs {
        let names = metrics.columns.iter().map(|column| &column.name);
        for name in std::iter::once(&metrics.x_name).chain(names) {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
    }
    let mut rows = Vec::new();
    for (name, metrics) in runs {
        let place = |name: &str| columns.iter().position(|column| column == name);
        let mut xs: Vec<f64> = metrics
            .columns
            .iter()
            .flat_map(|column| column.x.iter().copied())
            .collect();
        xs.sort_by(f64::total_cmp);
        xs.dedup();
        let first = rows.len();
        rows.extend(xs.iter().map(|x| {
            let mut row = vec![Cell::Missing; columns.len()];
            row[0] = Cell::text(name.as_str());
            if let Some(at) = place(&metrics.x_name) {
                row[at] = Cell::Number(*x);
            }
            row
        }));
        for column in &metrics.columns {
            let Some(at) = place(&column.name) else {
                continue;
            };
            // Both ascend: one pass finds each point's row.
            let mut row = 0;
            for (x, y) in column.x.iter().zip(&column.y) {
                while xs.get(row).is_some_and(|other| other < x) {
                    row += 1;
                }
                rows[first + row][at] = Cell::Number(*y);
            }
        }
    }
    Table { columns, rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traintop_run::metrics::Column;

    fn metrics(columns: &[(&str, &[f64], &[f64])]) -> Metrics {
        let column = |&(name, x, y): &(&str, &[f64], &[f64])| Column {
            name: name.to_owned(),
            x: x.to_vec(),
            y: y.to_vec(),
        };
        Metrics {
            x_name: "epoch".to_owned(),
            columns: columns.iter().map(column).collect(),
            ..Metrics::default()
        }
    }

    #[test]
    fn sparse_columns_and_other_runs_leave_cells_empty() {
        let one = metrics(&[
            ("epoch", &[1.0, 2.0], &[1.0, 2.0]),
            ("loss", &[1.0, 2.0], &[3.0, f64::INFINITY]),
            ("val_acc", &[2.0], &[50.0]),
        ]);
        let other = metrics(&[("epoch", &[7.0], &[7.0]), ("f1", &[7.0], &[0.5])]);
        let table = table(&[("a".to_owned(), &one), ("b".to_owned(), &other)]);
        assert_eq!(table.columns, ["run", "epoch", "loss", "val_acc", "f1"]);
        let text = |name: &str| Cell::text(name);
        let (number, none) = (Cell::Number, Cell::Missing);
        assert_eq!(
            table.rows,
            [
                vec![
                    text("a"),
                    number(1.0),
                    number(3.0),
                    none.clone(),
                    none.clone()
                ],
                vec![
                    text("a"),
                    number(2.0),
                    number(f64::INFINITY),
                    number(50.0),
                    none.clone()
                ],
                vec![text("b"), number(7.0), none.clone(), none, number(0.5)],
            ]
        );
    }
}
