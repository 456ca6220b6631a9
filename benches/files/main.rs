//! `make bench`: what reading run folders costs, without a screen. Each figure that states memory
//! is measured in a process of its own, since a process never shows less than its peak.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "the walls around `disk` and the terminal are for the program; benches set up what they need"
)]

#[path = "../dashboard/generate.rs"]
#[expect(dead_code, reason = "the other bench uses the rest")]
mod generate;

mod formats;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use traintop_analysis::prognosis::Question;
use traintop_ops::clean::{self, Plan, Policy};
use traintop_ops::trash::{self, Removal, Thing, Trash};
use traintop_run::RunDir;
use traintop_run::best_so_far::BestSoFar;
use traintop_run::cache::Cache;
use traintop_run::discover::discover;
use traintop_run::found::Found;
use traintop_run::metrics::Tail;
use traintop_run::summary::Summary;

const REPEATS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // `cargo bench` adds an argument of its own.
    if let [_, what, path, ..] = arguments.as_slice() {
        let begun = processor_ms();
        let time = milliseconds(alone(what, Path::new(path)));
        println!(
            "{time:.1} {:.1} {}",
            peak_megabytes(),
            processor_ms() - begun
        );
        return;
    }
    let scratch = tempfile::tempdir().expect("a temporary folder can be made");
    println!(
        "{:<58} {:>12} {:>12} {:>12} {:>12}",
        "figure (medians)", "time", "to reach", "processor", "peak memory"
    );
    formats::measure(scratch.path());
    long_files(scratch.path());
    let root = scratch.path().join("thousand");
    generate::runs(&root, 1000).expect("the runs can be written");
    in_a_process(
        "1,000 runs: summaries on one thread",
        "summaries",
        &root,
        300.0,
    );
    let now = root.join("training_runs/2026_05_01_00_00_00/logs");
    fs::create_dir_all(&now).expect("a folder can be made");
    fs::write(now.join("metrics.csv"), generate::metrics(1, 50)).expect("the file can be written");
    let config =
        "{\"model_name\": \"resnet_se\", \"num_epochs\": 200, \"batch_size\": 128, \"seed\": -1}";
    fs::write(now.join("config.json"), config).expect("the file can be written");
    in_a_process(
        "1,000 earlier runs: which may be like one that trains",
        "question",
        &root,
        16.0,
    );
    in_a_process(
        "1,000 earlier runs: is it hopeless (their files read)",
        "hopeless",
        &root,
        1000.0,
    );
    fs::remove_dir_all(root.join("training_runs/2026_05_01_00_00_00")).expect("it can be removed");
    clean_ups(&root);
    for count in [1_000, 10_000] {
        let reach = if count == 1_000 { 20.0 } else { 150.0 };
        let folder = scratch.path().join(format!("cache{count}"));
        fill_cache(&root, &folder, count);
        in_a_process(
            &format!("{count} runs: all summaries out of the cache"),
            "cache",
            &folder,
            reach,
        );
    }
}

/// A plan over 1,000 runs with 50 checkpoints each, and its 10,000 first things moved to the trash
/// and back.
fn clean_ups(root: &Path) {
    for found in runs_below(root) {
        let folder = found.dir.checkpoints();
        fs::create_dir_all(&folder).expect("a folder can be made");
        for epoch in (4..=200).step_by(4) {
            let name = found.dir.name();
            fs::write(found.dir.checkpoint(epoch), format!("{name} {epoch}"))
                .expect("the file can be written");
        }
        for path in [found.dir.best(), found.dir.last()] {
            fs::write(&path, format!("{}", path.display())).expect("the file can be written");
        }
    }
    in_a_process(
        "1,000 runs x 50 checkpoints: plan of a clean-up",
        "plan",
        root,
        1000.0,
    );
    in_a_process("10,000 files: to the trash", "to_trash", root, 2000.0);
    in_a_process(
        "10,000 files: to the trash, checked, by a plan",
        "clean",
        root,
        2000.0,
    );
}

fn runs_below(root: &Path) -> Vec<Found> {
    let mut runs = Vec::new();
    discover(&[root.to_owned()], |found| runs.push(found));
    runs
}

/// The plan of a clean-up of everything below a root.
fn plan_below(root: &Path) -> Plan {
    clean::make(
        &runs_below(root),
        Policy::default(),
        SystemTime::now(),
        |_| {},
    )
}

/// A million rows: plain, sparse as Lightning writes them, with a damaged line here and there, and
/// as a summary.
fn long_files(scratch: &Path) {
    let path = |name: &str| {
        let folder = scratch.join(name);
        fs::create_dir_all(&folder).expect("a folder can be made");
        folder.join("metrics.csv")
    };
    let text = generate::metrics(7, 1_000_000);
    let plain = path("plain");
    fs::write(&plain, &text).expect("the file can be written");
    in_a_process("1,000,000 rows x 10: read whole", "read", &plain, 400.0);
    in_a_process("1,000,000 rows x 10: summary", "summary", &plain, 400.0);
    let damaged = path("damaged");
    let lines: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(number, line)| {
            if number % 10_000 == 5_000 {
                line[..20].to_owned()
            } else {
                line.to_owned()
            }
        })
        .collect();
    fs::write(&damaged, lines.join("\n") + "\n").expect("the file can be written");
    drop((text, lines));
    in_a_process(
        "1,000,000 rows x 10, a hundred damaged: read whole",
        "read",
        &damaged,
        800.0,
    );
    let sparse = path("sparse");
    let mut text = String::from("epoch,step,train_loss,val_loss,val_acc,lr,never\n");
    for step in 0..1_000_000 {
        let (epoch, value) = (step / 1000, 1.0 / f64::from(step + 1));
        let written = if step % 1000 == 999 {
            write!(
                text,
                "{epoch},{step},,{value},{value},,\n{epoch},{step},,,,{value},\n"
            )
        } else {
            writeln!(text, "{epoch},{step},{value},,,,")
        };
        written.expect("writing to a string cannot fail");
    }
    fs::write(&sparse, text).expect("the file can be written");
    in_a_process(
        "1,000,000 sparse rows, two a step at times: read whole",
        "read",
        &sparse,
        400.0,
    );
}

fn fill_cache(root: &Path, folder: &Path, count: usize) {
    let run = first_run(root);
    let later = SystemTime::now() + Duration::from_secs(600);
    let summary = Summary::load(&run, later);
    let mut cache = Cache::open(folder);
    for number in 0..count {
        // Every entry is of a folder that exists, as a cache's are after a clean start.
        let dir = RunDir::new(folder.join(format!("runs/2026_03_01_00_00_00-{number}")));
        fs::create_dir_all(dir.path()).expect("a folder can be made");
        let summary = Summary {
            dir: dir.clone(),
            ..summary.clone()
        };
        cache.store(&Found { dir, ..run.clone() }, &summary);
    }
    cache.flush().expect("the cache can be written");
}

fn first_run(root: &Path) -> Found {
    let mut first = None;
    discover(&[root.to_owned()], |found| {
        first = first.take().or(Some(found));
    });
    first.expect("runs were written")
}

/// What is measured in a process of its own.
fn alone(what: &str, path: &Path) -> Duration {
    match what {
        "read" => {
            let started = Instant::now();
            let mut tail = Tail::open(path);
            tail.poll().expect("the file can be read");
            started.elapsed()
        }
        "summary" => {
            let found = Found::look(RunDir::new(path.parent().expect("a file is in a folder")));
            let started = Instant::now();
            Summary::load(&found, SystemTime::now());
            started.elapsed()
        }
        "run" => {
            let found = Found::look(RunDir::new(path));
            let started = Instant::now();
            let mut source = found.open_metrics();
            source.poll().expect("the run can be read");
            started.elapsed()
        }
        "plan" => {
            let started = Instant::now();
            let plan = plan_below(path);
            let taken = started.elapsed();
            assert!(plan.candidates.len() >= 49_000);
            taken
        }
        "to_trash" => {
            let plan = plan_below(path);
            let files = plan.candidates.iter().flat_map(|one| one.paths.clone());
            let removal = Removal {
                things: files.take(10_000).map(Thing::from).collect(),
                by: "bench".to_owned(),
                why: "to be measured".to_owned(),
                now: jiff::Timestamp::now(),
            };
            let trash = Trash::of(path).expect("the root is there");
            let started = Instant::now();
            let removed = trash.remove(&removal, &mut |_| Ok(()));
            let taken = started.elapsed();
            let entry = removed.expect("all can be moved").entry;
            let entry = entry.expect("something was moved");
            assert_eq!(entry.items.len(), 10_000);
            trash.restore(&entry.id).expect("all comes back");
            taken
        }
        "clean" => {
            let mut plan = plan_below(path);
            plan.candidates.truncate(10_000);
            let roots = [path.to_owned()];
            let started = Instant::now();
            let done = clean::carry_out(&plan, &roots, jiff::Timestamp::now());
            let taken = started.elapsed();
            let done = done.expect("all can be moved");
            assert_eq!((done.count, done.left.len()), (10_000, 0));
            trash::restore_all(&done.tickets).expect("all comes back");
            taken
        }
        "summaries" => {
            let runs = runs_below(path);
            let started = Instant::now();
            for found in &runs {
                Summary::load(found, SystemTime::now());
            }
            started.elapsed()
        }
        "question" | "hopeless" => hopeless(path, what == "hopeless"),
        "cache" => {
            let count = fs::read_dir(path.join("runs")).map_or(0, Iterator::count);
            let run = first_run(
                &path
                    .parent()
                    .expect("it is in the scratch folder")
                    .join("thousand"),
            );
            let dirs: Vec<PathBuf> = (0..count)
                .map(|number| path.join(format!("runs/2026_03_01_00_00_00-{number}")))
                .collect();
            let started = Instant::now();
            let mut cache = Cache::open(path);
            let hits = dirs
                .into_iter()
                .filter(|dir| {
                    cache
                        .lookup(&Found {
                            dir: RunDir::new(dir),
                            ..run.clone()
                        })
                        .is_some()
                })
                .count();
            assert_eq!(hits, count);
            started.elapsed()
        }
        other => panic!("nothing is called {other}"),
    }
}

/// How long it takes to find the earlier runs that may be like one that trains, or to read what
/// they had come to and weigh it.
fn hopeless(root: &Path, is_weighed: bool) -> Duration {
    let later = SystemTime::now() + Duration::from_secs(600);
    let load = |found: &Found| Summary::load(found, later);
    let all: Vec<Summary> = runs_below(root).iter().map(load).collect();
    let now = all.iter().find(|run| run.epochs_done == 50);
    let now = now.expect("it was written");
    let started = Instant::now();
    let question = Question::of(now, all.iter()).expect("there are enough");
    if !is_weighed {
        return started.elapsed();
    }
    let started = Instant::now();
    question.answer(BestSoFar::read);
    started.elapsed()
}

fn in_a_process(what: &str, name: &str, path: &Path, reach: f64) {
    let measured: Vec<_> = (0..REPEATS).map(|_| once(name, path)).collect();
    let [time, peak, processor] = medians(&measured);
    println!(
        "{what:<58} {:>12} {:>12} {:>12} {:>12}",
        format!("{time:.1} ms"),
        format!("{reach:.0} ms"),
        format!("{processor:.0} ms"),
        format!("{peak:.0} MB")
    );
}

/// The times, in ms, of the same work on two folders, in alternating rounds.
fn in_turn(name: &str, paths: [&Path; 2]) -> [f64; 2] {
    let mut measured = [Vec::new(), Vec::new()];
    for _ in 0..REPEATS {
        for (path, measured) in paths.iter().zip(&mut measured) {
            measured.push(once(name, path));
        }
    }
    measured.map(|measured| medians(&measured)[0])
}

/// Time in ms, peak memory in MB and processor time in ms of a process that does one thing.
fn once(name: &str, path: &Path) -> [f64; 3] {
    let this = std::env::current_exe().expect("a program knows itself");
    let output = Command::new(&this)
        .arg(name)
        .arg(path)
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    [(); 3].map(|()| {
        let Some(Ok(number)) = numbers.next() else {
            panic!("{}", String::from_utf8_lossy(&output.stderr));
        };
        number
    })
}

fn medians(measured: &[[f64; 3]]) -> [f64; 3] {
    [0, 1, 2].map(|at| {
        let mut values: Vec<f64> = measured.iter().map(|values| values[at]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    })
}

/// Processor time of all threads so far, to the kernel's hundredth of a second: on a busy machine
/// it says more than the clock.
fn processor_ms() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        * 10.0
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The most memory that this process ever held.
fn peak_megabytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<f64>().ok())
        .map_or(0.0, |kilobytes| kilobytes / 1e3)
}
