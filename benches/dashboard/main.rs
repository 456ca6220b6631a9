//! `make bench`.
mod generate;
fn main() {}
