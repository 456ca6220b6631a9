//! What the screen shows: one file for each screen, part or overlay. Each has its state, how
//! actions change it, and how it is drawn; drawing only reads.

pub mod alerts;
pub mod attention;
pub mod clean;
pub mod column_editor;
pub mod columns;
pub mod compare;
pub mod confirm;
pub mod dialog;
pub mod evaluations;
pub mod form;
pub mod help;
pub mod hint_line;
pub mod line_dialog;
pub mod machine;
pub mod motion;
pub mod narrowing;
pub mod note;
pub mod opened;
pub mod parts;
pub mod picker;
pub mod preview;
pub mod queue;
pub mod rename;
pub mod run;
pub mod runs;
#[cfg(test)]
mod scenes_tests;
pub mod sort_key;
pub mod state_glyph;
#[cfg(test)]
pub mod test_driver;
pub mod trash;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::command::Scope;
use super::graphics::{Placed, Protocol};
use super::state::State;
use super::theme::Role;
use crate::component::Component;
use crate::view::parts::{areas, screen_area};

/// Draws the whole screen.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    buf.set_style(
        area,
        Style::default()
            .bg(state.theme.background())
            .patch(state.theme.style(Role::Text)),
    );
    let [main, bottom] = areas(area);
    match state.overlays.screen() {
        Some(screen) => screen.draw(state, main, buf),
        None => runs::draw(state, main, buf),
    }
    hint_line::draw(state, bottom, buf);
    for dialog in state.overlays.dialogs() {
        dialog.draw(state, main, buf);
    }
}

/// The pictures that belong on the screen in the terminal's own graphics; what lies over a screen
/// hides them.
pub fn pictures(state: &State) -> Vec<Placed> {
    let is_hidden = state.overlays.has_dialog() || state.pictures == Protocol::Blocks;
    match state.overlays.screen() {
        Some(screen) if !is_hidden => screen.pictures(screen_area(state.size)),
        _ => Vec::new(),
    }
}

/// Whether the screen has a use for the mouse; on others it is the terminal's, which selects text
/// with it.
pub fn uses_mouse(state: &State) -> bool {
    let screen = state.overlays.screen();
    let is_of_use = screen.is_some_and(|screen| screen.uses_mouse());
    state.mouse && !state.overlays.has_dialog() && is_of_use
}

/// Where keys are found: in what lies on top, else on the table or in the query that is typed
/// there.
pub fn scope(state: &State) -> Scope {
    scope_of(state.overlays.top(), state)
}

/// Where the keys of the screen are found, whatever lies over it.
pub fn screen_scope(state: &State) -> Scope {
    scope_of(state.overlays.screen(), state)
}

fn scope_of(component: Option<&dyn Component>, state: &State) -> Scope {
    match component {
        Some(component) => component.scope(state),
        None if state.runs.is_typing() => Scope::Query,
        None => Scope::Runs,
    }
}
