//! The Trainer of Hugging Face's transformers and what is built on it (TRL, PEFT, axolotl, unsloth,
//! LLaMA-Factory, ms-swift): `trainer_state.json` in each checkpoint's folder, of which the newest
//! has everything from the first step on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::points::Points;
use super::whole::Whole;
use super::{Facts, Format, Listing, RunParts, Source, json, settings};
use crate::judging::TrainerMetric;
use crate::metric_names::Direction;
use crate::state::State;
use traintop_disk::read;

const STATE: &str = "trainer_state.json";

/// A run of a million log lines is smaller.
const LARGEST: u64 = 256 << 20;

/// What the line that ends a training says of the whole of it, and no row of its own.
const LAST_LINE: &str = "train_runtime";

/// Keys of a state that are settings of the run.
const SETTINGS: [&str; 6] = [
    "train_batch_size",
    "num_train_epochs",
    "max_steps",
    "logging_steps",
    "eval_steps",
    "save_steps",
];

pub struct HuggingFace;

impl Format for HuggingFace {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        let is_run = listing.has_file(STATE) || checkpoints(listing).next().is_some();
        if !is_run {
            return None;
        }
        let states = states(&listing.path);
        if states.is_empty() {
            return None;
        }
        let folders = checkpoints(listing).map(|(_, name)| name).chain(["runs"]);
        Some(RunParts::new("Hugging Face", states).with_folders(folders))
    }

    fn open(&self, dir: &Path, _places: &RunParts) -> Box<dyn Source> {
        Box::new(Whole::new(dir, states, read))
    }

    fn facts(&self, dir: &Path, parts: &RunParts) -> Facts {
        let state = newest(&parts.metrics).map(|(_, state)| state);
        facts_of(dir, &state.unwrap_or_default())
    }
}

fn facts_of(dir: &Path, state: &Map<String, Value>) -> Facts {
    let number = |key: &str| json::number(state.get(key)?);
    let mut config = settings::file(&dir.join("training_args.yaml"));
    if config.is_empty() {
        let said = SETTINGS
            .iter()
            .filter_map(|key| Some((*key, state.get(*key)?)));
        config = said
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect();
    }
    for (file, key) in [
        ("adapter_config.json", "adapter"),
        ("config.json", "network"),
    ] {
        let inner = settings::file(&dir.join(file));
        if !inner.is_empty() {
            config.insert(key.to_owned(), Value::Object(inner));
        }
    }
    let last = history(state).last();
    let runtime = last.and_then(|line| json::number(line.get(LAST_LINE)?));
    let is_done = match (number("global_step"), number("max_steps")) {
        (Some(done), Some(planned)) => planned > 0.0 && done >= planned,
        _ => false,
    };
    let is_finished = is_done || runtime.is_some();
    let network = config
        .get("network")
        .and_then(|network| network.get("model_type"));
    Facts {
        model: network.and_then(Value::as_str).map(str::to_owned),
        epochs_planned: number("num_train_epochs").map(|epochs| epochs as u32),
        steps_planned: number("max_steps")
            .filter(|steps| *steps > 0.0)
            .map(|it| it as u64),
        state: is_finished.then(|| {
            let why = "its last checkpoint is that of the last step".to_owned();
            (State::Finished, Some(why))
        }),
        duration: runtime.and_then(|runtime| Duration::try_from_secs_f64(runtime).ok()),
        config,
        ..Facts::default()
    }
}

/// Which metric the best checkpoint was chosen by: the one that has this very value somewhere.
fn primary(state: &Map<String, Value>) -> Option<TrainerMetric> {
    let best = json::number(state.get("best_metric")?)?;
    let mut lines = history(state);
    let named = lines.find_map(|line| {
        let mut values = line.iter().filter(|(name, _)| name.starts_with("eval_"));
        let (name, _) = values.find(|(_, value)| json::number(value) == Some(best))?;
        Some(name.clone())
    })?;
    let values: Vec<f64> = history(state)
        .filter_map(|line| json::number(line.get(&named)?))
        .filter(|value| !value.is_nan())
        .collect();
    let direction = match (
        values.iter().any(|it| *it < best),
        values.iter().any(|it| *it > best),
    ) {
        (true, false) => Some(Direction::Higher),
        (false, true) => Some(Direction::Lower),
        _ => None,
    };
    Some(TrainerMetric {
        metric: named,
        direction,
    })
}

/// The folders `checkpoint-STEP`, with their steps.
fn checkpoints(listing: &Listing) -> impl Iterator<Item = (u64, &str)> {
    listing
        .folders
        .iter()
        .filter_map(|name| Some((checkpoint_step(name)?, name.as_str())))
}

fn checkpoint_step(folder: &str) -> Option<u64> {
    folder.strip_prefix("checkpoint-")?.parse().ok()
}

/// The states of a run that may be its last: the one at the top, that of the highest step, and the
/// one that was written last, where that is another.
fn states(dir: &Path) -> Vec<PathBuf> {
    let Ok(listing) = Listing::read(dir) else {
        return Vec::new();
    };
    let mut steps: Vec<(u64, &str)> = checkpoints(&listing).collect();
    steps.sort_unstable_by(|a, b| b.cmp(a));
    let top = listing.has_file(STATE).then(|| dir.join(STATE));
    let steps = steps.iter().map(|(_, name)| dir.join(name).join(STATE));
    let written = top.into_iter().chain(steps);
    let mut written: Vec<(PathBuf, SystemTime)> = written
        .filter_map(|path| modified(&path).map(|time| (path, time)))
        .collect();
    let last = written.iter().map(|(_, time)| *time).max();
    let is_top = |path: &Path| path.parent() == Some(dir);
    let highest = written.iter().position(|(path, _)| !is_top(path));
    let mut at = 0;
    written.retain(|(path, time)| {
        at += 1;
        is_top(path) || highest == Some(at - 1) || Some(*time) == last
    });
    written.into_iter().map(|(path, _)| path).collect()
}

fn modified(path: &Path) -> Option<SystemTime> {
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    metadata.modified().ok()
}

/// The last state of a run, and its file: that with the highest step, unless the folder was used for
/// another training since, or the training was resumed further back.
fn newest(files: &[PathBuf]) -> Option<(&Path, Map<String, Value>)> {
    let (file, state) = furthest(files)?;
    let written = |path: &Path| modified(path).unwrap_or(SystemTime::UNIX_EPOCH);
    let mut later = files.iter().filter(|path| written(path) > written(file));
    let other = later.next_back().and_then(|path| {
        let other = json::object(&read::bytes(path, LARGEST).ok()?);
        // What the other one says last stands in this one too where both are of one training.
        let last = history(&other)
            .filter(|line| !line.contains_key(LAST_LINE))
            .last()?;
        let is_part = history(&state).any(|line| line == last);
        (!is_part).then_some((path.as_path(), other))
    });
    Some(other.unwrap_or((file, state)))
}

/// The state with the highest step, and its file. Of equals it is the first, which is the one at the
/// top: it has the last line too.
fn furthest(files: &[PathBuf]) -> Option<(&Path, Map<String, Value>)> {
    let step = |state: &Map<String, Value>| state.get("global_step").and_then(json::number);
    let mut best: Option<(&Path, Map<String, Value>)> = None;
    for file in files {
        let done = best.as_ref().and_then(|(_, state)| step(state));
        let folder = file.parent().and_then(Path::file_name);
        let of_folder = folder.and_then(|name| checkpoint_step(name.to_str()?));
        let is_behind = done
            .zip(of_folder)
            .is_some_and(|(done, step)| done >= step as f64);
        if is_behind {
            continue;
        }
        let Ok(bytes) = read::bytes(file, LARGEST) else {
            continue;
        };
        let state = json::object(&bytes);
        if best.is_none() || step(&state) > done {
            best = Some((file, state));
        }
    }
    best
}

fn history(state: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let lines = state.get("log_history").and_then(Value::as_array);
    lines.into_iter().flatten().filter_map(Value::as_object)
}

fn read(dir: &Path, files: &[PathBuf]) -> io::Result<Points> {
    let mut points = Points::new("step");
    let Some((file, state)) = newest(files) else {
        // Says why, as the first file does.
        let file = files.first().map_or(dir, PathBuf::as_path);
        fs::metadata(file)?;
        return Err(io::Error::other("is no state of a trainer"));
    };
    if !state.contains_key("log_history") {
        points.complain(1, format!("{} has no log_history", file.display()));
    }
    points.say(facts_of(dir, &state));
    if let Some(metric) = primary(&state) {
        points.judge_by(metric);
    }
    for line in history(&state).filter(|line| !line.contains_key(LAST_LINE)) {
        // What a prediction measured stands at no step.
        let step = line.get("step").and_then(json::number);
        let Some(step) = step.filter(|step| step.is_finite()) else {
            continue;
        };
        points.begin_row(step);
        json::numbers(line, &mut |name, value| match value {
            Ok(value) => points.put(name, step, value),
            Err(_) => points.note_text(name),
        });
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state with a line for each step, as it was written at this second.
    fn state(folder: &Path, name: &str, losses: &[(u32, f64)], second: u64) {
        let lines = losses
            .iter()
            .map(|(step, loss)| serde_json::json!({"step": step, "loss": loss}));
        let state = serde_json::json!({
            "global_step": losses.last().unwrap().0, "log_history": lines.collect::<Vec<_>>(),
        });
        let path = folder.join(name).join(STATE);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, state.to_string()).unwrap();
        let written = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(written).unwrap();
    }

    fn losses(folder: &Path) -> Vec<f64> {
        let points = read(folder, &states(folder)).unwrap();
        points.metrics().column("loss").unwrap().y.clone()
    }

    #[test]
    fn the_last_state_is_that_of_the_training_that_wrote_last() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let old = [(10, 4.0), (20, 3.0), (30, 2.0)];
        // Copied in another order, they are of one training still.
        state(folder, "checkpoint-30", &old, 100);
        state(folder, "checkpoint-20", &old[..2], 200);
        assert_eq!(losses(folder), [4.0, 3.0, 2.0]);
        // Resumed at 10, or the folder used again.
        state(folder, "checkpoint-20", &[(10, 4.0), (20, 2.5)], 300);
        assert_eq!(losses(folder), [4.0, 2.5]);
        state(folder, "checkpoint-10", &[(10, 9.0)], 400);
        assert_eq!(losses(folder), [9.0]);
        state(folder, "", &[(10, 9.0), (15, 8.0)], 500);
        assert_eq!(losses(folder), [9.0, 8.0]);
    }
}
