//! iTerm2's inline images (iterm2.com/documentation-images.html): a PNG file in base64, scaled by
//! the terminal.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ratatui::layout::Rect;

use crate::widget::picture::Picture;
use traintop_analysis::figures::rgb_png;

/// Shows a picture where the cursor is.
pub fn show(out: &mut dyn Write, area: Rect, picture: &Picture) -> io::Result<()> {
    let png = png(picture)?;
    write!(
        out,
        "\x1b]1337;File=inline=1;size={};width={};height={};preserveAspectRatio=0;doNotMoveCursor=1:{}\x07",
        png.len(),
        area.width,
        area.height,
        STANDARD.encode(&png)
    )
}

fn png(picture: &Picture) -> io::Result<Vec<u8>> {
    let (width, height) = picture.size();
    rgb_png(picture.pixels().as_flattened(), width.into(), height.into()).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_a_png_of_so_many_cells() {
        let picture = Picture::new(2, 1, &[1, 2, 3, 4, 5, 6]).unwrap();
        let mut out = Vec::new();
        show(&mut out, Rect::new(0, 0, 16, 8), &picture).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(";width=16;height=8;"), "{text}");
        let payload = text.trim_end_matches('\x07').rsplit_once(':').unwrap().1;
        let bytes = STANDARD.decode(payload).unwrap();
        let mut reader = png::Decoder::new(io::Cursor::new(&bytes))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(pixels, [1, 2, 3, 4, 5, 6]);
    }
}
