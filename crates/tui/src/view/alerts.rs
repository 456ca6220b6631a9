//! The last alerts, over the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::super::command::{Action, Scope};
use super::super::component::{Component, Request, Response};
use super::super::context::Context;
use super::super::theme::Role;
use super::dialog::{draw_keys, frame, list_rows, row_style};
use super::motion::{Motion, in_sight};
use crate::notice::Notice;
use traintop_analysis::alert::Kind;
use traintop_run::alerts::Alert;
use traintop_text::{fitted, since};

const WIDTH: u16 = 100;
/// Rows for the whole of the alert under the cursor.
const WHOLE: u16 = 4;
/// Rows of the dialog around its list, and a margin above and below it.
const AROUND: u16 = 6 + WHOLE;

#[derive(Debug)]
pub struct AlertList {
    /// The alert under the cursor: it stays there when others come.
    cursor: Option<Alert>,
}

impl AlertList {
    /// With the cursor on the last one.
    pub fn new(context: &Context) -> Self {
        Self {
            cursor: context.alerts.recent.first().cloned(),
        }
    }

    fn at(&self, context: &Context) -> usize {
        let recent = &context.alerts.recent;
        let at = self
            .cursor
            .as_ref()
            .and_then(|cursor| recent.iter().position(|alert| alert == cursor));
        at.unwrap_or(0)
    }

    /// Closes the list and shows the run in the table.
    fn show(&self, context: &Context) -> Response {
        let Some(alert) = context.alerts.recent.get(self.at(context)) else {
            return Response::closed();
        };
        if context.runs.row(&alert.dir).is_none() {
            let text = format!("{} is not among these runs", alert.name);
            return Response::closed().with(Request::Notify(Notice::bad(text)));
        }
        Response::closed().with(Request::GoTo(alert.dir.clone()))
    }
}

impl Component for AlertList {
    fn scope(&self, _context: &Context) -> Scope {
        Scope::Alerts
    }

    fn act(&mut self, action: Action, context: &Context) -> Response {
        let recent = &context.alerts.recent;
        if let Some(motion) = Motion::of(action) {
            let page = list_rows(context.size, AROUND);
            let to = motion.along(self.at(context), recent.len(), page);
            self.cursor = recent.get(to).cloned();
            return Response::handled().with(Request::AlertsSeen);
        }
        let response = match action {
            Action::Back => Response::closed(),
            Action::Open => self.show(context),
            _ => return Response::ignored(),
        };
        response.with(Request::AlertsSeen)
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
    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let theme = &context.theme;
        let recent = &context.alerts.recent;
        let rows = (recent.len().max(1) as u16).min(area.height.saturating_sub(AROUND));
        let width = WIDTH.min(area.width.saturating_sub(2));
        let inside = frame(theme, "Alerts", (width, rows + WHOLE + 4), area, buf);
        let inside = inside.inner(Margin::new(1, 0));
        let line = |y: u16| Rect {
            y,
            height: 1,
            ..inside
        };
        let at = self.at(context);
        if recent.is_empty() {
            let text = Span::styled("No alerts", theme.style(Role::Muted));
            Line::from(text).render(line(inside.y).intersection(inside), buf);
        }
        let name_width = usize::from(inside.width.saturating_sub(20)) / 3;
        let shown = in_sight(at, recent.len(), usize::from(rows));
        let shown = shown.map(|number| (number, &recent[number]));
        for (y, (number, alert)) in (inside.y..inside.bottom()).zip(shown) {
            let (bar, style) = row_style(theme, number == at);
            let age = context.now.duration_since(alert.at);
            let (age, _) = since(age.try_into().unwrap_or_default());
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
        draw_keys(context, Scope::Alerts, inside, buf);
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
    use crate::state::State;
    use crate::view::run::tests::text;
    use crate::view::test_driver::press;
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
        state.context.alerts.recent = vec![
            alert("stalled", "quick max_lr=0.1", message, 4),
            alert(
                "finished",
                "quick max_lr=0.2",
                "finished: 200 epochs, best val_acc 93.21 % in epoch 187",
                125,
            ),
        ];
        state.context.alerts.unseen = 2;
        state
    }

    fn drawn(state: &State) -> String {
        let (width, height) = state.context.size;
        let area = Rect::new(0, 0, width, height);
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
            press(&mut state, "!");
            assert_eq!(state.context.alerts.unseen, 0);
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
            press(&mut state, "!");
            drawn(&state);
        }
    }
}
