//! How much of something is done, in one row.

use crate::widget::clipped::Clipped as _;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

/// A heavy line for what is done, a light one for the rest, in steps of half a cell: the two
/// differ without colour.
#[derive(Clone, Copy, Debug)]
pub struct ProgressBar {
    /// Between 0 and 1; NaN counts as 0.
    pub fraction: f64,
    pub done: Style,
    pub rest: Style,
}

impl ProgressBar {
    /// `done` of `total`, both counted; nothing planned counts as nothing done.
    pub fn fraction(done: u64, total: u64) -> f64 {
        if total == 0 {
            0.0
        } else {
            (done as f64 / total as f64).clamp(0.0, 1.0)
        }
    }
}

impl Widget for ProgressBar {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let half_cells = usize::from(area.width) * 2;
        // Rounded down: full only when all is done. NaN becomes 0.
        let done = ((self.fraction * half_cells as f64) as usize).min(half_cells);
        for cell in 0..area.width {
            let start = usize::from(cell) * 2;
            let (symbol, style) = match done.saturating_sub(start) {
                0 => ('─', self.rest),
                1 => ('╸', self.done),
                _ => ('━', self.done),
            };
            buf.put_char(area.x + cell, area.y, symbol, style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(fraction: f64, width: u16) -> String {
        let area = Rect::new(0, 0, width, 1);
        let mut buf = Buffer::empty(area);
        ProgressBar {
            fraction,
            done: Style::new(),
            rest: Style::new(),
        }
        .render(area, &mut buf);
        buf.content
            .iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect()
    }

    #[test]
    fn it_is_full_only_when_all_is_done() {
        assert_eq!(text(0.0, 4), "────");
        assert_eq!(text(0.49, 4), "━╸──");
        assert_eq!(text(0.5, 4), "━━──");
        assert_eq!(text(0.999, 4), "━━━╸");
        assert_eq!(text(1.0, 4), "━━━━");
    }

    #[test]
    fn it_bears_any_fraction_and_width() {
        assert_eq!(text(f64::NAN, 2), "──");
        assert_eq!(text(-1.0, 2), "──");
        assert_eq!(text(9.0, 2), "━━");
        assert_eq!(text(0.5, 0), "");
    }

    #[test]
    fn fractions_of_counts() {
        assert_eq!(ProgressBar::fraction(5, 10), 0.5);
        assert_eq!(ProgressBar::fraction(5, 0), 0.0);
        assert_eq!(ProgressBar::fraction(12, 10), 1.0);
    }
}
