//! For tests: keys in, screens out.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::run::tests::text;
use crate::effect::Effect;
use crate::keymap::Key;
use crate::message::Message;
use crate::state::State;
use crate::update::update;

/// The text of the line at the bottom.
pub fn notice(state: &State) -> &str {
    &state
        .context
        .notice
        .as_ref()
        .expect("there is a notice")
        .text
}

/// Presses these keys one after the other, at the state's own time; returns all orders that follow.
/// A key that is no character is written as `<esc>`, `<ctrl-s>`, or `\n` for Enter.
pub fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut rest = keys;
    while let Some(char) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let named = named.and_then(|(name, after)| Some((name.parse::<Key>().ok()?, after)));
        let (event, after) = match named {
            Some((key, after)) => (key.event(), after),
            None => {
                let code = match char {
                    '\n' | '\r' => KeyCode::Enter,
                    '\t' => KeyCode::Tab,
                    '\x1b' => KeyCode::Esc,
                    '→' => KeyCode::Right,
                    char => KeyCode::Char(char),
                };
                let event = KeyEvent::new(code, KeyModifiers::NONE);
                (event, &rest[char.len_utf8()..])
            }
        };
        rest = after;
        let now = state.context.now;
        effects.extend(update(state, now, Message::Key(event)));
    }
    effects
}

/// The screen.
pub fn drawn(state: &State) -> Buffer {
    let area = Rect::new(0, 0, state.context.size.0, state.context.size.1);
    let mut buf = Buffer::empty(area);
    super::draw(state, area, &mut buf);
    buf
}

/// Its text.
pub fn screen(state: &State) -> String {
    text(&drawn(state))
}
