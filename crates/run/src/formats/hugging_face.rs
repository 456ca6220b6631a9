//! The Trainer of Hugging Face's transformers and what is built on it (TRL, PEFT, axolotl, unsloth,
//! LLaMA-Factory, ms-swift): `trainer_state.json` in each checkpoint's folder, of which the newest
//! has everything from the first step on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// The states of a run, that of the highest step first; the one at the top counts as the last.
fn states(dir: &Path) -> Vec<PathBuf> {
    let Ok(listing) = Listing::read(dir) else {
        return Vec::new();
    };
    let mut steps: Vec<(u64, &str)> = checkpoints(&listing).collect();
    steps.sort_unstable_by(|a, b| b.cmp(a));
    let top = listing.has_file(STATE).then(|| dir.join(STATE));
    let newest = steps
        .iter()
        .map(|(_, name)| dir.join(name).join(STATE))
        .find(|it| it.is_file());
    top.into_iter().chain(newest).collect()
}

/// The state with the highest step, and its file. Of equals it is the first, which is the one at the
/// top: it has the last line too.
fn newest(files: &[PathBuf]) -> Option<(&Path, Map<String, Value>)> {
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
