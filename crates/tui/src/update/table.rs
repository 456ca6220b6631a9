//! Commands about the chosen runs, on the table or on a run's own screen.

use crate::command::Action;
use crate::effect::Effect;
use crate::jobs::edits::EditJob;
use crate::notice::Notice;
use crate::state::State;
use crate::update::respond;
use crate::view::column_editor::ColumnEditor;
use crate::view::confirm::Confirm;
use crate::view::line_dialog::{About, LineDialog};
use crate::view::note::NoteEditor;
use crate::view::picker::Picker;
use crate::view::queue::QueueList;
use crate::view::rename::Renaming;
use crate::view::runs::{steer, stopping, table_height};
use traintop_run::RunDir;
use traintop_run::notes::{Change, Notes};
use traintop_run::summary::Summary;

/// Does what a key asks for.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let response = match action {
        Action::Star => return toggle(state, |notes| notes.star, Change::Star),
        Action::Baseline => return toggle(state, |notes| notes.baseline, Change::Baseline),
        Action::Rename => return rename(state),
        Action::Archive => return archive(state),
        Action::Organise => return vec![Effect::Edit(EditJob::ProposeRebuild(subject(state)))],
        Action::Refresh => return vec![Effect::Discover],
        Action::PauseRun => steer::pause(&state.context, &subject(state)),
        Action::SteerRun => steer::offer(&state.context, &subject(state)),
        Action::SaveNow => steer::save(&state.context, &subject(state)),
        Action::ResumeRun => steer::resume(&state.context, &subject(state)),
        Action::StopRun => stopping::ask(&state.context, &subject(state)),
        _ => {
            let context = &mut state.context;
            match action {
                Action::EditTags => ask(state, About::Tags),
                Action::EditNote => edit_note(state),
                Action::ChooseColumns => {
                    let editor = ColumnEditor::new(&mut context.runs);
                    state.overlays.push(editor);
                }
                Action::SortBy => state.overlays.push(Picker::sorting(&mut context.runs)),
                Action::GroupBy => state.overlays.push(Picker::grouping(&mut context.runs)),
                Action::JumpTo => state.overlays.push(Picker::runs(context)),
                Action::ShowQueue => show_queue(state),
                Action::AllSettings => {
                    if !context.runs.toggle_differing() {
                        let text = "these runs differ in no setting";
                        context.notice = Some(Notice::bad(text));
                    }
                }
                _ => {
                    let height = table_height(context.size);
                    context.runs.act(action, height, context.now);
                }
            }
            return Vec::new();
        }
    };
    respond(state, response)
}

fn show_queue(state: &mut State) {
    match QueueList::new(&state.context) {
        Some(queue) => state.overlays.push(queue),
        None => {
            let text = "no run waits; w in the form queues one";
            state.context.notice = Some(Notice::good(text));
        }
    }
}

/// The runs that an action is about: on its own screen the run that is opened, else those chosen in
/// the table.
fn subject(state: &State) -> Vec<RunDir> {
    match state.run_on_screen() {
        Some(dir) => vec![dir.clone()],
        None => state.context.runs.chosen(),
    }
}

/// What is known of the chosen run, if it is one.
fn only_chosen(state: &State) -> Option<&Summary> {
    match &subject(state)[..] {
        [dir] => state.context.summary(dir),
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
        let summary = state.context.summary(dir);
        summary.is_some_and(|summary| summary.archived.is_some())
    };
    let chosen = subject(state);
    let archived: Vec<RunDir> = chosen.iter().filter(is_archived).cloned().collect();
    if archived.is_empty() {
        state.context.notice = Some(Notice::good("looking at what there is to pack …"));
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
    let notes = |dir: &RunDir| state.context.summary(dir).map(|summary| &summary.notes);
    let all = chosen.iter().filter_map(notes).all(has);
    if chosen.is_empty() {
        return Vec::new();
    }
    vec![Effect::Edit(EditJob::Annotate(chosen, change(!all)))]
}
