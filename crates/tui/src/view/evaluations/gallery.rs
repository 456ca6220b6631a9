//! Images with what was said about each: as many as fit, one after the other, or one alone as large
//! as there is room.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use crate::graphics::{Placed, Protocol};
use crate::theme::colour::Rgb;
use crate::theme::{Role, Theme};
use crate::view::motion::Motion;
use crate::widget::bars::{Bar, Bars};
use crate::widget::clipped::Clipped as _;
use crate::widget::picture::{Blocks, Picture};
use traintop_text as text;
use traintop_text::fitted;

/// The cells of a picture among others.
const PICTURE: (u16, u16) = (16, 8);
/// Beside a picture its words have at least this many columns.
const WORDS: u16 = 21;
/// A picture alone is no larger than this many rows: more pixels than it has say no more.
const LARGEST: u16 = 24;

/// One image and what is said about it.
pub struct Tile<'a> {
    /// The image, if it was kept.
    pub picture: Option<&'a Picture>,
    /// Lines above the bars.
    pub lines: Vec<Line<'a>>,
    /// Probabilities.
    pub bars: Vec<Bar<'a>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gallery {
    /// The image under the cursor.
    pub cursor: usize,
    /// Whether it is shown alone.
    pub is_alone: bool,
}

/// How many columns and rows of images there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grid {
    columns: u16,
    rows: u16,
}

impl Grid {
    fn of(area: Rect) -> Self {
        let height = PICTURE.1 + 1;
        Self {
            columns: (area.width / (PICTURE.0 + 1 + WORDS + 1)).max(1),
            rows: ((area.height + 1) / height).max(1),
        }
    }

    fn capacity(self) -> usize {
        usize::from(self.columns) * usize::from(self.rows)
    }
}

impl Gallery {
    /// Moves among `count` images as they lie in `area`.
    pub fn act(&mut self, motion: Motion, count: usize, area: Rect) {
        let grid = Grid::of(area);
        // An image alone has no others above or below it.
        let (row, page) = if self.is_alone {
            (1, 10)
        } else {
            (usize::from(grid.columns), grid.capacity())
        };
        let by = match motion {
            Motion::Left => -1,
            Motion::Right => 1,
            Motion::Up => -row.cast_signed(),
            Motion::Down => row.cast_signed(),
            _ => motion.rows(page),
        };
        self.cursor = self
            .cursor
            .saturating_add_signed(by)
            .min(count.saturating_sub(1));
    }

    /// The images in sight, from 0, and the area of each.
    fn places(self, count: usize, area: Rect) -> Vec<(usize, Rect)> {
        if area.is_empty() || count == 0 {
            return Vec::new();
        }
        if self.is_alone {
            return vec![(self.cursor.min(count - 1), area)];
        }
        let grid = Grid::of(area);
        // Pages rather than rows: a move sends two marks, not the whole gallery.
        let first = self.cursor / grid.capacity() * grid.capacity();
        let width = area.width / grid.columns;
        let height = (PICTURE.1 + 1).min(area.height);
        (first..count.min(first + grid.capacity()))
            .zip(0_u16..)
            .map(|(index, place)| {
                let (row, column) = (place / grid.columns, place % grid.columns);
                let tile = Rect {
                    x: area.x + column * width,
                    y: area.y + row * height,
                    width: width - 1,
                    height: height.min(area.bottom() - (area.y + row * height)),
                };
                (index, tile)
            })
            .collect()
    }

    /// The cells that a picture fills in its tile, after the column of the cursor's mark.
    fn picture_area(self, picture: &Picture, tile: Rect) -> Rect {
        let (columns, rows) = if self.is_alone {
            (
                tile.width.saturating_sub(WORDS + 3),
                tile.height.min(LARGEST),
            )
        } else {
            (PICTURE.0, PICTURE.1.min(tile.height))
        };
        let (width, height) = picture.fit(columns, rows);
        Rect::new(tile.x + 1, tile.y, width, height).intersection(tile)
    }

    /// Draws the images in sight; pictures in the terminal's own graphics are left blank.
    pub fn draw<'a>(
        self,
        count: usize,
        tile: &dyn Fn(usize) -> Tile<'a>,
        (theme, by): (&Theme, Protocol),
        area: Rect,
        buf: &mut Buffer,
    ) {
        for (index, place) in self.places(count, area) {
            let tile = tile(index);
            if index == self.cursor {
                for y in place.y..place.bottom().min(place.y + PICTURE.1) {
                    buf.put(place.x, y, "▌", theme.style(Role::Accent));
                }
            }
            let shown = match tile.picture {
                Some(picture) => {
                    let cells = self.picture_area(picture, place);
                    if by == Protocol::Blocks {
                        let colour = |[red, green, blue]: [u8; 3]| {
                            theme.depth().colour(Rgb(red, green, blue))
                        };
                        let colour = &colour;
                        Blocks { picture, colour }.render(cells, buf);
                    }
                    cells
                }
                None => {
                    let cells = Rect::new(place.x + 1, place.y, PICTURE.0, PICTURE.1);
                    let cells = cells.intersection(place);
                    let text = fitted("image not kept", usize::from(cells.width));
                    buf.put(cells.x, cells.y, text, theme.style(Role::Muted));
                    cells
                }
            };
            let words = Rect {
                x: shown.right() + 1,
                width: place.right().saturating_sub(shown.right() + 1),
                ..place
            };
            draw_words(&tile, index == self.cursor, theme, words, buf);
        }
    }

    /// The pictures in sight, for the terminal's own graphics.
    pub fn pictures<'a>(
        self,
        count: usize,
        picture: &dyn Fn(usize) -> Option<&'a Picture>,
        area: Rect,
    ) -> Vec<Placed> {
        let placed = |(index, place): (usize, Rect)| {
            let picture = picture(index)?;
            Some(Placed {
                area: self.picture_area(picture, place),
                picture: picture.clone(),
            })
        };
        self.places(count, area)
            .into_iter()
            .filter_map(placed)
            .collect()
    }

    /// Which of `count` images are in sight.
    pub fn note(self, count: usize, area: Rect) -> String {
        match &self.places(count, area)[..] {
            [] => String::new(),
            [(only, _)] => format!("{} of {}", only + 1, text::count(count as u64)),
            [(first, _), .., (last, _)] => {
                format!(
                    "{}-{} of {}",
                    first + 1,
                    last + 1,
                    text::count(count as u64)
                )
            }
        }
    }
}

fn draw_words(tile: &Tile, is_selected: bool, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let lines = (area.y..area.bottom()).zip(&tile.lines);
    for (y, line) in lines {
        let mut line = line.clone();
        if is_selected && y == area.y {
            line = line.patch_style(ratatui::style::Style::new().add_modifier(Modifier::BOLD));
        }
        line.render(
            Rect {
                y,
                height: 1,
                ..area
            },
            buf,
        );
    }
    let below = Rect {
        y: area.y + (tile.lines.len() as u16).min(area.height),
        height: area.height.saturating_sub(tile.lines.len() as u16),
        // Longer bars are not easier to compare.
        width: area.width.min(40),
        ..area
    };
    Bars {
        rows: &tile.bars,
        top: 0,
        rest: theme.style(Role::BarRest),
    }
    .render(below, buf);
}
