//! The rows of a comparison with as many of their columns as there is room for.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::{CompareView, Part, colour, mark};
use crate::theme::{Role, Theme};
use crate::widget::clipped::Clipped as _;
use traintop_analysis::compare::{Cell, Comparison};
use traintop_text::fitted;

/// Columns in the order in which they are given up where there is no room, the last first.
const WORTH: [Cell; 11] = [
    Cell::Best,
    Cell::Difference,
    Cell::Runs,
    Cell::BestEpoch,
    Cell::Reached,
    Cell::EpochCost,
    Cell::Last,
    Cell::At,
    Cell::DifferenceAt,
    Cell::Epochs,
    Cell::Took,
];
const NARROWEST_NAME: usize = 18;
const WIDEST_NAME: usize = 48;
/// The cursor, the letter and the sign of the baseline.
const SIGNS: usize = 5;

impl CompareView {
    /// The rows of the screen that the table has, with its heading.
    pub(super) fn table_height(&self, pane: Rect) -> u16 {
        let rows = self.compared().map_or(0, |of| of.rows.len()) as u16 + 1;
        match self.part {
            // The curves have the rest.
            Part::Curves => rows.min((pane.height / 4).max(3)),
            _ => rows.min(pane.height.saturating_sub(4)),
        }
    }

    /// The rows that a table of this height, with its heading, shows.
    pub(super) fn rows_in_sight(&self, height: u16) -> Vec<usize> {
        let order = self.order();
        let height = usize::from(height).saturating_sub(1);
        let top = self.top.min(order.len().saturating_sub(height));
        order.into_iter().skip(top).take(height).collect()
    }

    /// ```text
    ///       RUN                        N    BEST  EPOCH   DIFF
    /// ▌ A ⊥ quick 11-24 02:26:37       1   92.80     57      -
    ///   B   quick 11-24 03:11:02       3   93.40     60  +0.60
    /// ```
    pub(super) fn draw_table(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let Some(compared) = self.compared() else {
            return;
        };
        if area.is_empty() {
            return;
        }
        let visible = self.rows_in_sight(area.height);
        let columns = columns(compared, &visible, usize::from(area.width));
        let used: usize = columns.iter().map(|(_, width)| width + 2).sum();
        let name_width = usize::from(area.width)
            .saturating_sub(used + SIGNS)
            .min(WIDEST_NAME);
        let put = |x: u16, y: u16, text: &str, width: usize, role: Role, buf: &mut Buffer| {
            let room = usize::from(area.right().saturating_sub(x));
            let text = format!("{}{text}", " ".repeat(width.saturating_sub(text.width())));
            buf.put_n(x, y, &text, room, theme.style(role));
        };
        let first = area.x + (SIGNS + name_width) as u16 + 2;
        put(
            area.x + SIGNS as u16 + 1,
            area.y,
            "RUN",
            0,
            Role::Header,
            buf,
        );
        let mut x = first;
        for (cell, width) in &columns {
            let role = match self.sort {
                Some((sorted, _)) if sorted == *cell => Role::HeaderSorted,
                _ => Role::Header,
            };
            put(x, area.y, &cell.heading(compared), *width, role, buf);
            x += *width as u16 + 2;
        }
        for (y, at) in (area.y + 1..area.bottom()).zip(visible) {
            let row = &compared.rows[at];
            let is_here = at == self.row;
            let role = if is_here { Role::Selection } else { Role::Text };
            let blank = " ".repeat(usize::from(area.width));
            buf.put_n(area.x, y, &blank, blank.len(), theme.style(role));
            if is_here {
                put(area.x, y, "▌", 0, Role::Accent, buf);
            }
            put(area.x + 2, y, &mark(at).to_string(), 0, colour(at), buf);
            if at == compared.baseline {
                put(area.x + 4, y, "⊥", 0, Role::Mark, buf);
            }
            let name = self.name(at);
            put(
                area.x + SIGNS as u16 + 1,
                y,
                &fitted(&name, name_width),
                0,
                role,
                buf,
            );
            let mut x = first;
            for (cell, width) in &columns {
                let role = match cell {
                    _ if is_here => Role::Selection,
                    Cell::Difference => worth(row.difference, compared),
                    Cell::DifferenceAt => worth(row.difference_at, compared),
                    _ => Role::Text,
                };
                put(x, y, &cell.text(row, compared), *width, role, buf);
                x += *width as u16 + 2;
            }
        }
    }
}

/// A difference that is more than noise is good or bad; any other is neither.
fn worth(verdict: Option<traintop_analysis::compare::Verdict>, of: &Comparison) -> Role {
    match verdict {
        Some(verdict) if verdict.is_distinguishable() == Some(true) => {
            if of.metric.better.than(verdict.difference, 0.0) {
                Role::Good
            } else {
                Role::Bad
            }
        }
        _ => Role::Muted,
    }
}

/// The columns that fit, in the table's order, each with its width.
fn columns(compared: &Comparison, visible: &[usize], room: usize) -> Vec<(Cell, usize)> {
    let width = |cell: Cell| {
        let rows = visible.iter().map(|row| &compared.rows[*row]);
        let texts = rows.map(|row| cell.text(row, compared).width());
        texts
            .chain([cell.heading(compared).width()])
            .max()
            .unwrap_or(0)
    };
    let mut left = room.saturating_sub(SIGNS + NARROWEST_NAME + 2);
    let mut kept: Vec<(Cell, usize)> = Vec::new();
    for cell in WORTH {
        let width = width(cell);
        let Some(rest) = left.checked_sub(width + 2) else {
            continue;
        };
        left = rest;
        kept.push((cell, width));
    }
    let place = |cell: &Cell| Cell::ALL.iter().position(|other| other == cell);
    kept.sort_by_key(|(cell, _)| place(cell));
    kept
}
