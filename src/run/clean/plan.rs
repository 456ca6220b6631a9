//! What could go: pure, from what was surveyed and the policy.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::candidate::{Candidate, Order, Reason};
use super::policy::{Policy, Protection};
use super::survey::{Role, Survey, Surveyed, Weights};
use super::twins::Twins;
use crate::disk::Look;
use crate::run::rename::held;
use crate::run::size::Taken;
use crate::run::state::State;
use crate::text;

/// What could go.
#[derive(Clone, PartialEq)]
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
    /// How candidates of one reason are ordered.
    pub order: Order,
}

/// Short: logs write down what was ordered.
impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Plan of {} candidates", self.candidates.len())
    }
}

impl Plan {
    /// Decides, and orders what it decided.
    pub fn new(survey: &Arc<Survey>, policy: Policy, twins: &Twins, now: Timestamp) -> Self {
        let mut plan = Self::decide(survey, policy, twins, now);
        plan.sort();
        plan
    }

    /// Decides alone: to order much takes longer.
    pub(super) fn decide(
        survey: &Arc<Survey>,
        policy: Policy,
        twins: &Twins,
        now: Timestamp,
    ) -> Self {
        let mut plan = Self {
            survey: Arc::clone(survey),
            policy,
            candidates: Vec::new(),
            at_work: 0,
            protected: 0,
            order: Order::Size,
        };
        for (number, run) in survey.runs.iter().enumerate() {
            if held(run.state).is_some() {
                plan.at_work += 1;
            } else if plan.protection(run).is_some() {
                plan.protected += 1;
            } else {
                plan.one(number, run, twins, now);
            }
        }
        plan
    }

    /// What protects a run; `None` if nothing does.
    pub fn protection(&self, run: &Surveyed) -> Option<Protection> {
        let mut protect = self.policy.protect.iter().copied();
        protect.find(|protection| protection.holds(&run.notes, run.is_evaluated))
    }

    /// The files of weights that stay whatever is marked: what duplicates are looked for among.
    pub fn staying(&self) -> impl Iterator<Item = &Weights> {
        // Hashed as bytes: part by part it takes several times as long.
        let going: HashSet<&OsStr> = self
            .candidates
            .iter()
            .filter(|candidate| candidate.reason != Reason::OptimiserState)
            .flat_map(|candidate| candidate.paths.iter().map(|path| path.as_os_str()))
            .collect();
        self.survey.runs.iter().flat_map(move |run| {
            let is_whole = going.contains(run.dir.path().as_os_str());
            let stays = |weights: &&Weights| !is_whole && !going.contains(weights.path.as_os_str());
            run.weights.iter().filter(stays).collect::<Vec<_>>()
        })
    }

    fn one(&mut self, number: usize, run: &Surveyed, twins: &Twins, now: Timestamp) {
        for (path, taken, look) in &run.temporary {
            self.candidates.push(Candidate {
                cost_s: Some(0.0),
                ..candidate(number, Reason::Temporary, (path, *taken, *look))
            });
        }
        // Its archive may hold the last copy of its best model.
        if run.is_archived {
            return;
        }
        let best = best_of(run);
        if let Some((reason, detail)) = self.whole_reason(number, run, twins, now) {
            let whole = self.whole(number, run, &best, reason, twins);
            if let Some(whole) = whole {
                self.candidates.push(Candidate { detail, ..whole });
                return;
            }
        }
        let kept = self.kept(run, &best);
        for weights in &run.weights {
            let is_kept = kept.contains(weights.path.as_os_str());
            let twin = twins.files.get(&weights.path);
            let reason = match (is_kept, twin) {
                (false, _) => Reason::Superseded,
                (true, Some(_)) => Reason::Duplicate,
                _ => continue,
            };
            let mut new = candidate(number, reason, (&weights.path, weights.taken, weights.look));
            new.what = what(weights);
            new.epochs.extend(epoch_of(run, weights));
            if reason == Reason::Superseded {
                new.relies_on = best
                    .iter()
                    .map(|best| (best.path.clone(), best.look))
                    .collect();
                if weights.role == Role::Last && run.state != State::Finished {
                    "the run can then no longer be resumed".clone_into(&mut new.detail);
                }
            } else if let Some(twin) = twin {
                new.detail = format!("the same as {}", shown(twin));
                new.relies_on.extend(self.look_of(twin));
            }
            self.candidates.push(new);
        }
        for weights in &run.weights {
            if weights.optimiser_bytes > 0 && kept.contains(weights.path.as_os_str()) {
                let bytes = if weights.taken.linked.is_some() {
                    0
                } else {
                    weights.optimiser_bytes
                };
                let detail = match (weights.role, run.state) {
                    (Role::Last, State::Finished) => "the run can then not be trained further",
                    (Role::Last, _) => "the run can then no longer be resumed",
                    _ => "no training can then go on from it",
                };
                self.candidates.push(Candidate {
                    what: what(weights),
                    detail: detail.to_owned(),
                    is_in: false,
                    taken: vec![Taken::plain(bytes)],
                    epochs: epoch_of(run, weights).into_iter().collect(),
                    ..candidate(
                        number,
                        Reason::OptimiserState,
                        (&weights.path, weights.taken, weights.look),
                    )
                });
            }
        }
    }

    /// Why all of a run may go, and more about it.
    fn whole_reason(
        &self,
        number: usize,
        run: &Surveyed,
        twins: &Twins,
        now: Timestamp,
    ) -> Option<(Reason, String)> {
        let epochs = |count: u32| {
            let plural = if count == 1 { "" } else { "s" };
            format!("{count} epoch{plural}")
        };
        // Weights of which no metrics tell may be all that is left of a long training.
        let is_told =
            run.epochs_done > 0 || run.weights.iter().all(|weights| weights.role == Role::Last);
        if let Some(twin) = twins.runs.get(&number) {
            let twin = &self.survey.runs[*twin];
            return Some((Reason::Duplicate, format!("the same as {}", twin.name)));
        }
        if run.epochs_done == 0 && self.policy.min_epochs > 0 && is_told {
            return Some((Reason::Empty, run.state.to_string()));
        }
        if run.state == State::Failed && is_told {
            return Some((Reason::Failed, format!("after {}", epochs(run.epochs_done))));
        }
        if run.epochs_done < self.policy.min_epochs && is_told {
            return Some((Reason::FewEpochs, epochs(run.epochs_done)));
        }
        let days = now.duration_since(run.modified_at).as_hours() / 24;
        let is_marked = Protection::ALL
            .iter()
            .any(|mark| mark.holds(&run.notes, run.is_evaluated));
        let has_age = self.policy.max_age > 0 && days >= i64::from(self.policy.max_age);
        (has_age && !is_marked).then(|| (Reason::Old, format!("{days} days old")))
    }

    /// All of a run; or, where its best model has no copy elsewhere, all weights but that; `None` if there are none.
    fn whole(
        &self,
        number: usize,
        run: &Surveyed,
        best: &[&Weights],
        reason: Reason,
        twins: &Twins,
    ) -> Option<Candidate> {
        let copy = run.copy_of_best.clone().or_else(|| {
            // A run that is the twin of another has nothing that the other has not.
            let twin = &self.survey.runs[*twins.runs.get(&number)?];
            let best = twin.weights.first()?;
            Some((best.path.clone(), best.look))
        });
        let nothing = Candidate {
            run: number,
            reason,
            what: String::new(),
            detail: String::new(),
            paths: Vec::new(),
            is_whole: false,
            taken: Vec::new(),
            epochs: Vec::new(),
            cost_s: None,
            is_in: true,
            expected: Vec::new(),
            relies_on: Vec::new(),
        };
        if best.is_empty() || copy.is_some() {
            return Some(Candidate {
                what: "the whole run".to_owned(),
                paths: vec![run.dir.path().to_owned()],
                is_whole: true,
                taken: run.taken.clone(),
                epochs: (run.epochs_done > 0)
                    .then_some(run.epochs_done)
                    .into_iter()
                    .collect(),
                relies_on: copy.filter(|_| !best.is_empty()).into_iter().collect(),
                ..nothing
            });
        }
        let others: Vec<&Weights> = run
            .weights
            .iter()
            .filter(|weights| !best.iter().any(|best| best.path == weights.path))
            .collect();
        (!others.is_empty()).then(|| Candidate {
            what: "all weights but its best".to_owned(),
            paths: others.iter().map(|weights| weights.path.clone()).collect(),
            taken: others.iter().map(|weights| weights.taken).collect(),
            epochs: others
                .iter()
                .filter_map(|weights| epoch_of(run, weights))
                .collect(),
            expected: others
                .iter()
                .map(|weights| (weights.path.clone(), weights.look))
                .collect(),
            relies_on: best
                .iter()
                .map(|best| (best.path.clone(), best.look))
                .collect(),
            ..nothing
        })
    }

    /// The files of weights that a rule keeps.
    fn kept<'a>(&self, run: &'a Surveyed, best: &[&'a Weights]) -> HashSet<&'a OsStr> {
        let policy = &self.policy;
        let mut kept: HashSet<&OsStr> = best.iter().map(|best| best.path.as_os_str()).collect();
        let last = run
            .weights
            .iter()
            .filter(|weights| weights.role == Role::Last);
        let others = run
            .weights
            .iter()
            .filter(|weights| weights.role == Role::Other);
        kept.extend(others.map(|weights| weights.path.as_os_str()));
        if policy.keep_last > 0 || best.is_empty() {
            kept.extend(last.clone().map(|weights| weights.path.as_os_str()));
        }
        let mut of_epochs: Vec<(u32, &Weights)> = run
            .weights
            .iter()
            .filter_map(|weights| match weights.role {
                Role::Epoch(epoch) => Some((epoch, weights)),
                _ => None,
            })
            .collect();
        of_epochs.sort_by_key(|(epoch, _)| std::cmp::Reverse(*epoch));
        let has_last = usize::from(last.clone().next().is_some());
        let last_ones = (policy.keep_last as usize).saturating_sub(has_last);
        let every = of_epochs
            .iter()
            .filter(|(epoch, _)| policy.keep_every > 0 && epoch % policy.keep_every == 0);
        let keep = of_epochs.iter().take(last_ones).chain(every);
        kept.extend(keep.map(|(_, weights)| weights.path.as_os_str()));
        // Which of them are the best cannot be told without their accuracies: then none is superseded.
        if of_epochs
            .iter()
            .all(|(_, weights)| weights.val_acc.is_none())
            && best.is_empty()
        {
            kept.extend(
                of_epochs
                    .iter()
                    .map(|(_, weights)| weights.path.as_os_str()),
            );
        }
        of_epochs.sort_by(|(_, a), (_, b)| accuracy(b).total_cmp(&accuracy(a)));
        let has_best = usize::from(best.iter().any(|weights| weights.role == Role::Best));
        let best_ones = (policy.keep_best as usize).saturating_sub(has_best);
        let scored = of_epochs
            .iter()
            .filter(|(_, weights)| weights.val_acc.is_some());
        kept.extend(
            scored
                .take(best_ones)
                .map(|(_, weights)| weights.path.as_os_str()),
        );
        kept
    }

    fn look_of(&self, path: &PathBuf) -> Option<(PathBuf, Look)> {
        let mut weights = self.survey.runs.iter().flat_map(|run| &run.weights);
        let found = weights.find(|weights| weights.path == *path)?;
        Some((path.clone(), found.look))
    }
}

/// The best weights of a run: the file that is named so, else the epoch with the best accuracy, else, where nothing tells, all epochs.
fn best_of(run: &Surveyed) -> Vec<&Weights> {
    let named: Vec<&Weights> = run
        .weights
        .iter()
        .filter(|weights| weights.role == Role::Best)
        .collect();
    if !named.is_empty() {
        return named;
    }
    let of_epochs = || {
        let weights = run.weights.iter();
        weights.filter(|weights| matches!(weights.role, Role::Epoch(_)))
    };
    let scored = of_epochs().filter(|weights| weights.val_acc.is_some());
    match scored.max_by(|a, b| accuracy(a).total_cmp(&accuracy(b))) {
        Some(best) => vec![best],
        None => of_epochs()
            .chain(
                run.weights
                    .iter()
                    .filter(|weights| weights.role == Role::Other),
            )
            .collect(),
    }
}

fn accuracy(weights: &Weights) -> f64 {
    weights.val_acc.unwrap_or(f64::NEG_INFINITY)
}

fn candidate(
    run: usize,
    reason: Reason,
    (path, taken, look): (&PathBuf, Taken, Look),
) -> Candidate {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Candidate {
        run,
        reason,
        what: text::clean(&name).into_owned(),
        detail: String::new(),
        paths: vec![path.clone()],
        is_whole: false,
        taken: vec![taken],
        epochs: Vec::new(),
        cost_s: None,
        is_in: true,
        expected: vec![(path.clone(), look)],
        relies_on: Vec::new(),
    }
}

fn what(weights: &Weights) -> String {
    match weights.role {
        Role::Epoch(epoch) => format!("epoch {epoch}"),
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

/// The epoch that weights are of, where that is known.
pub(super) fn epoch_of(run: &Surveyed, weights: &Weights) -> Option<u32> {
    match weights.role {
        Role::Best => run.best_epoch,
        Role::Last => Some(run.epochs_done),
        Role::Epoch(epoch) => Some(epoch),
        Role::Other => None,
    }
}
