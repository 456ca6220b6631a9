//! What charts need beyond the measured numbers: other places along x, a smoothed course, a range
//! without outliers. It grows with the number of points, so it is made once for each setting, and
//! not at each draw.

use std::sync::Arc;

use super::decimate::Blocks;
use super::outlier_range::{OutlierRange, outlier_range};
use super::scale::Scale;
use super::smooth::exponential;
use super::x_axis::{Known, XAxis, XMapping};
use traintop_run::metrics::{Column, Metrics};

/// A job that writes files.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TransformSettings {
    /// The axis of x.
    pub x_axis: XAxis,
    /// The weight of [`exponential`]; 0 smooths nothing.
    pub smoothing: f64,
    /// Whether outliers are hidden.
    pub robust: bool,
}

impl TransformSettings {
    /// Whether the measured numbers are all that is needed.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Transformed {
    /// Of which wish.
    pub settings: TransformSettings,
    /// What runs along x, and how each x of the file is placed there: as the file has it if what
    /// was wanted is not known.
    pub x_mapping: XMapping,
    /// Whether what was wanted along x is known.
    pub is_placed: bool,
    /// For each column of the metrics.
    pub columns: Vec<TransformedColumn>,
}

/// What was made of one column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransformedColumn {
    /// The x of each value; `None` for that of the file.
    pub x: Option<Arc<[f64]>>,
    /// Its smoothed course.
    pub smooth: Option<(Vec<f64>, Blocks)>,
    /// Its range without outliers.
    pub robust: Option<OutlierRange>,
}

impl Transformed {
    /// Makes what is wanted of all columns.
    pub fn of(metrics: &Metrics, settings: TransformSettings, known: Known) -> Self {
        let found = XMapping::of(metrics, settings.x_axis, known);
        let is_placed = found.is_some();
        let x_mapping = found.unwrap_or_else(|| XMapping::rows(metrics));
        let mut columns: Vec<TransformedColumn> = Vec::with_capacity(metrics.columns.len());
        for (at, column) in metrics.columns.iter().enumerate() {
            // Most columns have all rows: they share one list of places.
            let same = at
                .checked_sub(1)
                .filter(|&before| metrics.columns[before].x == column.x);
            let x = match same {
                Some(before) => columns[before].x.clone(),
                None => (!x_mapping.is_itself()).then(|| x_mapping.places(&column.x)),
            };
            columns.push(one(column, x, settings));
        }
        Self {
            settings,
            x_mapping,
            is_placed,
            columns,
        }
    }

    /// The name of what runs along x.
    pub fn x_name(&self) -> &str {
        &self.x_mapping.name
    }

    /// The kind of its numbers.
    pub fn x_scale(&self) -> Scale {
        self.x_mapping.scale
    }
}

fn one(column: &Column, x: Option<Arc<[f64]>>, settings: TransformSettings) -> TransformedColumn {
    let smooth = (settings.smoothing > 0.0).then(|| {
        let smooth = exponential(&column.y, settings.smoothing);
        let blocks = Blocks::of(&smooth);
        (smooth, blocks)
    });
    TransformedColumn {
        x,
        smooth,
        robust: settings.robust.then(|| outlier_range(&column.y)).flatten(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_with_the_same_rows_share_their_places() {
        let column = |name: &str, x: &[f64]| Column {
            name: name.to_owned(),
            x: x.to_vec(),
            y: x.iter().map(|x| x * 10.0).collect(),
        };
        let metrics = Metrics {
            x_name: "epoch".to_owned(),
            columns: vec![
                column("time_elapsed", &[1.0, 2.0, 3.0]),
                column("a", &[1.0, 2.0, 3.0]),
                column("b", &[2.0]),
            ],
            ..Metrics::default()
        };
        let settings = TransformSettings {
            x_axis: XAxis::Relative,
            smoothing: 0.5,
            robust: true,
        };
        let derived = Transformed::of(&metrics, settings, Known::default());
        let x = |at: usize| derived.columns[at].x.clone().unwrap();
        assert!(Arc::ptr_eq(&x(0), &x(1)));
        assert_eq!(
            (x(0).to_vec(), x(2).to_vec()),
            (vec![10.0, 20.0, 30.0], vec![20.0])
        );
        assert_eq!(derived.columns[1].smooth.as_ref().unwrap().0[0], 10.0);
        assert_eq!(derived.columns[1].robust.unwrap().outside, 0);
        assert_eq!(
            (derived.x_name(), derived.x_scale()),
            ("time", Scale::Seconds)
        );
    }

    #[test]
    fn what_is_not_known_leaves_the_rows_where_they_are() {
        let metrics = Metrics {
            x_name: "epoch".to_owned(),
            ..Metrics::default()
        };
        let settings = TransformSettings {
            x_axis: XAxis::Clock,
            ..TransformSettings::default()
        };
        let derived = Transformed::of(&metrics, settings, Known::default());
        assert!(!derived.is_placed && derived.x_name() == "epoch");
    }
}
