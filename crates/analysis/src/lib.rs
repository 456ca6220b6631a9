//! Pure functions on numbers: what range metrics span, which round ticks an axis gets, how many points become few without losing one
//! spike, what a classifier's answers amount to. Nothing here knows a terminal or a file.

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
mod scikit_learn_tests;

#[cfg(test)]
mod digest_tests;
