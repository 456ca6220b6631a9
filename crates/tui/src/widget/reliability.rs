//! A reliability diagram: how often predictions are right against how sure they were. Bars below
//! the diagonal are of a network that is too sure of itself.

use crate::widget::clipped::Clipped as _;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Widget;

/// Room for `100 `.
const AXIS: u16 = 4;
/// Eighths of a cell, from the bottom.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One bin of confidence; all bins are of one width and together reach from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Predictions in it.
    pub count: u64,
    /// The part of them that is right; of no meaning without any.
    pub accuracy: f64,
}

/// The diagram: accuracy upwards, confidence to the right, the diagonal of a network that is as
/// often right as it thinks, and below each bin the part of all predictions that lie in it.
#[derive(Clone, Copy, Debug)]
pub struct Reliability<'a> {
    /// From the least confident on.
    pub bins: &'a [Bin],
    pub bar: Style,
    /// Of the diagonal where no bar is.
    pub diagonal: Style,
    /// Of axes and their numbers.
    pub label: Style,
}

impl Reliability<'_> {
    fn draw_bar(&self, bin: Bin, place: Rect, buf: &mut Buffer) {
        if bin.count == 0 || !bin.accuracy.is_finite() {
            return;
        }
        let eighths = (bin.accuracy.clamp(0.0, 1.0) * f64::from(place.height) * 8.0).round() as u16;
        for row in 0..place.height {
            let filled = eighths.saturating_sub(row * 8).min(8);
            // A bin that is never right is not an empty bin.
            let filled = if row == 0 { filled.max(1) } else { filled };
            for x in place.x..place.right() {
                if filled > 0 {
                    buf.put_char(
                        x,
                        place.bottom() - 1 - row,
                        EIGHTHS[usize::from(filled)],
                        self.bar,
                    );
                }
            }
        }
    }

    fn draw_diagonal(&self, plot: Rect, buf: &mut Buffer) {
        for step in 0..plot.width {
            let confidence = (f64::from(step) + 0.5) / f64::from(plot.width);
            let up = ((confidence * f64::from(plot.height)) as u16).min(plot.height - 1);
            let Some(cell) = buf.cell_mut((plot.x + step, plot.bottom() - 1 - up)) else {
                continue;
            };
            if cell.symbol() == " " {
                cell.set_char('·').set_style(self.diagonal);
            } else {
                // Inside a bar it is cut out of it.
                cell.set_char('·')
                    .set_style(self.bar.add_modifier(Modifier::REVERSED));
            }
        }
    }

    fn draw_axes(&self, plot: Rect, buf: &mut Buffer) {
        for (part, label) in [(1.0, "100"), (0.5, " 50"), (0.0, "  0")] {
            let up = (part * f64::from(plot.height - 1)).round() as u16;
            buf.put(plot.x - AXIS, plot.bottom() - 1 - up, label, self.label);
        }
        let total: u64 = self.bins.iter().map(|bin| bin.count).sum();
        let width = plot.width / self.bins.len().max(1) as u16;
        let below = plot.bottom();
        buf.put(plot.x - AXIS, below, "n %", self.label);
        for (bin, x) in self
            .bins
            .iter()
            .zip((plot.x..).step_by(usize::from(width.max(1))))
        {
            let percent = 100.0 * bin.count as f64 / total.max(1) as f64;
            let text = match bin.count {
                0 => "-".to_owned(),
                _ if percent < 0.5 => "<1".to_owned(),
                _ => format!("{percent:.0}"),
            };
            // A number without a blank beside it would run into the next.
            if text.len() < usize::from(width) {
                let blank = (width - text.len() as u16) / 2;
                buf.put(x + blank, below, text, self.label);
            }
        }
        buf.put(plot.x, below + 1, "0", self.label);
        let end = "100 % sure";
        if plot.width > end.len() as u16 + 1 {
            buf.put(plot.right() - end.len() as u16, below + 1, end, self.label);
        }
    }
}

impl Widget for &Reliability<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let bins = self.bins.len() as u16;
        // Two rows of axes, and a plot that shows more than two steps.
        if bins == 0 || area.height < 5 || area.width < AXIS + bins {
            return;
        }
        let width = (area.width - AXIS) / bins;
        let plot = Rect {
            x: area.x + AXIS,
            y: area.y,
            width: width * bins,
            height: area.height - 2,
        };
        for (bin, x) in self.bins.iter().zip((plot.x..).step_by(usize::from(width))) {
            // A gap between bars where there is room for one.
            let bar_width = if width > 2 { width - 1 } else { width };
            self.draw_bar(
                *bin,
                Rect {
                    x,
                    width: bar_width,
                    ..plot
                },
                buf,
            );
        }
        self.draw_diagonal(plot, buf);
        self.draw_axes(plot, buf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::widget::lines;
    use proptest::prelude::*;

    fn drawn(bins: &[(u64, f64)], width: u16, height: u16) -> Vec<String> {
        let bins: Vec<Bin> = bins
            .iter()
            .map(|(count, accuracy)| Bin {
                count: *count,
                accuracy: *accuracy,
            })
            .collect();
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        let diagram = Reliability {
            bins: &bins,
            bar: Style::new(),
            diagonal: Style::new(),
            label: Style::new(),
        };
        (&diagram).render(area, &mut buf);
        lines(&buf)
    }

    #[test]
    fn bars_diagonal_and_shares_of_all_predictions() {
        let bins = [(10, 0.5), (0, f64::NAN), (1, 0.0), (989, 1.0)];
        assert_eq!(
            drawn(&bins, 24, 6),
            [
                "100                ·····",
                " 50           ·····████",
                "    ████ ·····     ████",
                "  0 ·····     ▁▁▁▁ ████",
                "n %   1    -   <1   99",
                "    0         100 % sure",
            ]
        );
    }

    proptest! {
        #[test]
        fn it_bears_any_bins_in_any_area(
            bins in prop::collection::vec((0u64..9, prop::num::f64::ANY), 0..20), width in 0u16..70, height in 0u16..30
        ) {
            drawn(&bins, width, height);
        }
    }
}
