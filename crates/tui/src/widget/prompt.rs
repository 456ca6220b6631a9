//! A line that is typed: insert, delete, move, by character and by word.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use traintop_text::clean;

/// The cursor of a line that is typed.
pub const CURSOR: &str = "▏";

/// The text and where the cursor is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    chars: Vec<char>,
    cursor: usize,
    /// Whether all of it is selected: what is typed next replaces it.
    is_selected: bool,
}

impl Prompt {
    /// A prompt that holds `text`, with the cursor at its end.
    pub fn new(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        Self {
            cursor: chars.len(),
            chars,
            is_selected: false,
        }
    }

    /// The same with all of it selected: what is typed replaces it; a key that moves the cursor
    /// keeps it.
    pub fn selected(text: &str) -> Self {
        Self {
            is_selected: !text.is_empty(),
            ..Self::new(text)
        }
    }

    pub fn is_selected(&self) -> bool {
        self.is_selected
    }

    /// A prompt that holds `text`, with the cursor after its first `cursor` characters.
    pub fn with_cursor(text: &str, cursor: usize) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let cursor = cursor.min(chars.len());
        Self {
            chars,
            cursor,
            is_selected: false,
        }
    }

    pub fn text(&self) -> String {
        self.chars.iter().collect()
    }

    /// The cursor's place, in characters from the start.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// What stands before the cursor and behind it, as much as keeps the cursor in sight in
    /// `room` columns.
    pub fn halves(&self, room: usize) -> (String, String) {
        let from = (self.cursor + 1).saturating_sub(room.max(1));
        let (before, after) = self.chars.split_at(self.cursor);
        (before[from..].iter().collect(), after.iter().collect())
    }

    /// The same as a line with the cursor in it.
    pub fn line(&self, room: usize, cursor: Style) -> Line<'static> {
        let (before, after) = self.halves(room);
        let bar = Span::styled(CURSOR, cursor);
        Line::from(vec![Span::raw(before), bar, Span::raw(after)])
    }

    /// Puts text in at the cursor, on one line and harmless.
    pub fn insert(&mut self, text: &str) {
        self.drop_selection();
        for char in clean(text.trim_end_matches(['\r', '\n'])).chars() {
            self.chars.insert(self.cursor, char);
            self.cursor += 1;
        }
    }

    /// Deletes the text if it is selected.
    fn drop_selection(&mut self) -> bool {
        let is_dropped = std::mem::take(&mut self.is_selected);
        if is_dropped {
            self.chars.clear();
            self.cursor = 0;
        }
        is_dropped
    }

    fn word_start(&self) -> usize {
        let before = &self.chars[..self.cursor];
        let end = before
            .iter()
            .rposition(|char| !char.is_whitespace())
            .map_or(0, |at| at + 1);
        before[..end]
            .iter()
            .rposition(|char| char.is_whitespace())
            .map_or(0, |at| at + 1)
    }

    /// Takes a key; says whether the text changed.
    pub fn key(&mut self, event: KeyEvent) -> bool {
        let before = self.chars.len();
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        match event.code {
            KeyCode::Char(_) if !control => drop(self.drop_selection()),
            KeyCode::Backspace | KeyCode::Delete if self.drop_selection() => return true,
            _ => self.is_selected = false,
        }
        match event.code {
            KeyCode::Char('u') if control => {
                drop(self.chars.drain(..std::mem::take(&mut self.cursor)))
            }
            KeyCode::Char('k') if control => self.chars.truncate(self.cursor),
            KeyCode::Char('w') if control => {
                let start = self.word_start();
                self.chars.drain(start..self.cursor);
                self.cursor = start;
            }
            KeyCode::Char('a') if control => self.cursor = 0,
            KeyCode::Char('e') if control => self.cursor = self.chars.len(),
            KeyCode::Char(char) if !control => {
                self.chars.insert(self.cursor, char);
                self.cursor += 1;
            }
            KeyCode::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.chars.remove(self.cursor);
            }
            KeyCode::Delete if self.cursor < self.chars.len() => {
                self.chars.remove(self.cursor);
            }
            KeyCode::Left => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Right => self.cursor = (self.cursor + 1).min(self.chars.len()),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.chars.len(),
            _ => {}
        }
        self.chars.len() != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_edit_the_line() {
        let mut prompt = Prompt::default();
        prompt.insert("two words\n");
        let press =
            |prompt: &mut Prompt, code, modifiers| prompt.key(KeyEvent::new(code, modifiers));
        assert!(press(
            &mut prompt,
            KeyCode::Char('w'),
            KeyModifiers::CONTROL
        ));
        assert_eq!(prompt.text(), "two ");
        assert!(!press(&mut prompt, KeyCode::Home, KeyModifiers::NONE));
        assert!(press(&mut prompt, KeyCode::Delete, KeyModifiers::NONE));
        assert!(press(&mut prompt, KeyCode::Char('猫'), KeyModifiers::NONE));
        assert_eq!((prompt.text().as_str(), prompt.cursor()), ("猫wo ", 1));
        assert!(press(&mut prompt, KeyCode::Backspace, KeyModifiers::NONE));
        assert!(!press(&mut prompt, KeyCode::Backspace, KeyModifiers::NONE));
        prompt.insert("a\u{1b}[31mb");
        assert_eq!(prompt.text(), "abwo ");
    }
}
