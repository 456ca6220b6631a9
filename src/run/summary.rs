//! What a list shows of a run, in about a kilobyte.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::config_file::Config;
use super::discover::Found;
use super::layout::RunDir;
use super::metrics::{Change, Column, Metrics, Tail};
use super::record::Record;
use super::state::{Evidence, Observed, observe};
use super::steps::Progress;
use crate::text::clean;

/// Points of a trend.
pub const TREND: usize = 64;

/// Names under which trainers write the accuracy by which a run is judged, the preferred first. Validation comes before test, and
/// both before a name that does not say.
const VAL_ACC: [&str; 20] = [
    "val_acc",
    "val_accuracy",
    "valid_acc",
    "valid_accuracy",
    "validation_accuracy",
    "val/acc",
    "val/accuracy",
    "valid/accuracy",
    "validation/accuracy",
    "val_acc1",
    "val_top1",
    "eval_accuracy",
    "eval_acc",
    "eval/accuracy",
    "eval_top1",
    "metrics/accuracy_top1",
    "test_acc",
    "test_accuracy",
    "accuracy",
    "acc",
];
/// Names of a loss to show the trend of where there is no accuracy.
const LOSS: [&str; 10] = [
    "val_loss",
    "valid_loss",
    "validation_loss",
    "val/loss",
    "eval_loss",
    "eval/loss",
    "test_loss",
    "train_loss",
    "train/loss",
    "loss",
];

/// A run, as lists show it. All text is cleaned for a terminal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The run's folder.
    pub dir: RunDir,
    /// Identity: the record's id, or the path.
    pub id: String,
    /// What lists call it.
    pub name: String,
    /// The network.
    pub model: String,
    /// The experiment or recipe.
    pub recipe: String,
    /// What it is doing.
    pub observed: Observed,
    /// Epochs trained.
    pub epochs_done: u32,
    /// Epochs planned, where that is known.
    pub epochs_planned: Option<u32>,
    /// Best validation accuracy, percent.
    pub best_val_acc: Option<f64>,
    /// Its epoch.
    pub best_epoch: Option<u32>,
    /// The last value of each column.
    #[serde(with = "last_as_bits")]
    pub last: Vec<(String, f64)>,
    /// The course of [`Summary::trend_of`], thinned to at most [`TREND`] points.
    #[serde(with = "trend_as_bits")]
    pub trend: Vec<f32>,
    /// The column that the trend is of; empty if there is none.
    pub trend_of: String,
    /// When training began.
    pub started_at: Option<Timestamp>,
    /// How long it trained.
    pub duration: Option<Duration>,
    /// When its files last changed.
    pub modified_at: Timestamp,
    /// Bytes on the disk, once somebody has counted them.
    pub size_bytes: Option<u64>,
    /// Lines of its metrics that could not be read.
    pub problems: usize,
    /// Where it is in its epoch, if it runs.
    pub progress: Option<Progress>,
}

/// A run's metrics as far as its summary needs them, followed: of a run that trains each new row costs only itself, and of a
/// million rows little is kept.
#[derive(Debug)]
pub struct Summing {
    tail: Tail,
    needed: Metrics,
}

impl Summing {
    /// Nothing is read yet.
    pub fn begin(found: &Found) -> Self {
        Self {
            tail: Tail::open(found.dir.metrics_csv()),
            needed: Metrics::default(),
        }
    }

    /// Reads what is new and sums up. This never fails, as [`Summary::load`] does not.
    pub fn summary(&mut self, found: &Found, now: SystemTime) -> Summary {
        // No metrics yet is how every run begins.
        let change = self.tail.poll();
        let idle = now.duration_since(found.modified).unwrap_or_default() > super::state::SILENCE;
        if idle {
            let _ = self.tail.settle();
        }
        if matches!(change, Ok(Change::Reread)) {
            self.needed = Metrics::default();
        }
        self.needed.absorb(self.tail.take());
        let has_accuracy = VAL_ACC
            .iter()
            .any(|name| self.needed.column(name).is_some());
        let names: &[&str] = if has_accuracy { &VAL_ACC } else { &LOSS };
        // Where rows are placed by step, the best one's epoch is to be found.
        let x_name = self.needed.x_name.clone();
        let needed = |name: &str| names.contains(&name) || (is_epoch(name) && name != x_name);
        self.needed.keep_ends(needed);
        Summary::of(found, &self.needed, now)
    }
}

impl Summary {
    /// Reads what is needed of a run. This never fails: what cannot be read is absent, and said in the state's reason.
    pub fn load(found: &Found, now: SystemTime) -> Self {
        Summing::begin(found).summary(found, now)
    }

    /// The summary of a run whose metrics are already read.
    pub fn of(found: &Found, metrics: &Metrics, now: SystemTime) -> Self {
        let dir = found.dir.clone();
        let config = Config::load(&dir);
        let (record, damage) = match Record::load(&dir) {
            Ok(record) => (record, None),
            Err(error) => (None, Some(error.to_string())),
        };
        let accuracy = VAL_ACC.iter().find_map(|name| metrics.column(name));
        let recorded_best = record.as_ref().and_then(|record| record.best);
        let best = accuracy.and_then(best_of);
        // Who writes a best into the record writes percent.
        let unit = match best {
            Some((_, best)) if recorded_best.is_none() && are_fractions(metrics, best) => 100.0,
            _ => 1.0,
        };
        let planned = record
            .as_ref()
            .map(|record| record.epochs_planned)
            .filter(|planned| *planned > 0);
        let planned = planned.or_else(|| config.count("num_epochs"));
        let epochs_done = match (epochs_in(metrics), &record) {
            (0, Some(record)) => record.epochs_done,
            (epochs, _) => epochs,
        };
        let evidence = Evidence {
            record: record.as_ref(),
            alive: record.as_ref().and_then(|record| {
                let process = record.process.as_ref()?;
                process.is_here().then(|| process.is_alive())
            }),
            silent_for: now.duration_since(found.modified).unwrap_or_default(),
            epochs_done,
            epochs_planned: planned,
        };
        let mut observed = observe(evidence);
        if let Some(damage) = damage {
            observed.reason = Some(damage);
        }
        let modified_at = Timestamp::try_from(found.modified).unwrap_or(Timestamp::UNIX_EPOCH);
        let elapsed = metrics
            .column("time_elapsed")
            .and_then(Column::last)
            .map(|(_, seconds)| seconds);
        let duration = elapsed.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let recorded = record.as_ref().and_then(|record| {
            let end = record.ended_at.or(record.heartbeat_at)?;
            Duration::try_from(end - record.started_at?).ok()
        });
        let duration = duration.or(recorded);
        let begun = duration.and_then(|duration| modified_at.checked_sub(duration).ok());
        let started_at = record
            .as_ref()
            .map(|record| record.started_at.unwrap_or(record.created_at))
            .or(begun);
        let active = observed.state.is_active();
        let progress = active.then(|| {
            let mut steps = Tail::open(dir.steps_csv());
            steps
                .poll()
                .ok()
                .and_then(|_| Progress::of(steps.metrics()))
        });
        let trend_column = accuracy.or_else(|| LOSS.iter().find_map(|name| metrics.column(name)));
        let model = config.text("model_name").unwrap_or_default();
        let recipe = config
            .text("experiment_name")
            .unwrap_or_else(|| model.clone());
        Self {
            id: record.as_ref().map_or_else(
                || dir.path().display().to_string(),
                |record| record.id.clone(),
            ),
            name: record.as_ref().map_or_else(
                || clean(&dir.name()).into_owned(),
                |record| clean(&record.name).into_owned(),
            ),
            model,
            recipe,
            observed,
            epochs_done,
            epochs_planned: planned,
            best_val_acc: best
                .map(|(_, value)| value * unit)
                .or(recorded_best.map(|best| best.val_acc)),
            best_epoch: match best {
                Some((x, _)) => epoch_at(metrics, x),
                None => recorded_best.map(|best| best.epoch),
            },
            last: metrics
                .columns
                .iter()
                .filter_map(|column| Some((column.name.clone(), column.last()?.1)))
                .collect(),
            trend: trend_column
                .map(|column| thin(&column.y))
                .unwrap_or_default(),
            trend_of: trend_column
                .map(|column| column.name.clone())
                .unwrap_or_default(),
            started_at,
            duration,
            modified_at,
            size_bytes: None,
            problems: metrics.problem_count,
            progress: progress.flatten(),
            dir,
        }
    }

    /// The last value of a column.
    pub fn last(&self, column: &str) -> Option<f64> {
        self.last
            .iter()
            .find(|(name, _)| name == column)
            .map(|(_, value)| *value)
    }
}

/// The highest value and its x, the first of equals.
fn best_of(column: &Column) -> Option<(f64, f64)> {
    let points = column
        .x
        .iter()
        .copied()
        .zip(column.y.iter().copied())
        .filter(|(_, value)| value.is_finite());
    points.reduce(|best, point| if point.1 > best.1 { point } else { best })
}

/// Whether accuracies are written as parts of one: neither the best, nor the last of training, passes 1.
fn are_fractions(metrics: &Metrics, best: f64) -> bool {
    let mut accuracies = metrics
        .columns
        .iter()
        .filter(|column| column.name.to_ascii_lowercase().contains("acc"));
    let passes = |column: &Column| column.last().is_some_and(|(_, last)| last > 1.0);
    best <= 1.0 && !accuracies.any(passes)
}

fn is_epoch(name: &str) -> bool {
    name.eq_ignore_ascii_case("epoch")
}

fn epochs(metrics: &Metrics) -> Option<&Column> {
    metrics.columns.iter().find(|column| is_epoch(&column.name))
}

/// The epoch of the row at `x`, which may be a step.
fn epoch_at(metrics: &Metrics, x: f64) -> Option<u32> {
    match epochs(metrics) {
        Some(epochs) if epochs.name == metrics.x_name => Some(x as u32),
        Some(epochs) => {
            let after = epochs.x.partition_point(|at| *at <= x);
            Some(epochs.y[after.checked_sub(1)?] as u32)
        }
        // Without epochs and steps, rows are the best guess at epochs.
        None if metrics.x_name == "row" => Some(x as u32),
        None => None,
    }
}

/// How many epochs the metrics speak of.
fn epochs_in(metrics: &Metrics) -> u32 {
    let Some((epochs, (_, last))) =
        epochs(metrics).and_then(|epochs| Some((epochs, epochs.last()?)))
    else {
        return 0;
    };
    // Some trainers count from 0.
    let counts_from_zero = epochs.y.first() == Some(&0.0);
    last as u32 + u32::from(counts_from_zero)
}

/// At most [`TREND`] means over equal parts; NaN where a part holds nothing finite. The highest and the lowest value stand for
/// their parts, so that a peak does not drown among its neighbours.
fn thin(values: &[f64]) -> Vec<f32> {
    let parts = values.len().min(TREND);
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (lowest, highest) = (finite().reduce(f64::min), finite().reduce(f64::max));
    (0..parts)
        .map(|part| {
            let (start, end) = (
                part * values.len() / parts,
                (part + 1) * values.len() / parts,
            );
            let (mut sum, mut count, mut extreme) = (0.0, 0.0, None);
            for value in values[start..end].iter().filter(|value| value.is_finite()) {
                if Some(*value) == highest || (Some(*value) == lowest && extreme.is_none()) {
                    extreme = Some(*value);
                }
                sum += value;
                count += 1.0;
            }
            // Without a count this is NaN, as it should be.
            extreme.unwrap_or(sum / count) as f32
        })
        .collect()
}

/// JSON has no NaN and no infinity, which metrics have: the cache keeps the bits.
mod last_as_bits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(
        last: &[(String, f64)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        last.iter()
            .map(|(name, value)| (name, value.to_bits()))
            .collect::<Vec<_>>()
            .serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, f64)>, D::Error> {
        let bits = Vec::<(String, u64)>::deserialize(deserializer)?;
        Ok(bits
            .into_iter()
            .map(|(name, bits)| (name, f64::from_bits(bits)))
            .collect())
    }
}

/// As `last_as_bits`.
mod trend_as_bits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(trend: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
        trend
            .iter()
            .map(|value| value.to_bits())
            .collect::<Vec<_>>()
            .serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
        Ok(Vec::<u32>::deserialize(deserializer)?
            .into_iter()
            .map(f32::from_bits)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::state::State;
    use std::fs;

    fn summary(files: &[(&str, &str)]) -> Summary {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let later = SystemTime::now() + Duration::from_secs(600);
        Summary::load(&Found::look(RunDir::new(folder.path())), later)
    }

    #[test]
    fn reference_run_is_summed_up_from_its_logs() {
        let metrics = "epoch,train_loss,val_acc,time_elapsed\r\n1,2.2,29.3,20.5\r\n2,2.1,34.7,36.5\r\n3,2.0,31.0,52.5";
        let config =
            r#"{"model_name": "resnet_small", "num_epochs": 3, "experiment_name": "cifar10"}"#;
        let summary = summary(&[("logs/metrics.csv", metrics), ("logs/config.json", config)]);
        assert_eq!(
            (summary.model.as_str(), summary.recipe.as_str()),
            ("resnet_small", "cifar10")
        );
        assert_eq!(
            (summary.best_val_acc, summary.best_epoch),
            (Some(34.7), Some(2))
        );
        assert_eq!((summary.epochs_done, summary.epochs_planned), (3, Some(3)));
        assert_eq!(summary.observed.state, State::Finished);
        assert!(summary.observed.deduced);
        assert_eq!(summary.duration, Some(Duration::from_millis(52_500)));
        assert_eq!(summary.last("val_acc"), Some(31.0));
        assert_eq!(summary.trend, [29.3, 34.7, 31.0]);
    }

    #[test]
    fn fractions_are_shown_as_percent_and_epochs_from_zero_are_counted() {
        let summary = summary(&[("metrics.csv", "epoch,step,accuracy\n0,10,0.5\n1,20,0.75\n")]);
        assert_eq!((summary.best_val_acc, summary.epochs_done), (Some(75.0), 2));
    }

    #[test]
    fn growing_run_is_summed_up_as_if_read_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        let path = folder.path().join("metrics.csv");
        let header = "step,epoch,train_loss,val_acc,lr\n";
        let row = |epoch: u32| {
            let (step, loss, acc) = (epoch * 10, 9 - epoch % 7, epoch * 37 % 91);
            format!("{step},{epoch},{loss},{acc},0.1\n")
        };
        fs::write(&path, header).unwrap();
        let mut summing = Summing::begin(&Found::look(dir.clone()));
        // The third part begins before the second ends, as a resumed run does; the last replaces the file.
        let rows = |epochs: std::ops::RangeInclusive<u32>| epochs.map(row).collect::<String>();
        let parts = [rows(1..=1), rows(2..=40), rows(31..=60), rows(61..=61)];
        let mut text = header.to_owned();
        for part in parts.into_iter().chain(["again".to_owned()]) {
            if part == "again" {
                text = "epoch,val_acc\n1,5\n2,9\n3,6\n".to_owned();
            } else {
                text.push_str(&part);
            }
            fs::write(&path, &text).unwrap();
            let found = Found::look(dir.clone());
            let now = found.modified;
            let mut tail = Tail::open(&path);
            tail.poll().unwrap();
            assert_eq!(
                summing.summary(&found, now),
                Summary::of(&found, tail.metrics(), now)
            );
        }
    }

    #[test]
    fn folder_with_nothing_readable_is_still_a_row() {
        let summary = summary(&[("run.json", "{"), ("logs/metrics.csv", "epoch,loss\n1,x\n")]);
        assert!(summary.observed.reason.unwrap().contains("is damaged"));
        assert_eq!(
            (summary.best_val_acc, summary.problems, summary.trend.len()),
            (None, 0, 0)
        );
    }

    #[test]
    fn best_epoch_is_an_epoch_where_rows_are_placed_by_step() {
        let rows =
            "epoch,step,train_acc,val_acc\n0,99,50,\n0,99,,61\n1,199,60,\n1,199,,72\n2,299,,70\n";
        let summary = summary(&[("metrics.csv", rows)]);
        assert_eq!(
            (summary.best_val_acc, summary.best_epoch),
            (Some(72.0), Some(1))
        );
        assert_eq!(summary.epochs_done, 3);
    }

    #[test]
    fn low_percentages_are_not_taken_for_fractions() {
        let summary = summary(&[("metrics.csv", "epoch,train_acc,val_acc\n1,1.1,0.9\n")]);
        assert_eq!(summary.best_val_acc, Some(0.9));
    }

    #[test]
    fn record_tells_what_metrics_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        let now = Timestamp::UNIX_EPOCH;
        let process = crate::run::process::Process::current();
        let record = Record {
            state: State::Stopped,
            epochs_done: 7,
            epochs_planned: 9,
            best: Some(crate::run::record::Best {
                epoch: 6,
                val_acc: 0.75,
            }),
            ..Record::new(&dir, "named".to_owned(), process, Vec::new(), now)
        };
        record.save(&dir).unwrap();
        let summary = Summary::load(&Found::look(dir), SystemTime::now());
        assert_eq!((summary.epochs_done, summary.epochs_planned), (7, Some(9)));
        assert_eq!(
            (summary.best_val_acc, summary.best_epoch),
            (Some(0.75), Some(6))
        );
        assert_eq!(
            (summary.name.as_str(), summary.observed.state),
            ("named", State::Stopped)
        );
    }

    #[test]
    fn long_trends_are_thinned_to_their_means_and_keep_their_ends() {
        let values: Vec<f64> = (0..640).map(|at| f64::from((at + 320) % 640)).collect();
        let thinned = thin(&values);
        assert_eq!((thinned.len(), thinned[0], thinned[63]), (64, 324.5, 314.5));
        assert_eq!((thinned[31], thinned[32]), (639.0, 0.0));
        let gaps: Vec<f64> = (0..128)
            .map(|at| if at < 64 { f64::NAN } else { 1.0 })
            .collect();
        assert!(thin(&gaps)[31].is_nan() && thin(&gaps)[32] == 1.0);
        assert!(thin(&[]).is_empty() && thin(&[f64::INFINITY])[0].is_nan());
    }
}
