//! A small picture in half blocks: two pixels to a cell, one above the other, in the colours that
//! the terminal has; without any, shades.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::widgets::Widget;

/// Red, green and blue of a pixel.
pub type Pixel = [u8; 3];

/// A picture, shared rather than copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: u16,
    height: u16,
    /// Row by row from the upper left.
    pixels: Arc<[Pixel]>,
}

/// What stands for a lightness where there are no colours, from dark to light.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

impl Picture {
    /// A picture of `width` by `height` pixels, red, green and blue in turn, row by row; `None` if
    /// there are not as many bytes.
    pub fn new(width: u16, height: u16, bytes: &[u8]) -> Option<Self> {
        let (pixels, rest) = bytes.as_chunks::<3>();
        let whole = rest.is_empty() && pixels.len() == usize::from(width) * usize::from(height);
        whole.then(|| Self {
            width,
            height,
            pixels: pixels.into(),
        })
    }

    /// Columns and rows of pixels.
    pub fn size(&self) -> (u16, u16) {
        (self.width, self.height)
    }

    /// The pixels, row by row.
    pub fn pixels(&self) -> &[Pixel] {
        &self.pixels
    }

    /// The cells that it takes without being squeezed: as many of `columns` by `rows` as keep its
    /// shape, where a cell is twice as high as it is wide.
    pub fn fit(&self, columns: u16, rows: u16) -> (u16, u16) {
        let (width, height) = (u32::from(self.width.max(1)), u32::from(self.height.max(1)));
        let by_width = (u32::from(columns) * height).div_ceil(2 * width);
        if by_width <= u32::from(rows) {
            (columns, by_width as u16)
        } else {
            let columns = (2 * u32::from(rows) * width / height).min(u32::from(columns));
            (columns as u16, rows)
        }
    }

    /// The picture at another size: the mean of the pixels that a new one covers, or the nearest
    /// one.
    pub fn scaled(&self, width: u16, height: u16) -> Vec<Pixel> {
        let span = |at: u16, of: u16, from: u16| {
            let edge = |at: u32| (at * u32::from(from) / u32::from(of.max(1))) as usize;
            let start = edge(u32::from(at));
            start..edge(u32::from(at) + 1).max(start + 1)
        };
        let mut scaled = Vec::with_capacity(usize::from(width) * usize::from(height));
        for y in 0..height {
            for x in 0..width {
                let mut sum = [0_u32; 3];
                let mut count = 0;
                for row in span(y, height, self.height) {
                    for column in span(x, width, self.width) {
                        let at = row * usize::from(self.width) + column;
                        let pixel = self.pixels.get(at).copied().unwrap_or_default();
                        for (sum, channel) in sum.iter_mut().zip(pixel) {
                            *sum += u32::from(channel);
                        }
                        count += 1;
                    }
                }
                scaled.push(sum.map(|sum| (sum / count.max(1)) as u8));
            }
        }
        scaled
    }
}

/// A picture to be drawn into the whole of an area.
#[derive(Clone, Copy)]
pub struct Blocks<'a> {
    pub picture: &'a Picture,
    /// The terminal's colour for a pixel; `None` where there are no colours.
    pub colour: &'a dyn Fn(Pixel) -> Option<Color>,
}

impl Widget for Blocks<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let pixels = self.picture.scaled(area.width, area.height * 2);
        let width = usize::from(area.width);
        for (y, rows) in (area.y..area.bottom()).zip(pixels.chunks(width * 2)) {
            let (upper, lower) = rows.split_at(width);
            for (x, (upper, lower)) in (area.x..area.right()).zip(upper.iter().zip(lower)) {
                let cell = &mut buf[(x, y)];
                match ((self.colour)(*upper), (self.colour)(*lower)) {
                    (Some(fg), Some(bg)) => {
                        cell.set_char('▀').set_style(Style::new().fg(fg).bg(bg))
                    }
                    _ => cell.set_char(shade([*upper, *lower])),
                };
            }
        }
    }
}

fn shade(pixels: [Pixel; 2]) -> char {
    // Luma of ITU-R BT.601, in thousandths.
    let luma = |[red, green, blue]: Pixel| {
        299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue)
    };
    let light = u32::midpoint(luma(pixels[0]), luma(pixels[1]));
    SHADES[(light * SHADES.len() as u32 / 255_001) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::widget::lines;
    use proptest::prelude::*;

    const RED: Pixel = [255, 0, 0];
    const WHITE: Pixel = [255; 3];

    fn picture(width: u16, pixels: &[Pixel]) -> Picture {
        let height = pixels.len() as u16 / width;
        Picture::new(width, height, pixels.as_flattened()).unwrap()
    }

    fn drawn(picture: &Picture, width: u16, height: u16, colours: bool) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        let colour = |[red, green, blue]: Pixel| colours.then_some(Color::Rgb(red, green, blue));
        Blocks {
            picture,
            colour: &colour,
        }
        .render(area, &mut buf);
        buf
    }

    #[test]
    fn two_pixels_share_a_cell() {
        let buf = drawn(&picture(2, &[RED, WHITE, WHITE, RED]), 2, 1, true);
        let cell = |x| (buf[(x, 0)].symbol(), buf[(x, 0)].fg, buf[(x, 0)].bg);
        let (red, white) = (Color::Rgb(255, 0, 0), Color::Rgb(255, 255, 255));
        assert_eq!((cell(0), cell(1)), (("▀", red, white), ("▀", white, red)));
    }

    #[test]
    fn without_colours_light_is_told_by_shades() {
        let pixels = [
            [0; 3], [100; 3], [130; 3], WHITE, [0; 3], [100; 3], [130; 3], WHITE,
        ];
        assert_eq!(lines(&drawn(&picture(4, &pixels), 4, 1, false)), [" ░▒█"]);
    }

    #[test]
    fn smaller_it_is_the_mean() {
        let buf = drawn(&picture(2, &[RED, WHITE, RED, WHITE]), 1, 1, true);
        assert_eq!(buf[(0, 0)].fg, Color::Rgb(255, 127, 127));
    }

    #[test]
    fn its_shape_is_kept() {
        let square = picture(2, &[RED; 4]);
        assert_eq!((square.fit(20, 20), square.fit(40, 8)), ((20, 10), (16, 8)));
        assert_eq!(Picture::new(2, 2, &[0; 11]), None);
    }

    proptest! {
        #[test]
        fn it_bears_any_area(width in 0u16..50, height in 0u16..50, columns in 0u16..9, rows in 0u16..9) {
            let pixels = vec![RED; usize::from(columns) * usize::from(rows)];
            let picture = Picture::new(columns, rows, pixels.as_flattened()).unwrap();
            let (fit_columns, fit_rows) = picture.fit(width, height);
            prop_assert!(fit_columns <= width && fit_rows <= height);
            drawn(&picture, width, height, true);
        }
    }
}
