//! Evaluations on the screen: a list of them; one with what the model gets wrong; some side by
//! side; and the form that starts one.

mod compare;
mod form;
mod gallery;
mod list;
mod result;
#[cfg(test)]
pub(in crate::view) mod tests;

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
use crate::command::{Action, Scope};
use crate::component::{Component, Request, Response};
use crate::effect::Effect;
use crate::evaluations::Evaluations;
use crate::graphics::Placed;
use crate::jobs::evaluations::EvaluationJob;
use crate::jobs::evaluations::card::Card;
use crate::jobs::evaluations::compared::Compared;
use crate::jobs::evaluations::opened::Opened;
use crate::notice::Notice;
use crate::state::State;
use crate::theme::Role;
use crate::view::parts::screen_area;
use traintop_run::RunDir;
use traintop_run::evaluation::EvaluationDir;
use traintop_run::summary::Summary;
use traintop_text::clean;

/// Where one is among evaluations.
#[derive(Debug)]
pub struct EvaluationScreen {
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

impl Component for EvaluationScreen {
    fn scope(&self, _state: &State) -> Scope {
        match self.place {
            Place::List => Scope::Evaluations,
            Place::Reading | Place::Result(_) | Place::Comparison(_) => Scope::Evaluation,
        }
    }

    fn is_screen(&self) -> bool {
        true
    }

    fn keeps_opened_run(&self) -> bool {
        true
    }

    fn act(&mut self, action: Action, state: &State) -> Response {
        let area = screen_area(state.size);
        match &mut self.place {
            Place::List => self.act_in_list(action, area, state),
            Place::Reading => match action {
                Action::Back => self.show_list(),
                _ => Response::ignored(),
            },
            Place::Result(view) => match action {
                Action::Back if !view.back() => self.show_list(),
                Action::Back => Response::handled(),
                _ => view.act(action, area),
            },
            Place::Comparison(view) => match action {
                Action::Back if !view.back() => self.show_list(),
                Action::Back => Response::handled(),
                Action::CompareWith => {
                    let job = EvaluationJob::Compare(view.with_other_base());
                    Response::asking(Request::Run(Effect::Evaluate(job)))
                }
                _ => view.act(action, area),
            },
        }
    }

    fn draw(&self, state: &State, area: Rect, buf: &mut Buffer) {
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

    fn pictures(&self, area: Rect) -> Vec<Placed> {
        match &self.place {
            Place::List | Place::Reading => Vec::new(),
            Place::Result(view) => view.pictures(area),
            Place::Comparison(view) => view.pictures(area),
        }
    }

    fn next_wake(&self, state: &State) -> Option<jiff::Timestamp> {
        match self.place {
            Place::List => self.list.next_wake(&state.evaluations, state.now),
            _ => None,
        }
    }
}

impl EvaluationScreen {
    /// The list of the evaluations of these runs.
    pub fn of(runs: Vec<&Summary>, known: &Evaluations) -> Self {
        Self {
            list: List::new(runs.into_iter().map(Whose::of).collect(), known),
            place: Place::List,
        }
    }

    /// The marked evaluations, or else the one under the cursor.
    pub fn chosen(&self) -> Vec<EvaluationDir> {
        self.list.chosen()
    }

    /// Goes back to the list.
    pub fn show_list(&mut self) -> Response {
        self.place = Place::List;
        Response::handled()
    }

    fn act_in_list(&mut self, action: Action, area: Rect, state: &State) -> Response {
        let (list, known) = (&mut self.list, &state.evaluations);
        match action {
            Action::Back => return Response::closed(),
            Action::Open => {
                if let Some(dir) = list.selected().cloned() {
                    self.place = Place::Reading;
                    let job = EvaluationJob::Open(dir);
                    return Response::asking(Request::Run(Effect::Evaluate(job)));
                }
            }
            Action::Compare => return self.compare(known),
            Action::Mark => list.toggle_mark(area, known),
            Action::AllEvaluations => list.toggle_all(known),
            Action::SortNext => list.sort_next(known),
            Action::SortReverse => list.reverse(known),
            Action::Rename => return self.annotate(state, Some(About::Name)),
            Action::EditTags => return self.annotate(state, Some(About::Tags)),
            Action::EditNote => return self.annotate(state, None),
            _ => {
                let Some(motion) = Motion::of(action) else {
                    return Response::ignored();
                };
                list.step(motion, area, known);
            }
        }
        Response::handled()
    }

    fn compare(&mut self, known: &Evaluations) -> Response {
        let dirs = self.list.compared(known);
        if dirs.len() < 2 {
            let notice = Notice::bad("a comparison needs two evaluations or more");
            return Response::asking(Request::Notify(notice));
        }
        self.place = Place::Reading;
        let job = EvaluationJob::Compare(dirs);
        Response::asking(Request::Run(Effect::Evaluate(job)))
    }

    /// The evaluation under the cursor.
    fn selected_card<'a>(&self, state: &'a State) -> Option<&'a Card> {
        state.evaluations.card(self.list.selected()?)
    }

    /// Asks for a line about the evaluation under the cursor, or opens the editor of its note.
    fn annotate(&self, state: &State, about: Option<About>) -> Response {
        let Some(card) = self.selected_card(state) else {
            return Response::handled();
        };
        let folder = RunDir::new(card.dir.path());
        let dialog: Box<dyn Component> = match about {
            Some(About::Name) => {
                let folder_name = || clean(&card.dir.name()).into_owned();
                let name = card.notes.name.clone().unwrap_or_else(folder_name);
                let dialog = LineDialog::about_folder(About::Name, folder, name, &card.notes);
                Box::new(dialog)
            }
            Some(about) => {
                let name = card.name.clone();
                Box::new(LineDialog::about_folder(about, folder, name, &card.notes))
            }
            None => Box::new(NoteEditor::about_folder(
                folder,
                card.name.clone(),
                &card.notes,
            )),
        };
        Response::asking(Request::Open(dialog))
    }
}

fn evaluation_screen(state: &mut State) -> Option<&mut EvaluationScreen> {
    state.overlays.find_mut()
}

/// The runs that an action is about: the opened one, those of the list of evaluations, or those
/// chosen in the table.
pub fn chosen(state: &State) -> Vec<&Summary> {
    let summary = |dir: &RunDir| state.runs.row(dir).and_then(|row| row.summary.as_ref());
    if let Some(dir) = state.run_on_screen() {
        return summary(dir).into_iter().collect();
    }
    match state.overlays.screen_as::<EvaluationScreen>() {
        Some(screen) => {
            let whose = screen.list.whose().iter();
            whose.filter_map(|whose| summary(&whose.dir)).collect()
        }
        None => state.runs.chosen().iter().filter_map(summary).collect(),
    }
}

/// The evaluation under the cursor of the list on the screen.
fn selected_card(state: &State) -> Option<&Card> {
    let screen = state.overlays.screen_as::<EvaluationScreen>()?;
    screen.selected_card(state)
}

/// What is known of evaluations has changed.
pub fn refresh(state: &mut State) {
    let known = &state.evaluations;
    if let Some(screen) = state.overlays.find_mut::<EvaluationScreen>() {
        screen.list.arrange(known);
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
    // A user who has left meanwhile stays where he is.
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

/// One that was started here is done: it opens where the list waits for it, and is a notice
/// elsewhere.
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
