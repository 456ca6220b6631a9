//! Keeping house from the dashboard: what is ordered, how it is carried out, and what its outcome changes.

use super::effect::Effect;
use super::message::Notice;
use super::state::State;
use super::update::changed;
use crate::run::RunDir;
use crate::run::notes::{self, Annotated, Change};
use crate::run::rename::{self, Renamed, Wish};
use crate::text::clean;

/// Something to be done to runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Change what people added to some runs.
    Annotate(Vec<RunDir>, Change),
    /// Give a run's folder this name.
    Rename(RunDir, String),
    /// Take this back.
    Undo(Deed),
}

/// Something that was done and can be taken back.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// Notes were changed.
    Annotated(Vec<Annotated>),
    /// Folders got other names.
    Renamed(Vec<Renamed>),
}

/// What came of an order.
#[derive(Debug)]
pub enum Outcome {
    /// Some runs' notes were changed, how to take that back, and why that of others was not.
    Annotated(Vec<RunDir>, Option<Deed>, Option<String>),
    /// Folders have other names: before and after, and how to take that back.
    Moved(Vec<(RunDir, RunDir)>, Option<Deed>),
    /// It was refused, or failed: one sentence.
    Refused(String),
}

/// Carries an order out; this may take as long as the disk does.
pub fn carry_out(order: Order) -> Outcome {
    let done = match order {
        Order::Annotate(dirs, change) => Ok(annotate(&dirs, &change)),
        Order::Rename(dir, name) => rename_one(dir, name),
        Order::Undo(Deed::Annotated(annotated)) => Ok(take_notes_back(&annotated)),
        Order::Undo(Deed::Renamed(renamed)) => rename::undo(&renamed)
            .map(|()| {
                let moved = |renamed: &Renamed| (renamed.to.clone(), renamed.from.clone());
                Outcome::Moved(renamed.iter().map(moved).collect(), None)
            })
            .map_err(|(path, cause)| format!("{}: keeps its name ({cause})", path.display())),
    };
    done.unwrap_or_else(|problem| Outcome::Refused(clean(&problem).into_owned()))
}

/// Changes the notes of each run; one that cannot be changed does not keep the others from it.
fn annotate(dirs: &[RunDir], change: &Change) -> Outcome {
    let (mut done, mut problems) = (Vec::new(), Vec::new());
    for dir in dirs {
        match notes::annotate(dir, change) {
            Ok(annotated) => done.push(annotated),
            Err(error) => problems.push(error.to_string()),
        }
    }
    let changed = done.iter().map(|annotated| annotated.dir.clone()).collect();
    let deed = (!done.is_empty()).then_some(Deed::Annotated(done));
    Outcome::Annotated(changed, deed, first_of(&problems))
}

fn take_notes_back(annotated: &[Annotated]) -> Outcome {
    let back = annotated.iter().map(notes::take_back);
    let problems: Vec<_> = back
        .filter_map(|done| done.err().map(|error| error.to_string()))
        .collect();
    let changed = annotated.iter().map(|annotated| annotated.dir.clone());
    Outcome::Annotated(changed.collect(), None, first_of(&problems))
}

/// The first of some problems, and how many more there are, as one line.
fn first_of(problems: &[String]) -> Option<String> {
    let first = clean(problems.first()?).into_owned();
    Some(match problems.len() - 1 {
        0 => first,
        more => format!("{first} (and {more} more)"),
    })
}

fn rename_one(dir: RunDir, name: String) -> Result<Outcome, String> {
    let wish = Wish {
        state: rename::state_now(&dir),
        name: Ok(name),
        dir,
    };
    let steps = rename::plan(vec![wish], |path| path.symlink_metadata().is_ok());
    let renamed = rename::apply(&steps).map_err(|error| error.to_string())?;
    let moved = renamed
        .iter()
        .map(|renamed| (renamed.from.clone(), renamed.to.clone()));
    let moved = moved.collect();
    Ok(Outcome::Moved(moved, Some(Deed::Renamed(renamed))))
}

/// Takes the last deed of this session back.
pub fn undo(state: &mut State) -> Vec<Effect> {
    let Some(deed) = state.deeds.pop() else {
        state.notice = Some(Notice::bad("there is nothing to take back"));
        return Vec::new();
    };
    vec![Effect::Keep(Order::Undo(deed))]
}

/// What an outcome changes, and what is to be done next.
pub fn update(state: &mut State, outcome: Outcome) -> Vec<Effect> {
    match outcome {
        Outcome::Annotated(dirs, deed, problem) => {
            let undone = deed.is_none();
            if let (2.., None) = (dirs.len(), &problem) {
                let text = if undone {
                    format!("{} runs have their notes of before again", dirs.len())
                } else {
                    format!("{} runs were changed; u takes that back", dirs.len())
                };
                state.notice = Some(Notice::good(text));
            }
            state.deeds.extend(deed);
            if let Some(problem) = problem {
                state.notice = Some(Notice::bad(problem));
            }
            return dirs.iter().flat_map(|dir| changed(state, dir)).collect();
        }
        Outcome::Moved(moved, deed) => {
            let undone = deed.is_none();
            state.deeds.extend(deed);
            return follow(state, &moved, undone);
        }
        Outcome::Refused(problem) => state.notice = Some(Notice::bad(problem)),
    }
    Vec::new()
}

/// Rows, cursor and the opened run go with their folders.
fn follow(state: &mut State, moved: &[(RunDir, RunDir)], undone: bool) -> Vec<Effect> {
    let mut effects = Vec::new();
    for (from, to) in moved {
        state.refreshing.remove(from);
        state.runs.mark_follows(from, to);
        state.runs.remove(from);
        let opened = state.opened.take_if(|opened| opened.dir == *from);
        effects.extend(opened.map(|opened| Effect::Close(opened.dir)));
        state.runs.expect(to.clone());
    }
    if let [.., (_, to)] = moved {
        let name = to.name();
        let name = clean(&name);
        let text = if undone {
            format!("it is called {name} again")
        } else {
            format!("it is called {name} now; u takes that back")
        };
        state.notice = Some(Notice::good(text));
    }
    let there = moved.iter().map(|(_, to)| to.clone()).collect();
    effects.push(Effect::Summarise(there));
    effects
}
