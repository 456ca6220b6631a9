//! Which row of a run is its best.

use traintop_run::metrics::{Column, Metrics};
use traintop_run::primary::Judged;

/// The best row, and by what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// Its x.
    pub x: f64,
    /// The index of the column that decided.
    pub column: usize,
    /// The value there, as the file has it.
    pub value: f64,
}

/// The row with the best value of the metric that the run is judged by, the earliest of equals.
pub fn best(metrics: &Metrics) -> Option<Best> {
    best_since(metrics, None, &[])
}

/// As [`best`], for metrics that have grown: `before` is what was the best, and `kept` says of each
/// column how many of its points from the start on are what they were. Takes time that grows with
/// the new points.
pub fn best_since(metrics: &Metrics, before: Option<Best>, kept: &[usize]) -> Option<Best> {
    let primary = Judged::of(metrics).primary?;
    let (column, direction) = (primary.column, primary.direction);
    let points = &metrics.columns[column];
    let kept = kept.get(column).copied().unwrap_or(0).min(points.x.len());
    let last = kept.checked_sub(1).map(|last| points.x[last]);
    let still =
        before.filter(|best| best.column == column && last.is_some_and(|last| best.x <= last));
    let from = if still.is_some() { kept } else { 0 };
    extreme(points, column, (still, from), |a, b| direction.than(a, b))
}

/// The best of what was the best before a point, and of the points from there on.
fn extreme(
    points: &Column,
    column: usize,
    (before, from): (Option<Best>, usize),
    better: impl Fn(f64, f64) -> bool,
) -> Option<Best> {
    let new = points.x[from..].iter().zip(&points.y[from..]);
    let new = new
        .filter(|(_, value)| value.is_finite())
        .map(|(&x, &value)| Best { x, column, value });
    before.into_iter().chain(new).reduce(|best, next| {
        if better(next.value, best.value) {
            next
        } else {
            best
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best_of(columns: &[(&str, &[f64])]) -> Option<(f64, f64)> {
        let columns = columns.iter().map(|(name, values)| Column {
            name: (*name).to_owned(),
            x: (1..=values.len()).map(|x| x as f64).collect(),
            y: values.to_vec(),
        });
        let metrics = Metrics {
            x_name: "epoch".to_owned(),
            columns: columns.collect(),
            ..Metrics::default()
        };
        best(&metrics).map(|best| (best.x, best.value))
    }

    #[test]
    fn validation_accuracy_decides_then_validation_loss_and_nothing_else() {
        assert_eq!(
            best_of(&[
                ("train_acc", &[9.0, 99.0]),
                ("val_acc", &[50.0, 40.0]),
                ("val_loss", &[2.0, 1.0])
            ]),
            Some((1.0, 50.0))
        );
        assert_eq!(
            best_of(&[("train_loss", &[0.1, 0.2]), ("val_loss", &[2.0, 1.0])]),
            Some((2.0, 1.0))
        );
        assert_eq!(best_of(&[("train_loss", &[0.1, 0.2])]), None);
    }

    #[test]
    fn growing_gives_the_same_best_also_when_the_best_was_replaced() {
        let metrics = |values: &[f64]| Metrics {
            x_name: "epoch".to_owned(),
            columns: vec![Column {
                name: "val_acc".to_owned(),
                x: (1..=values.len()).map(|x| x as f64).collect(),
                y: values.to_vec(),
            }],
            ..Metrics::default()
        };
        let before = metrics(&[10.0, 30.0, 20.0]);
        let first = best(&before);
        for (later, kept) in [
            (vec![10.0, 30.0, 20.0, 40.0], 2),
            (vec![10.0, 30.0, 20.0, 15.0], 3),
            (vec![10.0, 5.0, 20.0], 1),
        ] {
            let later = metrics(&later);
            assert_eq!(best_since(&later, first, &[kept]), best(&later));
        }
    }

    #[test]
    fn the_earliest_of_equals_and_never_nan() {
        assert_eq!(
            best_of(&[("val_acc", &[f64::NAN, 50.0, 50.0, f64::INFINITY])]),
            Some((2.0, 50.0))
        );
    }
}
