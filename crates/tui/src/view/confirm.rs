//! A question before something that cannot be undone at once.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::super::command::{Action, Scope};
use super::super::component::{Component, Request, Response};
use super::super::context::Context;
use super::super::effect::Effect;
use super::dialog::{frame, line_of_keys};

/// A question that `y` answers.
#[derive(Debug)]
pub struct Confirm {
    pub title: String,
    /// What will happen: a sentence, and lines of what is concerned.
    pub text: String,
    /// What `y` does, in a word or two.
    pub yes: String,
    /// The order that follows `y`.
    pub then: Effect,
}

impl Component for Confirm {
    fn scope(&self, _context: &Context) -> Scope {
        Scope::Question
    }

    fn act(&mut self, action: Action, _context: &Context) -> Response {
        match action {
            Action::Confirm => Response::closed().with(Request::Run(self.then.clone())),
            Action::Back => Response::closed(),
            _ => Response::ignored(),
        }
    }

    /// Draws it in the middle of `area`.
    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let width = 64.min(area.width.saturating_sub(4));
        let room = width.saturating_sub(4).max(1);
        let rows = |line: &str| (line.chars().count() as u16).div_ceil(room).max(1);
        let lines = self.text.lines().map(rows).sum::<u16>();
        let inside = frame(&context.theme, &self.title, (width, lines + 5), area, buf);
        let mut text: Vec<Line> = self.text.lines().map(Line::from).collect();
        text.push(Line::default());
        let keys = [
            (Action::Confirm, self.yes.as_str()),
            (Action::Back, "cancel"),
        ];
        let keys = keys.into_iter().filter_map(|(action, word)| {
            Some((context.keymap.key_of(Scope::Question, action)?, word))
        });
        text.push(line_of_keys(keys, &context.theme, room));
        let inside = inside.inner(ratatui::layout::Margin::new(1, 0));
        Paragraph::new(text)
            .wrap(Wrap { trim: true })
            .render(inside, buf);
    }
}
