//! The trash: what was removed, the newest first, to be restored or deleted for good.

#[cfg(test)]
pub(in crate::view) mod tests;

use crate::command::Scope;
use crate::component::{Component, Request, Response};
use crate::view::parts::screen_area;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::super::command::Action;
use super::super::context::Context;
use super::super::effect::Effect;
use super::super::theme::Role;
use super::confirm::Confirm;
use super::motion::{Motion, scrolled};
use crate::jobs::cleanup::CleanupJob;
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

impl TrashView {
    /// The trash was read.
    pub fn listed(&mut self, entries: Vec<(Ticket, Entry)>) {
        self.cursor = self.cursor.min(entries.len().saturating_sub(1));
        self.entries = entries;
        self.is_read = true;
    }

    fn restore(&self) -> Response {
        let Some((ticket, _)) = self.entries.get(self.cursor) else {
            return Response::handled();
        };
        let restore = Effect::Clean(CleanupJob::Restore(vec![ticket.clone()]));
        Response::asking(Request::ForgetRemoval(ticket.clone())).with(Request::Run(restore))
    }
}

impl Component for TrashView {
    fn scope(&self, _context: &Context) -> Scope {
        Scope::Trash
    }

    fn is_screen(&self) -> bool {
        true
    }

    fn act(&mut self, action: Action, context: &Context) -> Response {
        let height = usize::from(areas(screen_area(context.size))[2].height.max(1));
        match action {
            Action::Back => Response::closed(),
            Action::TrashRestore => self.restore(),
            Action::TrashPurge => {
                let here = self.entries.get(self.cursor);
                ask_to_purge(here.map(std::slice::from_ref).unwrap_or_default())
            }
            Action::TrashPurgeAll => ask_to_purge(&self.entries),
            _ => {
                let Some(motion) = Motion::of(action) else {
                    return Response::ignored();
                };
                self.cursor = motion.along(self.cursor, self.entries.len(), height);
                self.top = scrolled(self.top, self.cursor, height);
                Response::handled()
            }
        }
    }

    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        draw(self, context, area, buf);
    }
}

fn ask_to_purge(entries: &[(Ticket, Entry)]) -> Response {
    let Some((_, first)) = entries.first() else {
        return Response::handled();
    };
    let bytes: u64 = entries.iter().map(|(_, entry)| entry.bytes).sum();
    let things: usize = entries.iter().map(|(_, entry)| entry.items.len()).sum();
    let what = match entries {
        [_] => first.count(),
        _ => format!("{things} items of {} removals", entries.len()),
    };
    let tickets = entries.iter().map(|(ticket, _)| ticket.clone()).collect();
    Response::asking(Request::Open(Box::new(Confirm {
        title: "Remove for good?".to_owned(),
        text: format!(
            "{what} ({}) will be deleted. This cannot be undone.",
            text::bytes(bytes)
        ),
        yes: "delete for good".to_owned(),
        then: Effect::Clean(CleanupJob::Purge(tickets)),
    })))
}

/// Draws the trash.
///
/// ```text
/// Trash  3 removals, 4.2 GB
///   AGE       SIZE  WHAT
/// ▌ 2m      1.2 GB  38 files: quick/checkpoints/epoch_10.safetensors, ...
/// ```
fn draw(view: &TrashView, context: &Context, area: Rect, buf: &mut Buffer) {
    let [top, header, rows, foot] = areas(area);
    let theme = &context.theme;
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
        let age = Duration::try_from(context.now - entry.removed_at).unwrap_or_default();
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
