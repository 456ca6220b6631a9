//! The editor of a run's note.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::super::command::{Action, Scope};
use super::super::component::{Component, Request, Response};
use super::super::context::Context;
use super::super::effect::Effect;
use super::super::theme::Role;
use super::super::widget::editor::Editor;
use super::dialog::{frame, line_of_keys};
use crate::jobs::edits::EditJob;
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
        let (dir, name) = (summary.dir.clone(), summary.title().into_owned());
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

    /// The editor with a text that could not be saved. `saved` is what the folder has.
    pub fn unsaved(dir: RunDir, name: String, saved: &str, text: &str) -> Self {
        Self {
            dir,
            name,
            before: saved.to_owned(),
            editor: Editor::new(text),
            asked: false,
        }
    }

    fn is_changed(&self) -> bool {
        self.editor.text() != self.before
    }

    /// Whether a change would be lost that the user was not asked about yet; asks about it.
    pub fn asks_before_it_closes(&mut self) -> bool {
        self.is_changed() && !std::mem::replace(&mut self.asked, true)
    }
}

impl Component for NoteEditor {
    fn scope(&self, _context: &Context) -> Scope {
        Scope::Note
    }

    fn act(&mut self, action: Action, _context: &Context) -> Response {
        match action {
            Action::Confirm if self.is_changed() => {
                let change = Change::Note(self.editor.text().to_owned());
                let job = EditJob::Annotate(vec![self.dir.clone()], change);
                Response::closed().with(Request::Run(Effect::Edit(job)))
            }
            Action::Back if self.asks_before_it_closes() => Response::handled(),
            Action::Confirm | Action::Back => Response::closed(),
            _ => Response::ignored(),
        }
    }

    fn type_key(&mut self, event: KeyEvent, _context: &Context) -> Response {
        self.asked = false;
        self.editor.key(event);
        Response::handled()
    }

    fn paste(&mut self, text: &str) {
        self.editor.insert(text);
    }

    /// Draws it in the middle of `area`.
    ///
    /// ```text
    /// ╭ Note of quick 11-24 ─────────────╮
    /// │ seed 3                           │
    /// │ diverged at epoch 40             │
    /// │                                  │
    /// │ Ctrl-s save  Esc cancel          │
    /// ╰──────────────────────────────────╯
    /// ```
    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let theme = &context.theme;
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
        let discard = if self.asked { "discard" } else { "cancel" };
        let keys = [(Action::Confirm, "save"), (Action::Back, discard)];
        let keys = keys
            .into_iter()
            .filter_map(|(action, word)| Some((context.keymap.key_of(Scope::Note, action)?, word)));
        let mut line = line_of_keys(keys, theme, inside.width);
        if self.asked {
            let text = "The note was changed: ";
            line.spans
                .insert(0, Span::styled(text, theme.style(Role::Warn)));
        }
        let bottom = Rect {
            y: inside.bottom() - 1,
            height: 1,
            ..inside
        };
        line.render(bottom, buf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::edits::EditOutcome;
    use crate::message::Message;
    use crate::state::State;
    use crate::update::update;
    use crate::view::runs::tests::listed;
    use crate::view::test_driver::{press, screen};

    #[test]
    fn a_note_that_cannot_be_saved_comes_back_to_be_saved_again() {
        let mut state = listed(100, 30);
        press(&mut state, "m");
        let effects = press(&mut state, "seed 3<ctrl-s>");
        cannot_be_saved(&mut state, &effects);
        let shown = screen(&state);
        assert!(
            shown.contains("seed 3") && shown.contains("cannot be written"),
            "{shown}"
        );
        assert_eq!(press(&mut state, "<ctrl-s>"), effects);
    }

    #[test]
    fn a_line_that_cannot_be_saved_comes_back_to_be_saved_again() {
        // Tags, a name in lists, a folder's name; a line for the notes and tags of two runs.
        let keys = ["T", "r<tab>", "jjr", "  m", "  T"];
        for keys in keys {
            let mut state = listed(100, 30);
            press(&mut state, keys);
            let effects = press(&mut state, "better<enter>");
            cannot_be_saved(&mut state, &effects);
            let shown = screen(&state);
            let comes_back = shown.contains("better") && shown.contains("cannot be written");
            assert!(comes_back, "{keys}:\n{shown}");
            assert_eq!(press(&mut state, "<enter>"), effects, "{keys}");
        }
    }

    /// The job among the effects fails.
    fn cannot_be_saved(state: &mut State, effects: &[Effect]) {
        let [Effect::Edit(job)] = effects else {
            panic!("{effects:?}");
        };
        let failed = EditOutcome::NotSaved {
            job: job.clone(),
            problem: "notes.toml: cannot be written".to_owned(),
        };
        let now = state.context.now;
        update(state, now, Message::Edited(failed));
    }
}
