//! A matrix of counts as a heat map: numbers where there is room for them, shades where there is
//! not. Nothing rests on colour alone: without numbers a cell's glyph tells how much there is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use crate::widget::clipped::Clipped as _;
use traintop_text::fitted;

/// Names of rows get no more room than this.
const WIDEST_NAME: u16 = 14;
/// Wider columns would tear the rows apart.
const WIDEST_COLUMN: u16 = 9;
/// What stands for a share of a row in a cell without room for its number, from little to much.
const GLYPHS: [char; 5] = ['·', '░', '▒', '▓', '█'];

/// The looks of a cell by its share of its row, 0 to 1.
pub type Shade<'a> = &'a dyn Fn(f64) -> Style;

/// The map. Rows and columns have the same names, in the same order.
#[derive(Clone, Copy)]
pub struct HeatMap<'a> {
    /// Counts, row by row.
    pub rows: &'a [Vec<u64>],
    /// Of rows and columns.
    pub names: &'a [String],
    /// What the rows are, in the corner.
    pub corner: &'a str,
    /// The cell that the cursor is on, by row and column.
    pub cursor: Option<(usize, usize)>,
    /// The first row and the first column on the screen.
    pub first: (usize, usize),
    /// Of names.
    pub name: Style,
    /// Of the names of the cursor's row and column, and of its cell.
    pub selected: Style,
    /// Of cells on the diagonal.
    pub right: Shade<'a>,
    /// Of the others.
    pub wrong: Shade<'a>,
}

/// How a map of `classes` classes fits into an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    names: u16,
    column: u16,
    numbers: bool,
    /// How many rows are in sight.
    pub rows: usize,
    pub columns: usize,
}

impl Fit {
    /// `widest` is the widest name's width, `digits` the largest count's.
    fn new(area: Rect, classes: usize, widest: usize, digits: usize) -> Self {
        let names = (widest.min(usize::from(u16::MAX)) as u16)
            .min(WIDEST_NAME)
            .min(area.width / 4);
        let room = area.width.saturating_sub(names + 1);
        let wanted = digits as u16 + 1;
        let most = WIDEST_COLUMN.max(wanted);
        let share = room / classes.clamp(1, usize::from(u16::MAX)) as u16;
        let numbers = share >= wanted.max(3);
        let column = if numbers {
            share.min(most)
        } else {
            2.min(share.max(1))
        };
        let rows = usize::from(area.height.saturating_sub(1)).min(classes);
        Self {
            names,
            column,
            numbers,
            rows,
            columns: usize::from(room / column).min(classes),
        }
    }

    /// The first row and column to show so that `cursor` is among them, moved no further than
    /// needed from `first`.
    pub fn follow(
        self,
        first: (usize, usize),
        cursor: (usize, usize),
        classes: usize,
    ) -> (usize, usize) {
        let along = |first: usize, at: usize, shown: usize| {
            first
                .clamp((at + 1).saturating_sub(shown.max(1)), at)
                .min(classes.saturating_sub(shown))
        };
        (
            along(first.0, cursor.0, self.rows),
            along(first.1, cursor.1, self.columns),
        )
    }
}

impl HeatMap<'_> {
    /// How it fits into an area.
    pub fn fit(&self, area: Rect) -> Fit {
        let widest = self.names.iter().map(|name| name.width()).max();
        let widest = widest.unwrap_or(0).max(self.corner.width());
        let largest = self.rows.iter().flatten().max().copied().unwrap_or(0);
        Fit::new(area, self.names.len(), widest, largest.to_string().len())
    }

    fn cell(&self, row: usize, column: usize) -> (u64, f64) {
        let counts = self.rows.get(row).map_or(&[][..], Vec::as_slice);
        let count = counts.get(column).copied().unwrap_or(0);
        let total: u64 = counts.iter().sum();
        (
            count,
            if total == 0 {
                0.0
            } else {
                count as f64 / total as f64
            },
        )
    }

    fn draw_header(&self, fit: Fit, area: Rect, buf: &mut Buffer) {
        let corner = fitted(self.corner, usize::from(fit.names));
        buf.put(area.x, area.y, corner, self.name);
        for (place, column) in (self.first.1..).take(fit.columns).enumerate() {
            let style = if self.cursor.is_some_and(|cursor| cursor.1 == column) {
                self.selected
            } else {
                self.name
            };
            let x = area.x + fit.names + 1 + place as u16 * fit.column;
            let room = usize::from(fit.column.saturating_sub(1));
            let name = self.names.get(column).map_or("", String::as_str);
            if fit.numbers {
                let name = fitted(name, room);
                // Over the numbers, which stand to the right.
                let blank = room.saturating_sub(name.width()) as u16;
                buf.put(x + 1 + blank, area.y, name, style);
            } else if self.cursor.is_some_and(|cursor| cursor.1 == column) {
                buf.put(x, area.y, "▾", style);
            }
        }
    }

    fn draw_cell(&self, fit: Fit, (row, column): (usize, usize), area: Rect, buf: &mut Buffer) {
        let (count, share) = self.cell(row, column);
        let is_right = row == column;
        let mut style = if is_right {
            (self.right)(share)
        } else {
            (self.wrong)(share)
        };
        if self.cursor == Some((row, column)) {
            style = self.selected.add_modifier(Modifier::REVERSED);
        }
        let width = usize::from(area.width);
        let text = match (fit.numbers, count) {
            (true, 0) => format!("{:>width$}", "·"),
            (true, count) => format!("{count:>width$}"),
            (false, 0) => format!("{:width$}", ""),
            (false, _) => {
                let step = ((share * GLYPHS.len() as f64) as usize).min(GLYPHS.len() - 1);
                GLYPHS[step].to_string().repeat(width)
            }
        };
        buf.put_n(area.x, area.y, text, width, style);
        // A number leaves its first cell blank.
        if fit.numbers && self.cursor == Some((row, column)) {
            buf.put(area.x, area.y, "▸", style);
        }
    }
}

impl Widget for &HeatMap<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let fit = self.fit(area);
        self.draw_header(fit, area, buf);
        let rows = (self.first.0..).take(fit.rows);
        for (y, row) in (area.y + 1..area.bottom()).zip(rows) {
            let style = if self.cursor.is_some_and(|cursor| cursor.0 == row) {
                self.selected
            } else {
                self.name
            };
            let name = self.names.get(row).map_or("", String::as_str);
            buf.put(area.x, y, fitted(name, usize::from(fit.names)), style);
            for (place, column) in (self.first.1..).take(fit.columns).enumerate() {
                let x = area.x + fit.names + 1 + place as u16 * fit.column;
                let cell = Rect::new(x, y, fit.column, 1).intersection(area);
                self.draw_cell(fit, (row, column), cell, buf);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::widget::lines;
    use proptest::prelude::*;
    use ratatui::style::Color;

    fn shade_right(share: f64) -> Style {
        Style::new().bg(if share > 0.5 {
            Color::Green
        } else {
            Color::Reset
        })
    }

    fn shade_wrong(share: f64) -> Style {
        Style::new().bg(if share > 0.1 {
            Color::Red
        } else {
            Color::Reset
        })
    }

    fn map<'a>(rows: &'a [Vec<u64>], names: &'a [String]) -> HeatMap<'a> {
        HeatMap {
            rows,
            names,
            corner: "true",
            cursor: None,
            first: (0, 0),
            name: Style::new(),
            selected: Style::new().fg(Color::Blue),
            right: &shade_right,
            wrong: &shade_wrong,
        }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn drawn(map: &HeatMap, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        map.render(area, &mut buf);
        buf
    }

    #[test]
    fn numbers_stand_below_names_that_are_cut_with_an_ellipsis() {
        let names = names(&["aeroplane", "cat"]);
        let rows = [vec![90, 10], vec![0, 100]];
        let buf = drawn(&map(&rows, &names), 26, 4);
        assert_eq!(
            lines(&buf),
            [
                "true    aeropla…      cat",
                "aerop…        90       10",
                "cat            ·      100",
                ""
            ]
        );
        let ground = |x, y| buf[(x, y)].bg;
        assert_eq!(ground(15, 1), Color::Green);
        // A tenth of a row is no more than a tenth.
        assert_eq!((ground(24, 1), ground(15, 2)), (Color::Reset, Color::Reset));
    }

    #[test]
    fn without_room_for_numbers_glyphs_tell_how_much_there_is() {
        let names: Vec<String> = (0..20).map(|class| format!("class {class}")).collect();
        let rows: Vec<Vec<u64>> = (0..20)
            .map(|row| {
                (0..20)
                    .map(|column| if row == column { 900 } else { column % 3 * 8 })
                    .collect()
            })
            .collect();
        let mut map = map(&rows, &names);
        map.cursor = Some((3, 5));
        let buf = drawn(&map, 40, 22);
        let shown = lines(&buf);
        assert!(
            shown[1].contains('█') && shown[1].contains('·'),
            "{shown:?}"
        );
        assert!(shown[0].contains('▾'), "{shown:?}");
        assert!(!shown[1].contains("900"), "{shown:?}");
    }

    #[test]
    fn the_cursor_stays_in_sight() {
        let names: Vec<String> = (0..100).map(|class| class.to_string()).collect();
        let rows = vec![vec![1; 100]; 100];
        let map = map(&rows, &names);
        let fit = map.fit(Rect::new(0, 0, 60, 11));
        assert_eq!((fit.rows, fit.columns), (10, 55));
        assert_eq!(fit.follow((0, 0), (50, 70), 100), (41, 16));
        assert_eq!(fit.follow((41, 16), (45, 20), 100), (41, 16));
        assert_eq!(fit.follow((41, 16), (0, 99), 100), (0, 45));
    }

    proptest! {
        #[test]
        fn it_bears_any_matrix_in_any_area(
            classes in 0usize..30, width in 0u16..60, height in 0u16..20, count in 0u64..u64::from(u32::MAX), first in 0usize..40
        ) {
            let names: Vec<String> = (0..classes).map(|class| "界".repeat(class % 9)).collect();
            let rows = vec![vec![count; classes / 2]; classes];
            let mut map = map(&rows, &names);
            map.first = (first, first);
            map.cursor = Some((first, 2));
            drawn(&map, width, height);
        }
    }
}
