//! Jobs that plan and carry out clean-ups, and look after the trash.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;

use crate::jobs;
use traintop_disk::Progress;
use traintop_ops::clean::{self as cleaning, Done, Plan, Policy, Space, Survey};
use traintop_ops::trash::{self, Entry, Ticket, Trash};
use traintop_run::RunDir;
use traintop_run::discover::discover;
use traintop_run::evaluation::EvaluationDir;
use traintop_run::found::Found;
use traintop_text as text;

/// Runs surveyed between two messages about it.
const TOLD_EVERY: usize = 32;

/// A job on a clean-up or the trash.
#[derive(Debug, Clone, PartialEq)]
pub enum CleanupJob {
    /// Plan a clean-up of these runs, or of all if there are none; from what is surveyed already,
    /// if it is.
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
    job: CleanupJob,
    roots: &[PathBuf],
    progress: &Progress,
    tell: &(dyn Fn(CleanupOutcome) + Sync),
) {
    match job {
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
            let mut said: Vec<String> = finished.into_iter().map(|done| done.sentence).collect();
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
            if let Some(problem) = jobs::edits::first_of(&problems) {
                tell(CleanupOutcome::Refused(problem));
            } else if let Some(text) = jobs::edits::first_of(&said) {
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
        // The table of runs shows what cannot be searched.
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
                places => format!("{} items restored", places.len()),
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
