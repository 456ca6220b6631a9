//! A run's metrics: what a CSV file of any trainer says, as series of points. There is one way to
//! read them, [`Tail`]: a full read is a tail from the file's start.

mod block;
mod cells;
mod header;
mod limits;
mod parallel_read;
mod reader;
mod series;
mod tail;
mod thin;

pub use series::{Column, Metrics, RowProblem};
pub use tail::{Change, Tail};
