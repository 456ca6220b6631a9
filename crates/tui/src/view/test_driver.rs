//! For tests: keys in, screens out.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::run::tests::text;
use crate::effect::Effect;
use crate::message::Message;
use crate::state::State;
use crate::update::update;

/// Presses these keys one after the other, at the state's own time; returns all orders that follow.
pub fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for key in keys.chars() {
        let code = match key {
            '\n' | '\r' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            '\x1b' => KeyCode::Esc,
            '→' => KeyCode::Right,
            key => KeyCode::Char(key),
        };
        let event = KeyEvent::new(code, KeyModifiers::NONE);
        let now = state.now;
        effects.extend(update(state, now, Message::Key(event)));
    }
    effects
}

/// The screen.
pub fn drawn(state: &State) -> Buffer {
    let area = Rect::new(0, 0, state.size.0, state.size.1);
    let mut buf = Buffer::empty(area);
    super::draw(state, area, &mut buf);
    buf
}

/// Its text.
pub fn screen(state: &State) -> String {
    text(&drawn(state))
}
