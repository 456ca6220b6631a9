//! A line of JSON for each row: Detectron2's `metrics.json`, `log.txt` of DETR, DeiT, MAE and their
//! kin, `result.json` of RLlib, `trainer_log.jsonl` of LLaMA-Factory, and loggers written by hand.

use std::borrow::Cow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::appended::{Appended, Decoder};
use super::points::Points;
use super::{Facts, Format, Listing, RunParts, Source, json, settings};
use crate::metric_names::Split;
use crate::metrics;
use crate::metrics::names::{self, Kind, RUNNING};
use crate::metrics::place::{Places, StatedPlace};
use crate::state::State;
use traintop_disk::read;

/// Files that may hold such lines, the likeliest first.
const NAMES: [&str; 14] = [
    "metrics.jsonl",
    "metrics.json",
    "trainer_log.jsonl",
    "train_log.jsonl",
    "training_log.jsonl",
    "log.jsonl",
    "logs.jsonl",
    "history.jsonl",
    "results.jsonl",
    "progress.jsonl",
    "stats.jsonl",
    "result.json",
    "scalars.json",
    "log.txt",
];

/// What places a row, the first that the first row has wins.
pub const X_NAMES: [&str; 13] = [
    "step",
    "_step",
    "global_step",
    "iteration",
    "iter",
    "current_steps",
    "num_env_steps_sampled_lifetime",
    "timesteps_total",
    "total_timesteps",
    "training_iteration",
    "num_updates",
    "epoch",
    "Epoch",
];

/// What counts epochs beside it.
const EPOCH: &str = "epoch";

/// Limit of lines before the first row.
const MAX_LINES_BEFORE: usize = 10;

const RLLIB: &str = "RLlib";

/// What rows hold that is none of their measurements: settings, and lists of single episodes.
const NO_METRICS: [&str; 2] = ["config", "hist_stats"];

/// Bytes of a file that are read to recognise it.
const PEEKED: u64 = 1 << 20;

pub struct JsonLines;

impl Format for JsonLines {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        let mut names = NAMES.iter().filter(|name| listing.has_file(name));
        let name = names.find(|name| has_lines(&listing.path.join(name)))?;
        let trainer = match *name {
            "metrics.json"
                if listing.has_file("last_checkpoint") || listing.has_file("config.yaml") =>
            {
                "Detectron2"
            }
            "trainer_log.jsonl" => "LLaMA-Factory",
            "result.json" => RLLIB,
            _ => "JSON lines",
        };
        let folders = ["inference", "checkpoints", "weights", "eval"];
        Some(RunParts::new(trainer, vec![listing.path.join(name)]).with_folders(folders))
    }

    fn open(&self, dir: &Path, parts: &RunParts) -> Box<dyn Source> {
        let path = parts.metrics.first().map_or(dir, PathBuf::as_path);
        Box::new(Appended::<Lines>::new(
            path,
            |path| vec![path.to_owned()],
            "",
        ))
    }

    fn facts(&self, dir: &Path, parts: &RunParts) -> Facts {
        let mut facts = settings::facts(settings::beside(dir));
        let first = parts.metrics.first().and_then(|path| first_line(path));
        let total = first.and_then(|line| json::number(line.get("total_steps")?));
        facts.steps_planned = facts.steps_planned.or(total.map(|total| total as u64));
        if parts.trainer == RLLIB {
            facts.state = end_of_trial(dir, parts.metrics.first());
        }
        facts
    }
}

/// How Ray says that a trial ended: a file for an error, a word in the last line.
fn end_of_trial(dir: &Path, results: Option<&PathBuf>) -> Option<(State, Option<String>)> {
    let error = read::text(&dir.join("error.txt"), PEEKED).ok();
    if let Some(error) = error.filter(|error| !error.trim().is_empty()) {
        let last = error.lines().rev().find(|line| !line.trim().is_empty());
        return Some((State::Failed, last.map(|line| line.trim().to_owned())));
    }
    let file = read::open(results?).ok()?;
    let length = file.metadata().ok()?.len();
    let from = length.saturating_sub(PEEKED);
    let mut bytes = vec![0; (length - from) as usize];
    let read = file.read_at(&mut bytes, from).ok()?;
    let last = bytes[..read]
        .trim_ascii_end()
        .rsplit(|byte| *byte == b'\n')
        .next()?;
    let is_done = json::object(last).get("done").and_then(Value::as_bool) == Some(true);
    is_done.then(|| {
        (
            State::Finished,
            Some("its last result says that it is done".to_owned()),
        )
    })
}

/// The first line that may be a row: a logger may have written a sentence before it.
fn first_line(path: &Path) -> Option<Map<String, Value>> {
    let bytes = read::beginning(path, PEEKED).ok()?;
    let lines = bytes.split(|byte| *byte == b'\n').map(json::without_mark);
    let line = lines
        .take(MAX_LINES_BEFORE)
        .find(|line| line.starts_with(b"{"))?;
    match json::parse(line) {
        Ok(Value::Object(map)) => Some(map),
        _ => None,
    }
}

/// Whether a file begins with a row: an object with a number in it, and with a place or another
/// line behind it. The values at the end of a run are neither.
fn has_lines(path: &Path) -> bool {
    let Some(line) = first_line(path) else {
        return false;
    };
    let mut has_number = false;
    json::numbers(&line, &mut |_, value| has_number |= value.is_ok());
    let has_place = X::of(&line).is_some();
    let is_followed = || {
        let bytes = read::beginning(path, PEEKED).unwrap_or_default();
        let lines = bytes.split(|byte| *byte == b'\n');
        lines.filter(|line| line.starts_with(b"{")).count() > 1
    };
    has_number && (has_place || is_followed())
}

/// Reads lines of JSON.
#[derive(Debug, Default)]
pub struct Lines {
    /// What places the rows; known from the first row that has it.
    x: Option<X>,
    number: u64,
}

impl Decoder for Lines {
    fn push(&mut self, bytes: &[u8], is_last: bool, points: &mut Points) -> u64 {
        json::lines(
            bytes,
            is_last,
            &mut self.number,
            points,
            &mut |map, points| {
                row(&mut self.x, map, points);
            },
        )
    }
}

/// What places rows, and where they are.
#[derive(Debug)]
struct X {
    name: String,
    places: Places,
}

impl X {
    /// By the first of the usual names that a row has.
    fn of(row: &Map<String, Value>) -> Option<Self> {
        let has = |name: &&&str| row.get(**name).and_then(json::number).is_some();
        let name = X_NAMES.iter().find(has)?;
        let kind = if name.eq_ignore_ascii_case(EPOCH) {
            Kind::Epoch
        } else {
            Kind::Step
        };
        Some(Self {
            name: (*name).to_owned(),
            places: Places::new(kind),
        })
    }

    /// The x of a row, if it has one. A counter that restarts each epoch is made cumulative.
    fn place(&mut self, row: &Map<String, Value>, part: Option<Split>) -> Option<f64> {
        let x = json::number(row.get(&self.name)?).filter(|x| x.is_finite())?;
        let epoch = row
            .get(EPOCH)
            .filter(|_| self.name != EPOCH)
            .and_then(json::number);
        let mut keys = row.iter().filter(|(name, _)| names::may_be_key(name));
        let key = keys.find_map(|(_, value)| json::number(value));
        let stated = StatedPlace {
            x,
            epoch,
            part,
            key,
        };
        Some(self.places.place(stated).x)
    }
}

/// Puts a row; the first that names its place decides what places all of them.
fn row(place: &mut Option<X>, map: &Map<String, Value>, points: &mut Points) {
    if place.is_none() {
        *place = X::of(map);
        let name = place.as_ref().map_or(metrics::BY_ROW, |place| &place.name);
        points.place_by(name);
    }
    let last = points.last_x().unwrap_or(0.0);
    let part = part_of(map);
    let x = match place {
        // A line without an x belongs to the row before it.
        Some(place) => place.place(map, part).unwrap_or(last),
        None => last + 1.0,
    };
    if let Some(place) = place.as_ref().filter(|place| place.places.is_running()) {
        points.place_by(&format!("{RUNNING}{}", place.name));
    }
    // What is measured once more at the end, at step 0, replaces nothing.
    let is_place = |name: &str| {
        let is_x = place.as_ref().is_some_and(|place| place.name == name);
        is_x || name == EPOCH
    };
    let is_metric = |name: &str| {
        let mut parts = name.split('/');
        name != "pid" && !(name.contains('/') && parts.any(|part| NO_METRICS.contains(&part)))
    };
    let replaces = |points: &Points| {
        let mut replaces = false;
        json::numbers(map, &mut |name, value| {
            let is_measured = value.is_ok() && !is_place(name);
            replaces |= is_measured && points.has_beyond(&called(name, part), x);
        });
        replaces
    };
    let is_row = points.last_x().is_none_or(|last| x >= last) || replaces(points);
    if is_row {
        points.begin_row(x);
    }
    json::numbers(map, &mut |name, value| match value {
        _ if !is_metric(name) => {}
        Ok(_) if !is_row && is_place(name) => {}
        Ok(value) => points.put(&called(name, part), x, value),
        Err(_) if part.is_some() && names::may_name_parts(name) => {}
        Err(text) => match metrics::number_of_text(text) {
            Some(number) => points.put(&called(name, part), x, number),
            None => points.note_text(name),
        },
    });
}

/// The twelve numbers of COCO's evaluation, as `pycocotools` orders them.
const OF_COCO: [&str; 12] = [
    "AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl",
];

/// What a value is called: those of COCO by their names, and what was measured on a part of the
/// data by that, too.
fn called(name: &str, part: Option<Split>) -> Cow<'_, str> {
    if let Some((list, number)) = name.rsplit_once('/')
        && list.contains("coco_eval")
        && let Some(of_coco) = number.parse().ok().and_then(|at: usize| OF_COCO.get(at))
    {
        return Cow::Owned(format!("{list}/{of_coco}"));
    }
    match part {
        // A place is none, and what names its part need not be called by it again.
        Some(part) if !names::names_part(name) && names::place(name).is_none() => {
            Cow::Owned(format!("{}_{name}", part.prefix()))
        }
        _ => Cow::Borrowed(name),
    }
}

/// The part of the data that a row says it is about: `"split": "val"`.
fn part_of(row: &Map<String, Value>) -> Option<Split> {
    let mut words = row.iter().filter(|(name, _)| names::may_name_parts(name));
    words.find_map(|(_, word)| names::part(word.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> metrics::Metrics {
        let mut points = Points::new("");
        let mut lines = Lines::default();
        lines.push(text.as_bytes(), true, &mut points);
        points.take()
    }

    #[test]
    fn rows_about_parts_of_the_data_are_columns_of_their_own() {
        let metrics = read(
            "{\"step\": 0, \"split\": \"train\", \"loss\": 3}\n{\"step\": 1, \"split\": \"train\", \"loss\": 2}\n\
             {\"step\": 0, \"split\": \"val\", \"loss\": 4}\n{\"step\": 1, \"split\": \"val\", \"loss\": 5}\n",
        );
        let loss = |name: &str| metrics.column(name).unwrap().y.clone();
        assert_eq!(
            (loss("train_loss"), loss("val_loss")),
            (vec![3.0, 2.0], vec![4.0, 5.0])
        );
        assert!(metrics.seams.is_empty() && metrics.column("loss").is_none());
    }

    #[test]
    fn numbers_of_coco_have_their_names() {
        let metrics = read("{\"epoch\": 0, \"test_coco_eval_bbox\": [0.2, 0.4, 0.1]}\n");
        assert_eq!(metrics.column("test_coco_eval_bbox/AP50").unwrap().y, [0.4]);
    }

    #[test]
    fn a_trial_of_ray_says_how_it_ended_and_its_settings_are_no_metrics() {
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path().join("result.json");
        let line = |iteration: u32, done: bool| {
            format!(
                "{{\"training_iteration\": {iteration}, \"episode_reward_mean\": 3, \"pid\": 7, \"done\": {done}, \"config\": {{\"lr\": 0.1}}}}\n"
            )
        };
        let text = line(1, false) + &line(2, true);
        std::fs::write(&results, &text).unwrap();
        let parts = JsonLines
            .find(&Listing::read(folder.path()).unwrap())
            .unwrap();
        let state = || JsonLines.facts(folder.path(), &parts).state.unwrap();
        assert_eq!(state().0, State::Finished);
        std::fs::write(
            folder.path().join("error.txt"),
            "Traceback\nValueError: no\n",
        )
        .unwrap();
        assert_eq!(state(), (State::Failed, Some("ValueError: no".to_owned())));
        let metrics = read(&text);
        assert!(metrics.column("config/lr").is_none() && metrics.column("pid").is_none());
        assert_eq!(metrics.column("episode_reward_mean").unwrap().y, [3.0, 3.0]);
    }

    #[test]
    fn a_mark_of_unicode_and_a_sentence_may_stand_before_the_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        for before in ["\u{feff}", "starting\n", "\n"] {
            let text =
                format!("{before}{{\"step\": 1, \"loss\": 3}}\n{{\"step\": 2, \"loss\": 2}}\n");
            std::fs::write(&path, &text).unwrap();
            assert!(has_lines(&path), "{before:?}");
            let metrics = read(&text);
            assert_eq!(metrics.column("loss").unwrap().y, [3.0, 2.0]);
            assert_eq!(metrics.problem_count, usize::from(before == "starting\n"));
        }
    }

    #[test]
    fn rows_of_two_rhythms_stand_at_their_steps_and_damage_is_counted() {
        let metrics = read(
            "{\"iteration\": 19, \"total_loss\": 1.5, \"eta\": \"0:01:00\"}\n{\"iteration\": 39, \"total_loss\": NaN, \
             \"bbox/AP\": 30.5}\nnot json\n{\"bbox/AP50\": 50}\n",
        );
        assert_eq!((metrics.x_name.as_str(), metrics.rows), ("iteration", 2));
        assert_eq!(metrics.column("bbox/AP").unwrap().x, [39.0]);
        assert_eq!(metrics.column("bbox/AP50").unwrap().x, [39.0]);
        assert_eq!(metrics.column("eta").unwrap().y, [60.0]);
        assert!(metrics.column("total_loss").unwrap().y[1].is_nan());
        assert_eq!(metrics.problem_count, 1);
    }

    #[test]
    fn an_iteration_that_begins_anew_with_each_epoch_runs_on() {
        let lines = (0..6).map(|row| {
            format!(
                "{{\"epoch\": {}, \"iter\": {}, \"loss\": {row}}}\n",
                row / 3,
                row % 3
            )
        });
        let metrics = read(&lines.collect::<String>());
        let loss = metrics.column("loss").unwrap();
        assert_eq!(loss.x, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(
            (metrics.x_name.as_str(), metrics.seams.len()),
            ("running iter", 0)
        );
        // A run that was begun again is another matter.
        let metrics = read(
            "{\"iter\": 1, \"loss\": 3}\n{\"iter\": 2, \"loss\": 2}\n{\"iter\": 1, \"loss\": 9}\n",
        );
        assert_eq!(
            (metrics.column("loss").unwrap().y.clone(), metrics.seams),
            (vec![9.0], vec![1.0])
        );
    }

    #[test]
    fn lines_without_a_place_are_counted() {
        let metrics = read("{\"loss\": 3}\n{\"loss\": 2}\n");
        assert_eq!((metrics.x_name.as_str(), metrics.rows), ("row", 2));
        assert_eq!(metrics.column("loss").unwrap().x, [1.0, 2.0]);
    }
}
