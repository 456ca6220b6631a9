//! The terminal interface: one loop owns all state, views only read it.

pub mod follow;
pub mod theme;
pub mod view;
pub mod widget;
