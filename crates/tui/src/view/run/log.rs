//! The log: the errors in it, that which was seen last first, and below them its end, which follows
//! what is written.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::lines::{list, wrapped};
use crate::theme::{Role, Theme};
use crate::widget::clipped::Clipped as _;
use traintop_run::log::{Found, Log};
use traintop_run::log_line::Kind;
use traintop_text::fitted;

/// In fewer rows than these there is no rule between the errors and the log.
const FEWEST_FOR_RULE: u16 = 8;
/// In fewer than these there is no room for errors beside the log.
const FEWEST_FOR_ERRORS: u16 = 3;

/// Where in the log one is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// The number of the line before which it is cut; `None` follows its end.
    end: Option<u64>,
    /// The number of the line with the error that one went to.
    error: Option<u64>,
}

/// A step from error to error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To one that was seen earlier.
    Earlier,
    /// To one that was seen later; behind the last, back to the log's end.
    Later,
}

impl Place {
    /// Scrolls by lines, down if positive; at the end it follows.
    pub fn scroll(&mut self, by: isize, log: &Log, area: Rect) {
        let end = self.end.unwrap_or(last(log));
        self.stop_before(end.saturating_add_signed(by as i64), log, area);
        if self.end.is_none() {
            self.error = None;
        }
    }

    /// To the error before or after that where one is.
    pub fn go(&mut self, step: Step, log: &Log, area: Rect) {
        let mut lines = log.errors.iter().map(|found| found.line);
        let to = match step {
            Step::Earlier => {
                let from = self.error.unwrap_or(u64::MAX);
                // Behind the earliest there is none: it stays.
                lines.find(|line| *line < from).or(self.error)
            }
            Step::Later => {
                let from = self.error.unwrap_or(u64::MAX);
                lines.rfind(|line| *line > from)
            }
        };
        self.error = to;
        self.end = None;
        if let Some(line) = to {
            // What led to it stands above, and a little of what followed below.
            let below = u64::from(parts(log, area).text.height / 3);
            self.stop_before(line + 1 + below, log, area);
        }
    }

    fn stop_before(&mut self, end: u64, log: &Log, area: Rect) {
        let height = u64::from(parts(log, area).text.height);
        let earliest = (log.before + height).min(last(log));
        let end = end.max(earliest);
        self.end = (end < last(log)).then_some(end);
    }

    /// What of it is in sight.
    pub fn note(self, log: &Log) -> String {
        let place = match self.end {
            None => "following".to_owned(),
            Some(end) => {
                let lines = last(log) - log.before;
                format!("line {} of {lines}", end.saturating_sub(log.before))
            }
        };
        match errors(log) {
            Some(errors) => format!("{place} · {errors}"),
            None => place,
        }
    }
}

/// How many different errors there are, if there are any.
pub fn errors(log: &Log) -> Option<String> {
    match log.errors.len() {
        0 => None,
        1 => Some("1 error".to_owned()),
        count => Some(format!("{count} errors")),
    }
}

/// The number that the line to come will have.
fn last(log: &Log) -> u64 {
    log.before + log.all().count() as u64
}

struct Parts {
    errors: Rect,
    rule: Rect,
    text: Rect,
}

/// Errors take a third at the most.
fn parts(log: &Log, area: Rect) -> Parts {
    let room = if area.height < FEWEST_FOR_ERRORS {
        0
    } else {
        (area.height / 3).max(1)
    };
    let errors = u16::try_from(log.errors.len()).unwrap_or(room).min(room);
    let rule = u16::from(errors > 0 && area.height >= FEWEST_FOR_RULE);
    let rows = |from: u16, height: u16| Rect {
        y: area.y + from,
        height,
        ..area
    };
    Parts {
        errors: rows(0, errors),
        rule: rows(errors, rule),
        text: rows(errors + rule, area.height - errors - rule),
    }
}

pub fn draw(log: &Log, place: Place, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let parts = parts(log, area);
    draw_errors(log, place, theme, parts.errors, buf);
    for at in parts.rule.positions() {
        buf.put_char(at.x, at.y, '─', theme.style(Role::Border));
    }
    draw_lines(log, place, theme, parts.text, buf);
}

fn draw_errors(log: &Log, place: Place, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let is_here = |found: &Found| Some(found.line) == place.error;
    let here = log.errors.iter().position(is_here).unwrap_or(0);
    let top = (here + 1).saturating_sub(usize::from(area.height));
    for (row, found) in area.rows().zip(log.errors.iter().skip(top)) {
        let role = if is_here(found) {
            Role::Selection
        } else {
            Role::Bad
        };
        let times = match found.count {
            1 => String::new(),
            count => format!("{count} x "),
        };
        let text = format!("✗ {times}{}", found.text);
        let text = fitted(&text, usize::from(row.width));
        Line::styled(text, theme.style(role)).render(row, buf);
    }
}

/// The lines that end before where one is. Long lines take several rows; the last line is whole.
fn draw_lines(log: &Log, place: Place, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let end = place.end.unwrap_or(last(log));
    let height = usize::from(area.height);
    let mut rows: Vec<Line> = Vec::with_capacity(height);
    let below = last(log).saturating_sub(end) as usize;
    for (number, line) in (0..end).rev().zip(log.all().rev().skip(below)) {
        if rows.len() >= height {
            break;
        }
        let role = match line.kind {
            _ if Some(number) == place.error => Role::Selection,
            Kind::Plain => Role::Text,
            Kind::Warning => Role::Warn,
            Kind::Error => Role::Bad,
        };
        let pieces = wrapped(&line.text, area.width).into_iter().rev();
        rows.extend(pieces.map(|piece| Line::from(Span::styled(piece, theme.style(role)))));
    }
    rows.truncate(height);
    let lines = rows.into_iter().rev();
    list(lines, "the log is empty", theme, area, buf);
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
