//! A list that is narrowed by typing: the text, and the row that the cursor is on.

use crossterm::event::KeyEvent;

use super::motion::Motion;
use crate::widget::prompt::Prompt;

/// What was typed, and the cursor among the rows that it leaves.
#[derive(Debug, Default)]
pub struct Narrowing {
    pub prompt: Prompt,
    pub cursor: usize,
}

impl Narrowing {
    /// Nothing typed, with the cursor on a row.
    pub fn at(cursor: usize) -> Self {
        Self {
            prompt: Prompt::default(),
            cursor,
        }
    }

    /// Takes a key that is text; other text leaves other rows, and the cursor goes to the first.
    pub fn type_key(&mut self, event: KeyEvent) {
        if self.prompt.key(event) {
            self.cursor = 0;
        }
    }

    pub fn paste(&mut self, text: &str) {
        self.prompt.insert(text);
        self.cursor = 0;
    }

    /// Moves among `count` rows, of which `page` fit.
    pub fn step(&mut self, motion: Motion, count: usize, page: usize) {
        self.cursor = motion.along(self.cursor, count, page);
    }

    /// Keeps the cursor on one of `count` rows.
    pub fn stay_within(&mut self, count: usize) {
        self.cursor = self.cursor.min(count.saturating_sub(1));
    }
}
