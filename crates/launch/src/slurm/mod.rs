//! Runs as jobs of Slurm: handed over by `sbatch`, asked after by `squeue` and `sacct`, stopped by `scancel`. Where there is no `sbatch`
//! nothing of it is ever called.

mod ask;
mod call;
mod cancel;
mod job;
mod parse;
mod script;
mod settle;
mod submit;
mod turn;

pub use ask::{Learnt, learn};
pub use call::is_here;
pub(super) use cancel::{kill, requeue, stop};
pub use job::{JOB, run_job};
pub use submit::submit;
pub(super) use submit::{again, must_be_here, submit_command};
