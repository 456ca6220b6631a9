//! The table of runs: every run below the roots, newest first, filtered as one types.

#[cfg(test)]
mod arrange_tests;
mod arrangement;
mod draw;
mod draw_group;
mod draw_query;
mod groups;
mod keys;
pub mod layout;
mod marks;
mod order;
mod query_line;
#[cfg(test)]
mod query_tests;
#[cfg(test)]
pub(in crate::view) mod queue_tests;
pub mod steer;
#[cfg(test)]
pub(in crate::view) mod steer_tests;
pub mod stopping;
pub mod table;
#[cfg(test)]
pub(super) mod tests;

pub use draw::draw;
pub use draw_query::draw_hints as draw_query_hints;
pub use layout::{has_preview, table_height};

use layout::areas;
