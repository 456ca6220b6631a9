//! Giving runs' folders other names: first a plan that says row by row what would happen, then all
//! of it or nothing.

mod apply;
mod folders;
mod follow;
mod journal;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use traintop_run::discover::NOT_RUNS;
use traintop_run::found::Found;
use traintop_run::layout::RunDir;
use traintop_run::state::State;
use traintop_run::summary::Summary;
use traintop_text::clean;

pub use apply::{RenameError, Renamed, apply, undo};
#[cfg(test)]
pub(super) use apply::{apply_on, undo_on};
pub use journal::recover;
#[cfg(test)]
pub(super) use journal::recover_on;

/// What file systems allow, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// A new name for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenameRequest {
    pub dir: RunDir,
    /// What it is doing.
    pub state: State,
    /// The folder's new name, or why there is none.
    pub name: Result<String, String>,
}

/// A row of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub from: RunDir,
    /// Its new name, where there is one.
    pub name: Option<String>,
    /// Why it cannot be so, as a sentence.
    pub problem: Option<String>,
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
    } else if name.len() > MAX_NAME_BYTES {
        Some(format!(
            "a name has at most {MAX_NAME_BYTES} bytes, this one has {}",
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
pub fn plan(wishes: Vec<RenameRequest>, is_taken: impl Fn(&Path) -> bool) -> Vec<Step> {
    let mut wanted: HashMap<PathBuf, usize> = HashMap::new();
    for wish in &wishes {
        if let Ok(name) = &wish.name {
            *wanted
                .entry(wish.dir.path().with_file_name(name))
                .or_default() += 1;
        }
    }
    let step = |wish: RenameRequest| {
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
        let problem = if let Some(why) = from.only_read() {
            Some(why)
        } else if from.path().file_name().is_none() {
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

/// What a run is doing at this moment.
pub fn state_now(dir: &RunDir) -> State {
    let found = Found::look(dir.clone());
    Summary::load(&found, SystemTime::now()).observed.state
}

#[cfg(test)]
mod tests;
