//! A run's metrics: what a table of any trainer says, as series of points. There is one way to
//! read them, [`Tail`]: a full read is a tail from the file's start.

mod block;
mod cells;
mod decoded;
mod dialect;
mod header;
mod limits;
pub(crate) mod names;
mod parallel_read;
pub(crate) mod place;
mod reader;
mod series;
mod tail;
mod thin;
mod value;

pub use header::BY_ROW;
pub use names::{RUNNING, counts_epochs, is_placed_by_date, only_places};
pub use series::{Column, Metrics, RowProblem};
pub use tail::{Change, Tail};
pub use value::Unit;

/// What the complete lines of a table say, read at once: for files so small, or parts of files,
/// that nothing is followed.
pub fn of_text(lines: &[u8]) -> Metrics {
    let mut reader = reader::Reader::new(limits::Limits::default());
    reader.push(lines);
    while let Some(mut corrected) = reader.corrected() {
        corrected.push(lines);
        reader = corrected;
    }
    reader.take()
}

/// A text as a number, as a cell of a table would be understood: with a unit, as a length of time.
pub fn number_of_text(text: &str) -> Option<f64> {
    match value::value(text, false) {
        value::Value::Number(number, _) => Some(number),
        value::Value::Missing | value::Value::Text => None,
    }
}
