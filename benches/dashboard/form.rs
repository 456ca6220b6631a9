//! Opening the form among ten thousand runs, which estimate the cost of a run, and typing a sweep.

use super::session::Session;
use super::{milliseconds, quantile, report};

/// So often it is opened.
const OPENINGS: usize = 20;

/// With a session that shows the table.
pub fn opening(session: &mut Session) {
    let (mut opened, mut typed) = (Vec::new(), Vec::new());
    for _ in 0..OPENINGS {
        opened.push(milliseconds(session.press(b"n").settled));
        session.settle();
        session.press(b"\r");
        session.press(b"jje");
        for key in b"\x151..1000" {
            typed.push(milliseconds(session.press(&[*key]).settled));
        }
        typed.push(milliseconds(session.press(b"\r").settled));
        session.settle();
        session.press(b"d");
        session.press(b"\x1b");
        session.settle();
        session.press(b"\x1b");
        session.settle();
    }
    for (what, part) in [("median", 0.5), ("99th percentile", 0.99)] {
        let key = |key: &str| format!("10,000 runs: {key} to settled frame ({what})");
        let (n, sweep) = (key("the form's key"), key("a key of a sweep"));
        report(&n, quantile(opened.clone(), part), 16.0, "ms");
        report(&sweep, quantile(typed.clone(), part), 16.0, "ms");
    }
}
