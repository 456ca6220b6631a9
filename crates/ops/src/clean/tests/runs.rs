//! Which whole runs are offered or go by hand, and which stay.

use super::*;

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
        (plan.at_work, plan.protected, candidates(&plan)),
        (2, 5, Vec::new())
    );
    let policy = Policy {
        protect: vec![Protection::Starred],
        ..Policy::default()
    };
    let plan = tree.plan(&policy);
    assert_eq!((plan.at_work, plan.protected), (2, 1));
    let runs: Vec<String> = candidates(&plan).into_iter().map(|(run, ..)| run).collect();
    assert_eq!(
        runs,
        ["baseline", "evaluated", "evaluated", "noted", "tagged"]
    );
}

#[test]
fn empty_few_epoch_and_old_runs_are_listed_by_their_reasons() {
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
        let candidates = candidates(&tree.plan(policy)).into_iter();
        candidates
            .map(|(run, what, reason)| (run, what, reason.name()))
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
        candidates(&plan),
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
    let whole: Vec<_> = candidates(&tree.plan(&every))
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
