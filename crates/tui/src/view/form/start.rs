//! The question before a run is started or queued: a summary of what it will be.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Margin, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::edit::Edit;
use super::{called, values};
use crate::command::{Action, Scope};
use crate::component::{Component, Request, Response};
use crate::context::Context;
use crate::theme::Role;
use crate::view::dialog::{frame, line_of_keys};
use traintop_analysis::run_history::RunHistory;
use traintop_config::Place;
use traintop_recipe::Field;
use traintop_text::clean;

const WIDTH: u16 = 72;
/// Cells of a label before its text.
const LABEL: usize = 10;

/// The summary, and what follows when it is confirmed.
#[derive(Debug)]
pub struct StartQuestion {
    title: String,
    verb: &'static str,
    /// Labels with what they are of.
    facts: Vec<(&'static str, String)>,
    requests: Vec<Request>,
}

impl StartQuestion {
    /// Asks whether what the form holds is to be started, or queued.
    pub fn new(edit: &Edit, queues: bool, earlier: &RunHistory, requests: Vec<Request>) -> Self {
        let name = clean(&called(&edit.source)).into_owned();
        let (title, verb, place) = match edit.place() {
            Place::Slurm => ("Submit this run?", "submit", "a job of Slurm's"),
            Place::Local if queues => ("Queue this run?", "queue", "here, when a slot is free"),
            Place::Local => ("Start this run?", "start", "here, now"),
        };
        let what = match &edit.launcher {
            Some(launcher) => (
                "launcher",
                format!("{name}: {}", clean(&launcher.command.join(" "))),
            ),
            None => ("recipe", name),
        };
        let changed = edit.changed();
        let change = |field: &Field| {
            format!(
                "{}={} (was {})",
                field.key,
                edit.text(field),
                edit.base_text(field)
            )
        };
        let changed: Vec<String> = changed.into_iter().map(change).collect();
        let changed = if changed.is_empty() {
            "nothing".to_owned()
        } else {
            changed.join(" · ")
        };
        let mut facts = vec![
            what,
            ("changed", clean(&changed).into_owned()),
            ("where", place.to_owned()),
        ];
        let time = edit
            .launcher
            .is_none()
            .then(|| values::estimate(&edit.values, earlier));
        let time = time
            .flatten()
            .unwrap_or_else(|| "unknown: no earlier run is like it".to_owned());
        facts.push(("time", time));
        Self {
            title: title.to_owned(),
            verb,
            facts,
            requests,
        }
    }
}

impl Component for StartQuestion {
    fn scope(&self, _context: &Context) -> Scope {
        Scope::Question
    }

    fn act(&mut self, action: Action, _context: &Context) -> Response {
        match action {
            Action::Confirm => {
                let requests = std::mem::take(&mut self.requests);
                requests
                    .into_iter()
                    .fold(Response::closed(), Response::with)
            }
            Action::Back => Response::closed(),
            _ => Response::ignored(),
        }
    }

    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let theme = &context.theme;
        let width = WIDTH.min(area.width.saturating_sub(2));
        let line = |(label, text): &(&str, String)| {
            let label = Span::styled(format!("{label:<LABEL$}"), theme.style(Role::Muted));
            Line::from(vec![label, Span::raw(text.clone())])
        };
        let text: Vec<Line> = self.facts.iter().map(line).collect();
        // Lines break between words: some room at their ends is lost.
        let room = (usize::from(width.saturating_sub(4)) * 7 / 8).max(1);
        let rows: usize = text
            .iter()
            .map(|line| line.width().div_ceil(room).max(1))
            .sum();
        let facts = Paragraph::new(text).wrap(Wrap { trim: false });
        // Two for the frame, an empty one, and the keys.
        let height = rows as u16 + 4;
        let inside = frame(theme, &self.title, (width, height), area, buf);
        let inside = inside.inner(Margin::new(1, 0));
        let [above, below] =
            Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(inside);
        facts.render(above, buf);
        let keys = [(Action::Confirm, self.verb), (Action::Back, "cancel")];
        let keys = keys.into_iter().filter_map(|(action, word)| {
            Some((context.keymap.key_of(Scope::Question, action)?, word))
        });
        line_of_keys(keys, theme, below.width).render(below, buf);
    }
}
