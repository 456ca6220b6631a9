//! Jobs that change runs: notes, names, archives, logs. Each change can be undone.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::jobs;
use traintop_disk::Progress;
use traintop_ops::archive::{self, Archived, Unarchived};
use traintop_ops::organise::Rebuilt;
use traintop_ops::rename::{self, RenameRequest, Renamed, Step};
use traintop_ops::trash::{self, Ticket};
use traintop_run::found::Found;
use traintop_run::name_template::Values;
use traintop_run::notes::{self, Annotated, Change};
use traintop_run::state::State as RunState;
use traintop_run::summary::Summary;
use traintop_run::{RunDir, templates};
use traintop_text::clean;

/// A job that changes runs, or plans a change.
#[derive(Debug, Clone, PartialEq)]
pub enum EditJob {
    /// Change what people added to some runs.
    Annotate(Vec<RunDir>, Change),
    /// Give a run's folder this name.
    Rename(RunDir, String),
    /// Read what these runs could be named by.
    Gather(Vec<RunDir>),
    /// Give runs' folders the names of a plan, made by a template.
    RenameAll(Vec<Step>, String),
    /// Finish or undo what a killed program left half done.
    Recover,
    /// Say what archiving these runs would do.
    ProposeArchive(Vec<RunDir>),
    Archive(Vec<RunDir>),
    /// Restore these archived runs.
    Unarchive(Vec<RunDir>),
    /// Say which logs of these runs could be made again.
    ProposeRebuild(Vec<RunDir>),
    /// Make them.
    Rebuild(Vec<RunDir>),
    /// Undo this change.
    Undo(UndoEntry),
}

/// A change that can be undone.
#[derive(Debug, Clone, PartialEq)]
pub enum UndoEntry {
    /// Notes were changed.
    Annotated(Vec<Annotated>),
    /// Folders got other names.
    Renamed(Vec<Renamed>),
    Archived(Vec<(RunDir, Archived)>),
    /// Archived runs were restored.
    Unarchived(Vec<(RunDir, Unarchived)>),
    /// Logs were made again.
    Rebuilt(Vec<Rebuilt>),
    /// Things were moved to the trash.
    Removed(Vec<Ticket>),
}

/// What is known of the runs that are to be renamed, read from the disk once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Gathered {
    /// Each run, what it is doing, and what it could be named by.
    pub runs: Vec<(RunDir, RunState, Values)>,
    /// Every path that there is beside them.
    pub taken: HashSet<PathBuf>,
    /// Templates that were used, the last first.
    pub kept: Vec<String>,
}

/// The result of a job.
#[derive(Debug)]
pub enum EditOutcome {
    /// Some runs' notes were changed, how to undo that, and why those of others were not.
    Annotated(Vec<RunDir>, Option<UndoEntry>, Option<String>),
    /// Folders have other names: before and after, and how to undo that.
    Moved(Vec<(RunDir, RunDir)>, Option<UndoEntry>),
    /// What runs could be named by.
    Gathered(Box<Gathered>),
    /// What was left half done and is finished or undone now, as sentences.
    Recovered(Vec<String>),
    /// What a job would do: a question's title, its text, the word for yes, and the job.
    Proposed(String, String, String, Box<EditJob>),
    /// Runs' files have changed: which runs, what to say, how to undo it, and what went wrong.
    Changed(Vec<RunDir>, String, Option<UndoEntry>, Option<String>),
    /// This could not be undone, and why.
    NotUndone(UndoEntry, String),
    /// What was typed could not be saved: its editor opens again, so that nothing is lost.
    NotSaved { job: EditJob, problem: String },
    /// It was refused, or failed: one sentence.
    Refused(String),
}

/// Runs a job; this takes as long as the disk does.
pub fn carry_out(roots: &[PathBuf], job: EditJob, progress: &Arc<Progress>) -> EditOutcome {
    let done = match job {
        EditJob::ProposeArchive(dirs) => jobs::archive::propose_archive(&dirs),
        EditJob::Archive(dirs) => Ok(jobs::archive::archive(roots, &dirs, progress)),
        EditJob::Unarchive(dirs) => Ok(jobs::archive::unarchive(roots, &dirs, progress)),
        EditJob::Undo(UndoEntry::Archived(archived)) => Ok(jobs::archive::take_back(archived)),
        EditJob::Undo(UndoEntry::Unarchived(unarchived)) => {
            Ok(jobs::archive::pack_again(unarchived))
        }
        EditJob::Undo(UndoEntry::Rebuilt(rebuilt)) => Ok(jobs::archive::unmake(rebuilt)),
        EditJob::ProposeRebuild(dirs) => jobs::archive::propose_rebuild(&dirs),
        EditJob::Rebuild(dirs) => Ok(jobs::archive::rebuild(&dirs, progress)),
        EditJob::Annotate(dirs, change) => Ok(annotate(&dirs, &change)),
        EditJob::Rename(dir, name) => Ok(rename_one(dir, name)),
        EditJob::Undo(UndoEntry::Removed(tickets)) => trash::restore_all(&tickets)
            .map(|_| EditOutcome::Moved(Vec::new(), None))
            .map_err(|error| error.to_string()),
        EditJob::Undo(UndoEntry::Annotated(annotated)) => Ok(take_notes_back(&annotated)),
        EditJob::Undo(UndoEntry::Renamed(renamed)) => Ok(names_back(renamed)),
        EditJob::Gather(dirs) => Ok(EditOutcome::Gathered(Box::new(gather(&dirs)))),
        EditJob::RenameAll(steps, template) => rename_all(&steps, Some(&template)),
        EditJob::Recover => {
            let mut said = rename::recover();
            said.extend(archive::recover());
            Ok(EditOutcome::Recovered(said))
        }
    };
    done.unwrap_or_else(|problem| EditOutcome::Refused(clean(&problem).into_owned()))
}

/// Changes the notes of each run; one that cannot be changed does not keep the others from it.
fn annotate(dirs: &[RunDir], change: &Change) -> EditOutcome {
    let (mut done, mut problems) = (Vec::new(), Vec::new());
    for dir in dirs {
        match notes::annotate(dir, change) {
            Ok(annotated) => done.push(annotated),
            Err(error) => problems.push(error.to_string()),
        }
    }
    if let (true, true, Some(problem)) = (done.is_empty(), change.is_typed(), first_of(&problems)) {
        let job = EditJob::Annotate(dirs.to_vec(), change.clone());
        return EditOutcome::NotSaved { job, problem };
    }
    let changed = done.iter().map(|annotated| annotated.dir.clone()).collect();
    let undo_entry = (!done.is_empty()).then_some(UndoEntry::Annotated(done));
    EditOutcome::Annotated(changed, undo_entry, first_of(&problems))
}

fn take_notes_back(annotated: &[Annotated]) -> EditOutcome {
    let back = annotated.iter().map(notes::undo);
    let problems: Vec<_> = back
        .filter_map(|done| done.err().map(|error| error.to_string()))
        .collect();
    let changed = annotated.iter().map(|annotated| annotated.dir.clone());
    EditOutcome::Annotated(changed.collect(), None, first_of(&problems))
}

/// The first of some problems, and how many more there are, as one line.
pub fn first_of(problems: &[String]) -> Option<String> {
    let first = clean(problems.first()?).into_owned();
    Some(match problems.len() - 1 {
        0 => first,
        more => format!("{first} (and {more} more)"),
    })
}

fn rename_one(dir: RunDir, name: String) -> EditOutcome {
    let wish = RenameRequest {
        state: rename::state_now(&dir),
        name: Ok(name.clone()),
        dir: dir.clone(),
    };
    let steps = rename::plan(vec![wish], |path| path.symlink_metadata().is_ok());
    rename_all(&steps, None).unwrap_or_else(|problem| EditOutcome::NotSaved {
        job: EditJob::Rename(dir, name),
        problem: clean(&problem).into_owned(),
    })
}

fn names_back(renamed: Vec<Renamed>) -> EditOutcome {
    match rename::undo(&renamed) {
        Ok(sentences) => {
            for sentence in sentences {
                log::warn!("{sentence}");
            }
            let moved = |renamed: &Renamed| (renamed.to.clone(), renamed.from.clone());
            EditOutcome::Moved(renamed.iter().map(moved).collect(), None)
        }
        Err((path, cause)) => {
            let problem = format!("{}: keeps its name ({cause})", path.display());
            EditOutcome::NotUndone(UndoEntry::Renamed(renamed), clean(&problem).into_owned())
        }
    }
}

/// Reads what runs could be named by, and what there is beside them.
fn gather(dirs: &[RunDir]) -> Gathered {
    let now = SystemTime::now();
    let run = |(number, dir): (usize, &RunDir)| {
        let summary = Summary::load(&Found::look(dir.clone()), now);
        let values = Values::gather(&summary, number + 1);
        (dir.clone(), summary.observed.state, values)
    };
    let parents: HashSet<_> = dirs.iter().filter_map(|dir| dir.path().parent()).collect();
    let entries = parents
        .into_iter()
        .filter_map(|parent| parent.read_dir().ok());
    Gathered {
        runs: dirs.iter().enumerate().map(run).collect(),
        taken: entries
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect(),
        kept: templates::load(),
    }
}

fn rename_all(steps: &[Step], template: Option<&str>) -> Result<EditOutcome, String> {
    let renamed = rename::apply(steps).map_err(|error| error.to_string())?;
    if let Some(Err(error)) = template.map(templates::keep) {
        log::warn!("the template is not kept: {error}");
    }
    let moved = renamed
        .iter()
        .map(|renamed| (renamed.from.clone(), renamed.to.clone()));
    let moved = moved.collect();
    Ok(EditOutcome::Moved(moved, Some(UndoEntry::Renamed(renamed))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_and_cannot_be_saved_is_in_the_outcome() {
        let dir = RunDir::new("/nowhere/run");
        let note = Change::Note("seed 3".to_owned());
        let jobs = [
            EditJob::Annotate(vec![dir.clone()], note),
            EditJob::Rename(dir, "better".to_owned()),
        ];
        for typed in jobs {
            let EditOutcome::NotSaved { job, problem } =
                carry_out(&[], typed.clone(), &Arc::default())
            else {
                panic!("it was saved");
            };
            assert_eq!(job, typed);
            assert!(!problem.is_empty());
        }
    }
}
