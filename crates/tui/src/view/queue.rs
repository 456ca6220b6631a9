//! The runs that wait for their turn, over the table: their order is seen and changed.

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::super::command::{Action, Scope};
use super::super::component::{Component, Request, Response};
use super::super::context::Context;
use super::super::effect::Effect;
use super::super::theme::Role;
use super::dialog::{draw_keys, frame, list_rows, row_style};
use super::motion::{Motion, in_sight};
use crate::jobs::steering::SteeringJob;
use crate::notice::Notice;
use traintop_launch::queue::Place;
use traintop_run::RunDir;
use traintop_run::summary::Summary;
use traintop_text::fitted;

const WIDTH: u16 = 76;
/// Rows of the dialog around its list, and a margin above and below it.
const AROUND: u16 = 9;

/// Why a run waits.
fn reason(summary: Option<&Summary>) -> Option<&str> {
    summary?.observed.reason.as_deref()
}

/// The place that an action gives a run.
fn place(action: Action) -> Option<Place> {
    Some(match action {
        Action::MoveEarlier => Place::Earlier,
        Action::MoveLater => Place::Later,
        Action::MoveFirst => Place::First,
        Action::MoveLast => Place::Last,
        _ => return None,
    })
}

/// The list of waiting runs.
#[derive(Debug)]
pub struct QueueList {
    /// The run under the cursor: it stays there when it moves.
    cursor: RunDir,
}

impl QueueList {
    /// With the cursor on a run of the table if it waits, else on the next; `None` if nothing
    /// waits.
    pub fn new(context: &Context) -> Option<Self> {
        let waiting = context.runs.waiting();
        let selected = context.runs.selected().map(|row| &row.found.dir);
        let here = selected.filter(|dir| waiting.contains(dir));
        let cursor = here.or_else(|| waiting.first().copied())?.clone();
        Some(Self { cursor })
    }

    /// Where the cursor is. Its run may have begun meanwhile: then on the next that waits.
    fn at(&self, waiting: &[&RunDir]) -> usize {
        let at = waiting.iter().position(|dir| **dir == self.cursor);
        at.unwrap_or(0)
    }
}

impl Component for QueueList {
    fn scope(&self, _context: &Context) -> Scope {
        Scope::Queue
    }

    fn act(&mut self, action: Action, context: &Context) -> Response {
        let waiting = context.runs.waiting();
        let at = self.at(&waiting);
        let Some(dir) = waiting.get(at).map(|dir| (*dir).clone()) else {
            return Response::closed();
        };
        if let Some(motion) = Motion::of(action) {
            let page = list_rows(context.size, AROUND);
            self.cursor = waiting[motion.along(at, waiting.len(), page)].clone();
            return Response::handled();
        }
        if let Some(place) = place(action) {
            let row = context.summary(&dir);
            if row.is_some_and(|summary| summary.job.is_some()) {
                let text = "Slurm has an order of its own; jobs cannot be moved from here";
                return Response::handled().with(Request::Notify(Notice::bad(text)));
            }
            self.cursor = dir.clone();
            let job = SteeringJob::Put(dir, place);
            return Response::handled().with(Request::Run(Effect::Steer(job)));
        }
        match action {
            Action::Back => Response::closed(),
            Action::StopRun => {
                let next = if at + 1 < waiting.len() { at + 1 } else { 0 };
                self.cursor = waiting[next].clone();
                Response::handled().with(Request::Run(Effect::Stop(dir)))
            }
            Action::TrustRun => {
                let job = SteeringJob::ProposeTrust(dir);
                Response::handled().with(Request::Run(Effect::Steer(job)))
            }
            Action::Open => Response::closed().with(Request::GoTo(dir)),
            _ => Response::ignored(),
        }
    }

    /// Draws it in the middle of `area`.
    ///
    /// ```text
    /// ╭ Queue, 2 waiting ────────────────────────╮
    /// │▌ 1  quick max_lr=0.1     quick 11-24     │
    /// │  2  quick max_lr=0.2     quick 11-24     │
    /// │                                          │
    /// │ waits: the only slot is taken            │
    /// │ < > move  g next  G last  K take out ... │
    /// ╰──────────────────────────────────────────╯
    /// ```
    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let theme = &context.theme;
        let waiting = context.runs.waiting();
        let title = format!("Queue, {} waiting", waiting.len());
        let rows = (waiting.len().max(1) as u16).min(area.height.saturating_sub(AROUND));
        let width = WIDTH.min(area.width.saturating_sub(2));
        let inside = frame(theme, &title, (width, rows + 5), area, buf);
        let inside = inside.inner(Margin::new(1, 0));
        let line = |y: u16| Rect {
            y,
            height: 1,
            ..inside
        };
        let height = usize::from(inside.height.saturating_sub(3));
        let at = self.at(&waiting);
        if waiting.is_empty() {
            let text = Span::styled("nothing waits any more", theme.style(Role::Muted));
            Line::from(text).render(line(inside.y), buf);
        }
        let shown = in_sight(at, waiting.len(), height);
        let shown = shown.map(|number| (number, waiting[number]));
        let name_width = usize::from(inside.width.saturating_sub(6)) * 3 / 5;
        for (y, (number, dir)) in (inside.y..).zip(shown) {
            let (bar, style) = row_style(theme, number == at);
            let summary = context.summary(dir);
            let name = summary.map_or_else(String::new, |summary| summary.title().into_owned());
            let sweep = summary.and_then(|summary| summary.sweep.as_deref());
            let job = summary.and_then(|summary| summary.job.as_ref());
            let waits = job.and_then(|_| reason(summary));
            // Jobs have an order of Slurm's own.
            let place = job.map_or_else(|| (number + 1).to_string(), |_| "-".to_owned());
            let place = Span::styled(format!("{place:>3}  "), theme.style(Role::Muted));
            let name = format!("{:<name_width$}", fitted(&name, name_width));
            let sweep = Span::styled(
                format!(" {}", waits.or(sweep).unwrap_or_default()),
                theme.style(Role::Muted),
            );
            Line::from(vec![bar, place, Span::styled(name, style), sweep]).render(line(y), buf);
        }
        let here = waiting.get(at).and_then(|dir| context.runs.row(dir));
        if let Some(why) = here.and_then(|row| reason(row.summary.as_ref()))
            && inside.height > 2
        {
            let why = format!("waits: {why}");
            let why = fitted(&why, usize::from(inside.width));
            let place = line(inside.bottom() - 2);
            Line::styled(why, theme.style(Role::Muted)).render(place, buf);
        }
        if inside.height > 1 {
            draw_keys(context, Scope::Queue, inside, buf);
        }
    }
}
