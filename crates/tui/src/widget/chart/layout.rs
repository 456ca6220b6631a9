//! Which part of a chart goes where, and what is left out when there is little room.

use ratatui::layout::Rect;

use super::{Chart, legend};
use traintop_analysis::axis::Axis;
use traintop_analysis::ticks::{Tick, ticks};

/// The areas of a chart; an empty one is left out.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Title, and the legend when it fits beside it.
    pub title: Rect,
    /// The legend's own row.
    pub legend: Rect,
    /// How the legend is written; `None` without one.
    pub legend_form: Option<legend::Form>,
    /// Labels of the vertical axis, its line in the last column; as high as the plot.
    pub y_axis: Rect,
    /// The ticks of the vertical axis with the row of each, counted from the plot's top.
    pub y_ticks: Vec<(u16, Tick)>,
    /// The curves.
    pub plot: Rect,
    /// The line of the horizontal axis, below the plot.
    pub x_line: Rect,
    pub x_labels: Rect,
}

const FEWEST_COLUMNS_FOR_TICKS: u16 = 20;
const FEWEST_COLUMNS_FOR_NAME: u16 = 36;
const LONGEST_NAME: u16 = 11;
const FEWEST_ROWS_FOR_TICKS: u16 = 5;
const FEWEST_ROWS_FOR_AXIS_LINE: u16 = 8;
const FEWEST_ROWS_FOR_LEGEND_ROW: u16 = 9;

impl Layout {
    pub(super) fn new(chart: &Chart, area: Rect, y_axis: Option<Axis>) -> Self {
        let none = Rect {
            width: 0,
            height: 0,
            ..area
        };
        let rows = |from: u16, count: u16| Rect {
            y: area.y + from,
            height: count,
            ..area
        };
        let own_row = area.height >= FEWEST_ROWS_FOR_LEGEND_ROW;
        let (legend_form, beside) = legend::Form::fitting(chart, area.width, own_row);
        let legend_rows = u16::from(legend_form.is_some() && !beside);
        let top = 1 + legend_rows;
        let ticked = area.height >= FEWEST_ROWS_FOR_TICKS
            && area.width >= FEWEST_COLUMNS_FOR_TICKS
            && y_axis.is_some();
        let lined = ticked && area.height >= FEWEST_ROWS_FOR_AXIS_LINE;
        let below = u16::from(ticked) + u16::from(lined);
        let plot_rows = area.height.saturating_sub(top + below);
        let y_ticks = match y_axis {
            Some(axis) if ticked => placed_rows(axis, chart, plot_rows),
            _ => Vec::new(),
        };
        let widest = y_ticks
            .iter()
            .map(|(_, tick)| tick.label.len())
            .max()
            .unwrap_or(0) as u16;
        // The name of the horizontal axis stands below the labels of the vertical one.
        let name = chart.x_name.chars().count() as u16;
        let widest = if area.width >= FEWEST_COLUMNS_FOR_NAME && name <= LONGEST_NAME {
            widest.max(name)
        } else {
            widest
        };
        let gutter = if ticked {
            (widest + 1).min(area.width / 2)
        } else {
            0
        };
        // One column right of the curves for the marks at their ends.
        let margin = u16::from(ticked);
        let plot = Rect {
            x: area.x + gutter,
            y: area.y + top.min(area.height),
            width: area.width - gutter - margin,
            height: plot_rows,
        };
        Self {
            title: rows(0, 1),
            legend: if legend_rows == 1 { rows(1, 1) } else { none },
            legend_form,
            y_axis: Rect {
                x: area.x,
                width: gutter,
                ..plot
            },
            y_ticks,
            plot,
            x_line: if lined {
                Rect {
                    y: plot.bottom(),
                    height: 1,
                    ..plot
                }
            } else {
                none
            },
            x_labels: if ticked {
                Rect {
                    y: plot.bottom() + u16::from(lined),
                    height: 1,
                    ..plot
                }
            } else {
                none
            },
        }
    }
}

/// Round values down the vertical axis, about every second or third row, one a row at most.
fn placed_rows(axis: Axis, chart: &Chart, plot_rows: u16) -> Vec<(u16, Tick)> {
    let at_most = if plot_rows < 15 {
        (plot_rows * 2).div_ceil(3).max(2)
    } else {
        plot_rows / 3 + 5
    };
    let down = chart.options.markers.down();
    let dots = usize::from(plot_rows) * down;
    let mut placed: Vec<(u16, Tick)> = ticks(axis, chart.y_scale, usize::from(at_most))
        .into_iter()
        .filter_map(|tick| {
            let up = axis.place(tick.value, dots)?;
            Some((plot_rows - 1 - (up / down) as u16, tick))
        })
        .collect();
    placed.dedup_by_key(|(row, _)| *row);
    placed
}
