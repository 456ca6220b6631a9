//! Keeping house from the dashboard: what is ordered, how it is carried out, and what its outcome changes.

use super::effect::Effect;
use super::message::Notice;
use super::state::State;
use super::update::changed;
use crate::run::RunDir;
use crate::run::notes::{Change, Notes};
use crate::text::clean;

/// Something to be done to runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Change what people added to a run.
    Annotate(RunDir, Change),
}

/// What came of an order.
#[derive(Debug)]
pub enum Outcome {
    /// A run's notes were changed.
    Annotated(RunDir),
    /// It was refused, or failed: one sentence.
    Refused(String),
}

/// Carries an order out; this may take as long as the disk does.
pub fn carry_out(order: Order) -> Outcome {
    let done = match order {
        Order::Annotate(dir, change) => Notes::change(&dir, &change)
            .map(|_| Outcome::Annotated(dir))
            .map_err(|error| error.to_string()),
    };
    done.unwrap_or_else(|problem| Outcome::Refused(clean(&problem).into_owned()))
}

/// What an outcome changes, and what is to be done next.
pub fn update(state: &mut State, outcome: Outcome) -> Vec<Effect> {
    match outcome {
        Outcome::Annotated(dir) => return changed(state, &dir),
        Outcome::Refused(problem) => state.notice = Some(Notice::bad(problem)),
    }
    Vec::new()
}
