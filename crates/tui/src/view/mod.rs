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
mod matching;
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
use super::context::Context;
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
            .bg(state.context.theme.background())
            .patch(state.context.theme.style(Role::Text)),
    );
    let [main, bottom] = areas(area);
    match state.overlays.screen() {
        Some(screen) => screen.draw(&state.context, main, buf),
        None => runs::draw(&state.context, main, buf),
    }
    hint_line::draw(&state.context, &state.overlays, bottom, buf);
    for dialog in state.overlays.dialogs() {
        dialog.draw(&state.context, main, buf);
    }
}

/// The pictures that belong on the screen in the terminal's own graphics; what lies over a screen
/// hides them.
pub fn pictures(state: &State) -> Vec<Placed> {
    let is_hidden = state.overlays.has_dialog() || state.context.pictures == Protocol::Blocks;
    match state.overlays.screen() {
        Some(screen) if !is_hidden => screen.pictures(screen_area(state.context.size)),
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
    scope_of(state.overlays.top(), &state.context)
}

/// Where the keys of the screen are found, whatever lies over it.
pub fn screen_scope(state: &State) -> Scope {
    scope_of(state.overlays.screen(), &state.context)
}

fn scope_of(component: Option<&dyn Component>, context: &Context) -> Scope {
    match component {
        Some(component) => component.scope(context),
        None if context.runs.is_typing() => Scope::Query,
        None => Scope::Runs,
    }
}
