//! What the views are drawn with. Widgets know nothing of runs, keys or themes: only the numbers,
//! labels and styles they are given.

pub mod bars;
pub mod chart;
pub mod clipped;
pub mod editor;
pub mod heat_map;
pub mod picture;
pub mod progress_bar;
pub mod prompt;
pub mod reliability;
pub mod sparkline;
pub mod trend;

/// What stands in a buffer, without the blanks at the ends of its rows.
#[cfg(test)]
pub(crate) fn lines(buf: &ratatui::buffer::Buffer) -> Vec<String> {
    use unicode_width::UnicodeWidthStr;
    let area = buf.area;
    let row = |y| {
        let (mut row, mut x) = (String::new(), area.x);
        while x < area.right() {
            let symbol = buf[(x, y)].symbol();
            row.push_str(symbol);
            x += symbol.width().max(1) as u16;
        }
        row.trim_end().to_owned()
    };
    (area.y..area.bottom()).map(row).collect()
}
