//! The Run screen: one run with its curves, rows, configuration, log and checkpoints.

pub mod charts;
pub mod curves;
pub mod detail;
pub mod epochs;
pub mod header;
pub mod layout;
pub mod lines;
pub mod log;
pub mod mouse;
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
use self::zoom::Zoom;
use crate::command::{Action, Scope};
use crate::component::{Component, Request, Response};
use crate::context::Context;
use crate::effect::Effect;
use crate::theme::{Role, Theme};
use crate::view::machine::{self, History};
use crate::view::parts::screen_area;
use crate::view::picker::Picker;
use crate::widget::chart::Options;
use traintop_analysis::nearest::nearest;
use traintop_analysis::range::Range;
use traintop_launch::machine::Usage;
use traintop_run::layout::RunDir;
use traintop_run::metric_names::{self, Direction, Split};
use traintop_run::primary;
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

/// How much of what is measured on a part of the data tells how good a run is; less is more.
fn worth(split: Option<Split>) -> u8 {
    match split {
        Some(Split::Validation) => 0,
        None => 1,
        Some(Split::Test) => 2,
        Some(Split::Train) => 3,
    }
}

fn movement(action: Action) -> Option<Move> {
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

    /// Whether one chart takes the whole screen.
    pub fn is_full(&self) -> bool {
        self.full && self.pane == Pane::Charts
    }

    /// Changes what part of the axis is shown, around a place on it.
    fn zoom_at(
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
    fn keep_cursor_in_zoom(
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

    /// Where charts are drawn: in their part, or on the whole screen.
    fn chart_area(&self, areas: &Areas, area: Rect) -> Rect {
        if self.is_full() {
            area
        } else {
            areas.pane(Pane::Charts)
        }
    }

    /// Lets one pick the metric by which the runs of this tree are judged; the cursor is on that of
    /// the first chart on the screen.
    fn judge(&self, context: &Context) -> Response {
        let Some(detail) = context.detail(&self.dir) else {
            return Response::handled();
        };
        let curves = detail.charted();
        let groups = curves.groups();
        let columns = groups.iter().flat_map(|group| {
            let mut members: Vec<_> = group.members.iter().collect();
            members.sort_by_key(|member| worth(member.split));
            members.into_iter().map(|member| member.column)
        });
        let columns: Vec<usize> = columns.collect();
        let cursor = groups
            .iter()
            .take(self.first_chart)
            .map(|group| group.members.len())
            .sum();
        let metrics = curves.metrics();
        let chosen = metrics.judging.primaries().next();
        let things = columns.into_iter().map(|column| {
            let metric = metrics.columns[column].name.clone();
            let read = metric_names::read(&metric);
            let (direction, is_guess) = primary::direction(&metrics.judging, &metric, &read);
            let mut detail = match direction {
                Direction::Higher => "higher is better",
                Direction::Lower => "lower is better",
            }
            .to_owned();
            if is_guess {
                detail.push_str(", a guess");
            }
            if chosen == Some(metric.as_str()) {
                detail.push_str("; the one now");
            }
            let run = self.dir.clone();
            let effect = Effect::JudgeBy {
                run,
                metric: metric.clone(),
            };
            (metric, detail, effect)
        });
        let picker = Picker::things_at("Judge this tree's runs by", things.collect(), cursor);
        Response::asking(Request::Open(Box::new(picker)))
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

    /// A tenth of the rows that are shown.
    fn far(&self, detail: &Detail) -> isize {
        let places = detail.places();
        let shown = self.zoom.filter(|_| self.pane == Pane::Charts);
        let rows = shown.map_or(places.len(), |zoom| {
            places.partition_point(|x| *x <= zoom.max())
                - places.partition_point(|x| *x < zoom.min())
        });
        (rows / 10).max(1).cast_signed()
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
