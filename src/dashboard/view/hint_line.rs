//! The bottom line: a notice if there is one, else the most useful keys of where one is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::super::command::Action;
use super::super::state::{Screen, State};
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
    if state.overlay.is_none() && matches!(state.screen, Screen::Runs) && state.runs.is_typing() {
        return super::runs::draw_query_hints(state, area, buf);
    }
    let context = super::context(state);
    let has_marks = state.runs.mark_counts().0 > 0;
    let hints: Vec<_> = state
        .keymap
        .reachable(context)
        .filter_map(|(command, keys)| {
            // Of use once there are marks.
            let compare = (has_marks && command.action == Action::CompareRuns).then_some("compare");
            let (hint, key) = (command.hint.or(compare)?, keys.into_iter().next()?);
            let width = key.chars().count() + hint.chars().count() + 3;
            Some((command.action, key, hint, width))
        })
        .collect();
    // How all the other keys are found is told whatever the width.
    let is_help = |action: Action| action == Action::Help;
    let help = hints.iter().find(|(action, ..)| is_help(*action));
    let mut left = usize::from(area.width).saturating_sub(help.map_or(0, |(.., width)| *width));
    let mut spans = Vec::new();
    for (action, key, hint, width) in hints {
        if !is_help(action) {
            // A hint that would be cut is left out.
            let Some(rest) = left.checked_sub(width) else {
                continue;
            };
            left = rest;
        }
        spans.push(Span::styled(key, theme.style(Role::Key)));
        spans.push(Span::styled(format!(" {hint}  "), theme.style(Role::Muted)));
    }
    Line::from(spans).render(area, buf);
}
