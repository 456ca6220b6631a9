//! The table of runs: every run below the roots, newest first, filtered as one types.

#[cfg(test)]
mod arrange_tests;
mod draw;
mod draw_group;
mod draw_query;
mod groups;
pub mod layout;
mod marks;
mod order;
mod query_line;
#[cfg(test)]
mod query_tests;
#[cfg(test)]
pub(in crate::view) mod queue_tests;
mod steer;
#[cfg(test)]
pub(in crate::view) mod steer_tests;
pub mod stopping;
pub mod table;
#[cfg(test)]
pub(super) mod tests;

use crossterm::event::KeyEvent;

pub use draw::draw;
pub use draw_query::draw_hints as draw_query_hints;
pub use layout::{has_preview, table_height};

use super::super::command::Action;
use super::super::effect::Effect;
use super::super::state::State;
use super::column_editor::ColumnEditor;
use super::confirm::Confirm;
use super::line_dialog::{About, LineDialog};
use super::motion::Motion;
use super::note::NoteEditor;
use super::picker::Picker;
use super::queue::QueueList;
use super::rename::Renaming;
use crate::jobs::edits::EditJob;
use crate::notice::Notice;
use layout::areas;
use query_line::Typed;
use traintop_run::RunDir;
use traintop_run::notes::{Change, Notes};
use traintop_run::summary::Summary;

/// Does what a key asks for.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let (now, height) = (state.now, table_height(state.size));
    let runs = &mut state.runs;
    if let Some(motion) = Motion::of(action) {
        let to = motion.along(runs.line(), runs.line_count(), usize::from(height));
        runs.move_to(to, height, now);
    }
    match action {
        Action::SortNext => runs.sort_by(1),
        Action::SortPrevious => runs.sort_by(-1),
        Action::SortReverse => {
            runs.sort.1 = !runs.sort.1;
            runs.unsaved = true;
            runs.arrange();
        }
        Action::Star => {
            return toggle(state, |notes| notes.star, Change::Star);
        }
        Action::Rename => return rename(state),
        Action::Baseline => {
            return toggle(state, |notes| notes.baseline, Change::Baseline);
        }
        Action::Archive => return archive(state),
        Action::Organise => {
            return vec![Effect::Edit(EditJob::ProposeRebuild(subject(state)))];
        }
        Action::EditTags => ask(state, About::Tags),
        Action::EditNote => edit_note(state),
        Action::Mark => runs.toggle_mark(height, now),
        Action::MarkRange => runs.toggle_range(now),
        Action::MarkAll => runs.mark_shown(now),
        Action::MarkInvert => runs.invert_marks(now),
        Action::MarkNone => runs.unmark_all(now),
        Action::Fold => runs.fold(),
        Action::FoldAll => runs.fold_all(),
        Action::ChooseColumns => {
            let chooser = ColumnEditor::new(state);
            state.overlays.push(chooser);
        }
        Action::SortBy | Action::GroupBy | Action::JumpTo => {
            let choices = match action {
                Action::SortBy => Picker::sorting(state),
                Action::GroupBy => Picker::grouping(state),
                _ => Picker::runs(state),
            };
            state.overlays.push(choices);
        }
        Action::Filter => {
            runs.query.editing = true;
            runs.query.names(&runs.rows);
        }
        Action::ClearFilter if runs.leave_range() => {}
        Action::ClearFilter => {
            runs.query.clear();
            runs.unsaved = true;
            runs.reread_query();
        }
        Action::Refresh => return vec![Effect::Discover],
        Action::PauseRun => return steer::pause(state, &subject(state)),
        Action::SteerRun => return steer::offer(state, &subject(state)),
        Action::SaveNow => return steer::save(state, &subject(state)),
        Action::ResumeRun => return steer::resume(state, &subject(state)),
        Action::StopRun => return stopping::ask(state, &subject(state)),
        Action::ShowQueue => match QueueList::new(state) {
            Some(queue) => state.overlays.push(queue),
            None => state.notice = Some(Notice::good("no run waits; w in the form queues one")),
        },
        _ => {}
    }
    state.runs.keep_in_sight(height);
    Vec::new()
}

/// The runs that an action is about: on its own screen the run that is opened, else those chosen in
/// the table.
fn subject(state: &State) -> Vec<RunDir> {
    match state.run_on_screen() {
        Some(dir) => vec![dir.clone()],
        None => state.runs.chosen(),
    }
}

/// What is known of the chosen run, if it is one.
fn only_chosen(state: &State) -> Option<&Summary> {
    match &subject(state)[..] {
        [dir] => state.runs.row(dir)?.summary.as_ref(),
        _ => None,
    }
}

/// Asks for a line about the chosen run, or about all of them.
fn ask(state: &mut State, about: About) {
    let many = match about {
        About::Tags => About::Retag,
        about => about,
    };
    let ask = match (only_chosen(state), subject(state)) {
        (Some(summary), _) => Some(LineDialog::new(about, summary)),
        (None, chosen) => (chosen.len() > 1).then(|| LineDialog::many(many, chosen)),
    };
    if let Some(ask) = ask {
        state.overlays.push(ask);
    }
}

/// Asks for the chosen run's name, or for a template for the names of many.
fn rename(state: &mut State) -> Vec<Effect> {
    let chosen = subject(state);
    if chosen.len() < 2 {
        ask(state, About::Name);
        return Vec::new();
    }
    state.overlays.push(Renaming::new(chosen.len()));
    vec![Effect::Edit(EditJob::Gather(chosen))]
}

/// Asks what archiving the chosen runs would do; archived ones are restored.
fn archive(state: &mut State) -> Vec<Effect> {
    let is_archived = |dir: &&RunDir| {
        let summary = state.runs.row(dir).and_then(|row| row.summary.as_ref());
        summary.is_some_and(|summary| summary.archived.is_some())
    };
    let chosen = subject(state);
    let archived: Vec<RunDir> = chosen.iter().filter(is_archived).cloned().collect();
    if archived.is_empty() {
        state.notice = Some(Notice::good("looking at what there is to pack …"));
        return vec![Effect::Edit(EditJob::ProposeArchive(chosen))];
    }
    let runs = if archived.len() == 1 { "run" } else { "runs" };
    state.overlays.push(Confirm {
        title: format!("Unarchive {} {runs}?", archived.len()),
        text: "Everything that was packed is unpacked to its place; the archive goes to the trash."
            .to_owned(),
        yes: "unarchive".to_owned(),
        then: Effect::Edit(EditJob::Unarchive(archived)),
    });
    Vec::new()
}

/// Opens the chosen run's note, or asks for a line to add to the notes of many.
fn edit_note(state: &mut State) {
    match only_chosen(state).map(NoteEditor::new) {
        Some(editor) => state.overlays.push(editor),
        None => ask(state, About::NoteLine),
    }
}

/// Turns something on for the chosen runs, or off if all of them have it.
fn toggle(state: &State, has: impl Fn(&Notes) -> bool, change: fn(bool) -> Change) -> Vec<Effect> {
    let chosen = subject(state);
    let notes = |dir: &RunDir| {
        state
            .runs
            .row(dir)?
            .summary
            .as_ref()
            .map(|summary| &summary.notes)
    };
    let all = chosen.iter().filter_map(notes).all(has);
    if chosen.is_empty() {
        return Vec::new();
    }
    vec![Effect::Edit(EditJob::Annotate(chosen, change(!all)))]
}

/// Does what a command says while the filter is typed.
pub fn act_in_query(state: &mut State, action: Action) {
    let runs = &mut state.runs;
    let typed = runs.query.act(action, &runs.rows);
    take_in_typed(state, typed);
}

/// A key while the filter is typed.
pub fn type_key(state: &mut State, event: KeyEvent) {
    let runs = &mut state.runs;
    let typed = runs.query.type_key(event, &runs.rows);
    take_in_typed(state, typed);
}

/// What the table comes to show is looked at more closely once the keys rest.
fn take_in_typed(state: &mut State, typed: Typed) {
    let (now, runs) = (state.now, &mut state.runs);
    runs.moved(now);
    match typed {
        Typed::Nothing => {}
        Typed::Changed => runs.typed(),
        Typed::Kept => {
            runs.unsaved = true;
            runs.reread_query();
        }
    }
    let height = table_height(state.size);
    state.runs.keep_in_sight(height);
}

/// Text that was pasted into the filter.
pub fn paste(state: &mut State, text: &str) {
    let runs = &mut state.runs;
    runs.query.insert(text, &runs.rows);
    runs.reread_query();
}
