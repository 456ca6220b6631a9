//! Keeping house from the dashboard: what is ordered, how it is carried out, and what its outcome changes.

use super::effect::Effect;
use super::message::Notice;
use super::state::State;
use super::update::changed;
use crate::run::RunDir;
use crate::run::notes::{Change, Notes};
use crate::run::rename::{self, Renamed, Wish};
use crate::text::clean;

/// Something to be done to runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Change what people added to a run.
    Annotate(RunDir, Change),
    /// Give a run's folder this name.
    Rename(RunDir, String),
    /// Take this back.
    Undo(Deed),
}

/// Something that was done and can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Folders got other names.
    Renamed(Vec<Renamed>),
}

/// What came of an order.
#[derive(Debug)]
pub enum Outcome {
    /// A run's notes were changed.
    Annotated(RunDir),
    /// Folders have other names: before and after, and how to take that back.
    Moved(Vec<(RunDir, RunDir)>, Option<Deed>),
    /// It was refused, or failed: one sentence.
    Refused(String),
}

/// Carries an order out; this may take as long as the disk does.
pub fn carry_out(order: Order) -> Outcome {
    let done = match order {
        Order::Annotate(dir, change) => Notes::change(&dir, &change)
            .map(|_| Outcome::Annotated(dir))
            .map_err(|error| error.to_string()),
        Order::Rename(dir, name) => rename_one(dir, name),
        Order::Undo(Deed::Renamed(renamed)) => rename::undo(&renamed)
            .map(|()| {
                let moved = |renamed: &Renamed| (renamed.to.clone(), renamed.from.clone());
                Outcome::Moved(renamed.iter().map(moved).collect(), None)
            })
            .map_err(|(path, cause)| format!("{}: keeps its name ({cause})", path.display())),
    };
    done.unwrap_or_else(|problem| Outcome::Refused(clean(&problem).into_owned()))
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
        Outcome::Annotated(dir) => return changed(state, &dir),
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
