//! What a run is on disk: layout, record, discovery, metrics, state, cache and watching. Everything here is shared by the
//! dashboard and the worker, and knows neither a terminal nor libtorch.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "the walls around `disk` and the terminal are for the program; tests set up what they need"
    )
)]

pub mod alerts;
mod bits;
pub mod cache;
pub mod call;
pub mod cause;
pub mod checkpoints;
pub mod config_file;
pub mod contender;
pub mod control;
pub mod course;
pub mod discover;
pub mod evaluation;
pub mod finding;
pub mod headline;
pub mod layout;
pub mod log;
pub mod log_line;
pub mod log_tail;
pub mod looked;
pub mod marks;
pub mod metrics;
pub mod name_template;
pub mod notes;
pub mod own;
pub mod process;
pub mod rebuilt;
pub mod record;
pub mod safetensors;
pub mod sample;
pub mod settings;
pub mod size;
pub mod slurm;
pub mod state;
pub mod steps;
pub mod summary;
pub mod templates;
pub mod told;
pub mod trust;
pub mod vitals;
pub mod waits;
pub mod watch;

pub use layout::RunDir;
pub use record::Record;
pub use state::{Observed, State};
