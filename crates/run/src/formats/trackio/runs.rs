//! Which runs a database has, by its index.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{object, time};
use crate::found::Stamp;
use traintop_sqlite::{Database, Error, Index, Record, Table, Value as Cell};

/// More runs are no project that anybody looks at.
const MAX_RUNS: usize = 10_000;
/// Of names that are longer only the beginning is in a path.
const MAX_NAME_BYTES: usize = 160;
/// How often a database is read that changes while it is read.
const MAX_TRIES: u32 = 6;
/// How many databases are remembered.
const MAX_REMEMBERED: usize = 64;
/// What changed so short a time ago may change again without another time.
const FRESH_TIME: Duration = Duration::from_millis(50);

/// A run in a database.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its name, as it stands in a path.
    pub folder: String,
    pub name: String,
    /// By which its rows are known: its id, or in earlier versions its name.
    pub key: String,
    /// The row id of its first row, and of its last.
    pub first: i64,
    pub last: i64,
    pub began: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// When something of it was last written, as its rows say.
    pub changed: SystemTime,
    /// The row id of its settings.
    config: Option<i64>,
}

/// Where a table has what.
#[derive(Debug)]
pub struct Columns<'a> {
    pub table: &'a Table,
    pub index: &'a Index,
    pub key: usize,
    pub name: usize,
    pub step: usize,
    pub time: usize,
    pub metrics: usize,
}

impl<'a> Columns<'a> {
    /// `None` if the database is not trackio's.
    pub fn of(database: &'a Database) -> Option<Self> {
        let table = database.table("metrics")?;
        let key = key_of(table);
        Some(Self {
            table,
            index: database.index("metrics", &[key, "timestamp"])?,
            key: table.column(key)?,
            name: table.column("run_name")?,
            step: table.column("step")?,
            time: table.column("timestamp")?,
            metrics: table.column("metrics")?,
        })
    }
}

fn key_of(table: &Table) -> &'static str {
    if table.column("run_id").is_some() {
        "run_id"
    } else {
        "run_name"
    }
}

/// The runs of a database, or why there are none though it is trackio's: half a sentence.
pub type Runs = Result<Arc<Vec<Run>>, String>;

/// What a database was when it was read last, so that of a thousand runs in it not each one reads
/// anew which runs there are.
static SEEN: Mutex<Vec<(PathBuf, [Stamp; 2], Runs)>> = Mutex::new(Vec::new());

/// The runs of a database, in the order in which they began; none if it is not trackio's.
///
/// # Errors
/// If it is damaged, or was trackio's and cannot be read now: half a sentence.
pub fn of(path: &Path) -> Runs {
    let stamps = [Stamp::of(path), Stamp::of(&beside(path))];
    let seen = || SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = seen().iter().find(|(known, ..)| known == path).cloned();
    if let Some((_, at, runs)) = &known
        && *at == stamps
    {
        return runs.clone();
    }
    let runs = match read(path, &|database| Ok(runs(path, database))) {
        Ok(Some(runs)) => runs.map(Arc::new),
        Ok(None) => Ok(Arc::default()),
        Err(error) => {
            log::info!("{}: {error}", path.display());
            let had_runs = |runs: &Runs| runs.as_ref().is_ok_and(|runs| !runs.is_empty());
            if known.is_some_and(|(.., runs)| had_runs(&runs)) {
                // Its runs are still there when it can be read again.
                return Err(error.to_string());
            }
            // Whose it is cannot be told.
            Ok(Arc::default())
        }
    };
    if !is_fresh(path) {
        let mut seen = seen();
        seen.retain(|(known, ..)| known != path);
        if seen.len() >= MAX_REMEMBERED {
            drop(seen.remove(0));
        }
        seen.push((path.to_owned(), stamps, runs.clone()));
    }
    runs
}

/// Whether a database changed so short a time ago that it may change again and look the same.
pub fn is_fresh(path: &Path) -> bool {
    changed_at(path)
        .elapsed()
        .is_ok_and(|since| since < FRESH_TIME)
}

/// Reads of a database until nothing changed it meanwhile, or it changes all the time; `None` if
/// the file is none.
pub fn read<T>(path: &Path, read: &dyn Fn(&Database) -> Result<T, Error>) -> io::Result<Option<T>> {
    for tried in 1.. {
        let is_last = tried >= MAX_TRIES;
        match Database::open(path) {
            Ok(None) => return Ok(None),
            Ok(Some(database)) => {
                let done = read(&database);
                if is_last || database.is_unchanged() {
                    return Ok(Some(done?));
                }
            }
            Err(Error::Damaged(_) | Error::Changing) if !is_last => {}
            Err(error) => return Err(error.into()),
        }
        thread::sleep(Duration::from_millis(1 << tried));
    }
    Ok(None)
}

/// What [`of`] gives of a database that can be read so far that its tables are known.
fn runs(path: &Path, database: &Database) -> Result<Vec<Run>, String> {
    let Some(columns) = Columns::of(database) else {
        return Ok(Vec::new());
    };
    list(database, &columns, changed_at(path)).map_err(|error| error.to_string())
}

/// `written` is when the database last changed.
fn list(database: &Database, columns: &Columns, written: SystemTime) -> Result<Vec<Run>, Error> {
    let mut runs = Vec::new();
    let mut before: Option<Vec<u8>> = None;
    for _ in 0..MAX_RUNS {
        let mut next: Option<(Vec<u8>, i64)> = None;
        database.entries(
            columns.index,
            &|entry| !is_after(entry, before.as_deref()),
            &mut |entry| {
                next = first(entry).zip(row_id(entry));
                false
            },
        )?;
        let Some((key, first_row)) = next else {
            break;
        };
        // In a damaged index keys may come again.
        if before.as_ref().is_some_and(|before| *before >= key) {
            break;
        }
        let last_row = last_row_of(database, columns, &key)?;
        let run = row(database, columns, first_row)?.zip(match last_row {
            Some(last) => row(database, columns, last)?,
            None => None,
        });
        if let (Some(((_, began), (name, ended))), Ok(text)) = (run, String::from_utf8(key.clone()))
        {
            let last = last_row.unwrap_or(first_row);
            runs.push(Run {
                folder: String::new(),
                name,
                key: text,
                first: first_row,
                last,
                began,
                ended,
                changed: written,
                config: None,
            });
        }
        before = Some(key);
    }
    runs.sort_by_key(|run| run.first);
    name_folders(&mut runs);
    find_configs(database, &mut runs)?;
    for run in &mut runs {
        let measured = last_measured(database, &run.key)?;
        let changed = run.ended.max(measured).map(SystemTime::from);
        // Not the file's time, which changes with each of its runs.
        run.changed = changed.unwrap_or(written);
    }
    Ok(runs)
}

/// The last row of a run by its time, if the index has it.
pub fn last_row_of(
    database: &Database,
    columns: &Columns,
    key: &[u8],
) -> Result<Option<i64>, Error> {
    let is_up_to = |entry: Record| !is_after(entry, Some(key));
    Ok(database
        .last_entry(columns.index, &is_up_to, &row_id)?
        .flatten())
}

/// The bytes of an entry's key, which is a text.
fn first(entry: Record) -> Option<Vec<u8>> {
    match entry.value(0)? {
        Cell::Text(text) => Some(text.to_vec()),
        _ => None,
    }
}

/// The row id of an entry of an index.
pub fn row_id(entry: Record) -> Option<i64> {
    entry.last()?.integer()
}

/// Whether an entry stands behind all of a key; behind all that have none if there is none.
fn is_after(entry: Record, key: Option<&[u8]>) -> bool {
    match (entry.value(0), key) {
        (Some(Cell::Text(text)), Some(key)) => text > key,
        (Some(Cell::Text(_)), None) | (Some(Cell::Blob(_)), _) => true,
        _ => false,
    }
}

/// The name and the time of a row.
fn row(
    database: &Database,
    columns: &Columns,
    id: i64,
) -> Result<Option<(String, Option<Timestamp>)>, Error> {
    let mut read = None;
    database.rows(columns.table, id, &mut |found, record| {
        if found == id {
            let text = |column| record.value(column).and_then(Cell::text);
            read =
                text(columns.name).map(|name| (name.to_owned(), text(columns.time).and_then(time)));
        }
        false
    })?;
    Ok(read)
}

/// When the usage of the machine was last measured for a run: it is a sign of life.
fn last_measured(database: &Database, key: &str) -> Result<Option<Timestamp>, Error> {
    let table = database.table("system_metrics");
    let column = table.map_or("run_id", key_of);
    let Some(index) = database.index("system_metrics", &[column, "timestamp"]) else {
        return Ok(None);
    };
    let is_up_to = |entry: Record| !is_after(entry, Some(key.as_bytes()));
    let read = |entry: Record| {
        let is_its = entry.value(0).and_then(Cell::text) == Some(key);
        let text = entry.value(1).filter(|_| is_its).and_then(Cell::text);
        text.and_then(time)
    };
    Ok(database.last_entry(index, &is_up_to, &read)?.flatten())
}

fn find_configs(database: &Database, runs: &mut [Run]) -> Result<(), Error> {
    let Some(table) = database.table("configs") else {
        return Ok(());
    };
    let Some(key) = table.column(key_of(table)) else {
        return Ok(());
    };
    let mut ids: HashMap<String, i64> = HashMap::new();
    database.rows(table, i64::MIN, &mut |id, record| {
        let text = record.value(key).and_then(Cell::text);
        ids.extend(text.map(|text| (text.to_owned(), id)));
        ids.len() < MAX_RUNS
    })?;
    for run in runs {
        run.config = ids.get(&run.key).copied();
    }
    Ok(())
}

impl Run {
    /// What the run was configured with.
    pub fn config(&self, path: &Path) -> Option<Map<String, Value>> {
        let wanted = self.config?;
        let config = read(path, &|database| {
            let Some(table) = database.table("configs") else {
                return Ok(None);
            };
            let column = table.column("config").unwrap_or(usize::MAX);
            let mut read = None;
            database.rows(table, wanted, &mut |id, record| {
                let bytes = record.value(column).and_then(Cell::bytes);
                read = bytes.filter(|_| id == wanted).map(object);
                false
            })?;
            Ok(read)
        });
        config.ok()??
    }
}

/// Makes each name one that can stand in a path. Where several runs have one name, those that began
/// later have the beginning of their id with it.
fn name_folders(runs: &mut [Run]) {
    let mut taken: HashMap<String, usize> = HashMap::new();
    for run in runs {
        let mut folder = in_path(&run.name);
        if folder.is_empty() || taken.contains_key(&folder) {
            let id: String = in_path(&run.key).chars().take(8).collect();
            folder = format!("{folder}~{id}");
        }
        let count = taken.entry(folder.clone()).or_default();
        *count += 1;
        if *count > 1 {
            // Ids that begin alike are none of trackio's.
            folder = format!("{folder}~{}", run.first);
        }
        run.folder = folder;
    }
}

/// A name with what cannot stand in a path as `%` and two digits.
fn in_path(name: &str) -> String {
    let mut text = String::new();
    for (at, char) in name.char_indices() {
        let is_hidden = at == 0 && char == '.';
        if is_hidden || char.is_control() || matches!(char, '/' | '%') {
            let mut bytes = [0; 4];
            for byte in char.encode_utf8(&mut bytes).bytes() {
                // A string takes all that is written to it.
                let _ = write!(text, "%{byte:02X}");
            }
        } else {
            text.push(char);
        }
        if text.len() > MAX_NAME_BYTES {
            break;
        }
    }
    text
}

/// When the database or its log was last written.
fn changed_at(path: &Path) -> SystemTime {
    let changed = |path: &Path| {
        path.metadata()
            .and_then(|metadata| metadata.modified())
            .ok()
    };
    let newest = changed(path).max(changed(&beside(path)));
    newest.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The log beside a database.
pub fn beside(path: &Path) -> PathBuf {
    let mut log = OsString::from(path);
    log.push("-wal");
    PathBuf::from(log)
}
