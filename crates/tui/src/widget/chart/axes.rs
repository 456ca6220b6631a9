//! The lines and labels around the plot.

use ratatui::buffer::Buffer;

use super::Chart;
use super::layout::Layout;
use crate::widget::clipped::Clipped as _;
use traintop_analysis::axis::Axis;
use traintop_analysis::ticks::placed_ticks;

/// Both axes, as far as the layout has room for them.
pub(super) fn draw(chart: &Chart, layout: &Layout, x_axis: Axis, buf: &mut Buffer) {
    vertical(chart, layout, buf);
    horizontal(chart, layout, x_axis, buf);
}

fn vertical(chart: &Chart, layout: &Layout, buf: &mut Buffer) {
    let area = layout.y_axis;
    let Some(line) = area.right().checked_sub(1).filter(|_| area.width > 0) else {
        return;
    };
    let frame = chart.options.markers.frame();
    for row in area.y..area.bottom() {
        buf.put_char(line, row, frame.vertical, chart.styles.axis);
    }
    for (row, tick) in &layout.y_ticks {
        let y = area.y + row;
        let room = usize::from(area.width - 1);
        let label = format!("{:>room$}", tick.label);
        buf.put_n(area.x, y, &label, room, chart.styles.label);
        buf.put_char(line, y, frame.vertical_tick, chart.styles.axis);
    }
}

fn horizontal(chart: &Chart, layout: &Layout, x_axis: Axis, buf: &mut Buffer) {
    let (line, labels) = (layout.x_line, layout.x_labels);
    if labels.is_empty() {
        return;
    }
    let frame = chart.options.markers.frame();
    let ticks = placed_ticks(x_axis, chart.x_scale, usize::from(labels.width));
    if !line.is_empty() {
        for x in line.x..line.right() {
            buf.put_char(x, line.y, frame.horizontal, chart.styles.axis);
        }
        if let Some(corner) = line.x.checked_sub(1) {
            buf.put_char(corner, line.y, frame.corner, chart.styles.axis);
        }
    }
    for placed in &ticks {
        buf.put(
            labels.x + placed.label_start as u16,
            labels.y,
            &placed.tick.label,
            chart.styles.label,
        );
        if !line.is_empty() {
            buf.put_char(
                line.x + placed.cell as u16,
                line.y,
                frame.horizontal_tick,
                chart.styles.axis,
            );
        }
    }
    let gutter = layout.y_axis.width;
    // Where it has no room it is left out: it also stands beside the cursor's value.
    if usize::from(gutter) > chart.x_name.chars().count() {
        buf.put(layout.y_axis.x, labels.y, chart.x_name, chart.styles.label);
    }
}
