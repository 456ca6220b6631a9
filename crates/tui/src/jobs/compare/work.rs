//! Carries orders about comparisons out, on threads of their own: reading a thousand runs takes a
//! while, and the table stays responsive.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::SystemTime;

use jiff::Timestamp;

use crate::jobs::compare::analysis::analyse;
use crate::jobs::compare::{CompareJob, CompareOutcome};
use traintop_analysis::compare::repetitions::{Settings, teachers};
use traintop_run::RunDir;
use traintop_run::compared_run::ComparedRun;
use traintop_run::config_file::Config;
use traintop_run::log::{Log, LogReader};
use traintop_run::log_line::Line;

/// No more threads than these read at once: login nodes are shared.
const THREADS: usize = 4;
/// Runs that a thread reads before it hands them over.
const PIECE: usize = 16;
/// No more runs than these are read only to learn the noise from.
const MOST_TEACHERS: usize = 500;
/// Lines of a log's end that are kept.
const LOG_LINES: usize = 100;

/// Runs a job on a thread of its own and sends the outcomes.
pub fn carry_out(job: CompareJob, send: impl Fn(CompareOutcome) + Clone + Send + Sync + 'static) {
    let started = thread::Builder::new()
        .name("compare".to_owned())
        .spawn(move || {
            match job {
                CompareJob::Read {
                    opened,
                    runs,
                    others,
                } => read(opened, &runs, others, &send),
                CompareJob::Analyse(opened, job) => {
                    send(CompareOutcome::Analysed(opened, Box::new(analyse(&job))));
                }
                CompareJob::Logs(opened, dirs) => {
                    let ends = dirs.into_iter().map(|dir| {
                        let mut log = Log::default();
                        // A run without a log has no lines.
                        log.take(LogReader::open(&dir).poll().unwrap_or_default());
                        let lines = log.all().rev().take(LOG_LINES).cloned();
                        let mut lines: Vec<Line> = lines.collect();
                        lines.reverse();
                        (dir, lines)
                    });
                    send(CompareOutcome::Logs(opened, ends.collect()));
                }
            }
        });
    if let Err(error) = started {
        log::error!("a thread could not be started: {error}");
    }
}

fn read(
    opened: Timestamp,
    runs: &[(usize, RunDir)],
    others: Vec<RunDir>,
    send: &(impl Fn(CompareOutcome) + Clone + Send + Sync),
) {
    let now = SystemTime::now();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(THREADS).min(runs.len().div_ceil(PIECE)).max(1);
    let next = AtomicUsize::new(0);
    let mut compared: Vec<Arc<ComparedRun>> = Vec::new();
    thread::scope(|scope| {
        let read = || {
            let mut own = Vec::new();
            loop {
                let from = next.fetch_add(PIECE, Ordering::Relaxed);
                let Some(left) = runs.get(from..).filter(|left| !left.is_empty()) else {
                    return own;
                };
                let piece: Vec<(usize, Arc<ComparedRun>)> = left
                    .iter()
                    .take(PIECE)
                    .map(|(place, dir)| (*place, Arc::new(ComparedRun::load(dir.clone(), now))))
                    .collect();
                own.extend(piece.iter().map(|(_, run)| Arc::clone(run)));
                send(CompareOutcome::Read(opened, piece));
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(read)).collect();
        for thread in threads {
            compared.extend(thread.join().unwrap_or_default());
        }
    });
    send(CompareOutcome::AllRead(opened));
    if others.is_empty() {
        return;
    }
    let configured = others.into_iter().map(|dir| {
        let mut config = Config::load(&dir).lines();
        config.sort();
        (dir, config)
    });
    let known: Vec<&Settings> = compared.iter().map(|run| run.config.as_slice()).collect();
    let taught: Vec<Arc<ComparedRun>> = teachers(configured.collect(), &known)
        .into_iter()
        .take(MOST_TEACHERS)
        .map(|dir| Arc::new(ComparedRun::load(dir, now)))
        .collect();
    send(CompareOutcome::Taught(opened, taught));
}
