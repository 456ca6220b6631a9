//! How the table of runs is drawn.

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
use crate::widget::sparkline::Sparkline;
use traintop_run::failure::Failure;
use traintop_run::summary::Summary;
use traintop_text as text;

/// In fewer cells than these the words behind a name tell nothing.
const FEWEST_WORDS: usize = 8;

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
        draw_row(context, row, &columns, place, buf);
    }
    draw_preview(context, below, buf);
    draw_query::draw_offer(context, below_top(area), buf);
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
        let summary = context.runs.row(&opened.dir)?.summary.as_ref()?;
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
            Line::from("No run passes the query."),
            Line::from("Esc shows all runs again."),
        ]
    } else if context.runs.searched {
        vec![
            Line::from(format!("No runs below {}.", roots.join(", "))),
            Line::default(),
            Line::from("n  starts a training run on built-in images."),
            Line::from("q  leaves; `traintop FOLDER` looks elsewhere."),
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

fn draw_row(
    context: &Context,
    row: &Row,
    columns: &[(&SortKey, u16)],
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = &context.theme;
    let runs = &context.runs;
    let selected = runs.cursor.as_ref() == Some(&row.found.dir) && !runs.is_on_header();
    if selected {
        // Only this mark and the name tell the selected row: a bar over the whole line would be
        // sent again with every move.
        buf.put(area.x, area.y, "▌", theme.style(Role::Accent));
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
            if **column == Column::Name {
                let name = row.found.dir.name();
                let name = text::clean(&name);
                let role = if selected {
                    Role::Selection
                } else {
                    Role::Muted
                };
                buf.put_n(
                    place.x,
                    place.y,
                    text::fitted(&name, usize::from(*width)),
                    usize::from(*width),
                    theme.style(role),
                );
            }
            continue;
        };
        draw_cell(context, summary, column, selected, place, buf);
    }
    let summary = row.summary.as_ref();
    let cause = summary.and_then(|summary| summary.cause.as_ref());
    if let Some(cause) = cause.filter(|cause| !cause.is_vague()) {
        draw_cause_in_state(context, row, cause, columns, area, buf);
    }
}

/// Where the name leaves no room for why the run failed, that stands in place of the state, which
/// its sign and colour tell too.
fn draw_cause_in_state(
    context: &Context,
    row: &Row,
    cause: &Failure,
    columns: &[(&SortKey, u16)],
    area: Rect,
    buf: &mut Buffer,
) {
    let place_of = |column: Column| columns.iter().position(|(key, _)| **key == column);
    let (Some(summary), Some(at)) = (&row.summary, place_of(Column::State)) else {
        return;
    };
    let name = Column::Name.text(summary, context.now).width();
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
    let style = context.theme.style(state_glyph::role(observed.state));
    let said = format!("{said:<width$}");
    buf.put_n(area.x + 2 + before, area.y, said, width, style);
}

fn draw_cell(
    context: &Context,
    summary: &Summary,
    key: &SortKey,
    selected: bool,
    place: Rect,
    buf: &mut Buffer,
) {
    let theme = &context.theme;
    let column = match key {
        SortKey::Built(column) => *column,
        SortKey::Value(_) => return draw_value(context, summary, key, place, buf),
    };
    let style = match column {
        Column::State => theme.style(state_glyph::role(summary.observed.state)),
        Column::Name if selected => theme.style(Role::Selection),
        Column::Name | Column::Best => theme.style(Role::Text),
        _ => theme.style(Role::Muted),
    };
    let width = usize::from(place.width);
    let mut said = column.text(summary, context.now);
    if column == Column::Best
        && let Some(best) = &summary.best
        && !context
            .runs
            .usual
            .as_ref()
            .is_some_and(|usual| usual.is_of(best))
    {
        said = format!("{} {}", best.marked_text(), best.metric);
    }
    said = text::fitted(&said, width).into_owned();
    if column == Column::Test
        && let Some(running) = context.evaluations.running_of(summary)
    {
        said = format!("▸ {:.0} %", 100.0 * running.fraction);
    }
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
            let (end, _) = buf.put_n(place.x, place.y, &said, width, style);
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
            buf.put_n(place.x, place.y, said, width, style);
        }
        Column::Name => {
            let filled = if selected {
                format!("{said:<width$}")
            } else {
                said.clone()
            };
            buf.put_n(place.x, place.y, filled, width, style);
            draw_attention(context, summary, said.width(), place, buf);
        }
        _ => {
            buf.put_n(place.x, place.y, said, width, style);
        }
    }
    if column == Column::Name && !selected && columns::is_odd(summary) {
        let mark = Rect {
            width: place.width.min(1),
            ..place
        };
        buf.set_style(mark, theme.style(Role::Warn));
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
