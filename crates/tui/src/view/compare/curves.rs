//! The curves of all rows over one axis, chart by chart, above the rows themselves.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::{CompareView, colour, mark};
use crate::jobs::compare::analysis::{Charted, Drawn, Thin};
use crate::theme::{Role, Theme};
use crate::widget::chart::{Behind, Chart, Options, Pattern, Series, Styles};

/// A chart is no smaller than this where there are several.
const FEWEST: (u16, u16) = (60, 10);

/// The kinds of lines, one for each eight rows.
const PATTERNS: [Pattern; 4] = [
    Pattern::Solid,
    Pattern::Long,
    Pattern::Dashed,
    Pattern::DashDot,
];

impl CompareView {
    pub(super) fn draw_curves(
        &self,
        (options, theme): (Options, &Theme),
        pane: Rect,
        buf: &mut Buffer,
    ) {
        let Some(analysis) = &self.analysis else {
            return;
        };
        let rows = self.table_height(pane);
        let in_sight = self.rows_in_sight(rows);
        let charts = Rect {
            height: pane.height.saturating_sub(rows),
            ..pane
        };
        for (chart, place) in analysis
            .charts
            .iter()
            .zip(places(charts, analysis.charts.len()))
        {
            self.draw_chart(chart, (&in_sight, options, theme), place, buf);
        }
        let below = Rect {
            y: charts.bottom(),
            height: rows,
            ..pane
        };
        self.draw_table(theme, below, buf);
    }

    /// The x of the chart that is drawn at a place of the screen.
    pub(super) fn x_at(
        &self,
        (options, theme): (Options, &Theme),
        pane: Rect,
        position: Position,
    ) -> Option<f64> {
        let analysis = self.analysis.as_ref()?;
        let rows = self.table_height(pane);
        let in_sight = self.rows_in_sight(rows);
        let charts = Rect {
            height: pane.height.saturating_sub(rows),
            ..pane
        };
        let places = places(charts, analysis.charts.len());
        let (charted, place) = analysis
            .charts
            .iter()
            .zip(places)
            .find(|(_, place)| place.contains(position))?;
        let look = (in_sight.as_slice(), options, theme);
        self.with_chart(charted, look, |chart| chart.x_at(place, position.x))
    }

    fn draw_chart(
        &self,
        charted: &Charted,
        look: (&[usize], Options, &Theme),
        area: Rect,
        buf: &mut Buffer,
    ) {
        self.with_chart(charted, look, |chart| {
            if chart.series.is_empty() {
                let style = look.2.style(Role::Warn);
                Line::styled(chart.title, style).render(area, buf);
            } else {
                chart.render(area, buf);
            }
        });
    }

    fn with_chart<T>(
        &self,
        charted: &Charted,
        (in_sight, options, theme): (&[usize], Options, &Theme),
        then: impl FnOnce(&Chart) -> T,
    ) -> T {
        let mut title = charted.metric.name.clone();
        if charted.placeless > 0 {
            let along = self.wish.along.title();
            let runs = if charted.placeless == 1 {
                "run has"
            } else {
                "runs have"
            };
            title = format!("{title}, {} {runs} no {along}", charted.placeless);
        }
        // The one under the cursor lies on top.
        let mut curves: Vec<&Drawn> = charted.curves.iter().collect();
        if charted.edges.is_some() {
            let all = curves.len();
            curves.retain(|curve| in_sight.contains(&curve.row));
            title = format!(
                "{title}, {} of {all} curves; dotted: least and most of all",
                curves.len()
            );
        }
        curves.sort_by_key(|curve| curve.row == self.row);
        let of_all = charted.edges.iter().flatten();
        let series: Vec<Series> = of_all
            .map(|edge| edge_of(edge, theme.style(Role::Muted)))
            .chain(curves.iter().flat_map(|curve| self.series(curve, theme)))
            .collect();
        let chart = Chart {
            title: &title,
            series: &series,
            x_name: self.wish.along.title(),
            x_scale: self.wish.along.scale(),
            y_scale: charted.metric.scale,
            x_range: self.wish.zoom,
            zoomed: self.wish.zoom.is_some(),
            options: Options {
                // Powers of ten along x are for the steps of one run.
                log_x: false,
                ..options
            },
            cursor: self.cursor,
            seams: &[],
            styles: Styles {
                title: theme.style(Role::Title),
                axis: theme.style(Role::Border),
                label: theme.style(Role::Muted),
                cursor: theme.style(Role::Accent),
                bad: theme.style(Role::Bad),
            },
        };
        then(&chart)
    }

    /// The curve of a row, behind it the edges of its band.
    fn series<'a>(&self, curve: &'a Drawn, theme: &Theme) -> Vec<Series<'a>> {
        let mut style = theme.style(colour(curve.row));
        if curve.row == self.row {
            style = style.add_modifier(Modifier::BOLD);
        }
        // After eight the colours come again, and the lines are of another kind.
        let pattern = PATTERNS[curve.row / 8 % PATTERNS.len()];
        let edges = curve.edges.iter().flatten();
        let line = &curve.line;
        let smooth = line.smooth.as_ref();
        let main = Series {
            mark: Some(mark(curve.row)),
            pattern,
            // What was measured lies behind, and is what is read out.
            behind: smooth.map(|_| Behind {
                y: &line.column.y,
                blocks: &line.blocks,
                style: theme.faint(colour(curve.row)),
            }),
            robust: line.robust,
            ..edge_of(line, style)
        };
        edges
            .map(|edge| edge_of(edge, style))
            .chain([main])
            .collect()
    }
}

/// The edge of a band; smoothed where curves are.
fn edge_of(thin: &Thin, style: Style) -> Series<'_> {
    let (y, blocks) = match &thin.smooth {
        Some((smooth, blocks)) => (smooth.as_slice(), blocks),
        None => (thin.column.y.as_slice(), &thin.blocks),
    };
    Series {
        mark: None,
        name: "",
        style,
        pattern: Pattern::Dotted,
        x: &thin.column.x,
        y,
        blocks,
        behind: None,
        robust: thin.robust,
    }
}

/// Where charts go: the first alone above the others, or all in two columns where there is room.
fn places(area: Rect, count: usize) -> Vec<Rect> {
    let columns = if area.width >= FEWEST.0 * 2 && count > 1 {
        2
    } else {
        1
    };
    let most_rows = (area.height / FEWEST.1).max(1);
    let rows = (count as u16).div_ceil(columns).min(most_rows).max(1);
    let edge =
        |whole: u16, at: u16, of: u16| (u32::from(whole) * u32::from(at) / u32::from(of)) as u16;
    (0..rows)
        .flat_map(|row| (0..columns).map(move |column| (row, column)))
        .map(|(row, column)| {
            let (left, right) = (
                edge(area.width, column, columns),
                edge(area.width, column + 1, columns),
            );
            let (top, bottom) = (
                edge(area.height, row, rows),
                edge(area.height, row + 1, rows),
            );
            Rect {
                x: area.x + left,
                y: area.y + top,
                // A blank column between neighbours.
                width: (right - left).saturating_sub(u16::from(column + 1 < columns)),
                height: bottom - top,
            }
        })
        .collect()
}
