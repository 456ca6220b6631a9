//! Runs as jobs of Slurm: submitted by `sbatch`, polled by `squeue` and `sacct`, stopped by
//! `scancel`. Without `sbatch` none of it is ever called.

mod cancel;
mod command;
mod job;
mod parse;
mod poll;
mod script;
mod settle;
mod submit;
mod turn;

pub(super) use cancel::{kill, requeue, stop};
pub use command::is_here;
pub use job::{JOB, run_job};
pub use poll::{PollOutcome, learn};
pub use submit::submit;
pub(super) use submit::{again, must_be_here, submit_command};
