//! With any call failing or being the last, nothing is half done.

use super::*;

/// Does an action on a disk that fails at one call or ends at one; returns whether it got so far.
fn attempt(root: &Path, action: &str, disk: Faulty) -> bool {
    let calls = Arc::clone(&disk.calls);
    let last = disk.fail_at.min(disk.kill_at);
    if let Ok(trash) = Trash::on(&storage(root, disk), root) {
        match action {
            "remove" => drop(remove(&trash, &SOME)),
            "restore" => drop(trash.restore(ID)),
            "purge" => drop(trash.purge(ID)),
            _ => drop(recover(&trash)),
        }
    }
    calls.load(Ordering::Relaxed) > last
}

/// Holds that a root is as before the removal of [`SOME`] or as after it, whole, and that it can be
/// undone.
fn is_old_or_new(
    root: &Path,
    old: &BTreeMap<PathBuf, Seen>,
    new: &BTreeMap<PathBuf, Seen>,
    action: &str,
    context: &str,
) {
    let trash = recovered(root, context);
    let (seen, id) = (tree(root), only_id(root));
    if content(&seen) == content(old) {
        assert_eq!(&seen, old, "{context}: times");
        assert_eq!(id, None, "{context}: nothing is in the trash");
    } else {
        assert_eq!(content(&seen), content(new), "{context}: all or nothing");
        if let Some(id) = id {
            trash.restore(&id).unwrap();
            assert_eq!(&tree(root), old, "{context}: undone");
        } else {
            assert_eq!(action, "purge", "{context}: nothing is lost");
        }
    }
    assert_eq!(leftovers(root), Vec::<OsString>::new(), "{context}");
}

fn after_removal() -> BTreeMap<PathBuf, Seen> {
    let root = runs();
    remove(&trash_of(root.path()), &SOME).unwrap();
    tree(root.path())
}

#[test]
fn every_call_may_fail_or_be_the_last_and_nothing_is_half_done() {
    let new = after_removal();
    for action in ["remove", "restore", "purge"] {
        for at in 0.. {
            let mut reached = false;
            for disk in [Faulty::new(at, NEVER), Faulty::new(NEVER, at)] {
                let context = format!("{action}, call {at}, killed: {}", disk.fail_at == NEVER);
                let root = runs();
                let old = tree(root.path());
                if action != "remove" {
                    remove(&trash_of(root.path()), &SOME).unwrap();
                }
                reached |= attempt(root.path(), action, disk);
                is_old_or_new(root.path(), &old, &new, action, &context);
            }
            if !reached {
                assert!(at > 20, "{action} has only {at} calls");
                break;
            }
        }
    }
}

#[test]
fn recovery_may_itself_be_cut_off_at_every_call() {
    let new = after_removal();
    for action in ["remove", "restore", "purge"] {
        for at in (3..).step_by(4) {
            let mut reached = false;
            for again in 0..80 {
                let root = runs();
                let old = tree(root.path());
                if action != "remove" {
                    remove(&trash_of(root.path()), &SOME).unwrap();
                }
                reached |= attempt(root.path(), action, Faulty::new(NEVER, at));
                let further = attempt(root.path(), "recover", Faulty::new(NEVER, again));
                let context = format!("{action}, killed at {at}, and recovery at {again}");
                is_old_or_new(root.path(), &old, &new, action, &context);
                if !further {
                    break;
                }
            }
            if !reached {
                break;
            }
        }
    }
}

/// Where the mark could not be written, the list says what to do.
fn finish_by_hand(root: &Path) {
    let trash = trash_of(root);
    recover(&trash);
    for problem in trash.list().unwrap().1 {
        if problem.contains("`traintop trash restore") {
            trash.restore(ID).unwrap();
        } else if problem.contains("holds no journal") {
            fs::remove_dir_all(root.join(FOLDER).join(ID)).unwrap();
        }
    }
}

#[test]
fn failure_and_then_a_kill_while_it_is_taken_back_recovers() {
    let new = after_removal();
    for action in ["remove", "restore"] {
        for fail_at in (5..).step_by(5) {
            let mut reached = false;
            for kill_at in fail_at + 1..fail_at + 40 {
                let root = runs();
                let old = tree(root.path());
                if action != "remove" {
                    remove(&trash_of(root.path()), &SOME).unwrap();
                }
                let disk = Faulty::new(fail_at, kill_at);
                let calls = Arc::clone(&disk.calls);
                attempt(root.path(), action, disk);
                let context = format!("{action}, failed at {fail_at}, killed at {kill_at}");
                finish_by_hand(root.path());
                is_old_or_new(root.path(), &old, &new, action, &context);
                let calls = calls.load(Ordering::Relaxed);
                reached |= calls > fail_at;
                if calls <= kill_at {
                    break;
                }
            }
            if !reached {
                break;
            }
        }
    }
}
