//! The columns of the table, chosen, put in order and resized while the table behind shows what
//! comes of it.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::super::command::{Action, Scope};
use super::super::component::{Component, Request, Response};
use super::super::context::Context;
use super::super::theme::Role;
use super::columns::Column;
use super::dialog::{draw_narrowing, frame, line_of_keys, list_rows, row_style};
use super::motion::{Motion, in_sight};
use super::narrowing::Narrowing;
use super::runs::table::Runs;
use super::sort_key::{SortKey, TableColumn};
use traintop_text as text;

/// Its width in cells.
const WIDTH: u16 = 44;

/// Rows of the dialog around its list: the frame, the text, two rows of keys.
const AROUND: u16 = 5;

/// The list of columns.
#[derive(Debug)]
pub struct ColumnEditor {
    /// The columns that show, in their order.
    shown: Vec<TableColumn>,
    /// All others that could, with what each is.
    others: Vec<(SortKey, &'static str)>,
    narrowing: Narrowing,
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
    pub fn new(runs: &mut Runs) -> Self {
        let shown = runs.columns().to_vec();
        let choices = runs.choices().into_iter();
        let keys = choices.filter_map(|(name, what)| Some((SortKey::named(&name)?, what)));
        let others = keys.filter(|(key, _)| !shown.iter().any(|shown| shown.key == *key));
        Self {
            others: others.collect(),
            narrowing: Narrowing::default(),
            before: (shown.clone(), runs.has_chosen_columns()),
            shown,
        }
    }

    /// What the typed letters leave of the list.
    fn rows(&self) -> Vec<Row<'_>> {
        let typed = self.narrowing.prompt.text().to_lowercase();
        let shown = self.shown.iter().enumerate();
        let shown = shown.map(|(at, shown)| Row::Shown(at, shown));
        let others = self.others.iter().map(|(key, what)| Row::Other(key, what));
        shown
            .chain(others)
            .filter(|row| row.name().to_lowercase().contains(&typed))
            .collect()
    }

    /// The column under the cursor, if it shows.
    fn here(&self) -> Option<usize> {
        match self.rows().get(self.narrowing.cursor)? {
            Row::Shown(at, _) => Some(*at),
            Row::Other(..) => None,
        }
    }

    /// The columns as they are now, to be shown behind.
    fn changed(&mut self, context: &Context) -> Response {
        self.narrowing.stay_within(self.rows().len());
        if self.shown == context.runs.columns() {
            return Response::handled();
        }
        Response::handled().with(Request::ChooseColumns {
            columns: self.shown.clone(),
            is_chosen: true,
        })
    }

    fn widen(&mut self, by: i16) {
        if let Some(at) = self.here() {
            self.shown[at].widen(by);
        }
    }

    /// Moves a column among those that show.
    fn carry(&mut self, by: isize) {
        let Some(at) = self.here() else { return };
        let to = at.saturating_add_signed(by).min(self.shown.len() - 1);
        self.shown.swap(at, to);
        if self.narrowing.prompt.text().is_empty() {
            self.narrowing.cursor = to;
        }
    }

    /// Shows a column, or hides it; the name stays.
    fn toggle(&mut self) {
        if let Some(at) = self.here() {
            if self.shown[at].key != Column::Name {
                let shown = self.shown.remove(at);
                self.others.insert(0, (shown.key, "shown until now"));
            }
            return;
        }
        let rows = self.rows();
        let Some(Row::Other(key, _)) = rows.get(self.narrowing.cursor) else {
            return;
        };
        let key = (*key).clone();
        self.others.retain(|(other, _)| *other != key);
        self.shown.push(TableColumn::new(key));
        // On with the cursor to the column, which can be moved and resized now.
        self.narrowing = Narrowing::at(self.shown.len() - 1);
    }
}

impl Component for ColumnEditor {
    fn scope(&self, _context: &Context) -> Scope {
        Scope::Columns
    }

    fn act(&mut self, action: Action, context: &Context) -> Response {
        let choose = |columns, is_chosen| {
            Response::closed().with(Request::ChooseColumns { columns, is_chosen })
        };
        match action {
            Action::Confirm => return Response::closed(),
            Action::Back => return choose(self.before.0.clone(), self.before.1),
            Action::ResetColumns => return choose(TableColumn::all(), false),
            Action::MoveEarlier => self.carry(-1),
            Action::MoveLater => self.carry(1),
            Action::Left => self.widen(-1),
            Action::Right => self.widen(1),
            Action::Mark => self.toggle(),
            _ => {
                let Some(motion) = Motion::of(action) else {
                    return Response::ignored();
                };
                let page = list_rows(context.size, AROUND);
                self.narrowing.step(motion, self.rows().len(), page);
            }
        }
        self.changed(context)
    }

    fn type_key(&mut self, event: KeyEvent, context: &Context) -> Response {
        self.narrowing.type_key(event);
        self.changed(context)
    }

    fn paste(&mut self, text: &str) {
        self.narrowing.paste(text);
    }

    /// Draws it at the right, so that the first columns are seen.
    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let theme = &context.theme;
        let place = Rect {
            x: area.right() - WIDTH.min(area.width),
            width: WIDTH.min(area.width),
            ..area
        };
        let inside = frame(theme, "Columns", (WIDTH, area.height), place, buf);
        if inside.height < 5 {
            return;
        }
        let line = |y: u16| Rect {
            y,
            height: 1,
            ..inside
        };
        draw_narrowing(&self.narrowing.prompt, theme, inside, buf);
        let height = usize::from(inside.height - 3);
        let rows = self.rows();
        let shown = in_sight(self.narrowing.cursor, rows.len(), height);
        for (y, at) in (inside.y + 1..).zip(shown) {
            let row = &rows[at];
            let (bar, style) = row_style(theme, at == self.narrowing.cursor);
            let (sign, detail) = match row {
                Row::Shown(_, shown) => ("✓", format!("{} wide", shown.width())),
                Row::Other(_, what) => (" ", (*what).to_owned()),
            };
            let name = row.name();
            let name = text::clean(&name);
            let spans = vec![
                bar,
                Span::styled(sign, theme.style(Role::Good)),
                Span::styled(format!(" {:<22}", text::fitted(&name, 22)), style),
                Span::styled(format!(" {detail}"), theme.style(Role::Muted)),
            ];
            Line::from(spans).render(line(y), buf);
        }
        let hints: Vec<_> = context.keymap.hints(Scope::Columns).collect();
        let (first, second) = hints.split_at(hints.len().min(3));
        for (row, hints) in [(2, first), (1, second)] {
            let hints = hints.iter().map(|(_, key, word)| (key.clone(), *word));
            line_of_keys(hints, theme, inside.width).render(line(inside.bottom() - row), buf);
        }
    }
}
