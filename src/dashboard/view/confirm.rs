//! A question before something that cannot be taken back at once.

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
    /// Its heading.
    pub title: String,
    /// What will happen, in a sentence.
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
        let lines = (self.text.chars().count() as u16).div_ceil(width.saturating_sub(4).max(1));
        let inside = frame(&state.theme, &self.title, (width, lines + 5), area, buf);
        let key = state.theme.style(Role::Key);
        let text = vec![
            Line::from(self.text.as_str()),
            Line::default(),
            Line::from(vec![
                Span::styled("y", key),
                Span::raw(format!(" {}   ", self.yes)),
                Span::styled("Esc", key),
                Span::raw(" leave it"),
            ]),
        ];
        let inside = inside.inner(ratatui::layout::Margin::new(1, 0));
        Paragraph::new(text)
            .wrap(Wrap { trim: true })
            .render(inside, buf);
    }
}
