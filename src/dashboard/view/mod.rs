//! One file a view: its state, what its actions do, and its drawing. Views only read; what changes, changes in update.

pub mod preview;
pub mod run;
pub mod state_glyph;
