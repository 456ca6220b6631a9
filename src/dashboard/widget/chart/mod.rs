//! Curves over a shared horizontal axis. Ratatui's own chart draws point by point, has no round ticks, hides NaN and tells
//! series apart by colour alone; this one decimates per column of dots, and reads values out at a cursor.

mod axes;
mod braille;
mod layout;
mod legend;
mod plot;
#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use crate::analysis::decimate::{Blocks, Extent};
use crate::analysis::nearest::nearest;
use crate::analysis::range::Range;
use crate::analysis::scale::Scale;

/// One curve. `x` ascends and is as long as `y`; `blocks` were made from `y`.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// Stands at the curve's end, at the cursor and before the name in the legend, so that curves are told apart without colour.
    pub mark: Option<char>,
    /// For the legend; empty where the chart's title says it.
    pub name: &'a str,
    /// Of the curve, its mark and its values.
    pub style: Style,
    /// Drawn with gaps where it is not steep.
    pub dashed: bool,
    /// Where each value belongs along the axis.
    pub x: &'a [f64],
    /// The values; NaN and infinities break the line and are marked.
    pub y: &'a [f64],
    /// The summary of `y` that makes drawing independent of its length.
    pub blocks: &'a Blocks,
}

impl Series<'_> {
    fn whole(&self) -> Extent {
        self.blocks.whole(self.y)
    }

    /// The index of the point that is read out: nearest to the cursor, else the last.
    fn read_out(&self, cursor: Option<f64>) -> Option<usize> {
        let index = match cursor {
            Some(at) => nearest(self.x, at),
            None => self.x.len().checked_sub(1),
        };
        index.filter(|&index| index < self.y.len())
    }
}

/// The styles of what is not a curve.
#[derive(Clone, Copy, Debug, Default)]
pub struct Styles {
    /// The title.
    pub title: Style,
    /// Axis lines and the line of seams.
    pub axis: Style,
    /// Tick labels, axis name, and names in the legend.
    pub label: Style,
    /// The cursor's line.
    pub cursor: Style,
    /// Marks and counts of values that are not finite.
    pub bad: Style,
}

/// A chart, drawn in whatever area it is given: title and legend in the first row, the plot with its axes below. In little room
/// the legend shortens and goes first, then the ticks.
#[derive(Clone, Copy, Debug)]
pub struct Chart<'a> {
    /// What is shown, with its unit where labels do not carry one.
    pub title: &'a str,
    /// The curves; later ones lie on top.
    pub series: &'a [Series<'a>],
    /// What the horizontal axis counts, e.g. `epoch`.
    pub x_name: &'a str,
    /// The kind of its numbers.
    pub x_scale: Scale,
    /// The kind of the values.
    pub y_scale: Scale,
    /// The part of the horizontal axis to show; `None` for all there is.
    pub x_range: Option<Range>,
    /// Where values are read out, and a line is drawn.
    pub cursor: Option<f64>,
    /// Places where a resumed run was joined; each gets a dotted line.
    pub seams: &'a [f64],
    /// Styles of the frame.
    pub styles: Styles,
}

impl Chart<'_> {
    fn shown_x(&self) -> Option<Range> {
        self.x_range.or_else(|| {
            let ends = self
                .series
                .iter()
                .flat_map(|series| series.x.first().into_iter().chain(series.x.last()));
            Range::of(ends.copied())
        })
    }

    /// Over all points, not only the shown ones, so that the curve does not jump while the shown part moves.
    fn shown_y(&self) -> Option<Range> {
        let spans = self
            .series
            .iter()
            .filter_map(|series| series.whole().finite);
        Range::of(spans.flat_map(|span| [span.min, span.max]))
            .map(|range| range.rounded_out(self.y_scale))
    }
}

impl Widget for &Chart<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let y_range = self.shown_y();
        let layout = layout::Layout::new(self, area, y_range);
        legend::draw(self, &layout, buf);
        let (Some(x_range), Some(y_range)) = (self.shown_x(), y_range) else {
            plot::draw_empty(self, layout.plot, buf);
            return;
        };
        axes::draw(self, &layout, x_range, buf);
        plot::draw(self, (layout.plot, area.right()), (x_range, y_range), buf);
    }
}
