//! What queries find among a few runs that were read from files, and the problems of those that
//! make no sense.

use std::sync::LazyLock;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;

use super::complete::complete;
use super::filter::{Clock, Filter, read};
use super::{Memo, Names, Samples, Subject};
use crate::run_of_files::run_of_files;
use traintop_run::RunDir;
use traintop_run::finding::Finding;
use traintop_run::state::State;
use traintop_run::summary::Summary;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn clock() -> Clock {
    Clock {
        now: now(),
        zone: TimeZone::UTC,
    }
}

fn run(name: &str, config: &str, metrics: &str) -> Summary {
    let mut summary = run_of_files(name, Some(config), metrics);
    summary.name = name.to_owned();
    summary.dir = RunDir::new(format!("/runs/{name}"));
    summary
}

/// `old`: finished, tagged, large. `young`: failed, its accuracies parts of one. `bare`: without
/// configuration.
fn runs() -> &'static [Summary] {
    static RUNS: LazyLock<Vec<Summary>> = LazyLock::new(made);
    &RUNS
}

fn made() -> Vec<Summary> {
    let metrics =
        "epoch,val_acc,val_loss,learning_rate\n1,90.5,0.5,0.1\n2,94.6,0.3,0.05\n3,94.1,0.4,0.01\n";
    let config = r#"{"model_name": "resnet_se", "num_epochs": 3, "learning_rate": 0.05, "batch_size": 128, "seed": 1,
        "jitter": {"hue": 0.1}, "data_dir": "my data"}"#;
    let mut old = run("old", config, metrics);
    old.notes.tags = vec!["paper".to_owned(), "long words".to_owned()];
    old.notes.star = true;
    let odd = Finding::new("missing_epochs", "epoch 7 is missing");
    old.findings = Some(vec![odd]);
    old.started_at = Some(now() - 72.hours());
    old.size_bytes = Some(20_000_000_000);
    let config = r#"{"model_name": "resnet_small", "num_epochs": 9, "learning_rate": 0.2, "batch_size": 12, "seed": 2}"#;
    let mut young = run(
        "young",
        config,
        "epoch,val_acc,val_loss\n1,0.30,nan\n2,0.52,nan\n",
    );
    young.observed.state = State::Failed;
    young.observed.reason = Some("out of memory".to_owned());
    young.started_at = Some(now() - 2.hours());
    young.size_bytes = Some(1_000_000);
    let mut bare = run("bare", "", "step,loss\n1,3\n2,2\n");
    bare.started_at = Some(now() - 20.hours());
    bare.notes.note = "Über alles".to_owned();
    vec![old, young, bare]
}

fn found(query: &str) -> Vec<String> {
    let runs = runs();
    let filter = match read(query, &Names::of(runs), &clock()) {
        Ok(filter) => filter,
        Err(problem) => panic!("{}\n{problem}", problem.shown_in(query)),
    };
    let mut samples = Samples::default();
    samples.insert(runs[0].dir.clone(), 1, vec![("val_acc".to_owned(), 90.5)]);
    let passes = |run: &&Summary| filter.passes(&Subject::new(run, now(), &samples));
    runs.iter()
        .filter(passes)
        .map(|run| run.name.clone())
        .collect()
}

#[test]
fn runs_are_found_by_every_kind_of_value() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["old", "young", "bare"]),
        ("val_acc>94", &["old"]),
        ("val_acc>50", &["old", "young"]),
        ("best.val_acc>=94.6", &["old"]),
        ("best.val_loss<0.35", &["old"]),
        ("best.val_acc:52", &["young"]),
        ("last.val_loss<0.35", &[]),
        ("at1.val_acc>90", &["old"]),
        ("val_loss:nan", &["young"]),
        ("model:resnet", &["old", "young"]),
        ("model=resnet", &[]),
        ("model:SE,small", &["old", "young"]),
        ("tag:paper", &["old"]),
        ("tag:\"long words\"", &["old"]),
        ("-tag:*", &["young", "bare"]),
        ("state:fail", &["young"]),
        ("reason:memory", &["young"]),
        ("age<1d", &["young", "bare"]),
        ("age>2d", &["old"]),
        ("started:today", &["young"]),
        ("started:yesterday", &["bare"]),
        ("started<2026-11-23", &["old"]),
        ("started>2026-11-23", &["young"]),
        ("started>=2026-11-23", &["young", "bare"]),
        ("started:2026-11-21..2026-11-23", &["old", "bare"]),
        ("size>10GB", &["old"]),
        ("lr<0.1", &["old"]),
        ("lr:0.05..0.2", &["old", "young"]),
        ("last.learning_rate<0.02", &["old"]),
        ("batch_size:12", &["young"]),
        ("batch_size!=12", &["old", "bare"]),
        ("bs:12,128", &["old", "young"]),
        ("hue:0.1", &["old"]),
        ("config.hue:0.10", &["old"]),
        ("data_dir:\"my data\"", &["old"]),
        ("is:starred", &["old"]),
        ("starred", &["old"]),
        ("is:odd", &["old"]),
        ("odd:missing", &["old"]),
        ("odd:schedule", &[]),
        ("über", &["bare"]),
        ("resnet -small", &["old"]),
        ("lr<0.1 or state:failed", &["old", "young"]),
        ("(small or se) -seed:2", &["old"]),
        ("epochs<3", &["young", "bare"]),
        ("note:alles", &["bare"]),
    ];
    for (query, expected) in cases {
        assert_eq!(found(query), *expected, "{query}");
    }
}

#[test]
fn a_query_that_makes_no_sense_says_why_at_the_word() {
    let names = Names::of(runs());
    let problem = |query: &str| {
        let problem = read(query, &names, &clock()).unwrap_err();
        format!("{}: {problem}", &query[problem.span.clone()])
    };
    insta::assert_snapshot!(
        [
            "x lrate<0.1",
            "val_ac>94",
            "zzzzzzzzzz:1",
            "best.nothing>1",
            "age<2",
            "age<soon",
            "size>large",
            "started>whenever",
            "val_acc>high",
            "seed>high",
            "state:runing",
            "is:nice",
            "model>3",
            "a (b",
        ]
        .map(problem)
        .join("\n")
    );
}

#[test]
fn problem_is_marked_below_the_word() {
    let names = Names::of(runs());
    let query = "猫 lrate<0.1";
    let problem = read(query, &names, &clock()).unwrap_err();
    assert_eq!(problem.shown_in(query), "猫 lrate<0.1\n   ^^^^^");
}

#[test]
fn of_no_runs_every_name_may_be_asked() {
    let filter = read("anything>3 best.x<1", &Names::default(), &clock()).unwrap();
    assert!(!filter.is_everything());
    let at = read("at50.x<1 or -at7.y>2", &Names::default(), &clock()).unwrap();
    assert_eq!(at.epochs(), [7, 50].into());
}

#[test]
fn names_and_values_are_completed() {
    let runs = runs();
    let names = Names::of(runs);
    let samples = Samples::default();
    let candidates = |query: &str| {
        let subjects = runs.iter().map(|run| Subject::new(run, now(), &samples));
        let (range, candidates) =
            complete(query, query.len(), &names, subjects, &mut Memo::default());
        let texts: Vec<_> = candidates.into_iter().map(|one| one.text).take(4).collect();
        format!("{} -> {}", &query[range], texts.join(" | "))
    };
    insta::assert_snapshot!(
        [
            "",
            "val",
            "x -st",
            "(best.v",
            "at50.val",
            "state:f",
            "tag:",
            "tag:lo",
            "model:resnet_se,",
            "data_dir:\"my",
            "is:s",
            "age<",
            "seed:",
            "nothing:",
        ]
        .map(candidates)
        .join("\n")
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(query in "[a-z0-9_.:<>=!()\\- \"*,]{0,40}|(?s).{0,20}", cursor in 0..50_usize) {
        let runs = runs();
        let names = Names::of(runs);
        let samples = Samples::default();
        if let Ok(filter) = read(&query, &names, &clock()) {
            for run in runs {
                let is = filter.passes(&Subject::new(run, now(), &samples));
                let negated = Filter::Not(Box::new(filter.clone()));
                prop_assert_eq!(negated.passes(&Subject::new(run, now(), &samples)), !is);
            }
        }
        let subjects = runs.iter().map(|run| Subject::new(run, now(), &samples));
        let (range, _) = complete(&query, cursor, &names, subjects, &mut Memo::default());
        prop_assert!(query.get(range).is_some());
    }
}

#[test]
fn what_is_kept_while_one_types_is_what_each_run_answers() {
    let queries = [
        "val_acc>94 lr<0.1 model:resnet age<2d or -tag:paper",
        "at2.val_acc>90 (old or not state:failed) best.val_loss<0.4",
        "note:*  hue:0.1,0.2 size>1GB \"long words\"",
    ];
    let (samples, names, mut memo) = (Samples::default(), Names::of(runs()), Memo::default());
    let subject = |run| Subject::new(run, now(), &samples);
    let subjects: Vec<Subject> = runs().iter().map(subject).collect();
    let mut asked = 0;
    for query in queries {
        for cut in 0..=query.len() {
            let Ok(filter) = read(&query[..cut], &names, &clock()) else {
                continue;
            };
            asked += 1;
            let plain: Vec<bool> = subjects.iter().map(|run| filter.passes(run)).collect();
            // Twice, so that the second time it is only remembered.
            for _ in 0..2 {
                assert_eq!(memo.passing(&filter, &subjects), plain, "{query:?} {cut}");
            }
        }
    }
    assert!(asked > 50, "{asked}");
}
