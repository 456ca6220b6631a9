//! What edits of runs change on the screen, and undoing them.

use crate::update::look_into;
use std::path::Path;

use crate::effect::Effect;
use crate::jobs::edits::{EditJob, EditOutcome, UndoEntry, first_of};
use crate::notice::Notice;
use crate::state::State;
use crate::update::discovery::changed;
use crate::view::confirm::Confirm;
use crate::view::line_dialog::LineDialog;
use crate::view::note::NoteEditor;
use crate::view::rename::Renaming;
use crate::view::run::RunView;
use crate::{jobs, update};
use traintop_run::RunDir;
use traintop_run::evaluation::EVALUATIONS;
use traintop_run::notes::Change;
use traintop_text::clean;

/// Undoes the last change of this session.
pub fn undo(state: &mut State) -> Vec<Effect> {
    vec![match state.undo_stack.pop() {
        Some(UndoEntry::Removed(tickets)) => {
            Effect::Clean(jobs::cleanup::CleanupJob::Restore(tickets))
        }
        Some(undo_entry) => Effect::Edit(EditJob::Undo(undo_entry)),
        // The trash remembers what was removed before this session.
        None => Effect::Clean(jobs::cleanup::CleanupJob::FindLatest),
    }]
}

/// What an outcome changes, and what is to be done next.
pub fn update(state: &mut State, outcome: EditOutcome) -> Vec<Effect> {
    match outcome {
        EditOutcome::Annotated(dirs, undo_entry, problem) => {
            let undone = undo_entry.is_none();
            if let (2.., None) = (dirs.len(), &problem) {
                let text = if undone {
                    format!("{} runs have their notes of before again", dirs.len())
                } else {
                    format!("{} runs were changed; u undoes that", dirs.len())
                };
                state.context.notice = Some(Notice::good(text));
            }
            state.undo_stack.extend(undo_entry);
            if let Some(problem) = problem {
                state.context.notice = Some(Notice::bad(problem));
            }
            let mut effects = Vec::new();
            if dirs.iter().any(is_evaluation) {
                effects.extend(update::evaluations::find(state));
            }
            let runs = dirs.iter().filter(|dir| !is_evaluation(dir));
            effects.extend(runs.flat_map(|dir| changed(state, dir)));
            return effects;
        }
        EditOutcome::Moved(moved, undo_entry) => {
            let undone = undo_entry.is_none();
            let left = match &undo_entry {
                Some(UndoEntry::Renamed(renamed)) => renamed
                    .iter()
                    .flat_map(|renamed| renamed.left.clone())
                    .collect(),
                _ => Vec::new(),
            };
            state.undo_stack.extend(undo_entry);
            let effects = follow(state, &moved, undone);
            if let Some(problem) = first_of(&left) {
                state.context.notice = Some(Notice::bad(problem));
            }
            return effects;
        }
        EditOutcome::Gathered(known) => {
            if let Some(renaming) = state.overlays.find_mut::<Renaming>() {
                renaming.know(*known);
            }
        }
        EditOutcome::Recovered(sentences) => {
            for sentence in &sentences {
                log::warn!("{sentence}");
            }
            if let Some(first) = first_of(&sentences) {
                state.context.notice = Some(Notice::bad(first));
                return vec![Effect::Discover];
            }
        }
        EditOutcome::Proposed(title, text, yes, job) => {
            state.context.notice = None;
            state.question = Some(Confirm {
                title,
                text,
                yes,
                then: Effect::Edit(*job),
            });
        }
        EditOutcome::Changed(dirs, text, undo_entry, problem) => {
            state.undo_stack.extend(undo_entry);
            state.context.notice = Some(problem.map_or_else(|| Notice::good(text), Notice::bad));
            let mut effects: Vec<Effect> =
                dirs.iter().flat_map(|dir| changed(state, dir)).collect();
            effects.push(Effect::Measure(dirs));
            return effects;
        }
        EditOutcome::NotUndone(undo_entry, problem) => {
            state.undo_stack.push(undo_entry);
            state.context.notice = Some(Notice::bad(problem));
        }
        EditOutcome::NotSaved { job, problem } => {
            edit_again(state, job);
            state.context.notice = Some(Notice::bad(problem));
        }
        EditOutcome::Refused(problem) => state.context.notice = Some(Notice::bad(problem)),
    }
    Vec::new()
}

/// Opens the editor in which a job was typed that failed, with the same text.
fn edit_again(state: &mut State, job: EditJob) {
    if let EditJob::Annotate(dirs, Change::Note(text)) = &job
        && let [dir] = &dirs[..]
    {
        let summary = state.context.summary(dir);
        let (name, saved) = match summary {
            Some(summary) => (summary.title().into_owned(), summary.notes.note.as_str()),
            None => (clean(&dir.name()).into_owned(), ""),
        };
        let editor = NoteEditor::unsaved(dir.clone(), name, saved, text);
        state.overlays.push(editor);
        return;
    }
    let summary = |dir: &RunDir| state.context.summary(dir);
    if let Some(line) = LineDialog::unsaved(job, summary) {
        state.overlays.push(line);
    }
}

/// Whether a folder that was dealt with is an evaluation's: those lie in a folder in which no run
/// is looked for.
fn is_evaluation(dir: &RunDir) -> bool {
    let parent = dir.path().parent().and_then(Path::file_name);
    parent.is_some_and(|parent| parent == EVALUATIONS)
}

/// Rows, cursor and the opened run go with their folders.
fn follow(state: &mut State, moved: &[(RunDir, RunDir)], undone: bool) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut shown = None;
    for (from, to) in moved.iter().filter(|(from, _)| !is_evaluation(from)) {
        state.refreshing.remove(from);
        state.context.runs.mark_follows(from, to);
        state.context.runs.remove(from);
        let opened = state.context.opened.take_if(|opened| opened.dir == *from);
        effects.extend(opened.map(|opened| Effect::Close(opened.dir)));
        state.context.runs.expect(to.clone());
        if let Some(view) = state.overlays.find_mut::<RunView>()
            && view.dir == *from
        {
            view.dir.clone_from(to);
            shown = Some(to.clone());
        }
        effects.extend(update::compare::renamed(state, from, to));
    }
    // The screen of a run reads it anew, below its new name.
    effects.extend(shown.into_iter().flat_map(|dir| look_into(state, &dir)));
    if let [.., (_, to)] = moved {
        let name = to.name();
        let name = clean(&name);
        let text = match (moved.len(), undone) {
            (1, true) => format!("it is called {name} again"),
            (1, false) => format!("it is called {name} now; u undoes that"),
            (many, true) => format!("{many} runs have their old names again"),
            (many, false) => format!("{many} runs were renamed; u undoes that"),
        };
        state.context.notice = Some(Notice::good(text));
    }
    let (evaluated, runs): (Vec<_>, Vec<_>) = moved
        .iter()
        .cloned()
        .partition(|(from, _)| is_evaluation(from));
    if !evaluated.is_empty() {
        update::evaluations::follow(state, &evaluated);
        effects.extend(update::evaluations::find(state));
    }
    let there: Vec<RunDir> = runs.into_iter().map(|(_, to)| to).collect();
    if !there.is_empty() {
        effects.push(Effect::Summarise(there));
    }
    effects
}
