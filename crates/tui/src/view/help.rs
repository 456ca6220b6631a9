//! The keys of where one is, from the command table, and the signs of the table of runs.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::super::command::{Action, Scope};
use super::super::component::{Component, Response};
use super::super::context::Context;
use super::super::theme::Role;
use super::columns;
use super::dialog::{frame, list_rows};
use super::motion::Motion;

/// Rows of the frame.
const FRAME: u16 = 2;

/// The help screen.
#[derive(Debug)]
pub struct Help {
    scope: Scope,
    scroll: usize,
}

impl Help {
    /// The help for a screen.
    pub fn new(scope: Scope) -> Self {
        Self { scope, scroll: 0 }
    }

    fn lines<'a>(&self, context: &'a Context) -> Vec<Line<'a>> {
        let mut lines = Vec::new();
        let mut heading = None;
        for (scope, command, keys) in context.keymap.reachable(self.scope) {
            if heading != Some(scope) {
                if heading.is_some() {
                    lines.push(Line::default());
                }
                heading = Some(scope);
                lines.push(Line::styled(
                    scope.title(),
                    context.theme.style(Role::Title),
                ));
            }
            lines.push(Line::from(vec![
                Span::styled(
                    format!(" {:<23} ", keys.join(" ")),
                    context.theme.style(Role::Key),
                ),
                Span::raw(command.description(scope)),
            ]));
        }
        if self.scope == Scope::Runs {
            lines.push(Line::default());
            let heading = "Signs in the table";
            lines.push(Line::styled(heading, context.theme.style(Role::Title)));
            lines.extend(columns::SIGNS.map(|(sign, what)| {
                let sign = Span::styled(format!(" {sign:<23} "), context.theme.style(Role::Key));
                Line::from(vec![sign, Span::raw(what)])
            }));
        }
        lines
    }
}

impl Component for Help {
    fn scope(&self, _context: &Context) -> Scope {
        Scope::Help
    }

    fn act(&mut self, action: Action, context: &Context) -> Response {
        let Some(motion) = Motion::of(action) else {
            return Response::closed();
        };
        let page = list_rows(context.size, FRAME);
        let rows = self.lines(context).len();
        let most = rows.saturating_sub(page);
        self.scroll = motion.along(self.scroll.min(most), most + 1, page);
        Response::handled()
    }

    fn type_key(&mut self, _event: KeyEvent, _context: &Context) -> Response {
        Response::closed()
    }

    /// Draws it in the middle of `area`.
    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let lines = self.lines(context);
        let height = lines.len() as u16 + FRAME;
        let title = if height > area.height {
            "Keys (j k scroll, any other key closes)"
        } else {
            "Keys (any key closes)"
        };
        let inside = frame(&context.theme, title, (76, height), area, buf);
        let most = lines.len().saturating_sub(usize::from(inside.height));
        Paragraph::new(lines)
            .scroll((self.scroll.min(most) as u16, 0))
            .render(inside, buf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;

    #[test]
    fn signs_fit_and_stand_below_the_keys_of_the_table() {
        let state = State::new(vec!["runs".into()], (80, 24), jiff::Timestamp::UNIX_EPOCH);
        let text = |scope| {
            let lines = Help::new(scope).lines(&state.context);
            let lines: Vec<String> = lines.iter().map(Line::to_string).collect();
            lines
        };
        let table = text(Scope::Runs);
        assert!(
            table
                .iter()
                .any(|line| line.contains("what it is judged by is a guess"))
        );
        assert!(
            table.iter().all(|line| line.chars().count() <= 74),
            "{table:?}"
        );
        let run = text(Scope::Run);
        assert!(!run.iter().any(|line| line.contains("Signs")));
    }
}
