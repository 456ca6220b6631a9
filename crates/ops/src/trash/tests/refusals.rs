//! What is refused, and why.

use super::*;

#[test]
fn the_system_s_refusals_are_sentences_and_change_nothing() {
    let cases = [
        (ErrorKind::StorageFull, "the disk is full"),
        (ErrorKind::PermissionDenied, "you may not change the folder"),
        (
            ErrorKind::ReadOnlyFilesystem,
            "the file system is read-only",
        ),
        (
            ErrorKind::CrossesDevices,
            "another file system than its root",
        ),
        (ErrorKind::ResourceBusy, "something is mounted there"),
    ];
    for (with, part) in cases {
        let root = runs();
        let before = tree(root.path());
        let mut sentences = Vec::new();
        for at in 2..60 {
            let disk = Faulty {
                with,
                ..Faulty::new(at, NEVER)
            };
            let trash = Trash::on(&storage(root.path(), disk), root.path()).unwrap();
            match remove(&trash, &SOME) {
                Err(error) => sentences.push(error.to_string()),
                Ok(removed) => {
                    let entry = removed.entry.unwrap();
                    trash_of(root.path()).restore(&entry.id).unwrap();
                }
            }
            assert_eq!(tree(root.path()), before, "{with:?} at {at}");
        }
        assert!(sentences.len() > 20);
        assert!(
            sentences
                .iter()
                .all(|message| message.contains(part) && !message.contains('\n')),
            "{sentences:?}"
        );
    }
}

#[test]
fn what_is_checked_at_the_last_moment_and_refused_stays_and_is_reported() {
    let root = runs();
    let before = tree(root.path());
    let trash = trash_of(root.path());
    let refuse_b = &mut |path: &Path| {
        if path.ends_with("b") {
            Err("it is running".to_owned())
        } else {
            Ok(())
        }
    };
    let removed = trash
        .remove(&removal(root.path(), &SOME), refuse_b)
        .unwrap();
    assert_eq!(removed.left, [("b".into(), "it is running".to_owned())]);
    assert!(root.path().join("b/run.json").exists() && !root.path().join("loose").exists());
    trash.restore(&removed.entry.unwrap().id).unwrap();
    assert_eq!(tree(root.path()), before);
    let removed = trash
        .remove(&removal(root.path(), &["b"]), refuse_b)
        .unwrap();
    assert_eq!((removed.entry, removed.left.len()), (None, 1));
    assert_eq!(tree(root.path()), before);
    assert_eq!(leftovers(root.path()), Vec::<OsString>::new());
}

#[test]
fn nothing_outside_the_root_or_behind_a_link_is_touched() {
    let (root, outside) = (runs(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("theirs"), "theirs").unwrap();
    let link = root.path().join("a/out");
    std::os::unix::fs::symlink(outside.path(), &link).unwrap();
    let trash = trash_of(root.path());
    for path in [
        "a/out/theirs",
        "../escape",
        "",
        ".trash",
        ".trash/lock",
        "a/..",
        "missing",
    ] {
        let before = tree(root.path());
        let error = remove(&trash, &["loose", path]).unwrap_err().to_string();
        assert!(!error.is_empty());
        assert_eq!(content(&tree(root.path())), content(&before), "{path}");
        assert_eq!(leftovers(root.path()), Vec::<OsString>::new(), "{path}");
    }
    // The link itself may go, and what it leads to stays, also when it is purged.
    let id = remove(&trash, &["a"]).unwrap().entry.unwrap().id;
    trash.purge(&id).unwrap();
    assert_eq!(fs::read(outside.path().join("theirs")).unwrap(), b"theirs");
    // A trash that leads out of the root is none.
    fs::remove_dir_all(root.path().join(FOLDER)).unwrap();
    std::os::unix::fs::symlink(outside.path(), root.path().join(FOLDER)).unwrap();
    let error = remove(&trash, &["loose"]).unwrap_err().to_string();
    assert!(error.contains("must be a folder"), "{error}");
}

#[test]
fn a_place_that_is_taken_again_is_refused_and_a_missing_folder_is_made() {
    let root = runs();
    let trash = trash_of(root.path());
    let id = remove(&trash, &SOME).unwrap().entry.unwrap().id;
    fs::write(root.path().join("loose"), "new").unwrap();
    let before = tree(root.path());
    let error = trash.restore(&id).unwrap_err().to_string();
    assert!(
        error.contains("loose: there is something of this name again"),
        "{error}"
    );
    assert_eq!(tree(root.path()), before);
    fs::remove_file(root.path().join("loose")).unwrap();
    // The file in its place counts as the user's own as soon as it has been changed.
    let last = root.path().join("a/last.safetensors");
    let slim = fs::read(&last).unwrap();
    fs::write(&last, "resumed").unwrap();
    let error = trash.restore(&id).unwrap_err().to_string();
    assert!(error.contains("last.safetensors"), "{error}");
    fs::write(&last, slim).unwrap();
    fs::remove_file(&last).unwrap();
    fs::remove_dir_all(root.path().join("a")).unwrap();
    trash.restore(&id).unwrap();
    assert_eq!(fs::read(&last).unwrap(), b"content of a/last.safetensors");
    assert!(root.path().join("a/checkpoints/epoch_2").exists());
}

#[test]
fn damaged_journals_and_strange_files_are_reported_and_left() {
    let root = runs();
    let trash = trash_of(root.path());
    let id = remove(&trash, &["b"]).unwrap().entry.unwrap().id;
    let folder = root.path().join(FOLDER).join(&id);
    fs::write(folder.join("entry.json"), "{\"id\":").unwrap();
    let stray = root.path().join(FOLDER).join("20200101-000000");
    fs::create_dir(&stray).unwrap();
    fs::write(stray.join("precious"), "mine").unwrap();
    assert!(recover(&trash).1.is_empty());
    let (entries, problems) = trash.list().unwrap();
    assert!(entries.is_empty());
    assert!(
        problems[0].contains("entry.json: is damaged") && problems[1].contains("holds no journal"),
        "{problems:?}"
    );
    assert!(folder.join("0/run.json").exists() && stray.join("precious").exists());
    for id in ["../b", "", ".", "nothing"] {
        let error = trash.purge(id).unwrap_err().to_string();
        assert!(error.contains("is not in the trash"), "{error}");
    }
}
