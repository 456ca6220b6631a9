//! The runs that wait for their turn, over the table: their order is seen and changed.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::super::effect::Effect;
use super::super::message::Notice;
use super::super::state::State;
use super::super::steering::{SteeringJob, waiting};
use super::super::theme::Role;
use super::overlay::frame;
use super::runs;
use traintop_launch::queue::Place;
use traintop_run::RunDir;
use traintop_run::summary::Summary;
use traintop_text::fitted;

const WIDTH: u16 = 76;

/// Why a run waits.
fn reason(summary: Option<&Summary>) -> Option<&str> {
    summary?.observed.reason.as_deref()
}

/// Whether a key gives a run another place.
fn is_move(code: KeyCode) -> bool {
    let moves = matches!(code, KeyCode::Char('<' | '[' | '>' | ']' | 'g' | 'G'));
    moves || matches!(code, KeyCode::Home | KeyCode::End)
}

/// The list of waiting runs.
#[derive(Debug)]
pub struct QueueList {
    /// The run under the cursor: it stays there when it moves.
    cursor: RunDir,
}

impl QueueList {
    /// With the cursor on a run of the table if it waits, else on the next; `None` if nothing waits.
    pub fn new(state: &State) -> Option<Self> {
        let waiting = waiting(state);
        let selected = state.runs.selected().map(|row| &row.found.dir);
        let here = selected.filter(|dir| waiting.contains(dir));
        let cursor = here.or_else(|| waiting.first().copied())?.clone();
        Some(Self { cursor })
    }

    /// Where the cursor is. Its run may have begun meanwhile: then on the next that waits.
    fn at(&self, waiting: &[&RunDir]) -> usize {
        let at = waiting.iter().position(|dir| **dir == self.cursor);
        at.unwrap_or(0)
    }

    /// Takes a key: gives itself back unless the key has closed it, and what is to be done.
    pub fn key(mut self, state: &mut State, event: KeyEvent) -> (Option<Self>, Vec<Effect>) {
        let waiting: Vec<RunDir> = waiting(state).into_iter().cloned().collect();
        let at = self.at(&waiting.iter().collect::<Vec<_>>());
        let Some(dir) = waiting.get(at).cloned() else {
            return (None, Vec::new());
        };
        let go = |at: usize| waiting[at.min(waiting.len() - 1)].clone();
        let row = state.runs.row(&dir).and_then(|row| row.summary.as_ref());
        if row.is_some_and(|summary| summary.job.is_some()) && is_move(event.code) {
            let text = "Slurm has an order of its own; jobs cannot be moved from here";
            state.notice = Some(Notice::bad(text));
            return (Some(self), Vec::new());
        }
        let put = |place| vec![Effect::Steer(SteeringJob::Put(dir.clone(), place))];
        let effects = match event.code {
            KeyCode::Esc | KeyCode::Char('q' | 'w') => return (None, Vec::new()),
            KeyCode::Char('j') | KeyCode::Down => {
                self.cursor = go(at + 1);
                Vec::new()
            }
            KeyCode::Char('k') | KeyCode::Up => {
                self.cursor = go(at.saturating_sub(1));
                Vec::new()
            }
            KeyCode::Char('<' | '[') => {
                self.cursor = dir.clone();
                put(Place::Earlier)
            }
            KeyCode::Char('>' | ']') => {
                self.cursor = dir.clone();
                put(Place::Later)
            }
            KeyCode::Char('g') | KeyCode::Home => {
                self.cursor = dir.clone();
                put(Place::First)
            }
            KeyCode::Char('G') | KeyCode::End => {
                self.cursor = dir.clone();
                put(Place::Last)
            }
            KeyCode::Char('K' | 'x') => {
                self.cursor = go(if at + 1 < waiting.len() { at + 1 } else { 0 });
                vec![Effect::Stop(dir)]
            }
            KeyCode::Char('t') => vec![Effect::Steer(SteeringJob::ProposeTrust(dir))],
            KeyCode::Enter => {
                let now = state.now;
                let height = runs::table_height(state.size);
                state.runs.jump(&dir, height, now);
                return (None, Vec::new());
            }
            _ => Vec::new(),
        };
        (Some(self), effects)
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
    pub fn draw(&self, state: &State, area: Rect, buf: &mut Buffer) {
        let theme = &state.theme;
        let waiting = waiting(state);
        let title = format!("Queue, {} waiting", waiting.len());
        let rows = (waiting.len().max(1) as u16).min(area.height.saturating_sub(9));
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
        let top = (at + 1).saturating_sub(height);
        if waiting.is_empty() {
            let text = Span::styled("nothing waits any more", theme.style(Role::Muted));
            Line::from(text).render(line(inside.y), buf);
        }
        let shown = waiting.iter().enumerate().skip(top).take(height);
        let name_width = usize::from(inside.width.saturating_sub(6)) * 3 / 5;
        for (y, (number, dir)) in (inside.y..).zip(shown) {
            let selected = number == at;
            let summary = state.runs.row(dir).and_then(|row| row.summary.as_ref());
            let name = summary.map_or_else(String::new, |summary| summary.name.clone());
            let sweep = summary.and_then(|summary| summary.sweep.as_deref());
            let job = summary.and_then(|summary| summary.job.as_ref());
            let waits = job.and_then(|_| reason(summary));
            let style = theme.style(if selected {
                Role::Selection
            } else {
                Role::Text
            });
            let bar = Span::styled(if selected { "▌" } else { " " }, theme.style(Role::Accent));
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
        let here = waiting.get(at).and_then(|dir| state.runs.row(dir));
        if let Some(why) = here.and_then(|row| reason(row.summary.as_ref()))
            && inside.height > 2
        {
            let why = format!("waits: {why}");
            let why = fitted(&why, usize::from(inside.width));
            let place = line(inside.bottom() - 2);
            Line::styled(why, theme.style(Role::Muted)).render(place, buf);
        }
        let key = theme.style(Role::Key);
        let hints = [
            ("< >", "move"),
            ("g", "next"),
            ("G", "last"),
            ("K", "take out"),
            ("t", "trust"),
            ("Enter", "go to"),
            ("Esc", "close"),
        ];
        let hints = hints.iter().flat_map(|(name, what)| {
            let what = Span::styled(format!(" {what}  "), theme.style(Role::Muted));
            [Span::styled(*name, key), what]
        });
        if inside.height > 1 {
            Line::from(hints.collect::<Vec<_>>()).render(line(inside.bottom() - 1), buf);
        }
    }
}
