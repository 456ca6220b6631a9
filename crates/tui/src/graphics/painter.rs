//! What the terminal shows beside its characters, and how it comes from one frame to the next.

use std::io::{self, Write};

use ratatui::layout::Rect;

use super::{Placed, Protocol, iterm2, kitty, sixel};

/// The pictures that are on the screen.
#[derive(Debug, Default)]
pub struct Painter {
    shown: Vec<Placed>,
    by: Protocol,
}

impl Painter {
    /// Erases pictures that are no longer shown, before the frame is drawn over them.
    /// Says whether anything is left to be shown by [`Painter::show`].
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn clear(&mut self, out: &mut dyn Write, wanted: &[Placed]) -> io::Result<bool> {
        if self.shown == wanted {
            return Ok(false);
        }
        match self.by {
            Protocol::Kitty if !self.shown.is_empty() => kitty::clear(out)?,
            Protocol::Iterm2 | Protocol::Sixel => {
                for placed in &self.shown {
                    blank(out, placed.area)?;
                }
            }
            Protocol::Kitty | Protocol::Blocks => {}
        }
        self.shown.clear();
        Ok(!wanted.is_empty())
    }

    /// Shows pictures, after the frame is drawn. `cell` is a cell's size in pixels.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn show(
        &mut self,
        out: &mut dyn Write,
        wanted: Vec<Placed>,
        by: Protocol,
        cell: Option<(u16, u16)>,
    ) -> io::Result<()> {
        self.by = by;
        for (number, placed) in wanted.iter().enumerate() {
            let area = placed.area;
            move_to(out, area.x, area.y)?;
            match (by, cell) {
                (Protocol::Kitty, _) => kitty::show(out, number, area, &placed.picture)?,
                (Protocol::Iterm2, _) => iterm2::show(out, area, &placed.picture)?,
                (Protocol::Sixel, Some((width, height))) => {
                    let pixels = (area.width * width, area.height * height);
                    sixel::show(out, pixels, &placed.picture)?;
                }
                (Protocol::Sixel, None) | (Protocol::Blocks, _) => {}
            }
        }
        self.shown = wanted;
        Ok(())
    }

    /// Takes everything away, before the terminal is given back.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn leave(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.clear(out, &[]).map(|_| ())
    }
}

/// Blanks over pixels, which only characters erase. The frame's cells there are blank too, so
/// its difference to the last one would not.
fn blank(out: &mut dyn Write, area: Rect) -> io::Result<()> {
    for y in area.y..area.bottom() {
        move_to(out, area.x, y)?;
        out.write_all(" ".repeat(usize::from(area.width)).as_bytes())?;
    }
    Ok(())
}

fn move_to(out: &mut dyn Write, x: u16, y: u16) -> io::Result<()> {
    write!(out, "\x1b[{};{}H", y + 1, x + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::widget::picture::Picture;

    fn placed(x: u16) -> Placed {
        Placed {
            area: Rect::new(x, 2, 4, 2),
            picture: Picture::new(1, 1, &[9, 9, 9]).unwrap(),
        }
    }

    fn turn(painter: &mut Painter, wanted: &[Placed], by: Protocol) -> String {
        let mut out = Vec::new();
        if painter.clear(&mut out, wanted).unwrap() {
            painter
                .show(&mut out, wanted.to_vec(), by, Some((8, 16)))
                .unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_same_pictures_cost_nothing_and_old_ones_go() {
        for by in [Protocol::Kitty, Protocol::Iterm2, Protocol::Sixel] {
            let mut painter = Painter::default();
            assert_eq!(turn(&mut painter, &[], by), "");
            let first = turn(&mut painter, &[placed(0), placed(9)], by);
            assert!(
                first.contains("\x1b[3;1H") && first.contains("\x1b[3;10H"),
                "{first:?}"
            );
            assert_eq!(turn(&mut painter, &[placed(0), placed(9)], by), "");
            let other = turn(&mut painter, &[placed(5)], by);
            let gone = if by == Protocol::Kitty {
                "a=d,d=A"
            } else {
                "\x1b[4;10H    "
            };
            assert!(other.contains(gone), "{other:?}");
            assert!(!turn(&mut painter, &[], by).is_empty());
            assert_eq!(turn(&mut painter, &[], by), "");
        }
    }
}
