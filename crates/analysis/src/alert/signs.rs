//! What a run's curves warn of while it trains. Each looks at three rows together, so that one odd
//! row is no alarm.

use crate::grouping::identity;
use traintop_run::finding::Finding;
use traintop_run::metric_names::{Kind as NameKind, LOSS, Split};
use traintop_run::metrics::{Column, Metrics};
use traintop_run::primary::{Judged, Primary};
use traintop_text::number;

use super::Kind;

/// Rows whose median is the value at a place on a curve.
const ROWS: usize = 3;
/// A loss diverges when it is this many times its lowest,
const RISE: f64 = 1.5;
/// and has lost this part of what it had gained since its first row.
const LOST: f64 = 0.25;
/// A validation loss that is this many times its lowest has risen.
const OVERFIT: f64 = 1.1;
/// For this many rows at least it has risen, and nothing has become better.
const OVERFIT_ROWS: usize = 5;

/// Everything that the curves warn of.
pub fn signs(metrics: &Metrics) -> Vec<Finding> {
    let found = [
        not_a_number(metrics),
        diverging(metrics),
        overfitting(metrics),
    ];
    found.into_iter().flatten().collect()
}

fn finding(kind: Kind, text: String) -> Finding {
    Finding::new(kind.name(), text)
}

fn losses(metrics: &Metrics) -> impl Iterator<Item = (&Column, Option<Split>)> {
    metrics.columns.iter().filter_map(|column| {
        let (split, title) = identity(&column.name);
        (title == LOSS).then_some((column, split))
    })
}

fn not_a_number(metrics: &Metrics) -> Option<Finding> {
    losses(metrics).find_map(|(column, _)| {
        let (x, value) = column.last().filter(|(_, value)| !value.is_finite())?;
        let text = format!("{} is {value} in {} {x}", column.name, metrics.x_name);
        Some(finding(Kind::NotANumber, text))
    })
}

/// The middle of each three rows in a row, with the place of the last of them.
fn smooth(column: &Column) -> Vec<(f64, f64)> {
    let middle = |rows: &[f64]| {
        let mut rows = rows.to_vec();
        rows.sort_by(f64::total_cmp);
        rows[ROWS / 2]
    };
    let places = column.x.iter().skip(ROWS - 1).copied();
    let points = places.zip(column.y.windows(ROWS).map(middle));
    points.filter(|(_, value)| value.is_finite()).collect()
}

fn lowest(points: &[(f64, f64)]) -> Option<(usize, (f64, f64))> {
    let points = points.iter().copied().enumerate();
    points.reduce(|low, point| if point.1.1 < low.1.1 { point } else { low })
}

fn diverging(metrics: &Metrics) -> Option<Finding> {
    let (loss, _) = losses(metrics)
        .find(|(_, split)| !matches!(split, Some(Split::Validation | Split::Test)))?;
    let points = smooth(loss);
    let (first, (_, now)) = (loss.y.first()?, points.last()?);
    let (_, (at, low)) = lowest(&points)?;
    // A loss without a lower bound at 0 has no multiples.
    let has_risen = low > 0.0 && *now >= RISE * low && now - low >= LOST * (first - low);
    has_risen.then(|| {
        let text = format!(
            "diverging: {} is about {}, after {} at {} {at}",
            loss.name,
            number(*now, 3),
            number(low, 3),
            metrics.x_name
        );
        finding(Kind::Diverging, text)
    })
}

fn overfitting(metrics: &Metrics) -> Option<Finding> {
    let of = |wanted: Split| losses(metrics).find(|(_, split)| *split == Some(wanted));
    let (validation, training) = (of(Split::Validation)?.0, of(Split::Train)?.0);
    let points = smooth(validation);
    let (place, (at, low)) = lowest(&points)?;
    let (_, now) = points.last()?;
    let rows = points.len() - 1 - place;
    if rows < OVERFIT_ROWS || low <= 0.0 || *now < OVERFIT * low || improves(metrics) {
        return None;
    }
    let trained = smooth(training);
    let then = trained.iter().rev().find(|(x, _)| *x <= at)?.1;
    (trained.last()?.1 < then).then(|| {
        let text = format!(
            "overfitting: {} is about {}, after {} at {} {at}, while {} falls",
            validation.name,
            number(*now, 3),
            number(low, 3),
            metrics.x_name,
            training.name
        );
        finding(Kind::Overfitting, text)
    })
}

/// Whether what the run is judged by had its best value of late, if that is no loss: a network that
/// still learns may be ever surer of its mistakes.
fn improves(metrics: &Metrics) -> bool {
    let judged = Judged::of(metrics);
    let is_loss =
        |primary: &&Primary| matches!(judged.name(primary).kind, NameKind::Loss | NameKind::Error);
    let primary = judged.primary.as_ref().filter(|primary| !is_loss(primary));
    primary.is_some_and(|primary| {
        let (values, direction) = (&judged.column(primary).y, primary.direction);
        let finite = values.iter().copied().filter(|value| value.is_finite());
        let best = finite.reduce(|a, b| if direction.than(b, a) { b } else { a });
        let recent = values.iter().rev().take(OVERFIT_ROWS);
        best.is_some_and(|best| recent.copied().any(|value| direction.reaches(value, best)))
    })
}
