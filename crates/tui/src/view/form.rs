//! The form that starts a run: choose a recipe or a launcher, see and change its values under the
//! recipe's own checks, start. A value that is several makes it a sweep.

mod draw;
mod edit;
pub mod model;
pub mod save;
#[cfg(test)]
mod sweep_tests;
#[cfg(test)]
pub(in crate::view) mod tests;
mod values;

use std::path::Path;
use std::sync::Arc;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub use model::Form;

use self::edit::Edit;
use super::super::command::Action;
use super::super::effect::Effect;
use super::super::state::State;
use super::super::widget::prompt::Prompt;
use super::confirm::Confirm;
use super::motion::Motion;
use super::picker::Picker;
use crate::command::Scope;
use crate::component::{Component, Response};
use crate::jobs;
use crate::jobs::choice::Choice;
use crate::jobs::form::{FormJob, Worked};
use crate::notice::Notice;
use traintop_analysis::run_history::{PastRun, RunHistory};
use traintop_config::Place;
use traintop_launch::recent::Recent;
use traintop_recipe::Kind;
use traintop_run::RunDir;
use traintop_text::{clean, since};

/// Asks for the recipe of the run that is meant, to start another like it.
pub fn ask_for_recipe(state: &mut State) -> Vec<Effect> {
    let dir = match state.run_on_screen() {
        Some(dir) => Some(dir.clone()),
        None => state.runs.selected().map(|row| row.found.dir.clone()),
    };
    dir.map(Effect::ReadRecipe).into_iter().collect()
}

/// Opens the form with a run's recipe.
pub fn begin_with(state: &mut State, choice: &Choice) -> Vec<Effect> {
    if let Err(problem) = &choice.subject {
        state.notice = Some(Notice::bad(problem.clone()));
        return Vec::new();
    }
    let mut effects = open(state);
    state.form.edit = Edit::of(choice);
    state.form.offer_slurm();
    state.form.editing = true;
    effects.extend(state.form.due());
    effects
}

/// The form on the screen. What it holds stays in the state when it is left.
#[derive(Debug)]
pub struct FormScreen;

impl Component for FormScreen {
    fn scope(&self, state: &State) -> Scope {
        if state.form.is_typing() {
            Scope::FormValue
        } else {
            Scope::Form
        }
    }

    fn is_screen(&self) -> bool {
        true
    }

    /// The form's commands change the state: [`act`] and [`act_in_value`] carry them out.
    fn act(&mut self, _action: Action, _state: &State) -> Response {
        Response::ignored()
    }

    fn draw(&self, state: &State, area: Rect, buf: &mut Buffer) {
        draw::draw(state, area, buf);
    }
}

/// Opens the form.
pub fn open(state: &mut State) -> Vec<Effect> {
    state.form.editing = false;
    state.overlays.push(FormScreen);
    vec![Effect::ListRecipes, ask_to_learn(state)]
}

/// The job that learns from the runs of the table.
fn ask_to_learn(state: &mut State) -> Effect {
    state.form.is_partial = !are_all_read(state);
    let summaries = state.runs.all().filter_map(|row| row.summary.as_ref());
    Effect::Form(FormJob::Learn(summaries.map(PastRun::of).collect()))
}

fn are_all_read(state: &State) -> bool {
    state.runs.is_searched() && state.refreshing.is_empty()
}

/// The same order once more, when all runs are read that were not yet when the form was opened.
pub fn learn_the_rest(state: &mut State) -> Option<Effect> {
    let is_shown = state.overlays.find::<FormScreen>().is_some();
    let is_due = is_shown && state.form.is_partial && are_all_read(state);
    is_due.then(|| ask_to_learn(state))
}

/// Takes in what earlier runs tell; a sweep is worked out by it anew.
pub fn learn(
    state: &mut State,
    earlier: Arc<RunHistory>,
    recent: Vec<Recent>,
    place: Option<Place>,
) -> Vec<Effect> {
    let form = &mut state.form;
    (form.recent, form.earlier, form.place) = (recent, earlier, place);
    form.offer_slurm();
    form.sweep.asked = None;
    form.due().into_iter().collect()
}

/// Takes in a sweep that was worked out, unless another has been asked for since.
pub fn planned(state: &mut State, number: u64, worked: Result<Arc<Worked>, String>) {
    let sweep = &mut state.form.sweep;
    if number != sweep.number {
        return;
    }
    sweep.worked = Some(worked);
    let is_screen = state.overlays.screen_as::<FormScreen>().is_some();
    let is_shown = is_screen && !state.overlays.has_dialog();
    if std::mem::take(&mut sweep.is_waited_for) && is_shown {
        ask_to_queue(state);
    }
}

/// Does what a key asks for.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let mut effects = done(state, action);
    effects.extend(state.form.due());
    effects
}

fn done(state: &mut State, action: Action) -> Vec<Effect> {
    let form = &mut state.form;
    if let Some(motion) = Motion::vertical(action) {
        form.move_by(motion.rows(10));
        return Vec::new();
    }
    match action {
        Action::Back if form.editing => form.editing = false,
        Action::Back => state.overlays.close::<FormScreen>(),
        Action::FormStart => return start(state, false),
        Action::FormQueue => return start(state, true),
        Action::FormVariants => offer_recent(state),
        Action::FormSave => save::ask(state),
        Action::FormEdit if !form.editing => state.notice = form.choose(),
        _ => {
            if let Some(edit) = form.edit.as_mut().filter(|_| form.editing) {
                change(edit, action);
            }
        }
    }
    Vec::new()
}

fn change(edit: &mut Edit, action: Action) {
    let field = edit.field();
    let has_steps = matches!(field.kind, Kind::Bool | Kind::Choice(_)) && !edit.is_swept(field);
    match action {
        Action::FormEdit if has_steps => edit.turn(1),
        Action::FormEdit | Action::FormType => edit.typing = Some(Prompt::new(&edit.text(field))),
        Action::Right => edit.turn(1),
        Action::Left => edit.turn(-1),
        Action::FormReset => edit.reset(field),
        Action::FormSkipDone => edit.turn_skip(),
        _ => {}
    }
}

/// Lists what was started lately from this recipe.
fn offer_recent(state: &mut State) {
    let form = &mut state.form;
    if !form.editing {
        state.notice = form.choose();
    }
    let Some(edit) = state.form.edit.as_ref().filter(|_| state.form.editing) else {
        return;
    };
    let now = state.now;
    let of_this = state.form.recent.iter().filter(|recent| edit.is_of(recent));
    let items: Vec<_> = of_this
        .map(|recent| {
            let age = std::time::Duration::try_from(now - recent.at).unwrap_or_default();
            let label = clean(&recent.label()).into_owned();
            (
                label,
                format!("{} ago", since(age).0),
                recent.values.clone(),
            )
        })
        .collect();
    if items.is_empty() {
        let text = "nothing was started from this recipe yet";
        state.notice = Some(Notice::bad(text));
        return;
    }
    state.overlays.push(Picker::recent(items));
}

/// Makes the form what was started before.
pub fn fill(state: &mut State, values: &[(String, String)]) -> Vec<Effect> {
    let Some(edit) = &mut state.form.edit else {
        return Vec::new();
    };
    if let Err(problem) = edit.fill(values) {
        state.notice = Some(Notice::bad(clean(&problem)));
    }
    state.form.due().into_iter().collect()
}

/// Leaves the form with the job that starts or queues what it holds, if that is valid. A sweep is
/// queued, after a question.
fn start(state: &mut State, queues: bool) -> Vec<Effect> {
    if !state.form.editing
        && let Some(problem) = state.form.choose()
    {
        state.notice = Some(problem);
        return Vec::new();
    }
    let Some(edit) = &state.form.edit else {
        return Vec::new();
    };
    if let Some(problem) = edit.problem() {
        state.notice = Some(Notice::bad(clean(&problem)));
        return Vec::new();
    }
    if edit.is_sweep() {
        ask_to_queue(state);
        return Vec::new();
    }
    let note = Effect::Form(FormJob::Note(Box::new(edit.recent(state.now))));
    let launch = edit.launcher.as_ref().map(|launcher| edit.launch(launcher));
    let order = match launch {
        None if edit.place() == Place::Slurm => {
            Effect::Form(FormJob::Submit(Box::new(edit.request())))
        }
        None if queues => Effect::Steer(jobs::steering::SteeringJob::Queue(edit.request())),
        None => Effect::Launch(edit.request()),
        Some(Ok(launch)) if edit.place() == Place::Slurm => {
            Effect::Form(FormJob::SubmitCommand(Box::new(launch)))
        }
        Some(Ok(launch)) => Effect::Form(FormJob::Launch(Box::new(launch), queues)),
        Some(Err(problem)) => {
            state.notice = Some(Notice::bad(problem));
            return Vec::new();
        }
    };
    let doing = match edit.place() {
        Place::Slurm => "handing to Slurm:",
        Place::Local if queues => "queueing",
        Place::Local => "starting",
    };
    let name = edit.source.display().to_string();
    state.notice = Some(Notice::good(format!("{doing} {}", clean(&name))));
    state.overlays.clear();
    vec![order, note]
}

/// Asks before a whole sweep is queued: the question repeats what it costs.
fn ask_to_queue(state: &mut State) {
    let worked = match &state.form.sweep.worked {
        Some(Ok(worked)) => worked,
        Some(Err(problem)) => {
            state.notice = Some(Notice::bad(problem.clone()));
            return;
        }
        None => {
            state.form.sweep.is_waited_for = true;
            return;
        }
    };
    let done = worked.plan.done();
    if worked.runs == 0 {
        let text = "finished runs have all of it already; x includes them again";
        state.notice = Some(Notice::bad(text));
        return;
    }
    let done = match (done, worked.plan.wanted.skip_done) {
        (0, _) => String::new(),
        (done, true) => format!(" {done} more finished already and are left out."),
        (done, false) => format!(" {done} of them finished already; x leaves them out."),
    };
    let plural = if worked.runs == 1 { "" } else { "s" };
    let what = format!("{} run{plural}", worked.runs);
    let edit = state.form.edit.as_ref();
    let place = edit.map(Edit::place).unwrap_or_default();
    let (title, yes) = match place {
        Place::Local => (format!("Queue {what}?"), "queue"),
        Place::Slurm => (format!("Hand {what} to Slurm?"), "hand over"),
    };
    state.overlays.push(Confirm {
        title,
        text: format!("{}.{done}", worked.cost),
        yes: yes.to_owned(),
        then: Effect::Form(FormJob::Queue(
            Arc::clone(worked),
            state
                .form
                .edit
                .as_ref()
                .map(|edit| Box::new(edit.recent(state.now))),
            place,
        )),
    });
}

/// Does what a command says while a value is typed.
pub fn act_in_value(state: &mut State, action: Action) -> Vec<Effect> {
    let form = &mut state.form;
    let Some(edit) = &mut form.edit else {
        return Vec::new();
    };
    match action {
        Action::Confirm => edit.accept(),
        Action::Back => edit.typing = None,
        Action::Down | Action::Up => {
            edit.accept();
            if edit.typing.is_none() {
                form.move_by(if action == Action::Up { -1 } else { 1 });
            }
        }
        _ => {}
    }
    form.due().into_iter().collect()
}

/// A key while a value is typed.
pub fn type_key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    let form = &mut state.form;
    if let Some(typing) = form.edit.as_mut().and_then(|edit| edit.typing.as_mut()) {
        typing.key(event);
    }
    form.due().into_iter().collect()
}

/// Text that was pasted into a value.
pub fn paste(state: &mut State, text: &str) {
    let edit = state.form.edit.as_mut();
    if let Some(typing) = edit.and_then(|edit| edit.typing.as_mut()) {
        typing.insert(text);
    }
}

/// What a recipe's file is called: a run's by the run's folder.
fn called(source: &Path) -> String {
    let run = source.ancestors().nth(2).map(RunDir::new);
    match run.filter(|run| run.config_json() == source) {
        Some(run) => format!("like {}", run.name()),
        None => source.display().to_string(),
    }
}
