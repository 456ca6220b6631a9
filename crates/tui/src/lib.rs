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
mod archive_jobs;
mod chart_settings;
mod chart_transform;
mod cleanup;
mod clipboard;
mod coalesced_write;
mod command;
mod compare;
mod component;
mod discovery;
mod effect;
mod evaluations;
mod event_loop;
mod executor;
mod export;
mod external_rename;
mod folders;
mod form_jobs;
mod graphics;
mod jobs;
mod keymap;
mod long_job;
mod machine;
mod message;
mod pool;
mod remembered;
mod restore;
mod run_edits;
mod run_reader;
mod scheduling;
mod settings;
mod state;
mod steering;
mod terminal;
mod theme;
mod update;
mod view;
mod widget;

pub use event_loop::{Options, run};
