//! What is noted, and that no failure loses a note.

use std::fs;
use std::io::ErrorKind as Kind;
use std::sync::atomic::Ordering;

use super::*;
use proptest::prelude::*;
use traintop_disk::faulty::{Faulty, NEVER};

fn run() -> (tempfile::TempDir, RunDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let dir = RunDir::new(folder.path().join("run"));
    fs::create_dir(dir.path()).unwrap();
    let own = folder.path().join("own");
    (folder, dir, own)
}

fn words(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn unknown_keys_stay_and_tags_are_there_once() {
    let (_folder, dir, own) = run();
    fs::write(
        dir.path().join(FILE),
        "tags = [\"a\"]\nmood = \"good\"\n[more]\nx = 1\n",
    )
    .unwrap();
    let retag = Change::Retag {
        add: words(&["b", "a"]),
        remove: words(&["c"]),
    };
    let notes = change_in(&System, &dir, &retag, Some(&own)).unwrap();
    assert_eq!(notes.tags, ["a", "b"]);
    change_in(&System, &dir, &Change::Star(true), Some(&own)).unwrap();
    let text = fs::read_to_string(dir.path().join(FILE)).unwrap();
    assert!(
        text.contains("mood = \"good\"") && text.contains("[more]\nx = 1"),
        "{text}"
    );
    assert!(text.contains("star = true"), "{text}");
    assert!(!own.exists());
}

#[test]
fn nothing_is_written_through_a_link_in_the_place_of_evaluations() {
    let (folder, _, own) = run();
    let [tree, outside] = ["tree", "outside"].map(|name| folder.path().join(name));
    fs::create_dir(&tree).unwrap();
    fs::create_dir_all(outside.join("a")).unwrap();
    std::os::unix::fs::symlink(&outside, tree.join(EVALUATIONS)).unwrap();
    let dir = RunDir::new(tree.join(EVALUATIONS).join("a"));
    change_in(&System, &dir, &Change::Star(true), Some(&own)).unwrap();
    assert_eq!(fs::read_dir(outside.join("a")).unwrap().count(), 0);
    assert!(load_in(&System, &dir, Some(&own)).unwrap().star);
}

#[test]
fn damaged_notes_are_named_and_not_written_over() {
    let (_folder, dir, own) = run();
    fs::write(dir.path().join(FILE), "tags = 3\n").unwrap();
    let error = change_in(&System, &dir, &Change::Star(true), Some(&own))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("notes.toml: must be TOML with tags"),
        "{error}"
    );
    assert_eq!(
        fs::read_to_string(dir.path().join(FILE)).unwrap(),
        "tags = 3\n"
    );
}

#[test]
fn notes_on_a_run_that_cannot_be_written_are_the_users_own_until_it_can() {
    let (_folder, dir, own) = run();
    // A folder in the file's place refuses every user, also the superuser, but with another error:
    // written directly.
    let notes = Notes {
        note: "theirs".to_owned(),
        ..Notes::default()
    };
    write_own(&System, &dir, notes, &own).unwrap();
    assert_eq!(load_in(&System, &dir, Some(&own)).unwrap().note, "theirs");
    let other = RunDir::new("/elsewhere/run");
    assert!(load_in(&System, &other, Some(&own)).unwrap().is_empty());
    // Now it can be written: the notes move into it, without the path.
    change_in(&System, &dir, &Change::Star(true), Some(&own)).unwrap();
    assert!(!own_file(&own, &dir).exists());
    let text = fs::read_to_string(dir.path().join(FILE)).unwrap();
    assert!(text.contains("theirs") && !text.contains("run ="), "{text}");
}

#[test]
fn what_others_changed_since_stays_when_a_change_is_taken_back() {
    let (_folder, dir, own) = run();
    let own = Some(own.as_path());
    let edit = |change: Change| edit_in(&System, &dir, own, |notes| notes.apply(&change)).unwrap();
    edit(Change::Tags(words(&["a", "b"])));
    edit(Change::Note("mine".to_owned()));
    let (before, after) = edit(Change::Tags(words(&["b", "c"])));
    edit(Change::Note("theirs".to_owned()));
    edit(Change::Tags(words(&["b", "c", "d"])));
    let (_, now) = edit_in(&System, &dir, own, |notes| notes.undo(&before, &after)).unwrap();
    assert_eq!(
        (now.tags, now.note.as_str()),
        (words(&["b", "d", "a"]), "theirs")
    );
    let (before, after) = edit(Change::NoteLine("more".to_owned()));
    assert_eq!(after.note, "theirs\nmore");
    let (_, now) = edit_in(&System, &dir, own, |notes| notes.undo(&before, &after)).unwrap();
    assert_eq!(now.note, "theirs");
}

#[test]
fn tags_to_add_and_to_take_away_stand_in_one_line() {
    let expected = Change::Retag {
        add: words(&["a", "c"]),
        remove: words(&["b-b"]),
    };
    assert_eq!(retag_of("a, -b-b +#c"), Ok(expected));
}

#[test]
fn tags_are_words() {
    assert_eq!(tags_of(" #a, b  a,#c").unwrap(), ["a", "b", "c"]);
    assert!(tags_of(&"x".repeat(65)).unwrap_err().contains("at most 64"));
}

proptest! {
    #[test]
    fn any_notes_read_back(tags in prop::collection::vec(".{0,9}", 0..4), note in "(?s).{0,40}", star: bool) {
        let (_folder, dir, own) = run();
        for change in [Change::Tags(tags), Change::Note(note), Change::Star(star)] {
            let changed = change_in(&System, &dir, &change, Some(&own)).unwrap();
            prop_assert_eq!(load_in(&System, &dir, Some(&own)).unwrap(), changed);
        }
    }
}

/// The files below a folder but temporary ones, which a clean-up finds.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_none_or(|ending| ending != "tmp") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found.sort();
    found
}

#[test]
fn every_call_may_fail_or_be_the_last_and_the_notes_are_old_or_new() {
    for (with, has_own) in [
        (Kind::StorageFull, false),
        (Kind::StorageFull, true),
        (Kind::PermissionDenied, false),
        (Kind::ReadOnlyFilesystem, true),
    ] {
        for at in 0.. {
            let mut reached = false;
            for (fail_at, kill_at) in [(at, NEVER), (NEVER, at)] {
                let (folder, dir, own) = run();
                fs::write(dir.path().join("metrics.csv"), "epoch\n1\n").unwrap();
                let first = Change::Tags(words(&["a"]));
                let old = change_in(&System, &dir, &first, Some(&own)).unwrap();
                if has_own {
                    write_own(&System, &dir, old.clone(), &own).unwrap();
                }
                let disk = Faulty {
                    with,
                    ..Faulty::new(fail_at, kill_at)
                };
                let change = Change::Note("new".to_owned());
                let done = change_in(&disk, &dir, &change, Some(&own));
                let now = load_in(&System, &dir, Some(&own)).unwrap();
                let context = format!("{with:?}, call {at}, killed: {}", fail_at == NEVER);
                assert_eq!(now.tags, ["a"], "{context}");
                match done {
                    Ok(_) => assert_eq!(now.note, "new", "{context}"),
                    Err(error) => {
                        assert!(!error.to_string().contains('\n'), "{context}: {error}");
                        // Killed right after the last step, it cannot report success.
                        let is_new = kill_at == at && now.note == "new";
                        assert!(now.note.is_empty() || is_new, "{context}");
                    }
                }
                let theirs = fs::read_to_string(dir.path().join("metrics.csv")).unwrap();
                assert_eq!(theirs, "epoch\n1\n");
                let count = files(folder.path()).len();
                assert!((2..=3).contains(&count), "{context}: {count}");
                reached |= disk.calls.load(Ordering::Relaxed) > at;
            }
            if !reached {
                assert!(at >= 5, "there are only {at} calls");
                break;
            }
        }
    }
}

#[test]
fn a_folder_that_refuses_gives_its_notes_to_the_users_own() {
    for with in [Kind::PermissionDenied, Kind::ReadOnlyFilesystem] {
        let (_folder, dir, own) = run();
        // The third call writes beside the notes: a lock and a look come before.
        let refuses = (0..9).find(|at| {
            let disk = Faulty {
                with,
                ..Faulty::new(*at, NEVER)
            };
            let done = change_in(&disk, &dir, &Change::Star(true), Some(&own));
            let is_own = done.is_ok() && own_file(&own, &dir).exists();
            change_in(&System, &dir, &Change::Star(false), Some(&own)).unwrap();
            is_own
        });
        assert!(refuses.is_some(), "{with:?}");
        assert!(!own_file(&own, &dir).exists(), "it can be written again");
    }
}
