//! The editor of a run's note.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::super::effect::Effect;
use super::super::run_edits::EditJob;
use super::super::state::State;
use super::super::theme::Role;
use super::super::widget::editor::Editor;
use super::overlay::frame;
use crate::widget::clipped::Clipped as _;
use traintop_run::RunDir;
use traintop_run::notes::{Change, Notes};
use traintop_run::summary::Summary;

/// The note's text as it is typed.
#[derive(Debug)]
pub struct NoteEditor {
    dir: RunDir,
    /// The run, as lists call it.
    name: String,
    before: String,
    editor: Editor,
    /// Whether Esc was pressed over a changed text: once more gives it up.
    asked: bool,
}

impl NoteEditor {
    /// The editor of a run's note.
    pub fn new(summary: &Summary) -> Self {
        let (dir, name) = (summary.dir.clone(), summary.name.clone());
        Self::about_folder(dir, name, &summary.notes)
    }

    /// The editor of the note on a folder, such as an evaluation's; `name` is what lists call it.
    pub fn about_folder(dir: RunDir, name: String, notes: &Notes) -> Self {
        Self {
            dir,
            name,
            before: notes.note.clone(),
            editor: Editor::new(&notes.note),
            asked: false,
        }
    }

    /// Puts pasted text in.
    pub fn paste(&mut self, text: &str) {
        self.editor.insert(text);
    }

    fn is_changed(&self) -> bool {
        self.editor.text() != self.before
    }

    /// Whether a change would be lost that the user was not asked about yet; asks about it.
    pub fn asks_before_it_closes(&mut self) -> bool {
        self.is_changed() && !std::mem::replace(&mut self.asked, true)
    }

    /// Takes a key: gives itself back unless the key has closed it, and what is to be done.
    pub fn key(mut self, event: KeyEvent) -> (Option<Self>, Vec<Effect>) {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let asked = std::mem::take(&mut self.asked);
        match event.code {
            KeyCode::Char('s') if control => {
                let change = Change::Note(self.editor.text().to_owned());
                let order = EditJob::Annotate(vec![self.dir.clone()], change);
                let effects = self.is_changed().then_some(Effect::Edit(order));
                return (None, effects.into_iter().collect());
            }
            KeyCode::Esc if asked || !self.is_changed() => return (None, Vec::new()),
            KeyCode::Esc => self.asked = true,
            _ => drop(self.editor.key(event)),
        }
        (Some(self), Vec::new())
    }

    /// Draws it in the middle of `area`.
    ///
    /// ```text
    /// ╭ Note of quick 11-24 ─────────────╮
    /// │ seed 3                           │
    /// │ diverged at epoch 40             │
    /// │                                  │
    /// │ Ctrl-S keep   Esc leave as it was│
    /// ╰──────────────────────────────────╯
    /// ```
    pub fn draw(&self, state: &State, area: Rect, buf: &mut Buffer) {
        let theme = &state.theme;
        let width = 80.min(area.width.saturating_sub(2));
        let room = usize::from(width.saturating_sub(4));
        let shown = self.editor.rows(room);
        let height = (shown.rows.len() as u16).clamp(6, area.height.saturating_sub(6).max(6));
        let title = format!("Note of {}", self.name);
        let inside = frame(theme, &title, (width, height + 4), area, buf);
        let inside = inside.inner(Margin::new(1, 0));
        if inside.height < 3 {
            return;
        }
        let rows = usize::from(inside.height - 2);
        let top = (shown.cursor.0 + 1).saturating_sub(rows);
        for (y, row) in (inside.y..).zip(shown.rows.iter().skip(top).take(rows)) {
            buf.put_n(inside.x, y, row, room, theme.style(Role::Text));
        }
        let cursor = Rect {
            x: inside.x + (shown.cursor.1 as u16).min(inside.width - 1),
            y: inside.y + (shown.cursor.0 - top) as u16,
            width: 1,
            height: 1,
        };
        buf.set_style(cursor, theme.style(Role::PromptCursor));
        let key = theme.style(Role::Key);
        let keys = if self.asked {
            vec![
                Span::styled("the text was changed: ", theme.style(Role::Warn)),
                Span::styled("Ctrl-S", key),
                Span::raw(" keep it   "),
                Span::styled("Esc", key),
                Span::raw(" again gives it up"),
            ]
        } else {
            vec![
                Span::styled("Ctrl-S", key),
                Span::raw(" keep   "),
                Span::styled("Esc", key),
                Span::raw(" leave as it was"),
            ]
        };
        let bottom = Rect {
            y: inside.bottom() - 1,
            height: 1,
            ..inside
        };
        Line::from(keys).render(bottom, buf);
    }
}
