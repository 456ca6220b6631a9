//! Starting, queueing, stopping and finding workers again: local processes, each in a session of
//! its own, known only by what their run folders say.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "the walls around `disk` and the terminal are for the program; tests set up what they need"
    )
)]

mod detached;
mod end;
mod environment;
mod evaluate;
mod gpus;
mod launcher;
mod limit;
pub mod machine;
mod notify;
mod plan;
pub mod queue;
pub mod recent;
mod resume;
mod run_lock;
pub mod slurm;
mod spawn;
mod steer;
mod stop;
mod supervise;
mod trust;
mod worker_binary;

pub use detached::{DETACHED, become_worker, keep_descriptors_to_ourselves};
pub use evaluate::{EvaluateRequest, EvaluationError, StartedEvaluation, evaluate};
pub use launcher::{Launch, SweepPoint, quoted, words};
pub use limit::time_limit;
pub use notify::notify;
pub use plan::{Cost, Plan, Planned, SweepRequest};
pub use resume::resume;
pub use spawn::{LaunchError, Request, Started, resolve, signed, start};
pub use steer::{SteerError, Steering, steer};
pub use stop::{StopError, Stopping, kill, stop};
pub use supervise::{SUPERVISE, supervise, watch_exit};
pub use trust::Proposal;
pub use worker_binary::find as find_worker;
