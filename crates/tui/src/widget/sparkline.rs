//! A series in a few cells of one row: the trend column of a table.

use crate::widget::clipped::Clipped as _;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

/// Heights, the lowest first.
pub const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const NOT_FINITE: char = '×';

/// A line of eight heights over as many cells as its area is wide; `×` where a value is NaN or
/// infinite.
#[derive(Clone, Copy, Debug)]
pub struct Sparkline<'a> {
    /// The values, oldest first.
    pub values: &'a [f32],
    /// Of the heights.
    pub style: Style,
    /// Of the `×`.
    pub bad_style: Style,
}

impl Widget for Sparkline<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        for (x, height) in (area.x..).zip(heights(self.values, usize::from(area.width))) {
            let style = if height == NOT_FINITE {
                self.bad_style
            } else {
                self.style
            };
            buf.put_char(x, area.y, height, style);
        }
    }
}

/// One character a cell, at most `width` and at most one a value. Where several values share a cell
/// it shows the one farthest from the cell before, so that a lone spike shows and a steady rise
/// ends at its top; a cell with a value that is not finite shows that. The lowest value is the
/// lowest height, the highest the highest; a constant lies in the middle.
pub fn heights(values: &[f32], width: usize) -> Vec<char> {
    let cells = width.min(values.len());
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let min = finite().fold(f32::INFINITY, f32::min);
    let max = finite().fold(f32::NEG_INFINITY, f32::max);
    let mut before = values
        .first()
        .copied()
        .filter(|value| value.is_finite())
        .unwrap_or(min);
    (0..cells)
        .map(|cell| {
            let here = &values[cell * values.len() / cells..(cell + 1) * values.len() / cells];
            if here.iter().any(|value| !value.is_finite()) {
                return NOT_FINITE;
            }
            let distance = |value: &f32| (value - before).abs();
            // The last of equals: a plateau is left where the series leaves it.
            before = here
                .iter()
                .copied()
                .max_by(|a, b| distance(a).total_cmp(&distance(b)))
                .unwrap_or(before);
            level(before, min, max)
        })
        .collect()
}

fn level(value: f32, min: f32, max: f32) -> char {
    let (value, min, max) = (f64::from(value), f64::from(min), f64::from(max));
    if max <= min {
        return LEVELS[3];
    }
    let level = ((value - min) / (max - min) * 8.0) as usize;
    LEVELS[level.min(7)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(values: &[f32], width: usize) -> String {
        heights(values, width).into_iter().collect()
    }

    #[test]
    fn heights_follow_the_values() {
        assert_eq!(
            text(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 8),
            "▁▂▃▄▅▆▇█"
        );
        assert_eq!(text(&[1.0, 1.0, 1.0], 8), "▄▄▄");
        assert_eq!(text(&[], 8), "");
        assert_eq!(text(&[5.0], 8), "▄");
        assert_eq!(text(&[1.0, 2.0], 0), "");
    }

    #[test]
    fn a_lone_spike_shows_in_few_cells() {
        let mut values = [0.0; 64];
        values[37] = 1.0;
        assert_eq!(text(&values, 8), "▁▁▁▁█▁▁▁");
        let rise: Vec<f32> = (0..64).map(|value| value as f32).collect();
        assert!(text(&rise, 8).ends_with('█'));
    }

    #[test]
    fn a_value_that_is_not_finite_is_shown() {
        assert_eq!(text(&[0.0, f32::NAN, 1.0, f32::INFINITY], 4), "▁×█×");
        assert_eq!(text(&[f32::NAN, f32::NAN], 4), "××");
    }

    #[test]
    fn it_draws_within_its_area() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 1));
        Sparkline {
            values: &[0.0, 1.0],
            style: Style::new(),
            bad_style: Style::new(),
        }
        .render(Rect::new(2, 0, 9, 3), &mut buf);
        assert_eq!(buf, Buffer::with_lines(["  ▁█"]));
    }

    proptest! {
        #[test]
        fn never_wider_than_asked(values in proptest::collection::vec(any::<f32>(), 0..100), width in 0usize..80) {
            prop_assert!(heights(&values, width).len() <= width);
        }
    }
}
