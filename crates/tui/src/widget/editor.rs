//! A text of several lines that is typed: insert, delete and move, by character, word and line.

use std::ops::Range;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use traintop_text::clean;

/// The text and where the cursor is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Editor {
    text: String,
    /// In bytes from the start; always between two characters as people see them.
    cursor: usize,
    /// The column in cells to which moves between lines go back after a shorter line.
    goal: Option<usize>,
}

/// The text as it is drawn in some width.
#[derive(Debug, PartialEq, Eq)]
pub struct Rows<'a> {
    /// What stands on each row.
    pub rows: Vec<&'a str>,
    /// The cursor's row and its column in cells.
    pub cursor: (usize, usize),
}

impl Editor {
    /// An editor of `text`, with the cursor at its end.
    pub fn new(text: &str) -> Self {
        let mut editor = Self::default();
        editor.insert(text);
        editor
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Puts text in at the cursor, harmless, its lines as they are.
    pub fn insert(&mut self, text: &str) {
        let lines: Vec<_> = text
            .split('\n')
            .map(|line| clean(line.trim_end_matches('\r')))
            .collect();
        let text = lines.join("\n");
        self.text.insert_str(self.cursor, &text);
        self.cursor += text.len();
        // What was put in may have become part of the character after it.
        while !self.is_between(self.cursor) {
            self.cursor += 1;
        }
    }

    fn is_between(&self, at: usize) -> bool {
        at == self.text.len()
            || self
                .text
                .grapheme_indices(true)
                .any(|(start, _)| start == at)
    }

    fn before(&self) -> usize {
        let mut before = self.text[..self.cursor].grapheme_indices(true);
        before.next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let next = self.text[self.cursor..].graphemes(true).next();
        self.cursor + next.map_or(0, str::len)
    }

    /// The line around a place, without its end.
    fn line(&self, at: usize) -> Range<usize> {
        let start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = self.text[at..]
            .find('\n')
            .map_or(self.text.len(), |end| at + end);
        start..end
    }

    fn word_before(&self) -> usize {
        let before = self.text[..self.cursor].trim_end();
        let start = before.rfind(char::is_whitespace);
        let mut at = start.map_or(0, |at| {
            at + before[at..].chars().next().map_or(0, char::len_utf8)
        });
        // A blank with an accent on it is one character.
        while !self.is_between(at) {
            at -= 1;
        }
        at
    }

    fn word_after(&self) -> usize {
        let after = &self.text[self.cursor..];
        let word = after.len() - after.trim_start().len();
        let end = after[word..].find(char::is_whitespace);
        let mut at = self.cursor + end.map_or(after.len(), |end| word + end);
        while !self.is_between(at) {
            at += 1;
        }
        at
    }

    /// To the line that `at` is in, as near to the cursor's column as it reaches.
    fn go_to_line(&mut self, at: usize) {
        let own = self.line(self.cursor);
        let goal = *self
            .goal
            .get_or_insert_with(|| self.text[own.start..self.cursor].width());
        let line = self.line(at);
        let mut column = 0;
        self.cursor = line.end;
        for (at, cluster) in self.text[line.clone()].grapheme_indices(true) {
            column += cluster.width();
            if column > goal {
                self.cursor = line.start + at;
                break;
            }
        }
    }

    fn delete(&mut self, range: Range<usize>) {
        self.cursor = range.start;
        self.text.replace_range(range, "");
        // What is left may have grown together.
        while !self.is_between(self.cursor) {
            self.cursor -= 1;
        }
    }

    /// Takes a key; says whether the text changed.
    pub fn key(&mut self, event: KeyEvent) -> bool {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        let line = self.line(self.cursor);
        let length = self.text.len();
        let goal = self.goal.take();
        match event.code {
            KeyCode::Up if line.start > 0 => {
                self.goal = goal;
                self.go_to_line(line.start - 1);
            }
            KeyCode::Down if line.end < length => {
                self.goal = goal;
                self.go_to_line(line.end + 1);
            }
            KeyCode::Up => self.cursor = 0,
            KeyCode::Down => self.cursor = length,
            KeyCode::Left if control => self.cursor = self.word_before(),
            KeyCode::Right if control => self.cursor = self.word_after(),
            KeyCode::Left => self.cursor = self.before(),
            KeyCode::Right => self.cursor = self.after(),
            KeyCode::Home if control => self.cursor = 0,
            KeyCode::End if control => self.cursor = length,
            KeyCode::Home => self.cursor = line.start,
            KeyCode::End => self.cursor = line.end,
            KeyCode::Char('a') if control => self.cursor = line.start,
            KeyCode::Char('e') if control => self.cursor = line.end,
            KeyCode::Char('u') if control => self.delete(line.start..self.cursor),
            KeyCode::Char('k') if control => self.delete(self.cursor..line.end),
            KeyCode::Char('w') if control => self.delete(self.word_before()..self.cursor),
            KeyCode::Backspace => self.delete(self.before()..self.cursor),
            KeyCode::Delete => self.delete(self.cursor..self.after()),
            KeyCode::Enter => self.insert("\n"),
            KeyCode::Char('j') if control => self.insert("\n"),
            KeyCode::Char(char) if !control && !alt => self.insert(char.encode_utf8(&mut [0; 4])),
            _ => {}
        }
        self.text.len() != length
    }

    /// The text on rows of at most `width` cells, broken where a line is longer. Behind a full row
    /// the cursor stands on the next one.
    pub fn rows(&self, width: usize) -> Rows<'_> {
        let width = width.max(1);
        let (mut rows, mut cursor) = (Vec::new(), (0, 0));
        let mut start = 0;
        for line in self.text.split('\n') {
            let end = start + line.len();
            let (mut row, mut used) = (start, 0);
            for (at, cluster) in line.grapheme_indices(true) {
                let at = start + at;
                if used + cluster.width() > width && used > 0 {
                    rows.push(&self.text[row..at]);
                    (row, used) = (at, 0);
                }
                if at == self.cursor {
                    cursor = (rows.len(), used);
                }
                used += cluster.width();
            }
            if end == self.cursor {
                cursor = (rows.len(), used);
            }
            rows.push(&self.text[row..end]);
            if cursor == (rows.len() - 1, width) && end == self.cursor {
                cursor = (rows.len(), 0);
                rows.push("");
            }
            start = end + 1;
        }
        Rows { rows, cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn press(editor: &mut Editor, code: KeyCode, modifiers: KeyModifiers) -> bool {
        editor.key(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn lines_are_typed_and_walked_with_the_column_kept() {
        let mut editor = Editor::new("long line\nab\n猫猫 third");
        let up = |editor: &mut Editor| press(editor, KeyCode::Up, KeyModifiers::NONE);
        press(&mut editor, KeyCode::Home, KeyModifiers::NONE);
        press(&mut editor, KeyCode::Right, KeyModifiers::NONE);
        press(&mut editor, KeyCode::Right, KeyModifiers::NONE);
        up(&mut editor);
        assert_eq!(&editor.text()[..editor.cursor], "long line\nab");
        up(&mut editor);
        assert_eq!(&editor.text()[..editor.cursor], "long");
        press(&mut editor, KeyCode::Enter, KeyModifiers::NONE);
        assert_eq!(editor.text(), "long\n line\nab\n猫猫 third");
        assert!(press(&mut editor, KeyCode::Backspace, KeyModifiers::NONE));
        press(&mut editor, KeyCode::Right, KeyModifiers::CONTROL);
        assert!(press(
            &mut editor,
            KeyCode::Char('w'),
            KeyModifiers::CONTROL
        ));
        assert_eq!(editor.text(), "long \nab\n猫猫 third");
        press(&mut editor, KeyCode::Down, KeyModifiers::NONE);
        assert!(press(
            &mut editor,
            KeyCode::Char('u'),
            KeyModifiers::CONTROL
        ));
        assert_eq!(editor.text(), "long \n\n猫猫 third");
        up(&mut editor);
        up(&mut editor);
        assert_eq!(editor.cursor, 0);
        assert!(press(
            &mut editor,
            KeyCode::Char('k'),
            KeyModifiers::CONTROL
        ));
        press(&mut editor, KeyCode::Delete, KeyModifiers::NONE);
        assert_eq!(editor.text(), "\n猫猫 third");
    }

    #[test]
    fn long_lines_are_broken_and_the_cursor_is_found() {
        let mut editor = Editor::new("abcdef\n猫猫");
        assert_eq!(editor.rows(3).rows, ["abc", "def", "猫", "猫"]);
        assert_eq!(editor.rows(3).cursor, (3, 2));
        assert_eq!(editor.rows(4).cursor, (3, 0), "behind a full row");
        press(&mut editor, KeyCode::Home, KeyModifiers::CONTROL);
        assert_eq!(editor.rows(3).cursor, (0, 0));
        editor.insert("x\u{1b}[31m\r\ny");
        assert_eq!(editor.text(), "x\nyabcdef\n猫猫");
    }

    #[test]
    fn a_word_ends_between_characters_also_at_a_blank_with_an_accent() {
        let mut editor = Editor::new("a \u{301}b");
        press(&mut editor, KeyCode::Left, KeyModifiers::CONTROL);
        assert_eq!(editor.cursor, 1);
        press(&mut editor, KeyCode::Right, KeyModifiers::CONTROL);
        assert!(editor.is_between(editor.cursor));
    }

    proptest! {
        #[test]
        fn any_keys_leave_whole_characters(text in "(?s).{0,20}", keys in prop::collection::vec(0..16_usize, 0..40)) {
            let mut editor = Editor::new(&text);
            let codes = [
                KeyCode::Up, KeyCode::Down, KeyCode::Left, KeyCode::Right, KeyCode::Home, KeyCode::End, KeyCode::Backspace,
                KeyCode::Delete, KeyCode::Enter, KeyCode::Char('a'), KeyCode::Char('u'), KeyCode::Char('k'), KeyCode::Char('w'),
                KeyCode::Char('\u{301}'), KeyCode::Char('猫'), KeyCode::Char('\u{1f1e9}'),
            ];
            for (number, key) in keys.into_iter().enumerate() {
                let modifiers = if number % 3 == 0 { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
                press(&mut editor, codes[key], modifiers);
                prop_assert!(editor.is_between(editor.cursor), "{:?}", editor);
                let rows = editor.rows(5);
                prop_assert_eq!(rows.rows.concat(), editor.text().replace('\n', ""));
                prop_assert!(rows.cursor.0 < rows.rows.len());
            }
        }
    }
}
