//! Text that is safe and readable on a terminal.
