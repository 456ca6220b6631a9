//! TensorBoard's event files, from PyTorch, tensorboardX, Keras and Lightning: records of the
//! TFRecord framing, each with an `Event` message. Several files in a folder are starts of one run,
//! in the order of the times in their names.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use foldhash::fast::RandomState;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::appended::{Appended, Decoder};
use super::points::Points;
use super::protobuf::{Field, Fields};
use super::splits::{Splits, of_data};
use super::{Facts, Format, Listing, RunParts, Source, json, monitored, settings};
use crate::judging::TrainerMetric;
use crate::metrics::Metrics;
use traintop_disk::read;

const MARK: &str = ".tfevents.";

/// No scalar takes as much: what is larger is a graph, an image or a histogram, and passed over.
const LARGEST_EVENT: u64 = 1 << 20;

/// How much of a file is read for settings: they are written first.
const SETTINGS_WITHIN: u64 = 1 << 20;

/// As much is read in a search.
const FIRST_SETTINGS_WITHIN: u64 = 64 << 10;

/// How much of a file is read for its first tag.
const FIRST_TAG_WITHIN: u64 = 16 << 10;

/// Larger files are not read whole.
const LARGEST_WHOLE: u64 = 256 << 20;

/// Folders beside each other that are one run: what was measured on which images.
const SPLITS: [&str; 6] = ["train", "validation", "val", "valid", "eval", "test"];

pub struct TensorBoard;

/// Keras writes two folders for one run.
pub struct TrainAndValidation;

impl Format for TensorBoard {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        if !has_events(listing) {
            return None;
        }
        let folders = listing.folders.iter().map(String::as_str);
        let folders = folders.filter(|name| is_of_hparams(name));
        let added: Vec<&str> = folders_of_tags(listing).collect();
        let mut metrics = files(&listing.path);
        let of_added = added
            .iter()
            .flat_map(|name| files(&listing.path.join(name)));
        metrics.extend(of_added);
        let folders = folders.chain(["checkpoints", "plugins"]).chain(added);
        Some(RunParts::new("TensorBoard", metrics).with_folders(folders))
    }

    fn open(&self, dir: &Path, parts: &RunParts) -> Box<dyn Source> {
        let own = |name: &str| {
            let events = Appended::<Events>::new(&dir.join(name), files, "step");
            Box::new(events) as Box<dyn Source>
        };
        let has_own = |name: &&str| {
            let folder = dir.join(name);
            let mut files = parts.metrics.iter();
            files.any(|file| file.parent() == Some(&folder))
        };
        let added: Vec<&str> = parts
            .folders
            .iter()
            .map(String::as_str)
            .filter(has_own)
            .collect();
        if added.is_empty() {
            return Box::new(Appended::<Events>::new(dir, files, "step"));
        }
        let names = std::iter::once("").chain(added);
        Box::new(Splits::new(dir, names, of_tag, own))
    }

    fn facts(&self, dir: &Path, parts: &RunParts) -> Facts {
        facts(dir, &parts.metrics)
    }
}

impl Format for TrainAndValidation {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        let splits = SPLITS.iter().filter(|split| listing.has_folder(split));
        let there = splits.filter(|split| is_split(&listing.path.join(split)));
        let there: Vec<&str> = there.copied().collect();
        (there.len() > 1)
            .then(|| RunParts::new("TensorBoard", split_files(&listing.path)).with_folders(there))
    }

    fn open(&self, dir: &Path, _places: &RunParts) -> Box<dyn Source> {
        Box::new(Splits::new(dir, SPLITS, of_data, |split| {
            let events = Appended::<Events>::new(&dir.join(split), files, "step");
            Box::new(events) as Box<dyn Source>
        }))
    }

    fn facts(&self, dir: &Path, parts: &RunParts) -> Facts {
        facts(dir, &parts.metrics)
    }
}

/// Folders right below a run's in which `add_scalars` of `PyTorch` put one curve of a tag each:
/// `Loss_train` of `Loss`.
fn folders_of_tags(listing: &Listing) -> impl Iterator<Item = &str> {
    let may_be = listing.folders.iter().filter(|name| name.contains('_'));
    may_be.map(String::as_str).filter(|name| {
        let folder = listing.path.join(name);
        let Ok(inner) = Listing::read(&folder) else {
            return false;
        };
        let is_plain = inner.folders.is_empty() && inner.files.iter().all(|it| it.contains(MARK));
        let first = files(&folder).into_iter().next().filter(|_| is_plain);
        let tag = first.and_then(|file| first_tag(&file));
        tag.is_some_and(|tag| curve_of(name, &tag).is_some())
    })
}

/// The curve in a folder of this name, if it is one of a tag's.
fn curve_of<'a>(folder: &'a str, tag: &str) -> Option<&'a str> {
    let tag = tag.replace('/', "_");
    folder.strip_prefix(&tag)?.strip_prefix('_')
}

/// What a curve is called in a run: by its tag, and one of several by its own name too.
fn of_tag(folder: &str, tag: &str) -> String {
    match curve_of(folder, tag) {
        Some(curve) => format!("{tag}/{curve}"),
        None if folder.is_empty() => tag.to_owned(),
        None => of_data(folder, tag),
    }
}

/// The tag of the first scalar of a file, near its beginning.
fn first_tag(file: &Path) -> Option<String> {
    let bytes = read::beginning(file, FIRST_TAG_WITHIN).ok()?;
    let mut first = None;
    Records::default().push(&bytes, &mut |event| {
        let mut scalars = values(event).filter_map(scalar);
        if first.is_none() {
            first = scalars.next().map(|(tag, _)| tag.to_owned());
        }
    });
    first
}

/// Whether a folder holds event files and nothing that makes a run of its own of it: runs may be
/// called `train` and `test` too.
fn is_split(folder: &Path) -> bool {
    Listing::read(folder).is_ok_and(|listing| {
        let has_settings = settings::FILES.iter().any(|name| listing.has_file(name));
        has_events(&listing) && !has_settings && !super::is_run_without_events(&listing)
    })
}

pub fn has_events(listing: &Listing) -> bool {
    listing.files.iter().any(|name| name.contains(MARK))
}

/// The event files of a folder, in the order of the times in their names.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(listing) = Listing::read(dir) else {
        return Vec::new();
    };
    let mut names: Vec<&String> = listing
        .files
        .iter()
        .filter(|name| name.contains(MARK))
        .collect();
    names.sort_by_key(|name| (time(name).unwrap_or_default(), *name));
    names.into_iter().map(|name| dir.join(name)).collect()
}

/// The time in the name of an event file, in seconds since 1970.
fn time(name: &str) -> Option<u64> {
    let (_, rest) = name.split_once(MARK)?;
    rest.split('.').next()?.parse().ok()
}

/// When an event file was begun, as its name says, in seconds since 1970.
pub fn begun(path: &Path) -> Option<u64> {
    time(path.file_name()?.to_str()?)
}

/// When the first event file of a folder was begun.
pub fn first_begun(listing: &Listing) -> Option<u64> {
    listing.files.iter().filter_map(|name| time(name)).min()
}

/// The scalars of an event file, and what it says beside them.
pub fn read(path: &Path) -> (Metrics, Facts) {
    let (mut events, mut points) = (Events::default(), Points::new("step"));
    let bytes = read::bytes(path, LARGEST_WHOLE).unwrap_or_default();
    events.push(&bytes, true, &mut points);
    let settings = events.beside.settings.clone();
    (points.take(), events.beside.facts_with(settings))
}

fn split_files(dir: &Path) -> Vec<PathBuf> {
    SPLITS
        .iter()
        .flat_map(|split| files(&dir.join(split)))
        .collect()
}

/// What the beginnings of the files say. When the last value came stands at their ends.
fn facts(dir: &Path, files: &[PathBuf]) -> Facts {
    let mut said = Beside::default();
    for file in files {
        let bytes = read::beginning(file, SETTINGS_WITHIN).unwrap_or_default();
        Records::default().push(&bytes, &mut |event| {
            said.see_time(event);
            values(event).for_each(|value| said.see_settings(value));
        });
    }
    Facts {
        duration: None,
        ..said.facts(dir)
    }
}

/// Whether `add_hparams` made a folder: it is named by the time.
fn is_of_hparams(name: &str) -> bool {
    name.contains('.') && name.parse::<f64>().is_ok()
}

/// What `add_hparams` wrote last into a folder of its own in the run's.
fn of_hparams(dir: &Path) -> Map<String, Value> {
    let listing = Listing::read(dir).unwrap_or_default();
    let mut folders: Vec<&String> = listing
        .folders
        .iter()
        .filter(|name| is_of_hparams(name))
        .collect();
    folders.sort();
    let files = folders
        .into_iter()
        .rev()
        .flat_map(|name| files(&dir.join(name)));
    let mut said = files.map(|file| said_first(&file));
    said.find(|settings| !settings.is_empty())
        .unwrap_or_default()
}

/// The settings that the beginning of an event file says.
pub fn said_first(path: &Path) -> Map<String, Value> {
    let bytes = read::beginning(path, FIRST_SETTINGS_WITHIN).unwrap_or_default();
    let mut said = Beside::default();
    Records::default().push(&bytes, &mut |event| {
        values(event).for_each(|value| said.see_settings(value));
    });
    said.settings
}

/// What events say beside their scalars.
#[derive(Debug, Clone, Default)]
struct Beside {
    /// When the first and the latest event were written, in seconds since 1970.
    times: Option<(f64, f64)>,
    settings: Map<String, Value>,
}

impl Beside {
    fn see_time(&mut self, event: &[u8]) {
        self.note_time(Fields::get(event, 1).and_then(Field::double));
    }

    fn note_time(&mut self, time: Option<f64>) {
        if let Some(time) = time.filter(|time| time.is_finite()) {
            let (first, last) = self.times.unwrap_or((time, time));
            self.times = Some((first, last.max(time)));
        }
    }

    fn see_settings(&mut self, value: &[u8]) {
        if self.settings.is_empty() {
            self.settings = said_settings(value).unwrap_or_default();
        }
    }

    fn facts(&self, dir: &Path) -> Facts {
        let known = [settings::beside(dir), self.settings.clone()].into_iter();
        let mut known = known.filter(|config| !config.is_empty());
        self.facts_with(known.next().unwrap_or_else(|| of_hparams(dir)))
    }

    fn facts_with(&self, config: Map<String, Value>) -> Facts {
        let time = |seconds: f64| Timestamp::from_millisecond((seconds * 1e3) as i64).ok();
        let took = self.times.map(|(first, last)| last - first);
        Facts {
            started_at: self.times.and_then(|(first, _)| time(first)),
            duration: took.and_then(|took| Duration::try_from_secs_f64(took).ok()),
            ..settings::facts(config)
        }
    }
}

/// The values of an event's summary.
fn values(event: &[u8]) -> impl Iterator<Item = &[u8]> {
    let summary = Fields::get(event, 5)
        .and_then(Field::bytes)
        .unwrap_or_default();
    values_of(summary)
}

fn values_of(summary: &[u8]) -> impl Iterator<Item = &[u8]> {
    let values = Fields::of(summary).filter(|(number, _)| *number == 1);
    values.filter_map(|(_, value)| value.bytes())
}

/// What a value says of a plug-in: its name and content.
fn plugin(value: &[u8]) -> Option<(&str, &[u8])> {
    let metadata = Fields::get(value, 9)?.bytes()?;
    let plugin = Fields::get(metadata, 1)?.bytes()?;
    let name = Fields::get(plugin, 1)?.text()?;
    let content = Fields::get(plugin, 2).and_then(Field::bytes);
    Some((name, content.unwrap_or_default()))
}

/// The settings in a value: hyperparameters, or the text that Hugging Face writes.
fn said_settings(value: &[u8]) -> Option<Map<String, Value>> {
    let (name, content) = plugin(value)?;
    match name {
        "hparams" => {
            let start = Fields::get(content, 3)?.bytes()?;
            let entries = Fields::of(start).filter(|(number, _)| *number == 1);
            let entries = entries.filter_map(|(_, entry)| {
                let entry = entry.bytes()?;
                let key = Fields::get(entry, 1)?.text()?;
                let value = Fields::get(entry, 2)?.bytes()?;
                Some((key.to_owned(), any_value(value)))
            });
            let map: Map<String, Value> = entries.collect();
            (!map.is_empty()).then_some(map)
        }
        "text" => {
            let tag = Fields::get(value, 1)?.text()?;
            let is_settings = tag.starts_with("args") || tag.starts_with("hparams");
            let tensor = Fields::get(value, 8)?.bytes()?;
            let text = Fields::get(tensor, 8)?.text().filter(|_| is_settings)?;
            // In Markdown each line of the JSON is indented.
            let map = json::object(text.as_bytes());
            (!map.is_empty()).then_some(map)
        }
        _ => None,
    }
}

/// A `google.protobuf.Value`.
fn any_value(value: &[u8]) -> Value {
    match Fields::of(value).next() {
        Some((2, field)) => field.double().map_or(Value::Null, Value::from),
        Some((3, field)) => field.text().map_or(Value::Null, Value::from),
        Some((4, field)) => Value::Bool(field.whole() == Some(1)),
        _ => Value::Null,
    }
}

/// Cuts bytes into records.
#[derive(Debug, Default)]
struct Records {
    is_damaged: bool,
}

impl Records {
    /// Hands over each whole record, and says how many bytes these took; large ones are passed
    /// over.
    fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(&[u8])) -> u64 {
        let mut at = 0_usize;
        while let Some(header) = bytes.get(at..at + 12) {
            let (length, check) = header.split_at(8);
            if masked_crc(length) != u32::from_le_bytes(check.try_into().expect("four bytes")) {
                self.is_damaged = true;
                return bytes.len() as u64;
            }
            let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
            let end = (at as u64).saturating_add(length).saturating_add(16);
            if length > LARGEST_EVENT {
                if end >= bytes.len() as u64 {
                    return end;
                }
                at = end as usize;
                continue;
            }
            let (from, to) = (at + 12, at + 12 + length as usize);
            if to + 4 > bytes.len() {
                break;
            }
            each(&bytes[from..to]);
            at = to + 4;
        }
        at as u64
    }
}

/// CRC32-C of each byte.
const CHECKSUMS: [u32; 256] = {
    let mut checksums = [0; 256];
    let mut byte = 0;
    while byte < checksums.len() {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
            bit += 1;
        }
        checksums[byte] = crc;
        byte += 1;
    }
    checksums
};

/// CRC32-C of a record's length, as TFRecord masks it.
fn masked_crc(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (crc >> 8) ^ CHECKSUMS[usize::from(crc as u8 ^ byte)]
    });
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Reads events.
#[derive(Debug, Default)]
struct Events {
    records: Records,
    file: u32,
    beside: Beside,
    tags: HashMap<String, Tag, RandomState>,
    last_step: Option<i64>,
    rows: usize,
    /// Whether damage was reported.
    is_reported: bool,
    /// Whether it was noted where this file goes on from an earlier one.
    has_seam: bool,
}

/// Where a tag is.
#[derive(Debug, Clone, Copy)]
struct Tag {
    file: u32,
    step: i64,
    /// What is added to its steps: they began anew within one file, as those of each epoch may.
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
            points.complain(u64::from(self.file), what);
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
            // A start that goes on behind all there is. One that goes back replaces what its own
            // tags have: several programs may write into one folder, each its own tags.
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

    /// Where the last value of all tags stands.
    fn furthest(&self) -> Option<i64> {
        let places = self
            .tags
            .values()
            .map(|tag| tag.step.saturating_add(tag.base));
        places.max()
    }

    /// Where a value of a tag stands, and where its last one does in an earlier file, if this is
    /// the first in this one. Another file is another start, whose values replace those from its
    /// steps on.
    fn place(&mut self, tag: &str, step: i64) -> (i64, Option<i64>) {
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

/// The tag and the number of a value, if it is a scalar.
fn scalar(value: &[u8]) -> Option<(&str, f64)> {
    let mut tag = None;
    let mut number = None;
    let mut tensor = None;
    let mut metadata = None;
    for (field, content) in Fields::of(value) {
        match field {
            1 => tag = content.text(),
            2 => number = content.float().map(shortest),
            8 => tensor = content.bytes(),
            9 => metadata = content.bytes(),
            _ => {}
        }
    }
    if number.is_none() {
        let is_scalar =
            metadata.is_none() || plugin(value).is_some_and(|(name, _)| name == "scalars");
        number = tensor.filter(|_| is_scalar).and_then(single);
    }
    Some((tag?, number?))
}

/// The number of a tensor that holds one.
fn single(tensor: &[u8]) -> Option<f64> {
    let dtype = Fields::get(tensor, 1)?.whole()?;
    let mut number = None;
    for (field, content) in Fields::of(tensor) {
        let found = match (field, content) {
            (4, Field::Bytes(bytes)) => match (dtype, bytes.len()) {
                (1, 4) => Some(shortest(f32::from_le_bytes(bytes.try_into().ok()?))),
                (2, 8) => Some(f64::from_le_bytes(bytes.try_into().ok()?)),
                (3, 4) => Some(f64::from(i32::from_le_bytes(bytes.try_into().ok()?))),
                (9, 8) => Some(i64::from_le_bytes(bytes.try_into().ok()?) as f64),
                _ => return None,
            },
            (5, Field::Fixed32(bits)) => Some(shortest(f32::from_bits(bits))),
            (5, Field::Bytes(bytes)) if bytes.len() == 4 => {
                Some(shortest(f32::from_le_bytes(bytes.try_into().ok()?)))
            }
            (6, Field::Fixed64(bits)) => Some(f64::from_bits(bits)),
            (6, Field::Bytes(bytes)) if bytes.len() == 8 => {
                Some(f64::from_le_bytes(bytes.try_into().ok()?))
            }
            (7 | 10, Field::Varint(number)) => Some(number as i64 as f64),
            _ => None,
        };
        number = number.or(found);
    }
    number
}

/// Powers of ten that a double has exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// A float as the shortest decimal that reads back as it: 0.1 and not 0.10000000149.
fn shortest(value: f32) -> f64 {
    let exact = f64::from(value);
    let size = exact.abs();
    // Within these, a power of ten and the digits as a whole number are exact.
    if !(1e-10..1e10).contains(&size) {
        return if size == 0.0 || !exact.is_finite() {
            exact
        } else {
            value.to_string().parse().unwrap_or(exact)
        };
    }
    let whole_digits = size.log10().floor() as i32 + 1;
    for digits in 6..=9 {
        let scale = TENS[(digits - whole_digits).unsigned_abs() as usize];
        let rounded = if digits >= whole_digits {
            (exact * scale).round() / scale
        } else {
            (exact / scale).round() * scale
        };
        if rounded as f32 == value {
            return rounded;
        }
    }
    exact
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A field of bytes.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | 2, bytes.len() as u8];
        field.extend(bytes);
        field
    }

    fn record(event: &[u8]) -> Vec<u8> {
        let length = (event.len() as u64).to_le_bytes();
        let mut record = length.to_vec();
        record.extend(masked_crc(&length).to_le_bytes());
        record.extend(event);
        record.extend([0; 4]);
        record
    }

    fn event(step: u8, tag: &str, value: f32) -> Vec<u8> {
        let mut content = field(1, tag.as_bytes());
        content.push(2 << 3 | 5);
        content.extend(value.to_le_bytes());
        let mut event = vec![1 << 3 | 1];
        event.extend(1.5e9_f64.to_le_bytes());
        event.extend([2 << 3, step]);
        event.extend(field(5, &field(1, &content)));
        record(&event)
    }

    fn tensor_event(step: u8, tag: &str, value: f32) -> Vec<u8> {
        let mut tensor = vec![1 << 3, 1];
        tensor.extend(field(4, &value.to_le_bytes()));
        let metadata = field(1, &field(1, b"scalars"));
        let content = [
            field(1, tag.as_bytes()),
            field(9, &metadata),
            field(8, &tensor),
        ]
        .concat();
        record(&[vec![2 << 3, step], field(5, &field(1, &content))].concat())
    }

    fn read(bytes: &[u8]) -> (Points, u64) {
        let (mut events, mut points) = (Events::default(), Points::new("step"));
        events.begin_file(&mut points);
        let done = events.push(bytes, false, &mut points);
        (points, done)
    }

    #[test]
    fn scalars_are_read_from_both_forms_and_a_record_that_is_cut_off_is_waited_for() {
        let whole = [
            event(1, "loss", 0.1),
            tensor_event(1, "acc", 0.5),
            event(2, "loss", f32::NAN),
        ]
        .concat();
        let bytes = [&whole[..], &event(3, "loss", 1.0)[..20]].concat();
        let (points, done) = read(&bytes);
        assert_eq!(done as usize, whole.len());
        let loss = points.metrics().column("loss").unwrap();
        assert_eq!((loss.x.as_slice(), loss.y[0]), (&[1.0, 2.0][..], 0.1));
        assert!(loss.y[1].is_nan());
        assert_eq!(points.metrics().column("acc").unwrap().y, [0.5]);
        assert_eq!(points.metrics().rows, 2);
    }

    #[test]
    fn steps_that_begin_anew_in_one_file_are_kept_and_those_of_another_start_replace() {
        let (mut events, mut points) = (Events::default(), Points::new("step"));
        events.begin_file(&mut points);
        let bytes = [
            event(0, "a", 3.0),
            event(1, "a", 2.0),
            event(0, "a", 1.0),
            event(1, "a", 0.5),
        ]
        .concat();
        events.push(&bytes, false, &mut points);
        assert_eq!(
            points.metrics().column("a").unwrap().x,
            [0.0, 1.0, 2.0, 3.0]
        );
        events.begin_file(&mut points);
        events.push(&event(2, "a", 9.0), false, &mut points);
        let column = points.metrics().column("a").unwrap();
        assert_eq!(
            (&column.x[..], &column.y[..]),
            (&[0.0, 1.0, 2.0][..], &[3.0, 2.0, 9.0][..])
        );
    }

    #[test]
    fn another_start_is_a_seam_and_another_writer_is_none() {
        let (mut events, mut points) = (Events::default(), Points::new("step"));
        let mut file = |of: &[Vec<u8>]| {
            events.begin_file(&mut points);
            events.push(&of.concat(), false, &mut points);
            points.metrics().clone()
        };
        file(&[event(1, "a", 3.0), event(2, "a", 2.0), event(2, "b", 2.0)]);
        // Two writers in one folder; then what Hugging Face measures at the end.
        file(&[event(1, "c", 3.0), event(2, "c", 3.0)]);
        let metrics = file(&[event(2, "b", 2.0)]);
        assert!(metrics.seams.is_empty());
        assert_eq!(metrics.column("a").unwrap().x, [1.0, 2.0]);
        let metrics = file(&[event(3, "a", 1.0), event(3, "b", 1.0)]);
        assert_eq!(metrics.seams, [3.0]);
        // What goes back is replaced for its own tags: another program may have written the others.
        let metrics = file(&[event(2, "a", 1.0)]);
        assert_eq!(metrics.seams, [3.0]);
        assert_eq!(metrics.column("a").unwrap().x, [1.0, 2.0]);
        assert_eq!(metrics.column("b").unwrap().x, [2.0, 3.0]);
    }

    #[test]
    fn curves_that_were_added_to_one_tag_are_columns_of_their_run() {
        let folder = tempfile::tempdir().unwrap();
        let file = |below: &str, events: &[Vec<u8>]| {
            let path = folder.path().join(below);
            std::fs::create_dir_all(&path).unwrap();
            let path = path.join("events.out.tfevents.1.host.1.0");
            std::fs::write(path, events.concat()).unwrap();
        };
        file("", &[event(1, "lr", 0.5), event(2, "lr", 0.25)]);
        file("a_Loss_train", &[event(1, "a/Loss", 3.0)]);
        file("a_Loss_val", &[event(2, "a/Loss", 2.0)]);
        file("another_run", &[event(1, "a/Loss", 9.0)]);
        let listing = Listing::read(folder.path()).unwrap();
        let parts = TensorBoard.find(&listing).unwrap();
        assert!(!parts.folders.contains(&"another_run".to_owned()));
        let mut source = TensorBoard.open(folder.path(), &parts);
        source.poll().unwrap();
        let columns = source.metrics().columns.iter();
        let mut columns: Vec<_> = columns.map(|it| (it.name.as_str(), it.x.clone())).collect();
        columns.sort_by_key(|(name, _)| *name);
        let expected = [
            ("a/Loss/train", vec![1.0]),
            ("a/Loss/val", vec![2.0]),
            ("lr", vec![1.0, 2.0]),
        ];
        assert_eq!(columns, expected);
    }

    #[test]
    fn settings_and_times_come_with_the_scalars() {
        let entry = [
            field(1, b"lr"),
            field(2, &[&[2 << 3 | 1][..], &0.5_f64.to_le_bytes()].concat()),
        ]
        .concat();
        let start = field(3, &field(1, &entry));
        let metadata = field(1, &[field(1, b"hparams"), field(2, &start)].concat());
        let value = [
            field(1, b"_hparams_/session_start_info"),
            field(9, &metadata),
        ]
        .concat();
        let mut first = vec![1 << 3 | 1];
        first.extend(1.4e9_f64.to_le_bytes());
        first.extend(field(5, &field(1, &value)));
        let bytes = [record(&first), event(1, "loss", 0.5)].concat();
        let (mut events, mut points) = (Events::default(), Points::new("step"));
        events.begin_file(&mut points);
        events.push(&bytes, false, &mut points);
        let folder = tempfile::tempdir().unwrap();
        let facts = events.facts(folder.path()).unwrap();
        assert_eq!(facts.config["lr"], 0.5);
        assert_eq!(facts.started_at.unwrap().as_second(), 1_400_000_000);
        assert_eq!(facts.duration, Some(Duration::from_secs(100_000_000)));
    }

    #[test]
    fn settings_of_add_hparams_lie_in_a_folder_of_their_own() {
        let entry = [
            field(1, b"lr"),
            field(2, &[&[2 << 3 | 1][..], &0.5_f64.to_le_bytes()].concat()),
        ];
        let start = field(3, &field(1, &entry.concat()));
        let metadata = field(1, &[field(1, b"hparams"), field(2, &start)].concat());
        let value = field(9, &metadata);
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("1790000040.5");
        std::fs::create_dir(&inner).unwrap();
        let file = inner.join("events.out.tfevents.1790000040.host.1.1");
        std::fs::write(file, record(&field(5, &field(1, &value)))).unwrap();
        assert_eq!(facts(folder.path(), &[]).config["lr"], 0.5);
    }

    #[test]
    fn values_without_a_step_are_counted() {
        let bytes: Vec<u8> = [3.0, 2.0, 1.0]
            .iter()
            .flat_map(|value| event(0, "a", *value))
            .collect();
        let (points, _) = read(&bytes);
        assert_eq!(points.metrics().column("a").unwrap().x, [0.0, 1.0, 2.0]);
    }

    #[test]
    fn steps_and_lengths_without_end_end_nothing() {
        let (mut events, mut points) = (Events::default(), Points::new("step"));
        events.begin_file(&mut points);
        assert_eq!(events.place("a", i64::MAX), (i64::MAX, None));
        assert_eq!(events.place("a", 0), (i64::MAX, None));
        let length = u64::MAX.to_le_bytes();
        let bytes = [&length[..], &masked_crc(&length).to_le_bytes()].concat();
        assert_eq!(events.push(&bytes, false, &mut points), u64::MAX);
    }

    #[test]
    fn damage_is_reported_once() {
        let mut bytes = [event(1, "a", 1.0), event(2, "a", 2.0)].concat();
        let second = event(1, "a", 1.0).len();
        bytes[second] ^= 1;
        let (points, done) = read(&bytes);
        assert_eq!(
            (points.metrics().rows, points.metrics().problem_count),
            (1, 1)
        );
        assert_eq!(done as usize, bytes.len());
    }

    #[test]
    fn the_check_of_a_length_is_that_of_the_description() {
        // CRC32-C of "123456789" is 0xe3069283.
        assert_eq!(
            masked_crc(b"123456789"),
            0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8)
        );
    }

    proptest! {
        #[test]
        fn the_shortest_decimal_reads_back(bits in any::<u32>()) {
            let value = f32::from_bits(bits);
            let text: f64 = value.to_string().parse().unwrap();
            let short = shortest(value);
            prop_assert!(short == text || value.is_nan(), "{value}: {short} and not {text}");
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let whole = [event(1, "loss", 0.1), bytes].concat();
            let (points, _) = read(&whole);
            prop_assert!(points.metrics().rows >= 1);
        }
    }
}
