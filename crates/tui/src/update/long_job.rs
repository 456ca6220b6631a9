//! Long jobs begin and end.

use std::sync::Arc;

use crate::effect::Effect;
use crate::long_job::{LongJob, LongJobEvent};
use crate::state::State;

/// What that changes.
pub fn update(state: &mut State, outcome: LongJobEvent) -> Vec<Effect> {
    match outcome {
        LongJobEvent::Began(name, progress) => state.context.jobs.push(LongJob {
            name,
            began: state.context.now,
            progress,
        }),
        LongJobEvent::Ended(progress) => state
            .context
            .jobs
            .retain(|job| !Arc::ptr_eq(&job.progress, &progress)),
    }
    Vec::new()
}
