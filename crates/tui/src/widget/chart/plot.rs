//! The curves themselves, with the cursor, the seams and the marks of values that are not finite.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::canvas::Canvas;
use super::markers::{ACROSS, Pattern};
use super::{Chart, Series};
use crate::widget::clipped::Clipped as _;
use traintop_analysis::axis::Axis;
use traintop_analysis::decimate::{Blocks, Extent, columns, positive_columns};

/// A dashed curve keeps what rises or falls by more dots than this in one step.
const STEEP: usize = 4;

/// Everything inside the axes, and the curves' marks in the margin up to the column `right`. `axes`
/// are those of x and y.
pub(super) fn draw(
    chart: &Chart,
    (area, right): (Rect, u16),
    axes: (Axis, Axis),
    buf: &mut Buffer,
) {
    if area.is_empty() {
        return;
    }
    let (x_axis, y_axis) = axes;
    let frame = chart.options.markers.frame();
    let dots = usize::from(area.width) * ACROSS;
    let cell_of = |x: f64| {
        x_axis
            .place(x, dots)
            .map(|dot| area.x + (dot / ACROSS) as u16)
    };
    for x in chart.seams.iter().filter_map(|&seam| cell_of(seam)) {
        column(area, x, frame.seam, chart.styles.axis, buf);
    }
    if let Some(x) = chart.cursor.and_then(cell_of) {
        column(area, x, frame.cursor, chart.styles.cursor, buf);
    }
    let decimated = |x: &[f64], y: &[f64], blocks: &Blocks| {
        let least = blocks.whole(y).finite.map(|span| span.min);
        if y_axis.is_log() && least.is_some_and(|least| least <= 0.0) {
            positive_columns(x, y, x_axis, dots)
        } else {
            columns(x, y, blocks, x_axis, dots)
        }
    };
    // What was measured lies on a sheet of its own behind what is smoothed: dots of both in one
    // cell would hide the curve.
    let mut behind = Canvas::new(chart.options.markers, area.width, area.height);
    let mut canvas = behind.clone();
    let mut marked: Vec<Vec<Extent>> = Vec::new();
    let mut styles: [Vec<Style>; 2] = Default::default();
    for (layer, series) in chart.series.iter().enumerate() {
        let extents = decimated(series.x, series.y, series.blocks);
        curve(&mut canvas, &extents, y_axis, layer as u8, series.pattern);
        styles[0].push(series.style);
        match series.behind {
            Some(raw) => {
                let extents = decimated(series.x, raw.y, raw.blocks);
                curve(&mut behind, &extents, y_axis, layer as u8, Pattern::Solid);
                styles[1].push(raw.style);
                marked.push(extents);
            }
            None => {
                styles[1].push(series.style);
                marked.push(extents);
            }
        }
    }
    behind.draw(area, buf, &styles[1]);
    canvas.draw(area, buf, &styles[0]);
    for extents in &marked {
        not_finite(chart, extents, area, buf);
    }
    let row_of = |y: f64| row(chart, y_axis, y, area);
    for series in chart.series {
        read_out(chart, series, area, (&cell_of, &row_of), buf);
    }
    end_marks(chart, (area, right), (&cell_of, &row_of), buf);
}

/// What stands in place of curves: nothing yet, or nothing that could be drawn.
pub(super) fn draw_empty(chart: &Chart, area: Rect, buf: &mut Buffer) {
    let count: usize = chart.series.iter().map(|series| series.y.len()).sum();
    let (text, style) = match count {
        0 => ("no values yet".to_owned(), chart.styles.label),
        1 => ("its one value is not finite".to_owned(), chart.styles.bad),
        count => (
            format!("none of {count} values is finite"),
            chart.styles.bad,
        ),
    };
    if area.is_empty() {
        return;
    }
    let length = (text.len() as u16).min(area.width);
    buf.put_n(
        area.x + (area.width - length) / 2,
        area.y + (area.height - 1) / 2,
        &text,
        usize::from(length),
        style,
    );
}

fn column(area: Rect, x: u16, symbol: char, style: Style, buf: &mut Buffer) {
    for y in area.y..area.bottom() {
        buf.put_char(x, y, symbol, style);
    }
}

/// The row of cells in which a value lies; values outside the range at its edge.
fn row(chart: &Chart, y_axis: Axis, y: f64, area: Rect) -> u16 {
    let down = chart.options.markers.down();
    area.y + (dot_row(y_axis, y, usize::from(area.height) * down) / down) as u16
}

fn dot_row(y_axis: Axis, y: f64, dots: usize) -> usize {
    let range = y_axis.range();
    let up = y_axis
        .place(y.clamp(range.min(), range.max()), dots)
        .unwrap_or(0);
    dots.saturating_sub(1 + up)
}

fn curve(canvas: &mut Canvas, extents: &[Extent], y_axis: Axis, layer: u8, pattern: Pattern) {
    let dots = canvas.dot_height();
    let height = |y: f64| dot_row(y_axis, y, dots);
    let on = |x: usize| pattern.is_on(x);
    let mut before: Option<(usize, usize)> = None;
    for (x, extent) in extents.iter().enumerate() {
        let Some(span) = extent.finite else {
            if extent.gap_before {
                before = None;
            }
            continue;
        };
        let (top, bottom) = (height(span.max), height(span.min));
        let reached = before.filter(|_| !extent.gap_before);
        if let Some(from) = reached {
            let steep = from.1.abs_diff(height(span.first)) > STEEP;
            canvas.line(from, (x, height(span.first)), layer, |x| steep || on(x));
        }
        if top != bottom && (bottom - top > STEEP || on(x)) {
            canvas.vertical(x, top, bottom, layer);
        }
        before = (!extent.gap_after).then_some((x, height(span.last)));
        let left = extents[x + 1..]
            .iter()
            .find(|next| **next != Extent::EMPTY)
            .is_some_and(|next| !next.gap_before);
        if reached.is_none() && (before.is_none() || !left) {
            lone_point(canvas, x, top, layer);
        }
    }
}

/// A single dot is easily overlooked: a point that no line reaches is four dots.
fn lone_point(canvas: &mut Canvas, x: usize, y: usize, layer: u8) {
    let (x, y) = (x & !1, y & !1);
    for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        canvas.dot(x + dx, y + dy, layer);
    }
}

/// `▲` at the top for infinity, `▼` at the bottom for negative infinity, `×` at the bottom for NaN.
fn not_finite(chart: &Chart, extents: &[Extent], area: Rect, buf: &mut Buffer) {
    let frame = chart.options.markers.frame();
    for (dot, extent) in extents.iter().enumerate() {
        let x = area.x + (dot / ACROSS) as u16;
        let mut mark = |y: u16, symbol: char| {
            buf.put_char(x, y, symbol, chart.styles.bad);
        };
        if extent.above > 0 {
            mark(area.y, frame.above);
        }
        if extent.below > 0 {
            mark(area.bottom() - 1, frame.below);
        }
        if extent.nan > 0 {
            mark(area.bottom() - 1, frame.not_a_number);
        }
    }
}

type Places<'a> = (&'a dyn Fn(f64) -> Option<u16>, &'a dyn Fn(f64) -> u16);

/// The curve's mark where the cursor reads it, if that point lies under the cursor's line.
fn read_out(
    chart: &Chart,
    series: &Series,
    area: Rect,
    (cell_of, row_of): Places,
    buf: &mut Buffer,
) {
    let Some(index) = chart.cursor.and_then(|at| series.read_out(Some(at))) else {
        return;
    };
    let (x, y) = (series.x[index], series.y[index]);
    if let Some(x) = cell_of(x)
        && y.is_finite()
        && chart.cursor.and_then(cell_of) == Some(x)
        && area.contains((x, row_of(y)).into())
    {
        let style = series.style.add_modifier(Modifier::BOLD);
        buf.put_char(
            x,
            row_of(y),
            series.mark.unwrap_or(chart.options.markers.frame().point),
            style,
        );
    }
}

/// Each curve's mark right of its last finite point, moved up or down where two would meet.
fn end_marks(
    chart: &Chart,
    (area, right): (Rect, u16),
    (cell_of, row_of): Places,
    buf: &mut Buffer,
) {
    let mut taken: Vec<(u16, u16)> = Vec::new();
    for series in chart.series {
        let Some(mark) = series.mark else {
            continue;
        };
        let shown = series.x.len().min(series.y.len());
        let last = (0..shown)
            .rev()
            .take(1000)
            .find(|&index| series.y[index].is_finite() && cell_of(series.x[index]).is_some());
        let Some((x, y)) =
            last.and_then(|index| Some((cell_of(series.x[index])? + 1, row_of(series.y[index]))))
        else {
            continue;
        };
        let free = [0, -1, 1, -2, 2]
            .into_iter()
            .filter_map(|offset| y.checked_add_signed(offset))
            .filter(|y| (area.y..area.bottom()).contains(y))
            .find(|&y| !taken.contains(&(x, y)));
        if let Some(y) = free
            && x < right
            && let Some(cell) = buf.cell_mut((x, y))
        {
            cell.set_char(mark)
                .set_style(series.style.add_modifier(Modifier::BOLD));
            taken.push((x, y));
        }
    }
}
