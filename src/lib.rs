//! traintop: htop for training runs. This library holds all that the dashboard and the worker share, and the dashboard
//! itself; it never names libtorch. Modules may only use those listed below them.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "the walls around `disk` and the terminal are for the program; tests set up what they need"
    )
)]

pub mod analysis;
pub mod cli;
pub mod config;
pub mod dashboard;
pub mod disk;
pub mod export;
pub mod figures;
pub mod launch;
pub mod machine;
pub mod pickle;
pub mod query;
pub mod recipe;
pub mod run;
pub mod text;
