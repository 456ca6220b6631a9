//! The name under which what the form holds is kept as a recipe of the user's own.

use std::path::PathBuf;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::super::super::command::{Action, Scope};
use super::super::super::component::{Component, Request, Response};
use super::super::super::context::Context;
use super::super::super::effect::Effect;
use super::super::super::theme::Role;
use super::super::super::widget::prompt::Prompt;
use super::super::dialog::{frame, keys};
use super::{Form, called, refuse};
use crate::jobs::form::{FormJob, Saving};
use traintop_recipe::{OWN, Recipe};
use traintop_text::clean;

/// The question, and what is kept.
#[derive(Debug)]
pub struct SaveAs {
    prompt: Prompt,
    source: PathBuf,
    description: String,
    base: Recipe,
    recipe: Recipe,
}

/// Asks for a name, if the form holds what a recipe can.
pub fn ask(form: &Form) -> Response {
    let Some(edit) = form.edit.as_ref().filter(|_| form.editing) else {
        return refuse("choose a recipe first");
    };
    if edit.launcher.is_some() {
        return refuse("a launcher's command is kept in your configuration, not in a recipe");
    }
    if edit.is_sweep() {
        let text = "a recipe has one value for each key; take the lists and ranges out first (d)";
        return refuse(text);
    }
    if let Some(problem) = edit.problem() {
        return refuse(clean(&problem));
    }
    let differences = edit.values.differences(&edit.base).into_iter();
    let changes: Vec<String> = differences
        .map(|field| format!("{}={}", field.key, edit.text(field)))
        .collect();
    let changes = if changes.is_empty() {
        "nothing changed".to_owned()
    } else {
        changes.join(" ")
    };
    let name = called(&edit.source);
    Response::opening(SaveAs {
        prompt: Prompt::default(),
        source: edit.source.clone(),
        description: clean(&format!("{name} with {changes}")).into_owned(),
        base: edit.base.clone(),
        recipe: edit.values.clone(),
    })
}

impl SaveAs {
    /// The name, or what is wrong with it.
    fn name(&self) -> Result<String, &'static str> {
        let text = self.prompt.text();
        let name = text.trim();
        let name = name.strip_suffix(".toml").unwrap_or(name);
        let is_plain = |char: char| char.is_alphanumeric() || "-_+.".contains(char);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(is_plain) {
            return Err("a name of letters, digits, - _ + and dots");
        }
        Ok(name.to_owned())
    }
}

impl Component for SaveAs {
    fn scope(&self, _context: &Context) -> Scope {
        Scope::Line
    }

    fn act(&mut self, action: Action, _context: &Context) -> Response {
        match action {
            Action::Back => Response::closed(),
            Action::Confirm => {
                let Ok(name) = self.name() else {
                    return Response::handled();
                };
                let saving = Saving {
                    name,
                    description: self.description.clone(),
                    source: self.source.clone(),
                    base: self.base.clone(),
                    recipe: self.recipe.clone(),
                    replaces: false,
                };
                let job = FormJob::Save(Box::new(saving));
                Response::closed().with(Request::Run(Effect::Form(job)))
            }
            _ => Response::ignored(),
        }
    }

    fn type_key(&mut self, event: KeyEvent, _context: &Context) -> Response {
        self.prompt.key(event);
        Response::handled()
    }

    fn paste(&mut self, text: &str) {
        self.prompt.insert(text);
    }

    /// Draws it in the middle of `area`.
    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let theme = &context.theme;
        let width = 76.min(area.width.saturating_sub(2));
        let inside = frame(theme, "Save this as a recipe", (width, 5), area, buf);
        let inside = inside.inner(Margin::new(1, 0));
        let key = theme.style(Role::Key);
        let hint = match self.name() {
            Ok(name) => format!("becomes {OWN}/{name}.toml"),
            Err(expected) => expected.to_owned(),
        };
        let text = vec![
            self.prompt.line(usize::MAX, key),
            Line::styled(hint, theme.style(Role::Muted)),
            keys(context, Scope::Line, inside.width),
        ];
        Paragraph::new(text)
            .wrap(Wrap { trim: false })
            .render(inside, buf);
    }
}
