//! Alerts in the dashboard: which runs are looked at for them and when, who is told, and what of it is shown. Only runs that have changed
//! are looked at; one that stalls or is lost, which changes nothing, at the moment at which that is certain.

mod best_so_far_cache;
mod ring;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;

use jiff::Timestamp;

use super::clipboard::Wrapped;
use super::discovery;
use super::effect::Effect;
use super::message::{Message, Notice};
use super::state::State;
use traintop_analysis::alert::{self, Kind};
use traintop_analysis::prognosis::{self, Question};
use traintop_config as config;
use traintop_launch as launch;
use traintop_run::RunDir;
use traintop_run::alerts::{self as told, Alert, Claimed};
use traintop_run::finding::Finding;
use traintop_run::state_dir;

pub use best_so_far_cache::BestSoFarCache;
pub use ring::Ring;

/// How many of the last are kept to be shown.
const SHOWN: usize = 200;

/// What is known of alerts.
#[derive(Debug)]
pub struct Alerts {
    /// What is told, and how.
    pub config: config::Alerts,
    /// The last ones, the newest first.
    pub recent: Vec<Alert>,
    /// How many of them nobody has looked at.
    pub unseen: usize,
    /// What ended before this is not told: the digest does.
    since: Timestamp,
    /// What was asked for in this session, by what it is about and its kind.
    asked: HashSet<(String, String)>,
    /// The runs that were seen at work in this session.
    watched: HashSet<RunDir>,
    /// When runs are looked at again though nothing changed.
    due: HashMap<RunDir, Timestamp>,
    /// In which twentieth of its epochs each run was last weighed against earlier ones.
    weighed: HashMap<RunDir, u32>,
    /// What came of that, where a run is hopeless.
    hopeless: HashMap<RunDir, Finding>,
    /// Whether it was told that the user's command fails.
    has_failed: bool,
}

impl Alerts {
    /// None yet, of a dashboard that was opened at this time.
    pub fn new(since: Timestamp) -> Self {
        Self {
            config: config::Alerts::default(),
            recent: Vec::new(),
            unseen: 0,
            since,
            asked: HashSet::new(),
            watched: HashSet::new(),
            due: HashMap::new(),
            weighed: HashMap::new(),
            hopeless: HashMap::new(),
            has_failed: false,
        }
    }

    /// When a run is to be looked at again, if nothing happens before.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.values().min().copied()
    }

    /// Takes alerts into the list.
    fn list(&mut self, alerts: Vec<Alert>) {
        let is_new = |alert: &Alert| !self.recent.contains(alert);
        let new: Vec<Alert> = alerts.into_iter().filter(is_new).collect();
        self.recent.extend(new);
        self.recent.sort_by_key(|alert| std::cmp::Reverse(alert.at));
        self.recent.truncate(SHOWN);
    }
}

/// A job for alerts.
#[derive(Debug, Clone, PartialEq)]
pub enum AlertJob {
    /// Tell which were told before.
    Load,
    /// Take over those that nobody has told.
    Claim(Vec<Alert>),
    /// Tell whether a run is hopeless, by earlier ones like it.
    Weigh(Box<Question>),
    /// Start the user's command for each of these.
    Notify(Vec<String>, Vec<Alert>),
}

/// The result.
#[derive(Debug)]
pub enum AlertOutcome {
    /// These were told before.
    Loaded(Vec<Alert>),
    /// Some are this dashboard's to tell.
    Claimed(Claimed),
    /// A run was weighed: what is to be said if it is hopeless.
    Weighed(RunDir, Option<Finding>),
    /// The user's command fails: a sentence.
    NotNotified(String),
}

/// Runs a job. The user's commands are waited for, and earlier runs are read, on a thread of their
/// own.
pub fn carry_out(order: AlertJob, courses: &Arc<BestSoFarCache>, messages: &Sender<Message>) {
    let folder = state_dir::state_dir();
    let send = |outcome| drop(messages.send(Message::Alert(outcome)));
    match order {
        AlertJob::Load => send(AlertOutcome::Loaded(load(folder.as_deref()))),
        AlertJob::Claim(alerts) => send(AlertOutcome::Claimed(claim(folder.as_deref(), &alerts))),
        AlertJob::Weigh(question) => {
            let (messages, courses) = (messages.clone(), Arc::clone(courses));
            beside("odds", move || {
                let found = question.answer(|dir| courses.of(dir));
                let weighed = AlertOutcome::Weighed(question.dir.clone(), found);
                drop(messages.send(Message::Alert(weighed)));
            });
        }
        AlertJob::Notify(command, alerts) => {
            let messages = messages.clone();
            beside("notify", move || {
                for alert in &alerts {
                    if let Err(problem) = launch::notify(&command, alert) {
                        log::warn!("{problem}");
                        let _ = messages.send(Message::Alert(AlertOutcome::NotNotified(problem)));
                    }
                }
            });
        }
    }
}

fn beside(name: &str, work: impl FnOnce() + Send + 'static) {
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    if let Err(error) = started {
        log::error!("a thread could not be started: {error}");
    }
}

fn load(folder: Option<&Path>) -> Vec<Alert> {
    let loaded = folder.map_or(Ok(Vec::new()), told::load);
    loaded.unwrap_or_else(|error| {
        log::warn!("earlier alerts are not known: {error}");
        Vec::new()
    })
}

/// Where nothing can be remembered, all of them are told: better twice than never.
fn claim(folder: Option<&Path>, alerts: &[Alert]) -> Claimed {
    let all = Claimed {
        new: alerts.to_vec(),
        told: Vec::new(),
    };
    let Some(folder) = folder else { return all };
    told::claim(folder, alerts).unwrap_or_else(|error| {
        log::warn!("which alerts were told is not remembered: {error}");
        all
    })
}

/// Looks at runs that were summed up.
pub fn look(state: &mut State, runs: &[RunDir]) -> Vec<Effect> {
    let (alerts, now) = (&mut state.alerts, state.now);
    let (mut raised, mut effects) = (Vec::new(), Vec::new());
    for dir in runs {
        if let Some(finding) = alerts.hopeless.get(dir) {
            state.runs.warn(dir, finding);
        }
        let Some(run) = state.runs.row(dir).and_then(|row| row.summary.as_ref()) else {
            continue;
        };
        let rules = &alerts.config.rules;
        if run.observed.state.is_active() {
            alerts.watched.insert(dir.clone());
        }
        // An end that was watched is new, whatever the clocks of other machines say.
        let since = if alerts.watched.contains(dir) {
            Timestamp::UNIX_EPOCH
        } else {
            alerts.since
        };
        for alert in alert::alerts(run, rules, since, now) {
            if alerts
                .asked
                .insert((alert.about.clone(), alert.kind.clone()))
            {
                raised.push(alert);
            }
        }
        match alert::due(run, rules, now) {
            Some(due) => drop(alerts.due.insert(dir.clone(), due)),
            None => drop(alerts.due.remove(dir)),
        }
    }
    if !raised.is_empty() {
        effects.push(Effect::Alert(AlertJob::Claim(raised)));
    }
    effects.extend(weigh(state, runs));
    effects
}

/// Orders to weigh those of these runs that have come further by a twentieth of their epochs, once all earlier runs are known.
fn weigh(state: &mut State, runs: &[RunDir]) -> Vec<Effect> {
    let (alerts, runs_of) = (&mut state.alerts, &state.runs);
    if !alerts.config.rules.has(Kind::Hopeless) || !runs_of.is_searched() {
        return Vec::new();
    }
    let summary = |dir: &RunDir| runs_of.row(dir)?.summary.as_ref();
    let further = runs.iter().filter_map(|dir| {
        let run = summary(dir)?;
        let milestone = prognosis::milestone(run)?;
        let before = alerts.weighed.insert(dir.clone(), milestone);
        (before != Some(milestone)).then_some(run)
    });
    let all = || runs_of.all().filter_map(|row| row.summary.as_ref());
    let questions = further.filter_map(|run| Question::of(run, all()));
    questions
        .map(|question| Effect::Alert(AlertJob::Weigh(Box::new(question))))
        .collect()
}

/// Time has passed: runs that are due are summed up again, and then looked at.
pub fn woke(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let due: Vec<RunDir> = state
        .alerts
        .due
        .extract_if(|_, due| *due <= now)
        .map(|(dir, _)| dir)
        .collect();
    due.iter()
        .flat_map(|dir| discovery::changed(state, dir))
        .collect()
}

/// What an outcome changes, and what is to be done next.
pub fn update(state: &mut State, outcome: AlertOutcome) -> Vec<Effect> {
    match outcome {
        AlertOutcome::Loaded(alerts) => {
            state.alerts.list(alerts);
            Vec::new()
        }
        AlertOutcome::Claimed(Claimed { new, told }) => {
            state.alerts.list(told);
            tell(state, new)
        }
        AlertOutcome::Weighed(dir, found) => {
            match found {
                Some(finding) => drop(state.alerts.hopeless.insert(dir.clone(), finding)),
                None => drop(state.alerts.hopeless.remove(&dir)),
            }
            look(state, &[dir])
        }
        AlertOutcome::NotNotified(problem) => {
            if !std::mem::replace(&mut state.alerts.has_failed, true) {
                state.notice = Some(Notice::bad(problem));
            }
            Vec::new()
        }
    }
}

fn tell(state: &mut State, new: Vec<Alert>) -> Vec<Effect> {
    let Some(first) = new.first() else {
        return Vec::new();
    };
    let text = match new.len() {
        1 => format!("{}: {}", first.name, first.message),
        several => format!(
            "{several} alerts, among them {}: {}",
            first.name, first.message
        ),
    };
    // The answer to a key is not written over: the count stands in the top line too.
    if state.notice.is_none() {
        let is_good = new.iter().all(|alert| alert.kind == Kind::Finished.name());
        let notice = if is_good { Notice::good } else { Notice::bad };
        state.notice = Some(notice(text));
    }
    state.alerts.unseen += new.len();
    let config = &state.alerts.config;
    let is_sent = |alert: &&Alert| config.send.iter().any(|kind| kind.name() == alert.kind);
    let sent: Vec<Alert> = new.iter().filter(is_sent).cloned().collect();
    let mut effects = Vec::new();
    if let Some(first) = sent.first() {
        effects.extend(Ring::of(config, first, sent.len()).map(Effect::Ring));
        if !config.notify.is_empty() {
            effects.push(Effect::Alert(AlertJob::Notify(config.notify.clone(), sent)));
        }
    }
    state.alerts.list(new);
    effects
}

/// The bytes that ring, for the terminal that the environment tells of.
pub fn sequence(ring: &Ring) -> Vec<u8> {
    ring.sequence(Wrapped::detect(|name| std::env::var(name).ok()))
}
