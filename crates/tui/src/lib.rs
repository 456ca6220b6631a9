//! The terminal interface: one loop owns all state. Threads send it messages, `update` turns each
//! into a new state and effects, a pool of threads runs the effects, and drawing only reads.

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
mod coalesced_write;
mod command;
mod component;
mod context;
mod effect;
mod evaluations;
mod event_loop;
mod executor;
mod folders;
mod graphics;
mod jobs;
mod keymap;
mod long_job;
mod message;
mod notice;
mod pool;
mod remembered;
mod restore;
mod run_reader;
mod scheduling;
mod settings;
mod state;
mod terminal;
mod theme;
mod update;
mod view;
mod widget;

pub use event_loop::{Options, run};
