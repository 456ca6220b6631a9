//! The table of runs: every run below the roots, newest first, filtered as one types.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent};
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::super::command::Action;
use super::super::effect::Effect;
use super::super::message::Notice;
use super::super::state::State;
use super::super::theme::Role;
use super::super::widget::progress_bar::ProgressBar;
use super::super::widget::prompt::Prompt;
use super::super::widget::sparkline::Sparkline;
use super::columns::{self, Column};
use super::confirm::Confirm;
use super::overlay::Overlay;
use super::preview;
use crate::run::RunDir;
use crate::run::discover::Found;
use crate::run::summary::Summary;
use crate::text;

/// So long the cursor must rest before the runs on the screen are looked at more closely: moving through a list must cost
/// little on a slow line.
pub const REST: Duration = Duration::from_millis(250);

/// A run in the table.
#[derive(Debug)]
pub struct Row {
    /// Where it was found, and in what condition.
    pub found: Found,
    /// What is known of it; `None` until it was summed up.
    pub summary: Option<Summary>,
}

/// The table of runs.
#[derive(Debug)]
pub struct Runs {
    rows: HashMap<RunDir, Row>,
    /// The runs that pass the filter, in the order of the table.
    order: Vec<RunDir>,
    cursor: Option<RunDir>,
    /// The first row on the screen.
    top: usize,
    sort: (Column, bool),
    columns: Vec<Column>,
    filter: Prompt,
    editing: bool,
    /// Whether all roots have been searched.
    searched: bool,
    problems: Vec<String>,
    /// When the cursor moved last, until it has rested.
    moved_at: Option<Timestamp>,
    /// Whether somebody has moved the cursor, or all is known: until then it stays on the first run.
    touched: bool,
    /// A run that was just started: the cursor goes to it when it appears.
    expected: Option<RunDir>,
}

impl Default for Runs {
    fn default() -> Self {
        Self {
            rows: HashMap::new(),
            order: Vec::new(),
            cursor: None,
            top: 0,
            sort: (Column::Age, false),
            columns: Column::ALL.to_vec(),
            filter: Prompt::default(),
            editing: false,
            searched: false,
            problems: Vec::new(),
            moved_at: None,
            touched: false,
            expected: None,
        }
    }
}

impl Runs {
    /// Shows these columns only, in the table's order.
    pub fn set_columns(&mut self, columns: Vec<Column>) {
        self.columns = columns;
    }

    /// The run under the cursor.
    pub fn selected(&self) -> Option<&Row> {
        self.rows.get(self.cursor.as_ref()?)
    }

    /// A run by its folder.
    pub fn row(&self, dir: &RunDir) -> Option<&Row> {
        self.rows.get(dir)
    }

    /// The run to which a changed folder belongs: its own, or its `logs`.
    pub fn owner(&self, folder: &Path) -> Option<&RunDir> {
        let own = RunDir::new(folder);
        let parent = folder.parent().map(RunDir::new);
        let known = |dir: RunDir| self.rows.get_key_value(&dir).map(|(dir, _)| dir);
        known(own).or_else(|| known(parent?))
    }

    /// All runs that are known.
    pub fn all(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// Whether text is being typed.
    pub fn is_typing(&self) -> bool {
        self.editing
    }

    /// Takes in runs that were found. Returns those that still have to be summed up, those on the screen first.
    pub fn add(&mut self, found: Vec<(Found, Option<Summary>)>, height: u16) -> Vec<RunDir> {
        let mut unknown = Vec::new();
        for (found, summary) in found {
            let dir = found.dir.clone();
            let known = self
                .rows
                .get(&dir)
                .is_some_and(|row| row.found.stamps == found.stamps && row.summary.is_some());
            if known {
                continue;
            }
            if summary.is_none() {
                unknown.push(dir.clone());
            }
            let summary = summary.or_else(|| self.rows.remove(&dir).and_then(|row| row.summary));
            self.rows.insert(dir, Row { found, summary });
        }
        self.arrange();
        let place: HashMap<&RunDir, usize> = self
            .order
            .iter()
            .enumerate()
            .map(|(at, dir)| (dir, at))
            .collect();
        let on_screen = self.top..self.top + usize::from(height);
        unknown.sort_by_key(|dir| {
            let at = place.get(dir).copied().unwrap_or(usize::MAX);
            (!on_screen.contains(&at), at)
        });
        unknown
    }

    /// Takes in a summary, keeping what only this program counted.
    pub fn update(&mut self, found: Found, mut summary: Summary) {
        let size = self
            .rows
            .get(&found.dir)
            .and_then(|row| row.summary.as_ref()?.size_bytes);
        summary.size_bytes = summary.size_bytes.or(size);
        self.rows.insert(
            found.dir.clone(),
            Row {
                found,
                summary: Some(summary),
            },
        );
    }

    /// Puts the cursor on this run as soon as it is there.
    pub fn expect(&mut self, dir: RunDir) {
        self.expected = Some(dir);
    }

    /// Takes in sizes.
    pub fn measured(&mut self, sizes: Vec<(RunDir, u64)>) {
        for (dir, size) in sizes {
            if let Some(summary) = self.rows.get_mut(&dir).and_then(|row| row.summary.as_mut()) {
                summary.size_bytes = Some(size);
            }
        }
        if self.sort.0 == Column::Size {
            self.arrange();
        }
    }

    /// A run that is gone.
    pub fn remove(&mut self, dir: &RunDir) {
        self.rows.remove(dir);
        self.arrange();
    }

    /// All roots were searched and hold these runs.
    pub fn searched(&mut self, dirs: &[RunDir], problems: Vec<String>) {
        let there: std::collections::HashSet<_> = dirs.iter().collect();
        self.rows.retain(|dir, _| there.contains(dir));
        self.searched = true;
        self.problems = problems;
        self.arrange();
    }

    /// Puts the runs that pass the filter in order. The cursor stays on its run, or where it was.
    pub fn arrange(&mut self) {
        let was = self
            .cursor
            .as_ref()
            .and_then(|cursor| self.order.iter().position(|dir| dir == cursor));
        let words: Vec<String> = self
            .filter
            .text()
            .to_lowercase()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let mut shown: Vec<&Row> = self
            .rows
            .values()
            .filter(|row| passes(row, &words))
            .collect();
        let (column, descending) = self.sort;
        shown.sort_by(|a, b| match (&a.summary, &b.summary) {
            (Some(a), Some(b)) => column.order(a, b, descending),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            // Folders are named by the time at which they were made.
            (None, None) => b.found.dir.cmp(&a.found.dir),
        });
        self.order = shown.iter().map(|row| row.found.dir.clone()).collect();
        let order = &self.order;
        if let Some(expected) = self.expected.take_if(|expected| order.contains(expected)) {
            self.cursor = Some(expected);
            self.touched = true;
        }
        let there = self
            .cursor
            .as_ref()
            .is_some_and(|cursor| self.order.contains(cursor));
        if !self.touched {
            self.cursor = self.order.first().cloned();
        } else if !there {
            let at = was.unwrap_or(0).min(self.order.len().saturating_sub(1));
            self.cursor = self.order.get(at).cloned();
        }
    }

    /// All runs are known: from now on the cursor stays with its run, wherever the order puts it.
    pub fn settle(&mut self) {
        self.touched = true;
    }

    /// Whether all roots have been searched.
    pub fn is_searched(&self) -> bool {
        self.searched
    }

    fn position(&self) -> usize {
        let cursor = self.cursor.as_ref();
        cursor
            .and_then(|cursor| self.order.iter().position(|dir| dir == cursor))
            .unwrap_or(0)
    }

    fn move_to(&mut self, at: usize, height: u16, now: Timestamp) {
        let at = at.min(self.order.len().saturating_sub(1));
        self.cursor = self.order.get(at).cloned();
        self.scroll(at, height);
        self.moved_at = Some(now);
        self.touched = true;
    }

    fn scroll(&mut self, at: usize, height: u16) {
        let height = usize::from(height).max(1);
        self.top = self.top.clamp((at + 1).saturating_sub(height), at);
        self.top = self.top.min(self.order.len().saturating_sub(height));
    }

    /// Keeps the cursor on the screen after the order or the size has changed.
    pub fn keep_in_sight(&mut self, height: u16) {
        self.scroll(self.position(), height);
    }

    fn sort_by(&mut self, step: isize) {
        let count = self.columns.len() as isize;
        let at = self
            .columns
            .iter()
            .position(|column| *column == self.sort.0)
            .unwrap_or(0) as isize;
        let column = self.columns[(at + step).rem_euclid(count) as usize];
        // Accuracies are asked for from the best down.
        self.sort = (
            column,
            matches!(column, Column::Best | Column::Trend | Column::Size),
        );
        self.arrange();
    }

    /// The runs on the screen.
    pub fn on_screen(&self, height: u16) -> impl Iterator<Item = &Row> {
        self.order
            .iter()
            .skip(self.top)
            .take(usize::from(height))
            .filter_map(|dir| self.rows.get(dir))
    }

    /// Whether the cursor has rested long enough; true once after each move.
    pub fn has_rested(&mut self, now: Timestamp) -> bool {
        let rested = self.moved_at.is_some_and(|moved| now >= moved + REST);
        if rested {
            self.moved_at = None;
        }
        rested
    }

    /// When the cursor has rested, or visible ages read differently: those change together, on the clock's whole minutes, and may
    /// be a minute behind, so that a screen of young runs is not drawn again every few seconds.
    pub fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let rest = self.moved_at.map(|moved| moved + REST);
        // A screen has far fewer rows than this; those beyond it change no sooner to the eye.
        let ages = self.on_screen(200).filter_map(|row| {
            let (_, left) = text::since(columns::age(row.summary.as_ref()?, now));
            let changes = now.checked_add(left).ok()?;
            Timestamp::from_second(changes.as_second() / 60 * 60 + 60).ok()
        });
        rest.into_iter().chain(ages).min()
    }
}

/// Whether a run holds all the words, in its name, folder, network, recipe or state.
fn passes(row: &Row, words: &[String]) -> bool {
    let path = row.found.dir.name().to_lowercase();
    words.iter().all(|word| {
        path.contains(word)
            || row.summary.as_ref().is_some_and(|summary| {
                [&summary.name, &summary.model, &summary.recipe]
                    .iter()
                    .any(|text| text.to_lowercase().contains(word))
                    || summary.observed.state.name().contains(word)
            })
    })
}

/// From so many rows on there is a preview below the table.
const PREVIEW_FROM: u16 = 34;

/// The parts of the screen: top line, header, table, and the preview where there is room for it.
fn areas(area: Rect) -> [Rect; 4] {
    let preview = if area.height >= PREVIEW_FROM {
        (area.height / 2).min(26)
    } else {
        0
    };
    let [top, header, table, gap_and_preview] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(preview),
    ])
    .areas(area);
    [top, header, table, gap_and_preview]
}

/// The rows of the table that fit on a screen of this size (columns, rows).
pub fn table_height(size: (u16, u16)) -> u16 {
    let [main, _] = super::areas(Rect::new(0, 0, size.0, size.1));
    areas(main)[2].height.max(1)
}

/// Whether a screen of this size has a preview.
pub fn has_preview(size: (u16, u16)) -> bool {
    let [main, _] = super::areas(Rect::new(0, 0, size.0, size.1));
    areas(main)[3].height > 0
}

/// Does what a key asks for.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let (now, height) = (state.now, table_height(state.size));
    let runs = &mut state.runs;
    let (at, page, last) = (
        runs.position(),
        usize::from(height),
        runs.order.len().saturating_sub(1),
    );
    match action {
        Action::CursorDown => runs.move_to(at + 1, height, now),
        Action::CursorUp => runs.move_to(at.saturating_sub(1), height, now),
        Action::PageDown => runs.move_to(at + page, height, now),
        Action::PageUp => runs.move_to(at.saturating_sub(page), height, now),
        Action::CursorFirst => runs.move_to(0, height, now),
        Action::CursorLast => runs.move_to(last, height, now),
        Action::SortNext => runs.sort_by(1),
        Action::SortPrevious => runs.sort_by(-1),
        Action::SortReverse => {
            runs.sort.1 = !runs.sort.1;
            runs.arrange();
        }
        Action::Filter => runs.editing = true,
        Action::ClearFilter => {
            runs.filter = Prompt::default();
            runs.arrange();
        }
        Action::Refresh => return vec![Effect::Discover],
        Action::StopRun => {
            let selected = state.runs.selected().map(|row| row.found.dir.clone());
            if let Some(dir) = selected {
                ask_to_stop(state, &dir);
            }
        }
        _ => {}
    }
    state.runs.keep_in_sight(height);
    Vec::new()
}

/// Asks whether a run is to be stopped, or says why it cannot be.
pub fn ask_to_stop(state: &mut State, dir: &RunDir) {
    let Some(summary) = state.runs.row(dir).and_then(|row| row.summary.as_ref()) else {
        return;
    };
    let (name, state_now) = (&summary.name, summary.observed.state);
    if !state_now.is_active() {
        state.notice = Some(Notice::bad(format!(
            "{name} is not running: it is {state_now}"
        )));
        return;
    }
    let text = format!(
        "{name} will finish its step, save its last checkpoint and stop. It can be resumed from there."
    );
    let then = Effect::Stop(dir.clone());
    state.overlay = Some(Overlay::Confirm(Confirm {
        title: "Stop this run?".to_owned(),
        text,
        yes: "stop it".to_owned(),
        then,
    }));
}

/// A key while the filter is typed.
pub fn type_key(state: &mut State, event: KeyEvent) {
    let runs = &mut state.runs;
    match event.code {
        KeyCode::Enter => runs.editing = false,
        KeyCode::Esc => {
            runs.editing = false;
            runs.filter = Prompt::default();
            runs.arrange();
        }
        _ => {
            if runs.filter.key(event) {
                runs.arrange();
            }
        }
    }
    let height = table_height(state.size);
    state.runs.keep_in_sight(height);
}

/// Text that was pasted into the filter.
pub fn paste(state: &mut State, text: &str) {
    state.runs.filter.insert(text);
    state.runs.arrange();
}

/// Draws the table.
///
/// ```text
/// traintop  runs  3 of 12 runs  1 running                       /quick
///   STATE      NAME                   EPOCHS         BEST %       TREND       AGE
/// ▌ ● running  quick                  3/10 ━━━╸────   71.20 @3    ▁▃▅▆         2m
/// ```
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    let [top, header, table, below] = areas(area);
    draw_top(state, top, buf);
    let columns = columns::fitting(&state.runs.columns, area.width);
    draw_header(state, &columns, header, buf);
    if state.runs.order.is_empty() {
        draw_empty(state, table, buf);
        return;
    }
    for (y, row) in (table.y..table.bottom()).zip(state.runs.on_screen(table.height)) {
        draw_row(
            state,
            row,
            &columns,
            Rect {
                y,
                height: 1,
                ..table
            },
            buf,
        );
    }
    draw_preview(state, below, buf);
}

/// The opened run below the table, under a rule. It follows the cursor once that rests.
fn draw_preview(state: &State, area: Rect, buf: &mut Buffer) {
    let shown = state.opened.as_ref().and_then(|opened| {
        let summary = state.runs.row(&opened.dir)?.summary.as_ref()?;
        Some((summary, opened.detail.as_ref()))
    });
    let (Some((summary, detail)), false) = (shown, area.is_empty()) else {
        return;
    };
    let rule = "─".repeat(usize::from(area.width));
    buf.set_string(area.x, area.y, rule, state.theme.style(Role::Border));
    let inside = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    preview::draw(summary, detail, &state.theme, inside, buf);
}

fn draw_top(state: &State, area: Rect, buf: &mut Buffer) {
    let (theme, runs) = (&state.theme, &state.runs);
    let muted = theme.style(Role::Muted);
    let roots: Vec<_> = state
        .roots
        .iter()
        .map(|root| text::clean(&root.display().to_string()).into_owned())
        .collect();
    let total = text::count(runs.rows.len() as u64);
    let filtered = !runs.filter.text().is_empty();
    let count = if filtered {
        format!("{} of {total} runs", text::count(runs.order.len() as u64))
    } else if runs.rows.len() == 1 {
        "1 run".to_owned()
    } else {
        format!("{total} runs")
    };
    let active = runs.rows.values().filter(|row| {
        row.summary
            .as_ref()
            .is_some_and(|summary| summary.observed.state.is_active())
    });
    let mut spans = vec![
        Span::styled("traintop", theme.style(Role::Title)),
        Span::styled(format!("  {}  {count}", roots.join(" ")), muted),
    ];
    if let active @ 1.. = active.count() {
        spans.push(Span::styled(
            format!("  {active} running"),
            theme.style(Role::StateRunning),
        ));
    }
    if !runs.searched {
        spans.push(Span::styled("  searching", muted));
    } else if let Some(problem) = runs.problems.first() {
        spans.push(Span::styled(
            format!("  ✗ {problem}"),
            theme.style(Role::Bad),
        ));
    }
    Line::from(spans).render(area, buf);
    if filtered || runs.editing {
        let shown = runs.filter.text();
        let width = (shown.chars().count() as u16 + 3).min(area.width);
        let place = Rect {
            x: area.right() - width,
            width,
            ..area
        };
        buf.set_style(place, theme.style(Role::Prompt));
        Line::from(vec![
            Span::styled(" /", theme.style(Role::Key)),
            Span::raw(shown),
            Span::raw(if runs.editing { "▏" } else { " " }),
        ])
        .render(place, buf);
    }
}

fn draw_header(state: &State, columns: &[(Column, u16)], area: Rect, buf: &mut Buffer) {
    let mut x = area.x + 2;
    let (sorted, descending) = state.runs.sort;
    for (column, width) in columns {
        let arrow = if *column == sorted {
            if descending { "▼" } else { "▲" }
        } else {
            ""
        };
        let title = format!("{}{arrow}", column.title());
        let title = if column.is_right() {
            format!("{title:>0$}", usize::from(*width))
        } else {
            title
        };
        let role = if *column == sorted {
            Role::Accent
        } else {
            Role::Header
        };
        buf.set_stringn(
            x,
            area.y,
            title,
            usize::from(*width),
            state.theme.style(role),
        );
        x += width + 1;
    }
}

fn draw_empty(state: &State, area: Rect, buf: &mut Buffer) {
    let roots: Vec<_> = state
        .roots
        .iter()
        .map(|root| text::clean(&root.display().to_string()).into_owned())
        .collect();
    let lines = if !state.runs.rows.is_empty() {
        vec![
            Line::from("No run passes the filter."),
            Line::from("Esc shows all runs again."),
        ]
    } else if state.runs.searched {
        vec![
            Line::from(format!("No runs below {}.", roots.join(", "))),
            Line::default(),
            Line::from("n  starts a training run on built-in images."),
            Line::from("q  leaves; `traintop FOLDER` looks elsewhere."),
        ]
    } else {
        vec![Line::from(format!("Searching {} …", roots.join(", ")))]
    };
    let inside = area.inner(ratatui::layout::Margin::new(2, 1));
    Paragraph::new(lines)
        .style(state.theme.style(Role::Muted))
        .wrap(Wrap { trim: true })
        .render(inside, buf);
}

fn draw_row(state: &State, row: &Row, columns: &[(Column, u16)], area: Rect, buf: &mut Buffer) {
    let theme = &state.theme;
    let selected = state.runs.cursor.as_ref() == Some(&row.found.dir);
    if selected {
        // Only this mark and the name tell the selected row: a bar over the whole line would be sent again with every move.
        buf.set_string(area.x, area.y, "▌", theme.style(Role::Accent));
    }
    let mut x = area.x + 2;
    for (column, width) in columns {
        let place = Rect {
            x,
            width: *width,
            ..area
        };
        x += width + 1;
        let Some(summary) = &row.summary else {
            if *column == Column::Name {
                let name = text::clean(&row.found.dir.name()).into_owned();
                let role = if selected {
                    Role::Selection
                } else {
                    Role::Muted
                };
                buf.set_stringn(
                    place.x,
                    place.y,
                    name,
                    usize::from(*width),
                    theme.style(role),
                );
            }
            continue;
        };
        draw_cell(state, summary, *column, selected, place, buf);
    }
}

fn draw_cell(
    state: &State,
    summary: &Summary,
    column: Column,
    selected: bool,
    place: Rect,
    buf: &mut Buffer,
) {
    let theme = &state.theme;
    let style = match column {
        Column::State => theme.state(summary.observed.state),
        Column::Name if selected => theme.style(Role::Selection),
        Column::Name | Column::Best => theme.style(Role::Text),
        _ => theme.style(Role::Muted),
    };
    let width = usize::from(place.width);
    let said = column.text(summary, state.now);
    match column {
        Column::Trend => {
            let bad_style = theme.style(Role::Bad);
            Sparkline {
                values: &summary.trend,
                style: theme.style(Role::Trend),
                bad_style,
            }
            .render(place, buf);
        }
        Column::Epochs => {
            let (end, _) = buf.set_stringn(place.x, place.y, &said, width, style);
            // At least "200/200" stands there, so that the bars of all rows begin in one column.
            let start = end.max(place.x + 7) + 1;
            if let (Some(fraction), true) = (columns::done(summary), start < place.right()) {
                let bar = ProgressBar {
                    fraction,
                    done: theme.style(Role::BarDone),
                    rest: theme.style(Role::BarRest),
                };
                bar.render(
                    Rect {
                        x: start,
                        width: place.right() - start,
                        ..place
                    },
                    buf,
                );
            }
        }
        _ if column.is_right() => {
            let said = format!("{said:>width$}");
            buf.set_stringn(place.x, place.y, said, width, style);
        }
        Column::Name if selected => {
            buf.set_stringn(place.x, place.y, format!("{said:<width$}"), width, style);
        }
        _ => {
            buf.set_stringn(place.x, place.y, said, width, style);
        }
    }
}
