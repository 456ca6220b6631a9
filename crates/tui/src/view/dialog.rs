//! What can lie over a screen, one at a time.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use super::super::effect::Effect;
use super::super::state::State;
use super::super::theme::{Role, Theme};
use super::{
    alerts, column_editor, confirm, evaluations, form, help, line_dialog, machine, note, picker,
    queue, rename,
};

/// Something over the screen.
#[derive(Debug)]
pub enum Overlay {
    /// The keys of the screen.
    Help(help::Help),
    /// A question.
    Confirm(confirm::Confirm),
    /// A line about a run.
    Ask(Box<line_dialog::LineDialog>),
    Note(Box<note::NoteEditor>),
    /// A template for the names of many runs.
    Rename(Box<rename::Renaming>),
    Evaluate(Box<evaluations::Form>),
    /// The columns to choose from.
    Columns(Box<column_editor::ColumnEditor>),
    /// The runs that wait.
    Queue(Box<queue::QueueList>),
    /// The last alerts.
    Alerts(Box<alerts::AlertList>),
    /// What the machine and its runs use.
    Machine(Box<machine::MachineView>),
    /// The name of a recipe to be kept.
    SaveAs(Box<form::save::SaveAs>),
    Pick(Box<picker::Picker>),
}

impl Overlay {
    /// Draws it over `area`.
    pub fn draw(&self, state: &State, area: Rect, buf: &mut Buffer) {
        match self {
            Self::Help(help) => help.draw(state, area, buf),
            Self::Confirm(confirm) => confirm.draw(state, area, buf),
            Self::Ask(ask) => ask.draw(state, area, buf),
            Self::Note(editor) => editor.draw(state, area, buf),
            Self::Rename(renaming) => renaming.draw(state, area, buf),
            Self::Evaluate(form) => form.draw(state, area, buf),
            Self::Columns(chooser) => chooser.draw(state, area, buf),
            Self::Queue(list) => list.draw(state, area, buf),
            Self::Alerts(list) => list.draw(state, area, buf),
            Self::Machine(view) => view.draw(state, area, buf),
            Self::SaveAs(saving) => saving.draw(state, area, buf),
            Self::Pick(list) => list.draw(state, area, buf),
        }
    }
}

/// Gives a key to the overlay.
pub fn key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    // Taken out, so that what it does to the state may open another.
    match state.overlay.take() {
        None => {}
        Some(Overlay::Ask(ask)) => {
            let (left, effects) = ask.key(event);
            state.overlay = left.map(|ask| Overlay::Ask(Box::new(ask)));
            return effects;
        }
        Some(Overlay::Note(editor)) => {
            let (left, effects) = editor.key(event);
            state.overlay = left.map(|editor| Overlay::Note(Box::new(editor)));
            return effects;
        }
        Some(Overlay::Rename(renaming)) => {
            let (left, effects) = renaming.key(event);
            state.overlay = left.map(|renaming| Overlay::Rename(Box::new(renaming)));
            return effects;
        }
        Some(Overlay::SaveAs(saving)) => {
            let (left, effects) = saving.key(event);
            state.overlay = left.map(|saving| Overlay::SaveAs(Box::new(saving)));
            return effects;
        }
        Some(Overlay::Evaluate(form)) => return form.key(state, event),
        Some(Overlay::Columns(chooser)) => {
            let left = chooser.key(state, event);
            state.overlay = left.map(|chooser| Overlay::Columns(Box::new(chooser)));
        }
        Some(Overlay::Queue(list)) => {
            let (left, effects) = list.key(state, event);
            if let Some(list) = left {
                state.overlay = Some(Overlay::Queue(Box::new(list)));
            }
            return effects;
        }
        Some(Overlay::Alerts(list)) => {
            let (left, effects) = list.key(state, event);
            if let Some(list) = left {
                state.overlay = Some(Overlay::Alerts(Box::new(list)));
            }
            return effects;
        }
        Some(Overlay::Machine(mut view)) => {
            let closed = view.key(state, event);
            state.overlay = (!closed).then_some(Overlay::Machine(view));
        }
        Some(Overlay::Pick(list)) => {
            let (left, effects) = picker::key(*list, state, event);
            if let Some(list) = left {
                state.overlay = Some(Overlay::Pick(Box::new(list)));
            }
            return effects;
        }
        Some(Overlay::Help(_)) if event.code == KeyCode::Esc => {}
        Some(Overlay::Help(mut help)) => {
            let closed = help.key(event);
            state.overlay = (!closed).then_some(Overlay::Help(help));
        }
        Some(Overlay::Confirm(confirm)) => match event.code {
            KeyCode::Char('y') | KeyCode::Enter => return vec![confirm.then],
            KeyCode::Char('n' | 'q') | KeyCode::Esc => {}
            _ => state.overlay = Some(Overlay::Confirm(confirm)),
        },
    }
    Vec::new()
}

/// Clears a frame of at most `width` x `height` in the middle of `area`, draws its border and title, and returns its inside.
pub fn frame(
    theme: &Theme,
    title: &str,
    (width, height): (u16, u16),
    area: Rect,
    buf: &mut Buffer,
) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    Clear.render(place, buf);
    buf.set_style(
        place,
        Style::default()
            .bg(theme.background())
            .patch(theme.style(Role::Text)),
    );
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.style(Role::BorderFocused))
        .title(format!(" {title} "))
        .title_style(theme.style(Role::Title));
    let inside = block.inner(place);
    block.render(place, buf);
    inside
}
