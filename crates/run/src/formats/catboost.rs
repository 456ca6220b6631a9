//! CatBoost: a table for each set of data, and what was planned.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};

use super::points::Points;
use super::whole::Whole;
use super::{Facts, Format, Listing, RunParts, Source, json};
use crate::judging::TrainerMetric;
use crate::metric_names::Direction;
use crate::metrics;
use crate::state::State;
use traintop_disk::read;

const TRAINING: &str = "catboost_training.json";
/// The tables, with what their columns are called by.
const TABLES: [(&str, &str); 2] = [("learn_error.tsv", "learn"), ("test_error.tsv", "test")];
const TIMES: &str = "time_left.tsv";

const LARGEST: u64 = 256 << 20;

pub struct CatBoost;

impl Format for CatBoost {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        let is_run = listing.has_file(TRAINING) || listing.has_file("learn_error.tsv");
        let is_run = is_run && TABLES.iter().any(|(file, _)| listing.has_file(file));
        is_run.then(|| {
            let parts = RunParts::new("CatBoost", files(&listing.path));
            parts.with_folders(["learn", "test", "tmp"])
        })
    }

    fn open(&self, dir: &Path, _places: &RunParts) -> Box<dyn Source> {
        Box::new(Whole::new(dir, files, read_all))
    }

    fn facts(&self, dir: &Path, _places: &RunParts) -> Facts {
        let meta = meta(dir);
        let planned = meta
            .get("iteration_count")
            .and_then(json::number)
            .map(|count| count as u64);
        let times = table(&dir.join(TIMES)).ok();
        let last = |name: &str| Some(times.as_ref()?.column(name)?.last()?.1);
        let passed =
            last("Passed").and_then(|passed| Duration::try_from_secs_f64(passed / 1e3).ok());
        let done = times.as_ref().map_or(0, |times| times.rows as u64);
        let is_done =
            planned.is_some_and(|planned| done >= planned) || last("Remaining") == Some(0.0);
        Facts {
            steps_planned: planned,
            state: is_done.then(|| {
                (
                    State::Finished,
                    Some("all planned iterations are in its metrics".to_owned()),
                )
            }),
            duration: passed,
            config: meta,
            ..Facts::default()
        }
    }
}

/// What the file of the training says of all of it.
fn meta(dir: &Path) -> Map<String, Value> {
    let bytes = read::bytes(&dir.join(TRAINING), LARGEST).unwrap_or_default();
    let mut training = json::object(&bytes);
    match training.swap_remove("meta") {
        Some(Value::Object(meta)) => meta,
        _ => Map::new(),
    }
}

/// The first metric of the test set, or of what it learns from, and whether more is better.
fn primary(meta: &Map<String, Value>) -> Option<TrainerMetric> {
    let first = |key: &str, set: &str| {
        let metric = meta.get(key)?.as_array()?.first()?;
        let direction = match metric.get("best_value")?.as_str()? {
            "Max" => Some(Direction::Higher),
            "Min" => Some(Direction::Lower),
            _ => None,
        };
        Some(TrainerMetric {
            metric: format!("{set}/{}", metric.get("name")?.as_str()?),
            direction,
        })
    };
    first("test_metrics", "test").or_else(|| first("learn_metrics", "learn"))
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let names = TABLES.iter().map(|(file, _)| *file).chain([TIMES]);
    names
        .map(|name| dir.join(name))
        .filter(|path| path.is_file())
        .collect()
}

fn table(path: &Path) -> io::Result<metrics::Metrics> {
    let text = read::text(path, LARGEST)?;
    let end = text.rfind('\n').map_or(0, |end| end + 1);
    Ok(metrics::of_text(text[..end].replace('\t', ",").as_bytes()))
}

fn read_all(dir: &Path, _files: &[PathBuf]) -> io::Result<Points> {
    let mut points = Points::new("iter");
    if let Some(told) = primary(&meta(dir)) {
        points.judge_by(told);
    }
    for (file, set) in TABLES {
        let table = match table(&dir.join(file)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            table => table?,
        };
        let places = table
            .column("iter")
            .map(|column| column.y.clone())
            .unwrap_or_default();
        for column in table.columns.iter().filter(|column| column.name != "iter") {
            // Where the reader has no place, rows are counted from 1.
            let is_counted = table.x_name == metrics::BY_ROW;
            for (x, y) in column.x.iter().zip(&column.y) {
                let row = if is_counted {
                    places.get(*x as usize - 1)
                } else {
                    None
                };
                points.put(
                    &format!("{set}/{}", column.name),
                    row.copied().unwrap_or(*x),
                    *y,
                );
            }
        }
        points.count_rows(table.rows.max(points.metrics().rows));
    }
    Ok(points)
}
