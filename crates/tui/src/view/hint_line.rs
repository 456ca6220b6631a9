//! The bottom line: a notice if there is one, else the most useful keys of where one is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::super::command::{Action, Scope};
use super::super::theme::Role;
use super::{attention, runs, state_glyph};
use crate::component::{Component, Stack};
use crate::context::Context;
use crate::long_job;
use traintop_run::run_names::OURS;
use traintop_run::state::State as RunState;
use traintop_run::summary::Summary;
use traintop_text::fitted;

/// Why the run under the cursor failed, or waits, where the screen is too small for the part that
/// tells it.
fn cause(context: &Context, stack: &Stack) -> Option<(String, Role)> {
    if !stack.is_empty() || runs::has_preview(context.size) || context.runs.is_on_header() {
        return None;
    }
    let summary: &Summary = context.runs.selected()?.summary.as_ref()?;
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
pub fn draw(context: &Context, stack: &Stack, area: Rect, buf: &mut Buffer) {
    let theme = &context.theme;
    let scope = super::scope_of(stack.top(), context);
    if let Some(notice) = &context.notice {
        let (mark, role) = if notice.bad {
            ("✗ ", Role::Bad)
        } else {
            ("✓ ", Role::Good)
        };
        Line::styled(format!("{mark}{}", notice.text), theme.style(role)).render(area, buf);
        return;
    }
    if stack.is_empty() && context.runs.is_typing() {
        return super::runs::draw_query_hints(context, area, buf);
    }
    let cancel = context.keymap.key_of(scope, Action::CancelJobs);
    if let Some(line) = long_job::line(&context.jobs, context.now, cancel.as_deref()) {
        Line::styled(line, theme.style(Role::Muted)).render(area, buf);
        return;
    }
    if let Some((cause, role)) = cause(context, stack) {
        let key = context.keymap.key_of(scope, Action::Help);
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
    let own = context.keymap.hints(scope).filter(|_| !stack.has_dialog());
    let should_save = should_save(context, stack);
    let has_marks = context.runs.mark_counts().0 > 0;
    let everywhere = context.keymap.hints(Scope::Everywhere).filter_map(|hint| {
        let (action, _, word) = hint;
        Some((action, context.keymap.key_of(scope, action)?, word))
    });
    let hints = own.chain(everywhere);
    let hints: Vec<_> = hints
        .filter_map(|(action, key, word)| {
            let is_of_use = match action {
                // Once there are marks.
                Action::Compare => scope != Scope::Runs || has_marks,
                Action::SaveNow => should_save,
                Action::StopRun => scope != Scope::Runs || is_selected(context, can_stop),
                Action::ResumeRun => scope != Scope::Runs || is_selected(context, can_resume),
                _ => true,
            };
            if !is_of_use {
                return None;
            }
            let word = match stack.screen() {
                Some(screen) => screen.hint(action, word, context)?,
                None => word,
            };
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

/// Whether this is so of the run under the cursor of the table.
fn is_selected(context: &Context, is_so: fn(&Summary) -> bool) -> bool {
    let row = context.runs.selected();
    row.and_then(|row| row.summary.as_ref()).is_some_and(is_so)
}

fn can_stop(summary: &Summary) -> bool {
    let state = summary.observed.state;
    summary.trainer == OURS && (state.is_active() || state == RunState::Queued)
}

fn can_resume(summary: &Summary) -> bool {
    let state = summary.observed.state;
    let has_ended = matches!(state, RunState::Stopped | RunState::Failed | RunState::Lost);
    summary.trainer == OURS && has_ended
}

/// Whether the run that keys are about will be cut off before it has finished.
fn should_save(context: &Context, stack: &Stack) -> bool {
    let row = match stack.screen().and_then(Component::run) {
        Some(dir) => context.runs.row(dir),
        None if stack.screen().is_none() => context.runs.selected(),
        None => None,
    };
    row.and_then(|row| row.summary.as_ref())
        .is_some_and(attention::should_save)
}
