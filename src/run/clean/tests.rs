//! What may go and what never does, on real folders.

pub(super) mod held;
mod layouts;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::run::discover::discover;
use crate::run::layout::RunDir;
use crate::run::notes::{Change, Notes};
use crate::run::process::Process;
use crate::run::record::Record;
use crate::run::state::State;
use crate::run::trash::{self, Trash};

/// An output tree with runs in it.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn root(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    /// A run of ten seconds an epoch, most accurate at the epoch `best`, with a checkpoint every ten epochs.
    fn run(&self, name: &str, state: State, epochs: u32, best: u32) -> RunDir {
        let dir = RunDir::new(self.root().join("training_runs").join(name));
        fs::create_dir_all(dir.logs()).unwrap();
        fs::create_dir_all(dir.checkpoints()).unwrap();
        let mut record = Record::new(
            &dir,
            name.to_owned(),
            Process::current(),
            Vec::new(),
            Timestamp::UNIX_EPOCH,
        );
        record.state = state;
        record.epochs_planned = 100;
        record.save(&dir).unwrap();
        fs::write(dir.config_json(), format!("{{\"seed\": \"{name}\"}}")).unwrap();
        let mut metrics = "epoch,val_acc,time_elapsed\n".to_owned();
        for epoch in 1..=epochs {
            let accuracy = 90.0 - f64::from(epoch.abs_diff(best)) / 10.0;
            let row = format!("{epoch},{accuracy},{}\n", 10 * epoch);
            metrics.push_str(&row);
            if epoch % 10 == 0 {
                file(&dir.checkpoint(epoch), &format!("{name} {epoch}"));
            }
        }
        fs::write(dir.metrics_csv(), metrics).unwrap();
        if epochs > 0 {
            file(&dir.best(), &format!("{name} best"));
            file(&dir.last(), &format!("{name} last"));
        }
        dir
    }

    fn plan(&self, policy: &Policy) -> Plan {
        let mut found = Vec::new();
        discover(&[self.root()], |run| found.push(run));
        make(&found, policy.clone(), SystemTime::now(), |_| {})
    }

    fn carry_out(&self, plan: &Plan) -> Done {
        carry_out(plan, &[self.root()], Timestamp::now()).unwrap()
    }

    /// Every file with its bytes and time, and every folder with its time; not the trash.
    fn seen(&self) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.root()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap().flatten() {
                let path = entry.path();
                if path.ends_with(trash::FOLDER) {
                    continue;
                }
                let metadata = fs::symlink_metadata(&path).unwrap();
                if metadata.is_dir() {
                    folders.push(path.clone());
                }
                let bytes = fs::read(&path).unwrap_or_default();
                found.insert(path, (bytes, metadata.modified().unwrap()));
            }
        }
        found
    }
}

/// A file of weights: two blocks, told apart by its text.
fn file(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text.repeat(8000 / text.len())).unwrap();
}

fn age(path: &Path, hours: u64) {
    let before = SystemTime::now() - Duration::from_secs(3600 * hours);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(before).unwrap();
}

fn told(plan: &Plan) -> Vec<(String, String, Reason)> {
    let one = |candidate: &Candidate| {
        let run = plan.survey.runs[candidate.run].dir.name();
        (run, candidate.what.clone(), candidate.reason)
    };
    let mut told: Vec<_> = plan.candidates.iter().map(one).collect();
    told.sort();
    told
}

fn select_all(mut plan: Plan) -> Plan {
    for candidate in &mut plan.candidates {
        candidate.is_in = true;
    }
    plan
}

fn whats(plan: &Plan) -> Vec<String> {
    told(plan).into_iter().map(|(_, what, _)| what).collect()
}

#[test]
fn what_any_rule_keeps_stays_and_the_rest_is_weighed() {
    let tree = Tree::new();
    let dir = tree.run("a", State::Finished, 60, 33);
    let plan = tree.plan(&Policy::default());
    let expected = [
        "epoch 10", "epoch 20", "epoch 30", "epoch 40", "epoch 50", "epoch 60",
    ];
    assert_eq!(whats(&plan), expected);
    let policy = Policy {
        keep_best: 2,
        keep_last: 2,
        keep_every: 20,
        ..Policy::default()
    };
    // 30 is next to the best, 60 the last but one, and 20, 40 and 60 are kept as every twentieth.
    let plan = tree.plan(&policy);
    assert_eq!(whats(&plan), ["epoch 10", "epoch 50"]);
    // 10 begins at nothing; 50 at 40: ten seconds an epoch.
    let cost = |what: &str| {
        let mut candidates = plan.candidates.iter();
        candidates.find(|one| one.what == what).unwrap().cost_s
    };
    assert_eq!(
        (cost("epoch 10"), cost("epoch 50")),
        (Some(100.0), Some(100.0))
    );
    let mut plan = tree.plan(&Policy::default());
    let of = |plan: &Plan, what: &str| {
        let mut candidates = plan.candidates.iter();
        candidates.position(|one| one.what == what).unwrap()
    };
    let (ten, thirty) = (of(&plan, "epoch 10"), of(&plan, "epoch 30"));
    assert_eq!(plan.candidates[thirty].cost_s, Some(300.0));
    plan.candidates[ten].is_in = false;
    plan.reckon(None);
    assert_eq!(plan.candidates[thirty].cost_s, Some(200.0));
    assert!(
        plan.sentence()
            .starts_with("move 5 files to the trash (of 1 run); purging"),
        "{}",
        plan.sentence()
    );
    let totals = plan.totals(|_| true);
    assert_eq!(
        (totals.count, totals.in_count, totals.bytes),
        (6, 5, 5 * 8192)
    );
    plan.order = Order::BytesPerHour;
    plan.sort();
    let rates: Vec<f64> = plan
        .candidates
        .iter()
        .filter_map(Candidate::bytes_per_hour)
        .collect();
    assert!(rates.is_sorted_by(|a, b| a >= b), "{rates:?}");
    let before = tree.seen();
    let done = tree.carry_out(&plan);
    assert_eq!((done.count, done.left), (5, Vec::new()));
    assert!(dir.checkpoint(10).exists() && !dir.checkpoint(50).exists());
    trash::restore_all(&done.tickets).unwrap();
    assert_eq!(tree.seen(), before);
}

#[test]
fn best_and_last_weights_stay_whatever_becomes_of_their_run() {
    let tree = Tree::new();
    let dir = tree.run("failed", State::Failed, 20, 7);
    // Also where another file has the same content.
    file(
        &tree.root().join("best_models/failed_best.safetensors"),
        "failed best",
    );
    let none = Policy {
        keep_best: 0,
        keep_last: 0,
        min_epochs: 90,
        max_age: 1,
        protect: Vec::new(),
        ..Policy::default()
    };
    for policy in [Policy::default(), none.clone()] {
        assert_eq!(whats(&tree.plan(&policy)), ["epoch 10", "epoch 20"]);
    }
    // What a rule keeps is offered because the run failed, and is not selected.
    let every = Policy {
        keep_every: 10,
        ..none
    };
    let plan = tree.plan(&every);
    let reasons: Vec<_> = plan
        .candidates
        .iter()
        .map(|one| (one.reason, one.is_in))
        .collect();
    assert_eq!(reasons, [(Reason::Failed, false); 2]);
    tree.carry_out(&select_all(plan));
    assert!(dir.best().exists() && dir.metrics_csv().exists() && dir.last().exists());
    assert!(!dir.checkpoint(10).exists());
    assert_eq!(told(&tree.plan(&Policy::default())), []);
}

#[test]
fn without_a_file_called_best_the_most_accurate_epoch_is_it() {
    let tree = Tree::new();
    let dir = tree.run("a", State::Finished, 40, 20);
    fs::remove_file(dir.best()).unwrap();
    let none = Policy {
        keep_best: 0,
        keep_last: 0,
        ..Policy::default()
    };
    let expected = ["epoch 10", "epoch 30", "epoch 40"];
    assert_eq!(whats(&tree.plan(&none)), expected);
    // Names may count epochs from 0 where metrics count from 1, or the other way round.
    for epoch in [18, 19, 21, 22] {
        file(&dir.checkpoint(epoch), "beside the best");
    }
    let expected = ["epoch 10", "epoch 18", "epoch 22", "epoch 30", "epoch 40"];
    assert_eq!(whats(&tree.plan(&none)), expected);
    // Without a file called last the last epoch is it.
    fs::remove_file(dir.last()).unwrap();
    // So is the one written last, in case the training was started anew.
    assert_eq!(
        whats(&tree.plan(&none)),
        ["epoch 10", "epoch 18", "epoch 30"]
    );
    // Where nothing tells which is the best, none goes.
    fs::write(dir.metrics_csv(), "epoch,loss\n1,1.0\n40,0.5\n").unwrap();
    assert_eq!(told(&tree.plan(&none)), []);
}

#[test]
fn accuracies_of_rows_placed_by_steps_are_those_of_their_epochs() {
    let tree = Tree::new();
    let dir = tree.run("a", State::Finished, 40, 20);
    fs::remove_file(dir.best()).unwrap();
    // By its step, epoch 10 would have the accuracy of the row of step 10, the highest.
    let mut metrics = "epoch,step,val_acc\n".to_owned();
    for epoch in 1..=40_u32 {
        let accuracy = 90 - epoch.abs_diff(30);
        let row = format!("{epoch},{},{accuracy}\n", epoch * 1000);
        metrics.push_str(&row);
    }
    fs::write(dir.metrics_csv(), metrics).unwrap();
    assert_eq!(
        whats(&tree.plan(&Policy::default())),
        ["epoch 10", "epoch 20", "epoch 40"]
    );
}

#[test]
fn each_network_of_a_run_keeps_its_best_and_its_last() {
    let tree = Tree::new();
    let dir = tree.run("a", State::Finished, 40, 20);
    fs::remove_dir_all(dir.checkpoints()).unwrap();
    for (name, last) in [("generator", 40), ("critic", 30)] {
        for epoch in (10..=last).step_by(10) {
            let path = dir.path().join(format!("{name}_epoch_{epoch}.pth"));
            file(&path, name);
        }
    }
    let plan = tree.plan(&Policy::default());
    let mut paths: Vec<_> = plan
        .candidates
        .iter()
        .map(|one| one.paths[0].file_name().unwrap().to_owned())
        .collect();
    paths.sort();
    let expected = [
        "critic_epoch_10.pth",
        "generator_epoch_10.pth",
        "generator_epoch_30.pth",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn a_file_stands_for_the_last_only_if_it_may_be_it() {
    let tree = Tree::new();
    let dir = tree.run("a", State::Finished, 40, 20);
    let without_last = |name: &str, text: &str, hours: u64| {
        for file in fs::read_dir(dir.path()).unwrap().flatten() {
            let name = file.file_name();
            let name = name.to_string_lossy();
            if name.contains("last") || name.contains("latest") {
                fs::remove_file(file.path()).unwrap();
            }
        }
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        age(&path, hours);
        whats(&tree.plan(&Policy::default()))
    };
    let weights = "w".repeat(8000);
    let all = ["epoch 10", "epoch 20", "epoch 30", "epoch 40"];
    assert_eq!(without_last("last.pt", &weights, 0), all);
    assert_eq!(without_last("model_latest.pt", &weights, 0), all);
    // The word within another, something small, something old.
    assert_eq!(without_last("blast.pt", &weights, 0), all[..3]);
    assert_eq!(without_last("last_layer.pt", "w", 0), all[..3]);
    assert_eq!(without_last("last.pt", &weights, 5), all[..3]);
    // Started anew, it counts from the beginning.
    for epoch in [20, 30, 40] {
        age(&dir.checkpoint(epoch), 3);
    }
    assert_eq!(without_last("last.pt", &weights, 5), all[1..3]);
}

#[test]
fn folders_of_projects_are_not_removed_by_hand_either() {
    let tree = Tree::new();
    let dir = tree.run("a", State::Finished, 10, 5);
    let below = dir.path().join("resumed/run.json");
    let git = dir.path().join(".git/HEAD");
    for path in [below, git] {
        file(&path, "x");
        let dirs = [dir.clone()];
        let done = remove_runs(&dirs, &[tree.root()], Timestamp::now()).unwrap();
        assert!(
            done.count == 0 && done.left[0].1.contains("by hand"),
            "{done:?}"
        );
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
    let done = remove_runs(&[dir], &[tree.root()], Timestamp::now()).unwrap();
    assert_eq!(done.count, 1);
}

#[test]
fn runs_at_work_and_protected_ones_are_left_alone() {
    let tree = Tree::new();
    tree.run("queued", State::Queued, 20, 5);
    // Its process lives: it is this one.
    tree.run("running", State::Running, 20, 5);
    let marks = [
        ("starred", Change::Star(true)),
        ("tagged", Change::Tags(vec!["paper".to_owned()])),
        ("noted", Change::Note("seed 3".to_owned())),
        ("baseline", Change::Baseline(true)),
    ];
    for (name, change) in marks {
        Notes::change(&tree.run(name, State::Failed, 0, 0), &change).unwrap();
    }
    let evaluated = tree.run("evaluated", State::Finished, 20, 5);
    let folder = tree.root().join("evaluations/one");
    fs::create_dir_all(&folder).unwrap();
    let path = evaluated.path().to_string_lossy().into_owned();
    let id = Record::load(&evaluated).unwrap().unwrap().id;
    fs::write(folder.join("predictions.csv"), "ID,Labels\n").unwrap();
    let summary =
        json!({ "schema_version": 1, "checkpoints": [{ "run": { "id": id, "path": path } }] });
    fs::write(folder.join("summary.json"), summary.to_string()).unwrap();
    let plan = tree.plan(&Policy::default());
    assert_eq!(
        (plan.at_work, plan.protected, told(&plan)),
        (2, 5, Vec::new())
    );
    let policy = Policy {
        protect: vec![Protection::Starred],
        ..Policy::default()
    };
    let plan = tree.plan(&policy);
    assert_eq!((plan.at_work, plan.protected), (2, 1));
    let runs: Vec<String> = told(&plan).into_iter().map(|(run, ..)| run).collect();
    assert_eq!(
        runs,
        ["baseline", "evaluated", "evaluated", "noted", "tagged"]
    );
}

#[test]
fn what_has_changed_since_the_plan_was_made_stays() {
    let tree = Tree::new();
    let [resumed, starred, rewritten, bestless, quiet] =
        ["resumed", "starred", "rewritten", "bestless", "quiet"]
            .map(|name| tree.run(name, State::Stopped, 10, 5));
    let plan = tree.plan(&Policy::default());
    assert_eq!(plan.candidates.len(), 5);
    let mut record = Record::load(&resumed).unwrap().unwrap();
    record.state = State::Starting;
    record.save(&resumed).unwrap();
    Notes::change(&starred, &Change::Star(true)).unwrap();
    file(&rewritten.checkpoint(10), "written anew");
    fs::remove_file(bestless.best()).unwrap();
    let done = tree.carry_out(&plan);
    assert_eq!(done.count, 1);
    assert!(!quiet.checkpoint(10).exists());
    let why = |dir: &RunDir| {
        let path = dir.checkpoint(10);
        let path = path.strip_prefix(tree.root()).unwrap().to_owned();
        done.left
            .iter()
            .find(|(left, _)| *left == path)
            .unwrap()
            .1
            .clone()
    };
    assert!(why(&resumed).contains("it is starting"));
    assert_eq!(why(&starred), "its run is starred");
    assert_eq!(why(&rewritten), "it has changed since the plan was made");
    assert!(why(&bestless).contains("best.safetensors was to stay in its stead"));
    for dir in [&resumed, &starred, &rewritten, &bestless] {
        assert!(dir.checkpoint(10).exists());
    }
}

#[test]
fn empty_few_epoch_and_old_runs_are_told_by_their_reasons() {
    let tree = Tree::new();
    tree.run("empty", State::Stopped, 0, 0);
    let few = tree.run("few", State::Stopped, 3, 2);
    let old = tree.run("old", State::Stopped, 8, 2);
    for path in [old.metrics_csv(), old.config_json(), old.run_json()] {
        age(&path, 24 * 100);
    }
    let policy = Policy {
        min_epochs: 5,
        max_age: 90,
        ..Policy::default()
    };
    let reasons = |policy: &Policy| -> Vec<_> {
        let told = told(&tree.plan(policy)).into_iter();
        told.map(|(run, what, reason)| (run, what, reason.name()))
            .collect()
    };
    let named = |expected: &[(&str, &'static str)]| -> Vec<_> {
        let whole = |(run, reason): &(&str, &'static str)| {
            ((*run).to_owned(), "the whole run".to_owned(), *reason)
        };
        expected.iter().map(whole).collect()
    };
    // What has weights stays.
    assert_eq!(reasons(&policy), named(&[("empty", "empty")]));
    for dir in [&few, &old] {
        fs::remove_file(dir.best()).unwrap();
        fs::remove_file(dir.last()).unwrap();
    }
    let expected = [("empty", "empty"), ("few", "few_epochs"), ("old", "old")];
    assert_eq!(reasons(&policy), named(&expected));
    let plan = tree.plan(&policy);
    assert!(plan.candidates.iter().all(|one| !one.is_in));
    let costs: Vec<_> = plan.candidates.iter().map(Candidate::cost).collect();
    assert_eq!(
        costs[0], "?",
        "what was never trained is not known to be free"
    );
    let lines = select_all(plan).whole_runs();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("empty: ") && lines[0].ends_with("no rows, no best value"));
    assert!(lines[1].starts_with("few: ") && lines[1].ends_with("3 epochs, best 90.00 %"));
    Notes::change(&old, &Change::Note("keep".to_owned())).unwrap();
    let unprotected = Policy {
        protect: Vec::new(),
        ..policy
    };
    assert_eq!(reasons(&unprotected), named(&expected[..2]));
}

#[test]
fn the_first_ten_whole_runs_are_named_and_the_others_counted() {
    let tree = Tree::new();
    for number in 0..13 {
        tree.run(&format!("r{number:02}"), State::Stopped, 0, 0);
    }
    let lines = select_all(tree.plan(&Policy::default())).whole_runs();
    assert_eq!(lines.len(), 11);
    assert!(lines[9].starts_with("r09: "));
    assert_eq!(lines[10], "and 3 more whole runs");
}

#[test]
fn exact_duplicates_are_found_by_content_and_keep_one_copy() {
    let tree = Tree::new();
    let every = Policy {
        keep_every: 10,
        ..Policy::default()
    };
    let dir = tree.run("a", State::Finished, 20, 5);
    let best = fs::read(dir.best()).unwrap();
    fs::write(dir.checkpoint(10), &best).unwrap();
    let mut other = best;
    *other.last_mut().unwrap() ^= 1;
    fs::write(dir.checkpoint(20), other).unwrap();
    let plan = tree.plan(&every);
    assert_eq!(
        told(&plan),
        [("a".to_owned(), "epoch 10".to_owned(), Reason::Duplicate)]
    );
    assert_eq!(plan.candidates[0].detail, "the same as a/best.safetensors");
    assert_eq!(plan.candidates[0].cost_s, Some(0.0));
    // A run that is a copy of another in all that counts.
    let copy = tree.root().join("training_runs/copy");
    let output = std::process::Command::new("cp")
        .arg("-r")
        .args([dir.path(), &copy])
        .status();
    assert!(output.unwrap().success());
    let whole: Vec<_> = told(&tree.plan(&every))
        .into_iter()
        .filter(|(_, what, _)| what == "the whole run")
        .collect();
    assert_eq!(whole.len(), 1, "one of the two stays");
    let plan = select_all(tree.plan(&every));
    let done = tree.carry_out(&plan);
    assert!(done.left.is_empty());
    assert!(dir.best().exists() ^ copy.join("best.safetensors").exists());
    assert_eq!(done.runs.len(), 1);
}

#[test]
fn stale_temporary_files_go_and_fresh_ones_stay() {
    let tree = Tree::new();
    let dir = tree.run("a", State::Finished, 5, 5);
    for (name, hours) in [
        (".last.safetensors.71-0.tmp", 2),
        (".run.json.72-13.tmp", 0),
        (".mine.tmp", 9),
        ("x.71-0.tmp", 9),
    ] {
        let path = dir.path().join(name);
        fs::write(&path, "half").unwrap();
        age(&path, hours);
    }
    assert_eq!(
        whats(&tree.plan(&Policy::default())),
        [".last.safetensors.71-0.tmp"]
    );
}

#[test]
fn an_optimiser_s_state_is_dropped_only_on_demand_and_comes_back() {
    let tree = Tree::new();
    let dir = tree.run("a", State::Stopped, 5, 5);
    let header = json!({
        "fc.weight": { "dtype": "U8", "shape": [8192], "data_offsets": [0, 8192] },
        "momentum.fc.weight": { "dtype": "U8", "shape": [8192], "data_offsets": [8192, 16384] },
    })
    .to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend([vec![1; 8192], vec![2; 8192]].concat());
    fs::write(dir.last(), &bytes).unwrap();
    let mut plan = tree.plan(&Policy::default());
    assert_eq!(
        told(&plan),
        [(
            "a".to_owned(),
            "last.safetensors".to_owned(),
            Reason::OptimiserState
        )]
    );
    assert_eq!(
        (plan.candidates[0].bytes(), plan.candidates[0].is_in),
        (8192, false)
    );
    assert_eq!(
        plan.candidates[0].detail,
        "the run can then no longer be resumed"
    );
    assert_eq!(plan.sentence(), "nothing is selected to go");
    plan.candidates[0].is_in = true;
    assert!(
        plan.sentence()
            .starts_with("drop the optimiser state of 1 checkpoint (of 1 run)")
    );
    let before = tree.seen();
    let done = tree.carry_out(&plan);
    let slim = fs::read(dir.last()).unwrap();
    assert!(slim.len() < 8192 + 200 && slim.ends_with(&[1; 8192]));
    assert_eq!(told(&tree.plan(&Policy::default())), []);
    trash::restore_all(&done.tickets).unwrap();
    assert_eq!(tree.seen(), before);
}

#[test]
fn shared_and_linked_files_count_what_the_disk_gives_back() {
    let tree = Tree::new();
    let dir = tree.run("a", State::Finished, 20, 5);
    let outside = tempfile::tempdir().unwrap();
    fs::hard_link(dir.checkpoint(10), outside.path().join("kept")).unwrap();
    fs::File::options()
        .write(true)
        .open(dir.checkpoint(20))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    // A folder of checkpoints that is a link is somebody else's.
    let other = tree.run("b", State::Finished, 20, 5);
    fs::rename(other.checkpoints(), outside.path().join("theirs")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("theirs"), other.checkpoints()).unwrap();
    let plan = tree.plan(&Policy::default());
    let bytes: Vec<_> = plan
        .candidates
        .iter()
        .map(|one| (one.what.as_str(), one.bytes()))
        .collect();
    assert_eq!(bytes, [("epoch 20", 8192), ("epoch 10", 0)]);
    assert_eq!(plan.totals(|_| true).bytes, 8192);
    let done = tree.carry_out(&plan);
    assert_eq!(done.bytes, 8192);
    let trash = Trash::of(&tree.root()).unwrap();
    assert_eq!(trash.list().unwrap().0[0].bytes, 8192);
}

#[test]
fn whole_runs_go_by_hand_but_never_one_at_work() {
    let tree = Tree::new();
    let (starred, running) = (
        tree.run("a", State::Finished, 20, 5),
        tree.run("b", State::Running, 5, 5),
    );
    Notes::change(&starred, &Change::Star(true)).unwrap();
    let before = tree.seen();
    let done = remove_runs(
        &[starred.clone(), running.clone()],
        &[tree.root()],
        Timestamp::now(),
    )
    .unwrap();
    assert_eq!(
        (done.count, done.runs.clone(), done.left.len()),
        (1, vec![starred.clone()], 1)
    );
    assert!(running.path().exists() && !starred.path().exists());
    let mut found = Vec::new();
    discover(&[tree.root()], |run| found.push(run.dir));
    assert_eq!(found, [running], "what is in the trash is no run");
    trash::restore_all(&done.tickets).unwrap();
    assert_eq!(tree.seen(), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_policy_takes_best_or_last_weights_or_anything_outside_its_plan(
        runs in prop::collection::vec((0..4_usize, 0..50_u32, 1..50_u32, prop::bool::ANY), 1..4),
        rules in (0..3_u32, 0..3_u32, 0..30_u32, 0..20_u32),
        marks in prop::collection::vec(prop::bool::ANY, 12),
    ) {
        let tree = Tree::new();
        let states = [State::Finished, State::Failed, State::Stopped, State::Running];
        let mut kept = Vec::new();
        for (number, (state, epochs, best, star)) in runs.into_iter().enumerate() {
            let dir = tree.run(&format!("r{number}"), states[state], epochs, best);
            if star {
                Notes::change(&dir, &Change::Star(true)).unwrap();
            }
            if epochs > 0 {
                kept.extend([dir.best(), dir.last()]);
            }
        }
        let (keep_best, keep_last, keep_every, min_epochs) = rules;
        let policy = Policy { keep_best, keep_last, keep_every, min_epochs, ..Policy::default() };
        let mut plan = tree.plan(&policy);
        for (candidate, mark) in plan.candidates.iter_mut().zip(marks.iter().cycle()) {
            candidate.is_in = *mark;
        }
        let before = tree.seen();
        let done = tree.carry_out(&plan);
        prop_assert!(done.left.is_empty(), "{:?}", done.left);
        let after = tree.seen();
        let going: Vec<&PathBuf> = plan.candidates.iter().filter(|one| one.is_in).flat_map(|one| &one.paths).collect();
        for (path, (bytes, _)) in &before {
            let goes = going.iter().any(|going| path.starts_with(going));
            let now = after.get(path).map(|(bytes, _)| bytes);
            prop_assert_eq!(now, (!goes).then_some(bytes), "{}", path.display());
        }
        prop_assert!(kept.iter().all(|kept| kept.exists()));
        trash::restore_all(&done.tickets).unwrap();
        prop_assert_eq!(tree.seen(), before);
    }
}
