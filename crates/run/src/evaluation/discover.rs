//! Finds evaluations, those that are done and those that are not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::layout::{EVALUATIONS, EvaluationDir};
use super::progress::Progress;
use crate::layout::RunDir;

/// What a temporary folder's name ends in: see [`traintop_disk::write::beside`].
const TEMPORARY: &str = ".tmp";

/// The folders that may hold `evaluations/`: the roots themselves, and the output trees of their
/// runs.
pub fn trees<'a>(roots: &'a [PathBuf], runs: impl IntoIterator<Item = &'a RunDir>) -> Vec<PathBuf> {
    let of_runs = runs.into_iter().filter_map(RunDir::output_tree);
    let all: BTreeSet<PathBuf> = roots
        .iter()
        .map(PathBuf::as_path)
        .chain(of_runs)
        .map(|tree| tree.canonicalize().unwrap_or_else(|_| tree.to_owned()))
        .collect();
    all.into_iter().collect()
}

/// The evaluations in `evaluations/` of a tree that are done, by name; none where there is no such
/// folder.
pub fn list(tree: &Path) -> Vec<EvaluationDir> {
    let mut found: Vec<_> = folders(tree)
        .filter(|(name, _)| !name.starts_with('.'))
        .map(|(_, path)| EvaluationDir::new(path))
        .filter(EvaluationDir::is_one)
        .collect();
    found.sort();
    found
}

/// An evaluation that is not done: it runs, or was killed.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfinished {
    /// Its temporary folder.
    pub dir: EvaluationDir,
    /// How far it is, if it says so.
    pub progress: Option<Progress>,
}

impl Unfinished {
    /// Whether its process is known to be gone, so that it will never finish. Nothing is known of a
    /// process on another host.
    pub fn is_abandoned(&self) -> bool {
        let process = self.progress.as_ref().map(|progress| &progress.process);
        process.is_some_and(|process| process.is_here() && !process.is_alive())
    }
}

/// The evaluations of a tree that are not done, by name.
pub fn unfinished(tree: &Path) -> Vec<Unfinished> {
    let mut found: Vec<_> = folders(tree)
        .filter(|(name, _)| name.starts_with('.') && name.ends_with(TEMPORARY))
        .map(|(_, path)| {
            let dir = EvaluationDir::new(path);
            Unfinished {
                progress: Progress::load(&dir),
                dir,
            }
        })
        .collect();
    found.sort_by(|a, b| a.dir.cmp(&b.dir));
    found
}

fn folders(tree: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    let entries = fs::read_dir(tree.join(EVALUATIONS))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .map(|entry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                entry.path(),
            )
        })
        .filter(|(_, path)| path.is_dir())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::process::Process;

    #[test]
    fn what_is_done_is_listed_and_what_is_not_never_is() {
        let folder = tempfile::tempdir().unwrap();
        let evaluations = folder.path().join(EVALUATIONS);
        assert_eq!(list(folder.path()), []);
        for (name, file) in [
            ("b", "summary.json"),
            ("a", "predictions.csv"),
            ("empty", ""),
            (".b.7-0.tmp", "summary.json"),
        ] {
            let path = evaluations.join(name);
            fs::create_dir_all(&path).unwrap();
            if !file.is_empty() {
                fs::write(path.join(file), "{}").unwrap();
            }
        }
        let names: Vec<_> = list(folder.path())
            .iter()
            .map(EvaluationDir::name)
            .collect();
        assert_eq!(names, ["a", "b"]);
        let open = unfinished(folder.path());
        assert_eq!(open.len(), 1);
        assert!(open[0].progress.is_none() && !open[0].is_abandoned());
    }

    #[test]
    fn an_evaluation_is_abandoned_once_its_process_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let dir = EvaluationDir::new(folder.path().join(EVALUATIONS).join(".a.1-0.tmp"));
        fs::create_dir_all(dir.path()).unwrap();
        let mut progress = Progress {
            name: "a".to_owned(),
            process: Process::current(),
            checkpoints: Vec::new(),
            started_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            images_done: 500,
            images_total: 2000,
            images_per_s: 120.0,
        };
        progress.save(&dir).unwrap();
        let open = unfinished(folder.path()).remove(0);
        assert_eq!(open.progress.as_ref(), Some(&progress));
        assert!(!open.is_abandoned() && progress.fraction() == 0.25);
        progress.process.pid_started += 1;
        progress.save(&dir).unwrap();
        assert!(unfinished(folder.path()).remove(0).is_abandoned());
        assert_eq!(list(folder.path()), []);
    }

    #[test]
    fn trees_are_the_roots_and_where_runs_lie_each_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let runs = ["x/training_runs/a", "x/training_runs/b", "elsewhere/c"].map(|path| {
            let path = root.join(path);
            fs::create_dir_all(&path).unwrap();
            RunDir::new(path)
        });
        assert_eq!(
            trees(std::slice::from_ref(&root), &runs),
            [root.clone(), root.join("x")]
        );
    }
}
