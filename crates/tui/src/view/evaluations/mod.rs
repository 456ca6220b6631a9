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
use crate::context::Context;
use crate::effect::Effect;
use crate::evaluations::Evaluations;
use crate::graphics::Placed;
use crate::jobs::evaluations::EvaluationJob;
use crate::jobs::evaluations::card::Card;
use crate::jobs::evaluations::compared::Compared;
use crate::jobs::evaluations::opened::Opened;
use crate::notice::Notice;
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
    fn scope(&self, _context: &Context) -> Scope {
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

    fn act(&mut self, action: Action, context: &Context) -> Response {
        let area = screen_area(context.size);
        match &mut self.place {
            Place::List => self.act_in_list(action, area, context),
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

    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let looks = (&context.theme, context.pictures);
        match &self.place {
            Place::List => self.list.draw(context, area, buf),
            Place::Reading => {
                let style = context.theme.style(Role::Muted);
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

    fn next_wake(&self, context: &Context) -> Option<jiff::Timestamp> {
        match self.place {
            Place::List => self.list.next_wake(&context.evaluations, context.now),
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

    /// The runs whose evaluations are listed.
    pub fn runs(&self) -> impl Iterator<Item = &RunDir> {
        self.list.whose().iter().map(|whose| &whose.dir)
    }

    /// What is known of evaluations has changed.
    pub fn refresh(&mut self, known: &Evaluations) {
        self.list.arrange(known);
    }

    /// Folders of evaluations have other names now.
    pub fn follow(&mut self, moved: &[(RunDir, RunDir)]) {
        for (from, to) in moved {
            let [from, to] = [from, to].map(|dir| EvaluationDir::new(dir.path()));
            self.list.follow(&from, &to);
        }
    }

    /// Opens an evaluation if the list shows. Returns the job that reads it.
    pub fn open(&mut self, dir: EvaluationDir) -> Option<Effect> {
        if !matches!(self.place, Place::List) {
            return None;
        }
        self.place = Place::Reading;
        Some(Effect::Evaluate(EvaluationJob::Open(dir)))
    }

    /// An evaluation was read, or could not be.
    pub fn show_result(&mut self, opened: Result<Opened, String>) -> Option<Notice> {
        self.show(opened.map(|opened| Place::Result(Box::new(ResultView::new(opened)))))
    }

    /// Some were read and compared, or could not be.
    pub fn show_comparison(&mut self, compared: Result<Compared, String>) -> Option<Notice> {
        self.show(compared.map(|compared| Place::Comparison(Box::new(CompareView::new(compared)))))
    }

    fn show(&mut self, place: Result<Place, String>) -> Option<Notice> {
        // A user who has left meanwhile stays where he is.
        if matches!(self.place, Place::List) {
            return None;
        }
        match place {
            Ok(place) => {
                self.place = place;
                None
            }
            Err(problem) => {
                self.place = Place::List;
                Some(Notice::bad(problem))
            }
        }
    }

    /// Goes back to the list.
    pub fn show_list(&mut self) -> Response {
        self.place = Place::List;
        Response::handled()
    }

    fn act_in_list(&mut self, action: Action, area: Rect, context: &Context) -> Response {
        let (list, known) = (&mut self.list, &context.evaluations);
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
            Action::Rename => return self.annotate(context, Some(About::Name)),
            Action::EditTags => return self.annotate(context, Some(About::Tags)),
            Action::EditNote => return self.annotate(context, None),
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
    pub fn selected_card<'a>(&self, context: &'a Context) -> Option<&'a Card> {
        context.evaluations.card(self.list.selected()?)
    }

    /// Asks for a line about the evaluation under the cursor, or opens the editor of its note.
    fn annotate(&self, context: &Context, about: Option<About>) -> Response {
        let Some(card) = self.selected_card(context) else {
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
