//! How effects go through the pool: each has a short name for logs and the bottom line, a class,
//! and the keys by which jobs on the same run keep their order.

use super::effect::Effect;
use super::pool::{Class, Kind};
use crate::jobs;
use crate::jobs::edits::{EditJob, UndoEntry};
use traintop_run::RunDir;

/// Changes of more runs than this are long.
const MANY: usize = 64;

/// What a job holds while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// A run, whose files it changes.
    Run(RunDir),
    /// A run's process. A kill does not wait for a change of the files.
    Process(RunDir),
    /// What was read of an opened run. Not the run: it can be looked at while it is archived.
    Opened(RunDir),
    /// Which folders there are: a search must not see half of a renaming and take marks for lost.
    Folders,
    /// The folders that are watched.
    Watcher,
    /// The user's settings.
    Settings,
}

impl Effect {
    /// What the pool has to know of it.
    pub fn kind(&self) -> Kind<Key> {
        let (name, class) = self.name_and_class();
        let keys = self.keys();
        Kind {
            name,
            class,
            is_change: keys.iter().any(|key| matches!(key, Key::Run(_))),
            keys,
        }
    }

    fn name_and_class(&self) -> (&'static str, Class) {
        match self {
            Self::Discover | Self::LookIntoDatabases(_) => ("search", Class::Bulk),
            // One run has changed: its row is to say so soon.
            Self::Summarise(dirs) if dirs.len() <= MANY => ("read runs", Class::Quick),
            Self::Summarise(_) => ("read runs", Class::Bulk),
            Self::Read(_) => ("read run", Class::Quick),
            Self::Close(_) => ("close run", Class::Quick),
            Self::Watch(_) => ("watch", Class::Quick),
            Self::WatchThen(..) => ("watch and read", Class::Bulk),
            Self::AwaitEnd(_) => ("await end", Class::Quick),
            Self::Measure(_) => ("measure", Class::Bulk),
            Self::FindZone => ("find time zone", Class::Quick),
            Self::ListRecipes => ("list recipes", Class::Quick),
            Self::ReadRecipe(_) => ("read recipe", Class::Quick),
            Self::Launch(_) => ("start run", Class::Quick),
            Self::Form(jobs::form::FormJob::Learn(_) | jobs::form::FormJob::Plan(..)) => {
                ("plan runs", Class::Bulk)
            }
            Self::Form(_) => ("new run", Class::Quick),
            Self::Stop(_) | Self::StopAll(_) => ("stop", Class::Quick),
            Self::Steer(_) => ("steer", Class::Quick),
            Self::LoadMarks | Self::SaveMarks(_) => ("marks", Class::Quick),
            Self::Remember(_) => ("save table", Class::Quick),
            Self::ValuesAtEpoch(..) => ("read values", Class::Bulk),
            Self::Evaluate(
                jobs::evaluations::EvaluationJob::Find { .. }
                | jobs::evaluations::EvaluationJob::Look(_),
            ) => ("find evaluations", Class::Bulk),
            Self::Evaluate(_) => ("evaluations", Class::Quick),
            Self::Compare(_) => ("compare", Class::Quick),
            Self::Alert(_) => ("alerts", Class::Quick),
            Self::Edit(job) => job.name_and_class(),
            Self::Clean(job) => job.name_and_class(),
            Self::TransformCharts(_) => ("chart", Class::Quick),
            Self::LoadCharts | Self::SaveCharts(_) => ("chart settings", Class::Quick),
            Self::Export(_) => ("export", Class::Long),
            Self::SaveTheme(_) => ("save theme", Class::Quick),
            Self::JudgeBy { .. } => ("judge runs", Class::Bulk),
            Self::FlushCache => ("save cache", Class::Quick),
            // Not for the pool.
            Self::SampleUsage(_)
            | Self::CancelJobs
            | Self::Ring(_)
            | Self::Copy(_)
            | Self::Suspend
            | Self::TakeTerminal
            | Self::Quit => ("nothing", Class::Quick),
        }
    }

    fn keys(&self) -> Vec<Key> {
        match self {
            Self::Read(dir) | Self::Close(dir) => vec![Key::Opened(dir.clone())],
            Self::Discover | Self::LookIntoDatabases(_) => vec![Key::Folders],
            Self::Watch(_) => vec![Key::Watcher],
            Self::WatchThen(_, then) => {
                let mut keys = then.keys();
                keys.push(Key::Watcher);
                keys
            }
            Self::SaveCharts(_) | Self::SaveTheme(_) | Self::JudgeBy { .. } => {
                vec![Key::Settings]
            }
            Self::Stop(dir) => vec![Key::Process(dir.clone())],
            Self::StopAll(dirs) => dirs.iter().cloned().map(Key::Process).collect(),
            Self::Steer(job) => job.keys(),
            Self::Edit(job) => job.keys(),
            Self::Clean(job) => job.keys(),
            _ => Vec::new(),
        }
    }
}

fn of_runs<'a>(dirs: impl IntoIterator<Item = &'a RunDir>) -> Vec<Key> {
    dirs.into_iter().cloned().map(Key::Run).collect()
}

fn renaming<'a>(dirs: impl IntoIterator<Item = &'a RunDir>) -> Vec<Key> {
    let mut keys = of_runs(dirs);
    keys.push(Key::Folders);
    keys
}

fn by_count(count: usize) -> Class {
    if count > MANY {
        Class::Long
    } else {
        Class::Quick
    }
}

impl EditJob {
    fn name_and_class(&self) -> (&'static str, Class) {
        match self {
            Self::Annotate(dirs, _) => ("annotate", by_count(dirs.len())),
            Self::Rename(..) => ("rename", Class::Quick),
            Self::RenameAll(steps, _) => ("rename", by_count(steps.len())),
            Self::Gather(_) => ("read names", Class::Bulk),
            Self::Recover => ("recover", Class::Quick),
            Self::ProposeArchive(_) => ("plan archive", Class::Bulk),
            Self::Archive(_) => ("archive", Class::Long),
            Self::Unarchive(_) => ("unarchive", Class::Long),
            Self::ProposeRebuild(_) => ("plan rebuild", Class::Bulk),
            Self::Rebuild(_) => ("rebuild", Class::Long),
            Self::Undo(UndoEntry::Annotated(done)) => ("undo", by_count(done.len())),
            Self::Undo(UndoEntry::Renamed(done)) => ("undo", by_count(done.len())),
            Self::Undo(UndoEntry::Removed(_)) => ("undo", Class::Quick),
            Self::Undo(_) => ("undo", Class::Long),
        }
    }

    fn keys(&self) -> Vec<Key> {
        match self {
            Self::Annotate(dirs, _)
            | Self::Archive(dirs)
            | Self::Unarchive(dirs)
            | Self::Rebuild(dirs) => of_runs(dirs),
            Self::Rename(dir, _) => renaming([dir]),
            Self::RenameAll(steps, _) => renaming(steps.iter().map(|step| &step.from)),
            Self::Undo(undo_entry) => undo_entry.keys(),
            Self::Gather(_) | Self::Recover | Self::ProposeArchive(_) | Self::ProposeRebuild(_) => {
                Vec::new()
            }
        }
    }
}

impl UndoEntry {
    fn keys(&self) -> Vec<Key> {
        match self {
            Self::Annotated(done) => of_runs(done.iter().map(|done| &done.dir)),
            Self::Renamed(done) => renaming(done.iter().flat_map(|done| [&done.from, &done.to])),
            Self::Archived(done) => of_runs(done.iter().map(|(dir, _)| dir)),
            Self::Unarchived(done) => of_runs(done.iter().map(|(dir, _)| dir)),
            Self::Rebuilt(done) => of_runs(done.iter().map(|done| &done.dir)),
            Self::Removed(_) => Vec::new(),
        }
    }
}

impl jobs::steering::SteeringJob {
    fn keys(&self) -> Vec<Key> {
        match self {
            Self::Kill(dir) | Self::Steer(dir, _) => vec![Key::Process(dir.clone())],
            Self::Put(dir, _) | Self::ProposeTrust(dir) => of_runs([dir]),
            Self::Resume(dirs) => {
                let processes = dirs.iter().cloned().map(Key::Process);
                of_runs(dirs).into_iter().chain(processes).collect()
            }
            Self::Trust(proposal) => of_runs([&proposal.dir]),
            Self::Queue(_) | Self::Tend(_) => Vec::new(),
        }
    }
}

impl jobs::cleanup::CleanupJob {
    fn name_and_class(&self) -> (&'static str, Class) {
        match self {
            Self::Plan { .. } => ("survey", Class::Long),
            Self::Clean(_) => ("clean", Class::Long),
            Self::Remove(dirs) => ("remove", by_count(dirs.len())),
            Self::RemoveEvaluations(dirs) => ("remove", by_count(dirs.len())),
            Self::ListTrash => ("list trash", Class::Quick),
            Self::Restore(tickets) => ("restore", by_count(tickets.len())),
            Self::Purge(_) => ("purge", Class::Long),
            Self::FindLatest => ("find last removal", Class::Quick),
            Self::Recover(_) => ("recover trash", Class::Long),
        }
    }

    fn keys(&self) -> Vec<Key> {
        match self {
            Self::Remove(dirs) => of_runs(dirs),
            Self::Clean(plan) => {
                let chosen = plan.candidates.iter().filter(|candidate| candidate.is_in);
                let mut runs: Vec<usize> = chosen.map(|candidate| candidate.run).collect();
                runs.sort_unstable();
                runs.dedup();
                of_runs(runs.into_iter().map(|run| &plan.survey.runs[run].dir))
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traintop_run::notes::Change;

    #[test]
    fn edits_of_one_run_share_its_key_and_looking_at_it_does_not() {
        let dir = RunDir::new("/runs/a");
        let archive = Effect::Edit(EditJob::Archive(vec![dir.clone()])).kind();
        let star = Effect::Edit(EditJob::Annotate(vec![dir.clone()], Change::Star(true))).kind();
        let kill = Effect::Steer(jobs::steering::SteeringJob::Kill(dir.clone())).kind();
        assert_eq!((archive.class, star.class), (Class::Long, Class::Quick));
        assert_eq!(archive.keys, star.keys);
        assert!(!archive.keys.contains(&kill.keys[0]));
        let resume = Effect::Steer(jobs::steering::SteeringJob::Resume(vec![dir.clone()])).kind();
        assert!([&archive, &kill].map(|kind| resume.keys.contains(&kind.keys[0])) == [true; 2]);
        let read = Effect::Read(dir.clone()).kind();
        assert_eq!(read.keys, [Key::Opened(dir.clone())]);
        assert_eq!(Effect::Summarise(vec![dir]).kind().keys, []);
    }

    #[test]
    fn a_search_and_a_renaming_do_not_run_at_the_same_time() {
        let dir = RunDir::new("/runs/a");
        let rename = Effect::Edit(EditJob::Rename(dir, "b".to_owned())).kind();
        let search = Box::new(Effect::Discover);
        for search in [Effect::Discover, Effect::WatchThen([].into(), search)] {
            assert!(
                rename
                    .keys
                    .iter()
                    .any(|key| search.kind().keys.contains(key))
            );
        }
    }

    #[test]
    fn what_starts_waiting_runs_is_not_behind_the_summaries() {
        let tend = Effect::Steer(jobs::steering::SteeringJob::Tend(["/runs".into()].into())).kind();
        let runs = (0..1000).map(|number| RunDir::new(format!("/runs/{number}")));
        let summarise = Effect::Summarise(runs.collect()).kind();
        assert!(tend.class < summarise.class);
    }
}
