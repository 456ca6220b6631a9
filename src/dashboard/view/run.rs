//! The Run screen: one run with its curves, rows, configuration, log and checkpoints.

pub mod charts;
pub mod curves;
pub mod detail;
pub mod epochs;
pub mod header;
#[cfg(test)]
mod journeys;
pub mod layout;
pub mod lines;
#[cfg(test)]
pub(in crate::dashboard) mod tests;
mod titles;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use self::charts::{Grid, Shared};
use self::detail::Detail;
use self::epochs::Window;
use self::layout::{Areas, Pane};
use crate::analysis::nearest::nearest;
use crate::dashboard::theme::{Role, Theme};
use crate::run::layout::RunDir;
use crate::run::summary::Summary;

/// Where in the screen one is. What it shows lies in a [`Summary`] and a [`Detail`].
#[derive(Clone, Debug, PartialEq)]
pub struct RunView {
    /// The run.
    pub dir: RunDir,
    /// Where keys go, and, with tabs, what is shown.
    pub pane: Pane,
    /// The x at which charts are read out and the row that the table marks; `None` follows the newest.
    pub cursor: Option<f64>,
    first_chart: usize,
    epochs_top: usize,
    epochs_left: usize,
    config_top: usize,
    checkpoints_top: usize,
    /// The line of the log before which it is cut; `None` follows its end.
    log_end: Option<u64>,
}

/// A movement within the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// One row, line or chart up.
    Up,
    /// One down.
    Down,
    /// A screenful up.
    PageUp,
    /// A screenful down.
    PageDown,
    /// One row of the run back, or one column of the table to the left.
    Left,
    /// One row of the run on, or one column of the table to the right.
    Right,
    /// A tenth of the run back.
    FarLeft,
    /// A tenth of the run on.
    FarRight,
    /// To the beginning.
    First,
    /// To the end, and on with it as it grows.
    Last,
    /// To another pane.
    Pane(Pane),
    /// To the next pane.
    NextPane,
    /// To the one before.
    PreviousPane,
}

impl RunView {
    /// The screen as it opens: charts, following the newest row.
    pub fn new(dir: RunDir) -> Self {
        Self {
            dir,
            pane: Pane::Charts,
            cursor: None,
            first_chart: 0,
            epochs_top: 0,
            epochs_left: 0,
            config_top: 0,
            checkpoints_top: 0,
            log_end: None,
        }
    }

    /// Moves; `area` is the whole screen's, by which pages and ends are told.
    pub fn act(&mut self, movement: Move, summary: &Summary, detail: &Detail, area: Rect) {
        match movement {
            Move::Pane(pane) => self.pane = pane,
            Move::NextPane => self.pane = self.pane.further(1),
            Move::PreviousPane => self.pane = self.pane.further(-1),
            Move::FarLeft => self.move_cursor(detail, -far(detail)),
            Move::FarRight => self.move_cursor(detail, far(detail)),
            Move::Left if self.pane == Pane::Epochs => {
                self.epochs_left = self.epochs_left.saturating_sub(1);
            }
            Move::Right if self.pane == Pane::Epochs => {
                self.epochs_left = (self.epochs_left + 1)
                    .min(epochs::column_count(detail.epochs()).saturating_sub(1));
            }
            Move::Left => self.move_cursor(detail, -1),
            Move::Right => self.move_cursor(detail, 1),
            Move::Up | Move::Down | Move::PageUp | Move::PageDown | Move::First | Move::Last => {
                let pane = self.areas(area, summary, Some(detail)).pane(self.pane);
                self.scroll(movement, detail, pane);
            }
        }
    }

    fn scroll(&mut self, movement: Move, detail: &Detail, pane: Rect) {
        let screenful = isize::try_from(pane.height.max(2) - 1).unwrap_or(1);
        let by = match movement {
            Move::Up => -1,
            Move::Down => 1,
            Move::PageUp => -screenful,
            Move::PageDown => screenful,
            Move::First => isize::MIN / 2,
            _ => isize::MAX / 2,
        };
        let moved = |from: usize, count: usize| {
            from.saturating_add_signed(by)
                .min(count.saturating_sub(usize::from(pane.height)))
        };
        match (self.pane, movement) {
            (Pane::Charts, Move::First) => self.cursor = detail.charted().rows().first().copied(),
            (Pane::Charts | Pane::Epochs, Move::Last) => self.cursor = None,
            (Pane::Charts, _) => {
                let grid = Grid::of(pane, detail.charted().groups().len());
                let rows = if by.unsigned_abs() > 1 {
                    grid.rows.max(1)
                } else {
                    1
                };
                let charts = usize::from(grid.columns * rows);
                self.first_chart = shown_first_chart(self.first_chart, grid, detail);
                let to = if by < 0 {
                    self.first_chart.saturating_sub(charts)
                } else {
                    self.first_chart + charts
                };
                self.first_chart = shown_first_chart(to, grid, detail);
            }
            (Pane::Epochs, _) => {
                // From where the table stands, which while following is its end.
                self.epochs_top = self.window(detail, pane).top;
                self.move_cursor(detail, by);
                self.epochs_top = self.window(detail, pane).top;
            }
            (Pane::Config, _) => self.config_top = moved(self.config_top, detail.config.len()),
            (Pane::Checkpoints, _) => {
                self.checkpoints_top = moved(self.checkpoints_top, detail.checkpoints.len());
            }
            (Pane::Log, _) => self.scroll_log(by, detail, pane),
        }
    }

    fn scroll_log(&mut self, by: isize, detail: &Detail, pane: Rect) {
        let log = &detail.log;
        let last = log.before + log.lines.len() as u64;
        let earliest = (log.before + u64::from(pane.height)).min(last);
        let end = self
            .log_end
            .unwrap_or(last)
            .saturating_add_signed(by as i64)
            .max(earliest);
        self.log_end = (end < last).then_some(end);
    }

    /// Past the newest row the cursor lets go and follows.
    fn move_cursor(&mut self, detail: &Detail, by: isize) {
        let rows = self.rows(detail);
        let last = rows.len().saturating_sub(1);
        let at = self.cursor_row(rows).unwrap_or(last);
        self.cursor = match at.saturating_add_signed(by) {
            to if to > last => None,
            to => rows.get(to).copied(),
        };
    }

    /// What the cursor moves over: what the pane shows.
    fn rows<'a>(&self, detail: &'a Detail) -> &'a [f64] {
        if self.pane == Pane::Epochs {
            detail.epochs().rows()
        } else {
            detail.charted().rows()
        }
    }

    fn cursor_row(&self, rows: &[f64]) -> Option<usize> {
        nearest(rows, self.cursor?)
    }

    /// The rows of the table that show in an area: those that were there, moved just far enough for the cursor to be among them.
    fn window(&self, detail: &Detail, area: Rect) -> Window {
        let shown = usize::from(area.height.saturating_sub(1)).max(1);
        let rows = detail.epochs().rows();
        let end = rows.len().saturating_sub(shown);
        let cursor = self.cursor_row(rows);
        let top = match cursor {
            Some(row) => self
                .epochs_top
                .clamp((row + 1).saturating_sub(shown), row)
                .min(end),
            None => end,
        };
        Window {
            top,
            left: self.epochs_left,
            cursor,
        }
    }

    fn areas(&self, area: Rect, summary: &Summary, detail: Option<&Detail>) -> Areas {
        Areas::of(
            area,
            header::height(summary, detail, area.width),
            self.pane,
            detail.map_or(0, |detail| detail.checkpoints.len()),
        )
    }

    /// Draws the screen; without `detail` it is still being read.
    pub fn draw(
        &self,
        summary: &Summary,
        detail: Option<&Detail>,
        theme: &Theme,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let areas = self.areas(area, summary, detail);
        header::draw(summary, detail, theme, areas.header, buf);
        self.draw_titles(&areas, detail, theme, buf);
        let Some(detail) = detail else {
            let place = areas.pane(self.pane);
            Line::styled("reading the run's files", theme.style(Role::Muted)).render(place, buf);
            return;
        };
        let grid = Grid::of(areas.pane(Pane::Charts), detail.charted().groups().len());
        let shared = Shared {
            curves: detail.charted(),
            x_range: detail.x_range(summary.observed.state.is_active(), summary.epochs_planned),
            cursor: self.cursor,
            theme,
        };
        charts::draw(
            shared,
            shown_first_chart(self.first_chart, grid, detail),
            areas.pane(Pane::Charts),
            buf,
        );
        let table = areas.pane(Pane::Epochs);
        epochs::draw(
            detail.epochs(),
            self.window(detail, table),
            theme,
            table,
            buf,
        );
        lines::draw_config(
            &detail.config,
            self.config_top,
            theme,
            areas.pane(Pane::Config),
            buf,
        );
        lines::draw_log(&detail.log, self.log_end, theme, areas.pane(Pane::Log), buf);
        lines::draw_checkpoints(
            detail,
            self.checkpoints_top,
            theme,
            areas.pane(Pane::Checkpoints),
            buf,
        );
    }
}

fn far(detail: &Detail) -> isize {
    (detail.charted().rows().len() / 10).max(1).cast_signed()
}

/// Whole rows of the grid, and no emptiness below the last chart where there are more than fit.
fn shown_first_chart(wanted: usize, grid: Grid, detail: &Detail) -> usize {
    let columns = usize::from(grid.columns.max(1));
    let rows = detail.charted().groups().len().div_ceil(columns);
    let last = rows.saturating_sub(usize::from(grid.rows)) * columns;
    wanted.min(last) / columns * columns
}
