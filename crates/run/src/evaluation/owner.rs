//! Which run, and which checkpoint of it, an evaluation is of.

use std::collections::HashMap;

use super::results::{Evaluated, Results};
use crate::layout::RunDir;

/// Whether one of these checkpoints, which were evaluated, is of the run with this identity and
/// folder. A run may have been moved or renamed since, and keeps its identity; a run of another
/// trainer has only its folder.
pub fn evaluates(checkpoints: &[Evaluated], id: &str, dir: &RunDir) -> bool {
    checkpoints
        .iter()
        .any(|evaluated| is_of(evaluated, id, dir))
}

fn is_of(evaluated: &Evaluated, id: &str, dir: &RunDir) -> bool {
    let run = evaluated.run.as_ref();
    match run.and_then(|run| run.id.as_deref()) {
        Some(known) => known == id,
        None => {
            run.is_some_and(|run| run.path.as_deref() == Some(dir.path()))
                || evaluated
                    .path
                    .as_ref()
                    .is_some_and(|path| path.starts_with(dir.path()))
        }
    }
}

/// The numbers (places in `all`) of the evaluations of each run, by the run's identity, or by its
/// folder as text where it has none. An ensemble belongs to each of its runs.
pub fn by_run<'a>(all: impl IntoIterator<Item = &'a Results>) -> HashMap<String, Vec<usize>> {
    let mut found: HashMap<String, Vec<usize>> = HashMap::new();
    for (number, results) in all.into_iter().enumerate() {
        for run in results
            .checkpoints
            .iter()
            .filter_map(|one| one.run.as_ref())
        {
            let path = run.path.as_ref().map(|path| path.display().to_string());
            let numbers = run
                .id
                .clone()
                .or(path)
                .map(|key| found.entry(key).or_default());
            if let Some(numbers) = numbers
                && numbers.last() != Some(&number)
            {
                numbers.push(number);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::results::RunReference;

    fn of(id: Option<&str>, path: &str) -> Evaluated {
        Evaluated {
            path: Some(format!("{path}/best.pth").into()),
            run: Some(RunReference {
                id: id.map(str::to_owned),
                path: Some(path.into()),
                ..RunReference::default()
            }),
            ..Evaluated::default()
        }
    }

    #[test]
    fn a_run_is_known_by_its_identity_wherever_it_lies_now() {
        let results = Results {
            checkpoints: vec![of(Some("a-1"), "/runs/old"), of(None, "/runs/foreign")],
            ..Results::default()
        };
        assert!(evaluates(
            &results.checkpoints,
            "a-1",
            &RunDir::new("/runs/renamed")
        ));
        assert!(!evaluates(
            &results.checkpoints,
            "b-2",
            &RunDir::new("/runs/old")
        ));
        assert!(evaluates(
            &results.checkpoints,
            "/runs/foreign",
            &RunDir::new("/runs/foreign")
        ));
        let single = Results {
            checkpoints: vec![of(Some("a-1"), "/runs/old"), of(Some("a-1"), "/runs/old")],
            ..Results::default()
        };
        let by_run = by_run([&results, &single]);
        assert_eq!(by_run["a-1"], [0, 1]);
        assert_eq!(by_run["/runs/foreign"], [0]);
    }
}
