//! What the charts of the opened run need beyond the measured numbers: when it is asked for, and
//! what becomes of it.

use crate::effect::Effect;
use crate::jobs::charts::{TransformJob, TransformOutcome};
use crate::state::State;

/// Takes in what was made, and orders what has become due meanwhile.
pub fn take(state: &mut State, outcome: TransformOutcome) -> Vec<Effect> {
    if let Some(opened) = &mut state.context.opened
        && opened.dir == outcome.dir
    {
        opened.deriving = false;
        if let Some(detail) = &mut opened.detail {
            detail.take_derived(outcome.derived, outcome.revision);
        }
    }
    due(state)
}

/// The job for what the opened run's charts lack, if they lack anything and it is not running:
/// one at a time.
pub fn due(state: &mut State) -> Vec<Effect> {
    let wanted = state.context.charts.wanted();
    let Some(opened) = &mut state.context.opened else {
        return Vec::new();
    };
    let Some(detail) = &mut opened.detail else {
        return Vec::new();
    };
    if !detail.lacks(wanted) || opened.deriving {
        return Vec::new();
    }
    opened.deriving = true;
    let row = state.context.runs.row(&opened.dir);
    let summary = row.and_then(|row| row.summary.as_ref());
    vec![Effect::TransformCharts(TransformJob {
        dir: opened.dir.clone(),
        curves: detail.shared_charted(),
        revision: detail.revision(),
        wanted,
        known: detail.known(),
        started: summary.and_then(|summary| summary.started_at),
    })]
}
