//! OpenMMLab: a work folder with a dated folder for each start. In the lines of an evaluation
//! `step` is the epoch where training goes by epochs; in the lines of training it is the iteration.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::appended::{Appended, Decoder};
use super::points::Points;
use super::{Facts, Format, Listing, RunParts, Source, json};
use traintop_disk::read;

/// Larger files are no configurations.
const MAX_BYTES: u64 = 1 << 20;

pub struct MmEngine;

impl Format for MmEngine {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        let is_start = |name: &String| is_date(name);
        let has_start = listing.folders.iter().any(is_start);
        let has_log = listing.files.iter().any(|name| is_old_log(name));
        if !has_start && !has_log {
            return None;
        }
        let logs = logs(&listing.path);
        let starts = listing
            .folders
            .iter()
            .filter(|name| is_start(name))
            .map(String::as_str);
        (!logs.is_empty()).then(|| RunParts::new("OpenMMLab", logs).with_folders(starts))
    }

    fn open(&self, dir: &Path, _places: &RunParts) -> Box<dyn Source> {
        Box::new(Appended::<Lines>::new(dir, logs, "step"))
    }

    fn facts(&self, dir: &Path, _places: &RunParts) -> Facts {
        let mut facts = Facts::default();
        let listing = Listing::read(dir).unwrap_or_default();
        let config = listing
            .files
            .iter()
            .find(|name| Path::new(name).extension().is_some_and(|it| it == "py"));
        let text = config.and_then(|name| read::text(&dir.join(name), MAX_BYTES).ok());
        for line in text.iter().flat_map(|text| text.lines()) {
            // The settings are a program, of which nothing is executed.
            let whole = |key: &str| assigned(line, key)?.parse::<u64>().ok();
            if let Some(epochs) = whole("max_epochs") {
                facts.epochs_planned = epochs.try_into().ok();
            }
            facts.steps_planned = whole("max_iters").or(facts.steps_planned);
            for key in ["lr", "batch_size", "max_epochs", "max_iters"] {
                if let Some(value) = assigned(line, key).and_then(|it| it.parse::<f64>().ok()) {
                    facts
                        .config
                        .entry(key)
                        .or_insert_with(|| Value::from(value));
                }
            }
        }
        facts
    }
}

/// The number that a line of a program gives a name, as text.
fn assigned<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(key)?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let end = rest.find(|char: char| !(char.is_ascii_alphanumeric() || "._-".contains(char)));
    Some(&rest[..end.unwrap_or(rest.len())])
}

/// Whether a name is a date and a time: `20261103_120000`.
fn is_date(name: &str) -> bool {
    let digits = |part: &str, count: usize| {
        part.len() == count && part.bytes().all(|it| it.is_ascii_digit())
    };
    name.split_once('_')
        .is_some_and(|(day, time)| digits(day, 8) && digits(time, 6))
}

fn is_old_log(name: &str) -> bool {
    name.strip_suffix(".log.json").is_some_and(is_date)
}

/// The files of lines, one for each start, in their order.
fn logs(dir: &Path) -> Vec<PathBuf> {
    let Ok(listing) = Listing::read(dir) else {
        return Vec::new();
    };
    let starts = listing.folders.iter().filter(|name| is_date(name));
    let new = starts.map(|name| dir.join(name).join("vis_data/scalars.json"));
    let old = listing
        .files
        .iter()
        .filter(|name| is_old_log(name))
        .map(|name| dir.join(name));
    let mut logs: Vec<PathBuf> = new.filter(|path| path.is_file()).chain(old).collect();
    logs.sort();
    logs
}

/// Reads the lines of one start after the other.
#[derive(Debug, Default)]
struct Lines {
    number: u64,
    /// Iterations of an epoch, as far as the lines show.
    epoch: f64,
    /// The last iteration of training, over all epochs.
    last: f64,
    /// Old logs count iterations within the epoch: those of the epochs before, by epoch.
    before: Vec<(f64, f64)>,
}

impl Decoder for Lines {
    fn begin_file(&mut self, points: &mut Points) {
        points.begin_start();
    }

    fn push(&mut self, bytes: &[u8], is_last: bool, points: &mut Points) -> u64 {
        let mut number = self.number;
        let done = json::lines(bytes, is_last, &mut number, points, &mut |map, points| {
            self.row(map, points);
        });
        self.number = number;
        done
    }
}

impl Lines {
    fn row(&mut self, map: &Map<String, Value>, points: &mut Points) {
        if map.contains_key("env_info") {
            return;
        }
        let number = |key: &str| {
            let number = map.get(key).and_then(json::number);
            number.filter(|number| number.is_finite())
        };
        let mode = map.get("mode").and_then(Value::as_str);
        let is_training = match mode {
            Some(mode) => mode == "train",
            None => number("iter").is_some(),
        };
        let x = if is_training {
            let x = match (number("step"), number("iter")) {
                (Some(step), _) => step,
                (None, Some(iter)) => self.old_step(number("epoch"), iter),
                (None, None) => self.last + 1.0,
            };
            self.epoch = number("epoch").unwrap_or(self.epoch);
            self.last = x;
            x
        } else {
            // An evaluation is placed at the iteration before it.
            self.last
        };
        points.begin_row(x);
        let epoch = match (is_training, number("epoch")) {
            (_, Some(epoch)) => Some(epoch),
            (true, None) => None,
            (false, None) => (self.epoch > 0.0).then_some(self.epoch),
        };
        if let Some(epoch) = epoch {
            points.put("epoch", x, epoch);
        }
        let prefix = match mode {
            Some("val") => "val/",
            _ => "",
        };
        json::numbers(map, &mut |name, value| {
            let is_place = ["epoch", "step", "iter"].contains(&name);
            // -1 means not measurable.
            if let (Ok(value), false) = (value, is_place)
                && (is_training || value != -1.0)
            {
                points.put(&format!("{prefix}{name}"), x, value);
            }
        });
    }

    /// The step of a line of an old log, which counts iterations within its epoch.
    fn old_step(&mut self, epoch: Option<f64>, iter: f64) -> f64 {
        let epoch = epoch.unwrap_or(self.epoch);
        let known = self.before.iter().find(|(of, _)| *of == epoch);
        let before = known.map_or(self.last, |(_, before)| *before);
        if known.is_none() {
            self.before.push((epoch, before));
        }
        before + iter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evaluations_stand_at_the_iteration_that_they_followed() {
        let text = "{\"loss\": 2, \"epoch\": 1, \"iter\": 2, \"step\": 2}\n{\"coco/bbox_mAP\": 0.1, \"bbox_mAP_s\": -1.0, \
                    \"step\": 1}\n{\"loss\": 1, \"epoch\": 2, \"iter\": 4, \"step\": 4}\n";
        let mut points = Points::new("step");
        Lines::default().push(text.as_bytes(), true, &mut points);
        let metrics = points.take();
        assert_eq!(metrics.column("coco/bbox_mAP").unwrap().x, [2.0]);
        assert_eq!(metrics.column("epoch").unwrap().y, [1.0, 2.0]);
        assert!(metrics.column("bbox_mAP_s").is_none());
    }

    #[test]
    fn each_start_behind_the_first_is_a_seam() {
        let (mut lines, mut points) = (Lines::default(), Points::new("step"));
        for step in [1_u32, 2, 3] {
            lines.begin_file(&mut points);
            let text = format!(
                "{{\"loss\": 2, \"iter\": 1, \"step\": {}}}\n{{\"loss\": 1, \"iter\": 2, \"step\": {}}}\n",
                step * 10,
                step * 10 + 5
            );
            lines.push(text.as_bytes(), true, &mut points);
        }
        assert_eq!(points.take().seams, [20.0, 30.0]);
    }

    #[test]
    fn iterations_of_old_logs_run_on_over_epochs_and_over_a_resume() {
        let line = |epoch: u32, loss: u32| {
            format!("{{\"mode\": \"train\", \"epoch\": {epoch}, \"iter\": 50, \"loss\": {loss}}}\n")
        };
        let text = line(1, 9) + &line(2, 8) + &line(3, 7) + &line(2, 6);
        let mut points = Points::new("step");
        Lines::default().push(text.as_bytes(), true, &mut points);
        let loss = points
            .take()
            .columns
            .into_iter()
            .find(|column| column.name == "loss")
            .unwrap();
        assert_eq!((loss.x, loss.y), (vec![50.0, 100.0], vec![9.0, 6.0]));
    }

    #[test]
    fn numbers_are_read_from_settings_that_are_a_program() {
        assert_eq!(
            assigned("train_cfg = dict(max_epochs=12, val=1)", "max_epochs"),
            Some("12")
        );
        assert_eq!(assigned("    max_iters = 1000", "max_iters"), Some("1000"));
        assert_eq!(assigned("lr_config = 3", "lr"), None);
    }
}
