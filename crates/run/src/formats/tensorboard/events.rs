//! Events as they arrive: scalars become points, and the other facts are kept.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use foldhash::fast::RandomState;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::appended::Decoder;
use super::super::points::Points;
use super::super::protobuf::{Field, Fields};
use super::super::{Facts, monitored, settings};
use super::of_hparams;
use super::records::Records;
use super::values::{logged_settings, scalar, values_of};
use crate::judging::TrainerMetric;

/// Reads events.
#[derive(Debug, Default)]
pub struct Events {
    records: Records,
    file: u32,
    pub beside: Beside,
    tags: HashMap<String, Tag, RandomState>,
    last_step: Option<i64>,
    rows: usize,
    /// Whether damage was reported.
    is_reported: bool,
    /// Whether the seam to an earlier file was noted.
    has_seam: bool,
}

/// Where a tag is.
#[derive(Debug, Clone, Copy)]
struct Tag {
    file: u32,
    step: i64,
    /// The offset of its steps, which may restart within one file, such as with each epoch.
    base: i64,
}

impl Decoder for Events {
    fn begin_file(&mut self, _points: &mut Points) {
        self.file += 1;
        self.records.is_damaged = false;
        self.is_reported = false;
        self.has_seam = false;
    }

    fn push(&mut self, bytes: &[u8], _is_last: bool, points: &mut Points) -> u64 {
        let mut records = std::mem::take(&mut self.records);
        let done = records.push(bytes, &mut |event| self.event(event, points));
        if records.is_damaged && !std::mem::replace(&mut self.is_reported, true) {
            let what = format!("a record of event file {} is damaged", self.file);
            points.add_problem(u64::from(self.file), what);
        }
        self.records = records;
        done
    }

    fn judged_by(dir: &Path) -> Option<TrainerMetric> {
        monitored::metric(dir)
    }

    fn facts(&self, dir: &Path) -> Option<Facts> {
        Some(self.beside.facts(dir))
    }
}

impl Events {
    fn event(&mut self, event: &[u8], points: &mut Points) {
        let (mut step, mut time, mut summary) = (0, None, &[][..]);
        for (number, field) in Fields::of(event) {
            match number {
                1 => time = field.double(),
                2 => step = field.whole().unwrap_or(0) as i64,
                5 => summary = field.bytes().unwrap_or_default(),
                _ => {}
            }
        }
        self.beside.note_time(time);
        for value in values_of(summary) {
            let Some((tag, number)) = scalar(value) else {
                self.beside.see_settings(value);
                continue;
            };
            let furthest = (self.file > 1 && !self.has_seam).then(|| self.furthest());
            let (x, last) = self.place(tag, step);
            // A resumed training that continues after the last step. One that goes back replaces
            // only the points of its own tags: several programs may write into one folder, each its
            // own tags.
            if last.is_some() && furthest.flatten().is_some_and(|furthest| x > furthest) {
                self.has_seam = true;
                points.go_back_to(x as f64);
            }
            points.put(tag, x as f64, number);
            if self.last_step != Some(step) {
                self.last_step = Some(step);
                self.rows += 1;
                points.count_rows(self.rows);
            }
        }
    }

    /// The step of the last value of all tags.
    fn furthest(&self) -> Option<i64> {
        let places = self
            .tags
            .values()
            .map(|tag| tag.step.saturating_add(tag.base));
        places.max()
    }

    /// The step of a tag's value, and that of its last value in an earlier file, if this is the
    /// first in this one. Another file is another start, whose values replace those from its steps
    /// on.
    pub(super) fn place(&mut self, tag: &str, step: i64) -> (i64, Option<i64>) {
        let file = self.file;
        let Some(known) = self.tags.get_mut(tag) else {
            let new = Tag {
                file,
                step,
                base: 0,
            };
            self.tags.insert(tag.to_owned(), new);
            return (step, None);
        };
        let before = known.step.saturating_add(known.base);
        let is_first = known.file != file;
        // Who gives no step writes 0 each time.
        let is_anew = step < known.step || step == 0 && known.step == 0;
        if is_first {
            known.base = 0;
        } else if is_anew {
            let further = known.step.saturating_sub(step).saturating_add(1);
            known.base = known.base.saturating_add(further);
        }
        (known.file, known.step) = (file, step);
        (step.saturating_add(known.base), is_first.then_some(before))
    }
}

/// What events say beside their scalars.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// When the first and the latest event were written, in seconds since 1970.
    times: Option<(f64, f64)>,
    pub settings: Map<String, Value>,
}

impl Beside {
    pub fn see_time(&mut self, event: &[u8]) {
        self.note_time(Fields::get(event, 1).and_then(Field::double));
    }

    pub fn note_time(&mut self, time: Option<f64>) {
        if let Some(time) = time.filter(|time| time.is_finite()) {
            let (first, last) = self.times.unwrap_or((time, time));
            self.times = Some((first, last.max(time)));
        }
    }

    pub fn see_settings(&mut self, value: &[u8]) {
        if self.settings.is_empty() {
            self.settings = logged_settings(value).unwrap_or_default();
        }
    }

    pub fn facts(&self, dir: &Path) -> Facts {
        let known = [settings::beside(dir), self.settings.clone()].into_iter();
        let mut known = known.filter(|config| !config.is_empty());
        self.facts_with(known.next().unwrap_or_else(|| of_hparams(dir)))
    }

    pub fn facts_with(&self, config: Map<String, Value>) -> Facts {
        let time = |seconds: f64| Timestamp::from_millisecond((seconds * 1e3) as i64).ok();
        let took = self.times.map(|(first, last)| last - first);
        Facts {
            started_at: self.times.and_then(|(first, _)| time(first)),
            duration: took.and_then(|took| Duration::try_from_secs_f64(took).ok()),
            ..settings::facts(config)
        }
    }
}
