//! Starting, stopping and finding workers again: local processes, each in a session of its own, known only by what their
//! run folders say.

mod detached;
mod evaluate;
mod start;
mod stop;
mod worker_binary;

pub use detached::{DETACHED, become_worker};
pub use evaluate::{EvaluateRequest, EvaluationError, StartedEvaluation, evaluate};
pub use start::{LaunchError, Request, Started, start, watch_exit};
pub use stop::{StopError, stop};
pub use worker_binary::find as find_worker;
