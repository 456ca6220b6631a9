//! Programs that are killed at any moment while they keep house: the next one finishes what is left, or takes it back, and says so.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::fake_worker::{ONE_EPOCH, Workplace};

/// Moments at which a command is killed, spread over the time that it takes.
const MOMENTS: u32 = 12;

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

/// Every file below a folder with its bytes and time, but for the trash and what a killed program was writing beside a file.
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

/// Runs a command again and again, each time in a place of its own, killed at another moment, and then another command; `whole` is
/// given the place, what was there before, and what the next start said.
fn killed_at_any_moment(runs: u32, arguments: &[&str], whole: impl Fn(&Workplace, &Tree, &str)) {
    let prepared = || {
        let place = Workplace::new(ONE_EPOCH);
        (0..runs).for_each(|number| ended_run(&place, &format!("r{number}")));
        let before = tree(&place.path().join("runs"));
        (place, before)
    };
    let (place, before) = prepared();
    let begun = Instant::now();
    place.said(arguments);
    let takes = begun.elapsed();
    whole(&place, &before, "");
    let mut cut = 0;
    for moment in 1..=MOMENTS {
        let (place, before) = prepared();
        let mut child = place.traintop(arguments).spawn().unwrap();
        // Whatever it is at then, the outcome is the same: no clock decides.
        thread::park_timeout(takes * moment / MOMENTS);
        child.kill().unwrap();
        cut += u32::from(!child.wait().unwrap().success());
        let next = place.output(&["trash", "list"]);
        assert!(next.status.success(), "{next:?}");
        let said = String::from_utf8(next.stderr).unwrap();
        for sentence in said.lines() {
            let is_told = sentence.contains("cut off") || sentence.contains("interrupted");
            assert!(is_told, "{sentence}");
        }
        whole(&place, &before, &said);
        // There is nothing left to be finished.
        assert_eq!(
            String::from_utf8(place.output(&["trash", "list"]).stderr).unwrap(),
            ""
        );
    }
    assert!(cut > 0, "nothing was ever cut off");
}

#[test]
fn a_renaming_that_is_killed_leaves_all_old_names_or_all_new_ones() {
    let words: Vec<String> = (0..12).map(|number| format!("r{number}")).collect();
    let mut arguments = vec!["rename"];
    arguments.extend(words.iter().map(String::as_str));
    arguments.extend(["--root", "runs", "--to", "{folder}-new", "--yes"]);
    killed_at_any_moment(12, &arguments, |place, before, said| {
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
        assert!(now == *before || now == new, "{said}: {:?}", now.keys());
    });
}

#[test]
fn a_clean_up_that_is_killed_leaves_all_or_nothing() {
    killed_at_any_moment(8, &["clean", "runs", "--yes"], |place, before, said| {
        let runs = place.path().join("runs");
        let is_checkpoint = |path: &&PathBuf| path.to_string_lossy().contains("/epoch_");
        let now = tree(&runs);
        if now != *before {
            assert_eq!(now.keys().filter(is_checkpoint).count(), 0, "{said}");
            place.output(&["trash", "restore", "--all"]);
        }
        assert_eq!(tree(&runs), *before, "{said}");
    });
}

#[test]
fn an_archiving_that_is_killed_leaves_a_whole_run_or_an_archived_one() {
    killed_at_any_moment(1, &["archive", "r0", "--yes"], |place, before, said| {
        let runs = place.path().join("runs");
        let now = tree(&runs);
        if now != *before {
            assert!(
                !now.contains_key(Path::new("training_runs/r0/last.safetensors")),
                "{said}"
            );
            place.said(&["unarchive", "r0", "--yes"]);
        }
        assert_eq!(tree(&runs), *before, "{said}");
    });
}

#[test]
fn a_bringing_back_that_is_killed_leaves_a_whole_run_or_an_archived_one() {
    // Archived first, and brought back by the command that is killed.
    let place = Workplace::new(ONE_EPOCH);
    ended_run(&place, "r0");
    let runs = place.path().join("runs");
    let before = tree(&runs);
    for moment in 0..MOMENTS {
        place.said(&["archive", "r0", "--yes"]);
        let mut child = place
            .traintop(&["unarchive", "r0", "--yes"])
            .spawn()
            .unwrap();
        thread::park_timeout(Duration::from_millis(u64::from(moment)));
        child.kill().unwrap();
        child.wait().unwrap();
        place.output(&["trash", "list"]);
        if tree(&runs) != before {
            place.said(&["unarchive", "r0", "--yes"]);
        }
        assert_eq!(tree(&runs), before, "killed after {moment} ms");
    }
}
