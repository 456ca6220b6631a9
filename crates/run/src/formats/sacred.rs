//! Sacred's `FileStorageObserver`: a numbered folder for each run. Its `run.json` is Sacred's own.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::points::Points;
use super::whole::RewrittenFiles;
use super::{Facts, Format, Listing, RunParts, Source, json, settings};
use crate::state::State;
use traintop_disk::read;

/// Larger files are not read.
const MAX_BYTES: u64 = 512 << 20;

/// What only Sacred writes beside a `run.json`.
const OWN: [&str; 3] = ["cout.txt", "metrics.json", "info.json"];

pub struct Sacred;

/// Whether a folder is a run of Sacred's, whose `run.json` is not ours: it names an experiment, and
/// no version of ours.
pub fn is_sacred(listing: &Listing) -> bool {
    let may_be = listing.has_file("run.json")
        && listing.has_file("config.json")
        && OWN.iter().any(|name| listing.has_file(name));
    may_be && {
        let run = settings::file(&listing.path.join("run.json"));
        run.contains_key("experiment") && !run.contains_key("schema_version")
    }
}

impl Format for Sacred {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        is_sacred(listing).then(|| {
            let path = |name: &str| listing.path.join(name);
            RunParts::new("Sacred", vec![path("metrics.json"), path("run.json")])
        })
    }

    fn open(&self, dir: &Path, _places: &RunParts) -> Box<dyn Source> {
        Box::new(RewrittenFiles::new(dir, files, read_all))
    }

    fn facts(&self, dir: &Path, _places: &RunParts) -> Facts {
        let run = settings::file(&dir.join("run.json"));
        let text = |key: &str| run.get(key).and_then(Value::as_str);
        let (started_at, heartbeat) = (
            text("start_time").and_then(utc),
            text("heartbeat").and_then(utc),
        );
        let stopped = text("stop_time").and_then(utc);
        let last = stopped.or(heartbeat);
        let state = match text("status") {
            Some("RUNNING") => Some(State::Running),
            Some("QUEUED") => Some(State::Queued),
            Some("COMPLETED") => Some(State::Finished),
            Some("FAILED" | "TIMED_OUT") => Some(State::Failed),
            Some("INTERRUPTED") => Some(State::Stopped),
            _ => None,
        };
        let experiment = run
            .get("experiment")
            .and_then(|it| it.get("name"))
            .and_then(Value::as_str);
        let reason = text("fail_trace").map(str::to_owned).or_else(|| {
            let trace = run.get("fail_trace")?.as_array()?;
            Some(trace.last()?.as_str()?.trim().to_owned())
        });
        let facts = settings::facts(settings::file(&dir.join("config.json")));
        Facts {
            experiment: experiment.map(str::to_owned).or(facts.experiment),
            state: state.map(|state| (state, reason)),
            started_at,
            ended_at: stopped,
            duration: started_at
                .zip(last)
                .and_then(|(from, to)| Duration::try_from(to - from).ok()),
            ..facts
        }
    }
}

/// A time that Sacred writes: UTC, without saying so.
fn utc(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let time: DateTime = text.parse().ok()?;
    Some(TimeZone::UTC.to_zoned(time).ok()?.timestamp())
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let metrics = dir.join("metrics.json");
    // A run that measured nothing has none.
    let path = if metrics.is_file() {
        metrics
    } else {
        dir.join("run.json")
    };
    vec![path]
}

fn read_all(dir: &Path, files: &[PathBuf]) -> io::Result<Points> {
    let mut points = Points::new("step");
    let metrics = dir.join("metrics.json");
    if files.first() != Some(&metrics) {
        return Ok(points);
    }
    let bytes = read::bytes(&metrics, MAX_BYTES)?;
    let read = json::parse(&bytes).map_err(io::Error::other)?;
    let mut rows = 0;
    for (name, metric) in read.as_object().into_iter().flatten() {
        let list = |key: &str| {
            metric
                .get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        };
        for (step, value) in list("steps").zip(list("values")) {
            let step = json::number(step).filter(|step| step.is_finite());
            if let (Some(step), Some(value)) = (step, json::number(value)) {
                points.put(name, step, value);
            }
        }
        rows = rows.max(list("steps").count());
    }
    points.count_rows(rows);
    Ok(points)
}
