//! What looks wrong where a run was resumed.

use super::Finding;
use crate::analysis::grouping::{LOSS, Split, identity};
use crate::run::metrics::{Column, Metrics};

/// So much higher than before a loss begins after a resume that did not take up the network or its optimiser.
const JUMP: f64 = 1.5;

/// A training loss that is much higher after a resume than before it, and than it ever rises between two epochs otherwise.
pub fn loss_jump(metrics: &Metrics) -> Option<Finding> {
    let is = |column: &&Column| {
        let (split, title) = identity(&column.name);
        split == Some(Split::Train) && title == LOSS
    };
    let loss = metrics.columns.iter().find(is)?;
    metrics.seams.iter().find_map(|seam| {
        let at = loss.x.iter().position(|x| x == seam)?;
        let (before, after) = (*loss.y.get(at.checked_sub(1)?)?, loss.y[at]);
        let rises = loss
            .y
            .windows(2)
            .enumerate()
            .filter(|(place, _)| place + 1 != at);
        let usual = rises.map(|(_, pair)| pair[1] - pair[0]).fold(0.0, f64::max);
        let is_jump = after > JUMP * before && after - before > 2.0 * usual;
        is_jump.then(|| {
            let (before, after) = (
                crate::text::number(before, 3),
                crate::text::number(after, 3),
            );
            let text = format!(
                "{} is {after} after the resume at {seam}, and was {before} before it",
                loss.name
            );
            Finding::new("loss_jump", text)
        })
    })
}
