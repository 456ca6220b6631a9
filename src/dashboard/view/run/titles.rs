//! The tabs, or the titles of the parts, each with the note of what of it is in sight.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::charts::Grid;
use super::detail::Detail;
use super::layout::{Areas, Pane};
use super::{RunView, epochs, shown_first_chart};
use crate::dashboard::theme::Theme;
use crate::dashboard::view::parts;
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
        let named = Pane::ALL.map(Pane::title);
        if !areas.tabs.is_empty() {
            let shown = (self.pane as usize, note(self.pane));
            return parts::draw_tabs(&named, shown, theme, areas.tabs, buf);
        }
        for pane in Pane::ALL {
            let title = parts::Title {
                number: pane as usize + 1,
                name: pane.title(),
                is_focused: pane == self.pane,
                note: note(pane),
            };
            title.draw(theme, areas.titles[pane as usize], buf);
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
