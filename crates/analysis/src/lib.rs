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
pub mod answers;
pub mod axis;
pub mod best;
pub mod calibration;
pub mod compare;
pub mod confusion;
pub mod decimate;
pub mod derive;
pub mod digest;
pub mod earlier;
pub mod export;
pub mod figures;
pub mod finish;
pub mod grouping;
pub mod in_common;
pub mod interval;
pub mod lint;
pub mod mcnemar;
pub mod nearest;
pub mod odds;
pub mod placing;
pub mod query;
pub mod range;
pub mod robust;
pub mod scale;
pub mod smooth;
pub mod ticks;

#[cfg(test)]
mod scikit_learn_tests;

#[cfg(test)]
mod digest_tests;
