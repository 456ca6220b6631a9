//! Parts of wholes, one below the other: a name, a bar, and the value in words.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::progress_bar::ProgressBar;
use crate::widget::clipped::Clipped as _;
use traintop_text::fitted;

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar<'a> {
    pub name: &'a str,
    /// Between 0 and 1.
    pub part: f64,
    /// The value, with its unit.
    pub value: String,
    /// Of name and value.
    pub text: Style,
    /// Of the bar's done part.
    pub done: Style,
}

/// Bars that share their columns; names that are too long end in an ellipsis.
#[derive(Clone, Copy, Debug)]
pub struct Bars<'a> {
    pub rows: &'a [Bar<'a>],
    /// The first that is shown.
    pub top: usize,
    /// Of what is missing to the whole.
    pub rest: Style,
}

/// Names get no more room than this.
const WIDEST_NAME: usize = 18;
/// In less room a bar says nothing.
const SHORTEST_BAR: u16 = 4;

impl Widget for Bars<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let widest = |of: &dyn Fn(&Bar) -> usize| self.rows.iter().map(of).max().unwrap_or(0);
        let values = widest(&|bar| bar.value.width()).min(usize::from(area.width)) as u16;
        let third = usize::from(area.width) / 3;
        let names = widest(&|bar| bar.name.width()).min(WIDEST_NAME).min(third) as u16;
        let bar_width = area.width.saturating_sub(names + values + 2);
        for (y, bar) in (area.y..area.bottom()).zip(self.rows.iter().skip(self.top)) {
            let name = fitted(bar.name, usize::from(names));
            buf.put(area.x, y, name, bar.text);
            let value_x = area.right() - values;
            let room = usize::from(values);
            buf.put_n(value_x, y, format!("{:>room$}", bar.value), room, bar.text);
            if bar_width >= SHORTEST_BAR {
                ProgressBar {
                    fraction: bar.part,
                    done: bar.done,
                    rest: self.rest,
                }
                .render(Rect::new(area.x + names + 1, y, bar_width, 1), buf);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::widget::lines;

    fn drawn(width: u16, height: u16, top: usize) -> Vec<String> {
        let bar = |name, part, value: &str| Bar {
            name,
            part,
            value: value.to_owned(),
            text: Style::new(),
            done: Style::new(),
        };
        let bars = [
            bar("cat", 0.5, "50.0 %"),
            bar("an uncommonly long name", 1.0, "100.0 %"),
            bar("狐", f64::NAN, "-"),
        ];
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        let rest = Style::new();
        Bars {
            rows: &bars,
            top,
            rest,
        }
        .render(area, &mut buf);
        lines(&buf)
    }

    #[test]
    fn columns_are_shared_and_long_names_are_cut() {
        assert_eq!(
            drawn(30, 4, 0),
            [
                "cat        ━━━━━╸─────  50.0 %",
                "an uncomm… ━━━━━━━━━━━ 100.0 %",
                "狐         ───────────       -",
                "",
            ]
        );
        assert_eq!(drawn(30, 1, 2), ["狐         ───────────       -"]);
    }

    #[test]
    fn little_room_keeps_name_and_value() {
        assert_eq!(drawn(14, 1, 0), ["cat     50.0 %"]);
        assert_eq!(drawn(0, 0, 0), Vec::<String>::new());
    }
}
