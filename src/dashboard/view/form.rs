//! The form that starts a run: choose a recipe, see and change its values under the recipe's own checks, start.

mod draw;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent};

pub use draw::draw;

use super::super::command::Action;
use super::super::effect::Effect;
use super::super::message::Notice;
use super::super::state::{Screen, State};
use super::super::steering::Order;
use super::super::widget::prompt::Prompt;
use crate::analysis::earlier::EpochTimes;
use crate::launch::Request;
use crate::recipe::{self, FIELDS, Field, Kind, Recipe, SHIPPED, Shipped, Value};
use crate::run::RunDir;
use crate::text::clean;

/// A recipe that can be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What the launcher is told: a shipped recipe's name, or a file.
    pub source: PathBuf,
    /// What it is for, as its first lines say; cleaned for a terminal.
    pub description: String,
    /// Its values, or what is wrong with it.
    pub recipe: Result<Recipe, String>,
}

impl Choice {
    /// The recipes that the program ships, the one to begin with first.
    pub fn shipped() -> Vec<Self> {
        let choice = |shipped: &Shipped| Self::of(PathBuf::from(shipped.name), shipped.text);
        SHIPPED.iter().map(choice).collect()
    }

    /// The recipe with which a run was started, to start another.
    pub fn of_run(dir: &RunDir) -> Self {
        let source = dir.config_json();
        let recipe = recipe::load(&source).map_err(|error| clean(&error.to_string()).into_owned());
        Self {
            description: format!("as {}", clean(&dir.name())),
            source,
            recipe,
        }
    }

    /// The choice that a recipe's text gives.
    pub fn of(source: PathBuf, text: &str) -> Self {
        let shown = source.display().to_string();
        let recipe = recipe::parse_toml(text, &shown)
            .map_err(|error| clean(&error.to_string()).into_owned());
        Self {
            source,
            description: clean(&recipe::description(text)).into_owned(),
            recipe,
        }
    }
}

/// A recipe whose values are being changed.
#[derive(Debug, Clone, PartialEq)]
struct Edit {
    source: PathBuf,
    base: Recipe,
    values: Recipe,
    /// The row of the cursor: a field.
    row: usize,
    /// The text that is typed into the field under the cursor.
    typing: Option<Prompt>,
}

/// The form. It keeps its changes until another recipe is chosen, so that leaving it loses nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Form {
    choices: Vec<Choice>,
    cursor: usize,
    edit: Option<Edit>,
    /// Whether the values are shown, rather than the recipes.
    editing: bool,
    /// What earlier runs tell of how long one takes.
    times: EpochTimes,
}

impl Edit {
    fn field(&self) -> &'static Field {
        &FIELDS[self.row]
    }

    fn value(&self) -> Value {
        // Every field of the table is a field of the recipe.
        self.values
            .get(self.field().key)
            .unwrap_or(Value::Bool(false))
    }

    /// What is wrong with the text that is typed, or with how the values go together.
    fn problem(&self) -> Option<String> {
        if let Some(typing) = &self.typing {
            let mut tried = self.values.clone();
            if let Err(error) = tried.set_text(self.field(), &typing.text()) {
                return Some(error.to_string());
            }
            return tried.check_together().err().map(|error| error.to_string());
        }
        self.values
            .check_together()
            .err()
            .map(|error| error.to_string())
    }

    /// Steps through a choice, or turns a switch.
    fn turn(&mut self, by: isize) {
        let field = self.field();
        let next = match (field.kind, self.value()) {
            (Kind::Bool, Value::Bool(value)) => Value::Bool(!value),
            (Kind::Choice(words), Value::Text(text)) => {
                let at = words.iter().position(|word| *word == text).unwrap_or(0) as isize;
                Value::Text(words[(at + by).rem_euclid(words.len() as isize) as usize].to_owned())
            }
            _ => return,
        };
        // A value out of the field's own list passes its check.
        let _ = self.values.set(field, next);
    }

    /// Accepts what was typed, if it is right.
    fn accept(&mut self) {
        let Some(typing) = &self.typing else { return };
        let text = typing.text();
        let field = self.field();
        if self.values.set_text(field, &text).is_ok() {
            self.typing = None;
        }
    }

    fn request(&self) -> Request {
        let changed = self.values.differences(&self.base).into_iter();
        let overrides = changed.filter_map(|field| {
            Some((
                field.key.to_owned(),
                self.values.get(field.key)?.to_string(),
            ))
        });
        Request {
            recipe: self.source.clone(),
            overrides: overrides.collect(),
            time_limit_s: None,
        }
    }
}

impl Form {
    /// The recipes there are; the cursor stays where it was.
    pub fn offer(&mut self, found: Vec<Choice>) {
        self.choices = found;
        self.cursor = self.cursor.min(self.choices.len().saturating_sub(1));
    }

    /// Whether keys are text.
    pub fn is_typing(&self) -> bool {
        self.editing && self.edit.as_ref().is_some_and(|edit| edit.typing.is_some())
    }

    /// Opens the values of the recipe under the cursor; the same recipe keeps the changes made before.
    fn choose(&mut self) -> Option<Notice> {
        let choice = self.choices.get(self.cursor)?;
        match &choice.recipe {
            Ok(recipe) => {
                let same = self
                    .edit
                    .as_ref()
                    .is_some_and(|edit| edit.source == choice.source && edit.base == *recipe);
                if !same {
                    let (source, base) = (choice.source.clone(), recipe.clone());
                    self.edit = Some(Edit {
                        source,
                        values: base.clone(),
                        base,
                        row: 0,
                        typing: None,
                    });
                }
                self.editing = true;
                None
            }
            Err(problem) => Some(Notice::bad(problem.clone())),
        }
    }

    fn move_by(&mut self, by: isize) {
        let (at, count) = match &mut self.edit {
            Some(edit) if self.editing => (&mut edit.row, FIELDS.len()),
            _ => (&mut self.cursor, self.choices.len()),
        };
        *at = at.saturating_add_signed(by).min(count.saturating_sub(1));
    }
}

/// Asks for the recipe of the run that is meant, to start another like it.
pub fn ask_for_recipe(state: &mut State) -> Vec<Effect> {
    let dir = match &state.screen {
        Screen::Run(view) => Some(view.dir.clone()),
        _ => state.runs.selected().map(|row| row.found.dir.clone()),
    };
    dir.map(Effect::ReadRecipe).into_iter().collect()
}

/// Opens the form with a run's recipe.
pub fn begin_with(state: &mut State, choice: Choice) -> Vec<Effect> {
    match choice.recipe {
        Err(problem) => {
            state.notice = Some(Notice::bad(problem));
            Vec::new()
        }
        Ok(base) => {
            let effects = open(state);
            state.form.edit = Some(Edit {
                source: choice.source,
                values: base.clone(),
                base,
                row: 0,
                typing: None,
            });
            state.form.editing = true;
            effects
        }
    }
}

/// Opens the form.
pub fn open(state: &mut State) -> Vec<Effect> {
    state.form.editing = false;
    let summaries = state.runs.all().filter_map(|row| row.summary.as_ref());
    state.form.times = EpochTimes::of(summaries);
    state.screen = Screen::Form;
    vec![Effect::ListRecipes]
}

/// Does what a key asks for.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let form = &mut state.form;
    match action {
        Action::FormDown => form.move_by(1),
        Action::FormUp => form.move_by(-1),
        Action::FormPageDown => form.move_by(10),
        Action::FormPageUp => form.move_by(-10),
        Action::FormFirst => form.move_by(isize::MIN / 2),
        Action::FormLast => form.move_by(isize::MAX / 2),
        Action::FormBack if form.editing => form.editing = false,
        Action::FormBack => state.screen = Screen::Runs,
        Action::FormStart => return start(state, "starting", Effect::Launch),
        Action::FormQueue => {
            return start(state, "queueing", |request| {
                Effect::Steer(Order::Queue(request))
            });
        }
        Action::FormEdit if !form.editing => {
            if let Some(notice) = form.choose() {
                state.notice = Some(notice);
            }
        }
        _ => {
            let Some(edit) = form.edit.as_mut().filter(|_| form.editing) else {
                return Vec::new();
            };
            match action {
                Action::FormEdit if matches!(edit.field().kind, Kind::Bool | Kind::Choice(_)) => {
                    edit.turn(1)
                }
                Action::FormEdit => edit.typing = Some(Prompt::new(&edit.value().to_string())),
                Action::FormNext => edit.turn(1),
                Action::FormPrevious => edit.turn(-1),
                Action::FormReset => {
                    let field = edit.field();
                    if let Some(value) = edit.base.get(field.key) {
                        // The recipe's own value has passed this check before.
                        let _ = edit.values.set(field, value);
                    }
                }
                _ => {}
            }
        }
    }
    Vec::new()
}

/// Leaves the form with the order to start or to queue what it holds, if that is right.
fn start(state: &mut State, doing: &str, order: fn(Request) -> Effect) -> Vec<Effect> {
    let chosen = if state.form.editing {
        None
    } else {
        state.form.choose()
    };
    if chosen.is_some() {
        state.notice = chosen;
        return Vec::new();
    }
    let Some(edit) = &state.form.edit else {
        return Vec::new();
    };
    if let Some(problem) = edit.problem() {
        state.notice = Some(Notice::bad(problem));
        return Vec::new();
    }
    let request = edit.request();
    state.screen = Screen::Runs;
    state.notice = Some(Notice::good(format!(
        "{doing} {}",
        clean(&request.recipe.display().to_string())
    )));
    vec![order(request)]
}

/// A key while a value is typed.
pub fn type_key(state: &mut State, event: KeyEvent) {
    let Some(edit) = &mut state.form.edit else {
        return;
    };
    match event.code {
        KeyCode::Enter => edit.accept(),
        KeyCode::Esc => edit.typing = None,
        KeyCode::Down | KeyCode::Up | KeyCode::Tab => {
            edit.accept();
            if edit.typing.is_none() {
                state
                    .form
                    .move_by(if event.code == KeyCode::Up { -1 } else { 1 });
            }
        }
        _ => {
            if let Some(typing) = &mut edit.typing {
                typing.key(event);
            }
        }
    }
}

/// Text that was pasted into a value.
pub fn paste(state: &mut State, text: &str) {
    if let Some(typing) = state
        .form
        .edit
        .as_mut()
        .and_then(|edit| edit.typing.as_mut())
    {
        typing.insert(text);
    }
}
