//! The rules for alerts, and which of them hold for a run. Pure: nothing here depends on what was
//! notified.

mod rules;
mod signs;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;

use super::finish::{self, roughly};
use traintop_run::State;
use traintop_run::alerts::Alert;
use traintop_run::health::Health;
use traintop_run::metrics::counts_epochs;
use traintop_run::summary::Summary;
use traintop_text::{bytes, clean};

pub use rules::{Kind, Rules};
pub use signs::signs;

/// A rule that holds for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// The rule.
    pub kind: Kind,
    /// The message, without the run's name.
    pub message: String,
}

/// A run whose process has just ended counts as lost until its supervisor has recorded how it
/// ended.
const UNTIL_SETTLED: Duration = Duration::from_secs(5);
/// However fast its rows come otherwise, a run is not called stalled before this.
const SHORTEST_STALL: Duration = Duration::from_secs(60);
/// Without a number of its own the rule waits for this part of the planned epochs, and for this
/// many at least.
const NO_PROGRESS_PART: u32 = 4;
const NO_PROGRESS_MIN: u32 = 10;

/// The alerts that a run gives at a moment. There is one of each kind about a run, and again about
/// a run that was resumed; about a full disk one a day.
pub fn alerts(run: &Summary, rules: &Rules, since: Timestamp, at: Timestamp) -> Vec<Alert> {
    let disk = run.health.as_ref().and_then(|health| health.disk);
    let about = |kind: Kind| match disk.filter(|_| kind == Kind::Disk) {
        Some(disk) => format!("disk {} {}", disk.id, at.strftime("%Y-%m-%d")),
        None => format!("{} {}", run.id, run.resumes.len()),
    };
    let raised = raised(run, rules, since, at).into_iter();
    raised
        .map(|Raised { kind, message }| Alert {
            about: about(kind),
            kind: kind.name().to_owned(),
            dir: run.dir.clone(),
            name: run.name.clone(),
            message: clean(&message).into_owned(),
            at,
        })
        .collect()
}

/// The rules that hold for a run as it is now. What happened before `since` is left out: that is
/// old.
pub fn raised(run: &Summary, rules: &Rules, since: Timestamp, at: Timestamp) -> Vec<Raised> {
    let raised: Vec<(Kind, String)> = match &run.health {
        Some(health) => of_active(run, health, rules),
        None => {
            let is_new = run.ended_at.is_some_and(|ended| ended >= since);
            let is_sure = settles_at(run).is_none_or(|settled| at >= settled);
            ended(run)
                .filter(|_| is_new && is_sure)
                .into_iter()
                .collect()
        }
    };
    let raised = raised.into_iter().filter(|(kind, _)| rules.has(*kind));
    raised
        .map(|(kind, message)| Raised { kind, message })
        .collect()
}

fn ended(run: &Summary) -> Option<(Kind, String)> {
    let why = || match (&run.cause, &run.observed.reason) {
        (Some(cause), _) if cause.detail.contains(&cause.what) => cause.detail.clone(),
        (Some(cause), _) => format!("{}: {}", cause.what, cause.detail),
        (None, Some(reason)) => reason.clone(),
        (None, None) => "nothing says why".to_owned(),
    };
    match run.observed.state {
        State::Finished => {
            let best = run.best.as_ref().map_or_else(String::new, |best| {
                let epoch = best.epoch;
                let epoch = epoch.map_or_else(String::new, |epoch| format!(" in epoch {epoch}"));
                format!(", best {} {}{epoch}", best.metric, best.text_with_unit())
            });
            Some((
                Kind::Finished,
                format!("finished: {} epochs{best}", run.epochs_done),
            ))
        }
        state @ (State::Failed | State::Lost) => {
            Some((Kind::Failed, format!("{state}: {}", why())))
        }
        // Only where its time was over: else a user stopped it, and knows.
        State::Stopped if run.cause.is_some() => Some((Kind::Late, why())),
        _ => None,
    }
}

fn of_active(run: &Summary, health: &Health, rules: &Rules) -> Vec<(Kind, String)> {
    let mut raised = Vec::new();
    let signs = health.signs.iter();
    raised.extend(signs.filter_map(|sign| Some((Kind::named(&sign.kind)?, sign.text.clone()))));
    raised.extend(no_progress(run, rules).map(|message| (Kind::NoProgress, message)));
    if let Some(due) = stalls_at(run, rules).filter(|due| health.read_at >= *due) {
        raised.push((Kind::Stalled, stalled(health, due)));
    }
    if let Some(disk) = health.disk.filter(|disk| disk.free < rules.disk_free) {
        raised.push((
            Kind::Disk,
            format!("its disk is nearly full: {} are free", bytes(disk.free)),
        ));
    }
    if finish::late(run).is_some() {
        let epochs = health.pace.map_or(0, |pace| pace.until);
        let sentence = finish::outlook(run).and_then(|outlook| outlook.sentence(epochs));
        raised.extend(sentence.map(|sentence| (Kind::Late, sentence)));
    }
    raised
}

/// When it is certain that a run is lost.
fn settles_at(run: &Summary) -> Option<Timestamp> {
    let is_lost = run.observed.state == State::Lost;
    run.ended_at
        .filter(|_| is_lost)?
        .checked_add(UNTIL_SETTLED)
        .ok()
}

/// When to check a run again even if its files do not change; `None` if never.
pub fn due(run: &Summary, rules: &Rules, now: Timestamp) -> Option<Timestamp> {
    let due = stalls_at(run, rules).or_else(|| settles_at(run));
    due.filter(|due| *due > now)
}

/// When a run that shows no other sign of life has stalled; `None` where that is unknown, or not
/// wanted.
fn stalls_at(run: &Summary, rules: &Rules) -> Option<Timestamp> {
    let health = run.health.as_ref()?;
    if run.observed.state != State::Running || !rules.has(Kind::Stalled) {
        return None;
    }
    let limit = health.row_gap?.mul_f64(rules.stalled).max(SHORTEST_STALL);
    health.sign_at.checked_add(limit).ok()
}

fn stalled(health: &Health, due: Timestamp) -> String {
    let length = |from: Timestamp, to: Timestamp| {
        Duration::try_from(to.duration_since(from)).unwrap_or_default()
    };
    let silent = length(health.sign_at, health.read_at.max(due));
    let usual = health.row_gap.unwrap_or_default();
    format!(
        "stalled: no row for {}, usually within {}",
        roughly(silent),
        roughly(usual.max(Duration::from_secs(1)))
    )
}

fn no_progress(run: &Summary, rules: &Rules) -> Option<String> {
    let of_trend = || {
        let (epochs, _) = run.last.iter().find(|(name, _)| counts_epochs(name))?;
        run.at_best(epochs).map(|epoch| epoch as u32)
    };
    let best = run.best_epoch().or_else(of_trend)?;
    let planned = run.epochs_planned.unwrap_or(0);
    let limit = rules
        .no_progress
        .unwrap_or_else(|| (planned / NO_PROGRESS_PART).max(NO_PROGRESS_MIN));
    let without = run.epochs_done.saturating_sub(best);
    (limit > 0 && without >= limit)
        .then(|| format!("no progress for {without} epochs: the best is epoch {best}'s"))
}
