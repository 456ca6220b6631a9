//! What the outcomes of the form's jobs change.

use crate::effect::Effect;
use crate::jobs::form::{FormJob, FormOutcome, Saving};
use crate::notice::Notice;
use crate::state::State;
use crate::view::confirm::Confirm;
use crate::view::form;
use traintop_config::Place;
use traintop_recipe::OWN;
use traintop_run::RunDir;
use traintop_text::clean;

/// What an outcome changes, and what is to be done next.
pub fn update(state: &mut State, outcome: FormOutcome) -> Vec<Effect> {
    match outcome {
        FormOutcome::Learnt(earlier, recent, place) => {
            return form::learn(state, earlier, recent, place);
        }
        FormOutcome::Planned(number, worked) => form::planned(state, number, worked),
        FormOutcome::Queued(Ok(dirs), place) => {
            let what = match &dirs[..] {
                [dir] => dir.name(),
                _ => format!("{} runs", dirs.len()),
            };
            let grouped = if dirs.len() > 1 && state.runs.group_sweeps() {
                ", grouped by sweep (B ungroups)"
            } else {
                ""
            };
            let said = match place {
                Place::Local => format!("queued {what}{grouped}; w shows the queue"),
                Place::Slurm => format!("handed {what} to Slurm{grouped}; w shows what waits"),
            };
            return shown(state, dirs, said);
        }
        FormOutcome::Started(dir) => {
            let said = format!("started {}", dir.name());
            return shown(state, vec![dir], said);
        }
        FormOutcome::Queued(Err(problem), _) | FormOutcome::Refused(problem) => {
            state.notice = Some(Notice::bad(clean(&problem)));
        }
        FormOutcome::Saved(path) => {
            let path = path.display().to_string();
            let text = format!("{} is saved; the form offers it from now on", clean(&path));
            state.notice = Some(Notice::good(text));
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
    state.notice = Some(Notice::good(said));
    if state.overlays.screen_as::<form::FormScreen>().is_some() {
        state.overlays.clear();
    }
    if let Some(first) = dirs.first() {
        state.runs.expect(first.clone());
    }
    vec![Effect::Summarise(dirs)]
}
