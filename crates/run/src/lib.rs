//! What a run is on disk: layout, record, discovery, metrics, state, cache and watching. Everything
//! here is shared by the dashboard and the worker, and depends on neither a terminal nor libtorch.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "the walls around `disk` and the terminal are for the program; tests set up what they need"
    )
)]

pub mod alerts;
pub mod best_and_trend;
pub mod best_so_far;
pub mod cache;
pub mod checkpoint_metadata;
pub mod checkpoints;
pub mod compared_run;
pub mod config_file;
pub mod control;
pub mod differences;
pub mod discover;
pub mod evaluation;
pub mod failure;
pub mod finding;
mod float_bits;
pub mod formats;
pub mod found;
pub mod health;
pub mod judging;
pub mod last_visit;
pub mod layout;
pub mod log;
pub mod log_line;
pub mod log_tail;
pub mod marks;
pub mod metric_names;
pub mod metrics;
pub mod name_template;
pub mod notes;
pub mod primary;
pub mod process;
pub mod pth;
pub mod queue_reasons;
pub mod rebuilt;
pub mod record;
pub mod run_names;
pub mod safetensors;
pub mod settings;
pub mod settled;
pub mod size;
pub mod slurm;
pub mod state;
pub mod state_dir;
pub mod state_file;
pub mod steps;
pub mod subprocess;
pub mod summary;
pub mod summing;
pub mod templates;
mod times;
pub mod trust;
pub mod usual;
pub mod value_at_epoch;
pub mod watch;

pub use layout::RunDir;
pub use record::Record;
pub use state::{Observed, State};
