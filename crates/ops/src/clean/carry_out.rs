//! Moves what a plan says to the trash. Each thing is checked again at the instant before it moves.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;

use super::candidate::{Candidate, Reason};
use super::evaluated::EvaluatedRuns;
use super::in_use::InUse;
use super::obstacle::Obstacle;
use super::optimiser;
use super::plan::Plan;
use super::policy::Policy;
use super::survey::Surveyed;
use super::walk::walk;
use crate::rename::{held, state_now};
use crate::trash::{Removal, Rewrite, Thing, Ticket, TrashError, remove_below};
use traintop_disk::FileStat;
use traintop_run::evaluation::{EVALUATIONS, EvaluationDir};
use traintop_run::found::Found;
use traintop_run::layout::RunDir;
use traintop_run::notes::Notes;
use traintop_run::record::Record;
use traintop_text as text;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// By which it can be undone.
    pub tickets: Vec<Ticket>,
    /// Things in the trash now.
    pub count: usize,
    /// What purging them frees.
    pub bytes: u64,
    /// What stayed, and why.
    pub left: Vec<(PathBuf, String)>,
    /// Runs whose folders are in the trash now.
    pub runs: Vec<RunDir>,
}

impl Done {
    /// What was done, in a sentence.
    pub fn sentence(&self) -> String {
        let things = |count: usize| {
            let plural = if count == 1 { "" } else { "s" };
            format!("{} thing{plural}", text::count(count as u64))
        };
        let mut sentence = if self.count == 0 {
            "nothing was removed".to_owned()
        } else {
            format!(
                "{} in the trash, {} to be freed by purging",
                things(self.count),
                text::bytes(self.bytes)
            )
        };
        if let Some((path, why)) = self.left.first() {
            let name = path.display().to_string();
            let count = things(self.left.len());
            let name = text::clean(&name);
            sentence = format!("{sentence}; {count} stayed: {name}: {why}");
        }
        sentence
    }
}

/// Carries a plan out: what is in it, and may still go, is in the trash of its root afterwards.
///
/// # Errors
/// If the system refuses; then nothing has moved.
pub fn carry_out(plan: &Plan, roots: &[PathBuf], now: Timestamp) -> Result<Done, TrashError> {
    let going = || plan.candidates.iter().filter(|candidate| candidate.is_in);
    let by_path: HashMap<&Path, &Candidate> = going()
        .flat_map(|candidate| {
            let paths = candidate.paths.iter();
            paths.map(move |path| (path.as_path(), candidate))
        })
        .collect();
    let things = going().flat_map(|candidate| {
        let rewrite = optimiser::drop_state as Rewrite;
        let instead = (candidate.reason == Reason::OptimiserState).then_some(rewrite);
        let paths = candidate.paths.iter();
        paths.map(move |path| Thing {
            path: path.clone(),
            instead,
        })
    });
    let removal = Removal {
        things: things.collect(),
        by: "clean".to_owned(),
        why: plan.action(),
        now,
    };
    let mut guard = Guard {
        policy: &plan.policy,
        last: None,
        evaluated: HashMap::new(),
        in_use: None,
    };
    let mut check = |path: &Path| {
        let candidate = by_path.get(path).ok_or("it is not in the plan")?;
        guard.allows(candidate, &plan.survey.runs[candidate.run])
    };
    let mut done = remove(roots, &removal, &mut check)?;
    let whole = going().filter(|candidate| candidate.is_whole);
    let whole = whole.map(|candidate| plan.survey.runs[candidate.run].dir.clone());
    done.runs = whole.filter(|dir| !dir.path().exists()).collect();
    Ok(done)
}

/// Moves whole runs to the trash because the user asked for just these: refused are only runs at
/// work, and folders under version control or with other runs in them.
///
/// # Errors
/// If the system refuses; then nothing has moved.
pub fn remove_runs(dirs: &[RunDir], roots: &[PathBuf], now: Timestamp) -> Result<Done, TrashError> {
    let mut check = |path: &Path| {
        if let Some(why) = held(state_now(&RunDir::new(path))) {
            return Err(why);
        }
        // Removing a run does not include other things in its folder.
        match walk(path, SystemTime::now()).obstacle {
            Some(obstacle @ (Obstacle::VersionControl(_) | Obstacle::RunBelow(_))) => {
                Err(format!("{obstacle}; move it by hand"))
            }
            _ => Ok(()),
        }
    };
    let removal = chosen(dirs.iter().map(RunDir::path), now);
    let mut done = remove(roots, &removal, &mut check)?;
    done.runs = dirs
        .iter()
        .filter(|dir| !dir.path().exists())
        .cloned()
        .collect();
    Ok(done)
}

/// Moves evaluations to the trash because the user asked for just these. They are whole, and
/// nothing writes to them.
///
/// # Errors
/// If the system refuses, or one is outside the roots; then nothing has moved.
pub fn remove_evaluations(
    dirs: &[EvaluationDir],
    roots: &[PathBuf],
    now: Timestamp,
) -> Result<Done, TrashError> {
    let removal = chosen(dirs.iter().map(EvaluationDir::path), now);
    remove(roots, &removal, &mut |_| Ok(()))
}

fn chosen<'a>(folders: impl Iterator<Item = &'a Path>, now: Timestamp) -> Removal {
    Removal {
        things: folders.map(|folder| folder.to_owned().into()).collect(),
        by: "remove".to_owned(),
        why: "chosen by hand".to_owned(),
        now,
    }
}

fn remove(
    roots: &[PathBuf],
    removal: &Removal,
    check: crate::trash::Check,
) -> Result<Done, TrashError> {
    let (tickets, removed) = remove_below(roots, removal, check)?;
    let mut done = Done {
        tickets,
        ..Done::default()
    };
    for part in removed {
        let entry = part.entry.iter();
        done.count += entry.clone().map(|entry| entry.items.len()).sum::<usize>();
        done.bytes += entry.map(|entry| entry.bytes).sum::<u64>();
        done.left.extend(part.left);
    }
    Ok(done)
}

/// Asks again.
struct Guard<'a> {
    policy: &'a Policy,
    /// The last run that was checked, and the result: the things of a run come one after the other.
    last: Option<(PathBuf, Result<(), String>)>,
    /// The evaluated runs of each output tree, with the stat of its folder of evaluations when they
    /// were read.
    evaluated: HashMap<PathBuf, (Option<FileStat>, EvaluatedRuns)>,
    /// Files that processes have open, once a whole run is checked.
    in_use: Option<InUse>,
}

impl Guard<'_> {
    fn allows(&mut self, candidate: &Candidate, run: &Surveyed) -> Result<(), String> {
        let folder = run.dir.path();
        let verdict = match &self.last {
            Some((last, verdict)) if last == folder => verdict.clone(),
            _ => {
                let verdict = self.run_may_change(run);
                self.last = Some((folder.to_owned(), verdict.clone()));
                verdict
            }
        };
        verdict?;
        if candidate.is_whole {
            self.may_go_whole(run)?;
        }
        let is_as_it_was =
            |(path, stat): &(PathBuf, FileStat)| FileStat::at(path).is_ok_and(|now| now == *stat);
        if !candidate.expected.iter().all(is_as_it_was_or_gone) {
            return Err("it has changed since the plan was made".to_owned());
        }
        if let Some((path, _)) = candidate.relies_on.iter().find(|kept| !is_as_it_was(kept)) {
            return Err(format!(
                "{}, the copy to keep, has changed or is missing",
                path.display()
            ));
        }
        Ok(())
    }

    /// Whether nothing in a run's folder has changed, nor is open.
    fn may_go_whole(&mut self, run: &Surveyed) -> Result<(), String> {
        let folder = run.dir.path();
        if walk(folder, SystemTime::now()).fingerprint != run.fingerprint {
            return Err("something in it has changed since the plan was made".to_owned());
        }
        let in_use = self.in_use.get_or_insert_with(InUse::now);
        match in_use.process_in(folder) {
            Some(process) => Err(format!("process {process} has something in it open")),
            None => Ok(()),
        }
    }

    /// Whether an evaluation names a run; evaluations are read again if some came or went.
    fn is_evaluated(&mut self, dir: &RunDir, id: &str) -> bool {
        let Some(tree) = dir.output_tree() else {
            return false;
        };
        let stat = FileStat::at(&tree.join(EVALUATIONS)).ok();
        let known = self.evaluated.get(tree).filter(|known| known.0 == stat);
        if known.is_none() {
            let read = (stat, EvaluatedRuns::read(tree));
            self.evaluated.insert(tree.to_owned(), read);
        }
        let runs = self.evaluated.get(tree);
        runs.is_some_and(|(_, runs)| runs.holds(id, dir))
    }

    fn run_may_change(&mut self, run: &Surveyed) -> Result<(), String> {
        if let Some(why) = held(state_now(&run.dir)) {
            return Err(why);
        }
        if Found::look(run.dir.clone()).modified != run.modified {
            return Err("its run has changed since the plan was made".to_owned());
        }
        let notes = Notes::load(&run.dir).map_err(|error| error.to_string())?;
        let record = Record::load(&run.dir).ok().flatten();
        // A run of another trainer is known by its folder.
        let id = record.map_or_else(|| run.dir.path().display().to_string(), |record| record.id);
        let is_evaluated = self.is_evaluated(&run.dir, &id);
        let mut protect = self.policy.protect.iter();
        match protect.find(|protection| protection.holds(&notes, is_evaluated)) {
            Some(protection) => Err(format!("its run is {protection}")),
            None => Ok(()),
        }
    }
}

/// Files of a candidate that have moved already are gone.
fn is_as_it_was_or_gone((path, stat): &(PathBuf, FileStat)) -> bool {
    FileStat::at(path).map_or(true, |now| now == *stat)
}
