//! What the screen shows: one file for each screen, part or overlay. Each has its state, how actions change it, and how it is
//! drawn; drawing only reads.

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

use crate::view::parts::{areas, screen_area};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::command::Scope;
use super::graphics::{Placed, Protocol};
use super::state::{Screen, State};
use super::theme::Role;

/// Draws the whole screen.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    buf.set_style(
        area,
        Style::default()
            .bg(state.theme.background())
            .patch(state.theme.style(Role::Text)),
    );
    let [main, bottom] = areas(area);
    if state.overlays.screen().is_none() {
        draw_screen(state, main, buf);
    }
    for component in state.overlays.visible().filter(|one| one.is_screen()) {
        component.draw(state, main, buf);
    }
    hint_line::draw(state, bottom, buf);
    for component in state.overlays.visible().filter(|one| !one.is_screen()) {
        component.draw(state, main, buf);
    }
}

fn draw_screen(state: &State, main: Rect, buf: &mut Buffer) {
    match &state.screen {
        Screen::Runs => runs::draw(state, main, buf),
        Screen::Form => form::draw(state, main, buf),
        Screen::Evaluations(evaluation_screen) => evaluation_screen.draw(state, main, buf),
        Screen::Compare(view) => view.draw((state.charts, &state.theme), main, buf),
        Screen::Run(view) => {
            if let Some(summary) = state
                .runs
                .row(&view.dir)
                .and_then(|row| row.summary.as_ref())
            {
                let detail = state.detail(&view.dir);
                view.draw(summary, detail, (state.charts, &state.theme), main, buf);
            }
        }
    }
}

/// The pictures that belong on the screen in the terminal's own graphics; what lies over a screen hides them.
pub fn pictures(state: &State) -> Vec<Placed> {
    let main = screen_area(state.size);
    match &state.screen {
        Screen::Evaluations(evaluation_screen)
            if state.overlays.is_empty() && state.pictures != Protocol::Blocks =>
        {
            evaluation_screen.pictures(main)
        }
        _ => Vec::new(),
    }
}

/// Whether the screen has a use for the mouse; on others it is the terminal's, which selects text with it.
pub fn uses_mouse(state: &State) -> bool {
    let has_charts = matches!(state.screen, Screen::Run(_) | Screen::Compare(_));
    state.mouse && state.overlays.is_empty() && has_charts
}

/// Where keys are found: in what lies over the screen, else on the screen or in a text that is typed there.
pub fn scope(state: &State) -> Scope {
    if let Some(component) = state.overlays.top() {
        return component.scope();
    }
    screen_scope(state)
}

/// Where the keys of the screen are found, whatever lies over it.
pub fn screen_scope(state: &State) -> Scope {
    if let Some(screen) = state.overlays.screen() {
        return screen.scope();
    }
    match state.screen {
        Screen::Runs if state.runs.is_typing() => Scope::Query,
        Screen::Form if state.form.is_typing() => Scope::FormValue,
        Screen::Compare(ref view) if view.is_typing() => Scope::Line,
        Screen::Runs => Scope::Runs,
        Screen::Run(_) => Scope::Run,
        Screen::Form => Scope::Form,
        Screen::Evaluations(ref evaluation_screen) => evaluation_screen.scope(),
        Screen::Compare(_) => Scope::Compare,
    }
}
