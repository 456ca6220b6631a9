//! The list of evaluations: of some runs, or of all.

mod columns;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use self::columns::{COLUMNS, Column, age, aligned, cell, fitting, order};
use crate::context::Context;
use crate::evaluations::Evaluations;
use crate::jobs::evaluations::card::{Card, Running};
use crate::theme::{Role, Theme};
use crate::view::motion::Motion;
use crate::widget::clipped::Clipped as _;
use crate::widget::progress_bar::ProgressBar;
use traintop_run::RunDir;
use traintop_run::evaluation::EvaluationDir;
use traintop_run::summary::Summary;
use traintop_text as text;
use traintop_text::{count, fitted};

/// A run whose evaluations are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whose {
    /// Its identity.
    pub id: String,
    pub dir: RunDir,
    /// What lists call it.
    pub name: String,
}

impl Whose {
    /// A run by its summary.
    pub fn of(summary: &Summary) -> Self {
        Self {
            id: summary.id.clone(),
            dir: summary.dir.clone(),
            name: summary.title().into_owned(),
        }
    }
}

#[derive(Debug)]
pub struct List {
    /// The runs whose evaluations these are; none: all runs'.
    whose: Vec<Whose>,
    /// Whether all runs' are shown whatever `whose` says.
    is_all: bool,
    rows: Vec<EvaluationDir>,
    cursor: Option<EvaluationDir>,
    top: usize,
    /// In the order in which they were marked.
    marks: Vec<EvaluationDir>,
    sort: (Column, bool),
}

impl List {
    /// The evaluations of some runs, or of all if none is named; the newest first.
    pub fn new(whose: Vec<Whose>, evaluations: &Evaluations) -> Self {
        let mut list = Self {
            is_all: whose.is_empty(),
            whose,
            rows: Vec::new(),
            cursor: None,
            top: 0,
            marks: Vec::new(),
            sort: (Column::Age, false),
        };
        list.arrange(evaluations);
        list
    }

    /// The runs whose evaluations these are.
    pub fn whose(&self) -> &[Whose] {
        &self.whose
    }

    /// The evaluation under the cursor.
    pub fn selected(&self) -> Option<&EvaluationDir> {
        self.cursor.as_ref()
    }

    /// The marked ones; without marks the one under the cursor.
    pub fn chosen(&self) -> Vec<EvaluationDir> {
        if self.marks.is_empty() {
            return self.cursor.iter().cloned().collect();
        }
        self.marks.clone()
    }

    /// Those to be compared, the first of them the one that the others are compared with: the
    /// marked ones; without marks all that are listed, the oldest first.
    pub fn compared(&self, evaluations: &Evaluations) -> Vec<EvaluationDir> {
        if self.marks.len() > 1 {
            return self.marks.clone();
        }
        let mut rows = self.rows.clone();
        rows.sort_by_key(|dir| {
            let started = evaluations.card(dir).and_then(|card| card.started_at);
            (started, dir.clone())
        });
        rows
    }

    fn shows(&self, is_of: impl Fn(&str, &RunDir) -> bool) -> bool {
        let mut whose = self.whose.iter();
        self.is_all || whose.any(|whose| is_of(&whose.id, &whose.dir))
    }

    /// Takes in what is known now; the cursor stays on its evaluation, or where it was.
    pub fn arrange(&mut self, evaluations: &Evaluations) {
        let was = self.position();
        let mut cards: Vec<&Card> = evaluations
            .cards()
            .filter(|card| self.shows(|id, dir| card.is_of(id, dir)))
            .collect();
        let (column, reversed) = self.sort;
        cards.sort_by(|a, b| {
            let order = order(column, a, b);
            if reversed { order.reverse() } else { order }
                .then_with(|| b.started_at.cmp(&a.started_at))
                .then_with(|| a.dir.cmp(&b.dir))
        });
        self.rows = cards.iter().map(|card| card.dir.clone()).collect();
        let rows = &self.rows;
        self.marks.retain(|dir| rows.contains(dir));
        if !self
            .cursor
            .as_ref()
            .is_some_and(|cursor| rows.contains(cursor))
        {
            let at = was.min(rows.len().saturating_sub(1));
            self.cursor = rows.get(at).cloned();
        }
    }

    /// An evaluation's folder has another name now.
    pub fn follow(&mut self, from: &EvaluationDir, to: &EvaluationDir) {
        let all = self
            .marks
            .iter_mut()
            .chain(&mut self.cursor)
            .chain(&mut self.rows);
        for dir in all.filter(|dir| *dir == from) {
            dir.clone_from(to);
        }
    }

    fn position(&self) -> usize {
        let cursor = self.cursor.as_ref();
        cursor
            .and_then(|cursor| self.rows.iter().position(|dir| dir == cursor))
            .unwrap_or(0)
    }

    /// Moves the cursor.
    pub fn step(&mut self, motion: Motion, area: Rect, evaluations: &Evaluations) {
        let page = usize::from(self.table(area, evaluations).height.max(1));
        let at = motion.along(self.position(), self.rows.len(), page);
        self.cursor = self.rows.get(at).cloned();
        // Beyond an edge the row comes to the middle, so that not every move sends the table again.
        if !(self.top..self.top + page).contains(&at) {
            self.top = at.saturating_sub(page / 2);
        }
        self.top = self.top.min(self.rows.len().saturating_sub(page));
    }

    /// Marks the evaluation under the cursor, or unmarks it, and moves to the next.
    pub fn toggle_mark(&mut self, area: Rect, evaluations: &Evaluations) {
        if let Some(cursor) = self.cursor.clone() {
            match self.marks.iter().position(|dir| *dir == cursor) {
                Some(at) => drop(self.marks.remove(at)),
                None => self.marks.push(cursor),
            }
            self.step(Motion::Down, area, evaluations);
        }
    }

    /// Shows all runs' evaluations, or the chosen ones' again.
    pub fn toggle_all(&mut self, evaluations: &Evaluations) {
        self.is_all = !self.is_all || self.whose.is_empty();
        self.arrange(evaluations);
    }

    /// Sorts by the next column.
    pub fn sort_next(&mut self, evaluations: &Evaluations) {
        let at = COLUMNS.iter().position(|column| column.0 == self.sort.0);
        let next = (at.unwrap_or(0) + 1) % COLUMNS.len();
        self.sort = (COLUMNS[next].0, false);
        self.arrange(evaluations);
    }

    /// Turns the order round.
    pub fn reverse(&mut self, evaluations: &Evaluations) {
        self.sort.1 = !self.sort.1;
        self.arrange(evaluations);
    }

    /// When a visible age reads differently, on the clock's whole minutes.
    pub fn next_wake(&self, evaluations: &Evaluations, now: Timestamp) -> Option<Timestamp> {
        let ages = self.rows.iter().filter_map(|dir| {
            let started = evaluations.card(dir)?.started_at?;
            let (_, left) = text::since(age(started, now));
            let changes = now.checked_add(left).ok()?;
            Timestamp::from_second(changes.as_second() / 60 * 60 + 60).ok()
        });
        ages.min()
    }

    fn running<'a>(&self, evaluations: &'a Evaluations) -> Vec<&'a Running> {
        let running = evaluations.running.iter();
        running
            .filter(|running| self.shows(|id, dir| running.is_of(id, dir)))
            .collect()
    }

    /// The rows of the table: below the top line, those that run, and the heading.
    fn table(&self, area: Rect, evaluations: &Evaluations) -> Rect {
        let above = (2 + self.running(evaluations).len() as u16).min(area.height);
        Rect {
            y: area.y + above,
            height: area.height - above,
            ..area
        }
    }

    /// Draws the list.
    ///
    /// ```text
    /// evaluations  of quick 11-24  3 evaluations  2 marked
    /// ▸ quick 11-24, best  ━━━━━━╸──────  45 %  1,234 images/s
    ///    AGE NAME                 DATA          VIEWS RIGHT %  95 % INTERVAL   LOSS   ECE
    /// ▌◆  2h quick 11-24, best    test 2,000        8   93.40    92.23-94.41  0.231 0.031
    /// ```
    pub fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let (theme, evaluations) = (&context.theme, &context.evaluations);
        self.draw_top(context, area, buf);
        let running = self.running(evaluations);
        for (y, running) in (area.y + 1..area.bottom()).zip(&running) {
            draw_running(
                running,
                theme,
                Rect {
                    y,
                    height: 1,
                    ..area
                },
                buf,
            );
        }
        let table = self.table(area, evaluations);
        if self.rows.is_empty() {
            draw_empty(context, table, buf);
            return;
        }
        let columns = fitting(area.width);
        let mut x = area.x + 3;
        let heading = table.y.saturating_sub(1);
        for (column, title, width, _, is_right) in &columns {
            let role = if *column == self.sort.0 {
                Role::HeaderSorted
            } else {
                Role::Header
            };
            let text = aligned(title, usize::from(*width), *is_right);
            buf.put_n(x, heading, text, usize::from(*width), theme.style(role));
            x += width + 1;
        }
        let rows = self.rows.iter().skip(self.top);
        for (y, dir) in (table.y..table.bottom()).zip(rows) {
            if let Some(card) = evaluations.card(dir) {
                self.draw_row(
                    context,
                    card,
                    &columns,
                    Rect {
                        y,
                        height: 1,
                        ..area
                    },
                    buf,
                );
            }
        }
    }

    fn draw_top(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let theme = &context.theme;
        let muted = theme.style(Role::Muted);
        let whose = match &self.whose[..] {
            _ if self.is_all => "of all runs".to_owned(),
            [one] => format!("of {}", one.name),
            several => format!("of {} runs", several.len()),
        };
        let plural = if self.rows.len() == 1 { "" } else { "s" };
        let mut spans = vec![
            Span::styled("evaluations", theme.style(Role::Title)),
            Span::styled(format!("  {whose}"), theme.style(Role::Text)),
            Span::styled(
                format!("  {} evaluation{plural}", count(self.rows.len() as u64)),
                muted,
            ),
        ];
        if !self.marks.is_empty() {
            spans.push(Span::styled(
                format!("  ◆ {} marked", self.marks.len()),
                theme.style(Role::Mark),
            ));
        }
        Line::from(spans).render(Rect { height: 1, ..area }, buf);
    }

    fn draw_row(
        &self,
        context: &Context,
        card: &Card,
        columns: &[(Column, &str, u16, u8, bool)],
        area: Rect,
        buf: &mut Buffer,
    ) {
        let theme = &context.theme;
        let is_selected = self.cursor.as_ref() == Some(&card.dir);
        if is_selected {
            buf.put(area.x, area.y, "▌", theme.style(Role::Accent));
        }
        if self.marks.contains(&card.dir) {
            buf.put(area.x + 1, area.y, "◆", theme.style(Role::Mark));
        }
        let mut x = area.x + 3;
        for (column, _, width, _, is_right) in columns {
            let (text, role) = cell(*column, card, context.now);
            let role = if is_selected && *column == Column::Name {
                Role::Selection
            } else {
                role
            };
            let width = usize::from(*width);
            let shown = aligned(&fitted(&text, width), width, *is_right);
            buf.put_n(x, area.y, shown, width, theme.style(role));
            x += width as u16 + 1;
        }
    }
}

fn draw_empty(context: &Context, area: Rect, buf: &mut Buffer) {
    let lines = if context.evaluations.is_found {
        vec![
            Line::from("No evaluations yet."),
            Line::default(),
            Line::from("e  evaluates a checkpoint: how good it is, and what it gets wrong."),
            Line::from("a  shows the evaluations of all runs."),
        ]
    } else {
        vec![Line::from("Searching …")]
    };
    Paragraph::new(lines)
        .style(context.theme.style(Role::Muted))
        .wrap(Wrap { trim: true })
        .render(area.inner(Margin::new(2, 1)), buf);
}

fn draw_running(running: &Running, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let name = fitted(&running.name, usize::from(area.width / 3)).into_owned();
    if running.is_abandoned {
        let text = format!("✗ {name}  ended before it was done; nothing of it is kept");
        return Line::styled(text, theme.style(Role::Warn)).render(area, buf);
    }
    let text = format!("▸ {name}, {}  ", running.checkpoint);
    let line = Line::styled(text, theme.style(Role::StateRunning));
    let used = (line.width() as u16).min(area.width);
    line.render(area, buf);
    let bar = Rect {
        x: area.x + used,
        width: 16.min(area.width - used),
        ..area
    };
    ProgressBar {
        fraction: running.fraction,
        done: theme.style(Role::BarDone),
        rest: theme.style(Role::BarRest),
    }
    .render(bar, buf);
    let speed = match running.images_per_s {
        speed if speed > 0.0 => format!("  {} images/s", count(speed.round() as u64)),
        _ => String::new(),
    };
    let text = format!("  {:.0} %{speed}", 100.0 * running.fraction);
    let room = usize::from(area.right().saturating_sub(bar.right()));
    buf.put_n(bar.right(), area.y, text, room, theme.style(Role::Text));
}
