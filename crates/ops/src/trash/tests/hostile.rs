//! Trees that another user has written: listing and starting execute nothing of what is in
//! `.trash`, and nothing outside of the root is ever touched.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use super::*;

/// A root with a run in it, and a folder outside the root beside it.
struct Place {
    root: Root,
    outside: PathBuf,
}

fn place() -> Place {
    let root = runs();
    let outside = root.path().with_file_name("outside");
    fs::create_dir_all(outside.join("folder")).unwrap();
    fs::write(outside.join("file"), "theirs").unwrap();
    age(&outside, &mut 2_000_000_000_000_000_000);
    Place { root, outside }
}

impl Place {
    fn path(&self) -> &Path {
        self.root.path()
    }

    /// Everything in the root with its trash, and all outside.
    fn seen(&self) -> Vec<(PathBuf, Seen)> {
        let parts = [self.path().to_owned(), self.path().join(FOLDER)];
        let parts = parts.into_iter().chain([self.outside.clone()]);
        let mut seen = Vec::new();
        for part in parts.filter(|part| part.is_dir() && !part.is_symlink()) {
            for (path, what) in tree(&part) {
                seen.push((part.join(path), what));
            }
        }
        seen
    }

    /// Writes a journal, with a file in each of its first slots.
    fn plant(&self, journal: &Value) -> PathBuf {
        let folder = self.path().join(FOLDER).join(ID);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("entry.json"), journal.to_string()).unwrap();
        for name in ["0", "1", "new-0"] {
            fs::write(folder.join(name), "planted").unwrap();
        }
        age(&self.path().join(FOLDER), &mut 3_000_000_000_000_000_000);
        folder
    }
}

fn journal(stage: &str, items: &Value) -> Value {
    json!({
        "id": ID, "removed_at": now().to_string(), "by": "clean", "why": "x", "stage": stage,
        "bytes": 5, "items": items, "folders": [],
    })
}

fn item(path: &str) -> Value {
    json!({ "path": path, "kind": "file", "slot": 0 })
}

/// Journals that lead out of the root, or say what no journal of ours says.
fn hostile(outside: &Path) -> Vec<(&'static str, Value)> {
    let stages = ["moving", "restoring", "kept"];
    let away = outside.join("new").to_str().unwrap().to_owned();
    let file = outside.join("file");
    let stat = serde_json::to_value(FileStat::at(&file).unwrap()).unwrap();
    let mut all = Vec::new();
    for stage in stages {
        for path in [
            &away[..],
            "../outside/new",
            "a/../../outside/new",
            "a/..",
            "..",
            ".",
            "",
            "/",
            "./x",
            "a//x",
            "x/",
            "nul\0",
            ".trash/x",
            ".trash",
            ".trash/lock",
        ] {
            all.push(("path", journal(stage, &json!([item(path)]))));
        }
        let over = json!([{ "path": file, "kind": "file", "slot": 0, "stand_in": stat }]);
        all.push(("stand_in outside", journal(stage, &over)));
        let folder = json!([{ "path": "x", "kind": "folder", "slot": 0, "stand_in": stat }]);
        all.push(("stand_in of a folder", journal(stage, &folder)));
        let mut odd = stat.clone();
        odd["kind"] = "folder".into();
        let odd = json!([{ "path": "x", "kind": "file", "slot": 0, "stand_in": odd }]);
        all.push(("stand_in that is a folder", journal(stage, &odd)));
        all.push(("slots", journal(stage, &json!([item("x"), item("y")]))));
        let mut twice = [item("x"), item("x")];
        twice[1]["slot"] = 1.into();
        all.push(("paths", journal(stage, &json!(twice))));
        for path in [&away[..], "../outside", ".trash", "a/.."] {
            let mut times = journal(stage, &json!([item("x")]));
            times["folders"] = json!([{ "path": path, "before_ns": 1, "gives_back": true }]);
            all.push(("folders", times));
            let mut made = journal(stage, &json!([item("x")]));
            made["made"] = json!([path]);
            all.push(("made", made));
            let mut owners = journal(stage, &json!([item("x")]));
            owners["owners"] = json!([{ "path": path, "id": "x", "inode": 1 }]);
            all.push(("owners", owners));
        }
        for path in ["b/new", "x", ""] {
            let mut made = journal(stage, &json!([item("x")]));
            made["made"] = json!([path]);
            all.push(("made", made));
        }
        for id in ["20000101-000000", "../outside", "", "x\ny"] {
            let mut other = journal(stage, &json!([item("x")]));
            other["id"] = id.into();
            all.push(("id", other));
        }
    }
    all
}

#[test]
fn journals_that_lead_out_of_the_root_are_damaged_and_never_carried_out() {
    let place = place();
    let journals = hostile(&place.outside);
    assert!(journals.len() > 90, "{}", journals.len());
    for (what, journal) in journals {
        for name in [ID.to_owned(), format!("{PURGING}{ID}")] {
            let planted = place.plant(&journal);
            let folder = place.path().join(FOLDER).join(&name);
            fs::rename(planted, &folder).unwrap();
            age(&place.path().join(FOLDER), &mut 3_000_000_000_000_000_000);
            let before = place.seen();
            let trash = trash_of(place.path());
            // Even if this user had begun it.
            let mark = trash.mark(ID);
            let (finished, _) = recover(&trash);
            assert_eq!(finished, [], "{what}: {journal}");
            let (entries, problems) = trash.list().unwrap();
            assert!(entries.is_empty(), "{what}: {journal}");
            assert!(problems[0].contains("is damaged"), "{what}: {problems:?}");
            assert!(trash.restore(ID).is_err() && trash.purge(ID).is_err());
            trash.unmark(mark);
            assert!(place.seen() == before, "{what}: {journal}");
            fs::remove_dir_all(folder).unwrap();
        }
    }
}

#[test]
fn what_another_user_began_is_finished_only_when_asked() {
    let place = place();
    for stage in ["moving", "restoring"] {
        let _ = fs::remove_file(place.path().join("x"));
        place.plant(&journal(stage, &json!([item("x")])));
        let folder = place.path().join(FOLDER).join(ID);
        fs::remove_file(folder.join("1")).unwrap();
        fs::remove_file(folder.join("new-0")).unwrap();
        let before = place.seen();
        let trash = trash_of(place.path());
        assert!(recover(&trash).0.is_empty() && recover(&trash).1.is_empty());
        let (entries, problems) = trash.list().unwrap();
        assert!(entries.is_empty());
        let advice = format!("`traintop trash restore {ID}` finishes it");
        assert!(problems[0].contains(&advice), "{problems:?}");
        assert!(place.seen() == before, "{stage}");
        trash.restore(ID).unwrap();
        assert_eq!(fs::read(place.path().join("x")).unwrap(), b"planted");
        assert!(!folder.exists());
    }
    let folder = place.plant(&journal("kept", &json!([item("x")])));
    let purging = folder.with_file_name(format!("{PURGING}{ID}"));
    fs::rename(folder, &purging).unwrap();
    let trash = trash_of(place.path());
    assert!(recover(&trash).0.is_empty());
    assert!(trash.list().unwrap().1[0].contains("`traintop trash purge"));
    // What no journal lists stays, though the rest goes.
    assert!(trash.purge(ID).is_err());
    assert!(purging.join("1").exists() && purging.join("new-0").exists());
    assert!(purging.join("entry.json").exists() && !purging.join("0").exists());
}

#[test]
fn folders_without_a_journal_are_left_with_all_that_is_in_them() {
    let place = place();
    let trash = place.path().join(FOLDER);
    for name in [
        ID,
        "20200101-000000",
        &format!("{PURGING}{ID}"),
        "photos",
        "a\nb",
    ] {
        fs::create_dir(trash.join(name)).unwrap();
        for file in ["new-0", "new-files", "entry.json.tmp", "0"] {
            fs::write(trash.join(name).join(file), "mine").unwrap();
        }
    }
    let before = place.seen();
    let opened = trash_of(place.path());
    assert!(recover(&opened).0.is_empty());
    let (entries, problems) = opened.list().unwrap();
    assert_eq!((entries.len(), problems.len()), (0, 3));
    assert!(opened.restore(ID).is_err() && opened.purge(ID).is_err());
    // Other removals work beside them.
    let id = remove(&opened, &["loose"]).unwrap().entry.unwrap().id;
    assert_eq!(id, format!("{ID}-2"));
    opened.restore(&id).unwrap();
    let after = place.seen();
    let names = |seen: &[(PathBuf, Seen)]| -> Vec<PathBuf> {
        seen.iter().map(|(path, _)| path.clone()).collect()
    };
    assert_eq!(names(&after), names(&before));
}

#[test]
fn links_and_pipes_at_every_level_lead_nowhere() {
    let place = place();
    let trash = place.path().join(FOLDER);
    let valid = journal("moving", &json!([item("x")]));
    // The whole trash, an entry, a journal and a lock are links; a journal is a pipe, and another
    // name of a file.
    let plant_outside = || {
        for name in [ID.to_owned(), format!("{PURGING}{ID}")] {
            let folder = place.outside.join(name);
            let _ = fs::create_dir(&folder);
            fs::write(folder.join("entry.json"), valid.to_string()).unwrap();
            fs::write(folder.join("0"), "theirs").unwrap();
        }
        fs::write(place.outside.join(LOCK), "theirs").unwrap();
        age(&place.outside, &mut 2_000_000_000_000_000_000);
    };
    let cases: [(&str, &dyn Fn()); 6] = [
        ("trash", &|| symlink(&place.outside, &trash).unwrap()),
        ("entry", &|| {
            fs::create_dir(&trash).unwrap();
            symlink(place.outside.join(ID), trash.join(ID)).unwrap();
        }),
        ("purging", &|| {
            let name = format!("{PURGING}{ID}");
            fs::create_dir(&trash).unwrap();
            symlink(place.outside.join(&name), trash.join(name)).unwrap();
        }),
        ("journal", &|| {
            fs::create_dir_all(trash.join(ID)).unwrap();
            let journal = place.outside.join(ID).join("entry.json");
            symlink(journal, trash.join(ID).join("entry.json")).unwrap();
            fs::write(trash.join(ID).join("0"), "planted").unwrap();
        }),
        ("pipe", &|| {
            fs::create_dir_all(trash.join(ID)).unwrap();
            let journal = trash.join(ID).join("entry.json");
            mkfifoat(rustix::fs::CWD, journal, Mode::RUSR | Mode::WUSR).unwrap();
        }),
        ("lock", &|| {
            fs::create_dir_all(&trash).unwrap();
            symlink(place.outside.join(LOCK), trash.join(LOCK)).unwrap();
        }),
    ];
    for (case, plant) in cases {
        plant_outside();
        let _ = fs::remove_file(&trash);
        let _ = fs::remove_dir_all(&trash);
        plant();
        if case != "lock" && case != "trash" {
            fs::write(trash.join(LOCK), "").unwrap();
        }
        age(place.path(), &mut 1_000_000_000_000_000_000);
        let before = place.seen();
        let opened = trash_of(place.path());
        let mark = opened.mark(ID);
        assert!(recover(&opened).0.is_empty(), "{case}");
        let listed = opened.list();
        let is_reported = listed.map_or(true, |(entries, problems)| {
            assert!(entries.is_empty(), "{case}");
            !problems.is_empty() || case == "lock"
        });
        assert!(is_reported, "{case}");
        assert!(opened.restore(ID).is_err(), "{case}");
        assert!(opened.purge(ID).is_err(), "{case}");
        opened.unmark(mark);
        if case == "lock" || case == "trash" {
            assert!(remove(&opened, &["loose"]).is_err(), "{case}");
        }
        assert!(place.seen() == before, "{case}");
    }
}

#[test]
fn a_slot_that_is_a_link_is_moved_and_purged_as_a_link() {
    let place = place();
    for purged in [false, true] {
        let folder = place.plant(&journal("kept", &json!([item("x")])));
        for name in ["0", "1", "new-0"] {
            fs::remove_file(folder.join(name)).unwrap();
        }
        symlink(&place.outside, folder.join("0")).unwrap();
        let trash = trash_of(place.path());
        if purged {
            trash.purge(ID).unwrap();
        } else {
            trash.restore(ID).unwrap();
            assert!(place.path().join("x").is_symlink());
            fs::remove_file(place.path().join("x")).unwrap();
        }
        assert!(!folder.exists());
        assert_eq!(fs::read(place.outside.join("file")).unwrap(), b"theirs");
    }
}

#[test]
fn places_behind_a_link_are_never_written_to() {
    let place = place();
    symlink(&place.outside, place.path().join("way")).unwrap();
    for stage in ["moving", "restoring", "kept"] {
        for path in ["way/new", "way/folder/new"] {
            let mut journal = journal(stage, &json!([item(path)]));
            journal["made"] = json!(["way"]);
            journal["folders"] = json!([{ "path": "way", "before_ns": 1, "gives_back": true }]);
            place.plant(&journal);
            let before = tree(&place.outside);
            let trash = trash_of(place.path());
            let mark = trash.mark(ID);
            assert!(recover(&trash).0.is_empty());
            assert!(trash.restore(ID).is_err(), "{stage} {path}");
            trash.unmark(mark);
            assert_eq!(tree(&place.outside), before, "{stage} {path}");
        }
    }
}

#[test]
fn only_what_belongs_to_this_user_counts() {
    let user = rustix::process::geteuid().as_raw();
    let place = place();
    let file = place.path().join("loose");
    require_owner(&file, &file.metadata().unwrap()).unwrap();
    if user != 0 {
        // Without rights to give files away, the system's own folder must do.
        let root = Path::new("/");
        assert!(require_owner(root, &root.metadata().unwrap()).is_err());
        return;
    }
    let trash = place.path().join(FOLDER);
    for below in ["", ID, &format!("{ID}/entry.json")] {
        let folder = place.plant(&journal("moving", &json!([item("x")])));
        let theirs = trash.join(below);
        std::os::unix::fs::chown(&theirs, Some(4321), None).unwrap();
        let before = place.seen();
        let opened = trash_of(place.path());
        let mark = opened.mark(ID);
        assert!(recover(&opened).0.is_empty(), "{below}");
        let message = match opened.list() {
            Ok((entries, problems)) => {
                assert!(entries.is_empty(), "{below}");
                problems.join("; ")
            }
            Err(error) => error.to_string(),
        };
        assert!(
            message.contains("belongs to another user"),
            "{below}: {message}"
        );
        let (restored, purged) = (opened.restore(ID), opened.purge(ID));
        assert!(restored.is_err() && purged.is_err(), "{below}");
        opened.unmark(mark);
        assert!(place.seen() == before, "{below}");
        std::os::unix::fs::chown(&theirs, Some(user), None).unwrap();
        assert!(folder.exists());
    }
}
