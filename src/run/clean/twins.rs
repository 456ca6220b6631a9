//! Exact duplicates. Files of one length are told apart by a few of their bytes; what is left is compared from end to end, so that
//! no hash decides about a removal.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::survey::{Role, Survey, Surveyed, Weights};
use crate::run::layout::RunDir;

/// Bytes that are looked at in the middle and at the end of a file: headers are often alike, numbers never are.
const SAMPLE: usize = 4096;

/// What is the same as what.
#[derive(Debug, Clone, Default)]
pub struct Twins {
    /// Files, each with one of the same content that stays.
    pub files: HashMap<PathBuf, PathBuf>,
    /// Runs by their number, each with one of the same configuration, metrics and best model that stays.
    pub runs: HashMap<usize, usize>,
}

/// Whether two files have the same content.
pub fn is_same_content(a: &Path, b: &Path) -> bool {
    let compare = || -> io::Result<bool> {
        let (a, b) = (File::open(a)?, File::open(b)?);
        if a.metadata()?.len() != b.metadata()?.len() {
            return Ok(false);
        }
        let mut a = BufReader::with_capacity(1 << 18, a);
        let mut b = BufReader::with_capacity(1 << 18, b);
        loop {
            let (left, right) = (a.fill_buf()?, b.fill_buf()?);
            let count = left.len().min(right.len());
            if left[..count] != right[..count] {
                return Ok(false);
            }
            if count == 0 {
                return Ok(left.len() == right.len());
            }
            a.consume(count);
            b.consume(count);
        }
    };
    compare().unwrap_or(false)
}

/// A few bytes of a file, hashed; `None` if they cannot be read.
fn sample(path: &Path, length: u64) -> Option<u64> {
    let file = File::open(path).ok()?;
    let mut buffer = [0; SAMPLE];
    let mut hasher = DefaultHasher::new();
    let last = length.saturating_sub(SAMPLE as u64);
    for at in [last / 2, last] {
        let wanted = SAMPLE.min(length as usize);
        file.read_exact_at(&mut buffer[..wanted], at).ok()?;
        buffer[..wanted].hash(&mut hasher);
    }
    Some(hasher.finish())
}

/// Finds files among `staying` that another of them equals. Which of them stays goes by their part: the best before all, then those of
/// earlier runs. Best and last ones are never told to be duplicates: they have their place.
pub fn files<'a>(staying: impl Iterator<Item = &'a Weights>) -> HashMap<PathBuf, PathBuf> {
    let mut by_length: HashMap<u64, Vec<&Weights>> = HashMap::new();
    for weights in staying.filter(|weights| weights.look.length > 0) {
        by_length
            .entry(weights.look.length)
            .or_default()
            .push(weights);
    }
    let mut twins = HashMap::new();
    let many = by_length.into_iter().filter(|(_, alike)| alike.len() > 1);
    for (length, alike) in many {
        let mut by_sample: HashMap<u64, Vec<&Weights>> = HashMap::new();
        for weights in alike {
            if let Some(sample) = sample(&weights.path, length) {
                by_sample.entry(sample).or_default().push(weights);
            }
        }
        for mut alike in by_sample.into_values() {
            alike.sort_by(|a, b| (a.role, &a.path).cmp(&(b.role, &b.path)));
            let mut kept: Vec<&Weights> = Vec::new();
            for weights in alike {
                let has_place = matches!(weights.role, Role::Best | Role::Last);
                let twin = kept
                    .iter()
                    .filter(|_| !has_place)
                    .find(|kept| is_same_content(&kept.path, &weights.path));
                match twin {
                    Some(twin) => drop(twins.insert(weights.path.clone(), twin.path.clone())),
                    None => kept.push(weights),
                }
            }
        }
    }
    twins
}

/// Finds runs with the configuration and the metrics of another, byte by byte, whose best model, if they have one, the other has too.
/// The one that `is_first` prefers stays.
pub fn runs(survey: &Survey, is_first: impl Fn(&Surveyed) -> bool) -> HashMap<usize, usize> {
    let length = |path: PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
    let mut alike: HashMap<(u64, u64), Vec<usize>> = HashMap::new();
    for (number, run) in survey.runs.iter().enumerate() {
        let lengths = (length(run.dir.config_json()), length(run.dir.metrics_csv()));
        if lengths.0 > 0 && lengths.1 > 0 {
            alike.entry(lengths).or_default().push(number);
        }
    }
    let is_twin = |a: &Surveyed, b: &Surveyed| {
        let same = |path: fn(&RunDir) -> PathBuf| is_same_content(&path(&a.dir), &path(&b.dir));
        same(RunDir::config_json) && same(RunDir::metrics_csv) && has_all_of(a, b)
    };
    let mut twins = HashMap::new();
    for mut numbers in alike.into_values().filter(|numbers| numbers.len() > 1) {
        numbers.sort_by_key(|number| {
            let run = &survey.runs[*number];
            (
                !is_first(run),
                std::cmp::Reverse(run.weights.len()),
                run.modified_at,
                run.dir.clone(),
            )
        });
        let mut kept: Vec<usize> = Vec::new();
        for number in numbers {
            let run = &survey.runs[number];
            match kept.iter().find(|kept| is_twin(&survey.runs[**kept], run)) {
                Some(twin) if !is_first(run) => drop(twins.insert(number, *twin)),
                _ => kept.push(number),
            }
        }
    }
    twins
}

/// Whether run `a` has every file of weights that `b` has, with the same content.
fn has_all_of(a: &Surveyed, b: &Surveyed) -> bool {
    b.weights.iter().all(|weights| {
        let below = weights.path.strip_prefix(b.dir.path());
        below.is_ok_and(|below| is_same_content(&a.dir.path().join(below), &weights.path))
    })
}
