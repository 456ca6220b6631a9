//! Making what a plan says, all of it or nothing, with a mark that says so; and taking that back.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Plan, Rebuild, busy};
use crate::rename::{held, state_now};
use traintop_disk::write::beside;
use traintop_disk::{Disk, FileStat, System, io_reason};
use traintop_run::layout::RunDir;
use traintop_run::rebuilt::{self, Mark};

/// What was made for a run, with what is needed to undo that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    pub dir: RunDir,
    made: Vec<Made>,
    /// The marks before; `None` if there were none.
    marks: Option<(String, i64)>,
    /// Folders and when they had last changed, in nanoseconds since 1970; `None` of one that was
    /// made.
    folders: Vec<(PathBuf, Option<i64>)>,
}

/// A file on its way: each step that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Made {
    path: PathBuf,
    /// Where the broken one is that was in its place.
    aside: Option<PathBuf>,
    /// Its stat after it was made.
    stat: Option<FileStat>,
}

impl Made {
    /// Whether what is in the file's place is what was made.
    fn is_still(&self, stat: Option<FileStat>) -> bool {
        let both = stat.zip(self.stat);
        both.is_some_and(|(stat, made)| stat.is_like(&made))
    }
}

/// Why nothing was made, or nothing undone.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The run must not be changed.
    #[error("{path}: {problem}")]
    Refused {
        path: PathBuf,
        /// A sentence.
        problem: String,
    },
    /// The system refused.
    #[error("{path}: cannot be {what} ({})", io_reason(cause))]
    Io {
        path: PathBuf,
        /// The attempted operation.
        what: &'static str,
        cause: io::Error,
    },
}

fn io_error(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> MakeError {
    let path = path.to_owned();
    move |cause| MakeError::Io { path, what, cause }
}

/// Does what a plan says.
///
/// # Errors
/// If a file cannot be made, or has appeared meanwhile; then everything is as it was.
pub fn apply(plan: &Plan, now: Timestamp) -> Result<Rebuilt, MakeError> {
    apply_on(&System, plan, now)
}

/// As [`apply`], on this disk.
pub(crate) fn apply_on(disk: &dyn Disk, plan: &Plan, now: Timestamp) -> Result<Rebuilt, MakeError> {
    if let Some(problem) = busy(&plan.dir) {
        return Err(MakeError::Refused {
            path: plan.dir.path().to_owned(),
            problem,
        });
    }
    // A `logs` that is a link leads out of the run.
    let run = plan.dir.path();
    let confined = disk.beneath(run).map_err(io_error(run, "opened"))?;
    let disk = &*confined;
    let mut rebuilt = Rebuilt {
        dir: plan.dir.clone(),
        made: Vec::new(),
        marks: None,
        folders: Vec::new(),
    };
    for folder in [plan.dir.path().to_owned(), plan.dir.logs()] {
        let stat = disk.stat_if_exists(&folder);
        let stat = stat.map_err(io_error(&folder, "read"))?;
        let time = stat.map(|stat| stat.modified_ns);
        rebuilt.folders.push((folder, time));
    }
    let made = make(disk, plan, now, &mut rebuilt);
    match made {
        Ok(()) => Ok(rebuilt),
        Err(error) => {
            // What cannot be undone now is whole, marked, and found by a second try.
            if let Err(second) = undo_made(disk, &rebuilt) {
                log::warn!("{second}");
            }
            Err(error)
        }
    }
}

fn make(
    disk: &dyn Disk,
    plan: &Plan,
    now: Timestamp,
    rebuilt: &mut Rebuilt,
) -> Result<(), MakeError> {
    let logs = plan.dir.logs();
    disk.make_folders(&logs).map_err(io_error(&logs, "made"))?;
    let path = logs.join(rebuilt::FILE);
    let failed = || io_error(&path, "written");
    let before = disk.text(&path).map_err(failed())?;
    if let Some(text) = before {
        let stat = disk.stat(&path).map_err(failed())?;
        rebuilt.marks = Some((text, stat.modified_ns));
    }
    // The mark comes first, so that nothing that was rebuilt is ever without one.
    let text = marked(
        plan,
        rebuilt.marks.as_ref().map(|(text, _)| text.as_str()),
        now,
    );
    let written = text.map_err(io::Error::other);
    written
        .and_then(|text| disk.replace_file(&path, &text, None))
        .map_err(failed())?;
    for file in &plan.rebuilds {
        rebuilt.made.push(Made {
            path: file.path.clone(),
            aside: None,
            stat: None,
        });
        let Some(made) = rebuilt.made.last_mut() else {
            continue;
        };
        write(disk, file, made).map_err(io_error(&file.path, "made"))?;
    }
    Ok(())
}

fn write(disk: &dyn Disk, file: &Rebuild, made: &mut Made) -> io::Result<()> {
    let temporary = beside(&file.path);
    let modified = Timestamp::try_from(file.modified).unwrap_or(Timestamp::UNIX_EPOCH);
    let modified_ns = i64::try_from(modified.as_nanosecond()).unwrap_or(0);
    let written = disk
        .write(&temporary, &mut |out| {
            use std::io::Write;
            out.write_all(file.text.as_bytes())
        })
        .and_then(|()| disk.set_modified(&temporary, modified_ns))
        .and_then(|()| {
            made.stat = Some(disk.stat(&temporary)?);
            if let Some(aside) = &file.aside {
                disk.relocate(&file.path, aside)?;
                made.aside = Some(aside.clone());
            }
            disk.relocate(&temporary, &file.path)
        });
    if written.is_err() {
        made.stat = None;
        let _ = disk.remove_file(&temporary);
    }
    written
}

fn marked(plan: &Plan, before: Option<&str>, now: Timestamp) -> serde_json::Result<Vec<u8>> {
    let below = |path: &Path| {
        let below = path.strip_prefix(plan.dir.path());
        below.unwrap_or(path).to_owned()
    };
    let mut marks: Vec<Mark> = before
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    for file in &plan.rebuilds {
        let name = below(&file.path);
        marks.retain(|mark| mark.file != name);
        marks.push(Mark {
            file: name,
            from: file.from.clone(),
            what: file.what.clone(),
            at: now,
            aside: file.aside.as_deref().map(below),
        });
    }
    serde_json::to_vec_pretty(&marks)
}

/// Undoes a rebuilding: what was made is removed, and what was set aside is in its place again.
///
/// # Errors
/// If the run is at work, or a file was changed since; then all of it stays. If the system refuses,
/// a second try does the rest.
pub fn undo(rebuilt: &Rebuilt) -> Result<(), MakeError> {
    undo_on(&System, rebuilt)
}

/// As [`undo`], on this disk.
pub(crate) fn undo_on(disk: &dyn Disk, rebuilt: &Rebuilt) -> Result<(), MakeError> {
    let refused = |path: &Path, problem: String| MakeError::Refused {
        path: path.to_owned(),
        problem,
    };
    if let Some(problem) = held(state_now(&rebuilt.dir)) {
        return Err(refused(rebuilt.dir.path(), problem));
    }
    let run = rebuilt.dir.path();
    let confined = disk.beneath(run).map_err(io_error(run, "opened"))?;
    let disk = &*confined;
    for made in &rebuilt.made {
        let stat = disk.stat_if_exists(&made.path);
        let stat = stat.map_err(io_error(&made.path, "read"))?;
        let is_back = made
            .aside
            .as_ref()
            .is_some_and(|aside| disk.stat_if_exists(aside).is_ok_and(|stat| stat.is_none()));
        if stat.is_some() && !made.is_still(stat) && !is_back {
            let problem = "has changed since it was rebuilt, and stays";
            return Err(refused(&made.path, problem.to_owned()));
        }
    }
    undo_made(disk, rebuilt)
}

fn undo_made(disk: &dyn Disk, rebuilt: &Rebuilt) -> Result<(), MakeError> {
    for made in rebuilt.made.iter().rev() {
        let failed = || io_error(&made.path, "given back its old content");
        let stat = disk.stat_if_exists(&made.path).map_err(failed())?;
        if made.is_still(stat) {
            disk.remove_file(&made.path).map_err(failed())?;
        }
        if let Some(aside) = &made.aside
            && disk.stat_if_exists(aside).map_err(failed())?.is_some()
        {
            disk.relocate(aside, &made.path).map_err(failed())?;
        }
    }
    let path = rebuilt.dir.logs().join(rebuilt::FILE);
    match &rebuilt.marks {
        Some((text, dated)) => disk.replace_file(&path, text.as_bytes(), Some(*dated)),
        None => disk.remove_if_there(&path),
    }
    .map_err(io_error(&path, "written"))?;
    for (folder, time) in rebuilt.folders.iter().rev() {
        let Some(time) = time else {
            // Another process may have put something there meanwhile: then it stays.
            let _ = disk.remove_folder(folder);
            continue;
        };
        disk.set_modified(folder, *time)
            .map_err(io_error(folder, "given its time back"))?;
    }
    Ok(())
}
