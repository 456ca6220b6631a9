//! What can lie over a screen, one at a time.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use super::super::effect::Effect;
use super::super::state::State;
use super::super::theme::{Role, Theme};
use super::{confirm, help};

/// Something over the screen.
#[derive(Debug)]
pub enum Overlay {
    /// The keys of the screen.
    Help(help::Help),
    /// A question.
    Confirm(confirm::Confirm),
}

impl Overlay {
    /// Draws it over `area`.
    pub fn draw(&self, state: &State, area: Rect, buf: &mut Buffer) {
        match self {
            Self::Help(help) => help.draw(state, area, buf),
            Self::Confirm(confirm) => confirm.draw(state, area, buf),
        }
    }
}

/// Gives a key to the overlay.
pub fn key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    let Some(overlay) = &mut state.overlay else {
        return Vec::new();
    };
    if event.code == KeyCode::Esc {
        state.overlay = None;
        return Vec::new();
    }
    match overlay {
        Overlay::Help(help) => {
            if help.key(event) {
                state.overlay = None;
            }
            Vec::new()
        }
        Overlay::Confirm(confirm) => match event.code {
            KeyCode::Char('y') | KeyCode::Enter => {
                let effects = vec![confirm.then.clone()];
                state.overlay = None;
                effects
            }
            KeyCode::Char('n' | 'q') => {
                state.overlay = None;
                Vec::new()
            }
            _ => Vec::new(),
        },
    }
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
