//! The table of rows: every column of numbers, newest at the bottom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::curves::Curves;
use crate::theme::{Role, Theme};
use crate::widget::clipped::Clipped as _;
use traintop_analysis::scale::Scale;
use traintop_run::metrics::Column;

/// What the table shows of the rows.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The first row shown.
    pub top: usize,
    /// The first column shown after that of x, which always is.
    pub left: usize,
    /// The row under the cursor.
    pub cursor: Option<usize>,
}

/// Wide enough for nearly every value: `0.0006922`.
const NARROWEST: usize = 9;
/// The cursor's mark and the mark of the best row.
const MARKS: u16 = 2;
const BETWEEN: u16 = 2;

/// Header and rows.
///
/// ```text
///   epoch  train_loss  val_acc
///     195       1.151   94.52%
/// ▸★  196       1.150   94.56%
/// ```
pub fn draw(epochs: &Curves, window: Window, theme: &Theme, area: Rect, buf: &mut Buffer) {
    if area.width <= MARKS || area.height == 0 {
        return;
    }
    let rows = epochs.rows();
    let best = epochs.best().map(|best| best.x);
    for (line, (index, &row)) in rows
        .iter()
        .enumerate()
        .skip(window.top)
        .take(usize::from(area.height) - 1)
        .enumerate()
    {
        let y = area.y + 1 + line as u16;
        if window.cursor == Some(index) {
            buf.put(area.x, y, "▸", theme.style(Role::Accent));
        }
        if best == Some(row) {
            buf.put(area.x + 1, y, "★", theme.style(Role::Good));
        }
    }
    let mut x = area.x + MARKS;
    for shown in shown_columns(epochs, window.left) {
        let width = shown.width.min(area.right().saturating_sub(x));
        if width < shown.width && x > area.x + MARKS {
            break;
        }
        right(
            buf,
            (x, area.y, width),
            shown
                .column
                .map_or(&epochs.metrics().x_name, |column| &column.name),
            theme.style(Role::Header),
        );
        for (line, (index, &row)) in rows
            .iter()
            .enumerate()
            .skip(window.top)
            .take(usize::from(area.height) - 1)
            .enumerate()
        {
            let here = Cell {
                row,
                best: best == Some(row),
                cursor: window.cursor == Some(index),
            };
            let (text, style) = cell(epochs, &shown, &here, theme);
            right(buf, (x, area.y + 1 + line as u16, width), &text, style);
        }
        x += width + BETWEEN;
    }
}

/// How many columns can be scrolled through.
pub fn column_count(epochs: &Curves) -> usize {
    shown_columns(epochs, 0).count().saturating_sub(1)
}

/// How many columns after that of x an area shows, from `left` on.
pub fn columns_in(epochs: &Curves, left: usize, area: Rect) -> usize {
    let mut used = MARKS;
    shown_columns(epochs, left)
        .take_while(|shown| {
            used += shown.width;
            let fits = used <= area.width;
            used += BETWEEN;
            fits
        })
        .count()
        .saturating_sub(1)
}

struct Shown<'a> {
    /// `None` is x itself.
    column: Option<&'a Column>,
    scale: Scale,
    width: u16,
}

struct Cell {
    row: f64,
    best: bool,
    cursor: bool,
}

/// The column of x, then the others in the charts' order from `left` on.
fn shown_columns(epochs: &Curves, left: usize) -> impl Iterator<Item = Shown<'_>> {
    let metrics = epochs.metrics();
    let widest = epochs
        .rows()
        .last()
        .map_or(0, |&row| epochs.x_scale().reading(row).len());
    let x = Shown {
        column: None,
        scale: epochs.x_scale(),
        width: metrics.x_name.chars().count().max(widest) as u16,
    };
    let others = epochs.groups().iter().flat_map(|group| {
        group
            .members
            .iter()
            .map(|member| (member.column, group.scale))
    });
    std::iter::once(x).chain(others.skip(left).map(|(index, scale)| {
        let column = &metrics.columns[index];
        Shown {
            column: Some(column),
            scale,
            width: column.name.chars().count().max(NARROWEST) as u16,
        }
    }))
}

fn cell(epochs: &Curves, shown: &Shown, here: &Cell, theme: &Theme) -> (String, Style) {
    let value = match shown.column {
        None => Some(here.row),
        Some(column) => column
            .x
            .binary_search_by(|x| x.total_cmp(&here.row))
            .ok()
            .map(|index| column.y[index]),
    };
    let decided = here.best
        && epochs
            .best()
            .is_some_and(|best| shown.column == Some(&epochs.metrics().columns[best.column]));
    let role = match value {
        Some(value) if !value.is_finite() => Role::Bad,
        _ if decided => Role::Good,
        _ if here.cursor && shown.column.is_none() => Role::Accent,
        _ => Role::Text,
    };
    (
        value.map(|value| reading(value, shown)).unwrap_or_default(),
        theme.style(role),
    )
}

/// With fewer digits where the column is too narrow for all: cutting digits off would make another
/// number of it.
fn reading(value: f64, shown: &Shown) -> String {
    let full = shown.scale.reading(value);
    if full.len() <= usize::from(shown.width) {
        full
    } else {
        format!("{value:.1e}")
    }
}

fn right(buf: &mut Buffer, (x, y, width): (u16, u16, u16), text: &str, style: Style) {
    let length = text.chars().count().min(usize::from(width)) as u16;
    buf.put_n(x + width - length, y, text, usize::from(length), style);
}
