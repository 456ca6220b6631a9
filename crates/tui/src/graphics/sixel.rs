//! DEC's sixels (VT330/VT340 Programmer Reference Manual, chapter 14): bands of six rows, one
//! colour of a palette after the other.

use std::io::{self, Write};

use crate::widget::picture::{Picture, Pixel};

/// Steps of each channel: 216 colours, fewer than the 256 registers that terminals have at least.
const STEPS: u32 = 6;

/// Shows a picture where the cursor is, in this many pixels of the screen.
pub fn show(out: &mut dyn Write, (width, height): (u16, u16), picture: &Picture) -> io::Result<()> {
    // A band that went beyond its cells would push the screen up.
    let (width, height) = (width.max(1), (height / 6 * 6).max(6));
    let colours = palette_indices(&picture.scaled(width, height), usize::from(width));
    // Pixels that no colour sets keep what is there; squares, and the size.
    write!(out, "\x1bP0;1;0q\"1;1;{width};{height}")?;
    let mut used: Vec<u8> = colours.clone();
    used.sort_unstable();
    used.dedup();
    for colour in &used {
        let channel = |divisor: u32| (u32::from(*colour) / divisor % STEPS) * 100 / (STEPS - 1);
        let (red, green, blue) = (channel(STEPS * STEPS), channel(STEPS), channel(1));
        write!(out, "#{colour};2;{red};{green};{blue}")?;
    }
    for band in colours.chunks(usize::from(width) * 6) {
        for colour in &used {
            if band.contains(colour) {
                write_colour(out, band, usize::from(width), *colour)?;
            }
        }
        out.write_all(b"-")?;
    }
    out.write_all(b"\x1b\\")
}

/// One colour of a band, equal neighbours taken together; then back to the band's beginning.
fn write_colour(out: &mut dyn Write, band: &[u8], width: usize, colour: u8) -> io::Result<()> {
    write!(out, "#{colour}")?;
    let sixel = |x: usize| {
        let bits = band
            .chunks(width)
            .enumerate()
            .filter(|(_, row)| row[x] == colour)
            .map(|(y, _)| 1 << y);
        b'?' + bits.sum::<u8>()
    };
    let mut x = 0;
    while x < width {
        let value = sixel(x);
        let run = (x..width).take_while(|x| sixel(*x) == value).count();
        x += run;
        let value = char::from(value);
        if run > 3 {
            write!(out, "!{run}{value}")?;
        } else {
            write!(out, "{}", value.to_string().repeat(run))?;
        }
    }
    out.write_all(b"$")
}

/// The palette's number for each pixel, with what each rounding leaves handed on to its neighbours
/// (Floyd and Steinberg 1976), so that 216 colours look like more.
fn palette_indices(pixels: &[Pixel], width: usize) -> Vec<u8> {
    let mut rest: Vec<[i32; 3]> = pixels
        .iter()
        .map(|pixel| pixel.map(|channel| i32::from(channel) * 16))
        .collect();
    let mut indices = Vec::with_capacity(pixels.len());
    for at in 0..rest.len() {
        let wanted = rest[at].map(|channel| channel.clamp(0, 255 * 16) as u32);
        let steps = wanted.map(|channel| (channel * (STEPS - 1) + 255 * 8) / (255 * 16));
        let shown = steps.map(|step| (step * 255 * 16 / (STEPS - 1)) as i32);
        indices.push((steps[0] * STEPS * STEPS + steps[1] * STEPS + steps[2]) as u8);
        let column = at % width;
        let neighbours = [
            (at + 1, 7, column + 1 < width),
            (at + width - 1, 3, column > 0),
            (at + width, 5, true),
            (at + width + 1, 1, column + 1 < width),
        ];
        for channel in 0..3 {
            let error = wanted[channel] as i32 - shown[channel];
            for (to, share, is_there) in neighbours {
                if is_there && let Some(pixel) = rest.get_mut(to) {
                    pixel[channel] += error * share / 16;
                }
            }
        }
    }
    indices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_picture_is_one_colour_in_bands() {
        let picture = Picture::new(1, 1, &[255, 0, 0]).unwrap();
        let mut out = Vec::new();
        show(&mut out, (9, 14), &picture).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "\x1bP0;1;0q\"1;1;9;12#180;2;100;0;0#180!9~$-#180!9~$-\x1b\\"
        );
    }

    #[test]
    fn rounding_keeps_the_mean() {
        let grey = vec![[100_u8; 3]; 64 * 64];
        let indices = palette_indices(&grey, 64);
        let mean = indices
            .iter()
            .map(|index| f64::from(index % 6) * 51.0)
            .sum::<f64>()
            / indices.len() as f64;
        assert!((mean - 100.0).abs() < 2.0, "{mean}");
    }
}
