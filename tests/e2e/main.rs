//! The real programs and scripts, end to end.

mod libtorch_script;
mod walls;
