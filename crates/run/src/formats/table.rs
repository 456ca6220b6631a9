//! Tables of one row an epoch or step, as CSV files under the usual names: Lightning, Ultralytics
//! and YOLOv5, timm, Keras, fastai, Stable-Baselines3, Spinning Up, and scripts written by hand.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::splits::Splits;
use super::{
    Facts, Format, Listing, RunParts, Source, monitored, settings, split_tables, ultralytics,
};
use crate::judging::TrainerMetric;
use crate::metric_names::{self, Direction, Split};
use crate::metrics::names::folded;
use crate::metrics::{self, Metrics, Tail};
use traintop_disk::read;

/// Names of tables of metrics without their endings, folded, the likeliest first, and whether their
/// rows may be counted where nothing places them: others may be results, or data.
const NAMES: [(&str, bool); 23] = [
    ("metrics", true),
    ("results", false),
    ("summary", false),
    ("history", true),
    ("traininghistory", true),
    ("trainhistory", true),
    ("traininglog", true),
    ("trainlog", true),
    ("training", true),
    ("trainingmetrics", true),
    ("trainmetrics", true),
    ("progress", false),
    ("epochlog", true),
    ("metricslog", false),
    ("metriclog", false),
    ("log", true),
    ("logs", false),
    ("loss", false),
    ("losses", false),
    ("losslog", true),
    ("stats", false),
    ("scores", false),
    ("monitor", false),
];

/// The index of a name in [`NAMES`].
fn place_of(name: &str) -> Option<usize> {
    let name = folded(name);
    NAMES.iter().position(|(known, _)| *known == name)
}

pub const ENDINGS: [&str; 6] = ["csv", "tsv", "csv.gz", "tsv.gz", "txt", "log"];

/// Bytes of a file that are read to see whether it has a run's metrics or a table of results.
const PEEKED: u64 = 16 << 10;
/// Lines that are read for it; each search reads the beginning of every table.
const PEEKED_LINES: usize = 12;

/// Folders of a run that hold no other run.
const FOLDERS: [&str; 5] = ["checkpoints", "weights", "ckpt", "ckpts", "evaluations"];

/// Folders in which a run's metrics may lie, one folder for each start: `csv/version_0`.
const LOGGERS: [&str; 3] = ["csv", "csv_logs", "lightning_logs"];

/// Trainers of which more is known than what their tables say.
const LIGHTNING: &str = "Lightning";
const ULTRALYTICS: &str = "Ultralytics";
const TIMM: &str = "timm";
const YOLOV5: &str = "YOLOv5";
const STABLE_BASELINES3: &str = "Stable-Baselines3";

/// What `best.pt` is chosen by, nearly alone.
pub const YOLO_METRIC: &str = "metrics/mAP_0.5:0.95";

pub struct Tables;

impl Format for Tables {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        let (paths, unread) = match richest(listing) {
            Some((course, others)) => (course.paths, others),
            None => (vec![below_hydra(listing)?], Vec::new()),
        };
        let trainer = trainer(listing, &paths[0]);
        let mut folders: Vec<&str> = FOLDERS.into();
        if paths[0].parent() != Some(&listing.path) {
            folders.extend(LOGGERS);
        }
        Some(RunParts {
            unread,
            ..RunParts::new(trainer, paths).with_folders(folders)
        })
    }

    fn open(&self, dir: &Path, parts: &RunParts) -> Box<dyn Source> {
        if parts.metrics.len() > 1 {
            let names = parts.metrics.iter().filter_map(|path| file_name(path));
            return Box::new(Splits::new(dir, names, split_tables::naming, |name| {
                Box::new(Tail::open(dir.join(name)))
            }));
        }
        let mut tail = Tail::open(&parts.metrics[0]);
        match parts.trainer {
            TIMM => tail.judge_by(timms_metric, dir),
            LIGHTNING => tail.judge_by(monitored::metric, dir),
            ULTRALYTICS => tail.judge_by(ultralytics::metric, dir),
            YOLOV5 => tail.judge_by(|_| Some(higher(YOLO_METRIC)), dir),
            STABLE_BASELINES3 => tail.judge_by(evaluated_metric, dir),
            _ => {}
        }
        Box::new(tail)
    }

    fn facts(&self, dir: &Path, parts: &RunParts) -> Facts {
        let mut config = settings::beside(dir);
        let beside = parts.metrics[0].parent().filter(|folder| *folder != dir);
        if let Some(folder) = beside.filter(|_| config.is_empty()) {
            config = settings::beside(folder);
        }
        let is_ultralytics = parts.trainer == ULTRALYTICS;
        Facts {
            state: is_ultralytics
                .then(|| ultralytics::state(&config, &parts.metrics[0]))
                .flatten(),
            counts_from_zero: parts.trainer == LIGHTNING,
            elapsed: is_ultralytics.then_some("time"),
            ..settings::facts(config)
        }
    }
}

/// A metric of which more is better, as the trainer itself has it.
pub fn higher(metric: &str) -> TrainerMetric {
    TrainerMetric {
        metric: metric.to_owned(),
        direction: Some(Direction::Higher),
    }
}

/// By what the best model is chosen where evaluations keep one.
fn evaluated_metric(dir: &Path) -> Option<TrainerMetric> {
    let has_best = dir.join("best_model.zip").is_file();
    has_best.then(|| higher("eval/mean_reward"))
}

/// By which metric timm keeps the best checkpoints.
fn timms_metric(dir: &Path) -> Option<TrainerMetric> {
    let settings = settings::beside(dir);
    let metric = settings.get("eval_metric")?.as_str()?;
    Some(TrainerMetric {
        metric: format!("eval_{metric}"),
        direction: None,
    })
}

/// The files of a folder that may be a run's course, the likeliest first.
fn candidates(listing: &Listing) -> Vec<PathBuf> {
    let mut found: Vec<((usize, usize), &String)> = Vec::new();
    for file in &listing.files {
        let Some((name, ending)) = file.split_once('.') else {
            continue;
        };
        let mut endings = ENDINGS.iter();
        let Some(ending) = endings.position(|known| known.eq_ignore_ascii_case(ending)) else {
            continue;
        };
        if let Some(name) = place_of(name) {
            found.push(((name, ending), file));
        }
    }
    found.sort_unstable();
    found
        .into_iter()
        .map(|(_, file)| listing.path.join(file))
        .collect()
}

/// The metrics of the last start of a run that Hydra made the folder of.
fn below_hydra(listing: &Listing) -> Option<PathBuf> {
    if !listing.has_folder(".hydra") {
        return None;
    }
    let logger = LOGGERS.iter().find(|name| listing.has_folder(name))?;
    let versions = Listing::read(&listing.path.join(logger)).ok()?;
    let number = |name: &String| name.strip_prefix("version_")?.parse::<u32>().ok();
    let last = versions
        .folders
        .iter()
        .filter(|name| number(name).is_some());
    let path = versions
        .path
        .join(last.max_by_key(|name| number(name))?)
        .join("metrics.csv");
    path.is_file().then_some(path)
}

/// The table that says most of a run, one with values of validation first, and the names of the
/// others: one of each step's loss may lie beside that of the epochs.
fn richest(listing: &Listing) -> Option<(Course, Vec<String>)> {
    let alone = candidates(listing);
    let alone = alone.iter().filter_map(|path| Course::find(path));
    let (together, again) = split_tables::find(listing).unzip();
    let mut courses: Vec<Course> = together.into_iter().chain(alone).collect();
    // What is a part of several is not another.
    let parts = courses.first()?.paths.clone();
    if parts.len() > 1 {
        courses.retain(|course| course.paths.len() > 1 || !parts.contains(&course.paths[0]));
    }
    // The first of equals: the order of names is by likelihood.
    let best = (0..courses.len()).rev().max_by_key(|at| {
        let course = &courses[*at];
        (course.has_validation, course.names.len())
    })?;
    let course = courses.remove(best);
    courses.extend(again.into_iter().flatten());
    let others = courses.iter().flat_map(|course| &course.paths);
    let others = others.filter_map(|path| file_name(path)).map(str::to_owned);
    let others = others.collect();
    Some((course, others))
}

fn file_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// What the first lines of a table say of a run's course.
#[derive(Debug, Default)]
pub struct Course {
    pub paths: Vec<PathBuf>,
    pub x_name: String,
    /// Names of its columns.
    pub names: Vec<String>,
    /// Whether it has anything that was measured on data of validation or test.
    pub has_validation: bool,
}

impl Course {
    /// A file that holds the metrics of a run. A table of results has a row for each model or run:
    /// no column places its rows, and a text column distinguishes them.
    fn find(path: &Path) -> Option<Self> {
        let is_metrics = path.file_name().is_some_and(|name| name == "metrics.csv");
        let Some((metrics, lines)) = beginning(path) else {
            // The run is there, and says that its metrics cannot be read.
            return is_metrics.then(|| Self {
                paths: vec![path.to_owned()],
                ..Self::default()
            });
        };
        let is_placed = metrics.x_name != metrics::BY_ROW;
        let is_of_results = is_table_of_results(&metrics, &lines);
        let course = Self::of(path, &metrics, &lines);
        if is_metrics {
            return (!is_of_results).then_some(course);
        }
        let name = file_name(path).unwrap_or_default();
        let name = place_of(name.split('.').next().unwrap_or_default());
        let may_count_rows = name.is_some_and(|at| NAMES[at].1);
        let has_numbers = metrics.columns.len() > usize::from(is_placed);
        // With nothing but a date, it is data of any kind unless something in it is judged.
        let is_dated = metrics::is_placed_by_date(&metrics.x_name);
        let columns = metrics.columns.iter().map(|column| &column.name);
        if is_dated && !columns.into_iter().any(|name| is_judged(name)) {
            return None;
        }
        let is_read = metrics.problem_count <= metrics.rows / 2;
        let is_counted = may_count_rows && metrics.rows > 1 && metrics.text_columns.is_empty();
        let is_course = is_placed || is_counted;
        let has_values = has_numbers || metrics.rows == 0 && is_placed;
        (is_read && !is_of_results && is_course && has_values).then_some(course)
    }

    /// A file of any name that may be one of several tables of a run: of numbers alone.
    pub fn look(path: &Path) -> Option<Self> {
        let (metrics, lines) = beginning(path)?;
        let is_read = metrics.problem_count == 0 && metrics.text_columns.is_empty();
        is_read.then(|| Self::of(path, &metrics, &lines))
    }

    fn of(path: &Path, metrics: &Metrics, lines: &[u8]) -> Self {
        // Also before there is a row, and where what is rare comes late.
        let text = String::from_utf8_lossy(lines);
        let header = text.lines().next().unwrap_or_default();
        let header = header.split([',', ';', '\t']);
        let cells = header.map(|cell| cell.trim_matches(['"', ' ', '\u{feff}']));
        let columns = metrics.columns.iter().map(|column| column.name.as_str());
        let mut names: Vec<String> = columns
            .chain(cells)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        names.sort_unstable();
        names.dedup();
        let is_of_validation = |name: &String| {
            let split = metric_names::read(name).split;
            matches!(split, Some(Split::Validation | Split::Test))
        };
        Self {
            paths: vec![path.to_owned()],
            x_name: metrics.x_name.clone(),
            has_validation: names.iter().any(is_of_validation),
            names,
        }
    }

    /// Whether a column that counts places its rows, and there are others.
    pub fn is_placed_by_count(&self) -> bool {
        metrics::only_places(&self.x_name) && self.names.len() > 1
    }

    /// Whether it has a metric by which a run can be judged.
    pub fn is_judged(&self) -> bool {
        self.names.iter().any(|name| is_judged(name))
    }
}

fn is_judged(name: &str) -> bool {
    metric_names::read(name).kind.is_judged()
}

/// The first lines of a table, and what they say.
fn beginning(path: &Path) -> Option<(Metrics, Vec<u8>)> {
    let bytes = read::beginning(path, PEEKED).ok()?;
    let mut lines = plain(unpacked(path, bytes));
    let end = memchr::memchr_iter(b'\n', &lines).take(PEEKED_LINES).last();
    lines.truncate(end.map_or(lines.len(), |end| end + 1));
    Some((metrics::of_text(&lines), lines))
}

/// The beginning of what a packed file holds, of which the end is cut off; others as they are.
fn unpacked(path: &Path, bytes: Vec<u8>) -> Vec<u8> {
    if path.extension().is_none_or(|ending| ending != "gz") {
        return bytes;
    }
    let mut unpacked = Vec::new();
    // What came before an error is there.
    let _ = MultiGzDecoder::new(&bytes[..])
        .take(PEEKED)
        .read_to_end(&mut unpacked);
    unpacked
}

/// The text as UTF-8 with line feeds: Excel writes UTF-16, old programs carriage returns alone.
fn plain(bytes: Vec<u8>) -> Vec<u8> {
    let units = |of: fn([u8; 2]) -> u16| {
        let pairs = bytes.chunks_exact(2);
        let units: Vec<u16> = pairs.map(|pair| of([pair[0], pair[1]])).collect();
        let text = String::from_utf16_lossy(&units);
        text.trim_start_matches('\u{feff}').as_bytes().to_vec()
    };
    let mut plain = match &bytes[..] {
        [0xff, 0xfe, ..] | [1..=255, 0, 1..=255, 0, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] | [0, 1..=255, 0, 1..=255, ..] => units(u16::from_be_bytes),
        _ => bytes,
    };
    if memchr::memchr(b'\n', &plain).is_none() {
        for byte in &mut plain {
            if *byte == b'\r' {
                *byte = b'\n';
            }
        }
    }
    plain
}

fn is_table_of_results(metrics: &Metrics, lines: &[u8]) -> bool {
    if metrics.rows == 0 || metrics.text_columns.is_empty() {
        return false;
    }
    let is_placed = metrics.x_name != metrics::BY_ROW;
    let rises = metrics.seams.is_empty() && metrics.repeated.is_empty();
    // A run that was resumed has epochs twice, and its rows begin with them; those of models begin
    // with a name.
    let text = String::from_utf8_lossy(lines);
    let row = text.lines().nth(1).unwrap_or_default();
    let first = row
        .split([',', ';', '\t'])
        .next()
        .unwrap_or_default()
        .trim();
    let begins_with_name = !first.is_empty() && metrics::number_of_text(first).is_none();
    !is_placed || !rises && begins_with_name
}

/// Who wrote it, by what lies beside it.
fn trainer(listing: &Listing, path: &Path) -> &'static str {
    let file = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let folder = listing
        .path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    match file {
        "metrics.csv"
            if listing.has_file("hparams.yaml")
                || folder.starts_with("version_")
                || path.parent() != Some(&listing.path) =>
        {
            LIGHTNING
        }
        "results.csv" if listing.has_file("args.yaml") => ULTRALYTICS,
        "results.csv" if listing.has_file("opt.yaml") => YOLOV5,
        "summary.csv" if listing.has_file("args.yaml") => TIMM,
        "progress.txt" => "Spinning Up",
        "progress.csv" if listing.has_file("params.json") => "RLlib",
        "progress.csv" => STABLE_BASELINES3,
        _ => "CSV",
    }
}
