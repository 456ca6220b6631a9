//! The Run screen: one run with its curves, rows, configuration, log and checkpoints.

pub mod charts;
pub mod curves;
pub mod detail;
pub mod epochs;
pub mod header;
mod judging;
pub mod layout;
pub mod lines;
pub mod log;
pub mod mouse;
pub mod movement;
#[cfg(test)]
mod screen_tests;
#[cfg(test)]
pub(crate) mod tests;
mod titles;
pub mod zoom;

use crossterm::event::MouseEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use self::charts::{Grid, Shared};
use self::detail::Detail;
use self::epochs::Window;
use self::layout::{Areas, Pane};
pub use self::movement::Move;
use self::movement::movement;
use crate::command::{Action, Scope};
use crate::component::{Component, Response};
use crate::context::Context;
use crate::theme::{Role, Theme};
use crate::view::machine::{self, History};
use crate::view::parts::screen_area;
use crate::widget::chart::Options;
use traintop_analysis::nearest::nearest;
use traintop_analysis::range::Range;
use traintop_launch::machine::Usage;
use traintop_run::layout::RunDir;
use traintop_run::summary::Summary;

/// Where in the screen one is. What it shows lies in a [`Summary`] and a [`Detail`].
#[derive(Clone, Debug, PartialEq)]
pub struct RunView {
    pub dir: RunDir,
    /// Where keys go, and, with tabs, what is shown.
    pub pane: Pane,
    /// The x at which charts are read out and the row that the table marks; `None` follows the
    /// newest.
    pub cursor: Option<f64>,
    /// What its processes use of this machine, while they do.
    pub usage: History<Usage>,
    /// The part of the charts' axis that is looked closer at; `None` for all of it.
    pub zoom: Option<Range>,
    /// Whether one chart takes the whole screen.
    full: bool,
    /// The place on the axis at which the mouse took hold of a chart.
    dragged: Option<f64>,
    first_chart: usize,
    epochs_top: usize,
    epochs_left: usize,
    config_top: usize,
    checkpoints_top: usize,
    log: log::Place,
}

impl Component for RunView {
    fn scope(&self, _context: &Context) -> Scope {
        Scope::Run
    }

    fn is_screen(&self) -> bool {
        true
    }

    fn keeps_opened_run(&self) -> bool {
        true
    }

    fn run(&self) -> Option<&RunDir> {
        Some(&self.dir)
    }

    fn uses_mouse(&self) -> bool {
        true
    }

    fn act(&mut self, action: Action, context: &Context) -> Response {
        if action == Action::Back {
            return Response::closed();
        }
        if action == Action::JudgeBy {
            return self.judge(context);
        }
        let Some(movement) = movement(action) else {
            return Response::ignored();
        };
        let row = context.runs.row(&self.dir);
        // Panes can be gone through while the run is still being read.
        let nothing = Detail::default();
        if let Some(summary) = row.and_then(|row| row.summary.as_ref()) {
            let detail = context.detail(&self.dir).unwrap_or(&nothing);
            let known = (summary, detail, context.charts);
            self.go(movement, known, screen_area(context.size));
        }
        Response::handled()
    }

    fn mouse(&mut self, event: MouseEvent, context: &Context) -> Response {
        mouse::act(self, event, context);
        Response::handled()
    }

    fn hint<'a>(&self, action: Action, hint: &'a str, context: &Context) -> Option<&'a str> {
        match action {
            Action::Left | Action::Right if self.pane == Pane::Log => {
                let detail = context.detail(&self.dir)?;
                let is_left = action == Action::Left;
                let hint = if is_left {
                    "error before"
                } else {
                    "next error"
                };
                (!detail.log.errors.is_empty()).then_some(hint)
            }
            Action::Left
            | Action::Right
            | Action::ZoomIn
            | Action::FullChart
            | Action::ChartXAxis
            | Action::ChartSmoother => (self.pane == Pane::Charts).then_some(hint),
            _ => Some(hint),
        }
    }

    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let row = context.runs.row(&self.dir);
        if let Some(summary) = row.and_then(|row| row.summary.as_ref()) {
            let looks = (context.charts, &context.theme);
            self.draw_run(summary, context.detail(&self.dir), looks, area, buf);
        }
    }
}

impl RunView {
    /// The screen as it opens: charts, following the newest row.
    pub fn new(dir: RunDir) -> Self {
        Self {
            dir,
            pane: Pane::Charts,
            cursor: None,
            usage: History::default(),
            zoom: None,
            full: false,
            dragged: None,
            first_chart: 0,
            epochs_top: 0,
            epochs_left: 0,
            config_top: 0,
            checkpoints_top: 0,
            log: log::Place::default(),
        }
    }

    /// Whether one chart takes the whole screen.
    pub fn is_full(&self) -> bool {
        self.full && self.pane == Pane::Charts
    }

    /// Where charts are drawn: in their part, or on the whole screen.
    fn chart_area(&self, areas: &Areas, area: Rect) -> Rect {
        if self.is_full() {
            area
        } else {
            areas.pane(Pane::Charts)
        }
    }

    /// How charts are laid out in their area, and which is the first.
    fn shown_charts(&self, area: Rect, detail: &Detail) -> (Grid, usize) {
        let grid = if self.is_full() {
            Grid::ONE
        } else {
            Grid::of(area, detail.charted().groups().len())
        };
        (grid, shown_first_chart(self.first_chart, grid, detail))
    }

    fn shared<'a>(
        &self,
        (summary, detail): (&Summary, &'a Detail),
        (options, theme): (Options, &'a Theme),
    ) -> Shared<'a> {
        Shared {
            detail,
            whole: whole(summary, detail),
            zoom: self.zoom,
            cursor: self.cursor,
            options,
            theme,
        }
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

    /// The rows of the table that show in an area: those that were there, moved just far enough for
    /// the cursor to be among them.
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

    fn usage_rows(&self) -> u16 {
        u16::from(self.usage.last().is_some())
    }

    fn areas(&self, area: Rect, summary: &Summary, detail: Option<&Detail>) -> Areas {
        Areas::of(
            area,
            header::height(summary, detail, area.width) + self.usage_rows(),
            self.pane,
            detail.map_or(0, |detail| detail.checkpoints.len()),
        )
    }

    /// Draws the screen; without `detail` it is still being read.
    pub fn draw_run(
        &self,
        summary: &Summary,
        detail: Option<&Detail>,
        (options, theme): (Options, &Theme),
        area: Rect,
        buf: &mut Buffer,
    ) {
        if let Some(detail) = detail.filter(|_| self.is_full()) {
            let shared = self.shared((summary, detail), (options, theme));
            return charts::draw(shared, self.shown_charts(area, detail), area, buf);
        }
        let areas = self.areas(area, summary, detail);
        let mut header = areas.header;
        let usage_rows = self.usage_rows().min(header.height);
        header.height -= usage_rows;
        header::draw(summary, detail, theme, header, buf);
        if usage_rows > 0 {
            let row = Rect {
                y: header.bottom(),
                height: 1,
                ..header
            };
            machine::usage_line(&self.usage, theme).render(row, buf);
        }
        self.draw_titles(&areas, detail, (options, theme), buf);
        let Some(detail) = detail else {
            let place = areas.pane(self.pane);
            Line::styled("reading the run's files", theme.style(Role::Muted)).render(place, buf);
            return;
        };
        let chart_area = areas.pane(Pane::Charts);
        charts::draw(
            self.shared((summary, detail), (options, theme)),
            self.shown_charts(chart_area, detail),
            chart_area,
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
        log::draw(&detail.log, self.log, theme, areas.pane(Pane::Log), buf);
        lines::draw_checkpoints(
            detail,
            self.checkpoints_top,
            theme,
            areas.pane(Pane::Checkpoints),
            buf,
        );
    }
}

/// All of the axis that there is to show.
fn whole(summary: &Summary, detail: &Detail) -> Option<Range> {
    detail.x_range(summary.observed.state.is_active(), summary.epochs_planned)
}

/// Whole rows of the grid, and no emptiness below the last chart where there are more than fit.
fn shown_first_chart(wanted: usize, grid: Grid, detail: &Detail) -> usize {
    let columns = usize::from(grid.columns.max(1));
    let rows = detail.charted().groups().len().div_ceil(columns);
    let last = rows.saturating_sub(usize::from(grid.rows)) * columns;
    wanted.min(last) / columns * columns
}
