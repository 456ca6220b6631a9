//! A thin curve in a few cells of one row: the trend column of the table. It is quiet, on a scale
//! that rows share, and marks the best value.

use crate::widget::clipped::Clipped as _;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

/// Dots of a cell: two beside each other, four above each other.
const ACROSS: usize = 2;
const HEIGHTS: usize = 4;
/// The bits of a cell's dots in Unicode's braille, of the left and the right column, from below.
const DOTS: [[u32; HEIGHTS]; ACROSS] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];
const NOT_FINITE: char = '×';
/// Of the pooled values, the part on the worse side that lies below the scale: the beginning of a
/// curve would press the rest flat.
const CUT: f64 = 0.3;

/// The range of values that rows share; values beyond lie on its edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    low: f32,
    high: f32,
}

impl Scale {
    /// The scale of these curves of one metric; `None` without a finite value. `is_higher_better`
    /// says on which side the early values are, which are left out.
    pub fn of<'a>(
        curves: impl IntoIterator<Item = &'a [f32]>,
        is_higher_better: bool,
    ) -> Option<Self> {
        let curves = curves.into_iter();
        let mut values: Vec<f32> = curves
            .flatten()
            .copied()
            .filter(|value| value.is_finite())
            .collect();
        values.sort_by(f32::total_cmp);
        let (first, last) = (*values.first()?, *values.last()?);
        let at = |part: f64| values[((values.len() - 1) as f64 * part) as usize];
        Some(if is_higher_better {
            Self {
                low: at(CUT),
                high: last,
            }
        } else {
            Self {
                low: first,
                high: at(1.0 - CUT),
            }
        })
    }

    /// The height of a value in dots, the lowest 0.
    fn height(self, value: f32) -> usize {
        let (low, high) = (f64::from(self.low), f64::from(self.high));
        if high <= low {
            return HEIGHTS / 2;
        }
        let part = (f64::from(value) - low) / (high - low) * HEIGHTS as f64;
        (part.max(0.0) as usize).min(HEIGHTS - 1)
    }
}

/// A curve; `×` where a value is NaN or infinite.
#[derive(Debug, Clone, Copy)]
pub struct Trend<'a> {
    /// The values, oldest first.
    pub values: &'a [f32],
    pub scale: Scale,
    /// The number of the best value.
    pub best: Option<usize>,
    pub style: Style,
    /// Of the cell with the best value.
    pub best_style: Style,
    /// Of the `×`.
    pub bad_style: Style,
}

impl Trend<'_> {
    /// The values that share one of `count` columns of dots.
    fn shared(&self, column: usize, count: usize) -> &[f32] {
        let len = self.values.len();
        &self.values[column * len / count..(column + 1) * len / count]
    }

    /// A character for each cell.
    fn cells(&self, width: usize) -> Vec<char> {
        let count = (width * ACROSS).min(self.values.len());
        let mut before = None;
        let heights: Vec<Option<usize>> = (0..count)
            .map(|column| {
                let here = self.shared(column, count);
                if here.iter().any(|value| !value.is_finite()) {
                    return None;
                }
                // The one farthest from the column before, so that a lone spike shows.
                let distance = |value: &f32| (value - before.unwrap_or(*value)).abs();
                let shown = here.iter().copied();
                before = shown.max_by(|a, b| distance(a).total_cmp(&distance(b)));
                before.map(|value| self.scale.height(value))
            })
            .collect();
        let cell = |columns: &[Option<usize>]| {
            let bits = columns
                .iter()
                .zip(DOTS)
                .try_fold(0, |bits, (height, dots)| {
                    height.map(|height| bits | dots[height])
                });
            bits.and_then(|bits| char::from_u32(0x2800 + bits))
                .unwrap_or(NOT_FINITE)
        };
        heights.chunks(ACROSS).map(cell).collect()
    }
}

impl Widget for Trend<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let cells = self.cells(usize::from(area.width));
        let count = (cells.len() * ACROSS).min(self.values.len());
        let column_of =
            |best: usize| (0..count).find(|column| (column + 1) * self.values.len() / count > best);
        let best = self.best.and_then(column_of).map(|column| column / ACROSS);
        for (at, symbol) in cells.into_iter().enumerate() {
            let style = match symbol {
                NOT_FINITE => self.bad_style,
                _ if best == Some(at) => self.best_style,
                _ => self.style,
            };
            buf.put_char(area.x + at as u16, area.y, symbol, style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trend(values: &[f32], scale: Scale) -> Trend<'_> {
        Trend {
            values,
            scale,
            best: None,
            style: Style::new(),
            best_style: Style::new(),
            bad_style: Style::new(),
        }
    }

    fn text(values: &[f32], low: f32, high: f32, width: usize) -> String {
        trend(values, Scale { low, high })
            .cells(width)
            .into_iter()
            .collect()
    }

    #[test]
    fn dots_follow_the_values() {
        assert_eq!(text(&[0.0, 1.0, 2.0, 3.0], 0.0, 3.0, 4), "⡠⠊");
        assert_eq!(text(&[3.0, 2.0, 1.0, 0.0], 0.0, 3.0, 2), "⠑⢄");
        assert_eq!(text(&[1.0; 4], 1.0, 1.0, 2), "⠒⠒");
        assert_eq!(text(&[], 0.0, 1.0, 8), "");
        assert_eq!(text(&[5.0, -5.0], 0.0, 1.0, 8), "⢁");
    }

    #[test]
    fn a_lone_spike_shows_and_what_is_not_finite_too() {
        let mut values = [0.0; 64];
        values[37] = 1.0;
        assert_eq!(text(&values, 0.0, 1.0, 4), "⣀⣀⢁⣀");
        assert_eq!(text(&[0.0, f32::NAN, 1.0, 1.0], 0.0, 1.0, 2), "×⠉");
    }

    #[test]
    fn a_scale_leaves_the_early_values_out() {
        let rising: Vec<f32> = (0..=10).map(|value| value as f32).collect();
        let falling: Vec<f32> = rising.iter().rev().copied().collect();
        let of = |values: &[f32], is_higher| Scale::of([values], is_higher);
        assert_eq!(
            of(&rising, true),
            Some(Scale {
                low: 3.0,
                high: 10.0
            })
        );
        assert_eq!(
            of(&falling, false),
            Some(Scale {
                low: 0.0,
                high: 7.0
            })
        );
        assert_eq!(of(&[f32::NAN], true), None);
        assert_eq!(of(&[], true), None);
    }

    #[test]
    fn the_cell_with_the_best_value_is_marked() {
        let values = [0.0, 1.0, 5.0, 2.0, 2.0, 2.0];
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 1));
        let best_style = Style::new().bold();
        let scale = Scale {
            low: 0.0,
            high: 5.0,
        };
        let marked = Trend {
            best: Some(2),
            best_style,
            ..trend(&values, scale)
        };
        marked.render(Rect::new(0, 0, 9, 3), &mut buf);
        let is_bold = |x| {
            buf[(x, 0)]
                .modifier
                .contains(ratatui::style::Modifier::BOLD)
        };
        assert_eq!([0, 1, 2].map(is_bold), [false, true, false]);
    }

    proptest! {
        #[test]
        fn never_wider_than_asked(
            values in proptest::collection::vec(any::<f32>(), 0..100),
            width in 0usize..80,
            best in proptest::option::of(0usize..100),
        ) {
            let scale = Scale::of([values.as_slice()], true).unwrap_or(Scale { low: 0.0, high: 0.0 });
            let trend = Trend { best: best.filter(|best| *best < values.len()), ..trend(&values, scale) };
            prop_assert!(trend.cells(width).len() <= width);
            trend.render(Rect::new(0, 0, width as u16, 1), &mut Buffer::empty(Rect::new(0, 0, 80, 1)));
        }
    }
}
