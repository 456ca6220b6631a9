//! Text that is safe and readable on a terminal: cleaning what comes from files, and numbers as people read them.

mod fitted;
mod format;
mod sanitise;

pub use fitted::fitted;
pub use format::{bytes, count, duration, number, since};
pub use sanitise::clean;
