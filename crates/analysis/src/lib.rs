//! Numbers and comparisons of runs that the crate `run` has read: alerts, queries, comparisons,
//! predictions, axes, ticks and decimation. Nearly all of it is arithmetic without input or output;
//! `export` and `figures` write files. Nothing depends on a terminal.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "the walls around `disk` and the terminal are for the program; tests set up what they need"
    )
)]

pub mod alert;
pub mod axis;
pub mod best;
pub mod calibration;
pub mod chart_transform;
pub mod compare;
pub mod confusion;
pub mod decimate;
pub mod digest;
pub mod export;
pub mod figures;
pub mod finish;
pub mod grouping;
pub mod interval;
pub mod lint;
pub mod mcnemar;
pub mod nearest;
pub mod outlier_range;
pub mod predictions;
pub mod prognosis;
pub mod query;
pub mod range;
pub mod run_history;
pub mod scale;
pub mod shared_settings;
pub mod smooth;
pub mod ticks;
pub mod x_axis;

#[cfg(test)]
mod run_of_files;

#[cfg(test)]
mod scikit_learn_tests;

#[cfg(test)]
mod digest_tests;
