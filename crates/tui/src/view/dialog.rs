//! The frame of what lies over a screen, and the line with its keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use super::super::command::Scope;
use super::super::context::Context;
use super::super::theme::{Role, Theme};
use super::parts::screen_area;
use crate::widget::prompt::Prompt;

/// Clears a frame of at most `width` x `height` in the middle of `area`, draws its border and
/// title, and returns its inside.
pub fn frame(
    theme: &Theme,
    title: &str,
    (width, height): (u16, u16),
    area: Rect,
    buf: &mut Buffer,
) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    Clear.render(place, buf);
    buf.set_style(
        place,
        Style::default()
            .bg(theme.background())
            .patch(theme.style(Role::Text)),
    );
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.style(Role::BorderFocused))
        .title(format!(" {title} "))
        .title_style(theme.style(Role::Title));
    let inside = block.inner(place);
    block.render(place, buf);
    inside
}

/// The rows that a dialog's list has at most on a terminal of this size, with `around` rows for
/// what stands around it.
pub fn list_rows(size: (u16, u16), around: u16) -> usize {
    usize::from(screen_area(size).height.saturating_sub(around))
}

/// The keys of a scope with a word each, as far as they fit into `width` cells.
pub fn keys(context: &Context, scope: Scope, width: u16) -> Line<'static> {
    let hints = context.keymap.hints(scope);
    line_of_keys(
        hints.map(|(_, key, word)| (key, word)),
        &context.theme,
        width,
    )
}

/// Keys with a word each; a hint that would be cut off is left out.
pub fn line_of_keys<'a>(
    hints: impl Iterator<Item = (String, &'a str)>,
    theme: &Theme,
    width: u16,
) -> Line<'a> {
    let mut left = usize::from(width);
    let mut spans = Vec::new();
    for (key, word) in hints {
        let key = Span::styled(key, theme.style(Role::Key));
        let word = Span::styled(format!(" {word}"), theme.style(Role::Muted));
        let Some(rest) = left.checked_sub(key.width() + word.width()) else {
            continue;
        };
        left = rest.saturating_sub(2);
        spans.extend([key, word, Span::raw("  ")]);
    }
    Line::from(spans)
}

/// Draws the keys of a scope into the last row of a dialog's inside.
pub fn draw_keys(context: &Context, scope: Scope, inside: Rect, buf: &mut Buffer) {
    if let Some(last) = inside.rows().next_back() {
        keys(context, scope, inside.width).render(last, buf);
    }
}

/// Draws the line in which a list is narrowed into the first row of a dialog's inside. Returns the
/// area of the list below it; the last row is left for keys.
pub fn draw_narrowing(prompt: &Prompt, theme: &Theme, inside: Rect, buf: &mut Buffer) -> Rect {
    let room = usize::from(inside.width.saturating_sub(2));
    let mut typed = prompt.line(room, Style::default());
    typed
        .spans
        .insert(0, Span::styled("> ", theme.style(Role::Key)));
    typed.render(inside, buf);
    Rect {
        y: inside.y + 1,
        height: inside.height.saturating_sub(2),
        ..inside
    }
}

/// The bar before the row of a list that the cursor is on, and the style of that row.
pub fn row_style(theme: &Theme, is_selected: bool) -> (Span<'static>, Style) {
    let (bar, role) = if is_selected {
        ("▌", Role::Selection)
    } else {
        (" ", Role::Text)
    };
    (
        Span::styled(bar, theme.style(Role::Accent)),
        theme.style(role),
    )
}
