//! The last minutes of something that is measured again and again, and a line of heights from them.

use std::collections::VecDeque;

use crate::widget::sparkline::LEVELS;

/// At a look every two seconds, eight minutes.
const MOST: usize = 240;
const SECONDS: usize = 2;

/// The last measurements, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct History<T>(VecDeque<T>);

impl<T> Default for History<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> History<T> {
    /// Adds one; the oldest goes where there are too many.
    pub fn push(&mut self, value: T) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }

    /// The newest.
    pub fn last(&self) -> Option<&T> {
        self.0.back()
    }

    pub fn of(&self, number: impl Fn(&T) -> f32) -> Vec<f32> {
        self.0.iter().map(number).collect()
    }

    /// As [`trend_bars`].
    pub fn trend(&self, number: impl Fn(&T) -> f32, full: f32, width: usize) -> String {
        trend_bars(&self.of(number), full, width)
    }

    /// How long it reaches back: `, the last 4 min`; nothing for a single look.
    pub fn span(&self) -> String {
        let seconds = self.0.len().saturating_sub(1) * SECONDS;
        match seconds {
            0 => String::new(),
            1..120 => format!(", the last {seconds} s"),
            _ => format!(", the last {} min", seconds / 60),
        }
    }
}

/// One character a cell, the newest at the right: the mean of the values that share it, an eighth
/// of `full` a step. Where there are fewer values than cells, it begins with blanks.
pub fn trend_bars(values: &[f32], full: f32, width: usize) -> String {
    let cells = width.min(values.len());
    let mut text = " ".repeat(width - cells);
    text.extend((0..cells).map(|cell| {
        let here = &values[cell * values.len() / cells..(cell + 1) * values.len() / cells];
        let mean = here.iter().sum::<f32>() / here.len() as f32;
        let level = (mean / full.max(f32::MIN_POSITIVE) * 8.0).clamp(0.0, 7.0) as usize;
        LEVELS[level]
    }));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_full_at_its_end_and_means_share_a_cell() {
        assert_eq!(trend_bars(&[0.0, 50.0, 100.0], 100.0, 5), "  ▁▅█");
        assert_eq!(trend_bars(&[0.0, 100.0, 100.0, 100.0], 100.0, 2), "▅█");
        assert_eq!(trend_bars(&[], 100.0, 3), "   ");
        assert_eq!(trend_bars(&[3.0], 0.0, 0), "");
        assert_eq!(trend_bars(&[300.0, f32::NAN], 100.0, 2), "█▁");
    }

    #[test]
    fn only_the_last_minutes_are_kept() {
        let mut history = History::default();
        for number in 0..MOST + 5 {
            history.push(number);
        }
        assert_eq!(history.of(|number| *number as f32)[0], 5.0);
        assert_eq!(
            (history.last(), history.span().as_str()),
            (Some(&(MOST + 4)), ", the last 7 min")
        );
    }
}
