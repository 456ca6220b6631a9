//! The tabs, or the titles of the parts, each with the note of what of it is in sight.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::charts::Grid;
use super::detail::Detail;
use super::layout::{Areas, Pane};
use super::{RunView, epochs, shown_first_chart};
use crate::dashboard::theme::{Role, Theme};
use crate::text::bytes;

impl RunView {
    pub(super) fn draw_titles(
        &self,
        areas: &Areas,
        detail: Option<&Detail>,
        theme: &Theme,
        buf: &mut Buffer,
    ) {
        let note = |pane: Pane| {
            detail
                .map(|detail| self.note(pane, detail, areas.pane(pane)))
                .unwrap_or_default()
        };
        if !areas.tabs.is_empty() {
            let mut tabs = Vec::new();
            for (number, pane) in (1..).zip(Pane::ALL) {
                let text = format!(" {number} {} ", pane.title());
                let here = pane == self.pane;
                let style = if here {
                    theme.style(Role::Selection)
                } else {
                    theme.style(Role::Muted)
                };
                tabs.push(Span::styled(text, style));
                tabs.push(Span::raw(" "));
            }
            let tabs = Line::from(tabs);
            let used = tabs.width() as u16;
            tabs.render(areas.tabs, buf);
            let note = Line::styled(note(self.pane), theme.style(Role::Muted));
            let left = areas.tabs.width.saturating_sub(used);
            if note.width() <= usize::from(left) {
                let beside = Rect {
                    x: areas.tabs.x + used,
                    width: left,
                    ..areas.tabs
                };
                note.right_aligned().render(beside, buf);
            }
            return;
        }
        for (number, pane) in (1..).zip(Pane::ALL) {
            let area = areas.titles[pane as usize];
            let focused = pane == self.pane;
            let rule = theme.style(if focused {
                Role::BorderFocused
            } else {
                Role::Border
            });
            for x in area.x..area.right() {
                buf[(x, area.y)]
                    .set_symbol(if focused { "━" } else { "─" })
                    .set_style(rule);
            }
            let name = theme.style(Role::Title);
            let name = if focused {
                name.add_modifier(Modifier::BOLD)
            } else {
                theme.style(Role::Muted)
            };
            Line::styled(format!(" {number} {} ", pane.title()), name).render(
                Rect {
                    x: area.x + 1,
                    width: area.width - 1,
                    ..area
                },
                buf,
            );
            let note = note(pane);
            if !note.is_empty() {
                let line =
                    Line::styled(format!(" {note} "), theme.style(Role::Muted)).right_aligned();
                let width = line.width() as u16;
                line.render(
                    Rect {
                        x: area.right().saturating_sub(width + 1),
                        width,
                        ..area
                    },
                    buf,
                );
            }
        }
    }

    /// Which part of a pane's content is in sight.
    fn note(&self, pane: Pane, detail: &Detail, area: Rect) -> String {
        let part = |top: usize, shown: usize, count: usize| match (top + shown).min(count) {
            0 => String::new(),
            end if top == 0 && end == count => count.to_string(),
            end => format!("{}-{end} of {count}", top + 1),
        };
        let rows = usize::from(area.height);
        match pane {
            Pane::Charts => {
                let grid = Grid::of(area, detail.charted().groups().len());
                part(
                    shown_first_chart(self.first_chart, grid, detail),
                    grid.capacity(),
                    detail.charted().groups().len(),
                )
            }
            Pane::Epochs => {
                let rows = part(
                    self.window(detail, area).top,
                    rows.saturating_sub(1),
                    detail.epochs().rows().len(),
                );
                let columns = epochs::column_count(detail.epochs());
                let shown = epochs::columns_in(detail.epochs(), self.epochs_left, area);
                let before = if self.epochs_left > 0 { "‹ " } else { "" };
                let after = if self.epochs_left + shown < columns {
                    " ›"
                } else {
                    ""
                };
                format!("{before}{rows}{after}")
            }
            Pane::Config => part(self.config_top, rows, detail.config.len()),
            Pane::Log if self.log_end.is_none() => "following".to_owned(),
            Pane::Log => {
                let end = self
                    .log_end
                    .unwrap_or_default()
                    .saturating_sub(detail.log.before);
                format!("line {end} of {}", detail.log.lines.len())
            }
            Pane::Checkpoints => match detail
                .checkpoints
                .iter()
                .map(|checkpoint| checkpoint.bytes)
                .sum()
            {
                0 => String::new(),
                total => format!("{}, {}", detail.checkpoints.len(), bytes(total)),
            },
        }
    }
}
