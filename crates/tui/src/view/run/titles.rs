//! The tabs, or the titles of the parts, each with the note of what of it is in sight.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::detail::Detail;
use super::layout::{Areas, Pane};
use super::{RunView, epochs, log};
use crate::theme::Theme;
use crate::widget::chart::Options;
use traintop_text::bytes;

impl RunView {
    pub(super) fn draw_titles(
        &self,
        areas: &Areas,
        detail: Option<&Detail>,
        (options, theme): (Options, &Theme),
        buf: &mut Buffer,
    ) {
        let panes = &areas.panes;
        // With tabs, errors are shown from each of them but the log's.
        let errors = detail
            .filter(|_| !panes.tabs.is_empty() && self.pane != Pane::Log)
            .and_then(|detail| log::errors(&detail.log))
            .map(|errors| format!("{errors} in the log"));
        let note = |at: usize| {
            let pane = Pane::ALL[at];
            let note = detail.map(|detail| self.note(pane, (detail, options), areas.pane(pane)));
            let notes = note.into_iter().chain(errors.clone());
            let notes: Vec<String> = notes.filter(|note| !note.is_empty()).collect();
            notes.join(" · ")
        };
        let names = Pane::ALL.map(Pane::title);
        panes.draw_titles(names, self.pane as usize, note, theme, buf);
    }

    /// How charts are drawn, where it is not as they are first.
    fn settings(&self, options: Options) -> String {
        let zoomed = self.zoom.map(|_| "zoomed".to_owned());
        let words = Some(options.summary()).filter(|words| !words.is_empty());
        zoomed
            .into_iter()
            .chain(words)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Which part of a pane's content is in sight.
    fn note(&self, pane: Pane, (detail, options): (&Detail, Options), area: Rect) -> String {
        let part = |top: usize, shown: usize, count: usize| match (top + shown).min(count) {
            0 => String::new(),
            end if top == 0 && end == count => count.to_string(),
            end => format!("{}-{end} of {count}", top + 1),
        };
        let rows = usize::from(area.height);
        match pane {
            Pane::Charts => {
                let (grid, first) = self.shown_charts(area, detail);
                let count = detail.charted().groups().len();
                let part = part(first, grid.capacity(), count);
                match self.settings(options) {
                    settings if settings.is_empty() => part,
                    settings => format!("{part} · {settings}"),
                }
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
            Pane::Log => self.log.note(&detail.log),
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
