//! Curves over a shared horizontal axis. Ratatui's own chart draws point by point, has no round
//! ticks, hides NaN and tells series apart by colour alone; this one decimates per column of dots,
//! and reads values out at a cursor.

mod axes;
mod canvas;
mod layout;
mod legend;
mod markers;
mod options;
mod plot;
#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use traintop_analysis::axis::Axis;
use traintop_analysis::decimate::{Blocks, Extent, shown};
use traintop_analysis::nearest::nearest;
use traintop_analysis::outlier_range::OutlierRange;
use traintop_analysis::range::Range;
use traintop_analysis::scale::Scale;

pub use markers::{Markers, Pattern};
pub use options::Options;

/// One curve. `x` ascends (equal neighbours are allowed) and is as long as `y`; `blocks` were made
/// from `y`.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// Stands at the curve's end, at the cursor and before the name in the legend, so that curves
    /// differ without colour.
    pub mark: Option<char>,
    /// For the legend; empty where the chart's title says it.
    pub name: &'a str,
    /// Of the curve, its mark and its values.
    pub style: Style,
    /// How it is drawn where it is not steep.
    pub pattern: Pattern,
    /// Where each value belongs along the axis.
    pub x: &'a [f64],
    /// The values; NaN and infinities break the line and are marked.
    pub y: &'a [f64],
    /// The summary of `y` that makes drawing independent of its length.
    pub blocks: &'a Blocks,
    /// What was measured, where `y` is smoothed: drawn behind it, and what is read out.
    pub behind: Option<Behind<'a>>,
    /// Its range without outliers, where they are left out.
    pub robust: Option<OutlierRange>,
}

/// The measured values of a smoothed curve.
#[derive(Clone, Copy, Debug)]
pub struct Behind<'a> {
    /// As long as the curve.
    pub y: &'a [f64],
    /// Made from `y`.
    pub blocks: &'a Blocks,
    /// Fainter than the curve's.
    pub style: Style,
}

impl Series<'_> {
    /// The values as they were measured, with their blocks.
    fn raw(&self) -> (&[f64], &Blocks) {
        match &self.behind {
            Some(behind) => (behind.y, behind.blocks),
            None => (self.y, self.blocks),
        }
    }

    /// The value at an index as it was measured.
    fn measured(&self, index: usize) -> f64 {
        self.raw().0.get(index).copied().unwrap_or(f64::NAN)
    }

    fn whole(&self) -> Extent {
        let (y, blocks) = self.raw();
        blocks.whole(y)
    }

    /// Of the values on a part of the horizontal axis.
    fn on(&self, axis: Axis) -> Extent {
        let (start, end) = shown(self.x, axis);
        let (y, blocks) = self.raw();
        blocks.extent(y, start, end)
    }

    /// The smallest measured value above zero.
    fn smallest_positive(&self) -> Option<f64> {
        let span = self.whole().finite?;
        if span.min > 0.0 || span.max <= 0.0 {
            return Some(span.min).filter(|min| *min > 0.0);
        }
        let positive = self.raw().0.iter().copied().filter(|y| *y > 0.0);
        positive.reduce(f64::min)
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

/// A chart, drawn in whatever area it is given: title and legend in the first row, the plot with
/// its axes below. In little room the legend shortens and goes first, then the ticks.
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
    /// Whether that is a part that was looked closer at: then the vertical axis fits the values in
    /// it.
    pub zoomed: bool,
    /// How it is drawn.
    pub options: Options,
    /// Where values are read out, and a line is drawn.
    pub cursor: Option<f64>,
    /// Places where a resumed run was joined; each gets a dotted line.
    pub seams: &'a [f64],
    /// Styles of the frame.
    pub styles: Styles,
}

impl Chart<'_> {
    /// What the horizontal axis shows; `None` where there is nothing.
    pub fn x_axis(&self) -> Option<Axis> {
        let range = self.x_range.or_else(|| {
            let ends = self
                .series
                .iter()
                .flat_map(|series| series.x.first().into_iter().chain(series.x.last()));
            Range::of(ends.copied())
        })?;
        if !self.options.log_x || range.min() > 0.0 {
            return Some(Axis::new(range, self.options.log_x));
        }
        // What stands at zero or before it has no place among factors.
        let firsts = self.series.iter().filter_map(|series| {
            let after = series.x.partition_point(|x| *x <= 0.0);
            series.x.get(after)
        });
        let first = firsts.copied().reduce(f64::min);
        let above = first.and_then(|first| Range::new(first.min(range.max()), range.max()));
        Some(Axis::new(above.unwrap_or(range), true))
    }

    /// Over all points, not only the shown ones, so that the curve does not jump while the shown
    /// part moves on with new rows.
    fn y_axis(&self, x_axis: Option<Axis>) -> Option<Axis> {
        let span = |series: &Series| match x_axis.filter(|_| self.zoomed) {
            Some(axis) => series.on(axis).finite,
            None => series.whole().finite,
        };
        let spans = self.series.iter().filter_map(span);
        let mut range = Range::of(spans.flat_map(|span| [span.min, span.max]))?;
        if self.options.robust {
            let kept = self.series.iter().filter_map(|series| series.robust);
            let kept = kept.map(|robust| robust.range).reduce(Range::union);
            range = kept.and_then(|kept| range.common(kept)).unwrap_or(range);
        }
        if self.options.log_y && range.min() <= 0.0 {
            let positive = self.series.iter().filter_map(Series::smallest_positive);
            let least = positive
                .reduce(f64::min)
                .filter(|least| *least <= range.max());
            range = least
                .and_then(|least| Range::new(least, range.max()))
                .unwrap_or(range);
        }
        Some(Axis::new(range, self.options.log_y).rounded_out(self.y_scale))
    }

    /// The x that the plot shows in a column of the screen, if the chart is drawn in `area` and has
    /// one there.
    pub fn x_at(&self, area: Rect, column: u16) -> Option<f64> {
        let x_axis = self.x_axis()?;
        let plot = layout::Layout::new(self, area, self.y_axis(Some(x_axis))).plot;
        let dots = usize::from(plot.width) * markers::ACROSS;
        let inside = (plot.x..plot.right()).contains(&column);
        inside.then(|| {
            // The middle of the cell.
            let left = usize::from(column - plot.x) * markers::ACROSS;
            f64::midpoint(
                x_axis.of_place(left, dots),
                x_axis.of_place(left + markers::ACROSS - 1, dots),
            )
        })
    }
}

impl Widget for &Chart<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let x_axis = self.x_axis();
        let y_axis = self.y_axis(x_axis);
        let layout = layout::Layout::new(self, area, y_axis);
        legend::draw(self, &layout, buf);
        let (Some(x_axis), Some(y_axis)) = (x_axis, y_axis) else {
            plot::draw_empty(self, layout.plot, buf);
            return;
        };
        axes::draw(self, &layout, x_axis, buf);
        plot::draw(self, (layout.plot, area.right()), (x_axis, y_axis), buf);
    }
}
