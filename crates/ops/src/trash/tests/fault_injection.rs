//! Random trees, random actions, each cut off or failing at a random call.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::super::{LOCK, Removal, Trash};
use super::{
    Faulty, Kind, NEVER, Root, content, recovered, removal, settle, storage, trash_of, tree,
};

#[derive(Debug, Clone)]
enum Act {
    Remove(Vec<usize>),
    Restore(usize),
    Purge(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => prop::collection::vec(0..12_usize, 1..5).prop_map(Act::Remove),
        2 => (0..4_usize).prop_map(Act::Restore),
        1 => (0..4_usize).prop_map(Act::Purge),
    ]
}

/// What there is in all: at its place, or in the trash; folders are no content.
fn files(root: &Path) -> BTreeMap<Vec<u8>, usize> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| {
                name != LOCK
                    && !name
                        .to_string_lossy()
                        .trim_start_matches('.')
                        .starts_with("entry.json")
            }) {
                *found.entry(fs::read(&path).unwrap()).or_default() += 1;
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn random_histories_with_random_failures_lose_nothing_and_are_undone(
        paths in prop::collection::btree_set("[a-c]/[a-c]/[a-e]|[a-c]/[f-h]|[i-k]", 4..12),
        acts in prop::collection::vec((act(), 0..90_usize, prop::bool::ANY), 1..8),
    ) {
        let root = Root::new();
        for path in &paths {
            let whole = root.path().join(path);
            fs::create_dir_all(whole.parent().unwrap()).unwrap();
            fs::write(whole, path).unwrap();
        }
        settle(root.path());
        let first = tree(root.path());
        let all = files(root.path());
        let places: Vec<PathBuf> = first.keys().filter(|path| !path.as_os_str().is_empty()).cloned().collect();
        let mut purged = false;
        for (act, at, killed) in acts {
            let trash = recovered(root.path(), "before");
            let (entries, _) = trash.list().unwrap();
            let before = tree(root.path());
            let (fail_at, kill_at) = if killed { (NEVER, at) } else { (at, NEVER) };
            let Ok(faulty) = Trash::on(&storage(root.path(), Faulty::new(fail_at, kill_at)), root.path()) else { continue };
            let chosen = |number: usize| entries.get(number % entries.len().max(1));
            match &act {
                Act::Remove(chosen) => {
                    let things = chosen.iter().map(|number| root.path().join(&places[number % places.len()]).into());
                    let removal = Removal { things: things.collect(), ..removal(root.path(), &[]) };
                    drop(faulty.remove(&removal, &mut |_| Ok(())));
                }
                Act::Restore(number) => {
                    let entry = chosen(*number);
                    drop(entry.map(|entry| faulty.restore(&entry.id)));
                }
                Act::Purge(number) => {
                    purged |= chosen(*number).is_some();
                    drop(chosen(*number).map(|entry| faulty.purge(&entry.id)));
                }
            }
            let trash = recovered(root.path(), "after");
            let after = tree(root.path());
            let (now, problems) = trash.list().unwrap();
            prop_assert!(problems.is_empty(), "{:?}", problems);
            if !purged {
                prop_assert_eq!(&files(root.path()), &all, "{:?}", act);
            }
            // One entry more, one less, or nothing has happened.
            if now.len() == entries.len() {
                prop_assert_eq!(&after, &before, "{:?}", act);
            }
            for (path, seen) in &after {
                // What is there at all is what was there at first.
                prop_assert_eq!(&first[path].1, &seen.1);
                prop_assert!(seen.0 == Kind::Folder || first[path].2 == seen.2);
            }
        }
        if !purged {
            // Undone from the last to the first, everything is as it was.
            loop {
                let trash = trash_of(root.path());
                let (entries, _) = trash.list().unwrap();
                let Some(latest) = entries.first() else { break };
                trash.restore(&latest.id).unwrap();
            }
            prop_assert_eq!(content(&tree(root.path())), content(&first));
        }
    }
}
