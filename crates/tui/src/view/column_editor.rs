//! The columns of the table, chosen, put in order and resized while the table behind shows what comes of it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::super::state::State;
use super::super::theme::Role;
use super::super::widget::prompt::Prompt;
use super::columns::Column;
use super::overlay::frame;
use super::sort_key::{SortKey, TableColumn};
use traintop_text as text;

/// Its width in cells.
const WIDTH: u16 = 44;

/// The list of columns.
#[derive(Debug)]
pub struct ColumnEditor {
    /// The columns that show, in their order.
    shown: Vec<TableColumn>,
    /// All others that could, with what each is.
    others: Vec<(SortKey, &'static str)>,
    prompt: Prompt,
    cursor: usize,
    /// As it was, and whether that was chosen here.
    before: (Vec<TableColumn>, bool),
}

/// A row of the list.
enum Row<'a> {
    Shown(usize, &'a TableColumn),
    Other(&'a SortKey, &'static str),
}

impl Row<'_> {
    fn name(&self) -> String {
        match self {
            Self::Shown(_, shown) => shown.key.name(),
            Self::Other(key, _) => key.name(),
        }
    }
}

impl ColumnEditor {
    /// The columns as they are.
    pub fn new(state: &mut State) -> Self {
        let shown = state.runs.columns().to_vec();
        let choices = state.runs.choices().into_iter();
        let keys = choices.filter_map(|(name, what)| Some((SortKey::named(&name)?, what)));
        let others = keys.filter(|(key, _)| !shown.iter().any(|shown| shown.key == *key));
        Self {
            others: others.collect(),
            prompt: Prompt::default(),
            cursor: 0,
            before: (shown.clone(), state.runs.has_chosen_columns()),
            shown,
        }
    }

    /// What the typed letters leave of the list.
    fn rows(&self) -> Vec<Row<'_>> {
        let typed = self.prompt.text().to_lowercase();
        let shown = self.shown.iter().enumerate();
        let shown = shown.map(|(at, shown)| Row::Shown(at, shown));
        let others = self.others.iter().map(|(key, what)| Row::Other(key, what));
        shown
            .chain(others)
            .filter(|row| row.name().to_lowercase().contains(&typed))
            .collect()
    }

    /// Takes a key: gives itself back unless the key has closed it.
    pub fn key(mut self, state: &mut State, event: KeyEvent) -> Option<Self> {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let at = self.rows().get(self.cursor).and_then(|row| match row {
            Row::Shown(at, _) => Some(*at),
            Row::Other(..) => None,
        });
        match event.code {
            KeyCode::Enter => return None,
            KeyCode::Esc => {
                state.runs.choose_columns(self.before.0, self.before.1);
                return None;
            }
            KeyCode::Char('r') if control => {
                state.runs.choose_columns(TableColumn::all(), false);
                return None;
            }
            KeyCode::Up if control => self.carry(at, -1),
            KeyCode::Down if control => self.carry(at, 1),
            KeyCode::Char('<') => self.carry(at, -1),
            KeyCode::Char('>') => self.carry(at, 1),
            KeyCode::Up => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Down => self.cursor += 1,
            KeyCode::Left | KeyCode::Right => {
                if let Some(at) = at {
                    let by = if event.code == KeyCode::Left { -1 } else { 1 };
                    self.shown[at].widen(by);
                }
            }
            KeyCode::Char(' ') => self.toggle(at),
            _ => {
                if self.prompt.key(event) {
                    self.cursor = 0;
                }
            }
        }
        self.cursor = self.cursor.min(self.rows().len().saturating_sub(1));
        if self.shown != state.runs.columns() {
            state.runs.choose_columns(self.shown.clone(), true);
        }
        Some(self)
    }

    /// Moves a column among those that show.
    fn carry(&mut self, at: Option<usize>, by: isize) {
        let Some(at) = at else { return };
        let to = at.saturating_add_signed(by).min(self.shown.len() - 1);
        self.shown.swap(at, to);
        if self.prompt.text().is_empty() {
            self.cursor = to;
        }
    }

    /// Shows a column, or hides it; the name stays.
    fn toggle(&mut self, at: Option<usize>) {
        if let Some(at) = at {
            if self.shown[at].key != Column::Name {
                let shown = self.shown.remove(at);
                self.others.insert(0, (shown.key, "shown until now"));
            }
            return;
        }
        let rows = self.rows();
        let Some(Row::Other(key, _)) = rows.get(self.cursor) else {
            return;
        };
        let key = (*key).clone();
        self.others.retain(|(other, _)| *other != key);
        self.shown.push(TableColumn::new(key));
        // On with the cursor to the column, which can be moved and resized now.
        self.prompt = Prompt::default();
        self.cursor = self.shown.len() - 1;
    }

    /// Draws it at the right, so that the first columns are seen.
    pub fn draw(&self, state: &State, area: Rect, buf: &mut Buffer) {
        let theme = &state.theme;
        let place = Rect {
            x: area.right() - WIDTH.min(area.width),
            width: WIDTH.min(area.width),
            ..area
        };
        let inside = frame(theme, "Columns", (WIDTH, area.height), place, buf);
        if inside.height < 5 {
            return;
        }
        let key = theme.style(Role::Key);
        let line = |y: u16| Rect {
            y,
            height: 1,
            ..inside
        };
        let mut typed = self.prompt.line(
            usize::from(inside.width.saturating_sub(2)),
            Style::default(),
        );
        typed.spans.insert(0, Span::styled("> ", key));
        typed.render(line(inside.y), buf);
        let height = usize::from(inside.height - 3);
        let top = (self.cursor + 1).saturating_sub(height);
        let rows = self.rows();
        let rows = rows.iter().enumerate().skip(top).take(height);
        for (y, (at, row)) in (inside.y + 1..).zip(rows) {
            let selected = at == self.cursor;
            let style = theme.style(if selected {
                Role::Selection
            } else {
                Role::Text
            });
            let (sign, detail) = match row {
                Row::Shown(_, shown) => ("✓", format!("{} wide", shown.width())),
                Row::Other(_, what) => (" ", (*what).to_owned()),
            };
            let name = row.name();
            let name = text::clean(&name);
            let spans = vec![
                Span::styled(if selected { "▌" } else { " " }, theme.style(Role::Accent)),
                Span::styled(sign, theme.style(Role::Good)),
                Span::styled(format!(" {:<22}", text::fitted(&name, 22)), style),
                Span::styled(format!(" {detail}"), theme.style(Role::Muted)),
            ];
            Line::from(spans).render(line(y), buf);
        }
        let hints = |pairs: &[(&'static str, &'static str)]| {
            let spans = pairs.iter().flat_map(|(name, what)| {
                [
                    Span::styled(*name, key),
                    Span::styled(format!(" {what} "), theme.style(Role::Muted)),
                ]
            });
            spans.collect::<Line>()
        };
        hints(&[("Space", "show, hide"), ("< >", "move"), ("← →", "width")])
            .render(line(inside.bottom() - 2), buf);
        hints(&[
            ("Enter", "keep"),
            ("Esc", "leave"),
            ("Ctrl-R", "all of ours"),
        ])
        .render(line(inside.bottom() - 1), buf);
    }
}
