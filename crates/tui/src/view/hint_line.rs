//! The bottom line: a notice if there is one, else the most useful keys of where one is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::super::command::{Action, Scope};
use super::super::state::State;
use super::super::theme::Role;
use super::run::RunView;
use super::run::layout::Pane;
use super::{attention, runs, state_glyph};
use crate::long_job;
use traintop_run::state::State as RunState;
use traintop_run::summary::Summary;
use traintop_text::fitted;

/// Why the run under the cursor failed, or waits, where the screen is too small for the part that
/// tells it.
fn cause(state: &State) -> Option<(String, Role)> {
    if !state.shows_table_alone() || runs::has_preview(state.size) || state.runs.is_on_header() {
        return None;
    }
    let summary: &Summary = state.runs.selected()?.summary.as_ref()?;
    let role = state_glyph::role(summary.observed.state);
    let glyph = state_glyph::glyph(summary.observed.state);
    if summary.observed.state == RunState::Queued {
        let why = summary.observed.reason.as_ref()?;
        return Some((format!("{glyph} waits: {why}"), role));
    }
    let cause = summary.cause.as_ref()?;
    let text = if cause.detail.is_empty() || cause.detail.contains(&cause.what) {
        format!("{glyph} {}", cause.detail)
    } else {
        format!("{glyph} {}: {}", cause.what, cause.detail)
    };
    Some((text, role))
}

/// Draws the bottom line.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    let theme = &state.theme;
    if let Some(notice) = &state.notice {
        let (mark, role) = if notice.bad {
            ("✗ ", Role::Bad)
        } else {
            ("✓ ", Role::Good)
        };
        Line::styled(format!("{mark}{}", notice.text), theme.style(role)).render(area, buf);
        return;
    }
    if state.shows_table_alone() && state.runs.is_typing() {
        return super::runs::draw_query_hints(state, area, buf);
    }
    let cancel = state.keymap.key_of(super::scope(state), Action::CancelJobs);
    if let Some(line) = long_job::line(&state.jobs, state.now, cancel.as_deref()) {
        Line::styled(line, theme.style(Role::Muted)).render(area, buf);
        return;
    }
    if let Some((cause, role)) = cause(state) {
        let key = state.keymap.key_of(super::scope(state), Action::Help);
        let help = key.map_or_else(String::new, |key| format!("  {key} help"));
        let room = usize::from(area.width).saturating_sub(help.width());
        let line = vec![
            Span::styled(fitted(&cause, room).into_owned(), theme.style(role)),
            Span::raw(help),
        ];
        Line::from(line).render(area, buf);
        return;
    }
    // A dialog shows its own keys: those of the screen below do nothing now.
    let scope = super::scope(state);
    let own = state
        .keymap
        .hints(scope)
        .filter(|_| !state.overlays.has_dialog());
    let should_save = should_save(state);
    let has_marks = state.runs.mark_counts().0 > 0;
    let everywhere = state.keymap.hints(Scope::Everywhere).filter_map(|hint| {
        let (action, _, word) = hint;
        Some((action, state.keymap.key_of(scope, action)?, word))
    });
    let hints = own.chain(everywhere);
    let hints: Vec<_> = hints
        .filter_map(|(action, key, word)| {
            let is_of_use = match action {
                // Once there are marks.
                Action::Compare => scope != Scope::Runs || has_marks,
                Action::SaveNow => should_save,
                _ => true,
            };
            let word = here(state, action, word).filter(|_| is_of_use)?;
            let width = key.chars().count() + word.chars().count() + 3;
            Some((action, key, word, width))
        })
        .collect();
    // The help key stands there whatever the width.
    let is_help = |action: Action| action == Action::Help;
    // Nor is what must not be missed ever left out.
    let is_save = |action: Action| action == Action::SaveNow;
    let must = |action: Action| is_help(action) || is_save(action);
    let kept = hints.iter().filter(|(action, ..)| must(*action));
    let kept: usize = kept.map(|(.., width)| *width).sum();
    let mut left = usize::from(area.width).saturating_sub(kept);
    let mut spans = Vec::new();
    for (action, key, hint, width) in hints {
        if !must(action) {
            // A hint that would be cut is left out.
            let Some(rest) = left.checked_sub(width) else {
                continue;
            };
            left = rest;
        }
        spans.push(Span::styled(key, theme.style(Role::Key)));
        spans.push(Span::styled(format!(" {hint}  "), theme.style(Role::Muted)));
    }
    Line::from(spans).render(area, buf);
}

/// What a key's hint says in the part of a run's screen where one is; nothing, where the key does
/// nothing.
fn here<'a>(state: &State, action: Action, hint: &'a str) -> Option<&'a str> {
    let Some(view) = state.overlays.screen_as::<RunView>() else {
        return Some(hint);
    };
    let opened = state.opened.as_ref();
    let detail = opened
        .filter(|opened| opened.dir == view.dir)
        .and_then(|opened| opened.detail.as_ref());
    let has_errors = detail.is_some_and(|detail| !detail.log.errors.is_empty());
    match action {
        Action::Left if view.pane == Pane::Log => has_errors.then_some("error before"),
        Action::Right if view.pane == Pane::Log => has_errors.then_some("next error"),
        Action::Left
        | Action::Right
        | Action::ZoomIn
        | Action::FullChart
        | Action::ChartXAxis
        | Action::ChartSmoother => (view.pane == Pane::Charts).then_some(hint),
        _ => Some(hint),
    }
}

/// Whether the run that keys are about will be cut off before it has finished.
fn should_save(state: &State) -> bool {
    let row = match state.run_on_screen() {
        Some(dir) => state.runs.row(dir),
        None if state.overlays.screen().is_none() => state.runs.selected(),
        None => None,
    };
    row.and_then(|row| row.summary.as_ref())
        .is_some_and(attention::should_save)
}
