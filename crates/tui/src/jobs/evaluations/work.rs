//! Carries orders about evaluations out, on the pool's threads.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::{fs, thread};

use crate::folders::Folders;
use crate::jobs::evaluations::card::{Card, Running};
use crate::jobs::evaluations::compared::Compared;
use crate::jobs::evaluations::opened::Opened;
use crate::jobs::evaluations::{EvaluationJob, EvaluationOutcome, Known, Stamps};
use traintop_launch as launch;
use traintop_launch::EvaluateRequest;
use traintop_run::RunDir;
use traintop_run::evaluation::{self, EVALUATIONS, EvaluationDir, Results};
use traintop_run::found::Stamp;
use traintop_run::notes::{self, Notes};

/// No more folders of one tree are watched because something may still be made of them.
const MOST_OPEN: usize = 64;

/// Runs a job; this takes as long as the disk does.
pub fn carry_out(job: EvaluationJob, send: impl Fn(EvaluationOutcome) + Send + 'static) {
    match job {
        EvaluationJob::Find { trees, known } => send(find(&trees, &known)),
        EvaluationJob::Look(trees) => send(EvaluationOutcome::Looked(running(&trees))),
        EvaluationJob::Open(dir) => send(EvaluationOutcome::Opened(Box::new(Opened::load(&dir)))),
        EvaluationJob::Compare(dirs) => {
            let opened: Result<Vec<Opened>, String> = dirs.iter().map(Opened::load).collect();
            send(EvaluationOutcome::Compared(Box::new(
                opened.map(Compared::of),
            )));
        }
        EvaluationJob::Start(requests) => start(requests, send),
    }
}

fn find(trees: &[PathBuf], known: &HashMap<EvaluationDir, Stamps>) -> EvaluationOutcome {
    let trees = evaluation::trees(trees, []);
    let found = trees.iter().flat_map(|tree| evaluation::list(tree));
    let dirs: HashSet<EvaluationDir> = found.collect();
    let mut read = Vec::new();
    for dir in &dirs {
        let stamps = stamps(dir);
        if known.get(dir) != Some(&stamps) {
            let card = load(dir);
            read.push(Known { card, stamps });
        }
    }
    let running = running(&trees);
    EvaluationOutcome::Found {
        watch: watch(&trees, &dirs, &running),
        dirs,
        read,
        running,
        trees: trees
            .into_iter()
            .filter(|tree| tree.join(EVALUATIONS).is_dir())
            .collect(),
    }
}

/// The folders of evaluations, and those in them that are not done: one that was just made may hold
/// nothing yet.
fn watch(
    trees: &[PathBuf],
    done: &HashSet<EvaluationDir>,
    running: &[Running],
) -> HashSet<PathBuf> {
    let is_over = |folder: &PathBuf| {
        let dir = EvaluationDir::new(folder);
        let mut running = running.iter();
        done.contains(&dir) || running.any(|one| one.dir == dir && one.is_abandoned)
    };
    let mut watch = HashSet::new();
    for folder in trees.iter().map(|tree| tree.join(EVALUATIONS)) {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        let inside = entries.flatten().map(|entry| entry.path());
        let open = inside.filter(|path| path.is_dir() && !is_over(path));
        watch.extend(open.take(MOST_OPEN));
        watch.insert(folder);
    }
    watch
}

fn stamps(dir: &EvaluationDir) -> Stamps {
    let notes = notes::file(&RunDir::new(dir.path()));
    let results = dir.summary_json();
    [Stamp::of(&results), Stamp::of(&notes)]
}

fn load(dir: &EvaluationDir) -> Card {
    let notes = Notes::load(&RunDir::new(dir.path())).unwrap_or_default();
    match Results::load(dir) {
        Ok(results) => Card::of(dir.clone(), &results.unwrap_or_default(), &notes),
        Err(error) => Card::damaged(dir.clone(), &error.to_string()),
    }
}

fn running(trees: &[PathBuf]) -> Vec<Running> {
    let unfinished = trees.iter().flat_map(|tree| evaluation::unfinished(tree));
    unfinished
        .filter_map(|one| {
            let is_abandoned = one.is_abandoned();
            let progress = one.progress?;
            Some(Running::of(one.dir, &progress, is_abandoned))
        })
        .collect()
}

/// Starts one after the other, on a thread of its own, so that they do not take each other's cores.
fn start(requests: Vec<EvaluateRequest>, send: impl Fn(EvaluationOutcome) + Send + 'static) {
    let waiting = thread::Builder::new().name("evaluations".to_owned());
    let outcome = waiting.spawn(move || {
        let logs = Folders::find().state.join("evaluations");
        let mut left = requests.len();
        for request in requests {
            left -= 1;
            let ended = launch::evaluate(&request, &logs).and_then(|started| {
                send(EvaluationOutcome::Started);
                started.wait()
            });
            send(EvaluationOutcome::Ended(
                ended.map_err(|error| error.to_string()),
                left,
            ));
        }
    });
    if let Err(error) = outcome {
        log::error!("no evaluation could be started: {error}");
    }
}
