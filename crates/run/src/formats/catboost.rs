//! CatBoost: a table for each set of data, and what was planned.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};

use super::points::Points;
use super::whole::RewrittenFiles;
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

const MAX_BYTES: u64 = 256 << 20;

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
        Box::new(RewrittenFiles::new(dir, files, read_all))
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
    let bytes = read::bytes(&dir.join(TRAINING), MAX_BYTES).unwrap_or_default();
    let mut training = json::object(&bytes);
    match training.swap_remove("meta") {
        Some(Value::Object(meta)) => meta,
        _ => meta_of_part(&bytes).unwrap_or_default(),
    }
}

/// What a file without its end says: it is ended when the training is, and begins with this.
fn meta_of_part(bytes: &[u8]) -> Option<Map<String, Value>> {
    const KEY: &[u8] = b"\"meta\":";
    let start = memchr::memmem::find(bytes, KEY)? + KEY.len();
    let mut values = serde_json::Deserializer::from_slice(&bytes[start..]).into_iter();
    values.next()?.ok()
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
    let text = read::text(path, MAX_BYTES)?;
    let end = text.rfind('\n').map_or(0, |end| end + 1);
    Ok(metrics::of_text(text[..end].replace('\t', ",").as_bytes()))
}

fn read_all(dir: &Path, _files: &[PathBuf]) -> io::Result<Points> {
    let mut points = Points::new("iter");
    if let Some(trainer_metric) = primary(&meta(dir)) {
        points.judge_by(trainer_metric);
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

#[cfg(test)]
mod tests {
    use super::super::tests::Tree;
    use crate::metric_names::Direction;
    use crate::state::State;

    #[test]
    fn a_training_that_was_killed_says_what_it_planned_and_what_counts() {
        let training = "{\n\"meta\":{\"test_metrics\":[{\"best_value\":\"Max\",\"name\":\"R2\"}],\
                        \"iteration_count\":1000},\n\"iterations\":[\n{\"learn\":[3],\"iteration\":0}";
        let tree = Tree::new(&[
            ("catboost_training.json", training),
            ("learn_error.tsv", "iter\tRMSE\n0\t3\n1\t2\n2\t1.5\n"),
            ("test_error.tsv", "iter\tR2\n0\t.6\n1\t.75\n2\t.65\n"),
        ]);
        let summary = tree.summary();
        assert_eq!(summary.steps_planned, Some(1000));
        assert_eq!(summary.observed.state, State::Stopped);
        let best = summary.best.unwrap();
        assert_eq!(
            (best.metric.as_str(), best.direction, best.value),
            ("test/R2", Direction::Higher, 0.75)
        );
        assert!(!best.guessed);
    }
}
