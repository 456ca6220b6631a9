//! Files that `SQLite` wrote, read here, and such files damaged.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/trainers/trackio")
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(fixtures().join(name)).unwrap()
}

/// A database, and the log beside it, as files.
struct Files(tempfile::TempDir);

impl Files {
    fn new(database: &[u8], log: &[u8]) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        fs::write(files.path(), database).unwrap();
        if !log.is_empty() {
            fs::write(files.0.path().join("a.db-wal"), log).unwrap();
        }
        files
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("a.db")
    }

    fn open(&self) -> Database {
        Database::open(&self.path()).unwrap().unwrap()
    }
}

/// The row ids, names and lengths of the metrics in a table of trackio's.
fn rows(database: &Database) -> Result<Vec<(i64, String, usize)>, Error> {
    let Some(table) = database.table("metrics") else {
        return Ok(Vec::new());
    };
    let (name, metrics) = (table.column("run_name"), table.column("metrics"));
    let (name, metrics) = (name.unwrap_or(9), metrics.unwrap_or(9));
    let mut rows = Vec::new();
    database.rows(table, i64::MIN, &mut |id, record| {
        let text = record.value(name).and_then(Value::text).unwrap_or_default();
        let bytes = record.value(metrics).and_then(Value::bytes);
        rows.push((id, text.to_owned(), bytes.unwrap_or_default().len()));
        true
    })?;
    Ok(rows)
}

/// The row ids of an index, in its order.
fn entries(database: &Database) -> Result<Vec<i64>, Error> {
    let key = database
        .table("metrics")
        .and_then(|table| table.column("run_id"));
    let key = if key.is_some() { "run_id" } else { "run_name" };
    let mut ids = Vec::new();
    if let Some(index) = database.index("metrics", &[key, "timestamp"]) {
        database.entries(index, &|_| false, &mut |entry| {
            ids.extend(entry.last().and_then(Value::integer));
            true
        })?;
    }
    Ok(ids)
}

/// Reads all that can be asked for.
fn all(path: &Path) -> Result<usize, Error> {
    let Some(database) = Database::open(path)? else {
        return Ok(0);
    };
    let mut count = rows(&database)?.len() + entries(&database)?.len();
    for name in ["metrics", "configs", "system_metrics", "sqlite_sequence"] {
        if let Some(table) = database.table(name) {
            count += usize::from(database.last_row_id(table)? > 0);
            database.rows(table, 7, &mut |_, record| {
                count += record.values().count();
                true
            })?;
        }
    }
    for key in ["run_id", "run_name"] {
        if let Some(index) = database.index("metrics", &[key]) {
            let is_before = |entry: Record| entry.value(0).and_then(Value::bytes) < Some(b"b");
            let last = database.last_entry(index, &is_before, &|entry| entry.values().count())?;
            count += last.unwrap_or(0);
        }
    }
    Ok(count)
}

#[test]
fn rows_on_several_levels_and_on_pages_of_their_own_are_read_with_the_log() {
    let files = Files::new(&fixture("digits.db"), &fixture("digits.db-wal"));
    let database = files.open();
    let read = rows(&database).unwrap();
    let ids: Vec<i64> = read.iter().map(|(id, ..)| *id).collect();
    assert_eq!(ids, (1..=20).collect::<Vec<_>>());
    // As SQLite says.
    let of = |name: &str| -> (usize, usize) {
        let of = read.iter().filter(|(_, its, _)| its == name);
        of.fold((0, 0), |(count, bytes), row| (count + 1, bytes + row.2))
    };
    assert_eq!(of("calm-lake-1").0, 10);
    assert_eq!(of("bold/otter 2").0, 5);
    assert!(read.iter().filter(|(.., length)| *length > 700).count() == 4);
    let mut sorted = entries(&database).unwrap();
    sorted.sort_unstable();
    assert_eq!(sorted, ids);
    assert_eq!(
        database
            .last_row_id(database.table("metrics").unwrap())
            .unwrap(),
        20
    );
    // Nothing is made beside it.
    assert_eq!(fs::read_dir(files.0.path()).unwrap().count(), 2);
}

#[test]
fn pages_that_lead_to_one_page_twice_are_damaged() {
    let mut bytes = fixture("earlier.db");
    let read = entries(&Files::new(&bytes, &[]).open());
    assert!(read.is_ok_and(|entries| !entries.is_empty()));
    // Page 20 is an index with one entry between two pages: the last of them becomes the first.
    let root = 19 * 512;
    let place = root + 12;
    let cell = root + usize::from(u16::from_be_bytes([bytes[place], bytes[place + 1]]));
    bytes.copy_within(cell..cell + 4, root + 8);
    let read = entries(&Files::new(&bytes, &[]).open());
    assert!(matches!(read, Err(Error::Damaged(_))), "{read:?}");
}

#[test]
fn an_index_is_gone_to_by_its_first_column() {
    let files = Files::new(&fixture("earlier.db"), &[]);
    let database = files.open();
    let index = database
        .index("metrics", &["run_name", "timestamp"])
        .unwrap();
    let name = |entry: Record| entry.value(0).and_then(Value::text).map(str::to_owned);
    let before = |key: &'static str| move |entry: Record| name(entry).unwrap().as_str() < key;
    let mut found = Vec::new();
    database
        .entries(index, &before("c"), &mut |entry| {
            found.push((
                name(entry).unwrap(),
                entry.last().unwrap().integer().unwrap(),
            ));
            true
        })
        .unwrap();
    let expected: Vec<_> = (1..=5).map(|id| ("calm-lake-1".to_owned(), id)).collect();
    assert_eq!(found, expected);
    for (key, last) in [("a", None), ("c", Some(10)), ("z", Some(5))] {
        let found = database.last_entry(index, &before(key), &|entry| entry.last()?.integer());
        assert_eq!(found.unwrap().flatten(), last, "{key}");
    }
    let mut from = Vec::new();
    let table = database.table("metrics").unwrap();
    database
        .rows(table, 8, &mut |id, _| {
            from.push(id);
            from.len() < 2
        })
        .unwrap();
    assert_eq!(from, [8, 9]);
}

#[test]
fn of_a_log_counts_what_was_committed() {
    let (database, log) = (fixture("digits.db"), fixture("digits.db-wal"));
    let mut counts = Vec::new();
    for length in (0..log.len()).step_by(61).chain([log.len()]) {
        let read = rows(&Files::new(&database, &log[..length]).open()).unwrap();
        counts.push(read.len());
    }
    assert!(counts.is_sorted());
    counts.dedup();
    assert_eq!(counts, [15, 17, 20]);
    // What follows a frame that is not whole does not count.
    let mut broken = log.clone();
    let at = log.len() / 2;
    broken[at] ^= 1;
    assert!(rows(&Files::new(&database, &broken).open()).unwrap().len() < 20);
}

#[test]
fn what_is_written_meanwhile_is_seen() {
    let files = Files::new(&fixture("digits.db"), &fixture("digits.db-wal"));
    std::thread::sleep(Duration::from_millis(30));
    let database = files.open();
    assert!(database.is_unchanged());
    let log = files.0.path().join("a.db-wal");
    let mut longer = fixture("digits.db-wal");
    longer.extend([0; 100]);
    fs::write(&log, &longer).unwrap();
    assert!(database.is_unchanged(), "only the log grew");
    longer[20] ^= 1;
    fs::write(&log, longer).unwrap();
    assert!(!database.is_unchanged(), "the log was begun anew");
    let database = files.open();
    fs::write(files.path(), fixture("digits.db")).unwrap();
    assert!(!database.is_unchanged());
}

#[test]
fn files_of_others_are_no_databases() {
    for bytes in [&b""[..], b"SQLite format 3\0", &[7; 4096]] {
        let files = Files::new(bytes, &[]);
        assert!(Database::open(&files.path()).unwrap().is_none());
    }
    let files = Files::new(&fixture("earlier.db"), &[]);
    fs::write(files.0.path().join("a.db-journal"), [1; 40]).unwrap();
    let error = Database::open(&files.path()).unwrap_err();
    assert!(matches!(error, Error::Changing), "{error}");
}

/// A change of some bytes: where, and to what.
fn damage(bytes: &mut Vec<u8>, changes: &[(usize, u8)], cut: Option<usize>) {
    for (at, to) in changes {
        let length = bytes.len();
        // Most of them in the first pages, where the trees begin.
        let at = if *to % 2 == 0 {
            at % length
        } else {
            at % length.min(4096)
        };
        bytes[at] = *to;
    }
    if let Some(cut) = cut {
        let length = bytes.len();
        bytes.truncate(cut % length);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_files_give_a_sentence_at_most(
        of_database in prop::collection::vec((any::<usize>(), any::<u8>()), 0..40),
        of_log in prop::collection::vec((any::<usize>(), any::<u8>()), 0..4),
        cut in prop::option::weighted(0.2, any::<usize>()),
        is_earlier in any::<bool>(),
    ) {
        let name = if is_earlier { "earlier.db" } else { "digits.db" };
        let mut database = fixture(name);
        let mut log = if is_earlier { Vec::new() } else { fixture("digits.db-wal") };
        damage(&mut database, &of_database, cut);
        if !log.is_empty() {
            damage(&mut log, &of_log, None);
        }
        let files = Files::new(&database, &log);
        let begun = Instant::now();
        if let Err(error) = all(&files.path()) {
            prop_assert!(!error.to_string().is_empty());
        }
        prop_assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
