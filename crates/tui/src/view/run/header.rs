//! The lines above everything else: what the run is, how far it is, and what is wrong with it.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::detail::Detail;
use super::lines::wrapped;
use crate::theme::{Role, Theme};
use crate::view::{attention, state_glyph};
use crate::widget::progress_bar::ProgressBar;
use traintop_analysis::finish;
use traintop_run::State;
use traintop_run::metrics::Metrics;
use traintop_run::notes::Notes;
use traintop_run::steps::Progress;
use traintop_run::summary::Summary;
use traintop_text::{bytes, count, counted, duration};

/// Part of a line: those with a higher rank are left out first where there is no room.
struct Part<'a> {
    rank: u8,
    content: Content<'a>,
}

enum Content<'a> {
    Words(Vec<Span<'a>>),
    Bar { fraction: f64, width: u16 },
}

const BETWEEN: u16 = 2;

const MOST_REMARK_ROWS: usize = 3;

/// How many rows [`draw`] takes at a width: two, and more where something is to be said.
pub fn height(summary: &Summary, detail: Option<&Detail>, width: u16) -> u16 {
    let rows = remark(summary, detail).map_or(0, |(text, _)| wrapped(&text, width).len());
    2 + rows.min(MOST_REMARK_ROWS) as u16
}

/// State, name, model and best; progress, time and speed; then remarks.
pub fn draw(
    summary: &Summary,
    detail: Option<&Detail>,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let row = |index: u16| {
        Rect {
            y: area.y + index,
            height: 1,
            ..area
        }
        .intersection(area)
    };
    draw_parts(identity(summary, detail, theme), theme, row(0), buf);
    draw_parts(progress(summary, detail, theme), theme, row(1), buf);
    if let Some((text, role)) = remark(summary, detail) {
        for (index, part) in (2..area.height).zip(wrapped(&text, area.width)) {
            Line::styled(part, theme.style(role)).render(row(index), buf);
        }
    }
}

fn identity<'a>(summary: &'a Summary, detail: Option<&Detail>, theme: &Theme) -> Vec<Part<'a>> {
    let state = summary.observed.state;
    let mut word = format!("{} {state}", state_glyph::glyph(state));
    if summary.observed.deduced {
        word.push('?');
    }
    let words = |rank, text: String, role| Part {
        rank,
        content: Content::Words(vec![Span::styled(text, theme.style(role))]),
    };
    let mut parts = vec![
        words(0, word, state_glyph::role(state)),
        Part {
            rank: 0,
            content: Content::Words(vec![Span::styled(
                summary.title(),
                theme.style(Role::Title).add_modifier(Modifier::BOLD),
            )]),
        },
    ];
    if !summary.model.is_empty() {
        parts.push(words(2, summary.model.clone(), Role::Text));
    }
    if !summary.recipe.is_empty() && summary.recipe != summary.model {
        parts.push(words(3, summary.recipe.clone(), Role::Muted));
    }
    if let Some(best) = best(summary, detail) {
        parts.push(words(1, best, Role::Good));
    }
    parts
}

/// The best value with its column and place, as exact as what has been read allows.
fn best(summary: &Summary, detail: Option<&Detail>) -> Option<String> {
    let of_detail = detail.and_then(|detail| {
        let epochs = detail.epochs();
        let best = epochs.best()?;
        let group = epochs.groups().iter().find(|group| {
            group
                .members
                .iter()
                .any(|member| member.column == best.column)
        })?;
        let metrics = epochs.metrics();
        let value = group.scale.reading(best.value);
        Some(format!(
            "best {} {value} at {} {}",
            metrics.columns[best.column].name, metrics.x_name, best.x
        ))
    });
    of_detail.or_else(|| {
        let best = summary.best.as_ref()?;
        let place = best
            .epoch
            .map(|epoch| format!(" at epoch {epoch}"))
            .unwrap_or_default();
        let unit = if best.share.is_some() { "%" } else { "" };
        Some(format!("best {} {}{unit}{place}", best.metric, best.text()))
    })
}

fn progress<'a>(summary: &Summary, detail: Option<&Detail>, theme: &Theme) -> Vec<Part<'a>> {
    let words = |rank, text: String, role| Part {
        rank,
        content: Content::Words(vec![Span::styled(text, theme.style(role))]),
    };
    let training = summary.observed.state.is_active();
    let within = within_epoch(summary, detail).filter(|_| training);
    let mut parts = Vec::new();
    let epochs = u64::from(summary.epochs_done);
    let (unit, done, planned) = match summary.steps() {
        Some((done, planned)) => ("steps", done, planned),
        None => ("epochs", epochs, summary.epochs_planned.map(u64::from)),
    };
    let of = planned.map_or_else(String::new, |planned| format!("/{planned}"));
    parts.push(words(0, format!("{unit} {done}{of}"), Role::Text));
    if let Some(planned) = planned {
        let fraction = ProgressBar::fraction(done, planned);
        parts.push(Part {
            rank: 3,
            content: Content::Bar {
                fraction,
                width: 12,
            },
        });
    }
    if let Some(within) = within {
        parts.push(words(
            0,
            format!(
                "step {}/{} of epoch {}",
                within.step, within.steps_per_epoch, within.epoch
            ),
            Role::Text,
        ));
        parts.push(Part {
            rank: 1,
            content: Content::Bar {
                fraction: within.part(),
                width: 12,
            },
        });
        if within.images_per_s > 0.0 {
            parts.push(words(
                1,
                format!("{} images/s", count(within.images_per_s.round() as u64)),
                Role::Text,
            ));
        }
    }
    if let Some(trained) = within
        .and_then(|within| Duration::try_from_secs_f64(within.elapsed_s).ok())
        .or(summary.duration)
    {
        parts.push(words(
            2,
            format!("trained {}", duration(trained)),
            Role::Text,
        ));
    }
    if let Some(left) = time_left(summary, detail).filter(|_| training) {
        parts.push(words(0, format!("{} left", duration(left)), Role::Accent));
    }
    parts
}

/// Where it is in the epoch that runs. Between an epoch's last step and the next one's first report
/// there is no such place.
fn within_epoch(summary: &Summary, detail: Option<&Detail>) -> Option<Progress> {
    let reported = detail
        .and_then(|detail| detail.progress)
        .or(summary.progress)?;
    (reported.epoch > summary.epochs_done).then_some(reported)
}

/// At its pace; where that is not known from the steps, or from whole epochs.
fn time_left(summary: &Summary, detail: Option<&Detail>) -> Option<Duration> {
    if let Some(outlook) = finish::outlook(summary) {
        return Some(outlook.left);
    }
    let planned = summary.epochs_planned?;
    let within = detail
        .and_then(|detail| detail.progress)
        .or(summary.progress);
    within.and_then(|within| within.left(planned)).or_else(|| {
        let done = Some(summary.epochs_done).filter(|&done| done > 0)?;
        Some(summary.duration? * planned.saturating_sub(done) / done)
    })
}

/// What else one must know: why it is in this state, what of its file could not be read, where it
/// was resumed.
fn remark(summary: &Summary, detail: Option<&Detail>) -> Option<(String, Role)> {
    let mut remarks = Vec::new();
    let mut role = Role::Muted;
    remarks.extend(noted(&summary.notes));
    remarks.extend(
        summary
            .archived
            .map(|length| format!("▣ archived, {}; z unarchives it", bytes(length))),
    );
    remarks.extend(summary.rebuilt.clone());
    for (sentence, of_sentence) in attention::sentences(summary) {
        remarks.push(sentence);
        role = if of_sentence == Role::Warn {
            of_sentence
        } else {
            role
        };
    }
    if let Some(cause) = &summary.cause {
        remarks.push(format!("{}: {}", cause.what, cause.detail));
    }
    let is_shown = |reason: &&String| {
        summary
            .cause
            .as_ref()
            .is_none_or(|cause| cause.detail != **reason)
    };
    if let Some(reason) = summary.observed.reason.as_ref().filter(is_shown) {
        let state = summary.observed.state;
        remarks.push(match state {
            _ if summary.observed.deduced => format!("{state} is deduced: {reason}"),
            State::Queued => format!("waits: {reason}"),
            _ => reason.clone(),
        });
        role = if summary.observed.deduced {
            Role::Muted
        } else {
            state_glyph::role(summary.observed.state)
        };
    }
    if summary.cause.is_some() {
        role = state_glyph::role(summary.observed.state);
    }
    if let Some(findings) = summary.findings.as_ref().filter(|all| !all.is_empty()) {
        let texts = findings.iter().map(|finding| format!("! {}", finding.text));
        remarks.extend(texts);
        role = Role::Warn;
    }
    if let Some(problem) = detail.and_then(|detail| detail.problem.clone()) {
        remarks.push(problem);
        role = Role::Warn;
    }
    let problems = detail.map(|detail| detail.epochs().metrics());
    if let Some((metrics, first)) = problems.and_then(|all| Some((all, all.problems.first()?))) {
        let more = match metrics.problem_count {
            0 | 1 => String::new(),
            more => format!(" (and {} more)", more - 1),
        };
        remarks.push(format!(
            "line {} of its metrics: {}{more}",
            first.line, first.what
        ));
        role = Role::Warn;
    }
    if let Some(sentence) = problems.and_then(unread) {
        remarks.push(sentence);
        role = Role::Warn;
    }
    remarks.extend(resumed(summary, detail));
    (!remarks.is_empty()).then(|| (remarks.join("; "), role))
}

/// Columns that are named of those with cells that were not understood.
const MOST_UNREAD: usize = 3;

/// How many cells of which columns were not understood.
fn unread(metrics: &Metrics) -> Option<String> {
    let named: Vec<_> = metrics
        .unread
        .iter()
        .take(MOST_UNREAD)
        .map(|(column, count)| format!("{count} of {column}"))
        .collect();
    let more = metrics.unread.len().saturating_sub(MOST_UNREAD);
    let more = match more {
        0 => String::new(),
        more => format!(" and of {}", counted(more as u64, "more column")),
    };
    (!named.is_empty()).then(|| format!("cells not understood: {}{more}", named.join(", ")))
}

/// Where it was resumed, by its rows or its record.
fn resumed(summary: &Summary, detail: Option<&Detail>) -> Option<String> {
    let metrics = detail.map(|detail| detail.epochs().metrics());
    let by_rows = metrics.filter(|metrics| !metrics.seams.is_empty());
    let (what, mut places): (_, Vec<String>) = match by_rows {
        Some(metrics) => {
            let places = metrics.seams.iter().map(f64::to_string);
            (metrics.x_name.as_str(), places.collect())
        }
        None => {
            let epochs = summary
                .resumes
                .iter()
                .map(|resume| resume.epoch.to_string());
            ("epoch", epochs.collect())
        }
    };
    places.dedup();
    (!places.is_empty()).then(|| format!("resumed at {what} {}", places.join(", ")))
}

/// What people added to it, on one line.
fn noted(notes: &Notes) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    words.extend(notes.star.then(|| "★ starred".to_owned()));
    words.extend(notes.baseline.then(|| "⊥ baseline".to_owned()));
    words.extend(notes.tags.iter().map(|tag| format!("#{tag}")));
    if !notes.note.is_empty() {
        let lines: Vec<&str> = notes
            .note
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        words.push(format!("note: {}", lines.join(" / ")));
    }
    (!words.is_empty()).then(|| words.join(" "))
}

fn draw_parts(mut parts: Vec<Part>, theme: &Theme, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    while parts.len() > 1
        && parts.iter().map(|part| part.width() + BETWEEN).sum::<u16>() > area.width + BETWEEN
    {
        let highest = parts.iter().map(|part| part.rank).max();
        let Some(last) = parts.iter().rposition(|part| Some(part.rank) == highest) else {
            break;
        };
        parts.remove(last);
    }
    let mut x = area.x;
    for part in parts {
        let width = part.width().min(area.right().saturating_sub(x));
        let place = Rect { x, width, ..area };
        match part.content {
            Content::Words(spans) => Line::from(spans).render(place, buf),
            Content::Bar { fraction, .. } => {
                ProgressBar {
                    fraction,
                    done: theme.style(Role::BarDone),
                    rest: theme.style(Role::BarRest),
                }
                .render(place, buf);
            }
        }
        x = (x + width + BETWEEN).min(area.right());
    }
}

impl Part<'_> {
    fn width(&self) -> u16 {
        match &self.content {
            Content::Words(spans) => spans
                .iter()
                .map(Span::width)
                .sum::<usize>()
                .min(usize::from(u16::MAX / 4)) as u16,
            Content::Bar { width, .. } => *width,
        }
    }
}
