//! The name under which what the form holds is kept as a recipe of the user's own.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::super::super::effect::Effect;
use super::super::super::form_jobs::{FormJob, Saving};
use super::super::super::message::Notice;
use super::super::super::state::State;
use super::super::super::theme::Role;
use super::super::super::widget::prompt::Prompt;
use super::super::overlay::{Overlay, frame};
use super::called;
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
pub fn ask(state: &mut State) {
    let edit = state.form.edit.as_ref().filter(|_| state.form.editing);
    let Some(edit) = edit else {
        state.notice = Some(Notice::bad("choose a recipe first"));
        return;
    };
    if edit.launcher.is_some() {
        let text = "a launcher's command is kept in your configuration, not in a recipe";
        state.notice = Some(Notice::bad(text));
        return;
    }
    if edit.is_sweep() {
        let text = "a recipe has one value for each key; take the lists and ranges out first (d)";
        state.notice = Some(Notice::bad(text));
        return;
    }
    if let Some(problem) = edit.problem() {
        state.notice = Some(Notice::bad(clean(&problem)));
        return;
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
    state.overlay = Some(Overlay::SaveAs(Box::new(SaveAs {
        prompt: Prompt::default(),
        source: edit.source.clone(),
        description: clean(&format!("{name} with {changes}")).into_owned(),
        base: edit.base.clone(),
        recipe: edit.values.clone(),
    })));
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

    /// Puts pasted text in.
    pub fn paste(&mut self, text: &str) {
        self.prompt.insert(text);
    }

    /// Takes a key: gives itself back unless the key has closed it, and what is to be done.
    pub fn key(mut self, event: KeyEvent) -> (Option<Self>, Vec<Effect>) {
        match event.code {
            KeyCode::Esc => return (None, Vec::new()),
            KeyCode::Enter => {
                if let Ok(name) = self.name() {
                    let saving = Saving {
                        name,
                        description: self.description,
                        source: self.source,
                        base: self.base,
                        recipe: self.recipe,
                        replaces: false,
                    };
                    return (None, vec![Effect::Form(FormJob::Save(Box::new(saving)))]);
                }
            }
            _ => drop(self.prompt.key(event)),
        }
        (Some(self), Vec::new())
    }

    /// Draws it in the middle of `area`.
    pub fn draw(&self, state: &State, area: Rect, buf: &mut Buffer) {
        let theme = &state.theme;
        let width = 76.min(area.width.saturating_sub(2));
        let inside = frame(theme, "Keep this as a recipe", (width, 5), area, buf);
        let inside = inside.inner(Margin::new(1, 0));
        let key = theme.style(Role::Key);
        let hint = match self.name() {
            Ok(name) => format!("becomes {OWN}/{name}.toml"),
            Err(expected) => expected.to_owned(),
        };
        let text = vec![
            self.prompt.line(usize::MAX, key),
            Line::styled(hint, theme.style(Role::Muted)),
            Line::from(vec![
                Span::styled("Enter", key),
                Span::raw(" keep   "),
                Span::styled("Esc", key),
                Span::raw(" leave"),
            ]),
        ];
        Paragraph::new(text)
            .wrap(Wrap { trim: false })
            .render(inside, buf);
    }
}
