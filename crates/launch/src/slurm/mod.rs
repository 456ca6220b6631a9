//! Runs as jobs of Slurm: handed over by `sbatch`, asked after by `squeue` and `sacct`, stopped by
//! `scancel`. Where there is no `sbatch` nothing of it is ever called.

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
