//! Comparing runs: how far they are from each other, whether that is more than the noise of
//! training, and which settings go with it.

pub mod aggregate;
pub mod align;
pub mod cells;
pub mod configs;
pub mod distribution;
#[cfg(any(test, feature = "testing"))]
pub mod fixtures;
pub mod fold;
pub mod measure;
pub mod metric;
pub mod noise;
pub mod repetitions;
pub mod settings;
pub mod spearman;
pub mod table;

pub use aggregate::Aggregate;
pub use align::CompareAxis;
pub use cells::Cell;
pub use metric::Metric;
pub use noise::{Noise, Verdict};
pub use table::{Comparison, Question, Row, best_of_each, compare};
