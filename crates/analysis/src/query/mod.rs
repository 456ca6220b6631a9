//! The language in which runs are found: `val_acc>94 model:resnet -tag:old age<2d "free text"`.
//!
//! | written | means |
//! | --- | --- |
//! | `word`, `"two words"` | the name, folder, network, recipe, note, a tag or the state holds this |
//! | `NAME:VALUE` | holds this text, or is this number; `a,b` one of these; `1..3` in this range; `*` anything |
//! | `NAME=VALUE`, `!=` | is exactly this, is not |
//! | `NAME>VALUE`, `>=`, `<`, `<=` | a number, time or size beyond it |
//! | `-x`, `not x` | not |
//! | `x y`, `x or y`, `( )` | both; either; together |
//!
//! A NAME is a fact of [`field::FACTS`], a key of the configuration (also by its last part, or a
//! short name such as `lr`), or a column of the metrics: its last value, with `best.` that in the
//! best row, with `at50.` that of epoch 50. Where a key and a column have one name the key counts;
//! `last.` and `config.` say which is meant. Nothing here touches the disk or a terminal.

pub mod complete;
pub mod field;
pub mod filter;
mod memo;
mod names;
mod parse;
pub mod quantity;
pub mod subject;
pub mod syntax;
#[cfg(test)]
mod tests;

pub use field::Field;
pub use filter::Filter;
pub use memo::Memo;
pub use names::Names;
pub use parse::parse;
pub use subject::{Samples, Subject};
pub use syntax::{Query, QueryProblem};
