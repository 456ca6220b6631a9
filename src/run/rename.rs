//! Giving runs' folders other names: first a plan that says row by row what would happen, then all of it or nothing.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::discover::{Found, NOT_RUNS};
use super::layout::RunDir;
use super::marks;
use super::notes::{self, Change, Notes};
use super::record::Record;
use super::state::State;
use super::summary::Summary;
use crate::text::clean;

/// What file systems allow, in bytes.
const LONGEST_NAME: usize = 255;

/// A name that somebody wants for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The run.
    pub dir: RunDir,
    /// What it is doing.
    pub state: State,
    /// The folder's new name, or why there is none.
    pub name: Result<String, String>,
}

/// A row of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The run as it is.
    pub from: RunDir,
    /// Its new name, where there is one.
    pub name: Option<String>,
    /// Why it cannot be so, as a sentence.
    pub problem: Option<String>,
}

/// A run whose folder has another name now, with what is needed to take that back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// Its folder before.
    pub from: RunDir,
    /// Its folder now.
    pub to: RunDir,
    /// The files that say the name, and changed with it.
    files: Vec<Changed>,
}

/// A file's bytes before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Changed {
    file: PathBuf,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
}

/// Why nothing was renamed.
#[derive(Debug, thiserror::Error)]
pub enum RenameError {
    /// A row of the plan cannot be done.
    #[error("{name}: {problem}; nothing was renamed")]
    Refused {
        /// The run's folder.
        name: String,
        /// A sentence.
        problem: String,
    },
    /// The system refused.
    #[error("{path}: cannot be renamed to {name:?} ({cause}); nothing was renamed")]
    Io {
        /// The run's folder.
        path: PathBuf,
        /// The name that was wanted.
        name: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The system refused, and also to take back what was done before.
    #[error(
        "{path}: cannot be renamed ({cause}), and {left} could not be given its old name back; rename it by hand"
    )]
    HalfDone {
        /// The run's folder.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
        /// The folder that is left with its new name.
        left: PathBuf,
    },
}

/// Why a folder cannot be called so; `None` if it can.
pub fn forbidden(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("a name must not be empty".to_owned())
    } else if name.contains('/') {
        Some("a name must not hold /, since a run stays in its folder".to_owned())
    } else if name.starts_with('.') {
        Some(
            "a name must not begin with a dot: hidden folders are not searched for runs".to_owned(),
        )
    } else if clean(name) != name || name.trim() != name {
        Some(
            "a name must not hold control or invisible characters, nor begin or end with a space"
                .to_owned(),
        )
    } else if NOT_RUNS.contains(&name) || name == "logs" {
        Some(format!(
            "folders called {name} are not searched for runs; choose another name"
        ))
    } else if name.len() > LONGEST_NAME {
        Some(format!(
            "a name has at most {LONGEST_NAME} bytes, this one has {}",
            name.len()
        ))
    } else {
        None
    }
}

/// Why a run in this state keeps its folder; `None` if it need not.
pub fn held(state: State) -> Option<String> {
    if state.is_active() {
        Some(format!(
            "it is {state}, and its worker writes by its path; stop it, or wait for its end"
        ))
    } else if state == State::Queued {
        Some("it is queued, and will be started by its path; wait for its end".to_owned())
    } else {
        None
    }
}

/// What would happen. `is_taken` says whether a path exists.
pub fn plan(wishes: Vec<Wish>, is_taken: impl Fn(&Path) -> bool) -> Vec<Step> {
    let mut wanted: HashMap<PathBuf, usize> = HashMap::new();
    for wish in &wishes {
        if let Ok(name) = &wish.name {
            *wanted
                .entry(wish.dir.path().with_file_name(name))
                .or_default() += 1;
        }
    }
    let step = |wish: Wish| {
        let from = wish.dir;
        let name = match wish.name {
            Ok(name) => name,
            Err(problem) => {
                return Step {
                    from,
                    name: None,
                    problem: Some(problem),
                };
            }
        };
        let to = from.path().with_file_name(&name);
        let problem = if from.path().file_name().is_none() {
            Some("this folder cannot be renamed from here".to_owned())
        } else if to == from.path() {
            None
        } else {
            forbidden(&name).or_else(|| held(wish.state)).or_else(|| {
                if wanted.get(&to).is_some_and(|count| *count > 1) {
                    Some(
                        "another of these runs would get the same name; add {n} or {started}"
                            .to_owned(),
                    )
                } else if is_taken(&to) {
                    Some("there is a file or folder of this name already".to_owned())
                } else {
                    None
                }
            })
        };
        Step {
            from,
            name: Some(name),
            problem,
        }
    };
    wishes.into_iter().map(step).collect()
}

/// Does what the plan says, all of it or nothing. What each run is doing is looked at again first.
///
/// # Errors
/// If any row cannot be done; then every folder has its old name.
pub fn apply(steps: &[Step]) -> Result<Vec<Renamed>, RenameError> {
    let refused = |step: &Step, problem: String| RenameError::Refused {
        name: clean(&step.from.name()).into_owned(),
        problem,
    };
    for step in steps {
        if let Some(problem) = &step.problem {
            return Err(refused(step, problem.clone()));
        }
        let is_same = step.name.as_deref() == Some(step.from.name().as_str());
        if let Some(problem) = held(state_now(&step.from)).filter(|_| !is_same) {
            return Err(refused(step, problem));
        }
    }
    let mut done = Vec::new();
    for step in steps {
        let Some(name) = step.name.clone().filter(|name| *name != step.from.name()) else {
            continue;
        };
        match one(&step.from, &name) {
            Ok(renamed) => done.push(renamed),
            Err(cause) => {
                let path = step.from.path().to_owned();
                return Err(match undo(&done) {
                    Ok(()) => RenameError::Io { path, name, cause },
                    Err((left, _)) => RenameError::HalfDone { path, cause, left },
                });
            }
        }
    }
    Ok(done)
}

/// Gives every folder its old name back, the last first.
///
/// # Errors
/// The first folder that keeps its new name, and why; those after it in the list have their old ones.
pub fn undo(renamed: &[Renamed]) -> Result<(), (PathBuf, io::Error)> {
    for renamed in renamed.iter().rev() {
        let (from, to) = (renamed.from.path(), renamed.to.path());
        if let Some(problem) = held(state_now(&renamed.to)) {
            return Err((to.to_owned(), io::Error::other(problem)));
        }
        move_without_replacing(to, from).map_err(|cause| (to.to_owned(), cause))?;
        notes::follow(&renamed.to, &renamed.from);
        marks::follow(&renamed.to, &renamed.from);
        restore(&renamed.from, &renamed.files);
    }
    Ok(())
}

/// What a run is doing at this moment.
pub fn state_now(dir: &RunDir) -> State {
    let found = Found::look(dir.clone());
    Summary::load(&found, SystemTime::now()).observed.state
}

/// Renames, and fails if there is something at `to`, also if it appeared a moment ago.
pub(super) fn move_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some network file systems do not know this: then a look must do.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            if fs::symlink_metadata(to).is_ok() {
                return Err(Errno::EXIST.into());
            }
            fs::rename(from, to)
        }
        done => Ok(done?),
    }
}

fn one(from: &RunDir, name: &str) -> io::Result<Renamed> {
    let to = RunDir::new(from.path().with_file_name(name));
    move_without_replacing(from.path(), to.path())?;
    notes::follow(from, &to);
    marks::follow(from, &to);
    let paths = [to.run_json(), notes::file(&to)];
    let before = paths.clone().map(|path| fs::read(path).ok());
    let told = tell_name(&to, name);
    let files = paths.into_iter().zip(before).map(|(file, before)| Changed {
        after: fs::read(&file).ok(),
        file,
        before,
    });
    let renamed = Renamed {
        from: from.clone(),
        files: files.filter(|file| file.before != file.after).collect(),
        to,
    };
    if let Err(cause) = told {
        return Err(match undo(std::slice::from_ref(&renamed)) {
            Ok(()) => cause,
            Err((left, _)) => {
                io::Error::other(format!("{cause}; {} keeps its new name", left.display()))
            }
        });
    }
    Ok(renamed)
}

/// The record's name follows the folder's, and a name for lists that was given before gives way.
fn tell_name(dir: &RunDir, name: &str) -> io::Result<()> {
    // A damaged record is left as it is.
    if let Ok(Some(mut record)) = Record::load(dir) {
        name.clone_into(&mut record.name);
        record.save(dir).map_err(io::Error::other)?;
    }
    if Notes::load(dir).is_ok_and(|notes| notes.name.is_some()) {
        Notes::change(dir, &Change::Name(String::new())).map_err(io::Error::other)?;
    }
    Ok(())
}

/// Puts files back as they were, unless somebody has changed them since.
fn restore(dir: &RunDir, files: &[Changed]) {
    for changed in files {
        // Paths were noted under the new name.
        let inside = changed.file.file_name().map(|name| dir.path().join(name));
        let file = inside
            .filter(|inside| inside.exists())
            .unwrap_or_else(|| changed.file.clone());
        if fs::read(&file).ok() != changed.after {
            continue;
        }
        let restored = changed
            .before
            .as_ref()
            .map(|bytes| super::write::replace_file(&file, bytes));
        if let Some(Err(error)) = restored {
            log::warn!("{}: keeps its new name inside: {error}", file.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::process::Process;
    use proptest::prelude::*;

    fn wish(path: &str, name: &str) -> Wish {
        Wish {
            dir: RunDir::new(path),
            state: State::Finished,
            name: Ok(name.to_owned()),
        }
    }

    fn run(root: &Path, name: &str) -> RunDir {
        let dir = RunDir::new(root.join(name));
        fs::create_dir(dir.path()).unwrap();
        let mut record = Record::new(
            &dir,
            name.to_owned(),
            Process::current(),
            Vec::new(),
            jiff::Timestamp::UNIX_EPOCH,
        );
        record.state = State::Finished;
        record.save(&dir).unwrap();
        dir
    }

    /// Every path below a folder with its bytes.
    fn tree(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path.clone());
                }
                let bytes = fs::read(&path).unwrap_or_default();
                found.push((path, bytes));
            }
        }
        found.sort();
        found
    }

    #[test]
    fn every_row_says_what_is_wrong_with_it() {
        let missing = Wish {
            name: Err("it has no seed".to_owned()),
            ..wish("/r/a", "")
        };
        let running = Wish {
            state: State::Running,
            ..wish("/r/b", "new")
        };
        let same = Wish {
            state: State::Running,
            ..wish("/r/k", "k")
        };
        let long = "x".repeat(256);
        let wishes = vec![
            missing,
            running,
            wish("/r/c", "twice"),
            wish("/r/d", "twice"),
            wish("/r/e", "taken"),
            wish("/r/f", "a/b"),
            wish("/r/g", ""),
            wish("/r/h", ".trash"),
            wish("/r/i", &long),
            wish("/r/j", "logs"),
            same,
            wish("/r/l", "good"),
            wish("/r/m", "bell\u{7}"),
        ];
        let steps = plan(wishes, |path| path == Path::new("/r/taken"));
        let problems: Vec<_> = steps
            .iter()
            .map(|step| step.problem.clone().unwrap_or_default())
            .collect();
        let expected = [
            "it has no seed",
            "it is running",
            "same name",
            "same name",
            "already",
            "must not hold /",
            "empty",
            "dot",
            "255 bytes",
            "not searched",
            "",
            "",
            "control",
        ];
        for (problem, part) in problems.iter().zip(expected) {
            assert!(
                problem.contains(part) && problem.is_empty() == part.is_empty(),
                "{problem:?} {part:?}"
            );
        }
    }

    #[test]
    fn record_follows_and_undo_gives_every_byte_back() {
        let root = tempfile::tempdir().unwrap();
        let dir = run(root.path(), "old");
        Notes::change(&dir, &Change::Name("mine".to_owned())).unwrap();
        let before = tree(root.path());
        let steps = plan(vec![wish(dir.path().to_str().unwrap(), "new")], |path| {
            path.exists()
        });
        let renamed = apply(&steps).unwrap();
        let record = Record::load(&renamed[0].to).unwrap().unwrap();
        assert_eq!(
            (record.name.as_str(), record.id.starts_with("old-")),
            ("new", true)
        );
        assert_eq!(Notes::load(&renamed[0].to).unwrap().name, None);
        undo(&renamed).unwrap();
        assert_eq!(tree(root.path()), before);
    }

    #[test]
    fn running_run_is_refused_at_the_last_moment() {
        let root = tempfile::tempdir().unwrap();
        let dir = run(root.path(), "old");
        let steps = plan(vec![wish(dir.path().to_str().unwrap(), "new")], |path| {
            path.exists()
        });
        let mut record = Record::load(&dir).unwrap().unwrap();
        record.state = State::Running;
        record.save(&dir).unwrap();
        let error = apply(&steps).unwrap_err().to_string();
        assert!(
            error.contains("it is running") && dir.path().exists(),
            "{error}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn all_or_nothing_whatever_is_in_the_way(names in prop::collection::vec("[a-e]{1,2}", 1..5), late in "[a-e]{1,2}") {
            let root = tempfile::tempdir().unwrap();
            for name in ["r1", "r2", "r3", "r4"] {
                run(root.path(), name);
            }
            let wishes = names.iter().zip(1..).map(|(name, number)| {
                wish(root.path().join(format!("r{number}")).to_str().unwrap(), name)
            });
            let steps = plan(wishes.collect(), |path| path.exists());
            // Somebody takes a name between the plan and the deed.
            fs::write(root.path().join(&late), "theirs").unwrap();
            let before = tree(root.path());
            match apply(&steps) {
                Ok(renamed) => {
                    prop_assert!(!names.contains(&late));
                    prop_assert_eq!(renamed.len(), names.len());
                    prop_assert_eq!(fs::read(root.path().join(&late)).unwrap(), b"theirs");
                    undo(&renamed).unwrap();
                }
                Err(error) => prop_assert!(error.to_string().contains("nothing was renamed"), "{}", error),
            }
            prop_assert_eq!(tree(root.path()), before);
        }
    }
}
