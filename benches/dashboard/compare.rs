//! Comparisons: from the key to everything on the screen, what that takes of memory, and whether
//! keys are answered meanwhile.

use std::path::Path;

use super::session::Session;
use super::{generate, has_chart, milliseconds, quantile, report};

const OPENINGS: usize = 5;

pub fn comparisons(scratch: &Path) {
    for (count, reach) in [(50, 100.0), (1000, 1000.0)] {
        let root = scratch.join(format!("compared{count}"));
        generate::runs(&root, count).expect("the runs can be written");
        let home = scratch.join(format!("home-compared{count}"));
        let mut opened = Vec::new();
        let (mut memory, mut unfolded, mut key, mut help) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..OPENINGS {
            let mut session = Session::start(&root, &home, 200, 50);
            session.until(has_chart);
            session.settle();
            session.press(b"A");
            opened.push(session.time(b"c", |screen| screen.contains(" by val_acc")));
            session.settle();
            memory.push(session.resident() as f64 / 1e6);
            // The generated runs are one recipe: each by itself is the harder picture.
            unfolded.push(session.time(b"f", |screen| screen.contains("each run by itself")));
            session.settle();
            let presses: Vec<f64> = (0..10)
                .map(|_| milliseconds(session.press(b"j").settled))
                .collect();
            key.push(quantile(presses, 0.5));
            // All is read again; help comes meanwhile.
            session.send(b"\x1b[15~");
            help.push(session.time(b"?", |screen| screen.contains("Runs compared")));
        }
        let what = |what: &str| format!("comparing {count} runs: {what} (median)");
        let median = |values: Vec<f64>| quantile(values, 0.5);
        report(&what("opened"), median(opened), reach, "ms");
        report(&what("resident memory"), median(memory), 100.0, "MB");
        report(&what("each by itself"), median(unfolded), reach, "ms");
        report(&what("a key"), median(key), 16.0, "ms");
        report(&what("help while reading"), median(help), 16.0, "ms");
    }
}
