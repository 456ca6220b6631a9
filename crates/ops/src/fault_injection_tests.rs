//! Random trees and random sequences of all edits of runs, each action cut off or failing at a
//! random call: nothing else changes, and everything that was done is undone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use proptest::prelude::*;

use super::archive::{self, Archived, Unarchived};
use super::organise::{self, Rebuilt};
use super::rename::{self, RenameRequest, Renamed};
use super::trash::{self, Removal, Ticket};
use traintop_disk::faulty::{Faulty, NEVER};
use traintop_disk::{Disk, System};
use traintop_run::discover::discover;
use traintop_run::layout::RunDir;
use traintop_run::notes::{self, Annotated, Change, Notes};
use traintop_run::state_dir::Storage;

/// Something that a user does; numbers pick among what there is.
#[derive(Debug, Clone)]
enum Act {
    Rename(usize, String),
    Annotate(usize, Change),
    Archive(usize, bool),
    Unarchive(usize),
    Clean(Vec<usize>),
    Remove(usize),
    Rebuild(usize),
}

/// What takes it back.
#[derive(Debug)]
enum Action {
    Renamed(Vec<Renamed>),
    Annotated(Annotated),
    Archived(Archived),
    Unarchived(RunDir, Unarchived),
    Removed(Vec<Ticket>),
    Rebuilt(Rebuilt),
}

fn act() -> impl Strategy<Value = Act> {
    let tags = prop::collection::vec("[a-c]", 0..3);
    prop_oneof![
        3 => (0..9_usize, "[a-d]{1,2}").prop_map(|(run, name)| Act::Rename(run, name)),
        2 => (0..9_usize, tags).prop_map(|(run, tags)| Act::Annotate(run, Change::Tags(tags))),
        1 => (0..9_usize).prop_map(|run| Act::Annotate(run, Change::Name("mine".to_owned()))),
        2 => (0..9_usize, any::<bool>()).prop_map(|(run, without)| Act::Archive(run, without)),
        2 => (0..9_usize).prop_map(Act::Unarchive),
        2 => prop::collection::vec(0..40_usize, 1..4).prop_map(Act::Clean),
        1 => (0..9_usize).prop_map(Act::Remove),
        2 => (0..9_usize).prop_map(Act::Rebuild),
    ]
}

/// What a trainer of the reference's kind leaves of its settings.
const TRAINING_LOG: &str = "[2023-11-14 22:00:00] TRAINING CONFIGURATION\n\
    [2023-11-14 22:00:00] num_epochs: 2\n\
    [2023-11-14 22:00:00] batch_size: 128\n\n";

/// When runs are rebuilt, so that the bytes are the same each time.
const LONG_AGO: Timestamp = Timestamp::UNIX_EPOCH;

/// The bytes of each file, where each link leads, and when it last changed. What shows only when
/// something was done is left out: the times of notes and of marks, and the bytes of an archive.
/// What a killed program was writing is left out as well.
type Content = BTreeMap<PathBuf, (Vec<u8>, Option<SystemTime>)>;

fn content(tree: &Path) -> Content {
    let mut found = Content::new();
    let mut folders = vec![tree.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let metadata = path.symlink_metadata().unwrap();
            let name = name.to_string_lossy();
            if name == trash::FOLDER || name.ends_with(".tmp") {
                continue;
            }
            let seen = if metadata.is_dir() {
                folders.push(path.clone());
                (Vec::new(), None)
            } else if metadata.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                (target.into_os_string().into_encoded_bytes(), None)
            } else if name == "archive.tar.zst" {
                (Vec::new(), None)
            } else if name == "rebuilt.json" {
                (fs::read(&path).unwrap(), None)
            } else if name == "notes.toml" {
                // An empty one says what none says.
                if Notes::load(&RunDir::new(&folder)).is_ok_and(|notes| notes.is_empty()) {
                    continue;
                }
                (fs::read(&path).unwrap(), None)
            } else {
                let modified = metadata.modified().unwrap();
                (fs::read(&path).unwrap(), Some(modified))
            };
            found.insert(path, seen);
        }
    }
    found
}

/// A tree of runs of another trainer, with models that were kept, a link and an evaluation.
fn grow(tree: &Path, runs: &[(String, Vec<u32>, bool)]) {
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let write = |path: &Path, bytes: &[u8]| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(old).unwrap();
    };
    for (name, epochs, has_best) in runs {
        let dir = RunDir::new(tree.join("training_runs").join(name));
        write(&dir.metrics_csv(), b"epoch,val_acc\n1,50\n2,60\n");
        // Those without a best model have lost their configuration too; a log has it.
        if *has_best {
            let config = format!("{{\"num_epochs\": 2, \"name\": \"{name}\"}}");
            write(&dir.config_json(), config.as_bytes());
        } else {
            write(&dir.training_log(), TRAINING_LOG.as_bytes());
        }
        for epoch in epochs {
            write(
                &dir.checkpoint(*epoch),
                format!("{name} {epoch}").as_bytes(),
            );
        }
        if *has_best {
            write(&dir.best(), name.as_bytes());
            let kept = format!("best_models/quick_{name}_best.safetensors");
            write(&tree.join(kept), name.as_bytes());
        }
        let summary = serde_json::json!({ "run": { "path": dir.path() } });
        let path = tree.join(format!("evaluations/of-{name}/summary.json"));
        write(&path, summary.to_string().as_bytes());
        let link = tree.join(format!("evaluations/of-{name}/model"));
        std::os::unix::fs::symlink(dir.best(), link).unwrap();
    }
}

fn storage(state: &Path, disk: impl Disk + 'static) -> Storage {
    Storage {
        disk: Arc::new(disk),
        state: Some(state.to_owned()),
    }
}

fn runs_below(tree: &Path) -> Vec<RunDir> {
    let mut runs = Vec::new();
    discover(&[tree.to_owned()], |found| runs.push(found.dir));
    runs.sort();
    runs
}

/// The run that a number picks.
fn nth(runs: &[RunDir], number: usize) -> Option<RunDir> {
    runs.get(number % runs.len().max(1)).cloned()
}

/// Does it; an error is a sentence.
fn carry_out(storage: &Storage, tree: &Path, act: &Act) -> Result<Action, String> {
    let roots = [tree.to_owned()];
    let runs = runs_below(tree);
    let pick = |number: usize| {
        let dir = nth(&runs, number);
        dir.ok_or_else(|| "there is no run".to_owned())
    };
    let remove = |paths: Vec<PathBuf>| {
        let removal = Removal {
            things: paths.into_iter().map(Into::into).collect(),
            by: "clean".to_owned(),
            why: "at random".to_owned(),
            now: Timestamp::now(),
        };
        let removed = trash::remove_below_on(storage, &roots, &removal, &mut |_| Ok(()));
        removed
            .map(|(tickets, _)| Action::Removed(tickets))
            .map_err(|error| error.to_string())
    };
    match act {
        Act::Rename(run, name) => {
            let wish = |number: usize, name: String| -> Result<RenameRequest, String> {
                let dir = pick(number)?;
                Ok(RenameRequest {
                    state: rename::state_now(&dir),
                    name: Ok(name),
                    dir,
                })
            };
            let mut wishes = vec![wish(*run, name.clone())?];
            if runs.len() > 1 {
                wishes.push(wish(run + 1, format!("{name}{name}"))?);
            }
            let steps = rename::plan(wishes, |path| path.symlink_metadata().is_ok());
            let renamed = rename::apply_on(storage, &steps);
            renamed
                .map(Action::Renamed)
                .map_err(|error| error.to_string())
        }
        Act::Annotate(run, change) => {
            let annotated = notes::annotate_on(storage, &pick(*run)?, change);
            annotated
                .map(Action::Annotated)
                .map_err(|error| error.to_string())
        }
        Act::Archive(run, without) => {
            let plan = archive::Plan::of(&pick(*run)?, *without);
            let archived = plan.and_then(|plan| archive::archive_on(storage, &roots, &plan));
            archived
                .map(Action::Archived)
                .map_err(|error| error.to_string())
        }
        Act::Unarchive(run) => {
            let dir = pick(*run)?;
            let back = archive::unarchive_on(storage, &roots, &dir);
            back.map(|back| Action::Unarchived(dir, back))
                .map_err(|error| error.to_string())
        }
        Act::Rebuild(run) => {
            let plan = organise::plan(&pick(*run)?);
            if plan.is_empty() {
                return Err("nothing is missing".to_owned());
            }
            let rebuilt = organise::apply_on(&*storage.disk, &plan, LONG_AGO);
            rebuilt
                .map(Action::Rebuilt)
                .map_err(|error| error.to_string())
        }
        Act::Remove(run) => remove(vec![pick(*run)?.path().to_owned()]),
        Act::Clean(numbers) => {
            let files: Vec<PathBuf> = content(&tree.join("training_runs"))
                .into_keys()
                .filter(|path| {
                    path.extension()
                        .is_some_and(|ending| ending == "safetensors")
                })
                .collect();
            let chosen = numbers
                .iter()
                .filter_map(|number| files.get(*number).cloned());
            remove(chosen.collect())
        }
    }
}

fn undo(storage: &Storage, action: &Action) -> Result<(), String> {
    match action {
        Action::Renamed(renamed) => rename::undo_on(storage, renamed)
            .map(drop)
            .map_err(|(path, cause)| format!("{}: {cause}", path.display())),
        Action::Annotated(annotated) => {
            notes::undo_on(storage, annotated).map_err(|error| error.to_string())
        }
        Action::Archived(archived) => {
            archive::undo_on(storage, archived).map_err(|error| error.to_string())
        }
        Action::Unarchived(dir, back) => {
            archive::undo_unarchive_on(storage, dir, back).map_err(|error| error.to_string())
        }
        Action::Rebuilt(rebuilt) => {
            organise::undo_on(&*storage.disk, rebuilt).map_err(|error| error.to_string())
        }
        Action::Removed(tickets) => trash::restore_all_on(storage, tickets)
            .map(drop)
            .map_err(|error| error.to_string()),
    }
}

/// What the next start does, twice: the second time there is nothing to do.
fn recover(storage: &Storage, tree: &Path) {
    for is_first in [true, false] {
        let (finished, problems) =
            trash::recover_below_on(storage, &[tree.to_owned()], |_, _| true);
        let mut sentences: Vec<String> = finished
            .into_iter()
            .map(|finished| finished.sentence)
            .collect();
        sentences.extend(rename::recover_on(storage, |_, _| true));
        sentences.extend(archive::recover_on(storage, |_, _| true));
        assert_eq!(problems, Vec::<String>::new());
        assert!(is_first || sentences.is_empty(), "{sentences:?}");
        assert!(
            !sentences
                .iter()
                .any(|sentence| sentence.contains("cannot be")),
            "{sentences:?}"
        );
    }
}

/// Whether every run's notes can be read, however its files look.
fn notes_are_whole(tree: &Path) -> bool {
    runs_below(tree).iter().all(|dir| Notes::load(dir).is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn whatever_is_done_is_done_wholly_and_undone(
        names in prop::collection::btree_map("[e-h]{1,3}", (prop::collection::vec(1..4_u32, 0..3), any::<bool>()), 1..4),
        acts in prop::collection::vec((act(), 0..160_usize, any::<bool>()), 1..7),
    ) {
        let (place, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let tree = place.path().canonicalize().unwrap();
        let runs: Vec<_> = names.into_iter().map(|(name, (epochs, best))| (name, epochs, best)).collect();
        grow(&tree, &runs);
        let real = storage(state.path(), System);
        let mut first = content(&tree);
        let mut actions: Vec<Action> = Vec::new();
        for (act, at, killed) in &acts {
            let before = content(&tree);
            let rebuilt = match act {
                Act::Rebuild(run) => nth(&runs_below(&tree), *run),
                _ => None,
            };
            // Once without a failure, to see the outcome, and that it can be undone.
            let Ok(action) = carry_out(&real, &tree, act) else {
                prop_assert_eq!(&content(&tree), &before, "refused: {:?}", act);
                continue;
            };
            let after = content(&tree);
            prop_assert!(notes_are_whole(&tree));
            let undone = undo(&real, &action);
            prop_assert_eq!(undone, Ok(()), "{:?}", act);
            prop_assert_eq!(&content(&tree), &before, "undone: {:?}", act);
            // Then with one: it happens all the same, or nothing does.
            let (fail_at, kill_at) = if *killed { (NEVER, *at) } else { (*at, NEVER) };
            let done = carry_out(&storage(state.path(), Faulty::new(fail_at, kill_at)), &tree, act);
            recover(&real, &tree);
            let mut now = content(&tree);
            // A rebuilding that was cut off is carried on by doing it again, or there was nothing
            // left to do.
            if let Some(dir) = rebuilt.filter(|_| done.is_err() && now != before && now != after) {
                // Without its record, of which half was written, a search does not find it.
                let again = organise::apply_on(&System, &organise::plan(&dir), LONG_AGO);
                prop_assert!(again.is_ok(), "{:?}", again);
                now = content(&tree);
            }
            match done {
                // What could not follow a name is reported.
                Ok(Action::Renamed(renamed)) if renamed.iter().any(|renamed| !renamed.left.is_empty()) => {
                    actions.push(Action::Renamed(renamed));
                }
                Ok(action) if now == after => actions.push(action),
                Ok(_) => prop_assert!(*killed && now == before, "done: {:?}", act),
                Err(_) if now == before => {}
                Err(error) => {
                    // Only the trash could undo it.
                    prop_assert_eq!(&now, &after, "{:?}: {}", act, error);
                    actions.clear();
                    first = now;
                }
            }
        }
        while let Some(action) = actions.pop() {
            let undone = undo(&real, &action);
            prop_assert_eq!(undone, Ok(()), "{:?}", action);
        }
        prop_assert_eq!(&content(&tree), &first);
    }
}
