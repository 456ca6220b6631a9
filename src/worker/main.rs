//! The worker: trains and evaluates through libtorch, and meets the dashboard only in run folders.

fn main() {}
