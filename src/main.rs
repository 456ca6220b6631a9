//! The dashboard and command line.

fn main() {}
