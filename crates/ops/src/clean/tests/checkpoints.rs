//! Which checkpoints of a run are offered, and which stay.

use super::*;

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
    plan.recompute_costs(None);
    assert_eq!(plan.candidates[thirty].cost_s, Some(200.0));
    assert!(
        plan.sentence()
            .starts_with("move 5 checkpoints to the trash (of 1 run); purging"),
        "{}",
        plan.sentence()
    );
    let totals = plan.totals(|_| true);
    assert_eq!(
        (totals.count, totals.in_count, totals.bytes),
        (6, 5, 5 * 8192)
    );
    plan.order = SortOrder::BytesPerHour;
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
    assert_eq!(candidates(&tree.plan(&Policy::default())), []);
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
    // So is the one written last, in case the training was restarted.
    assert_eq!(
        whats(&tree.plan(&none)),
        ["epoch 10", "epoch 18", "epoch 30"]
    );
    // Where the best is unknown, none goes.
    fs::write(dir.metrics_csv(), "epoch,loss\n1,1.0\n40,0.5\n").unwrap();
    assert_eq!(candidates(&tree.plan(&none)), []);
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
    // Restarted, it counts from the beginning.
    for epoch in [20, 30, 40] {
        age(&dir.checkpoint(epoch), 3);
    }
    assert_eq!(without_last("last.pt", &weights, 5), all[1..3]);
}

#[test]
fn weights_that_a_link_leads_to_stay() {
    let tree = Tree::new();
    let dir = tree.run("a", State::Finished, 60, 33);
    for (name, epoch) in [("best.pth", 20), ("latest.pth", 40)] {
        let target = dir.checkpoint(epoch);
        std::os::unix::fs::symlink(target, dir.path().join(name)).unwrap();
    }
    let plan = tree.plan(&Policy::default());
    assert!(!whats(&plan).is_empty());
    for epoch in [20, 40] {
        let path = dir.checkpoint(epoch);
        assert!(
            plan.candidates.iter().all(|one| !one.paths.contains(&path)),
            "{epoch}"
        );
    }
}

#[test]
fn weights_that_a_file_names_stay() {
    for (name, text) in [
        ("last_checkpoint", "checkpoints/epoch_20.safetensors"),
        (
            "last_checkpoint",
            "/moved/run/checkpoints/epoch_20.safetensors",
        ),
        (
            "checkpoints/checkpoint",
            "model_checkpoint_path: \"epoch_20\"\nall_model_checkpoint_paths: \"epoch_20\"\n",
        ),
        ("checkpoints/latest", "epoch_20.safetensors\n"),
        ("best_ckpt.txt", "checkpoints/epoch_20.safetensors 0.93\n"),
        ("checkpoints/latest_checkpointed_iteration.txt", "20"),
        (
            "trainer_state.json",
            "{\"best_model_checkpoint\": \"out/checkpoints/epoch_20.safetensors\"}",
        ),
        (
            "checkpoints/best.json",
            "{\"file\": \"../checkpoints/epoch_20.safetensors\"}",
        ),
    ] {
        let tree = Tree::new();
        let dir = tree.run("a", State::Finished, 60, 33);
        let goes = || {
            let plan = tree.plan(&Policy::default());
            let mut candidates = plan.candidates.iter();
            candidates.any(|one| one.paths.contains(&dir.checkpoint(20)))
        };
        assert!(goes());
        fs::write(dir.path().join(name), text).unwrap();
        assert!(!goes(), "{name}: {text}");
        // What leads out of the run says nothing.
        fs::write(dir.path().join(name), "../../x/epoch_20.safetensors").unwrap();
        assert!(goes(), "{name}");
    }
}

#[test]
fn both_ends_of_a_value_in_names_stay() {
    let tree = Tree::new();
    let dir = tree.run("a", State::Finished, 60, 10);
    let named = |epoch: u32, loss: &str| {
        let name = format!("w0.5-epoch={epoch:02}-val_loss={loss}.ckpt");
        let path = dir.checkpoints().join(name);
        file(&path, "weights");
        path
    };
    let paths = [
        named(10, "9.00"),
        named(20, "0.01"),
        named(30, "3.00"),
        named(40, "4.00"),
    ];
    let plan = tree.plan(&Policy::default());
    let goes = |path: &PathBuf| plan.candidates.iter().any(|one| one.paths.contains(path));
    assert_eq!(
        paths.each_ref().map(goes),
        [false, false, true, false],
        "the largest, the smallest and the last stay: {:?}",
        whats(&plan)
    );
}

/// A run of Hugging Face with checkpoints at these steps. Its validation loss is lowest at step
/// 1000, and each state names the best until then.
fn hugging_face(tree: &Tree, steps: &[u32]) -> RunDir {
    let dir = RunDir::new(tree.root().join("bert"));
    let mut history = Vec::new();
    for at in steps {
        history.push(serde_json::json!({
            "step": at, "epoch": f64::from(*at) / 500.0,
            "eval_loss": 1.0 + f64::from(at.abs_diff(1000)) / 1000.0, "eval_runtime": 60.0,
        }));
        let best = 1000.min(*at);
        let state = serde_json::json!({
            "global_step": at, "max_steps": 3000, "log_history": history,
            "best_model_checkpoint": format!("out/bert/checkpoint-{best}"),
        });
        let folder = dir.path().join(format!("checkpoint-{at}"));
        file(&folder.join("model.safetensors"), "w");
        file(&folder.join("optimizer.pt"), "o");
        fs::write(folder.join("config.json"), "{}").unwrap();
        fs::write(folder.join("trainer_state.json"), state.to_string()).unwrap();
        age(
            &folder.join("trainer_state.json"),
            100 - u64::from(*at) / 500,
        );
    }
    dir
}

#[test]
fn folders_that_are_a_checkpoint_each_go_by_their_steps() {
    let tree = Tree::new();
    let dir = hugging_face(&tree, &[500, 1000, 1500, 2000, 2500]);
    let plan = tree.plan(&Policy::default());
    assert_eq!(whats(&plan), ["step 1500", "step 2000", "step 500"]);
    assert!(plan.candidates.iter().all(|one| one.is_in));
    // Two files of 8,000 bytes, and two small ones.
    assert_eq!(plan.candidates[0].bytes(), 2 * 8192 + 2 * 4096);
    let policy = Policy {
        keep_every: 1000,
        keep_last: 2,
        ..Policy::default()
    };
    assert_eq!(whats(&tree.plan(&policy)), ["step 1500", "step 500"]);
    let before = tree.seen();
    let done = tree.carry_out(&plan);
    assert_eq!((done.count, &done.left[..]), (3, &[][..]));
    let left = fs::read_dir(dir.path()).unwrap().flatten();
    let mut left: Vec<_> = left.map(|entry| entry.file_name()).collect();
    left.sort();
    assert_eq!(left, ["checkpoint-1000", "checkpoint-2500"]);
    trash::restore_all(&done.tickets).unwrap();
    assert_eq!(tree.seen(), before);
}

#[test]
fn a_folder_that_holds_more_than_a_checkpoint_stays() {
    let tree = Tree::new();
    let dir = hugging_face(&tree, &[500, 1000, 1500, 2000]);
    let stays = dir.path().join("checkpoint-500/answers.json");
    fs::write(&stays, "{}").unwrap();
    let plan = tree.plan(&Policy::default());
    assert_eq!(whats(&plan), ["step 1500"]);
    // What changes below it after the plan was made keeps it as well.
    let inside = dir.path().join("checkpoint-1500/model.safetensors");
    fs::write(&inside, "new").unwrap();
    let done = tree.carry_out(&plan);
    assert_eq!(done.count, 0);
    assert!(inside.exists() && stays.exists());
}

#[test]
fn checkpoints_at_steps_are_judged_by_the_measurements_around_them() {
    let tree = Tree::new();
    let dir = RunDir::new(tree.root().join("ppo"));
    fs::create_dir_all(dir.path()).unwrap();
    let mut table = "time/total_timesteps,rollout/ep_rew_mean\n".to_owned();
    for at in 1..=10_i32 {
        let row = format!("{},{}\n", at * 300, 100 - 10 * (at - 5).abs());
        table.push_str(&row);
    }
    fs::write(dir.path().join("progress.csv"), table).unwrap();
    age(&dir.path().join("progress.csv"), 48);
    for step in [500, 1000, 1400, 1600, 2000, 2500, 9000] {
        let name = format!("rl_model_{step}_steps.zip");
        file(&dir.path().join(name), "w");
    }
    file(&dir.path().join("policy.zip"), "w");
    let plan = tree.plan(&Policy::default());
    // 1400 and 1600 lie around the best at 1500; 9000 is of another training.
    let expected = ["step 1000", "step 2000", "step 2500", "step 500"];
    assert_eq!(whats(&plan), expected);
}

#[test]
fn a_run_whose_metrics_lie_in_a_folder_below_is_no_other_run() {
    let tree = Tree::new();
    let run = tree.root().join("logs/train/runs/2026-11-01_10-00-00");
    let row = |epoch: u32| {
        let accuracy = 0.9 - f64::from(epoch.abs_diff(4)) / 100.0;
        format!("{},{epoch},{accuracy}\n", epoch * 10 + 9)
    };
    let rows: String = (0..9).map(row).collect();
    let metrics = format!("step,epoch,val/acc\n{rows}");
    for epoch in 0..9 {
        file(
            &run.join(format!("checkpoints/epoch_{epoch:03}.ckpt")),
            "weights",
        );
    }
    file(
        &run.join(".hydra/config.yaml"),
        "trainer:\n  max_epochs: 9\n",
    );
    let table = run.join("csv/version_1/metrics.csv");
    fs::create_dir_all(table.parent().unwrap()).unwrap();
    fs::write(&table, &metrics).unwrap();
    let whats = whats(&tree.plan(&Policy::default()));
    assert!(whats.contains(&"epoch 2".to_owned()), "{whats:?}");
    assert!(!whats.contains(&"epoch 4".to_owned()), "{whats:?}");
    // That of an earlier start is not read, so its checkpoints are unknown.
    let earlier = run.join("csv/version_0/metrics.csv");
    fs::create_dir_all(earlier.parent().unwrap()).unwrap();
    fs::write(&earlier, &metrics).unwrap();
    assert_eq!(tree.plan(&Policy::default()).candidates.len(), 0);
}

#[test]
fn a_run_inside_a_run_keeps_its_checkpoints_to_itself() {
    let tree = Tree::new();
    let outer = hugging_face(&tree, &[500, 1000, 1500]);
    // Another training below, whose states lie in its checkpoints only.
    for at in [100, 200, 300] {
        let folder = outer.path().join(format!("dpo/checkpoint-{at}"));
        file(&folder.join("model.safetensors"), "w");
        fs::write(folder.join("trainer_state.json"), "{\"global_step\": 1}").unwrap();
    }
    let plan = tree.plan(&Policy::default());
    let of_outer = plan
        .candidates
        .iter()
        .filter(|one| plan.survey.runs[one.run].dir.path() == outer.path());
    let whats: Vec<_> = of_outer.map(|one| one.what.as_str()).collect();
    assert_eq!(whats, ["step 500"]);
}

#[test]
fn what_somebody_made_of_a_checkpoint_and_what_a_link_leads_to_keep_it() {
    let tree = Tree::new();
    let dir = hugging_face(&tree, &[500, 1000, 1500, 2000, 2500]);
    file(&dir.path().join("checkpoint-500/predictions.npz"), "n");
    std::os::unix::fs::symlink(
        "checkpoint-1500/model.safetensors",
        dir.path().join("model.safetensors"),
    )
    .unwrap();
    assert_eq!(whats(&tree.plan(&Policy::default())), ["step 2000"]);
    // accelerate counts its checkpoints.
    fs::rename(
        dir.path().join("checkpoint-2000"),
        dir.path().join("checkpoint_4"),
    )
    .unwrap();
    assert_eq!(whats(&tree.plan(&Policy::default())), [""; 0]);
}

#[test]
fn a_folder_is_a_run_also_where_what_makes_it_one_is_a_link() {
    let place = tempfile::tempdir().unwrap();
    let [folder, elsewhere] = ["other", "elsewhere"].map(|name| place.path().join(name));
    file(&folder.join("epoch_2.pth"), "weights");
    fs::create_dir(&elsewhere).unwrap();
    let is_run = || {
        let entries = fs::read_dir(&folder).unwrap();
        let entries: Vec<_> = entries.collect::<Result<_, _>>().unwrap();
        crate::clean::walk::is_run(folder.clone(), &entries)
    };
    assert!(!is_run());
    std::os::unix::fs::symlink(&elsewhere, folder.join("logs")).unwrap();
    file(&elsewhere.join("metrics.csv"), "epoch,val_acc\n1,2\n");
    assert!(is_run());
}
