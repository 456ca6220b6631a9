//! A run's metrics: what a table of any trainer says, as series of points. There is one way to
//! read them, [`Tail`]: a full read is a tail from the file's start.

mod block;
mod cells;
mod decoded;
mod dialect;
mod header;
mod limits;
mod names;
mod parallel_read;
mod place;
mod reader;
mod series;
mod tail;
mod thin;
mod value;

pub use header::BY_ROW;
pub use names::{RUNNING, counts_epochs, only_places};
pub use series::{Column, Metrics, RowProblem};
pub use tail::{Change, Tail};
pub use value::Unit;

/// What the complete lines of a table say, read at once: for files so small, or parts of files, that
/// nothing is followed.
pub fn of_text(lines: &[u8]) -> Metrics {
    let mut reader = reader::Reader::new(limits::Limits::default());
    reader.push(lines);
    reader.take()
}
