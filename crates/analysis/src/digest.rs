//! What has happened to runs since some moment, in one line or a few.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::shared_settings;
use traintop_run::State;
use traintop_run::best_and_trend::Best;
use traintop_run::settings::Settings;
use traintop_run::summary::Summary;
use traintop_run::usual::Usual;

/// What has happened.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Digest {
    /// Names of the runs that finished, the last first.
    pub finished: Vec<String>,
    /// Names of those that failed, with why where that is known.
    pub failed: Vec<(String, Option<String>)>,
    /// What those that failed for the most frequent reason have in common and most other runs have
    /// not: `all batch_size 512`.
    pub failed_alike: Option<String>,
    /// Names of those that were stopped.
    pub stopped: Vec<String>,
    /// Names of those that were lost.
    pub lost: Vec<String>,
    /// Names of those that began and are still at work.
    pub started: Vec<String>,
    /// The best of all, if it was reached since.
    pub new_best: Option<NewBest>,
}

/// The best of all runs that are judged by the same metric.
#[derive(Debug, Clone, PartialEq)]
pub struct NewBest {
    pub best: Best,
    /// The name of its run.
    pub run: String,
    /// The best before; shares in percent.
    pub before: Option<f64>,
}

impl Digest {
    /// What has happened since `since`.
    pub fn since(runs: &[&Summary], since: Timestamp) -> Self {
        let mut runs = runs.to_vec();
        runs.sort_by_key(|run| std::cmp::Reverse((run.ended_at, run.dir.clone())));
        let mut digest = Self::default();
        let has_ended = |run: &Summary| run.ended_at.is_some_and(|ended| ended > since);
        for run in &runs {
            let name = || run.name.clone();
            match run.observed.state {
                State::Finished if has_ended(run) => digest.finished.push(name()),
                State::Failed if has_ended(run) => {
                    digest.failed.push((name(), cause(run)));
                }
                State::Stopped if has_ended(run) => digest.stopped.push(name()),
                State::Lost if has_ended(run) => digest.lost.push(name()),
                state if state.is_active() && run.started_at.is_some_and(|at| at > since) => {
                    digest.started.push(name());
                }
                _ => {}
            }
        }
        if let Some((most, _)) = digest.reasons().first() {
            let (alike, others): (Vec<&Summary>, Vec<&Summary>) = runs.iter().partition(|run| {
                run.observed.state == State::Failed
                    && has_ended(run)
                    && cause(run).as_deref() == Some(most)
            });
            digest.failed_alike = shared_settings::sentence(&settings(&alike), &settings(&others));
        }
        digest.new_best = new_best(&runs, since);
        digest
    }

    /// Whether nothing has.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// One line: `6 finished, 2 failed (out of memory), new best 94.70 by quick`.
    pub fn line(&self) -> String {
        let mut parts = Vec::new();
        let mut count = |runs: usize, what: &str| {
            if runs > 0 {
                parts.push(format!("{runs} {what}"));
            }
        };
        count(self.finished.len(), "finished");
        count(self.failed.len(), "failed");
        if let Some(failed) = parts.last_mut().filter(|_| !self.failed.is_empty()) {
            *failed += &self.why();
        }
        let mut count = |runs: usize, what: &str| {
            if runs > 0 {
                parts.push(format!("{runs} {what}"));
            }
        };
        count(self.stopped.len(), "stopped");
        count(self.lost.len(), "lost");
        count(self.started.len(), "started");
        if let Some(new) = &self.new_best {
            parts.push(format!("new best {} by {}", new.text(), new.run));
        }
        parts.join(", ")
    }

    /// Why runs failed: ` (out of memory, all batch_size 512)`, ` (2 x out of memory, and others)`.
    fn why(&self) -> String {
        let alike = self.failed_alike.as_ref();
        let alike = alike.map_or_else(String::new, |alike| format!(", {alike}"));
        match &self.reasons()[..] {
            [] => String::new(),
            [(reason, _)] => format!(" ({reason}{alike})"),
            [(reason, count), ..] => format!(" ({count} x {reason}{alike}, and others)"),
        }
    }

    /// Why runs failed and how many did, the most frequent reason first.
    fn reasons(&self) -> Vec<(&str, usize)> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for reason in self
            .failed
            .iter()
            .filter_map(|(_, reason)| reason.as_deref())
        {
            *counts.entry(reason).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}

/// Why a run failed, in few words: as its row says, or the first part of its own sentence.
fn cause(run: &Summary) -> Option<String> {
    let cause = run.cause.as_ref().map(|cause| cause.what.clone());
    cause.or_else(|| run.observed.reason.as_deref().map(in_short))
}

fn settings<'a>(runs: &[&'a Summary]) -> Vec<&'a Settings> {
    runs.iter().map(|run| &run.settings).collect()
}

fn in_short(reason: &str) -> String {
    let line = reason.lines().next().unwrap_or_default();
    let end = line.find([':', ';', ',']).unwrap_or(line.len());
    traintop_text::fitted(line[..end].trim(), 40).into_owned()
}

impl NewBest {
    /// `94.70`; what is no accuracy with its metric: `val_loss 0.25`.
    pub fn text(&self) -> String {
        match self.best.accuracy() {
            Some(_) => self.best.text(),
            None => format!("{} {}", self.best.metric, self.best.text_with_unit()),
        }
    }
}

/// The best of all that are judged by the metric that most are judged by, if its best row was
/// written since; where that row's time is not known, if the run was at work since.
fn new_best(runs: &[&Summary], since: Timestamp) -> Option<NewBest> {
    let is_new = |run: &Summary| run.best_at().unwrap_or(run.modified_at) > since;
    let usual = Usual::of(runs.iter().copied())?;
    let best_of = |wanted: bool| {
        let those = runs.iter().filter(|run| is_new(run) == wanted);
        let rated = those.filter_map(|run| Some((run.best.as_ref()?, *run)));
        let alike = rated.filter(|(best, _)| usual.is_of(best));
        alike.reduce(|best, next| {
            if next.0.is_better_than(best.0) {
                next
            } else {
                best
            }
        })
    };
    let (best, run) = best_of(true)?;
    let before = best_of(false).map(|(before, _)| before);
    let beats = before.is_none_or(|before| best.is_better_than(before));
    let before = before.map(Best::shown);
    beats.then(|| NewBest {
        best: best.clone(),
        run: run.name.clone(),
        before,
    })
}
