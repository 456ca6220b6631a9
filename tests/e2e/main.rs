//! The real programs and scripts, end to end.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop where it is"
)]
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "the walls around `disk` and the terminal are for the program; tests set up what they need"
)]

mod access;
mod alerts;
mod archive;
mod bombs;
mod clean;
mod cli;
mod compare;
mod dashboard;
mod detached;
mod did_not_run;
mod evaluations;
mod extremes;
mod failure;
mod fake_worker;
mod finding;
mod form;
mod fuzz;
mod gpus;
mod hostile;
mod hostile_text;
mod judging;
#[cfg(debug_assertions)]
mod killed;
#[cfg(debug_assertions)]
mod killed_runs;
mod launcher;
mod libtorch_script;
mod odd_files;
mod programs;
mod pty;
mod queue;
mod schemas;
mod slurm;
mod tables;
mod terminal;
mod trainers;
mod trust;
mod two_dashboards;
mod walls;
mod worker;
