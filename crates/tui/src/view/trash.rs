//! The trash: what was removed, the newest first, to be put back or removed for good.

#[cfg(test)]
pub(in crate::view) mod tests;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::super::command::Action;
use super::super::effect::Effect;
use super::super::state::{Screen, State};
use super::super::theme::Role;
use super::confirm::Confirm;
use super::motion::{Motion, scrolled};
use crate::jobs::cleanup::CleanupJob;
use crate::jobs::edits::UndoEntry;
use crate::notice::Notice;
use crate::widget::clipped::Clipped as _;
use traintop_ops::trash::{Entry, Ticket};
use traintop_text as text;

/// The screen's state.
#[derive(Debug, Default)]
pub struct TrashView {
    entries: Vec<(Ticket, Entry)>,
    is_read: bool,
    cursor: usize,
    top: usize,
}

/// The screen's parts: heading, names of columns, rows, what the cursor is on.
fn areas(area: Rect) -> [Rect; 4] {
    Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(2),
    ])
    .areas(area)
}

/// Opens the screen.
pub fn open(state: &mut State) -> Vec<Effect> {
    state.screen = Screen::Trash(TrashView::default());
    vec![Effect::Clean(CleanupJob::ListTrash)]
}

/// The trash was read.
pub fn listed(state: &mut State, entries: Vec<(Ticket, Entry)>, problems: &[String]) {
    let Screen::Trash(view) = &mut state.screen else {
        return;
    };
    view.cursor = view.cursor.min(entries.len().saturating_sub(1));
    view.entries = entries;
    view.is_read = true;
    if let Some(problem) = problems.first() {
        state.notice = Some(Notice::bad(text::clean(problem)));
    }
}

/// Does what a key asks for.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let [main, _] = super::areas(Rect::new(0, 0, state.size.0, state.size.1));
    let height = usize::from(areas(main)[2].height.max(1));
    let Screen::Trash(view) = &mut state.screen else {
        return Vec::new();
    };
    if let Some(motion) = Motion::of(action) {
        view.cursor = motion.along(view.cursor, view.entries.len(), height);
    }
    let mut effects = Vec::new();
    match action {
        Action::Back => state.screen = Screen::Runs,
        Action::TrashRestore => {
            let here = view.entries.get(view.cursor);
            let ticket = here.map(|(ticket, _)| ticket.clone());
            // This restores what this session removed, so `u` must not do it again.
            state.undo_stack.retain(|undo_entry| match undo_entry {
                UndoEntry::Removed(tickets) => {
                    !tickets.iter().any(|known| Some(known) == ticket.as_ref())
                }
                _ => true,
            });
            effects.extend(ticket.map(|ticket| Effect::Clean(CleanupJob::Restore(vec![ticket]))));
        }
        Action::TrashPurge => {
            let here = view.entries.get(view.cursor).cloned();
            ask_to_purge(state, &here.into_iter().collect::<Vec<_>>());
        }
        Action::TrashPurgeAll => {
            let all = view.entries.clone();
            ask_to_purge(state, &all);
        }
        _ => {}
    }
    if let Screen::Trash(view) = &mut state.screen {
        view.top = scrolled(view.top, view.cursor, height);
    }
    effects
}

fn ask_to_purge(state: &mut State, entries: &[(Ticket, Entry)]) {
    let Some((_, first)) = entries.first() else {
        return;
    };
    let bytes: u64 = entries.iter().map(|(_, entry)| entry.bytes).sum();
    let things: usize = entries.iter().map(|(_, entry)| entry.items.len()).sum();
    let what = match entries {
        [_] => first.count(),
        _ => format!("{things} things of {} removals", entries.len()),
    };
    let tickets = entries.iter().map(|(ticket, _)| ticket.clone()).collect();
    state.overlays.push(Confirm {
        title: "Remove for good?".to_owned(),
        text: format!(
            "{what} ({}) will be deleted. This cannot be undone.",
            text::bytes(bytes)
        ),
        yes: "delete for good".to_owned(),
        then: Effect::Clean(CleanupJob::Purge(tickets)),
    });
}

/// Draws the trash.
///
/// ```text
/// Trash  3 removals, 4.2 GB
///   AGE       SIZE  WHAT
/// ▌ 2m      1.2 GB  38 files: quick/checkpoints/epoch_10.safetensors, ...
/// ```
pub fn draw(view: &TrashView, state: &State, area: Rect, buf: &mut Buffer) {
    let [top, header, rows, foot] = areas(area);
    let theme = &state.theme;
    let muted = theme.style(Role::Muted);
    let bytes: u64 = view.entries.iter().map(|(_, entry)| entry.bytes).sum();
    let removals = match view.entries.len() {
        1 => "1 removal".to_owned(),
        count => format!("{} removals", text::count(count as u64)),
    };
    let said = if view.is_read {
        format!("  {removals}, {}", text::bytes(bytes))
    } else {
        "  reading …".to_owned()
    };
    Line::from(vec![
        Span::styled("Trash", theme.style(Role::Title)),
        Span::styled(said, muted),
    ])
    .render(top, buf);
    let heading = format!("  {:<5} {:>9}  WHAT", "AGE", "SIZE");
    buf.put(header.x, header.y, heading, theme.style(Role::Header));
    if view.is_read && view.entries.is_empty() {
        let said = "There is nothing in the trash.";
        buf.put(rows.x + 2, rows.y, said, muted);
    }
    let shown = view.entries.iter().enumerate().skip(view.top);
    for (y, (number, (_, entry))) in (rows.y..rows.bottom()).zip(shown) {
        let is_here = number == view.cursor;
        if is_here {
            buf.put(rows.x, y, "▌", theme.style(Role::Accent));
        }
        let age = Duration::try_from(state.now - entry.removed_at).unwrap_or_default();
        let (age, size) = (text::since(age).0, text::bytes(entry.bytes));
        buf.put(rows.x + 2, y, format!("{age:<5} {size:>9}"), muted);
        let room = usize::from(rows.width.saturating_sub(19));
        let role = if is_here { Role::Selection } else { Role::Text };
        let what = text::fitted(&what(entry), room).into_owned();
        buf.put(rows.x + 19, y, what, theme.style(role));
    }
    if let Some((ticket, entry)) = view.entries.get(view.cursor) {
        let root = ticket.root.display().to_string();
        let lines = [
            format!("{}: {}", text::clean(&entry.by), text::clean(&entry.why)),
            format!("{} in {}", ticket.id, text::clean(&root)),
        ];
        let width = usize::from(foot.width);
        for (y, said) in (foot.y..foot.bottom()).zip(lines) {
            buf.put(foot.x, y, text::fitted(&said, width), muted);
        }
    }
}

fn what(entry: &Entry) -> String {
    let first = entry.items.first();
    let first = first.map_or_else(String::new, |item| item.path.display().to_string());
    let first = text::clean(&first).into_owned();
    match entry.items.len() {
        1 => first,
        _ => format!("{}: {first}, …", entry.count()),
    }
}
