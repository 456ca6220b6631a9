//! What a list shows of a run, in about a kilobyte.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::serde_as;

use super::best_and_trend::{self, Best as BestValue, Share, thin};
use super::config_file::Config;
use super::evaluation::Best;
use super::failure::{self, Failure};
use super::finding::Finding;
use super::float_bits::Bits;
use super::formats::{Facts, Located};
use super::found::Found;
use super::health::{Health, Known};
use super::layout::RunDir;
use super::metrics::{Metrics, Tail};
use super::notes::Notes;
use super::primary::Judged;
use super::queue_reasons::QueueReasons;
use super::record::{Data, Record, Resume};
use super::settings::Settings;
use super::slurm::Seen;
use super::state::{Evidence, Observed, State, observe};
use super::steps::Progress;
use super::summing::Summing;
use super::times::Times;
use super::trust::Commands;
use traintop_text::clean;

/// Longer names are cut: one of megabytes would make every row of a list as wide.
const MAX_NAME_LENGTH: usize = 255;

/// A name that anyone may have written, as lists show it.
fn shown(name: &str) -> String {
    let name = clean(name);
    match name.char_indices().nth(MAX_NAME_LENGTH) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.into_owned(),
    }
}

/// A run, as lists show it. All text is cleaned for a terminal.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub dir: RunDir,
    /// Identity: the record's id, or the path.
    pub id: String,
    /// What lists call it.
    pub name: String,
    /// Its name by itself, which other runs may have too: see [`super::run_names`].
    pub own_name: String,
    /// What tells it from runs of the same name, or from others that are named by a time: settings,
    /// as `max_lr=0.1 · seed=2`, and the folder where those are equal. Empty where its name does.
    #[serde(skip)]
    pub differs: String,
    /// The network.
    pub model: String,
    /// The experiment or recipe.
    pub recipe: String,
    /// Who wrote it: traintop, or another trainer or logger.
    pub trainer: String,
    /// Other loggers' metrics of the same run, which are not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The column that places its rows.
    pub x: String,
    /// Rows of its metrics.
    pub rows: usize,
    /// Steps trained, where its rows are placed by steps.
    pub steps_done: Option<u64>,
    /// Steps planned, where that is known.
    pub steps_planned: Option<u64>,
    /// What it is doing.
    pub observed: Observed,
    /// Epochs trained.
    pub epochs_done: u32,
    /// Epochs planned, where that is known.
    pub epochs_planned: Option<u32>,
    /// The best value of the metric that it is judged by.
    pub best: Option<BestValue>,
    /// The last value of each column.
    #[serde_as(as = "Vec<(_, Bits)>")]
    pub last: Vec<(String, f64)>,
    /// What each column of [`Summary::last`] has in the best row, NaN where nothing; empty if no
    /// row is the best.
    #[serde_as(as = "Vec<Bits>")]
    pub at_best: Vec<f64>,
    /// What it was configured with.
    pub settings: Settings,
    /// The course of [`Summary::trend_of`], thinned to at most [`best_and_trend::TREND`] points.
    #[serde_as(as = "Vec<Bits>")]
    pub trend: Vec<f32>,
    /// The column that the trend is of; empty if there is none.
    pub trend_of: String,
    /// When training began.
    pub started_at: Option<Timestamp>,
    /// When it ended, or its files were last written; `None` while it is at work.
    pub ended_at: Option<Timestamp>,
    /// How long it trained.
    pub duration: Option<Duration>,
    /// When its files last changed.
    pub modified_at: Timestamp,
    /// Bytes on the disk, once they were counted.
    pub size_bytes: Option<u64>,
    /// Lines of its metrics that could not be read.
    pub problems: usize,
    /// Cells of its metrics that were not understood, by column.
    pub unread: BTreeMap<String, usize>,
    /// What people added to it.
    pub notes: Notes,
    /// The length of its archive in bytes, if it is archived.
    pub archived: Option<u64>,
    /// When it was resumed, as its record says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumes: Vec<Resume>,
    /// What looks wrong in its numbers, once they were checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<Finding>>,
    /// What of it was rebuilt, in a sentence, if anything was.
    pub rebuilt: Option<String>,
    /// Where it is in its epoch, if it runs.
    pub progress: Option<Progress>,
    /// How it is doing, while it trains: a matter of this moment, and never kept.
    #[serde(skip)]
    pub health: Option<Box<Health>>,
    /// Why it ended, if it failed or is lost, or its time was over.
    pub cause: Option<Failure>,
    /// The sweep that it is a point of.
    pub sweep: Option<String>,
    /// The data that it trained on, where its worker says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// Its job, if it is one of Slurm's.
    pub job: Option<Seen>,
    /// Its position in the queue, if it waits: the lowest is the next.
    pub queue_position: Option<i64>,
    /// Its best evaluation, once they were listed: they are outside of the run.
    #[serde(skip)]
    pub evaluated: Option<Best>,
}

/// The steps of a run that trains; none where there are none, or they cannot be read.
fn steps_of(dir: &RunDir) -> Metrics {
    let mut steps = Tail::open(dir.steps_csv());
    let _ = steps.poll();
    steps.take()
}

/// What a run's trainer says, if it is not already `read`, and what the names of its files do.
fn facts_of(found: &Found, read: Option<Facts>) -> Facts {
    let facts = read.unwrap_or_else(|| found.facts());
    let begun = || found.located.as_ref().and_then(Located::begun);
    Facts {
        started_at: facts.started_at.or_else(begun),
        ..facts
    }
}

/// Epochs in the metrics, else in the record.
fn epochs_done(metrics: &Metrics, facts: &Facts, record: Option<&Record>) -> u32 {
    match best_and_trend::epochs_in(metrics, facts.counts_from_zero) {
        0 => record.map_or(0, |record| record.epochs_done),
        epochs => epochs,
    }
}

fn last_values(metrics: &Metrics) -> Vec<(String, f64)> {
    let columns = metrics.columns.iter();
    columns
        .filter_map(|column| Some((column.name.clone(), column.last()?.1)))
        .collect()
}

impl Summary {
    /// What lists, legends and questions call it: its name, and what tells it from others of that
    /// name.
    pub fn title(&self) -> Cow<'_, str> {
        if self.differs.is_empty() {
            Cow::Borrowed(&self.name)
        } else {
            Cow::Owned(format!("{} · {}", self.name, self.differs))
        }
    }

    /// Reads what is needed of a run. This never fails: what cannot be read is absent, and the
    /// state's reason says so.
    pub fn load(found: &Found, now: SystemTime) -> Self {
        Summing::begin(found).summary(found, now)
    }

    /// The summary of a run whose metrics are already read, and its `facts` if these came with
    /// them.
    pub fn of(found: &Found, metrics: &Metrics, facts: Option<Facts>, now: SystemTime) -> Self {
        let dir = found.dir.clone();
        let facts = facts_of(found, facts);
        let is_ours = found.located.as_ref().is_none_or(Located::is_ours);
        let config = Config::from(facts.config.clone());
        let (record, damage) = record_of(found, is_ours);
        // Notes that cannot be read cost the run nothing else; a change of them reports it.
        let notes = Notes::load(&dir).unwrap_or_default().shown();
        let recorded_best = record.as_ref().and_then(|record| record.best);
        let judged = Judged::of(metrics);
        let planned = record.as_ref().map(|record| record.epochs_planned);
        let planned = planned
            .filter(|epochs| *epochs > 0)
            .or(facts.epochs_planned);
        let epochs_done = epochs_done(metrics, &facts, record.as_ref());
        let steps_done = best_and_trend::steps_in(metrics);
        let job = record
            .as_ref()
            .and_then(|record| Seen::of(&dir, record, now));
        let mut observed = observe(Evidence {
            record: record.as_ref(),
            alive: alive(record.as_ref(), job.as_ref()),
            silent_for: found.silent_for(now),
            epochs_done,
            epochs_planned: planned,
            steps: steps_done.zip(facts.steps_planned),
            stated: facts.state.as_ref(),
        });
        let queue_reason = queue_reason(&dir, record.as_ref(), job.as_ref());
        observed.reason = cleaned(damage.or(queue_reason).or(observed.reason));
        let modified_at = Timestamp::try_from(found.modified).unwrap_or(Timestamp::UNIX_EPOCH);
        let active = observed.state.is_active();
        let times = Times::of(record.as_ref(), &facts, metrics, modified_at, active);
        let steps = (active && is_ours).then(|| steps_of(&dir));
        let health = steps.as_ref().map(|steps| {
            let known = Known::of(record.as_ref(), metrics, steps, (epochs_done, planned));
            Box::new(Health::read(&dir, known, now))
        });
        let trend = judged.trend.as_ref().map(|trend| judged.column(trend));
        let model = facts.model.unwrap_or_default();
        let recipe = facts.experiment.unwrap_or_else(|| model.clone());
        let named = record.as_ref().map(|record| record.name.clone());
        let named = notes.name.clone().or(named).or(facts.name);
        let name = named.unwrap_or_else(|| dir.name());
        let queued = record.as_ref().filter(|_| observed.state == State::Queued);
        let exit = record.as_ref().and_then(|record| record.exit.as_ref());
        let reason = observed.reason.as_deref();
        Self {
            cause: failure::read(&dir, observed.state, reason, exit),
            sweep: record
                .as_ref()
                .and_then(|record| Some(shown(record.sweep.as_ref()?))),
            data: record.as_ref().and_then(|record| record.data.clone()),
            job,
            queue_position: queued.and_then(|record| record.queue_position),
            id: record.as_ref().map_or_else(
                || dir.path().display().to_string(),
                |record| record.id.clone(),
            ),
            own_name: shown(&name),
            differs: String::new(),
            name: shown(&name),
            trainer: found.trainer().to_owned(),
            sources: found.other_sources(),
            x: metrics.x_name.clone(),
            rows: metrics.rows,
            steps_done,
            steps_planned: facts.steps_planned,
            model: shown(&model),
            recipe: shown(&recipe),
            observed,
            epochs_done,
            epochs_planned: planned,
            best: best_and_trend::best(&judged, recorded_best),
            last: last_values(metrics),
            at_best: best_and_trend::at_best(&judged),
            settings: Settings::of(&config),
            trend: trend.map(|column| thin(&column.y)).unwrap_or_default(),
            trend_of: trend.map(|column| column.name.clone()).unwrap_or_default(),
            started_at: times.started_at,
            ended_at: times.ended_at,
            duration: times.duration,
            modified_at,
            size_bytes: None,
            problems: metrics.problem_count,
            unread: metrics.unread.clone(),
            notes,
            progress: steps.as_ref().and_then(Progress::of),
            health,
            evaluated: None,
            archived: std::fs::metadata(dir.archive())
                .ok()
                .map(|archive| archive.len()),
            rebuilt: crate::rebuilt::description(&dir),
            resumes: record.map(|record| record.resumes).unwrap_or_default(),
            findings: None,
            dir,
        }
    }

    /// Steps done and planned, of a run whose metrics say nothing of epochs.
    pub fn steps(&self) -> Option<(u64, Option<u64>)> {
        let done = self.steps_done.filter(|_| self.epochs_done == 0)?;
        Some((done, self.steps_planned))
    }

    /// How far it is, in a few letters: `3/10` epochs, or `400/1000 st` where it counts steps.
    pub fn how_far(&self) -> String {
        match (self.steps(), self.epochs_planned) {
            (Some((done, Some(planned))), _) => format!("{done}/{planned} st"),
            (Some((done, None)), _) => format!("{done} st"),
            (None, Some(planned)) => format!("{}/{planned}", self.epochs_done),
            (None, None) => self.epochs_done.to_string(),
        }
    }

    /// The last value of a column.
    pub fn last(&self, column: &str) -> Option<f64> {
        self.last
            .iter()
            .find(|(name, _)| name == column)
            .map(|(_, value)| *value)
    }

    /// The best accuracy in percent, if it is judged by one.
    pub fn best_val_acc(&self) -> Option<f64> {
        self.best.as_ref()?.accuracy()
    }

    /// The epoch of the best value.
    pub fn best_epoch(&self) -> Option<u32> {
        self.best.as_ref()?.epoch
    }

    /// Whether its accuracies are written as parts of one.
    pub fn has_parts_of_one(&self) -> bool {
        let best = self.best.as_ref();
        best.is_some_and(|best| best.share == Some(Share::Part))
    }

    /// What a column has in the best row: that of the best value of what it is judged by, or else
    /// that of the lowest training loss.
    pub fn at_best(&self, column: &str) -> Option<f64> {
        let at = self.last.iter().position(|(name, _)| name == column)?;
        self.at_best
            .get(at)
            .copied()
            .filter(|value| !value.is_nan())
    }

    /// When its best row was written, as far as that is known: by the time that it counts from its
    /// start.
    pub fn best_at(&self) -> Option<Timestamp> {
        let (last, best) = (self.last("time_elapsed")?, self.at_best("time_elapsed")?);
        let before_end = Duration::try_from_secs_f64(last - best).ok()?;
        let end = self.ended_at.unwrap_or(self.modified_at);
        end.checked_sub(before_end).ok()
    }
}

/// A run's record, or why it cannot be read. Another trainer's file may have its name.
fn record_of(found: &Found, is_ours: bool) -> (Option<Record>, Option<String>) {
    match Record::load(&found.dir) {
        _ if !is_ours => (None, None),
        Ok(record) => (record, None),
        Err(error) => (None, Some(error.to_string())),
    }
}

/// Why a run waits, as far as somebody says so.
fn queue_reason(dir: &RunDir, record: Option<&Record>, job: Option<&Seen>) -> Option<String> {
    let of_job = job.and_then(|job| job.waits.clone());
    of_job.or_else(|| QueueReasons::of(dir, record?, &Commands::of_user()))
}

/// Whether the process of a run lives; `None` if that is unknown from here. For a job the scheduler
/// reports it on every machine.
fn alive(record: Option<&Record>, job: Option<&Seen>) -> Option<bool> {
    let process = record.and_then(|record| record.process.as_ref());
    let here = process.and_then(|process| process.is_here().then(|| process.is_alive()));
    match job {
        Some(_) if here == Some(true) => here,
        Some(job) => job.is_at_work.then_some(true),
        None => here,
    }
}

pub(super) fn cleaned(text: Option<String>) -> Option<String> {
    text.map(|text| clean(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;
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
            (summary.best_val_acc(), summary.best_epoch()),
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
        assert_eq!(
            (summary.best_val_acc(), summary.epochs_done),
            (Some(75.0), 2)
        );
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
        // The third part begins before the second ends, as a resumed run does; the last replaces
        // the file.
        let rows = |epochs: std::ops::RangeInclusive<u32>| epochs.map(row).collect::<String>();
        // The last of them is large enough to come in several parts.
        let parts = [
            rows(1..=1),
            rows(2..=40),
            rows(31..=60),
            rows(61..=61),
            rows(62..=9000),
        ];
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
                Summary::of(&found, tail.metrics(), None, now)
            );
        }
    }

    #[test]
    fn folder_with_nothing_readable_is_still_a_row() {
        let summary = summary(&[("run.json", "{"), ("logs/metrics.csv", "epoch,loss\n1,x\n")]);
        let reason = summary.observed.reason.as_ref();
        assert!(reason.unwrap().contains("is damaged"));
        assert_eq!(
            (
                summary.best_val_acc(),
                summary.problems,
                summary.trend.len()
            ),
            (None, 0, 0)
        );
    }

    #[test]
    fn best_epoch_is_an_epoch_where_rows_are_placed_by_step() {
        let rows =
            "epoch,step,train_acc,val_acc\n0,99,50,\n0,99,,61\n1,199,60,\n1,199,,72\n2,299,,70\n";
        let summary = summary(&[("metrics.csv", rows)]);
        assert_eq!(
            (summary.best_val_acc(), summary.best_epoch()),
            (Some(72.0), Some(1))
        );
        assert_eq!(summary.epochs_done, 3);
    }

    #[test]
    fn low_percentages_are_not_taken_for_fractions() {
        let summary = summary(&[("metrics.csv", "epoch,train_acc,val_acc\n1,1.1,0.9\n")]);
        assert_eq!(summary.best_val_acc(), Some(0.9));
    }

    #[test]
    fn names_of_megabytes_are_cut() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        let process = crate::process::Process::current();
        let name = "ö".repeat(1 << 18);
        let mut record = Record::new(
            &dir,
            name.clone(),
            process,
            Vec::new(),
            Timestamp::UNIX_EPOCH,
        );
        record.sweep = Some(name.clone());
        record.save(&dir).unwrap();
        let config = serde_json::json!({ "model_name": name });
        std::fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
        let summary = Summary::load(&Found::look(dir), SystemTime::now());
        let sweep = summary.sweep.unwrap();
        for shown in [summary.name, summary.model, summary.recipe, sweep] {
            assert!((200..257).contains(&shown.chars().count()), "{shown:.20}");
        }
    }

    #[test]
    fn record_tells_what_metrics_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        let now = Timestamp::UNIX_EPOCH;
        let process = crate::process::Process::current();
        let record = Record {
            state: State::Stopped,
            epochs_done: 7,
            epochs_planned: 9,
            best: Some(crate::record::Best {
                epoch: 6,
                val_acc: 0.75,
            }),
            ..Record::new(&dir, "named".to_owned(), process, Vec::new(), now)
        };
        record.save(&dir).unwrap();
        let summary = Summary::load(&Found::look(dir), SystemTime::now());
        assert_eq!((summary.epochs_done, summary.epochs_planned), (7, Some(9)));
        assert_eq!(
            (summary.best_val_acc(), summary.best_epoch()),
            (Some(0.75), Some(6))
        );
        assert_eq!(
            (summary.name.as_str(), summary.observed.state),
            ("named", State::Stopped)
        );
    }
}
