//! What is done to runs: clean-up, trash, archives, renaming, rebuilding of missing logs.
//! Everything here is planned, shown and confirmed elsewhere, and can be undone.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "the walls around `disk` and the terminal are for the program; tests set up what they need"
    )
)]

pub mod archive;
pub mod clean;
#[cfg(test)]
mod fault_injection_tests;
mod journal;
pub mod organise;
pub mod rename;
pub mod trash;
