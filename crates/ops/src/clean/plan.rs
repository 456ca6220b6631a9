//! What could go: pure, from what was surveyed and the policy.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::candidate::{Candidate, Reason, SortOrder};
use super::duplicates::Duplicates;
use super::kept::Kept;
use super::obstacle::Obstacle;
use super::policy::{Policy, Protection};
use super::survey::{Reading, Role, Survey, Surveyed, Weights};
use crate::rename::held;
use traintop_disk::FileStat;
use traintop_run::size::Taken;
use traintop_run::state::State;
use traintop_text as text;

/// What could go.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What it is made from.
    pub survey: Arc<Survey>,
    /// By which rules.
    pub policy: Policy,
    /// What may go, by reason and then in order.
    pub candidates: Vec<Candidate>,
    /// Runs at work, which are left alone.
    pub at_work: usize,
    /// Runs that a protection leaves alone.
    pub protected: usize,
    /// Runs, by their number, that are left alone or stay whole although a reason names them, and
    /// why.
    pub doubts: Vec<(usize, String)>,
    /// How candidates of one reason are ordered.
    pub order: SortOrder,
}

impl Plan {
    /// Decides, and orders what it decided.
    pub fn new(
        survey: &Arc<Survey>,
        policy: Policy,
        duplicates: &Duplicates,
        now: Timestamp,
    ) -> Self {
        let mut plan = Self::decide(survey, policy, duplicates, now);
        plan.sort();
        plan
    }

    /// Decides alone: to order much takes longer.
    pub(super) fn decide(
        survey: &Arc<Survey>,
        policy: Policy,
        duplicates: &Duplicates,
        now: Timestamp,
    ) -> Self {
        let mut plan = Self {
            survey: Arc::clone(survey),
            policy,
            candidates: Vec::new(),
            at_work: 0,
            protected: 0,
            doubts: Vec::new(),
            order: SortOrder::Size,
        };
        for (number, run) in survey.runs.iter().enumerate() {
            if held(run.state).is_some() {
                plan.at_work += 1;
            } else if plan.protection(run).is_some() {
                plan.protected += 1;
            } else {
                plan.one(number, run, duplicates, now);
            }
        }
        plan
    }

    /// What protects a run; `None` if nothing does.
    pub fn protection(&self, run: &Surveyed) -> Option<Protection> {
        let mut protect = self.policy.protect.iter().copied();
        protect.find(|protection| protection.holds(&run.notes, run.is_evaluated))
    }

    /// The files of weights that no candidate names, with the numbers of their runs: the candidates
    /// for duplicates.
    pub fn staying(&self) -> impl Iterator<Item = (usize, &Weights)> {
        // Hashed as bytes: part by part it takes several times as long.
        let going: HashSet<&OsStr> = self
            .candidates
            .iter()
            .filter(|candidate| candidate.reason != Reason::OptimiserState)
            .flat_map(|candidate| candidate.paths.iter().map(|path| path.as_os_str()))
            .collect();
        let runs = self.survey.runs.iter().enumerate();
        runs.flat_map(move |(number, run)| {
            let is_whole = going.contains(run.dir.path().as_os_str());
            let stays = |weights: &&Weights| !is_whole && !going.contains(weights.path.as_os_str());
            let staying = run.weights.iter().filter(stays);
            staying.map(|weights| (number, weights)).collect::<Vec<_>>()
        })
    }

    fn one(&mut self, number: usize, run: &Surveyed, duplicates: &Duplicates, now: Timestamp) {
        if let Some(obstacle) = run.obstacle.as_ref().filter(|one| one.is_project()) {
            self.doubts.push((number, obstacle.to_string()));
            return;
        }
        for file in &run.temporary {
            self.candidates.push(Candidate {
                cost_s: Some(0.0),
                ..candidate(
                    number,
                    Reason::Temporary,
                    &file.path,
                    vec![file.taken],
                    vec![(file.path.clone(), file.stat)],
                )
            });
        }
        // Its archive may hold the last copy of its best model.
        if run.is_archived {
            return;
        }
        let reason = self.reason(number, run, duplicates, now);
        if let Some((reason, detail)) = &reason {
            let is_copy = *reason == Reason::Duplicate;
            let obstacle = run.obstacle.as_ref();
            let forbids = |one: &&Obstacle| !(is_copy && one.is_replaced_by_copy());
            match obstacle.filter(forbids) {
                // Nothing was trained, and something else forbids it: that is worth a word.
                Some(obstacle) if is_copy || run.epochs_done == 0 => {
                    self.doubts.push((number, obstacle.to_string()));
                }
                Some(_) => {}
                // The value of a failed run is in its rows.
                None if *reason == Reason::Failed && run.reading != Reading::Blank => {}
                None => {
                    let whole = self.whole(number, run, *reason, duplicates);
                    let detail = detail.clone();
                    self.candidates.push(Candidate { detail, ..whole });
                    return;
                }
            }
        }
        if run.reading == Reading::Failed || run.done().is_none() {
            // Without its metrics the value of its checkpoints is unknown.
            return;
        }
        let kept = Kept::of(run, &self.policy);
        self.checkpoints(number, run, &kept, duplicates, reason.as_ref());
        self.optimisers(number, run, &kept);
    }

    /// Checkpoints of epochs that no rule keeps, that are kept in a run that would go if it held
    /// nothing, or that another equals.
    fn checkpoints(
        &mut self,
        number: usize,
        run: &Surveyed,
        kept: &Kept,
        duplicates: &Duplicates,
        of_run: Option<&(Reason, String)>,
    ) {
        let of_run = of_run.filter(|(reason, _)| *reason != Reason::Duplicate);
        for weights in &run.weights {
            if kept.always.contains(weights.path.as_os_str()) {
                continue;
            }
            let is_kept = kept.by_rules.contains(weights.path.as_os_str());
            let twin = duplicates.files.get(&weights.path);
            let reason = match (is_kept, of_run, twin) {
                (false, ..) => Reason::Superseded,
                (true, Some((reason, _)), _) => *reason,
                (true, None, Some(_)) => Reason::Duplicate,
                (true, None, None) => continue,
            };
            let (taken, stats) = (weights.taken.clone(), weights.stats.clone());
            let mut new = candidate(number, reason, &weights.path, taken, stats);
            new.what = what(weights);
            new.is_in = reason == Reason::Superseded;
            new.places.extend(run.place_of(weights));
            if reason == Reason::Duplicate {
                new.relies_on.extend(twin.cloned());
                let twin = twin.map(|(path, _)| shown(path)).unwrap_or_default();
                new.detail = format!("the same as {twin}");
            } else {
                new.relies_on.clone_from(&kept.relied_on);
                new.detail = of_run.map(|(_, detail)| detail.clone()).unwrap_or_default();
            }
            self.candidates.push(new);
        }
    }

    fn optimisers(&mut self, number: usize, run: &Surveyed, kept: &Kept) {
        for weights in &run.weights {
            let path = weights.path.as_os_str();
            let stays = kept.always.contains(path) || kept.by_rules.contains(path);
            if weights.optimiser_bytes == 0 || !stays {
                continue;
            }
            let bytes = if weights.taken.iter().any(|taken| taken.linked.is_some()) {
                0
            } else {
                weights.optimiser_bytes
            };
            let detail = match (weights.role, run.state) {
                (Role::Last, State::Finished) => "the run can then not be trained further",
                (Role::Last, _) => "the run can then no longer be resumed",
                _ => "no training can then resume from it",
            };
            self.candidates.push(Candidate {
                what: what(weights),
                detail: detail.to_owned(),
                taken: vec![Taken::plain(bytes)],
                places: run.place_of(weights).into_iter().collect(),
                ..candidate(
                    number,
                    Reason::OptimiserState,
                    &weights.path,
                    weights.taken.clone(),
                    weights.stats.clone(),
                )
            });
        }
    }

    /// Why a run may go, if it holds nothing that would be missed, and more about it.
    fn reason(
        &self,
        number: usize,
        run: &Surveyed,
        duplicates: &Duplicates,
        now: Timestamp,
    ) -> Option<(Reason, String)> {
        if let Some(twin) = duplicates.runs.get(&number) {
            let twin = &self.survey.runs[*twin];
            return Some((Reason::Duplicate, format!("the same as {}", twin.name)));
        }
        if run.state == State::Failed && (run.reading == Reading::Blank || run.epochs_done > 0) {
            return Some((Reason::Failed, format!("after {}", run.extent())));
        }
        if run.reading == Reading::Blank && self.policy.min_epochs > 0 {
            return Some((Reason::Empty, run.state.to_string()));
        }
        // Fewer epochs are less training only where each is a row: one epoch of a language model
        // may take weeks.
        let has_few = run.has_row_per_epoch && run.epochs_done < self.policy.min_epochs;
        if has_few && run.epochs_done > 0 {
            return Some((Reason::FewEpochs, run.extent()));
        }
        let days = now.duration_since(run.modified_at).as_hours() / 24;
        let is_marked = Protection::ALL
            .iter()
            .any(|mark| mark.holds(&run.notes, run.is_evaluated));
        let has_age = self.policy.max_age > 0 && days >= i64::from(self.policy.max_age);
        (has_age && !is_marked).then(|| (Reason::Old, format!("{days} days old, {}", run.extent())))
    }

    fn whole(
        &self,
        number: usize,
        run: &Surveyed,
        reason: Reason,
        duplicates: &Duplicates,
    ) -> Candidate {
        let twin = duplicates
            .runs
            .get(&number)
            .filter(|_| reason == Reason::Duplicate);
        let relies_on = twin.map_or_else(Vec::new, |twin| {
            Kept::of(&self.survey.runs[*twin], &self.policy).relied_on
        });
        Candidate {
            run: number,
            reason,
            what: "the whole run".to_owned(),
            detail: String::new(),
            paths: vec![run.dir.path().to_owned()],
            is_whole: true,
            taken: run.taken.clone(),
            places: run.done().into_iter().collect(),
            cost_s: None,
            is_in: false,
            expected: Vec::new(),
            relies_on,
        }
    }
}

fn candidate(
    run: usize,
    reason: Reason,
    path: &Path,
    taken: Vec<Taken>,
    expected: Vec<(PathBuf, FileStat)>,
) -> Candidate {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Candidate {
        run,
        reason,
        what: text::clean(&name).into_owned(),
        detail: String::new(),
        paths: vec![path.to_owned()],
        is_whole: false,
        taken,
        places: Vec::new(),
        cost_s: None,
        is_in: false,
        expected,
        relies_on: Vec::new(),
    }
}

fn what(weights: &Weights) -> String {
    match weights.role {
        Role::Epoch(epoch) => format!("epoch {epoch}"),
        Role::Step(step) => format!("step {step}"),
        _ => {
            let name = weights.path.file_name().unwrap_or_default();
            text::clean(&name.to_string_lossy()).into_owned()
        }
    }
}

fn shown(path: &Path) -> String {
    let parts: Vec<_> = path.iter().rev().take(2).collect();
    let parts: Vec<_> = parts
        .iter()
        .rev()
        .map(|part| part.to_string_lossy())
        .collect();
    text::clean(&parts.join("/")).into_owned()
}
