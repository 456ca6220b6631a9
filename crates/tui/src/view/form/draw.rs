//! How the form looks.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::super::super::theme::{Role, Theme};
use super::{Form, values};
use crate::jobs::choice::Choice;
use crate::widget::clipped::Clipped as _;
use traintop_text::fitted;

/// Lines that are shown of what is said of a recipe.
const BEGINNING: usize = 2;

/// Draws the form: the recipes, or the values of one.
pub fn draw(form: &Form, theme: &Theme, area: Rect, buf: &mut Buffer) {
    match &form.edit {
        Some(edit) if form.editing => values::draw(edit, form, theme, area, buf),
        _ => draw_choices(form, theme, area, buf),
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
    if form.choices.is_empty() {
        return;
    }
    let width = usize::from(list.width.saturating_sub(6).clamp(1, 100));
    // Of those that the cursor is not on only the beginning: at 80 columns two of them would fill
    // the screen.
    let lines_of = |at: usize| {
        let mut lines = wrapped(said(&form.choices[at]).0, width);
        if at != form.cursor && lines.len() > BEGINNING {
            lines.truncate(BEGINNING);
            if let Some(last) = lines.last_mut() {
                *last = fitted(&format!("{last} …"), width).into_owned();
            }
        }
        lines
    };
    // A name, what is said of it, and an empty row.
    let rows_of = |at: usize| lines_of(at).len() as u16 + 2;
    let mut y = list.y;
    for at in first_shown(form.cursor, list.height, rows_of)..form.choices.len() {
        if y + 1 >= list.bottom() {
            break;
        }
        let choice = &form.choices[at];
        let selected = at == form.cursor;
        if selected {
            buf.put(list.x, y, "▌", theme.style(Role::Accent));
        }
        let style = theme.style(if selected {
            Role::Selection
        } else {
            Role::Text
        });
        let room = usize::from(list.width.saturating_sub(2));
        buf.put_n(list.x + 2, y, choice.name(), room, style);
        y += 1;
        let style = theme.style(said(choice).1);
        for line in lines_of(at) {
            if y < list.bottom() {
                buf.put_n(list.x + 4, y, line, width, style);
            }
            y += 1;
        }
        y += 1;
    }
}

/// A text in lines of at most `width` columns, broken between words; a longer word is broken by the
/// screen.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// What is said of a recipe: what it is for, or what is wrong with it.
fn said(choice: &Choice) -> (&str, Role) {
    match &choice.subject {
        Ok(_) => (&choice.description, Role::Muted),
        Err(problem) => (problem, Role::Bad),
    }
}

/// The first recipe to be shown, so that all of the one under the cursor is.
fn first_shown(cursor: usize, height: u16, rows_of: impl Fn(usize) -> u16) -> usize {
    let mut left = height;
    let fitting = (0..=cursor).rev().take_while(|at| {
        let rows = rows_of(*at);
        let fits = rows <= left;
        left = left.saturating_sub(rows);
        fits
    });
    (cursor + 1).saturating_sub(fitting.count().max(1))
}
