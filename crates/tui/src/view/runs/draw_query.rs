//! How the query line is drawn: at the right of the top line, the word that is wrong underlined,
//! and below it what could stand at the cursor.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};
use unicode_width::UnicodeWidthChar;

use super::query_line::{QueryLine, byte_at};
use crate::command::Scope;
use crate::context::Context;
use crate::theme::{Role, Theme};
use crate::view::dialog::keys;

/// Rows of candidates.
const MOST_ROWS: usize = 8;
/// Their width in cells.
const OFFER_WIDTH: u16 = 56;

/// Draws the query in the line `area`; the rest of it stays free.
pub fn draw(context: &Context, area: Rect, buf: &mut Buffer) {
    let line = &context.runs.query;
    let theme = &context.theme;
    let cells = cells(line, theme);
    let total: usize = cells.iter().map(|(_, width, _)| width).sum();
    let least = if line.editing { 24 } else { 0 };
    let width = (total + 3).max(least).min(usize::from(area.width)) as u16;
    let place = Rect {
        x: area.right() - width,
        width,
        ..area
    };
    Clear.render(place, buf);
    buf.set_style(place, theme.style(Role::Prompt));
    let room = usize::from(width).saturating_sub(3);
    let shown = in_sight(&cells, room);
    let mut spans = vec![Span::styled(" /", theme.style(Role::Key))];
    spans.extend(shown.iter().map(|(span, ..)| span.clone()));
    Line::from(spans).render(place, buf);
}

/// A character, its width, and whether the cursor is there.
type Cell = (Span<'static>, usize, bool);

fn cells(line: &QueryLine, theme: &Theme) -> Vec<Cell> {
    let text = line.text();
    let cursor = byte_at(&text, line.prompt.cursor());
    let wrong = line.problem.as_ref().map(|problem| &problem.span);
    let plain = theme.style(Role::Prompt);
    let bad = theme.style(Role::Bad).add_modifier(Modifier::UNDERLINED);
    let mut cells = Vec::new();
    let bar = || (Span::styled("▏", theme.style(Role::Key)), 1, true);
    for (at, char) in text.char_indices() {
        if line.editing && at == cursor {
            cells.push(bar());
        }
        let is_wrong = wrong.is_some_and(|span| span.contains(&at));
        let style = if is_wrong { bad } else { plain };
        let width = char.width().unwrap_or(0);
        cells.push((Span::styled(char.to_string(), style), width, false));
    }
    if line.editing && cursor == text.len() {
        cells.push(bar());
    }
    // Something is missing at the end.
    if wrong.is_some_and(|span| span.is_empty() && span.start >= text.len()) {
        cells.push((Span::styled(" ", bad), 1, false));
    }
    cells
}

/// The part of a line around its cursor that fits into `room` cells.
fn in_sight(cells: &[Cell], room: usize) -> &[Cell] {
    let cursor = cells.iter().position(|(.., is_cursor)| *is_cursor);
    let end = cursor.map_or(0, |cursor| cursor + 1);
    let mut used: usize = cells[..end].iter().map(|(_, width, _)| width).sum();
    let mut start = 0;
    while used > room && start < end {
        used -= cells[start].1;
        start += 1;
    }
    let mut last = end;
    while last < cells.len() && used + cells[last].1 <= room {
        used += cells[last].1;
        last += 1;
    }
    &cells[start..last]
}

/// Draws what could stand at the cursor over the rows below the line.
pub fn draw_offer(context: &Context, area: Rect, buf: &mut Buffer) {
    let Some(offer) = context.runs.query.is_offering() else {
        return;
    };
    let theme = &context.theme;
    let rows = offer.candidates.len().min(MOST_ROWS);
    let width = OFFER_WIDTH.min(area.width);
    let place = Rect {
        x: area.right() - width,
        width,
        height: (rows as u16).min(area.height),
        ..area
    };
    Clear.render(place, buf);
    buf.set_style(place, theme.style(Role::Prompt));
    let top = offer.chosen.map_or(0, |at| (at + 1).saturating_sub(rows));
    let shown = offer.candidates.iter().enumerate().skip(top);
    let names = shown
        .clone()
        .take(rows)
        .map(|(_, one)| one.text.chars().count());
    let name_width = names.max().unwrap_or(0).clamp(12, 32);
    for (y, (at, candidate)) in (place.y..place.bottom()).zip(shown) {
        let chosen = offer.chosen == Some(at);
        let mark = if chosen { "▌" } else { " " };
        let name = traintop_text::fitted(&candidate.text, name_width);
        let role = if chosen {
            Role::Selection
        } else {
            Role::Prompt
        };
        let more = at + 1 == top + rows && at + 1 < offer.candidates.len();
        let what = if more {
            format!("{} more", offer.candidates.len() - at - 1)
        } else {
            candidate.what.clone()
        };
        let line = Line::from(vec![
            Span::styled(mark, theme.style(Role::Accent)),
            Span::styled(format!("{name:<name_width$}"), theme.style(role)),
            Span::styled(format!("  {what}"), theme.style(Role::Muted)),
        ]);
        line.render(
            Rect {
                y,
                height: 1,
                ..place
            },
            buf,
        );
    }
}

/// Draws the bottom line while the query is typed: what is wrong with it, or the keys.
pub fn draw_hints(context: &Context, area: Rect, buf: &mut Buffer) {
    let theme = &context.theme;
    if let Some(problem) = &context.runs.query.problem {
        let text = traintop_text::clean(&problem.message).into_owned();
        return Line::styled(format!("✗ {text}"), theme.style(Role::Bad)).render(area, buf);
    }
    let mut hints = keys(context, Scope::Query, area.width);
    let example = "val_acc>94 model:resnet -tag:old age<2d";
    if area.width >= 110 {
        let example = Span::styled(format!("  e.g. {example}"), theme.style(Role::Muted));
        hints.spans.push(example);
    }
    hints.render(area, buf);
}
