//! The curves themselves, with the cursor, the seams and the marks of values that are not finite.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::braille::Canvas;
use super::{Chart, Series};
use crate::analysis::decimate::{Extent, columns};
use crate::analysis::range::Range;

/// A dashed curve keeps what rises or falls by more dots than this in one step.
const STEEP: usize = 4;

/// Everything inside the axes, and the curves' marks in the margin up to the column `right`. `ranges` are those of x and y.
pub(super) fn draw(
    chart: &Chart,
    (area, right): (Rect, u16),
    ranges: (Range, Range),
    buf: &mut Buffer,
) {
    if area.is_empty() {
        return;
    }
    let (x_range, y_range) = ranges;
    let cells = usize::from(area.width);
    let cell_of = |x: f64| {
        x_range
            .place(x, cells * 2)
            .map(|dot| area.x + (dot / 2) as u16)
    };
    for x in chart.seams.iter().filter_map(|&seam| cell_of(seam)) {
        column(area, x, '┊', chart.styles.axis, buf);
    }
    if let Some(x) = chart.cursor.and_then(cell_of) {
        column(area, x, '│', chart.styles.cursor, buf);
    }
    let mut canvas = Canvas::new(area.width, area.height);
    let decimated: Vec<Vec<Extent>> = chart
        .series
        .iter()
        .map(|series| {
            columns(
                series.x,
                series.y,
                series.blocks,
                x_range,
                canvas.dot_width(),
            )
        })
        .collect();
    for (layer, (series, extents)) in chart.series.iter().zip(&decimated).enumerate() {
        curve(&mut canvas, extents, y_range, layer as u8, series.dashed);
    }
    let styles: Vec<Style> = chart.series.iter().map(|series| series.style).collect();
    canvas.draw(area, buf, &styles);
    for extents in &decimated {
        not_finite(chart, extents, area, buf);
    }
    let row_of = |y: f64| row(y_range, y, area);
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
    buf.set_stringn(
        area.x + (area.width - length) / 2,
        area.y + (area.height - 1) / 2,
        &text,
        usize::from(length),
        style,
    );
}

fn column(area: Rect, x: u16, symbol: char, style: Style, buf: &mut Buffer) {
    for y in area.y..area.bottom() {
        buf[(x, y)].set_char(symbol).set_style(style);
    }
}

/// The row of cells in which a value lies; values outside the range at its edge.
fn row(y_range: Range, y: f64, area: Rect) -> u16 {
    area.y + (dot_row(y_range, y, usize::from(area.height) * 4) / 4) as u16
}

fn dot_row(y_range: Range, y: f64, dots: usize) -> usize {
    let up = y_range
        .place(y.clamp(y_range.min(), y_range.max()), dots)
        .unwrap_or(0);
    dots.saturating_sub(1 + up)
}

fn curve(canvas: &mut Canvas, extents: &[Extent], y_range: Range, layer: u8, dashed: bool) {
    let dots = canvas.dot_height();
    let height = |y: f64| dot_row(y_range, y, dots);
    let on = |x: usize| !dashed || (x / 2).is_multiple_of(2);
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
    for (dot, extent) in extents.iter().enumerate() {
        let x = area.x + (dot / 2) as u16;
        let mut mark = |y: u16, symbol: char| {
            buf[(x, y)].set_char(symbol).set_style(chart.styles.bad);
        };
        if extent.above > 0 {
            mark(area.y, '▲');
        }
        if extent.below > 0 {
            mark(area.bottom() - 1, '▼');
        }
        if extent.nan > 0 {
            mark(area.bottom() - 1, '×');
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
        buf[(x, row_of(y))]
            .set_char(series.mark.unwrap_or('●'))
            .set_style(style);
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
