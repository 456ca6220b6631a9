//! The keys of where one is, from the command table.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::super::command::Context;
use super::super::state::State;
use super::super::theme::Role;
use super::overlay::frame;

/// The help screen.
#[derive(Debug)]
pub struct Help {
    context: Context,
    scroll: u16,
}

impl Help {
    /// The help for a screen.
    pub fn new(context: Context) -> Self {
        Self { context, scroll: 0 }
    }

    /// Takes a key; says whether it closes the help.
    pub fn key(&mut self, event: KeyEvent) -> bool {
        match event.code {
            KeyCode::Down | KeyCode::Char('j') => self.scroll += 1,
            KeyCode::Up | KeyCode::Char('k') => self.scroll = self.scroll.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.scroll += 10,
            KeyCode::PageUp => self.scroll = self.scroll.saturating_sub(10),
            _ => return true,
        }
        false
    }

    fn lines<'a>(&self, state: &'a State) -> Vec<Line<'a>> {
        let mut lines = Vec::new();
        let mut heading = None;
        for (command, keys) in state.keymap.reachable(self.context) {
            if heading != Some(command.context) {
                if heading.is_some() {
                    lines.push(Line::default());
                }
                heading = Some(command.context);
                lines.push(Line::styled(
                    command.context.title(),
                    state.theme.style(Role::Title),
                ));
            }
            lines.push(Line::from(vec![
                Span::styled(
                    format!(" {:<23} ", keys.join(" ")),
                    state.theme.style(Role::Key),
                ),
                Span::raw(command.description),
            ]));
        }
        lines
    }

    /// Draws it in the middle of `area`.
    pub fn draw(&self, state: &State, area: Rect, buf: &mut Buffer) {
        let lines = self.lines(state);
        let height = lines.len() as u16 + 2;
        let title = if height > area.height {
            "Keys (j k scroll, any other key closes)"
        } else {
            "Keys (any key closes)"
        };
        let inside = frame(&state.theme, title, (76, height), area, buf);
        let most = (lines.len() as u16).saturating_sub(inside.height);
        Paragraph::new(lines)
            .scroll((self.scroll.min(most), 0))
            .render(inside, buf);
    }
}
