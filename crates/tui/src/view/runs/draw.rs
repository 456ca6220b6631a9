//! How the table of runs is drawn.

use std::collections::HashMap;

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};
use unicode_width::UnicodeWidthStr;

use super::areas;
use super::draw_group;
use super::draw_query;
use super::marks::MARK;
use super::order::Seen;
use super::table::Row;
use crate::command::{Action, Scope};
use crate::context::Context;
use crate::theme::Role;
use crate::view::columns::{self, Column};
use crate::view::sort_key::{self, SortKey};
use crate::view::{attention, preview, state_glyph};
use crate::widget::clipped::Clipped as _;
use crate::widget::progress_bar::ProgressBar;
use crate::widget::trend::{Scale, Trend};
use traintop_run::failure::Failure;
use traintop_run::metric_names::Direction;
use traintop_run::summary::Summary;
use traintop_text as text;

/// In fewer cells than these the words behind a name tell nothing.
const FEWEST_WORDS: usize = 8;
/// A shorter bar tells nothing.
const FEWEST_BAR: u16 = 3;
/// Cells of a best value before its point, a sign included.
const BEFORE_POINT: usize = 3;
/// Digits behind the point for which columns of numbers leave room.
const BEHIND_POINT: usize = 4;

/// What the cells of all rows share.
struct Table<'a> {
    context: &'a Context,
    columns: &'a [(&'a SortKey, u16)],
    /// The trends' scale of each metric on the screen.
    scales: HashMap<&'a str, Scale>,
}

/// Draws the table.
///
/// ```text
/// traintop  runs  3 of 12 runs  1 running                       /quick
///   STATE      NAME                   EPOCHS         BEST %       TREND       AGE
/// ▌ ● running  quick                  3/10 ━━━╸────   71.20 @3    ▁▃▅▆         2m
/// ```
pub fn draw(context: &Context, area: Rect, buf: &mut Buffer) {
    let [top, header, table, below] = areas(area);
    draw_top(context, top, buf);
    let shown = context.runs.shown_columns();
    let columns = sort_key::fitting(&shown, area.width);
    draw_header(context, &columns, header, buf);
    if context.runs.order.is_empty() {
        draw_empty(context, table, buf);
        draw_query::draw_offer(context, below_top(area), buf);
        return;
    }
    let marked = context.runs.marked();
    let of_all = Table {
        context,
        columns: &columns,
        scales: if columns.iter().any(|(key, _)| **key == Column::Trend) {
            scales(context, table.height)
        } else {
            HashMap::new()
        },
    };
    for (y, seen) in (table.y..table.bottom()).zip(context.runs.seen(table.height)) {
        let place = Rect {
            y,
            height: 1,
            ..table
        };
        let row = match seen {
            Seen::Run(row) => row,
            Seen::Header(group, folded, selected) => {
                draw_group::draw(context, (group, folded, selected), &columns, place, buf);
                continue;
            }
        };
        if marked.contains(&row.found.dir) {
            buf.put(table.x + 1, y, MARK, context.theme.style(Role::Mark));
        }
        of_all.draw_row(row, place, buf);
    }
    draw_preview(context, below, buf);
    draw_query::draw_offer(context, below_top(area), buf);
}

/// The scales of the trends on the screen: one for each metric, so that rows can be compared.
fn scales(context: &Context, height: u16) -> HashMap<&str, Scale> {
    let rows = context.runs.on_screen(height);
    let summaries = rows.filter_map(|row| row.summary.as_ref());
    let mut curves: HashMap<&str, (bool, Vec<&[f32]>)> = HashMap::new();
    for summary in summaries {
        let (_, curves) = curves
            .entry(&summary.trend_of)
            .or_insert_with(|| (is_higher_better(summary), Vec::new()));
        curves.push(&summary.trend);
    }
    let scale = |(metric, (is_higher, curves))| Some((metric, Scale::of(curves, is_higher)?));
    curves.into_iter().filter_map(scale).collect()
}

fn is_higher_better(summary: &Summary) -> bool {
    let best = summary.best.as_ref();
    best.is_none_or(|best| best.direction == Direction::Higher)
}

fn below_top(area: Rect) -> Rect {
    Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    }
}

/// The opened run below the table, under a rule. It follows the cursor once that rests.
fn draw_preview(context: &Context, area: Rect, buf: &mut Buffer) {
    let shown = context.opened.as_ref().and_then(|opened| {
        let summary = context.summary(&opened.dir)?;
        Some((summary, opened.detail.as_ref()))
    });
    let (Some((summary, detail)), false) = (shown, area.is_empty()) else {
        return;
    };
    let rule = "─".repeat(usize::from(area.width));
    buf.put(area.x, area.y, rule, context.theme.style(Role::Border));
    let inside = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    preview::draw(
        summary,
        detail,
        (context.charts, &context.theme),
        inside,
        buf,
    );
}

fn draw_top(context: &Context, area: Rect, buf: &mut Buffer) {
    let (theme, runs) = (&context.theme, &context.runs);
    let muted = theme.style(Role::Muted);
    let roots: Vec<_> = context
        .roots
        .iter()
        .map(|root| text::clean(&root.display().to_string()).into_owned())
        .collect();
    let total = text::count(runs.rows.len() as u64);
    let filtered = !runs.query.filter.is_everything();
    let count = if filtered {
        let shown = text::count(runs.order.len() as u64);
        let key = context.keymap.key_of(Scope::Runs, Action::ClearFilter);
        let clears = key.filter(|_| !runs.query.editing);
        let clears = clears.map_or_else(String::new, |key| format!(", {key} shows all"));
        format!("{shown} of {total} runs{clears}")
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
    spans.extend(alerts(context));
    spans.extend(marks(context));
    let evaluating = context.evaluations.running.iter();
    let evaluating: Vec<_> = evaluating.filter(|running| !running.is_abandoned).collect();
    if let Some(first) = evaluating.first() {
        let text = match evaluating.len() {
            1 => format!("  evaluating, {:.0} %", 100.0 * first.fraction),
            several => format!("  {several} evaluations run"),
        };
        spans.push(Span::styled(text, theme.style(Role::StateRunning)));
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
    if filtered || runs.query.editing || !runs.query.text().is_empty() {
        draw_query::draw(context, area, buf);
    }
}

/// How many alerts nobody has looked at, and the key that shows them.
fn alerts(context: &Context) -> Option<Span<'static>> {
    let unseen = context.alerts.unseen;
    let key = context
        .keymap
        .key_of(Scope::Runs, Action::Alerts)
        .unwrap_or_default();
    let plural = if unseen == 1 { "" } else { "s" };
    let text = format!("  {key} {unseen} alert{plural}");
    (unseen > 0).then(|| Span::styled(text, context.theme.style(Role::Warn)))
}

/// How many runs are marked, and that some of them are out of sight.
fn marks(context: &Context) -> Option<Span<'static>> {
    let (marked, hidden) = context.runs.mark_counts();
    let hidden = match hidden {
        0 => String::new(),
        hidden => format!(", {} not shown", text::count(hidden as u64)),
    };
    let range = if context.runs.is_marking() {
        ", a range"
    } else {
        ""
    };
    let text = format!(
        "  {MARK} {} marked{hidden}{range}",
        text::count(marked as u64)
    );
    (marked > 0).then(|| Span::styled(text, context.theme.style(Role::Mark)))
}

fn draw_header(context: &Context, columns: &[(&SortKey, u16)], area: Rect, buf: &mut Buffer) {
    let mut x = area.x + 2;
    let (sorted, descending) = &context.runs.sort;
    for (column, width) in columns {
        let is_sorted = *column == sorted;
        let arrow = if is_sorted {
            if *descending { "▼" } else { "▲" }
        } else {
            ""
        };
        let room = usize::from(*width).saturating_sub(usize::from(is_sorted));
        let usual = context.runs.usual.as_ref();
        let title = match (column, usual) {
            (SortKey::Built(Column::Best), Some(usual)) if !usual.is_accuracy() => usual.heading(),
            _ => column.title(),
        };
        let title = format!("{}{arrow}", text::fitted(&title, room));
        let title = if column.is_right() {
            format!("{title:>0$}", usize::from(*width))
        } else {
            title
        };
        let role = if is_sorted {
            Role::Accent
        } else {
            Role::Header
        };
        buf.put_n(
            x,
            area.y,
            title,
            usize::from(*width),
            context.theme.style(role),
        );
        x += width + 1;
    }
}

fn draw_empty(context: &Context, area: Rect, buf: &mut Buffer) {
    let roots: Vec<_> = context
        .roots
        .iter()
        .map(|root| text::clean(&root.display().to_string()).into_owned())
        .collect();
    let lines = if !context.runs.rows.is_empty() {
        vec![
            Line::from("No run matches the query."),
            Line::from("Esc shows all runs again."),
        ]
    } else if context.runs.searched {
        vec![
            Line::from(format!("No runs in {} yet.", roots.join(", "))),
            Line::default(),
            Line::from("n               start a training run on built-in images"),
            Line::from("q               leave; then"),
            Line::from("traintop DIR    show the runs of any trainer below another folder"),
        ]
    } else {
        vec![Line::from(format!("Searching {} …", roots.join(", ")))]
    };
    let inside = area.inner(Margin::new(2, 1));
    Paragraph::new(lines)
        .style(context.theme.style(Role::Muted))
        .wrap(Wrap { trim: true })
        .render(inside, buf);
}

impl Table<'_> {
    fn draw_row(&self, row: &Row, area: Rect, buf: &mut Buffer) {
        let theme = &self.context.theme;
        let runs = &self.context.runs;
        let mut x = area.x + 2;
        for (column, width) in self.columns {
            let place = Rect {
                x,
                width: *width,
                ..area
            };
            x += width + 1;
            match &row.summary {
                Some(summary) => self.draw_cell(summary, column, place, buf),
                None if **column == Column::Name => {
                    let width = usize::from(*width);
                    let name = row.found.dir.name();
                    let name = text::clean(&name);
                    let name = text::fitted(&name, width);
                    buf.put_n(place.x, place.y, name, width, theme.style(Role::Muted));
                }
                None => {}
            }
        }
        let summary = row.summary.as_ref();
        let cause = summary.and_then(|summary| summary.cause.as_ref());
        if let Some(cause) = cause.filter(|cause| !cause.is_vague()) {
            self.draw_cause_in_state(row, cause, area, buf);
        }
        let is_selected = runs.cursor.as_ref() == Some(&row.found.dir) && !runs.is_on_header();
        if is_selected {
            buf.put(area.x, area.y, "▌", theme.style(Role::Accent));
            let cells = Rect {
                x: area.x + 2,
                width: area.width.saturating_sub(2),
                ..area
            };
            buf.set_style(cells.intersection(buf.area), theme.cursor_row());
        }
    }

    /// What the name's cell says: where no column tells runs of one name apart, the name does.
    fn name(&self, summary: &Summary) -> String {
        let is_told_apart = |(key, _): &(&SortKey, u16)| **key == Column::Differs;
        let name = Column::Name.text(summary, self.context.now);
        if summary.differs.is_empty() || self.columns.iter().any(is_told_apart) {
            return name;
        }
        format!("{name} · {}", summary.differs)
    }

    /// Where the name leaves no room for why the run failed, that stands in place of the state,
    /// which its sign and colour tell too.
    fn draw_cause_in_state(&self, row: &Row, cause: &Failure, area: Rect, buf: &mut Buffer) {
        let columns = self.columns;
        let place_of = |column: Column| columns.iter().position(|(key, _)| **key == column);
        let (Some(summary), Some(at)) = (&row.summary, place_of(Column::State)) else {
            return;
        };
        let name = self.name(summary).width();
        let room = place_of(Column::Name).map(|at| room_behind(name, usize::from(columns[at].1)));
        if room.is_some_and(|room| room >= FEWEST_WORDS) {
            return;
        }
        let before: u16 = columns[..at].iter().map(|(_, width)| width + 1).sum();
        let width = usize::from(columns[at].1);
        let observed = &summary.observed;
        let sure = if observed.deduced { "?" } else { "" };
        let glyph = state_glyph::glyph(observed.state);
        let said = format!("{glyph} {}{sure}", cause.what);
        let said = text::fitted(&said, width);
        let style = self.context.theme.style(state_glyph::role(observed.state));
        let said = format!("{said:<width$}");
        buf.put_n(area.x + 2 + before, area.y, said, width, style);
    }

    fn draw_cell(&self, summary: &Summary, key: &SortKey, place: Rect, buf: &mut Buffer) {
        let (context, theme) = (self.context, &self.context.theme);
        let SortKey::Built(column) = key else {
            return draw_value(context, summary, key, place, buf);
        };
        let role = match column {
            Column::State => state_glyph::role(summary.observed.state),
            Column::Name | Column::Differs | Column::Best => Role::Text,
            _ => Role::Muted,
        };
        let (style, width) = (theme.style(role), usize::from(place.width));
        match column {
            Column::Trend => self.draw_trend(summary, place, buf),
            Column::Epochs => draw_epochs(summary, context, place, buf),
            Column::Name => {
                let name = self.name(summary);
                let name = text::fitted(&name, width);
                buf.put_n(place.x, place.y, &name, width, style);
                draw_attention(context, summary, name.width(), place, buf);
                if columns::is_odd(summary) {
                    let mark = Rect {
                        width: place.width.min(1),
                        ..place
                    };
                    buf.set_style(mark, theme.style(Role::Warn));
                }
            }
            _ => {
                let said = self.text(summary, *column);
                let said = text::fitted(&said, width);
                let said = if column.is_right() {
                    format!("{said:>width$}")
                } else {
                    said.into_owned()
                };
                buf.put_n(place.x, place.y, said, width, style);
            }
        }
    }

    /// What a cell says that is words or numbers alone.
    fn text(&self, summary: &Summary, column: Column) -> String {
        let context = self.context;
        let said = column.text(summary, context.now);
        match (column, &summary.best) {
            (Column::Best, Some(best)) => {
                let value = on_point(&best.marked_text(), BEFORE_POINT);
                let usual = context.runs.usual.as_ref();
                if !usual.is_some_and(|usual| usual.is_of(best)) {
                    let metric = best.metric.rsplit('/').next().unwrap_or_default();
                    return format!("{value} {metric}");
                }
                best.epoch
                    .map_or_else(|| value.clone(), |epoch| format!("{value} @{epoch:<3}"))
            }
            (Column::Test, _) => match context.evaluations.running_of(summary) {
                Some(running) => format!("▸ {:.0} %", 100.0 * running.fraction),
                None => said,
            },
            (Column::TrainLoss | Column::ValLoss | Column::Rate, _) => behind_point(said),
            _ => said,
        }
    }

    fn draw_trend(&self, summary: &Summary, place: Rect, buf: &mut Buffer) {
        let theme = &self.context.theme;
        let Some(scale) = self.scales.get(summary.trend_of.as_str()) else {
            return;
        };
        let trend = Trend {
            values: &summary.trend,
            scale: *scale,
            best: best_of(&summary.trend, is_higher_better(summary)),
            style: theme.style(Role::Muted),
            best_style: theme.style(Role::Good),
            bad_style: theme.style(Role::Bad),
        };
        trend.render(place, buf);
    }
}

/// The number of the best of a trend's values.
fn best_of(values: &[f32], is_higher_better: bool) -> Option<usize> {
    let finite = values
        .iter()
        .enumerate()
        .filter(|(_, value)| value.is_finite());
    let best = finite.reduce(|best, other| {
        let order = other.1.total_cmp(best.1);
        let is_better = if is_higher_better {
            order.is_gt()
        } else {
            order.is_lt()
        };
        if is_better { other } else { best }
    });
    best.map(|(at, _)| at)
}

/// A number with its point in a place that rows share: blanks before it make up for missing digits.
fn on_point(number: &str, before: usize) -> String {
    let whole = number.find('.').unwrap_or(number.len());
    format!(
        "{}{number}",
        " ".repeat(before.saturating_sub(number[..whole].width()))
    )
}

/// The same for numbers that stand to the right: blanks behind it make up for missing digits.
fn behind_point(number: String) -> String {
    let Some((_, behind)) = number.split_once('.') else {
        return number;
    };
    let missing = BEHIND_POINT.saturating_sub(behind.len());
    format!("{number}{}", " ".repeat(missing))
}

fn draw_epochs(summary: &Summary, context: &Context, place: Rect, buf: &mut Buffer) {
    let theme = &context.theme;
    let width = usize::from(place.width);
    let said = Column::Epochs.text(summary, context.now);
    let said = text::fitted(&said, width);
    let (end, _) = buf.put_n(place.x, place.y, &said, width, theme.style(Role::Muted));
    // At least "200/200" stands there, so that the bars of all rows begin in one column.
    let start = end.max(place.x + 7) + 1;
    let has_room = start + FEWEST_BAR <= place.right();
    if let (Some(fraction), true) = (columns::done(summary), has_room) {
        let bar = ProgressBar {
            fraction,
            done: theme.style(Role::BarDone),
            rest: theme.style(Role::BarRest),
        };
        let place = Rect {
            x: start,
            width: place.right() - start,
            ..place
        };
        bar.render(place, buf);
    }
}

/// Behind the name, where there is room: why the run failed, or what it warns of.
fn draw_attention(
    context: &Context,
    summary: &Summary,
    name: usize,
    place: Rect,
    buf: &mut Buffer,
) {
    let Some((words, role)) = attention::words(summary) else {
        return;
    };
    let room = room_behind(name, usize::from(place.width));
    if room >= FEWEST_WORDS {
        let words = text::fitted(&words, room);
        let style = context.theme.style(role);
        buf.put_n(place.right() - room as u16, place.y, words, room, style);
    }
}

/// How many letters have room behind a name of `name` letters in a column of `width`, two blanks
/// between.
fn room_behind(name: usize, column: usize) -> usize {
    column.saturating_sub(name + 2)
}

/// A cell of a value that the user chose to see.
fn draw_value(context: &Context, summary: &Summary, key: &SortKey, place: Rect, buf: &mut Buffer) {
    let width = usize::from(place.width);
    let said = key.text(summary, context.now);
    let said = text::fitted(&said, width);
    let said = if key.is_right() {
        format!("{said:>width$}")
    } else {
        said.into_owned()
    };
    buf.put_n(
        place.x,
        place.y,
        said,
        width,
        context.theme.style(Role::Muted),
    );
}
