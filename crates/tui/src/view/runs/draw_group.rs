//! How the header of a group is drawn: its value, how many runs, and under each column of numbers
//! their mean and deviation.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::groups::Group;
use crate::context::Context;
use crate::theme::Role;
use crate::view::columns::Column;
use crate::view::sort_key::SortKey;
use crate::widget::clipped::Clipped as _;
use traintop_analysis::compare::Aggregate;
use traintop_text as text;

/// Draws a group's header, whether only it shows, and whether the cursor is on it.
///
/// ```text
/// ▌ ▾ lr = 0.1  3 runs                           94.12 ±0.31
/// ```
pub fn draw(
    context: &Context,
    (group, folded, selected): (&Group, bool, bool),
    columns: &[(&SortKey, u16)],
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = &context.theme;
    if selected {
        buf.put(area.x, area.y, "▌", theme.style(Role::Accent));
    }
    let mut x = area.x + 2;
    let mut first_number = area.right();
    for (key, width) in columns {
        let name = key.name();
        let spread = group.said.iter().find(|(of, _)| *of == name);
        // The epochs' bar has no mean.
        if let Some((_, spread)) = spread.filter(|_| **key != Column::Epochs) {
            let said = said(key, spread, usize::from(*width));
            let said = format!("{said:>width$}", width = usize::from(*width));
            buf.put_n(
                x,
                area.y,
                said,
                usize::from(*width),
                theme.style(Role::Header),
            );
            first_number = first_number.min(x);
        }
        x += width + 1;
    }
    let sign = if folded { "▸" } else { "▾" };
    let runs = if group.runs.len() == 1 { "run" } else { "runs" };
    let by = context
        .runs
        .grouping
        .by
        .as_ref()
        .map(SortKey::name)
        .unwrap_or_default();
    let count = text::count(group.runs.len() as u64);
    let label = if group.label.is_empty() {
        "-"
    } else {
        &group.label
    };
    let alike = group.alike.as_ref();
    let alike = alike.map_or_else(String::new, |alike| format!(", {alike}"));
    let title = format!("{sign} {by} = {label}  {count} {runs}{alike}");
    let title = text::clean(&title).into_owned();
    let room = usize::from(first_number.saturating_sub(area.x + 3));
    let title = text::fitted(&title, room);
    buf.put_n(area.x + 2, area.y, &title, room, theme.style(Role::Title));
    if selected {
        let cells = Rect {
            x: area.x + 2,
            width: area.width.saturating_sub(2),
            ..area
        };
        buf.set_style(cells.intersection(buf.area), theme.cursor_row());
    }
}

/// The mean with the deviation where there is room for it.
fn said(key: &SortKey, spread: &Aggregate, width: usize) -> String {
    let mean = key.written(spread.mean);
    let deviation = spread.deviation.map(|deviation| key.written(deviation));
    let whole = deviation.map(|deviation| format!("{mean} ±{deviation}"));
    match whole {
        Some(whole) if whole.width() <= width => whole,
        _ => text::fitted(&mean, width).into_owned(),
    }
}
