//! A gallery of images with what was predicted for each: the class, whether it is right, and the
//! three most probable ones.
//!
//! ```text
//! ┌────────┐ ✗ dog
//! │        │ it is a cat
//! │ image  │ dog   ▇▇▇▇▇▇▇▇▇▇▇▇ 71 %
//! │        │ cat   ▇▇▇▇         22 %
//! └────────┘ deer  ▇             4 %
//! ```

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{Area, DrawError, INK, font, to_png};
use super::plot::{COLOURS, GRID};
use traintop_text::{clean, fitted};

/// Cards beside each other.
const COLUMNS: usize = 4;
/// Pixels of a card, across and down.
const CARD: (i32, i32) = (330, 140);
/// Pixels of an image's longer side.
const IMAGE: i32 = 112;
/// Where a card's text begins, and the height of its lines.
const TEXT: i32 = IMAGE + 26;
const LINE: i32 = 22;
/// Where a probability's bar begins, and the length of a whole one.
const BAR: (i32, i32) = (TEXT + 82, 60);
/// Characters of a class's name before its bar, and elsewhere.
const NAME: usize = 10;
const LONG_NAME: usize = 20;

/// An image and the answer to it.
#[derive(Debug, Clone, Copy)]
pub struct Card<'a> {
    /// Red, green, blue of each pixel, row after row.
    pub pixels: &'a [u8],
    /// Columns of the image.
    pub width: usize,
    /// The true class, where it is known.
    pub truth: Option<&'a str>,
    /// The most probable classes with their probabilities, the first of which is the answer.
    pub top: &'a [(&'a str, f64)],
}

impl Card<'_> {
    /// Whether the answer is right, where that is known.
    fn is_right(&self) -> Option<bool> {
        Some(self.truth? == self.top.first()?.0)
    }

    fn draw<'a>(&self, area: &Area<'a>) -> Result<(), DrawError<BitMapBackend<'a>>> {
        self.draw_image(area)?;
        let verdict = self.is_right();
        let (mark, colour) = match verdict {
            Some(true) => ("✓ ", COLOURS[2]),
            Some(false) => ("✗ ", COLOURS[0]),
            None => ("", INK),
        };
        let answer = self.top.first().map_or("", |(name, _)| name);
        write(
            area,
            (TEXT, 14),
            &format!("{mark}{}", name(answer, LONG_NAME)),
            19,
            colour,
        )?;
        let second = match (self.truth, verdict) {
            (Some(truth), Some(false)) => format!("true: {}", name(truth, LONG_NAME)),
            (Some(_), _) => "right".to_owned(),
            (None, _) => String::new(),
        };
        write(area, (TEXT, 14 + LINE), &second, 15, INK)?;
        for (row, (class, probability)) in self.top.iter().enumerate() {
            let y = 18 + LINE * (row as i32 + 2);
            write(area, (TEXT, y), &name(class, NAME), 15, INK)?;
            let length = (f64::from(BAR.1) * probability.clamp(0.0, 1.0)).round() as i32;
            let (left, right) = (BAR.0, BAR.0 + BAR.1);
            area.draw(&Rectangle::new(
                [(left, y - 6), (right, y + 6)],
                GRID.filled(),
            ))?;
            let colour = if row == 0 { colour } else { COLOURS[1] };
            if length > 0 {
                area.draw(&Rectangle::new(
                    [(left, y - 6), (left + length, y + 6)],
                    colour.filled(),
                ))?;
            }
            let percent = format!("{:.0} %", 100.0 * probability);
            write(area, (right + 6, y), &percent, 15, INK)?;
        }
        Ok(())
    }

    /// Each pixel as a square, so that a small image stays what it is.
    fn draw_image<'a>(&self, area: &Area<'a>) -> Result<(), DrawError<BitMapBackend<'a>>> {
        let (width, height) = (self.width, self.pixels.len() / 3 / self.width.max(1));
        let longer = width.max(height).max(1) as i32;
        for y in 0..IMAGE * height as i32 / longer {
            for x in 0..IMAGE * width as i32 / longer {
                let (column, row) = (x * longer / IMAGE, y * longer / IMAGE);
                let at = 3 * (row as usize * width + column as usize);
                let pixel = &self.pixels[at..at + 3];
                area.draw_pixel((14 + x, 8 + y), &RGBColor(pixel[0], pixel[1], pixel[2]))?;
            }
        }
        Ok(())
    }
}

/// Cards in rows, as a PNG file's bytes.
///
/// # Errors
/// The drawing library's message.
pub fn to_png_file(title: &str, cards: &[Card]) -> Result<Vec<u8>, String> {
    let rows = cards.len().div_ceil(COLUMNS).max(1);
    let size = (
        CARD.0 as u32 * COLUMNS as u32,
        CARD.1 as u32 * rows as u32 + 40,
    );
    to_png(&clean(title), size, |body| {
        for (card, area) in cards.iter().zip(body.split_evenly((rows, COLUMNS))) {
            card.draw(&area)?;
        }
        Ok(())
    })
}

fn name(class: &str, length: usize) -> String {
    fitted(&clean(class), length).into_owned()
}

fn write<'a>(
    area: &Area<'a>,
    place: (i32, i32),
    text: &str,
    size: u32,
    colour: RGBColor,
) -> Result<(), DrawError<BitMapBackend<'a>>> {
    let style = font(size).into_font().color(&colour);
    area.draw_text(text, &style.pos(Pos::new(HPos::Left, VPos::Center)), place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gallery_is_a_picture_of_its_cards_also_of_odd_images_and_names() {
        let pixels = vec![200; 3 * 32 * 16];
        let long = "a class with a very long name \u{1b}[2J";
        let top = [("cat", 0.7), (long, 0.25), ("dog", f64::NAN)];
        let card = |truth| Card {
            pixels: &pixels,
            width: 32,
            truth,
            top: &top,
        };
        assert_eq!(card(Some("cat")).is_right(), Some(true));
        assert_eq!(card(Some("dog")).is_right(), Some(false));
        assert_eq!(card(None).is_right(), None);
        let cards = [
            card(Some("cat")),
            card(Some(long)),
            card(None),
            card(None),
            card(None),
        ];
        let bytes = to_png_file("quick", &cards).unwrap();
        let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        let reader = decoder.read_info().unwrap();
        assert_eq!((reader.info().width, reader.info().height), (1320, 320));
        assert!(to_png_file("none", &[]).is_ok());
    }
}
