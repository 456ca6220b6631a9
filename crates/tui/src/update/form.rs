//! What the outcomes of the form's jobs change.

use crate::effect::Effect;
use crate::jobs::choice::Choice;
use crate::jobs::form::{FormJob, FormOutcome, Saving};
use crate::notice::Notice;
use crate::state::State;
use crate::update::respond;
use crate::view::confirm::Confirm;
use crate::view::form::Form;
use traintop_analysis::run_history::PastRun;
use traintop_config::Place;
use traintop_launch::recent::Values;
use traintop_recipe::OWN;
use traintop_run::RunDir;
use traintop_text::clean;

/// Opens the form with the recipes.
pub fn open(state: &mut State) -> Vec<Effect> {
    let mut form = state.take_form();
    form.show_choices();
    state.overlays.push(form);
    vec![Effect::ListRecipes, learn(state)]
}

/// Asks for the recipe of the run that is meant, to start another like it.
pub fn ask_for_recipe(state: &State) -> Vec<Effect> {
    let selected = || Some(&state.context.runs.selected()?.found.dir);
    let dir = state.run_on_screen().or_else(selected);
    dir.cloned().map(Effect::ReadRecipe).into_iter().collect()
}

/// Opens the form with a run's recipe.
pub fn begin_with(state: &mut State, choice: &Choice) -> Vec<Effect> {
    if let Err(problem) = &choice.subject {
        state.context.notice = Some(Notice::bad(problem.clone()));
        return Vec::new();
    }
    let mut effects = open(state);
    let form = state.form_mut();
    form.begin_with(choice);
    effects.extend(form.due());
    effects
}

/// Fills the form with the values of an earlier start.
pub fn fill(state: &mut State, values: &Values) -> Vec<Effect> {
    let form = state.form_mut();
    let (problem, due) = (form.fill(values), form.due());
    if problem.is_some() {
        state.context.notice = problem;
    }
    due.into_iter().collect()
}

/// The job that learns from the runs of the table.
fn learn(state: &mut State) -> Effect {
    let is_partial = !are_all_read(state);
    state.form_mut().is_partial = is_partial;
    let rows = state.context.runs.all();
    let summaries = rows.filter_map(|row| row.summary.as_ref());
    Effect::Form(FormJob::Learn(summaries.map(PastRun::of).collect()))
}

fn are_all_read(state: &State) -> bool {
    state.context.runs.is_searched() && state.refreshing.is_empty()
}

/// The same job once more, when all runs are read that were not yet when the form was opened.
pub fn learn_the_rest(state: &mut State) -> Option<Effect> {
    let form = state.overlays.find::<Form>();
    let is_due = form.is_some_and(|form| form.is_partial) && are_all_read(state);
    is_due.then(|| learn(state))
}

fn ask_to_queue(state: &mut State) -> Vec<Effect> {
    let Some(form) = state.overlays.screen_as_mut::<Form>() else {
        return Vec::new();
    };
    let response = form.ask_to_queue(&state.context);
    respond(state, response)
}

/// What an outcome changes, and what is to be done next.
pub fn update(state: &mut State, outcome: FormOutcome) -> Vec<Effect> {
    match outcome {
        FormOutcome::Learnt(earlier, recent, place) => {
            let form = state.form_mut();
            form.learn(earlier, recent, place);
            return form.due().into_iter().collect();
        }
        FormOutcome::Planned(number, worked) => {
            let is_waited_for = state.form_mut().planned(number, worked);
            if is_waited_for && !state.overlays.has_dialog() {
                return ask_to_queue(state);
            }
        }
        FormOutcome::Queued(Ok(dirs), place) => {
            let what = match &dirs[..] {
                [dir] => dir.name(),
                _ => format!("{} runs", dirs.len()),
            };
            let grouped = if dirs.len() > 1 && state.context.runs.group_sweeps() {
                ", grouped by sweep (B ungroups)"
            } else {
                ""
            };
            let said = match place {
                Place::Local => format!("queued {what}{grouped}; w shows the queue"),
                Place::Slurm => {
                    format!("submitted {what} to Slurm{grouped}; w shows the pending runs")
                }
            };
            return shown(state, dirs, said);
        }
        FormOutcome::Started(dir) => {
            let said = format!("started {}", dir.name());
            return shown(state, vec![dir], said);
        }
        FormOutcome::Queued(Err(problem), _) | FormOutcome::Refused(problem) => {
            state.context.notice = Some(Notice::bad(clean(&problem)));
        }
        FormOutcome::Saved(path) => {
            let path = path.display().to_string();
            let text = format!("{} is saved; the form offers it from now on", clean(&path));
            state.context.notice = Some(Notice::good(text));
            return vec![Effect::ListRecipes];
        }
        FormOutcome::Taken(saving) => {
            let again = Saving {
                replaces: true,
                ..*saving
            };
            state.question = Some(Confirm {
                title: "Replace it?".to_owned(),
                text: format!("There is {OWN}/{}.toml already.", clean(&again.name)),
                yes: "replace".to_owned(),
                then: Effect::Form(FormJob::Save(Box::new(again))),
            });
        }
    }
    Vec::new()
}

/// Shows new runs in the table.
fn shown(state: &mut State, dirs: Vec<RunDir>, said: String) -> Vec<Effect> {
    state.context.notice = Some(Notice::good(said));
    if state.overlays.screen_as::<Form>().is_some() {
        state.show_table();
    }
    if let Some(first) = dirs.first() {
        state.context.runs.expect(first.clone());
    }
    vec![Effect::Summarise(dirs)]
}
