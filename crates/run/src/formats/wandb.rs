//! Weights & Biases' local files: a log of records in the blocks of `LevelDB`'s log, each a
//! `Record` message.

mod log;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use self::log::Log;
use super::appended::{Appended, Decoder};
use super::points::Points;
use super::protobuf::{Field, Fields};
use super::{Facts, Format, Listing, RunParts, Source, json, settings};
use crate::judging::TrainerMetric;
use crate::metric_names::Direction;
use crate::state::State;
use traintop_disk::read;

const ENDING: &str = ".wandb";

/// Files that are read for facts have fewer bytes.
const MAX_BYTES: u64 = 4 << 30;

/// What places rows, where the run defines nothing else.
const STEP: &str = "_step";

/// Numbers of the fields of a `Record`.
const HISTORY: u64 = 2;
const CONFIG: u64 = 5;
const METRIC: u64 = 12;
const RUN: u64 = 17;
const EXIT: u64 = 18;

pub struct Wandb;

impl Format for Wandb {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        let files = files_of(listing);
        (!files.is_empty()).then(|| {
            let folders = ["files", "logs", "tmp"];
            RunParts::new("W&B", files).with_folders(folders)
        })
    }

    fn open(&self, dir: &Path, _places: &RunParts) -> Box<dyn Source> {
        Box::new(Appended::<History>::new(dir, files, STEP))
    }

    fn facts(&self, dir: &Path, parts: &RunParts) -> Facts {
        let mut records = RunRecords::default();
        for path in &parts.metrics {
            // Only records other than history are read.
            let mut log = Log::default();
            let mut each = |record: &[u8]| records.take(record);
            let _ = read::in_chunks(path, MAX_BYTES, &mut |bytes| log.push(bytes, &mut each));
        }
        records.facts(dir)
    }
}

fn files_of(listing: &Listing) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = listing
        .files
        .iter()
        .filter(|name| name.ends_with(ENDING))
        .map(|name| listing.path.join(name))
        .collect();
    files.sort();
    files
}

fn files(dir: &Path) -> Vec<PathBuf> {
    Listing::read(dir)
        .map(|listing| files_of(&listing))
        .unwrap_or_default()
}

/// The settings of a run that was online: each key has a description and a value.
fn config_file(dir: &Path) -> Map<String, Value> {
    let keys = settings::file(&dir.join("files/config.yaml")).into_iter();
    keys.filter(|(key, _)| key != "_wandb" && key != "wandb_version")
        .map(|(key, value)| match value {
            Value::Object(mut inner) if inner.contains_key("value") => {
                (key, inner.swap_remove("value").unwrap_or_default())
            }
            value => (key, value),
        })
        .collect()
}

/// Reads the history.
#[derive(Debug, Default)]
struct History {
    log: Log,
    last: Option<f64>,
    /// The metric that places the others, where the run defined one for all that it placed so.
    step_metric: Option<String>,
    /// Whether it defined several.
    has_step_metrics: bool,
    /// The metrics that it places; `*` means all.
    placed: Vec<String>,
    records: RunRecords,
}

impl Decoder for History {
    fn begin_file(&mut self, _points: &mut Points) {
        self.log = Log::default();
    }

    fn push(&mut self, bytes: &[u8], _is_last: bool, points: &mut Points) -> u64 {
        let mut log = std::mem::take(&mut self.log);
        let done = log.push(bytes, &mut |record| {
            self.records.take(record);
            for (number, field) in Fields::of(record) {
                match (number, field.bytes()) {
                    (HISTORY, Some(history)) => self.row(history, points),
                    (METRIC, Some(metric)) => {
                        self.see_step_metric(metric, points);
                        if let Some(goal) = goal(metric) {
                            points.judge_by(goal);
                        }
                    }
                    _ => {}
                }
            }
        });
        self.log = log;
        done
    }

    fn facts(&self, dir: &Path) -> Option<Facts> {
        Some(self.records.clone().facts(dir))
    }
}

impl History {
    /// `define_metric(name, step_metric)`; later than the first row it says nothing of that.
    fn see_step_metric(&mut self, metric: &[u8], points: &mut Points) {
        let step_metric = Fields::get(metric, 4).and_then(Field::text);
        let Some(step_metric) = step_metric.filter(|_| self.last.is_none()) else {
            return;
        };
        let name = |field| Fields::get(metric, field).and_then(Field::text);
        let placed = name(1).filter(|name| !name.is_empty()).or_else(|| name(2));
        self.placed.extend(placed.map(str::to_owned));
        let is_other = self
            .step_metric
            .as_deref()
            .is_some_and(|known| known != step_metric);
        self.has_step_metrics |= is_other;
        self.step_metric = (!self.has_step_metrics).then(|| step_metric.to_owned());
        points.place_by(self.step_metric.as_deref().unwrap_or(STEP));
    }

    /// Before the first row: the step metric counts only if it places all that the row has.
    fn check_step_metric(&mut self, values: &[(String, &str)], points: &mut Points) {
        let Some(step_metric) = &self.step_metric else {
            return;
        };
        let is_placed = |name: &String| {
            let is_of_wandb = name.starts_with('_');
            is_of_wandb || name == step_metric || self.placed.contains(name)
        };
        let is_there = values.iter().any(|(name, _)| name == step_metric);
        let places_all = self.placed.iter().any(|name| name == "*");
        if !is_there || !places_all && !values.iter().all(|(name, _)| is_placed(name)) {
            self.step_metric = None;
            points.place_by(STEP);
        }
    }

    fn row(&mut self, history: &[u8], points: &mut Points) {
        let step = Fields::get(history, 2).and_then(Field::bytes);
        let step = step
            .and_then(|step| Fields::get(step, 1))
            .and_then(Field::whole);
        let mut values: Vec<(String, &str)> = items(history, 1).collect();
        if self.last.is_none() {
            self.check_step_metric(&values, points);
        }
        let number = |wanted: &str| {
            let named = values.iter().find(|(name, _)| name == wanted);
            named.and_then(|(_, text)| text.parse::<f64>().ok())
        };
        if let Some(step_metric) = &self.step_metric {
            // A row without an x belongs to the one before.
            let x = number(step_metric).filter(|x| x.is_finite());
            let x = x.or(self.last).unwrap_or(0.0);
            self.last = Some(x);
            if points.last_x().is_none_or(|last| x >= last) {
                points.begin_row(x);
            }
            for (name, text) in values.iter().filter(|(name, _)| name != step_metric) {
                value(name, text, x, points);
            }
            return;
        }
        let named = number(STEP);
        let next = || self.last.map_or(0.0, |last| last + 1.0);
        let x = named
            .or(step.map(|step| step as f64))
            .filter(|x| x.is_finite())
            .unwrap_or_else(next);
        self.last = Some(x);
        points.begin_row(x);
        for (name, text) in values.drain(..) {
            value(&name, text, x, points);
        }
    }
}

/// The metric that somebody defined with a goal.
fn goal(metric: &[u8]) -> Option<TrainerMetric> {
    let direction = match Fields::get(metric, 8)?.whole()? {
        1 => Direction::Lower,
        2 => Direction::Higher,
        _ => return None,
    };
    Some(TrainerMetric {
        metric: Fields::get(metric, 1)?.text()?.to_owned(),
        direction: Some(direction),
    })
}

/// Puts a value that is written as JSON.
fn value(name: &str, text: &str, x: f64, points: &mut Points) {
    if let Ok(number) = text.parse::<f64>() {
        return points.put(name, x, number);
    }
    match json::parse(text.as_bytes()) {
        Ok(Value::Object(map)) => json::numbers(&map, &mut |inner, value| {
            if let Ok(value) = value {
                points.put(&format!("{name}.{inner}"), x, value);
            }
        }),
        Ok(other) => match json::number(&other) {
            Some(number) => points.put(name, x, number),
            None if other.is_string() => points.note_text(name),
            None => {}
        },
        Err(_) => points.note_text(name),
    }
}

/// The items of a message's field `number`: names with their values as JSON.
fn items(message: &[u8], number: u64) -> impl Iterator<Item = (String, &str)> {
    let items = Fields::of(message).filter(move |(field, _)| *field == number);
    items.filter_map(|(_, item)| {
        let item = item.bytes()?;
        let key = Fields::get(item, 1)
            .and_then(Field::text)
            .filter(|key| !key.is_empty());
        let name = match key {
            Some(key) => key.to_owned(),
            None => {
                let parts = Fields::of(item).filter(|(field, _)| *field == 2);
                let parts: Vec<&str> = parts.filter_map(|(_, part)| part.text()).collect();
                parts.join(".")
            }
        };
        Some((name, Fields::get(item, 16)?.text()?))
    })
}

/// What the records beside the history say.
#[derive(Debug, Clone, Default)]
struct RunRecords {
    name: Option<String>,
    project: Option<String>,
    config: Map<String, Value>,
    started_at: Option<Timestamp>,
    exit: Option<i64>,
    runtime: Option<Duration>,
}

impl RunRecords {
    fn facts(self, dir: &Path) -> Facts {
        let config = if self.config.is_empty() {
            config_file(dir)
        } else {
            self.config
        };
        let state = match self.exit {
            Some(0) => (State::Finished, None),
            Some(code) => (
                State::Failed,
                Some(format!("its process ended with code {code}")),
            ),
            None => (State::Running, Some("its file has no end".to_owned())),
        };
        let (started_at, runtime) = (self.started_at, self.runtime);
        let ended_at = started_at.and_then(|at| at.checked_add(runtime?).ok());
        Facts {
            name: self.name,
            experiment: self.project,
            state: Some(state),
            started_at,
            ended_at,
            duration: runtime,
            ..settings::facts(config)
        }
    }

    fn take(&mut self, record: &[u8]) {
        for (number, field) in Fields::of(record) {
            let Some(message) = field.bytes() else {
                continue;
            };
            match number {
                RUN => self.run(message),
                CONFIG => self.settings(message),
                EXIT => {
                    let whole = |number| Fields::get(message, number).and_then(Field::whole);
                    self.exit = Some(whole(1).unwrap_or(0) as i64);
                    self.runtime = whole(2).map(Duration::from_secs).or(self.runtime);
                }
                _ => {}
            }
        }
    }

    fn run(&mut self, run: &[u8]) {
        let text = |number| {
            let text = Fields::get(run, number).and_then(Field::text);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        self.name = text(8).or_else(|| text(1)).or(self.name.take());
        self.project = text(3).or(self.project.take());
        if let Some(config) = Fields::get(run, 4).and_then(Field::bytes) {
            self.settings(config);
        }
        let started = Fields::get(run, 17).and_then(Field::bytes);
        let seconds = started.and_then(|started| Fields::get(started, 1)?.whole());
        let nanoseconds = started.and_then(|started| Fields::get(started, 2)?.whole());
        let started = seconds.and_then(|seconds| {
            Timestamp::new(seconds as i64, nanoseconds.unwrap_or(0) as i32).ok()
        });
        self.started_at = started.or(self.started_at);
    }

    fn settings(&mut self, config: &[u8]) {
        let changed = items(config, 1).filter(|(key, _)| !key.starts_with("_wandb"));
        for (key, text) in changed {
            let value = json::parse(text.as_bytes()).unwrap_or_else(|_| Value::from(text));
            self.config.insert(key, value);
        }
    }
}
