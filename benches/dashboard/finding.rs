//! A query over ten thousand runs, from each key to what it leaves on the screen.

use std::path::Path;

use super::session::Session;
use super::{generate, milliseconds, quantile, report};

const RUNS: u64 = 10_000;
/// Each kind of value that a query asks for; every key of them is measured.
const QUERIES: [&str; 3] = [
    "val_acc>89 lr<0.1 model:resnet age<9999d",
    "best.val_loss<0.7 or -tag:paper",
    "recipe 4",
];

pub fn queries(scratch: &Path) {
    let root = scratch.join("many");
    generate::recipes(&root, RUNS).expect("the runs can be written");
    let mut session = Session::start(&root, &scratch.join("home-many"), 200, 50);
    session.until(|screen| screen.contains("10,000 runs") && !screen.contains("searching"));
    session.settle();
    let mut taken = Vec::new();
    for query in QUERIES {
        session.press(b"/");
        for key in query.bytes() {
            taken.push(milliseconds(session.press(&[key]).settled));
        }
        // What was found is looked at more closely once the keys rest.
        session.settle();
        session.press(b"\x1b");
        session.press(b"\x1b");
    }
    for (what, part) in [("median", 0.5), ("99th percentile", 0.99)] {
        let what = format!("10,000 runs: a key of a query to settled frame ({what})");
        report(&what, quantile(taken.clone(), part), 16.0, "ms");
    }
    super::form::opening(&mut session);
}
