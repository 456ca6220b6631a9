//! The Trainer of Hugging Face's transformers and what is built on it (TRL, PEFT, axolotl, unsloth,
//! LLaMA-Factory, ms-swift): `trainer_state.json` in each checkpoint's folder, of which the newest
//! has everything from the first step on. What came after it is in event files below `runs`.

mod arguments;
mod live;
mod states;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};

use super::points::Points;
use super::whole::RewrittenFiles;
use super::{Facts, Format, Listing, RunParts, Source, json, settings};
use crate::judging::TrainerMetric;
use crate::metric_names::Direction;
use crate::state::State;
use live::Log;
use states::{LAST_LINE, STATE, TrainerState, checkpoint_step, checkpoints};
use traintop_disk::read;

/// What LLaMA-Factory appends to while it trains.
const LINES: &str = "trainer_log.jsonl";
/// A log of a million lines is smaller.
const MAX_LOG_BYTES: u64 = 256 << 20;

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
        let has_states = listing.has_file(STATE) || checkpoints(listing).next().is_some();
        if !has_states && !live::may_have_begun(listing) {
            return None;
        }
        let files = files_of(listing);
        if files.is_empty() {
            return None;
        }
        let folders = checkpoints(listing).map(|(_, name)| name).chain(["runs"]);
        let mut parts = RunParts::new("Hugging Face", files).with_folders(folders);
        // A folder `logs` may hold anything; only with event files of the trainer it is a part.
        let logs = listing.path.join("logs");
        if parts.metrics.iter().any(|file| file.starts_with(&logs)) {
            parts.folders.push("logs".to_owned());
        }
        Some(parts)
    }

    fn open(&self, dir: &Path, _places: &RunParts) -> Box<dyn Source> {
        Box::new(RewrittenFiles::new(dir, files, read))
    }

    fn facts(&self, dir: &Path, parts: &RunParts) -> Facts {
        Run::read(&parts.metrics)
            .map_or_else(Facts::default, |run| run.facts(dir, &run.arguments(dir)))
    }
}

/// The states that may be the run's last, and the event file of its last start. Before the first
/// state there is only that, which any program may have written.
fn files_of(listing: &Listing) -> Vec<PathBuf> {
    let mut files = states::states(listing);
    let log = live::file(listing);
    let is_of_run = |log: &PathBuf| live::is_of_output(log, &listing.path);
    files.extend(log.filter(|log| !files.is_empty() || is_of_run(log)));
    if !files.is_empty() && listing.has_file(LINES) {
        files.push(listing.path.join(LINES));
    }
    files
}

fn files(dir: &Path) -> Vec<PathBuf> {
    Listing::read(dir).map_or_else(|_| Vec::new(), |listing| files_of(&listing))
}

/// A run as its files have it.
struct Run {
    state: TrainerState,
    log: Option<Log>,
    /// Whether the log is that of a start after the state was written.
    is_begun_later: bool,
    /// The lines of LLaMA-Factory.
    lines: Vec<Map<String, Value>>,
}

impl Run {
    fn read(files: &[PathBuf]) -> Option<Self> {
        let is_state = |file: &PathBuf| file.file_name().is_some_and(|name| name == STATE);
        let states: Vec<PathBuf> = files
            .iter()
            .filter(|file| is_state(file))
            .cloned()
            .collect();
        let state = states::newest(&states);
        let is_lines = |file: &PathBuf| file.file_name().is_some_and(|name| name == LINES);
        let lines = files.iter().find(|file| is_lines(file)).map(|file| {
            let bytes = read::bytes(file, MAX_LOG_BYTES).unwrap_or_default();
            let lines = bytes.split(|byte| *byte == b'\n').map(json::object);
            lines.filter(|line| !line.is_empty()).collect()
        });
        let log = files.iter().find(|file| !is_state(file) && !is_lines(file));
        let log = log.and_then(|file| Log::read(file));
        let state = state.or_else(|| log.is_some().then(TrainerState::default))?;
        let is_begun_later = log
            .as_ref()
            .zip(state.written)
            .is_some_and(|(log, written)| log.is_begun_after(written));
        Some(Self {
            state,
            log,
            is_begun_later,
            lines: lines.unwrap_or_default(),
        })
    }

    /// The first step of a resumed training, if it has logged any.
    fn resumed_at(&self) -> Option<f64> {
        let log = self.log.as_ref().filter(|_| self.is_begun_later)?;
        log.first_step()
    }

    /// Whether a later start goes back to before the state: it is another run in the same folder,
    /// or was resumed from an earlier checkpoint.
    fn is_overtaken(&self) -> bool {
        let (first, done) = (self.resumed_at(), self.state.step());
        first.zip(done).is_some_and(|(first, done)| first <= done)
    }

    /// The rows of the state that count.
    fn rows(&self) -> impl Iterator<Item = (f64, &Map<String, Value>)> {
        let end = self.resumed_at().unwrap_or(f64::INFINITY);
        let rows = self.state.rows().filter_map(|row| {
            // Measurements of a prediction have no step.
            let step = row.get("step").and_then(json::number)?;
            Some((step, row))
        });
        rows.filter(move |(step, _)| step.is_finite() && *step < end)
    }

    /// What the trainer was called with.
    fn arguments(&self, dir: &Path) -> Map<String, Value> {
        let logged = self.log.as_ref().map(Log::arguments);
        let logged = logged.filter(|arguments| !arguments.is_empty());
        if let Some(arguments) = logged.filter(|_| self.is_overtaken()) {
            return arguments.clone();
        }
        let beside = self.state.path.parent().unwrap_or(dir);
        let kept = [beside, dir].iter().find_map(|folder| {
            let arguments = arguments::read(&folder.join("training_args.bin"));
            (!arguments.is_empty()).then_some(arguments)
        });
        kept.or_else(|| logged.cloned()).unwrap_or_default()
    }

    /// What the state itself says of its run, unless that is over and another has begun.
    fn number(&self, key: &str) -> Option<f64> {
        self.state.number(key).filter(|_| !self.is_overtaken())
    }

    fn is_finished(&self) -> bool {
        let done = self.number("global_step").unwrap_or_default();
        if self.log.as_ref().is_some_and(|log| log.is_ended_at(done)) {
            return true;
        }
        let is_done = match (self.number("global_step"), self.number("max_steps")) {
            (Some(done), Some(planned)) => planned > 0.0 && done >= planned,
            _ => false,
        };
        let control = "/stateful_callbacks/TrainerControl/args/should_training_stop";
        let mut parts = control.split('/').skip(1);
        let first = parts.next().and_then(|key| self.state.map.get(key));
        let says_stop = parts.try_fold(first, |value, key| Some(value?.get(key)));
        let says_stop = says_stop.flatten().and_then(Value::as_bool) == Some(true);
        !self.is_begun_later && (is_done || says_stop || self.runtime().is_some())
    }

    /// The seconds in the last line.
    fn runtime(&self) -> Option<f64> {
        // An evaluation or a prediction may come after it.
        let lines = self.state.lines().filter_map(|line| line.get(LAST_LINE));
        json::number(lines.last()?)
    }

    fn facts(&self, dir: &Path, arguments: &Map<String, Value>) -> Facts {
        let mut config = settings::file(&dir.join("training_args.yaml"));
        if config.is_empty() {
            let stated = SETTINGS
                .iter()
                .filter(|_| !self.is_overtaken())
                .filter_map(|key| Some(((*key).to_owned(), self.state.map.get(*key)?.clone())));
            config.clone_from(arguments);
            config.extend(stated);
        }
        let beside = self.state.path.parent().unwrap_or(dir);
        for (file, key) in [
            ("adapter_config.json", "adapter"),
            ("config.json", "network"),
        ] {
            let of = |folder: &Path| settings::file(&folder.join(file));
            let inner = [dir, beside].into_iter().map(of);
            if let Some(inner) = inner.into_iter().find(|inner| !inner.is_empty()) {
                config.insert(key.to_owned(), Value::Object(inner));
            }
        }
        let argued = |key: &str| json::number(arguments.get(key)?);
        let planned = |key: &str| self.number(key).or_else(|| argued(key));
        let runtime = self.runtime().filter(|_| !self.is_begun_later);
        let runtime = runtime.and_then(|runtime| Duration::try_from_secs_f64(runtime).ok());
        let network = config
            .get("network")
            .and_then(|network| network.get("model_type"));
        Facts {
            model: network.and_then(Value::as_str).map(str::to_owned),
            epochs_planned: planned("num_train_epochs").map(|epochs| epochs.ceil() as u32),
            steps_planned: planned("max_steps")
                .filter(|steps| *steps > 0.0)
                .map(|it| it as u64),
            state: self.is_finished().then(|| {
                let why = "its trainer came to the last step".to_owned();
                (State::Finished, Some(why))
            }),
            started_at: self.log.as_ref().and_then(Log::started_at),
            duration: runtime.or_else(|| self.log.as_ref()?.duration()),
            config,
            ..Facts::default()
        }
    }

    /// Which metric the best checkpoint is chosen by: the configured one, else the one with the
    /// value of the best, where the best was saved first.
    fn primary(&self, arguments: &Map<String, Value>) -> Option<TrainerMetric> {
        if let Some(metric) = arguments::metric(arguments) {
            return Some(metric);
        }
        let best = self.number("best_metric")?;
        let folder = self.state.map.get("best_model_checkpoint");
        let folder = folder.and_then(|path| path.as_str()?.rsplit('/').next());
        let step = folder.and_then(checkpoint_step).map(|step| step as f64);
        let step = self.number("best_global_step").or(step);
        let named = |is_there: &dyn Fn(f64) -> bool| {
            let mut rows = self.rows().filter(|(step, _)| is_there(*step));
            rows.find_map(|(_, row)| {
                let mut values = row.iter().filter(|(name, _)| name.starts_with("eval_"));
                let (name, _) = values.find(|(_, value)| json::number(value) == Some(best))?;
                Some(name.clone())
            })
        };
        let metric = named(&|at| Some(at) == step).or_else(|| named(&|_| true))?;
        let values = self
            .rows()
            .filter_map(|(_, row)| json::number(row.get(&metric)?));
        let values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
        let direction = match (
            values.iter().any(|it| *it < best),
            values.iter().any(|it| *it > best),
        ) {
            (true, false) => Some(Direction::Higher),
            (false, true) => Some(Direction::Lower),
            _ => None,
        };
        Some(TrainerMetric { metric, direction })
    }

    fn put(&self, points: &mut Points) {
        for (step, row) in self.rows() {
            points.begin_row(step);
            json::numbers(row, &mut |name, value| match value {
                Ok(value) => points.put(name, step, value),
                Err(_) => points.note_text(name),
            });
        }
        let done = if self.is_overtaken() {
            None
        } else {
            self.state.step()
        };
        let log = self.log.iter();
        for (step, name, value) in
            log.flat_map(|log| log.values_beyond(done.unwrap_or(f64::NEG_INFINITY)))
        {
            points.begin_row(step);
            points.put(&name, step, value);
        }
        for line in &self.lines {
            let step = line.get("current_steps").and_then(json::number);
            let Some(step) = step.filter(|step| points.last_x().is_none_or(|last| *step > last))
            else {
                continue;
            };
            points.begin_row(step);
            for (key, name) in OF_LINES {
                if let Some(value) = line.get(key).and_then(json::number) {
                    points.put(name, step, value);
                }
            }
        }
    }
}

/// Keys of a line of LLaMA-Factory, and what the trainer's state calls the same.
const OF_LINES: [(&str, &str); 5] = [
    ("loss", "loss"),
    ("eval_loss", "eval_loss"),
    ("lr", "learning_rate"),
    ("learning_rate", "learning_rate"),
    ("epoch", "epoch"),
];

fn read(dir: &Path, files: &[PathBuf]) -> io::Result<Points> {
    let mut points = Points::new("step");
    let Some(run) = Run::read(files) else {
        // Says why, as the first file does.
        let file = files.first().map_or(dir, PathBuf::as_path);
        fs::metadata(file)?;
        return Err(io::Error::other("is no state of a trainer"));
    };
    let has_state = !run.state.map.is_empty();
    if has_state && !run.state.map.contains_key("log_history") {
        let file = run.state.path.display();
        points.add_problem(1, format!("{file} has no log_history"));
    }
    for (number, path) in (1..).zip(&run.state.damaged) {
        let what = format!("{} is not whole, so another state is shown", path.display());
        points.add_problem(number, what);
    }
    let arguments = run.arguments(dir);
    if let Some(metric) = run.primary(&arguments) {
        points.judge_by(metric);
    }
    run.put(&mut points);
    points.say(run.facts(dir, &arguments));
    Ok(points)
}

#[cfg(test)]
mod tests;
