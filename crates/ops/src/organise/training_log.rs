//! Reads a `training.log`, the reference's or ours, for the epochs and settings in it.
//!
//! ```text
//! [2025-03-10 14:29:45] num_epochs: 200
//! [2025-03-10 14:30:06] ======================================== Epoch 1/200 ====...
//! Train Loss: 2.2286 Train Acc: 16.1951%
//!
//! [2026-11-24 14:30:06] epoch 1/3  train loss 2.2286 acc 16.20%  val loss 1.9557 acc 29.33%  lr 0.004591 ...
//! ```

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json};

use super::table::Table;

/// The content of a log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrainingLog {
    /// Its epochs.
    pub table: Table,
    /// The settings that the reference writes at the beginning; empty if there are none.
    pub config: Map<String, Json>,
    /// Epochs planned.
    pub planned: Option<u32>,
    /// The first time in it, in the system's time zone.
    pub began: Option<Timestamp>,
    /// The last time in it.
    pub ended: Option<Timestamp>,
}

/// What the following lines are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Other,
    Settings,
    Epoch(u32),
}

/// Reads a log's text. What is not understood is passed over: logs are for people.
pub fn parse(text: &str) -> TrainingLog {
    let mut log = TrainingLog::default();
    let mut part = Part::Other;
    let (mut now, mut start) = (None, None);
    for line in text.lines() {
        let (time, text) = stamped(line);
        if let Some(time) = time {
            now = Some(time);
            start = start.or(now);
        }
        let text = text.trim();
        let plain = text.trim_matches('=').trim();
        if plain == "TRAINING CONFIGURATION" {
            part = Part::Settings;
        } else if text.starts_with("Starting training") {
            start = now;
        } else if let Some((epoch, planned)) = plain.strip_prefix("Epoch ").and_then(of_planned)
            && text.starts_with('=')
        {
            part = Part::Epoch(epoch);
            log.table.begin(epoch);
            log.planned = Some(planned);
            note_elapsed(&mut log.table, epoch, start, now);
        } else if let Some(rest) = text.strip_prefix("epoch ") {
            part = Part::Other;
            our_epoch(&mut log, rest);
        } else if let Part::Epoch(epoch) = part {
            if time.is_some() {
                part = Part::Other;
            } else {
                note_line(&mut log.table, epoch, text);
            }
        } else if part == Part::Settings {
            match text.split_once(": ") {
                Some((key, value)) if is_key(key) => {
                    drop(log.config.insert(key.to_owned(), setting(value)))
                }
                // A rule below the heading, and one that ends the list.
                _ if text.is_empty() && !log.config.is_empty() => part = Part::Other,
                _ => {}
            }
        }
    }
    let zone = TimeZone::system();
    let moment = |time: Option<DateTime>| Some(time?.to_zoned(zone.clone()).ok()?.timestamp());
    (log.began, log.ended) = (moment(start), moment(now));
    let planned = log.config.get("num_epochs").and_then(Json::as_u64);
    log.planned = planned
        .and_then(|planned| planned.try_into().ok())
        .or(log.planned);
    log
}

/// The time at a line's beginning, and what comes after it.
fn stamped(line: &str) -> (Option<DateTime>, &str) {
    let Some((stamp, rest)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) else {
        return (None, line);
    };
    match DateTime::strptime("%Y-%m-%d %H:%M:%S", stamp) {
        Ok(time) => (Some(time), rest),
        Err(_) => (None, line),
    }
}

/// `3/200`.
fn of_planned(text: &str) -> Option<(u32, u32)> {
    let (epoch, planned) = text.split_whitespace().next()?.split_once('/')?;
    Some((epoch.parse().ok()?, planned.parse().ok()?))
}

fn note_elapsed(table: &mut Table, epoch: u32, start: Option<DateTime>, now: Option<DateTime>) {
    if let (Some(start), Some(now)) = (start, now)
        && let Ok(span) = now.since(start)
        && let Ok(seconds) = span.total((
            jiff::Unit::Second,
            jiff::SpanRelativeTo::days_are_24_hours(),
        ))
    {
        table.note(epoch, "time_elapsed", seconds);
    }
}

/// A line of the reference's table of an epoch: `Train Loss: 2.2286 Train Acc: 16.1951%`.
fn note_line(table: &mut Table, epoch: u32, line: &str) {
    const NAMES: [(&str, &str); 8] = [
        ("Train Loss:", "train_loss"),
        ("Train Acc:", "train_acc"),
        ("Val Loss:", "val_loss"),
        ("Val Acc:", "val_acc"),
        ("Learning Rate:", "learning_rate"),
        ("GPU Memory:", "memory_used_mb"),
        ("Avg Batch Time:", "batch_time_ms"),
        ("ETA:", "eta_hours"),
    ];
    // The best so far is of other epochs.
    if line.starts_with("Best") {
        return;
    }
    for (text, column) in NAMES {
        let value = line
            .find(text)
            .and_then(|at| number(&line[at + text.len()..]));
        if let Some(value) = value {
            table.note(epoch, column, value);
        }
    }
}

/// Our line of an epoch: `1/3  train loss 2.2 acc 16.20%  val loss 1.9 acc 29.33%  lr 0.1  500
/// images/s  12.3 s`.
fn our_epoch(log: &mut TrainingLog, rest: &str) {
    let Some((epoch, planned)) = of_planned(rest) else {
        return;
    };
    log.table.begin(epoch);
    log.planned = Some(planned);
    let columns = [
        ("train loss ", "train_loss"),
        ("val loss ", "val_loss"),
        ("lr ", "learning_rate"),
    ];
    for part in rest.split("  ").skip(1) {
        for (text, column) in columns {
            if let Some((first, after)) = part
                .strip_prefix(text)
                .map(|part| part.split_once(' ').unwrap_or((part, "")))
            {
                if let Some(value) = number(first) {
                    log.table.note(epoch, column, value);
                }
                if let Some(value) = after.strip_prefix("acc ").and_then(number) {
                    log.table.note(epoch, &column.replace("loss", "acc"), value);
                }
            }
        }
        let ends = [(" images/s", "images_per_s"), (" s", "time_elapsed")];
        for (unit, column) in ends {
            let value = part.strip_suffix(unit).and_then(number);
            if let Some(value) = value {
                log.table.note(epoch, column, value);
            }
        }
    }
}

/// The number at a text's beginning, up to a space or its unit.
fn number(text: &str) -> Option<f64> {
    let word = text.split_whitespace().next()?;
    word.trim_end_matches('%').parse().ok()
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || char == '_')
}

/// A setting as Python prints it.
fn setting(text: &str) -> Json {
    match text {
        "True" => return true.into(),
        "False" => return false.into(),
        "None" => return Json::Null,
        _ => {}
    }
    // Numbers are JSON already; dicts and lists are but for their quotes and words.
    if let Ok(value) = serde_json::from_str::<Json>(text)
        && !value.is_string()
    {
        return value;
    }
    if text.starts_with(['{', '[', '(']) && !text.contains('"') {
        let json = text
            .replace('\'', "\"")
            .replace(['('], "[")
            .replace([')'], "]");
        let json = json
            .replace("True", "true")
            .replace("False", "false")
            .replace("None", "null");
        if let Ok(value) = serde_json::from_str(&json) {
            return value;
        }
    }
    text.into()
}
