//! How runs are judged: what the user says in `[metrics]` of the settings, what a project file
//! beside the runs says, and what the trainer itself wrote. Everything else is guessed from names.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::metric_names::{Direction, are_same};
use traintop_disk::read;
use traintop_text::toml::Source;
use traintop_text::{clean, nearest};

/// The project file, in the folder of the runs or one above it.
pub const PROJECT_FILE: &str = "traintop.toml";

/// The keys of `[metrics]`.
pub const KEYS: [&str; 3] = ["primary", "lower", "higher"];

/// The limit in bytes for a project file: anyone may have written it.
const PROJECT_LIMIT: u64 = 64 << 10;
/// Limit of names in a list: each is compared with each column of each run.
const MAX_NAMES: usize = 100;

/// A project file is read again after this time.
const PROJECT_LASTS: Duration = Duration::from_secs(1);

/// What one source says of metrics. Names count as any trainer may spell them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct MetricSettings {
    /// The metric that runs are judged by; runs that do not have it are judged as if nothing were
    /// set.
    pub primary: Option<String>,
    /// Metrics of which less is better.
    pub lower: Vec<String>,
    /// Metrics of which more is better.
    pub higher: Vec<String>,
}

/// Which metric a trainer says that counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TrainerMetric {
    pub metric: String,
    /// Which way is better, where it says so.
    pub direction: Option<Direction>,
}

/// What is known of how a run is judged; the first that names a metric decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Judging {
    /// The command line, the user's settings for this root, those for all, the project file.
    pub settings: Vec<Arc<MetricSettings>>,
    /// What the trainer wrote.
    pub trainer: Option<Arc<TrainerMetric>>,
}

impl Judging {
    /// Which way is better, if somebody says so of this metric.
    pub fn direction(&self, name: &str) -> Option<Direction> {
        let names = |list: &[String]| list.iter().any(|other| are_same(other, name));
        let settings = self.settings.iter().find_map(|settings| {
            let lower = names(&settings.lower).then_some(Direction::Lower);
            lower.or_else(|| names(&settings.higher).then_some(Direction::Higher))
        });
        settings.or_else(|| {
            let trainer = self.trainer.as_ref()?;
            trainer
                .direction
                .filter(|_| are_same(&trainer.metric, name))
        })
    }

    /// A hash of the settings; 0 if there are none.
    pub fn digest(&self) -> u64 {
        if *self == Self::default() {
            return 0;
        }
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }

    /// The metrics that somebody says count, the first that a run has first.
    pub fn primaries(&self) -> impl Iterator<Item = &str> {
        let settings = self
            .settings
            .iter()
            .filter_map(|settings| settings.primary.as_deref());
        settings.chain(self.trainer.as_ref().map(|trainer| trainer.metric.as_str()))
    }
}

/// What a user says: for all runs, and for those below some roots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserSettings {
    /// On the command line of this program.
    pub now: MetricSettings,
    /// In the settings.
    pub always: MetricSettings,
    /// The primary metric below a root.
    pub below: Vec<(PathBuf, String)>,
}

// Summaries are made in many places, from the dashboard's pool to every command. What the user
// says is the same for all of them while the program runs, as the environment is.
static USER: RwLock<Option<Arc<UserSettings>>> = RwLock::new(None);
static PROJECTS: Mutex<Option<HashMap<PathBuf, Project>>> = Mutex::new(None);

/// The settings of a project file, and when it was read.
type Project = (Instant, Option<Arc<MetricSettings>>);

/// From now on the user says this.
pub fn set_user(user: UserSettings) {
    *USER.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(user));
}

/// What the user says now.
pub fn user() -> Arc<UserSettings> {
    let user = USER.read().unwrap_or_else(PoisonError::into_inner);
    user.clone().unwrap_or_default()
}

/// How the run in a folder is judged, without what its trainer wrote.
pub fn of(dir: &Path) -> Judging {
    let (user, project) = (user(), of_project(dir));
    let mut settings = Vec::new();
    let mut add = |new: MetricSettings| {
        if new != MetricSettings::default() {
            settings.push(Arc::new(new));
        }
    };
    add(user.now.clone());
    // The longest root that holds the run is the closest.
    let below = user.below.iter().filter(|(root, _)| dir.starts_with(root));
    if let Some((_, primary)) = below.max_by_key(|(root, _)| root.as_os_str().len()) {
        add(MetricSettings {
            primary: Some(primary.clone()),
            ..MetricSettings::default()
        });
    }
    add(user.always.clone());
    settings.extend(project);
    Judging {
        settings,
        trainer: None,
    }
}

/// What the closest project file says. Runs of one folder share one search of the folders above.
fn of_project(dir: &Path) -> Option<Arc<MetricSettings>> {
    let of_own = project_in(dir);
    of_own.or_else(|| {
        let parent = dir.parent()?;
        let mut projects = PROJECTS.lock().unwrap_or_else(PoisonError::into_inner);
        let projects = projects.get_or_insert_default();
        if let Some((read_at, settings)) = projects.get(parent)
            && read_at.elapsed() < PROJECT_LASTS
        {
            return settings.clone();
        }
        let settings = parent.ancestors().find_map(project_in);
        projects.insert(parent.to_owned(), (Instant::now(), settings.clone()));
        settings
    })
}

fn project_in(folder: &Path) -> Option<Arc<MetricSettings>> {
    let path = folder.join(PROJECT_FILE);
    let (settings, _) = read_project(&path)?;
    Some(Arc::new(settings))
}

/// What a project file says, with a sentence for each problem; `None` if there is none. It may say
/// which metrics count and nothing else: anyone may have written it.
pub fn read_project(path: &Path) -> Option<(MetricSettings, Vec<String>)> {
    let text = match read::text(path, PROJECT_LIMIT) {
        Ok(text) => text,
        // A database of runs is no folder.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return None;
        }
        Err(error) => {
            let problem = format!("{}: cannot be read ({error})", path.display());
            return Some((
                MetricSettings::default(),
                vec![clean(&problem).into_owned()],
            ));
        }
    };
    let name = path.display().to_string();
    let source = Source {
        name: &name,
        text: &text,
    };
    let (table, errors) = source.parse();
    let mut problems: Vec<(usize, String)> = errors
        .into_iter()
        .map(|error| (error.offset, error.sentence))
        .collect();
    let mut settings = MetricSettings::default();
    for (key, value) in table.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("metrics", DeValue::Table(metrics)) => {
                settings = MetricSettings::read(source, metrics, &[], &mut problems);
            }
            ("metrics", _) => problems.push((
                value.span().start,
                format!(
                    "metrics must be a table, got {}",
                    source.written(value.span())
                ),
            )),
            (other, _) => problems.push((
                key.span().start,
                format!("unknown key {other:?}; a project file has only [metrics]"),
            )),
        }
    }
    let sentence = |(offset, sentence): (usize, String)| {
        clean(&format!("{}: {sentence}", source.place(offset))).into_owned()
    };
    Some((settings, problems.into_iter().map(sentence).collect()))
}

/// The problems of the project files that hold for runs below some roots.
pub fn project_problems(roots: &[PathBuf]) -> Vec<String> {
    let mut problems = Vec::new();
    for root in roots {
        let root = root.canonicalize().unwrap_or_else(|_| root.clone());
        let mut folders = root.ancestors();
        let read = folders.find_map(|folder| read_project(&folder.join(PROJECT_FILE)));
        problems.extend(read.into_iter().flat_map(|(_, problems)| problems));
    }
    problems.sort();
    problems.dedup();
    problems
}

impl MetricSettings {
    /// Reads a table `[metrics]`; keys of `others` are left to the caller. What is wrong costs the
    /// entry that it is in, and comes as an offset and a sentence.
    pub fn read(
        source: Source,
        table: &DeTable,
        others: &[&str],
        problems: &mut Vec<(usize, String)>,
    ) -> Self {
        let mut settings = Self::default();
        for (key, value) in table {
            let key_name = key.get_ref().as_ref();
            let mut bad = |expected: &str| {
                let got = source.written(value.span());
                let sentence = format!("metrics.{key_name} must be {expected}, got {got}");
                problems.push((value.span().start, sentence));
            };
            match key_name {
                "primary" => match text(value) {
                    Some(name) => settings.primary = Some(name),
                    None => bad("the name of a metric"),
                },
                "lower" | "higher" => match names(value) {
                    Some(names) if key_name == "lower" => settings.lower = names,
                    Some(names) => settings.higher = names,
                    None => bad("a list of names of metrics"),
                },
                other if others.contains(&other) => {}
                other => {
                    let all: Vec<&str> = KEYS.iter().chain(others).copied().collect();
                    let advice = nearest(other, all.iter().copied(), 2).map_or_else(
                        || format!("the keys are {}", all.join(", ")),
                        |near| format!("did you mean {near}?"),
                    );
                    let sentence = format!("unknown key {other:?} in [metrics]; {advice}");
                    problems.push((key.span().start, sentence));
                }
            }
        }
        settings
    }
}

fn text(value: &Spanned<DeValue>) -> Option<String> {
    let text = value.get_ref().as_str()?;
    (!text.trim().is_empty()).then(|| text.to_owned())
}

/// One name, or a list of them.
fn names(value: &Spanned<DeValue>) -> Option<Vec<String>> {
    match value.get_ref() {
        DeValue::Array(names) => names.iter().take(MAX_NAMES).map(text).collect(),
        _ => Some(vec![text(value)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn settings(primary: &str, lower: &[&str], higher: &[&str]) -> MetricSettings {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        MetricSettings {
            primary: (!primary.is_empty()).then(|| primary.to_owned()),
            lower: names(lower),
            higher: names(higher),
        }
    }

    #[test]
    fn the_first_who_speaks_of_a_metric_decides() {
        let judging = Judging {
            settings: vec![
                Arc::new(settings("val_dice", &["my_score"], &[])),
                Arc::new(settings("loss", &[], &["myScore", "cost"])),
            ],
            trainer: Some(Arc::new(TrainerMetric {
                metric: "eval_wer".to_owned(),
                direction: Some(Direction::Lower),
            })),
        };
        assert_eq!(judging.direction("MyScore"), Some(Direction::Lower));
        assert_eq!(judging.direction("cost"), Some(Direction::Higher));
        assert_eq!(judging.direction("val/wer"), Some(Direction::Lower));
        assert_eq!(judging.direction("val_dice"), None);
        let primaries: Vec<_> = judging.primaries().collect();
        assert_eq!(primaries, ["val_dice", "loss", "eval_wer"]);
    }

    #[test]
    fn the_closest_project_file_counts_and_may_only_name_metrics() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        fs::create_dir_all(runs.join("a/b")).unwrap();
        assert_eq!(of(&runs.join("a/b")), Judging::default());
        let text = "threads = 1\n[metrics]\nprimary = 'val_dice'\nlower = 'my_score'\nhiger = []\nhigher = [1]\n";
        let file = runs.join(PROJECT_FILE);
        fs::write(&file, text).unwrap();
        let (found, problems) = read_project(&file).unwrap();
        assert_eq!(found, settings("val_dice", &["my_score"], &[]));
        let place = file.display();
        assert_eq!(
            problems,
            [
                format!("{place}:1: unknown key \"threads\"; a project file has only [metrics]"),
                format!("{place}:5: unknown key \"higer\" in [metrics]; did you mean higher?"),
                format!("{place}:6: metrics.higher must be a list of names of metrics, got [1]"),
            ]
        );
        // Another folder, since a search is cached for a second.
        fs::create_dir_all(runs.join("c")).unwrap();
        let judging = of(&runs.join("c/d"));
        assert_eq!(judging.settings, [Arc::new(found)]);
    }
}
