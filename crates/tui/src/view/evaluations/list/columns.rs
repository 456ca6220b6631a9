//! The columns of the list of evaluations: title, width and side of each, what its cells say, and
//! the order by it.

use std::cmp::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use crate::jobs::evaluations::card::Card;
use crate::theme::Role;
use traintop_text as text;
use traintop_text::{count, number};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Age,
    /// What lists call it.
    Name,
    /// What people added, or what is wrong with it.
    Tags,
    /// Which images, and how many.
    Data,
    Views,
    /// Percent of right answers.
    Accuracy,
    /// Its 95 % interval.
    Interval,
    /// Mean cross-entropy.
    Loss,
    /// Expected calibration error.
    CalibrationError,
}

/// The columns in order: title, width, rank (those with the highest go first in little room),
/// whether cells stand to the right.
pub const COLUMNS: [(Column, &str, u16, u8, bool); 9] = [
    (Column::Age, "AGE", 4, 2, true),
    (Column::Name, "NAME", 20, 0, false),
    (Column::Tags, "TAGS, NOTE", 16, 7, false),
    (Column::Data, "DATA", 13, 3, false),
    (Column::Views, "VIEWS", 5, 1, true),
    (Column::Accuracy, "RIGHT %", 7, 0, true),
    (Column::Interval, "95 % INTERVAL", 14, 4, true),
    (Column::Loss, "LOSS", 6, 5, true),
    (Column::CalibrationError, "ECE", 5, 6, true),
];

/// How long ago it began.
pub fn age(started: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now - started).unwrap_or_default()
}

/// The columns that fit, the name's width grown by what is left.
pub fn fitting(width: u16) -> Vec<(Column, &'static str, u16, u8, bool)> {
    let mut by_rank = COLUMNS;
    by_rank.sort_by_key(|column| column.3);
    let mut left = width.saturating_sub(3);
    let mut kept = Vec::new();
    for column in by_rank {
        if column.2 < left {
            left -= column.2 + 1;
            kept.push(column.0);
        }
    }
    let for_tags = if kept.contains(&Column::Tags) {
        (left / 3).min(24)
    } else {
        0
    };
    let for_name = (left - for_tags).min(50);
    COLUMNS
        .into_iter()
        .filter(|column| kept.contains(&column.0))
        .map(|mut column| {
            column.2 += match column.0 {
                Column::Name => for_name,
                Column::Tags => for_tags,
                _ => 0,
            };
            column
        })
        .collect()
}

/// Text in `width` cells.
pub fn aligned(text: &str, width: usize, is_right: bool) -> String {
    let blank = " ".repeat(width.saturating_sub(text.width()));
    if is_right {
        format!("{blank}{text}")
    } else {
        format!("{text}{blank}")
    }
}

/// What a cell says, and its looks.
pub fn cell(column: Column, card: &Card, now: Timestamp) -> (String, Role) {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    match column {
        Column::Age => {
            let age = card
                .started_at
                .map(|started| text::since(age(started, now)).0);
            (or_dash(age), Role::Muted)
        }
        Column::Name => (card.name.clone(), Role::Text),
        Column::Tags => match &card.problem {
            Some(problem) => (problem.clone(), Role::Warn),
            None => {
                let note = card.notes.note.lines().next().map(str::to_owned);
                let words = card.notes.tags.iter().cloned().chain(note);
                (words.collect::<Vec<_>>().join(" "), Role::Muted)
            }
        },
        Column::Data if card.images == 0 => ("-".to_owned(), Role::Muted),
        Column::Data => (
            format!("{} {}", card.split, count(card.images)),
            Role::Muted,
        ),
        Column::Views => (card.views.to_string(), Role::Text),
        Column::Accuracy => {
            let percent = card.percent().map(|percent| format!("{percent:.2}"));
            (or_dash(percent), Role::Text)
        }
        Column::Interval => {
            let interval = card.accuracy.as_ref();
            let interval =
                interval.map(|accuracy| format!("{:.2}-{:.2}", accuracy.low, accuracy.high));
            (or_dash(interval), Role::Muted)
        }
        Column::Loss => (or_dash(card.loss.map(|loss| number(loss, 4))), Role::Muted),
        Column::CalibrationError => {
            let error = card.calibration_error.map(|error| format!("{error:.3}"));
            (or_dash(error), Role::Muted)
        }
    }
}

/// The order of two evaluations by a column: the newest, the best first; what is unknown last.
pub fn order(column: Column, a: &Card, b: &Card) -> Ordering {
    let largest = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => b.total_cmp(&a),
        (a, b) => b.is_some().cmp(&a.is_some()),
    };
    let smallest = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    };
    match column {
        Column::Age => b.started_at.cmp(&a.started_at),
        Column::Name => a.name.to_lowercase().cmp(&b.name.to_lowercase()),
        Column::Tags => {
            let key = |card: &Card| (card.notes.tags.is_empty(), card.notes.tags.clone());
            key(a).cmp(&key(b))
        }
        Column::Data => (&a.split, &a.data, a.images).cmp(&(&b.split, &b.data, b.images)),
        Column::Views => b.views.cmp(&a.views),
        Column::Accuracy => largest(a.percent(), b.percent()),
        Column::Interval => {
            let low = |card: &Card| card.accuracy.as_ref().map(|accuracy| accuracy.low);
            largest(low(a), low(b))
        }
        Column::Loss => smallest(a.loss, b.loss),
        Column::CalibrationError => smallest(a.calibration_error, b.calibration_error),
    }
}
