//! Episodes as the `Monitor` of Stable-Baselines3 and Gym writes them, a file for each copy of the
//! environment: `monitor.csv`, `0.monitor.csv`, ... Together they are one run, of which nothing
//! else may be left.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::points::Points;
use super::whole::RewrittenFiles;
use super::{Facts, Format, Listing, RunParts, Source, json, tensorboard};
use crate::judging::TrainerMetric;
use crate::metric_names::Direction;
use traintop_disk::read;

/// A file of ten million episodes is smaller.
const MAX_BYTES: u64 = 256 << 20;

/// Bytes of a file that are read to recognise it.
const PEEKED: u64 = 4096;

/// What rows are placed by: the steps of all copies together.
const STEPS: &str = "timesteps";

/// The columns that every file has: reward, length in steps, seconds since the start.
const COLUMNS: [&str; 3] = ["r", "l", "t"];

pub struct Monitors;

impl Format for Monitors {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        // The logger's own values are means over these.
        if tensorboard::has_events(listing) {
            return None;
        }
        let files = files_of(listing);
        let first = files.first()?;
        let beginning = read::beginning(first, PEEKED).ok()?;
        beginning
            .starts_with(b"#{")
            .then(|| RunParts::new("Monitor", files))
    }

    fn open(&self, dir: &Path, _places: &RunParts) -> Box<dyn Source> {
        Box::new(RewrittenFiles::new(dir, files, read))
    }

    fn facts(&self, _dir: &Path, parts: &RunParts) -> Facts {
        facts(&monitors(&parts.metrics, |file| {
            read::beginning(file, PEEKED)
        }))
    }
}

fn files_of(listing: &Listing) -> Vec<PathBuf> {
    let is_it = |name: &&String| *name == "monitor.csv" || name.ends_with(".monitor.csv");
    let mut names: Vec<&String> = listing.files.iter().filter(is_it).collect();
    names.sort();
    names
        .into_iter()
        .map(|name| listing.path.join(name))
        .collect()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    Listing::read(dir).map_or_else(|_| Vec::new(), |listing| files_of(&listing))
}

/// What one copy of the environment wrote.
struct Monitor {
    header: Map<String, Value>,
    text: String,
}

impl Monitor {
    /// When it began, in seconds since 1970.
    fn start(&self) -> f64 {
        let start = self.header.get("t_start").and_then(json::number);
        start.filter(|start| start.is_finite()).unwrap_or_default()
    }
}

fn monitors(files: &[PathBuf], read: impl Fn(&Path) -> io::Result<Vec<u8>>) -> Vec<Monitor> {
    let texts = files.iter().filter_map(|file| read(file).ok());
    let texts = texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let monitor = |text: String| {
        let first = text.lines().next().unwrap_or_default();
        let header = json::object(first.trim_start_matches('#').as_bytes());
        Monitor { header, text }
    };
    texts.map(monitor).collect()
}

/// An episode: when it ended, in seconds since 1970, with its values.
type Episode<'a> = (f64, Vec<(&'a str, f64)>);

/// The episodes of a file; the last line may not be whole.
fn episodes<'a>(monitor: &'a Monitor, points: &mut Points) -> Vec<Episode<'a>> {
    let end = monitor.text.rfind('\n').map_or(0, |end| end + 1);
    let mut lines = monitor.text[..end].lines().zip(1_u64..);
    let header = lines.by_ref().find(|(line, _)| !line.starts_with('#'));
    let names: Vec<&str> = header.map_or("", |(line, _)| line).split(',').collect();
    let at = |name: &str| names.iter().position(|other| *other == name);
    let [Some(_), Some(_), Some(time)] = COLUMNS.map(at) else {
        points.add_problem(1, "names no reward, length and time of episodes".to_owned());
        return Vec::new();
    };
    let mut episodes = Vec::new();
    for (line, number) in lines.filter(|(line, _)| !line.is_empty()) {
        let cells = line.split(',').map(|cell| cell.trim().parse::<f64>());
        let Ok(values) = cells.collect::<Result<Vec<f64>, _>>() else {
            points.add_problem(number, "is no episode".to_owned());
            continue;
        };
        if values.len() != names.len() {
            points.add_problem(number, "has not the columns of the header".to_owned());
            continue;
        }
        let ended = monitor.start() + values[time];
        episodes.push((ended, names.iter().copied().zip(values).collect()));
    }
    episodes
}

fn facts(monitors: &[Monitor]) -> Facts {
    let starts = monitors.iter().map(Monitor::start);
    let start = starts.filter(|start| *start > 0.0).reduce(f64::min);
    let environment = monitors.iter().find_map(|it| it.header.get("env_id"));
    let environment = environment.and_then(Value::as_str);
    let config = environment.map(|name| ("env_id".to_owned(), Value::from(name)));
    Facts {
        experiment: environment.map(str::to_owned),
        started_at: start.and_then(|it| Timestamp::from_millisecond((it * 1e3) as i64).ok()),
        config: config.into_iter().collect(),
        ..Facts::default()
    }
}

fn read(_dir: &Path, files: &[PathBuf]) -> io::Result<Points> {
    let mut points = Points::new(STEPS);
    for file in files {
        read::open(file)?;
    }
    let monitors = monitors(files, |file| read::bytes(file, MAX_BYTES));
    let mut all: Vec<Episode> = Vec::new();
    for monitor in &monitors {
        all.extend(episodes(monitor, &mut points));
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut steps = 0.0;
    for (_, values) in &all {
        let length = values.iter().find(|(name, _)| *name == COLUMNS[1]);
        steps += length.map_or(0.0, |(_, length)| *length);
        points.begin_row(steps);
        for (name, value) in values {
            points.put(name, steps, *value);
        }
    }
    points.judge_by(TrainerMetric {
        metric: COLUMNS[0].to_owned(),
        direction: Some(Direction::Higher),
    });
    let mut facts = facts(&monitors);
    let times = (all.first(), all.last(), facts.started_at);
    if let (Some(_), Some((ended, _)), Some(started)) = times {
        let took = ended - started.as_millisecond() as f64 / 1e3;
        facts.duration = Duration::try_from_secs_f64(took).ok();
    }
    points.say(facts);
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::super::tests::Tree;
    use super::*;

    #[test]
    fn copies_of_an_environment_are_one_run_in_the_order_of_their_episodes() {
        let first = "#{\"t_start\": 1790000000.0, \"env_id\": \"Cart-v1\"}\nr,l,t\n15.0,15,2.0\n20.0,20,5.0\n9.0";
        let second = "#{\"t_start\": 1790000001.0, \"env_id\": \"Cart-v1\"}\nr,l,t\n30.0,30,2.0\n";
        let tree = Tree::new(&[
            ("a/0.monitor.csv", first),
            ("a/1.monitor.csv", second),
            ("b/0.monitor.csv", first),
            (
                "b/progress.csv",
                "time/total_timesteps,rollout/ep_rew_mean\n256,20\n",
            ),
            ("c/monitor.csv", "gpu,watt\n1,2\n"),
        ]);
        assert_eq!(tree.paths(), ["a", "b"]);
        let runs = tree.runs();
        assert_eq!(runs[1].1.trainer(), "Stable-Baselines3");
        let mut source = runs[0].1.open_metrics();
        source.poll().unwrap();
        let reward = source.metrics().column("r").unwrap();
        assert_eq!(reward.x, [15.0, 45.0, 65.0]);
        assert_eq!(reward.y, [15.0, 30.0, 20.0]);
        let facts = source.facts().unwrap();
        assert_eq!(facts.experiment.as_deref(), Some("Cart-v1"));
        assert_eq!(facts.duration, Some(Duration::from_secs(5)));
    }
}
