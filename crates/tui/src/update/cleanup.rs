//! What clean-ups and jobs on the trash change, and the questions before something is removed.

use crate::view::clean::CleanView;
use crate::view::trash::TrashView;
use std::time::Duration;

use crate::context::Context;
use crate::effect::Effect;
use crate::jobs::cleanup::{CleanupJob, CleanupOutcome};
use crate::jobs::edits::UndoEntry;
use crate::notice::Notice;
use crate::state::State;
use crate::view::confirm::Confirm;
use crate::view::runs;
use traintop_ops::trash::{Entry, Ticket};
use traintop_run::RunDir;
use traintop_run::evaluation::EvaluationDir;
use traintop_text as text;

/// Opens the clean-up of the marked runs, or of all.
pub fn open(state: &mut State) -> Vec<Effect> {
    let marked = state.context.runs.marked().into_iter().cloned().collect();
    let (view, plan) = CleanView::new(marked, state.retention.clone());
    state.overlays.push(view);
    vec![plan]
}

/// Opens the trash.
pub fn open_trash(state: &mut State) -> Vec<Effect> {
    state.overlays.push(TrashView::default());
    vec![Effect::Clean(CleanupJob::ListTrash)]
}

/// What an outcome changes, and what is to be done next.
pub fn update(state: &mut State, outcome: CleanupOutcome) -> Vec<Effect> {
    match outcome {
        CleanupOutcome::Surveying(done, of) => {
            if let Some(view) = state.overlays.find_mut::<CleanView>() {
                view.progress = Some((done, of));
            }
        }
        CleanupOutcome::Planned(plan, spaces) => {
            let size = state.context.size;
            if let Some(view) = state.overlays.find_mut::<CleanView>() {
                view.planned(*plan, spaces, size);
            }
        }
        CleanupOutcome::Removed(done) => {
            let text = done.sentence();
            state.context.notice = Some(if done.left.is_empty() {
                Notice::good(format!("{text}; u undoes that"))
            } else {
                Notice::bad(text)
            });
            if !done.tickets.is_empty() {
                state.undo_stack.push(UndoEntry::Removed(done.tickets));
            }
            for dir in &done.runs {
                state.refreshing.remove(dir);
                state.context.runs.remove(dir);
            }
            let mut effects = Vec::new();
            let gone = state
                .context
                .opened
                .take_if(|opened| done.runs.contains(&opened.dir));
            effects.extend(gone.map(|opened| Effect::Close(opened.dir)));
            state.overlays.close::<CleanView>();
            // The trash may have been opened before this was in it.
            if state.overlays.find::<TrashView>().is_some() {
                effects.push(Effect::Clean(CleanupJob::ListTrash));
            }
            effects.extend(look_again(&state.context));
            return effects;
        }
        CleanupOutcome::Listed(listed, problems) => {
            if let Some(view) = state.overlays.find_mut::<TrashView>() {
                view.listed(listed);
                if let Some(problem) = problems.first() {
                    state.context.notice = Some(Notice::bad(text::clean(problem)));
                }
            }
        }
        CleanupOutcome::Latest(latest) => ask_to_restore(state, latest),
        CleanupOutcome::Settled(text) => {
            state.context.notice = Some(Notice::good(text));
            let mut effects = look_again(&state.context);
            if state.overlays.find::<TrashView>().is_some() {
                effects.push(Effect::Clean(CleanupJob::ListTrash));
            }
            return effects;
        }
        CleanupOutcome::Refused(problem) => {
            state.context.notice = Some(Notice::bad(problem));
            if let Some(view) = state.overlays.find_mut::<CleanView>() {
                view.is_busy = false;
            }
        }
    }
    Vec::new()
}

/// Runs may have come or gone, and have other sizes.
fn look_again(context: &Context) -> Vec<Effect> {
    let height = runs::table_height(context.size);
    let shown = context.runs.on_screen(height);
    let dirs: Vec<RunDir> = shown.map(|row| row.found.dir.clone()).collect();
    vec![Effect::Discover, Effect::Measure(dirs)]
}

/// Nothing was done in this session: asks whether to undo the last removal of another.
fn ask_to_restore(state: &mut State, latest: Vec<(Ticket, Entry)>) {
    let Some((_, entry)) = latest.first() else {
        state.context.notice = Some(Notice::bad("there is nothing to undo"));
        return;
    };
    let age = Duration::try_from(state.context.now - entry.removed_at).unwrap_or_default();
    let count: Vec<String> = latest.iter().map(|(_, entry)| entry.count()).collect();
    let text = format!(
        "{} that {} moved to the trash {} ago will be back at their places.",
        count.join(" and "),
        text::clean(&entry.by),
        text::since(age).0
    );
    let tickets = latest.into_iter().map(|(ticket, _)| ticket).collect();
    state.question = Some(Confirm {
        title: "Undo the last removal?".to_owned(),
        text,
        yes: "restore them".to_owned(),
        then: Effect::Clean(CleanupJob::Restore(tickets)),
    });
}

/// Asks whether whole runs are to be removed, or says why they cannot be.
pub fn ask_to_remove(state: &mut State, dirs: Vec<RunDir>) {
    let held = dirs.iter().find_map(|dir| {
        let summary = state.context.summary(dir)?;
        let why = traintop_ops::rename::held(summary.observed.state)?;
        Some(format!("{} cannot be removed: {why}", summary.title()))
    });
    if let Some(problem) = held {
        state.context.notice = Some(Notice::bad(problem));
        return;
    }
    let bytes: u64 = dirs
        .iter()
        .filter_map(|dir| state.context.summary(dir)?.size_bytes)
        .sum();
    let title = match &dirs[..] {
        [] => return,
        [dir] => {
            let summary = state.context.summary(dir);
            let name = summary.map_or_else(|| dir.name(), |summary| summary.title().into_owned());
            format!("Remove {}?", text::clean(&name))
        }
        dirs => format!("Remove {} runs?", dirs.len()),
    };
    let (folders, them) = folders_and_them(dirs.len());
    let size = if bytes > 0 {
        format!(" ({})", text::bytes(bytes))
    } else {
        String::new()
    };
    let text = format!(
        "{folders}{size} with everything inside, the best model too, will be moved to the trash. u restores {them}."
    );
    ask_about_removal(state, title, text, Effect::Clean(CleanupJob::Remove(dirs)));
}

/// Asks whether evaluations are to be removed; `name` is what lists call the first.
pub fn ask_to_remove_evaluations(state: &mut State, dirs: Vec<EvaluationDir>, name: &str) {
    let title = match &dirs[..] {
        [] => return,
        [_] => format!("Remove {name}?"),
        dirs => format!("Remove {} evaluations?", dirs.len()),
    };
    let (folders, them) = folders_and_them(dirs.len());
    let text = format!(
        "{folders} with the answers, pictures and notes inside will be moved to the trash; the run and its checkpoints stay. u restores {them}."
    );
    ask_about_removal(
        state,
        title,
        text,
        Effect::Clean(CleanupJob::RemoveEvaluations(dirs)),
    );
}

/// The subject and the object of a sentence about folders.
fn folders_and_them(count: usize) -> (&'static str, &'static str) {
    if count == 1 {
        ("The folder", "it")
    } else {
        ("The folders", "them")
    }
}

fn ask_about_removal(state: &mut State, title: String, text: String, then: Effect) {
    state.overlays.push(Confirm {
        title,
        text,
        yes: "move to the trash".to_owned(),
        then,
    });
}
