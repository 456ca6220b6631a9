//! The evaluation that lists show for a run: its best one.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::discover::{list, trees};
use super::layout::EvaluationDir;
use super::results::Results;
use crate::layout::RunDir;

/// The split whose accuracies are shown before those of any other.
const TEST: &str = "test";

/// How good a run's best evaluation is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Best {
    pub path: PathBuf,
    /// `test`, where there is an evaluation of the test images; else the split it is of.
    pub split: String,
    /// Right answers in percent.
    pub accuracy: f64,
    /// Lower end of the 95 % interval, in percent.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Views of each image.
    pub views: u32,
}

/// What a run is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunKey {
    /// The identity in its record.
    Id(String),
    /// Folders that may be its run's: of another trainer's checkpoint only those above it are
    /// known.
    Folders(Vec<PathBuf>),
}

impl Best {
    /// How good an evaluation is, and its run; `None` without labels, and for an ensemble, which
    /// belongs to none of its runs.
    pub fn of(dir: &EvaluationDir, results: &Results) -> Option<(RunKey, Self)> {
        let [evaluated] = &results.checkpoints[..] else {
            return None;
        };
        let accuracy = results.accuracy.as_ref()?;
        let best = Self {
            path: dir.path().to_owned(),
            split: results.data.split.clone(),
            accuracy: accuracy.percent,
            low: accuracy.low,
            high: accuracy.high,
            views: results.views,
        };
        let run = evaluated.run.as_ref();
        let key = if let Some(id) = run.and_then(|run| run.id.clone()) {
            RunKey::Id(id)
        } else if let Some(folder) = run.and_then(|run| run.path.clone()) {
            RunKey::Folders(vec![folder])
        } else {
            // A checkpoint lies in its run's folder, or one below it.
            let above = evaluated.path.iter().flat_map(|file| file.ancestors());
            RunKey::Folders(above.skip(1).take(2).map(Path::to_owned).collect())
        };
        Some((key, best))
    }

    /// Whether it is of the test images.
    pub fn is_test(&self) -> bool {
        self.split == TEST
    }

    fn is_better_than(&self, other: &Self) -> bool {
        let rank = |best: &Self| (best.is_test(), best.accuracy);
        rank(self) > rank(other)
    }
}

/// The best evaluation of each run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BestByRun {
    by_id: HashMap<String, Best>,
    by_folder: HashMap<PathBuf, Best>,
}

impl BestByRun {
    /// The best evaluations of some runs: those below the roots and in the runs' output trees.
    pub fn of_runs<'a>(roots: &'a [PathBuf], runs: impl IntoIterator<Item = &'a RunDir>) -> Self {
        // Thousands of runs are in a few trees.
        let mut seen = HashSet::new();
        let one_each = runs.into_iter();
        let one_each = one_each.filter(|run| seen.insert(run.output_tree()));
        Self::load(&trees(roots, one_each))
    }

    /// The best evaluations below these output trees. What cannot be read is left out.
    fn load(trees: &[PathBuf]) -> Self {
        let mut all = Self::default();
        for dir in trees.iter().flat_map(|tree| list(tree)) {
            if let Ok(Some(results)) = Results::load(&dir)
                && let Some((key, best)) = Best::of(&dir, &results)
            {
                all.add(&key, &best);
            }
        }
        all
    }

    /// Takes an evaluation in.
    pub fn add(&mut self, key: &RunKey, best: &Best) {
        match key {
            RunKey::Id(id) => put(&mut self.by_id, id.clone(), best),
            RunKey::Folders(folders) => {
                for folder in folders {
                    put(&mut self.by_folder, folder.clone(), best);
                }
            }
        }
    }

    /// The best evaluation of a run.
    pub fn of(&self, id: &str, dir: &RunDir) -> Option<&Best> {
        let by_id = self.by_id.get(id);
        by_id.or_else(|| self.by_folder.get(dir.path()))
    }
}

fn put<K: Hash + Eq>(all: &mut HashMap<K, Best>, key: K, best: &Best) {
    let known = all.get(&key);
    if known.is_none_or(|known| best.is_better_than(known)) {
        all.insert(key, best.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::super::results::{Accuracy, Data, Evaluated, RunReference};
    use super::*;

    fn results(split: &str, percent: f64, run: Option<RunReference>) -> Results {
        Results {
            data: Data {
                split: split.to_owned(),
                ..Data::default()
            },
            accuracy: Some(Accuracy {
                percent,
                ..Accuracy::default()
            }),
            checkpoints: vec![Evaluated {
                path: Some("/runs/a/checkpoints/epoch_1.pth".into()),
                run,
                ..Evaluated::default()
            }],
            ..Results::default()
        }
    }

    fn by_id(id: &str) -> RunReference {
        RunReference {
            id: Some(id.to_owned()),
            path: Some("/runs/moved".into()),
            ..RunReference::default()
        }
    }

    #[test]
    fn test_images_count_before_others_and_then_the_most_right_answers() {
        let mut best = BestByRun::default();
        for (name, split, percent) in [("x", "val", 99.0), ("y", "test", 80.0), ("z", "test", 81.5)]
        {
            let dir = EvaluationDir::new(format!("/e/{name}"));
            let (key, one) = Best::of(&dir, &results(split, percent, Some(by_id("a-1")))).unwrap();
            best.add(&key, &one);
        }
        let of = |id: &str, path: &str| best.of(id, &RunDir::new(path)).map(|best| best.accuracy);
        assert_eq!(of("a-1", "/anywhere"), Some(81.5));
        assert_eq!(of("b-2", "/runs/moved"), None);
    }

    #[test]
    fn without_an_identity_the_folder_tells() {
        let mut best = BestByRun::default();
        let dir = EvaluationDir::new("/e/x");
        let (key, one) = Best::of(&dir, &results("test", 70.0, None)).unwrap();
        best.add(&key, &one);
        let of = |path: &str| best.of(path, &RunDir::new(path)).is_some();
        assert!(of("/runs/a") && !of("/runs/b"));
    }
}
