//! When alerts are looked for, and what their jobs' outcomes change.

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::effect::Effect;
use crate::jobs::alerts::{AlertJob, AlertOutcome};
use crate::jobs::ring::Ring;
use crate::notice::Notice;
use crate::state::State;
use crate::update;
use traintop_analysis::alert::{self, Kind};
use traintop_analysis::prognosis::{self, Question};
use traintop_run::RunDir;
use traintop_run::alerts::{Alert, Claimed};

/// Looks at runs that were summed up.
pub fn look(state: &mut State, runs: &[RunDir]) -> Vec<Effect> {
    let (alerts, now) = (&mut state.context.alerts, state.context.now);
    let (mut raised, mut effects) = (Vec::new(), Vec::new());
    for dir in runs {
        if let Some(finding) = alerts.hopeless.get(dir) {
            state.context.runs.warn(dir, finding);
        }
        let Some(run) = state
            .context
            .runs
            .row(dir)
            .and_then(|row| row.summary.as_ref())
        else {
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

/// Orders to weigh those of these runs that have come further by a twentieth of their epochs, once
/// all earlier runs are known.
fn weigh(state: &mut State, runs: &[RunDir]) -> Vec<Effect> {
    let (alerts, runs_of) = (&mut state.context.alerts, &state.context.runs);
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
    let now = state.context.now;
    let due: Vec<RunDir> = state
        .context
        .alerts
        .due
        .extract_if(|_, due| *due <= now)
        .map(|(dir, _)| dir)
        .collect();
    due.iter()
        .flat_map(|dir| update::discovery::changed(state, dir))
        .collect()
}

/// What an outcome changes, and what is to be done next.
pub fn update(state: &mut State, outcome: AlertOutcome) -> Vec<Effect> {
    match outcome {
        AlertOutcome::Loaded(alerts) => {
            state.context.alerts.list(alerts);
            Vec::new()
        }
        AlertOutcome::Claimed(Claimed { new, known }) => {
            state.context.alerts.list(known);
            tell(state, new)
        }
        AlertOutcome::Weighed(dir, found) => {
            match found {
                Some(finding) => drop(state.context.alerts.hopeless.insert(dir.clone(), finding)),
                None => drop(state.context.alerts.hopeless.remove(&dir)),
            }
            look(state, &[dir])
        }
        AlertOutcome::NotNotified(problem) => {
            if !std::mem::replace(&mut state.context.alerts.has_failed, true) {
                state.context.notice = Some(Notice::bad(problem));
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
    if state.context.notice.is_none() {
        let is_good = new.iter().all(|alert| alert.kind == Kind::Finished.name());
        let notice = if is_good { Notice::good } else { Notice::bad };
        state.context.notice = Some(notice(text));
    }
    state.context.alerts.unseen += new.len();
    let config = &state.context.alerts.config;
    let is_sent = |alert: &&Alert| config.send.iter().any(|kind| kind.name() == alert.kind);
    let sent: Vec<Alert> = new.iter().filter(is_sent).cloned().collect();
    let mut effects = Vec::new();
    if let Some(first) = sent.first() {
        effects.extend(Ring::of(config, first, sent.len()).map(Effect::Ring));
        if !config.notify.is_empty() {
            effects.push(Effect::Alert(AlertJob::Notify(config.notify.clone(), sent)));
        }
    }
    state.context.alerts.list(new);
    effects
}
