//! Pure functions on metrics: what range they span, which round ticks an axis gets, how many points become few without
//! losing one spike. Nothing here knows a terminal or a file.

pub mod best;
pub mod decimate;
pub mod grouping;
pub mod nearest;
pub mod range;
pub mod scale;
pub mod ticks;
