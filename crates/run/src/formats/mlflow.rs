//! MLflow's file store: a folder for each run, with a file for each metric, parameter and tag.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::points::Points;
use super::whole::RewrittenFiles;
use super::{Facts, Format, Listing, RunParts, Source, files_below, json, settings, yaml};
use crate::state::State;
use traintop_disk::read;

/// A metric's file is not larger.
const MAX_BYTES: u64 = 256 << 20;
/// A parameter's and a tag's file is not larger.
const MAX_VALUE_BYTES: u64 = 64 << 10;
/// Metrics of a run beyond these are not read.
const MAX_FILES: usize = 10_000;

pub struct Mlflow;

impl Format for Mlflow {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        let is_run = listing.has_file("meta.yaml") && listing.has_folder("metrics");
        let has_others = || listing.has_folder("params") || listing.has_folder("tags");
        if !is_run || !has_others() && !says_run(&listing.path) {
            return None;
        }
        let mut metrics = vec![listing.path.join("meta.yaml")];
        metrics.extend(files(&listing.path));
        let folders = [
            "metrics",
            "params",
            "tags",
            "artifacts",
            "inputs",
            "outputs",
        ];
        Some(RunParts::new("MLflow", metrics).with_folders(folders))
    }

    fn open(&self, dir: &Path, _places: &RunParts) -> Box<dyn Source> {
        Box::new(RewrittenFiles::new(dir, with_meta, read_all))
    }

    fn facts(&self, dir: &Path, _places: &RunParts) -> Facts {
        let meta = yaml::file(&dir.join("meta.yaml"));
        let text = |key: &str| meta.get(key).and_then(Value::as_str).map(str::to_owned);
        let time = |key: &str| {
            let milliseconds = json::number(meta.get(key)?)?;
            Timestamp::from_millisecond(milliseconds as i64).ok()
        };
        let (started_at, ended_at) = (time("start_time"), time("end_time"));
        let status = meta.get("status");
        let number = status.and_then(json::number).map(|status| status as u32);
        let state = match (number, status.and_then(Value::as_str)) {
            (Some(1), _) | (_, Some("RUNNING")) => Some(State::Running),
            (Some(2), _) | (_, Some("SCHEDULED")) => Some(State::Queued),
            (Some(3), _) | (_, Some("FINISHED")) => Some(State::Finished),
            (Some(4), _) | (_, Some("FAILED")) => Some(State::Failed),
            (Some(5), _) | (_, Some("KILLED")) => Some(State::Stopped),
            _ => None,
        };
        let experiment = dir
            .parent()
            .map(|parent| yaml::file(&parent.join("meta.yaml")));
        let experiment = experiment.and_then(|meta| Some(meta.get("name")?.as_str()?.to_owned()));
        let tag = || {
            let tag = read::text(&dir.join("tags/mlflow.runName"), MAX_VALUE_BYTES).ok();
            tag.filter(|name| !name.is_empty())
        };
        let facts = settings::facts(parameters(dir));
        Facts {
            name: text("run_name")
                .filter(|name| !name.is_empty())
                .or_else(tag),
            experiment: experiment.or(facts.experiment),
            state: state.map(|state| (state, None)),
            started_at,
            ended_at,
            duration: started_at
                .zip(ended_at)
                .and_then(|(from, to)| Duration::try_from(to - from).ok()),
            ..facts
        }
    }
}

/// Whether a `meta.yaml` is that of a run, as those are that the tracking client alone made:
/// without parameters and tags.
fn says_run(dir: &Path) -> bool {
    let meta = yaml::file(&dir.join("meta.yaml"));
    let has = |keys: &[&str]| keys.iter().any(|key| meta.contains_key(*key));
    has(&["run_id", "run_uuid", "start_time"]) && has(&["lifecycle_stage", "status"])
}

fn parameters(dir: &Path) -> Map<String, Value> {
    let folder = dir.join("params");
    let names = files_below(&folder);
    let values = names.iter().filter_map(|name| {
        let text = read::text(&folder.join(name), MAX_VALUE_BYTES).ok()?;
        Some((name.clone(), Value::from(text.trim_end())))
    });
    values.collect()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let folder = dir.join("metrics");
    let names = files_below(&folder).into_iter().take(MAX_FILES);
    names.map(|name| folder.join(name)).collect()
}

/// The metrics' files, or where there are none yet the run's own, so that there is something to
/// follow.
fn with_meta(dir: &Path) -> Vec<PathBuf> {
    let files = files(dir);
    if files.is_empty() {
        return vec![dir.join("meta.yaml")];
    }
    files
}

fn read_all(dir: &Path, files: &[PathBuf]) -> io::Result<Points> {
    let mut points = Points::new("step");
    let folder = dir.join("metrics");
    let mut rows = 0;
    for path in files {
        let Ok(name) = path.strip_prefix(&folder) else {
            continue;
        };
        let name = name.to_string_lossy();
        let text = read::text(path, MAX_BYTES)?;
        let mut values: Vec<(f64, u64, f64)> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let parts: Vec<&str> = line.split_whitespace().collect();
            let read = match parts[..] {
                [time, value] => Some((0.0, time.parse().ok(), value.parse().ok())),
                [time, value, step, ..] => step
                    .parse()
                    .ok()
                    .map(|step: f64| (step, time.parse().ok(), value.parse().ok())),
                _ => None,
            };
            match read {
                Some((step, Some(time), Some(value))) if step.is_finite() => {
                    values.push((step, time, value));
                }
                _ if line.trim().is_empty() => {}
                _ => points.add_problem(
                    number as u64 + 1,
                    format!("of the metric {name} is no value"),
                ),
            }
        }
        // Steps are in no order. Where all are 0 the times are the only order.
        let has_steps = values.iter().any(|(step, ..)| *step != 0.0);
        values.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (at, (step, _, value)) in values.iter().enumerate() {
            points.put(&name, if has_steps { *step } else { at as f64 }, *value);
        }
        rows = rows.max(values.len());
        points.count_rows(rows);
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::super::tests::Tree;

    #[test]
    fn a_run_without_parameters_and_tags_is_one() {
        let meta = "lifecycle_stage: active\nrun_name: nm\nstart_time: 1790000000000\nstatus: 3\n";
        let tree = Tree::new(&[
            ("mlruns/1/meta.yaml", "name: e\nlifecycle_stage: active\n"),
            ("mlruns/1/a/meta.yaml", meta),
            ("mlruns/1/a/metrics/acc", "1790000001000 0.5 0\n"),
            ("other/meta.yaml", "name: x\n"),
            ("other/metrics/acc", "1790000001000 0.5 0\n"),
        ]);
        assert_eq!(tree.paths(), ["mlruns/1/a"]);
        assert_eq!(tree.summary().name, "nm");
    }
}
