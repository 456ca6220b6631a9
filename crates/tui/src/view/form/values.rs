//! How the values look: what will be trained and what that takes, every value, a sweep's points,
//! and what the value under the cursor means.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Margin, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::super::super::theme::{Role, Theme};
use super::edit::Edit;
use super::{Form, called};
use crate::jobs::form::Worked;
use crate::widget::clipped::Clipped as _;
use crate::widget::prompt::CURSOR;
use crate::widget::sparkline::Sparkline;
use traintop_analysis::run_history::RunHistory;
use traintop_launch::Planned;
use traintop_recipe::{
    FIELDS, Field, Kind, LrSchedule, Recipe, SYNTHETIC_TRAIN_IMAGES, Schedule, network,
};
use traintop_text as text;
use traintop_text::{bytes, clean, count, duration, fitted};

/// Classes of the data sets that the shipped recipes are for.
const CLASSES: u64 = 10;
/// Columns of the keys.
const KEYS: u16 = 30;
/// Steps out of which the learning rate is drawn.
const STEPS_DRAWN: u64 = 400;

/// Draws the values of a recipe, or what a launcher's command is completed with.
///
/// ```text
/// New run  quick  2 values changed (*)  about 3 min by 2 runs like it
/// 314,266 parameters (10 classes)  8,000 images  10 epochs x 125 steps
/// memory ~74.5 MB + libtorch: weights 1.26 MB, optimiser 2.51 MB, batch 70.8 MB
/// learning rate ▁▅██▇▆▅▄▃▂▁▁ 0.008 at first, at most 0.2, 8.00e-7 at the end
/// training
///    num_epochs                10
/// ▌* max_lr                    0.1, 0.2
/// ── sweep of 2 points ───────────────────
///  2 runs, 20 epochs; about 6 min of training by earlier runs like them
///  max_lr=0.1
///  max_lr=0.2
/// ────────────────────────────────────────
///  max_lr  Peak learning rate of the schedule `onecycle`
///  must be a number, at least 0; the recipe has 0.2
/// ```
pub fn draw(edit: &Edit, form: &Form, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let about = if edit.launcher.is_some() { 1 } else { 3 };
    let points = match &form.sweep.worked {
        _ if !edit.is_sweep() => 0,
        Some(Ok(worked)) => {
            let points = worked.plan.points.len().min(usize::from(area.height / 4));
            1 + cost_rows(worked, area) + points as u16
        }
        _ => 2,
    };
    let [title, about, list, sweep, below] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(about),
        Constraint::Min(0),
        Constraint::Length(points),
        Constraint::Length(4),
    ])
    .areas(area);
    draw_title(edit, &form.earlier, theme, title, buf);
    draw_about(edit, &form.earlier, theme, about, buf);
    draw_list(edit, theme, list, buf);
    if points > 0 {
        draw_sweep(form.sweep.worked.as_ref(), theme, sweep, buf);
    }
    draw_field(edit, theme, below, buf);
}

fn draw_title(edit: &Edit, earlier: &RunHistory, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let changed = edit.changed().len();
    let launcher = if edit.launcher.is_some() {
        "launcher "
    } else {
        ""
    };
    let mut heading = vec![
        Span::styled("New run", theme.style(Role::Title)),
        Span::raw(format!("  {launcher}{}", clean(&called(&edit.source)))),
    ];
    if changed > 0 {
        let plural = if changed == 1 { "" } else { "s" };
        heading.push(Span::styled(
            format!("  {changed} value{plural} changed (*)"),
            theme.style(Role::Warn),
        ));
    }
    if edit.launcher.is_none()
        && let Some(estimate) = estimate(&edit.values, earlier)
    {
        heading.push(Span::styled(
            format!("  {estimate}"),
            theme.style(Role::Muted),
        ));
    }
    Line::from(heading).render(area, buf);
}

/// What will be trained, or the command that will be started.
fn draw_about(edit: &Edit, earlier: &RunHistory, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let muted = theme.style(Role::Muted);
    if let Some(launcher) = &edit.launcher {
        let line = format!(
            "starts {} and what `arguments` says",
            clean(&launcher.command.join(" "))
        );
        Line::styled(fitted(&line, usize::from(area.width)).into_owned(), muted).render(area, buf);
        return;
    }
    let [facts, memory, schedule] = Layout::vertical([Constraint::Length(1); 3]).areas::<3>(area);
    let recipe = &edit.values;
    let images = images(recipe, earlier);
    Line::styled(describe(recipe, images, earlier), muted).render(facts, buf);
    Line::styled(tell_memory(recipe, earlier), muted).render(memory, buf);
    draw_schedule(recipe, images, theme, schedule, buf);
}

/// How long it will take, by earlier runs like it.
pub(super) fn estimate(recipe: &Recipe, earlier: &RunHistory) -> Option<String> {
    let estimate = earlier.estimate(recipe)?;
    let plural = if estimate.runs == 1 { "" } else { "s" };
    let time = duration(estimate.whole);
    let runs = estimate.runs;
    Some(format!("about {time} by {runs} run{plural} like it"))
}

/// The images of an epoch, where the recipe or an earlier run on the same data tells.
fn images(recipe: &Recipe, earlier: &RunHistory) -> Option<u64> {
    let known = recipe.known_train_images();
    let known = known.map(|images| recipe.used_train_images(images));
    known.or_else(|| Some(earlier.data(recipe)?.train_images))
}

fn classes(recipe: &Recipe, earlier: &RunHistory) -> u64 {
    earlier.data(recipe).map_or(CLASSES, |data| data.classes)
}

/// The size of what will be trained, in one line.
fn describe(recipe: &Recipe, images: Option<u64>, earlier: &RunHistory) -> String {
    let classes = classes(recipe, earlier);
    let parameters = count(network::parameters(recipe, classes));
    let epochs = match recipe.num_epochs {
        1 => "1 epoch".to_owned(),
        several => format!("{several} epochs"),
    };
    match images {
        Some(images) => format!(
            "{parameters} parameters ({classes} classes)  {} images  {epochs} x {} steps",
            count(images),
            count(recipe.steps_per_epoch(images))
        ),
        None => format!("{parameters} parameters ({classes} classes)  {epochs}"),
    }
}

/// The memory that it will take: what runs like it took, else what the network's architecture
/// tells.
fn tell_memory(recipe: &Recipe, earlier: &RunHistory) -> String {
    let network = network::memory(recipe, classes(recipe, earlier));
    match earlier.memory(recipe) {
        Some((most, runs)) => {
            let plural = if runs == 1 { "" } else { "s" };
            format!(
                "memory {} at most in {runs} run{plural} like it; the network alone about {}",
                bytes(most),
                bytes(network.total())
            )
        }
        None => format!(
            "memory ~{} + libtorch: weights {}, optimiser {}, batch {}",
            bytes(network.total()),
            bytes(network.weights),
            bytes(network.optimiser),
            bytes(network.activations)
        ),
    }
}

fn thousands(number: usize) -> String {
    text::count(number as u64)
}

/// Rows that the cost of a sweep takes: one, or two where it is narrow.
fn cost_rows(worked: &Worked, area: Rect) -> u16 {
    let room = usize::from(area.width.saturating_sub(2)).max(1);
    if worked.cost.chars().count() > room {
        2
    } else {
        1
    }
}

/// The points of a sweep, those that finished runs have first.
fn draw_sweep(
    worked: Option<&Result<std::sync::Arc<Worked>, String>>,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let line = "─".repeat(usize::from(area.width));
    buf.put(area.x, area.y, line, theme.style(Role::Border));
    let inside = Rect {
        x: area.x + 1,
        y: area.y + 1,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(1),
    };
    let title = |text: &str, buf: &mut Buffer| {
        let text = format!(" {text} ");
        let room = usize::from(area.width.saturating_sub(2));
        buf.put_n(area.x + 2, area.y, text, room, theme.style(Role::Title));
    };
    let worked = match worked {
        None => {
            title("sweep", buf);
            Line::styled("it is being worked out", theme.style(Role::Muted)).render(inside, buf);
            return;
        }
        Some(Err(problem)) => {
            title("sweep", buf);
            Line::styled(format!("✗ {problem}"), theme.style(Role::Bad)).render(inside, buf);
            return;
        }
        Some(Ok(worked)) => worked,
    };
    let (plan, done) = (&worked.plan, worked.plan.done());
    let count = plan.points.len();
    let plural = if count == 1 { "" } else { "s" };
    let sample = plan.wanted.sample.map_or_else(String::new, |(_, seed)| {
        format!(", drawn at random with seed {seed}")
    });
    let finished = match (done, plan.wanted.skip_done) {
        (0, _) => String::new(),
        (done, true) => format!("; {done} finished already, left out (x takes them in)"),
        (done, false) => format!("; {done} finished already (x leaves them out)"),
    };
    title(
        &format!(
            "sweep of {} point{plural}{sample}{finished}",
            thousands(count)
        ),
        buf,
    );
    let cost_height = cost_rows(worked, area);
    Paragraph::new(worked.cost.as_str())
        .style(theme.style(Role::Text))
        .wrap(Wrap { trim: true })
        .render(
            Rect {
                height: cost_height,
                ..inside
            }
            .intersection(inside),
            buf,
        );
    let (first, rest): (Vec<&Planned>, Vec<&Planned>) = plan
        .points
        .iter()
        .partition(|planned| planned.done.is_some());
    let rows = usize::from(inside.height.saturating_sub(cost_height));
    for (at, planned) in first.into_iter().chain(rest).take(rows).enumerate() {
        let y = inside.y + cost_height + at as u16;
        let left = count - at;
        if at + 1 == rows && left > 1 {
            let text = format!("and {} more", thousands(left));
            buf.put(inside.x, y, text, theme.style(Role::Muted));
            break;
        }
        let label = clean(&planned.point.label()).into_owned();
        let (text, role) = match &planned.done {
            Some(run) => (
                format!("✓ {label}  finished as {}", clean(&run.name())),
                Role::Muted,
            ),
            None => (format!("  {label}"), Role::Text),
        };
        let room = usize::from(inside.width);
        buf.put_n(inside.x, y, fitted(&text, room), room, theme.style(role));
    }
}

fn is_of_recipe(edit: &Edit, field: &Field) -> bool {
    edit.launcher.is_none() && FIELDS.iter().any(|known| known.key == field.key)
}

/// A learning rate in three digits: 0.008, 0.2, 8.00e-7.
fn rate(value: f64) -> String {
    if value != 0.0 && value < 1e-3 {
        return format!("{value:.2e}");
    }
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    rounded.to_string()
}

/// The learning rate over the run, as it will be.
fn draw_schedule(
    recipe: &Recipe,
    images: Option<u64>,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    // Of data that nobody has read yet the shape is the same: as many steps as these have.
    let images = images.unwrap_or_else(|| recipe.used_train_images(SYNTHETIC_TRAIN_IMAGES));
    let steps = recipe.steps_per_epoch(images);
    let schedule = Schedule::new(recipe, steps);
    let last = schedule.total_steps().saturating_sub(1);
    // However long the run is, this many steps show its shape.
    let drawn = last.clamp(1, STEPS_DRAWN);
    let rates = (0..=drawn).map(|at| schedule.learning_rate(last * at / drawn) as f32);
    let rates: Vec<f32> = rates.collect();
    // Every schedule comes to its rate at some step.
    let peak = match recipe.lr_schedule {
        LrSchedule::OneCycle => recipe.max_lr,
        LrSchedule::Cosine | LrSchedule::WarmupCosine | LrSchedule::Constant => {
            recipe.learning_rate
        }
    };
    let label = "learning rate ";
    let ends = format!(
        " {} at first, at most {}, {} at the end",
        rate(schedule.learning_rate(0)),
        rate(peak),
        rate(schedule.learning_rate(last))
    );
    let muted = theme.style(Role::Muted);
    buf.put_n(area.x, area.y, label, usize::from(area.width), muted);
    let from = area.x + label.len() as u16;
    let width = area
        .right()
        .saturating_sub(from + ends.len() as u16)
        .min(40);
    if width == 0 {
        return;
    }
    let place = Rect {
        x: from,
        width,
        ..area
    };
    Sparkline {
        values: &rates,
        style: theme.style(Role::Trend),
        bad_style: theme.style(Role::Bad),
    }
    .render(place, buf);
    buf.put(from + width, area.y, ends, muted);
}

/// One line of the list: a group's heading or a field.
enum Row {
    Heading(&'static str),
    Field(usize),
}

fn rows(edit: &Edit) -> Vec<Row> {
    let (fields, mut rows) = (edit.rows(), Vec::new());
    for (at, field) in fields.iter().enumerate() {
        if at == 0 || fields[at - 1].group != field.group {
            rows.push(Row::Heading(field.group));
        }
        rows.push(Row::Field(at));
    }
    rows
}

/// The fields in as many columns as fit; the cursor's row is always in sight.
fn draw_list(edit: &Edit, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let rows = rows(edit);
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
        .saturating_sub(shown * 2 / 3)
        .min(rows.len().saturating_sub(shown));
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
            Row::Heading(group) => buf.put(line.x, line.y, group, theme.style(Role::Header)),
            Row::Field(field) => draw_row(edit, *field, theme, line, buf),
        }
    }
}

fn draw_row(edit: &Edit, at: usize, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let field = edit.rows()[at];
    let selected = at == edit.row;
    let changed = edit.is_changed(field);
    if selected {
        buf.put(area.x, area.y, "▌", theme.style(Role::Accent));
    }
    if changed {
        buf.put(area.x + 1, area.y, "*", theme.style(Role::Warn));
    }
    let key_style = theme.style(if selected {
        Role::Selection
    } else {
        Role::Text
    });
    buf.put_n(area.x + 3, area.y, field.key, usize::from(KEYS), key_style);
    let x = area.x + 3 + KEYS;
    let room = usize::from(area.right().saturating_sub(x));
    match edit.typing.as_ref().filter(|_| selected) {
        Some(typing) => {
            let (before, after) = typing.halves(room);
            let shown = format!("{before}{CURSOR}{after}");
            let role = if typing.is_selected() {
                Role::Selection
            } else if edit.problem().is_some() {
                Role::Bad
            } else {
                Role::Prompt
            };
            buf.put_n(x, area.y, shown, room, theme.style(role));
        }
        None => {
            let value = clean(&edit.text(field)).into_owned();
            let shown = if value.is_empty() {
                "-".to_owned()
            } else {
                value
            };
            let style = theme.style(if changed { Role::Warn } else { Role::Text });
            buf.put_n(x, area.y, shown, room, style);
        }
    }
}

/// What the field under the cursor does, what it accepts, and what is wrong with it.
fn draw_field(edit: &Edit, theme: &Theme, area: Rect, buf: &mut Buffer) {
    buf.put(
        area.x,
        area.y,
        "─".repeat(usize::from(area.width)),
        theme.style(Role::Border),
    );
    let field: &Field = edit.field();
    let muted = theme.style(Role::Muted);
    let said = |text: &str| match clean(text) {
        text if text.is_empty() => "nothing".to_owned(),
        text => text.into_owned(),
    };
    let base = said(&edit.base_text(field));
    let is_of_recipe = is_of_recipe(edit, field);
    let at_first = if is_of_recipe {
        let default = Recipe::default().get(field.key);
        let default = default.map(|value| value.to_string()).unwrap_or_default();
        format!("default {}; the recipe has {base}", said(&default))
    } else {
        format!("at first {base}")
    };
    let second = match edit.problem() {
        Some(problem) => Line::styled(format!("✗ {}", clean(&problem)), theme.style(Role::Bad)),
        None => Line::styled(format!("must be {}; {at_first}", field.kind), muted),
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
    let several = is_of_recipe.then_some(match field.kind {
        Kind::Int { .. } => "several make a sweep: 1, 2, 4 or 1..5",
        Kind::Float { .. } => {
            "several make a sweep: 0.1, 0.2 or 0.1..0.5/5 (evenly) or 0.001..0.1*3 (by a factor)"
        }
        Kind::Bool | Kind::Choice(_) => "several, typed after e with commas between, make a sweep",
        Kind::Text => "several make a sweep: [a, b]",
    });
    let several = several.map(|text| Line::styled(text, muted));
    let lines = [Line::from(first), second].into_iter().chain(several);
    Paragraph::new(lines.collect::<Vec<_>>())
        .wrap(Wrap { trim: true })
        .render(inside, buf);
}
