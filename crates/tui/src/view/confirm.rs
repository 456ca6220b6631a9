//! A question before something that cannot be undone at once.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::super::effect::Effect;
use super::super::state::State;
use super::super::theme::Role;
use super::overlay::frame;

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

impl Confirm {
    /// Draws it in the middle of `area`.
    pub fn draw(&self, state: &State, area: Rect, buf: &mut Buffer) {
        let width = 64.min(area.width.saturating_sub(4));
        let room = width.saturating_sub(4).max(1);
        let rows = |line: &str| (line.chars().count() as u16).div_ceil(room).max(1);
        let lines = self.text.lines().map(rows).sum::<u16>();
        let inside = frame(&state.theme, &self.title, (width, lines + 5), area, buf);
        let key = state.theme.style(Role::Key);
        let mut text: Vec<Line> = self.text.lines().map(Line::from).collect();
        text.push(Line::default());
        text.push(Line::from(vec![
            Span::styled("y", key),
            Span::raw(format!(" {}   ", self.yes)),
            Span::styled("Esc", key),
            Span::raw(" leave it"),
        ]));
        let inside = inside.inner(ratatui::layout::Margin::new(1, 0));
        Paragraph::new(text)
            .wrap(Wrap { trim: true })
            .render(inside, buf);
    }
}
