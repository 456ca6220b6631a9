//! The terminal interface: one loop owns all state. Threads send it messages, `update` turns each into a new state and orders,
//! a small pool carries the orders out, views only read.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "the walls around `disk` and the terminal are for the program; tests set up what they need"
    )
)]

mod alerts;
mod chart_settings;
mod clipboard;
mod command;
mod compare;
mod deriving;
mod discovery;
mod effect;
mod elsewhere;
mod evaluations;
mod event_loop;
mod executor;
mod folders;
mod follow;
mod graphics;
mod house;
mod jobs;
mod keymap;
mod latest;
mod long_job;
mod machine;
mod message;
mod packing;
mod pool;
mod remembered;
mod restore;
mod scheduling;
mod settings;
mod starting;
mod state;
mod steering;
mod take_away;
mod terminal;
mod theme;
mod tidy;
mod update;
mod view;
mod widget;

pub use event_loop::{Options, run};
