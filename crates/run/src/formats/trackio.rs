//! trackio's databases: one file of `SQLite` for each project, which holds all its runs. A run in
//! it has the path of the file with the run's name behind it, at which no folder can be.
//!
//! The columns differ by trackio's version: before 0.24 a run is known by its name only, later by
//! an id. All versions that anybody used index the rows by run and time, so of a run are read its
//! own rows, and of what is in a database the index, not the rows.

mod rows;
mod runs;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Facts, Format, Listing, RunParts, Source, json, settings};
use crate::found::Stamp;
use crate::layout::is_database;

use self::rows::Rows;
use self::runs::{Run, beside};

pub struct Trackio;

impl Format for Trackio {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        let (database, name) = place(&listing.path)?;
        let runs = runs::of(database).ok()?;
        let run = runs.iter().find(|run| run.folder == name)?;
        let files = vec![database.to_owned(), beside(database)];
        Some(RunParts {
            stamp: Some(Stamp::of_part(run.last as u64, run.changed)),
            ..RunParts::new("trackio", files)
        })
    }

    fn open(&self, dir: &Path, _parts: &RunParts) -> Box<dyn Source> {
        Box::new(Rows::new(dir))
    }

    fn facts(&self, dir: &Path, _parts: &RunParts) -> Facts {
        let read = || {
            let (database, name) = place(dir)?;
            let runs = runs::of(database).ok()?;
            let run = runs.iter().find(|run| run.folder == name)?;
            Some(facts_of(database, run))
        };
        read().unwrap_or_default()
    }
}

/// The paths of the runs in a database, in the order in which they began; none if it is no database
/// of trackio's.
///
/// # Errors
/// If it is, and cannot be read: half a sentence.
pub fn paths(database: &Path) -> Result<Vec<PathBuf>, String> {
    let runs = runs::of(database)?;
    Ok(runs.iter().map(|run| database.join(&run.folder)).collect())
}

/// Whether a database has a run; also while it cannot be read.
pub fn has(database: &Path, run: &Path) -> bool {
    let name = run.file_name().and_then(|name| name.to_str());
    let is_it = |known: &Run| name == Some(&known.folder);
    database.is_file() && runs::of(database).map_or(true, |runs| runs.iter().any(is_it))
}

/// The database of a run, and the run's name in its path.
fn place(path: &Path) -> Option<(&Path, &str)> {
    let database = path.parent().filter(|path| is_database(path))?;
    let name = path.file_name()?.to_str()?;
    database.is_file().then_some((database, name))
}

fn facts_of(database: &Path, run: &Run) -> Facts {
    let mut config = run.config(database).unwrap_or_default();
    let created = config.get("_Created").and_then(Value::as_str);
    let created = created.and_then(time);
    config.retain(|key, value| match key.as_str() {
        "_Username" | "_Created" => false,
        "_Group" => !value.is_null(),
        _ => true,
    });
    let (started_at, ended_at) = (created.or(run.began), run.ended);
    Facts {
        name: Some(run.name.clone()),
        experiment: project(database),
        started_at,
        ended_at,
        duration: started_at
            .zip(ended_at)
            .and_then(|(from, to)| Duration::try_from(to - from).ok()),
        ..settings::facts(config)
    }
}

/// The project, by which a database is named.
fn project(database: &Path) -> Option<String> {
    Some(database.file_stem()?.to_str()?.to_owned())
}

/// A time as trackio writes it: with its offset, or the local one in earlier versions.
fn time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let time: jiff::civil::DateTime = text.parse().ok()?;
    let zone = jiff::tz::TimeZone::system();
    Some(zone.to_zoned(time).ok()?.timestamp())
}

fn object(bytes: &[u8]) -> Map<String, Value> {
    json::object(bytes)
}
