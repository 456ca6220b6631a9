//! What is removed comes back as it was.

use super::*;

#[test]
fn the_root_keeps_its_time_when_its_trash_is_made() {
    let root = runs();
    fs::remove_dir_all(root.path().join(FOLDER)).unwrap();
    age(root.path(), &mut 1_000_000_000_000_000_000);
    let before = tree(root.path());
    let trash = trash_of(root.path());
    assert_eq!(trash.list().unwrap(), (Vec::new(), Vec::new()));
    assert_eq!(recover(&trash).0, Vec::new());
    assert!(!root.path().join(FOLDER).exists(), "to look makes nothing");
    let id = remove(&trash, &SOME).unwrap().entry.unwrap().id;
    trash.restore(&id).unwrap();
    assert_eq!(tree(root.path()), before);
}

#[test]
fn removed_things_come_back_with_names_bytes_and_times() {
    let root = runs();
    let before = tree(root.path());
    let trash = trash_of(root.path());
    let removed = remove(&trash, &SOME).unwrap();
    let entry = removed.entry.unwrap();
    assert_eq!(
        (removed.left, entry.count()),
        (Vec::new(), "4 things".to_owned())
    );
    assert_eq!(entry.id, "20261124-140800");
    let meanwhile = tree(root.path());
    assert!(!meanwhile.contains_key(Path::new("b")) && !meanwhile.contains_key(Path::new("loose")));
    let original = &before[Path::new("a/last.safetensors")];
    let slim = &meanwhile[Path::new("a/last.safetensors")];
    assert_eq!((slim.1.len(), slim.2), (original.1.len() / 2, original.2));
    let places = trash.restore(&entry.id).unwrap();
    assert_eq!(places.len(), 4);
    assert_eq!(tree(root.path()), before);
    assert_eq!(only_id(root.path()), None);
    let left: Vec<_> = fs::read_dir(root.path().join(FOLDER)).unwrap().collect();
    assert_eq!(left.len(), 1, "the lock alone: {left:?}");
}

/// What is left in a root's trash besides its lock.
#[test]
fn what_was_in_a_folder_that_was_removed_later_waits_for_it() {
    let root = runs();
    let before = tree(root.path());
    let trash = trash_of(root.path());
    let first = remove(&trash, &["a/checkpoints/epoch_2"])
        .unwrap()
        .entry
        .unwrap()
        .id;
    let second = remove(&trash, &["a"]).unwrap().entry.unwrap().id;
    let error = trash.restore(&first).unwrap_err().to_string();
    assert!(
        error.contains(&format!("restore {second} first")),
        "{error}"
    );
    // Also if a journal that says so cannot be read at the moment.
    let removed = tree(root.path());
    for at in 0..60 {
        let faulty = Trash::on(&storage(root.path(), Faulty::new(at, NEVER)), root.path());
        assert!(faulty.and_then(|faulty| faulty.restore(&first)).is_err());
        assert_eq!(tree(root.path()), removed, "call {at} failed");
    }
    trash.restore(&second).unwrap();
    trash.restore(&first).unwrap();
    assert_eq!(tree(root.path()), before);
}

#[test]
fn names_that_are_not_utf_8_and_things_that_are_no_files_come_back() {
    use std::os::unix::ffi::OsStringExt;
    let root = runs();
    let odd = root
        .path()
        .join(OsString::from_vec(b"odd \xff\n\x1b[31m".to_vec()));
    fs::write(&odd, "odd").unwrap();
    let pipe = root.path().join("pipe");
    mkfifoat(rustix::fs::CWD, &pipe, Mode::RUSR).unwrap();
    let before = tree(root.path());
    let trash = trash_of(root.path());
    let things = Removal {
        things: vec![odd.clone().into(), pipe.clone().into()],
        ..removal(root.path(), &[])
    };
    let entry = trash
        .remove(&things, &mut |_| Ok(()))
        .unwrap()
        .entry
        .unwrap();
    assert!(!odd.exists() && !pipe.exists());
    let (listed, _) = trash.list().unwrap();
    assert_eq!(listed.first(), Some(&entry));
    trash.restore(&entry.id).unwrap();
    assert_eq!(tree(root.path()), before);
}

#[test]
fn several_at_once_on_one_tree_do_each_other_no_harm() {
    let root = Root::new();
    let names: Vec<String> = (0..40).map(|number| format!("f{number}")).collect();
    for name in &names {
        fs::write(root.path().join(name), name).unwrap();
    }
    std::thread::scope(|scope| {
        for part in 0..4 {
            let (root, names) = (root.path(), &names);
            scope.spawn(move || {
                let trash = trash_of(root);
                for round in 0..30 {
                    let at = (part * 7 + round * 3) % 36;
                    let things: Vec<&str> = names[at..at + 4].iter().map(String::as_str).collect();
                    // What another has removed a moment ago is missing: then nothing moves.
                    let removed = remove(&trash, &things);
                    if let Ok(Removed {
                        entry: Some(entry), ..
                    }) = removed
                    {
                        let (_, errors) = recover(&trash);
                        assert!(errors.is_empty(), "{errors:?}");
                        trash.restore(&entry.id).unwrap();
                    }
                }
            });
        }
    });
    for name in &names {
        assert_eq!(fs::read_to_string(root.path().join(name)).unwrap(), *name);
    }
    assert_eq!(leftovers(root.path()), Vec::<OsString>::new());
}

#[test]
fn of_two_removals_in_one_second_the_later_is_known_for_it() {
    let root = runs();
    let trash = trash_of(root.path());
    let id = |path| remove(&trash, &[path]).unwrap().entry.unwrap().id;
    let (first, second) = (id("b"), id("a/last.safetensors"));
    trash.restore(&first).unwrap();
    let third = id("b");
    let (entries, _) = trash.list().unwrap();
    let ids: Vec<_> = entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, [third.as_str(), second.as_str()]);
}
