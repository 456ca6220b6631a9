//! What keys change in the table itself: the cursor, the order, the marks, the query.

use crossterm::event::KeyEvent;
use jiff::Timestamp;

use super::query_line::Typed;
use super::table::Runs;
use crate::command::Action;
use crate::view::motion::Motion;

impl Runs {
    /// Does what a key asks for; `height` is that of the table in rows.
    pub fn act(&mut self, action: Action, height: u16, now: Timestamp) {
        if let Some(motion) = Motion::of(action) {
            let to = motion.along(self.line(), self.line_count(), usize::from(height));
            self.move_to(to, height, now);
        }
        match action {
            Action::SortNext => self.sort_by(1),
            Action::SortPrevious => self.sort_by(-1),
            Action::SortReverse => {
                self.sort.1 = !self.sort.1;
                self.unsaved = true;
                self.arrange();
            }
            Action::Mark => self.toggle_mark(height, now),
            Action::MarkRange => self.toggle_range(now),
            Action::MarkAll => self.mark_shown(now),
            Action::MarkInvert => self.invert_marks(now),
            Action::MarkNone => self.unmark_all(now),
            Action::Fold => self.fold(),
            Action::FoldAll => self.fold_all(),
            Action::Filter => {
                self.query.editing = true;
                self.query.names(&self.rows);
            }
            Action::ClearFilter if self.leave_range() => {}
            Action::ClearFilter => {
                self.query.clear();
                self.unsaved = true;
                self.reread_query();
            }
            _ => {}
        }
        self.keep_in_sight(height);
    }

    /// Does what a command says while the filter is typed.
    pub fn act_in_query(&mut self, action: Action, height: u16, now: Timestamp) {
        let typed = self.query.act(action, &self.rows);
        self.take_in_typed(typed, height, now);
    }

    /// A key while the filter is typed.
    pub fn type_key(&mut self, event: KeyEvent, height: u16, now: Timestamp) {
        let typed = self.query.type_key(event, &self.rows);
        self.take_in_typed(typed, height, now);
    }

    /// What the table comes to show is looked at more closely once the keys rest.
    fn take_in_typed(&mut self, typed: Typed, height: u16, now: Timestamp) {
        self.moved(now);
        match typed {
            Typed::Nothing => {}
            Typed::Changed => self.typed(),
            Typed::Kept => {
                self.unsaved = true;
                self.reread_query();
            }
        }
        self.keep_in_sight(height);
    }

    /// Text that was pasted into the filter.
    pub fn paste(&mut self, text: &str) {
        self.query.insert(text, &self.rows);
        self.reread_query();
    }
}
