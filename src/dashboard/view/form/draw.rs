//! How the form looks.

use std::path::Path;

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Margin, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::super::super::state::State;
use super::super::super::theme::{Role, Theme};
use super::{Choice, Edit, Form};
use crate::analysis::earlier::EpochTimes;
use crate::dashboard::widget::sparkline::Sparkline;
use crate::recipe::{FIELDS, Field, Recipe, SYNTHETIC_TRAIN_IMAGES, Schedule, network};
use crate::run::RunDir;
use crate::text::{clean, count, duration, number};

/// Classes of the data sets that the shipped recipes are for.
const CLASSES: u64 = 10;
/// Columns of the keys.
const KEYS: u16 = 26;

/// Draws the form: the recipes, or the values of one.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    match &state.form.edit {
        Some(edit) if state.form.editing => {
            draw_values(edit, &state.form.times, &state.theme, area, buf);
        }
        _ => draw_choices(&state.form, &state.theme, area, buf),
    }
}

fn draw_choices(form: &Form, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let [title, _, list] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(0),
    ])
    .areas(area);
    let heading = vec![
        Span::styled("New run", theme.style(Role::Title)),
        Span::styled("  choose a recipe", theme.style(Role::Muted)),
    ];
    Line::from(heading).render(title, buf);
    let width = list.width.saturating_sub(6).clamp(1, 100);
    // A name, what is said of it, and an empty row.
    let rows_of = |choice: &Choice| {
        let (text, _) = said(choice);
        (text.chars().count() as u16).div_ceil(width) + 2
    };
    let mut y = list.y;
    for (at, choice) in form.choices.iter().enumerate().skip(first_shown(
        &form.choices,
        form.cursor,
        list.height,
        rows_of,
    )) {
        let (text, role) = said(choice);
        let style = theme.style(role);
        let paragraph = Paragraph::new(text).style(style).wrap(Wrap { trim: true });
        let rows = rows_of(choice) - 1;
        if y + 1 >= list.bottom() {
            break;
        }
        let selected = at == form.cursor;
        if selected {
            buf.set_string(list.x, y, "▌", theme.style(Role::Accent));
        }
        let name = clean(&choice.source.display().to_string()).into_owned();
        let style = theme.style(if selected {
            Role::Selection
        } else {
            Role::Text
        });
        buf.set_stringn(
            list.x + 2,
            y,
            name,
            usize::from(list.width.saturating_sub(2)),
            style,
        );
        let place = Rect {
            x: list.x + 4,
            y: y + 1,
            width,
            height: rows.min(list.bottom() - y - 1),
        };
        paragraph.render(place, buf);
        y += rows + 1;
    }
}

/// What is said of a recipe: what it is for, or what is wrong with it.
fn said(choice: &Choice) -> (&str, Role) {
    match &choice.recipe {
        Ok(_) => (&choice.description, Role::Muted),
        Err(problem) => (problem, Role::Bad),
    }
}

/// The first recipe to be shown, so that all of the one under the cursor is.
fn first_shown(
    choices: &[Choice],
    cursor: usize,
    height: u16,
    rows_of: impl Fn(&Choice) -> u16,
) -> usize {
    let mut left = height;
    let up_to_cursor = choices.iter().take(cursor + 1);
    let fitting = up_to_cursor.rev().take_while(|choice| {
        let rows = rows_of(choice);
        let fits = rows <= left;
        left = left.saturating_sub(rows);
        fits
    });
    (cursor + 1).saturating_sub(fitting.count().max(1))
}

fn draw_values(edit: &Edit, times: &EpochTimes, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let [title, facts, schedule, list, below] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(4),
    ])
    .areas(area);
    let changed = edit.values.differences(&edit.base).len();
    let mut heading = vec![
        Span::styled("New run", theme.style(Role::Title)),
        Span::raw(format!("  {}", clean(&called(&edit.source)))),
    ];
    if changed > 0 {
        let plural = if changed == 1 { "" } else { "s" };
        heading.push(Span::styled(
            format!("  {changed} value{plural} changed (*)"),
            theme.style(Role::Warn),
        ));
    }
    let muted = theme.style(Role::Muted);
    if let Some(estimate) = estimate(&edit.values, times) {
        heading.push(Span::styled(format!("  {estimate}"), muted));
    }
    Line::from(heading).render(title, buf);
    Line::styled(describe(&edit.values), muted).render(facts, buf);
    draw_schedule(&edit.values, theme, schedule, buf);
    draw_list(edit, theme, list, buf);
    draw_field(edit, theme, below, buf);
}

/// What a recipe's file is called: a run's by the run's folder.
fn called(source: &Path) -> String {
    let run = source.ancestors().nth(2).map(RunDir::new);
    match run.filter(|run| run.config_json() == source) {
        Some(run) => format!("like {}", run.name()),
        None => source.display().to_string(),
    }
}

/// How long it will take, by earlier runs like it.
fn estimate(recipe: &Recipe, times: &EpochTimes) -> Option<String> {
    let estimate = times.estimate(recipe)?;
    let plural = if estimate.runs == 1 { "" } else { "s" };
    let time = duration(estimate.whole);
    let runs = estimate.runs;
    Some(format!("about {time} by {runs} run{plural} like it"))
}

/// The learning rate over the run, as it will be.
fn draw_schedule(recipe: &Recipe, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let images = recipe.known_train_images();
    // Of data that nobody has read yet the shape is the same: as many steps as these have.
    let images = images.unwrap_or(SYNTHETIC_TRAIN_IMAGES);
    let steps = recipe.steps_per_epoch(recipe.used_train_images(images));
    let rates = Schedule::new(recipe, steps).after_each_epoch();
    let (first, last) = (rates.first().copied(), rates.last().copied());
    let label = "learning rate ";
    let ends = format!(
        " {} after the first epoch, {} after the last",
        number(first.unwrap_or(0.0), 3),
        number(last.unwrap_or(0.0), 3)
    );
    let muted = theme.style(Role::Muted);
    buf.set_stringn(area.x, area.y, label, usize::from(area.width), muted);
    let from = area.x + label.len() as u16;
    let width = area
        .right()
        .saturating_sub(from + ends.len() as u16)
        .min(40)
        .min(rates.len() as u16);
    if width == 0 {
        return;
    }
    let values: Vec<f32> = rates.iter().map(|rate| *rate as f32).collect();
    let place = Rect {
        x: from,
        width,
        ..area
    };
    Sparkline {
        values: &values,
        style: theme.style(Role::Trend),
        bad_style: theme.style(Role::Bad),
    }
    .render(place, buf);
    buf.set_string(from + width, area.y, ends, muted);
}

/// The size of what will be trained, in one line.
fn describe(recipe: &Recipe) -> String {
    let parameters = count(network::parameters(recipe, CLASSES));
    let mut facts = format!(
        "{parameters} parameters ({CLASSES} classes)  {} epochs",
        recipe.num_epochs
    );
    if let Some(images) = recipe.known_train_images() {
        let steps = recipe.steps_per_epoch(recipe.used_train_images(images));
        let rates = Schedule::new(recipe, steps).after_each_epoch();
        let peak = rates.iter().copied().fold(0.0, f64::max);
        let shape = format!(" x {} steps  LR up to {}", count(steps), number(peak, 3));
        facts.push_str(&shape);
    }
    facts
}

/// One line of the list: a group's heading or a field.
enum Row {
    Heading(&'static str),
    Field(usize),
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (at, field) in FIELDS.iter().enumerate() {
        if at == 0 || FIELDS[at - 1].group != field.group {
            rows.push(Row::Heading(field.group));
        }
        rows.push(Row::Field(at));
    }
    rows
}

/// The fields in as many columns as fit; the cursor's row is always in sight.
fn draw_list(edit: &Edit, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let rows = rows();
    let height = usize::from(area.height).max(1);
    let columns = rows
        .len()
        .div_ceil(height)
        .clamp(1, usize::from(area.width / 72).max(1));
    let shown = height * columns;
    let at = rows
        .iter()
        .position(|row| matches!(row, Row::Field(field) if *field == edit.row))
        .unwrap_or(0);
    // A little of what is above the cursor stays in sight.
    let top = at
        .saturating_sub(height * 2 / 3)
        .min(rows.len().saturating_sub(shown));
    let top = if columns > 1 { 0 } else { top };
    let width = area.width / columns as u16;
    for (place, row) in rows.iter().skip(top).take(shown).enumerate() {
        let (column, line) = ((place / height) as u16, (place % height) as u16);
        let line = Rect {
            x: area.x + column * width,
            y: area.y + line,
            width: width.saturating_sub(1),
            height: 1,
        };
        match row {
            Row::Heading(group) => buf.set_string(line.x, line.y, group, theme.style(Role::Header)),
            Row::Field(field) => draw_row(edit, *field, theme, line, buf),
        }
    }
}

fn draw_row(edit: &Edit, at: usize, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let field = &FIELDS[at];
    let selected = at == edit.row;
    let changed = edit.values.get(field.key) != edit.base.get(field.key);
    if selected {
        buf.set_string(area.x, area.y, "▌", theme.style(Role::Accent));
    }
    if changed {
        buf.set_string(area.x + 1, area.y, "*", theme.style(Role::Warn));
    }
    let key_style = theme.style(if selected {
        Role::Selection
    } else {
        Role::Text
    });
    buf.set_stringn(area.x + 3, area.y, field.key, usize::from(KEYS), key_style);
    let x = area.x + 3 + KEYS;
    let room = usize::from(area.right().saturating_sub(x));
    match edit.typing.as_ref().filter(|_| selected) {
        Some(typing) => {
            let text: Vec<char> = typing.text().chars().collect();
            // The cursor stays in sight in a value longer than the room.
            let start = (typing.cursor() + 1).saturating_sub(room.max(1));
            let (before, after) = text.split_at(typing.cursor());
            let shown: String = before[start.min(before.len())..]
                .iter()
                .chain(['▏'].iter())
                .chain(after)
                .collect();
            let role = if edit.problem().is_some() {
                Role::Bad
            } else {
                Role::Prompt
            };
            buf.set_stringn(x, area.y, shown, room, theme.style(role));
        }
        None => {
            let value = edit
                .values
                .get(field.key)
                .map(|value| clean(&value.to_string()).into_owned())
                .unwrap_or_default();
            let shown = if value.is_empty() {
                "-".to_owned()
            } else {
                value
            };
            let style = theme.style(if changed { Role::Warn } else { Role::Text });
            buf.set_stringn(x, area.y, shown, room, style);
        }
    }
}

/// What the field under the cursor does, what it accepts, and what is wrong with it.
fn draw_field(edit: &Edit, theme: &Theme, area: Rect, buf: &mut Buffer) {
    buf.set_string(
        area.x,
        area.y,
        "─".repeat(usize::from(area.width)),
        theme.style(Role::Border),
    );
    let field: &Field = edit.field();
    let muted = theme.style(Role::Muted);
    let base = edit
        .base
        .get(field.key)
        .map(|value| clean(&value.to_string()).into_owned())
        .unwrap_or_default();
    let second = match edit.problem() {
        Some(problem) => Line::styled(format!("✗ {}", clean(&problem)), theme.style(Role::Bad)),
        None => Line::styled(
            format!(
                "must be {}; the recipe has {}",
                field.kind,
                if base.is_empty() { "nothing" } else { &base }
            ),
            muted,
        ),
    };
    let inside = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    }
    .inner(Margin::new(1, 0));
    let first = vec![
        Span::styled(field.key, theme.style(Role::Title)),
        Span::raw(format!("  {}", field.description)),
    ];
    Paragraph::new(vec![Line::from(first), second])
        .wrap(Wrap { trim: true })
        .render(inside, buf);
}
