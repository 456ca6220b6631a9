//! The form that starts a run: choose a recipe or a launcher, see and change its values under the
//! recipe's own checks, start. A value that is several makes it a sweep.

mod draw;
mod edit;
pub mod model;
pub mod save;
mod start;
#[cfg(test)]
mod sweep_tests;
#[cfg(test)]
pub(in crate::view) mod tests;
mod values;

use std::path::Path;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub use model::Form;

use self::edit::Edit;
use self::start::StartQuestion;
use super::confirm::Confirm;
use super::motion::Motion;
use super::picker::Picker;
use crate::command::{Action, Scope};
use crate::component::{Component, Request, Response};
use crate::context::Context;
use crate::effect::Effect;
use crate::jobs::choice::Choice;
use crate::jobs::form::{FormJob, Worked};
use crate::jobs::steering::SteeringJob;
use crate::notice::Notice;
use crate::widget::prompt::Prompt;
use traintop_analysis::run_history::RunHistory;
use traintop_config::Place;
use traintop_launch::recent::{Recent, Values};
use traintop_recipe::Kind;
use traintop_run::RunDir;
use traintop_text::{clean, since};

impl Component for Form {
    fn scope(&self, _context: &Context) -> Scope {
        if self.is_typing() {
            Scope::FormValue
        } else {
            Scope::Form
        }
    }

    fn is_screen(&self) -> bool {
        true
    }

    fn act(&mut self, action: Action, context: &Context) -> Response {
        let response = if self.is_typing() {
            self.act_in_value(action)
        } else {
            self.act_outside(action, context)
        };
        self.then_plan(response)
    }

    fn type_key(&mut self, event: KeyEvent, _context: &Context) -> Response {
        if self.typing().is_none() {
            self.begin_to_type(event);
        }
        let Some(typing) = self.typing() else {
            return Response::ignored();
        };
        typing.key(event);
        self.then_plan(Response::handled())
    }

    fn paste(&mut self, text: &str) {
        if let Some(typing) = self.typing() {
            typing.insert(text);
        }
    }

    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        draw::draw(self, &context.theme, area, buf);
    }
}

fn refuse(problem: impl Into<String>) -> Response {
    Response::asking(Request::Notify(Notice::bad(problem.into())))
}

impl Form {
    /// Shows the recipes.
    pub fn show_choices(&mut self) {
        self.editing = false;
    }

    /// Shows the values of a run's recipe, or says why it cannot.
    pub fn begin_with(&mut self, choice: &Choice) {
        self.edit = Edit::of(choice);
        self.offer_slurm();
        self.editing = true;
    }

    /// Takes in what earlier runs tell; a sweep is worked out by it anew.
    pub fn learn(&mut self, earlier: Arc<RunHistory>, recent: Vec<Recent>, place: Option<Place>) {
        (self.recent, self.earlier, self.place) = (recent, earlier, place);
        self.offer_slurm();
        self.sweep.asked = None;
    }

    /// Takes in a sweep that was worked out, unless another has been asked for since. Whether the
    /// user waits for it, to queue it.
    pub fn planned(&mut self, number: u64, worked: Result<Arc<Worked>, String>) -> bool {
        let sweep = &mut self.sweep;
        if number != sweep.number {
            return false;
        }
        sweep.worked = Some(worked);
        std::mem::take(&mut sweep.is_waited_for)
    }

    /// Takes the values of an earlier start, or says why it cannot.
    pub fn fill(&mut self, values: &Values) -> Option<Notice> {
        let problem = self.edit.as_mut()?.fill(values).err()?;
        Some(Notice::bad(clean(&problem)))
    }

    /// A digit, or another beginning of a number, is the start of a new value.
    fn begin_to_type(&mut self, event: KeyEvent) {
        let begins = |char: char| char.is_ascii_digit() || ".-+".contains(char);
        let is_held = event
            .modifiers
            .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        let is_number = matches!(event.code, KeyCode::Char(char) if begins(char) && !is_held);
        let edit = self.edit.as_mut().filter(|_| self.editing && is_number);
        if let Some(edit) =
            edit.filter(|edit| !matches!(edit.field().kind, Kind::Bool | Kind::Choice(_)))
        {
            edit.typing = Some(Prompt::default());
        }
    }

    /// The text that is being typed.
    fn typing(&mut self) -> Option<&mut Prompt> {
        let edit = self.edit.as_mut().filter(|_| self.editing)?;
        edit.typing.as_mut()
    }

    /// The response, and the job that plans the sweep if that has changed.
    fn then_plan(&mut self, mut response: Response) -> Response {
        response.requests.extend(self.due().map(Request::Run));
        response
    }

    fn act_outside(&mut self, action: Action, context: &Context) -> Response {
        if let Some(motion) = Motion::vertical(action) {
            self.move_by(motion.rows(10));
            return Response::handled();
        }
        match action {
            Action::Back if self.editing => self.editing = false,
            Action::Back => return Response::closed(),
            Action::FormStart => return self.start(false, context),
            Action::FormQueue => return self.start(true, context),
            Action::FormVariants => return self.offer_recent(context),
            Action::FormSave => return save::ask(self),
            Action::FormEdit if !self.editing => {
                return match self.choose() {
                    Some(problem) => Response::asking(Request::Notify(problem)),
                    None => Response::handled(),
                };
            }
            Action::FormEdit
            | Action::FormType
            | Action::Right
            | Action::Left
            | Action::FormReset
            | Action::FormSkipDone => {
                if let Some(edit) = self.edit.as_mut().filter(|_| self.editing) {
                    change(edit, action);
                }
            }
            _ => return Response::ignored(),
        }
        Response::handled()
    }

    fn act_in_value(&mut self, action: Action) -> Response {
        let Some(edit) = &mut self.edit else {
            return Response::ignored();
        };
        match action {
            Action::Confirm => edit.accept(),
            Action::Back => edit.typing = None,
            Action::Down | Action::Up => {
                edit.accept();
                if edit.typing.is_none() {
                    self.move_by(if action == Action::Up { -1 } else { 1 });
                }
            }
            _ => return Response::ignored(),
        }
        Response::handled()
    }

    /// Lists what was started lately from this recipe.
    fn offer_recent(&mut self, context: &Context) -> Response {
        if !self.editing
            && let Some(problem) = self.choose()
        {
            return Response::asking(Request::Notify(problem));
        }
        let Some(edit) = self.edit.as_ref().filter(|_| self.editing) else {
            return Response::handled();
        };
        let of_this = self.recent.iter().filter(|recent| edit.is_of(recent));
        let items: Vec<_> = of_this
            .map(|recent| {
                let age = context.now - recent.at;
                let age = std::time::Duration::try_from(age).unwrap_or_default();
                let label = clean(&recent.label()).into_owned();
                let detail = format!("{} ago", since(age).0);
                (label, detail, recent.values.clone())
            })
            .collect();
        if items.is_empty() {
            return refuse("nothing was started from this recipe yet");
        }
        Response::opening(Picker::recent(items))
    }

    /// Asks whether what it holds is to be started or queued, if that is valid.
    fn start(&mut self, queues: bool, context: &Context) -> Response {
        if !self.editing
            && let Some(problem) = self.choose()
        {
            return Response::asking(Request::Notify(problem));
        }
        let Some(edit) = &self.edit else {
            return Response::handled();
        };
        if let Some(problem) = edit.problem() {
            return refuse(clean(&problem));
        }
        if edit.is_sweep() {
            return self.ask_to_queue(context);
        }
        let launch = edit.launcher.as_ref().map(|launcher| edit.launch(launcher));
        let job = match launch {
            None if edit.place() == Place::Slurm => {
                Effect::Form(FormJob::Submit(Box::new(edit.request())))
            }
            None if queues => Effect::Steer(SteeringJob::Queue(edit.request())),
            None => Effect::Launch(edit.request()),
            Some(Ok(launch)) if edit.place() == Place::Slurm => {
                Effect::Form(FormJob::SubmitCommand(Box::new(launch)))
            }
            Some(Ok(launch)) => Effect::Form(FormJob::Launch(Box::new(launch), queues)),
            Some(Err(problem)) => return refuse(problem),
        };
        let doing = match edit.place() {
            Place::Slurm => "submitting to Slurm:",
            Place::Local if queues => "queueing",
            Place::Local => "starting",
        };
        let name = edit.source.display().to_string();
        let notice = Notice::good(format!("{doing} {}", clean(&name)));
        let note = FormJob::Note(Box::new(edit.recent(context.now)));
        let requests = vec![
            Request::ShowTable,
            Request::Notify(notice),
            Request::Run(job),
            Request::Run(Effect::Form(note)),
        ];
        Response::opening(StartQuestion::new(edit, queues, &self.earlier, requests))
    }

    /// Asks before a whole sweep is queued: the question repeats what it costs.
    pub fn ask_to_queue(&mut self, context: &Context) -> Response {
        let worked = match &self.sweep.worked {
            Some(Ok(worked)) => worked,
            Some(Err(problem)) => return refuse(problem.clone()),
            None => {
                self.sweep.is_waited_for = true;
                return Response::handled();
            }
        };
        if worked.runs == 0 {
            return refuse("finished runs have all of it already; x includes them again");
        }
        let done = match (worked.plan.done(), worked.plan.wanted.skip_done) {
            (0, _) => String::new(),
            (done, true) => format!(" {done} more finished already and are left out."),
            (done, false) => format!(" {done} of them finished already; x leaves them out."),
        };
        let plural = if worked.runs == 1 { "" } else { "s" };
        let what = format!("{} run{plural}", worked.runs);
        let edit = self.edit.as_ref();
        let place = edit.map(Edit::place).unwrap_or_default();
        let (title, yes) = match place {
            Place::Local => (format!("Queue {what}?"), "queue"),
            Place::Slurm => (format!("Submit {what} to Slurm?"), "submit"),
        };
        let recent = edit.map(|edit| Box::new(edit.recent(context.now)));
        Response::opening(Confirm {
            title,
            text: format!("{}.{done}", worked.cost),
            yes: yes.to_owned(),
            then: Effect::Form(FormJob::Queue(Arc::clone(worked), recent, place)),
        })
    }
}

fn change(edit: &mut Edit, action: Action) {
    let field = edit.field();
    let has_steps = matches!(field.kind, Kind::Bool | Kind::Choice(_)) && !edit.is_swept(field);
    match action {
        Action::FormEdit if has_steps => edit.turn(1),
        Action::FormEdit | Action::FormType => {
            edit.typing = Some(Prompt::selected(&edit.text(field)))
        }
        Action::Right => edit.turn(1),
        Action::Left => edit.turn(-1),
        Action::FormReset => edit.reset(field),
        Action::FormSkipDone => edit.turn_skip(),
        _ => {}
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
