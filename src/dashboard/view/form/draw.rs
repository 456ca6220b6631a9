//! How the form looks.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::super::super::state::State;
use super::super::super::theme::{Role, Theme};
use super::{Choice, Form, values};

/// Draws the form: the recipes, or the values of one.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    match &state.form.edit {
        Some(edit) if state.form.editing => {
            values::draw(edit, &state.form, &state.theme, area, buf);
        }
        _ => draw_choices(&state.form, &state.theme, area, buf),
    }
}

fn draw_choices(form: &Form, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let [title, _, list] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(0),
    ])
    .areas(area);
    let heading = vec![
        Span::styled("New run", theme.style(Role::Title)),
        Span::styled("  choose a recipe or a launcher", theme.style(Role::Muted)),
    ];
    Line::from(heading).render(title, buf);
    let width = list.width.saturating_sub(6).clamp(1, 100);
    // A name, what is said of it, and an empty row.
    let rows_of = |choice: &Choice| {
        let (text, _) = said(choice);
        (text.chars().count() as u16).div_ceil(width) + 2
    };
    let mut y = list.y;
    for (at, choice) in form.choices.iter().enumerate().skip(first_shown(
        &form.choices,
        form.cursor,
        list.height,
        rows_of,
    )) {
        let (text, role) = said(choice);
        let style = theme.style(role);
        let paragraph = Paragraph::new(text).style(style).wrap(Wrap { trim: true });
        let rows = rows_of(choice) - 1;
        if y + 1 >= list.bottom() {
            break;
        }
        let selected = at == form.cursor;
        if selected {
            buf.set_string(list.x, y, "▌", theme.style(Role::Accent));
        }
        let name = choice.name();
        let style = theme.style(if selected {
            Role::Selection
        } else {
            Role::Text
        });
        buf.set_stringn(
            list.x + 2,
            y,
            name,
            usize::from(list.width.saturating_sub(2)),
            style,
        );
        let place = Rect {
            x: list.x + 4,
            y: y + 1,
            width,
            height: rows.min(list.bottom() - y - 1),
        };
        paragraph.render(place, buf);
        y += rows + 1;
    }
}

/// What is said of a recipe: what it is for, or what is wrong with it.
fn said(choice: &Choice) -> (&str, Role) {
    match &choice.subject {
        Ok(_) => (&choice.description, Role::Muted),
        Err(problem) => (problem, Role::Bad),
    }
}

/// The first recipe to be shown, so that all of the one under the cursor is.
fn first_shown(
    choices: &[Choice],
    cursor: usize,
    height: u16,
    rows_of: impl Fn(&Choice) -> u16,
) -> usize {
    let mut left = height;
    let up_to_cursor = choices.iter().take(cursor + 1);
    let fitting = up_to_cursor.rev().take_while(|choice| {
        let rows = rows_of(choice);
        let fits = rows <= left;
        left = left.saturating_sub(rows);
        fits
    });
    (cursor + 1).saturating_sub(fitting.count().max(1))
}
