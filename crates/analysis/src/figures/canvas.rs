//! What every picture is made with: the built-in font, the colour of what is written, and how
//! pixels become a PNG file.

use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

/// Of text and axes.
pub(super) const INK: RGBColor = RGBColor(40, 40, 40);

const FONT: &str = "DejaVu Sans";

/// The font is built in: clusters' nodes seldom have any.
pub(super) fn font(size: u32) -> (&'static str, u32) {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        if register_font(FONT, FontStyle::Normal, dejavu::sans::regular()).is_err() {
            log::error!("the built-in font cannot be read");
        }
    });
    (FONT, size)
}

/// What the drawing library says went wrong.
pub(super) type DrawError<B> = DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>;

/// A picture of pixels.
pub(super) type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// A picture of this size (across and down) with a title, filled by `draw`, as a PNG file's bytes;
/// or the drawing library's message.
pub(super) fn to_png(
    title: &str,
    size: (u32, u32),
    draw: impl for<'a> FnOnce(&Area<'a>) -> Result<(), DrawError<BitMapBackend<'a>>>,
) -> Result<Vec<u8>, String> {
    let mut pixels = vec![255; size.0 as usize * size.1 as usize * 3];
    draw_titled(title, size, &mut pixels, draw).map_err(|error| error.to_string())?;
    rgb_png(&pixels, size.0, size.1).map_err(|error| error.to_string())
}

fn draw_titled<'a>(
    title: &str,
    size: (u32, u32),
    pixels: &'a mut [u8],
    draw: impl FnOnce(&Area<'a>) -> Result<(), DrawError<BitMapBackend<'a>>>,
) -> Result<(), DrawError<BitMapBackend<'a>>> {
    let whole = BitMapBackend::with_buffer(pixels, size).into_drawing_area();
    whole.fill(&WHITE)?;
    let style = font(22).into_font().color(&INK);
    let body = whole.titled(title, style)?;
    draw(&body)?;
    whole.present()
}

/// A PNG file's bytes of three bytes a pixel.
pub fn rgb_png(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}
