//! kitty's graphics protocol (sw.kovidgoyal.net/kitty/graphics-protocol): pixels in base64, in
//! chunks, scaled by the terminal.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ratatui::layout::Rect;

use crate::widget::picture::Picture;

/// The protocol's limit for the payload of one sequence.
const CHUNK: usize = 4096;

/// Shows a picture under a number of ours. `q=2` keeps the terminal from answering, `C=1` the
/// cursor where it is.
pub fn show(out: &mut dyn Write, number: usize, area: Rect, picture: &Picture) -> io::Result<()> {
    let payload = STANDARD.encode(picture.pixels().as_flattened());
    let chunks = payload.as_bytes().chunks(CHUNK);
    let last = chunks.len().saturating_sub(1);
    let (width, height) = picture.size();
    for (at, chunk) in chunks.enumerate() {
        let more = u8::from(at < last);
        if at == 0 {
            write!(
                out,
                "\x1b_Ga=T,q=2,C=1,f=24,i={},s={width},v={height},c={},r={},m={more};",
                number + 1,
                area.width,
                area.height
            )?;
        } else {
            write!(out, "\x1b_Gq=2,m={more};")?;
        }
        out.write_all(chunk)?;
        out.write_all(b"\x1b\\")?;
    }
    Ok(())
}

/// Takes all pictures away and lets their memory go.
pub fn clear(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"\x1b_Ga=d,d=A,q=2\x1b\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pictures_come_in_chunks_that_belong_together() {
        let picture = Picture::new(40, 40, &[7; 4800]).unwrap();
        let mut out = Vec::new();
        show(&mut out, 4, Rect::new(1, 1, 20, 10), &picture).unwrap();
        let text = String::from_utf8(out).unwrap();
        let chunks: Vec<&str> = text.split_terminator("\x1b\\").collect();
        assert_eq!(chunks.len(), 2);
        assert!(chunks[0].starts_with("\x1b_Ga=T,q=2,C=1,f=24,i=5,s=40,v=40,c=20,r=10,m=1;"));
        assert!(chunks[1].starts_with("\x1b_Gq=2,m=0;"));
        let payload: String = chunks
            .iter()
            .map(|chunk| chunk.split_once(';').unwrap().1)
            .collect();
        assert_eq!(STANDARD.decode(payload).unwrap(), [7; 4800]);
    }
}
