//! Text that is safe and readable on a terminal: cleaning what comes from files, the edge at which
//! all that is printed passes, and numbers as people read them.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "the walls around `disk` and the terminal are for the program; tests set up what they need"
    )
)]

mod fitted;
mod format;
mod json;
mod markdown;
mod nearest;
mod sanitise;
pub mod terminal;
pub mod toml;

pub use fitted::fitted;
pub use format::{bytes, count, counted, duration, number, since};
pub use json::{escape_json, pretty_json};
pub use markdown::markdown;
pub use nearest::nearest;
pub use sanitise::{clean, clean_lines, is_forbidden};
