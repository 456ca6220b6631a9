//! Pictures in the terminal's own graphics, where it has them: kitty's, iTerm2's or sixel. The
//! views leave blanks and say what belongs there; after each frame the terminal is given what has
//! changed. Nothing is ever asked of the terminal: an answer over a slow connection would come
//! among the keys.

mod iterm2;
mod kitty;
mod painter;
mod protocol;
mod sixel;

use ratatui::layout::Rect;

pub use painter::Painter;
pub use protocol::{NAMES, Protocol};

use super::widget::picture::Picture;

/// A picture and the cells that it fills.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The cells, blank in the frame.
    pub area: Rect,
    /// What fills them.
    pub picture: Picture,
}

/// The pixels of a cell, where the terminal tells them.
pub fn cell_pixels() -> Option<(u16, u16)> {
    let window = crossterm::terminal::window_size().ok()?;
    let width = window.width.checked_div(window.columns)?;
    let height = window.height.checked_div(window.rows)?;
    (width > 0 && height > 0).then_some((width, height))
}
