//! Jobs that archive, unarchive and rebuild: a plan first, then one run after the other.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::jobs::edits::{EditJob, EditOutcome, UndoEntry, first_of};
use traintop_disk::Progress;
use traintop_ops::archive::{self, ArchiveError, Archived, Plan, Unarchived};
use traintop_ops::organise::{self, Rebuilt};
use traintop_run::RunDir;
use traintop_text::{bytes, clean};

/// Says what archiving would do; a run that cannot be archived is named and left out.
pub fn propose_archive(dirs: &[RunDir]) -> Result<EditOutcome, String> {
    let (mut plans, mut problems) = (Vec::new(), Vec::new());
    for dir in dirs {
        match Plan::of(dir, false) {
            Ok(plan) => plans.push(plan),
            Err(error) => problems.push(error.to_string()),
        }
    }
    let first = first_of(&problems);
    if plans.is_empty() {
        return Err(first.unwrap_or_else(|| "there is no run to archive".to_owned()));
    }
    let size: u64 = plans.iter().map(Plan::packed_bytes).sum();
    let runs = runs(plans.len());
    let but = first.map_or_else(String::new, |first| format!(" Left out: {first}."));
    Ok(EditOutcome::Proposed(
        format!("Archive {runs}?"),
        format!(
            "{} are packed into archive.tar.zst and read back; then weights and other large files go to the trash. Curves, notes and \
             settings stay. u undoes it.{but}",
            bytes(size)
        ),
        "archive".to_owned(),
        Box::new(EditJob::Archive(
            plans.into_iter().map(|plan| plan.dir).collect(),
        )),
    ))
}

/// Archives each run; one that refuses does not keep the others from it.
pub fn archive(roots: &[PathBuf], dirs: &[RunDir], progress: &Arc<Progress>) -> EditOutcome {
    let one = |dir: &RunDir| -> Result<(RunDir, Archived), ArchiveError> {
        let archived = archive::archive_watched(roots, &Plan::of(dir, false)?, progress)?;
        Ok((dir.clone(), archived))
    };
    let (done, problems) = each(dirs, progress, one);
    let size = done.iter().map(|(_, archived)| archived.bytes).sum();
    let text = format!(
        "{} archived in {}; u undoes that",
        runs(done.len()),
        bytes(size)
    );
    let changed = done.iter().map(|(dir, _)| dir.clone()).collect();
    let undo_entry = (!done.is_empty()).then_some(UndoEntry::Archived(done));
    EditOutcome::Changed(changed, text, undo_entry, first_of(&problems))
}

/// Brings each archived run back.
pub fn unarchive(roots: &[PathBuf], dirs: &[RunDir], progress: &Arc<Progress>) -> EditOutcome {
    let one = |dir: &RunDir| {
        Ok((
            dir.clone(),
            archive::unarchive_watched(roots, dir, progress)?,
        ))
    };
    let (done, problems) = each(dirs, progress, one);
    let size = done.iter().map(|(_, back)| back.unpacked.bytes).sum();
    let mut links = done
        .iter()
        .map(|(_, back)| back.unpacked.left_out_sentence());
    let links = links.find(|sentence| !sentence.is_empty());
    let text = format!(
        "{} restored, {}{}; u undoes that",
        runs(done.len()),
        bytes(size),
        links.unwrap_or_default(),
    );
    let changed = done.iter().map(|(dir, _)| dir.clone()).collect();
    let undo_entry = (!done.is_empty()).then_some(UndoEntry::Unarchived(done));
    EditOutcome::Changed(changed, text, undo_entry, first_of(&problems))
}

/// Takes archivings back, the last first; those that stay archived can be asked for again.
pub fn take_back(archived: Vec<(RunDir, Archived)>) -> EditOutcome {
    let back = |(_, archived): &(RunDir, Archived)| archive::undo(archived);
    all_back(archived, |(dir, _)| dir.clone(), back, UndoEntry::Archived)
}

/// Archives again what was restored.
pub fn pack_again(unarchived: Vec<(RunDir, Unarchived)>) -> EditOutcome {
    let back = |(dir, unarchived): &(RunDir, Unarchived)| archive::undo_unarchive(dir, unarchived);
    all_back(
        unarchived,
        |(dir, _)| dir.clone(),
        back,
        UndoEntry::Unarchived,
    )
}

/// Takes rebuildings back.
pub fn unmake(rebuilt: Vec<Rebuilt>) -> EditOutcome {
    all_back(
        rebuilt,
        |rebuilt| rebuilt.dir.clone(),
        organise::undo,
        UndoEntry::Rebuilt,
    )
}

/// Undoes changes, the last first; the entries of those that cannot be undone stay.
fn all_back<T, E: std::fmt::Display>(
    done: Vec<T>,
    dir: impl Fn(&T) -> RunDir,
    back: impl Fn(&T) -> Result<(), E>,
    undo_entry: impl Fn(Vec<T>) -> UndoEntry,
) -> EditOutcome {
    let (mut changed, mut left, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for one in done.into_iter().rev() {
        match back(&one) {
            Ok(()) => changed.push(dir(&one)),
            Err(error) => {
                problems.push(error.to_string());
                left.insert(0, one);
            }
        }
    }
    match first_of(&problems) {
        Some(problem) if changed.is_empty() => EditOutcome::NotUndone(undo_entry(left), problem),
        problem => {
            let text = format!("{} as before", runs(changed.len()));
            let undo_entry = (!left.is_empty()).then(|| undo_entry(left));
            EditOutcome::Changed(changed, text, undo_entry, problem)
        }
    }
}

/// Says which logs of these runs could be made again.
pub fn propose_rebuild(dirs: &[RunDir]) -> Result<EditOutcome, String> {
    let plans: Vec<organise::Plan> = dirs.iter().map(organise::plan).collect();
    let problems: Vec<_> = plans
        .iter()
        .filter_map(|plan| {
            Some(format!(
                "{}: {}",
                clean(&plan.dir.name()),
                plan.problem.as_ref()?
            ))
        })
        .collect();
    let files: Vec<_> = plans.iter().flat_map(|plan| &plan.rebuilds).collect();
    let Some(first) = files.first() else {
        return Err(first_of(&problems)
            .unwrap_or_else(|| "nothing is missing that could be made again".to_owned()));
    };
    let name = first.path.file_name().unwrap_or_default().to_string_lossy();
    let more = match files.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let due: Vec<RunDir> = plans
        .iter()
        .filter(|plan| !plan.rebuilds.is_empty())
        .map(|plan| plan.dir.clone())
        .collect();
    Ok(EditOutcome::Proposed(
        format!("Rebuild logs of {}?", runs(due.len())),
        clean(&format!(
            "{name} ({}) is made from {}{more}, dated from the files and marked as rebuilt. A broken file is set aside, none is written \
             over.",
            first.what, first.from
        ))
        .into_owned(),
        "rebuild".to_owned(),
        Box::new(EditJob::Rebuild(due)),
    ))
}

/// Makes what can be made, as it is planned at this moment.
pub fn rebuild(dirs: &[RunDir], progress: &Progress) -> EditOutcome {
    let now = Timestamp::now();
    let (mut done, mut count) = (Vec::new(), 0);
    let (mut changed, mut problems) = (Vec::new(), Vec::new());
    for (at, dir) in dirs.iter().enumerate() {
        progress.step(at, dirs.len());
        if progress.is_cancelled() {
            problems.insert(0, left_as_they_were(dirs.len() - at));
            break;
        }
        let plan = organise::plan(dir);
        match organise::apply(&plan, now) {
            Ok(rebuilt) => {
                count += plan.rebuilds.len();
                done.push(rebuilt);
            }
            Err(error) => problems.push(clean(&error.to_string()).into_owned()),
        }
        changed.push(dir.clone());
    }
    let files = if count == 1 { "file was" } else { "files were" };
    let text = format!("{count} {files} rebuilt; u undoes that");
    let undo_entry = (!done.is_empty()).then_some(UndoEntry::Rebuilt(done));
    EditOutcome::Changed(changed, text, undo_entry, first_of(&problems))
}

/// What is said of the runs that a cancelled job leaves alone.
fn left_as_they_were(count: usize) -> String {
    match count {
        1 => "cancelled: 1 run is as it was".to_owned(),
        count => format!("cancelled: {count} runs are as they were"),
    }
}

fn each<T>(
    dirs: &[RunDir],
    progress: &Progress,
    one: impl Fn(&RunDir) -> Result<T, ArchiveError>,
) -> (Vec<T>, Vec<String>) {
    let (mut done, mut problems) = (Vec::new(), Vec::new());
    for (at, dir) in dirs.iter().enumerate() {
        progress.step(at, dirs.len());
        match (!progress.is_cancelled()).then(|| one(dir)) {
            Some(Ok(value)) => done.push(value),
            // What is cut off is undone, and that is what the user wants to know.
            _ if progress.is_cancelled() => {
                problems.insert(0, left_as_they_were(dirs.len() - at));
                break;
            }
            Some(Err(error)) => problems.push(error.to_string()),
            None => break,
        }
    }
    (done, problems)
}

fn runs(count: usize) -> String {
    if count == 1 {
        "1 run".to_owned()
    } else {
        format!("{count} runs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_after_a_cancel_are_left_as_they_were() {
        let progress = Arc::new(Progress::default());
        let dirs = ["a", "b", "c"].map(|name| RunDir::new(format!("/nowhere/{name}")));
        let one = |dir: &RunDir| {
            if dir.name() == "b" {
                progress.cancel();
            }
            Ok(dir.name())
        };
        let (done, problems) = each(&dirs, &progress, one);
        assert_eq!(done, ["a", "b"], "what is done is done");
        assert_eq!(problems, ["cancelled: 1 run is as it was"]);
        for outcome in [
            archive(&[], &dirs, &progress),
            unarchive(&[], &dirs, &progress),
            rebuild(&dirs, &progress),
        ] {
            let EditOutcome::Changed(_, _, None, Some(problem)) = outcome else {
                panic!("{outcome:?}");
            };
            assert_eq!(problem, "cancelled: 3 runs are as they were");
        }
    }
}
