//! The fields of a query, and how they are read from a summary.

use std::borrow::Cow;

use super::names::Names;
use super::subject::Subject;
use traintop_run::best_and_trend::Best;
use traintop_run::metric_names;
use traintop_run::settings::Key;
use traintop_run::summary::Summary;

/// What kind of value a field has, which says how it is written in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    /// A span of time, in seconds.
    Span,
    /// A size, in bytes.
    Bytes,
    /// A moment, in seconds since 1970.
    Moment,
    /// One of the words of [`FLAGS`].
    Flag,
    /// A key of the configuration: a number where it reads as one, else text.
    Either,
}

/// A fact about every run.
#[derive(Debug, Clone, Copy)]
pub struct Fact {
    /// Its name in a query.
    pub name: &'static str,
    pub kind: Kind,
    /// What it is, for people who choose.
    pub what: &'static str,
    of: Reader,
}

#[derive(Debug, Clone, Copy)]
enum Reader {
    Texts(for<'a> fn(&'a Summary) -> Vec<Cow<'a, str>>),
    Number(fn(&Subject, &Summary) -> Option<f64>),
}

/// The words after `is:`.
pub const FLAGS: [&str; 8] = [
    "starred",
    "baseline",
    "tagged",
    "noted",
    "archived",
    "evaluated",
    "active",
    "odd",
];

/// Short names, and the full names of each; the first that exists counts.
pub const SHORT: &[(&str, &[&str])] = &[
    ("lr", &["learning_rate"]),
    ("wd", &["weight_decay"]),
    ("bs", &["batch_size"]),
    ("acc", &["val_acc", "val_accuracy"]),
    ("loss", &["val_loss"]),
];

fn one(text: &str) -> Vec<Cow<'_, str>> {
    vec![Cow::Borrowed(text)]
}

fn flags(summary: &Summary) -> Vec<Cow<'_, str>> {
    let notes = &summary.notes;
    let holds = [
        notes.star,
        notes.baseline,
        !notes.tags.is_empty(),
        !notes.note.is_empty(),
        summary.archived.is_some(),
        summary.evaluated.is_some(),
        summary.observed.state.is_active(),
        summary
            .findings
            .as_ref()
            .is_some_and(|findings| !findings.is_empty()),
    ];
    let flags = FLAGS.iter().zip(holds).filter(|(_, holds)| *holds);
    flags.map(|(flag, _)| Cow::Borrowed(*flag)).collect()
}

macro_rules! facts {
    ($($name:literal $kind:ident $what:literal $reader:ident($read:expr);)+) => {
        /// The fields that every run has.
        pub const FACTS: &[Fact] = &[$(Fact {
            name: $name,
            kind: Kind::$kind,
            what: $what,
            of: Reader::$reader($read),
        }),+];
    };
}

facts! {
    "state"      Text   "queued, running, paused, finished, stopped, failed, lost" Texts(|run| one(run.observed.state.name()));
    "name"       Text   "what lists call it"                Texts(|run| one(&run.name));
    "folder"     Text   "its folder"                        Texts(|run| vec![run.dir.path().to_string_lossy()]);
    "model"      Text   "its network"                       Texts(|run| one(&run.model));
    "recipe"     Text   "its experiment or recipe"          Texts(|run| one(&run.recipe));
    "sweep"      Text   "the sweep that it is a point of"   Texts(|run| run.sweep.iter().map(|sweep| sweep.as_str().into()).collect());
    "tag"        Text   "one of its tags"                   Texts(|run| run.notes.tags.iter().map(|tag| tag.as_str().into()).collect());
    "note"       Text   "its note"                          Texts(|run| if run.notes.note.is_empty() { Vec::new() } else { one(&run.notes.note) });
    "reason"     Text   "why it is in its state"            Texts(|run| run.observed.reason.iter().map(|reason| reason.as_str().into()).collect());
    "odd"        Text   "what looks wrong in its numbers"   Texts(|run| run.findings.iter().flatten().map(|finding| finding.text.as_str().into()).collect());
    "cause"      Text   "why it failed, in a few words"     Texts(|run| run.cause.iter().map(|cause| cause.what.as_str().into()).collect());
    "is"         Flag   "starred, baseline, tagged, noted, archived, evaluated, active, odd" Texts(flags);
    "best"       Number "best value of what it is judged by; shares in percent" Number(|_, run| run.best.as_ref().map(Best::shown));
    "best_epoch" Number "its epoch"                         Number(|_, run| run.best_epoch().map(f64::from));
    "test"       Number "accuracy on test images, percent"  Number(|_, run| run.evaluated.as_ref().filter(|best| best.is_test()).map(|best| best.accuracy));
    "evaluation" Number "accuracy of its best evaluation"   Number(|_, run| run.evaluated.as_ref().map(|best| best.accuracy));
    "epochs"     Number "epochs trained"                    Number(|_, run| Some(run.epochs_done.into()));
    "planned"    Number "epochs planned"                    Number(|_, run| run.epochs_planned.map(f64::from));
    "age"        Span   "since it began"                    Number(|subject, run| Some((subject.now - begun(run)).total(jiff::Unit::Second).unwrap_or(0.0)));
    "started"    Moment "when it began"                     Number(|_, run| Some(seconds(begun(run))));
    "ended"      Moment "when it ended"                     Number(|_, run| run.ended_at.map(seconds));
    "took"       Span   "how long it trained"               Number(|_, run| run.duration.map(|took| took.as_secs_f64()));
    "size"       Bytes  "on the disk"                       Number(|_, run| run.size_bytes.map(|size| size as f64));
}

fn begun(run: &Summary) -> jiff::Timestamp {
    run.started_at.unwrap_or(run.modified_at)
}

fn seconds(time: jiff::Timestamp) -> f64 {
    time.as_duration().as_secs_f64()
}

/// Which value of a column is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricAt {
    Last,
    /// That of the best row.
    Best,
    /// That of an epoch.
    At(u32),
}

/// A field of a run.
#[derive(Debug, Clone)]
pub enum Field {
    Fact(&'static Fact),
    Metric(MetricAt, String),
    /// A key of the configuration; where a run does not have it, the last value of a column.
    Setting(Key, Option<String>),
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Field {
    /// The field of a name among these runs; `None` if there is none. Without runs any name is
    /// accepted.
    pub fn named(name: &str, names: &Names) -> Option<Self> {
        if let Some(fact) = FACTS.iter().find(|fact| fact.name == name) {
            return Some(Self::Fact(fact));
        }
        let unknown = names.runs == 0;
        if let Some((when, column)) = prefixed(name) {
            let column = SHORT
                .iter()
                .find(|(short, _)| *short == column && !names.is_metric(column))
                .and_then(|(_, long)| long.iter().find(|long| names.is_metric(long)))
                .map_or(column, |long| *long);
            let known = unknown || names.is_metric(column);
            return known.then(|| Self::Metric(when, column.to_owned()));
        }
        if let Some(key) = name.strip_prefix("config.") {
            let known = unknown || names.is_setting(key);
            return known.then(|| Self::Setting(Key::new(key), None));
        }
        if names.is_setting(name) || unknown {
            let column = (unknown || names.is_metric(name)).then(|| name.to_owned());
            return Some(Self::Setting(Key::new(name), column));
        }
        if names.is_metric(name) {
            return Some(Self::Metric(MetricAt::Last, name.to_owned()));
        }
        let (_, long) = SHORT.iter().find(|(short, _)| *short == name)?;
        long.iter().find_map(|long| Self::named(long, names))
    }

    /// Its name.
    pub fn name(&self) -> String {
        match self {
            Self::Fact(fact) => fact.name.to_owned(),
            Self::Metric(MetricAt::Last, column) => format!("last.{column}"),
            Self::Metric(MetricAt::Best, column) => format!("best.{column}"),
            Self::Metric(MetricAt::At(epoch), column) => format!("at{epoch}.{column}"),
            Self::Setting(key, Some(_)) => key.name().to_owned(),
            Self::Setting(key, None) => format!("config.{}", key.name()),
        }
    }

    /// What kind of value it has.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Fact(fact) => fact.kind,
            Self::Metric(..) => Kind::Number,
            Self::Setting(..) => Kind::Either,
        }
    }

    /// The epoch at which it must be read from the metrics.
    pub fn epoch(&self) -> Option<u32> {
        match self {
            Self::Metric(MetricAt::At(epoch), _) => Some(*epoch),
            _ => None,
        }
    }

    /// Its value as a number; accuracies are always percent. `None` if the run has none.
    pub fn number(&self, subject: &Subject) -> Option<f64> {
        let summary = subject.summary?;
        match self {
            Self::Fact(fact) => match fact.of {
                Reader::Number(read) => read(subject, summary),
                Reader::Texts(_) => None,
            },
            Self::Metric(when, column) => metric(subject, summary, *when, column),
            Self::Setting(key, column) => match (summary.settings.get(key), column) {
                (Some(value), _) => value.parse().ok(),
                (None, Some(column)) => metric(subject, summary, MetricAt::Last, column),
                (None, None) => None,
            },
        }
    }

    /// Its texts; of a number that of a key of the configuration, as it is written there.
    pub fn texts<'a>(&self, subject: &Subject<'a>) -> Vec<Cow<'a, str>> {
        let Some(summary) = subject.summary else {
            return Vec::new();
        };
        match self {
            Self::Fact(fact) => match fact.of {
                Reader::Texts(read) => read(summary),
                Reader::Number(_) => Vec::new(),
            },
            Self::Setting(key, _) => summary
                .settings
                .get(key)
                .into_iter()
                .map(Cow::from)
                .collect(),
            Self::Metric(..) => Vec::new(),
        }
    }

    /// Whether the run has a value.
    pub fn is_present(&self, subject: &Subject) -> bool {
        self.number(subject).is_some() || !self.texts(subject).is_empty()
    }
}

fn metric(subject: &Subject, summary: &Summary, when: MetricAt, column: &str) -> Option<f64> {
    let value = match when {
        MetricAt::Last => summary.last(column),
        MetricAt::Best => summary.at_best(column),
        MetricAt::At(epoch) => subject.samples.at(&summary.dir, epoch, column),
    }?;
    let is_part = summary.has_parts_of_one() && metric_names::read(column).is_share;
    Some(if is_part { 100.0 * value } else { value })
}

/// A column's name after `last.`, `best.` or `at50.`.
pub fn prefixed(name: &str) -> Option<(MetricAt, &str)> {
    let (prefix, column) = name
        .split_once('.')
        .filter(|(_, column)| !column.is_empty())?;
    let when = match prefix {
        "last" => MetricAt::Last,
        "best" => MetricAt::Best,
        _ => MetricAt::At(prefix.strip_prefix("at")?.parse().ok()?),
    };
    Some((when, column))
}
