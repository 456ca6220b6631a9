//! What looks wrong where a run was resumed.

use super::Finding;
use crate::compare::repetitions::is_name;
use crate::grouping::identity;
use traintop_recipe::WITHOUT_EFFECT;
use traintop_run::best_and_trend::is_placed_by_epoch;
use traintop_run::metric_names::{LOSS, Split};
use traintop_run::metrics::{Column, Metrics};
use traintop_run::record::Resume;
use traintop_text::clean;

/// Settings that were changed between a stop and the resume after it, the first of them by name;
/// not before an epoch was trained with them.
pub fn changed_config(metrics: &Metrics, resumes: &[Resume]) -> Option<Finding> {
    let matters = |key: &str| !is_name(key) && !WITHOUT_EFFECT.contains(&key);
    let of_epochs = is_placed_by_epoch(metrics);
    let is_trained = |epoch: u32| metrics.last_x().is_some_and(|last| last >= epoch.into());
    let mut trained = resumes
        .iter()
        .filter(|it| !of_epochs || is_trained(it.epoch));
    trained.find_map(|resume| {
        let mut changed = resume.changed.iter().filter(|it| matters(&it.key));
        let first = changed.next()?;
        let (key, was, is) = (clean(&first.key), clean(&first.was), clean(&first.is));
        let more = match changed.count() {
            0 => String::new(),
            1 => "; another key changed too".to_owned(),
            more => format!("; {more} more keys changed too"),
        };
        let epoch = resume.epoch;
        let text =
            format!("{key} was {was} until the resume in epoch {epoch}, and is {is} since{more}");
        Some(Finding::new("changed_config", text))
    })
}

/// Ratio of the loss after a resume to that before it, from which on the network or its optimiser
/// was not restored.
const JUMP: f64 = 1.5;

/// A training loss that is much higher after a resume than before it, and than it ever rises
/// between two epochs otherwise. Where rows are epochs, a resume is also what the run's record says
/// was one: a trainer that drops the rows that it does again leaves no other trace of it.
pub fn loss_jump(metrics: &Metrics, resumes: &[Resume]) -> Option<Finding> {
    let is = |column: &&Column| {
        let (split, title) = identity(&column.name);
        split == Some(Split::Train) && title == LOSS
    };
    let loss = metrics.columns.iter().find(is)?;
    let of_epochs = is_placed_by_epoch(metrics);
    let recorded = resumes.iter().filter(|_| of_epochs);
    let recorded = recorded.map(|resume| f64::from(resume.epoch));
    metrics
        .seams
        .iter()
        .copied()
        .chain(recorded)
        .find_map(|seam| {
            let at = loss.x.iter().position(|x| *x == seam)?;
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
                    traintop_text::number(before, 3),
                    traintop_text::number(after, 3),
                );
                let text = format!(
                    "{} is {after} after the resume at {seam}, and was {before} before it",
                    loss.name
                );
                Finding::new("loss_jump", text)
            })
        })
}
