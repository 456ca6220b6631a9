//! Clean-up and trash in the dashboard: the jobs, how they run, and what their outcome changes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::effect::Effect;
use super::message::Notice;
use super::run_edits::{self, UndoEntry};
use super::state::{Screen, State};
use super::view::confirm::Confirm;
use super::view::{clean, runs, trash as trash_view};
use traintop_disk::Progress;
use traintop_ops::clean::{self as cleaning, Done, Plan, Policy, Space, Survey};
use traintop_ops::trash::{self, Entry, Ticket, Trash};
use traintop_run::RunDir;
use traintop_run::discover::{Found, discover};
use traintop_run::evaluation::EvaluationDir;
use traintop_text as text;

/// Runs surveyed between two messages about it.
const TOLD_EVERY: usize = 32;

/// A job on a clean-up or the trash.
#[derive(Debug, Clone, PartialEq)]
pub enum CleanupJob {
    /// Plan a clean-up of these runs, or of all if there are none; from what is surveyed already, if it is.
    Plan {
        /// These runs alone.
        only: Vec<RunDir>,
        /// What is to stay.
        policy: Policy,
        /// What is known already.
        survey: Option<Arc<Survey>>,
    },
    /// Move what a plan says to the trash.
    Clean(Box<Plan>),
    /// Move whole runs to the trash.
    Remove(Vec<RunDir>),
    /// Move evaluations to the trash.
    RemoveEvaluations(Vec<EvaluationDir>),
    ListTrash,
    /// Restore these.
    Restore(Vec<Ticket>),
    /// Remove these for good.
    Purge(Vec<Ticket>),
    /// Find what was removed last, in any session.
    FindLatest,
    /// Finish what a killed process has left, and purge what is older than this number of days, if
    /// one is given.
    Recover(Option<u32>),
}

/// The result.
#[derive(Debug)]
pub enum CleanupOutcome {
    /// Progress of the survey: runs done, and all.
    Surveying(usize, usize),
    /// A plan, and how much room there is.
    Planned(Box<Plan>, Vec<(PathBuf, Space)>),
    /// Things are in the trash.
    Removed(Done),
    /// What is in the trash, and sentences about what cannot be read of it.
    Listed(Vec<(Ticket, Entry)>, Vec<String>),
    /// What was removed last.
    Latest(Vec<(Ticket, Entry)>),
    /// Things are back at their places, or gone for good: a sentence.
    Settled(String),
    /// It was refused, or failed: one sentence.
    Refused(String),
}

/// Runs a job; this takes as long as the disk does.
pub fn carry_out(
    order: CleanupJob,
    roots: &[PathBuf],
    progress: &Progress,
    tell: &(dyn Fn(CleanupOutcome) + Sync),
) {
    match order {
        CleanupJob::Plan {
            only,
            policy,
            survey,
        } => {
            let plan = plan(&only, policy, survey, roots, (progress, tell));
            tell(match plan {
                Some(plan) => CleanupOutcome::Planned(Box::new(plan), cleaning::spaces(roots)),
                None => CleanupOutcome::Refused("cancelled: there is no plan".to_owned()),
            });
        }
        CleanupJob::Clean(plan) => {
            tell(removed(cleaning::carry_out(&plan, roots, Timestamp::now())))
        }
        CleanupJob::Remove(dirs) => tell(removed(cleaning::remove_runs(
            &dirs,
            roots,
            Timestamp::now(),
        ))),
        CleanupJob::RemoveEvaluations(dirs) => tell(removed(cleaning::remove_evaluations(
            &dirs,
            roots,
            Timestamp::now(),
        ))),
        CleanupJob::ListTrash => {
            let (listed, problems) = trash::list_below(roots);
            tell(CleanupOutcome::Listed(listed, problems));
        }
        CleanupJob::Restore(tickets) => tell(restore(&tickets)),
        CleanupJob::Purge(tickets) => tell(purge(&tickets, progress)),
        CleanupJob::FindLatest => tell(CleanupOutcome::Latest(trash::latest_below(roots))),
        CleanupJob::Recover(purge_after) => {
            let (finished, mut problems) = trash::recover_below(roots);
            let mut said: Vec<String> = finished.into_iter().map(|done| done.said).collect();
            if let Some(days) = purge_after {
                let now = Timestamp::now();
                let old = trash::list_below(roots).0.into_iter();
                let old = old.filter(|(_, entry)| entry.is_older_than(days, now));
                let old: Vec<Ticket> = old.map(|(ticket, _)| ticket).collect();
                match purge(&old, progress) {
                    CleanupOutcome::Settled(text) if !old.is_empty() => {
                        said.push(format!("{text}, after {days} days in the trash"));
                    }
                    CleanupOutcome::Refused(problem) => problems.push(problem),
                    _ => {}
                }
            }
            if let Some(problem) = run_edits::first_of(&problems) {
                tell(CleanupOutcome::Refused(problem));
            } else if let Some(text) = run_edits::first_of(&said) {
                tell(CleanupOutcome::Settled(text));
            }
        }
    }
}

fn plan(
    only: &[RunDir],
    policy: Policy,
    survey: Option<Arc<Survey>>,
    roots: &[PathBuf],
    (progress, tell): (&Progress, &(dyn Fn(CleanupOutcome) + Sync)),
) -> Option<Plan> {
    let now = SystemTime::now();
    if let Some(survey) = survey {
        return Some(cleaning::remake(&survey, policy, now));
    }
    let mut found = Vec::new();
    if only.is_empty() {
        // What cannot be searched is told by the table of runs.
        let _ = discover(roots, |run| found.push(run));
    } else {
        found.extend(only.iter().cloned().map(Found::look));
    }
    let count = found.len();
    let each = |done: usize| {
        progress.step(done, count);
        if done.is_multiple_of(TOLD_EVERY) {
            tell(CleanupOutcome::Surveying(done, count));
        }
        !progress.is_cancelled()
    };
    cleaning::make_while(&found, policy, now, each)
}

fn removed(done: Result<Done, trash::TrashError>) -> CleanupOutcome {
    match done {
        Ok(done) => CleanupOutcome::Removed(done),
        Err(error) => CleanupOutcome::Refused(text::clean(&error.to_string()).into_owned()),
    }
}

/// Puts entries back to their places.
pub fn restore(tickets: &[Ticket]) -> CleanupOutcome {
    match trash::restore_all(tickets) {
        Ok(places) => {
            let back = match &places[..] {
                [place] => format!("{} is back", place.display()),
                places => format!("{} things are back at their places", places.len()),
            };
            CleanupOutcome::Settled(text::clean(&back).into_owned())
        }
        Err(error) => CleanupOutcome::Refused(text::clean(&error.to_string()).into_owned()),
    }
}

fn purge(tickets: &[Ticket], progress: &Progress) -> CleanupOutcome {
    let mut freed = 0;
    for (at, ticket) in tickets.iter().enumerate() {
        progress.step(at, tickets.len());
        // An entry goes whole or not at all.
        if progress.is_cancelled() {
            let left = tickets.len() - at;
            return CleanupOutcome::Refused(format!(
                "cancelled: {left} of {} removals stay in the trash, {} freed",
                tickets.len(),
                text::bytes(freed)
            ));
        }
        match Trash::of(&ticket.root).and_then(|trash| trash.purge(&ticket.id)) {
            Ok(bytes) => freed += bytes,
            Err(error) => {
                return CleanupOutcome::Refused(text::clean(&error.to_string()).into_owned());
            }
        }
    }
    CleanupOutcome::Settled(format!("removed for good, {} freed", text::bytes(freed)))
}

/// What an outcome changes, and what is to be done next.
pub fn update(state: &mut State, outcome: CleanupOutcome) -> Vec<Effect> {
    match outcome {
        CleanupOutcome::Surveying(done, of) => {
            if let Screen::Clean(view) = &mut state.screen {
                view.progress = Some((done, of));
            }
        }
        CleanupOutcome::Planned(plan, spaces) => clean::planned(state, *plan, spaces),
        CleanupOutcome::Removed(done) => {
            let text = done.sentence();
            state.notice = Some(if done.left.is_empty() {
                Notice::good(format!("{text}; u takes that back"))
            } else {
                Notice::bad(text)
            });
            if !done.tickets.is_empty() {
                state.undo_stack.push(UndoEntry::Removed(done.tickets));
            }
            for dir in &done.runs {
                state.refreshing.remove(dir);
                state.runs.remove(dir);
            }
            let mut effects = Vec::new();
            let gone = state
                .opened
                .take_if(|opened| done.runs.contains(&opened.dir));
            effects.extend(gone.map(|opened| Effect::Close(opened.dir)));
            if matches!(state.screen, Screen::Clean(_)) {
                state.screen = Screen::Runs;
            }
            // Somebody may have opened the trash before it was in it.
            if matches!(state.screen, Screen::Trash(_)) {
                effects.push(Effect::Clean(CleanupJob::ListTrash));
            }
            effects.extend(look_again(state));
            return effects;
        }
        CleanupOutcome::Listed(listed, problems) => trash_view::listed(state, listed, &problems),
        CleanupOutcome::Latest(latest) => ask_to_restore(state, latest),
        CleanupOutcome::Settled(text) => {
            state.notice = Some(Notice::good(text));
            let mut effects = look_again(state);
            if matches!(state.screen, Screen::Trash(_)) {
                effects.push(Effect::Clean(CleanupJob::ListTrash));
            }
            return effects;
        }
        CleanupOutcome::Refused(problem) => {
            state.notice = Some(Notice::bad(problem));
            if let Screen::Clean(view) = &mut state.screen {
                view.is_busy = false;
            }
        }
    }
    Vec::new()
}

/// Runs may have come or gone, and have other sizes.
fn look_again(state: &State) -> Vec<Effect> {
    let height = runs::table_height(state.size);
    let shown = state.runs.on_screen(height);
    let dirs: Vec<RunDir> = shown.map(|row| row.found.dir.clone()).collect();
    vec![Effect::Discover, Effect::Measure(dirs)]
}

/// Nothing was done in this session: asks whether to undo the last removal of another.
fn ask_to_restore(state: &mut State, latest: Vec<(Ticket, Entry)>) {
    let Some((_, entry)) = latest.first() else {
        state.notice = Some(Notice::bad("there is nothing to take back"));
        return;
    };
    let age = Duration::try_from(state.now - entry.removed_at).unwrap_or_default();
    let count: Vec<String> = latest.iter().map(|(_, entry)| entry.count()).collect();
    let text = format!(
        "{} that {} moved to the trash {} ago will be back at their places.",
        count.join(" and "),
        text::clean(&entry.by),
        text::since(age).0
    );
    let tickets = latest.into_iter().map(|(ticket, _)| ticket).collect();
    state.overlays.push(Confirm {
        title: "Take back the last removal?".to_owned(),
        text,
        yes: "put them back".to_owned(),
        then: Effect::Clean(CleanupJob::Restore(tickets)),
    });
}

/// Asks whether whole runs are to be removed, or says why they cannot be.
pub fn ask_to_remove(state: &mut State, dirs: Vec<RunDir>) {
    let held = dirs.iter().find_map(|dir| {
        let summary = state.runs.row(dir)?.summary.as_ref()?;
        let why = traintop_ops::rename::held(summary.observed.state)?;
        Some(format!("{} cannot be removed: {why}", summary.name))
    });
    if let Some(problem) = held {
        state.notice = Some(Notice::bad(problem));
        return;
    }
    let bytes: u64 = dirs
        .iter()
        .filter_map(|dir| state.runs.row(dir)?.summary.as_ref()?.size_bytes)
        .sum();
    let title = match &dirs[..] {
        [] => return,
        [dir] => {
            let summary = state.runs.row(dir).and_then(|row| row.summary.as_ref());
            let name = summary.map_or_else(|| dir.name(), |summary| summary.name.clone());
            format!("Remove {}?", text::clean(&name))
        }
        dirs => format!("Remove {} runs?", dirs.len()),
    };
    let (them, folders) = if dirs.len() == 1 {
        ("it", "The folder")
    } else {
        ("them", "The folders")
    };
    let size = if bytes > 0 {
        format!(" ({})", text::bytes(bytes))
    } else {
        String::new()
    };
    state.overlays.push(Confirm {
        title,
        text: format!(
            "{folders}{size} with everything inside, the best model too, will be moved to the trash. u puts {them} back."
        ),
        yes: "move to the trash".to_owned(),
        then: Effect::Clean(CleanupJob::Remove(dirs)),
    });
}

/// Asks whether evaluations are to be removed; `name` is what lists call the first.
pub fn ask_to_remove_evaluations(state: &mut State, dirs: Vec<EvaluationDir>, name: &str) {
    let (title, folders, them) = match &dirs[..] {
        [] => return,
        [_] => (format!("Remove {name}?"), "The folder", "it"),
        dirs => (
            format!("Remove {} evaluations?", dirs.len()),
            "The folders",
            "them",
        ),
    };
    state.overlays.push(Confirm {
        title,
        text: format!(
            "{folders} with the answers, pictures and notes inside will be moved to the trash; the run and its checkpoints stay. u puts {them} back."
        ),
        yes: "move to the trash".to_owned(),
        then: Effect::Clean(CleanupJob::RemoveEvaluations(dirs)),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purge_that_is_cancelled_leaves_the_rest_in_the_trash() {
        let progress = Progress::default();
        progress.cancel();
        let ticket = Ticket {
            root: "/nowhere".into(),
            id: "20261124-140800".to_owned(),
        };
        let CleanupOutcome::Refused(text) = purge(&[ticket.clone(), ticket], &progress) else {
            panic!("it was cancelled");
        };
        assert_eq!(
            text,
            "cancelled: 2 of 2 removals stay in the trash, 0 B freed"
        );
    }
}
