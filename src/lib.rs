//! The command line, as a library for the program and for tests that go through every argument.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "the walls around `disk` and the terminal are for the program; tests set up what they need"
    )
)]

pub mod cli;
