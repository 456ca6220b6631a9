//! The rows of a run, followed: first those that the index names, then what is added to the table.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::super::points::Points;
use super::super::{Facts, Source, json};
use super::runs::{self, Columns, Run, beside};
use super::{facts_of, place};
use crate::found::Stamp;
use crate::metrics::{Change, Metrics};
use traintop_sqlite::{Database, Error, Record, Value as Cell};

/// Rows, and bytes of these, that are read at once: what was read counts only if nothing changed
/// the database meanwhile.
const MAX_ROWS_AT_ONCE: usize = 20_000;
const MAX_BYTES_AT_ONCE: usize = 8 << 20;

/// The rows of one run.
#[derive(Debug)]
pub struct Rows {
    dir: PathBuf,
    /// The file that a problem names.
    path: PathBuf,
    seen: Option<[Stamp; 2]>,
    /// The last row of the run that was read.
    last: Option<Row>,
    /// The last row of the table when it was read last.
    last_of_all: Option<i64>,
    /// Of the rows that were read.
    bytes: u64,
    facts: Option<Facts>,
    points: Points,
}

/// A row of the run's.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    id: i64,
    step: f64,
    time: Vec<u8>,
    metrics: Vec<u8>,
}

impl Rows {
    /// Nothing is read yet.
    pub fn new(dir: &Path) -> Self {
        let database = dir.parent().unwrap_or(dir);
        Self {
            dir: dir.to_owned(),
            path: database.to_owned(),
            seen: None,
            last: None,
            last_of_all: None,
            bytes: 0,
            facts: None,
            points: Points::new("step"),
        }
    }

    fn last_id(&self) -> Option<i64> {
        self.last.as_ref().map(|last| last.id)
    }

    /// Whether the last row that was read is still what it was: else the table was written anew.
    fn is_same(&self, run: &Run) -> io::Result<bool> {
        let Some(last) = &self.last else {
            return Ok(true);
        };
        let now = runs::read(&self.path, &|database| {
            let mut now = None;
            let Some(columns) = Columns::of(database) else {
                return Ok(None);
            };
            database.rows(columns.table, last.id, &mut |id, record| {
                now = row(&columns, id, record, run);
                false
            })?;
            Ok(now)
        })?;
        Ok(now.flatten().as_ref() == Some(last))
    }

    fn read_on(&mut self, run: &Run) -> io::Result<()> {
        if self.last_of_all.is_none() {
            let read = runs::read(&self.path, &|database| ids(database, run))?;
            let (ids, last_of_all) = read.unwrap_or_default();
            let mut rest = &ids[..];
            while !rest.is_empty() {
                let read = runs::read(&self.path, &|database| by_ids(database, run, rest))?;
                let (rows, count) = read.unwrap_or((Vec::new(), rest.len()));
                rest = &rest[count..];
                self.take_in(rows)?;
            }
            self.last_of_all = Some(last_of_all);
        }
        while let Some(from) = self.last_of_all {
            let last = self.last_id();
            let read = runs::read(&self.path, &|database| behind(database, run, from, last))?;
            let Some((rows, last_of_all)) = read else {
                break;
            };
            self.take_in(rows)?;
            self.last_of_all = Some(last_of_all);
            if last_of_all <= from {
                break;
            }
        }
        Ok(())
    }

    fn take_in(&mut self, rows: Vec<Row>) -> io::Result<()> {
        for row in rows {
            self.bytes = self.bytes.saturating_add(row.metrics.len() as u64);
            match json::parse(&row.metrics) {
                Ok(Value::Object(map)) => self.put(row.step, map),
                Ok(_) => self.add_problem(row.id, "is no object of JSON".to_owned()),
                Err(error) => self.add_problem(row.id, format!("is no JSON ({error})")),
            }
            self.last = Some(row);
        }
        let length = |path: &Path| path.metadata().map_or(0, |metadata| metadata.len());
        let whole = length(&self.path).saturating_add(length(&beside(&self.path)));
        if self.bytes > whole.saturating_mul(2) {
            let error = Error::Damaged("its rows have more bytes than it has".to_owned());
            return Err(error.into());
        }
        Ok(())
    }

    fn add_problem(&mut self, id: i64, what: String) {
        self.points.add_problem(id.unsigned_abs(), what);
    }

    /// Steps may be those of several counts, as of batches and of epochs. So a row that goes back
    /// replaces what comes later only if something in it goes back.
    pub(super) fn put(&mut self, step: f64, mut map: Map<String, Value>) {
        // Pictures, tables and histograms.
        map.retain(|_, value| value.get("_type").is_none());
        let points = &mut self.points;
        let mut goes_back = false;
        json::numbers(&map, &mut |name, value| {
            goes_back |= value.is_ok() && points.has_beyond(name, step);
        });
        if goes_back || points.last_x().is_none_or(|last| step >= last) {
            points.begin_row(step);
        }
        json::numbers(&map, &mut |name, value| match value {
            Ok(value) => points.put(name, step, value),
            Err(_) => points.note_text(name),
        });
    }
}

impl Source for Rows {
    fn path(&self) -> &Path {
        &self.path
    }

    fn metrics(&self) -> &Metrics {
        self.points.metrics()
    }

    fn take(&mut self) -> Metrics {
        self.points.take()
    }

    fn facts(&self) -> Option<Facts> {
        self.facts.clone()
    }

    fn poll(&mut self) -> io::Result<Change> {
        let stamps = [Stamp::of(&self.path), Stamp::of(&beside(&self.path))];
        if self.seen == Some(stamps) {
            return Ok(Change::Unchanged);
        }
        let dir = self.dir.clone();
        let (database, name) = place(&dir).ok_or(ErrorKind::NotFound)?;
        let is_settled = !runs::is_fresh(database);
        let runs = runs::of(database).map_err(io::Error::other)?;
        let run = runs.iter().find(|run| run.folder == name);
        let run = run.ok_or(ErrorKind::NotFound)?;
        let is_same = self.is_same(run)?;
        if !is_same {
            *self = Self::new(&self.dir);
        }
        let is_first = self.facts.is_none();
        let (rows, last) = (self.points.metrics().rows, self.last_id());
        self.read_on(run)?;
        let is_new = self.last_id() != last;
        if is_first || is_new {
            self.facts = Some(facts_of(database, run));
        }
        self.seen = is_settled.then_some(stamps);
        Ok(match (is_same, is_new || is_first) {
            (false, _) => Change::Reread,
            (true, false) => Change::Unchanged,
            (true, true) => Change::Grew(self.points.metrics().rows.saturating_sub(rows)),
        })
    }
}

/// A row, if it is the run's.
fn row(columns: &Columns, id: i64, record: Record, run: &Run) -> Option<Row> {
    let is_its = record.value(columns.key)?.text()? == run.key;
    let bytes = |column| Some(record.value(column)?.bytes()?.to_vec());
    let step = record.value(columns.step).and_then(Cell::number);
    Some(Row {
        id: is_its.then_some(id)?,
        step: step.filter(|step| step.is_finite())?,
        time: bytes(columns.time).unwrap_or_default(),
        metrics: bytes(columns.metrics)?,
    })
}

/// The row ids of a run, in order, and the last one of all.
fn ids(database: &Database, run: &Run) -> Result<(Vec<i64>, i64), Error> {
    let Some(columns) = Columns::of(database) else {
        return Ok((Vec::new(), i64::MIN));
    };
    let is_before = |entry: Record| match entry.value(0) {
        Some(Cell::Text(text)) => text < run.key.as_bytes(),
        Some(Cell::Blob(_)) => false,
        _ => true,
    };
    let mut ids = Vec::new();
    database.entries(columns.index, &is_before, &mut |entry| {
        let is_its = entry.value(0).and_then(Cell::text) == Some(&run.key);
        ids.extend(runs::row_id(entry).filter(|_| is_its));
        is_its
    })?;
    ids.sort_unstable();
    ids.dedup();
    Ok((ids, database.last_row_id(columns.table)?))
}

/// Rows of a run of which these are the ids, and how many of the ids were looked for.
fn by_ids(database: &Database, run: &Run, ids: &[i64]) -> Result<(Vec<Row>, usize), Error> {
    let Some(columns) = Columns::of(database) else {
        return Ok((Vec::new(), ids.len()));
    };
    let (mut rows, mut at, mut bytes) = (Vec::new(), 0, 0);
    while let Some(from) = ids.get(at).copied() {
        if at >= MAX_ROWS_AT_ONCE || bytes >= MAX_BYTES_AT_ONCE {
            break;
        }
        // Rows that lie one behind the other are read so, others are gone to.
        database.rows(columns.table, from, &mut |id, record| {
            let is_wanted = ids.get(at) == Some(&id);
            if is_wanted && let Some(row) = row(&columns, id, record, run) {
                bytes += row.metrics.len();
                rows.push(row);
            }
            at += usize::from(is_wanted);
            is_wanted && bytes < MAX_BYTES_AT_ONCE && ids.get(at) == Some(&id.saturating_add(1))
        })?;
        // The index names a row that is not there.
        at += usize::from(ids.get(at) == Some(&from));
    }
    Ok((rows, at))
}

/// The rows of a run among those that come behind one, and the last row that was looked at. `last`
/// is the run's last that is known: where the index has none behind it, no row is looked at.
fn behind(
    database: &Database,
    run: &Run,
    from: i64,
    last: Option<i64>,
) -> Result<(Vec<Row>, i64), Error> {
    let Some(columns) = Columns::of(database) else {
        return Ok((Vec::new(), from));
    };
    if last.is_some() && runs::last_row_of(database, &columns, run.key.as_bytes())? == last {
        // Rows of a clock that went back are not the last by their time: they are read with the
        // next that is.
        return Ok((Vec::new(), from));
    }
    let (mut rows, mut end, mut bytes, mut count) = (Vec::new(), from, 0, 0);
    database.rows(columns.table, from.saturating_add(1), &mut |id, record| {
        if let Some(row) = row(&columns, id, record, run) {
            bytes += row.metrics.len();
            rows.push(row);
        }
        end = id;
        count += 1;
        count < MAX_ROWS_AT_ONCE && bytes < MAX_BYTES_AT_ONCE
    })?;
    Ok((rows, end))
}
