//! A training recipe: its schema, defaults, overrides, checks and learning-rate schedule. Shared by
//! the worker, which obeys it, and the dashboard, which edits it; neither libtorch nor a terminal
//! is known here.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "the walls around `disk` and the terminal are for the program; tests set up what they need"
    )
)]

mod choice;
mod data;
mod epoch;
mod field;
mod load;
pub mod network;
mod schedule;
mod schema;
mod shipped;
mod sweep;
mod variant;

pub use choice::{ChannelsLast, DeviceChoice, LrSchedule, OnNan, Precision, UnknownWord, ValSplit};
pub use data::fingerprint;
pub use epoch::{SYNTHETIC, SYNTHETIC_TRAIN_IMAGES, SYNTHETIC_VAL_IMAGES};
pub use field::{BadValue, Field, Kind, Value};
pub use load::{OWN, RecipeError, load, parse_json, parse_override, parse_shipped, parse_toml};
pub use schedule::Schedule;
pub use schema::{FIELDS, REQUEUE, Recipe, WITHOUT_EFFECT, field};
pub use shipped::{SHIPPED, Shipped, description};
pub use sweep::{Axis, Point, Sweep, SweepError, label};
pub use variant::variant;
