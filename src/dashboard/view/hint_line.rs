//! The bottom line: a notice if there is one, else the most useful keys of where one is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::super::state::State;
use super::super::theme::Role;

/// Draws the bottom line.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    let theme = &state.theme;
    if let Some(notice) = &state.notice {
        let (mark, role) = if notice.bad {
            ("✗ ", Role::Bad)
        } else {
            ("✓ ", Role::Good)
        };
        Line::styled(format!("{mark}{}", notice.text), theme.style(role)).render(area, buf);
        return;
    }
    let context = super::context(state);
    let mut spans = Vec::new();
    let mut width = 0;
    for (command, keys) in state.keymap.reachable(context) {
        let (Some(hint), Some(key)) = (command.hint, keys.into_iter().next()) else {
            continue;
        };
        let taken = key.chars().count() + hint.chars().count() + 3;
        // A hint that would be cut is left out.
        if width + taken > usize::from(area.width) {
            continue;
        }
        width += taken;
        spans.push(Span::styled(key, theme.style(Role::Key)));
        spans.push(Span::styled(format!(" {hint}  "), theme.style(Role::Muted)));
    }
    Line::from(spans).render(area, buf);
}
