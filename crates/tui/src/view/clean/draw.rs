//! How the plan of a clean-up is drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::{CleanView, Group, Row, areas};
use crate::context::Context;
use crate::theme::{Role, Theme};
use crate::widget::clipped::Clipped as _;
use traintop_ops::clean::{Candidate, Plan, Protection, Reason, SortOrder, Totals};
use traintop_text as text;

/// Widths of what it is, of its size, and of what it costs to make again.
const WHAT: usize = 24;
const SIZE: usize = 9;
const COST: usize = 9;
/// From this many columns on the reason's details stand in the rows.
const WITH_DETAIL: u16 = 120;

/// Draws the plan.
///
/// ```text
/// Clean up  38 of 40 things, 4.2 GB of 4.5 GB       3 runs at work, 12 protected: left alone
/// 1 best 1  2 last 1  3 every -  4 epochs≥1  5 age -  6 keep marked  o by size
/// runs: 120 GB of 500 GB free                                              SIZE    RETRAIN
/// ▌ ▾ ■ Checkpoints not best, last or every Nth                        38 of 40   4.2 GB
///       ■ quick 11-24 02:26:37       epoch 40                          35.1 MB       12m
/// ```
pub fn draw(view: &CleanView, context: &Context, area: Rect, buf: &mut Buffer) {
    let [top, header, rows, foot] = areas(area);
    let line = |y: u16| Rect {
        y,
        height: 1,
        ..top
    };
    draw_top(view, context, line(top.y), buf);
    draw_rules(view, context, line(top.y + 1), buf);
    draw_header(view, context, header, buf);
    let theme = &context.theme;
    let Some(plan) = &view.plan else {
        let said = match view.progress {
            Some((done, of)) => format!("Surveying: {done} of {of} runs …"),
            None => "Surveying the runs …".to_owned(),
        };
        buf.put(rows.x + 2, rows.y, said, theme.style(Role::Muted));
        return;
    };
    if view.rows.is_empty() {
        let said = "There is nothing to clean up by these rules.";
        buf.put(rows.x + 2, rows.y, said, theme.style(Role::Muted));
        return;
    }
    let shown = view.rows.iter().enumerate().skip(view.top);
    for (y, (number, row)) in (rows.y..rows.bottom()).zip(shown) {
        let place = Rect {
            y,
            height: 1,
            ..rows
        };
        let is_here = number == view.cursor;
        if is_here {
            buf.put(place.x, y, "▌", theme.style(Role::Accent));
        }
        match row {
            Row::Group(group) => {
                let title = match group {
                    Group::Reason(reason) => reason.title(),
                    Group::Run(run) => &plan.survey.runs[*run].name,
                };
                draw_group(view, *group, (title, is_here), theme, place, buf);
            }
            Row::One(at) => {
                let one = &plan.candidates[*at];
                // What its heading does not say.
                let title = if view.is_by_run {
                    one.reason.title()
                } else {
                    &plan.survey.runs[one.run].name
                };
                draw_one(one, (title, is_here), theme, place, buf);
            }
        }
    }
    draw_foot(view, plan, theme, foot, buf);
}

fn draw_top(view: &CleanView, context: &Context, area: Rect, buf: &mut Buffer) {
    let theme = &context.theme;
    let muted = theme.style(Role::Muted);
    let mut spans = vec![Span::styled("Clean up", theme.style(Role::Title))];
    if !view.only.is_empty() {
        let marked = format!("  {} marked", several(view.only.len(), "run"));
        spans.push(Span::styled(marked, muted));
    }
    if view.plan.is_some() {
        let Totals {
            count,
            in_count,
            bytes,
        } = view.all;
        let said = format!(
            "  {} of {} to go, {}",
            text::count(in_count as u64),
            several(count, "thing"),
            text::bytes(bytes)
        );
        spans.push(Span::styled(said, theme.style(Role::Text)));
    }
    if view.is_busy && view.plan.is_some() {
        spans.push(Span::styled("  planning …", muted));
    }
    if let Some(plan) = &view.plan {
        let kept: Vec<String> = [
            (plan.at_work, "at work"),
            (plan.protected, "protected"),
            (plan.doubts.len(), "in doubt"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, why)| format!("{count} {why}"))
        .collect();
        if !kept.is_empty() {
            let said = format!("  left alone: {}", kept.join(", "));
            spans.push(Span::styled(said, muted));
        }
    }
    Line::from(spans).render(area, buf);
}

/// The room there is on the disks, and the names of the columns.
fn draw_header(view: &CleanView, context: &Context, area: Rect, buf: &mut Buffer) {
    let disks: Vec<String> = view
        .spaces
        .iter()
        .map(|(root, space)| {
            let root = root.display().to_string();
            format!("{}: {}", text::clean(&root), space.sentence())
        })
        .collect();
    let end = area.right().saturating_sub(after_size(area));
    let start = end.saturating_sub(SIZE as u16);
    let room = usize::from(start.saturating_sub(area.x + 1));
    let disks = disks.join("   ");
    let said = text::fitted(&disks, room);
    buf.put(area.x, area.y, said, context.theme.style(Role::Muted));
    let why = if area.width >= WITH_DETAIL {
        "  WHY"
    } else {
        ""
    };
    let names = format!("{:>SIZE$} {:>COST$}{why}", "SIZE", "RETRAIN");
    buf.put(start, area.y, names, context.theme.style(Role::Header));
}

fn draw_rules(view: &CleanView, context: &Context, area: Rect, buf: &mut Buffer) {
    let theme = &context.theme;
    let policy = &view.policy;
    let number = |value: u32| match value {
        0 => "-".to_owned(),
        value => value.to_string(),
    };
    let age = match policy.max_age {
        0 => "-".to_owned(),
        days => format!("{days}d"),
    };
    let protect = match policy.protect.len() {
        0 => "none",
        count if count == Protection::ALL.len() => "marked",
        _ if policy.protect == [Protection::Starred, Protection::Baseline] => "starred",
        _ => "some",
    };
    let order = view.plan.as_ref().map(|plan| plan.order);
    let order = match order.unwrap_or_default() {
        SortOrder::Size => "by size",
        SortOrder::BytesPerHour => "by cost",
    };
    let rules = [
        ("1", format!("best {}", number(policy.keep_best))),
        ("2", format!("last {}", number(policy.keep_last))),
        ("3", format!("every {}", number(policy.keep_every))),
        ("4", format!("epochs≥{}", policy.min_epochs)),
        ("5", format!("age {age}")),
        ("6", format!("keep {protect}")),
        ("o", order.to_owned()),
    ];
    let mut spans = Vec::new();
    for (key, said) in rules {
        spans.push(Span::styled(key, theme.style(Role::Key)));
        spans.push(Span::styled(format!(" {said}  "), theme.style(Role::Muted)));
    }
    Line::from(spans).render(area, buf);
}

fn draw_group(
    view: &CleanView,
    group: Group,
    (title, is_here): (&str, bool),
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let totals = view.groups.get(&group).copied().unwrap_or_default();
    let fold = if view.folded.contains(&group) {
        "▸"
    } else {
        "▾"
    };
    let mark = match totals.in_count {
        0 => "□",
        count if count == totals.count => "■",
        _ => "◪",
    };
    let role = if is_here {
        Role::Selection
    } else {
        Role::Header
    };
    buf.put(
        area.x + 2,
        area.y,
        format!("{fold} {mark} "),
        theme.style(Role::Mark),
    );
    let sums = format!(
        "{} of {}  {:>SIZE$}",
        text::count(totals.in_count as u64),
        text::count(totals.count as u64),
        text::bytes(totals.bytes)
    );
    // The size stands in the column of sizes.
    let end = area.right().saturating_sub(after_size(area));
    let start = end.saturating_sub(sums.chars().count() as u16);
    let room = usize::from(start.saturating_sub(area.x + 7));
    buf.put(
        area.x + 6,
        area.y,
        text::fitted(title, room),
        theme.style(role),
    );
    buf.put(start, area.y, sums, theme.style(Role::Text));
}

/// What stands to the right of the sizes.
fn after_size(area: Rect) -> u16 {
    let detail = if area.width >= WITH_DETAIL {
        area.width / 4
    } else {
        0
    };
    COST as u16 + 1 + detail
}

fn draw_one(
    candidate: &Candidate,
    (title, is_here): (&str, bool),
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let mark = if candidate.is_in { "■" } else { "□" };
    buf.put(area.x + 6, area.y, mark, theme.style(Role::Mark));
    let end = area.right().saturating_sub(after_size(area));
    let size_at = end.saturating_sub(SIZE as u16);
    let what_at = size_at.saturating_sub(WHAT as u16 + 1);
    let room = usize::from(what_at.saturating_sub(area.x + 9));
    let role = if is_here { Role::Selection } else { Role::Text };
    buf.put(
        area.x + 8,
        area.y,
        text::fitted(title, room),
        theme.style(role),
    );
    let muted = theme.style(Role::Muted);
    buf.put(what_at, area.y, text::fitted(&candidate.what, WHAT), muted);
    let size = format!("{:>SIZE$}", text::bytes(candidate.bytes()));
    buf.put(size_at, area.y, size, theme.style(Role::Text));
    buf.put(
        end + 1,
        area.y,
        format!("{:>COST$}", candidate.cost()),
        muted,
    );
    if area.width >= WITH_DETAIL {
        let room = usize::from(area.right().saturating_sub(end + 3 + COST as u16));
        let x = end + 3 + COST as u16;
        buf.put(x, area.y, text::fitted(&candidate.detail, room), muted);
    }
}

/// What the cursor is on, with its run's sum.
fn draw_foot(view: &CleanView, plan: &Plan, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let muted = theme.style(Role::Muted);
    let Some(Row::One(number)) = view.rows.get(view.cursor) else {
        return;
    };
    let candidate = &plan.candidates[*number];
    let run = &plan.survey.runs[candidate.run];
    let width = usize::from(area.width);
    let totals = plan.totals(|other| other.run == candidate.run);
    let again = match candidate.cost_s {
        None => "how long it would take to make it again is not known".to_owned(),
        Some(0.0) if candidate.reason == Reason::Temporary => "it was never finished".to_owned(),
        Some(0.0) => "another checkpoint has the same weights".to_owned(),
        Some(_) => format!("{} of training would make it again", candidate.cost()),
    };
    let detail = match candidate.detail.as_str() {
        "" => String::new(),
        detail => format!("{detail}; "),
    };
    let first = format!("{}: {detail}{again}", candidate.what);
    let second = format!(
        "{}: {} of {} to go, {}",
        run.name,
        totals.in_count,
        several(totals.count, "thing"),
        text::bytes(totals.bytes)
    );
    for (y, said) in (area.y..area.bottom()).zip([first, second]) {
        buf.put(area.x, y, text::fitted(&said, width), muted);
    }
}

fn several(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", text::count(count as u64))
}
