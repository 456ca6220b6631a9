//! A canvas of dots, several to a cell.

use std::cmp::Ordering;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::markers::{ACROSS, Markers};

/// Dots over a rectangle of cells; the origin is the upper left. Each cell takes the style of the
/// layer that drew in it last.
#[derive(Clone, Debug)]
pub struct Canvas {
    markers: Markers,
    width: usize,
    height: usize,
    dots: Vec<u8>,
    layer: Vec<u8>,
}

impl Canvas {
    /// An empty canvas of `width` by `height` cells.
    pub fn new(markers: Markers, width: u16, height: u16) -> Self {
        let (width, height) = (usize::from(width), usize::from(height));
        Self {
            markers,
            width,
            height,
            dots: vec![0; width * height],
            layer: vec![0; width * height],
        }
    }

    /// Columns of dots.
    fn dot_width(&self) -> usize {
        self.width * ACROSS
    }

    /// Rows of dots.
    pub fn dot_height(&self) -> usize {
        self.height * self.markers.down()
    }

    /// Sets one dot for `layer`; outside the canvas nothing happens.
    pub fn dot(&mut self, x: usize, y: usize, layer: u8) {
        if x < self.dot_width() && y < self.dot_height() {
            let down = self.markers.down();
            let cell = (y / down) * self.width + x / ACROSS;
            self.dots[cell] |= self.markers.bit(x % ACROSS, y % down);
            self.layer[cell] = layer;
        }
    }

    /// The dots of one column from `a` to `b`, both included, in either order.
    pub fn vertical(&mut self, x: usize, a: usize, b: usize, layer: u8) {
        for y in a.min(b)..=a.max(b).min(self.dot_height()) {
            self.dot(x, y, layer);
        }
    }

    /// A line of dots between two dots, both included; `from` lies left of `to` or above it. Steep
    /// lines leave no hole.
    pub fn line(
        &mut self,
        from: (usize, usize),
        to: (usize, usize),
        layer: u8,
        drawn: impl Fn(usize) -> bool,
    ) {
        let columns = to.0.saturating_sub(from.0);
        let height_at = |step: usize| {
            let fraction = if columns == 0 {
                1.0
            } else {
                step as f64 / columns as f64
            };
            from.1 as f64 + (to.1 as f64 - from.1 as f64) * fraction
        };
        let mut last = from.1;
        for step in 0..=columns {
            // Each column continues halfway to the next one's height, so that a steep line is
            // shared between both.
            let until = if step == columns {
                to.1
            } else {
                f64::midpoint(height_at(step), height_at(step + 1)).round() as usize
            };
            let start = match until.cmp(&last) {
                _ if step == 0 => last,
                Ordering::Greater => last + 1,
                Ordering::Less => last - 1,
                Ordering::Equal => last,
            };
            if drawn(from.0 + step) {
                self.vertical(from.0 + step, start, until, layer);
            }
            last = until;
        }
    }

    /// Writes the cells that hold dots into `buf` at `area`; `styles[layer]` is the style of each
    /// layer.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, styles: &[Style]) {
        for row in 0..self.height {
            for column in 0..self.width {
                let cell = row * self.width + column;
                let dots = self.dots[cell];
                let position = (
                    area.x.saturating_add(column as u16),
                    area.y.saturating_add(row as u16),
                );
                if dots != 0
                    && let Some(target) = buf.cell_mut(position)
                {
                    target.set_char(self.markers.symbol(dots)).set_style(
                        styles
                            .get(usize::from(self.layer[cell]))
                            .copied()
                            .unwrap_or_default(),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(canvas: &Canvas) -> Vec<String> {
        let area = Rect::new(0, 0, canvas.width as u16, canvas.height as u16);
        let mut buf = Buffer::empty(area);
        canvas.draw(area, &mut buf, &[]);
        (0..area.height)
            .map(|y| {
                (0..area.width)
                    .map(|x| buf[(x, y)].symbol().to_owned())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn dots_are_where_the_pattern_has_them() {
        let mut canvas = Canvas::new(Markers::Braille, 2, 1);
        canvas.dot(0, 0, 0);
        canvas.dot(3, 3, 0);
        canvas.dot(4, 0, 0);
        canvas.dot(0, 4, 0);
        assert_eq!(text(&canvas), ["⠁⢀"]);
    }

    #[test]
    fn a_steep_line_has_no_hole() {
        let mut canvas = Canvas::new(Markers::Braille, 1, 2);
        canvas.line((0, 0), (1, 7), 0, |_| true);
        let rows =
            [0, 1].map(|cell| [0x09, 0x12, 0x24, 0xC0].map(|row| canvas.dots[cell] & row != 0));
        assert_eq!(rows, [[true; 4]; 2]);
    }

    #[test]
    fn a_diagonal_is_one_dot_a_column() {
        let mut canvas = Canvas::new(Markers::Braille, 2, 1);
        canvas.line((0, 3), (3, 0), 0, |_| true);
        let set: u32 = canvas.dots.iter().map(|dots| dots.count_ones()).sum();
        assert!((4..=5).contains(&set), "{:?}", text(&canvas));
    }

    #[test]
    fn an_empty_canvas_draws_nothing() {
        let mut canvas = Canvas::new(Markers::Braille, 0, 0);
        canvas.line((0, 0), (5, 5), 0, |_| true);
        assert!(text(&canvas).is_empty());
    }
}
