//! Evaluations on the screen: a list of them; one with what the model gets wrong; some side by side; and the form that starts one.

mod compare;
mod form;
mod gallery;
mod list;
mod result;
#[cfg(test)]
pub(in crate::view) mod tests;

use crate::view::parts::screen_area;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

pub use form::Form;

use self::compare::CompareView;
use self::list::{List, Whose};
use self::result::ResultView;
use super::line_dialog::{About, LineDialog};
use super::motion::Motion;
use super::note::NoteEditor;
use super::run::RunView;
use crate::command::{Action, Scope};
use crate::effect::Effect;
use crate::graphics::Placed;
use crate::jobs::evaluations::EvaluationJob;
use crate::jobs::evaluations::card::Card;
use crate::jobs::evaluations::compared::Compared;
use crate::jobs::evaluations::opened::Opened;
use crate::notice::Notice;
use crate::state::{Screen, State};
use crate::theme::Role;
use crate::update::{self, look_closer};
use traintop_run::RunDir;
use traintop_run::evaluation::EvaluationDir;
use traintop_run::summary::Summary;
use traintop_text::clean;

/// Where one is among evaluations.
#[derive(Debug)]
pub struct EvaluationScreen {
    /// The run's screen to go back to; else the table of runs.
    before: Option<RunView>,
    list: List,
    place: Place,
}

/// What is shown.
#[derive(Debug)]
enum Place {
    List,
    /// Something is being read.
    Reading,
    Result(Box<ResultView>),
    Comparison(Box<CompareView>),
}

impl EvaluationScreen {
    /// Where keys are found.
    pub fn scope(&self) -> Scope {
        match self.place {
            Place::List => Scope::Evaluations,
            Place::Reading | Place::Result(_) | Place::Comparison(_) => Scope::Evaluation,
        }
    }

    /// Draws what is shown.
    pub fn draw(&self, state: &State, area: Rect, buf: &mut Buffer) {
        let looks = (&state.theme, state.pictures);
        match &self.place {
            Place::List => self.list.draw(state, area, buf),
            Place::Reading => {
                let style = state.theme.style(Role::Muted);
                Line::styled("reading the answers", style).render(area, buf);
            }
            Place::Result(view) => view.draw(looks, area, buf),
            Place::Comparison(view) => view.draw(looks, area, buf),
        }
    }

    /// The pictures for the terminal's own graphics.
    pub fn pictures(&self, area: Rect) -> Vec<Placed> {
        match &self.place {
            Place::List | Place::Reading => Vec::new(),
            Place::Result(view) => view.pictures(area),
            Place::Comparison(view) => view.pictures(area),
        }
    }

    /// When something shown would change by the passing of time alone.
    pub fn next_wake(&self, state: &State) -> Option<jiff::Timestamp> {
        match self.place {
            Place::List => self.list.next_wake(&state.evaluations, state.now),
            _ => None,
        }
    }
}

fn evaluation_screen(state: &mut State) -> Option<&mut EvaluationScreen> {
    match &mut state.screen {
        Screen::Evaluations(evaluation_screen) => Some(evaluation_screen),
        _ => None,
    }
}

/// The runs that an action is about: the opened one, those of the list of evaluations, or those chosen in the table.
fn chosen(state: &State) -> Vec<&Summary> {
    let summary = |dir: &RunDir| state.runs.row(dir).and_then(|row| row.summary.as_ref());
    match &state.screen {
        Screen::Run(view) => summary(&view.dir).into_iter().collect(),
        Screen::Evaluations(evaluation_screen) => {
            let whose = evaluation_screen.list.whose().iter();
            whose.filter_map(|whose| summary(&whose.dir)).collect()
        }
        Screen::Runs | Screen::Form | Screen::Compare(_) => {
            state.runs.chosen().iter().filter_map(summary).collect()
        }
    }
}

/// Shows the evaluations of the chosen runs.
pub fn open(state: &mut State) -> Vec<Effect> {
    let whose = chosen(state).into_iter().map(Whose::of).collect();
    let list = List::new(whose, &state.evaluations);
    let before = match std::mem::replace(&mut state.screen, Screen::Runs) {
        Screen::Run(view) => Some(view),
        _ => None,
    };
    state.screen = Screen::Evaluations(Box::new(EvaluationScreen {
        before,
        list,
        place: Place::List,
    }));
    update::evaluations::find(state)
}

/// Asks what to evaluate.
pub fn ask(state: &mut State) -> Vec<Effect> {
    let form = Form::new(state, &chosen(state));
    match form {
        Some(form) => state.overlays.push(form),
        None => state.notice = Some(Notice::bad("there is no run with a checkpoint here")),
    }
    Vec::new()
}

/// Starts what the form asks for, and shows where its progress is seen.
pub fn start(state: &mut State, requests: Vec<traintop_launch::EvaluateRequest>) -> Vec<Effect> {
    state.evaluations.started += requests.len();
    let mut effects = match &mut state.screen {
        Screen::Evaluations(evaluation_screen) => {
            evaluation_screen.place = Place::List;
            Vec::new()
        }
        _ => open(state),
    };
    effects.push(Effect::Evaluate(EvaluationJob::Start(requests)));
    state.notice = Some(Notice::good("the evaluation begins"));
    effects
}

/// Does what a key asks for.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let area = screen_area(state.size);
    let State {
        screen,
        evaluations: known,
        ..
    } = state;
    let Screen::Evaluations(evaluation_screen) = screen else {
        return Vec::new();
    };
    let EvaluationScreen { list, place, .. } = &mut **evaluation_screen;
    match (action, &mut *place) {
        (Action::Back, Place::Result(_) | Place::Comparison(_) | Place::Reading) => {
            let has_left_less = match &mut *place {
                Place::Result(view) => view.back(),
                Place::Comparison(view) => view.back(),
                Place::List | Place::Reading => false,
            };
            if !has_left_less {
                *place = Place::List;
            }
        }
        (Action::CompareWith, Place::Comparison(view)) => {
            let dirs = view.with_other_base();
            return vec![Effect::Evaluate(EvaluationJob::Compare(dirs))];
        }
        (action, Place::Result(view)) => view.act(action, area),
        (action, Place::Comparison(view)) => view.act(action, area),
        (_, Place::Reading) => {}
        (action, Place::List) => match action {
            Action::Open => {
                if let Some(dir) = list.selected().cloned() {
                    *place = Place::Reading;
                    return vec![Effect::Evaluate(EvaluationJob::Open(dir))];
                }
            }
            Action::Compare => return compare(state),
            Action::Mark => list.toggle_mark(area, known),
            Action::AllEvaluations => list.toggle_all(known),
            Action::SortNext => list.sort_next(known),
            Action::SortReverse => list.reverse(known),
            Action::Refresh => return update::evaluations::find(state),
            Action::Evaluate => return ask(state),
            Action::Rename => annotate(state, Some(About::Name)),
            Action::EditTags => annotate(state, Some(About::Tags)),
            Action::EditNote => annotate(state, None),
            Action::Remove => ask_to_remove(state),
            Action::Undo => return update::edits::undo(state),
            Action::Back => return leave(state),
            _ => {
                if let Some(motion) = Motion::of(action) {
                    list.step(motion, area, known);
                }
            }
        },
    }
    Vec::new()
}

/// Back to where one came from.
fn leave(state: &mut State) -> Vec<Effect> {
    let before =
        evaluation_screen(state).and_then(|evaluation_screen| evaluation_screen.before.take());
    state.screen = before.map_or(Screen::Runs, Screen::Run);
    look_closer(state)
}

fn compare(state: &mut State) -> Vec<Effect> {
    let State {
        screen,
        evaluations: known,
        notice,
        ..
    } = state;
    let Screen::Evaluations(evaluation_screen) = screen else {
        return Vec::new();
    };
    let dirs = evaluation_screen.list.compared(known);
    if dirs.len() < 2 {
        *notice = Some(Notice::bad("a comparison needs two evaluations or more"));
        return Vec::new();
    }
    evaluation_screen.place = Place::Reading;
    vec![Effect::Evaluate(EvaluationJob::Compare(dirs))]
}

/// The evaluation under the cursor.
fn selected_card(state: &State) -> Option<&Card> {
    match &state.screen {
        Screen::Evaluations(evaluation_screen) => {
            state.evaluations.card(evaluation_screen.list.selected()?)
        }
        _ => None,
    }
}

/// Asks whether the marked evaluations, or else the one under the cursor, are to be removed.
fn ask_to_remove(state: &mut State) {
    let Screen::Evaluations(evaluation_screen) = &state.screen else {
        return;
    };
    let dirs = evaluation_screen.list.chosen();
    let first = dirs.first().and_then(|dir| state.evaluations.card(dir));
    if let Some(name) = first.map(|card| card.name.clone()) {
        update::cleanup::ask_to_remove_evaluations(state, dirs, &name);
    }
}

/// Asks for a line about the evaluation under the cursor, or opens the editor of its note.
fn annotate(state: &mut State, about: Option<About>) {
    let Some(card) = selected_card(state) else {
        return;
    };
    let folder = RunDir::new(card.dir.path());
    match about {
        Some(About::Name) => {
            let folder_name = || clean(&card.dir.name()).into_owned();
            let name = card.notes.name.clone().unwrap_or_else(folder_name);
            let ask = LineDialog::about_folder(About::Name, folder, name, &card.notes);
            state.overlays.push(ask);
        }
        Some(about) => {
            let ask = LineDialog::about_folder(about, folder, card.name.clone(), &card.notes);
            state.overlays.push(ask);
        }
        None => {
            let editor = NoteEditor::about_folder(folder, card.name.clone(), &card.notes);
            state.overlays.push(editor);
        }
    }
}

/// What is known of evaluations has changed.
pub fn refresh(state: &mut State) {
    let State {
        screen,
        evaluations,
        ..
    } = state;
    if let Screen::Evaluations(evaluation_screen) = screen {
        evaluation_screen.list.arrange(evaluations);
    }
}

/// Folders of evaluations have other names now.
pub fn follow(state: &mut State, moved: &[(RunDir, RunDir)]) {
    if let Some(evaluation_screen) = evaluation_screen(state) {
        for (from, to) in moved {
            let [from, to] = [from, to].map(|dir| EvaluationDir::new(dir.path()));
            evaluation_screen.list.follow(&from, &to);
        }
    }
}

/// An evaluation was read.
pub fn opened(state: &mut State, opened: Result<Opened, String>) {
    let place = opened.map(|opened| Place::Result(Box::new(ResultView::new(opened))));
    show(state, place);
}

/// Some were read and compared.
pub fn compared(state: &mut State, compared: Result<Compared, String>) {
    let place = compared.map(|compared| Place::Comparison(Box::new(CompareView::new(compared))));
    show(state, place);
}

fn show(state: &mut State, place: Result<Place, String>) {
    // Whoever has gone elsewhere meanwhile stays there.
    let waits =
        |evaluation_screen: &&mut EvaluationScreen| !matches!(evaluation_screen.place, Place::List);
    let Some(evaluation_screen) = evaluation_screen(state).filter(waits) else {
        return;
    };
    match place {
        Ok(place) => evaluation_screen.place = place,
        Err(problem) => {
            evaluation_screen.place = Place::List;
            state.notice = Some(Notice::bad(problem));
        }
    }
}

/// One that was started here is done: it is shown to whoever waits for it, and told to others.
pub fn ended(state: &mut State, dir: EvaluationDir) -> Vec<Effect> {
    let waits = !state.overlays.has_dialog() && state.evaluations.started == 0;
    if let Some(evaluation_screen) = evaluation_screen(state).filter(|_| waits)
        && matches!(evaluation_screen.place, Place::List)
    {
        evaluation_screen.place = Place::Reading;
        state.notice = None;
        return vec![Effect::Evaluate(EvaluationJob::Open(dir))];
    }
    state.notice = Some(Notice::good("an evaluation is done; E shows it"));
    Vec::new()
}
