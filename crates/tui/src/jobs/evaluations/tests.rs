//! What is read of evaluations, and what two of them say about each other.

use std::collections::HashMap;
use std::fs;

use crate::jobs::evaluations::compared::{Compared, Pair};
use crate::jobs::evaluations::fixtures::{self, made, opened};
use crate::jobs::evaluations::opened::{Choice, Opened};
use crate::jobs::evaluations::work::carry_out;
use crate::jobs::evaluations::{EvaluationJob, EvaluationOutcome};
use traintop_run::RunDir;
use traintop_run::evaluation::{EVALUATIONS, EvaluationDir, Progress, Results};
use traintop_run::process::Process;

#[test]
fn an_evaluation_is_read_whole_and_what_is_missing_of_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let dir = EvaluationDir::new(folder.path());
    let (mut results, logits, images) = made("alpha", 8, 5);
    results.classes[3] = "cat\u{1b}[31m".to_owned();
    results.save(&dir).unwrap();
    logits.save(&dir).unwrap();
    let half = Opened::load(&dir).unwrap();
    assert!(
        half.problems[0].contains("images.safetensors"),
        "{:?}",
        half.problems
    );
    images.save(&dir).unwrap();
    let whole = Opened::load(&dir).unwrap();
    assert_eq!(whole.problems, Vec::<String>::new());
    assert_eq!(whole.class(3), "cat");
    let mistakes = whole.chosen(Choice::Mistakes);
    let wrong = results.accuracy.as_ref().unwrap();
    assert_eq!(mistakes.len() as u64, wrong.total - wrong.correct);
    let sure: Vec<f64> = mistakes.iter().map(|answer| answer.confidence()).collect();
    assert!(sure.is_sorted_by(|a, b| a >= b));
    let cell = whole.chosen(Choice::Cell(3, 5));
    assert_eq!(cell.len() as u64, results.confusion[3][5]);
    assert!(
        cell.iter()
            .all(|answer| answer.label == Some(3) && answer.class() == 5)
    );
    fs::remove_file(dir.summary_json()).unwrap();
    assert!(Opened::load(&dir).unwrap_err().contains("no summary.json"));
}

#[test]
fn each_is_compared_with_the_first_image_by_image() {
    let compared = fixtures::compared();
    let pair = compared.pair(1).unwrap();
    let right = |number: usize| {
        compared.evaluations[number]
            .results
            .accuracy
            .as_ref()
            .unwrap()
            .correct as i64
    };
    let net = pair.counts.only_second as i64 - pair.counts.only_first as i64;
    assert_eq!(net, right(1) - right(0));
    assert_eq!(
        pair.classes.iter().map(|class| class.net()).sum::<i64>(),
        net
    );
    assert!(
        pair.changed
            .iter()
            .all(|one| one.first.class() != one.second.class())
    );
    assert!(compared.pair(0).is_none());
}

#[test]
fn different_images_are_not_compared() {
    let mut other = opened("beta", 1, 9);
    other.card.sha256 = "77".repeat(32);
    let compared = Compared::of(vec![opened("alpha", 1, 5), other]);
    assert_eq!(compared.pairs, [Pair::default()]);
}

#[test]
fn only_new_and_changed_evaluations_are_read_and_running_ones_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().canonicalize().unwrap();
    let dir = |name: &str| {
        let path = tree.join(EVALUATIONS).join(name);
        fs::create_dir_all(&path).unwrap();
        EvaluationDir::new(path)
    };
    let find = |known| {
        let (sender, outcomes) = std::sync::mpsc::channel();
        let trees = vec![tree.clone()];
        let send = move |outcome| drop(sender.send(outcome));
        carry_out(EvaluationJob::Find { trees, known }, send);
        match outcomes.recv().unwrap() {
            EvaluationOutcome::Found {
                dirs,
                read,
                running,
                trees,
                watch,
            } => {
                assert!(watch.contains(&tree.join(EVALUATIONS)));
                assert_eq!(trees.as_slice(), std::slice::from_ref(&tree));
                (dirs.len(), read, running)
            }
            other => panic!("{other:?}"),
        }
    };
    for (name, views) in [("a", 1), ("b", 8)] {
        made("alpha", views, 5).0.save(&dir(name)).unwrap();
    }
    fs::write(dir("damaged").summary_json(), "{").unwrap();
    let (count, read, running) = find(HashMap::new());
    assert_eq!((count, read.len(), running.len()), (3, 3, 0));
    let damaged = read.iter().find(|known| known.card.dir == dir("damaged"));
    assert!(
        damaged
            .unwrap()
            .card
            .problem
            .as_ref()
            .unwrap()
            .contains("is damaged")
    );
    let known: HashMap<_, _> = read
        .into_iter()
        .map(|known| (known.card.dir, known.stamps))
        .collect();
    let progress = Progress {
        name: "c".to_owned(),
        process: Process::current(),
        checkpoints: made("alpha", 1, 5).0.checkpoints,
        started_at: jiff::Timestamp::UNIX_EPOCH,
        updated_at: jiff::Timestamp::UNIX_EPOCH,
        images_done: 45,
        images_total: 100,
        images_per_s: 10.0,
    };
    progress.save(&dir(".c.1-0.tmp")).unwrap();
    let changed = Results {
        views: 16,
        ..made("alpha", 8, 5).0
    };
    changed.save(&dir("b")).unwrap();
    let (count, read, running) = find(known);
    assert_eq!((count, read.len()), (3, 1));
    assert_eq!(read[0].card.views, 16);
    assert_eq!(
        (running[0].fraction, running[0].is_abandoned),
        (0.45, false)
    );
    assert!(running[0].is_of("alpha", &RunDir::new("/moved")));
}
