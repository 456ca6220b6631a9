//! The ends of the runs' logs, as many side by side as are readable.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::{CompareView, colour, mark};
use crate::theme::{Role, Theme};
use crate::widget::clipped::Clipped as _;
use traintop_run::RunDir;
use traintop_text::fitted;

/// A log is no smaller than this where there are several.
const FEWEST: (u16, u16) = (70, 9);

impl CompareView {
    /// The logs that have room, that of the row under the cursor first: the row of each, and the
    /// run's folder.
    pub(super) fn shown_logs(&self, area: Rect) -> Vec<(usize, RunDir)> {
        let order = self.order();
        let room = places(area).len();
        let at = order.iter().position(|row| *row == self.row).unwrap_or(0);
        // At the end the last ones fill the screen.
        let from = at.min(order.len().saturating_sub(room));
        let rows = order.into_iter().skip(from).take(room);
        rows.filter_map(|row| {
            let run = *self.compared()?.rows.get(row)?.members.first()?;
            Some((row, self.run(run)?.dir().clone()))
        })
        .collect()
    }

    pub(super) fn draw_logs(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let shown = self.shown_logs(area);
        for ((row, dir), place) in shown.into_iter().zip(places(area)) {
            let title = Line::from(vec![
                Span::styled(format!("{} ", mark(row)), theme.style(colour(row))),
                Span::styled(
                    fitted(&self.name(row), usize::from(place.width).saturating_sub(2))
                        .into_owned(),
                    theme.style(if row == self.row {
                        Role::Title
                    } else {
                        Role::Muted
                    }),
                ),
            ]);
            title.render(place, buf);
            let below = Rect {
                y: place.y + 1,
                height: place.height.saturating_sub(1),
                ..place
            };
            let Some(lines) = self.logs.get(&dir) else {
                continue;
            };
            if lines.is_empty() {
                Line::styled("no log", theme.style(Role::Muted)).render(below, buf);
            }
            let from = lines.len().saturating_sub(usize::from(below.height));
            for (y, line) in (below.y..below.bottom()).zip(&lines[from..]) {
                let room = usize::from(below.width);
                buf.put_n(
                    below.x,
                    y,
                    fitted(&line.text, room),
                    room,
                    theme.style(Role::Text),
                );
            }
        }
    }
}

fn places(area: Rect) -> Vec<Rect> {
    let columns = (area.width / FEWEST.0).clamp(1, 3);
    let rows = (area.height / FEWEST.1).max(1);
    let (width, height) = (area.width / columns, area.height / rows);
    (0..rows)
        .flat_map(|row| {
            (0..columns).map(move |column| Rect {
                x: area.x + column * width,
                y: area.y + row * height,
                width: width.saturating_sub(1),
                // A blank row between neighbours.
                height: height.saturating_sub(u16::from(row + 1 < rows)),
            })
        })
        .collect()
}
