//! Cleaning up: what could go and why, what it takes on the disk and what it would cost to make
//! again. Reading the disk ([`survey()`]), deciding ([`Plan`]) and moving things to the trash
//! ([`carry_out()`]) are three steps, and the second is pure.

mod candidate;
mod carry_out;
mod confirmation;
mod contents;
mod costs;
mod duplicates;
mod evaluated;
mod harmless_number;
mod in_use;
mod kept;
mod make;
mod obstacle;
mod optimiser;
mod plan;
mod pointers;
mod policy;
mod progress_words;
mod quota;
mod results_in_settings;
mod space;
mod startup_log;
mod survey;
#[cfg(test)]
mod tests;
mod walk;
mod weights;

pub use candidate::{Candidate, Reason, SortOrder, Totals};
pub use carry_out::{Done, carry_out, remove_evaluations, remove_runs};
#[cfg(any(test, feature = "testing"))]
pub use make::plan_of;
pub use make::{make, make_while, remake};
pub use obstacle::Obstacle;
pub use plan::Plan;
pub use policy::{Policy, Protection, Rule};
pub use quota::Quota;
pub use space::{Space, spaces};
pub use survey::{Reading, Role, Survey, Surveyed, Weights, survey};
pub use walk::TemporaryFile;
pub(super) use weights::is_weights_name;
