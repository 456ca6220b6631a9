//! Random trees of what twenty trainers leave on the disk, under random policies: with any
//! selection, nothing goes that must stay. What must stay is known from how each tree was made, not
//! from the code under test.

mod table;

use std::cell::Cell;
use std::collections::BTreeSet;

use proptest::test_runner::TestRunner;

use super::held::settle;
use super::*;
use table::{CONTENTS, LAYOUTS, PROJECT, WORK};

/// How many trees are made.
const TREES: u32 = 300;

/// More choices than any run takes.
const CHOICES: usize = 40;

/// The choices by which a run is made. Where a tree fails, proptest looks for one with fewer runs
/// and smaller choices that fails too: 0 chooses the simplest.
struct Choices<'a>(std::slice::Iter<'a, u16>);

impl Choices<'_> {
    /// From 0 to below `sides`.
    fn roll(&mut self, sides: u16) -> u16 {
        self.0.next().copied().unwrap_or(0) % sides
    }

    fn is(&mut self, one_in: u16) -> bool {
        self.roll(one_in) == one_in - 1
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::from(self.roll(all.len() as u16))]
    }
}

/// What was made of one run.
struct Made {
    folder: PathBuf,
    /// Checkpoints that a rule may name; all else stays unless the whole folder may go.
    may_go: BTreeSet<PathBuf>,
    /// Whether it holds no row, no weights and nothing unknown.
    is_hollow: bool,
    /// Epochs of a run with rows that are understood, but without weights or anything unknown.
    is_light: Option<u32>,
}

fn write(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let beginning: &[u8] = match path.extension().and_then(|ending| ending.to_str()) {
        Some("pt" | "pth" | "ckpt" | "zip" | "keras" | "npz" | "bin" | "tar") => b"PK\x03\x04",
        Some("pkl") => b"\x80\x04}.",
        Some("h5") => b"\x89HDF\r\n\x1a\n",
        Some("json") => b"{}",
        Some("yaml" | "csv" | "txt" | "log" | "py") => b"x: 1\n",
        // What a start says.
        Some("out") => b"seed: 1\n",
        _ => b"\x08\x07\x12\x07",
    };
    // Each is different, so that none is a duplicate.
    let name = path.display().to_string();
    fs::write(path, [beginning, name.as_bytes()].concat()).unwrap();
}

/// Metrics of this many epochs, the most accurate of them `best` or the last; of none, a header or
/// something else.
fn course(epochs: u32, best: u32, choices: &mut Choices) -> String {
    if epochs == 0 && choices.is(2) {
        return choices.pick(&CONTENTS).to_owned();
    }
    let mut rows = "epoch,step,val_acc\n".to_owned();
    if choices.is(2) {
        rows = "epoch,seconds,val_acc\n".to_owned();
    }
    for epoch in 1..=epochs {
        let accuracy = 90 - epoch.abs_diff(best.min(epochs));
        let row = format!("{epoch},{},{accuracy}\n", epoch * 100);
        rows.push_str(&row);
    }
    rows
}

fn make(tree: &Tree, number: usize, choices: &mut Choices) -> Made {
    let layout = &LAYOUTS[usize::from(choices.roll(LAYOUTS.len() as u16))];
    let folder = tree.root().join(format!("{} {number}", layout.name));
    let epochs = if choices.is(3) {
        0
    } else {
        u32::from(choices.roll(12))
    };
    let mut may_go = BTreeSet::new();
    let mut is_bare = choices.is(3);
    let metrics = if layout.name == "own" {
        "logs/metrics.csv"
    } else {
        "metrics.csv"
    };
    let metrics = folder.join(metrics);
    fs::create_dir_all(metrics.parent().unwrap()).unwrap();
    let best = 1 + u32::from(choices.roll(12));
    // Names that count from 0 where the metrics count from 1: the best has the number below.
    let from_zero = choices.is(2);
    let rows = course(epochs, best, choices);
    let has_content = epochs == 0 && CONTENTS.contains(&rows.as_str());
    let has_steps = CONTENTS[..2].contains(&rows.as_str());
    fs::write(&metrics, rows).unwrap();
    for settings in layout.settings {
        write(&folder.join(settings));
    }
    if !is_bare {
        let mut names = BTreeSet::new();
        for name in layout.stays {
            if !choices.is(4) {
                write(&folder.join(name));
                names.insert(name.rsplit('/').next().unwrap());
            }
        }
        let has = |word: &str| {
            let is_named = |name: &&str| name.contains(word) && may_have_role(name);
            names.iter().any(is_named)
        };
        let (has_best, has_last) = (has("best"), has("last") || has("final"));
        let numbers: Vec<u32> = (1..=epochs).filter(|_| !choices.is(3)).collect();
        if !layout.epoch.is_empty() {
            for &epoch in &numbers {
                let number = if from_zero { epoch - 1 } else { epoch };
                let path = folder.join(layout.epoch.replace('#', &number.to_string()));
                write(&path);
                let is_last = Some(&epoch) == numbers.last();
                // The most accurate of those that are there; of equals one at least stays.
                let distance = |epoch: u32| epoch.abs_diff(best.min(epochs));
                let nearest = numbers.iter().map(|epoch| distance(*epoch)).min();
                let mut equals = numbers
                    .iter()
                    .filter(|one| Some(distance(**one)) == nearest);
                let is_best = equals.clone().count() == 1 && equals.next() == Some(&epoch);
                if (has_best || !is_best) && (has_last || !is_last) {
                    may_go.insert(path);
                }
            }
        }
        is_bare = names.is_empty() && (numbers.is_empty() || layout.epoch.is_empty());
    }
    let mut is_project = false;
    if choices.is(6) {
        write(&folder.join(choices.pick(&PROJECT)));
        is_project = true;
    }
    if choices.is(6) {
        write(&folder.join(choices.pick(&WORK)));
        is_bare = false;
    }
    if layout.name == "own" && is_bare {
        let state = choices.pick(&[State::Stopped, State::Failed, State::Finished, State::Lost]);
        let dir = RunDir::new(&folder);
        let process = Process::current();
        let mut record = Record::new(
            &dir,
            "own".to_owned(),
            process,
            Vec::new(),
            Timestamp::UNIX_EPOCH,
        );
        record.state = state;
        record.save(&dir).unwrap();
        is_bare = state != State::Finished || epochs > 0;
    }
    if is_project {
        may_go.clear();
    }
    let is_bare = is_bare && !is_project;
    Made {
        folder,
        may_go,
        is_hollow: is_bare && epochs == 0 && !has_content,
        is_light: match (epochs, has_steps) {
            _ if !is_bare => None,
            // Never few epochs, since there are none to count.
            (0, true) => Some(u32::MAX),
            (0, false) => None,
            (epochs, _) => Some(epochs),
        },
    }
}

/// Whether a file's ending is one of those that rules may name: then its name can make it the best
/// or the last.
fn may_have_role(name: &str) -> bool {
    [".safetensors", ".pth", ".pt", ".ckpt"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// What was offered in all trees.
#[derive(Debug, Clone, Copy, Default)]
struct Offered {
    runs: usize,
    checkpoints: usize,
    hollow: usize,
    light: usize,
}

/// Makes a tree, offers and removes what this policy says, and restores it.
fn nothing_goes_that_must_stay(
    runs: &[Vec<u16>],
    policy: &Policy,
    offered: &mut Offered,
) -> Result<(), TestCaseError> {
    let tree = Tree::new();
    let made: Vec<Made> = runs
        .iter()
        .enumerate()
        .map(|(number, choices)| make(&tree, number, &mut Choices(choices.iter())))
        .collect();
    offered.runs += runs.len();
    settle(&tree.root());
    let plan = tree.plan(policy);
    for candidate in &plan.candidates {
        let of = made
            .iter()
            .find(|made| candidate.paths[0].starts_with(&made.folder));
        let of = of.expect("it is of a run");
        if candidate.is_whole {
            prop_assert!(!candidate.is_in);
            let is_few = of.is_light.is_some_and(|epochs| epochs < policy.min_epochs);
            let is_old = of.is_light.is_some() && policy.max_age > 0;
            prop_assert!(of.is_hollow || is_few || is_old, "{:?}", of.folder);
            prop_assert!(candidate.cost_s != Some(0.0));
            offered.hollow += usize::from(of.is_hollow);
            offered.light += usize::from(!of.is_hollow);
        } else {
            for path in &candidate.paths {
                prop_assert!(of.may_go.contains(path), "{path:?}");
            }
            offered.checkpoints += 1;
        }
    }
    let before = tree.seen();
    let plan = select_all(plan);
    let done = tree.carry_out(&plan);
    prop_assert_eq!(done.left, Vec::new());
    let after = tree.seen();
    for (path, (bytes, _)) in &before {
        let mut going = plan.candidates.iter().flat_map(|one| &one.paths);
        let goes = going.any(|going| path.starts_with(going));
        let now = after.get(path).map(|(bytes, _)| bytes);
        prop_assert_eq!(now, (!goes).then_some(bytes), "{:?}", path);
    }
    trash::restore_all(&done.tickets).unwrap();
    prop_assert_eq!(tree.seen(), before);
    Ok(())
}

#[test]
fn over_random_trees_of_all_layouts_no_policy_takes_what_must_stay() {
    let run = prop::collection::vec(any::<u16>(), CHOICES);
    let rules = (0..3_u32, 0..3_u32, 0..5_u32, 0..9_u32, 0..3_u32);
    let mut runner = TestRunner::new(ProptestConfig {
        cases: TREES,
        source_file: Some(file!()),
        ..ProptestConfig::default()
    });
    let all = Cell::new(Offered::default());
    let runs = prop::collection::vec(run, 1..6);
    let held = runner.run(&(runs, rules), |(runs, rules)| {
        let (keep_best, keep_last, keep_every, min_epochs, age) = rules;
        let policy = Policy {
            keep_best,
            keep_last,
            keep_every,
            min_epochs,
            max_age: age * 2,
            protect: Vec::new(),
            purge_after: 0,
        };
        let mut offered = all.get();
        let held = nothing_goes_that_must_stay(&runs, &policy, &mut offered);
        all.set(offered);
        held
    });
    if let Err(error) = held {
        panic!("{error}");
    }
    // It would prove nothing if nothing ever went.
    let all = all.get();
    println!("{all:?}");
    assert!(all.runs > 600, "{all:?}");
    assert!(
        all.checkpoints > 50 && all.hollow > 10 && all.light > 10,
        "{all:?}"
    );
}
