//! One run of a million rows: from the key that opens it to its charts, and what keys cost from
//! then on.

use std::path::Path;

use super::session::Session;
use super::{generate, has_chart, milliseconds, quantile, report};

const ROWS: u64 = 1_000_000;
const OPENINGS: usize = 5;

pub fn million_rows(scratch: &Path) {
    let root = scratch.join("million");
    generate::long_run(&root, ROWS).expect("the run can be written");
    let home = scratch.join("home-million");
    // Too low for a preview, so that nothing is read before the key.
    let start = || Session::start(&root, &home, 120, 30);
    let is_listed = |screen: &str| screen.contains("2026_03_") && screen.contains('@');
    let mut first = start();
    first.until(is_listed);
    drop(first);
    let (mut opened, mut moved) = (Vec::new(), Vec::new());
    for _ in 0..OPENINGS {
        let mut session = start();
        session.until(is_listed);
        session.settle();
        opened.push(session.time(b"\r", has_chart));
        session.settle();
        // Closer, back, along, the cursor, one chart alone, and all again.
        for key in ["+", "+", "]", "[", "-", "0", "h", "l", "f", "f"] {
            moved.push(milliseconds(session.press(key.as_bytes()).settled));
        }
    }
    report(
        "1,000,000 rows: key to its charts (median)",
        quantile(opened, 0.5),
        400.0,
        "ms",
    );
    for (what, part) in [("median", 0.5), ("99th percentile", 0.99)] {
        let what = format!("1,000,000 rows: a key on its charts ({what})");
        report(&what, quantile(moved.clone(), part), 16.0, "ms");
    }
}
