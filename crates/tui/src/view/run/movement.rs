//! Moving within the Run screen: between panes, over rows, and along the charts' axis.

use ratatui::layout::Rect;

use super::detail::Detail;
use super::layout::Pane;
use super::zoom::{self, Zoom};
use super::{RunView, charts, epochs, log, shown_first_chart, whole};
use crate::command::Action;
use crate::widget::chart::Options;
use traintop_run::summary::Summary;

/// A movement within the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Move {
    /// One row, line or chart up.
    Up,
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
    NextPane,
    /// To the one before.
    PreviousPane,
    /// To another part of the charts' axis.
    Zoom(Zoom),
    /// One chart on the whole screen, or all again.
    Full,
}

pub fn movement(action: Action) -> Option<Move> {
    Some(match action {
        Action::NextPane => Move::NextPane,
        Action::PreviousPane => Move::PreviousPane,
        Action::Pane1 => Move::Pane(Pane::Charts),
        Action::Pane2 => Move::Pane(Pane::Epochs),
        Action::Pane3 => Move::Pane(Pane::Config),
        Action::Pane4 => Move::Pane(Pane::Log),
        Action::Pane5 => Move::Pane(Pane::Checkpoints),
        Action::Left => Move::Left,
        Action::Right => Move::Right,
        Action::FarLeft => Move::FarLeft,
        Action::FarRight => Move::FarRight,
        Action::Down => Move::Down,
        Action::Up => Move::Up,
        Action::PageDown => Move::PageDown,
        Action::PageUp => Move::PageUp,
        Action::First => Move::First,
        Action::Last => Move::Last,
        Action::ZoomIn => Move::Zoom(Zoom::In),
        Action::ZoomOut => Move::Zoom(Zoom::Out),
        Action::ZoomWhole => Move::Zoom(Zoom::Whole),
        Action::PanLeft => Move::Zoom(Zoom::Pan(-0.25)),
        Action::PanRight => Move::Zoom(Zoom::Pan(0.25)),
        Action::FullChart => Move::Full,
        _ => return None,
    })
}

impl RunView {
    /// Moves; `area` is the whole screen's, which decides pages and ends.
    pub fn go(
        &mut self,
        movement: Move,
        (summary, detail, options): (&Summary, &Detail, Options),
        area: Rect,
    ) {
        match movement {
            Move::Zoom(change) => {
                let at = self.cursor.map(|x| detail.place(x));
                self.zoom_at(change, at, (summary, detail, options));
            }
            Move::Full => {
                self.full = !self.is_full();
                self.pane = Pane::Charts;
            }
            Move::Pane(pane) => self.pane = pane,
            Move::NextPane => self.pane = self.pane.further(1),
            Move::PreviousPane => self.pane = self.pane.further(-1),
            Move::FarLeft => self.move_cursor(detail, -self.far(detail)),
            Move::FarRight => self.move_cursor(detail, self.far(detail)),
            Move::Left if self.pane == Pane::Epochs => {
                self.epochs_left = self.epochs_left.saturating_sub(1);
            }
            Move::Right if self.pane == Pane::Epochs => {
                self.epochs_left = (self.epochs_left + 1)
                    .min(epochs::column_count(detail.epochs()).saturating_sub(1));
            }
            Move::Left | Move::Right if self.pane == Pane::Log => {
                let step = if movement == Move::Left {
                    log::Step::Earlier
                } else {
                    log::Step::Later
                };
                let areas = self.areas(area, summary, Some(detail));
                self.log.go(step, &detail.log, areas.pane(Pane::Log));
            }
            Move::Left => self.move_cursor(detail, -1),
            Move::Right => self.move_cursor(detail, 1),
            Move::Up | Move::Down | Move::PageUp | Move::PageDown | Move::First | Move::Last => {
                let areas = self.areas(area, summary, Some(detail));
                let pane = match self.pane {
                    Pane::Charts => self.chart_area(&areas, area),
                    other => areas.pane(other),
                };
                self.scroll(movement, detail, pane);
            }
        }
        self.keep_cursor_in_zoom(movement, (summary, detail, options));
    }

    /// Changes what part of the axis is shown, around a place on it.
    pub(super) fn zoom_at(
        &mut self,
        change: Zoom,
        at: Option<f64>,
        (summary, detail, options): (&Summary, &Detail, Options),
    ) {
        if let Some(axis) = charts::x_axis(detail, whole(summary, detail), options) {
            self.zoom = zoom::zoomed(axis, self.zoom, change, at, detail.places());
        }
    }

    /// Where the cursor goes, what is shown follows.
    pub(super) fn keep_cursor_in_zoom(
        &mut self,
        movement: Move,
        (summary, detail, options): (&Summary, &Detail, Options),
    ) {
        let moves = !matches!(movement, Move::Zoom(_) | Move::Pane(_) | Move::Full);
        let (Some(shown), true) = (self.zoom, moves && self.pane == Pane::Charts) else {
            return;
        };
        let newest = matches!(movement, Move::Last | Move::Right | Move::FarRight);
        let last = detail.places().last().copied().filter(|_| newest);
        let at = self.cursor.map(|x| detail.place(x)).or(last);
        let axis = charts::x_axis(detail, whole(summary, detail), options);
        if let (Some(axis), Some(at)) = (axis, at) {
            self.zoom = zoom::with(axis, shown, at);
        }
    }

    pub(super) fn scroll(&mut self, movement: Move, detail: &Detail, pane: Rect) {
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
                let (grid, first) = self.shown_charts(pane, detail);
                let rows = if by.unsigned_abs() > 1 {
                    grid.rows.max(1)
                } else {
                    1
                };
                let charts = usize::from(grid.columns * rows);
                let to = if by < 0 {
                    first.saturating_sub(charts)
                } else {
                    first + charts
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
            (Pane::Log, _) => self.log.scroll(by, &detail.log, pane),
        }
    }

    /// Past the newest row the cursor lets go and follows.
    pub(super) fn move_cursor(&mut self, detail: &Detail, by: isize) {
        let rows = self.rows(detail);
        let last = rows.len().saturating_sub(1);
        let at = self.cursor_row(rows).unwrap_or(last);
        self.cursor = match at.saturating_add_signed(by) {
            to if to > last => None,
            to => rows.get(to).copied(),
        };
    }

    /// A tenth of the rows that are shown.
    pub(super) fn far(&self, detail: &Detail) -> isize {
        let places = detail.places();
        let shown = self.zoom.filter(|_| self.pane == Pane::Charts);
        let rows = shown.map_or(places.len(), |zoom| {
            places.partition_point(|x| *x <= zoom.max())
                - places.partition_point(|x| *x < zoom.min())
        });
        (rows / 10).max(1).cast_signed()
    }
}
