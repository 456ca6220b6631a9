//! The parts of a screen: tabs where one part shows at a time, a title above each where all do.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::super::theme::{Role, Theme};
use crate::widget::clipped::Clipped as _;
use traintop_text::fitted;

/// The screen's parts: what the screen shows, and the bottom line.
pub fn areas(area: Rect) -> [Rect; 2] {
    Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(area)
}

/// What a terminal of this size (columns, rows) has for a screen.
pub fn screen_area((columns, rows): (u16, u16)) -> Rect {
    let [screen, _] = areas(Rect::new(0, 0, columns, rows));
    screen
}

/// From this many columns and rows on, all parts of a screen show at once.
const FEWEST_FOR_ALL: (u16, u16) = (150, 36);

/// The areas of the parts of a screen. Those of parts that do not show are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panes<const N: usize> {
    /// The row of tabs; empty where all parts show.
    pub tabs: Rect,
    /// The title of each part; empty where there are tabs.
    pub titles: [Rect; N],
    /// The content of each part.
    pub content: [Rect; N],
}

impl<const N: usize> Panes<N> {
    /// Divides `body`, which belongs to `screen`. With enough room `divide` says where each part
    /// goes, its title included; else there are tabs, and only the part `shown` has room.
    pub fn of(screen: Rect, body: Rect, shown: usize, divide: impl FnOnce() -> [Rect; N]) -> Self {
        let none = Rect {
            width: 0,
            height: 0,
            ..screen
        };
        if screen.width < FEWEST_FOR_ALL.0 || screen.height < FEWEST_FOR_ALL.1 {
            let tabs = Rect {
                height: 1.min(body.height),
                ..body
            };
            let mut content = [none; N];
            content[shown] = Rect {
                y: tabs.bottom(),
                height: body.height - tabs.height,
                ..body
            };
            return Self {
                tabs,
                titles: [none; N],
                content,
            };
        }
        let whole = divide();
        Self {
            tabs: none,
            titles: whole.map(|part| Rect { height: 1, ..part }),
            content: whole.map(|part| Rect {
                y: part.y + 1,
                height: part.height - 1,
                ..part
            }),
        }
    }

    /// Draws the tabs, or a title above each part. `note` says what of a part is in sight.
    pub fn draw_titles(
        &self,
        names: [&str; N],
        shown: usize,
        note: impl Fn(usize) -> String,
        theme: &Theme,
        buf: &mut Buffer,
    ) {
        if !self.tabs.is_empty() {
            return draw_tabs(&names, (shown, note(shown)), theme, self.tabs, buf);
        }
        for (at, name) in names.into_iter().enumerate() {
            let title = Title {
                number: at + 1,
                name,
                is_focused: at == shown,
                note: note(at),
            };
            title.draw(theme, self.titles[at], buf);
        }
    }
}

/// Draws a row of numbered tabs; `shown` is the place of the one that shows, and a note about it.
pub fn draw_tabs(
    names: &[&str],
    (shown, note): (usize, String),
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let mut tabs = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let style = if at == shown {
            theme.style(Role::Selection)
        } else {
            theme.style(Role::Muted)
        };
        tabs.push(Span::styled(tab(at, name), style));
        tabs.push(Span::raw(" "));
    }
    let tabs = Line::from(tabs);
    let used = tabs.width() as u16;
    tabs.render(area, buf);
    let left = area.width.saturating_sub(used);
    let note = fitted(&note, usize::from(left));
    let beside = Rect {
        x: area.x + used,
        width: left,
        ..area
    };
    Line::styled(note, theme.style(Role::Muted))
        .right_aligned()
        .render(beside, buf);
}

fn tab(at: usize, name: &str) -> String {
    format!(" {} {name} ", at + 1)
}

/// Which tab of a row that is drawn in `area` stands in a column of the screen.
pub fn tab_at(names: &[&str], area: Rect, column: u16) -> Option<usize> {
    let mut from = area.x;
    names.iter().enumerate().position(|(at, name)| {
        let tab = from..from + tab(at, name).width() as u16;
        from = tab.end + 1;
        tab.contains(&column)
    })
}

/// The title of one part, in a rule across its area.
#[derive(Debug, Clone)]
pub struct Title<'a> {
    /// The key that leads to it.
    pub number: usize,
    pub name: &'a str,
    /// Whether keys go there.
    pub is_focused: bool,
    /// What of it is in sight.
    pub note: String,
}

impl Title<'_> {
    /// Draws it into the first row of `area`.
    pub fn draw(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let rule = theme.border(self.is_focused);
        for x in area.x..area.right() {
            buf.put_char(x, area.y, if self.is_focused { '━' } else { '─' }, rule);
        }
        let name = if self.is_focused {
            theme.style(Role::Title).add_modifier(Modifier::BOLD)
        } else {
            theme.style(Role::Muted)
        };
        Line::styled(format!(" {} {} ", self.number, self.name), name).render(
            Rect {
                x: area.x + 1,
                width: area.width.saturating_sub(1),
                height: 1,
                ..area
            },
            buf,
        );
        if !self.note.is_empty() {
            let line = Line::styled(format!(" {} ", self.note), theme.style(Role::Muted));
            let width = line.width() as u16;
            line.right_aligned().render(
                Rect {
                    x: area.right().saturating_sub(width + 1),
                    width,
                    height: 1,
                    ..area
                }
                .intersection(area),
                buf,
            );
        }
    }
}
