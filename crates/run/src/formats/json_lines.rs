//! A line of JSON for each row: Detectron2's `metrics.json`, `log.txt` of DETR, DeiT, MAE and their
//! kin, `result.json` of RLlib, `trainer_log.jsonl` of LLaMA-Factory, and loggers written by hand.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::appended::{Appended, Decoder};
use super::points::Points;
use super::{Facts, Format, Listing, Places, Source, json, settings};
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

/// How much of a file is looked at to know what it is.
const PEEKED: u64 = 64 << 10;

pub struct JsonLines;

impl Format for JsonLines {
    fn find(&self, listing: &Listing) -> Option<Places> {
        let mut names = NAMES.iter().filter(|name| listing.has_file(name));
        let name = names.find(|name| has_lines(&listing.path.join(name)))?;
        let trainer = match *name {
            "metrics.json"
                if listing.has_file("last_checkpoint") || listing.has_file("config.yaml") =>
            {
                "Detectron2"
            }
            "trainer_log.jsonl" => "LLaMA-Factory",
            "result.json" => "RLlib",
            _ => "JSON lines",
        };
        let folders = ["inference", "checkpoints", "weights", "eval"];
        Some(Places::new(trainer, vec![listing.path.join(name)]).with_folders(folders))
    }

    fn open(&self, dir: &Path, places: &Places) -> Box<dyn Source> {
        let path = places.metrics.first().map_or(dir, PathBuf::as_path);
        Box::new(Appended::<Lines>::new(
            path,
            |path| vec![path.to_owned()],
            "",
        ))
    }

    fn facts(&self, dir: &Path, places: &Places) -> Facts {
        let mut facts = settings::facts(settings::beside(dir));
        let first = places.metrics.first().and_then(|path| first_line(path));
        let total = first.and_then(|line| json::number(line.get("total_steps")?));
        facts.steps_planned = facts.steps_planned.or(total.map(|total| total as u64));
        facts
    }
}

fn first_line(path: &Path) -> Option<Map<String, Value>> {
    let bytes = read::beginning(path, PEEKED).ok()?;
    let line = bytes
        .split(|byte| *byte == b'\n')
        .find(|line| !line.is_empty())?;
    match json::parse(line) {
        Ok(Value::Object(map)) => Some(map),
        _ => None,
    }
}

/// Whether a file begins with a line that is an object with a number in it. The values at the end
/// of a run, written over several lines, are none.
fn has_lines(path: &Path) -> bool {
    first_line(path).is_some_and(|line| {
        let mut has_number = false;
        json::numbers(&line, &mut |_, value| has_number |= value.is_ok());
        has_number
    })
}

/// Reads lines of JSON.
#[derive(Debug, Default)]
pub struct Lines {
    x: Option<String>,
    number: u64,
}

impl Decoder for Lines {
    fn push(&mut self, bytes: &[u8], is_last: bool, points: &mut Points) -> u64 {
        let whole = if is_last {
            bytes.len()
        } else {
            memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1)
        };
        for line in bytes[..whole].split(|byte| *byte == b'\n') {
            self.line(line.trim_ascii(), points);
        }
        whole as u64
    }
}

impl Lines {
    fn line(&mut self, line: &[u8], points: &mut Points) {
        if line.is_empty() {
            return;
        }
        self.number += 1;
        match json::parse(line) {
            Ok(Value::Object(map)) => self.row(&map, points),
            Ok(_) => points.complain(self.number, "is no object of JSON".to_owned()),
            Err(error) => points.complain(self.number, format!("is no JSON ({error})")),
        }
    }

    fn row(&mut self, map: &Map<String, Value>, points: &mut Points) {
        if self.x.is_none() {
            let name = X_NAMES
                .iter()
                .find(|name| map.get(**name).and_then(json::number).is_some());
            if let Some(name) = name {
                points.place_by(name);
                self.x = Some((*name).to_owned());
            }
        }
        let at = self.x.as_ref().and_then(|x| json::number(map.get(x)?));
        let next = || match &self.x {
            // A line that does not say where it stands belongs to the row before it.
            Some(_) => points.last_x().unwrap_or(0.0),
            None => points.last_x().unwrap_or(0.0) + 1.0,
        };
        let x = at.filter(|x| x.is_finite()).unwrap_or_else(next);
        if self.x.is_none() {
            points.place_by(crate::metrics::BY_ROW);
        }
        points.begin_row(x);
        json::numbers(map, &mut |name, value| match value {
            Ok(value) => points.put(name, x, value),
            Err(text) => match seconds(text) {
                Some(seconds) => points.put(name, x, seconds),
                None => points.note_text(name),
            },
        });
    }
}

/// A duration such as `0:12:03` or `1 day, 2:03:04` in seconds.
fn seconds(text: &str) -> Option<f64> {
    let (days, clock) = match text.split_once(", ") {
        Some((days, clock)) => {
            let count: f64 = days
                .strip_suffix(" days")
                .or(days.strip_suffix(" day"))?
                .parse()
                .ok()?;
            (count, clock)
        }
        None => (0.0, text),
    };
    let parts: Vec<f64> = clock
        .split(':')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let (hours, minutes, seconds) = match parts[..] {
        [hours, minutes, seconds] => (hours, minutes, seconds),
        [minutes, seconds] => (0.0, minutes, seconds),
        _ => return None,
    };
    Some(((days * 24.0 + hours) * 60.0 + minutes) * 60.0 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> crate::metrics::Metrics {
        let mut points = Points::new("");
        let mut lines = Lines::default();
        lines.push(text.as_bytes(), true, &mut points);
        points.take()
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
    fn lines_without_a_place_are_counted() {
        let metrics = read("{\"loss\": 3}\n{\"loss\": 2}\n");
        assert_eq!((metrics.x_name.as_str(), metrics.rows), ("row", 2));
        assert_eq!(metrics.column("loss").unwrap().x, [1.0, 2.0]);
    }

    #[test]
    fn durations_are_seconds() {
        assert_eq!(seconds("1 day, 2:03:04"), Some(93784.0));
        assert_eq!(seconds("0:00:10"), Some(10.0));
        assert_eq!(seconds("train"), None);
    }
}
