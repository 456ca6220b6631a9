//! The last alerts, over the screen.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::super::effect::Effect;
use super::super::message::Notice;
use super::super::state::{Screen, State};
use super::super::theme::Role;
use super::super::update::look_closer;
use super::overlay::frame;
use super::runs;
use traintop_analysis::alert::Kind;
use traintop_run::alerts::Alert;
use traintop_text::{fitted, since};

const WIDTH: u16 = 100;
/// Rows for the whole of the alert under the cursor.
const WHOLE: u16 = 4;

#[derive(Debug)]
pub struct AlertList {
    /// The alert under the cursor: it stays there when others come.
    cursor: Option<Alert>,
}

impl AlertList {
    /// With the cursor on the last one. From now on they are seen.
    pub fn open(state: &mut State) -> Self {
        state.alerts.unseen = 0;
        Self {
            cursor: state.alerts.recent.first().cloned(),
        }
    }

    fn at(&self, state: &State) -> usize {
        let recent = &state.alerts.recent;
        let at = self
            .cursor
            .as_ref()
            .and_then(|cursor| recent.iter().position(|alert| alert == cursor));
        at.unwrap_or(0)
    }

    /// Takes a key: gives itself back unless the key has closed it, and what is to be done.
    pub fn key(mut self, state: &mut State, event: KeyEvent) -> (Option<Self>, Vec<Effect>) {
        state.alerts.unseen = 0;
        let (at, recent) = (self.at(state), &state.alerts.recent);
        let go = |at: usize| recent.get(at.min(recent.len().saturating_sub(1))).cloned();
        match event.code {
            KeyCode::Esc | KeyCode::Char('q' | '!') => return (None, Vec::new()),
            KeyCode::Char('j') | KeyCode::Down => self.cursor = go(at + 1),
            KeyCode::Char('k') | KeyCode::Up => self.cursor = go(at.saturating_sub(1)),
            KeyCode::Char('g') | KeyCode::Home => self.cursor = go(0),
            KeyCode::Char('G') | KeyCode::End => self.cursor = go(usize::MAX),
            KeyCode::Enter => return (None, self.show(state)),
            _ => {}
        }
        (Some(self), Vec::new())
    }

    /// Goes to the run in the table.
    fn show(&self, state: &mut State) -> Vec<Effect> {
        let Some(alert) = state.alerts.recent.get(self.at(state)).cloned() else {
            return Vec::new();
        };
        if state.runs.row(&alert.dir).is_none() {
            let text = format!("{} is not among these runs", alert.name);
            state.notice = Some(Notice::bad(text));
            return Vec::new();
        }
        (state.screen, state.aside) = (Screen::Runs, None);
        let (now, height) = (state.now, runs::table_height(state.size));
        state.runs.jump(&alert.dir, height, now);
        look_closer(state)
    }

    /// Draws it in the middle of `area`.
    ///
    /// ```text
    /// ╭ Alerts ──────────────────────────────────────────────╮
    /// │▌  4m  stalled   quick lr=0.1   no row for 12 min ... │
    /// │   2h  finished  quick lr=0.2   200 epochs, best ...  │
    /// │                                                      │
    /// │ stalled: no row for 12 min, usually within 2 min     │
    /// │ Enter in the table  Esc close                        │
    /// ╰──────────────────────────────────────────────────────╯
    /// ```
    pub fn draw(&self, state: &State, area: Rect, buf: &mut Buffer) {
        let theme = &state.theme;
        let recent = &state.alerts.recent;
        let rows = (recent.len().max(1) as u16).min(area.height.saturating_sub(6 + WHOLE));
        let width = WIDTH.min(area.width.saturating_sub(2));
        let inside = frame(theme, "Alerts", (width, rows + WHOLE + 4), area, buf);
        let inside = inside.inner(Margin::new(1, 0));
        let line = |y: u16| Rect {
            y,
            height: 1,
            ..inside
        };
        let at = self.at(state);
        let top = (at + 1).saturating_sub(usize::from(rows));
        if recent.is_empty() {
            let text = Span::styled("nothing has been worth one yet", theme.style(Role::Muted));
            Line::from(text).render(line(inside.y).intersection(inside), buf);
        }
        let name_width = usize::from(inside.width.saturating_sub(20)) / 3;
        let shown = recent.iter().enumerate().skip(top).take(usize::from(rows));
        for (y, (number, alert)) in (inside.y..inside.bottom()).zip(shown) {
            let selected = number == at;
            let age = state.now.duration_since(alert.at);
            let (age, _) = since(age.try_into().unwrap_or_default());
            let style = theme.style(if selected {
                Role::Selection
            } else {
                Role::Text
            });
            let bar = Span::styled(if selected { "▌" } else { " " }, theme.style(Role::Accent));
            let name = fitted(&alert.name, name_width);
            // The rule stands there already.
            let said = alert
                .message
                .trim_start_matches(&format!("{}: ", alert.kind));
            Line::from(vec![
                bar,
                Span::styled(format!("{age:>4} "), theme.style(Role::Muted)),
                Span::styled(
                    format!(" {:<11} ", alert.kind.replace('_', " ")),
                    theme.style(role(alert)),
                ),
                Span::styled(format!("{name:<name_width$}"), style),
                Span::styled(format!("  {said}"), theme.style(Role::Muted)),
            ])
            .render(line(y), buf);
        }
        if inside.height <= WHOLE + 2 {
            return;
        }
        if let Some(alert) = recent.get(at) {
            let whole = Rect {
                y: inside.bottom() - 1 - WHOLE,
                height: WHOLE,
                ..inside
            };
            let text = format!("{}: {}", alert.name, alert.message);
            Paragraph::new(text)
                .style(theme.style(Role::Text))
                .wrap(Wrap { trim: true })
                .render(whole, buf);
        }
        let hints = [("Enter", "in the table"), ("Esc", "close")];
        let hints = hints.iter().flat_map(|(name, what)| {
            let what = Span::styled(format!(" {what}  "), theme.style(Role::Muted));
            [Span::styled(*name, theme.style(Role::Key)), what]
        });
        Line::from(hints.collect::<Vec<_>>()).render(line(inside.bottom() - 1), buf);
    }
}

fn role(alert: &Alert) -> Role {
    match Kind::named(&alert.kind) {
        Some(Kind::Finished) => Role::Good,
        Some(Kind::Failed | Kind::NotANumber) => Role::Bad,
        _ => Role::Warn,
    }
}

#[cfg(test)]
pub(in crate::view) mod tests {
    use super::*;
    use crate::view::overlay::Overlay;
    use crate::view::run::tests::text;
    use jiff::{Timestamp, ToSpan};
    use traintop_run::RunDir;

    fn alert(kind: &str, name: &str, message: &str, minutes: i64) -> Alert {
        Alert {
            about: name.to_owned(),
            kind: kind.to_owned(),
            dir: RunDir::new("/runs/a"),
            name: name.to_owned(),
            message: message.to_owned(),
            at: Timestamp::UNIX_EPOCH - minutes.minutes(),
        }
    }

    pub(in crate::view) fn state(size: (u16, u16)) -> State {
        let mut state = State::new(vec!["runs".into()], size, Timestamp::UNIX_EPOCH);
        let message = "stalled: no row for 12 min, usually within 2 min";
        state.alerts.recent = vec![
            alert("stalled", "quick max_lr=0.1", message, 4),
            alert(
                "finished",
                "quick max_lr=0.2",
                "finished: 200 epochs, best val_acc 93.21 % in epoch 187",
                125,
            ),
        ];
        state.alerts.unseen = 2;
        state
    }

    fn drawn(state: &State) -> String {
        let area = Rect::new(0, 0, state.size.0, state.size.1);
        let mut buf = Buffer::empty(area);
        crate::view::draw(state, area, &mut buf);
        text(&buf)
    }

    #[test]
    fn the_top_line_counts_and_the_list_tells() {
        let all = [(80, 24), (200, 50)].map(|size| {
            let mut state = state(size);
            let counted = drawn(&state)
                .lines()
                .next()
                .unwrap_or_default()
                .trim_end()
                .to_owned();
            let list = AlertList::open(&mut state);
            assert_eq!(state.alerts.unseen, 0);
            state.overlay = Some(Overlay::Alerts(Box::new(list)));
            let list: Vec<_> = drawn(&state)
                .lines()
                .skip(1)
                .map(|line| line.trim_end().to_owned())
                .collect();
            format!("{counted}\n{}", list.join("\n"))
        });
        insta::assert_snapshot!(all.join("\n=====\n"));
    }

    #[test]
    fn it_fits_any_screen() {
        for (width, height) in [(1, 1), (10, 3), (30, 8), (40, 12), (60, 2)] {
            let mut state = state((width, height));
            let list = AlertList::open(&mut state);
            state.overlay = Some(Overlay::Alerts(Box::new(list)));
            drawn(&state);
        }
    }
}
