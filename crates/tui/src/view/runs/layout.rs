//! Where the parts of the table's screen stand.

use ratatui::layout::{Constraint, Layout, Rect};

use crate::view::parts::screen_area;

/// From this many rows on there is a preview below the table.
const PREVIEW_FROM: u16 = 34;

/// The parts of the screen: top line, header, table, and the preview where there is room for it.
pub fn areas(area: Rect) -> [Rect; 4] {
    let preview = if area.height >= PREVIEW_FROM {
        (area.height / 2).min(26)
    } else {
        0
    };
    let [top, header, table, gap_and_preview] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(preview),
    ])
    .areas(area);
    [top, header, table, gap_and_preview]
}

/// The rows of the table that fit on a screen of this size (columns, rows).
pub fn table_height(size: (u16, u16)) -> u16 {
    let main = screen_area(size);
    areas(main)[2].height.max(1)
}

/// Whether a screen of this size has a preview.
pub fn has_preview(size: (u16, u16)) -> bool {
    let main = screen_area(size);
    areas(main)[3].height > 0
}
