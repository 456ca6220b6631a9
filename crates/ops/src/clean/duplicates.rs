//! Exact duplicates. Files and runs are distinguished by their sizes and a few of their bytes; what
//! is left alike is compared from end to end with the first of its kind, so that no hash decides
//! about a removal, and the work grows with the number of runs and no faster.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::survey::{MARKS, Survey, Surveyed, Weights};
use super::walk::{self, WalkedFile};
use crate::rename::held;
use traintop_disk::FileStat;
use traintop_disk::read;
use traintop_run::layout::RunDir;
use traintop_run::record::Record;

/// Bytes that are sampled in the middle and at the end of a file: headers are often alike, numbers
/// never are.
const SAMPLE: usize = 4096;

/// What is the same as what.
#[derive(Debug, Clone, Default)]
pub struct Duplicates {
    /// Files, each with one of the same content that stays.
    pub files: HashMap<PathBuf, (PathBuf, FileStat)>,
    /// Runs by their number, each with one that holds the same files and stays.
    pub runs: HashMap<usize, usize>,
}

/// Whether two files have the same content.
fn is_same_content(a: &Path, b: &Path) -> bool {
    #[cfg(test)]
    tests::COMPARED.with(|compared| compared.set(compared.get() + 1));
    let compare = || -> io::Result<bool> {
        let (a, b) = (read::open(a)?, read::open(b)?);
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
    let file: File = read::open(path).ok()?;
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

/// Finds periodic checkpoints among `staying`, which come with the numbers of their runs, that are
/// identical to another checkpoint of the same run. Other runs are not compared, since they may be
/// removed. The best one is kept first. Best and last ones never count as duplicates.
pub fn files<'a>(
    staying: impl Iterator<Item = (usize, &'a Weights)>,
) -> HashMap<PathBuf, (PathBuf, FileStat)> {
    let mut by_length: HashMap<(usize, u64), Vec<&Weights>> = HashMap::new();
    for (run, weights) in staying {
        let stat = weights.file().filter(|stat| stat.length > 0);
        if let Some(stat) = stat {
            let alike = by_length.entry((run, stat.length)).or_default();
            alike.push(weights);
        }
    }
    let has_choice = |alike: &[&Weights]| {
        alike.len() > 1 && alike.iter().any(|weights| weights.role.is_periodic())
    };
    let mut duplicates = HashMap::new();
    for ((_, length), alike) in by_length.into_iter().filter(|(_, alike)| has_choice(alike)) {
        let mut by_sample: HashMap<u64, Vec<&Weights>> = HashMap::new();
        for weights in alike {
            if let Some(sample) = sample(&weights.path, length) {
                by_sample.entry(sample).or_default().push(weights);
            }
        }
        for mut alike in by_sample.into_values().filter(|alike| has_choice(alike)) {
            alike.sort_by(|a, b| (a.role, &a.path).cmp(&(b.role, &b.path)));
            let (first, others) = alike.split_first().expect("there are two at least");
            let others = others.iter();
            for weights in others.filter(|weights| weights.role.is_periodic()) {
                if is_same_content(&first.path, &weights.path) {
                    duplicates.insert(weights.path.clone(), first.stats[0].clone());
                }
            }
        }
    }
    duplicates
}

/// Finds runs whose files are all in another run too, byte by byte. The one that `is_first` prefers
/// stays. Runs at work are neither: their files are about to change.
pub fn runs(survey: &Survey, is_first: impl Fn(&Surveyed) -> bool) -> HashMap<usize, usize> {
    let length = |path: PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
    let mut by_length: HashMap<(u64, u64), Vec<usize>> = HashMap::new();
    for (number, run) in survey.runs.iter().enumerate() {
        let may_have_twin = run
            .obstacle
            .as_ref()
            .is_none_or(|obstacle| obstacle.is_replaced_by_copy());
        if !may_have_twin || held(run.state).is_some() {
            continue;
        }
        let lengths = (length(run.dir.config_json()), length(run.dir.metrics_csv()));
        if lengths.0 > 0 && lengths.1 > 0 {
            by_length.entry(lengths).or_default().push(number);
        }
    }
    let mut duplicates = HashMap::new();
    for alike in by_length.into_values().filter(|alike| alike.len() > 1) {
        let mut by_content: HashMap<u64, Vec<usize>> = HashMap::new();
        for number in alike {
            if let Some(digest) = digest(&survey.runs[number].dir) {
                by_content.entry(digest).or_default().push(number);
            }
        }
        for mut alike in by_content.into_values().filter(|alike| alike.len() > 1) {
            alike.sort_by_key(|number| {
                let run = &survey.runs[*number];
                (!is_first(run), run.modified_at, run.dir.clone())
            });
            let (first, others) = alike.split_first().expect("there are two at least");
            for number in others {
                let run = &survey.runs[*number];
                if !is_first(run) && has_all_of(&survey.runs[*first].dir, &run.dir) {
                    duplicates.insert(*number, *first);
                }
            }
        }
    }
    duplicates
}

/// The files of a run but for marks and traintop's own record, which says who it is, below its
/// folder, in order.
fn files_of(dir: &RunDir) -> Vec<WalkedFile> {
    let has_record = matches!(Record::load(dir), Ok(Some(_)));
    let mut files = walk::walk(dir.path(), SystemTime::UNIX_EPOCH).files;
    files.retain(|file| {
        let below = &file.below;
        below != Path::new(MARKS) && !(has_record && dir.path().join(below) == dir.run_json())
    });
    files.sort_by(|a, b| a.below.cmp(&b.below));
    files
}

/// A hash of the names and lengths of a run's files and of a few bytes of each; `None` if one
/// cannot be read.
fn digest(dir: &RunDir) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    for WalkedFile { below, stat, .. } in files_of(dir) {
        (&below, stat.length).hash(&mut hasher);
        if stat.length > 0 {
            sample(&dir.path().join(below), stat.length)?.hash(&mut hasher);
        }
    }
    Some(hasher.finish())
}

/// Whether run `a` has every file that `b` has, with the same content.
fn has_all_of(a: &RunDir, b: &RunDir) -> bool {
    let mut files = files_of(b).into_iter();
    files.all(|file| is_same_content(&a.path().join(&file.below), &b.path().join(&file.below)))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use super::*;
    use crate::clean::survey::survey;
    use crate::clean::tests::held::settle;
    use traintop_run::discover::discover;

    thread_local! {
        /// How many pairs of files this thread has compared.
        pub static COMPARED: Cell<usize> = const { Cell::new(0) };
    }

    #[test]
    fn work_grows_with_the_number_of_runs_that_look_alike() {
        for (count, pairs) in [(20, 1), (60, 3)] {
            let folder = tempfile::tempdir().unwrap();
            for number in 0..count {
                let run = folder.path().join(format!("r{number}"));
                fs::create_dir(&run).unwrap();
                fs::write(run.join("config.json"), "{}").unwrap();
                fs::write(run.join("metrics.csv"), "epoch,val_acc\n1,50\n2,60\n").unwrap();
                // Of the same length; the last of twenty is the same as the one before.
                let of = if number % 20 == 19 {
                    number - 1
                } else {
                    number
                };
                for name in ["best.pt", "last.pt", "epoch_1.pt"] {
                    fs::write(run.join(name), format!("{name:>12} {of:>4}")).unwrap();
                }
            }
            settle(folder.path());
            let mut found = Vec::new();
            discover(&[folder.path().to_owned()], |run| found.push(run));
            let survey = survey(&found, SystemTime::now(), |_| true).unwrap();
            COMPARED.set(0);
            assert_eq!(runs(&survey, |_| false).len(), pairs);
            // Each of a pair's five files once.
            assert_eq!(COMPARED.get(), 5 * pairs);
            COMPARED.set(0);
            let runs = survey.runs.iter().enumerate();
            let weights = runs.flat_map(|(number, run)| {
                let weights = run.weights.iter();
                weights.map(move |weights| (number, weights))
            });
            // No file equals another of its own run.
            assert_eq!((files(weights).len(), COMPARED.get()), (0, 0));
        }
    }
}
