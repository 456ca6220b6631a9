//! What carrying a plan out takes and leaves.

use super::*;

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
    assert!(why(&bestless).contains("best.safetensors, the copy to keep, has changed"));
    for dir in [&resumed, &starred, &rewritten, &bestless] {
        assert!(dir.checkpoint(10).exists());
    }
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
        candidates(&plan),
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
    assert_eq!(candidates(&tree.plan(&Policy::default())), []);
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
    // A folder of checkpoints that is a link is another user's.
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
