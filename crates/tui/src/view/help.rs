//! What can be done where one is: a list that is searched by typing, from the table of commands,
//! and the signs of the table of runs. Enter does what the cursor is on.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::columns;
use super::dialog::{draw_keys, draw_narrowing, frame, list_rows, row_style};
use super::matching;
use super::motion::{Motion, in_sight};
use super::narrowing::Narrowing;
use crate::command::{Action, Command, Scope};
use crate::component::{Component, Request, Response};
use crate::context::Context;
use crate::theme::Role;

/// Rows of the dialog around its list: the frame, the text, the keys.
const AROUND: u16 = 4;
const WIDTH: u16 = 76;
/// Cells of the keys before what they do.
const KEYS: usize = 23;

/// The help screen.
#[derive(Debug)]
pub struct Help {
    scope: Scope,
    narrowing: Narrowing,
}

/// A command that can be given, with its keys.
struct Entry {
    scope: Scope,
    command: &'static Command,
    keys: String,
}

/// A row of the list.
enum Row {
    Blank,
    Heading(&'static str),
    /// By its number among the entries.
    Entry(usize),
    Sign(&'static str, &'static str),
}

impl Help {
    /// The help for a screen.
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            narrowing: Narrowing::default(),
        }
    }

    /// The commands that what was typed allows, the nearest first.
    fn entries(&self, context: &Context) -> Vec<Entry> {
        let all = context.keymap.reachable(self.scope);
        let all: Vec<Entry> = all
            .map(|(scope, command, keys)| Entry {
                scope,
                command,
                keys: keys.join(" "),
            })
            .collect();
        let query = self.narrowing.prompt.text();
        if query.trim().is_empty() {
            return all;
        }
        let near = |entry: &Entry| {
            let command = entry.command;
            let found_by = matching::Entry {
                name: command.name,
                synonyms: command.action.synonyms(),
                description: command.description(entry.scope),
            };
            // A key is found by itself.
            let is_key = entry.keys.split(' ').any(|key| key == query.trim());
            let distance = matching::distance(&query, found_by);
            if is_key { Some(0) } else { distance }
        };
        let distances = all.into_iter().map(|entry| (near(&entry), entry));
        let mut found: Vec<_> = distances
            .filter(|(distance, _)| distance.is_some())
            .collect();
        found.sort_by_key(|(distance, _)| *distance);
        found.into_iter().map(|(_, entry)| entry).collect()
    }

    /// The rows of these entries: under headings, and with the signs, while nothing is typed.
    fn rows(&self, entries: &[Entry]) -> Vec<Row> {
        if !self.narrowing.prompt.text().trim().is_empty() {
            return (0..entries.len()).map(Row::Entry).collect();
        }
        let mut rows = Vec::new();
        let mut heading = None;
        for (at, entry) in entries.iter().enumerate() {
            if heading != Some(entry.scope) {
                rows.extend(heading.is_some().then_some(Row::Blank));
                rows.push(Row::Heading(entry.scope.title()));
                heading = Some(entry.scope);
            }
            rows.push(Row::Entry(at));
        }
        if self.scope == Scope::Runs {
            rows.extend([Row::Blank, Row::Heading("Signs in the table")]);
            rows.extend(columns::SIGNS.map(|(sign, what)| Row::Sign(sign, what)));
        }
        rows
    }

    fn line<'a>(&self, row: &Row, entries: &'a [Entry], context: &Context) -> Line<'a> {
        let key = context.theme.style(Role::Key);
        match row {
            Row::Blank => Line::default(),
            Row::Heading(title) => Line::styled(*title, context.theme.style(Role::Title)),
            Row::Sign(sign, what) => Line::from(vec![
                Span::styled(format!(" {sign:<KEYS$} "), key),
                Span::raw(*what),
            ]),
            Row::Entry(at) => {
                let entry = &entries[*at];
                let (bar, style) = row_style(&context.theme, *at == self.narrowing.cursor);
                Line::from(vec![
                    bar,
                    Span::styled(format!("{:<KEYS$} ", entry.keys), key),
                    Span::styled(entry.command.description(entry.scope), style),
                ])
            }
        }
    }
}

impl Component for Help {
    fn scope(&self, _context: &Context) -> Scope {
        Scope::Help
    }

    fn act(&mut self, action: Action, context: &Context) -> Response {
        let entries = self.entries(context);
        match action {
            Action::Confirm => match entries.get(self.narrowing.cursor) {
                Some(entry) => Response::closed().with(Request::Act(entry.command.action)),
                None => Response::handled(),
            },
            Action::Back => Response::closed(),
            _ => {
                let Some(motion) = Motion::of(action) else {
                    return Response::ignored();
                };
                let page = list_rows(context.size, AROUND);
                self.narrowing.step(motion, entries.len(), page);
                Response::handled()
            }
        }
    }

    fn type_key(&mut self, event: KeyEvent, context: &Context) -> Response {
        self.narrowing.type_key(event);
        self.narrowing.stay_within(self.entries(context).len());
        Response::handled()
    }

    fn paste(&mut self, text: &str) {
        self.narrowing.paste(text);
    }

    /// Draws it in the middle of `area`.
    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let entries = self.entries(context);
        let rows = self.rows(&entries);
        let theme = &context.theme;
        let title = "Help: type to search";
        let inside = frame(theme, title, (WIDTH, area.height), area, buf);
        if inside.height < 3 {
            return;
        }
        let list = draw_narrowing(&self.narrowing.prompt, theme, inside, buf);
        let is_cursor = |row: &Row| matches!(row, Row::Entry(at) if *at == self.narrowing.cursor);
        let cursor = rows.iter().position(is_cursor).unwrap_or(0);
        // From the first entry the heading above it is seen, from the last one the signs below.
        let cursor = match self.narrowing.cursor {
            0 => 0,
            at if at + 1 == entries.len() => rows.len().saturating_sub(1),
            _ => cursor,
        };
        let shown = in_sight(cursor, rows.len(), usize::from(list.height));
        for (y, at) in (list.y..list.bottom()).zip(shown) {
            let place = Rect {
                y,
                height: 1,
                ..list
            };
            self.line(&rows[at], &entries, context).render(place, buf);
        }
        draw_keys(context, Scope::Help, inside, buf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;
    use crate::view::test_driver::{press, screen};

    fn state() -> State {
        State::new(vec!["runs".into()], (80, 24), jiff::Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn signs_stand_below_the_keys_of_the_table() {
        let mut state = state();
        press(&mut state, "?");
        let shown = screen(&state);
        assert!(shown.contains("Open the run under the cursor"), "{shown}");
        press(&mut state, "<end>");
        let shown = screen(&state);
        assert!(shown.contains("what it is judged by is a guess"), "{shown}");
        press(&mut state, "?");
        assert!(state.overlays.is_empty());
    }

    #[test]
    fn what_is_found_by_typing_is_done_by_enter() {
        let mut state = state();
        press(&mut state, "?gpu");
        let shown = screen(&state);
        assert!(
            shown.contains("What the machine and its runs use"),
            "{shown}"
        );
        press(&mut state, "\n");
        assert_eq!(crate::view::scope(&state), Scope::Machine);
    }

    #[test]
    fn a_key_is_found_by_itself_and_other_words_lead_to_commands() {
        let first = |typed: &str| {
            let mut state = state();
            press(&mut state, &format!("?{typed}"));
            let help: &Help = state.overlays.find().unwrap();
            help.entries(&state.context)
                .first()
                .map(|entry| entry.command.action)
        };
        for (typed, action) in [
            ("W", Action::Export),
            ("delete", Action::Remove),
            ("kill", Action::StopRun),
            ("unmark", Action::MarkNone),
            ("dark", Action::PickTheme),
            ("sweep", Action::NewRun),
            ("lr", Action::SteerRun),
            ("lear", Action::SteerRun),
        ] {
            assert_eq!(first(typed), Some(action), "{typed}");
        }
        assert_eq!(first("zzz"), None);
    }
}
