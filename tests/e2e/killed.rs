//! Programs that are killed before any of their disk calls while they change runs: the next one
//! finishes what is left, or takes it back, and says so. Only builds with debug assertions can be
//! killed so (`disk/fail_point.rs`).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::fake_worker::{ONE_EPOCH, Workplace};

/// A run of another trainer that has ended, with weights, and a model of it that was kept.
fn ended_run(place: &Workplace, name: &str) {
    let tree = place.path().join("runs");
    let run = tree.join("training_runs").join(name);
    let before = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let write = |path: PathBuf, bytes: &[u8]| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(before).unwrap();
    };
    let metrics = "epoch,val_acc,time_elapsed\n1,50.0,60\n2,70.0,120\n3,60.0,180\n";
    write(run.join("logs/metrics.csv"), metrics.as_bytes());
    let config = format!("{{\"num_epochs\": 3, \"seed\": \"{name}\"}}");
    write(run.join("logs/config.json"), config.as_bytes());
    for file in ["best", "last"] {
        let bytes: Vec<u8> = (0..200_000_u32)
            .map(|at| (at.wrapping_mul(at) >> 7) as u8)
            .collect();
        write(
            run.join(format!("{file}.safetensors")),
            &[name.as_bytes(), file.as_bytes(), &bytes].concat(),
        );
    }
    for epoch in 1..=3 {
        let file = format!("checkpoints/epoch_{epoch}.safetensors");
        write(run.join(file), format!("{name} {epoch}").as_bytes());
    }
    let kept = format!("best_models/quick_{name}_best.safetensors");
    write(tree.join(kept), name.as_bytes());
}

type Tree = BTreeMap<PathBuf, (Vec<u8>, Option<SystemTime>)>;

/// Every file below a folder with its bytes and time, but for the trash and what a killed program
/// was writing beside a file.
fn tree(root: &Path) -> Tree {
    let mut found = Tree::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            let is_temporary = path.extension().is_some_and(|ending| ending == "tmp");
            if path.ends_with(".trash") || is_temporary {
                continue;
            }
            let below = path.strip_prefix(root).unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
                found.insert(below, (Vec::new(), None));
            } else {
                let modified = path.metadata().unwrap().modified().unwrap();
                found.insert(below, (fs::read(&path).unwrap(), Some(modified)));
            }
        }
    }
    found
}

/// Runs a command again and again, each time in a place of its own and killed before another of its
/// disk calls, until it is killed no more; `whole` gets the place, what was there before, and the
/// output of the next start. What `prepare` does comes first.
fn killed_at_every_call(
    runs: u32,
    arguments: &[&str],
    prepare: impl Fn(&Workplace),
    whole: impl Fn(&Workplace, &Tree, &str),
) {
    let mut killed = 0;
    for call in 0.. {
        let place = Workplace::new(ONE_EPOCH);
        (0..runs).for_each(|number| ended_run(&place, &format!("r{number}")));
        let before = tree(&place.path().join("runs"));
        prepare(&place);
        let output = place.killed_at(call, arguments).output().unwrap();
        if output.status.success() {
            whole(&place, &before, "");
            break;
        }
        assert_eq!(output.status.signal(), Some(9), "call {call}: {output:?}");
        killed += 1;
        let next = place.output(&["trash", "list"]);
        assert!(next.status.success(), "call {call}: {next:?}");
        let printed = String::from_utf8(next.stderr).unwrap();
        for sentence in printed.lines() {
            let is_reported = sentence.contains("cut off") || sentence.contains("interrupted");
            assert!(is_reported, "call {call}: {sentence}");
        }
        whole(&place, &before, &format!("call {call}: {printed}"));
        // There is nothing left to be finished.
        assert_eq!(
            String::from_utf8(place.output(&["trash", "list"]).stderr).unwrap(),
            "",
            "call {call}"
        );
    }
    println!("{}: killed {killed} times", arguments[0]);
    assert!(killed > 15, "only {killed} calls");
}

#[test]
fn a_renaming_that_is_killed_leaves_all_old_names_or_all_new_ones() {
    let words: Vec<String> = (0..5).map(|number| format!("r{number}")).collect();
    let mut arguments = vec!["rename"];
    arguments.extend(words.iter().map(String::as_str));
    arguments.extend(["--root", "runs", "--to", "{folder}-new", "--yes"]);
    killed_at_every_call(
        5,
        &arguments,
        |_| (),
        |place, before, printed| {
            let now = tree(&place.path().join("runs"));
            let renamed = |path: &PathBuf| {
                let parts = path.iter().map(|part| {
                    let part = part.to_str().unwrap();
                    if words.iter().any(|word| word == part) {
                        return format!("{part}-new");
                    }
                    match part
                        .strip_prefix("quick_")
                        .and_then(|part| part.strip_suffix("_best.safetensors"))
                    {
                        Some(name) => format!("quick_{name}-new_best.safetensors"),
                        None => part.to_owned(),
                    }
                });
                parts.collect::<PathBuf>()
            };
            let new: Tree = before
                .iter()
                .map(|(path, seen)| (renamed(path), seen.clone()))
                .collect();
            assert!(now == *before || now == new, "{printed}: {:?}", now.keys());
        },
    );
}

#[test]
fn a_clean_up_that_is_killed_leaves_all_or_nothing() {
    killed_at_every_call(
        2,
        &["clean", "runs", "--yes"],
        |_| (),
        |place, before, printed| {
            let runs = place.path().join("runs");
            let is_checkpoint = |path: &&PathBuf| path.to_string_lossy().contains("/epoch_");
            let now = tree(&runs);
            if now != *before {
                assert_eq!(now.keys().filter(is_checkpoint).count(), 0, "{printed}");
                place.output(&["trash", "restore", "--all"]);
            }
            assert_eq!(tree(&runs), *before, "{printed}");
        },
    );
}

#[test]
fn an_archiving_that_is_killed_leaves_a_whole_run_or_an_archived_one() {
    killed_at_every_call(
        1,
        &["archive", "r0", "--yes"],
        |_| (),
        |place, before, printed| {
            let runs = place.path().join("runs");
            let now = tree(&runs);
            if now != *before {
                assert!(
                    !now.contains_key(Path::new("training_runs/r0/last.safetensors")),
                    "{printed}"
                );
                place.stdout(&["unarchive", "r0", "--yes"]);
            }
            assert_eq!(tree(&runs), *before, "{printed}");
        },
    );
}

#[test]
fn a_bringing_back_that_is_killed_leaves_a_whole_run_or_an_archived_one() {
    let archive = |place: &Workplace| drop(place.stdout(&["archive", "r0", "--yes"]));
    let arguments = ["unarchive", "r0", "--yes"];
    killed_at_every_call(1, &arguments, archive, |place, before, printed| {
        let runs = place.path().join("runs");
        if tree(&runs) != *before {
            place.stdout(&["unarchive", "r0", "--yes"]);
        }
        assert_eq!(tree(&runs), *before, "{printed}");
    });
}

#[test]
fn what_a_killed_renaming_was_writing_goes_with_the_next_action() {
    let left = |run: &Path| -> Vec<_> {
        let entries = fs::read_dir(run).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".tmp")).collect()
    };
    let mut cleared = 0;
    for call in 0.. {
        let place = Workplace::new(ONE_EPOCH);
        ended_run(&place, "a");
        let runs = place.path().join("runs/training_runs");
        let record = json!({
            "schema_version": 1, "id": "1", "name": "a", "state": "finished", "command": ["x"],
            "created_at": "2026-11-20T00:00:00Z", "launcher": "x",
        });
        fs::write(runs.join("a/run.json"), record.to_string()).unwrap();
        let rename = ["rename", "a", "--root", "runs", "--to", "b", "--yes"];
        let renamed = place.killed_at(call, &rename).output().unwrap();
        for run in ["a", "b"].map(|name| runs.join(name)) {
            let before = left(&run).len();
            if before > 0 {
                place.output(&["trash", "list"]);
                let named = if run.exists() { run } else { runs.join("a") };
                place.stdout(&["tag", named.to_str().unwrap(), "seen"]);
                assert_eq!(left(&named), Vec::<String>::new(), "call {call}");
                cleared += before;
            }
        }
        if renamed.status.success() {
            break;
        }
        assert_eq!(renamed.status.signal(), Some(9), "call {call}: {renamed:?}");
    }
    assert!(cleared > 0, "no call was ever in the middle of a file");
}
