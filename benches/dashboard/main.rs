//! `make bench`: the dashboard's figures, measured from outside in a pseudo-terminal on generated
//! runs. Machines differ and are shared: read the ratios to the figure to reach, and the medians.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "the walls around `disk` and the terminal are for the program; benches set up what they need"
)]

mod busy;
mod compare;
mod finding;
mod form;
mod generate;
mod long;
mod session;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use session::{Press, Session};

/// What measures, under the name by which it alone is asked for.
type Part = (&'static str, fn(&Path));

const STARTS: usize = 7;
const KEYS: usize = 60;
const IDLE: Duration = Duration::from_secs(20);

fn main() {
    let scratch = tempfile::tempdir().expect("a temporary folder can be made");
    println!("machine: {}", machine());
    println!(
        "{:<58} {:>12} {:>12} {:>7}",
        "figure", "measured", "to reach", "ratio"
    );
    // A part by its name, where not all are asked for.
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let is_asked = |part: &str| asked.is_empty() || asked.iter().any(|word| word == part);
    let scratch = scratch.path();
    if is_asked("table") {
        let root = scratch.join("thousand");
        generate::runs(&root, 1000).expect("the runs can be written");
        starts(&root, scratch);
        keys_and_idle(&root, scratch);
    }
    let parts: [Part; 6] = [
        ("compare", compare::comparisons),
        ("finding", finding::queries),
        ("long", long::million_rows),
        ("queueing", busy::queueing),
        ("busy", busy::eight_writers),
        ("appended", appended_rows),
    ];
    for (_, measure) in parts.iter().filter(|(name, _)| is_asked(name)) {
        measure(scratch);
    }
}

/// The processor and how many of it.
fn machine() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let names: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("model name"))
        .collect();
    let name = names.first().map_or("unknown processor", |name| {
        name.trim_start_matches([' ', '\t', ':'])
    });
    format!("{name}, {} cores", names.len())
}

fn report(what: &str, measured: f64, reach: f64, unit: &str) {
    println!(
        "{what:<58} {:>12} {:>12} {:>7.2}",
        format!("{measured:.1} {unit}"),
        format!("{reach:.0} {unit}"),
        measured / reach
    );
}

/// A figure that nothing is asked of.
fn note(what: &str, bytes: f64) {
    println!("{what:<58} {:>12}", format!("{bytes:.0} B"));
}

/// Of the median press.
fn bytes(presses: &[Press]) -> f64 {
    quantile(
        presses.iter().map(|press| press.bytes as f64).collect(),
        0.5,
    )
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn quantile(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * part).round() as usize]
}

fn has_chart(screen: &str) -> bool {
    screen.contains("2026_03_")
        && screen
            .chars()
            .any(|glyph| ('\u{2801}'..='\u{28ff}').contains(&glyph))
}

fn starts(root: &Path, scratch: &Path) {
    let (mut first, mut cold, mut cached, mut memory) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for number in 0..STARTS {
        let home = scratch.join(format!("home{number}"));
        let mut session = Session::start(root, &home, 200, 50);
        session.until(has_chart);
        cold.push(milliseconds(session.settled_since_start()));
        drop(session);
        let mut session = Session::start(root, &home, 200, 50);
        first.push(milliseconds(session.until(has_chart)));
        cached.push(milliseconds(session.settled_since_start()));
        memory.push(session.resident() as f64 / 1e6);
    }
    report(
        "1,000 runs: start to list and chart (median)",
        quantile(first, 0.5),
        20.0,
        "ms",
    );
    report(
        "1,000 runs: all summaries, cold cache (median)",
        quantile(cold, 0.5),
        400.0,
        "ms",
    );
    report(
        "1,000 runs: all summaries, from the cache (median)",
        quantile(cached, 0.5),
        100.0,
        "ms",
    );
    report(
        "1,000 runs: resident memory (median)",
        quantile(memory, 0.5),
        40.0,
        "MB",
    );
}

fn keys_and_idle(root: &Path, scratch: &Path) {
    let mut session = Session::start(root, &scratch.join("home0"), 200, 50);
    session.until(has_chart);
    session.settle();
    let presses: Vec<Press> = (0..KEYS).map(|_| session.press(b"j")).collect();
    let settled: Vec<f64> = presses
        .iter()
        .map(|press| milliseconds(press.settled))
        .collect();
    report(
        "cursor down: key to settled frame (median)",
        quantile(settled.clone(), 0.5),
        5.0,
        "ms",
    );
    report(
        "cursor down: key to settled frame (99th percentile)",
        quantile(settled, 0.99),
        12.0,
        "ms",
    );
    report(
        "cursor down: bytes written (median)",
        bytes(&presses),
        500.0,
        "B",
    );
    let scrolled = presses.iter().map(|press| press.bytes).max();
    note(
        "  the move that scrolls half a screen: bytes",
        scrolled.unwrap_or_default() as f64,
    );
    let previews: Vec<Press> = (0..10)
        .map(|_| {
            session.press(b"j");
            session.answer()
        })
        .collect();
    note("  the preview that follows a rest: bytes", bytes(&previews));
    std::thread::sleep(Duration::from_secs(1));
    session.settle();
    idle("idle, nothing running", &mut session);
    drop(session);

    let live = scratch.join("live");
    generate::runs(&live, 20).expect("the runs can be written");
    generate::running_run(&live).expect("the run can be written");
    let mut session = Session::start(&live, &scratch.join("home-live"), 200, 50);
    session.until(|screen| screen.contains("running"));
    session.settle();
    idle("idle, a running run on the screen", &mut session);
}

fn idle(what: &str, session: &mut Session) {
    let (bytes, processor) = session.idle(IDLE);
    println!("{what:<58} {:>12} {:>12}", format!("{bytes} B"), "0 B");
    println!(
        "{what:<58} {:>12} {:>12}",
        format!("{:.2} ms CPU", milliseconds(processor)),
        "0 ms CPU"
    );
}

/// A row appended to a file of a million rows must cost what it costs in a file of a thousand.
fn appended_rows(scratch: &Path) {
    let mut medians = Vec::new();
    for rows in [1_000, 1_000_000] {
        let path = scratch.join(format!("metrics-{rows}.csv"));
        fs::write(&path, generate::metrics(7, rows)).expect("the file can be written");
        let started = Instant::now();
        let mut tail = traintop_run::metrics::Tail::open(&path);
        tail.poll().expect("the file can be read");
        if rows == 1_000_000 {
            report(
                "1,000,000 rows: read whole",
                milliseconds(started.elapsed()),
                400.0,
                "ms",
            );
        }
        let mut file = fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .expect("the file can be opened");
        let mut times = Vec::new();
        for more in 1..=100 {
            file.write_all(generate::next_row(rows + more).as_bytes())
                .expect("a row can be appended");
            let started = Instant::now();
            tail.poll().expect("the file can be read");
            times.push(milliseconds(started.elapsed()) * 1e3);
        }
        assert_eq!(tail.metrics().rows as u64, rows + 100);
        medians.push(quantile(times, 0.5));
    }
    println!(
        "{:<58} {:>12} {:>12} {:>7.2}",
        "a row appended to 1,000,000 rows, against 1,000 (median)",
        format!("{:.1} us", medians[1]),
        format!("{:.1} us", medians[0]),
        medians[1] / medians[0]
    );
}
