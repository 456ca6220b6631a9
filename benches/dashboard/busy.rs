//! A night's worth: queueing a hundred runs, and the dashboard's keys and frames while eight runs
//! write.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::session::Session;
use super::{generate, milliseconds, quantile, report};

const QUEUEINGS: usize = 5;
const WRITERS: u64 = 8;
/// Between two rows of a writer's steps: a hundred rows a second, far more than a trainer writes.
const BETWEEN_ROWS: Duration = Duration::from_millis(10);
/// A row of an epoch comes with every nth row of steps.
const STEPS: u64 = 50;
const KEYS: usize = 120;
const HELD: Duration = Duration::from_secs(5);
/// A key that is held comes more often than frames do.
const REPEAT: Duration = Duration::from_millis(5);

/// `traintop train --queue` of a sweep of a hundred runs, from its start to its end.
pub fn queueing(scratch: &Path) {
    let mut times = Vec::new();
    for number in 0..QUEUEINGS {
        let place = scratch.join(format!("queueing{number}"));
        fs::create_dir_all(&place).expect("a folder can be made");
        let worker = place.join("worker.sh");
        fs::write(&worker, "#!/bin/sh\nexit 0\n").expect("the file can be written");
        fs::set_permissions(&worker, fs::Permissions::from_mode(0o755)).expect("it can be allowed");
        let traintop = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_traintop"));
            command
                .args(arguments)
                .current_dir(&place)
                .env("TRAINTOP_WORKER", &worker);
            for name in [
                "HOME",
                "XDG_CACHE_HOME",
                "XDG_STATE_HOME",
                "XDG_CONFIG_HOME",
            ] {
                command.env(name, &place);
            }
            command.output().expect("it runs")
        };
        let started = Instant::now();
        let sweep = [
            "train",
            "--config",
            "quick",
            "--sweep",
            "seed=1..100",
            "--queue",
        ];
        assert!(traintop(&sweep).status.success());
        times.push(milliseconds(started.elapsed()));
        // Runs that the keeper starts must not overlap with the next.
        while traintop(&["queue", "--json"]).stdout.trim_ascii() != b"[]" {
            thread::sleep(Duration::from_millis(50));
        }
    }
    report(
        "queueing 100 runs, the whole command (median)",
        quantile(times, 0.5),
        1000.0,
        "ms",
    );
}

/// Runs that are being written to until this is dropped.
struct Writers {
    ends: Arc<AtomicBool>,
    rows: Arc<AtomicU64>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Writers {
    fn begin(root: &Path) -> Self {
        let (ends, rows) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let begin = |number| {
            let (ends, rows, files) = (Arc::clone(&ends), Arc::clone(&rows), files(root, number));
            thread::spawn(move || write(files, &ends, &rows))
        };
        let threads = (0..WRITERS).map(begin).collect();
        Self {
            ends,
            rows,
            threads,
        }
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().expect("a writer ends");
        }
    }
}

/// A run of 1,000 epochs of which 50 are done.
fn files(root: &Path, number: u64) -> (File, File) {
    let logs: PathBuf = root.join(format!("training_runs/2026_04_01_00_00_0{number}/logs"));
    fs::create_dir_all(&logs).expect("a folder can be made");
    let config = "{\"model_name\": \"resnet_se\", \"num_epochs\": 1000}";
    fs::write(logs.join("config.json"), config).expect("the file can be written");
    fs::write(logs.join("metrics.csv"), generate::metrics(number, 50))
        .expect("the file can be written");
    let header =
        "epoch,step,steps_per_epoch,train_loss,train_acc,learning_rate,images_per_s,time_elapsed\n";
    fs::write(logs.join("steps.csv"), header).expect("the file can be written");
    let open = |name: &str| {
        OpenOptions::new()
            .append(true)
            .open(logs.join(name))
            .expect("it can be opened")
    };
    (open("metrics.csv"), open("steps.csv"))
}

fn write((mut metrics, mut steps): (File, File), ends: &AtomicBool, rows: &AtomicU64) {
    for row in 0.. {
        if ends.load(Ordering::Relaxed) {
            return;
        }
        let (epoch, step) = (51 + row / STEPS, 50 * STEPS + row);
        let text = format!("{epoch},{step},{STEPS},0.5,80.0,0.1,1000.0,{}\n", 800 + row);
        steps
            .write_all(text.as_bytes())
            .expect("a row can be appended");
        if row % STEPS == STEPS - 1 {
            metrics
                .write_all(generate::next_row(epoch).as_bytes())
                .expect("a row can be appended");
        }
        rows.fetch_add(1, Ordering::Relaxed);
        thread::sleep(BETWEEN_ROWS);
    }
}

/// The line that the cursor is on.
fn cursor(screen: &str) -> Option<usize> {
    screen.lines().position(|line| line.starts_with('▌'))
}

/// How long keys take, and how many frames come while one is held, beside eight runs that write;
/// what they cost without, too.
pub fn eight_writers(scratch: &Path) {
    let root = scratch.join("eight");
    generate::runs(&root, 100).expect("the runs can be written");
    let mut session = Session::start(&root, &scratch.join("home-eight"), 200, 50);
    session.until(|screen| cursor(screen).is_some() && screen.contains("100 runs"));
    session.settle();
    measure(&mut session, "nothing writes");
    let writers = Writers::begin(&root);
    session.until(|screen| screen.contains("8 running"));
    let (before, since) = (writers.rows.load(Ordering::Relaxed), Instant::now());
    measure(&mut session, "eight runs write");
    let rows = writers.rows.load(Ordering::Relaxed) - before;
    let a_second = rows as f64 / since.elapsed().as_secs_f64();
    println!(
        "{:<58} {:>12}",
        "  rows that they wrote meanwhile",
        format!("{a_second:.0} /s")
    );
}

fn measure(session: &mut Session, when: &str) {
    // The table stays as it is ordered: the runs began at different times.
    // What has come of a frame may be half of it.
    let top = loop {
        if let Some(top) = cursor(&session.screen()) {
            break top;
        }
    };
    let mut times = Vec::new();
    for number in 0..KEYS {
        let (key, next) = if number % 2 == 0 { ("j", 1) } else { ("k", 0) };
        // A key that comes with another is no longer answered by itself.
        thread::sleep(Duration::from_millis(40));
        let moved = move |screen: &str| cursor(screen) == Some(top + next);
        times.push(session.time(key.as_bytes(), moved));
    }
    for (what, part, reach) in [("median", 0.5, 16.7), ("99th percentile", 0.99, 33.3)] {
        let what = format!("{when}: key to its frame ({what})");
        report(&what, quantile(times.clone(), part), reach, "ms");
    }
    let frames = session.hold(&["j", "k"], REPEAT, HELD);
    report(
        &format!("{when}: frames while a key is held"),
        frames,
        60.0,
        "/s",
    );
}
