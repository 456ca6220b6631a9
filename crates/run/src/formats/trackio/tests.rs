use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::super::super::discover::discover;
use super::super::super::found::{Found, Looks};
use super::super::tests::Tree;
use super::*;
use crate::RunDir;
use crate::metrics::{Change, Metrics};
use crate::notes;
use crate::state::State;
use crate::summary::Summary;

/// Where the log of the fixture ends after its first part.
const FIRST_PART: usize = 22544;

fn fixture(name: &str) -> Vec<u8> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/trainers/trackio");
    fs::read(folder.join(name)).unwrap()
}

/// A tree with a database and the log beside it, which were written long ago.
fn tree(database: &[u8], log: &[u8]) -> Tree {
    let tree = Tree::new(&[]);
    write(&tree, "digits.db", database);
    if !log.is_empty() {
        write(&tree, "digits.db-wal", log);
    }
    tree
}

fn write(tree: &Tree, name: &str, bytes: &[u8]) {
    let path = tree.0.path().join(name);
    fs::write(&path, bytes).unwrap();
    let file = fs::File::options().append(true).open(path).unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    file.set_modified(long_ago).unwrap();
}

fn summary(found: &Found) -> Summary {
    Summary::load(found, SystemTime::now() + Duration::from_secs(600))
}

fn points(metrics: &Metrics) -> Vec<(String, Vec<f64>, String)> {
    let columns = metrics.columns.iter();
    let of = |column: &crate::metrics::Column| {
        (
            column.name.clone(),
            column.x.clone(),
            format!("{:?}", column.y),
        )
    };
    columns.map(of).collect()
}

#[test]
fn each_run_of_a_project_is_one() {
    let tree = tree(&fixture("digits.db"), &fixture("digits.db-wal"));
    let runs = tree.runs();
    let second = runs[2].0.clone();
    assert!(second.starts_with("digits.db/calm-lake-1~"), "{second}");
    assert_eq!(
        tree.paths(),
        [
            "digits.db/bold%2Fotter 2",
            "digits.db/calm-lake-1",
            &second,
            "digits.db/live"
        ]
    );
    let first = summary(&runs[0].1);
    assert_eq!(
        (&*first.name, &*first.trainer, &*first.recipe, first.rows),
        ("bold/otter 2", "trackio", "digits", 5)
    );
    assert!(first.settings.has(("net.width", "64")));
    assert!(!first.settings.has(("_Username", "null")));
    let best = first.best.unwrap();
    assert_eq!((&*best.metric, best.step), ("val/acc", Some(3)));
    assert_eq!(first.steps_done, Some(5));
    assert!(first.started_at.unwrap() < first.ended_at.unwrap());
    assert_eq!(first.observed.state, State::Stopped);
    assert_eq!(summary(&runs[2].1).last("train/loss"), Some(0.68));
    let last = summary(&runs[3].1);
    assert_eq!(last.last("val/acc"), Some(0.7040000000000001));
    // Nothing is made beside the files.
    assert_eq!(fs::read_dir(tree.0.path()).unwrap().count(), 2);
}

#[test]
fn runs_without_ids_are_known_by_their_names() {
    let tree = tree(&fixture("earlier.db"), &[]);
    let runs = tree.runs();
    assert_eq!(
        tree.paths(),
        ["digits.db/bold%2Fotter 2", "digits.db/calm-lake-1"]
    );
    let whole = crate::settled::read(&runs[1].1, SystemTime::now());
    let loss = whole
        .metrics
        .columns
        .iter()
        .find(|it| it.name == "train/loss");
    let loss = loss.unwrap();
    assert_eq!(loss.x, [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(loss.y, [1.5, 1.1, 0.9, 0.8, 0.85]);
    let grad = whole.metrics.columns.iter().find(|it| it.name == "grad");
    assert!(grad.unwrap().y[1].is_nan());
    assert_eq!(whole.metrics.text_columns, ["note"]);
    assert!(whole.read.is_ok() && whole.metrics.problem_count == 0);
}

#[test]
fn a_run_that_grows_is_read_on_and_only_it_changes() {
    let log = fixture("digits.db-wal");
    let tree = tree(&fixture("digits.db"), &log[..FIRST_PART]);
    let find = |name: &str| {
        let mut runs = tree.runs().into_iter();
        let found = runs.find(|(path, _)| path.ends_with(name));
        found.unwrap().1
    };
    let (mut looks, mut others) = (Looks::default(), find("calm-lake-1"));
    let mut live = find("live");
    let now = SystemTime::now();
    looks.note(&mut others, now);
    looks.note(&mut live, now);
    let mut source = live.open_metrics();
    assert_eq!(source.poll().unwrap(), Change::Grew(2));
    assert_eq!(source.poll().unwrap(), Change::Unchanged);
    let mut taken = source.take();
    for end in [FIRST_PART + 5000, log.len()] {
        fs::write(tree.0.path().join("digits.db-wal"), &log[..end]).unwrap();
        let new = if end == log.len() { 3 } else { 0 };
        match source.poll().unwrap() {
            Change::Grew(rows) => assert_eq!(rows, new),
            Change::Unchanged => assert_eq!(new, 0),
            Change::Reread => panic!("only rows were added"),
        }
        taken.absorb(source.take());
    }
    let whole = crate::settled::read(&live, now);
    assert_eq!(points(&taken), points(&whole.metrics));
    assert_eq!(taken.rows, 5);
    let mut others = Found::look(others.dir);
    looks.note(&mut others, now);
    assert_eq!(others.seen_changing, None);
    let mut live = Found::look(live.dir);
    looks.note(&mut live, now);
    assert_eq!(live.seen_changing, Some(now));
}

#[test]
fn a_table_that_was_written_anew_is_read_anew() {
    let tree = tree(&fixture("digits.db"), &[]);
    let found = tree.runs().remove(1).1;
    let mut source = found.open_metrics();
    assert_eq!(source.poll().unwrap(), Change::Grew(5));
    drop(source.take());
    write(&tree, "digits.db", &fixture("earlier.db"));
    write(
        &tree,
        "traintop.toml",
        b"[metrics]\nprimary = 'train/loss'\n",
    );
    let judging = crate::judging::of(found.dir.path());
    let primary = judging.settings.iter().map(|said| said.primary.as_deref());
    assert_eq!(primary.collect::<Vec<_>>(), [Some("train/loss")]);
    assert_eq!(source.poll().unwrap(), Change::Reread);
    assert_eq!(source.take().rows, 5);
    fs::remove_file(tree.0.path().join("digits.db")).unwrap();
    assert!(source.poll().is_err());
    assert!(!super::super::is_there(&found.dir));
}

#[test]
fn databases_of_others_are_passed_over_in_silence() {
    let replaced = |from: &str, to: &str| {
        let mut bytes = fixture("earlier.db");
        let places: Vec<usize> = memchr::memmem::find_iter(&bytes, from.as_bytes()).collect();
        for at in places {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
        bytes
    };
    for bytes in [
        replaced("metrics", "metricz"),
        replaced("run_name", "run_nome"),
        b"SQLite format 3\0".to_vec(),
        [b"SQLite format 3\0".as_slice(), &[255; 2000]].concat(),
        b"no database".to_vec(),
        Vec::new(),
    ] {
        let tree = tree(&bytes, &[]);
        assert!(tree.paths().is_empty());
    }
}

#[test]
fn a_damaged_database_of_trackio_says_so() {
    let mut bytes = fixture("earlier.db");
    // The root of the index, which is page 20.
    bytes[512 * 19..512 * 20].fill(0xff);
    let tree = tree(&bytes, &[]);
    let root = tree.0.path().canonicalize().unwrap();
    let mut runs = 0;
    let unsearched = discover(&[root], |_| runs += 1);
    assert_eq!(runs, 0);
    let [problem] = &unsearched[..] else {
        panic!("{unsearched:?}");
    };
    let text = problem.to_string();
    let expected = "digits.db: cannot be searched for runs (the database is damaged";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn an_index_whose_keys_come_again_ends() {
    let mut bytes = fixture("earlier.db");
    let mut paths = tree(&bytes, &[]).paths();
    paths.sort();
    let whole = paths.len();
    let last = paths.pop().unwrap();
    let name = Path::new(&last).file_name().unwrap().as_encoded_bytes();
    // The last name becomes bytes instead of a text: these come behind all texts, though as a key
    // they are less. An entry has a header of four bytes, the type of the name first.
    let is_entry = |bytes: &[u8], at: usize| {
        let has_type = bytes[at - 4] == 4 && usize::from(bytes[at - 3]) == 13 + 2 * name.len();
        has_type && bytes[at..].starts_with(name)
    };
    let entries: Vec<usize> = (4..bytes.len())
        .filter(|at| is_entry(&bytes, *at))
        .collect();
    assert!(!entries.is_empty());
    for at in entries {
        bytes[at - 3] -= 1;
        bytes[at] = b'A';
    }
    assert!(tree(&bytes, &[]).paths().len() <= whole);
}

#[test]
fn notes_on_a_run_in_a_database_are_the_users_own() {
    let tree = tree(&fixture("earlier.db"), &[]);
    let found = tree.runs().remove(1).1;
    let own = tempfile::tempdir().unwrap();
    let home = crate::state_dir::Storage {
        disk: std::sync::Arc::new(traintop_disk::System),
        state: Some(own.path().to_owned()),
    };
    let change = notes::Change::Star(true);
    let done = notes::annotate_on(&home, &found.dir, &change).unwrap();
    assert_eq!(fs::read_dir(tree.0.path()).unwrap().count(), 1);
    let folder = home.folder("notes").unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    notes::undo_on(&home, &done).unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn steps_of_several_counts_do_not_replace_each_other() {
    let mut rows = rows::Rows::new(&PathBuf::from("/nowhere/a.db/b"));
    let rows_of = [
        (0.0, "{\"train/loss\": 3}"),
        (100.0, "{\"train/loss\": 2}"),
        (
            0.0,
            "{\"val/acc\": 0.5, \"_type\": {\"_type\": \"trackio.image\", \"width\": 3}}",
        ),
        (200.0, "{\"train/loss\": 1, \"nested\": {\"a\": 1}}"),
        (1.0, "{\"val/acc\": 0.6}"),
        // Resumed.
        (100.0, "{\"train/loss\": 2.5}"),
    ];
    for (step, text) in rows_of {
        rows.put(step, json::object(text.as_bytes()));
    }
    let column = |name: &str| {
        let metrics = rows.metrics();
        let column = metrics.columns.iter().find(|column| column.name == name);
        column.map(|column| (column.x.clone(), column.y.clone()))
    };
    assert_eq!(
        column("train/loss"),
        Some((vec![0.0, 100.0], vec![3.0, 2.5]))
    );
    assert_eq!(column("val/acc"), Some((vec![0.0, 1.0], vec![0.5, 0.6])));
    assert!(
        rows.metrics()
            .columns
            .iter()
            .all(|it| !it.name.contains("width"))
    );
}

#[test]
fn a_run_in_a_database_is_found_by_its_path() {
    let tree = tree(&fixture("digits.db"), &[]);
    let root = tree.0.path().canonicalize().unwrap();
    let dir = RunDir::new(root.join("digits.db/calm-lake-1"));
    let found = Found::look(dir.clone());
    assert_eq!(found, tree.runs().remove(1).1);
    assert_eq!(dir.database(), Some(root.join("digits.db").as_path()));
    assert!(dir.only_read().unwrap().contains("digits.db"));
    let other = RunDir::new(root.join("digits.db/none"));
    assert!(super::super::is_there(&dir) && !super::super::is_there(&other));
    // A database may itself be what is searched.
    let mut runs = Vec::new();
    discover(&[root.join("digits.db")], |found| runs.push(found.dir));
    assert_eq!(runs.len(), 3);
}
