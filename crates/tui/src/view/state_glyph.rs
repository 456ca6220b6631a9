//! How a run's state is marked: a glyph and a colour, always beside its word.

use crate::theme::Role;
use traintop_run::state::State;

/// One cell that stands for the state.
pub fn glyph(state: State) -> &'static str {
    match state {
        State::Queued => "…",
        State::Starting => "◌",
        State::Running => "●",
        State::Paused => "‖",
        State::Stopping => "◍",
        State::Finished => "✓",
        State::Stopped => "■",
        State::Failed => "✗",
        State::Lost => "?",
    }
}

/// Its colour.
pub fn role(state: State) -> Role {
    match state {
        State::Queued => Role::StateQueued,
        State::Starting => Role::StateStarting,
        State::Running => Role::StateRunning,
        State::Paused | State::Stopping => Role::StateStopping,
        State::Finished => Role::StateFinished,
        State::Stopped => Role::StateStopped,
        State::Failed => Role::StateFailed,
        State::Lost => Role::StateLost,
    }
}
