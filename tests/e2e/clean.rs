//! Cleaning up and the trash, from the command line and by keys, with the real program.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::fake_worker::{UNTIL_STOPPED, Workplace, wait_for};
use crate::pty::Dashboard;

/// A run of another trainer that has ended, with a best model and a checkpoint of each of three
/// epochs.
fn ended_run(place: &Workplace, name: &str) -> PathBuf {
    let run = place.path().join("runs").join(name);
    fs::create_dir_all(run.join("logs")).unwrap();
    fs::create_dir_all(run.join("checkpoints")).unwrap();
    let metrics = "epoch,val_acc,time_elapsed\n1,50.0,60\n2,70.0,120\n3,60.0,180\n";
    fs::write(run.join("logs/metrics.csv"), metrics).unwrap();
    let config = format!("{{\"num_epochs\": 3, \"seed\": \"{name}\"}}");
    fs::write(run.join("logs/config.json"), config).unwrap();
    fs::write(run.join("best.safetensors"), format!("{name} best")).unwrap();
    fs::write(run.join("last.safetensors"), format!("{name} last")).unwrap();
    for epoch in 1..=3 {
        let path = run.join(format!("checkpoints/epoch_{epoch}.safetensors"));
        fs::write(path, format!("{name} {epoch}")).unwrap();
    }
    let before = SystemTime::now() - Duration::from_secs(7200);
    for file in ["logs/metrics.csv", "logs/config.json"] {
        let file = fs::File::options()
            .write(true)
            .open(run.join(file))
            .unwrap();
        file.set_modified(before).unwrap();
    }
    run
}

/// Every file below a folder with its bytes and time, but for the trash.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if !path.ends_with(".trash") {
                if path.is_dir() {
                    folders.push(path.clone());
                }
                let modified = path.metadata().unwrap().modified().unwrap();
                found.insert(
                    path.clone(),
                    (fs::read(&path).unwrap_or_default(), modified),
                );
            }
        }
    }
    found
}

#[test]
fn clean_is_a_dry_run_until_it_is_confirmed_and_the_trash_gives_all_back() {
    let place = Workplace::new(UNTIL_STOPPED);
    let run = ended_run(&place, "alpha");
    let runs = place.path().join("runs");
    let before = tree(&runs);
    let dry = place.stdout(&["clean", "runs"]);
    for part in [
        "epoch 1",
        "superseded",
        "Checkpoints not best, last or every Nth: 3",
        "this would move 3 checkpoints to the trash (of 1 run)",
        "--yes does it",
        " free",
    ] {
        assert!(dry.contains(part), "{part:?} is not in\n{dry}");
    }
    assert_eq!(tree(&runs), before);
    let plan = place.json(&["clean", "runs", "--keep-every", "2", "--json"]);
    assert_eq!(
        (&plan["done"], plan["candidates"].as_array().unwrap().len()),
        (&false.into(), 2)
    );
    // Epoch 1 can only be made from the beginning; the last one has the weights of epoch 3.
    let costs: Vec<_> = plan["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["cost_s"].as_f64())
        .collect();
    assert_eq!(costs, [Some(60.0), Some(0.0)]);
    let done = place.json(&["clean", "runs", "--yes", "--json"]);
    assert_eq!(
        (&done["done"], done["trash_ids"].as_array().unwrap().len()),
        (&true.into(), 1)
    );
    assert!(!run.join("checkpoints/epoch_1.safetensors").exists());
    assert!(run.join("best.safetensors").exists() && run.join("last.safetensors").exists());
    let listed = place.json(&["trash", "list", "--json"]);
    assert_eq!(listed[0]["paths"].as_array().unwrap().len(), 3);
    let id = listed[0]["id"].as_str().unwrap();
    let printed = place.stdout(&["trash", "restore", id]);
    assert!(printed.contains("restored"), "{printed}");
    assert_eq!(tree(&runs), before);
    assert_eq!(
        place.stdout(&["trash", "list"]),
        "there is nothing in the trash\n"
    );
    place.stdout(&["clean", "runs", "--yes"]);
    let dry = place.stdout(&["trash", "purge"]);
    assert!(dry.contains("--yes does it"), "{dry}");
    let none = place.json(&["trash", "purge", "--older-than", "1", "--yes", "--json"]);
    assert_eq!(none["removals"].as_array().unwrap().len(), 0);
    place.stdout(&["trash", "purge", "--yes"]);
    assert_eq!(
        place.stdout(&["trash", "list"]),
        "there is nothing in the trash\n"
    );
    let problem = place.refusal(&["trash", "restore", "nothing"], 1);
    assert!(
        problem.contains("\"nothing\" is not in the trash"),
        "{problem}"
    );
    place.refusal(&["trash", "restore"], 2);
    let problem = place.refusal(&["clean", "runs", "--protect", "holy"], 1);
    assert!(problem.contains("none of starred, tagged"), "{problem}");
}

#[test]
fn a_removal_that_was_killed_is_taken_back_by_the_next_command() {
    let place = Workplace::new(UNTIL_STOPPED);
    ended_run(&place, "alpha");
    let runs = place.path().join("runs");
    let before = tree(&runs);
    place.stdout(&["clean", "runs", "--yes"]);
    // As if the power had gone before the journal's last word, with one thing not yet moved.
    let id = place.json(&["trash", "list", "--json"])[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let entry = runs.join(".trash").join(&id);
    let marks = place.path().join("state/traintop/trash");
    let mark = json!({
        "process": {
            "host": fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim(),
            "boot_id": "an earlier one", "pid": 1, "pid_started": 1,
        },
        "root": runs.canonicalize().unwrap(),
        "id": id,
    });
    fs::write(marks.join("1-1.json"), mark.to_string()).unwrap();
    let journal = fs::read_to_string(entry.join("entry.json")).unwrap();
    assert!(journal.contains("\"stage\":\"kept\""));
    fs::write(
        entry.join("entry.json"),
        journal.replace("\"kept\"", "\"moving\""),
    )
    .unwrap();
    fs::rename(
        entry.join("0"),
        runs.join("alpha/checkpoints/epoch_1.safetensors"),
    )
    .unwrap();
    let output = place.output(&["trash", "list"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("an interrupted clean was undone: 2 things were restored"),
        "{message}"
    );
    assert_eq!(tree(&runs), before);
    assert_eq!(
        place.stdout(&["trash", "list"]),
        "there is nothing in the trash\n"
    );
}

#[test]
fn scripts_and_a_dashboard_on_one_tree_do_each_other_no_harm() {
    let place = Workplace::new(UNTIL_STOPPED);
    for number in 0..6 {
        ended_run(&place, &format!("r{number}"));
    }
    let runs = place.path().join("runs");
    let before = tree(&runs);
    let mut dashboard = Dashboard::open(&place, &[], 100, 30);
    dashboard.wait("the runs", |screen| screen.contains("6 runs"));
    dashboard.press("x");
    dashboard.wait("the plan", |screen| {
        screen.contains("18 of 18 things to go")
    });
    let scripts: Vec<_> = (0..4)
        .map(|_| {
            let mut command = place.traintop(&["clean", "runs", "--yes", "--json"]);
            command.stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    dashboard.press("\r");
    dashboard.wait("the question", |screen| screen.contains("Clean up?"));
    dashboard.press("y");
    for mut script in scripts {
        script.wait().unwrap();
    }
    let checkpoints = |runs: &Path| {
        let files = tree(runs).into_keys();
        files
            .filter(|path| path.to_string_lossy().contains("/epoch_"))
            .count()
    };
    wait_for("every checkpoint in the trash", || checkpoints(&runs) == 0);
    place.output(&["trash", "restore", "--all"]);
    wait_for("every checkpoint at its place", || checkpoints(&runs) == 18);
    let bytes = |tree: BTreeMap<PathBuf, (Vec<u8>, SystemTime)>| {
        tree.into_iter()
            .map(|(path, (bytes, _))| (path, bytes))
            .collect::<BTreeMap<_, _>>()
    };
    assert_eq!(bytes(tree(&runs)), bytes(before));
}

#[test]
fn a_clean_up_by_keys_is_taken_back_by_u_also_after_a_restart() {
    let place = Workplace::new(UNTIL_STOPPED);
    let run = ended_run(&place, "alpha");
    let first = run.join("checkpoints/epoch_1.safetensors");
    let runs = place.path().join("runs");
    let before = tree(&runs);
    let mut dashboard = Dashboard::open(&place, &[], 100, 30);
    dashboard.wait("the run", |screen| screen.contains("alpha"));
    dashboard.press("x");
    dashboard.wait("the plan", |screen| {
        screen.contains("3 of 3 things to go") && screen.contains("epoch 2")
    });
    dashboard.press("\r");
    dashboard.wait("the question", |screen| {
        screen.contains("move 3 checkpoints to the trash")
    });
    dashboard.press("y");
    dashboard.wait("the word", |screen| screen.contains("u undoes that"));
    assert!(!first.exists());
    dashboard.press("u");
    dashboard.wait("them back", |screen| screen.contains("3 items restored"));
    assert_eq!(tree(&runs), before);
    // The whole run, and then another session.
    dashboard.press("D");
    dashboard.wait("the question", |screen| screen.contains("Remove alpha?"));
    dashboard.press("y");
    dashboard.wait("it gone", |screen| {
        screen.contains("No runs in ") && !run.exists()
    });
    dashboard.press("q");
    assert!(dashboard.end().success());
    let mut dashboard = Dashboard::open(&place, &[], 100, 30);
    dashboard.wait_for_no_runs();
    dashboard.press("u");
    dashboard.wait("the question", |screen| {
        screen.contains("Undo the last removal?")
    });
    dashboard.press("y");
    dashboard.wait("it again", |screen| {
        screen.contains("1 run ") && screen.contains("alpha")
    });
    assert_eq!(tree(&runs), before);
    // The trash itself: what is in it can be removed for good.
    dashboard.press("D");
    dashboard.wait("the question", |screen| screen.contains("Remove alpha?"));
    dashboard.press("y");
    dashboard.wait("it gone", |_| !run.exists());
    dashboard.press("X");
    dashboard.wait("the trash", |screen| {
        screen.contains("1 removal,") && screen.contains("alpha")
    });
    dashboard.press("D");
    dashboard.wait("the question", |screen| {
        screen.contains("This cannot be undone")
    });
    dashboard.press("y");
    dashboard.wait("nothing", |screen| {
        screen.contains("There is nothing in the trash")
    });
    assert!(!run.exists());
}

#[test]
fn marked_runs_alone_are_cleaned_up_and_archived_ones_are_left_alone() {
    let place = Workplace::new(UNTIL_STOPPED);
    let runs: Vec<PathBuf> = ["alpha", "beta", "gamma"]
        .map(|name| ended_run(&place, name))
        .into();
    place.stdout(&["archive", "gamma", "--yes"]);
    let first = |run: &Path| run.join("checkpoints/epoch_1.safetensors");
    let mut dashboard = Dashboard::open(&place, &[], 100, 30);
    dashboard.wait("the runs", |screen| screen.contains("3 runs"));
    dashboard.press("/alpha\r");
    dashboard.wait("one run", |screen| {
        screen.contains("alpha") && !screen.contains("beta")
    });
    dashboard.press(" ");
    dashboard.wait("the mark", |screen| screen.contains("1 marked"));
    dashboard.press("x");
    dashboard.wait("its plan", |screen| {
        screen.contains("1 run marked") && screen.contains("3 of 3 things to go")
    });
    dashboard.press("\ry");
    wait_for("its checkpoints gone", || !first(&runs[0]).exists());
    assert!(first(&runs[1]).exists());
    // Of all, an archived one gives nothing: its archive may hold the last copy of its best model.
    let plan = place.json(&[
        "clean",
        "runs",
        "--max-age",
        "1",
        "--min-epochs",
        "9",
        "--json",
    ]);
    let of = |name: &str| {
        let candidates = plan["candidates"].as_array().unwrap().iter();
        candidates
            .filter(|one| one["run"].as_str().unwrap().ends_with(name))
            .count()
    };
    assert_eq!((of("beta"), of("gamma")), (3, 0));
    let by_run = plan["runs"].as_array().unwrap();
    assert!(
        by_run
            .iter()
            .any(|run| run["run"].as_str().unwrap().ends_with("beta"))
    );
    place.stdout(&["clean", "runs", "--min-epochs", "9", "--yes"]);
    assert!(runs[2].join("archive.tar.zst").exists());
}

#[test]
fn what_is_long_enough_in_the_trash_goes_for_good_when_the_dashboard_opens() {
    let place = Workplace::new(UNTIL_STOPPED);
    ended_run(&place, "alpha");
    let config = place.path().join("config/traintop/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(&config, "[retention]\npurge_after = 30\n").unwrap();
    let ids = |count: usize| {
        place.stdout(&["clean", "runs", "--yes"]);
        let listed = place.json(&["trash", "list", "--json"]);
        assert_eq!(listed.as_array().unwrap().len(), count);
        listed[0]["id"].as_str().unwrap().to_owned()
    };
    let old = ids(1);
    let checkpoints = place.path().join("runs/alpha/checkpoints");
    fs::write(checkpoints.join("epoch_1.safetensors"), "anew").unwrap();
    let young = ids(2);
    let journal = place
        .path()
        .join("runs/.trash")
        .join(&old)
        .join("entry.json");
    let mut entry: serde_json::Value =
        serde_json::from_slice(&fs::read(&journal).unwrap()).unwrap();
    entry["removed_at"] = "2026-01-01T00:00:00Z".into();
    fs::write(&journal, entry.to_string()).unwrap();
    let mut dashboard = Dashboard::open(&place, &[], 120, 30);
    dashboard.wait("the word", |screen| {
        screen.contains("after 30 days in the trash")
    });
    let left = place.json(&["trash", "list", "--json"]);
    assert_eq!(
        (left.as_array().unwrap().len(), left[0]["id"].as_str()),
        (1, Some(&*young))
    );
}

/// A run that was stopped before its first row, three days ago.
fn empty_run(place: &Workplace, name: &str) -> PathBuf {
    let run = place.path().join("runs").join(name);
    fs::create_dir_all(&run).unwrap();
    fs::write(run.join("metrics.csv"), "epoch,val_acc\n").unwrap();
    let before = SystemTime::now() - Duration::from_secs(72 * 3600);
    for path in [run.join("metrics.csv"), run.clone()] {
        fs::File::open(path).unwrap().set_modified(before).unwrap();
    }
    run
}

#[test]
fn whole_runs_go_only_if_they_are_asked_for_and_are_named_first() {
    let place = Workplace::new(UNTIL_STOPPED);
    let runs: Vec<PathBuf> = (0..12)
        .map(|number| empty_run(&place, &format!("e{number:02}")))
        .collect();
    ended_run(&place, "alpha");
    // A project whose root holds a table called metrics.csv.
    let project = empty_run(&place, "project");
    fs::create_dir(project.join(".git")).unwrap();
    let dry = place.stdout(&["clean", "runs"]);
    for part in [
        "Runs that hold nothing: 0 of 12, 0 B; --only empty selects them",
        "this would move 3 checkpoints to the trash (of 1 run)",
        "1 in doubt",
        "project: it is under version control (.git)",
    ] {
        assert!(dry.contains(part), "{part:?} is not in\n{dry}");
    }
    place.stdout(&["clean", "runs", "--yes"]);
    assert!(runs.iter().all(|run| run.exists()));
    let dry = place.stdout(&["clean", "runs", "--only", "empty"]);
    for part in [
        "whole runs that would go:",
        "  e09: ",
        "  and 2 more whole runs",
        "no rows, no best value",
        "this would move 12 whole runs to the trash",
    ] {
        assert!(dry.contains(part), "{part:?} is not in\n{dry}");
    }
    assert!(!dry.contains("  e10: "), "{dry}");
    let plan = place.json(&["clean", "runs", "--json"]);
    let candidates = plan["candidates"].as_array().unwrap();
    assert!(candidates.iter().all(|one| {
        one["whole_run"] == true && one["selected"] == false && one["cost_s"].is_null()
    }));
    assert_eq!(plan["in_doubt"].as_array().unwrap().len(), 1);
    // The screen agrees.
    let mut dashboard = Dashboard::open(&place, &[], 120, 40);
    dashboard.wait("the runs", |screen| screen.contains("14 runs"));
    dashboard.press("x");
    dashboard.wait("the plan", |screen| {
        screen.contains("0 of 12 things to go") && screen.contains("1 in doubt")
    });
    dashboard.press("a\r");
    dashboard.wait("the question", |screen| {
        screen.contains("12 whole runs") && screen.contains("e09: ") && screen.contains("2 more")
    });
    dashboard.press("\u{1b}");
    place.stdout(&["clean", "runs", "--only", "empty", "--yes"]);
    assert!(!runs.iter().any(|run| run.exists()) && project.exists());
    place.stdout(&["trash", "restore", "--all"]);
    assert!(runs.iter().all(|run| run.exists()));
}

#[test]
fn what_was_cleaned_out_of_a_renamed_run_comes_back_into_it() {
    let place = Workplace::new(UNTIL_STOPPED);
    let alpha = ended_run(&place, "alpha");
    place.stdout(&["clean", "runs", "--yes"]);
    place.stdout(&["rename", "runs/alpha", "--to", "beta", "--yes"]);
    let printed = place.stdout(&["trash", "restore", "--all"]);
    assert!(printed.contains("beta/checkpoints"), "{printed}");
    let beta = alpha.with_file_name("beta");
    assert!(beta.join("checkpoints/epoch_1.safetensors").exists());
    assert!(!alpha.exists());
}

#[test]
fn a_link_is_not_renamed_in_place_of_what_it_leads_to() {
    let place = Workplace::new(UNTIL_STOPPED);
    let alpha = ended_run(&place, "alpha");
    let outside = place.path().join("elsewhere");
    fs::rename(&alpha, &outside).unwrap();
    std::os::unix::fs::symlink(&outside, &alpha).unwrap();
    for word in ["runs/alpha", "runs/alpha/"] {
        let message = place.refusal(&["rename", word, "--to", "beta", "--yes"], 1);
        assert!(message.contains("is a link to"), "{message}");
    }
    assert!(outside.exists() && alpha.is_symlink());
}
