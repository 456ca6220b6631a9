//! Writing into a buffer at places that may lie outside of it. A terminal can have any size, down
//! to no row at all, and ratatui's own `set_string` panics beyond the buffer.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

/// Writes what lies inside of the buffer and leaves out the rest.
pub trait Clipped {
    /// Writes `text` from a place to the right, up to the buffer's edge.
    fn put(&mut self, x: u16, y: u16, text: impl AsRef<str>, style: Style);

    /// Writes at most `width` cells of `text`; returns the place after the last.
    fn put_n(
        &mut self,
        x: u16,
        y: u16,
        text: impl AsRef<str>,
        width: usize,
        style: Style,
    ) -> (u16, u16);

    /// Writes one character.
    fn put_char(&mut self, x: u16, y: u16, symbol: char, style: Style);
}

impl Clipped for Buffer {
    fn put(&mut self, x: u16, y: u16, text: impl AsRef<str>, style: Style) {
        self.put_n(x, y, text, usize::MAX, style);
    }

    #[expect(clippy::disallowed_methods, reason = "the place is inside")]
    fn put_n(
        &mut self,
        x: u16,
        y: u16,
        text: impl AsRef<str>,
        width: usize,
        style: Style,
    ) -> (u16, u16) {
        if self.area.contains((x, y).into()) {
            self.set_stringn(x, y, text, width, style)
        } else {
            (x, y)
        }
    }

    fn put_char(&mut self, x: u16, y: u16, symbol: char, style: Style) {
        if let Some(cell) = self.cell_mut((x, y)) {
            cell.set_char(symbol).set_style(style);
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::super::lines;
    use super::*;

    #[test]
    fn what_lies_outside_is_left_out() {
        let style = Style::default();
        for area in [Rect::new(2, 1, 4, 2), Rect::new(0, 0, 4, 0), Rect::ZERO] {
            let mut buf = Buffer::empty(area);
            for (x, y) in (0..8).flat_map(|x| (0..5).map(move |y| (x, y))) {
                buf.put(x, y, "猫と", style);
                buf.put_n(x, y, "cats", 2, style);
                buf.put_char(x, y, '·', style);
            }
        }
        let mut buf = Buffer::empty(Rect::new(2, 1, 4, 1));
        assert_eq!(buf.put_n(3, 1, "abcdef", 9, style), (6, 1));
        buf.put(3, 2, "below", style);
        assert_eq!(lines(&buf), [" abc"]);
    }
}
